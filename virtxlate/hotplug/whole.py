"""Ganeti's wanted devices beside those of a domain: the steps that make the second like the first.

Order: what leaves, what changes, what comes; disks before NICs, as Ganeti does it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from copy import deepcopy
from typing import Literal

import msgspec
from lxml import etree

from virtxlate.domain import model as domain
from virtxlate.domain.live import LiveDevice
from virtxlate.errors import GanetiDataError, VirtxlateError
from virtxlate.ganeti.model import Disk, Instance, Nic
from virtxlate.hotplug import changes, follow, obeys, plan
from virtxlate.hotplug.differing import decided, differing
from virtxlate.hotplug.opened import marks
from virtxlate.hotplug.snapshot import Entry, Snapshot
from virtxlate.hotplug.steps import Attach, Detach, Device, Step, name_of
from virtxlate.hotplug.wanted import wanted_disk, wanted_nic
from virtxlate.report import Loss, Report
from virtxlate.tables.hotplug import DISK_CHANGES, DISK_FIELDS, INTERFACE_CHANGES, NIC_FIELDS
from virtxlate.translate.context import Context
from virtxlate.translate.disk import ganeti_id
from virtxlate.translate.matching import match
from virtxlate.translate.runtime import LiveView, read_view
from virtxlate.units import BYTES_PER_UNIT

_OF_GANETI = ("disk-", "hotdisk-", "nic-", "hotnic-")


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """The steps of one device; all of them, or none, are to be done."""

    kind: str
    at: str
    """Ganeti's path; of a device that leaves, its name."""
    wanted: Disk | Nic | None
    """None for a device that leaves."""
    uuid: str | None
    steps: tuple[Step, ...]

    @property
    def change(self) -> follow.Change:
        """What becomes of Ganeti's data of the domain."""
        if self.wanted is None:
            return follow.without_device(self.kind, self.uuid)
        index = int(self.at.rstrip("]").partition("[")[2])
        return follow.with_device(self.kind, self.wanted, at=index)

    def same_as(self, other: Group) -> bool:
        """Tell whether both are of one device."""
        return self._key == other._key

    @property
    def _key(self) -> tuple[object, ...]:
        """Kind and path; of a device that leaves, what is the same in guest and definition."""
        info = next((step.info for step in self.steps if isinstance(step, Detach)), None)
        if self.wanted is not None or info is None:
            return self.kind, self.at, self.wanted is None
        return self.kind, info.mac, info.target, self.at if info.mac is info.target is None else None


class WholePlan(msgspec.Struct, frozen=True, kw_only=True):
    """Ordered groups of steps; without any, domain and instance agree."""

    groups: tuple[Group, ...]
    notes: tuple[str, ...] = ()
    """What is left alone, and why."""
    losses: tuple[Loss, ...] = ()

    @property
    def steps(self) -> tuple[Step, ...]:
        """All of them, in order."""
        return tuple(step for group in self.groups for step in group.steps)


def whole_plan(
    snapshot: Snapshot, instance: Instance, context: Context, *, running: bool = True, prune: bool = False
) -> WholePlan:
    """Give what makes the disks and NICs of a domain those of ``instance``.

    A device of the domain that nothing shows to be Ganeti's is left alone and noted, unless ``prune``.

    Raises GanetiDataError for another instance's data, or where a device could be more than one, and what
    the single plans raise.
    """
    _check_identity(snapshot, instance)
    known = msgspec.structs.replace(snapshot, instance=instance)
    entries = {entry.info.path: entry for entry in (*snapshot.disks, *snapshot.nics, *snapshot.others)}
    infos = [entries[device.path].info for device in snapshot.view.live.devices]
    # Where metadata is, it names Ganeti's disks: another one is somebody else's, whatever its order says.
    matched = match(instance, snapshot.view.live, infos, context, by_order=not snapshot.has_metadata)
    found = {at: entries[info.path] for at, info in matched.items()}
    leaving, notes = _leaving(snapshot, found, prune=prune)
    report = Report()
    groups = [
        Group(
            kind="nic" if entry.info.kind == "nic" else "disk",
            at=name_of(entry.info),
            wanted=None,
            uuid=entry.info.uuid,
            steps=plan.remove(known, entry, running=running),
        )
        for entry in leaving
    ]
    for at, entry in sorted(found.items()):
        wanted = _wanted(instance, at)
        steps = _drift(known, entry, at, context, report, notes, running=running)
        groups.append(_group(at, wanted, steps))
    for at, steps in _coming(_without(known, leaving), found, context, report, running=running):
        groups.append(_group(at, _wanted(instance, at), steps))
    whole = WholePlan(groups=tuple(group for group in groups if group.steps), notes=tuple(notes))
    obeys.check(snapshot, whole.steps, report)
    return msgspec.structs.replace(whole, losses=report.losses)


def _group(at: str, wanted: Disk | Nic, steps: tuple[Step, ...]) -> Group:
    kind = "disk" if isinstance(wanted, Disk) else "nic"
    return Group(kind=kind, at=at, wanted=wanted, uuid=wanted.uuid, steps=steps)


def _wanted(instance: Instance, at: str) -> Disk | Nic:
    word, _, index = at.rstrip("]").partition("[")
    device: Disk | Nic = getattr(instance, word)[int(index)]
    return device


def _coming(
    snapshot: Snapshot, found: dict[str, Entry], context: Context, report: Report, *, running: bool
) -> Iterator[tuple[str, tuple[Step, ...]]]:
    """Give path and steps of what the domain does not have yet."""
    places = plan.places_of(snapshot, running=running)
    for index, disk in enumerate(snapshot.instance.disks):
        if (at := f"disks[{index}]") not in found:
            yield (
                at,
                plan.place_disk(snapshot, disk, context, places, report, running=running, index=index),
            )
    for index, nic in enumerate(snapshot.instance.nics):
        if (at := f"nics[{index}]") not in found:
            yield at, plan.add_nic(snapshot, nic, context, places, report, index=index)


def _check_identity(snapshot: Snapshot, instance: Instance) -> None:
    uuid = snapshot.view.domain.uuid
    if uuid and instance.uuid and uuid.lower() != instance.uuid.lower():
        raise GanetiDataError(f"expected the data of {uuid}, found that of {instance.uuid}", at="uuid")


def _leaving(snapshot: Snapshot, found: dict[str, Entry], *, prune: bool) -> tuple[list[Entry], list[str]]:
    """Give the devices that Ganeti no longer has, and what is said of the others that it does not have."""
    kept = {entry.info.path for entry in found.values()}
    leaving, notes = [], []
    for entry in (*snapshot.disks, *snapshot.nics):
        if entry.info.path in kept:
            continue
        if prune or _is_of_ganeti(entry):
            leaving.append(entry)
        else:
            notes.append(f"{name_of(entry.info)} is not Ganeti's, and is left alone")
    return leaving, notes


def _is_of_ganeti(entry: Entry) -> bool:
    """Tell whether the domain itself says that a device is Ganeti's."""
    return entry.info.uuid is not None or (ganeti_id(entry.info.alias) or "").startswith(_OF_GANETI)


def _without(snapshot: Snapshot, leaving: list[Entry]) -> Snapshot:
    """Give the domain without those that leave: they do so first, and others may have their places."""
    if not leaving:
        return snapshot
    config = snapshot.config
    if config is not None:
        twins = [device for entry in leaving if (device := plan.config_twin(snapshot, entry)) is not None]
        config = _view_without(config, twins)
    return msgspec.structs.replace(
        snapshot,
        view=_view_without(snapshot.view, [entry.element for entry in leaving]),
        config=config,
        disks=tuple(entry for entry in snapshot.disks if entry not in leaving),
        nics=tuple(entry for entry in snapshot.nics if entry not in leaving),
    )


def _view_without(view: LiveView, devices: Iterable[LiveDevice]) -> LiveView:
    root = deepcopy(view.live.root)
    found = [root.find(f"devices/{device.tag}[{device.number}]") for device in devices]
    for element in found:
        if element is not None and (parent := element.getparent()) is not None:
            parent.remove(element)
    return read_view(etree.tostring(root), foreign=True)


def _drift(
    snapshot: Snapshot,
    entry: Entry,
    at: str,
    context: Context,
    report: Report,
    notes: list[str],
    *,
    running: bool,
) -> tuple[Step, ...]:
    """Give the steps for a device that both have; what waits for the next start is noted.

    Raises GanetiDataError for a disk that opens something else, and may be another one.
    """
    wanted, index = _wanted(snapshot.instance, at), int(at.rstrip("]").partition("[")[2])
    if entry.device is None:
        return ()
    size: tuple[Step, ...] = ()
    after: Device
    if isinstance(wanted, Disk):
        after = _as_opened(snapshot.instance, wanted, index, context, report, entry.device)
        if running and (note := _other_name(after, entry.device, context)) is not None:
            notes.append(f"{at}: {note}")
            after = msgspec.structs.replace(after, source=None)
        own, table = decided(DISK_FIELDS), DISK_CHANGES
        size = _growth(entry, wanted) if running else ()
    else:
        after = wanted_nic(snapshot.instance, wanted, index, context, report)
        own, table = decided(NIC_FIELDS), INTERFACE_CHANGES
    if type(after) is not type(entry.device):
        found, said = (type(each).__name__.lower() for each in (entry.device, after))
        notes.append(f"{at}: it is a {found}, for Ganeti a {said}: that waits for the next start")
        return size
    fields = tuple(differing(after, entry.device))
    notes.extend(f"{at}: {each}" for each in _waiting(sorted(set(fields) - own), after, entry.device))
    mine = tuple(name for name in fields if name in own)
    if "source" in mine and not _is_of_ganeti(entry):
        raise GanetiDataError(f"nothing but order shows that it is {name_of(entry.info)}", at=at)
    steps = changes.change(snapshot, entry, after, mine, table, running=running)
    return (*steps, *size) if not any(isinstance(step, Attach) for step in steps) else steps


def _waiting(names: Iterable[str], after: Device, now: Device) -> Iterator[str]:
    """Say of fields that hvparams decide that they wait."""
    for name in names:
        said = f"{getattr(now, name)!r}, Ganeti says {getattr(after, name)!r}"
        yield f"{name} is {said}: that waits for the next start"


def _as_opened(
    instance: Instance,
    disk: Disk,
    index: int,
    context: Context,
    report: Report,
    now: Device,
) -> domain.Disk | domain.Hostdev:
    """Give the wanted disk; Ganeti's link and the device that it leads to are the same to a guest."""
    after = wanted_disk(instance, disk, index, context, report)
    other: Literal["device", "link"] = "link" if context.disk_paths == "device" else "device"
    if isinstance(now, domain.Disk) and after.source != now.source:
        with suppress(VirtxlateError):
            known = msgspec.structs.replace(context, disk_paths=other)
            second = wanted_disk(instance, disk, index, known, Report())
            return second if second.source == now.source else after
    return after


def _other_name(after: domain.Disk | domain.Hostdev, now: Device, context: Context) -> str | None:
    """Say that the wanted device of the host is open by another name; None where it is not open.

    A running guest need not lose a disk for a name.
    """
    if not isinstance(after, domain.Disk) or not isinstance(now, domain.Disk):
        return None
    opened, wanted = (None if each.source is None else each.source.dev for each in (now, after))
    is_same = None not in {opened, wanted} and marks(after, context) & marks(now, context)
    return f"it is open as {opened}, which is {wanted} too" if is_same and opened != wanted else None


def _growth(entry: Entry, wanted: Disk) -> tuple[Step, ...]:
    if isinstance(entry.kept, Disk) and entry.kept.size_mib < wanted.size_mib:
        return changes.resize(entry, wanted.size_mib * BYTES_PER_UNIT["MiB"])
    return ()
