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
from virtxlate.ganeti.words import PCI_BUS, PCI_SLOTS, SCSI_DISK_TYPES
from virtxlate.placement import Numbers
from virtxlate.report import Report, Severity
from virtxlate.tables.controller import by_libvirt
from virtxlate.tables.disk import DEFAULT_CDROM_TARGET, IDE_BY_DRIVE_UNTIL
from virtxlate.tables.display import OLDER_VGA, SPICE_VGA, STD_VGA_SINCE, VGAS, VRAM_KIB
from virtxlate.tables.removable import removable_era
from virtxlate.translate import extra, peripherals, removable
from virtxlate.translate.context import Context
from virtxlate.translate.disk import ide_drives
from virtxlate.translate.machine import is_since, machine
from virtxlate.translate.placing import disk_type, scsi_controller, scsi_places
from virtxlate.translate.terms import carry

_FIRST_FREE_SLOT = 2
"""Slot 0 is the host bridge, 1 the PIIX3 with IDE, USB and ACPI."""
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
    slots = Numbers(
        PCI_BUS, first=_FIRST_FREE_SLOT, last=PCI_SLOTS - 1, used=_held(instance) | extra.held_slots(instance)
    )
    videos = (_video(instance, slots),)
    sounds = peripherals.sounds(instance, slots, report)
    controllers = (_USB, *_scsi(instance, slots))
    balloon = domain.PciAddress(slot=slots.take("memory balloon"))
    last = removable_era(instance.version).paravirtual_last
    cdrom_slots = {} if last else _cdrom_slots(instance, slots)
    serials, channels = peripherals.channels(instance, slots)
    inputs, hubs, words = peripherals.usb(instance, report)
    free = extra.to_domain(instance, slots, report)
    cdrom_slots |= _cdrom_slots(instance, slots) if last else {}
    images = removable.to_domain(instance, cdrom_slots, context, report)
    controllers = (*controllers, *_more_scsi(instance, slots, report))
    floppies = () if instance.hvparams.floppy_image_path else (_FLOPPY,)
    cdroms = (_CDROM,) if _has_default_cdrom(instance) else ()
    return FixedDevices(
        disks=(*images, *floppies, *cdroms),
        controllers=(*controllers, *serials),
        inputs=inputs,
        hubs=hubs,
        channels=channels,
        sounds=sounds,
        extra=free,
        command_line=(*words, *free.words),
        videos=videos,
        parallels=(_PARALLEL,),
        memballoon=domain.MemBalloon(model="virtio", address=balloon),
    )


def _held(instance: Instance) -> dict[int, str]:
    """Give the slots that disks and NICs hold; an IDE disk holds its slot in Ganeti's books only."""
    held = {}
    if disk_type(instance) != "ide":
        held = {d.hvinfo.slot: f"disks[{i}]" for i, d in enumerate(instance.disks) if d.hvinfo is not None}
    held |= {n.hvinfo.slot: f"nics[{i}]" for i, n in enumerate(instance.nics) if n.hvinfo is not None}
    return {slot: owner for slot, owner in held.items() if slot is not None}


def _video(instance: Instance, slots: Numbers) -> domain.Video:
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
        address=domain.PciAddress(slot=slots.take("hvparams.vga")),
    )


def _scsi(instance: Instance, slots: Numbers) -> tuple[domain.Controller, ...]:
    if not _on_scsi(instance):
        return ()
    return (_controller(instance, 0, slots),)


def _on_scsi(instance: Instance) -> bool:
    """Tell whether Ganeti gives the instance a SCSI controller."""
    return bool({disk_type(instance), instance.hvparams.cdrom_disk_type} & SCSI_DISK_TYPES)


def _more_scsi(instance: Instance, slots: Numbers, report: Report) -> tuple[domain.Controller, ...]:
    """Give the controllers for disks that the first has no place for; Ganeti's devices keep their slots."""
    if not _on_scsi(instance):
        return ()
    places = scsi_places(instance)
    for name, kind in removable.cdroms(instance):
        if kind in SCSI_DISK_TYPES:
            places.take(f"hvparams.{name}")
    more = tuple(_controller(instance, index, slots) for index in range(1, len(places)))
    if more:
        reason = "one controller has no place for all disks: the others stand on more of its kind"
        path = "hvparams.scsi_controller_type"
        report.lose(path, instance.hvparams.scsi_controller_type, reason, Severity.GUEST_VISIBLE)
    return more


def _controller(instance: Instance, index: int, slots: Numbers) -> domain.Controller:
    address = domain.PciAddress(slot=slots.take("hvparams.scsi_controller_type"))
    return domain.Controller(
        type="scsi", index=index, model=scsi_controller(instance).libvirt, address=address
    )


def _cdrom_slots(instance: Instance, slots: Numbers) -> dict[str, int]:
    """Give the PCI slots of paravirtual CD-ROMs by hvparam."""
    kinds = removable.cdroms(instance)
    return {name: slots.take(f"hvparams.{name}") for name, kind in kinds if kind == "paravirtual"}


def _has_default_cdrom(instance: Instance) -> bool:
    """Tell whether QEMU adds its empty CD-ROM drive: not beside any IDE or SCSI drive that is a -device."""
    if DEFAULT_CDROM_TARGET in ide_drives(instance):
        return False
    drives = {disk_type(instance)} if instance.disks else set()
    if instance.version <= IDE_BY_DRIVE_UNTIL:
        return not drives & {"scsi-hd", "scsi-cd"}
    if instance.hvparams.cdrom_image_path or instance.hvparams.cdrom2_image_path:
        drives.add(instance.hvparams.cdrom_disk_type or disk_type(instance))
    return not drives & {"ide", "scsi-hd", "scsi-cd"}


def is_fixed(disk: domain.Disk) -> bool:
    """Tell whether a libvirt disk is none of Ganeti's disks: an empty drive that QEMU adds, or an image's."""
    empty = disk.source is None or disk.source == domain.DiskSource()
    drive = disk.device in {"floppy", "cdrom"} and disk.bus in {"fdc", "ide"}
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
        for name in ("queues", "iothread"):
            if getattr(controller, name) is not None:
                path = f"controllers[{controller.index or 0}].{name}"
                report.lose(path, getattr(controller, name), "Ganeti has no word for it")
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
