"""Drivers of a running QEMU beside what libvirt calls the device: what `info qtree` shows, read back.

Source: QEMU 7.2, ``info qtree`` of Ganeti's own command lines; libvirt 9.0.0 qemu_command.c.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from virtxlate.errors import TableError
from virtxlate.tables.nic import NIC_TYPES
from virtxlate.tables.qemu import NETWORK_DRIVER

DeviceKind = Literal[
    "board",
    "disk",
    "interface",
    "scsi",
    "usb",
    "virtio-serial",
    "video",
    "sound",
    "memballoon",
    "rng",
    "watchdog",
    "input",
    "hub",
    "serial",
    "parallel",
    "channel",
    "part",
]


class RunningDevice(msgspec.Struct, frozen=True, kw_only=True):
    """A driver, what kind of libvirt's devices it is, and libvirt's model of it.

    ``board``: every PC of the type has it; ``part``: libvirt makes it together with the device it is on.
    """

    driver: str
    kind: DeviceKind
    model: str = ""
    bus: str = ""
    """libvirt's bus of a disk or an input."""


_PC_BOARD = (
    "i440FX",
    "PIIX3",
    "PIIX4_PM",
    "piix3-ide",
    "smbus-eeprom",
    "port92",
    "vmmouse",
    "vmport",
    "i8042",
    "isa-fdc",
    "isa-pcspk",
    "isa-pit",
    "kvm-pit",
    "mc146818rtc",
    "isa-i8259",
    "kvm-i8259",
    "i8257",
)
_PARTS = (
    "virtio-blk-device",
    "virtio-net-device",
    "virtio-scsi-device",
    "virtio-serial-device",
    "virtio-balloon-device",
    "virtio-rng-device",
    "virtio-gpu-device",
    "hda-duplex",
    "hda-micro",
    "hda-output",
)
_CARDS = {model for _word, model in NIC_TYPES.rows if model != "virtio"}

RUNNING_DEVICES = (
    *(RunningDevice(driver=name, kind="board") for name in _PC_BOARD),
    *(RunningDevice(driver=name, kind="part") for name in _PARTS),
    RunningDevice(driver="virtio-blk-pci", kind="disk", model="disk", bus="virtio"),
    RunningDevice(driver="scsi-hd", kind="disk", model="disk", bus="scsi"),
    RunningDevice(driver="scsi-cd", kind="disk", model="cdrom", bus="scsi"),
    RunningDevice(driver="scsi-block", kind="disk", model="lun", bus="scsi"),
    RunningDevice(driver="ide-hd", kind="disk", model="disk", bus="ide"),
    RunningDevice(driver="ide-cd", kind="disk", model="cdrom", bus="ide"),
    RunningDevice(driver="floppy", kind="disk", model="floppy", bus="fdc"),
    RunningDevice(driver=f"{NETWORK_DRIVER}-pci", kind="interface", model="virtio"),
    *(RunningDevice(driver=name, kind="interface", model=name) for name in sorted(_CARDS)),
    RunningDevice(driver="lsi53c895a", kind="scsi", model="lsilogic"),
    RunningDevice(driver="am53c974", kind="scsi", model="am53c974"),
    RunningDevice(driver="dc390", kind="scsi", model="am53c974"),
    RunningDevice(driver="megasas", kind="scsi", model="lsisas1078"),
    RunningDevice(driver="virtio-scsi-pci", kind="scsi", model="virtio-scsi"),
    RunningDevice(driver="piix3-usb-uhci", kind="usb", model="piix3-uhci"),
    RunningDevice(driver="virtio-serial-pci", kind="virtio-serial"),
    RunningDevice(driver="VGA", kind="video", model="vga"),
    RunningDevice(driver="cirrus-vga", kind="video", model="cirrus"),
    RunningDevice(driver="qxl-vga", kind="video", model="qxl"),
    RunningDevice(driver="virtio-vga", kind="video", model="virtio"),
    RunningDevice(driver="vmware-svga", kind="video", model="vmvga"),
    RunningDevice(driver="intel-hda", kind="sound", model="ich6"),
    RunningDevice(driver="AC97", kind="sound", model="ac97"),
    RunningDevice(driver="ES1370", kind="sound", model="es1370"),
    RunningDevice(driver="sb16", kind="sound", model="sb16"),
    RunningDevice(driver="virtio-balloon-pci", kind="memballoon", model="virtio"),
    RunningDevice(driver="virtio-rng-pci", kind="rng", model="virtio"),
    RunningDevice(driver="i6300esb", kind="watchdog", model="i6300esb"),
    RunningDevice(driver="ib700", kind="watchdog", model="ib700"),
    RunningDevice(driver="usb-tablet", kind="input", model="tablet", bus="usb"),
    RunningDevice(driver="usb-mouse", kind="input", model="mouse", bus="usb"),
    RunningDevice(driver="usb-kbd", kind="input", model="keyboard", bus="usb"),
    RunningDevice(driver="usb-hub", kind="hub", model="usb"),
    RunningDevice(driver="isa-serial", kind="serial", model="isa-serial"),
    RunningDevice(driver="isa-parallel", kind="parallel"),
    RunningDevice(driver="virtserialport", kind="channel"),
)
"""A driver without a row is one that libvirt has no element for, or that Ganeti never gives a guest."""

BY_DRIVER = {row.driver: row for row in RUNNING_DEVICES}
if len(BY_DRIVER) != len(RUNNING_DEVICES):
    raise TableError("RUNNING_DEVICES: a driver appears in two rows")


class CacheMode(msgspec.Struct, frozen=True, kw_only=True):
    """libvirt's cache word for what QEMU tells of an open image."""

    direct: bool
    no_flush: bool
    writeback: bool
    libvirt: str


CACHE_MODES = (
    CacheMode(direct=False, no_flush=False, writeback=True, libvirt="writeback"),
    CacheMode(direct=True, no_flush=False, writeback=True, libvirt="none"),
    CacheMode(direct=False, no_flush=False, writeback=False, libvirt="writethrough"),
    CacheMode(direct=True, no_flush=False, writeback=False, libvirt="directsync"),
    CacheMode(direct=False, no_flush=True, writeback=True, libvirt="unsafe"),
)
"""Source: libvirt 9.0.0 qemu_domain.c (qemuDomainDiskCachemodeFlags)."""

FILE_DRIVERS = frozenset({"file"})
BLOCK_DRIVERS = frozenset({"host_device", "host_cdrom"})
"""Of QEMU's block layer: what opens a file, and what opens a device of the host."""


def cache_mode(*, direct: bool, no_flush: bool, writeback: bool) -> str | None:
    """Give libvirt's cache word, None for three switches that no word says."""
    found = CacheMode(direct=direct, no_flush=no_flush, writeback=writeback, libvirt="")
    for row in CACHE_MODES:
        if msgspec.structs.replace(row, libvirt="") == found:
            return row.libvirt
    return None


DEFAULT_DEVICES = frozenset(
    {
        "VGA",
        "cirrus-vga",
        "floppy",
        "ide-cd",
        "isa-parallel",
        "piix3-usb-uhci",
        "virtio-balloon-pci",
        "usb-hub",
    }
)
"""Drivers of what QEMU has without more than Ganeti always says; of drives, only an empty one."""


EMPTY_FLOPPY = "288"
"""Type of a floppy drive that is empty when QEMU starts."""
FLOPPIES = {1_474_560: "144", 2_949_120: "288", 1_228_800: "120"}
"""Bytes of a floppy disk to the type of the drive that QEMU makes for it; others are left to be told.

Source: QEMU 7.2, hw/block/fdc.c (fd_formats).
"""


_WITH_VALUE = """
-M -accel -add-fd -append -audio -audiodev -balloon -blockdev -boot -cdrom -chardev -chroot -cpu -d -D
-device -display -drive -fda -fdb -global -hda -hdb -hdc -hdd -incoming -initrd -k -kernel -m -machine
-mem-path -mon -monitor -msg -name -net -netdev -nic -numa -object -overcommit -parallel -pidfile -qmp
-runas -sandbox -serial -set -smp -soundhw -spice -trace -usbdevice -uuid -vga -vnc -watchdog
-watchdog-action
"""
_ALONE = """
-S -daemonize -disable-kvm -enable-kvm -localtime -mem-prealloc -no-acpi -no-hpet -no-reboot
-no-shutdown -no-user-config -nodefaults -nographic -usb
"""
TOLD_OPTIONS = {
    **dict.fromkeys(_WITH_VALUE.split(), r".+"),
    **dict.fromkeys(_ALONE.split(), ""),
    "-rtc": r"base=(?:utc|localtime)",
}
"""Options of QEMU whose effect QMP tells, that Ganeti's data gives, or that are the host's matter alone, and
the form of their value: a running QEMU with any other one is not wholly described by what it says.

Source: Ganeti 3.2 alpha (c35736d8a), hv_kvm/__init__.py; QEMU 7.2, qemu-options.hx.
"""
