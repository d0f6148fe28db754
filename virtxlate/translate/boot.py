"""What boots: Ganeti's boot_order as an order of devices, and back.

Up to 3.1 Ganeti gives QEMU a letter (``-boot order=n``), and the firmware tries every device of that kind;
since 3.2 the first device of the kind has a bootindex. To the firmware a paravirtual CD-ROM is a hard disk.
"""

from __future__ import annotations

from virtxlate.domain import model as domain
from virtxlate.errors import UnsupportedError
from virtxlate.ganeti.model import Instance
from virtxlate.report import Report, Severity
from virtxlate.tables.machine import BOOT_ORDERS
from virtxlate.tables.removable import IMAGE_ALIASES, removable_era

CDROMS = ("cdrom_image_path", "cdrom2_image_path")


def boot_orders(instance: Instance) -> dict[str, int]:
    """Give the boot order by device: ``disks[0]``, ``nics[1]`` or the hvparam of an image.

    Empty with a kernel given directly: that leaves no boot order.
    """
    hvparams = instance.hvparams
    if hvparams.kernel_path:
        return {}
    if hvparams.boot_order == "disk":
        return {"disks[0]": 1} if instance.disks else {}
    devices = {
        "network": [f"nics[{index}]" for index in range(len(instance.nics))],
        "cdrom": [name for name in CDROMS if getattr(hvparams, name)],
        "floppy": ["floppy_image_path"] if hvparams.floppy_image_path else [],
    }.get(hvparams.boot_order, [])
    if hvparams.boot_order == "cdrom" and devices[:1] != ["cdrom_image_path"]:
        return {}
    kind = hvparams.cdrom_disk_type or hvparams.disk_type
    hard = hvparams.boot_order == "cdrom" and kind == "paravirtual"
    if hard or removable_era(instance.version).boots == "first":
        devices = devices[:1]
    return {name: number for number, name in enumerate(devices, 1)}


def report_boot(instance: Instance, report: Report) -> None:
    """Report a boot_order that nothing can follow. Raises UnsupportedError for one that is no word."""
    hvparams = instance.hvparams
    if hvparams.boot_order not in BOOT_ORDERS:
        known = ", ".join(BOOT_ORDERS)
        at = "hvparams.boot_order"
        raise UnsupportedError(f"expected one of {known}, found {hvparams.boot_order!r}", at=at)
    if hvparams.kernel_path:
        if hvparams.boot_order != "disk":
            report.lose(
                "hvparams.boot_order", hvparams.boot_order, "Ganeti ignores it when a kernel is given"
            )
    elif hvparams.boot_order in {"cdrom", "floppy"} and not boot_orders(instance):
        reason = "there is no image to boot from: nothing is told to boot first"
        report.lose("hvparams.boot_order", hvparams.boot_order, reason, Severity.GUEST_VISIBLE)


def to_ganeti(found: domain.Domain, report: Report) -> dict[str, str]:
    """Give the boot_order that the devices of a domain tell."""
    if found.os.kernel is not None:
        report.lose("hvparams.boot_order", None, "a kernel given directly leaves no boot order")
        return {}
    if any(interface.boot_order == 1 for interface in found.devices.interfaces):
        return {"boot_order": "network"}
    first = next((disk for disk in found.devices.disks if disk.boot_order == 1), None)
    if first is None:
        report.lose("hvparams.boot_order", None, "no device is told to boot first")
        return {}
    alias = first.alias or ""
    name = IMAGE_ALIASES.left(alias) if IMAGE_ALIASES.knows_right(alias) else ""
    if name in CDROMS or (first.device == "cdrom" and first.bus == "ide"):
        return {"boot_order": "cdrom"}
    return {"boot_order": "floppy" if first.device == "floppy" else "disk"}
