"""SCSI devices of a host: where each is, every name of it, and which of its names survive a reboot.

Knows neither side's words. Who answers is a ``ScsiResolver``: the sysfs of this host, or a lookup file that
was written on another one.
Source: Linux, Documentation/scsi; systemd, rules.d/60-persistent-storage.rules.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterable, Iterator
from typing import Any, Protocol, Self

import msgspec

from virtxlate.errors import MapError

ISCSI_PORT = 3260
"""Where an iSCSI target listens, if nothing else is said. Source: RFC 7143."""
ADAPTER_PREFIX = "scsi_host"
_ADDRESS = re.compile(r"([0-9]{1,9}):([0-9]{1,9}):([0-9]{1,9}):([0-9]{1,19})", re.ASCII)
_ADAPTER = re.compile(rf"{ADAPTER_PREFIX}([0-9]{{1,9}})", re.ASCII)
_BY_ID = "/dev/disk/by-id/"
_BY_PATH = "/dev/disk/by-path/"
_PREFERRED = (
    f"{_BY_ID}wwn-",
    f"{_BY_ID}scsi-3",
    f"{_BY_ID}dm-uuid-",
    f"{_BY_ID}nvme-eui.",
    f"{_BY_ID}scsi-",
    _BY_ID,
    _BY_PATH,
)
"""Stable names, the best first: what the device says of itself, then where it is plugged in."""
_NO_SCSI = re.compile(
    r"/dev/(?:sd[a-z]+[0-9]|(?:nvme|loop|drbd|rbd|nbd|md|zd|mmcblk)[0-9]|(?:drbd|rbd|md|zvol)/|disk/by-part"
    r"|disk/by-id/(?:nvme-|md-|dm-uuid-(?:LVM|CRYPT|part[0-9]+)-)|(?:disk/by-[a-z]+|mapper)/.*-part[0-9]+\Z)",
    re.ASCII,
)
"""Names of partitions, of NVMe disks, and of devices that the kernel makes: none is a SCSI device."""


class ScsiAddress(msgspec.Struct, frozen=True, order=True):
    """``host:bus:target:unit``, as Linux, ``lsscsi`` and libvirt's host devices count."""

    host: int
    bus: int
    target: int
    unit: int

    def __str__(self) -> str:
        return f"{self.host}:{self.bus}:{self.target}:{self.unit}"

    @property
    def adapter(self) -> str:
        """Libvirt's name of the host adapter; its number is given anew at each boot."""
        return f"{ADAPTER_PREFIX}{self.host}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Give the address that ``2:0:1:0`` says. Raises ValueError."""
        match = _ADDRESS.fullmatch(text)
        if match is None:
            raise ValueError(f"expected host:bus:target:unit, four numbers, found {text!r}")
        return cls(*(int(part) for part in match.groups()))


def host_number(adapter: str) -> int | None:
    """Give the number in an adapter's name such as ``scsi_host2``, None for another name."""
    match = _ADAPTER.fullmatch(adapter)
    return int(match[1]) if match else None


class ScsiDevice(msgspec.Struct, frozen=True, kw_only=True):
    """One device of a host, and every name under which it can be opened."""

    address: ScsiAddress | None = None
    """None for what is no SCSI device: multipath, NVMe."""
    block: str | None = None
    """/dev/sdb or /dev/sr0; None for a device without a block driver, such as a tape."""
    generic: str | None = None
    """/dev/sg1"""
    links: tuple[str, ...] = ()
    """/dev/disk/by-id/wwn-0x5000c500a1b2c3d4 and the like."""

    @property
    def paths(self) -> tuple[str, ...]:
        """Every name, those of the kernel first."""
        return (*(path for path in (self.block, self.generic) if path is not None), *self.links)

    @property
    def stable(self) -> str | None:
        """The best name that survives a reboot, None where there is none."""
        return stable_of(self.links)


class ScsiResolver(Protocol):
    """Knows the devices of one host. A path or an address that it does not know gives None."""

    def device(self, path: str) -> ScsiDevice | None:
        """Give the device behind a block device, an sg device, or a link to one."""

    def at(self, address: ScsiAddress) -> ScsiDevice | None:
        """Give the device that stands at an address now."""


def stable_of(paths: Iterable[str]) -> str | None:
    """Give the best of the names that survive a reboot: wwn, another by-id, by-path; None without any."""
    ranked = [(rank, path) for path in paths if (rank := _rank(path)) is not None]
    return min(ranked)[1] if ranked else None


def is_stable(path: str) -> bool:
    """Tell whether a path names a device by what it is or where it is plugged in, not by a running number."""
    return _rank(path) is not None


def may_be_scsi(path: str) -> bool:
    """Tell whether a whole SCSI device can have that name; True for a name that does not tell."""
    return _NO_SCSI.match(path) is None


def _rank(path: str) -> int | None:
    return next((n for n, start in enumerate(_PREFERRED) if path.startswith(start)), None)


class ScsiMap:
    """The resolver of a lookup file: the devices of a host that is not at hand.

    Raises MapError when two devices have an address or a name in common.
    """

    __slots__ = ("_by_address", "_by_path", "devices")

    def __init__(self, devices: Iterable[ScsiDevice] = ()) -> None:
        self.devices = tuple(devices)
        self._by_path: dict[str, ScsiDevice] = {}
        self._by_address: dict[ScsiAddress, ScsiDevice] = {}
        for index, device in enumerate(self.devices):
            at = f"device[{index}]"
            if device.address is not None:
                _only_once(self._by_address, device.address, device, at)
            for path in device.paths:
                _only_once(self._by_path, path, device, at)

    def device(self, path: str) -> ScsiDevice | None:
        """Give the device of that name."""
        return self._by_path.get(path)

    def at(self, address: ScsiAddress) -> ScsiDevice | None:
        """Give the device at that address."""
        return self._by_address.get(address)


def _only_once(known: dict[Any, ScsiDevice], key: object, device: ScsiDevice, at: str) -> None:
    if key in known:
        raise MapError(f"{key} is another device's too", at=at)
    known[key] = device


def agreed(looks: Iterable[ScsiDevice]) -> tuple[ScsiDevice, ...]:
    """Give the devices of several looks at a host, the oldest first, without a contradiction.

    A host that booted in between has given names and addresses anew: each stays with the device that had it
    first, and a device of which nothing is left is none.
    """
    found: list[ScsiDevice] = []
    for each in looks:
        at = next((n for n, other in enumerate(found) if _is_same(other, each)), len(found))
        others = (*found[:at], *found[at + 1 :])
        taken = {None, *(name for other in others for name in (other.address, *other.paths))}
        seen = (*found[at : at + 1], each)
        left = ScsiDevice(
            address=next((one.address for one in seen if one.address not in taken), None),
            block=next((one.block for one in seen if one.block not in taken), None),
            generic=next((one.generic for one in seen if one.generic not in taken), None),
            links=tuple(dict.fromkeys(link for one in seen for link in one.links if link not in taken)),
        )
        found[at : at + 1] = [left] if left != ScsiDevice() else []
    return tuple(found)


def _is_same(one: ScsiDevice, other: ScsiDevice) -> bool:
    """Tell whether two looks saw one device: in one place, with a link that both saw, or one saw none."""
    places = {one.address or one.block, other.address or other.block}
    if len(places) > 1 or None in places:
        return False
    return not (one.links and other.links) or bool(set(one.links) & set(other.links))


class Asked:
    """A resolver that remembers what it told; ``known`` devices are told before it asks ``resolver``."""

    __slots__ = ("_map", "_resolver", "_told")

    def __init__(self, resolver: ScsiResolver | None = None, known: Iterable[ScsiDevice] = ()) -> None:
        self._resolver = resolver
        self._map = ScsiMap(agreed(known))
        self._told: dict[ScsiDevice, set[str]] = {}

    @property
    def known(self) -> tuple[ScsiDevice, ...]:
        """The devices that were told; each has the links that it was asked by, and the stable one."""
        return tuple(
            msgspec.structs.replace(one, links=tuple(x for x in one.links if x in {*asked, one.stable}))
            for one, asked in self._told.items()
        )

    def device(self, path: str) -> ScsiDevice | None:
        """Give the device of that name."""
        found = self._map.device(path)
        if found is None and self._resolver is not None:
            found = self._resolver.device(path)
        if found is not None:
            self._told.setdefault(found, set()).add(path)
        return found

    def at(self, address: ScsiAddress) -> ScsiDevice | None:
        """Give the device at that address."""
        found = self._map.at(address)
        return found if found is not None or self._resolver is None else self._resolver.at(address)


def parse_scsi_map(text: str) -> ScsiMap:
    """Give the resolver that a TOML or JSON text describes.

    Shape (TOML): ``[[device]]``, then ``address = "2:0:1:0"``, ``block = "/dev/sdb"``,
    ``generic = "/dev/sg1"``, ``links = ["/dev/disk/by-id/wwn-0x5000c500a1b2c3d4"]``; JSON:
    ``{"device": [{"address": "2:0:1:0", ...}]}``. Each part may be left out, but not all of them.

    Raises MapError.
    """
    try:
        data = json.loads(text) if text.lstrip().startswith("{") else tomllib.loads(text)
    except (tomllib.TOMLDecodeError, json.JSONDecodeError, RecursionError) as exc:
        raise MapError(f"expected TOML or JSON: {exc}") from None
    unknown = sorted(data.keys() - {"device"})
    if unknown:
        raise MapError(f"expected 'device', found {unknown[0]!r}")
    devices = data.get("device", [])
    if not isinstance(devices, list):
        raise MapError("expected a list of tables, [[device]]", at="device")
    return ScsiMap(_device(entry, f"device[{index}]") for index, entry in enumerate(devices))


def format_scsi_map(devices: Iterable[ScsiDevice]) -> str:
    """Give the TOML text that parse_scsi_map reads as these devices."""
    return "\n".join("".join(_lines(device)) for device in devices)


def _lines(device: ScsiDevice) -> Iterator[str]:
    yield "[[device]]\n"
    for name in ("address", "block", "generic"):
        value = getattr(device, name)
        if value is not None:
            yield f"{name} = {_quoted(str(value))}\n"
    if device.links:
        yield "links = [\n"
        yield from (f"    {_quoted(link)},\n" for link in device.links)
        yield "]\n"


def _quoted(text: str) -> str:
    """Give a text as a string of TOML: that of JSON, but for the one character that JSON lets pass."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007F")


def _device(entry: object, at: str) -> ScsiDevice:
    if not isinstance(entry, dict):
        raise MapError(f"expected a table, found {entry!r}", at=at)
    known = ScsiDevice.__struct_fields__
    unknown = sorted(str(key) for key in entry.keys() - set(known))
    if unknown or not entry:
        raise MapError(f"expected {', '.join(known)}, found {', '.join(unknown) or 'nothing'}", at=at)
    links = entry.get("links", [])
    if not isinstance(links, list):
        raise MapError(f"expected a list of paths, found {links!r}", at=f"{at}.links")
    return ScsiDevice(
        address=_address(entry.get("address"), f"{at}.address"),
        block=_path(entry.get("block"), f"{at}.block"),
        generic=_path(entry.get("generic"), f"{at}.generic"),
        links=tuple(str(_path(link, f"{at}.links[{n}]")) for n, link in enumerate(links)),
    )


def _address(value: object, at: str) -> ScsiAddress | None:
    if value is None:
        return None
    try:
        return ScsiAddress.parse(str(value))
    except ValueError as exc:
        raise MapError(str(exc), at=at) from None


def _path(value: object, at: str) -> str | None:
    if value is not None and not (isinstance(value, str) and value.startswith("/")):
        raise MapError(f"expected an absolute path, found {value!r}", at=at)
    return value
