"""One Ganeti disk as one libvirt disk, and back.

Source: Ganeti 3.2 alpha (c35736d8a), lib/hypervisor/hv_kvm/__init__.py:1034-1130, kvm_utils.py:130-151.
"""

from __future__ import annotations

from typing import Any

from virtxlate.domain import model as domain
from virtxlate.domain.words import USER_ALIAS_PREFIX
from virtxlate.errors import GanetiDataError, PlacementError, UnsupportedError
from virtxlate.ganeti.hvinfo import HvInfo
from virtxlate.ganeti.model import Disk, Instance
from virtxlate.ganeti.words import (
    DISK_DRIVERS,
    NO_SCSI_TEMPLATES,
    PASSTHROUGH_DISK_TYPES,
    UNCACHED_TEMPLATES,
)
from virtxlate.report import Report, Severity
from virtxlate.scsi import may_be_scsi
from virtxlate.tables.controller import ScsiController, by_libvirt
from virtxlate.tables.disk import (
    DISK_AIOS,
    DISK_CACHES,
    DISK_DISCARDS,
    DISK_TYPE_ALIASES,
    HOSTDEV_DISK_TYPES,
    IDE_BY_DRIVE_UNTIL,
    IO_URING,
    IO_URING_SINCE,
    NATIVE_AIO,
    NATIVE_AIO_CACHES,
    NEAREST_CACHES,
    UNSUPPORTED_DISK_TYPES,
    DiskType,
    by_bus,
    by_disk_type,
    ide_targets,
)
from virtxlate.translate import iothreads
from virtxlate.translate import source as sources
from virtxlate.translate.board import pci_address, pci_place
from virtxlate.translate.boot import boot_orders
from virtxlate.translate.context import Context
from virtxlate.translate.placing import scsi_bus, scsi_controller, scsi_index
from virtxlate.translate.terms import carry, refuse

_LETTERS = 26


def target_name(prefix: str, index: int) -> str:
    """Give the target name of the index-th disk: vda ... vdz, vdaa ..."""
    letters = ""
    number = index + 1
    while number:
        number, rest = divmod(number - 1, _LETTERS)
        letters = chr(ord("a") + rest) + letters
    return prefix + letters


def check_type(instance: Instance) -> None:
    """Raise UnsupportedError when no domain can have disks of the instance's disk_type."""
    if HOSTDEV_DISK_TYPES.knows_left(instance.hvparams.disk_type):
        return
    refuse(UNSUPPORTED_DISK_TYPES, instance.hvparams.disk_type, "hvparams.disk_type")
    carry(by_disk_type, instance.hvparams.disk_type, "hvparams.disk_type")


def user_alias(uuid: str, hvinfo: HvInfo | None) -> str | None:
    """Give the alias under which libvirt keeps Ganeti's device id; None for a device without uuid."""
    return f"{USER_ALIAS_PREFIX}{hvinfo.id}" if uuid and hvinfo is not None else None


def to_domain(instance: Instance, index: int, context: Context, report: Report) -> domain.Disk:
    """Give the libvirt disk for a placed instance's disk of that index.

    Raises GanetiDataError, UnsupportedError, PlacementError.
    """
    disk, hvparams = instance.disks[index], instance.hvparams
    at = f"disks[{index}]"
    row = carry(by_disk_type, hvparams.disk_type, "hvparams.disk_type")
    if row.ganeti in PASSTHROUGH_DISK_TYPES:
        check_passthrough(disk, context, at)
    kind, source = sources.to_domain(disk, instance, index, context, report)
    if row.ganeti in PASSTHROUGH_DISK_TYPES:
        check_scsi(source, context, at)
    check_mode(disk, at)
    if disk.mode == "ro" and row.bus == "ide":
        raise UnsupportedError("an IDE disk cannot be read-only", at=f"{at}.mode")
    target, address = _place(row, instance, index, at)
    cache = cache_of(disk, instance, report)
    io = None if kind == "network" else _io(instance, cache, context)
    return domain.Disk(
        type=kind,
        device=row.device,
        driver_name="qemu",
        driver_type="raw",
        cache=cache,
        io=io,
        discard=carry(DISK_DISCARDS.right, hvparams.disk_discard, "hvparams.disk_discard"),
        iothread=iothreads.of_disk(instance, index),
        source=source,
        target=target,
        bus=row.bus,
        readonly=disk.mode == "ro" or row.device == "cdrom",
        boot_order=boot_orders(instance).get(at),
        alias=user_alias(disk.uuid, disk.hvinfo),
        address=address,
    )


def check_mode(disk: Disk, at: str) -> None:
    """Raise GanetiDataError for a mode that Ganeti does not have."""
    if disk.mode not in {"rw", "ro"}:
        raise GanetiDataError(f"expected 'rw' or 'ro', found {disk.mode!r}", at=f"{at}.mode")


def check_passthrough(disk: Disk, context: Context, at: str) -> None:
    """Raise UnsupportedError for a template whose device the kernel makes: it takes no SCSI commands.

    A device that the map names in its place may be one.
    """
    if disk.template in NO_SCSI_TEMPLATES and context.renames.find("disks", disk.uuid) is None:
        raise UnsupportedError(
            f"a {disk.template} disk is no SCSI device: use disk_type scsi-hd, or name the device in the "
            'map, [disks] "UUID" = "/dev/disk/by-id/..."',
            at=f"{at}.template",
        )


def check_scsi(source: domain.DiskSource | None, context: Context, at: str) -> None:
    """Raise UnsupportedError for a device of which its host tells a name that no SCSI device has."""
    path = None if source is None else source.dev
    device = context.scsi.device(path) if context.scsi is not None and path is not None else None
    wrong = [name for name in device.paths if not may_be_scsi(name)] if device is not None else []
    if wrong:
        raise UnsupportedError(
            f"{path} is {wrong[0]}, which is no whole SCSI device: use disk_type scsi-hd, or name another "
            'in the map, [disks] "UUID" = "/dev/disk/by-id/..."',
            at=at,
        )


def _io(instance: Instance, cache: str, context: Context) -> str:
    """Give libvirt's io word. Raises UnsupportedError for one that libvirt or its QEMU would refuse."""
    at = "hvparams.disk_aio"
    io = carry(DISK_AIOS.right, instance.hvparams.disk_aio, at)
    if io == NATIVE_AIO and cache not in NATIVE_AIO_CACHES:
        raise UnsupportedError(
            f"native needs disk_cache none, found {cache}: libvirt and Ganeti refuse it", at=at
        )
    if io == IO_URING and context.qemu_version is not None and context.qemu_version < IO_URING_SINCE:
        raise UnsupportedError("io_uring needs QEMU 5.0 or newer on the host", at=at)
    return io


def cache_of(disk: Disk, instance: Instance, report: Report) -> str:
    """Give libvirt's cache word: shared storage and passthrough are never cached. Raises UnsupportedError."""
    if disk.template in UNCACHED_TEMPLATES:
        return DISK_CACHES.right("none")
    if instance.hvparams.disk_type in PASSTHROUGH_DISK_TYPES:
        if instance.hvparams.disk_cache != "none":
            reason = "SCSI commands that are passed through go past the host's cache"
            report.lose("hvparams.disk_cache", instance.hvparams.disk_cache, reason)
        return DISK_CACHES.right("none")
    return carry(DISK_CACHES.right, instance.hvparams.disk_cache, "hvparams.disk_cache")


def _place(row: DiskType, instance: Instance, index: int, at: str) -> tuple[str, domain.Address]:
    """Give target name and address of a placed disk."""
    hvinfo = instance.disks[index].hvinfo
    if hvinfo is None:
        raise GanetiDataError("expected a placed disk", at=f"{at}.hvinfo")
    if row.bus == "ide":
        free = ide_targets(instance.version)[_ide_cdroms(instance) :]
        if index >= len(free):
            raise PlacementError(f"IDE under Ganeti has room for {len(free)} disks here", bus="ide.1", at=at)
        return free[index].target, domain.DriveAddress(bus=free[index].bus, unit=free[index].unit)
    target = target_name(row.prefix, index)
    if hvinfo.slot is not None:
        return target, pci_address(hvinfo)
    return target, scsi_address(instance, index)


def _ide_cdroms(instance: Instance) -> int:
    """Count the CD-ROMs that QEMU finds on the command line before the disks, on the same channels."""
    hvparams = instance.hvparams
    word = hvparams.cdrom_disk_type or hvparams.disk_type
    boots = hvparams.boot_order == "cdrom" and not hvparams.kernel_path
    first = "ide" if boots and instance.version <= IDE_BY_DRIVE_UNTIL else word
    images = ((first, hvparams.cdrom_image_path), (word, hvparams.cdrom2_image_path))
    return sum(1 for kind, path in images if path and kind == "ide")


def ide_drives(instance: Instance) -> tuple[str, ...]:
    """Give the targets that the instance's own IDE drives take, CD-ROMs first."""
    disks = len(instance.disks) if instance.hvparams.disk_type == "ide" else 0
    count = _ide_cdroms(instance) + disks
    return tuple(row.target for row in ide_targets(instance.version)[:count])


def scsi_address(instance: Instance, index: int) -> domain.DriveAddress:
    """Give the drive address of a placed disk of that index. Raises GanetiDataError, UnsupportedError."""
    hvinfo, at = instance.disks[index].hvinfo, f"disks[{index}]"
    if hvinfo is None:
        raise GanetiDataError("expected a placed disk", at=f"{at}.hvinfo")
    return drive_address(scsi_controller(instance), hvinfo, at)


def drive_address(controller: ScsiController, hvinfo: HvInfo, at: str) -> domain.DriveAddress:
    """Give libvirt's drive address for channel, scsi-id and lun on this controller model.

    Raises UnsupportedError for a channel or lun that the model does not have.
    """
    index = scsi_index(hvinfo.bus)
    channel, scsi_id, lun = hvinfo.channel or 0, hvinfo.scsi_id or 0, hvinfo.lun or 0
    if controller.scsi_id_in == "target":
        return domain.DriveAddress(controller=index, bus=channel, target=scsi_id, unit=lun)
    if channel or lun:
        raise UnsupportedError(f"{controller.ganeti} has only channel 0 and lun 0", at=f"{at}.hvinfo")
    return domain.DriveAddress(controller=index, unit=scsi_id)


def drive_hvinfo(controller: ScsiController, address: domain.DriveAddress) -> dict[str, Any]:
    """Give channel, scsi_id and lun for libvirt's drive address on this controller model."""
    if controller.scsi_id_in == "target":
        return {"channel": address.bus, "scsi_id": address.target, "lun": address.unit}
    return {"channel": 0, "scsi_id": address.unit, "lun": 0}


def to_ganeti(
    disk: domain.Disk, at: str, models: dict[int, str | None], context: Context, report: Report
) -> Disk:
    """Give the Ganeti disk for a libvirt disk; ``models`` are the SCSI controller models by index.

    What a libvirt disk does not tell is reported. Raises UnsupportedError.
    """
    if disk.driver_type not in {None, "raw"}:
        raise UnsupportedError(f"Ganeti's disks are raw, found {disk.driver_type!r}", at=f"{at}.template")
    if disk.detect_zeroes not in {None, "off"}:
        report.lose(f"{at}.detect_zeroes", disk.detect_zeroes, "Ganeti does not look for zeroes")
    storage = sources.to_ganeti(disk.type, disk.source, at, context, report)
    row = carry(lambda bus: by_bus(bus, disk.device), disk.bus, f"{at}.bus")
    report_untold(at, report)
    _report_unsaid(disk, at, report)
    fields: dict[str, Any] = {name: getattr(storage, name) for name in storage.__struct_fields__}
    mode = "ro" if disk.readonly and disk.device != "cdrom" else "rw"
    if disk.device == "cdrom":
        report.lose(f"{at}.mode", None, "a CD-ROM is always read-only")
    return Disk(mode=mode, hvinfo=_hvinfo(disk, row, at, models, report), **fields)


_UNTOLD = ("uuid", "name", "size_mib", "children", "nodes", "iv_name", "spindles", "device", "link", "uri")


def report_untold(at: str, report: Report) -> None:
    """Report what of a Ganeti disk no device of libvirt tells."""
    for name in _UNTOLD:
        report.lose(f"{at}.{name}", None, "a libvirt disk does not tell it")


def _report_unsaid(disk: domain.Disk, at: str, report: Report) -> None:
    """Report what no parameter of Ganeti says."""
    source = disk.source or domain.DiskSource()
    for name, value, default in (
        ("rawio", disk.rawio, None),
        ("sgio", disk.sgio, None),
        ("shareable", disk.shareable, False),
        ("initiator", source.initiator, None),
        ("reservations", source.reservations and source.reservations.managed, None),
    ):
        if value != default:
            report.lose(f"{at}.{name}", value, "Ganeti has no word for it")


def _hvinfo(
    disk: domain.Disk, row: DiskType, at: str, models: dict[int, str | None], report: Report
) -> HvInfo | None:
    """Give where Ganeti's runtime file would say that the disk is."""
    device_id = ganeti_id(disk.alias)
    if device_id is None:
        report.lose(f"{at}.hvinfo", disk.alias, "an alias that is not Ganeti's gives no device id")
        return None
    driver = DISK_DRIVERS[row.ganeti]
    place = pci_place(disk.address) if isinstance(disk.address, domain.PciAddress) else None
    if place is not None:
        return HvInfo(driver=driver, id=device_id, **place)
    if row.bus == "scsi" and isinstance(disk.address, domain.DriveAddress):
        return scsi_hvinfo(driver, device_id, disk.address, models, f"{at}.hvinfo")
    report.lose(f"{at}.hvinfo", None, "the slot that Ganeti keeps for it is not on the guest's bus")
    return None


def scsi_hvinfo(
    driver: str, device_id: str, address: domain.DriveAddress, models: dict[int, str | None], at: str
) -> HvInfo:
    """Give what Ganeti's runtime file would say of a drive address. Raises UnsupportedError."""
    controller = carry(by_libvirt, models.get(address.controller), at)
    bus = scsi_bus(address.controller)
    return HvInfo(driver=driver, id=device_id, bus=bus, **drive_hvinfo(controller, address))


def ganeti_id(alias: str | None) -> str | None:
    """Give Ganeti's device id in a user alias, or None."""
    if alias is None or not alias.startswith(USER_ALIAS_PREFIX):
        return None
    return alias.removeprefix(USER_ALIAS_PREFIX)


def hvparams_to_ganeti(
    disks: tuple[domain.Disk, ...],
    found: tuple[Disk, ...],
    hostdevs: tuple[domain.Hostdev, ...],
    report: Report,
) -> dict[str, Any]:
    """Give the hvparams that the disks, which became ``found``, and host devices of a domain tell."""
    values: dict[str, Any] = {}
    types = [by_bus(d.bus, d.device).ganeti for d in disks]
    types += [HOSTDEV_DISK_TYPES.left(each.type) for each in hostdevs]
    if types:
        values["disk_type"] = _agree(types, "disk_type", report)
    if not disks:
        for name in ("disk_cache", "disk_aio", "disk_discard", *(() if types else ("disk_type",))):
            report.lose(f"hvparams.{name}", None, "there is no disk to tell it by")
        return values
    if values["disk_type"] in DISK_TYPE_ALIASES.values():
        report.lose(
            "hvparams.disk_type", values["disk_type"], "an older Ganeti word means the same to libvirt"
        )
    return values | _backend(disks, found, report)


def _backend(disks: tuple[domain.Disk, ...], found: tuple[Disk, ...], report: Report) -> dict[str, Any]:
    """Give the hvparams of how QEMU opens the disks."""
    values: dict[str, Any] = {}
    pairs = zip(disks, found, strict=True)
    cached = [
        _nearest(d.cache, report)
        for d, g in pairs
        if g.template not in UNCACHED_TEMPLATES or d.cache != "none"
    ]
    by_kernel = [d.io for d in disks if d.type != "network"]
    for name, table, words in (
        ("disk_cache", DISK_CACHES, cached),
        ("disk_aio", DISK_AIOS, by_kernel),
        ("disk_discard", DISK_DISCARDS, [d.discard for d in disks]),
    ):
        told = [carry(table.left, word, f"hvparams.{name}") for word in words if word is not None]
        if told:
            values[name] = _agree(told, name, report)
        if not told or told[0] in {"default", "ignore"}:
            report.lose(f"hvparams.{name}", None, "more than one Ganeti word means the same to libvirt")
    if values.get("disk_cache") == "none":
        report.lose(
            "hvparams.disk_cache", "none", "shared storage is never cached, whatever the parameter says"
        )
    return values


def _nearest(cache: str | None, report: Report) -> str | None:
    """Give a cache word that Ganeti has."""
    if cache not in NEAREST_CACHES:
        return cache
    report.lose("hvparams.disk_cache", cache, "Ganeti has no such mode: the nearest one that keeps data safe")
    return NEAREST_CACHES[cache]


def _agree(words: list[str], name: str, report: Report) -> str:
    if len(set(words)) > 1:
        report.lose(
            f"hvparams.{name}", ", ".join(words), "Ganeti has one word for all disks", Severity.GUEST_VISIBLE
        )
    return words[0]
