"""Ganeti's words: templates, types, modes, and the drivers that Ganeti itself asks QEMU for.

Source: Ganeti 3.2 alpha (c35736d8a), src/Ganeti/Constants.hs and lib/hypervisor/hv_kvm.
"""

from __future__ import annotations

DISK_TEMPLATES = ("plain", "drbd", "file", "sharedfile", "blockdev", "rbd", "ext", "gluster")
"""Templates that have disk objects; ``diskless`` has none, ``mixed`` is only computed."""
LEGACY_TEMPLATES = {"lvm": "plain", "drbd8": "drbd"}
"""dev_type up to 2.8, and in runtime files until today. Source: lib/objects.py:945."""
FILE_TEMPLATES = frozenset({"file", "sharedfile", "gluster"})
"""Templates whose device is a regular file. Source: Constants.hs dtsFilebased."""
USERSPACE_TEMPLATES = frozenset({"rbd", "gluster", "ext"})
"""Templates that QEMU can open without the kernel. Source: Constants.hs dtsHaveAccess."""
UNCACHED_TEMPLATES = frozenset({"diskless", "blockdev", "ext", "sharedfile", "gluster"})
"""Shared storage: Ganeti forces disk_cache to none. Source: lib/hypervisor/hv_kvm/kvm_utils.py:138."""

CLUSTER_ONLY_HVPARAMS = frozenset({"migration_bandwidth", "migration_mode", "migration_port"})
"""Deleted from instance.hvparams when a config is loaded. Source: Constants.hs:4196, lib/objects.py:1302."""

DISK_DRIVERS = {
    "paravirtual": "virtio-blk-pci",
    "ide": "ide",
    "scsi-hd": "scsi-hd",
    "scsi-cd": "scsi-cd",
    "scsi-block": "scsi-block",
    "scsi-generic": "scsi-generic",
    "scsi": "scsi",
    "sd": "sd",
    "mtd": "mtd",
    "pflash": "pflash",
}
"""disk_type to the driver in hvinfo; for ide Ganeti keeps the word of the parameter."""
SCSI_DISK_TYPES = frozenset({"scsi-generic", "scsi-block", "scsi-cd", "scsi-hd"})
"""Disk types that are placed on the SCSI bus; all others, ide included, take a PCI slot."""
PASSTHROUGH_DISK_TYPES = frozenset({"scsi-generic", "scsi-block"})
"""Disk types whose guest talks to the device itself."""
NO_SCSI_TEMPLATES = frozenset({"plain", "drbd", "rbd"})
"""Templates whose device is device mapper, DRBD or RBD: none takes SCSI commands."""

NIC_DRIVERS = {
    "paravirtual": "virtio-net-pci",
    "e1000": "e1000",
    "i82551": "i82551",
    "i82557b": "i82557b",
    "i82559er": "i82559er",
    "ne2k_isa": "ne2k_isa",
    "ne2k_pci": "ne2k_pci",
    "pcnet": "pcnet",
    "rtl8139": "rtl8139",
}
"""nic_type to the QEMU driver."""

NIC_MODES = ("bridged", "routed", "openvswitch", "ext")
URL_SCHEMES = ("http", "https", "ftp", "ftps")
"""Of a CD-ROM or floppy image. Source: lib/utils (IsUrl)."""
PCI_BUS = "pci.0"
SCSI_BUS = "scsi.0"
PCI_SLOTS = 32
SCSI_TARGETS = 16
"""Sizes of Ganeti's two pools. Source: lib/hypervisor/hv_kvm/bus_manager.py."""

LINK_DIRECTORY = "/var/run/ganeti/instance-disks"
"""Where Ganeti links the disks of a running instance, as NAME:INDEX. Source: lib/backend.py:2770."""

MAX_DISKS = 16
MAX_NICS = 8
"""Source: src/Ganeti/Types.hs maxDisks, maxNics."""

UUID_PATTERN = r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\Z"
MAC_PATTERN = r"^[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}\Z"
PATTERNS = {"a UUID": UUID_PATTERN, "a MAC address": MAC_PATTERN}
"""What a text must look like, by what it is called in an error."""
