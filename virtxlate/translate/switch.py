"""A disk that is emulated becomes one that is passed through, or the other way round, in the same place.

A device cannot change while it is plugged in: whoever applies a switch takes the old disk out and puts the
new one in. What is here only says what the new one is, and what of it the guest sees.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Literal

import msgspec
from lxml import etree

from virtxlate.domain.elements import DISK
from virtxlate.domain.model import Disk
from virtxlate.errors import UnsupportedError
from virtxlate.ganeti.model import Instance
from virtxlate.ganeti.words import DISK_DRIVERS
from virtxlate.rules import Fault, Rule, message
from virtxlate.rules.lun import RULES as OF_LUNS
from virtxlate.rules.rule import Document

Kind = Literal["lun", "disk"]

DISK_TYPES: dict[Kind, str] = {"lun": "scsi-block", "disk": "scsi-hd"}
"""What Ganeti calls them, for all disks of an instance."""
_SEEN_AS_LUN = (
    "INQUIRY vendor, product and revision are the device's own instead of QEMU's",
    "serial and wwn, and so the names below /dev/disk/by-id, are the device's own",
    "every SCSI command reaches the device: reservations, UNMAP, log pages, its write cache",
)
_SEEN_AS_DISK = (
    "INQUIRY vendor and product are QEMU and QEMU HARDDISK instead of the device's own",
    "serial and wwn, and so the names below /dev/disk/by-id, are those that the domain says, or none",
    "SCSI commands end in QEMU: reservations, log pages and vendor commands no longer reach the device",
)
_DROPPED = {
    "lun-serial": "the serial that the domain said is gone",
    "lun-wwn": "the wwn that the domain said is gone",
    "lun-vendor": "the vendor that the domain said is gone",
    "lun-product": "the product that the domain said is gone",
    "lun-blockio": "block sizes are the device's own",
    "lun-geometry": "the geometry is the device's own",
    "lun-iotune": "QEMU no longer limits the disk",
}
"""Rules whose cause may go without harm to what is on the disk, and what the guest sees of that."""
_ONLY_LUN = ("rawio", "sgio")
_CACHED = "lun-cache"


class Switched(msgspec.Struct, frozen=True, kw_only=True):
    """What a disk becomes; ``seen`` is empty where it is that already."""

    xml: str
    """The new ``<disk>``: same target, address, alias and boot order."""
    seen: tuple[str, ...] = ()
    """What the guest sees of it, in sentences."""

    @property
    def disk(self) -> Disk:
        """The new disk as a record, as far as virtxlate has words for it."""
        return DISK.parse(etree.fromstring(self.xml), [])


def switched(disk: etree._Element | Disk, to: Kind) -> Switched:
    """Give the disk passed through (``lun``) or emulated (``disk``); nothing else of it changes.

    Raises UnsupportedError, with the id of the rule and the fix, for a disk that cannot be one: a CD-ROM, a
    disk on another bus, an image, a read-only disk.
    """
    element = DISK.format(disk) if isinstance(disk, Disk) else deepcopy(disk)
    element.tail = None
    now = element.get("device", "disk")
    if now not in DISK_TYPES:
        raise UnsupportedError(f"only a disk or a lun can be switched, found {now!r}", at="disk/@device")
    if now == to:
        return Switched(xml=_text(element))
    element.set("device", to)
    seen = _as_lun(element) if to == "lun" else _as_disk(element)
    return Switched(xml=_text(element), seen=seen)


def _text(element: etree._Element) -> str:
    return etree.tostring(element, encoding="unicode") + "\n"


def _as_lun(element: etree._Element) -> tuple[str, ...]:
    """Bring a disk to obey the rules of luns; give what the guest sees."""
    devices = etree.Element("devices")
    devices.append(element)
    seen = list(_SEEN_AS_LUN)
    document = Document(devices)
    for rule, fault in [(each, fault) for each in OF_LUNS for fault in each.check(document)]:
        if rule.id == _CACHED:
            fault.element.set("cache", "none")
        elif rule.id in _DROPPED and fault.element.getparent() is element:
            element.remove(fault.element)
            seen.append(_DROPPED[rule.id])
        else:
            _refuse(rule, fault)
    devices.remove(element)
    return tuple(seen)


def _refuse(rule: Rule, fault: Fault) -> None:
    raise UnsupportedError(
        f"it cannot be a lun: {message(rule, fault)}; {rule.hint} [{rule.id}]", at=f"disk{fault.below}"
    )


def _as_disk(element: etree._Element) -> tuple[str, ...]:
    for name in _ONLY_LUN:
        element.attrib.pop(name, None)
    source = element.find("source")
    reservations = None if source is None else source.find("reservations")
    if source is not None and reservations is not None:
        source.remove(reservations)
    return _SEEN_AS_DISK


def switched_instance(instance: Instance, to: Kind) -> Instance:
    """Give the instance with all its disks passed through or emulated: Ganeti has one word for all of them.

    Places stay. Raises UnsupportedError for an instance whose disks are neither.
    """
    word, wanted = instance.hvparams.disk_type, DISK_TYPES[to]
    if word not in DISK_TYPES.values():
        known = " or ".join(repr(each) for each in DISK_TYPES.values())
        raise UnsupportedError(f"expected {known}, found {word!r}", at="hvparams.disk_type")
    if word == wanted:
        return instance
    driver = DISK_DRIVERS[wanted]
    return msgspec.structs.replace(
        instance,
        hvparams=msgspec.structs.replace(instance.hvparams, disk_type=wanted),
        disks=tuple(
            disk
            if disk.hvinfo is None
            else msgspec.structs.replace(disk, hvinfo=msgspec.structs.replace(disk.hvinfo, driver=driver))
            for disk in instance.disks
        ),
    )
