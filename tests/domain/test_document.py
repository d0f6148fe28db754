"""Text to domain and back, and documents that want to harm their reader."""

from __future__ import annotations

import pytest
from lxml import etree

from virtxlate.domain import document
from virtxlate.domain.document import domain_element, format_domain, parse_document, parse_domain, to_text
from virtxlate.domain.model import Domain, Memory, Os
from virtxlate.errors import DomainXmlError
from virtxlate.xmlmap import Leftover

DOMAIN = Domain(type="kvm", name="a", memory=Memory(value=1), os=Os(), metadata='"<&>"')
TEXT = """\
<domain type="kvm">
  <name>a</name>
  <metadata>
    <virtxlate:instance xmlns:virtxlate="urn:x-virtxlate:instance:1">"&lt;&amp;&gt;"</virtxlate:instance>
  </metadata>
  <memory>1</memory>
  <vcpu>1</vcpu>
  <os>
    <type>hvm</type>
  </os>
  <devices/>
</domain>
"""


def test_a_domain_is_written_as_libvirt_prints_it() -> None:
    assert format_domain(DOMAIN) == TEXT


def test_an_element_is_printed_in_the_same_way() -> None:
    assert to_text(domain_element(DOMAIN)) == TEXT


@pytest.mark.parametrize("text", [TEXT, TEXT.encode(), f"<?xml version='1.0'?>{TEXT}", f"<!-- x -->\n{TEXT}"])
def test_a_domain_is_read_from_text_or_bytes(text: str | bytes) -> None:
    assert parse_domain(text) == DOMAIN


def test_bytes_may_have_the_encoding_that_they_declare() -> None:
    text = f"<?xml version='1.0' encoding='iso-8859-1'?>{TEXT.replace('<name>a', '<name>ä')}"
    assert parse_domain(text.encode("iso-8859-1")).name == "ä"


def test_an_element_is_written_for_those_who_edit_it() -> None:
    assert domain_element(DOMAIN).findtext("name") == "a"


def test_unknown_parts_are_noted_on_request() -> None:
    leftovers: list[Leftover] = []
    text = TEXT.replace("<devices/>", "<devices><tpm model='tpm-tis'/></devices>")
    assert parse_domain(text, leftovers) == DOMAIN
    assert leftovers == [Leftover(path="/domain/devices/tpm", line=11, reason="unknown element")]


REFUSED = [
    ("", "line 1: not well-formed XML: Document is empty"),
    ("<domain>\n\n", "line 3: not well-formed XML: "),
    ("<domain/><domain/>", "not well-formed XML: Extra content at the end of the document"),
    ("<pool type='dir'/>", "/pool: expected <domain>, found <pool>"),
    ("<d:domain xmlns:d='urn:x'/>", "/{urn:x}domain: expected <domain>, found <{urn:x}domain>"),
    ("<!DOCTYPE domain><domain/>", "/: expected no document type declaration, found one"),
    (
        "<!DOCTYPE d [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><domain>&x;</domain>",
        "document type declaration",
    ),
    ("<domain>&x;</domain>", "not well-formed XML: Entity 'x' not defined"),
    ("<domain>\x00</domain>", "not well-formed XML"),
    ("<domain>\ud800</domain>", "not well-formed XML"),
    (b"<?xml version='1.0' encoding='x-none'?><domain/>", "not well-formed XML"),
    (b"\xff\xfe<\x00", "not well-formed XML"),
    (b"<domain>\xff</domain>", "not well-formed XML"),
    ("<a>" * 5000 + "</a>" * 5000, "not well-formed XML: Excessive depth in document"),
    (
        "<!DOCTYPE a [<!ENTITY a 'aaaaaaaaaa'>"
        + "".join(
            f"<!ENTITY {x} '&{y};&{y};&{y};&{y};&{y};&{y};&{y};&{y};'>"
            for x, y in zip("bcdefgh", "abcdefg", strict=True)
        )
        + "]><domain>&h;</domain>",
        "",
    ),
]


@pytest.mark.parametrize(("text", "message"), REFUSED)
def test_what_is_no_domain_is_refused_in_one_line(text: str | bytes, message: str) -> None:
    with pytest.raises(DomainXmlError) as caught:
        parse_domain(text)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_line_of_a_fault_is_told() -> None:
    with pytest.raises(DomainXmlError) as caught:
        parse_document("<domain>\n<name>\n</domain>")
    assert caught.value.line == 3


def test_a_document_far_too_large_is_not_even_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(document, "MAX_BYTES", 10)
    with pytest.raises(DomainXmlError) as caught:
        parse_document("<domain></domain>")
    assert str(caught.value) == "expected at most 10 bytes of XML, found 17"


def test_text_that_xml_cannot_hold_names_the_field() -> None:
    with pytest.raises(DomainXmlError) as caught:
        format_domain(Domain(type="kvm", name="a", memory=Memory(value=1), os=Os(cmdline="a\x00b")))
    assert caught.value.at == "os.cmdline"


def test_the_parser_opens_nothing(tmp_path: object) -> None:
    parser = document.xml_parser()
    root = etree.fromstring(f"<!DOCTYPE a [<!ENTITY x SYSTEM 'file://{tmp_path}/x'>]><a>&x;</a>", parser)
    assert root.text is None
