"""Why each part of a domain is written: the Ganeti fields that cause it, or the reason where none does.

A field is a dotted path into an instance; ``disks[]`` and ``nics[]`` stand for the device at hand, and a
field that ends in ``?`` causes something only where it is set.
"""

from __future__ import annotations

import msgspec


class Cause(msgspec.Struct, frozen=True):
    """What causes one path of the document."""

    path: str
    """Below ``<domain>``."""
    fields: tuple[str, ...]
    reason: str = ""
    variant: str = ""
    """The bus of a disk, or the type of an interface, when the row is of those only."""
    placing: tuple[str, ...] = ()
    """Fields that count only where the device came without an address, and got one."""
    renamed_by: tuple[str, ...] = ()
    """Tables of the map file that may have given the value."""


_DISK, _NIC, _HOSTDEV = "devices/disk", "devices/interface", "devices/hostdev"
_CPU_FIELDS = ("beparams.vcpus", "hvparams.cpu_sockets", "hvparams.cpu_cores", "hvparams.cpu_threads")
_ACCESS = ("disks[].template", "disks[].params.access?")
_SOURCE_FIELDS = (
    *_ACCESS,
    "disks[].logical_id",
    "disks[].minor?",
    "disks[].params.pool?",
    "disks[].params.volume?",
    "disks[].device?",
    "disks[].uri?",
)
_QEMU = "{http://libvirt.org/schemas/domain/qemu/1.0}"
_FREE_SLOT = "QEMU gives it the lowest free slot"

CAUSES = (
    Cause("@type", (), "option --domain-type; kvm is what Ganeti runs"),
    Cause("name", ("name",)),
    Cause("uuid", ("uuid",)),
    Cause("metadata", (), "the Ganeti objects, for the way back"),
    Cause("memory", ("beparams.maxmem",)),
    Cause(
        "currentMemory",
        ("oper_ram_mib?", "beparams.maxmem"),
        "the guest starts with all of it, unless the data tells that the balloon leaves it less",
    ),
    Cause("vcpu", ("beparams.vcpus",)),
    Cause("iothreads", ("hvparams.virtio_disk_iothreads", "hvparams.disk_aio", "beparams.vcpus")),
    Cause("os/type/@machine", ("hvparams.machine_version",)),
    Cause("os/type", (), "Ganeti's KVM instances are x86_64 PCs"),
    Cause("os/bootmenu", ("hvparams.kvm_extra",)),
    Cause("os/smbios", ("hvparams.kvm_extra",)),
    Cause("sysinfo", ("hvparams.kvm_extra",)),
    Cause("os/kernel", ("hvparams.kernel_path",)),
    Cause("os/initrd", ("hvparams.initrd_path",)),
    Cause(
        "os/cmdline",
        ("hvparams.root_path", "hvparams.kernel_args", "hvparams.serial_console", "hvparams.serial_speed"),
    ),
    Cause("features", ("hvparams.acpi",)),
    Cause("cpu/topology", _CPU_FIELDS, "as QEMU completes -smp for this machine"),
    Cause("cpu", ("hvparams.cpu_type",), "QEMU's default model where cpu_type is empty"),
    Cause("memoryBacking", ("hvparams.mem_path",)),
    Cause("vcpu/@cpuset", ("hvparams.cpu_mask",)),
    Cause("seclabel", ("hvparams.security_model", "hvparams.security_domain"), renamed_by=("users",)),
    Cause("cputune", ("hvparams.cpu_mask",)),
    Cause("clock", ("hvparams.use_localtime",)),
    Cause("on_poweroff", (), "a guest that powers off is gone, as under Ganeti"),
    Cause("on_reboot", ("hvparams.reboot_behavior",)),
    Cause("on_crash", (), "Ganeti has QEMU's default"),
    Cause("devices/emulator", ("hvparams.kvm_path",)),
    Cause(f"{_DISK}/@type", _ACCESS),
    Cause(f"{_DISK}/@device", ("hvparams.disk_type",)),
    Cause(
        f"{_DISK}/driver/@cache",
        ("hvparams.disk_cache", "disks[].template"),
        "blockdev, ext, gluster and sharedfile are never cached",
    ),
    Cause(f"{_DISK}/driver/@io", ("hvparams.disk_aio",)),
    Cause(f"{_DISK}/driver/@discard", ("hvparams.disk_discard",)),
    Cause(f"{_DISK}/driver/@iothread", ("hvparams.virtio_disk_iothreads",), "the threads in turn"),
    Cause("devices/controller/driver", ("hvparams.virtio_disk_iothreads",), "all disks on it"),
    Cause(f"{_DISK}/driver", (), "Ganeti's disks are raw"),
    Cause(f"{_DISK}/source/host", ("disks[].params.host?", "disks[].params.port?", "disks[].uri?")),
    Cause(f"{_DISK}/source/auth", ("disks[].params.user-id?", "disks[].uri?"), renamed_by=("secrets",)),
    Cause(f"{_DISK}/source/initiator", ("disks[].uri?",), renamed_by=("initiators",)),
    Cause(f"{_DISK}/source", _SOURCE_FIELDS, renamed_by=("disks", "paths", "pools")),
    Cause(f"{_DISK}/target", ("hvparams.disk_type",), "named in the order of the disks"),
    Cause(f"{_DISK}/readonly", ("disks[].mode", "hvparams.disk_type")),
    Cause(f"{_DISK}/boot", ("hvparams.boot_order",)),
    Cause(f"{_DISK}/alias", ("disks[].hvinfo?",), "Ganeti's device id", placing=("disks[].uuid",)),
    Cause(
        f"{_DISK}/address",
        ("disks[].hvinfo?",),
        "disks before NICs, lowest free slot",
        placing=("hvparams.kvm_pci_reservations",),
    ),
    Cause(
        f"{_DISK}/address",
        ("disks[].hvinfo?", "hvparams.scsi_controller_type"),
        "lowest free SCSI id; the controller's model decides which attribute holds it",
        variant="scsi",
    ),
    Cause(f"{_DISK}/address", ("hvparams.disk_type",), "in the order of the drives", variant="ide"),
    Cause(_HOSTDEV, ("hvparams.disk_type",), "scsi-generic is a host device to libvirt"),
    Cause(f"{_HOSTDEV}/source/auth", ("disks[].uri?",), renamed_by=("secrets",)),
    Cause(f"{_HOSTDEV}/source/initiator", ("disks[].uri?",), renamed_by=("initiators",)),
    Cause(f"{_HOSTDEV}/source", _SOURCE_FIELDS, "where the SCSI map has the device"),
    Cause(f"{_HOSTDEV}/readonly", ("disks[].mode",)),
    Cause(f"{_HOSTDEV}/boot", ("hvparams.boot_order",)),
    Cause(f"{_HOSTDEV}/alias", ("disks[].hvinfo?",), "Ganeti's device id", placing=("disks[].uuid",)),
    Cause(
        f"{_HOSTDEV}/address",
        ("disks[].hvinfo?", "hvparams.scsi_controller_type"),
        "lowest free SCSI id; the controller's model decides which attribute holds it",
    ),
    Cause(f"{_NIC}/acpi", ("hvparams.machine_version",), "a q35 numbers its NICs: eno1 is the first"),
    Cause("devices/controller/address", ("hvparams.scsi_controller_type",), _FREE_SLOT),
    Cause(
        "devices/controller",
        ("hvparams.disk_type", "hvparams.cdrom_disk_type?", "hvparams.scsi_controller_type"),
    ),
    Cause(f"{_NIC}/@type", ("nics[].mode",)),
    Cause(
        f"{_NIC}/@type",
        ("nics[].mode", "nics[].link"),
        "the map names a libvirt network for this link",
        variant="network",
    ),
    Cause(f"{_NIC}/mac", ("nics[].mac",)),
    Cause(f"{_NIC}/source", ("nics[].link",), renamed_by=("bridges", "switches")),
    Cause(f"{_NIC}/source", ("nics[].link", "nics[].vlan?"), renamed_by=("networks",), variant="network"),
    Cause(f"{_NIC}/virtualport/parameters", ("nics[].uuid",)),
    Cause(f"{_NIC}/virtualport", ("nics[].mode",)),
    Cause(f"{_NIC}/vlan", ("nics[].vlan",)),
    Cause(f"{_NIC}/script", ("nics[].mode",), renamed_by=("scripts",)),
    Cause(f"{_NIC}/model", ("hvparams.nic_type",)),
    Cause(f"{_NIC}/driver/@queues", ("hvparams.virtio_net_queues", "beparams.vcpus")),
    Cause(f"{_NIC}/driver/host", ("hvparams.vnet_hdr",), "without the header QEMU offers no offloads"),
    Cause(f"{_NIC}/driver/guest", ("hvparams.vnet_hdr",), "without the header QEMU offers no offloads"),
    Cause(f"{_NIC}/driver", ("hvparams.vhost_net",)),
    Cause(f"{_NIC}/boot", ("hvparams.boot_order",)),
    Cause(f"{_NIC}/alias", ("nics[].hvinfo?",), "Ganeti's device id", placing=("nics[].uuid",)),
    Cause(
        f"{_NIC}/address",
        ("nics[].hvinfo?",),
        "after the disks, lowest free slot",
        placing=("hvparams.kvm_pci_reservations",),
    ),
    Cause("devices/serial", ("hvparams.serial_console",)),
    Cause("devices/console", ("hvparams.serial_console",)),
    Cause("devices/channel", ("hvparams.spice_use_vdagent", "hvparams.use_guest_agent")),
    Cause(
        "devices/input",
        ("hvparams.usb_mouse", "hvparams.usb_devices", "hvparams.vnc_bind_address"),
        "VNC without a usb_mouse has a tablet",
    ),
    Cause("devices/hub", ("hvparams.usb_devices",), "QEMU puts a hub where the ports do not suffice"),
    Cause("devices/graphics/@keymap", ("hvparams.keymap",)),
    Cause(
        "devices/graphics/@passwd",
        ("hvparams.vnc_password_file?", "hvparams.spice_password_file?"),
        "empty: nobody can connect until one is set",
    ),
    Cause("devices/graphics/@port", ("network_port",)),
    Cause("devices/graphics/@tlsPort", ("network_port", "hvparams.spice_use_tls")),
    Cause("devices/graphics/@defaultMode", ("hvparams.spice_use_tls",)),
    Cause("devices/graphics/image", ("hvparams.spice_image_compression",)),
    Cause("devices/graphics/jpeg", ("hvparams.spice_jpeg_wan_compression",)),
    Cause("devices/graphics/zlib", ("hvparams.spice_zlib_glz_wan_compression",)),
    Cause("devices/graphics/playback", ("hvparams.spice_playback_compression",)),
    Cause("devices/graphics/streaming", ("hvparams.spice_streaming_video",)),
    Cause("devices/graphics/mouse", ("hvparams.spice_use_vdagent",)),
    Cause(
        "devices/graphics",
        ("hvparams.vnc_bind_address", "hvparams.spice_bind"),
        renamed_by=("addresses",),
    ),
    Cause("devices/rng", ("hvparams.kvm_extra",)),
    Cause("devices/watchdog", ("hvparams.kvm_extra",)),
    Cause("devices/sound/address", (), _FREE_SLOT),
    Cause("devices/sound", ("hvparams.soundhw",)),
    Cause(
        "{http://libvirt.org/schemas/domain/qemu/1.0}commandline",
        ("hvparams.cpu_type", "hvparams.spice_tls_ciphers", "hvparams.usb_devices", "hvparams.kvm_extra"),
        "libvirt has no element for it",
    ),
    Cause("devices/parallel", (), "QEMU adds a parallel port for Ganeti"),
    Cause("devices/video/address", (), _FREE_SLOT),
    Cause("devices/video", ("hvparams.vga", "hvparams.spice_bind"), "QEMU's default VGA where vga is empty"),
    Cause("devices/memballoon/address", (), _FREE_SLOT),
    Cause("devices/memballoon", (), "Ganeti always asks for a balloon"),
    Cause(f"{_QEMU}override", (), "what QEMU's devices have under Ganeti, and libvirt has no word for"),
)
"""Looked up by the longest path that fits, and there by variant first."""

WHOLE_DEVICES = {
    row.variant: row
    for row in (
        Cause(
            _DISK,
            ("hvparams.cdrom_image_path", "hvparams.cdrom_disk_type", "hvparams.boot_order"),
            variant="cdrom_image_path",
            renamed_by=("paths",),
        ),
        Cause(
            _DISK,
            ("hvparams.cdrom2_image_path", "hvparams.cdrom_disk_type", "hvparams.boot_order"),
            variant="cdrom2_image_path",
            renamed_by=("paths",),
        ),
        Cause(
            _DISK,
            ("hvparams.floppy_image_path", "hvparams.boot_order"),
            variant="floppy_image_path",
            renamed_by=("paths",),
        ),
    )
}
"""What one drive as a whole is caused by, by the hvparam of its image."""

FIXED_CAUSES = {
    "pci": "on a q35 Ganeti gives every disk and NIC a root port, and keeps those of others free",
    "usb": "Ganeti always passes -usb to a pc: its own USB controller; a q35 has one for a USB device",
    "floppy": "QEMU adds an empty floppy drive for Ganeti",
    "cdrom": "QEMU adds an empty CD-ROM drive for Ganeti",
}
"""What Ganeti's QEMU has without any parameter, by controller type or disk device."""
