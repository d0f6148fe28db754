"""The devices of a live domain as their XML tells them: placement, names and backends only, read fast.

Whatever else the XML holds, words of a newer libvirt too, is passed over. This module knows libvirt's words
only; what QEMU makes of them is another's business.
Source: libvirt 9.0.0, docs/formatdomain.rst.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec
from lxml import etree

from virtxlate.domain import words
from virtxlate.domain.document import parse_document
from virtxlate.errors import DomainXmlError

_METADATA = f"metadata/{{{words.METADATA_NAMESPACE}}}instance"
_NEEDED = ("address", "alias", "target", "source", "model", "mac", "driver")
PLACED = frozenset({"disk", "interface", "hostdev"})

Attributes = Callable[..., str | None]
"""``get`` of an element: attribute name, and optionally what to give where there is none."""


def _none(_name: str, default: str | None = None) -> str | None:
    return default


class LiveDevice:
    """One ``<disk>``, ``<interface>``, ``<hostdev>`` or ``<controller>``, over its element.

    Reading is lazy: a device has a dozen children, and placing it asks for a few.
    """

    __slots__ = ("_parts", "element", "get", "number", "tag")

    def __init__(self, element: etree._Element, tag: str, number: int) -> None:
        self.element = element
        self.tag = tag
        self.number = number
        """Position among its kind in the document, from 1, as XPath counts."""
        self.get: Attributes = element.get
        self._parts = {child.tag: child.get for child in element.iterchildren(_NEEDED)}

    def part(self, name: str) -> Attributes:
        """Give the attributes of a child; one that is absent has none."""
        return self._parts.get(name, _none)

    def has(self, name: str) -> bool:
        """Tell whether there is such a child."""
        return name in self._parts

    @property
    def path(self) -> str:
        """Where it stands in the document."""
        return f"/domain/devices/{self.tag}[{self.number}]"


class LiveDomain(msgspec.Struct, frozen=True, kw_only=True):
    """What the placement of devices needs of a whole document."""

    root: etree._Element
    controllers: tuple[LiveDevice, ...]
    devices: tuple[LiveDevice, ...]
    """Disks, interfaces and host devices, in the order of the document."""

    @property
    def machine(self) -> str:
        """The machine type, such as pc-i440fx-7.2."""
        element = self.root.find("os/type")
        return "" if element is None else str(element.get("machine") or "")

    @property
    def metadata(self) -> str | None:
        """Text of virtxlate's own metadata element."""
        return self.root.findtext(_METADATA)

    def addresses(self) -> Iterator[tuple[str, Attributes]]:
        """Give path and address of every device of any kind that has one."""
        counts: dict[str, int] = {}
        for element in self.root.iterfind("devices/*"):
            tag = str(element.tag)
            counts[tag] = counts.get(tag, 0) + 1
            address = element.find("address")
            if address is not None:
                yield f"/domain/devices/{tag}[{counts[tag]}]", address.get


def parse_live(text: bytes | str) -> LiveDomain:
    """Give the devices of a domain. Raises DomainXmlError for what is no domain document."""
    root = parse_document(text)
    if root.tag != "domain":
        raise DomainXmlError(f"expected <domain>, found <{root.tag!s}>", at=f"/{root.tag!s}")
    return read_live(root)


def read_live(root: etree._Element) -> LiveDomain:
    """Give the devices of a parsed ``<domain>``."""
    controllers: list[LiveDevice] = []
    devices: list[LiveDevice] = []
    counts = {"disk": 0, "interface": 0, "hostdev": 0, "controller": 0}
    for parent in root.iterchildren("devices"):
        for element in parent.iterchildren(tuple(counts)):
            tag = str(element.tag)
            counts[tag] = number = counts[tag] + 1
            kind = controllers if tag == "controller" else devices
            kind.append(LiveDevice(element, tag, number))
    return LiveDomain(root=root, controllers=tuple(controllers), devices=tuple(devices))
