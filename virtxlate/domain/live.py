"""The devices of a live domain as their XML tells them: placement, names and backends only, read fast.

Whatever else the XML holds, words of a newer libvirt too, is passed over. This module knows libvirt's words
only; what QEMU makes of them is another's business.
Source: libvirt 9.0.0, docs/formatdomain.rst.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from lxml import etree

from virtxlate.domain import words
from virtxlate.domain.document import parse_document
from virtxlate.errors import DomainXmlError

_METADATA = f"metadata/{{{words.METADATA_NAMESPACE}}}instance"
_PLACED = frozenset({"disk", "interface", "hostdev"})


class LiveDevice(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One ``<disk>``, ``<interface>``, ``<hostdev>`` or ``<controller>``; None where the XML says nothing."""

    tag: str
    number: int
    """Position among its kind in the document, from 1, as XPath counts."""
    type: str | None = None
    device: str | None = None
    index: str | None = None
    model: str | None = None
    bus: str | None = None
    target: str | None = None
    mac: str | None = None
    alias: str | None = None
    address: Mapping[str, str] = {}
    format: str | None = None
    copy_on_read: str | None = None
    source: Mapping[str, str] | None = None
    source_index: str | None = None

    @property
    def path(self) -> str:
        """Where it stands in the document."""
        return f"/domain/devices/{self.tag}[{self.number}]"


class LiveDomain(msgspec.Struct, frozen=True, kw_only=True):
    """What the placement of devices needs of a whole document."""

    name: str
    uuid: str | None
    machine: str
    metadata: str | None
    controllers: tuple[LiveDevice, ...]
    devices: tuple[LiveDevice, ...]
    """Disks, interfaces and host devices, in the order of the document."""
    addresses: tuple[tuple[str, Mapping[str, str]], ...]
    """Path and address of every device that has one, whatever it is."""


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
    addresses: list[tuple[str, Mapping[str, str]]] = []
    counts: dict[str, int] = {}
    parent = root.find("devices")
    for element in parent if parent is not None else ():
        tag = element.tag
        if not isinstance(tag, str):
            continue
        counts[tag] = number = counts.get(tag, 0) + 1
        if tag in _PLACED or tag == "controller":
            device = _device(element, tag, number)
            (devices if tag in _PLACED else controllers).append(device)
            if device.address:
                addresses.append((device.path, device.address))
        else:
            address = element.find("address")
            if address is not None:
                addresses.append((f"/domain/devices/{tag}[{number}]", _attributes(address)))
    machine = root.find("os/type")
    return LiveDomain(
        name=root.findtext("name") or "",
        uuid=root.findtext("uuid"),
        machine=str(machine.get("machine") or "") if machine is not None else "",
        metadata=root.findtext(_METADATA),
        controllers=tuple(controllers),
        devices=tuple(devices),
        addresses=tuple(addresses),
    )


def _attributes(element: etree._Element) -> dict[str, str]:
    return dict(element.items())  # type: ignore[arg-type]


def _device(element: etree._Element, tag: str, number: int) -> LiveDevice:
    found: dict[str, Any] = {"tag": tag, "number": number}
    for key, value in element.items():
        if key in _OWN:
            found[str(key)] = value
    for child in element:
        name = child.tag
        if name == "address":
            found["address"] = _attributes(child)
        elif name == "alias":
            found["alias"] = child.get("name")
        elif name == "target":
            found["target"], found["bus"] = child.get("dev"), child.get("bus")
        elif name == "source":
            found["source"] = attributes = _attributes(child)
            found["source_index"] = attributes.get("index")
        elif name == "model":
            found["model"] = child.get("type")
        elif name == "mac":
            found["mac"] = child.get("address")
        elif name == "driver":
            found["format"], found["copy_on_read"] = child.get("type"), child.get("copy_on_read")
    return LiveDevice(**found)


_OWN = frozenset({"type", "device", "index", "model"})
