"""The devices of a live domain as their XML tells them: placement, names and backends only, read fast.

Whatever else the XML holds, words of a newer libvirt too, is passed over. This module knows libvirt's words
only; what QEMU makes of them is another's business.
Source: libvirt 9.0.0, docs/formatdomain.rst.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

import msgspec
from lxml import etree

from virtxlate.domain import words
from virtxlate.domain.document import parse_document
from virtxlate.errors import DomainXmlError

MAX_BYTES = 4 * 1024 * 1024
"""What libvirt's own protocol carries. Source: libvirt 9.0.0, remote_protocol.x, REMOTE_STRING_MAX."""

_TAGS = ("disk", "interface", "hostdev", "controller")
_METADATA = f"{{{words.METADATA_NAMESPACE}}}{words.METADATA_TAG}"
_NUMBER = re.compile(r"0[xX][0-9a-fA-F]{1,8}|0?[0-7]|[1-9][0-9]{0,9}", re.ASCII)
_MAX_NUMBER = 0xFFFF_FFFF

_QUICK_PARSER = etree.XMLParser(
    resolve_entities=False,
    no_network=True,
    huge_tree=False,
    load_dtd=False,
    remove_blank_text=True,
    collect_ids=False,
)
"""As guarded as document.xml_parser(), but blanks between elements cost as much time as the elements."""

Parts = dict[str, etree._Element]
"""The children of an element by name; of several the last."""

ABSENT = etree.Element("absent")
"""Stands for a child that is not there: it has no attributes."""


class LiveDevice(msgspec.Struct, frozen=True, gc=False, eq=False):
    """One ``<disk>``, ``<interface>``, ``<hostdev>`` or ``<controller>``, over its element.

    Reading is lazy: most controllers of a domain are never asked for anything.
    """

    element: etree._Element
    tag: str
    number: int
    """Position among its kind in the document, from 1, as XPath counts."""

    def get(self, name: str, default: str | None = None) -> str | None:
        """Give an attribute of its own."""
        return self.element.get(name, default)

    def parts(self) -> Parts:
        """Give the children by name."""
        # A slice is lxml's fastest way: to look for one child by name costs as much as all of them.
        return {child.tag: child for child in self.element[:]}  # type: ignore[misc]

    def part(self, name: str) -> etree._Element:
        """Give a child; one that is absent has no attributes."""
        return self.parts().get(name, ABSENT)

    @property
    def path(self) -> str:
        """Where it stands in the document."""
        return f"/domain/devices/{self.tag}[{self.number}]"


class LiveDomain(msgspec.Struct, frozen=True, kw_only=True):
    """What the placement of devices needs of a whole document."""

    root: etree._Element
    machine: str
    """The machine type, such as pc-i440fx-7.2; empty where there is none."""
    controllers: tuple[LiveDevice, ...]
    devices: tuple[LiveDevice, ...]
    """Disks, interfaces and host devices, in the order of the document."""
    metadata: str | None = None
    """Text of virtxlate's own metadata element."""

    def controllers_by_index(self) -> dict[tuple[str | None, int], LiveDevice]:
        """Give the controllers by type and index; the first of a USB controller and its companions."""
        found: dict[tuple[str | None, int], LiveDevice] = {}
        for each in self.controllers:
            get = each.element.get
            try:
                found.setdefault((get("type"), read_number(get("index"))), each)
            except ValueError:
                continue  # nothing can be on it: no device finds it
        return found

    def addresses(self) -> Iterator[tuple[str, etree._Element]]:
        """Give path and address of every device of any kind that has one."""
        counts: dict[str, int] = {}
        for element in self.root.iterfind("devices/*"):
            tag = str(element.tag)
            counts[tag] = counts.get(tag, 0) + 1
            address = element.find("address")
            if address is not None:
                yield f"/domain/devices/{tag}[{counts[tag]}]", address


def parse_live(text: bytes | str) -> LiveDomain:
    """Give the devices of a domain. Raises DomainXmlError for what is no domain document."""
    if len(text) > MAX_BYTES:
        raise DomainXmlError(f"expected at most {MAX_BYTES} bytes of live XML, found {len(text)}")
    root = _quickly_parsed(text)
    if root is None:
        root = parse_document(text)
    if root.tag != "domain":
        raise DomainXmlError(f"expected <domain>, found <{root.tag!s}>", at=f"/{root.tag!s}")
    return read_live(root)


def _quickly_parsed(text: bytes | str) -> etree._Element | None:
    """Give the root; None for everything that parse_document must look at, above all to say what is wrong."""
    try:
        data = text.encode() if isinstance(text, str) else text
        root = etree.fromstring(data, _QUICK_PARSER)
    except (etree.XMLSyntaxError, ValueError):
        return None
    # A document type stands before the root: a document that begins with its root has none.
    if data.startswith(b"<domain") or not root.getroottree().docinfo.doctype:
        return root
    return None


def read_live(root: etree._Element) -> LiveDomain:
    """Give the devices of a parsed ``<domain>``."""
    controllers: list[LiveDevice] = []
    devices: list[LiveDevice] = []
    counts = dict.fromkeys(_TAGS, 0)
    machine, metadata = "", None
    for parent in root.iterchildren("metadata", "os", "devices"):
        if parent.tag == "os":
            machine = machine or _child(parent, "type").get("machine", "")
        elif parent.tag == "metadata":
            metadata = _child(parent, _METADATA)
        else:
            for element in parent[:]:
                tag = element.tag
                if tag in counts:
                    counts[tag] = number = counts[tag] + 1
                    of_kind = controllers if tag == "controller" else devices
                    of_kind.append(LiveDevice(element, tag, number))
    return LiveDomain(
        root=root,
        machine=machine,
        controllers=tuple(controllers),
        devices=tuple(devices),
        metadata=None if metadata is None or metadata is ABSENT else metadata.text or "",
    )


def _child(parent: etree._Element, name: str) -> etree._Element:
    """Give the first child of that name."""
    for child in parent[:]:
        if child.tag == name:
            return child
    return ABSENT


@lru_cache(maxsize=1024)
def read_number(text: str | None) -> int:
    """Give the number of an address: decimal or 0x..., 32 bits; nothing stands for 0, as for libvirt.

    Raises ValueError, for a number of which libvirt's two ways of reading (base 10, base of C) differ, too.
    """
    if not text:
        return 0
    if _NUMBER.fullmatch(text):
        number = int(text, 16 if text[:2] in {"0x", "0X"} else 10)
        if number <= _MAX_NUMBER:
            return number
    raise ValueError(f"expected a number of 32 bits, found {text!r}")
