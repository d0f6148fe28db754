"""What a guest sees of its hardware: questions as shell over sysfs, and the records that the answers become.

Slots and SCSI ids are read off the kernel's device path: so they hold behind PCIe root ports and any adapter.
Source: Linux Documentation/ABI/testing/sysfs-block, sysfs-class-net and sysfs-bus-pci.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

SECTOR_BYTES = 512
"""The unit of /sys/block/*/size, whatever the disk's own sector size."""

PCI_SLOT = re.compile(r"[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]")
SCSI_ADDRESS = re.compile(r"\d+:\d+:\d+:\d+")

DISKS = r"""
for entry in /sys/block/*; do
    path=$(readlink -f "$entry")
    case $path in */virtual/* | *\*) continue ;; esac
    { read -r size <"$entry/size" && read -r fixed <"$entry/ro" && read -r removable <"$entry/removable" &&
        read -r rotational <"$entry/queue/rotational"; } 2>/dev/null || continue  # it leaves just now
    serial=$(cat "$entry/serial" 2>/dev/null || tail -c +5 "$entry/device/vpd_pg80" 2>/dev/null)
    model=$(cat "$entry/device/model" 2>/dev/null)
    printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "${entry##*/}" "$path" "$size" "$fixed" "$removable" \
        "$rotational" "$serial" "$model"
done
"""
"""A virtio disk has a file for its serial number; SCSI and ATA disks have VPD page 80h, behind 4 bytes."""
NICS = r"""
for entry in /sys/class/net/*; do
    path=$(readlink -f "$entry")
    case $path in */virtual/* | *\*) continue ;; esac
    { read -r mac <"$entry/address"; } 2>/dev/null || continue  # it leaves just now
    printf '%s\t%s\t%s\t%s\n' "${entry##*/}" "$path" "$mac" "$(readlink "$entry/device/driver")"
done
"""
PCI_DEVICES = r"""
for entry in /sys/bus/pci/devices/*; do
    { read -r vendor <"$entry/vendor" && read -r device <"$entry/device" && read -r class <"$entry/class" &&
        read -r subvendor <"$entry/subsystem_vendor" && read -r subdevice <"$entry/subsystem_device"; } \
        2>/dev/null || continue  # it leaves just now
    printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "${entry##*/}" "$class" "$vendor" "$device" \
        "$subvendor" "$subdevice" "$(readlink "$entry/driver")"
done
"""


@dataclass(frozen=True, kw_only=True)
class GuestDisk:
    """A block device, as the guest's kernel sees it."""

    name: str
    """`vda`, `sda`, `sr0`, `fd0`"""
    path: str
    """Under /sys/devices; what udev's by-path names are made from."""
    size_bytes: int
    read_only: bool
    removable: bool
    rotational: bool
    serial: str
    """Empty where the device states none."""
    model: str

    @property
    def pci_slot(self) -> str | None:
        """The disk's own PCI function, or its adapter's: `0000:00:0c.0`; None for a floppy."""
        return _last_in(self.path, PCI_SLOT)

    @property
    def scsi_address(self) -> str | None:
        """Host, channel, target, LUN: `2:0:3:0`; the host is only the guest's own count of adapters."""
        return _last_in(self.path, SCSI_ADDRESS)

    @classmethod
    def parse(cls, fields: list[str]) -> Self:
        """Give the record from one line of the answer to `DISKS`."""
        name, path, sectors, read_only, removable, rotational, serial, model = fields
        return cls(
            name=name,
            path=path,
            size_bytes=int(sectors) * SECTOR_BYTES,
            read_only=read_only == "1",
            removable=removable == "1",
            rotational=rotational == "1",
            serial=serial.strip(),
            model=model.strip(),
        )


@dataclass(frozen=True, kw_only=True)
class GuestNic:
    """A network interface, as the guest's kernel sees it."""

    name: str
    """The kernel's name, `eth0`; the tiny guest has no udev to rename it."""
    path: str
    mac: str
    driver: str
    """`virtio_net`, `e1000`"""

    @property
    def pci_slot(self) -> str | None:
        """The interface's PCI function: `0000:00:0d.0`."""
        return _last_in(self.path, PCI_SLOT)

    @classmethod
    def parse(cls, fields: list[str]) -> Self:
        """Give the record from one line of the answer to `NICS`."""
        name, path, mac, driver = fields
        return cls(name=name, path=path, mac=mac, driver=driver.rpartition("/")[2])


@dataclass(frozen=True, kw_only=True)
class GuestPciDevice:
    """A PCI function, as the guest's kernel sees it; numbers are hexadecimal text, as sysfs prints them."""

    slot: str
    pci_class: str
    vendor: str
    device: str
    subsystem: str
    """Vendor and device of the subsystem, joined by a colon."""
    driver: str
    """Empty where no driver is bound."""

    @classmethod
    def parse(cls, fields: list[str]) -> Self:
        """Give the record from one line of the answer to `PCI_DEVICES`."""
        slot, pci_class, vendor, device, subvendor, subdevice, driver = fields
        return cls(
            slot=slot,
            pci_class=pci_class,
            vendor=vendor,
            device=device,
            subsystem=f"{subvendor}:{subdevice}",
            driver=driver.rpartition("/")[2],
        )


def parse_lines(answer: str, parse: Callable[[list[str]], T]) -> tuple[T, ...]:
    """Give a record for each line of tab-separated fields."""
    return tuple(parse(line.split("\t")) for line in answer.splitlines())


def _last_in(path: str, pattern: re.Pattern[str]) -> str | None:
    """Give the innermost component that is such an address: a bridge's slot stands before the device's."""
    found = [part for part in path.split("/") if pattern.fullmatch(part)]
    return found[-1] if found else None
