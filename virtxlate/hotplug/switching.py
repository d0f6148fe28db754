"""A SCSI disk is passed through instead of emulated, or the other way round: out and in again, same place."""

from __future__ import annotations

from copy import deepcopy
from typing import NamedTuple

import msgspec

from virtxlate.domain.live import LiveDomain
from virtxlate.errors import UnsupportedError
from virtxlate.ganeti.model import Disk, Instance
from virtxlate.hotplug import edits, follow, obeys
from virtxlate.hotplug.apply import Affect
from virtxlate.hotplug.engine import Done, Engine, again
from virtxlate.hotplug.plan import attach, config_twin, remove
from virtxlate.hotplug.snapshot import Entry, Snapshot
from virtxlate.hotplug.steps import Step
from virtxlate.report import Report
from virtxlate.translate.context import Context
from virtxlate.translate.disk import check_passthrough, check_scsi, ganeti_id
from virtxlate.translate.switch import DISK_TYPES, Kind, switched, switched_instance

_WORDS: dict[Kind, str] = {"lun": "passed through (lun)", "disk": "emulated (disk)"}


class Planned(NamedTuple):
    """How a disk becomes the other kind."""

    steps: tuple[Step, ...]
    notes: tuple[str, ...]
    """What the guest sees of it, and what Ganeti's data says afterwards."""


def switch(engine: Engine, affect: Affect, entry: Entry, to: Kind) -> Done:
    """Make the disk that, and give what was done; see Hotplug.switch."""
    notes: tuple[str, ...] = ()

    def steps(snapshot: Snapshot, report: Report) -> tuple[Step, ...]:
        nonlocal notes
        planned = plan_switch(snapshot, again(snapshot, entry), to, engine.context, running=affect.live)
        obeys.check(snapshot, planned.steps, report)
        notes = planned.notes
        return planned.steps

    done = engine.do(affect, steps, following(entry, to), device=("disk", entry.info.uuid or ""))
    return msgspec.structs.replace(done, notes=(*notes, *done.notes))


def plan_switch(
    snapshot: Snapshot, entry: Entry, to: Kind, context: Context, *, running: bool = True
) -> Planned:
    """Give the steps that make a disk passed through (``lun``) or emulated (``disk``), and what comes of it.

    It keeps address, alias and target. Raises UnsupportedError for a disk that cannot be one, or is not on
    SCSI.
    """
    _check_bus(entry)
    element = deepcopy(entry.element.element)
    edits.as_asked(element)
    try:
        found = switched(element, to)
    except UnsupportedError as exc:
        raise UnsupportedError(exc.message, at=f"{entry.at}{exc.at.removeprefix('disk')}") from None
    if not found.seen:
        _check_config(snapshot, entry, to)
        return Planned((), (f"it is {_WORDS[to]} already",))
    placed = found.disk
    if to == "lun":
        if isinstance(entry.kept, Disk):
            check_passthrough(entry.kept, context, entry.at)
        check_scsi(placed.source, context, entry.at)
    if ganeti_id(placed.alias) is None:
        placed = msgspec.structs.replace(placed, alias=None)
    back = msgspec.structs.replace(attach("disk", placed, entry.at), xml=found.xml)
    steps = (*remove(snapshot, entry, running=running), back)
    return Planned(steps, (*found.seen, *_of_ganeti(snapshot, entry, to)))


def _check_bus(entry: Entry) -> None:
    bus = entry.element.part("target").get("bus")
    if entry.element.tag != "disk" or bus != "scsi":
        found = f"bus {bus!r}" if entry.element.tag == "disk" else f"a {entry.element.tag}"
        raise UnsupportedError(
            f"expected a disk on bus 'scsi', found {found}: only a SCSI controller has emulated and passed "
            "through disks in the same place",
            at=entry.at,
        )


def _check_config(snapshot: Snapshot, entry: Entry, to: Kind) -> None:
    """Raise UnsupportedError where the guest has the disk so already, and its definition has not."""
    config = config_twin(snapshot, entry)
    if config is not None and config.element.get("device", "disk") != to:
        raise UnsupportedError(
            f"the running guest has it {_WORDS[to]} already, its definition has not: change that alone "
            "(--config without --live)",
            at=entry.at,
        )


def _of_ganeti(snapshot: Snapshot, entry: Entry, to: Kind) -> tuple[str, ...]:
    """Give what becomes of disk_type, which Ganeti has once for all disks."""
    word, wanted = snapshot.instance.hvparams.disk_type, DISK_TYPES[to]
    if not snapshot.has_metadata or entry.kept is None or word == wanted:
        return ()
    kinds = {each.kept.uuid: each.info.kind for each in snapshot.disks if each.kept is not None}
    kinds[entry.kept.uuid] = to
    if _follows(snapshot.instance, kinds, to):
        return (f"Ganeti's data follows: hvparams.disk_type becomes {wanted}",)
    told = f"it has one word for all disks, and not all are {wanted}"
    return (f"Ganeti's data keeps hvparams.disk_type {word}: {told}",)


def _follows(instance: Instance, kinds: dict[str, str], to: Kind) -> bool:
    """Tell whether Ganeti's one word can become that of ``to``: every disk is that now."""
    if instance.hvparams.disk_type not in DISK_TYPES.values():
        return False
    return all(kinds.get(disk.uuid) == to for disk in instance.disks)


def following(entry: Entry, to: Kind) -> follow.Change | None:
    """Give what the switch changes in Ganeti's data; None for a disk that this does not have."""
    disk = entry.kept
    if not isinstance(disk, Disk) or not disk.uuid:
        return None
    placed = follow.with_device("disk", disk)

    def change(instance: Instance, live: LiveDomain) -> Instance:
        changed = placed(instance, live)
        infos = ((each.uuid, follow.info_of(live, "disk", each.uuid)) for each in changed.disks)
        kinds = {uuid: info.kind for uuid, info in infos if info is not None}
        return switched_instance(changed, to) if _follows(changed, kinds, to) else changed

    return change
