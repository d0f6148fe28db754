"""Huge and hostile documents: the work that they cause is counted, and bounded."""

from __future__ import annotations

import pytest
from lxml import etree

from virtxlate.domain import schema
from virtxlate.domain.grammar import schema_path
from virtxlate.domain.large import MOST_ELEMENTS, accepts, elements_in, first_part
from virtxlate.domain.violations import Complaint, explain

TEN_MEGABYTES = 10_000_000
DISK = "<disk><target dev='vda'/></disk>"
GRAPHICS = "<graphics type='vnc'><image compression='a'/><image compression='a'/></graphics>"
HOSTILE = {
    "faulty siblings": "<disk/>",
    "unknown siblings": "<x/>",
    "one name for all": DISK,
    "two faults each": GRAPHICS,
    "a prefix of many meanings": "<a:x xmlns:a='urn:a'/><a:x xmlns:a='urn:b'/>",
    "deep": f"<disk>{'<backingStore>' * 100}{'</backingStore>' * 100}</disk>",
}


def in_domain(devices: str) -> str:
    return f"<domain type='kvm'><name>a</name><os><type>hvm</type></os><devices>{devices}</devices></domain>"


def filled(part: str, size: int = TEN_MEGABYTES) -> str:
    return in_domain(part * (size // len(part)))


@pytest.fixture(scope="module")
def xsd() -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(str(schema_path())))


class Counted:
    """A judge that counts what it is asked: for each fault libxml2 counts the siblings of the element."""

    def __init__(self, xsd: etree.XMLSchema) -> None:
        self._xsd = xsd
        self.steps = 0

    def __call__(self, root: etree._Element) -> list[Complaint]:
        if self._xsd.validate(root):
            return []
        log = self._xsd.error_log
        self.steps += elements_in(root) * len(log)
        return [Complaint(entry.type_name, entry.path or "", entry.message) for entry in log]


@pytest.mark.parametrize("part", HOSTILE.values(), ids=HOSTILE)
def test_the_work_of_an_explanation_does_not_grow_with_the_document(part: str, xsd: etree.XMLSchema) -> None:
    found = []
    for size in (400_000, 800_000):
        judge = Counted(xsd)
        violations = explain(etree.fromstring(filled(part, size)), judge)
        found.append((judge.steps, violations[:-1]))
        assert violations[-1].rule == "too-large"
    assert found[0] == found[1]
    assert 0 < found[0][0] <= 3 * MOST_ELEMENTS**2


@pytest.mark.timeout(120)
@pytest.mark.parametrize("part", ["<disk/>", DISK], ids=["faulty siblings", "one name for all"])
def test_ten_megabytes_of_faults_are_judged_and_explained(part: str) -> None:
    root = etree.fromstring(filled(part))
    assert not schema.is_valid(root)
    *told, last = schema.validate(root)
    assert MOST_ELEMENTS / 3 < len(told) < MOST_ELEMENTS
    left_out = elements_in(root) - MOST_ELEMENTS
    assert last.message == f"only the first 5000 elements are explained, and {left_out} more are not"


@pytest.mark.timeout(120)
def test_ten_megabytes_without_a_fault_are_valid() -> None:
    disks = "".join(f"<disk><target dev='vd{number}'/></disk>" for number in range(250_000))
    assert schema.validate(in_domain(disks)) == ()
    long = in_domain("").replace("<name>a<", f"<name>{'b' * 9_000_000}<")
    assert schema.validate(long) == ()


def with_fault(at: int, count: int = MOST_ELEMENTS) -> etree._Element:
    disks = [f"<disk><target dev='vd{number}'/></disk>" for number in range(count)]
    disks[at] = "<disk/>"
    return etree.fromstring(in_domain("".join(disks)))


def test_a_fault_in_the_first_part_is_told_and_what_was_cut_is_not_missed() -> None:
    told = schema.validate(with_fault(7))
    assert [(v.path, v.rule) for v in told] == [
        ("/domain/devices/disk[8]/target", "missing-element"),
        ("/", "too-large"),
    ]


def test_a_fault_behind_the_first_part_is_a_refusal_all_the_same() -> None:
    assert [v.rule for v in schema.validate(with_fault(-1))] == ["too-large"]


@pytest.mark.parametrize("last", ["", "<x/>", "<input/>"], ids=["valid", "unknown", "incomplete"])
def test_a_large_document_is_judged_as_its_tree_would_be(last: str, xsd: etree.XMLSchema) -> None:
    text = in_domain("<input type='mouse'/>" * MOST_ELEMENTS + last)
    root = etree.fromstring(f"<save>{text}behind</save>")[0]
    assert accepts(xsd, root) is xsd.validate(root) is (last == "")


def test_what_libxml2_only_warns_of_is_no_fault() -> None:
    text = in_domain("<input type='mouse'/>" * MOST_ELEMENTS)
    assert schema.validate(text.replace("<os>", "<metadata><x xmlns='relative'/></metadata><os>")) == ()


def test_a_small_document_is_copied_whole() -> None:
    root = etree.fromstring(f"<save>\n{in_domain(DISK)}behind</save>")[0]
    part = first_part(root)
    assert (part.left_out, part.open) == (0, frozenset())
    assert etree.tostring(part.root) == etree.tostring(etree.fromstring(in_domain(DISK)))
    assert part.root.sourceline == 2
