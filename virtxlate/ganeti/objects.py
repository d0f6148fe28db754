"""One Ganeti disk or NIC as its RPC, its config or a user's file has it: a JSON object of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from virtxlate.errors import GanetiDataError
from virtxlate.ganeti.decode import convert
from virtxlate.ganeti.model import Disk, Nic
from virtxlate.ganeti.uri import without_password
from virtxlate.ganeti.wire import WireDisk, WireNic, make_disk, make_nic, resolve_hvinfo
from virtxlate.ganeti.words import DISK_DRIVERS, NIC_DRIVERS
from virtxlate.report import Report

_DISK_KEYS = WireDisk.__struct_fields__
_KEPT_BY_GANETI = ("serial_no", "ctime", "mtime", "physical_id", "forthcoming", "dynamic_params")
"""Of Ganeti's disk too, but nothing that a domain is made of. Source: lib/objects.py (Disk)."""


class _PlacedDisk(WireDisk, frozen=True, kw_only=True):
    """A disk with what Ganeti's node made of it: ``link`` and ``uri``."""

    link: str | None = None
    uri: str | None = None


def read_disk(value: Mapping[str, Any], report: Report | None = None, at: str = "disk") -> Disk:
    """Give the disk of ``{"dev_type": "plain", "uuid": "...", "logical_id": ["xenvg", "d1"], "size": 1024}``.

    ``link`` and ``uri`` may stand in it too, as a runtime file has them beside it. A DRBD secret and the
    password in a URI are dropped and reported. Raises GanetiDataError, also for a key that no disk has.
    """
    wire = convert(dict(value), _PlacedDisk, at)
    _check_keys(value, (*_DISK_KEYS, "link", "uri", *_KEPT_BY_GANETI), at)
    for index, child in enumerate(value.get("children") or ()):
        _check_keys(child, (*_DISK_KEYS, *_KEPT_BY_GANETI), f"{at}.children[{index}]".lstrip("."))
    report = Report() if report is None else report
    if without_password(wire.uri) != wire.uri:
        report.lose(f"{at or 'disk'}.uri", None, "the password in a URI stays with Ganeti")
    hvinfo = resolve_hvinfo(wire, "disk", DISK_DRIVERS["paravirtual"])
    extra = {"hvinfo": hvinfo, "link": wire.link, "uri": wire.uri}
    return make_disk(wire, at, report, params=wire.params or {}, extra=extra)


def _check_keys(value: Mapping[str, Any], known: tuple[str, ...], at: str) -> None:
    for key in value:
        if key not in known:
            raise GanetiDataError(f"expected a key of {', '.join(known)}, found {key!r}", at=at)


def read_nic(value: Mapping[str, Any], at: str = "nic") -> Nic:
    """Give the NIC of ``{"mac": "aa:00:00:...", "uuid": "...", "nicparams": {"link": "br0"}}``.

    Raises GanetiDataError.
    """
    wire = convert(dict(value), WireNic, at)
    hvinfo = resolve_hvinfo(wire, "nic", NIC_DRIVERS["paravirtual"])
    return make_nic(wire, wire.nicparams, wire.netinfo, hvinfo)
