"""QEMU's own words under libvirt, and Ganeti's words for the same place: one option apart.

Under libvirt the bus is ``scsi0.0`` and the id the alias; Ganeti's runtime file says ``scsi.0`` and Ganeti's
id, and counts channel and lun on every controller.
"""

from __future__ import annotations

import re

import msgspec

from virtxlate.domain.live import LiveDomain
from virtxlate.domain.model import PciAddress
from virtxlate.domain.words import USER_ALIAS_PREFIX
from virtxlate.ganeti.words import SCSI_BUS
from virtxlate.translate.board import pci_place
from virtxlate.translate.buses import Buses, NotPlacedError
from virtxlate.translate.device_info import DeviceInfo

_PORT = re.compile(r"pci\.([1-9][0-9]?)", re.ASCII)
"""libvirt's own alias of a root port: only behind one is a device in slot 0."""
_FIRST_SCSI_BUS = "scsi0.0"


def ganeti_scsi_bus(live: LiveDomain) -> str:
    """Give QEMU's name of the bus that Ganeti calls ``scsi.0``: the first one of SCSI controller 0."""
    try:
        return f"{Buses(live).scsi(0)[0]}.0"
    except NotPlacedError:
        return _FIRST_SCSI_BUS


def to_ganeti_dialect(device: DeviceInfo, scsi_bus: str = _FIRST_SCSI_BUS) -> DeviceInfo:
    """Give the device as Ganeti's runtime file would say it; what that has no word for is left out.

    A device on another SCSI bus than ``scsi_bus`` keeps the name of its own: Ganeti has one controller.
    """
    info = device.hvinfo
    if info is None:
        return device
    changes: dict[str, object] = dict.fromkeys(("drive", "netdev", "port", "unit", "devno"))
    if info.id is not None:
        changes["id"] = info.id.removeprefix(USER_ALIAS_PREFIX)
    if info.scsi_id is not None:
        changes |= {"channel": info.channel or 0, "lun": info.lun or 0}
        if info.bus == scsi_bus:
            changes["bus"] = SCSI_BUS
    elif (port := _PORT.fullmatch(info.bus or "")) and info.addr == hex(0):
        place = pci_place(PciAddress(bus=int(port[1])))
        changes |= place or {}
    return msgspec.structs.replace(device, hvinfo=msgspec.structs.replace(info, **changes))
