"""A running libvirt domain as Ganeti's runtime file.

The live XML is the only truth about devices; what it does not tell comes from the domain's metadata, from a
source of Ganeti data or from an older runtime file, and else is reported.
"""

from __future__ import annotations

from collections import Counter
from copy import deepcopy
from typing import Any

import msgspec
from lxml import etree

from virtxlate.domain.document import parse_document
from virtxlate.domain.elements import DEVICES, DOMAIN
from virtxlate.domain.live import LiveDomain, read_live
from virtxlate.domain.model import Disk, Domain, Hostdev
from virtxlate.errors import DomainXmlError, GanetiDataError
from virtxlate.ganeti.export import export_runtime
from virtxlate.ganeti.hvinfo import HvInfo
from virtxlate.ganeti.model import Instance
from virtxlate.ganeti.q35 import ROOT_PORT_PREFIX
from virtxlate.ganeti.runtime import read_runtime, runtime_instance
from virtxlate.ganeti.runtime_tree import RuntimeTree, format_tree, lost
from virtxlate.ganeti.words import LINK_DIRECTORY, PCI_BUS, SCSI_BUS
from virtxlate.report import Report
from virtxlate.translate import metadata
from virtxlate.translate.context import Context
from virtxlate.translate.dialect import to_ganeti_dialect
from virtxlate.translate.fixed import is_fixed
from virtxlate.translate.hostdev import is_disk
from virtxlate.translate.hvinfo import DeviceInfo, derive
from virtxlate.translate.instance import to_ganeti
from virtxlate.translate.placing import place


class LiveView(msgspec.Struct, frozen=True, kw_only=True):
    """One live XML, read once: the whole domain, and where QEMU has each disk, interface and host device."""

    domain: Domain
    live: LiveDomain
    disks: tuple[DeviceInfo, ...]
    """In the order of ``domain.devices.disks``."""
    nics: tuple[DeviceInfo, ...]
    """In the order of ``domain.devices.interfaces``."""
    hostdevs: tuple[DeviceInfo, ...] = ()
    """In the order of ``domain.devices.hostdevs``."""

    @property
    def of_ganeti(self) -> tuple[tuple[Disk | Hostdev, DeviceInfo], ...]:
        """What may be a disk of Ganeti's: disks, then SCSI host devices, without QEMU's own empty drives."""
        devices = self.domain.devices
        disks = zip(devices.disks, self.disks, strict=True)
        hostdevs = zip(devices.hostdevs, self.hostdevs, strict=True)
        return (
            *((disk, info) for disk, info in disks if not is_fixed(disk)),
            *((each, info) for each, info in hostdevs if is_disk(each)),
        )

    @property
    def scsi_bus(self) -> str:
        """QEMU's name of the first bus of SCSI controller 0."""
        found = [c for c in self.live.controllers if c.get("type") == "scsi" and c.get("index", "0") == "0"]
        alias = found[0].part("alias").get("name") if found else None
        return f"{alias or 'scsi0'}.0"


def read_view(xml: bytes | str, *, foreign: bool = False) -> LiveView:
    """Give a live domain. Optional words of a newer libvirt are passed over.

    With ``foreign`` a device that cannot be read is none of ``domain``, and in ``live`` all the same.
    Raises DomainXmlError.
    """
    root = parse_document(xml)
    if root.tag != DOMAIN.tag:
        raise DomainXmlError(f"expected <domain>, found <{root.tag!s}>", at=f"/{root.tag!s}")
    live = read_live(root)
    infos = derive(live)
    unread: frozenset[str] = frozenset()
    try:
        domain: Domain = DOMAIN.parse(root, [])
    except DomainXmlError:
        if not foreign:
            raise
        domain, unread = _without_unread(root)
    read = [each for each in infos if each.path not in unread]
    return LiveView(
        domain=domain,
        live=live,
        disks=tuple(each for each in read if each.path.startswith("/domain/devices/disk")),
        nics=tuple(each for each in read if each.path.startswith("/domain/devices/interface")),
        hostdevs=tuple(each for each in read if each.path.startswith("/domain/devices/hostdev")),
    )


def _without_unread(root: etree._Element) -> tuple[Domain, frozenset[str]]:
    """Give the domain without the devices that cannot be read, and the paths of these."""
    copy = deepcopy(root)
    paths, counts = set(), Counter[str]()
    for devices in copy.findall(DEVICES.tag):
        for element in list(devices.iterchildren(etree.Element)):
            counts[str(element.tag)] += 1
            try:
                DEVICES.parse(_alone(element), [])
            except DomainXmlError:
                paths.add(f"/domain/devices/{element.tag!s}[{counts[str(element.tag)]}]")
                devices.remove(element)
    domain: Domain = DOMAIN.parse(copy, [])
    return domain, frozenset(paths)


def _alone(element: etree._Element) -> etree._Element:
    devices = etree.Element(DEVICES.tag)
    devices.append(deepcopy(element))
    return devices


def ganeti_hvinfo(info: DeviceInfo, scsi_bus: str, *, more: bool = False) -> HvInfo | None:
    """Give where a device is in Ganeti's dialect; None off ``pci.0``, ``scsi.0`` and the root ports of a q35.

    The id loses libvirt's prefix of user aliases, and is empty where the XML has no alias. ``scsi_bus`` is
    QEMU's name of Ganeti's ``scsi.0``; with ``more``, other SCSI buses have QEMU's name.
    """
    qemu, said = info.hvinfo, to_ganeti_dialect(info).hvinfo
    if qemu is None or said is None:
        return None
    device_id = said.id or ""
    if qemu.bus == PCI_BUS and qemu.addr is not None and "." not in qemu.addr:
        return HvInfo(driver=said.driver, id=device_id, bus=PCI_BUS, addr=qemu.addr)
    if (said.bus or "").startswith(ROOT_PORT_PREFIX) and said.bus != qemu.bus:
        return HvInfo(driver=said.driver, id=device_id, bus=said.bus or "", addr=said.addr)
    if qemu.bus is not None and said.scsi_id is not None and (more or qemu.bus == scsi_bus):
        return HvInfo(
            driver=said.driver,
            id=device_id,
            bus=SCSI_BUS if qemu.bus == scsi_bus else qemu.bus,
            channel=said.channel,
            scsi_id=said.scsi_id,
            lun=said.lun,
        )
    return None


def live_runtime(
    xml: bytes | str,
    context: Context,
    report: Report,
    *,
    base: RuntimeTree | None = None,
    source: Instance | None = None,
    version: int | None = None,
) -> RuntimeTree:
    """Give the runtime file of a running domain, from its live XML.

    ``source`` is the instance as Ganeti's own data has it; it speaks for what the XML does not tell, before
    the metadata of the document, and that before ``base``, an older runtime file. The command is that of
    ``base``, else built as Ganeti ``version`` (3010000 is 3.1) does. Paths of losses are those of the file
    (``[3][0][0].size``) where the file cannot say a thing, else the instance's (``disks[0].size_mib``).

    Raises DomainXmlError, GanetiDataError where ``base`` or ``source`` is another instance's,
    UnsupportedError for a device that Ganeti has no word for.
    """
    view = read_view(xml)
    kept = source if source is not None else _kept(view.domain, base)
    domain = _with_kept(view.domain, kept, context)
    instance = _placed(to_ganeti(domain, context, report), view, report)
    if base is not None:
        _compare_command(instance, base, report)
    return export_runtime(instance, report, version=version, base=base)


def _kept(domain: Domain, base: RuntimeTree | None) -> Instance | None:
    if domain.metadata is not None or base is None:
        return None
    return runtime_instance(read_runtime(format_tree(base), Report()), Report())


def _with_kept(domain: Domain, kept: Instance | None, context: Context) -> Domain:
    """Let other Ganeti data stand where the document's own metadata stands."""
    if kept is None:
        return domain
    if domain.uuid and kept.uuid and domain.uuid.lower() != kept.uuid.lower():
        raise GanetiDataError(f"expected the data of {domain.uuid}, found that of {kept.uuid}", at="uuid")
    known = msgspec.structs.replace(context, disk_paths="link" if _opens_links(domain) else "device")
    return msgspec.structs.replace(domain, metadata=metadata.to_text(place(kept), known))


def _opens_links(domain: Domain) -> bool:
    """Tell whether every disk is named by Ganeti's link; one alone may have no other name."""
    found = [disk.source for disk in domain.devices.disks if disk.source is not None]
    paths = [path for each in found if (path := each.file or each.dev)]
    return bool(paths) and all(path.startswith(f"{LINK_DIRECTORY}/") for path in paths)


def _placed(instance: Instance, view: LiveView, report: Report) -> Instance:
    """Give every device a place: Ganeti's own words first, then QEMU's view, for IDE disks Ganeti's books."""
    disks = _fill(instance.disks, [info for _disk, info in view.of_ganeti], view)
    nics = _fill(instance.nics, list(view.nics), view)
    filled: Instance = msgspec.structs.replace(instance, disks=disks, nics=nics)
    if instance.hvparams.disk_type == "ide" and all(disk.uuid for disk in disks):
        filled = place(filled)
    for index, nic in enumerate(filled.nics):
        if nic.hvinfo is None:
            lost(report, f"[1][{index}].hvinfo", view.nics[index].note, "no place on Ganeti's buses")
    return filled


def _fill(devices: tuple[Any, ...], infos: list[DeviceInfo], view: LiveView) -> tuple[Any, ...]:
    found = []
    for device, info in zip(devices, infos, strict=True):
        hvinfo = device.hvinfo
        if hvinfo is None and info.alias is not None:
            hvinfo = ganeti_hvinfo(info, view.scsi_bus)
        found.append(msgspec.structs.replace(device, hvinfo=hvinfo))
    return tuple(found)


def _compare_command(instance: Instance, base: RuntimeTree, report: Report) -> None:
    """Report where the command of an older file says something else than the running domain."""
    uuid = base.option("-uuid")
    if uuid is not None and instance.uuid and str(uuid).lower() != instance.uuid.lower():
        raise GanetiDataError(f"expected the file of {instance.uuid}, found that of {uuid}", at="[0] -uuid")
    machine = str(base.option("-machine") or base.option("-M") or "").partition(",")[0]
    for option, said, runs in (
        ("-name", str(base.option("-name")).partition(",")[0], instance.name),
        ("-m", str(base.option("-m")), str(instance.beparams.maxmem)),
        ("-smp", str(base.option("-smp")).partition(",")[0], str(instance.beparams.vcpus)),
        ("-machine", machine, instance.hvparams.machine_version),
    ):
        if said != runs:
            lost(report, f"[0] {option}", runs, f"the older file says {said!r}, and its command stays")
