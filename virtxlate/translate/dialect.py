"""QEMU's own words under libvirt, and Ganeti's words for the same place: one option apart.

Under libvirt the bus is ``scsi0.0`` and the id the alias; Ganeti's runtime file says ``scsi.0`` and Ganeti's
id, and counts channel and lun on every controller.
"""

from __future__ import annotations

import msgspec

from virtxlate.domain.live import LiveDomain
from virtxlate.domain.words import USER_ALIAS_PREFIX
from virtxlate.ganeti.words import SCSI_BUS
from virtxlate.translate.buses import Buses, NotPlacedError
from virtxlate.translate.device_info import DeviceInfo

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
    return msgspec.structs.replace(device, hvinfo=msgspec.structs.replace(info, **changes))
