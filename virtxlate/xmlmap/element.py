"""The two kinds of declaration: an element with one record, and a tag with a choice of records."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Generic, TypeVar

import msgspec
from lxml import etree

from virtxlate.errors import DomainXmlError, TableError
from virtxlate.xmlmap.entries import Entry, Field, Flag, Leftover
from virtxlate.xmlmap.reading import Reader, error_at, leftover_at, read
from virtxlate.xmlmap.writing import compile_writer, culprit

R = TypeVar("R", bound=msgspec.Struct)

_OWN_TEXT = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True)
"""For text that was written a moment ago: nobody else's, so nothing in it has to be bounded."""


class Element(Generic[R]):
    """One XML element and the record it stands for.

    ``const`` are attributes with a fixed value, such as the ``type`` that a Choice selects by; ``prefixes``
    are those of the namespaces in the entries' paths; ``declared`` those that the element around declares.

    Raises TableError at import when an entry has no field in ``model``, a field no entry, or two entries
    stand in one place.
    """

    def __init__(
        self,
        tag: str,
        model: type[R],
        *entries: Entry,
        const: Mapping[str, str] | None = None,
        prefixes: Mapping[str, str] | None = None,
        declared: Collection[str] = (),
    ) -> None:
        self.tag = tag
        self.model = model
        self.entries = entries
        self.const = dict(const or {})
        self._check()
        self._required = tuple(e for e in entries if _is_required(e, model))
        self._reader = Reader()
        for entry in entries:
            self._reader.add(entry)
        self._reader.check(tag)
        self.write = compile_writer(tag, self.const, entries, prefixes or {}, declared)
        """Write a record as text; see writing.Write."""

    def _check(self) -> None:
        declared = [entry.name for entry in self.entries]
        fields = list(self.model.__struct_fields__)
        if sorted(declared) != sorted(fields):
            odd = set(declared) ^ set(fields) or {n for n in declared if declared.count(n) > 1}
            raise TableError(
                f"<{self.tag}>: entries and fields of {self.model.__name__} differ in {sorted(odd)}"
            )

    def paths(self) -> Iterator[str]:
        """Name every path below this element, such as ``driver/@cache`` or ``address/@slot``."""
        for name in self.const:
            yield f"@{name}"
        for entry in self.entries:
            if isinstance(entry, Field | Flag):
                yield entry.path
            else:
                yield from (f"{entry.element.tag}/{path}" for path in entry.element.paths())

    def format_text(self, record: R) -> str:
        """Give the element as text, two blanks a level, with a line break at the end.

        Raises DomainXmlError for text that XML cannot hold.
        """
        try:
            return self.write(record, "\n", "  ")[1:] + "\n"
        except (ValueError, LookupError) as exc:
            raise DomainXmlError(str(exc), at=culprit(record) or f"<{self.tag}>") from exc

    def append(self, record: R, parent: etree._Element) -> etree._Element:
        """Give a new element below ``parent``. Raises DomainXmlError as format does."""
        parent.append(child := self.format(record))
        return child

    def format(self, record: R) -> etree._Element:
        """Give a new element. Raises DomainXmlError for text that XML cannot hold."""
        try:
            return etree.fromstring(self.write(record, "", ""), _OWN_TEXT)
        except (ValueError, LookupError) as exc:
            raise DomainXmlError(str(exc), at=culprit(record) or f"<{self.tag}>") from exc

    def parse(self, element: etree._Element, leftovers: list[Leftover] | None = None) -> R:
        """Give the record that stands in ``element``.

        With ``leftovers`` the reading is lenient: optional values that are not understood, and unknown
        elements and attributes, are noted there. Without, such a value raises; unknown names are passed over.

        Raises DomainXmlError with path and line.
        """
        values: dict[str, Any] = {}
        read(self._reader, element, values, leftovers, self.const)
        for entry in self._required:
            if entry.name not in values:
                raise error_at(element, f"expected {place_of(entry)}, found none")
        return self.model(**values)


def _is_required(entry: Entry, model: type[msgspec.Struct]) -> bool:
    """Tell whether the declaration says so, or the record cannot be made without it."""
    without = len(model.__struct_fields__) - len(model.__struct_defaults__)
    position = model.__struct_fields__.index(entry.name) - without
    has_default = position >= 0 and model.__struct_defaults__[position] is not msgspec.NODEFAULT
    return not has_default or (isinstance(entry, Field) and entry.required)


def place_of(entry: Entry) -> str:
    """Give the path of an attribute or text, or the tag of a child."""
    return entry.path if isinstance(entry, Field | Flag) else entry.element.tag


class Choice:
    """One tag, several records: read by the value of attribute ``by``, written by the record's class."""

    def __init__(self, by: str, *elements: Element[Any]) -> None:
        self.tag = elements[0].tag
        self.by = by
        self._by_word = {element.const[by]: element for element in elements}
        self._by_model = {element.model: element for element in elements}
        if not len(elements) == len(self._by_word) == len(self._by_model):
            raise TableError(f"<{self.tag}>: two choices share a word or a record")

    def write(self, record: msgspec.Struct, pad: str, step: str) -> str:
        """Write ``record`` as text; see writing.Write."""
        return self._by_model[type(record)].write(record, pad, step)

    def parse(self, element: etree._Element, leftovers: list[Leftover] | None = None) -> Any:
        """Give the record, or None for an unknown word in a lenient reading.

        Raises DomainXmlError naming the known words.
        """
        word = element.get(self.by)
        if word in self._by_word:
            return self._by_word[word].parse(element, leftovers)
        known = ", ".join(repr(w) for w in self._by_word)
        if leftovers is None:
            raise error_at(element, f"expected one of {known}, found {word!r}", f"/@{self.by}")
        leftovers.append(leftover_at(element, f"/@{self.by}", f"unknown word {word!r}"))
        return None

    def paths(self) -> Iterator[str]:
        """Name every path of every choice, once."""
        seen = dict.fromkeys(path for element in self._by_word.values() for path in element.paths())
        return iter(seen)
