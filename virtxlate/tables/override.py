"""Properties of QEMU's devices that a guest sees and libvirt has no word for, or another value than Ganeti.

They are written as ``<qemu:override>``. Source: QEMU 7.2, ``info qtree`` beside Ganeti's own QEMU; libvirt
9.0.0 qemu_command.c:1744 (device_id), 4350 (qxl); QEMU 8.1 hw/net/virtio-net.c (peer_has_uso).
"""

from __future__ import annotations

import functools
from typing import Literal

import msgspec

from virtxlate.errors import TableError
from virtxlate.tables.disk import ANY_GANETI


class Override(msgspec.Struct, frozen=True, kw_only=True):
    """One property of the devices of a kind, in Ganeti ``since`` to ``until`` (3010000 is 3.1).

    ``of``: scsi (a disk of that bus), NIC_WITHOUT_HEADER, or libvirt's model of the video or the SCSI
    controller. ``qemu_since``: (8, 1) is a QEMU, which has the property from then on. ``value`` may
    hold ``{id}``, Ganeti's id of the device. ``path``: what of the instance it is for, ``{index}`` that of a
    disk. ``without``: what the guest sees where it is left out.
    """

    of: str
    name: str
    type: Literal["string", "unsigned", "bool", "remove"]
    value: str | None = None
    since: int = 0
    until: int = ANY_GANETI
    qemu_since: tuple[int, int] | None = None
    reason: str
    path: str
    without: str


NIC_WITHOUT_HEADER = "virtio NIC without header"
"""One whose offloads are off, as Ganeti's tap has no header for them."""


def _udp_segmentation(name: str) -> Override:
    return Override(
        of=NIC_WITHOUT_HEADER,
        name=name,
        type="bool",
        value="false",
        qemu_since=(8, 1),
        reason="a tap without header has no UDP segmentation; libvirt has no word for it",
        path="hvparams.vnet_hdr",
        without=f"each NIC offers UDP segmentation ({name}), which Ganeti's did not",
    )


OVERRIDES = (
    *map(_udp_segmentation, ("host_uso", "guest_uso4", "guest_uso6")),
    Override(
        of="scsi",
        name="device_id",
        type="string",
        value="{id}",
        until=3_009_999,
        reason="the disk's name in VPD page 0x83, of which udev makes /dev/disk/by-id",
        path="disks[{index}].uuid",
        without="the disk has libvirt's name in VPD page 0x83, and so another one in /dev/disk/by-id",
    ),
    Override(
        of="scsi",
        name="device_id",
        type="remove",
        since=3_010_000,
        reason="since 3.1 the disk has no name in VPD page 0x83",
        path="disks[{index}].uuid",
        without="the disk has libvirt's name in VPD page 0x83, where it had none",
    ),
    Override(
        of="qxl",
        name="max_outputs",
        type="unsigned",
        value="0",
        reason="as many monitors as the guest's driver has",
        path="hvparams.vga",
        without="the card has one monitor at most",
    ),
    Override(
        of="qxl",
        name="vram64_size_mb",
        type="remove",
        reason="as much 64-bit video memory as QEMU gives by itself",
        path="hvparams.vga",
        without="the card's 64-bit memory has another size",
    ),
    Override(
        of="am53c974",
        name="driver",
        type="string",
        value="dc390",
        reason="the controller with the EEPROM of the DC-390 board",
        path="hvparams.scsi_controller_type",
        without="the controller has no EEPROM, by which a driver knows the DC-390 board",
    ),
)

if any((row.value is None) != (row.type == "remove") for row in OVERRIDES):
    raise TableError("OVERRIDES: a value to remove, or none to set")


@functools.lru_cache(maxsize=256)
def overrides_of(kind: str, version: int) -> tuple[Override, ...]:
    """Give the rows of devices of a kind in a Ganeti version, for every QEMU; none for most kinds."""
    return tuple(row for row in OVERRIDES if row.of == kind and row.since <= version <= row.until)
