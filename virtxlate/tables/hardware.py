"""What is not the same in the QEMU that libvirt starts: every difference that is known, with its effect.

A live test compares both QEMUs over many instances; it fails for a difference without a row here, and for a
row that no instance shows.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from virtxlate.errors import TableError
from virtxlate.report import Severity
from virtxlate.tables.disk import ANY_GANETI


class Need(msgspec.Struct, frozen=True):
    """A field of an instance, as a dotted path, and the values it has where the difference shows.

    No values: it is set to anything but nothing.
    """

    field: str
    values: tuple[str | bool | int | tuple[()], ...] = ()


class Shown(msgspec.Struct, frozen=True):
    """What a comparison of machines shows: its kind, and what differs; ``*`` is any."""

    kind: str
    what: str


class KnownDifference(msgspec.Struct, frozen=True, kw_only=True):
    """One difference: what shows it, which instances have it, what a guest notices, and why it stays."""

    name: str
    shown: tuple[Shown, ...]
    needs: tuple[Need, ...] = ()
    """All of them; none: every instance."""
    since: int = 0
    until: int = ANY_GANETI
    """The first and the last Ganeti that it is known of: 3010000 is 3.1."""
    board: Literal["any", "pc", "q35"] = "any"
    severity: Severity
    effect: str
    reason: str


_USB_SWITCH = Shown("machine", "usb")
_NO_KERNEL = Need("hvparams.kernel_path", ("",))
_FIRST = (Shown("boot", "order"), Shown("*", "bootindex"))
OFFLOADS = (
    "csum",
    "guest_csum",
    "guest_tso*",
    "guest_ecn",
    "guest_ufo",
    "host_tso*",
    "host_ecn",
    "host_ufo",
)
_LETTERS_UNTIL = 3_019_999
_BOOTABLE = ("paravirtual", "ide", "scsi-hd", "scsi")
_FIRST_DISK_REASON = "libvirt takes the first disk to boot from where nothing else is told to"
_FIRST_REASON = "libvirt tells the firmware a device, Ganeti before 3.2 a kind of device"

KNOWN_DIFFERENCES = (
    KnownDifference(
        name="usb switch of the machine",
        shown=(_USB_SWITCH,),
        severity=Severity.HOST_ONLY,
        effect="none: the USB controller itself is there, in its slot",
        reason="libvirt always passes usb=off and names its controllers",
        board="pc",
    ),
    KnownDifference(
        name="usb switch of a q35",
        shown=(_USB_SWITCH,),
        needs=(Need("hvparams.usb_devices"),),
        severity=Severity.HOST_ONLY,
        effect="none: the controllers that -usbdevice brings along are there, in their slot",
        reason="libvirt always passes usb=off and names its controllers",
        board="q35",
    ),
    KnownDifference(
        name="guest memory in core dumps of QEMU",
        shown=(Shown("machine", "dump-guest-core"),),
        severity=Severity.HOST_ONLY,
        effect="none: a core dump of QEMU itself is without the guest's memory",
        reason="libvirt always passes dump-guest-core=off; see dump_guest_core in qemu.conf",
    ),
    KnownDifference(
        name="strict boot",
        shown=(Shown("boot", "strict"),),
        severity=Severity.HOST_ONLY,
        effect="none while the guest boots: the firmware stops where no device that may boot does",
        reason="libvirt always passes strict=on",
    ),
    KnownDifference(
        name="order of ISA devices",
        shown=(Shown("ISA", "order"),),
        severity=Severity.HOST_ONLY,
        effect="none: ACPI's DSDT has the same devices with the same names and ports, COM1 and LPT1 first",
        reason="libvirt asks for ports by -device, which QEMU makes after the board's own devices",
    ),
    KnownDifference(
        name="boot from disk",
        shown=_FIRST,
        needs=(_NO_KERNEL, Need("hvparams.boot_order", ("disk",)), Need("disks")),
        severity=Severity.HOST_ONLY,
        effect="none: the firmware boots the first disk, by its address",
        reason=_FIRST_REASON,
        until=_LETTERS_UNTIL,
    ),
    KnownDifference(
        name="boot from network",
        shown=_FIRST,
        needs=(_NO_KERNEL, Need("hvparams.boot_order", ("network",))),
        severity=Severity.HOST_ONLY,
        effect="none: the firmware boots from the network",
        reason=_FIRST_REASON,
        until=_LETTERS_UNTIL,
    ),
    KnownDifference(
        name="boot from CD-ROM",
        shown=_FIRST,
        needs=(_NO_KERNEL, Need("hvparams.boot_order", ("cdrom",)), Need("hvparams.cdrom_image_path")),
        severity=Severity.HOST_ONLY,
        effect="none: the firmware boots the first CD-ROM, by its address",
        reason=_FIRST_REASON,
        until=_LETTERS_UNTIL,
    ),
    KnownDifference(
        name="disk behind a kernel",
        shown=(Shown("*", "bootindex"),),
        needs=(
            Need("hvparams.kernel_path"),
            Need("hvparams.disk_type", _BOOTABLE),
            Need("disks"),
        ),
        severity=Severity.HOST_ONLY,
        effect="none: the kernel that was given boots before it",
        reason=_FIRST_DISK_REASON,
    ),
    KnownDifference(
        name="disk where no NIC boots",
        shown=(Shown("*", "bootindex"),),
        needs=(
            _NO_KERNEL,
            Need("hvparams.boot_order", ("network",)),
            Need("hvparams.disk_type", _BOOTABLE),
            Need("nics", ((),)),
            Need("disks"),
        ),
        severity=Severity.HOST_ONLY,
        effect="none: the firmware boots the first disk where no other device is told to boot",
        reason=_FIRST_DISK_REASON,
        since=_LETTERS_UNTIL + 1,
    ),
    KnownDifference(
        name="offloads of virtio NICs",
        shown=tuple(Shown("virtio-pci-bus", name) for name in OFFLOADS),
        needs=(
            Need("hvparams.vnet_hdr", (False,)),
            Need("hvparams.nic_type", ("paravirtual",)),
            Need("nics"),
        ),
        severity=Severity.HOST_ONLY,
        effect="none: the device offers the guest the same features",
        reason="under Ganeti the tap lacks them, under libvirt the device is told not to offer them",
    ),
)

if len({row.name for row in KNOWN_DIFFERENCES}) != len(KNOWN_DIFFERENCES):
    raise TableError("KNOWN_DIFFERENCES: a name appears in two rows")
if any(not row.shown for row in KNOWN_DIFFERENCES):
    raise TableError("KNOWN_DIFFERENCES: a row shows nothing")
