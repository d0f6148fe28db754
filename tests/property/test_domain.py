"""Any domain record comes back from its text; the strategies follow from the declared elements."""

from __future__ import annotations

import inspect
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import patient, xml_texts
from virtxlate import format_domain, parse_domain
from virtxlate.domain.elements import DOMAIN
from virtxlate.domain.model import Domain
from virtxlate.xmlmap import Child, Children, Choice, Element, Field, Flag, Kind, Leftover

_BY_KIND: dict[str, st.SearchStrategy[Any]] = {
    "text": xml_texts,
    "integer": st.integers(-(10**19), 10**20 - 1),
    "yes or no": st.booleans(),
    "on or off": st.booleans(),
}


def values(kind: Kind) -> st.SearchStrategy[Any]:
    """Give what a kind can hold; an enumeration carries its words along."""
    if kind.name in _BY_KIND:
        return _BY_KIND[kind.name]
    if kind.name.startswith("hex"):
        return st.integers(0, 2**64 - 1)
    return st.sampled_from(sorted(inspect.getclosurevars(kind.from_xml).nonlocals["table"]))


def records(element: Any) -> st.SearchStrategy[Any]:
    """Give records of an element, or of any element of a choice."""
    if isinstance(element, Choice):
        return st.one_of([records(each) for each in element._by_word.values()])
    return st.builds(element.model, **{entry.name: of_entry(entry, element) for entry in element.entries})


def of_entry(entry: Any, element: Element[Any]) -> st.SearchStrategy[Any]:
    """Give what stands at an entry; None where the record allows that."""
    if isinstance(entry, Flag):
        return st.booleans()
    if isinstance(entry, Children):
        return st.lists(records(entry.element), max_size=2).map(tuple)
    inner = records(entry.element) if isinstance(entry, Child) else values(entry.kind)
    if isinstance(entry, Field) and any(path.startswith(f"{entry.path}/@") for path in element.paths()):
        # Beside attributes, an empty text and none are one thing to XML.
        inner = inner.filter(lambda text: text != "")
    default = next(f.default for f in msgspec.structs.fields(element.model) if f.name == entry.name)
    return st.none() | inner if default is None else inner


domains = records(DOMAIN)


@patient
@given(domains)
def test_any_domain_comes_back_from_its_text(domain: Domain) -> None:
    leftovers: list[Leftover] = []
    text = format_domain(domain)
    assert parse_domain(text) == domain
    assert parse_domain(text.encode(), leftovers) == domain
    assert leftovers == []


@patient
@given(domains)
def test_the_text_of_what_was_read_is_the_same_text(domain: Domain) -> None:
    text = format_domain(domain)
    assert format_domain(parse_domain(text)) == text
