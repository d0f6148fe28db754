"""One Ganeti disk as a SCSI device of the host that the guest gets whole, and back.

libvirt has no disk of QEMU's scsi-generic: it is a host device, found by an adapter of the host and an
address behind it, or by iSCSI. Only the host can tell the adapter and the address of a path.
Source: libvirt 9.0.0, docs/formatdomain.rst, "Host device assignment".
"""

from __future__ import annotations

from typing import Any

import msgspec

from virtxlate.domain import model as domain
from virtxlate.errors import UnsupportedError
from virtxlate.ganeti.hvinfo import HvInfo
from virtxlate.ganeti.model import Disk, Instance
from virtxlate.ganeti.words import DISK_DRIVERS
from virtxlate.report import Report, Severity
from virtxlate.scsi import ScsiAddress, ScsiDevice, host_number
from virtxlate.tables.disk import HOSTDEV_DISK_TYPES
from virtxlate.translate import disk as disks
from virtxlate.translate import source as sources
from virtxlate.translate.boot import boot_orders
from virtxlate.translate.context import Context

_SCSI = "scsi"
_UNSAID = ("disk_cache", "disk_aio", "disk_discard")
_SAYS_NOTHING = frozenset({"default", "threads", "ignore", "none"})


def is_hostdev(instance: Instance) -> bool:
    """Tell whether the disks of an instance are host devices to libvirt."""
    return HOSTDEV_DISK_TYPES.knows_left(instance.hvparams.disk_type)


def to_domain(instance: Instance, index: int, context: Context, report: Report) -> domain.Hostdev:
    """Give the host device for a placed instance's disk of that index.

    Raises GanetiDataError, UnsupportedError.
    """
    disk, at = instance.disks[index], f"disks[{index}]"
    disks.check_mode(disk, at)
    disks.check_passthrough(disk, context, at)
    # The document does not name the path, so how paths are to be written is no question here.
    found = msgspec.structs.replace(context, disk_paths="device", stable_names=False)
    kind, source = sources.to_domain(disk, instance, index, found, report)
    return domain.Hostdev(
        type=HOSTDEV_DISK_TYPES.right(instance.hvparams.disk_type),
        managed=False,
        source=_iscsi(source, at) if kind == "network" else _adapter(source, at, context, report),
        readonly=disk.mode == "ro",
        boot_order=boot_orders(instance).get(f"disks[{index}]"),
        alias=disks.user_alias(disk.uuid, disk.hvinfo),
        address=disks.scsi_address(instance, index),
    )


def report_unsaid(instance: Instance, report: Report) -> None:
    """Report what QEMU has for a disk, and not for a device that it only passes commands to."""
    for name in _UNSAID:
        value = getattr(instance.hvparams, name)
        if value not in _SAYS_NOTHING:
            report.lose(f"hvparams.{name}", value, "a host device has no cache, aio or discard mode")


def _iscsi(source: domain.DiskSource, at: str) -> domain.HostdevSource:
    if source.protocol != "iscsi":
        raise UnsupportedError(
            f"a {source.protocol} image takes no SCSI commands: use disk_type scsi-hd", at=f"{at}.uri"
        )
    return domain.HostdevSource(
        protocol=source.protocol,
        name=source.name,
        hosts=source.hosts,
        initiator=source.initiator,
        auth=source.auth,
    )


def _adapter(source: domain.DiskSource, at: str, context: Context, report: Report) -> domain.HostdevSource:
    if source.dev is None:
        raise UnsupportedError("a file takes no SCSI commands: use disk_type scsi-hd", at=f"{at}.template")
    device = _find(source.dev, at, context)
    if device.address is None:
        raise UnsupportedError(
            f"{source.dev} is no SCSI device: use disk_type scsi-hd, or pass one of its paths", at=at
        )
    _report_number(device, source.dev, device.address, at, report)
    bus, target, unit = (
        str(each) for each in (device.address.bus, device.address.target, device.address.unit)
    )
    return domain.HostdevSource(adapter=device.address.adapter, bus=bus, target=target, unit=unit)


def _find(path: str, at: str, context: Context) -> ScsiDevice:
    if context.scsi is None:
        raise UnsupportedError(
            f"nothing tells the SCSI address of {path}: `virtxlate scsi-map` on its host writes a file of "
            "them; give it with --scsi-map",
            at=at,
        )
    device = context.scsi.device(path)
    if device is None:
        raise UnsupportedError(f"the SCSI map has no device {path}: is it that of the right host?", at=at)
    return device


def _report_number(device: ScsiDevice, path: str, address: ScsiAddress, at: str, report: Report) -> None:
    """Report that an adapter's number is given anew at each boot of the host."""
    adapter, name = address.adapter, device.stable
    if name is not None:
        reason = "the number of a host adapter may change when its host boots: translate again then"
        report.lose(f"{at}.adapter", adapter, reason)
        return
    reason = "the number of a host adapter may change, and no name of the device is known that stays"
    report.lose(f"{at}.adapter", f"{adapter}: {path}", reason, Severity.GUEST_VISIBLE)


def to_ganeti(
    found: domain.Hostdev, at: str, models: dict[int, str | None], context: Context, report: Report
) -> Disk:
    """Give the Ganeti disk for a SCSI host device. Raises UnsupportedError."""
    storage = sources.to_ganeti(*_source(found, at, context), at, context, report)
    disks.report_untold(at, report)
    for name, value, default in (
        ("rawio", found.rawio, None),
        ("sgio", found.sgio, None),
        ("shareable", found.shareable, False),
        ("initiator", found.source and found.source.initiator, None),
    ):
        if value != default:
            report.lose(f"{at}.{name}", value, "Ganeti has no word for it")
    fields: dict[str, Any] = {name: getattr(storage, name) for name in storage.__struct_fields__}
    mode = "ro" if found.readonly else "rw"
    return Disk(mode=mode, hvinfo=_hvinfo(found, at, models, report), **fields)


def _source(found: domain.Hostdev, at: str, context: Context) -> tuple[str, domain.DiskSource]:
    """Give type and source of a disk that opens the same device."""
    source = found.source or domain.HostdevSource()
    if source.protocol == "iscsi":
        return "network", domain.DiskSource(
            protocol=source.protocol,
            name=source.name,
            hosts=source.hosts,
            initiator=source.initiator,
            auth=source.auth,
        )
    address = _address(source, at)
    device = context.scsi.at(address) if context.scsi is not None else None
    path = None if device is None else device.stable or device.block or device.generic
    if path is None:
        raise UnsupportedError(
            f"nothing tells which device is {address}: `virtxlate scsi-map` on its host writes a file of "
            "them; give it with --scsi-map",
            at=f"{at}.logical_id",
        )
    return "block", domain.DiskSource(dev=path)


def opened_by(found: domain.Hostdev, context: Context) -> domain.DiskSource | None:
    """Give the source of a disk that opens the same device as a host device; None where nothing tells."""
    try:
        return _source(found, "", context)[1]
    except UnsupportedError:
        return None


def same_device(source: domain.DiskSource | None, context: Context) -> tuple[domain.DiskSource, ...]:
    """Give the sources that open what ``source`` opens: under every name that the resolver knows."""
    if source is None:
        return ()
    device = context.scsi.device(source.dev) if context.scsi is not None and source.dev is not None else None
    names = () if device is None else device.paths
    return (source, *(domain.DiskSource(dev=name) for name in names))


def _address(source: domain.HostdevSource, at: str) -> ScsiAddress:
    host = host_number(source.adapter or "")
    try:
        return ScsiAddress.parse(f"{host}:{source.bus}:{source.target}:{source.unit}")
    except ValueError:
        raise UnsupportedError(
            "expected an adapter such as scsi_host2 with bus, target and unit", at=f"{at}.logical_id"
        ) from None


def _hvinfo(found: domain.Hostdev, at: str, models: dict[int, str | None], report: Report) -> HvInfo | None:
    device_id = disks.ganeti_id(found.alias)
    if device_id is None or not isinstance(found.address, domain.DriveAddress):
        reason = "an alias that is not Ganeti's gives no device id"
        report.lose(f"{at}.hvinfo", found.alias, reason)
        return None
    driver = DISK_DRIVERS[HOSTDEV_DISK_TYPES.left(_SCSI)]
    return disks.scsi_hvinfo(driver, device_id, found.address, models, f"{at}.hvinfo")


def is_disk(found: domain.Hostdev) -> bool:
    """Tell whether a host device is one that Ganeti could have as a disk."""
    return found.type == _SCSI


def report_others(found: tuple[domain.Hostdev, ...], report: Report) -> None:
    """Report the host devices that Ganeti has no disk for."""
    for index, each in enumerate(found):
        if not is_disk(each):
            reason = "Ganeti's disks are the only host devices that it has a word for"
            report.lose(f"hostdevs[{index}]", each.type, reason, Severity.GUEST_VISIBLE)
