"""The devices that Ganeti never places: controllers, video, balloon, and what QEMU adds by itself.

Ganeti never passes -nodefaults, so a guest also has a parallel port, a floppy drive and, without other CD-ROM
or disk on IDE or SCSI, an empty CD-ROM drive. PCI devices without an address take the lowest free slot in
command line order.
Source: QEMU 7.2, ``info qtree`` and query-pci of Ganeti's command lines; Ganeti hv_kvm/__init__.py:1293.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from virtxlate.domain import model as domain
from virtxlate.ganeti.model import Instance
from virtxlate.ganeti.words import SCSI_DISK_TYPES
from virtxlate.report import Report, Severity
from virtxlate.tables.controller import by_libvirt
from virtxlate.tables.disk import DEFAULT_CDROM_TARGET, IDE_BY_DRIVE_UNTIL
from virtxlate.tables.display import OLDER_VGA, SPICE_VGA, STD_VGA_SINCE, VGAS, VRAM_KIB
from virtxlate.tables.q35 import DEFAULT_CDROM_UNIT
from virtxlate.tables.removable import removable_era
from virtxlate.translate import extra, iothreads, peripherals, removable
from virtxlate.translate import usb as usb_devices
from virtxlate.translate.board import Places, is_q35, root_ports
from virtxlate.translate.context import Context
from virtxlate.translate.disk import ide_drives
from virtxlate.translate.machine import is_since, machine
from virtxlate.translate.placing import disk_type, scsi_controller, scsi_places
from virtxlate.translate.terms import carry

_USB = domain.Controller(
    type="usb", index=0, model="piix3-uhci", address=domain.PciAddress(slot=1, function=2)
)
_FLOPPY = domain.Disk(type="file", device="floppy", target="fda", bus="fdc")
_CDROM = domain.Disk(
    type="file",
    device="cdrom",
    target="hdc",
    bus="ide",
    readonly=True,
    address=domain.DriveAddress(bus=1),
)
_Q35_CDROM = domain.Disk(
    type="file",
    device="cdrom",
    target="sds",
    bus="sata",
    readonly=True,
    address=domain.DriveAddress(unit=DEFAULT_CDROM_UNIT),
)
_PARALLEL = domain.Character(type="null", target_port=0)


class FixedDevices(msgspec.Struct, frozen=True, kw_only=True):
    """What stands in a domain besides Ganeti's disks and NICs."""

    inputs: tuple[domain.Input, ...]
    hubs: tuple[domain.Hub, ...]
    channels: tuple[domain.Channel, ...]
    sounds: tuple[domain.Sound, ...]
    extra: extra.Extra
    command_line: tuple[str, ...]
    """Words for QEMU that libvirt has no element for."""

    disks: tuple[domain.Disk, ...]
    controllers: tuple[domain.Controller, ...]
    videos: tuple[domain.Video, ...]
    parallels: tuple[domain.Character, ...]
    memballoon: domain.MemBalloon


def to_domain(instance: Instance, context: Context, report: Report) -> FixedDevices:
    """Give the devices for a placed instance. Raises UnsupportedError, PlacementError."""
    held = _held(instance) | extra.held_slots(instance) | usb_devices.held_slots(instance)
    places = Places(instance, held)
    videos = (_video(instance, places),)
    sounds = peripherals.sounds(instance, places, report)
    scsi, balloon = _scsi_and_balloon(instance, places)
    controllers = (*_board(instance), *scsi)
    last = removable_era(instance.version).paravirtual_last
    cdrom_places = {} if last else _cdrom_places(instance, places)
    serials, channels = peripherals.channels(instance, places)
    usb = usb_devices.to_domain(instance, places, context, report)
    free = extra.to_domain(instance, places, context, report)
    cdrom_places |= _cdrom_places(instance, places) if last else {}
    images = removable.to_domain(instance, cdrom_places, context, report)
    controllers = (*controllers, *_more_scsi(instance, places, report))
    return FixedDevices(
        disks=(*images, *_empty_drives(instance)),
        controllers=(*controllers, *usb.controllers, *serials),
        inputs=usb.inputs,
        hubs=usb.hubs,
        channels=channels,
        sounds=sounds,
        extra=free,
        command_line=(*usb.words, *free.words),
        videos=videos,
        parallels=(_PARALLEL,),
        memballoon=domain.MemBalloon(model="virtio", address=balloon),
    )


def _scsi_and_balloon(
    instance: Instance, places: Places
) -> tuple[tuple[domain.Controller, ...], domain.PciAddress]:
    """Give the SCSI controller, if any, and the address of the balloon, in the order of the command line."""
    if instance.balloon_first:
        balloon = places.place(_BALLOON)
        return _scsi(instance, places), balloon
    return _scsi(instance, places), places.place(_BALLOON)


_BALLOON = "memory balloon"


def _board(instance: Instance) -> tuple[domain.Controller, ...]:
    """Give the controllers that stand for the board and its ports."""
    return root_ports() if is_q35(instance) else (_USB,)


def _empty_drives(instance: Instance) -> tuple[domain.Disk, ...]:
    """Give the empty drives that QEMU adds: a q35 has no floppy controller."""
    if is_q35(instance):
        return (_Q35_CDROM,) if _has_default_cdrom(instance) else ()
    floppies = () if instance.hvparams.floppy_image_path else (_FLOPPY,)
    cdroms = (_CDROM,) if _has_default_cdrom(instance) else ()
    return (*floppies, *cdroms)


def _held(instance: Instance) -> dict[int, str]:
    """Give the slots that disks and NICs hold; an IDE disk holds its slot in Ganeti's books only."""
    held = {}
    if disk_type(instance) != "ide":
        held = {d.hvinfo.slot: f"disks[{i}]" for i, d in enumerate(instance.disks) if d.hvinfo is not None}
    held |= {n.hvinfo.slot: f"nics[{i}]" for i, n in enumerate(instance.nics) if n.hvinfo is not None}
    return {slot: owner for slot, owner in held.items() if slot is not None}


def _video(instance: Instance, places: Places) -> domain.Video:
    hvparams = instance.hvparams
    default = "" if is_since(machine(instance), STD_VGA_SINCE) else OLDER_VGA
    word = hvparams.vga or (SPICE_VGA if hvparams.spice_bind else default)
    model = carry(VGAS.right, word, "hvparams.vga")
    if model == "none":
        return domain.Video(type=model)
    return domain.Video(
        type=model,
        vram_kib=VRAM_KIB[model],
        heads=1,
        address=places.place("hvparams.vga"),
    )


def _scsi(instance: Instance, places: Places) -> tuple[domain.Controller, ...]:
    if not _on_scsi(instance):
        return ()
    return (_controller(instance, 0, places),)


def _on_scsi(instance: Instance) -> bool:
    """Tell whether Ganeti gives the instance a SCSI controller."""
    return bool({disk_type(instance), instance.hvparams.cdrom_disk_type} & SCSI_DISK_TYPES)


def _more_scsi(instance: Instance, places: Places, report: Report) -> tuple[domain.Controller, ...]:
    """Give the controllers for disks that the first has no place for; Ganeti's devices keep their slots."""
    if not _on_scsi(instance):
        return ()
    taken = scsi_places(instance)
    for name, kind in removable.cdroms(instance):
        if kind in SCSI_DISK_TYPES:
            taken.take(f"hvparams.{name}")
    more = tuple(_controller(instance, index, places) for index in range(1, len(taken)))
    if more:
        reason = "one controller has no place for all disks: the others stand on more of its kind"
        path = "hvparams.scsi_controller_type"
        report.lose(path, instance.hvparams.scsi_controller_type, reason, Severity.GUEST_VISIBLE)
    return more


def _controller(instance: Instance, index: int, places: Places) -> domain.Controller:
    address = places.place("hvparams.scsi_controller_type")
    model, iothread = scsi_controller(instance).libvirt, iothreads.of_controller(instance)
    return domain.Controller(type="scsi", index=index, model=model, iothread=iothread, address=address)


def _cdrom_places(instance: Instance, places: Places) -> dict[str, domain.PciAddress]:
    """Give the PCI addresses of paravirtual CD-ROMs by hvparam."""
    kinds = removable.cdroms(instance)
    return {name: places.place(f"hvparams.{name}") for name, kind in kinds if kind == "paravirtual"}


def _has_default_cdrom(instance: Instance) -> bool:
    """Tell whether QEMU adds its empty CD-ROM drive: not beside any IDE or SCSI drive that is a -device."""
    if DEFAULT_CDROM_TARGET in ide_drives(instance):
        return False
    drives = {disk_type(instance)} if instance.disks else set()
    if instance.version <= IDE_BY_DRIVE_UNTIL:
        return not drives & {"scsi-hd", "scsi-cd"}
    if instance.hvparams.cdrom_image_path or instance.hvparams.cdrom2_image_path:
        drives |= {kind for _name, kind in removable.cdroms(instance)}
    return not drives & {"ide", "scsi-hd", "scsi-cd"}


def is_fixed(disk: domain.Disk) -> bool:
    """Tell whether a libvirt disk is none of Ganeti's disks: an empty drive that QEMU adds, or an image's."""
    empty = disk.source is None or disk.source == domain.DiskSource()
    drive = disk.device in {"floppy", "cdrom"} and disk.bus in {"fdc", "ide", "sata"}
    return removable.role(disk) is not None or (empty and drive)


def hvparams_to_ganeti(found: domain.Domain, report: Report) -> dict[str, str]:
    """Give the hvparams that controllers and video tell."""
    devices, values = found.devices, {}
    scsi = [c for c in devices.controllers if c.type == "scsi"]
    if scsi:
        path = "hvparams.scsi_controller_type"
        values["scsi_controller_type"] = carry(by_libvirt, scsi[0].model, path).ganeti
    else:
        report.lose("hvparams.scsi_controller_type", None, "there is no SCSI controller to tell it by")
    _report_more("controllers", [str(c.model) for c in scsi[1:]], report)
    for controller in scsi:
        if controller.queues is not None:
            path = f"controllers[{controller.index or 0}].queues"
            report.lose(path, controller.queues, "Ganeti has no word for it")
    if devices.videos:
        values["vga"] = _vga(devices.videos[0], found.os.machine or "", report)
    else:
        values["vga"] = VGAS.left("none")
    _report_more("videos", [video.type for video in devices.videos[1:]], report)
    return values


def _vga(video: domain.Video, word: str, report: Report) -> str:
    vga = carry(VGAS.left, video.type, "hvparams.vga")
    is_older = bool(word) and not is_since(word, STD_VGA_SINCE)
    if not vga and is_older:
        return "std"
    if not vga:
        report.lose("hvparams.vga", "vga", "'' and 'std' mean the same to libvirt")
    elif vga == SPICE_VGA:
        report.lose("hvparams.vga", SPICE_VGA, "with SPICE, '' and 'qxl' mean the same")
    elif vga == OLDER_VGA and is_older:
        report.lose("hvparams.vga", OLDER_VGA, "'' and 'cirrus' mean the same to so old a machine")
    return vga


def _report_more(path: str, words: Iterable[str], report: Report) -> None:
    for word in words:
        report.lose(path, word, "Ganeti gives an instance one of these", Severity.GUEST_VISIBLE)


def scsi_models(devices: domain.Devices) -> dict[int, str | None]:
    """Give the model of each SCSI controller by its index."""
    return {c.index or 0: c.model for c in devices.controllers if c.type == "scsi"}
