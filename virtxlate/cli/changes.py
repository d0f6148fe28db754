"""From ``--disk``, ``--net`` and ``--object`` to the changes that they ask for.

What is not given of a new device, its uuid and MAC, is made here, so that every later try has the same.
"""

from __future__ import annotations

import json
import os
import re
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from ipaddress import ip_address
from typing import Any, NamedTuple

import msgspec

from virtxlate.cli.device_words import LAST, Words, take_apart
from virtxlate.cli.inputs import named, read_bytes
from virtxlate.cli.sizes import parse_size
from virtxlate.domain.model import DiskSource
from virtxlate.errors import GanetiDataError, UsageError
from virtxlate.ganeti.model import Disk, Nic
from virtxlate.ganeti.objects import read_disk, read_nic
from virtxlate.ganeti.words import (
    FILE_TEMPLATES,
    LINK_DIRECTORY,
    MAC_PATTERN,
    NIC_MODES,
    UUID_PATTERN,
)
from virtxlate.report import Report
from virtxlate.tables.hotplug import LINK_STATES
from virtxlate.translate import source
from virtxlate.translate.context import Context
from virtxlate.translate.nic import format_vlan, parse_vlan
from virtxlate.translate.switch import Kind
from virtxlate.units import BYTES_PER_UNIT

MAC_PREFIX = "aa:00:00"
"""Of a new Ganeti cluster. Source: Ganeti 3.2 alpha (c35736d8a), src/Ganeti/Constants.hs."""
_DISK_KEYS = ("path", "uuid", "name", "mode", "size", "template")
_NIC_KEYS = ("link", "mode", "vlan", "mac", "ip", "network", "name", "uuid")
_MAKE = frozenset({"generate", "auto"})
_NONE = "none"
"""Ganeti's word for a value that is taken away."""
_DISK_MODES = ("rw", "ro")
_KINDS = ("lun", "disk")
"""libvirt's words for a disk that is passed through, and one that is emulated."""
_PATH_TEMPLATES = ("plain", "file", "sharedfile", "blockdev")
"""Templates of which a path says all."""


class Makers(NamedTuple):
    """What makes a new device's uuid and MAC."""

    uuid: Callable[[], str]
    mac: Callable[[], str]


def _random_mac() -> str:
    return ":".join((MAC_PREFIX, *(f"{byte:02x}" for byte in os.urandom(3))))


RANDOM = Makers(lambda: str(uuid.uuid4()), _random_mac)


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to do to one device."""

    action: str
    """add, remove, modify."""
    kind: str
    """disk or nic."""
    which: str = LAST
    device: Disk | Nic | None = None
    """Of add; of modify, what the device of its uuid is to be like."""
    index: int | None = None
    """Ganeti's index of what is added; None: the last."""
    values: dict[str, Any] = {}
    """Of modify: fields of the Ganeti object, and ``state``."""
    to: Kind | None = None
    """Of modify: a disk is passed through (lun) or emulated (disk) instead."""
    made: dict[str, str] = {}
    """What was not given: ``{"uuid": "..."}``."""


def read_changes(
    given: Iterable[tuple[str, str]], verb: str, context: Context, report: Report, makers: Makers = RANDOM
) -> tuple[Change, ...]:
    """Give the changes of the options, in order. Raises UsageError, OSError, GanetiDataError."""
    found: list[Change] = []
    for option, text in given:
        if option == "--object":
            found += _objects(text, verb, report, makers)
        else:
            found.append(_change(take_apart(option, text, verb), context, makers))
    if not found:
        raise UsageError(f"nothing to {verb}: give --disk, --net or --object")
    return tuple(found)


def _change(words: Words, context: Context, makers: Makers) -> Change:
    kind = "disk" if words.option == "--disk" else "nic"
    if words.action == "remove":
        return Change(action="remove", kind=kind, which=LAST if words.which is None else words.which)
    read = _disk_values if kind == "disk" else _nic_values
    if words.action == "modify":
        words.check(_MODIFY_DISK if kind == "disk" else _MODIFY_NIC)
        if "device" in words.settings:
            return _switch(words)
        values = read(words, context, makers)
        made = {"mac": values["mac"]} if words.settings.get("mac") in _MAKE else {}
        return Change(action="modify", kind=kind, which=words.which or LAST, values=values, made=made)
    words.check(_DISK_KEYS if kind == "disk" else _NIC_KEYS)
    device, made = _new(kind, words, read(words, context, makers), makers)
    index = None if words.which in {None, LAST} else int(words.which or 0)
    return Change(action="add", kind=kind, device=device, index=index, made=made)


_MODIFY_DISK = ("name", "mode", "size", "path", "template", "device")
_MODIFY_NIC = ("link", "mode", "vlan", "mac", "ip", "network", "name", "state")


def _switch(words: Words) -> Change:
    """Give the change of a disk between passed through and emulated, which is all that it is."""
    others = [key for key in words.settings if key != "device"]
    if others:
        raise UsageError(
            f"{words.where}: device stands alone: give {', '.join(others)} in a --disk before it"
        )
    to: Kind = "lun" if _one_of(words, "device", _KINDS) == "lun" else "disk"
    return Change(action="modify", kind="disk", which=words.which or LAST, to=to)


def _new(
    kind: str, words: Words, values: dict[str, Any], makers: Makers
) -> tuple[Disk | Nic, dict[str, str]]:
    made = {}
    if "uuid" not in values:
        values["uuid"] = made["uuid"] = makers.uuid()
    if kind == "disk":
        if "path" not in words.settings:
            raise UsageError(f"{words.where}: expected path=PATH, found none; --object has all other disks")
        return Disk(**values), made
    if words.settings.get("mac", "auto") in _MAKE:
        values["mac"] = made["mac"] = values.get("mac") or makers.mac()
    return Nic(**values), made


def _disk_values(words: Words, context: Context, _makers: Makers) -> dict[str, Any]:
    """Give the fields of Ganeti's disk."""
    given = words.settings
    values: dict[str, Any] = {}
    if "path" in given:
        values |= _storage(words, context)
    elif "template" in given:
        raise UsageError(f"{words.where}: template says what the path is of: give path= too")
    if "uuid" in given:
        values["uuid"] = _matching(words, "uuid", UUID_PATTERN, "a UUID")
    if "name" in given:
        values["name"] = _or_none(given["name"])
    if "mode" in given:
        values["mode"] = _one_of(words, "mode", _DISK_MODES)
    if "size" in given:
        size = parse_size(given["size"], f"{words.where}: size", default="m")
        values["size_mib"] = -(-size // BYTES_PER_UNIT["MiB"])
    return values


def _storage(words: Words, context: Context) -> dict[str, Any]:
    """Give what a path tells: an LV, /dev/drbdN, another block device, or a file."""
    path = words.settings["path"]
    if not path.startswith("/"):
        raise UsageError(f"{words.where}: path: expected an absolute path{words.found(path)}")
    is_block = path.startswith(("/dev/", f"{LINK_DIRECTORY}/"))
    template = words.settings.get("template")
    if template is not None:
        is_block = _one_of(words, "template", _PATH_TEMPLATES) not in FILE_TEMPLATES
    kind, found = ("block", DiskSource(dev=path)) if is_block else ("file", DiskSource(file=path))
    told = source.to_ganeti(kind, found, "disk", context, Report())
    if template is not None and template != told.template:
        if template == "plain":
            found_path = words.found(path)
            raise UsageError(f"{words.where}: path: expected /dev/VG/LV for template plain{found_path}")
        driver = "manual" if template == "blockdev" else "loop"
        told = source.Storage(template=template, logical_id=(driver, path))
    fields = ("template", "logical_id", "params", "minor")
    return {name: getattr(told, name) for name in fields}


def _nic_values(words: Words, _context: Context, makers: Makers) -> dict[str, Any]:
    """Give the fields of Ganeti's NIC, and ``state``."""
    given = words.settings
    values: dict[str, Any] = {key: given[key] for key in ("link",) if key in given}
    if "uuid" in given:
        values["uuid"] = _matching(words, "uuid", UUID_PATTERN, "a UUID")
    if "mac" in given:
        made = given["mac"] in _MAKE
        values["mac"] = makers.mac() if made else _matching(words, "mac", MAC_PATTERN, "a MAC, or generate")
    for key, known in (("mode", NIC_MODES), ("state", LINK_STATES)):
        if key in given:
            values[key] = _one_of(words, key, known)
    if "vlan" in given:
        try:
            values["vlan"] = format_vlan(parse_vlan(given["vlan"], "vlan"))
        except GanetiDataError as exc:
            raise UsageError(f"{words.where}: {exc}") from None
    if "network" in given and given["network"] != _NONE:
        values["network"] = _matching(words, "network", UUID_PATTERN, "the UUID of a Ganeti network")
    if "ip" in given:
        values["ip"] = _ip(words)
    if "name" in given:
        values["name"] = _or_none(given["name"])
    return values | ({"network": None} if given.get("network") == _NONE else {})


def _ip(words: Words) -> str | None:
    """Give an address; one out of a pool is the master's to choose."""
    given = words.settings["ip"]
    text = _or_none(given)
    try:
        return None if text is None else str(ip_address(text))
    except ValueError:
        raise UsageError(f"{words.where}: ip: expected an address, or none{words.found(given)}") from None


def _matching(words: Words, key: str, pattern: str, what: str) -> str:
    if not re.match(pattern, words.settings[key]):
        raise UsageError(f"{words.where}: {key}: expected {what}{words.found(words.settings[key])}")
    return words.settings[key].lower()


def _one_of(words: Words, key: str, known: tuple[str, ...]) -> str:
    if words.settings[key] not in known:
        found = words.found(words.settings[key])
        raise UsageError(f"{words.where}: {key}: expected one of {', '.join(known)}{found}")
    return words.settings[key]


def _or_none(text: str) -> str | None:
    return None if text in {"", _NONE} else text


def _objects(path: str, verb: str, report: Report, makers: Makers) -> Iterator[Change]:
    """Give a change for each Ganeti object of a file: a disk has a dev_type, a NIC a mac."""
    try:
        try:
            value = json.loads(read_bytes(path))
        except (ValueError, RecursionError) as exc:
            raise GanetiDataError(f"not JSON: {exc}") from None
        many = value if isinstance(value, list) else [value]
        for index, each in enumerate(many):
            yield _object(each, verb, f"[{index}]" if many is value else "", report, makers)
    except GanetiDataError as exc:
        raise named(exc, path) from None


def _object(value: Any, verb: str, at: str, report: Report, makers: Makers) -> Change:
    if not isinstance(value, Mapping) or not {"dev_type", "mac"} & value.keys():
        raise GanetiDataError("expected an object with dev_type (a disk) or mac (a NIC)", at=at)
    kind, made = "disk" if "dev_type" in value else "nic", {}
    if verb == "add" and not value.get("uuid"):
        made["uuid"] = makers.uuid()
    known = {**value, **made}
    device = read_disk(known, report, at) if kind == "disk" else read_nic(known, at)
    if verb == "add":
        return Change(action="add", kind=kind, device=device, made=made)
    if not device.uuid:
        raise GanetiDataError(f"expected the uuid of the device to {verb}, found none", at="uuid").under(at)
    return Change(action=verb, kind=kind, which=device.uuid, device=device)
