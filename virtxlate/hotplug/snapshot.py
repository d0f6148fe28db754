"""One reading of a domain: its devices in libvirt's and in Ganeti's words, and which one is meant.

Ganeti's order of disks and NICs is that of the metadata; devices that it does not know follow in the order of
the document. Everything works without metadata too: then the devices tell their hypervisor parameters.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from virtxlate.domain import model as domain
from virtxlate.domain.live import LiveDevice
from virtxlate.errors import DeviceNotFoundError, GanetiDataError, VirtxlateError
from virtxlate.ganeti.decode import convert
from virtxlate.ganeti.hvinfo import kvm_id
from virtxlate.ganeti.model import Disk, Instance, Nic
from virtxlate.ganeti.params import HvParams
from virtxlate.ganeti.words import UUID_PATTERN
from virtxlate.hotplug.steps import Device, name_of
from virtxlate.report import Report
from virtxlate.tables.removable import IMAGE_ALIASES
from virtxlate.translate import disk as disks_of
from virtxlate.translate import hostdev as hostdevs_of
from virtxlate.translate import instance as instances
from virtxlate.translate import metadata
from virtxlate.translate import nic as nics_of
from virtxlate.translate.context import Context
from virtxlate.translate.fixed import is_fixed, scsi_models
from virtxlate.translate.hvinfo import DeviceInfo, derive
from virtxlate.translate.matching import with_uuids
from virtxlate.translate.runtime import LiveView, read_view

_UUID = re.compile(UUID_PATTERN, re.ASCII)


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One device of a domain."""

    at: str
    """Ganeti's path, disks[0]; of a device that Ganeti does not count, libvirt's."""
    info: DeviceInfo
    element: LiveDevice
    device: Device | None
    """None for what the reader of domain XML does not know."""
    kept: Disk | Nic | None = None
    """What the metadata has of it."""


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """A domain as it was when it was read."""

    xml: str
    view: LiveView
    config: LiveView | None
    """What the next start will use, where that is to be changed too."""
    instance: Instance
    """Ganeti's data of it: of the metadata, else what the devices tell."""
    has_metadata: bool
    disks: tuple[Entry, ...]
    nics: tuple[Entry, ...]
    others: tuple[Entry, ...]
    """Drives and host devices that are no disk of Ganeti's."""

    @property
    def views(self) -> tuple[LiveView, ...]:
        """Every document in which a new device must find its place free."""
        return (self.view,) if self.config is None else (self.view, self.config)


def read_snapshot(
    xml: str,
    context: Context,
    *,
    config_xml: str | None = None,
    libvirt_version: int | None = None,
    hvparams: Mapping[str, Any] | None = None,
) -> Snapshot:
    """Give what a domain's XML tells; ``hvparams`` overrule what it tells of Ganeti's parameters.

    Raises DomainXmlError, GanetiDataError.
    """
    view = read_view(xml, foreign=True)
    infos = derive(view.live, libvirt_version=libvirt_version)
    try:
        infos = with_uuids(view.live, infos)
        kept = None if view.live.metadata is None else metadata.from_text(view.live.metadata).instance
    except GanetiDataError:
        kept = None
    instance = kept if kept is not None else _told(view.domain, context)
    if hvparams:
        instance = msgspec.structs.replace(instance, hvparams=_overruled(instance.hvparams, hvparams))
    disks, nics, others = _entries(view, infos, instance if kept is not None else None)
    return Snapshot(
        xml=xml,
        view=view,
        config=None if config_xml is None else read_view(config_xml, foreign=True),
        instance=instance,
        has_metadata=kept is not None,
        disks=disks,
        nics=nics,
        others=others,
    )


def _overruled(known: HvParams, hvparams: Mapping[str, Any]) -> HvParams:
    unknown = set(hvparams) - set(HvParams.__struct_fields__)
    if unknown:
        raise GanetiDataError(f"not a hypervisor parameter: {', '.join(sorted(unknown))}", at="hvparams")
    return convert({**msgspec.structs.asdict(known), **hvparams}, HvParams, "hvparams")


def _told(found: domain.Domain, context: Context) -> Instance:
    """Give what the devices of a domain without metadata tell; foreign ones are passed over."""
    models = scsi_models(found.devices)

    def is_disk(one: domain.Disk) -> bool:
        return is_fixed(one) or _speaks(lambda: disks_of.to_ganeti(one, "", models, context, Report()))

    def is_nic(one: domain.Interface) -> bool:
        return _speaks(lambda: nics_of.to_ganeti(one, "", context, Report()))

    devices = msgspec.structs.replace(
        found.devices,
        disks=tuple(filter(is_disk, found.devices.disks)),
        interfaces=tuple(each for each in found.devices.interfaces if is_nic(each)),
    )
    try:
        return instances.derive(msgspec.structs.replace(found, devices=devices), context, Report())
    except VirtxlateError:
        return Instance(name=found.name, uuid=found.uuid or "")


def _speaks(read: Callable[[], object]) -> bool:
    try:
        read()
    except (VirtxlateError, LookupError):
        return False
    return True


def _entries(
    view: LiveView, infos: tuple[DeviceInfo, ...], kept: Instance | None
) -> tuple[tuple[Entry, ...], ...]:
    """Give disks, NICs and the rest."""
    devices = view.domain.devices
    records: tuple[Device, ...] = (*devices.disks, *devices.interfaces, *devices.hostdevs)
    known = (*view.disks, *view.nics, *view.hostdevs)
    by_path = {info.path: device for info, device in zip(known, records, strict=True)}
    found: dict[str, list[Entry]] = {"disks": [], "nics": [], "others": []}
    cdrom_is_disk = kept is not None and kept.hvparams.disk_type == "scsi-cd"
    for info, element in zip(infos, view.live.devices, strict=True):
        device = by_path.get(info.path)
        kind = "disks" if _is_scsi(device) else _kind(info, cdrom_is_disk=cdrom_is_disk)
        found[kind].append(Entry(at=info.path, info=info, element=element, device=device))
    return (
        _in_order("disks", found["disks"], kept.disks if kept is not None else ()),
        _in_order("nics", found["nics"], kept.nics if kept is not None else ()),
        tuple(found["others"]),
    )


def _is_scsi(device: Device | None) -> bool:
    """Tell whether the device is a host device that Ganeti has as a disk."""
    return isinstance(device, domain.Hostdev) and hostdevs_of.is_disk(device)


def _kind(info: DeviceInfo, *, cdrom_is_disk: bool) -> str:
    if info.kind == "nic":
        return "nics"
    if IMAGE_ALIASES.knows_right(info.alias or ""):
        return "others"  # a drive for an image, whatever QEMU makes it of
    if info.kind in {"disk", "lun"} or info.uuid is not None or (info.kind == "cdrom" and cdrom_is_disk):
        return "disks"
    return "others"


def _in_order(word: str, found: list[Entry], kept: tuple[Disk | Nic, ...]) -> tuple[Entry, ...]:
    """Give the entries in Ganeti's order, each with its index and what the metadata has of it."""
    by_uuid = {device.uuid: (index, device) for index, device in enumerate(kept) if device.uuid}

    def known(entry: Entry) -> tuple[int, Disk | Nic | None]:
        return by_uuid.get(entry.info.uuid or "", (len(kept), None))

    ordered = sorted(found, key=lambda entry: known(entry)[0])
    return tuple(
        msgspec.structs.replace(entry, at=f"{word}[{index}]", kept=known(entry)[1])
        for index, entry in enumerate(ordered)
    )


def find(snapshot: Snapshot, kind: str, which: str) -> Entry:
    """Give the disk (``kind`` "disk") or NIC ("nic") that ``which`` names.

    That is Ganeti's index, uuid, name or device id, or libvirt's alias, target, MAC or source path.
    Raises DeviceNotFoundError that lists what there is, GanetiDataError where two could be meant.
    """
    counted = snapshot.nics if kind == "nic" else snapshot.disks
    if is_index(which):
        index = int(which)
        if -len(counted) <= index < len(counted):
            return counted[index]
        raise _missing(snapshot, kind, which, counted)
    candidates = counted if kind == "nic" else (*counted, *snapshot.others)
    found = [entry for entry in candidates if _is_called(entry, which)]
    if not found and _UUID.fullmatch(which.lower()):  # a domain without metadata has the id that it became
        found = [entry for entry in candidates if _is_called(entry, kvm_id(kind, which.lower()))]
    if len(found) > 1:
        raise GanetiDataError(f"{which!r} could be {_listed(found)}", at=kind)
    if not found:
        raise _missing(snapshot, kind, which, candidates)
    return found[0]


def is_index(which: str) -> bool:
    """Tell whether a device is named by its place in Ganeti's list; -1 is the last one."""
    return which.removeprefix("-").isdecimal()


def _missing(snapshot: Snapshot, kind: str, which: str, known: Iterable[Entry]) -> DeviceNotFoundError:
    return DeviceNotFoundError(
        f"domain {snapshot.view.domain.name!r} has no {kind} {which!r} (it has {_listed(known) or 'none'})"
    )


def _listed(entries: Iterable[Entry]) -> str:
    return ", ".join(f"{entry.at} {name_of(entry.info)}" for entry in entries)


def _is_called(entry: Entry, which: str) -> bool:
    """Tell whether a person may call a device so; case counts, but in a UUID or MAC."""
    info, source = entry.info, entry.element.part("source")
    names = {info.alias, disks_of.ganeti_id(info.alias), info.target}
    names |= {source.get(name) for name in ("file", "dev", "name")}
    if entry.kept is not None:
        names.add(entry.kept.name)
    return which in names or which.lower() in {(info.uuid or "").lower(), (info.mac or "").lower()} - {""}
