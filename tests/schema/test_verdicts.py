"""The schema that is built of a small grammar says what libxml2 says by that grammar, and explains it."""

from __future__ import annotations

import random
import threading
from typing import Any

import pytest
import xmlschema
from lxml import etree

from tests.schema.conftest import GRAMMAR
from tests.schema.differences import explained
from tests.schema.mutations import KINDS, mutants
from virtxlate.domain.violations import Violation
from virtxlate.schema.host import HostSchema

NAMED = "<name>a</name>"
TARGET = "<target dev='sda'/>"
NETWORK = "<source protocol='nbd'><host name='a'/><host name='b'/></source>"
CHAIN = "<source file='/a'><chain><source file='/b'><chain/></source></chain></source>"
INSTANCE = "xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance'"
EXTRA = "xmlns:e='urn:example:store:extra'"

VALID = {
    "least": f"<store>{NAMED}</store>",
    "any order": f"<store><power/><title>A b</title>{NAMED}<label>x</label></store>",
    "numbers": f"<store id='0x1f'>{NAMED}<size>300</size></store>",
    "blanks in what is empty": f"<store>{NAMED}<power> </power></store>",
    "anything in notes": f"<store>{NAMED}<notes><x y='1'>text<z/></x></notes></store>",
    "repeated": f"<store>{NAMED}<disk>{TARGET}</disk><power/><disk>{TARGET}</disk></store>",
    "file": f"<store>{NAMED}<disk type='file'><source file='/a'/>{TARGET}</disk></store>",
    "file without a type": f"<store>{NAMED}<disk><source file='/a'/>{TARGET}</disk></store>",
    "block": f"<store>{NAMED}<disk type='block'><source dev='/a'/>{TARGET}</disk></store>",
    "network": f"<store>{NAMED}<disk type='network'>{NETWORK}{TARGET}</disk></store>",
    "chain": f"<store>{NAMED}<disk>{CHAIN}{TARGET}</disk></store>",
    "pci": f"<store>{NAMED}<disk>{TARGET}<address type='pci' slot='1'/></disk></store>",
    "drive": f"<store>{NAMED}<disk>{TARGET}<address type='drive' unit=' 1 '/></disk></store>",
    "in order": f"<store>{NAMED}<port><from>1</from><to>2</to></port></store>",
    "other namespace": f"<store {EXTRA}>{NAMED}<e:extra><e:word value=''/></e:extra></store>",
    "grammar in a grammar": f"<store>{NAMED}<inner><label> plain </label></inner></store>",
    "comment": f"<store>{NAMED}<!-- here --><disk><?pi?>{TARGET}</disk></store>",
}

INVALID = {
    "file with dev": (
        f"<store>{NAMED}<disk type='file'><source dev='/a'/>{TARGET}</disk></store>",
        (
            "/store/disk/source/@file: in <disk type='file'>, <source> needs the attribute file "
            "and may not have the attribute dev"
        ),
    ),
    "network without a source": (
        f"<store>{NAMED}<disk type='network'>{TARGET}</disk></store>",
        "/store/disk/source: <disk type='network'> needs <source>",
    ),
    "source without a type that fits": (
        f"<store>{NAMED}<disk><source protocol='nbd'><host name='a'/></source>{TARGET}</disk></store>",
        "/store/disk/@type: <disk> needs the attribute type (network)",
    ),
    "pci without a slot": (
        f"<store>{NAMED}<disk>{TARGET}<address type='pci'/></disk></store>",
        "/store/disk/address/@slot: <address type='pci'> needs the attribute slot",
    ),
    "drive with a slot": (
        f"<store>{NAMED}<disk>{TARGET}<address type='drive' slot='1' unit='1'/></disk></store>",
        "/store/disk/address/@slot: <address type='drive'> may not have the attribute slot",
    ),
    "two sizes": (
        f"<store>{NAMED}<size>1</size><power/><size>2</size></store>",
        "/store/size[2]: <size> may stand only once in <store>",
    ),
    "no name": ("<store/>", "/store/name: <store> needs <name>"),
    "misspelt": (
        f"<store>{NAMED}<dsik>{TARGET}</dsik></store>",
        "/store/dsik: <dsik> is not known in <store>; did you mean disk?",
    ),
    "word that is excepted": (
        "<store><name>none</name></store>",
        "/store/name: <name> needs another text",
    ),
    "wrong order": (
        f"<store>{NAMED}<port><to>1</to><from>2</from></port></store>",
        "/store/port: <port> may not hold these together in this order: <to>, <from>",
    ),
    "word of another namespace": (
        f"<store {EXTRA}>{NAMED}<e:extra><e:word/></e:extra></store>",
        "/store/e:extra/e:word/@value: <word> needs the attribute value",
    ),
    "root": ("<shop/>", "/shop: libvirt has no document <shop>; it has store"),
    "schema location": (
        f"<store {INSTANCE} xsi:noNamespaceSchemaLocation='x'>{NAMED}</store>",
        "/store/@{http://www.w3.org/2001/XMLSchema-instance}noNamespaceSchemaLocation: the attribute ",
    ),
    "no XML": ("<store>", "/: not well-formed XML: "),
    "document type": ("<!DOCTYPE store><store/>", "/: expected no document type declaration, found one"),
}


@pytest.fixture(scope="module")
def relax_ng() -> etree.RelaxNG:
    return etree.RelaxNG(etree.parse(GRAMMAR / "store.rng"))


@pytest.mark.parametrize("text", VALID.values(), ids=VALID)
def test_what_the_grammar_takes_is_valid(text: str, store: HostSchema, relax_ng: etree.RelaxNG) -> None:
    assert relax_ng.validate(etree.fromstring(text))
    assert store.validate(text) == ()
    assert store.is_valid(etree.fromstring(text))


@pytest.mark.parametrize(("text", "told"), INVALID.values(), ids=INVALID)
def test_what_it_does_not_take_is_explained(text: str, told: str, store: HostSchema) -> None:
    (violation,) = store.validate(text)
    assert f"{violation.path}: {violation.message}".startswith(told)
    assert "DOCTYPE" in text or violation.rule == "malformed" or not store.is_valid(etree.fromstring(text))


def test_every_fault_is_told_in_document_order(store: HostSchema) -> None:
    text = f"""<store>
      <disk type='blok'>{TARGET}</disk>
      <disk type='block'><source file='/a'/>{TARGET}</disk>
      <disk>{TARGET}<address type='pci'/></disk>
      <size/>
    </store>"""
    found = [(each.line, each.path, each.rule) for each in store.validate(text)]
    assert found == [
        (1, "/store/name", "missing-element"),
        (2, "/store/disk[1]/@type", "enumeration"),
        (3, "/store/disk[2]/source/@dev", "co-occurrence"),
        (4, "/store/disk[3]/address/@slot", "co-occurrence"),
        (5, "/store/size", "type"),
    ]


def test_a_violation_carries_what_was_found_and_what_is_allowed(store: HostSchema) -> None:
    text = f"<store>{NAMED}<disk><source protocol='nbd'><host name='a'/></source>{TARGET}</disk></store>"
    assert store.validate(text) == (
        Violation(
            path="/store/disk/@type",
            line=1,
            rule="co-occurrence",
            message="<disk> needs the attribute type (network)",
            allowed=("network",),
        ),
    )


def test_ten_thousand_changed_documents_are_judged_as_libxml2_does(
    store: HostSchema, relax_ng: etree.RelaxNG
) -> None:
    seed = random.randrange(1 << 30)
    documents = [etree.fromstring(text) for name, text in VALID.items() if name != "comment"]
    wrong = []
    for mutant in mutants(documents, 10_000, random.Random(seed)):
        expected = relax_ng.validate(mutant.root)
        if store.is_valid(mutant.root) != expected and (expected or not explained(relax_ng, mutant)):
            wrong.append((mutant.kind, expected, etree.tostring(mutant.root)))
    assert wrong == [], f"seed {seed}"


def test_what_is_refused_is_explained_whatever_it_is(store: HostSchema) -> None:
    seed = random.randrange(1 << 30)
    documents = [etree.fromstring(text) for text in VALID.values()]
    for mutant in mutants(documents, 20 * len(KINDS), random.Random(seed)):
        violations = store.validate(mutant.root)
        assert (violations == ()) == store.is_valid(mutant.root), f"seed {seed}"
        assert "malformed" not in {each.rule for each in violations}, f"seed {seed}"


def test_xmlschema_reads_the_same_xsd_and_agrees_with_lxml(store: HostSchema) -> None:
    path = store.path("store")
    second = xmlschema.XMLSchema10(str(path))
    first = etree.XMLSchema(etree.parse(path))
    seed = random.randrange(1 << 30)
    documents = [etree.fromstring(text) for text in VALID.values()]
    found = list(mutants(documents, 30 * len(KINDS), random.Random(seed)))
    roots = [*documents, *(mutant.root for mutant in found)]
    assert [etree.tostring(root) for root in roots if not agree(first, second, root)] == [], f"seed {seed}"


def agree(first: etree.XMLSchema, second: Any, root: etree._Element) -> bool:
    """Compare, but for two faults of xmlschema: digits of other scripts, and text beside any element."""
    if "\u0665" in etree.tostring(root, encoding="unicode"):
        return True
    for notes in root.iter("notes"):
        notes.text = None
    return bool(first.validate(root) == second.is_valid(root))


def test_threads_may_share_a_schema(store: HostSchema) -> None:
    found: list[tuple[int, int]] = []

    def judge() -> None:
        valid = sum(store.validate(text) == () for text in VALID.values())
        found.append((valid, sum(store.validate(text) == () for text, _ in INVALID.values())))

    threads = [threading.Thread(target=judge) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [(len(VALID), 0)] * 4


DEEP = "<source file='/a'><chain>" * 120 + "</chain></source>" * 120
HUGE = {
    "many disks": f"<store>{NAMED}" + f"<disk>{TARGET}</disk>" * 200_000 + "</store>",
    "deep chain": f"<store>{NAMED}<disk>{DEEP}{TARGET}</disk></store>",
    "many wrong children": f"<store>{NAMED}<disk>" + "<source/>" * 50_000 + "</disk></store>",
    "many faults": f"<store>{NAMED}" + "<size/>" * 5_000 + "</store>",
}


@pytest.mark.parametrize("text", HUGE.values(), ids=HUGE)
@pytest.mark.timeout(60)
def test_a_huge_document_is_judged_and_explained_in_bounded_time(text: str, store: HostSchema) -> None:
    assert (store.validate(text) == ()) == store.is_valid(etree.fromstring(text))


def test_the_xsd_alone_counts_what_stands_once(store: HostSchema) -> None:
    xsd = etree.XMLSchema(etree.parse(store.path("store")))
    for twice in ("<power/>", "<size>1</size>", "<title/>", "<notes/>"):
        assert not xsd.validate(
            etree.fromstring(f"<store>{NAMED}{twice}<disk>{TARGET}</disk>{twice}</store>")
        )
    assert not xsd.validate(etree.fromstring(f"<store><disk>{TARGET}</disk></store>"))


def test_the_mark_that_an_xsd_counts_by_is_no_attribute(store: HostSchema) -> None:
    text = f"<store>{NAMED}<power once='power'/></store>"
    assert etree.XMLSchema(etree.parse(store.path("store"))).validate(etree.fromstring(text))
    assert not store.is_valid(etree.fromstring(text))
    assert store.validate(text) == (
        Violation(
            path="/store/power/@once",
            line=1,
            rule="unknown-attribute",
            message="the attribute once is not known in <power>",
            found="once",
        ),
    )
    assert store.validate(f"<store>{NAMED}<notes><power once='x'/></notes></store>") == ()
