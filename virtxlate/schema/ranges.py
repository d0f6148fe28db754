"""Ranges of whole numbers as XSD patterns.

For numbers that have a pattern in RELAX NG: libxml2 holds that pattern against the text as it stands, blanks
included, where an integer type of XSD would drop them first. So they become strings with two patterns.
"""

from __future__ import annotations


def range_pattern(low: int | None, high: int | None) -> str:
    """Give a pattern of the numbers from ``low`` to ``high``, with sign and leading zeros; None: no end."""
    parts = []
    if high is None or high >= 0:
        inner = "|".join(_numbers(max(low or 0, 0), high))
        parts.append(rf"\+?0*({inner})")
    if low is None or low <= 0:
        inner = "|".join(_numbers(max(-high if high is not None else 0, 0), None if low is None else -low))
        parts.append(f"-0*({inner})")
    return "|".join(parts)


def _numbers(low: int, high: int | None) -> list[str]:
    """Give patterns of the numbers from ``low``, not negative, to ``high``, without leading zeros."""
    digits = len(str(low))
    if high is None:
        longer = f"[1-9][0-9]{{{digits},}}"
        return [*_between(str(low), "9" * digits), longer]
    found = []
    for length in range(digits, len(str(high)) + 1):
        first = str(low) if length == digits else "1" + "0" * (length - 1)
        last = str(high) if length == len(str(high)) else "9" * length
        found += _between(first, last)
    return found


def _between(first: str, last: str) -> list[str]:
    """Give patterns of the numbers between two that have the same number of digits."""
    rest = len(first) - 1
    if not rest:
        return [_digit(first, last)]
    if first[0] == last[0]:
        return [first[0] + each for each in _between(first[1:], last[1:])]
    found = []
    low, high = int(first[0]), int(last[0])
    if first[1:] != "0" * rest:
        found += [first[0] + each for each in _between(first[1:], "9" * rest)]
        low += 1
    ends = []
    if last[1:] != "9" * rest:
        ends = [last[0] + each for each in _between("0" * rest, last[1:])]
        high -= 1
    if low <= high:
        found.append(_digit(str(low), str(high)) + (f"[0-9]{{{rest}}}" if rest > 1 else "[0-9]"))
    return found + ends


def _digit(first: str, last: str) -> str:
    return first if first == last else f"[{first}-{last}]"
