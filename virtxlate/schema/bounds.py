"""How often each name may stand in a pattern, whatever else stands there."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from virtxlate.schema.patterns import Patterns

UNBOUNDED = 1 << 30


class Bound(NamedTuple):
    """How often something may stand in an element, and what it may be."""

    low: int
    high: int
    bits: int


Bounds = dict[str, Bound]


def bounds_of(patterns: Patterns, part: int, known: dict[int, Bounds]) -> Bounds:
    """Give how often each name may stand in a pattern."""
    found = known.get(part)
    if found is None:
        found = known[part] = _bounds(patterns, part, known)
    return found


def _bounds(patterns: Patterns, part: int, known: dict[int, Bounds]) -> Bounds:
    node = patterns.nodes[part]
    if node.kind == "atom":
        return {node.name: Bound(1, 1, node.bits)}
    inner = [bounds_of(patterns, each, known) for each in node.parts]
    if node.kind == "plus":
        return {name: Bound(each.low, UNBOUNDED, each.bits) for name, each in inner[0].items()}
    return either(inner) if node.kind == "choice" else _together(inner)


def either(sides: list[Bounds]) -> Bounds:
    """Give the bounds of a choice."""
    found: Bounds = {}
    for name in dict.fromkeys(name for side in sides for name in side):
        each = [side.get(name, Bound(0, 0, 0)) for side in sides]
        found[name] = Bound(min(e.low for e in each), max(e.high for e in each), _united(each))
    return found


def _together(sides: list[Bounds]) -> Bounds:
    found: Bounds = {}
    for name in dict.fromkeys(name for side in sides for name in side):
        each = [side[name] for side in sides if name in side]
        found[name] = Bound(
            sum(e.low for e in each), min(UNBOUNDED, sum(e.high for e in each)), _united(each)
        )
    return found


def _united(bounds: Iterable[Bound]) -> int:
    bits = 0
    for each in bounds:
        bits |= each.bits
    return bits
