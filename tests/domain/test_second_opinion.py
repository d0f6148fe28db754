"""xmlschema on the same XSD: it agrees with lxml's verdict, and says why in its own words, when asked."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest
from lxml import etree

from tests.domain.test_schema import in_domain
from tests.schema.mutations import KINDS, mutants
from virtxlate.domain import schema
from virtxlate.domain.second_opinion import explain

ROOT = Path(__file__).parents[2]
SAMPLES = [*ROOT.glob("tests/domain/valid/*.xml"), *sorted(ROOT.glob("fixtures/domain/*.xml"))[::12]]


def is_read_alike(root: etree._Element) -> bool:
    """Leave out two faults of xmlschema: digits and blanks of other scripts are digits and blanks to it."""
    return etree.tostring(root, encoding="unicode").isascii()


def test_it_agrees_with_lxml_on_changed_documents() -> None:
    """The unchanged ones are in test_schema.py; a sample, for a document takes some milliseconds."""
    seed = random.randrange(1 << 30)
    documents = [etree.parse(path).getroot() for path in SAMPLES]
    found = [mutant.root for mutant in mutants(documents, 7 * len(KINDS), random.Random(seed))]
    fair = [root for root in found if is_read_alike(root)]
    differing = [etree.tostring(root) for root in fair if (explain(root) == ()) != schema.is_valid(root)]
    assert differing == [], f"seed {seed}"
    assert 20 < sum(map(schema.is_valid, fair)) < len(fair) - 20


def test_it_tells_place_and_line_of_every_fault_in_document_order() -> None:
    text = in_domain("<disk>\n<target dev='vda' bus='vitrio'/></disk>\n<x/>", "<vcpu>many</vcpu>")
    found = explain(text)
    assert [(each.path, each.line, each.rule) for each in found] == [
        ("/domain/vcpu", 1, "xmlschema"),
        ("/domain/devices", 1, "xmlschema"),
        ("/domain/devices/disk/target", 2, "xmlschema"),
    ]
    assert "'vitrio'" in found[2].message


@pytest.mark.parametrize(
    "text", ["<pool type='scsi'><name>a</name></pool>", "<volume><name>a</name></volume>"]
)
def test_other_documents_have_their_own_xsd(text: str) -> None:
    assert explain(text) == ()
    assert explain(text.replace("name>", "nmae>")) != ()


@pytest.mark.parametrize("text", ["<domain>", "<!DOCTYPE domain><domain/>"])
def test_what_is_no_xml_is_said_as_ever(text: str) -> None:
    assert explain(text) == schema.validate(text)


def test_a_huge_document_is_explained_in_part() -> None:
    *told, last = explain(in_domain("<input/>" * 6_000))
    assert len(told) < 5_000
    assert last.rule == "too-large"


def test_it_is_imported_when_it_is_asked_and_not_before() -> None:
    program = (
        "import sys; from virtxlate.domain import schema, second_opinion; schema.validate('<domain/>'); "
        "before = 'xmlschema' in sys.modules; second_opinion.explain('<domain/>'); "
        "print(before, 'xmlschema' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True"]


def test_without_xmlschema_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    from virtxlate.domain import second_opinion  # noqa: PLC0415
    from virtxlate.errors import UsageError  # noqa: PLC0415

    second_opinion._schema.cache_clear()
    monkeypatch.setitem(sys.modules, "xmlschema", None)
    with pytest.raises(UsageError, match=r"^xmlschema is not installed: pip install 'virtxlate\[explain\]'$"):
        explain("<domain/>")
