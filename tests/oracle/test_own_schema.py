"""libvirt's own RELAX NG judges the schema of ours with its rules: what either refuses, the other does too.

Documents are the fixtures, and domains drawn from libvirt's grammar, each with one fault of eighteen kinds.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from copy import deepcopy
from pathlib import Path
from typing import get_args

import pytest
from lxml import etree

from tests.oracle.own_differences import LOOSER, STRICTER
from tests.schema.differences import explained
from tests.schema.drawing import draw
from tests.schema.mutations import KINDS, Mutant, mutants
from virtxlate.domain import schema
from virtxlate.domain.unchecked import open_elements
from virtxlate.domain.violations import SchemaRule, Violation
from virtxlate.domain.words import DOMAIN_TYPES
from virtxlate.rules import GRAMMATICAL, validate
from virtxlate.schema.relaxng import Grammar, Reader
from virtxlate.schema.store import INSTALLED

pytestmark = pytest.mark.oracle

ROOT = Path(__file__).parents[2]
FIXTURES = sorted([*ROOT.glob("fixtures/**/*.xml"), *ROOT.glob("tests/domain/valid/*.xml")])
DRAWN = 150
MUTANTS = 1_800
SEED = 20_018
"""One outcome everywhere; VIRTXLATE_SEED=NUMBER draws others, and what they find is mended or named."""
OF_A_GRAMMAR = GRAMMATICAL | set(get_args(SchemaRule))
"""Rules that say what a grammar can say; what they refuse, libvirt's grammar should."""


@pytest.fixture(scope="module")
def relax_ng() -> etree.RelaxNG:
    return etree.RelaxNG(etree.parse(INSTALLED / "domain.rng"))


@pytest.fixture(scope="module")
def grammar() -> Grammar:
    found = Reader(INSTALLED).read("domain.rng")
    assert found is not None
    return found


@pytest.fixture(scope="module")
def seed() -> int:
    return int(os.environ.get("VIRTXLATE_SEED") or SEED)


@pytest.fixture(scope="module")
def drawn(grammar: Grammar, seed: int) -> list[etree._Element]:
    rng = random.Random(seed)
    found = [draw(grammar, rng) for _ in range(DRAWN)]
    for root in found:
        # The rules are of the domains that QEMU runs.
        root.set("type", rng.choice(DOMAIN_TYPES))
    return found


@pytest.fixture(scope="module")
def documents(drawn: list[etree._Element], relax_ng: etree.RelaxNG) -> list[etree._Element]:
    """Give what both accept, without what is not checked: a fault is then in a part that we own."""
    parser = etree.XMLParser(remove_comments=True)
    roots = [etree.parse(path, parser).getroot() for path in FIXTURES]
    domains = [root for root in [*roots, *drawn] if root.tag == "domain"]
    return [owned(root) for root in domains if relax_ng.validate(root) and schema.is_valid(root)]


def owned(root: etree._Element) -> etree._Element:
    """Give a copy without the elements whose content is not checked, and without metadata."""
    copy = deepcopy(root)
    for element in [*open_elements(copy), *copy.findall("metadata/*")]:
        parent = element.getparent()
        assert parent is not None
        parent.remove(element)
    return copy


def errors(root: etree._Element) -> list[Violation]:
    return [each for each in validate(root) if each.severity == "error"]


def unnamed(violations: list[Violation]) -> list[Violation]:
    """Give what refuses a document that libvirt's grammar accepts, without a reason that has a name."""
    of_grammar = [each for each in violations if each.rule in OF_A_GRAMMAR]
    return [each for each in of_grammar if not any(difference.holds(each) for difference in STRICTER)]


def named(judge: etree.RelaxNG, mutant: Mutant) -> str:
    """Give the name of the reason for which libvirt's grammar alone refuses; "" if there is none."""
    rest = owned(mutant.root)
    if judge.validate(rest):
        return "not checked"
    if explained(judge, mutant._replace(root=rest)):
        return "order of nested interleaves"
    return next((each.name for each in LOOSER if each.holds(mutant.root)), "")


def test_what_libvirts_grammar_accepts_is_refused_for_a_named_reason_only(
    drawn: list[etree._Element], relax_ng: etree.RelaxNG, seed: int
) -> None:
    accepted = [root for root in drawn if relax_ng.validate(root)]
    assert len(accepted) == DRAWN, f"VIRTXLATE_SEED={seed}"
    assert [each for root in accepted for each in unnamed(errors(root))] == [], f"VIRTXLATE_SEED={seed}"
    assert sum(schema.is_valid(root) for root in accepted) > DRAWN / 2


def test_every_fault_in_the_parts_that_we_own_is_found_and_nothing_else(
    documents: list[etree._Element], relax_ng: etree.RelaxNG, seed: int
) -> None:
    verdicts: Counter[tuple[bool, bool]] = Counter()
    reasons: Counter[str] = Counter()
    kinds: set[str] = set()
    wrong: list[object] = []
    for mutant in mutants(documents, MUTANTS, random.Random(seed)):
        found, accepted = errors(mutant.root), relax_ng.validate(mutant.root)
        verdicts[accepted, not found] += 1
        kinds.add(mutant.kind)
        if accepted and unnamed(found):
            wrong.append((mutant.kind, unnamed(found)))
        if not accepted and not found:
            reason = named(relax_ng, mutant)
            reasons[reason] += 1
            if not reason:
                wrong.append((mutant.kind, etree.tostring(mutant.root)))
    print(f"VIRTXLATE_SEED={seed}: {dict(verdicts)}, {dict(reasons)}, unnamed: {wrong}")
    assert wrong == [], f"VIRTXLATE_SEED={seed}"
    assert kinds == {kind.__name__ for kind in KINDS}
    assert verdicts[False, False] > MUTANTS / 3
    assert verdicts[True, True] > MUTANTS / 6
