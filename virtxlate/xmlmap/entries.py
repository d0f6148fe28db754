"""What an element declaration is made of."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Protocol

import msgspec
from lxml import etree

from virtxlate.xmlmap.kinds import TEXT, Kind


class Leftover(msgspec.Struct, frozen=True, kw_only=True):
    """What a lenient reading passed over: an unknown name, or an optional value that is not understood."""

    path: str
    line: int
    reason: str


class Field(msgspec.Struct, frozen=True):
    """One value: at ``@attribute``, ``child/@attribute``, ``child`` (its text) or ``.`` (the own text)."""

    name: str
    path: str
    kind: Kind = TEXT
    required: bool = False


class Flag(msgspec.Struct, frozen=True):
    """A bool: the element at ``path`` is there or not."""

    name: str
    path: str


class Child(msgspec.Struct, frozen=True):
    """A nested record, or None where the element is absent."""

    name: str
    element: AnyElement


class Children(msgspec.Struct, frozen=True):
    """A tuple of nested records, in document order."""

    name: str
    element: AnyElement


class AnyElement(Protocol):
    """What Child and Children need: an Element or a Choice."""

    tag: str

    @property
    def write(self) -> Callable[[Any, str, str], str]:
        """The function that writes a record as text; see writing.Write."""

    def parse(self, element: etree._Element, leftovers: list[Leftover] | None = None) -> Any:
        """Read a record."""

    def paths(self) -> Iterator[str]:
        """Name every declared path."""


Entry = Field | Flag | Child | Children
