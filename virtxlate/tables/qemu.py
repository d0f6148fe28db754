"""QEMU's names for what libvirt's live XML says: drivers, buses and backends, one row a kind of device.

Source: libvirt 9.0.0, src/qemu/qemu_command.c: 404 (drive addresses), 337 (PCI buses), 953 (suffixes),
1744 (disks), 2600-2860 (controllers), 3711 (interfaces), 4779 (hostdevs); src/qemu/qemu_alias.c.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from virtxlate.bijection import Bijection
from virtxlate.errors import TableError

Place = Literal["suffix", "scsi", "ide", "sata", "usb", "fdc", "none"]
"""How a device is placed: ``suffix`` by its address alone, the others on a controller of that type."""


class QemuDisk(msgspec.Struct, frozen=True, kw_only=True):
    """A disk of libvirt's ``bus`` and ``device``: QEMU's driver (without suffix), and how it is placed."""

    bus: str
    device: str
    driver: str
    place: Place


QEMU_DISKS = (
    QemuDisk(bus="virtio", device="disk", driver="virtio-blk", place="suffix"),
    QemuDisk(bus="virtio", device="lun", driver="virtio-blk", place="suffix"),
    QemuDisk(bus="scsi", device="disk", driver="scsi-hd", place="scsi"),
    QemuDisk(bus="scsi", device="cdrom", driver="scsi-cd", place="scsi"),
    QemuDisk(bus="scsi", device="lun", driver="scsi-block", place="scsi"),
    QemuDisk(bus="ide", device="disk", driver="ide-hd", place="ide"),
    QemuDisk(bus="ide", device="cdrom", driver="ide-cd", place="ide"),
    QemuDisk(bus="sata", device="disk", driver="ide-hd", place="sata"),
    QemuDisk(bus="sata", device="cdrom", driver="ide-cd", place="sata"),
    QemuDisk(bus="usb", device="disk", driver="usb-storage", place="usb"),
    QemuDisk(bus="usb", device="cdrom", driver="usb-storage", place="usb"),
    QemuDisk(bus="fdc", device="floppy", driver="floppy", place="fdc"),
    QemuDisk(bus="sd", device="disk", driver="", place="none"),
)
"""An empty driver: the disk has no -device of its own."""

VHOST_USER_DISK = QemuDisk(bus="virtio", device="disk", driver="vhost-user-blk", place="suffix")
"""What ``<disk type='vhostuser'>`` is instead of virtio-blk; it has a chardev and no drive."""

ADDRESS_SUFFIXES = Bijection("address type", [("pci", "-pci"), ("ccw", "-ccw"), ("virtio-mmio", "-device")])
"""The type of the address, not the bus, decides on the end of a virtio driver's name."""

VIRTIO_MODELS = Bijection(
    "virtio model",
    [
        ("virtio", ""),
        ("virtio-transitional", "-transitional"),
        ("virtio-non-transitional", "-non-transitional"),
    ],
)
"""libvirt's model to the last part of the driver's name."""

DEFAULT_INTERFACE_MODEL = "rtl8139"
"""What libvirt takes on x86 where there is no ``<model>``. Source: qemu_domain.c:5096."""

HOSTDEV_INTERFACE_DRIVER = "vfio-pci"
HOSTDEV_SCSI_DRIVER = "scsi-generic"
HOSTDEV_VHOST_DRIVER = "vhost-scsi"

UNPLACED_INTERFACE_MODELS = {"usb-net": "libvirt gives a USB network card no address"}
"""Models that stand on no bus that the XML names."""


class ScsiModel(msgspec.Struct, frozen=True, kw_only=True):
    """A SCSI controller model: QEMU's driver, and which attribute of a drive address is the scsi-id."""

    libvirt: str
    driver: str
    scsi_id_in: Literal["unit", "target"]


SCSI_MODELS = (
    ScsiModel(libvirt="lsilogic", driver="lsi", scsi_id_in="unit"),
    ScsiModel(libvirt="am53c974", driver="am53c974", scsi_id_in="unit"),
    ScsiModel(libvirt="dc390", driver="dc-390", scsi_id_in="unit"),
    ScsiModel(libvirt="ncr53c90", driver="", scsi_id_in="unit"),
    ScsiModel(libvirt="lsisas1068", driver="mptsas1068", scsi_id_in="target"),
    ScsiModel(libvirt="lsisas1078", driver="megasas", scsi_id_in="target"),
    ScsiModel(libvirt="virtio-scsi", driver="virtio-scsi", scsi_id_in="target"),
    ScsiModel(libvirt="virtio-transitional", driver="virtio-scsi", scsi_id_in="target"),
    ScsiModel(libvirt="virtio-non-transitional", driver="virtio-scsi", scsi_id_in="target"),
    ScsiModel(libvirt="vmpvscsi", driver="pvscsi", scsi_id_in="target"),
    ScsiModel(libvirt="ibmvscsi", driver="spapr-vscsi", scsi_id_in="target"),
)
"""An empty driver: the controller is part of the board."""

PCI_ROOTS = {"pci-root": "pci.0", "pcie-root": "pcie.0"}
"""Model of the PCI controller with index 0 to QEMU's bus; a user alias on it changes nothing (337)."""


PCI_PORTS = frozenset({"pcie-root-port", "pcie-switch-downstream-port"})
"""PCI controllers with room for one device, in slot 0."""


class DriveNode(msgspec.Struct, frozen=True, kw_only=True):
    """How libvirt names the node that a disk's ``drive=`` refers to, for versions ``since`` to ``until``."""

    since: int
    until: int
    raw: str
    other: str


DRIVE_NODES = (
    DriveNode(since=0, until=9_000_999, raw="libvirt-{index}-format", other="libvirt-{index}-format"),
    DriveNode(
        since=11_003_000, until=99_999_999, raw="libvirt-{index}-storage", other="libvirt-{index}-format"
    ),
)
"""Between these libvirt dropped the format layer of raw images; which release did is not known here."""

COPY_ON_READ_NODE = "libvirt-CoR-{target}"

DISKS_BY_WORDS = {(row.bus, row.device): row for row in QEMU_DISKS}
SCSI_BY_MODEL = {row.libvirt: row for row in SCSI_MODELS}
if len(DISKS_BY_WORDS) != len(QEMU_DISKS) or len(SCSI_BY_MODEL) != len(SCSI_MODELS):
    raise TableError("qemu: a bus and device, or a controller model, appears in two rows")
