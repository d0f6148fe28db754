"""QEMU's names for what libvirt's live XML says: drivers, buses and backends, one row a kind of device.

Source: libvirt 9.0.0, src/qemu/qemu_command.c: 404 (drive addresses), 337 (PCI buses), 953 (suffixes),
1744 (disks), 2600-2860 (controllers), 3711 (interfaces), 4779 (hostdevs); src/qemu/qemu_alias.c.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from virtxlate.bijection import Bijection
from virtxlate.errors import TableError

Place = Literal["address", "virtio", "scsi", "ide", "sata", "usb", "fdc", "none"]
"""How a device is placed.

``address``: by its address alone; ``virtio``: so, too, and the driver's name ends as the address says;
``none``: QEMU has it without a -device of its own, or on no bus; the others: on a controller of that type.
"""

ANY = 99_999_999
"""Newer than every version: libvirt counts 11.3.0 as 11003000."""


class QemuDisk(msgspec.Struct, frozen=True, kw_only=True):
    """A disk of libvirt's ``bus`` and ``device``: QEMU's driver (without suffix), and how it is placed.

    ``model`` is the one word that the attribute of that name may have, off virtio; ``until`` the last libvirt
    of which the row is known.
    """

    bus: str
    device: str
    driver: str
    place: Place
    model: str = ""
    until: int = ANY


QEMU_DISKS = (
    QemuDisk(bus="virtio", device="disk", driver="virtio-blk", place="virtio"),
    QemuDisk(bus="virtio", device="lun", driver="virtio-blk", place="virtio"),
    QemuDisk(bus="scsi", device="disk", driver="scsi-hd", place="scsi"),
    QemuDisk(bus="scsi", device="cdrom", driver="scsi-cd", place="scsi"),
    QemuDisk(bus="scsi", device="lun", driver="scsi-block", place="scsi"),
    QemuDisk(bus="ide", device="disk", driver="ide-hd", place="ide"),
    QemuDisk(bus="ide", device="cdrom", driver="ide-cd", place="ide"),
    QemuDisk(bus="sata", device="disk", driver="ide-hd", place="sata"),
    QemuDisk(bus="sata", device="cdrom", driver="ide-cd", place="sata"),
    QemuDisk(bus="usb", device="disk", driver="usb-storage", place="usb", model="usb-storage"),
    QemuDisk(
        bus="usb",
        device="cdrom",
        driver="usb-storage",
        place="usb",
        model="usb-storage",
        until=11_004_999,
    ),
    QemuDisk(bus="fdc", device="floppy", driver="floppy", place="fdc"),
    QemuDisk(bus="sd", device="disk", driver="", place="none"),
)
"""libvirt 11.5 gives a USB CD-ROM another driver; its bus nvme, new then, has no row."""

VHOST_USER_DISK = QemuDisk(bus="virtio", device="disk", driver="vhost-user-blk", place="virtio")
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

NETWORK_DRIVER = "virtio-net"
"""Of the virtio models; every other model is a QEMU driver's name itself."""

NETDEV_PREFIX = "host"
"""Before the alias in the name of a NIC's backend."""

DEFAULT_INTERFACE_MODEL = "rtl8139"
"""What libvirt takes on x86 where there is no ``<model>``. Source: qemu_domain.c:5096."""


class QemuHostdev(msgspec.Struct, frozen=True, kw_only=True):
    """A host device of libvirt's ``type`` and, for mdev, ``model``: QEMU's driver, and how it is placed."""

    type: str
    model: str = ""
    driver: str
    place: Place


QEMU_HOSTDEVS = (
    QemuHostdev(type="scsi", driver="scsi-generic", place="scsi"),
    QemuHostdev(type="scsi_host", driver="vhost-scsi", place="virtio"),
    QemuHostdev(type="pci", driver="vfio-pci", place="address"),
    QemuHostdev(type="usb", driver="usb-host", place="usb"),
    QemuHostdev(type="mdev", model="vfio-pci", driver="vfio-pci", place="address"),
    QemuHostdev(type="mdev", model="vfio-ccw", driver="vfio-ccw", place="address"),
    QemuHostdev(type="mdev", model="vfio-ap", driver="vfio-ap", place="none"),
)
"""An ``<interface type='hostdev'>`` is the host device of type pci."""

RAMFB_SUFFIX = "-nohotplug"
"""End of the driver of an mdev with ``ramfb='on'``."""


class ScsiModel(msgspec.Struct, frozen=True, kw_only=True):
    """A SCSI controller model: QEMU's driver, and which attribute of a drive address is the scsi-id."""

    libvirt: str
    driver: str
    scsi_id_in: Literal["unit", "target"]
    max_scsi_id: int | None
    """Largest scsi-id that QEMU accepts, measured on QEMU 7.2; None where it was not."""
    max_lun: int | None = 0
    """Largest lun, the same way; 0 where libvirt passes none."""
    initiator_id: int | None = None
    """The scsi-id of the controller itself on a parallel bus: a guest does not look for a disk there."""
    virtio: bool = False
    """Whether queues, iothread and the like are options of its driver."""


def _virtio_scsi(libvirt: str) -> ScsiModel:
    return ScsiModel(
        libvirt=libvirt,
        driver="virtio-scsi",
        scsi_id_in="target",
        max_scsi_id=255,
        max_lun=16383,
        virtio=True,
    )


def _parallel(libvirt: str, driver: str) -> ScsiModel:
    return ScsiModel(libvirt=libvirt, driver=driver, scsi_id_in="unit", max_scsi_id=7, initiator_id=7)


SCSI_MODELS = (
    _parallel("lsilogic", "lsi"),
    _parallel("am53c974", "am53c974"),
    _parallel("dc390", "dc-390"),
    _parallel("ncr53c90", ""),
    ScsiModel(libvirt="lsisas1068", driver="mptsas1068", scsi_id_in="target", max_scsi_id=8, max_lun=1),
    ScsiModel(libvirt="lsisas1078", driver="megasas", scsi_id_in="target", max_scsi_id=64, max_lun=255),
    _virtio_scsi("virtio-scsi"),
    _virtio_scsi("virtio-transitional"),
    _virtio_scsi("virtio-non-transitional"),
    ScsiModel(libvirt="vmpvscsi", driver="pvscsi", scsi_id_in="target", max_scsi_id=64),
    ScsiModel(libvirt="ibmvscsi", driver="spapr-vscsi", scsi_id_in="target", max_scsi_id=None, max_lun=None),
)
"""An empty driver: the controller is part of the board.

Source of initiator_id: QEMU hw/scsi/lsi53c895a.c and esp.c; Linux drivers/scsi/scsi_scan.c, which does not
scan the id of the host adapter.
"""

DEFAULT_SCSI_MODEL = "lsilogic"
"""What libvirt takes on x86 where no model is named. Source: qemu_domain_address.c:52."""

SWITCHED_BUSES = {"vd": "virtio", "sd": "scsi", "hd": "ide", "fd": "fdc"}
"""First letters of a target to the bus that libvirt takes where none is named. Source: domain_postparse.c."""

PCI_ROOTS = {"pci-root": "pci.0", "pcie-root": "pcie.0"}
"""Model of the PCI controller with index 0 to QEMU's bus; a user alias on it changes nothing (337)."""

PCI_BUSES = frozenset(
    {
        "pci-root",
        "pci-bridge",
        "pci-expander-bus",
        "dmi-to-pci-bridge",
        "pcie-to-pci-bridge",
        "pcie-root-port",
        "pcie-switch-upstream-port",
        "pcie-switch-downstream-port",
        "pcie-expander-bus",
    }
)
"""PCI controllers of another index than 0 whose bus has the name of the controller (337)."""

PCI_HOST_BRIDGE = "pci-root"
"""Of another index than 0 it is a host bridge of pSeries, whose bus is the alias and ``.0`` (337)."""

PCI_PORTS = frozenset({"pcie-root-port", "pcie-switch-downstream-port"})
"""PCI controllers with room for one device, in slot 0."""

BOARD_SLOTS = {"pc": frozenset({0, 1}), "q35": frozenset({0, 0x1F})}
"""Slots of PCI bus 0 that the board holds: host bridge, ISA and its functions (qemu_domain_address.c)."""

CONTROLLER_ALIASES = {"pci": "pci.{index}", "scsi": "scsi{index}", "sata": "sata{index}", "usb": "usb{index}"}
"""libvirt's own alias of a controller; inactive XML has none."""

IDE_BUS = "ide"
"""Before the number of the channel."""

ON_BOARD_ALIASES = {"sata": "ide", "scsi": "scsi", "usb": "usb"}
"""The same where the board may bring the controller of index 0: SATA on q35, SCSI without a driver."""


class DriveNode(msgspec.Struct, frozen=True, kw_only=True):
    """How libvirt names the node that a disk's ``drive=`` refers to, for versions ``since`` to ``until``.

    The name is ``libvirt-INDEX`` and ``raw`` or ``other``, by the format of the image; an empty one is not
    known. ``raw`` holds for machine types from ``raw_needs_machine`` on and below ``raw_below_machine``:
    their versions prove, or do not disprove, the QEMU that it takes. ``unless``: parts of a disk that put
    another node on top; ``raw_unless``: the same, of its source and for raw images only.
    """

    since: int
    until: int
    raw: str
    other: str
    raw_needs_machine: tuple[int, int] | None = None
    raw_below_machine: tuple[int, int] | None = None
    unless: tuple[str, ...] = ()
    raw_unless: tuple[str, ...] = ()


NOT_TOLD = 0
"""The version of a libvirt that nobody told."""

DRIVE_NODES = (
    DriveNode(
        since=NOT_TOLD,
        until=NOT_TOLD,
        raw="-format",
        other="-format",
        raw_below_machine=(9, 0),
        unless=("throttlefilters",),
    ),
    DriveNode(since=1, until=9_000_999, raw="-format", other="-format"),
    DriveNode(
        since=9_001_000,
        until=11_002_999,
        raw="",
        other="-format",
        unless=("throttlefilters",),
    ),
    DriveNode(
        since=11_003_000,
        until=ANY,
        raw="-storage",
        other="-format",
        raw_needs_machine=(9, 0),
        unless=("throttlefilters",),
        raw_unless=("slices", "encryption"),
    ),
)
"""Which release dropped the format layer of raw images is not known here; it needs QEMU 9.0. The first row
is for XML without a version: that of 9.0, unless the document itself shows something newer.

Source: libvirt 11.3.0, src/qemu/qemu_block.c:3511.
"""

NODE_PREFIX = "libvirt-"
"""Before the index of a source in the name of its node."""

COPY_ON_READ_PREFIX = "libvirt-CoR-"
"""Before the target of a disk in the name of the node that copies on read."""

DISKS_BY_WORDS = {(row.bus, row.device): row for row in QEMU_DISKS}
HOSTDEVS_BY_WORDS = {(row.type, row.model): row for row in QEMU_HOSTDEVS}
SCSI_BY_MODEL = {row.libvirt: row for row in SCSI_MODELS}
for _rows, _by in (
    (QEMU_DISKS, DISKS_BY_WORDS),
    (QEMU_HOSTDEVS, HOSTDEVS_BY_WORDS),
    (SCSI_MODELS, SCSI_BY_MODEL),
):
    if len(_rows) != len(_by):
        raise TableError("qemu: a bus and device, a type of host device, or a model appears in two rows")
