"""How much is tried to explain a document by the rules of a built schema: counted, and bounded."""

from __future__ import annotations

import pytest
from lxml import etree

from virtxlate.domain.large import MOST_ELEMENTS
from virtxlate.domain.paths import paths_of
from virtxlate.schema.explain import Broken, Effort, broken_rules
from virtxlate.schema.host import HostSchema
from virtxlate.schema.judge import Judge
from virtxlate.schema.rules import read_rules

TARGET = "<target dev='vda'/>"
WRONG = f"<disk type='network'><source file='/a' protocol='nbd'/>{TARGET}</disk>"


@pytest.fixture(scope="module")
def judge(store: HostSchema) -> Judge:
    path = store.stored.path / store.stored.contents.named("store").rules
    return Judge(read_rules(path.read_bytes()))


def tried(text: str, judge: Judge, most: int = 10**9) -> tuple[int, list[Broken]]:
    """Give the work that an explanation cost, and what was found."""
    root, effort = etree.fromstring(text), Effort(most)
    found = broken_rules(root, judge, paths_of(root), effort)
    return most - effort.left, found


def disks(count: int) -> str:
    return f"<store><name>a</name>{WRONG * count}</store>"


def chain(length: int) -> str:
    """Give a disk whose sources are all wrong, one in the other."""
    links = "<source dev='/a'><chain>" * length + "</chain></source>" * length
    return f"<store><name>a</name><disk>{links}{TARGET}</disk></store>"


@pytest.mark.parametrize("document", [disks, chain])
def test_twice_the_faults_are_twice_the_work(document: object, judge: Judge) -> None:
    assert callable(document)
    once, few = tried(document(20), judge)
    twice, many = tried(document(40), judge)
    assert len(many) >= len(few) > 0
    assert once <= twice <= 2.2 * once + 100


def test_once_the_effort_is_spent_faults_are_still_told(judge: Judge) -> None:
    spent, found = tried(disks(50), judge, most=40)
    assert spent < 200
    assert [each.at.removesuffix("/source") for each in found] == [
        f"/store/disk[{number}]" for number in range(1, 51)
    ]
    assert " may not hold these together: " in found[-1].violation.message


@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    "part",
    [WRONG, "<disk/>", "<size/>", "<power/>", f"<disk>{TARGET}<address type='pci'/></disk>"],
    ids=["wrong together", "incomplete", "wrong value", "repeated", "wrong address"],
)
def test_ten_megabytes_of_faults_are_judged_and_explained(part: str, store: HostSchema) -> None:
    text = f"<store><name>a</name>{part * (10_000_000 // len(part))}</store>"
    *told, last = store.validate(text)
    assert 0 < len(told) <= 2 * MOST_ELEMENTS
    assert last.rule == "too-large"
