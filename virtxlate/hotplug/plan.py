"""What must be done to a domain so that it has, or has not, or has otherwise, a device: pure, printable.

Order of a whole plan: what leaves, what changes, what comes; disks before NICs, as Ganeti does it.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from virtxlate.domain import model as domain
from virtxlate.domain.elements import CONTROLLER
from virtxlate.domain.live import LiveDevice
from virtxlate.errors import GanetiDataError, OperationRefusedError, UnsupportedError
from virtxlate.ganeti.model import Disk, Instance, Nic
from virtxlate.ganeti.words import MAX_DISKS, MAX_NICS, SCSI_TARGETS
from virtxlate.hotplug import edits, obeys
from virtxlate.hotplug.look import twin
from virtxlate.hotplug.opened import marks
from virtxlate.hotplug.places import Places
from virtxlate.hotplug.snapshot import Entry, Snapshot
from virtxlate.hotplug.steps import AddController, Attach, Detach, Device, Step, place_text
from virtxlate.hotplug.wanted import wanted_disk, wanted_nic
from virtxlate.report import Report
from virtxlate.tables.disk import by_disk_type
from virtxlate.tables.hotplug import HOTPLUG_BUSES, NO_HOTPLUG, PCIE_INTERFACES, PCIE_SCSI
from virtxlate.translate import disk as disks_of
from virtxlate.translate import hostdev as hostdevs_of
from virtxlate.translate import nic as nics_of
from virtxlate.translate.context import Context
from virtxlate.translate.placing import disk_type, scsi_controller, scsi_index
from virtxlate.translate.terms import carry

_ROOT = re.compile(r"(?:^|\s)root=\S")


def places_of(snapshot: Snapshot, *, running: bool = True) -> Places:
    """Give the free places of a domain."""
    reservations = snapshot.instance.hvparams.kvm_pci_reservations
    return Places(snapshot.views, reservations, running=running)


def add_disk(
    snapshot: Snapshot, disk: Disk, context: Context, places: Places, report: Report, *, running: bool = True
) -> tuple[Step, ...]:
    """Give the steps that add a Ganeti disk to a domain that obeys the rules with it.

    Raises what place_disk does; UnsupportedError for a disk that breaks a rule.
    """
    steps = place_disk(snapshot, disk, context, places, report, running=running)
    obeys.check(snapshot, steps, report)
    return steps


def place_disk(
    snapshot: Snapshot,
    disk: Disk,
    context: Context,
    places: Places,
    report: Report,
    *,
    running: bool = True,
    index: int | None = None,
) -> tuple[Step, ...]:
    """Give the steps that add a Ganeti disk: its controller, if there is none with room, and itself.

    Raises UnsupportedError for a disk_type without hot-plug, PlacementError, GanetiDataError,
    OperationRefusedError for a disk that is there already.
    """
    index = _index_for(snapshot, snapshot.disks, MAX_DISKS, "disks") if index is None else index
    at = f"disks[{index}]"
    wanted = wanted_disk(snapshot.instance, disk, index, context, report)
    bus = wanted.bus if isinstance(wanted, domain.Disk) else wanted.type
    _check_bus(bus, at, running=running)
    _check_new(snapshot, wanted.alias, at)
    check_source(snapshot, wanted, at, context)
    before: tuple[Step, ...] = ()
    address: domain.Address
    if bus == "scsi":
        row = scsi_controller(snapshot.instance)
        address, controller = places.scsi(at, row, SCSI_TARGETS, known=_target(disk))
        if controller is not None:
            place = places.pci(at, express=row.libvirt in PCIE_SCSI, reserved=True)
            new = domain.Controller(type="scsi", index=controller, model=row.libvirt, address=place)
            before = (AddController(at=at, controller=new, xml=CONTROLLER.format_text(new)),)
    else:
        address = places.pci(at, express=True, known=_slot(disk))
    placed: Device = msgspec.structs.replace(wanted, address=address, boot_order=None)
    if isinstance(placed, domain.Disk):
        target = places.target(by_disk_type(disk_type(snapshot.instance)).prefix)
        placed = msgspec.structs.replace(placed, target=target)
    return (*before, attach("disk" if isinstance(placed, domain.Disk) else "hostdev", placed, at))


def add_nic(
    snapshot: Snapshot,
    nic: Nic,
    context: Context,
    places: Places,
    report: Report,
    *,
    index: int | None = None,
) -> tuple[Step, ...]:
    """Give the step that adds a Ganeti NIC.

    Raises UnsupportedError, PlacementError, GanetiDataError, OperationRefusedError for a MAC or a NIC that is
    there already.
    """
    index = _index_for(snapshot, snapshot.nics, MAX_NICS, "nics") if index is None else index
    at = f"nics[{index}]"
    wanted = wanted_nic(snapshot.instance, nic, index, context, report)
    _check_new(snapshot, wanted.alias, at)
    for entry in snapshot.nics:
        if (entry.info.mac or "").lower() == nic.mac.lower():
            raise OperationRefusedError(f"{at}: MAC {nic.mac} is that of {entry.at} already", call="attach")
    address = places.pci(at, express=wanted.model in PCIE_INTERFACES, known=_slot(nic))
    placed = msgspec.structs.replace(wanted, address=address, boot_order=None)
    return (attach("nic", placed, at),)


def _index_for(snapshot: Snapshot, entries: tuple[Entry, ...], most: int, word: str) -> int:
    """Give the index after the last one that Ganeti counts: where there is metadata, what that knows."""
    known = [entry for entry in entries if entry.kept is not None or not snapshot.has_metadata]
    if len(known) >= most:
        raise GanetiDataError(f"Ganeti allows {most}, and there are {len(known)}", at=word)
    return len(known)


def _target(disk: Disk) -> tuple[int, int] | None:
    """Give the SCSI controller and the target that Ganeti already has a disk at."""
    if disk.hvinfo is None or disk.hvinfo.scsi_id is None:
        return None
    return scsi_index(disk.hvinfo.bus), disk.hvinfo.scsi_id


def _slot(device: Disk | Nic) -> int | None:
    """Give the PCI slot that Ganeti already has a device in."""
    return None if device.hvinfo is None else device.hvinfo.slot


def _check_bus(bus: str | None, at: str, *, running: bool = True) -> None:
    if running and bus not in HOTPLUG_BUSES:
        reason = NO_HOTPLUG.get(bus or "", f"bus {bus!r} has no hot-plug that is known")
        raise UnsupportedError(f"{reason}; stop the guest first, or change its definition (--config)", at=at)


def _check_new(snapshot: Snapshot, alias: str | None, at: str) -> None:
    hint = ": give the running guest alone what its definition has (--live without --config)"
    for view, where, advice in zip(snapshot.views, ("has", "defines"), ("", hint), strict=False):
        for device in view.live.devices:
            if alias is not None and device.part("alias").get("name") == alias:
                raise OperationRefusedError(
                    f"{at}: the domain {where} {alias} already ({device.path}){advice}", call="attach"
                )


def check_source(
    snapshot: Snapshot,
    wanted: domain.Disk | domain.Hostdev,
    at: str,
    context: Context,
    *,
    but: Entry | None = None,
) -> None:
    """Refuse to open a disk twice: what two writers make of it is no file system.

    ``but`` is the disk that ``wanted`` takes the place of. Raises OperationRefusedError.
    """
    known = marks(wanted, context)
    for entry in (*snapshot.disks, *snapshot.others):
        device = entry.device
        if (
            isinstance(device, domain.Disk | domain.Hostdev)
            and entry is not but
            and wanted.source is not None
            and (device.source == wanted.source or (known and known & marks(device, context)))
            and not (device.readonly and wanted.readonly)
            and entry.element.element.find("shareable") is None
        ):
            path = path_of(wanted.source)
            raise OperationRefusedError(f"{at}: {path} is open already as {entry.at}", call="attach")


def path_of(source: domain.DiskSource | domain.HostdevSource) -> str | None:
    """Give what a source opens: a path, a name on the network, or an address of the host."""
    if isinstance(source, domain.HostdevSource):
        return source.name or f"{source.adapter} {source.bus}:{source.target}:{source.unit}"
    return source.file or source.dev or source.name


def attach(kind: Any, device: Device, at: str) -> Attach:
    """Give the step that attaches a device that has its place."""
    xml = edits.ELEMENTS[type(device)].format_text(device)
    place = place_text(device.address)
    return Attach(at=at, kind=kind, device=device, alias=device.alias or "", place=place, xml=xml)


def remove(snapshot: Snapshot, entry: Entry, *, running: bool = True) -> tuple[Step, ...]:
    """Give the step that removes a device. Raises UnsupportedError for a bus without hot-plug."""
    if entry.element.tag == "disk":
        _check_bus(entry.element.part("target").get("bus"), entry.at, running=running)
    config = config_twin(snapshot, entry)
    return (
        Detach(
            at=entry.at,
            kind=kind_of(entry),
            info=entry.info,
            is_boot=_is_boot(snapshot, entry),
            xml=edits.text_of(entry.element.element),
            config_xml=None if config is None else edits.text_of(config.element),
            frees=_frees(snapshot, entry),
        ),
    )


def config_twin(snapshot: Snapshot, entry: Entry) -> LiveDevice | None:
    """Give the same device of the definition, where that is to be changed too and has it."""
    return None if snapshot.config is None else twin(snapshot.config.live, entry.info)


def kind_of(entry: Entry) -> Any:
    """Give disk, nic or hostdev."""
    return {"disk": "disk", "interface": "nic"}.get(entry.element.tag, "hostdev")


def _frees(snapshot: Snapshot, entry: Entry) -> tuple[str, ...]:
    """Name what the device alone holds on the host."""
    if entry.element.tag == "interface":
        tap = entry.element.part("target").get("dev")
        return (tap,) if tap else ()
    path = _opened(entry.element)
    others = (each for each in snapshot.view.live.devices if each.path != entry.element.path)
    return (path,) if path and path not in map(_opened, others) else ()


def _opened(device: LiveDevice) -> str | None:
    """Give the path, or the name on the network, of what a disk or host device opens."""
    source = device.part("source")
    return (
        None if device.tag == "interface" else source.get("file") or source.get("dev") or source.get("name")
    )


def _is_boot(snapshot: Snapshot, entry: Entry) -> bool:
    """Tell whether the guest boots from it: the first in boot order, else the first disk or NIC.

    A kernel that is given directly finds its root file system on the first disk, where it is told of one.
    """
    os = snapshot.view.domain.os
    if os.kernel is not None:
        first = snapshot.disks[0].info.path if snapshot.disks and _ROOT.search(os.cmdline or "") else None
        return first == entry.info.path
    ordered = sorted(
        (int(order), each.path)
        for each in snapshot.view.live.devices
        if (order := each.part("boot").get("order")) is not None and order.isdecimal()
    )
    if ordered:
        return ordered[0][1] == entry.info.path
    boots = [boot.dev for boot in os.boots]
    wanted = {"hd": {"disk", "lun"}, "cdrom": {"cdrom"}, "fd": {"floppy"}, "network": {"nic"}}
    return _first(snapshot, wanted.get(boots[0], set()) if boots else set()) == entry.info.path


def _first(snapshot: Snapshot, kinds: set[str]) -> str | None:
    """Give the path of the first device that is one of ``kinds``."""
    return next((each.info.path for each in _all(snapshot) if each.info.kind in kinds), None)


def _all(snapshot: Snapshot) -> list[Entry]:
    """Give every device in the order of the document."""
    order = {device.path: index for index, device in enumerate(snapshot.view.live.devices)}
    entries = (*snapshot.disks, *snapshot.nics, *snapshot.others)
    return sorted(entries, key=lambda entry: order[entry.info.path])


def check_hot_pluggable(instance: Instance, dev_type: str) -> None:
    """Raise UnsupportedError when an instance's disks, or NICs, can not come and go while it runs."""
    if dev_type == "nic":
        nics_of.check_type(instance)
        return
    disks_of.check_type(instance)
    word, at = disk_type(instance), "hvparams.disk_type"
    _check_bus("scsi" if hostdevs_of.is_hostdev(instance) else carry(by_disk_type, word, at).bus, at)
