"""Why each part of a domain is written: the Ganeti fields that cause it, or the reason where none does.

A row is (path below ``<domain>``, fields, reason). ``disks[]`` and ``nics[]`` stand for the device at hand.
"""

from __future__ import annotations

import msgspec


class Cause(msgspec.Struct, frozen=True):
    """What causes one path of the document."""

    path: str
    fields: tuple[str, ...]
    reason: str = ""


_DISK, _NIC = "devices/disk", "devices/interface"
_CPU_FIELDS = ("beparams.vcpus", "hvparams.cpu_sockets", "hvparams.cpu_cores", "hvparams.cpu_threads")
_SOURCE_FIELDS = ("disks[].template", "disks[].logical_id", "disks[].params")
_KERNEL = "kernel given directly"

CAUSES = (
    Cause("@type", (), "option --domain-type; kvm is what Ganeti runs"),
    Cause("name", ("name",)),
    Cause("uuid", ("uuid",)),
    Cause("metadata", (), "the Ganeti objects, for the way back"),
    Cause("memory", ("beparams.maxmem",)),
    Cause("currentMemory", ("beparams.maxmem",), "the guest starts with all of it, as under Ganeti"),
    Cause("vcpu", ("beparams.vcpus",)),
    Cause("os/type/@machine", ("hvparams.machine_version",)),
    Cause("os/type", (), "Ganeti's KVM instances are x86_64 PCs"),
    Cause("os/kernel", ("hvparams.kernel_path",)),
    Cause("os/initrd", ("hvparams.initrd_path",)),
    Cause(
        "os/cmdline",
        ("hvparams.root_path", "hvparams.kernel_args", "hvparams.serial_console", "hvparams.serial_speed"),
    ),
    Cause("os", (), "what boots"),
    Cause("features", ("hvparams.acpi",)),
    Cause("cpu/topology", _CPU_FIELDS, "as QEMU completes -smp for this machine"),
    Cause("cpu", ("hvparams.cpu_type",), "QEMU's default model"),
    Cause("clock", ("hvparams.use_localtime",)),
    Cause("on_poweroff", (), "a guest that powers off is gone, as under Ganeti"),
    Cause("on_reboot", ("hvparams.reboot_behavior",)),
    Cause("on_crash", (), "Ganeti has QEMU's default"),
    Cause("devices/emulator", ("hvparams.kvm_path",)),
    Cause(f"{_DISK}/@type", ("disks[].template", "disks[].params")),
    Cause(f"{_DISK}/@device", ("hvparams.disk_type",)),
    Cause(
        f"{_DISK}/driver/@cache",
        ("hvparams.disk_cache", "disks[].template"),
        "shared storage is never cached",
    ),
    Cause(f"{_DISK}/driver/@io", ("hvparams.disk_aio",)),
    Cause(f"{_DISK}/driver/@discard", ("hvparams.disk_discard",)),
    Cause(f"{_DISK}/driver", (), "Ganeti's disks are raw"),
    Cause(f"{_DISK}/source", _SOURCE_FIELDS),
    Cause(f"{_DISK}/target", ("hvparams.disk_type",), "named in the order of the disks"),
    Cause(f"{_DISK}/readonly", ("disks[].mode", "hvparams.disk_type")),
    Cause(f"{_DISK}/boot", ("hvparams.boot_order",)),
    Cause(f"{_DISK}/alias", ("disks[].uuid", "disks[].hvinfo"), "Ganeti's device id"),
    Cause(
        f"{_DISK}/address",
        (
            "disks[].hvinfo",
            "hvparams.disk_type",
            "hvparams.scsi_controller_type",
            "hvparams.kvm_pci_reservations",
        ),
        "disks before NICs, lowest free place",
    ),
    Cause(_DISK, (), "one disk"),
    Cause("devices/controller", ("hvparams.disk_type", "hvparams.scsi_controller_type")),
    Cause(f"{_NIC}/@type", ("nics[].mode",)),
    Cause(f"{_NIC}/mac", ("nics[].mac",)),
    Cause(f"{_NIC}/source", ("nics[].link",)),
    Cause(f"{_NIC}/virtualport/parameters", ("nics[].uuid",)),
    Cause(f"{_NIC}/virtualport", ("nics[].mode",)),
    Cause(f"{_NIC}/vlan", ("nics[].vlan",)),
    Cause(f"{_NIC}/script", ("nics[].mode",), "table [scripts] of the map"),
    Cause(f"{_NIC}/model", ("hvparams.nic_type",)),
    Cause(f"{_NIC}/driver/@queues", ("hvparams.virtio_net_queues",)),
    Cause(f"{_NIC}/driver", ("hvparams.vhost_net",)),
    Cause(f"{_NIC}/boot", ("hvparams.boot_order",)),
    Cause(f"{_NIC}/alias", ("nics[].uuid", "nics[].hvinfo"), "Ganeti's device id"),
    Cause(
        f"{_NIC}/address",
        ("nics[].hvinfo", "hvparams.kvm_pci_reservations"),
        "after the disks, lowest free slot",
    ),
    Cause(_NIC, (), "one NIC"),
    Cause("devices/serial", ("hvparams.serial_console",)),
    Cause("devices/console", ("hvparams.serial_console",)),
    Cause("devices/parallel", (), "QEMU adds a parallel port for Ganeti"),
    Cause("devices/video", ("hvparams.vga",), "QEMU's default VGA where vga is empty"),
    Cause("devices/memballoon", (), "Ganeti always asks for a balloon; lowest free slot"),
    Cause("devices", (), "the devices"),
)
"""Looked up by the longest path that fits."""

FIXED_CAUSES = {
    "usb": "Ganeti always passes -usb: the USB controller of the PIIX3",
    "floppy": "QEMU adds an empty floppy drive for Ganeti",
    "cdrom": "QEMU adds an empty CD-ROM drive for Ganeti",
}
"""What Ganeti's QEMU has without any parameter, by controller type or disk device."""
