"""A runtime file beside the running domain, device by device."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec

from virtxlate.domain.model import Disk as LiveDisk
from virtxlate.domain.model import DiskSource, Hostdev
from virtxlate.domain.words import USER_ALIAS_PREFIX
from virtxlate.errors import GanetiDataError, VirtxlateError
from virtxlate.ganeti.hvinfo import HvInfo
from virtxlate.ganeti.model import Disk, Instance, Nic
from virtxlate.ganeti.runtime import Runtime, runtime_instance
from virtxlate.ganeti.words import PCI_BUS, SCSI_BUS
from virtxlate.report import Report
from virtxlate.translate import source as sources
from virtxlate.translate.context import Context
from virtxlate.translate.disk import ganeti_id
from virtxlate.translate.hostdev import opened_by, same_device
from virtxlate.translate.hvinfo import DeviceInfo
from virtxlate.translate.runtime import LiveView, ganeti_hvinfo, read_view

_BUSES = frozenset({PCI_BUS, SCSI_BUS})
_REMOVABLE = frozenset({"cdrom", "floppy"})
_PLACE = ("driver", "bus", "addr", "channel", "scsi_id", "lun")


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that file and domain say otherwise; None stands for what a side does not have.

    ``{"device": "disk-932df160-7a22-4067", "field": "addr", "file": "0xc", "live": "0xd"}``
    """

    device: str
    field: str
    file: str | int | None = None
    live: str | int | None = None

    def __str__(self) -> str:
        if self.field == "device":
            return (
                f"{self.device}: {'only the domain has it' if self.file is None else 'only the file has it'}"
            )
        return f"{self.device}: {self.field}: the file says {self.file!r}, the domain {self.live!r}"


def compare_runtime(runtime: Runtime, xml: bytes | str, context: Context) -> tuple[Difference, ...]:
    """Give every difference between a runtime file and the live XML of the domain.

    Devices are matched by Ganeti's id in the user alias, else NICs by MAC and disks by what they open, else
    by their place. Drives that are part of the command (CD-ROMs, floppies) are passed over. A device whose
    path only the node knows (/dev/rbd0) is a difference of path.

    Raises DomainXmlError, and GanetiDataError where the file's command has no name, memory or vcpus, or where
    two devices of the domain could be the same of the file's.
    """
    view, instance = read_view(xml), runtime_instance(runtime, Report())
    return (*_identity(instance, view), *_disks(instance, view, context), *_nics(instance, view))


def _identity(instance: Instance, view: LiveView) -> Iterable[Difference]:
    live = (view.domain.uuid or "").lower()
    if instance.uuid and live and instance.uuid.lower() != live:
        yield Difference(device="instance", field="uuid", file=instance.uuid, live=live)
    if instance.name != view.domain.name:
        yield Difference(device="instance", field="name", file=instance.name, live=view.domain.name)


class _Live(msgspec.Struct, frozen=True):
    """One device of the domain."""

    info: DeviceInfo
    key: Any
    """MAC or source: what it is known by without id."""
    disk: LiveDisk | Hostdev | None = None

    @property
    def id(self) -> str | None:
        return ganeti_id(self.info.alias)


def _disks(instance: Instance, view: LiveView, context: Context) -> Iterable[Difference]:
    live = [
        _Live(info, opened_by(disk, context) if isinstance(disk, Hostdev) else disk.source, disk)
        for disk, info in view.of_ganeti
    ]
    wanted = [_sources(disk, instance, index, context) for index, disk in enumerate(instance.disks)]

    def opens(index: int, one: _Live) -> bool:
        return any(_is_one_of(source, wanted[index]) for source in same_device(one.key, context))

    pairs, rest = _match(instance.disks, live, opens, view)
    for index, disk in enumerate(instance.disks):
        one = pairs.get(index)
        if one is None:
            yield Difference(device=_label("disk", disk), field="device", file=disk.link or disk.uri or "")
            continue
        yield from _place(disk, one, "disk", view)
        if not opens(index, one):
            named = disk.link or disk.uri
            yield Difference(device=_label("disk", disk), field="path", file=named, live=_shown(one.key))
    for one in rest:
        if one.id is not None or not isinstance(one.disk, LiveDisk) or one.disk.device not in _REMOVABLE:
            yield Difference(device=_live_label(one), field="device", live=_shown(one.key) or "")


def _nics(instance: Instance, view: LiveView) -> Iterable[Difference]:
    live = [_Live(info, (info.mac or "").lower()) for info in view.nics]

    def has_mac(index: int, one: _Live) -> bool:
        return bool(one.key == instance.nics[index].mac)

    pairs, rest = _match(instance.nics, live, has_mac, view)
    for index, nic in enumerate(instance.nics):
        one = pairs.get(index)
        if one is None:
            yield Difference(device=_label("nic", nic), field="device", file=nic.mac)
            continue
        yield from _place(nic, one, "nic", view)
        if one.key != nic.mac:
            yield Difference(device=_label("nic", nic), field="mac", file=nic.mac, live=one.key)
    for one in rest:
        yield Difference(device=_live_label(one), field="device", live=one.key)


def _match(
    devices: Sequence[Disk | Nic], live: list[_Live], same: Callable[[int, _Live], bool], view: LiveView
) -> tuple[dict[int, _Live], list[_Live]]:
    """Give the live device of each of the file's by index, and those that are left over.

    Raises GanetiDataError where two devices could be the same one.
    """
    pairs: dict[int, _Live] = {}
    rest = list(live)

    def by_id(index: int, one: _Live) -> bool:
        return one.id is not None and one.id == getattr(devices[index].hvinfo, "id", None)

    def by_place(index: int, one: _Live) -> bool:
        known, seen = devices[index].hvinfo, ganeti_hvinfo(one.info, view.scsi_bus)
        return one.id is None and known is not None and seen is not None and _where(known) == _where(seen)

    for question in (by_id, same, by_place):
        for index in range(len(devices)):
            found = [one for one in rest if question(index, one)] if index not in pairs else []
            if len(found) > 1:
                names = ", ".join(f"{one.info.path} ({one.info.alias})" for one in found)
                raise GanetiDataError(
                    f"more than one device could be it: {names}", at=_label("device", devices[index])
                )
            if found:
                pairs[index] = found[0]
                rest.remove(found[0])
    return pairs, rest


def _where(hvinfo: HvInfo) -> tuple[object, ...]:
    return hvinfo.bus, hvinfo.slot, hvinfo.channel, hvinfo.scsi_id, hvinfo.lun


def _place(device: Disk | Nic, one: _Live, kind: str, view: LiveView) -> Iterable[Difference]:
    """Give the differences of placement; an IDE disk has its place in Ganeti's books only."""
    if kind == "disk" and device.hvinfo is not None and device.hvinfo.driver == "ide":
        return
    known, label = device.hvinfo, _label(kind, device)
    seen = ganeti_hvinfo(one.info, view.scsi_bus, more=known is not None and known.bus not in _BUSES)
    if known is None:
        return
    if seen is None:
        qemu = one.info.hvinfo
        where = one.info.note if qemu is None else f"{qemu.bus}, {qemu.addr or qemu.unit}"
        yield Difference(device=label, field="place", file=_shown(known), live=where)
        return
    for name in _PLACE:
        said, runs = getattr(known, name), getattr(seen, name)
        if name == "addr" and said is not None and known.slot == seen.slot and "." not in said:
            continue
        if said != runs:
            yield Difference(device=label, field=name.replace("_", "-"), file=said, live=runs)
    if one.id is not None and one.id != known.id:
        yield Difference(device=label, field="id", file=known.id, live=one.id)


def _sources(disk: Disk, instance: Instance, index: int, context: Context) -> list[DiskSource]:
    """Give what the disk may open: its link, its URI, and the device that its template's naming leads to."""
    found = [] if disk.link is None else [DiskSource(file=disk.link), DiskSource(dev=disk.link)]
    if disk.template == "drbd":
        # the file does not tell which of the two nodes it is on
        found += [DiskSource(dev=f"/dev/drbd{minor}") for minor in disk.logical_id[3:5]]
    for paths in ("device", "link"):
        try:
            known = msgspec.structs.replace(context, disk_paths=paths)
            found.append(sources.to_domain(disk, instance, index, known, Report())[1])
        except VirtxlateError:
            continue
    return found


def _is_one_of(source: DiskSource | None, wanted: list[DiskSource]) -> bool:
    if source is None:
        return False
    keys = ("file", "dev", "protocol", "name", "hosts")
    plain = tuple(getattr(source, key) for key in keys)
    return any(plain == tuple(getattr(each, key) for key in keys) for each in wanted)


def _shown(value: DiskSource | HvInfo | None) -> str | None:
    """Give what a source or a place is called in one word."""
    if value is None:
        return None
    if isinstance(value, HvInfo):
        return f"{value.bus}, {value.addr if value.addr is not None else value.scsi_id}"
    return value.file or value.dev or (f"{value.protocol}:{value.name}" if value.protocol else None)


def _label(kind: str, device: Disk | Nic) -> str:
    return device.hvinfo.id if device.hvinfo is not None else f"{kind} {device.uuid}".strip()


def _live_label(one: _Live) -> str:
    name = one.info.alias or one.info.path
    return name.removeprefix(USER_ALIAS_PREFIX)
