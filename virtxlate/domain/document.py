"""Text to domain record and back, with a parser that no document can turn against its reader."""

from __future__ import annotations

from lxml import etree

from virtxlate.domain import words
from virtxlate.domain.elements import DOMAIN
from virtxlate.domain.model import Domain
from virtxlate.errors import DomainXmlError
from virtxlate.xmlmap import Leftover

etree.register_namespace(words.METADATA_PREFIX, words.METADATA_NAMESPACE)
etree.register_namespace(words.QEMU_PREFIX, words.QEMU_NAMESPACE)

MAX_BYTES = 64 * 1024 * 1024
"""A domain document is some kilobytes; what is larger than this is not one."""


def xml_parser() -> etree.XMLParser:
    """Give a parser without entities, DTDs, network and unbounded depth."""
    return etree.XMLParser(
        resolve_entities=False, no_network=True, huge_tree=False, load_dtd=False, remove_blank_text=False
    )


def parse_document(text: bytes | str) -> etree._Element:
    """Give the root element of an XML document.

    Raises DomainXmlError for text that is not XML, has a document type, or is larger than MAX_BYTES.
    """
    data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    if len(data) > MAX_BYTES:
        raise DomainXmlError(f"expected at most {MAX_BYTES} bytes of XML, found {len(data)}")
    try:
        root = etree.fromstring(data, xml_parser())
    except (etree.XMLSyntaxError, ValueError) as exc:
        line = getattr(exc, "lineno", 0) or 0
        reason = " ".join(str(getattr(exc, "msg", None) or exc).split())
        raise DomainXmlError(f"not well-formed XML: {reason}", line=line) from None
    if root.getroottree().docinfo.doctype:
        raise DomainXmlError("expected no document type declaration, found one", at="/")
    return root


def parse_domain(text: bytes | str, leftovers: list[Leftover] | None = None) -> Domain:
    """Give the domain that stands in ``text``; elements and attributes that no record has are passed over.

    With ``leftovers`` they are noted there, and so are optional values that are not understood, which are
    refused otherwise.

    Raises DomainXmlError.
    """
    root = parse_document(text)
    if root.tag != DOMAIN.tag:
        raise DomainXmlError(f"expected <domain>, found <{root.tag!s}>", at=f"/{root.tag!s}")
    return DOMAIN.parse(root, leftovers)


def domain_element(domain: Domain) -> etree._Element:
    """Give a new ``<domain>`` element. Raises DomainXmlError for text that XML cannot hold."""
    return DOMAIN.format(domain)


def to_text(element: etree._Element) -> str:
    """Give XML as libvirt prints it: two blanks a level, without declaration, a line break at the end."""
    etree.indent(element, "  ")
    return etree.tostring(element, encoding="unicode") + "\n"


def format_domain(domain: Domain) -> str:
    """Give the text of a domain. Raises DomainXmlError for text that XML cannot hold."""
    return DOMAIN.format_text(domain)
