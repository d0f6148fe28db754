"""Which Ganeti disk or NIC a device of a domain is.

By metadata and user alias; else by MAC for NICs, by what it opens, then by order for disks. Two answers are
an error that names them; nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec

from virtxlate.domain.live import LiveDevice, LiveDomain
from virtxlate.domain.model import DiskSource
from virtxlate.domain.words import USER_ALIAS_PREFIX
from virtxlate.errors import GanetiDataError, VirtxlateError
from virtxlate.ganeti.hvinfo import kvm_id
from virtxlate.ganeti.model import Disk, Instance, Nic
from virtxlate.report import Report
from virtxlate.tables.qemu import HOSTDEVS_BY_WORDS
from virtxlate.translate import source as sources
from virtxlate.translate.context import Context
from virtxlate.translate.device_info import DeviceInfo
from virtxlate.translate.metadata import from_text, uuids_of_aliases

Key = tuple[object, ...]
_PLAIN = Context()
_DISK_KINDS = frozenset({"disk", "lun"})
_CDROM_TYPE = "scsi-cd"
_MOST_NAMED = 16
"""Candidates that an error names; also what keeps a hostile document from taking quadratic time."""


def match(
    instance: Instance,
    live: LiveDomain,
    devices: Sequence[DeviceInfo],
    context: Context = _PLAIN,
    *,
    by_order: bool = True,
) -> dict[str, DeviceInfo]:
    """Give the device of each disk and NIC that has one, by ``disks[0]``, ``nics[0]``.

    ``devices`` are those of ``live``; ``by_order`` lets order decide on disks that nothing else identifies.
    Raises GanetiDataError where more than one device could be the one, or
    one device could be more than one disk or NIC; it names them.
    """
    search = _Search(instance, live, devices, context)
    search.nics()
    search.disks(by_order=by_order)
    return search.found


def with_uuids(live: LiveDomain, devices: tuple[DeviceInfo, ...]) -> tuple[DeviceInfo, ...]:
    """Give the devices with Ganeti's uuid, where virtxlate's metadata in the document tells it.

    What is ambiguous stays without. Raises GanetiDataError for metadata of another format.
    """
    text = live.metadata
    if text is None:
        return devices
    by_alias = uuids_of_aliases(text)
    if by_alias is not None:
        found = tuple([_with_uuid(each, by_alias.get(each.alias or "")) for each in devices])
        if are_all_found(by_alias, found):
            return found
    instance = from_text(text).instance
    search = _Search(instance, live, devices, _PLAIN, strict=False)
    search.nics()
    search.disks(by_order=False)
    known: dict[str, Disk | Nic] = {f"nics[{i}]": nic for i, nic in enumerate(instance.nics)}
    known |= {f"disks[{i}]": disk for i, disk in enumerate(instance.disks)}
    uuids = {device.path: known[at].uuid for at, device in search.found.items() if known[at].uuid}
    return tuple([_with_uuid(each, uuids.get(each.path)) for each in devices])


def are_all_found(by_alias: Mapping[str, str], devices: Iterable[DeviceInfo]) -> bool:
    """Tell whether the devices have as many uuids as there are; else more than aliases must be looked at."""
    return len([each for each in devices if each.uuid is not None]) == len(by_alias)


def _with_uuid(device: DeviceInfo, uuid: str | None) -> DeviceInfo:
    if not uuid:
        return device
    kind, alias, target, mac = device.kind, device.alias, device.target, device.mac
    return DeviceInfo(kind, alias, uuid, target, mac, device.hvinfo, device.path, device.note)


class _Search:
    """What is matched so far, and what is left on both sides."""

    def __init__(
        self,
        instance: Instance,
        live: LiveDomain,
        devices: Sequence[DeviceInfo],
        context: Context,
        *,
        strict: bool = True,
    ) -> None:
        self.found: dict[str, DeviceInfo] = {}
        self._instance, self._context, self._strict = instance, context, strict
        self._elements = {each.path: each for each in live.devices}
        self._free = {each.path: each for each in devices}

    def nics(self) -> None:
        left = {f"nics[{index}]": nic for index, nic in enumerate(self._instance.nics)}
        free = [each for each in self._free.values() if each.kind == "nic"]
        self._by(left, free, lambda _at, nic: _identities("nic", nic), _identities_of)
        self._by(left, free, lambda _at, nic: [(nic.mac,)], lambda each: [((each.mac or "").lower(),)])

    def disks(self, *, by_order: bool = True) -> None:
        left = {f"disks[{index}]": disk for index, disk in enumerate(self._instance.disks)}
        indices = {at: index for index, at in enumerate(left)}
        free = [each for each in self._free.values() if _is_disk(each)]
        self._by(left, free, lambda _at, disk: _identities("disk", disk), _identities_of)
        self._by(
            left,
            free,
            lambda at, disk: _sources(disk, self._instance, indices[at], self._context),
            lambda each: _source_of(self._elements[each.path]),
        )
        if by_order and left:
            self._by_order(left)

    def _by(
        self,
        left: dict[str, Disk] | dict[str, Nic],
        free: Iterable[DeviceInfo],
        wanted: Callable[..., Iterable[Key]],
        offered: Callable[[DeviceInfo], Iterable[Key]],
    ) -> None:
        """Match everything that shares a key with one device only, which shares one with it only."""
        index: dict[Key, list[DeviceInfo]] = {}
        for each in free:
            for key in offered(each) if each.path in self._free else ():
                same = index.setdefault(key, [])
                if len(same) < _MOST_NAMED:
                    same.append(each)
        claims: dict[str, str] = {}
        for at, device in tuple(left.items()):
            candidates = {each.path: each for key in wanted(at, device) for each in index.get(key, ())}
            if len(candidates) > 1:
                self._refuse(f"more than one device could be it: {_named(candidates.values())}", at)
            elif candidates:
                (path,) = candidates
                if path in claims:
                    self._refuse(f"{_named(candidates.values())} could be {claims[path]} too", at)
                    self.found.pop(claims[path], None)
                    continue
                claims[path] = at
                self.found[at] = candidates[path]
                del left[at], self._free[path]

    def _refuse(self, message: str, at: str) -> None:
        if self._strict:
            raise GanetiDataError(message, at=at)

    def _by_order(self, left: dict[str, Disk]) -> None:
        """Match what nothing identifies by its order: as many on both sides, and on one bus; else refuse."""
        is_cdrom = self._instance.hvparams.disk_type == _CDROM_TYPE
        free = [
            each
            for each in self._free.values()
            if (each.kind == "cdrom" if is_cdrom else _is_disk(each) and each.kind != "cdrom")
            and not _is_of_ganeti(each)
        ]
        if not free:
            return
        if len(free) != len(left) or len({_target(each)[0] for each in free}) > 1:
            self._refuse(
                f"{len(free)} devices could be one of {len(left)} disks: {_named(free)}", next(iter(left))
            )
        self.found |= zip(left, sorted(free, key=_target), strict=True)


def _named(devices: Iterable[DeviceInfo]) -> str:
    named = [f"{each.path} ({each.alias or each.target or each.mac})" for each in devices]
    more = f" and {len(named) - _MOST_NAMED} more" if len(named) > _MOST_NAMED else ""
    return ", ".join(named[:_MOST_NAMED]) + more


def _is_disk(device: DeviceInfo) -> bool:
    """Tell whether it may be a disk of Ganeti's: no floppy, and of host devices those of type scsi."""
    if device.kind == "hostdev":
        return device.hvinfo is not None and device.hvinfo.driver == HOSTDEVS_BY_WORDS["scsi", ""].driver
    return device.kind in _DISK_KINDS or device.kind == "cdrom"


def _identities(kind: str, device: Disk | Nic) -> list[Key]:
    """Give the names that Ganeti's device may have: its uuid, the id in hvinfo, or the id of the uuid."""
    found: list[Key] = [] if device.hvinfo is None else [("alias", USER_ALIAS_PREFIX + device.hvinfo.id)]
    if device.uuid:
        found += [("uuid", device.uuid), ("alias", USER_ALIAS_PREFIX + kvm_id(kind, device.uuid))]
    return found


def _identities_of(device: DeviceInfo) -> list[Key]:
    return [("alias", device.alias), ("uuid", device.uuid)]


def _is_of_ganeti(device: DeviceInfo) -> bool:
    """Tell whether a device says which disk it is, though not one of those that are looked for."""
    alias = (device.alias or "").removeprefix(USER_ALIAS_PREFIX)
    return device.uuid is not None or (alias != device.alias and alias.startswith(("disk-", "hotdisk-")))


def _sources(disk: Disk, instance: Instance, index: int, context: Context) -> list[Key]:
    """Give what the disk may open: Ganeti's link, and what to_domain would write."""
    found: list[Key] = [] if disk.link is None else [("path", disk.link)]
    for paths in ("device", "link"):
        known = msgspec.structs.replace(context, disk_paths=paths)
        try:
            _kind, source = sources.to_domain(disk, instance, index, known, Report())
        except VirtxlateError:
            continue
        found.append(_key_of(source))
    return found


def _key_of(source: DiskSource) -> Key:
    path = source.file or source.dev
    if path is not None:
        return ("path", path)
    hosts = tuple((host.name, None if host.port is None else str(host.port)) for host in source.hosts)
    return ("network", source.protocol, source.name, hosts)


def _source_of(device: LiveDevice) -> list[Key]:
    """Give what a device of the document opens."""
    get = device.part("source").get
    path = get("file") or get("dev")
    if path is not None:
        return [("path", path)]
    if get("protocol") is None:
        return []
    hosts = tuple((host.get("name"), host.get("port")) for host in device.element.iterfind("source/host"))
    return [("network", get("protocol"), get("name"), hosts)]


def _target(device: DeviceInfo) -> tuple[str, int, str]:
    """Give the bus's letters, and the order of target names on it: vdb, vdz, vdaa."""
    name = device.target or ""
    return name[:2], len(name), name
