"""What Ganeti's remote API tells of an instance: the bulk and single entries, and the result of an info job.

RAPI is poorer than config.data: the entries name no logical_id, no diskparams and no VLAN, an info job no
diskparams. What is missing is reported, and stays empty; nothing is guessed.
Source: Ganeti 3.2 alpha (c35736d8a), lib/rapi/rlib2.py:83-95, lib/cmdlib/instance_query.py:203-310.
"""

from __future__ import annotations

from typing import Any

import msgspec

from virtxlate.errors import GanetiDataError
from virtxlate.ganeti.decode import convert, decode
from virtxlate.ganeti.fill import upgrade_beparams
from virtxlate.ganeti.model import Disk, Instance, Network, Nic, template_of
from virtxlate.ganeti.params import HVPARAM_NAMES, BeParams, HvParams, Scalar, builtin_hvparams
from virtxlate.ganeti.wire import (
    Mac,
    Uuid,
    WireDisk,
    WireNic,
    check_name,
    make_disk,
    make_nic,
    template_of_word,
)
from virtxlate.report import Report, Severity

RAPI_VERSION = 3010000
"""RAPI answers do not tell Ganeti's version; gaps are filled with the defaults of this one."""


class _Entry(msgspec.Struct, frozen=True, kw_only=True, rename=lambda name: name.replace("__", ".")):
    """An instance of ``/2/instances/NAME``; parallel lists, one item a device."""

    name: str
    uuid: Uuid
    os: str = ""
    pnode: str = ""
    admin_state: str = "up"
    disk_template: str = "diskless"
    hvparams: dict[str, Scalar]
    custom_hvparams: dict[str, Scalar] = {}
    beparams: dict[str, Scalar]
    custom_beparams: dict[str, Scalar] = {}
    oper_ram: int | None = None
    network_port: int | None = None
    tags: tuple[str, ...] = ()
    disk__sizes: tuple[int, ...] = ()
    disk__spindles: tuple[int | None, ...] = ()
    disk__uuids: tuple[Uuid, ...] = ()
    disk__names: tuple[str | None, ...] = ()
    nic__macs: tuple[Mac, ...] = ()
    nic__ips: tuple[str | None, ...] = ()
    nic__modes: tuple[str, ...] = ()
    nic__links: tuple[str | None, ...] = ()
    nic__uuids: tuple[Uuid, ...] = ()
    nic__names: tuple[str | None, ...] = ()
    nic__networks: tuple[str | None, ...] = ()


_InfoNic = tuple[str | None, Uuid, str | None, Mac, str, str | None, str | None, str | None, Network | None]


class _DrbdInfo(msgspec.Struct, frozen=True):
    primary_minor: int


class _InfoDisk(WireDisk, frozen=True, kw_only=True):
    drbd_info: _DrbdInfo | None = None
    pstatus: tuple[Any, ...] | None = None


class _Info(msgspec.Struct, frozen=True, kw_only=True):
    """An instance in the result of ``/2/instances/NAME/info``."""

    name: str
    uuid: Uuid
    hypervisor: str
    os: str = ""
    pnode: str = ""
    config_state: str = "up"
    network_port: int | None = None
    hv_actual: dict[str, Scalar]
    hv_instance: dict[str, Scalar] = {}
    be_actual: dict[str, Scalar]
    be_instance: dict[str, Scalar] = {}
    os_actual: dict[str, Scalar] = {}
    nics: tuple[_InfoNic, ...] = ()
    disks: tuple[_InfoDisk, ...] = ()


_ENTRY = msgspec.json.Decoder(_Entry)
_INFO = msgspec.json.Decoder(_Info)


def skip_entry(hvparams: dict[str, Any]) -> str | None:
    """Give the reason why an entry cannot become a domain, or None; RAPI names no hypervisor."""
    if "kvm_path" in hvparams or "kvm_flag" in hvparams:
        return None
    return "its hypervisor is not kvm: no KVM hypervisor parameter is set"


def read_entry(raw: bytes | msgspec.Raw, report: Report, version: int = RAPI_VERSION) -> Instance:
    """Give the instance of ``/2/instances/NAME`` of a Ganeti version; what that lacks is reported.

    Raises GanetiDataError.
    """
    entry: _Entry = decode(_ENTRY, raw)
    nics = tuple(_entry_nic(entry, index, report) for index in range(len(entry.nic__macs)))
    disks = tuple(_entry_disk(entry, index, report) for index in range(len(entry.disk__sizes)))
    params = _params(version, entry.hvparams, entry.custom_hvparams, entry.beparams, entry.custom_beparams)
    return Instance(
        name=check_name(entry.name),
        uuid=entry.uuid,
        os=entry.os,
        primary_node=entry.pnode,
        admin_state=entry.admin_state,
        disk_template=entry.disk_template,
        nics=nics,
        disks=disks,
        oper_ram_mib=_ballooned(entry.oper_ram, params["beparams"]),
        network_port=entry.network_port,
        tags=entry.tags,
        version=version,
        **params,
    )


def _ballooned(oper_ram: int | None, beparams: BeParams) -> int | None:
    """Give the memory of a guest that has less than all, None for one that has all or does not run."""
    if not oper_ram:
        return None
    left = max(oper_ram, beparams.minmem)
    return left if left < beparams.maxmem else None


def _params(
    version: int,
    hv: dict[str, Scalar],
    own_hv: dict[str, Scalar],
    be: dict[str, Scalar],
    own_be: dict[str, Scalar],
) -> dict[str, Any]:
    filled = {**builtin_hvparams(version), **hv}
    return {
        "hvparams": convert(filled, HvParams, "hvparams"),
        "own_hvparams": tuple(sorted(own_hv)),
        "unknown_hvparams": {name: filled[name] for name in sorted(filled.keys() - HVPARAM_NAMES)},
        "beparams": convert(upgrade_beparams(be), BeParams, "beparams"),
        "own_beparams": tuple(sorted(upgrade_beparams(own_be))),
    }


def _item(items: tuple[Any, ...], index: int) -> Any:
    """Give an item of a parallel list, None where the list is shorter: older servers lack newer lists."""
    return items[index] if index < len(items) else None


def _entry_nic(entry: _Entry, index: int, report: Report) -> Nic:
    at = f"nics[{index}]"
    mode = _item(entry.nic__modes, index)
    if mode is None:
        raise GanetiDataError("expected a mode for each NIC, found none", at=f"nic.modes[{index}]")
    wire = WireNic(
        mac=entry.nic__macs[index],
        uuid=_item(entry.nic__uuids, index),
        name=_item(entry.nic__names, index),
        ip=_item(entry.nic__ips, index),
        network=_item(entry.nic__networks, index),
    )
    params = {"mode": mode, "link": _item(entry.nic__links, index), "vlan": ""}
    if mode in {"bridged", "openvswitch"}:
        report.lose(f"{at}.vlan", None, "RAPI does not tell the VLAN of a NIC", Severity.GUEST_VISIBLE)
    return _nic(wire, params, None, at)


def _nic(wire: WireNic, params: dict[str, Any], netinfo: Network | None, at: str) -> Nic:
    try:
        return make_nic(wire, params, netinfo, None)
    except GanetiDataError as exc:
        raise exc.under(at) from None


def _entry_disk(entry: _Entry, index: int, report: Report) -> Disk:
    at = f"disks[{index}]"
    if entry.disk_template == "mixed":
        raise GanetiDataError(
            "'mixed' does not tell each disk's template; the result of an info job does",
            at="disk_template",
        )
    report.lose(f"{at}.logical_id", None, "RAPI entries do not tell where a disk is stored")
    report.lose(f"{at}.params", None, "RAPI does not tell the disk parameters")
    return Disk(
        uuid=_item(entry.disk__uuids, index) or "",
        name=_item(entry.disk__names, index),
        template=template_of_word(entry.disk_template, "disk_template"),
        size_mib=entry.disk__sizes[index],
        spindles=_item(entry.disk__spindles, index),
    )


def read_info(raw: bytes | msgspec.Raw, report: Report, version: int = RAPI_VERSION) -> Instance:
    """Give the instance in an info job's result of a Ganeti version; what that lacks is reported.

    Raises GanetiDataError.
    """
    info: _Info = decode(_INFO, raw)
    if info.hypervisor != "kvm":
        raise GanetiDataError(
            f"expected an instance of hypervisor kvm, found {info.hypervisor!r}", at="hypervisor"
        )
    disks = tuple(_info_disk(disk, f"disks[{index}]", report) for index, disk in enumerate(info.disks))
    return Instance(
        name=check_name(info.name),
        uuid=info.uuid,
        os=info.os,
        primary_node=info.pnode,
        admin_state=info.config_state,
        disk_template=template_of(disks),
        nics=tuple(_info_nic(nic, f"nics[{index}]") for index, nic in enumerate(info.nics)),
        disks=disks,
        osparams=info.os_actual,
        network_port=info.network_port,
        version=version,
        **_params(version, info.hv_actual, info.hv_instance, info.be_actual, info.be_instance),
    )


def _info_nic(item: _InfoNic, at: str) -> Nic:
    name, uuid, ip, mac, mode, link, vlan, network, netinfo = item
    wire = WireNic(mac=mac, uuid=uuid, name=name, ip=ip, network=network)
    return _nic(wire, {"mode": mode, "link": link, "vlan": vlan}, netinfo, at)


def _info_disk(wire: _InfoDisk, at: str, report: Report) -> Disk:
    """Give a disk; its device path is only known while the disk is active (``static=0``)."""
    report.lose(f"{at}.params", None, "RAPI does not tell the disk parameters")
    device = wire.pstatus[0] if wire.pstatus else None
    extra = {
        "minor": wire.drbd_info.primary_minor if wire.drbd_info is not None else None,
        "device": device if isinstance(device, str) else None,
    }
    return make_disk(wire, at, report, params={}, extra=extra)
