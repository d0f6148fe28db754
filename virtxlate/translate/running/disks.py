"""The drives of a running QEMU as libvirt's disks: place, medium and cache are those that QEMU has now.

Source: QEMU 7.2, ``info qtree``, query-block; which I/O and discard it was told QMP does not say.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import msgspec

from virtxlate.domain import model as domain
from virtxlate.domain.words import USER_ALIAS_PREFIX
from virtxlate.errors import UnsupportedError
from virtxlate.ganeti.words import LINK_DIRECTORY
from virtxlate.hardware.facts import Medium
from virtxlate.hardware.model import Device
from virtxlate.report import Report
from virtxlate.tables.controller import by_libvirt
from virtxlate.tables.running import BLOCK_DRIVERS, BY_DRIVER, FILE_DRIVERS, RunningDevice, cache_mode
from virtxlate.translate import removable, source
from virtxlate.translate.context import Context
from virtxlate.translate.disk import target_name
from virtxlate.translate.running.facts import Running, of_kind, owner, part, pci_address
from virtxlate.translate.running.words import io_and_discard

_OF_GANETI = re.compile(r"(?:hot)?disk-[A-Za-z0-9_-]+|cdrom[12]|floppy1", re.ASCII)
_ID = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_IDE = re.compile(r".*/IDE ([01])/unit ([01])", re.ASCII)
_UNIT = re.compile(r".*/floppy-bus unit ([01])", re.ASCII)
_FIRST_DRIVE = domain.DriveAddress()
"""Where a floppy drive is that has no address."""
_PREFIXES = {"virtio": "vd", "scsi": "sd"}
_IDE_UNITS = 2


def to_domain(
    running: Running, base: tuple[domain.Disk, ...], context: Context, report: Report
) -> tuple[domain.Disk, ...]:
    """Give the disks, those of ``base`` in its order, then the rest by place.

    ``base`` is what Ganeti's data makes of the instance. Raises UnsupportedError for a medium that no disk
    of libvirt opens.
    """
    found: list[tuple[int, domain.Disk]] = []
    names, left = _Names(base), list(base)
    for at, (device, row) in enumerate(of_kind(running.facts, "disk")):
        address = _address(running, device, row)
        found_drive = _Drive(
            device=device,
            row=row,
            name=_name(running, device),
            medium=_medium(running, device),
            began_writing_ahead=_began_writing_ahead(running, device),
        )
        known = _known(left, found_drive, address)
        if known is not None:
            left.remove(known)
        disk = _disk(running.command, found_drive, known, context, report)
        target = names.target(known, disk, address)
        order = len(base) + at if known is None else base.index(known)
        found.append((order, msgspec.structs.replace(disk, target=target, address=address)))
    report_absent("disks", (each.alias for each in left), report)
    return tuple(disk for _order, disk in sorted(found, key=lambda pair: pair[0]))


def report_absent(kind: str, aliases: Iterable[str | None], report: Report) -> None:
    """Report each device of Ganeti's data that the running QEMU does not have."""
    for alias in aliases:
        if alias is not None:
            reason = "Ganeti's data has it, but the running QEMU does not: neither has the domain"
            report.lose(kind, alias.removeprefix(USER_ALIAS_PREFIX), reason)


class _Drive(msgspec.Struct, frozen=True, kw_only=True):
    """A drive of the running QEMU."""

    device: Device
    row: RunningDevice
    name: str
    """By which QEMU knows what is behind it."""
    medium: Medium | None
    began_writing_ahead: bool = False
    """Whether the device was told so: a guest's driver may have ended it since."""

    @property
    def at(self) -> str:
        """Where it is."""
        return f"devices[{self.device.path}]"

    @property
    def alias(self) -> str | None:
        """The alias that keeps Ganeti's id of it: a device on IDE has none, but its backend has."""
        if _ID.fullmatch(self.device.id):
            return f"{USER_ALIAS_PREFIX}{self.device.id}"
        return f"{USER_ALIAS_PREFIX}{self.name}" if _OF_GANETI.fullmatch(self.name) else None


def _name(running: Running, device: Device) -> str:
    return part(running.facts, device, "virtio-blk-device").properties.get("drive", "")


def _began_writing_ahead(running: Running, device: Device) -> bool:
    return part(running.facts, device, "virtio-blk-device").properties.get("write-cache") == "on"


def _medium(running: Running, device: Device) -> Medium | None:
    return running.facts.drives.get(_name(running, device))


def _address(running: Running, device: Device, row: RunningDevice) -> domain.Address | None:
    """Give where the drive stands. Raises UnsupportedError for a place that libvirt has no word for."""
    at = f"devices[{device.path}]"
    if row.bus == "virtio":
        found = pci_address(device)
        if found is not None:
            return found
    elif row.bus == "ide" and (match := _IDE.fullmatch(device.path)):
        return domain.DriveAddress(bus=int(match[1]), unit=int(match[2]))
    elif row.bus == "fdc" and (drive := floppy_address(device)) is not None:
        return drive
    elif row.bus == "scsi":
        return scsi_address(running, device)
    raise UnsupportedError(f"a {device.driver} in a place that libvirt has no word for", at=at)


def floppy_address(device: Device) -> domain.DriveAddress | None:
    """Give where a floppy drive stands."""
    match = _UNIT.fullmatch(device.path)
    return domain.DriveAddress(unit=int(match[1])) if match else None


def scsi_controllers(running: Running) -> tuple[Device, ...]:
    """Give the SCSI controllers in the order of their index."""
    return tuple(device for device, _row in of_kind(running.facts, "scsi"))


def scsi_address(running: Running, device: Device) -> domain.DriveAddress:
    """Give where a SCSI drive stands. Raises UnsupportedError."""
    at = f"devices[{device.path}]"
    controllers = [each.path for each in scsi_controllers(running)]
    above = owner(running.facts, device)
    while above is not None and above.path not in controllers:
        above = owner(running.facts, above)
    if above is None:
        raise UnsupportedError("a SCSI drive on no controller that libvirt has a word for", at=at)
    index = controllers.index(above.path)
    channel, scsi_id, lun = (int(device.properties.get(name, "0")) for name in ("channel", "scsi-id", "lun"))
    if by_libvirt(BY_DRIVER[above.driver].model).scsi_id_in == "target":
        return domain.DriveAddress(controller=index, bus=channel, target=scsi_id, unit=lun)
    return domain.DriveAddress(controller=index, unit=scsi_id)


def _known(base: list[domain.Disk], drive: _Drive, address: domain.Address | None) -> domain.Disk | None:
    """Give the disk of Ganeti's data that this is: by its id, its place, or its image."""
    same = [each for each in base if each.alias is not None and each.alias == drive.alias]
    kin = [each for each in base if each.bus == drive.row.bus and not (drive.device.id and each.alias)]
    same += [each for each in kin if address in {each.address, each.address or _FIRST_DRIVE}]
    if drive.medium is not None:
        same += [each for each in kin if _path_of(each) == drive.medium.filename]
    return same[0] if same else None


def _path_of(disk: domain.Disk) -> str | None:
    return None if disk.source is None else disk.source.file or disk.source.dev


def _disk(
    command: tuple[str, ...],
    drive: _Drive,
    known: domain.Disk | None,
    context: Context,
    report: Report,
) -> domain.Disk:
    made = domain.Disk(
        type="file",
        device=drive.row.model,
        target="",
        bus=drive.row.bus,
        readonly=drive.row.model == "cdrom",
        boot_order=_boot_order(drive.device, known),
        alias=drive.alias or (None if known is None else known.alias),
    )
    medium, at = drive.medium, drive.at
    if medium is None:
        return made
    if medium.format != "raw":
        raise UnsupportedError(f"Ganeti's disks are raw, found {medium.format!r}", at=at)
    if medium.limits:
        reason = "limits of I/O that the running QEMU was given later are not written: they end"
        report.lose(f"{at}.limits", medium.limits, reason)
    kind, opened = _source(medium, known, at, context, report)
    io, discard = _told(command, drive, known, report)
    whole: domain.Disk = msgspec.structs.replace(
        made,
        type=kind,
        source=opened,
        driver_name="qemu",
        driver_type="raw",
        cache=_cache(drive, medium, report),
        io=io,
        discard=discard,
        detect_zeroes=None if medium.detect_zeroes == "off" else medium.detect_zeroes,
        readonly=made.readonly or medium.read_only,
    )
    return whole


def _told(
    command: tuple[str, ...], drive: _Drive, known: domain.Disk | None, report: Report
) -> tuple[str | None, str | None]:
    """Give libvirt's words for I/O and discard, which QMP does not tell."""
    if known is not None:
        return known.io, known.discard
    words = io_and_discard(command, drive.name)
    if words is None and drive.row.model not in {"cdrom", "floppy"}:
        reason = "QMP does not tell which I/O and discard a drive was given"
        report.lose(f"{drive.at}.discard", None, reason)
    return words or (None, None)


def _boot_order(device: Device, known: domain.Disk | None) -> int | None:
    index = device.properties.get("bootindex", "")
    if index.isdecimal() and int(index):
        return int(index)
    return None if known is None else known.boot_order


def _cache(drive: _Drive, medium: Medium, report: Report) -> str | None:
    """Give libvirt's word for the cache that the drive began with."""
    writeback = medium.writeback or drive.began_writing_ahead
    word = cache_mode(direct=medium.direct, no_flush=medium.no_flush, writeback=writeback)
    if word is None:
        report.lose(f"{drive.at}.cache", None, "libvirt has no word for these three switches of a cache")
    return word


def _source(
    medium: Medium, known: domain.Disk | None, at: str, context: Context, report: Report
) -> tuple[str, domain.DiskSource]:
    """Give libvirt's disk type and source of what QEMU has open. Raises UnsupportedError."""
    path = medium.filename
    if medium.driver in FILE_DRIVERS | BLOCK_DRIVERS and path.startswith("/"):
        if path.startswith(f"{LINK_DIRECTORY}/"):
            if known is not None and known.source is not None:
                return known.type, known.source
            reason = "Ganeti takes its own link away when it lets go of the disk: give the runtime file too"
            report.lose(f"{at}.source", path, reason)
        path = context.renames.path(path)
        if medium.driver in FILE_DRIVERS:
            return "file", domain.DiskSource(file=path)
        return "block", domain.DiskSource(dev=path)
    if known is not None and known.source is not None and known.type == "network":
        return known.type, known.source
    url = removable.url_source(path, at)
    return "network", source.of_uri(path, at, context) if url is None else url


class _Names:
    """Target names: those of the base, and after them the next free one."""

    def __init__(self, base: tuple[domain.Disk, ...]) -> None:
        self._taken = {each.target for each in base}

    def target(self, known: domain.Disk | None, disk: domain.Disk, address: domain.Address | None) -> str:
        """Give the name of a disk in its place."""
        if isinstance(address, domain.DriveAddress) and disk.bus == "ide":
            return target_name("hd", address.bus * _IDE_UNITS + address.unit)
        if isinstance(address, domain.DriveAddress) and disk.bus == "fdc":
            return target_name("fd", address.unit)
        if known is not None:
            return known.target
        name = next(self._free(_PREFIXES[disk.bus or ""]))
        self._taken.add(name)
        return name

    def _free(self, prefix: str) -> Iterator[str]:
        number = 0
        while True:
            name = target_name(prefix, number)
            if name not in self._taken:
                yield name
            number += 1


def media(running: Running) -> dict[tuple[str, domain.Address | None], Medium | None]:
    """Give what each drive holds, by libvirt's bus and address. Raises UnsupportedError."""
    return {
        (row.bus, _address(running, device, row)): _medium(running, device)
        for device, row in of_kind(running.facts, "disk")
    }
