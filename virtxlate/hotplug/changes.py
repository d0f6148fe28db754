"""What must be done to a device that is there: in place where libvirt can, else out and in again."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from virtxlate.domain import model as domain
from virtxlate.errors import GanetiDataError, InternalError, OperationRefusedError, UnsupportedError
from virtxlate.ganeti.model import Disk, Nic
from virtxlate.hotplug import edits, obeys
from virtxlate.hotplug.differing import decided, defined, differing, with_wrong
from virtxlate.hotplug.plan import attach, check_source, config_twin, kind_of, remove
from virtxlate.hotplug.snapshot import Entry, Snapshot
from virtxlate.hotplug.steps import Attach, Device, Resize, Step, Update
from virtxlate.hotplug.wanted import ganeti_disk, ganeti_nic, wanted_disk, wanted_nic
from virtxlate.report import Report
from virtxlate.tables.hotplug import (
    DISK_CHANGES,
    DISK_FIELDS,
    INTERFACE_CHANGES,
    LINK_STATES,
    NIC_FIELDS,
    How,
)
from virtxlate.translate import disk as disks_of
from virtxlate.translate.context import Context
from virtxlate.units import BYTES_PER_UNIT


def modify_nic(
    snapshot: Snapshot,
    entry: Entry,
    nic: Nic,
    context: Context,
    report: Report,
    *,
    state: str | None = None,
    asked: Iterable[str] | None = None,
) -> tuple[Step, ...]:
    """Give the steps that make a NIC like ``nic``: in place where libvirt can, else out and in again.

    ``state`` is that of its cable, None for as it is; ``asked`` the fields of Ganeti's NIC that were given,
    None for all. The NIC keeps slot, alias and, unless that is what changes, MAC.

    Raises UnsupportedError, GanetiDataError, OperationRefusedError for a MAC that another NIC has.
    """
    index = _index(entry)
    before = wanted_nic(snapshot.instance, ganeti_nic(entry, context), index, context, Report())
    after = wanted_nic(snapshot.instance, nic, index, context, report)
    own = decided(NIC_FIELDS, asked)
    in_guest, lagging = (
        () if each is None else [name for name in differing(after, each) if name in own]
        for each in (entry.device, defined(snapshot, entry))
    )
    fields = with_wrong(_changed(before, after), in_guest, lagging, INTERFACE_CHANGES, entry.at)
    for other in snapshot.nics:
        if "mac" in fields and other is not entry and (other.info.mac or "").lower() == nic.mac.lower():
            raise OperationRefusedError(
                f"{entry.at}: MAC {nic.mac} is that of {other.at} already", call="update"
            )
    steps = change(snapshot, entry, after, fields, INTERFACE_CHANGES, state=state)
    _check_defined(snapshot, steps)
    return steps


def modify_disk(
    snapshot: Snapshot,
    entry: Entry,
    disk: Disk,
    context: Context,
    report: Report,
    *,
    running: bool = True,
    asked: Iterable[str] | None = None,
) -> tuple[Step, ...]:
    """Give the steps that make a disk like ``disk``; a size that grows is told to the guest.

    ``asked``: the fields of Ganeti's disk that were given, None for all.

    Raises UnsupportedError, GanetiDataError, OperationRefusedError for storage that another disk opens.
    """
    old, index = ganeti_disk(entry, context), _index(entry)
    before = wanted_disk(snapshot.instance, old, index, context, Report())
    after = wanted_disk(snapshot.instance, disk, index, context, report)
    own, other = decided(DISK_FIELDS, asked), defined(snapshot, entry)
    in_guest = [name for name in _OF_A_DISK if name in own and not _is_same(after, entry.device, name)]
    lagging = [name for name in own if other is not None and not _is_same(entry.device, other, name)]
    fields = with_wrong(_changed(before, after), in_guest, lagging, DISK_CHANGES, entry.at)
    if {"source", "readonly"} & set(fields):
        check_source(snapshot, after, entry.at, context, but=entry)
    steps = change(snapshot, entry, after, fields, DISK_CHANGES, running=running)
    obeys.check(snapshot, steps, report)
    if running and disk.size_mib != old.size_mib and not any(isinstance(step, Attach) for step in steps):
        steps = (*steps, *resize(entry, disk.size_mib * BYTES_PER_UNIT["MiB"]))
    return steps


_OF_A_DISK = ("readonly",)
"""What a disk's own document tells better than Ganeti's data; what it opens has more than one name."""


def _is_same(one: Device | None, other: Device | None, name: str) -> bool:
    return one is None or other is None or getattr(one, name, None) == getattr(other, name, None)


def _index(entry: Entry) -> int:
    """Give Ganeti's index of a device, which losses and errors name; 0 where Ganeti does not count it."""
    word, _, number = entry.at.rstrip("]").partition("[")
    return int(number) if word in {"disks", "nics"} else 0


def _changed(before: Device, after: Device) -> tuple[str, ...]:
    return tuple(
        name
        for name in after.__struct_fields__
        if name not in {"alias", "target", "address", "boot_order"}
        and getattr(before, name) != getattr(after, name)
    )


def change(
    snapshot: Snapshot,
    entry: Entry,
    after: Device,
    fields: tuple[str, ...],
    table: dict[str, How],
    *,
    state: str | None = None,
    running: bool = True,
) -> tuple[Step, ...]:
    """Give the steps that make ``fields`` of a device those of ``after``, as the table says.

    One call does it all: a second one would be made of the first reading, and undo the first.
    """
    cable = () if state is None else set_link(snapshot, entry, state)
    if not fields:
        return cable
    set_state = edits.set_link_state(state) if cable and state is not None else edits.set_nothing
    if all(table[name] is How.UPDATE for name in fields) and isinstance(after, domain.Interface):
        set_fields = edits.set_fields(after, fields)
        expect = _expected(after, fields) | ({"link/@state": state} if cable else {})
        names = (*fields, *(name for step in cable for name in step.changes))
        return (_update(snapshot, entry, edits.both(set_fields, set_state), names, expect),)
    return _replace(snapshot, entry, after, fields, set_state, running=running)


def _expected(after: domain.Interface, fields: Iterable[str]) -> dict[str, str | None]:
    expect: dict[str, str | None] = {}
    for name in fields:
        if name in {"bridge", "network"}:
            expect[f"source/@{name}"] = getattr(after, name)
        elif name == "vlan":
            expect |= _expected_vlan(after.vlan)
        else:
            raise InternalError(f"{name}: nothing tells whether it changed")
    return expect


def _expected_vlan(vlan: domain.Vlan | None) -> dict[str, str | None]:
    """Give every tag, and that there is no other."""
    expect: dict[str, str | None] = {"vlan/@trunk": "yes" if vlan is not None and vlan.trunk else None}
    tags = () if vlan is None else vlan.tags
    for number, tag in enumerate(tags, 1):
        expect[f"vlan/tag[{number}]/@id"] = str(tag.id)
        expect[f"vlan/tag[{number}]/@nativeMode"] = tag.native_mode
    expect[f"vlan/tag[{len(tags) + 1}]/@id"] = None
    return expect


def _update(
    snapshot: Snapshot,
    entry: Entry,
    edit: edits.Edit,
    fields: Iterable[str],
    expect: dict[str, str | None],
) -> Update:
    config = config_twin(snapshot, entry)
    return Update(
        at=entry.at,
        kind=kind_of(entry),
        info=entry.info,
        changes=tuple(fields),
        xml=edits.edited(entry.element.element, edit),
        config_xml=None if config is None else edits.edited(config.element, edit),
        expect=expect,
    )


def _replace(
    snapshot: Snapshot,
    entry: Entry,
    after: Device,
    fields: Iterable[str],
    set_state: edits.Edit,
    *,
    running: bool,
) -> tuple[Step, ...]:
    """Give the steps that take a device out and put it back, changed, into the same place."""
    now = entry.device
    if now is None or not isinstance(after, type(now)):
        raise UnsupportedError("it is not a device that can be put back", at=entry.at)
    changed: dict[str, Any] = {name: getattr(after, name) for name in fields}
    placed = msgspec.structs.replace(now, **changed)
    if disks_of.ganeti_id(now.alias) is None:
        placed = msgspec.structs.replace(placed, alias=None)
    edit = edits.both(edits.as_asked, edits.both(edits.set_fields(placed, fields), set_state))
    back = attach(kind_of(entry), placed, entry.at)
    back = msgspec.structs.replace(back, xml=edits.edited(entry.element.element, edit))
    return (*remove(snapshot, entry, running=running), back)


def set_link(snapshot: Snapshot, entry: Entry, state: str) -> tuple[Update, ...]:
    """Give the step that plugs a NIC's cable in or out. Raises GanetiDataError."""
    if state not in LINK_STATES:
        raise GanetiDataError(f"expected {' or '.join(LINK_STATES)}, found {state!r}", at=f"{entry.at}.state")
    expect: dict[str, str | None] = {"link/@state": state}
    step = _update(snapshot, entry, edits.set_link_state(state), (f"link {state}",), expect)
    _check_defined(snapshot, (step,))
    documents = (each for each in (entry.element, config_twin(snapshot, entry)) if each is not None)
    is_so = all((each.part("link").get("state") or "up") == state for each in documents)
    return () if is_so else (step,)


_EMPTY = domain.DiskSource()


def change_medium(snapshot: Snapshot, entry: Entry, medium: domain.Disk | None) -> tuple[Step, ...]:
    """Give the step that changes, or for None ejects, the medium of a drive. Raises UnsupportedError."""
    edits.check_drive(entry)
    what = "eject" if medium is None else "medium"
    source = None if medium is None else medium.source
    expect: dict[str, str | None] = dict.fromkeys(("source/@file", "source/@dev", "source/@name"))
    if source is not None:
        expect = {"source/@file": source.file, "source/@dev": source.dev, "source/@name": source.name}
    drives = (entry.device, *(() if snapshot.config is None else (defined(snapshot, entry),)))
    media = [(each.source if isinstance(each, domain.Disk) else None) or _EMPTY for each in drives]
    if all(each == (source or _EMPTY) for each in media):
        return ()
    step = _update(snapshot, entry, edits.set_medium(medium), (what,), expect)
    _check_defined(snapshot, (step,))
    return (step,)


def _check_defined(snapshot: Snapshot, steps: Iterable[Step]) -> None:
    """Raise UnsupportedError for a change in place, of guest and definition, of what this does not have."""
    for step in steps:
        if snapshot.config is not None and isinstance(step, Update) and step.config_xml is None:
            raise UnsupportedError(
                "the definition does not have it: change the running guest alone (--live without --config)",
                at=step.at,
            )


def resize(entry: Entry, size: int) -> tuple[Step, ...]:
    """Give the step that tells the guest a disk's size in bytes. Raises UnsupportedError."""
    target = entry.info.target
    if target is None:
        raise UnsupportedError("only a disk with a target can be resized", at=entry.at)
    return (Resize(at=entry.at, xml="", info=entry.info, target=target, size=size),)
