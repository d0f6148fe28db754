"""What an element may hold where one word decides: the type of a disk, of an address, of a controller.

XSD 1.0 cannot say it; libvirt's RELAX NG can, and the schema that is built of it has it as co-occurrence,
without a message. A row here is a word, the names that go with it, and a sentence that a person wrote. Names
that stand in no row of a choice are none of its business.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from lxml import etree

from virtxlate.rules.rule import Document, Fault, child

Element = etree._Element
Places = Callable[[Document], Iterator[tuple[str, Element]]]
"""Gives elements, each with the word that decides about it."""


class Row(NamedTuple):
    """What goes with one word: attributes as ``@dev``, children by their name."""

    takes: tuple[str, ...]
    says: str
    """How such an element is told, in one sentence."""
    needs: tuple[str, ...] = ()
    """What must be there."""


class Choice(NamedTuple):
    """One table: the rows by their words."""

    places: Places
    rows: dict[str, Row]
    subject: str
    """Who else has what one row has not: "type" gives "dev is for type 'block'"."""

    @property
    def names(self) -> frozenset[str]:
        """Everything that stands in a row."""
        return frozenset(name for row in self.rows.values() for name in row.takes)

    def check(self) -> Callable[[Document], Iterator[Fault]]:
        """Give the check of a rule: one fault for an element, whatever is wrong in it."""
        names = self.names
        foreign = {word: names - set(row.takes) for word, row in self.rows.items()}
        attributes = {word: _attributes(of) for word, of in foreign.items()}
        children = {word: of - {f"@{name}" for name in _attributes(of)} for word, of in foreign.items()}

        def is_clean(element: Element, word: str) -> bool:
            """Say the same as ``surplus`` does, at the speed of what is almost always so."""
            within = children[word]
            return attributes[word].isdisjoint(element.keys()) and not (
                within and len(element) and any(each.tag in within for each in element)
            )

        def check(document: Document) -> Iterator[Fault]:
            for word, element in self.places(document):
                row = self.rows.get(word)
                if row is None:
                    continue
                clean = is_clean(element, word)
                surplus = [] if clean else [name for name in _names(element) if name in foreign[word]]
                missing = [name for name in row.needs if not _has(element, name)]
                if surplus or missing:
                    yield self._fault(element, row, surplus, missing)

        return check

    def _fault(self, element: Element, row: Row, surplus: list[str], missing: list[str]) -> Fault:
        parts = [row.says, *self._owners(surplus)]
        if missing:
            parts.append(
                f"{' and '.join(map(_noun, missing))} {'is' if len(missing) == 1 else 'are'} missing"
            )
        first = (surplus or missing)[0]
        value = element.get(first[1:]) if first.startswith("@") else None
        inner = None if first.startswith("@") else child(element, first)
        found = value if value is not None or not surplus else first
        allowed = tuple(name.removeprefix("@") for name in row.takes) if surplus else ()
        says = "; ".join(parts)
        return (
            Fault(element, f"/{first}", found, allowed, says)
            if inner is None
            else Fault(inner, "", found, allowed, says)
        )

    def _owners(self, surplus: list[str]) -> Iterator[str]:
        """Say whose the surplus is: of the words that have all of it, else name by name."""
        words = [repr(word) for word, row in self.rows.items() if set(surplus) <= set(row.takes)]
        groups = [surplus] if words else [[name] for name in surplus]
        for group in groups if surplus else []:
            words = [repr(word) for word, row in self.rows.items() if set(group) <= set(row.takes)]
            verb = "is" if len(group) == 1 else "are"
            yield f"{_listed(group)} {verb} for {self.subject} {' or '.join(words)}"


def _attributes(names: frozenset[str]) -> frozenset[str]:
    return frozenset(name[1:] for name in names if name.startswith("@"))


def _names(element: Element) -> Iterator[str]:
    for key in element.keys():  # noqa: SIM118 - of attributes, not of children
        yield f"@{key}"
    for each in element.iterchildren("*"):
        yield str(each.tag)


def _listed(names: list[str]) -> str:
    shown = [name[1:] if name.startswith("@") else f"<{name}>" for name in dict.fromkeys(names)]
    return " and ".join(", ".join(shown).rsplit(", ", 1))


def _noun(name: str) -> str:
    return f"the attribute {name[1:]}" if name.startswith("@") else f"<{name}>"


def _has(element: Element, name: str) -> bool:
    return name[1:] in element.attrib if name.startswith("@") else element.find(name) is not None


def of_devices(tag: str, attribute: str, default: str = "") -> Places:
    """Give every device of a kind, with the word of its attribute."""

    def places(document: Document) -> Iterator[tuple[str, Element]]:
        for device in document.of(tag):
            yield device.get(attribute, default), device

    return places


def of_sources(tag: str, default: str = "") -> Places:
    """Give the source of every device of a kind, with the type of the device."""

    def places(document: Document) -> Iterator[tuple[str, Element]]:
        for device in document.of(tag):
            source = child(device, "source")
            if source is not None:
                yield device.get("type", default), source

    return places
