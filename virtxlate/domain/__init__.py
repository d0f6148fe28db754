"""Libvirt's side: domain XML as records; never heard of Ganeti, and does not import libvirt."""

from virtxlate.domain.model import (
    Controller,
    Devices,
    Disk,
    DiskSource,
    Domain,
    DriveAddress,
    Interface,
    PciAddress,
)

__all__ = ["Controller", "Devices", "Disk", "DiskSource", "Domain", "DriveAddress", "Interface", "PciAddress"]
