"""Sizes as people type them: 20G. Ganeti counts in MiB where no unit is given, libvirt in KiB."""

from __future__ import annotations

import re
from fractions import Fraction

from virtxlate.errors import UsageError

_SIZE = re.compile(r"(?P<number>[0-9]{1,15}(?:\.[0-9]{1,6})?)\s*(?P<unit>[a-zA-Z]*)", re.ASCII)
_POWERS = {"k": 10, "m": 20, "g": 30, "t": 40, "p": 50}
_UNITS = {"b": 0, "bytes": 0, **_POWERS, **{f"{letter}ib": power for letter, power in _POWERS.items()}}
_DECIMAL = {f"{letter}b" for letter in _POWERS}


def parse_size(text: str, where: str, *, default: str | None = None) -> int:
    """Give bytes for ``20G``; ``default`` is the unit of a bare number, None where it must be said.

    Raises UsageError that starts with ``where``.
    """
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise UsageError(f"{where}: expected a size such as 20G, found {text!r}")
    unit = match["unit"].lower() or default
    if unit is None:
        raise UsageError(
            f"{where}: expected a unit, found {text!r}: {text}M as Ganeti counts, {text}K as virsh does"
        )
    if unit in _DECIMAL:
        raise UsageError(
            f"{where}: {match['unit']} is 1000 to libvirt and 1024 to Ganeti: write {unit[0].upper()} for "
            f"2**{_UNITS[unit[0]]} bytes, found {text!r}"
        )
    if unit not in _UNITS:
        raise UsageError(f"{where}: expected a unit of K, M, G, T, P or B, found {text!r}")
    size = Fraction(match["number"]) * 2 ** _UNITS[unit]
    if size.denominator != 1 or not size:
        raise UsageError(f"{where}: expected a whole number of bytes above 0, found {text!r}")
    return int(size)
