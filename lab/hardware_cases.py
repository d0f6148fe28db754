"""Instances whose hardware is compared: every value once alone, and every two values together.

Values are those that Ganeti 3.0 accepts, and that its QEMU starts with on a machine without KVM; `allowed`
says why two of them never meet.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from lab.bootable import STORAGE
from lab.pairwise import Row, pairwise
from lab.twins import KERNEL, instance_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from virtxlate.ganeti.model import Instance

CDROM1, CDROM2, FLOPPY = (f"{STORAGE}/{name}" for name in ("cdrom1.iso", "cdrom2.iso", "floppy.img"))

PARAMETERS: Mapping[str, tuple[Any, ...]] = {
    "disk_type": ("paravirtual", "ide", "scsi-hd", "scsi-cd"),
    "disks": (1, 0, 2, 4),
    "scsi_controller_type": ("lsi", "megasas", "virtio-scsi-pci", "dc390"),
    "nic_type": (
        "paravirtual",
        "e1000",
        "rtl8139",
        "pcnet",
        "ne2k_pci",
        "i82551",
        "i82557b",
        "i82559er",
    ),
    "nics": (1, 0, 3),
    "vga": ("", "std", "cirrus", "vmware", "qxl", "virtio", "none"),
    "display": ("", "vnc", "spice", "spice-without-vdagent"),
    "machine_version": (
        "pc-i440fx-7.2",
        "",
        "pc",
        "pc-i440fx-6.2",
        "pc-i440fx-6.1",
        "pc-i440fx-5.2",
        "pc-i440fx-4.2",
        "pc-i440fx-2.8",
        "pc-i440fx-2.2",
        "pc-i440fx-2.1",
        "pc-i440fx-1.7",
    ),
    "cpu_type": ("", "qemu64", "kvm64", "Haswell", "Nehalem,+pcid,-sse4.2", "qemu64,+x2apic"),
    "smp": ({}, {"vcpus": 3}, {"vcpus": 4, "cpu_cores": 2, "cpu_threads": 2}, {"vcpus": 4, "cpu_sockets": 2}),
    "memory": ({}, {"maxmem": 192, "minmem": 96}),
    "cdrom": ("", "one", "two"),
    "cdrom_disk_type": ("", "ide", "paravirtual"),
    "floppy_image_path": ("", FLOPPY),
    "boot_order": ("disk", "network", "cdrom"),
    "kernel_path": ("", KERNEL),
    "kvm_extra": (
        "",
        "-device virtio-rng-pci",
        "-device i6300esb,addr=0x8 -device virtio-rng-pci,addr=0x7",
        "-device edu -device edu,bus=pci.0",
        "-global PIIX4_PM.disable_s3=1 -device ib700",
    ),
    "soundhw": ("", "hda", "ac97", "es1370", "sb16"),
    "usb_mouse": ("", "tablet", "mouse"),
    "usb_devices": ("", "keyboard", "keyboard,tablet"),
    "use_guest_agent": (False, True),
    "serial_console": (True, False),
    "acpi": (True, False),
    "use_localtime": (False, True),
    "reboot_behavior": ("reboot", "exit"),
    "disk_cache": ("default", "none", "writethrough"),
    "disk_discard": ("default", "unmap", "ignore"),
    "vnet_hdr": (True, False),
    "kvm_pci_reservations": (12, 9),
}
"""The first value of each is the usual one."""

DISPLAYS: Mapping[str, dict[str, Any]] = {
    "": {},
    "vnc": {"vnc_bind_address": "127.0.0.1"},
    "spice": {"spice_bind": "127.0.0.1"},
    "spice-without-vdagent": {"spice_bind": "127.0.0.1", "spice_use_vdagent": False},
}
CDROMS: Mapping[str, dict[str, str]] = {
    "": {},
    "one": {"cdrom_image_path": CDROM1},
    "two": {"cdrom_image_path": CDROM1, "cdrom2_image_path": CDROM2},
}
_TOGETHER = ("display", "cdrom", "smp", "memory")
NO_HVPARAMS = frozenset({"disks", "nics", "vcpus", "maxmem", "minmem"})


class Case(NamedTuple):
    """An instance to compare, and what is unusual in it."""

    name: str
    instance: Instance


def cases() -> Iterator[Case]:
    """Give the cases; the same ones each time."""
    usual = {name: values[0] for name, values in PARAMETERS.items()}
    rows = [usual]
    for name, values in PARAMETERS.items():
        rows += [_alone(usual, name, value) for value in values[1:]]
    seen: set[str] = set()
    for row in (*rows, *pairwise(PARAMETERS, allowed)):
        name = ", ".join(f"{key} {value}" for key, value in row.items() if value != usual[key]) or "usual"
        if name not in seen:
            seen.add(name)
            yield Case(name, _instance(row))


_NEEDS: Mapping[str, dict[str, Any]] = {
    "scsi_controller_type": {"disk_type": "scsi-hd"},
    "cdrom_disk_type": {"cdrom": "one"},
}
"""Parameters that do nothing by themselves."""


def _alone(usual: Row, name: str, value: Any) -> Row:
    row = {**usual, **_NEEDS.get(name, {}), name: value}
    return {**row, "cdrom": "one"} if row["boot_order"] == "cdrom" else row


def allowed(row: Row) -> bool:
    """Tell whether Ganeti takes these values together, and its QEMU starts."""
    word = row.get("cdrom_disk_type") or row.get("disk_type")
    if row.get("cdrom", "") != "" and "cdrom_disk_type" in row and word in {"scsi-hd", "scsi-cd"}:
        return False  # QEMU: unsupported bus type 'scsi-hd'
    if row.get("boot_order") == "cdrom" and row.get("cdrom", "one") == "":
        return False  # Ganeti: Cannot boot from CDROM without an ISO path
    return not (
        row.get("disk_type") == "ide"
        and row.get("disks") == max(PARAMETERS["disks"])
        and row.get("cdrom", "") != ""
    )  # four drives is all that IDE has


def _instance(row: Row) -> Instance:
    values = {name: value for name, value in row.items() if name not in _TOGETHER}
    values |= DISPLAYS[row["display"]] | CDROMS[row["cdrom"]] | row["smp"] | row["memory"]
    counts = {name: values.pop(name) for name in NO_HVPARAMS & values.keys()}
    return instance_of(values, **counts)
