"""One Ganeti disk or NIC as its RPC, its config or a user's file has it: a JSON object of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from virtxlate.ganeti.decode import convert
from virtxlate.ganeti.model import Disk, Nic
from virtxlate.ganeti.wire import WireDisk, WireNic, make_disk, make_nic, resolve_hvinfo
from virtxlate.ganeti.words import DISK_DRIVERS, NIC_DRIVERS
from virtxlate.report import Report


def read_disk(value: Mapping[str, Any], report: Report | None = None, at: str = "disk") -> Disk:
    """Give the disk of ``{"dev_type": "plain", "uuid": "...", "logical_id": ["xenvg", "d1"], "size": 1024}``.

    A DRBD secret is dropped and reported. Raises GanetiDataError.
    """
    wire = convert(dict(value), WireDisk, at)
    hvinfo = resolve_hvinfo(wire, "disk", DISK_DRIVERS["paravirtual"])
    disk = make_disk(wire, at, Report() if report is None else report, params=wire.params or {})
    return msgspec.structs.replace(disk, hvinfo=hvinfo)


def read_nic(value: Mapping[str, Any], at: str = "nic") -> Nic:
    """Give the NIC of ``{"mac": "aa:00:00:...", "uuid": "...", "nicparams": {"link": "br0"}}``.

    Raises GanetiDataError.
    """
    wire = convert(dict(value), WireNic, at)
    hvinfo = resolve_hvinfo(wire, "nic", NIC_DRIVERS["paravirtual"])
    return make_nic(wire, wire.nicparams, wire.netinfo, hvinfo)
