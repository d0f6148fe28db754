"""Each row of each choice: what it takes is left alone, what is of another row is told in its words."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from lxml import etree

from tests.rules.cases import document
from tests.rules.choices import NEWER, TOLD, Told
from tests.schema.drawing import draw
from virtxlate.domain.large import MOST_ELEMENTS
from virtxlate.rules import GRAMMATICAL, faults
from virtxlate.rules import broken as broken_rules
from virtxlate.rules.rule import Document, Fault
from virtxlate.schema.relaxng import Reader
from virtxlate.schema.store import INSTALLED

RELAX_NG = Path("/usr/share/libvirt/schemas/domain.rng")
ROWS = [(told, word) for told in TOLD for word in told.choice.rows]
each_row = pytest.mark.parametrize(("told", "word"), ROWS, ids=[f"{told.rule}-{word}" for told, word in ROWS])


@pytest.fixture(scope="module")
def relax_ng() -> etree.RelaxNG:
    return etree.RelaxNG(etree.parse(str(RELAX_NG)))


def parsed(told: Told, word: str) -> tuple[etree._Element, etree._Element]:
    """Give the document, and in it the element that the row is about."""
    root = etree.fromstring(document(told.devices[word]))
    found, element = next(told.choice.places(Document(root)))
    assert found == word
    return root, element


def broken(told: Told, root: etree._Element) -> list[Fault]:
    return [fault for rule, fault in faults(root) if rule.id == told.rule]


def with_one_more(told: Told, word: str) -> Iterator[tuple[str, etree._Element]]:
    """Give the document with each name that another row has."""
    for name in sorted(told.choice.names - set(told.choice.rows[word].takes)):
        root, element = parsed(told, word)
        if name.startswith("@"):
            if name[1:] == "type" and "type" in element.attrib:
                continue
            element.set(name[1:], "1")
        else:
            etree.SubElement(element, name)
        yield name, root


@each_row
def test_what_goes_with_the_word_is_left_alone(told: Told, word: str) -> None:
    root, _element = parsed(told, word)
    assert [(rule.id, fault.says) for rule, fault in faults(root) if rule.id in GRAMMATICAL] == []


@pytest.mark.oracle
@each_row
def test_libvirts_grammar_takes_it(told: Told, word: str, relax_ng: etree.RelaxNG) -> None:
    root, _element = parsed(told, word)
    assert relax_ng.validate(root) is ((told.rule, word) not in NEWER), relax_ng.error_log


@each_row
def test_what_is_of_another_word_is_told_in_the_words_of_the_row(told: Told, word: str) -> None:
    for name, root in with_one_more(told, word):
        (fault,) = broken(told, root)
        assert fault.says.startswith(f"{told.choice.rows[word].says}; ")
        assert f" is for {told.choice.subject} " in fault.says
        shown = name[1:] if name.startswith("@") else f"<{name}>"
        assert f"; {shown} is for" in fault.says


@pytest.mark.oracle
@each_row
def test_libvirts_grammar_refuses_it_too(told: Told, word: str, relax_ng: etree.RelaxNG) -> None:
    for name, root in with_one_more(told, word):
        assert not relax_ng.validate(root), name


@each_row
def test_what_is_missing_is_named(told: Told, word: str) -> None:
    row = told.choice.rows[word]
    for name in row.needs:
        root, element = parsed(told, word)
        if name.startswith("@"):
            del element.attrib[name[1:]]
        else:
            for child in element.findall(name):
                element.remove(child)
        found = broken(told, root)
        noun = f"the attribute {name[1:]}" if name.startswith("@") else f"<{name}>"
        assert [fault.says for fault in found] == [f"{row.says}; {noun} is missing"]


def test_every_choice_is_a_rule_and_every_word_has_a_device() -> None:
    assert {told.rule for told in TOLD} <= GRAMMATICAL
    assert [set(told.devices) for told in TOLD] == [set(told.choice.rows) for told in TOLD]


@pytest.mark.oracle
def test_what_is_drawn_from_libvirts_grammar_is_left_alone(relax_ng: etree.RelaxNG) -> None:
    grammar, seed = Reader(INSTALLED).read("domain.rng"), random.randrange(1 << 30)
    assert grammar is not None
    rng = random.Random(seed)
    drawn = [draw(grammar, rng) for _ in range(100)]
    for root in filter(relax_ng.validate, drawn):
        found = [(rule.id, fault.says) for rule, fault in faults(root) if rule.id in GRAMMATICAL]
        assert found == [], f"seed {seed}"


def test_of_one_rule_so_many_places_are_told_and_that_there_are_more() -> None:
    device = "<rng model='virtio'><backend model='random'/><address type='pci' slot='3' target='0'/></rng>"
    root = etree.fromstring(f"<devices>{device * (MOST_ELEMENTS + 1)}</devices>")
    told = [each for each in broken_rules(root) if each.rule == "address-fields"]
    assert len(told) == MOST_ELEMENTS + 1
    assert [
        each.path for each in told if each.message == f"only the first {MOST_ELEMENTS} places are told"
    ] == ["/devices"]
