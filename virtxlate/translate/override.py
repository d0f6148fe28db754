"""What stands in ``<qemu:override>``: properties that make QEMU's devices those that Ganeti's guest knows."""

from __future__ import annotations

from collections.abc import Iterator

from virtxlate.domain import model as domain
from virtxlate.domain import settings
from virtxlate.domain.words import USER_ALIAS_PREFIX
from virtxlate.report import Report, Severity
from virtxlate.tables.override import OVERRIDES, overrides_of

_VIDEO_ALIAS = "video0"
_SCSI_ALIAS = "scsi{index}"
"""libvirt's own names of devices that have no user alias."""


def to_domain(devices: domain.Devices, version: int, report: Report) -> settings.QemuOverride | None:
    """Give the overrides for devices that were made of an instance of a Ganeti version; None for most."""
    kinds = (
        *_of_disks(devices, version, report),
        *((video.type, _VIDEO_ALIAS) for video in devices.videos[:1]),
        *(
            (str(each.model), _SCSI_ALIAS.format(index=each.index or 0))
            for each in devices.controllers
            if each.type == "scsi"
        ),
    )
    found = tuple(
        settings.DeviceOverride(
            alias=alias,
            name=row.name,
            type=row.type,
            value=row.value and row.value.format(id=alias.removeprefix(USER_ALIAS_PREFIX)),
        )
        for kind, alias in kinds
        for row in overrides_of(kind, version)
    )
    return settings.QemuOverride(devices=found) if found else None


def _of_disks(devices: domain.Devices, version: int, report: Report) -> Iterator[tuple[str, str]]:
    for index, disk in enumerate(devices.disks):
        # A device that answers for itself has no name of QEMU's, nor a property for one.
        if disk.bus is None or disk.device == "lun" or not overrides_of(disk.bus, version):
            continue
        if disk.alias is None:
            reason = "without a UUID the disk has no name of its own in VPD page 0x83, but libvirt's"
            report.lose(f"disks[{index}].uuid", None, reason, Severity.GUEST_VISIBLE)
        else:
            yield disk.bus, disk.alias


def report_foreign(found: domain.Domain, report: Report) -> None:
    """Report the overrides of a domain that virtxlate does not write itself."""
    known = {row.name for row in OVERRIDES}
    for each in found.qemu_override.devices if found.qemu_override else ():
        if each.name not in known:
            reason = "Ganeti has no word for a property of QEMU's own"
            report.lose("hvparams.kvm_extra", f"{each.alias}.{each.name}", reason, Severity.GUEST_VISIBLE)
