"""A domain in which nothing can boot: nobody inside ever answers when the host asks for a PCI device back."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from lab.devices import disk_xml, drive_xml, nic_xml, pci_xml, scsi_xml
from lab.running import Host, started

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MIB = 1024 * 1024
NIC_MAC = "aa:00:00:00:00:10"


@contextmanager
def guestless_domain(
    host: Host, folder: Path, name: str = "no-os", *, devices: str = "", persistent: bool = False
) -> Iterator[Any]:
    """Give a running domain without an OS, a libvirt.virDomain with ACPI; it is gone at the end.

    It has disk vda in slot 0c, an interface in slot 10, a virtio-scsi adapter in slot 05 with disk sda at
    target 3, and what `devices` adds; images are made in `folder`. It keeps every PCI device that it is asked
    for; a SCSI disk goes at once, for QEMU takes it from virtio-scsi without asking.
    Raises libvirt.libvirtError.
    """
    with started(host, guestless_xml(folder, name, devices), persistent=persistent) as domain:
        yield domain


def guestless_xml(folder: Path, name: str = "no-os", devices: str = "") -> str:
    """Give the domain XML of `guestless_domain`, and make its images.

    SeaBIOS must halt where it finds nothing to boot: a reset, its other choice, would let the devices go.
    """
    own = [
        scsi_xml("virtio-scsi", 0x05),
        disk_xml(folder, "vda", MIB, pci_xml(0x0C)),
        disk_xml(folder, "sda", MIB, drive_xml(target=3)),
        nic_xml("user", "", NIC_MAC, pci_xml(0x10)),
    ]
    return f"""<domain type='qemu'>
      <name>{name}</name><memory unit='MiB'>32</memory><vcpu>1</vcpu>
      <os><type arch='x86_64' machine='pc'>hvm</type><bios rebootTimeout='-1'/></os>
      <features><acpi/></features>
      <devices>{"".join(own)}{devices}</devices>
    </domain>"""
