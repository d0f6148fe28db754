"""Each rule: what breaks it is found, what does not break it is left alone, and the table is whole."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from lxml import etree
from msgspec import structs

from tests.rules.cases import Case, at, disk, document, lun
from tests.rules.table import CASES
from virtxlate.domain.document import parse_document
from virtxlate.errors import DomainXmlError, TableError, UnknownTermError
from virtxlate.rules import RULES, broken, by_id, validate
from virtxlate.rules.rule import Document, bus_of

IDS = [f"{case.rule}-{number}" for number, case in enumerate(CASES)]


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_what_breaks_a_rule_is_found_with_its_fix(case: Case) -> None:
    found = validate(case.broken_document())
    rule = by_id(case.rule)
    assert [(each.rule, each.hint, each.severity) for each in found if each.rule == case.rule] == [
        (rule.id, rule.hint, rule.severity)
    ]
    assert {each.rule for each in found} - {case.rule} <= BESIDE.get(case.rule, set()) | {*case.beside}


BESIDE = {
    "lun-encryption": {"unknown-element"},
    "sgio-unfiltered": {"enumeration"},
    "scsi-controller-index": {"duplicate"},
    "iscsi-secret": {"missing-element", "missing-attribute"},
    "lun-reservations": {"missing-attribute"},
    "scsi-host-source": {"type"},
}
"""What the schema says of the same fault."""


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_the_same_done_right_is_left_alone(case: Case) -> None:
    assert validate(case.right_document()) == ()


def test_the_line_is_that_of_what_is_wrong() -> None:
    lines = (
        "<devices>",
        "<disk type='file'><target dev='sda' bus='scsi'/>",
        "<address type='drive' controller='3'/>",
    )
    (found,) = broken(parse_document("\n".join((*lines, "</disk></devices>"))))
    assert (found.rule, found.path, found.line) == (
        "scsi-controller-declared",
        "/devices/disk/address/@controller",
        3,
    )


MISTAKES = sorted((Path(__file__).parents[1] / "mistakes").glob("*.xml"))
TEXTS = [*(case.broken_document() for case in CASES), *(each.read_text() for each in MISTAKES)]


def test_a_rule_is_about_whatever_can_break_it() -> None:
    for text in TEXTS:
        try:
            document = Document(parse_document(text))
        except DomainXmlError:
            continue  # the mistake is that it is no XML
        passed_over = [rule for rule in RULES if rule.about and document.names.isdisjoint(rule.about)]
        assert [rule.id for rule in passed_over if list(rule.check(document))] == []


def test_every_rule_has_a_case() -> None:
    assert {case.rule for case in CASES} == {rule.id for rule in RULES}


@pytest.mark.parametrize("source", ["", " ", "libvirt", "domain_validate.c", "QEMU 7.2", "QEMU 7.2, "])
def test_a_rule_without_a_source_does_not_import(source: str) -> None:
    with pytest.raises(TableError, match="rule lun-format: expected a source"):
        structs.replace(by_id("lun-format"), source=source)


@pytest.mark.oracle
def test_the_defines_that_are_named_as_sources_are_in_the_grammar() -> None:
    grammar = etree.parse("/usr/share/libvirt/schemas/domaincommon.rng")
    named = {name for rule in RULES for name in re.findall(r"\.rng, define (\w+)", rule.source)}
    assert {"diskSource", "hostdev"} <= named
    assert named <= {each.get("name") for each in grammar.getroot().iterfind("{*}define")}


def test_an_unknown_id_names_those_that_there_are() -> None:
    with pytest.raises(UnknownTermError, match="rules: no rule term 'lun-colour'"):
        by_id("lun-colour")


@pytest.mark.parametrize(("name", "bus"), [("sdb", "scsi"), ("vda", "virtio"), ("hda", "ide"), ("x", "ide")])
def test_the_bus_that_is_not_named_is_the_one_that_libvirt_takes(name: str, bus: str) -> None:
    assert bus_of(etree.fromstring(f"<disk><target dev='{name}'/></disk>")) == bus


@pytest.mark.parametrize("word", ["", "model='auto'", "model='lsilogic'"])
def test_a_controller_without_a_model_is_the_default_one(word: str) -> None:
    found = validate(document(f"<controller type='scsi' index='0' {word}/>{disk(at(unit=8))}"))
    assert [each.rule for each in found] == ["scsi-id-limit"]


def test_a_lun_on_virtio_has_the_properties_of_virtio() -> None:
    rich = lun(
        "<serial>A1</serial><blockio logical_block_size='4096'/>",
        driver="type='raw' queues='2'",
        target="dev='vda' bus='virtio'",
        address="",
    )
    found = validate(document(rich, machine="pc-i440fx-2.6"))
    assert [each.rule for each in found] == ["lun-virtio-old-machine"]


@pytest.mark.parametrize("unit", ["MiB", "mib", "m"])
def test_a_size_is_read_in_capitals_or_not(unit: str) -> None:
    sizes = f"<memory unit='{unit}'>64</memory><currentMemory unit='{unit}'>65</currentMemory>"
    root = etree.fromstring(f"<domain type='qemu'>{sizes}</domain>")
    assert [(each.path, each.rule) for each in broken(root)] == [("/domain/currentMemory", "memory-current")]


def test_devices_alone_are_judged_too() -> None:
    root = etree.fromstring(f"<devices>{CASES[0].broken}</devices>")
    assert [(each.path, each.rule) for each in broken(root)] == [("/devices/disk/@type", "lun-source")]


@pytest.mark.parametrize("text", ["", "<domain", "<!DOCTYPE domain []><domain/>"])
def test_what_is_no_document_is_one_violation_of_the_schema(text: str) -> None:
    assert [each.rule for each in validate(text)] == ["malformed"]
