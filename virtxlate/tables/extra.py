"""Free QEMU options that libvirt has elements for."""

from __future__ import annotations

import msgspec

from virtxlate.bijection import Bijection

SHELL_WORDS_SINCE = 3_010_000
"""Ganeti that splits kvm_extra as a shell does; an older one splits it at blanks."""

PCI_DRIVERS = (
    "AC97",
    "ES1370",
    "VGA",
    "am53c974",
    "ati-vga",
    "bochs-display",
    "cirrus-vga",
    "dc390",
    "e1000*",
    "edu",
    "i6300esb",
    "i82[58]*",
    "ich9-*",
    "intel-hda",
    "ivshmem-*",
    "lsi*",
    "megasas*",
    "mptsas1068",
    "ne2k_pci",
    "nec-usb-xhci",
    "nvme",
    "pci-*",
    "pcnet",
    "piix[34]-*",
    "pvpanic-pci",
    "pvscsi",
    "qemu-xhci",
    "qxl*",
    "rtl8139",
    "sdhci-pci",
    "secondary-vga",
    "tulip",
    "usb-ehci",
    "vfio-pci*",
    "vhost-*",
    "virtio-*",
    "vmware-svga",
    "vmxnet3",
)
"""Drivers of PCI cards, as patterns. libvirt's own devices come after a free -device, which would take a slot
of theirs: so it is given the slot that it has under Ganeti.

Source: QEMU 7.2, ``-device help`` (bus PCI).
"""

OF_EVERY_PC = "-usb"
"""What Ganeti tells QEMU by itself, and the board of every domain has."""


class MachineOption(msgspec.Struct, frozen=True, kw_only=True):
    """A free option about a part that libvirt's own options are about, too.

    ``form``: what its value looks like then. ``instead``: the parameter of Ganeti that both obey.
    """

    name: str
    form: str = ".*"
    instead: str = ""


MACHINE_OPTIONS = (
    MachineOption(name="-M", form=r"(?:type=)?[^=,]+(?:,.*)?", instead="hvparams.machine_version"),
    MachineOption(name="-boot", form=r"(?:.*,)?(?:order|once)=.*|[^=]+", instead="hvparams.boot_order"),
    MachineOption(name="-cdrom", instead="hvparams.cdrom_image_path"),
    MachineOption(name="-fda", instead="hvparams.floppy_image_path"),
    MachineOption(name="-hdc", instead="hvparams.cdrom_image_path"),
    MachineOption(name="-m", instead="beparams.maxmem"),
    MachineOption(name="-machine", form=r"(?:type=)?[^=,]+(?:,.*)?", instead="hvparams.machine_version"),
    MachineOption(name="-nodefaults"),
    MachineOption(name="-parallel"),
    MachineOption(name="-serial", instead="hvparams.serial_console"),
    MachineOption(name="-smp", instead="beparams.vcpus"),
    MachineOption(name="-usb", instead="hvparams.usb_devices"),
    MachineOption(name="-usbdevice", instead="hvparams.usb_devices"),
    MachineOption(name="-vga", instead="hvparams.vga"),
)
"""Ganeti's QEMU makes one machine of all options; libvirt's QEMU has its devices besides, at the same places.

Source: measured on QEMU 7.2 beside the options that libvirt 9.0 gives it: the second controller, display or
drive at a place, other memory or processors stop it, the others change what the guest sees.
"""

HOST_DEVICES = "vfio-pci*"
"""Drivers of PCI devices of the host, as a pattern: QEMU opens /dev/vfio, which libvirt shows it, and lets it
use, for a hostdev only. Source: libvirt 9.0.0, qemu_namespace.c and qemu_cgroup.c.
"""

RNG_DEVICE = "virtio-rng-pci"

RNG_BACKENDS = Bijection("rng backend", [("rng-random", "random"), ("rng-builtin", "builtin")])
"""QEMU's object beside libvirt's backend."""

WATCHDOGS = Bijection("watchdog", [("i6300esb", "i6300esb"), ("ib700", "ib700")])

WATCHDOG_ACTIONS = Bijection(
    "watchdog action",
    [
        ("reset", "reset"),
        ("shutdown", "shutdown"),
        ("poweroff", "poweroff"),
        ("pause", "pause"),
        ("none", "none"),
        ("inject-nmi", "inject-nmi"),
    ],
)
"""Value of ``-watchdog-action``; without one QEMU resets."""

SYSTEM_ENTRIES = ("manufacturer", "product", "version", "serial", "sku", "family")
"""What ``-smbios type=1`` and libvirt's sysinfo both know of the system."""
