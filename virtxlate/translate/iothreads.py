"""I/O threads, there and back: Ganeti has a number of them, libvirt the number of one for each disk."""

from __future__ import annotations

from virtxlate.domain import model as domain
from virtxlate.errors import GanetiDataError
from virtxlate.ganeti.model import Instance
from virtxlate.ganeti.words import SCSI_DISK_TYPES
from virtxlate.report import Report
from virtxlate.tables.iothreads import (
    IOTHREAD_CONTROLLER,
    IOTHREAD_DISK_TYPE,
    MAX_IOTHREADS,
    NO_IOTHREAD_AIOS,
)
from virtxlate.translate.placing import disk_type

_AT = "hvparams.virtio_disk_iothreads"


def count(instance: Instance) -> int:
    """Give how many I/O threads serve the instance's disks, 0 for none. Raises GanetiDataError.

    A guest of few processors has no use for more; a disk that comes later finds its thread there already.
    """
    hvparams = instance.hvparams
    wanted = hvparams.virtio_disk_iothreads
    if wanted > MAX_IOTHREADS:
        raise GanetiDataError(f"expected at most {MAX_IOTHREADS}, found {wanted}", at=_AT)
    if hvparams.disk_aio in NO_IOTHREAD_AIOS:
        return 0
    if disk_type(instance) == IOTHREAD_DISK_TYPE:
        return min(wanted, instance.beparams.vcpus)
    return min(wanted, 1) if _on_virtio_scsi(instance) else 0


def report_spread(instance: Instance, report: Report) -> None:
    """Report that more threads than one serve a disk each, not each disk."""
    wanted = instance.hvparams.virtio_disk_iothreads
    if count(instance) and wanted > 1:
        reason = "a disk has one I/O thread here; Ganeti gives it all of them, where QEMU is 9.0 or newer"
        report.lose(_AT, wanted, reason)


def of_disk(instance: Instance, index: int) -> int | None:
    """Give the number of the thread of a paravirtual disk, None where it has none."""
    threads = count(instance) if disk_type(instance) == IOTHREAD_DISK_TYPE else 0
    return index % threads + 1 if threads else None


def of_controller(instance: Instance) -> int | None:
    """Give the number of the thread of the SCSI controllers, None where they have none."""
    return 1 if _on_virtio_scsi(instance) and count(instance) else None


def _on_virtio_scsi(instance: Instance) -> bool:
    on_scsi = disk_type(instance) in SCSI_DISK_TYPES
    return on_scsi and instance.hvparams.scsi_controller_type == IOTHREAD_CONTROLLER


def to_ganeti(found: domain.Domain, report: Report) -> dict[str, int]:
    """Give the hvparam that the threads of a domain tell, as far as its disks use them."""
    devices = found.devices
    used = {each.iothread for each in devices.disks} | {each.iothread for each in devices.controllers}
    report.lose(_AT, None, "threads that no disk or processor could use left no trace")
    threads = (found.iothreads or 0) if used - {None} else 0
    if threads > MAX_IOTHREADS:
        report.lose(_AT, threads, "Ganeti has at most 8 I/O threads")
    return {"virtio_disk_iothreads": min(threads, MAX_IOTHREADS)}
