"""What the shipped XSD leaves open is listed, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
from lxml import etree

from virtxlate.domain import schema
from virtxlate.domain.grammar import grammar, schema_path
from virtxlate.domain.unchecked import Unchecked, unchecked

ROOT = Path(__file__).parents[2]
XS = "{http://www.w3.org/2001/XMLSchema}"
DOCUMENT = b"""<domain type='kvm' xmlns:lxc='http://libvirt.org/schemas/domain/lxc/1.0'>
  <name>a</name>
  <metadata><x xmlns='urn:example:x'><vcpus/></x></metadata>
  <os><type>hvm</type></os>
  <vcpus><vcpu id='0' bogus='1'/></vcpus>
  <!-- in between -->
  <devices>
    <disk><driver><iothreads/></driver><target dev='vda'/></disk>
    <disk><target dev='vdb'/></disk>
    <shmem name='a'/>
    <shmem name='b'><unknown><deep/></unknown></shmem>
    <unknown/>
  </devices>
  <lxc:namespace><lxc:sharenet/></lxc:namespace>
</domain>
"""
EXPECTED = (
    Unchecked("/domain/vcpus", 5),
    Unchecked("/domain/devices/disk[1]/driver/iothreads", 8),
    Unchecked("/domain/devices/shmem[1]", 10),
    Unchecked("/domain/devices/shmem[2]", 11),
    Unchecked("/domain/lxc:namespace", 14),
)


def test_open_elements_are_listed_in_document_order() -> None:
    assert unchecked(etree.fromstring(DOCUMENT)) == EXPECTED


def test_what_is_listed_may_hold_anything() -> None:
    root = etree.fromstring(DOCUMENT)
    assert [v.path for v in schema.validate(root)] == ["/domain/devices/unknown"]
    for each in EXPECTED:
        (element,) = root.xpath(each.path, namespaces={"lxc": "http://libvirt.org/schemas/domain/lxc/1.0"})
        element.set("any", "thing")
        etree.SubElement(element, "any").text = "thing"
    assert [v.path for v in schema.validate(root)] == ["/domain/devices/unknown"]


def test_other_documents_have_their_own_open_elements() -> None:
    pool = (
        "<pool type='dir'><name>a</name><features><cow/></features><source><dir path='/a'/></source></pool>"
    )
    assert [each.path for each in unchecked(etree.fromstring(pool))] == ["/pool/features", "/pool/source/dir"]


def test_a_document_of_another_root_has_nothing_open() -> None:
    assert unchecked(etree.fromstring("<nothing><vcpus/></nothing>")) == ()


@pytest.mark.parametrize("path", sorted(ROOT.glob("fixtures/domain/*.xml")), ids=lambda path: path.stem)
def test_virtxlate_writes_nothing_that_is_not_checked(path: Path) -> None:
    assert unchecked(etree.parse(str(path)).getroot()) == ()


def test_every_open_declaration_is_known_as_open() -> None:
    """Only the type Open skips: a wildcard elsewhere would hide from the list."""
    places = {
        part.get("name") or part.get("ref")
        for path in schema_path().parent.glob("*.xsd")
        for each in etree.parse(str(path)).getroot().iter(f"{XS}any")
        for part in each.iterancestors(f"{XS}complexType", f"{XS}group")
    }
    assert places == {"Open", "blank", "Metadata", "domain-child", "Pool"}
    declaration = grammar().declaration(etree.fromstring("<domain/>"))
    assert declaration is not None
    assert not grammar().is_open(declaration)
