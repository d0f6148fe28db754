"""Disks: Ganeti's disk types and cache words beside libvirt's."""

from __future__ import annotations

import msgspec

from virtxlate.bijection import Bijection
from virtxlate.errors import TableError, UnknownTermError

ANY_GANETI = 99_999_999
"""Newer than every version: 3010000 is 3.1."""


class DiskType(msgspec.Struct, frozen=True, kw_only=True):
    """One disk_type: libvirt's bus and device, and the prefix of the target name that goes with the bus."""

    ganeti: str
    bus: str
    device: str
    prefix: str


DISK_TYPES = (
    DiskType(ganeti="paravirtual", bus="virtio", device="disk", prefix="vd"),
    DiskType(ganeti="ide", bus="ide", device="disk", prefix="hd"),
    DiskType(ganeti="scsi-hd", bus="scsi", device="disk", prefix="sd"),
    DiskType(ganeti="scsi-cd", bus="scsi", device="cdrom", prefix="sd"),
    DiskType(ganeti="scsi-block", bus="scsi", device="lun", prefix="sd"),
)
"""Source: Ganeti lib/hypervisor/hv_kvm/__init__.py:519; libvirt 9.0.0 qemu_command.c:1744."""

HOSTDEV_DISK_TYPES = Bijection("disk_type", [("scsi-generic", "scsi")])
"""disk_type to the type of the host device that libvirt has instead of a disk."""

DISK_TYPE_ALIASES = {"scsi": "scsi-hd"}
"""Read from Ganeti only: no device of this name has started since 3.1."""

UNSUPPORTED_DISK_TYPES = {
    "sd": "QEMU has no disk device of this name since Ganeti 3.1, and a PC has no SD card reader",
    "mtd": "QEMU has no disk device of this name since Ganeti 3.1",
    "pflash": "QEMU has no disk device of this name since Ganeti 3.1",
}
"""disk_type to the reason why no domain can have it."""

DISK_CACHES = Bijection(
    "disk_cache",
    [("default", "writeback"), ("none", "none"), ("writethrough", "writethrough")],
    aliases=[("writeback", "writeback")],
    back=[("default", "default")],
)
"""Ganeti's default is QEMU's writeback. Source: Ganeti kvm_utils.py:130-151; libvirt formatdomain.rst."""

DISK_AIOS = Bijection("disk_aio", [("threads", "threads"), ("native", "native"), ("io_uring", "io_uring")])

NEAREST_CACHES = {"directsync": "writethrough", "unsafe": "default"}
"""libvirt's cache words that Ganeti has none for, and the safe one that is nearest."""

NATIVE_AIO = "native"
NATIVE_AIO_CACHES = ("none", "directsync")
"""libvirt's cache words with which native I/O works: libvirt refuses others, and Ganeti all but none.

Source: libvirt 9.0.0 qemu_validate.c; Ganeti 3.2 alpha validation.py:199.
"""

IO_URING = "io_uring"
IO_URING_SINCE = 5_000_000
"""QEMU that has it. Source: Ganeti 3.2 alpha validation.py:210."""

DISK_DISCARDS = Bijection(
    "disk_discard", [("ignore", "ignore"), ("unmap", "unmap")], aliases=[("default", "ignore")]
)
"""``default`` is the word of 2.16 to 3.0 for QEMU's own default, which is ignore."""


class IdeTarget(msgspec.Struct, frozen=True, kw_only=True):
    """A place of an IDE drive, and the last Ganeti (3009999: before 3.1) whose drives take it."""

    target: str
    bus: int
    unit: int
    until: int = ANY_GANETI


IDE_TARGETS = (
    IdeTarget(target="hda", bus=0, unit=0, until=3_009_999),
    IdeTarget(target="hdb", bus=0, unit=1, until=3_009_999),
    IdeTarget(target="hdc", bus=1, unit=0),
    IdeTarget(target="hdd", bus=1, unit=1),
)
"""In the order in which drives take them: CD-ROMs, then disks.

Up to 3.0 a drive is a ``-drive if=ide``; since 3.1 a ``-device`` that names no bus, which QEMU puts on the
last channel. Source: measured on QEMU 7.2 (``info qtree``).
"""

DEFAULT_CDROM_TARGET = "hdc"
"""Where QEMU's own empty CD-ROM drive is, if nothing else is there."""

IDE_BY_DRIVE_UNTIL = 3_009_999
"""The last Ganeti whose IDE drives, and CD-ROMs of any type, do not keep QEMU from adding its own CD-ROM;
booting from a CD-ROM puts it on IDE, whatever its type."""

_BY_GANETI = {row.ganeti: row for row in DISK_TYPES}
_BY_LIBVIRT = {(row.bus, row.device): row for row in DISK_TYPES}
if not len(DISK_TYPES) == len(_BY_GANETI) == len(_BY_LIBVIRT):
    raise TableError("DISK_TYPES: a disk_type or a pair of bus and device appears in two rows")
_HOSTDEVS = {word for word, _type in HOSTDEV_DISK_TYPES.rows}
if _BY_GANETI.keys() & _HOSTDEVS:
    raise TableError("DISK_TYPES: a disk_type is both a disk and a host device")
if (_BY_GANETI.keys() | DISK_TYPE_ALIASES.keys()) & UNSUPPORTED_DISK_TYPES.keys():
    raise TableError("DISK_TYPES: a disk_type is both supported and unsupported")


def by_disk_type(word: str) -> DiskType:
    """Give the row of a Ganeti disk_type. Raises UnknownTermError."""
    word = DISK_TYPE_ALIASES.get(word, word)
    if word not in _BY_GANETI:
        known = (*_BY_GANETI, *(host for host, _type in HOSTDEV_DISK_TYPES.rows))
        raise UnknownTermError("disk_type", "Ganeti", word, known)
    return _BY_GANETI[word]


def by_bus(bus: str | None, device: str) -> DiskType:
    """Give the row of a libvirt bus and device. Raises UnknownTermError."""
    if (bus or "", device) not in _BY_LIBVIRT:
        known = (f"{row.bus} {row.device}" for row in DISK_TYPES)
        raise UnknownTermError("disk_type", "libvirt", f"{bus} {device}", known)
    return _BY_LIBVIRT[bus or "", device]


def ide_targets(version: int) -> tuple[IdeTarget, ...]:
    """Give the places of IDE drives in a Ganeti version (3010000 is 3.1), in their order."""
    return tuple(row for row in IDE_TARGETS if version <= row.until)
