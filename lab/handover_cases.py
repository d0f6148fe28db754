"""Instances that are handed over, each for what it adds: with a guest that counts, or without any.

What a guest with an OS shows is whether it goes on; what none is needed for is whether the state loads, and
the machine is the same. Values are those with which Ganeti's QEMU starts on a machine without KVM.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from lab.commands import run
from lab.hardware_cases import CDROM1, CDROM2, FLOPPY
from lab.twins import KERNEL, VERSION, instance_of
from virtxlate.errors import LiveError
from virtxlate.live.qmp import open_qmp

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lab.console import GuestConsole
    from lab.ganeti_qemu import GanetiGuest
    from lab.guest import Flavour
    from virtxlate.ganeti.model import Instance
    from virtxlate.handover.transfer import Method

NEWER = 3_020_000
PLUGGED_MIB = 32
PLUGGED_MAC = "aa:00:00:00:00:2a"
_VNC = {"vnc_bind_address": "127.0.0.1"}
_SPICE = {"spice_bind": "127.0.0.1"}
_SCSI = {"disk_type": "scsi-hd"}
_VIRTIO_SCSI = {**_SCSI, "scsi_controller_type": "virtio-scsi-pci"}
_DISK, _NIC = "disk-0000000f-d15c-4000", "nic-0000000e-d15c-4000"
_LOCAL, _AT, _NIC_AT = "plugged", "0x1d", "0x1e"


class Case(NamedTuple):
    """An instance, and what none of the others has."""

    adds: str
    hvparams: Mapping[str, Any]
    counts: Mapping[str, int] = {}
    flavour: Flavour | None = None
    """Of the guest; None: nobody is inside."""
    version: int = VERSION
    """Of the Ganeti whose shape the command line has."""
    change: Callable[[GanetiGuest, GuestConsole], None] = lambda _qemu, _line: None
    """What happens to it while it runs under Ganeti."""
    method: Method = "live"
    """A file for several CPUs: without KVM, QEMU 7.2 has lost writes of such guests while it sent them."""
    leaves: tuple[tuple[str, str], ...] = ()
    """Devices of Ganeti's that are unplugged under libvirt, a kind and a number each; a disk comes then."""

    @property
    def instance(self) -> Instance:
        """The instance; where nobody is inside, its disks are on IDE unless it says otherwise.

        SeaBIOS turns the write cache of a virtio disk off when it comes to it, which is at no certain moment.
        """
        usual = {} if self.flavour else {"disk_type": "ide"}
        return instance_of({**usual, **self.hvparams}, version=self.version, **self.counts)


def plug_in(qemu: GanetiGuest, line: GuestConsole) -> None:
    """Plug a disk and a NIC in as Ganeti does, and put another disc into the CD-ROM drive."""
    here = qemu.qmp.parents[2]
    tap, image = f"vxp{qemu.process.pid}", here / _LOCAL
    with image.open("wb") as file:
        file.truncate(PLUGGED_MIB << 20)
    node = {"driver": "raw", "node-name": _DISK, "file": {"driver": "file", "filename": str(image)}}
    before = len(line.disks()), len(line.nics())
    with open_qmp(qemu.qmp) as ask:
        ask("blockdev-add", **node)
        ask("device_add", driver="virtio-blk-pci", id=_DISK, bus="pci.0", addr=_AT, drive=_DISK)
        ask("netdev_add", type="tap", id=_NIC, ifname=tap, script="no", downscript="no")
        ask(
            "device_add",
            driver="virtio-net-pci",
            id=_NIC,
            bus="pci.0",
            addr=_NIC_AT,
            netdev=_NIC,
            mac=PLUGGED_MAC,
        )
        bridge = Path("/sys/class/net", qemu.taps[0], "master").resolve().name
        run("ip", "link", "set", tap, "master", bridge, "up")
        disc = str(here / "cdrom2.iso")
        ask("blockdev-change-medium", device="ide0-cd0", filename=disc, format="raw")
    line.wait_for(line.disks, lambda disks: len(disks) == before[0] + 1)
    line.wait_for(line.nics, lambda nics: len(nics) == before[1] + 1)


def unplug(qemu: GanetiGuest, line: GuestConsole) -> None:
    """Take the second of the disks that the guest has booted with, as Ganeti does."""
    disk = "disk-00000001-d15c-4000"
    with open_qmp(qemu.qmp) as ask:

        def is_free() -> bool:
            """Close its storage, and tell whether that went: QEMU lets go a moment after the device does."""
            try:
                ask("blockdev-del", **{"node-name": disk})
            except LiveError as exc:
                if "is in use" in str(exc):
                    return False
                raise
            return True

        ask("device_del", id=disk)
        line.wait_for(line.disks, lambda disks: "vdb" not in {each.name for each in disks})
        line.wait_for(is_free, bool)


COUNTED: Mapping[str, Case] = {
    "many": Case(
        "4 paravirtual disks, 3 NICs, 3 CPUs in one socket, a Cirrus card; through a file",
        {"vga": "cirrus"},
        {"disks": 4, "nics": 3, "vcpus": 3},
        "cloud",
        method="stop",
        leaves=(("disk", "2"), ("nic", "1")),
    ),
    "lsi": Case(
        "an lsi adapter with 2 disks, an e1000, a CD-ROM drive on IDE with a disc, a floppy disk",
        {
            **_SCSI,
            "nic_type": "e1000",
            "cdrom_image_path": CDROM1,
            "cdrom_disk_type": "ide",
            "floppy_image_path": FLOPPY,
        },
        {"disks": 2},
        "generic",
    ),
    "virtio-scsi": Case(
        "a virtio-scsi adapter with 3 disks, an HDA sound card before it",
        {**_VIRTIO_SCSI, "soundhw": "hda"},
        {"disks": 3},
        "cloud",
        leaves=(("disk", "1"),),
    ),
    "ide": Case(
        "2 IDE disks and 2 IDE CD-ROM drives, an ne2k_pci, an AC97 sound card",
        {
            "disk_type": "ide",
            "cdrom_image_path": CDROM1,
            "cdrom2_image_path": CDROM2,
            "cdrom_disk_type": "ide",
            "nic_type": "ne2k_pci",
            "soundhw": "ac97",
        },
        {"disks": 2},
        "generic",
    ),
    "spice": Case(
        "SPICE with qxl, ports of both agents, a USB keyboard, a paravirtual drive of discs",
        {
            **_SPICE,
            "vga": "qxl",
            "use_guest_agent": True,
            "usb_devices": "keyboard",
            "cdrom_image_path": CDROM1,
            "cdrom_disk_type": "paravirtual",
        },
        {},
        "cloud",
    ),
    "no ACPI": Case(
        "no ACPI, no graphics card, no cache",
        {"acpi": False, "vga": "none", "disk_cache": "none"},
        {"disks": 2},
        "cloud",
    ),
    "Haswell": Case(
        "a named CPU with flags, 2 threads, a virtio graphics card, randomness, a watchdog; through a file",
        {
            "cpu_type": "Haswell,-hle,+3dnow",
            "cpu_cores": 1,
            "cpu_threads": 2,
            "vga": "virtio",
            "kvm_extra": "-device i6300esb,addr=0x8 -device virtio-rng-pci,addr=0x7",
        },
        {"vcpus": 2},
        "cloud",
        method="stop",
    ),
    "old machine": Case(
        "a machine of QEMU 2.1, a VMware card, a cache that writes through",
        {"machine_version": "pc-i440fx-2.1", "vga": "vmware", "disk_cache": "writethrough"},
        {},
        "cloud",
    ),
    "changed": Case(
        "a disk and a NIC that were plugged in while it ran, another disc in the drive",
        {"cdrom_image_path": CDROM1, "cdrom_disk_type": "ide"},
        {"disks": 2},
        "cloud",
        change=plug_in,
        leaves=(("disk", "2"), ("nic", "1")),
    ),
    "newer": Case(
        "the newer shape: -blockdev and -device; one of its disks was unplugged while it ran; VNC",
        _VNC,
        {"disks": 2, "nics": 2},
        "cloud",
        NEWER,
        unplug,
        leaves=(("nic", "1"),),
    ),
    "newer, virtio-scsi": Case(
        "the newer shape of SCSI disks, SPICE, 2 CPUs",
        {**_VIRTIO_SCSI, **_SPICE},
        {"disks": 2, "vcpus": 2},
        "cloud",
        NEWER,
        method="stop",
    ),
}
"""The guest counts, writes and reads its disks, and answers on its first NIC."""

IDLE: Mapping[str, Case] = {
    "megasas": Case(
        "a megasas adapter, an rtl8139, VNC with its tablet",
        {**_SCSI, **_VNC, "scsi_controller_type": "megasas", "nic_type": "rtl8139"},
    ),
    "dc390": Case(
        "a dc390 adapter, a pcnet NIC, a USB mouse",
        {
            **_SCSI,
            "scsi_controller_type": "dc390",
            "nic_type": "pcnet",
            "usb_mouse": "mouse",
        },
    ),
    "newer, ide": Case(
        "the newer shape of IDE disks, both on the second channel",
        {"disk_type": "ide"},
        {"disks": 2},
        version=NEWER,
    ),
    "no serial port, nothing": Case(
        "neither serial port nor disk nor NIC", {"serial_console": False}, {"disks": 0, "nics": 0}
    ),
    "cards": Case(
        "an ES1370, a standard graphics card, an i82551", {"soundhw": "es1370", "nic_type": "i82551"}
    ),
    "sb16": Case("a Sound Blaster on ISA, an i82557b", {"soundhw": "sb16", "nic_type": "i82557b"}),
    "i82559er": Case("an i82559er, 9 reserved slots", {"nic_type": "i82559er", "kvm_pci_reservations": 9}),
    "6.1": Case(
        "a machine that puts CPUs into sockets", {"machine_version": "pc-i440fx-6.1"}, {"vcpus": 3, "nics": 2}
    ),
    "5.2": Case(
        "a machine of 5.2, 2 sockets", {"machine_version": "pc-i440fx-5.2", "cpu_sockets": 2}, {"vcpus": 4}
    ),
    "4.2": Case("a machine of 4.2 with SCSI", {"machine_version": "pc-i440fx-4.2", **_SCSI}),
    "2.8": Case("a machine of 2.8 with virtio-scsi", {"machine_version": "pc-i440fx-2.8", **_VIRTIO_SCSI}),
    "1.7": Case("a machine of 1.7", {"machine_version": "pc-i440fx-1.7", **_SCSI}, {"disks": 2}),
    "Nehalem": Case(
        "another CPU with flags, a clock of local time",
        {"cpu_type": "Nehalem,+3dnow,-sse4.2", "use_localtime": True},
    ),
    "kvm64": Case("a small CPU, USB devices", {"cpu_type": "kvm64", "usb_devices": "keyboard,tablet"}),
    "scsi-cd": Case(
        "disks that are CD-ROM drives on SCSI",
        {"disk_type": "scsi-cd", "scsi_controller_type": "virtio-scsi-pci"},
        {"disks": 2},
    ),
    "from a disc": Case(
        "booting from the first of two discs, ending at a reset",
        {
            "cdrom_image_path": CDROM1,
            "cdrom2_image_path": CDROM2,
            "boot_order": "cdrom",
            "reboot_behavior": "exit",
        },
    ),
    "ib700": Case(
        "a watchdog on ISA, no sleep to memory, SPICE without its agent",
        {
            **_SPICE,
            "spice_use_vdagent": False,
            "kvm_extra": "-global PIIX4_PM.disable_s3=1 -device ib700",
        },
    ),
    "network": Case(
        "booting from the network, an old e1000",
        {
            "boot_order": "network",
            "nic_type": "e1000",
            "disk_type": "ide",
            "machine_version": "pc-i440fx-2.2",
        },
    ),
    "newer, drives": Case(
        "the newer shape of a CD-ROM drive and a floppy disk, SMBIOS words",
        {
            "cdrom_image_path": CDROM1,
            "cdrom_disk_type": "ide",
            "floppy_image_path": FLOPPY,
            "kvm_extra": "-smbios type=1,manufacturer=Acme",
        },
        version=NEWER,
    ),
    "newer, lsi": Case("the newer shape of an lsi adapter, a boot index", _SCSI, {"disks": 2}, version=NEWER),
    "kernel": Case("a kernel without a guest in it, 4 CPUs", {"kernel_path": KERNEL}, {"vcpus": 4}),
}
"""Nobody is inside: the machine is asked in full, before and after."""
