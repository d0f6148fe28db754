"""QEMU's own words under libvirt, and Ganeti's words for the same place: one option apart.

Under libvirt the bus is ``scsi0.0`` and the id the alias; Ganeti's runtime file says ``scsi.0`` and Ganeti's
id, and counts channel and lun on every controller.
"""

from __future__ import annotations

import msgspec

from virtxlate.domain.words import USER_ALIAS_PREFIX
from virtxlate.ganeti.words import SCSI_BUS
from virtxlate.translate.hvinfo import DeviceInfo


def to_ganeti_dialect(device: DeviceInfo) -> DeviceInfo:
    """Give the device as Ganeti's runtime file would say it; what that does not keep is left out."""
    info = device.hvinfo
    if info is None:
        return device
    changes: dict[str, object] = {"drive": None, "netdev": None, "port": None, "unit": None}
    if info.id is not None:
        changes["id"] = info.id.removeprefix(USER_ALIAS_PREFIX)
    if info.scsi_id is not None:
        changes |= {"bus": SCSI_BUS, "channel": info.channel or 0, "lun": info.lun or 0}
    return msgspec.structs.replace(device, hvinfo=msgspec.structs.replace(info, **changes))
