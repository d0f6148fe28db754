"""The rules of a document type: what its XSD had to loosen, as a table that can be written and read."""

from __future__ import annotations

import msgspec

from virtxlate.schema.patterns import Node, Patterns
from virtxlate.schema.values import Value


class Count(msgspec.Struct, frozen=True):
    """A child that stands at least and at most so often."""

    name: str
    low: int
    high: int | None
    """None: any number."""


class Candidate(msgspec.Struct, frozen=True):
    """One way in which an element may be filled; all of it must hold."""

    counts: tuple[Count, ...]
    patterns: tuple[int, ...]
    """Numbers of patterns; each speaks about the names in it only."""
    never: tuple[str, ...]
    """What the type knows, but not this candidate: "@name", "#" for text, or a child."""


class TypeRules(msgspec.Struct, frozen=True):
    """The rules of an element: one of the candidates must fit."""

    name: str
    candidates: tuple[Candidate, ...] = ()
    """None where the XSD says it all, and only something inside has rules."""
    values: dict[str, tuple[Value, ...]] = {}
    """For attributes and text that a pattern names: value i stands for bit 1 << i there."""
    ways: dict[str, int] = {}
    """For children that a pattern names: all their bits, a bit for each candidate of the child's type."""
    marked: tuple[str, ...] = ()
    """Children that the XSD counts by a mark, which no document may carry."""
    children: dict[str, int] = {}
    """Number of the rules of a child; without a rule in it, a child is not in here."""


class RuleTable(msgspec.Struct, frozen=True):
    """All rules of a document type."""

    nodes: tuple[Node, ...]
    types: tuple[TypeRules, ...]
    roots: dict[str, int]

    def patterns(self) -> Patterns:
        """Give the patterns that the rules name by number."""
        patterns = Patterns.of(self.nodes)
        patterns.fix()
        return patterns


def write_rules(table: RuleTable) -> bytes:
    """Give the table as JSON."""
    return msgspec.json.format(msgspec.json.encode(table, order="deterministic"), indent=1) + b"\n"


def read_rules(text: bytes) -> RuleTable:
    """Give the table that ``write_rules`` wrote. Raises msgspec.DecodeError."""
    return msgspec.json.decode(text, type=RuleTable)
