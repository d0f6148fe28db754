"""Device XML for domains written by hand: disks with an image of their own, adapters, interfaces, slots."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

PTY_SERIAL = "<serial type='pty'><target port='0'/></serial>"


def pci_xml(slot: int, bus: int = 0) -> str:
    """Give the `<address>` of a slot on a PCI bus."""
    return f"<address type='pci' domain='0x0000' bus='{bus:#04x}' slot='{slot:#04x}' function='0x0'/>"


def drive_xml(target: int = 0, unit: int = 0, controller: int = 0) -> str:
    """Give the `<address>` of a SCSI disk; the lsilogic adapter counts `unit`, all others `target`."""
    return f"<address type='drive' controller='{controller}' bus='0' target='{target}' unit='{unit}'/>"


def disk_xml(folder: Path, dev: str, size_bytes: int, address: str = "") -> str:
    """Give a `<disk>` on a new raw image of zeros, `folder/DEV.raw`; `vd` names are virtio, others SCSI."""
    source = folder / f"{dev}.raw"
    with source.open("wb") as file:
        file.truncate(size_bytes)
    bus = "virtio" if dev.startswith("vd") else "scsi"
    return f"""<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='{source}'/>
      <target dev='{dev}' bus='{bus}'/>{address}</disk>"""


def scsi_xml(model: str, slot: int, index: int = 0) -> str:
    """Give a SCSI `<controller>` of a model: `virtio-scsi`, `lsilogic`, `lsisas1078`, `vmpvscsi`."""
    return f"<controller type='scsi' index='{index}' model='{model}'>{pci_xml(slot)}</controller>"


def nic_xml(kind: str, source: str, mac: str, address: str = "", model: str = "virtio") -> str:
    """Give an `<interface>` of a type; `user` and `ethernet` need no `<source>` element."""
    return f"""<interface type='{kind}'><mac address='{mac}'/>{source}
      <model type='{model}'/>{address}</interface>"""
