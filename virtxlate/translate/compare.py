"""Whether a document still says what was asked: the asked one may say less than libvirt reports."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from virtxlate.domain.model import Domain

_MACHINE_ALIAS = "pc"


def differences(asked: Domain, found: Domain) -> tuple[str, ...]:
    """Give a line for every field of ``asked`` that ``found`` says otherwise; what is left open may be set.

    Disks are matched by target, interfaces by MAC, controllers by type and index, the rest by position.
    """
    return tuple(_compare("domain", asked, found))


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
        yield f"{at}: expected {asked!r}, found {found!r}"


def _is_resolved(at: str, asked: Any, found: Any) -> bool:
    """Tell whether libvirt only settled what was left to it: a machine alias, or how it checked the CPU."""
    if at == "domain.os.machine":
        return asked == _MACHINE_ALIAS and str(found).startswith(f"{asked}-")
    return (at, asked, found) == ("domain.cpu.check", "none", "full")


def _key(item: Any, index: int) -> Any:
    """Give what identifies a device in both documents."""
    for names in (("target",), ("mac",), ("type", "index")):
        if all(getattr(item, name, None) is not None for name in names):
            return tuple(getattr(item, name) for name in names)
    return index
