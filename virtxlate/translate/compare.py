"""Whether a document still says what was asked: the asked one may say less than libvirt reports."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from virtxlate.domain.model import BootDevice, Controller, Domain, Input

_MACHINE_ALIASES = {"pc": "pc-", "q35": "pc-q35-"}
"""What libvirt resolves when a domain is defined, and what the result begins with."""
_MAX_SHOWN = 120
_ADDED_CONTROLLERS = frozenset({"pci", "ide", "fdc", "usb", "sata"})
"""Types of controllers that libvirt adds where a device or a machine needs one."""
_SETTLED = frozenset({"emulator", "address", "driver_name", "driver_type"})
"""Fields that libvirt fills where nobody asked; any other one in its XML is there because somebody did."""
_ADDED_BOOTS = (BootDevice(dev="hd"),)
"""What libvirt writes where no device is told to boot."""


def differences(asked: Domain, found: Domain) -> tuple[str, ...]:
    """Give a line for every field of ``asked`` that ``found`` says otherwise; what is left open may be set.

    Disks are matched by target, interfaces by MAC, controllers by type and index, the rest by position.
    """
    return tuple(_compare("domain", asked, found))


def device_differences(asked: msgspec.Struct, found: msgspec.Struct) -> tuple[str, ...]:
    """Give a line for every field of a device that ``found`` says otherwise than ``asked``."""
    return tuple(_compare("device", asked, found))


def _compare(at: str, asked: Any, found: Any) -> Iterator[str]:
    if asked is None or asked == found or _is_resolved(at, asked, found):
        return
    if isinstance(asked, msgspec.Struct) and type(asked) is type(found):
        for name in asked.__struct_fields__:
            yield from _compare(f"{at}.{name}", getattr(asked, name), getattr(found, name))
    elif isinstance(asked, tuple) and isinstance(found, tuple):
        known = {_key(item, index): item for index, item in enumerate(found)}
        for index, item in enumerate(asked):
            key = _key(item, index)
            if key not in known:
                yield f"{at}[{index}]: expected {key!r}, found none"
            else:
                yield from _compare(f"{at}[{index}]", item, known[key])
    else:
        yield f"{at}: expected {_shown(asked)}, found {_shown(found)}"


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}..."


def as_asked(asked: Domain, found: Domain) -> Domain:
    """Give ``found`` as whoever defined it would have written it: in the manner of ``asked``.

    What libvirt settled or added by itself is left out, so that comparing the result with ``asked`` shows
    what a new definition would change, and nothing else.
    """
    domain: Domain = _project("domain", asked, found)
    return domain


def _project(at: str, asked: Any, found: Any) -> Any:
    if asked == found or _is_resolved(at, asked, found):
        return asked
    if asked is None and at.rpartition(".")[2] in _SETTLED:
        return None
    if at == "domain.os.boots" and not asked and found == _ADDED_BOOTS:
        return asked
    if isinstance(asked, msgspec.Struct) and type(asked) is type(found):
        names = asked.__struct_fields__
        return type(asked)(
            **{name: _project(f"{at}.{name}", getattr(asked, name), getattr(found, name)) for name in names}
        )
    if isinstance(asked, tuple) and isinstance(found, tuple):
        return tuple(_project_items(at, asked, found))
    return found


def _project_items(at: str, asked: tuple[Any, ...], found: tuple[Any, ...]) -> Iterator[Any]:
    """Give the found items, those that were asked for in the order of the asking."""
    left = {_key(item, index): item for index, item in enumerate(found)}
    for index, item in enumerate(asked):
        key = _key(item, index)
        if key in left:
            yield _project(f"{at}[{index}]", item, left.pop(key))
    for item in left.values():
        if not _is_added(item):
            yield item


def _is_added(item: Any) -> bool:
    """Tell whether libvirt has it in every PC: controllers that devices need, mouse and keyboard on PS/2."""
    if isinstance(item, Controller):
        return item.type in _ADDED_CONTROLLERS
    return isinstance(item, Input) and item.bus == "ps2"


def _is_resolved(at: str, asked: Any, found: Any) -> bool:
    """Tell whether libvirt only says it its own way: machine alias, spelling, CPU check, hidden password."""
    if at == "domain.os.machine":
        return asked in _MACHINE_ALIASES and str(found).startswith(_MACHINE_ALIASES[asked])
    if at.endswith(".password"):
        return found is None
    if at == "domain.uuid" or at.endswith(".mac"):
        return str(asked).lower() == str(found)
    return (at, asked, found) == ("domain.cpu.check", "none", "full")


def _key(item: Any, index: int) -> Any:
    """Give what identifies a device in both documents; USB companions have one index, and their own ports."""
    if isinstance(item, Controller) and item.startport is not None:
        return item.type, item.index, item.startport
    for names in (("target",), ("mac",), ("type", "index")):
        values = [getattr(item, name, None) for name in names]
        if None not in values:
            return tuple(value.lower() if isinstance(value, str) else value for value in values)
    return index
