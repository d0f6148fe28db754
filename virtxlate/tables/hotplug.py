"""What libvirt and QEMU can do to a running guest: which buses take devices, which fields change in place."""

from __future__ import annotations

from enum import StrEnum

from virtxlate.errors import TableError

HOTPLUG_BUSES = frozenset({"virtio", "scsi", "usb"})
NO_HOTPLUG = {
    "ide": "an IDE bus has no hot-plug",
    "sata": "libvirt does not hot-plug on SATA",
    "fdc": "a floppy controller has no hot-plug",
    "sd": "an SD card has no hot-plug under libvirt",
}
"""Disk bus to the reason why a running guest gains or loses no disk on it.

Source: libvirt 9.0.0, src/qemu/qemu_hotplug.c:885, 5850.
"""

PCIE_INTERFACES = frozenset({"virtio"})
PCIE_SCSI = frozenset({"virtio-scsi"})
"""Models of Ganeti's that may stand in a PCI Express port, as virtio disks do; all others of Ganeti's want a
conventional PCI bus.

Source: libvirt 9.0.0, src/qemu/qemu_domain_address.c, qemuDomainDeviceCalculatePCIConnectFlags.
"""

TELLING_SCSI = frozenset({"virtio-scsi", "virtio-transitional", "virtio-non-transitional", "vmpvscsi"})
"""Models of SCSI controller that tell a running guest of a disk that comes, goes or grows; others do not.

Source: QEMU 7.2, hw/scsi/virtio-scsi.c, vmw_pvscsi.c; lsilogic and lsisas1078 seen in a Linux 6.1 guest.
"""

CONVENTIONAL_BRIDGES = frozenset({"pci-bridge", "pcie-to-pci-bridge"})
"""PCI controllers of q35 that take conventional devices while the guest runs, from slot 1.

A dmi-to-pci-bridge does not. Source: libvirt 9.0.0, src/conf/domain_addr.c, virDomainPCIAddressBusSetModel.
"""


class How(StrEnum):
    """How a field of a device changes while the guest runs."""

    UPDATE = "update"
    """In place, by updateDeviceFlags."""
    REPLACE = "replace"
    """The device leaves and comes back into the same place."""


INTERFACE_CHANGES = {
    "type": How.REPLACE,
    "mac": How.REPLACE,
    "bridge": How.UPDATE,
    "network": How.UPDATE,
    "virtualport": How.REPLACE,
    "vlan": How.UPDATE,
    "script": How.REPLACE,
    "model": How.REPLACE,
    "driver": How.REPLACE,
    "queues": How.REPLACE,
    **dict.fromkeys(
        (f"{side}_{name}" for side in ("host", "guest") for name in ("csum", "tso4", "tso6", "ecn", "ufo")),
        How.REPLACE,
    ),
    "boot_order": How.REPLACE,
    "acpi_index": How.REPLACE,
    "alias": How.REPLACE,
    "address": How.REPLACE,
}
"""Field of an interface to how it changes. Source: libvirt 9.0.0, src/qemu/qemu_hotplug.c:3469."""

DISK_CHANGES = {
    "type": How.REPLACE,
    "device": How.REPLACE,
    "rawio": How.REPLACE,
    "sgio": How.REPLACE,
    "driver_name": How.REPLACE,
    "driver_type": How.REPLACE,
    "cache": How.REPLACE,
    "io": How.REPLACE,
    "discard": How.REPLACE,
    "detect_zeroes": How.REPLACE,
    "iothread": How.REPLACE,
    "source": How.REPLACE,
    "target": How.REPLACE,
    "bus": How.REPLACE,
    "readonly": How.REPLACE,
    "shareable": How.REPLACE,
    "boot_order": How.REPLACE,
    "alias": How.REPLACE,
    "address": How.REPLACE,
}
"""Field of a disk to how it changes. Source: libvirt 9.0.0, src/qemu/qemu_domain.c:8052."""

NIC_FIELDS: dict[str, tuple[str, ...]] = {
    "mac": ("mac",),
    "mode": ("type", "virtualport", "script"),
    "link": ("bridge", "network"),
    "vlan": ("vlan",),
    "ip": (),
    "name": (),
    "network": (),
}
"""Field of Ganeti's NIC that can change to the fields of an interface that it decides."""

DISK_FIELDS: dict[str, tuple[str, ...]] = {
    "mode": ("readonly",),
    "name": (),
    "size_mib": (),
    **dict.fromkeys(
        ("template", "logical_id", "params", "minor", "link", "uri", "device"),
        ("type", "source"),
    ),
}
"""Field of Ganeti's disk that can change to the fields of a disk that it decides."""

MEDIA_DEVICES = frozenset({"cdrom", "floppy"})
"""Kinds of drives whose medium changes in place."""

LINK_STATES = ("up", "down")

for _fields, _changes in ((NIC_FIELDS, INTERFACE_CHANGES), (DISK_FIELDS, DISK_CHANGES)):
    if not {name for names in _fields.values() for name in names} <= _changes.keys():
        raise TableError("NIC_FIELDS, DISK_FIELDS: a field is decided, and nothing tells how it changes")
if HOTPLUG_BUSES & NO_HOTPLUG.keys():
    raise TableError("HOTPLUG_BUSES: a bus is both hot-pluggable and not")
