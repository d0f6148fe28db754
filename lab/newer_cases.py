"""Instances of Ganeti 3.2 whose hardware is compared: every two values together, on a pc and on a q35.

What 3.0 asks for in the same way is compared in `lab.hardware_cases`, so there are fewer values here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from lab.hardware_cases import CDROMS, DISPLAYS, FLOPPY, NO_HVPARAMS, Case
from lab.newer_ganeti import VERSION
from lab.pairwise import Row, pairwise
from lab.twins import KERNEL, instance_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PARAMETERS: Mapping[str, tuple[Any, ...]] = {
    "machine_version": ("pc-i440fx-7.2", "pc-q35-7.2", "pc-q35-4.2"),
    "disk_type": ("paravirtual", "scsi-hd", "scsi-cd", "ide"),
    "cdrom": ("", "one", "two"),
    "cdrom_disk_type": ("", "ide", "paravirtual"),
    "boot_order": ("disk", "network", "cdrom"),
    "disks": (1, 0, 3),
    "nics": (1, 0, 3),
    "nic_type": ("paravirtual", "e1000", "rtl8139"),
    "scsi_controller_type": ("lsi", "megasas", "virtio-scsi-pci"),
    "usb_devices": ("", "keyboard", "wacom-tablet,mouse,keyboard,tablet,mouse,keyboard"),
    "usb_mouse": ("", "mouse"),
    "display": ("", "vnc", "spice"),
    "soundhw": ("", "hda", "ac97"),
    "vga": ("", "cirrus", "qxl", "none"),
    "floppy_image_path": ("", FLOPPY),
    "kernel_path": ("", KERNEL),
    "balloon_first": (False, True),
    "use_guest_agent": (False, True),
    "serial_console": (True, False),
    "acpi": (True, False),
    "vnet_hdr": (True, False),
    "disk_cache": ("default", "writethrough"),
    "kvm_extra": ("", "-device virtio-rng-pci -device i6300esb"),
}
"""The first value of each is the usual one."""

_IDE_DRIVES = 2
"""That a pc has room for."""
_OF_DRIVES = ("machine_version", "disk_type", "disks", "cdrom", "cdrom_disk_type")


def newer_cases() -> Iterator[Case]:
    """Give the cases; the same ones each time."""
    usual = {name: values[0] for name, values in PARAMETERS.items()}
    for row in pairwise(PARAMETERS, allowed):
        name = ", ".join(f"{key} {value}" for key, value in row.items() if value != usual[key]) or "usual"
        values = {key: value for key, value in row.items() if key not in {"display", "cdrom"}}
        values |= DISPLAYS[row["display"]] | CDROMS[row["cdrom"]] | {"vhost_net": False}
        counts = {key: values.pop(key) for key in NO_HVPARAMS & values.keys()}
        first = values.pop("balloon_first")
        made = instance_of(values, version=VERSION, **counts)
        yield Case(name, msgspec.structs.replace(made, balloon_first=first))


def allowed(row: Row) -> bool:
    """Tell whether Ganeti takes these values together, and its QEMU starts."""
    if row.get("boot_order") == "cdrom" and row.get("cdrom", "one") == "":
        return False
    if row.get("disk_type") == "ide" and row.get("disks", 0) > _IDE_DRIVES:
        return False
    if "q35" in row.get("machine_version", ""):
        return not (
            row.get("disk_type") == "ide"
            or row.get("cdrom_disk_type") == "paravirtual"
            or row.get("floppy_image_path")
        )
    return not row.keys() >= set(_OF_DRIVES) or _has_room(row)


def _has_room(row: Row) -> bool:
    """Tell whether all drives of a pc find a place: a SCSI CD-ROM takes that of the first disk."""
    images = len(CDROMS[row["cdrom"]])
    kind = row["cdrom_disk_type"] or row["disk_type"]
    if images and kind in {"scsi-hd", "scsi-cd"}:
        return False
    ide = (images if kind == "ide" else 0) + (row["disks"] if row["disk_type"] == "ide" else 0)
    return ide <= _IDE_DRIVES
