"""Command lines in the shape of Ganeti 3.2: a -device and a -blockdev for each disk, a bootindex.

What a runtime file stores is made by virtxlate.ganeti.command, which is checked against Ganeti's own output;
disks and NICs are added here as Ganeti does. Source: Ganeti 3.2 alpha (c35736d8a),
lib/hypervisor/hv_kvm/__init__.py:1034-1130, 1863-1908.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from virtxlate import Report
from virtxlate.ganeti.command import V3_2, build_command
from virtxlate.translate.placing import place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from virtxlate.ganeti.hvinfo import HvInfo
    from virtxlate.ganeti.model import Instance

_CTRL = "/var/run/ganeti/kvm-hypervisor/ctrl"
_DRIVERS = {"ide": "ide-hd"}


def newer_start(instance: Instance) -> Any:
    """Give what `ganeti_qemu` takes, for disks in files and bridged NICs; there is no runtime file."""
    placed = place(instance)
    words = [str(word) for word in build_command(placed, Report(), V3_2)]
    qmp = ("-qmp", f"unix:{_CTRL}/{placed.name}.qmp,server,nowait")
    cmd = (*words, *qmp, *_nics(placed), *_disks(placed), "-S")
    return SimpleNamespace(name=placed.name, cmd=cmd, runtime=None)


def _nics(placed: Instance) -> Iterator[str]:
    if not placed.nics:
        yield from ("-net", "none")
    for number, nic in enumerate(placed.nics):
        hvinfo = nic.hvinfo
        if hvinfo is not None:
            yield from ("-netdev", f"type=tap,id={hvinfo.id},fd={number + 20}")
            yield from ("-device", f"{_device(hvinfo)},netdev={hvinfo.id},mac={nic.mac}")


def _disks(placed: Instance) -> Iterator[str]:
    hvparams = placed.hvparams
    first = not hvparams.kernel_path and hvparams.boot_order == "disk"
    direct, write = hvparams.disk_cache == "none", hvparams.disk_cache != "writethrough"
    for number, disk in enumerate(placed.disks):
        hvinfo = disk.hvinfo
        if hvinfo is None:
            continue
        boot = ",bootindex=1" if first and not number else ""
        yield from ("-device", f"{_device(hvinfo)},drive={hvinfo.id},write-cache={_on(write)}{boot}")
        node = (
            f"driver=raw,node-name={hvinfo.id},discard=ignore,cache.direct={_on(direct)},cache.no-flush=off"
        )
        file = f"file.driver=file,file.filename={disk.logical_id[1]},file.aio=threads,auto-read-only=off"
        yield from ("-blockdev", f"{node},{file}")


def _on(value: bool) -> str:
    return "on" if value else "off"


def _device(hvinfo: HvInfo) -> str:
    if hvinfo.driver in _DRIVERS:
        return _DRIVERS[hvinfo.driver]
    place_on = (
        f"bus={hvinfo.bus},addr={hvinfo.addr}"
        if hvinfo.addr is not None
        else f"bus={hvinfo.bus},channel={hvinfo.channel},scsi-id={hvinfo.scsi_id},lun={hvinfo.lun}"
    )
    return f"{hvinfo.driver},id={hvinfo.id},{place_on}"
