"""What instances that are alike have in common: the CPU, and all devices but their own disks and NICs.

Most instances of a cluster differ in names, sizes and storage alone. What they share is made once, of an
instance that has nothing but what the key tells, so that nothing else can have a part in it.
"""

from __future__ import annotations

from typing import Any

import msgspec

from virtxlate.domain import model as domain
from virtxlate.ganeti.hvinfo import HvInfo
from virtxlate.ganeti.model import Disk, Instance, Nic
from virtxlate.ganeti.params import BeParams
from virtxlate.report import Loss, Report
from virtxlate.translate import cpu, fixed, machine
from virtxlate.translate.context import Context
from virtxlate.translate.memory import Memory

Place = tuple[str, str | None, int | None, int | None, int | None]
"""bus, addr, channel, scsi-id and lun of hvinfo."""


class Common(msgspec.Struct, frozen=True, kw_only=True):
    """What an instance has in common with those like it."""

    cpu: domain.Cpu
    cpu_words: tuple[str, ...]
    """Words for QEMU where libvirt does not know a model or a flag."""
    fixed: fixed.FixedDevices
    losses: tuple[Loss, ...]


_Key = tuple[Any, ...]
_made: Memory[dict[_Key, Common]] = Memory(dict, most=1024)
"""By what it was made of."""


def common(placed: Instance, context: Context, report: Report) -> Common:
    """Give what a placed instance has in common with others. Raises UnsupportedError, PlacementError."""
    made = _made.of(context)
    disks, nics = places(placed)
    key = (placed.hvparams, placed.beparams.vcpus, placed.version, placed.balloon_first, disks, nics)
    found = made.get(key)
    if found is None:
        found = made[key] = _make(_bare(placed), context)
    report.extend(found.losses)
    return found


def places(instance: Instance) -> tuple[tuple[Place | None, ...], tuple[Place | None, ...]]:
    """Give where the disks and the NICs of an instance stand; None for one that has no place yet."""
    return (
        tuple([_place(each.hvinfo) for each in instance.disks]),
        tuple([_place(each.hvinfo) for each in instance.nics]),
    )


def _place(hvinfo: HvInfo | None) -> Place | None:
    return None if hvinfo is None else (hvinfo.bus, hvinfo.addr, hvinfo.channel, hvinfo.scsi_id, hvinfo.lun)


def _bare(placed: Instance) -> Instance:
    """Give an instance that has only what the key tells."""
    disks, nics = places(placed)
    return Instance(
        name="",
        uuid="",
        hvparams=placed.hvparams,
        beparams=BeParams(vcpus=placed.beparams.vcpus),
        version=placed.version,
        balloon_first=placed.balloon_first,
        disks=tuple(Disk(template="", hvinfo=_hvinfo(place)) for place in disks),
        nics=tuple(Nic(mac="", hvinfo=_hvinfo(place)) for place in nics),
    )


def _hvinfo(place: Place | None) -> HvInfo | None:
    if place is None:
        return None
    bus, addr, channel, scsi_id, lun = place
    return HvInfo(driver="", id="", bus=bus, addr=addr, channel=channel, scsi_id=scsi_id, lun=lun)


def _make(bare: Instance, context: Context) -> Common:
    report = Report()
    model, words = cpu.to_domain(bare, machine.topology(bare), context, report)
    devices = fixed.to_domain(bare, context, report)
    return Common(cpu=model, cpu_words=words, fixed=devices, losses=report.losses)
