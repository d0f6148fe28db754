"""An instance as a runtime file, in Ganeti's own key names and types.

A key without value is left out, as Ganeti does; what the model does not keep comes from an older file of the
same instance, where there is one.
Source: Ganeti 3.2 alpha (c35736d8a), lib/objects.py:520-570; hv_kvm/kvm_runtime.py:84-92.
"""

from __future__ import annotations

from typing import Any

import msgspec

from virtxlate.ganeti import q35
from virtxlate.ganeti.command import build_command
from virtxlate.ganeti.hvinfo import HvInfo
from virtxlate.ganeti.model import Disk, Instance, Nic
from virtxlate.ganeti.params import NEWER_HVPARAMS
from virtxlate.ganeti.runtime_tree import Device, DiskEntry, RuntimeTree, lost
from virtxlate.ganeti.uri import without_password
from virtxlate.ganeti.words import LINK_DIRECTORY, SCSI_BUS, SCSI_TARGETS
from virtxlate.report import Report


def export_runtime(
    instance: Instance, report: Report, *, version: int | None = None, base: RuntimeTree | None = None
) -> RuntimeTree:
    """Give the runtime file of an instance whose devices carry hvinfo.

    ``base`` is an older file of the same instance: its command stays, and keys that the model does not know
    stay on the devices of the same uuid. Without it the command is that of Ganeti ``version``. What cannot be
    known is reported by its path in the file.
    """
    known = _by_uuid(base)
    command = list(base.command) if base is not None else build_command(instance, report, version)
    return RuntimeTree(
        command=command,
        nics=[
            {**_rest(known, nic.uuid), **_nic(nic, f"[1][{i}]", report, known)}
            for i, nic in enumerate(instance.nics)
        ],
        hvparams=_hvparams(instance, base),
        disks=[_entry(disk, i, instance, report, known) for i, disk in enumerate(instance.disks)],
    )


_Known = dict[str, tuple[Device, str | None, str | None]]


def _by_uuid(base: RuntimeTree | None) -> _Known:
    if base is None:
        return {}
    entries = [*((nic, None, None) for nic in base.nics), *(base.disks or ())]
    return {str(entry[0]["uuid"]): entry for entry in entries if "uuid" in entry[0]}


_PLACES = ("hvinfo", "pci")


def _rest(known: _Known, uuid: str) -> Device:
    device = known[uuid][0] if uuid in known else {}
    return {key: value for key, value in device.items() if key not in _PLACES}


def hvinfo_dict(hvinfo: HvInfo | None) -> dict[str, Any]:
    """Give hvinfo as a runtime file holds it; {} for a device without place."""
    return {} if hvinfo is None else dict(msgspec.to_builtins(hvinfo))


def _set(values: dict[str, Any]) -> Device:
    return {key: value for key, value in values.items() if value not in (None, "", ())}


def _nic(nic: Nic, at: str, report: Report, known: _Known) -> Device:
    device = _set({"name": nic.name, "mac": nic.mac, "ip": nic.ip, "network": nic.network})
    device["nicparams"] = {"mode": nic.mode, "link": nic.link, "vlan": nic.vlan}
    if nic.netinfo is not None:
        kept = _rest(known, nic.uuid).get("netinfo", {})
        device["netinfo"] = {**kept, **_set(msgspec.structs.asdict(nic.netinfo))}
        device["netinfo"]["tags"] = list(nic.netinfo.tags)
        if "reservations" not in kept:
            lost(report, f"{at}.netinfo.reservations", None, "only Ganeti's config tells it", guest=False)
    device["hvinfo"] = hvinfo_dict(nic.hvinfo) | _nic_number(nic.hvinfo)
    return device | _set({"uuid": nic.uuid})


def _nic_number(hvinfo: HvInfo | None) -> dict[str, int]:
    """Give what Ganeti keeps with a NIC behind a root port besides its place; no other device has it."""
    port = None if hvinfo is None else q35.port_of(hvinfo.bus)
    return {} if port is None or port not in q35.NIC_PORTS else {"acpi-index": q35.nic_index(port)}


def disk_dict(disk: Disk) -> Device:
    """Give a disk's own object, its children in it; the DRBD secret is null as in Ganeti's files."""
    device = _set({"name": disk.name}) | {"dev_type": disk.template}
    device |= _set({"logical_id": list(disk.logical_id) or None})
    if disk.children:
        device["children"] = [_child(child) for child in disk.children]
    device |= _set(
        {"nodes": list(disk.nodes) or None, "iv_name": disk.iv_name, "size": disk.size_mib or None}
    )
    device |= {"mode": disk.mode, "params": dict(disk.params)} | _set({"spindles": disk.spindles})
    return device | {"hvinfo": hvinfo_dict(disk.hvinfo)} | _set({"uuid": disk.uuid})


def _child(disk: Disk) -> Device:
    """Give a DRBD disk's volume; it has no place, and no mode where that is the usual one."""
    device = disk_dict(disk)
    del device["hvinfo"]
    if disk.mode == "rw":
        del device["mode"]
    return device


def _entry(disk: Disk, index: int, instance: Instance, report: Report, known: _Known) -> DiskEntry:
    device, at = disk_dict(disk), f"[3][{index}][0]"
    kept, link, uri = known.get(disk.uuid, ({}, None, None))
    if disk.hvinfo is None:
        lost(report, f"{at}.hvinfo", None, "Ganeti cannot start a disk without place")
    elif not _is_booked(disk.hvinfo):
        where = f"{disk.hvinfo.bus} scsi-id {disk.hvinfo.scsi_id}"
        reason = (
            f"Ganeti has {SCSI_BUS} with {SCSI_TARGETS} ids: here it cannot start it, nor hot-add any device"
        )
        lost(report, f"{at}.hvinfo", where, reason)
    if disk.uuid == "":
        lost(report, f"{at}.uuid", None, "Ganeti cannot change a running disk without uuid", guest=False)
    if not disk.size_mib and "size" not in kept:
        lost(report, f"{at}.size", None, "the domain does not tell it", guest=False)
    if uri is None or without_password(uri) != disk.uri:
        uri = disk.uri or userspace_uri(disk) or uri
    link = disk.link or link or f"{LINK_DIRECTORY}/{instance.name}:{index}"
    if disk.template == "ext" and disk.uri is not None and disk.link is None:
        link = None
    if disk.params.get("access") == "userspace" and uri is None:
        lost(report, f"[3][{index}][2]", None, "only the node tells the URI of an ext disk")
    if _same_volumes(kept, device):
        device["children"] = kept["children"]
    return {**_rest(known, disk.uuid), **device}, link, uri


def _is_booked(hvinfo: HvInfo) -> bool:
    """Tell whether Ganeti's books of its buses have a line for a place (``_GetBusSlots``)."""
    return hvinfo.scsi_id is None or (hvinfo.bus == SCSI_BUS and hvinfo.scsi_id < SCSI_TARGETS)


def _same_volumes(kept: Device, device: Device) -> bool:
    """Tell whether both name the same children: then the older file, which may say more of them, is right."""
    names = [
        [(child.get("dev_type"), child.get("logical_id")) for child in each.get("children") or ()]
        for each in (kept, device)
    ]
    return bool(names[0]) and names[0] == names[1]


def userspace_uri(disk: Disk) -> str | None:
    """Give the URI that Ganeti makes of an RBD or Gluster disk's parameters; None for any other disk.

    Source: lib/storage/bdev.py (GetUserspaceAccessUri), lib/storage/gluster.py.
    """
    params = disk.params
    if params.get("access") != "userspace" or not disk.logical_id:
        return None
    name = disk.logical_id[1]
    if disk.template == "rbd" and params.get("pool"):
        user = f":id={params['user-id']}" if params.get("user-id") else ""
        return f"rbd:{params['pool']}/{name}{user}"
    if disk.template == "gluster" and {"host", "port", "volume"} <= params.keys():
        host = f"[{params['host']}]" if ":" in str(params["host"]) else params["host"]
        return f"gluster://{host}:{params['port']}/{params['volume']}/{name}"
    return None


def _hvparams(instance: Instance, base: RuntimeTree | None) -> dict[str, Any]:
    """Give the hvparams; an unset machine type stays unset where the command names the machine anyway."""
    values: dict[str, Any] = {**msgspec.structs.asdict(instance.hvparams), **instance.unknown_hvparams}
    values = {name: value for name, value in values.items() if value or name not in NEWER_HVPARAMS}
    if base is None:
        return values
    unset = base.hvparams.get("machine_version") == ""
    named = str(base.option("-machine") or base.option("-M") or "").partition(",")[0]
    if unset and named == instance.hvparams.machine_version:
        values["machine_version"] = ""
    return {**base.hvparams, **values}
