"""Where virtxlate differs from Ganeti on purpose, each with its reason. A stale entry fails its test."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

Given = Mapping[str, Any]
"""An instance as Judge.run takes it."""


class Difference(NamedTuple):
    """Instances for which place() does not say what Ganeti says."""

    applies: Callable[[Given], bool]
    reason: str


SMALL_CONTROLLERS = {"lsi", "dc390"}
_SCSI_DISKS = {"scsi", "scsi-hd", "scsi-cd", "scsi-block", "scsi-generic"}


def _overfills(given: Given) -> bool:
    hvparams, disks = given["hvparams"], given["disks"]
    small = hvparams["scsi_controller_type"] in SMALL_CONTROLLERS
    return hvparams["disk_type"] in _SCSI_DISKS and small and len(disks) > 7


PLACEMENT = (
    Difference(
        _overfills,
        "lsi and dc390 have scsi-ids 0 to 7, and 7 is their own; Ganeti counts to 15, where a guest does not "
        "see the eighth disk and QEMU refuses the ninth",
    ),
    Difference(
        lambda given: given["hvparams"]["disk_type"] == "scsi" and bool(given["disks"]),
        "Ganeti before 3.1 gives scsi a PCI slot in its books and starts if=scsi, which QEMU has no more; "
        "scsi is read as scsi-hd",
    ),
)

BUILTIN_HVPARAMS = {
    "vhost_net": "True since 3.1; the judge is 3.0",
    "disk_discard": "'ignore' since 3.1, which cfgupgrade writes too; the judge's 3.0 has 'default'",
}
"""Built-in defaults of 3.1 and newer that the judge's 3.0 has otherwise; a stored value never differs."""

NEWER_DISKPARAMS = frozenset({"user-id"})
"""Disk parameters of 3.2, which the judge's 3.0 drops."""

CORPUS_REFUSED = {
    "disk_type=scsi-block": "its disks are logical volumes, which are no SCSI devices: QEMU does not start",
    "disk_type=scsi-generic": "its disks are logical volumes, which are no SCSI devices: QEMU does not start",
    "nic_type=ne2k_isa": "Ganeti starts it and QEMU refuses: an ISA card cannot stand in a PCI slot",
    "rbd userspace id": "libvirt wants a secret, which only the map can name",
    "ext userspace rbd-like": "only a runtime file has the URI that a provider printed",
}
"""Cases that Ganeti starts and virtxlate refuses."""

CORPUS_ACCEPTED = {
    "disk_type=scsi": "read as scsi-hd, which it meant",
    "rbd userspace pool with dash": "Ganeti's pattern for URIs is too narrow; the pool is fine",
    "gluster userspace ipv6": "Ganeti's pattern for URIs is too narrow; libvirt takes the address",
    "vnc path": "Ganeti looks for an interface of that name; libvirt takes the socket",
    "scsi 17 disks": "the seventeenth stands on another controller, which is reported",
    "ro disk": "libvirt can start a read-only disk",
}
"""Cases that Ganeti refuses and virtxlate translates."""
