"""CD-ROM and floppy images: what cdrom_disk_type means to libvirt, and what changed with the versions."""

from __future__ import annotations

from itertools import pairwise
from typing import Literal

import msgspec

from virtxlate.bijection import Bijection
from virtxlate.errors import TableError

ANY = 99_999_999
"""Newer than every Ganeti: 3010000 is 3.1."""

CDROM_TYPES = Bijection(
    "cdrom_disk_type",
    [("ide", ("ide", "cdrom")), ("paravirtual", ("virtio", "disk")), ("scsi-cd", ("scsi", "cdrom"))],
    back=[("ide", ("sata", "cdrom"))],
)
"""Ganeti's word to libvirt's (bus, device): a paravirtual CD-ROM is a read-only disk to the guest."""

URL_PORTS = {"http": 80, "https": 443, "ftp": 21, "ftps": 990}
"""Schemes of an image's URL, and the port that each has by itself; libvirt says the same words.

Source: Ganeti lib/utils (IsUrl); libvirt 9.0.0 virStorageSourceNetworkDefaultPort.
"""

IMAGE_ALIASES = Bijection(
    "image",
    [
        ("cdrom_image_path", "ua-cdrom1"),
        ("cdrom2_image_path", "ua-cdrom2"),
        ("floppy_image_path", "ua-floppy1"),
    ],
)
"""hvparam to the alias of its drive: Ganeti's own id of it."""


class RemovableEra(msgspec.Struct, frozen=True, kw_only=True):
    """How Ganeti of the versions ``since`` to ``until`` asks QEMU for images, and what it boots from."""

    since: int
    until: int
    boots: Literal["all", "first"]
    """Boot letters name a kind of device, and the firmware tries all of it; a bootindex names one device."""
    cdrom_cache: str | None
    """libvirt's cache word for a CD-ROM; None is QEMU's default."""
    paravirtual_last: bool
    """Whether a paravirtual CD-ROM takes its slot after all other devices: an ``if=virtio`` drive does."""


REMOVABLE_ERAS = (
    RemovableEra(since=0, until=3_009_999, boots="all", cdrom_cache=None, paravirtual_last=True),
    RemovableEra(since=3_010_000, until=3_019_999, boots="all", cdrom_cache="unsafe", paravirtual_last=False),
    RemovableEra(since=3_020_000, until=ANY, boots="first", cdrom_cache="unsafe", paravirtual_last=False),
)
"""Source: Ganeti 3.0.2 hv_kvm (_CdromOption), 3.2 alpha hv_kvm/__init__.py:1152-1246; QEMU softmmu/vl.c."""

if any(older.until + 1 != newer.since for older, newer in pairwise(REMOVABLE_ERAS)):
    raise TableError("REMOVABLE_ERAS: the versions of the rows do not meet")


def removable_era(version: int) -> RemovableEra:
    """Give the row of a Ganeti version (3010000 is 3.1)."""
    (row,) = [row for row in REMOVABLE_ERAS if row.since <= version <= row.until]
    return row
