"""What stands in ``<qemu:override>``: properties that make QEMU's devices those that Ganeti's guest knows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from virtxlate.domain import model as domain
from virtxlate.domain import settings
from virtxlate.domain.words import USER_ALIAS_PREFIX
from virtxlate.ganeti.machines import qemu_of
from virtxlate.ganeti.model import Instance
from virtxlate.report import Report, Severity
from virtxlate.tables.nic import OFFLOADS_WITHOUT_HEADER
from virtxlate.tables.override import NIC_WITHOUT_HEADER, OVERRIDES, overrides_of
from virtxlate.translate.context import Context
from virtxlate.translate.machine import machine

_UNKNOWN = (0, 0)
_VIDEO_ALIAS = "video0"
_SCSI_ALIAS = "scsi{index}"
_NIC_ALIAS = "net{index}"
"""libvirt's own names of devices that have no user alias."""


def to_domain(
    devices: domain.Devices, instance: Instance, context: Context, report: Report
) -> settings.QemuOverride | None:
    """Give the overrides for devices that were made of an instance; None for most.

    Where the context wants none, what the guest sees without them is reported.
    """
    version = instance.version
    kinds = (*_of_disks(devices, version, report), *_of_boards(devices), *_of_nics(devices))
    rows = [
        (each, row)
        for each in kinds
        for row in overrides_of(each.kind, version)
        if row.qemu_since is None or _is_qemu_since(row.qemu_since, instance, context)
    ]
    if context.untainted:
        for each, row in rows:
            path = row.path.format(index=each.place)
            reason = f"without an override, which taints the domain: {row.without}"
            report.lose(path, None, reason, Severity.GUEST_VISIBLE)
        return None
    found = tuple(
        settings.DeviceOverride(
            alias=each.alias,
            name=row.name,
            type=row.type,
            value=row.value and row.value.format(id=each.alias.removeprefix(USER_ALIAS_PREFIX)),
        )
        for each, row in rows
    )
    return settings.QemuOverride(devices=found) if found else None


def _is_qemu_since(version: tuple[int, int], instance: Instance, context: Context) -> bool:
    """Tell whether QEMU is known to be that new: of its own version, or of a machine type that is."""
    major, minor = version
    if context.qemu_version is not None:
        return context.qemu_version >= major * 1_000_000 + minor * 1_000
    return (qemu_of(machine(instance)) or _UNKNOWN) >= version


class _Device(NamedTuple):
    """One that may need an override: its kind in the table, libvirt's alias, and its place in the list."""

    kind: str
    alias: str
    place: int = 0


def _of_boards(devices: domain.Devices) -> Iterator[_Device]:
    for video in devices.videos[:1]:
        yield _Device(video.type, _VIDEO_ALIAS)
    for each in devices.controllers:
        if each.type == "scsi":
            yield _Device(str(each.model), _SCSI_ALIAS.format(index=each.index or 0))


def _of_nics(devices: domain.Devices) -> Iterator[_Device]:
    for index, nic in enumerate(devices.interfaces):
        if getattr(nic, OFFLOADS_WITHOUT_HEADER[0]) is False:
            yield _Device(NIC_WITHOUT_HEADER, nic.alias or _NIC_ALIAS.format(index=index), index)


def _of_disks(devices: domain.Devices, version: int, report: Report) -> Iterator[_Device]:
    for index, disk in enumerate(devices.disks):
        # A device that answers for itself has no name of QEMU's, nor a property for one.
        if disk.bus is None or disk.device == "lun" or not overrides_of(disk.bus, version):
            continue
        if disk.alias is None:
            reason = "without a UUID the disk has no name of its own in VPD page 0x83, but libvirt's"
            report.lose(f"disks[{index}].uuid", None, reason, Severity.GUEST_VISIBLE)
        else:
            yield _Device(disk.bus, disk.alias, index)


def report_foreign(found: domain.Domain, report: Report) -> None:
    """Report the overrides of a domain that virtxlate does not write itself."""
    known = {row.name for row in OVERRIDES}
    for each in found.qemu_override.devices if found.qemu_override else ():
        if each.name not in known:
            reason = "Ganeti has no word for a property of QEMU's own"
            report.lose("hvparams.kvm_extra", f"{each.alias}.{each.name}", reason, Severity.GUEST_VISIBLE)
