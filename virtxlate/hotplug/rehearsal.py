"""A domain on paper: what is asked of it changes a copy of its documents, and nothing else.

Hotplug works on it as on the real one; so what a dry run shows is what the same code would do, for many
changes in a row too. Guests on paper always let go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol, Self

from lxml import etree

from virtxlate.domain.document import parse_document, to_text
from virtxlate.domain.words import METADATA_NAMESPACE, METADATA_TAG
from virtxlate.errors import DeviceNotFoundError, OperationRefusedError
from virtxlate.live.port import DomainState, Outcome

_METADATA = f"{{{METADATA_NAMESPACE}}}{METADATA_TAG}"
_IDENTITIES: tuple[tuple[str, str], ...] = (("alias", "name"), ("mac", "address"), ("target", "dev"))
"""Child and attribute that tell a device from others of its kind."""


class _Released:
    """A removal that was over when it began; see port.RemovalWaiter."""

    def wait(self, timeout: float) -> Outcome | None:
        """Give that the device is gone."""
        del timeout
        return Outcome.REMOVED


class Told(Protocol):
    """What is asked about the real domain."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def uuid(self) -> str:
        """Its UUID, in lower case."""

    def state(self) -> DomainState:
        """Give what it is doing."""

    def is_persistent(self) -> bool:
        """Tell whether it has a definition."""

    def job(self) -> str | None:
        """Give what libvirt is doing with it."""

    def live_xml(self) -> str:
        """Give the XML of the running guest."""

    def inactive_xml(self) -> str:
        """Give the XML that the next start will use."""

    def libvirt_version(self) -> int:
        """Give the libvirt version as a number."""

    def disk_size(self, target: str) -> int:
        """Give the size of a disk in bytes."""


class _Document:
    """A domain of which nothing is known but one document."""

    def __init__(self, xml: str, libvirt_version: int) -> None:
        root = parse_document(xml)
        self._xml, self._version = xml, libvirt_version
        self._active = root.get("id") is not None
        self.name, self.uuid = root.findtext("name") or "", (root.findtext("uuid") or "").lower()

    def state(self) -> DomainState:
        return DomainState(active=self._active)

    def is_persistent(self) -> bool:
        return not self._active

    def job(self) -> str | None:
        return None

    def live_xml(self) -> str:
        return self._xml

    def inactive_xml(self) -> str:
        return self._xml

    def libvirt_version(self) -> int:
        return self._version

    def disk_size(self, target: str) -> int:
        del target
        return 0


class Rehearsal:
    """A domain on paper; see port.HotplugPort."""

    @classmethod
    def of(cls, xml: str, *, libvirt_version: int = 9_000_000) -> Self:
        """Give the domain that a document describes: a running one where it has an id, else a definition.

        Raises DomainXmlError.
        """
        return cls(_Document(xml, libvirt_version))

    def __init__(self, port: Told) -> None:
        self._port = port
        self.name, self.uuid = port.name, port.uuid
        self._state = port.state()
        self._live = parse_document(port.live_xml()) if self._state.active else None
        self._inactive = parse_document(port.inactive_xml()) if port.is_persistent() else None
        disks = () if self._live is None else self._live.iterfind("devices/disk")
        self._targets = {_attribute(disk, "target", "dev") for disk in disks}
        self._sizes: dict[str, int] = {}

    def is_active(self) -> bool:
        """Tell whether the real one runs."""
        return self._state.active

    def state(self) -> DomainState:
        """Give what the real one is doing."""
        return self._state

    def is_persistent(self) -> bool:
        """Tell whether the real one has a definition."""
        return self._inactive is not None

    def job(self) -> str | None:
        """Give what libvirt is doing with the real one."""
        return self._port.job()

    def libvirt_version(self) -> int:
        """Give that of the real one."""
        return self._port.libvirt_version()

    def live_xml(self) -> str:
        """Give the XML that the running guest would have by now; of one that does not run, the definition."""
        return _text(self._live if self._live is not None else self._document(config=True))

    def inactive_xml(self) -> str:
        """Give the XML that the next start would use by now."""
        return _text(self._document(config=self._inactive is not None))

    def start(self, *, paused: bool = False) -> None:
        """Raise OperationRefusedError: nothing runs on paper."""
        del paused
        raise OperationRefusedError("this is a rehearsal", call="start")

    def _document(self, *, config: bool) -> etree._Element:
        found = self._inactive if config else self._live
        if found is None:
            what = "is transient" if config else "does not run"
            raise OperationRefusedError(f"domain {self.name!r} {what}", call="rehearse")
        return found

    def _each(self, change: Callable[[etree._Element], None], *, live: bool, config: bool) -> None:
        for wanted, is_config in ((live, False), (config, True)):
            if wanted:
                change(self._document(config=is_config))

    def attach(self, xml: str, *, live: bool, config: bool) -> None:
        """Put a device behind those of its kind."""
        if live:
            device = _put(self._document(config=False), xml)
            target = _attribute(device, "target", "dev")
            if target is not None and target not in self._targets:
                self._sizes.setdefault(target, 0)
            if device.tag == "controller" and device.find("alias") is None:
                name = f"{device.get('type')}{device.get('index')}"
                etree.SubElement(device, "alias", name=name)  # as libvirt names it
        if config:
            _put(self._document(config=True), xml)

    def detach(self, xml: str, *, live: bool, config: bool) -> None:
        """Take a device out. Raises DeviceNotFoundError."""
        self._each(lambda root: _take_out(_found(root, parse_document(xml))), live=live, config=config)

    def detach_alias(self, alias: str) -> None:
        """Take a device out. Raises DeviceNotFoundError."""
        for device in self._document(config=False).iterfind("devices/*"):
            if _attribute(device, "alias", "name") == alias:
                _take_out(device)
                return
        raise DeviceNotFoundError(f"no device has the alias {alias!r}", call="detach")

    def update(self, xml: str, *, live: bool, config: bool) -> None:
        """Put a device in the place of the one that it is. Raises DeviceNotFoundError."""

        def change(root: etree._Element) -> None:
            new = parse_document(xml)
            old = _found(root, new)
            new.tail = old.tail
            _parent(old).replace(old, new)

        self._each(change, live=live, config=config)

    def resize(self, target: str, size: int) -> None:
        """Remember the size: no document holds it."""
        self._sizes[target] = size

    def disk_size(self, target: str) -> int:
        """Give the size that the disk would have by now; 0 where nobody knows it yet."""
        return self._sizes[target] if target in self._sizes else self._port.disk_size(target)

    def set_metadata(self, text: str | None, *, live: bool, config: bool) -> None:
        """Replace the text of virtxlate's own metadata element."""

        def change(root: etree._Element) -> None:
            parent = root.find("metadata")
            if parent is None:
                parent = etree.SubElement(root, "metadata")
            for old in parent.findall(_METADATA):
                parent.remove(old)
            if text is not None:
                etree.SubElement(parent, _METADATA).text = text

        self._each(change, live=live, config=config)

    @contextmanager
    def removal(self, alias: str) -> Iterator[_Released]:
        """Hear that the device is gone."""
        del alias
        yield _Released()

    def documents(self) -> dict[str, str]:
        """Give the devices of each document as text: ``{"live XML": "<devices>...", "definition": ...}``."""
        found = (("live XML", self._live), ("definition", self._inactive))
        return {name: _devices(root) for name, root in found if root is not None}


def _text(root: etree._Element) -> str:
    return etree.tostring(root, encoding="unicode")


def _devices(root: etree._Element) -> str:
    devices = root.find("devices")
    return "" if devices is None else _plain(devices)


def _put(root: etree._Element, xml: str) -> etree._Element:
    device = parse_document(xml)
    devices = root.find("devices")
    if devices is None:
        devices = etree.SubElement(root, "devices")
    alike = devices.findall(str(device.tag))
    devices.insert(devices.index(alike[-1]) + 1 if alike else len(devices), device)
    return device


def _found(root: etree._Element, wanted: etree._Element) -> etree._Element:
    """Give the device of a document that ``wanted`` is. Raises DeviceNotFoundError."""
    kind = root.findall(f"devices/{wanted.tag!s}")
    for child, name in _IDENTITIES:
        value = _attribute(wanted, child, name)
        found = [each for each in kind if value is not None and _attribute(each, child, name) == value]
        if len(found) == 1:
            return found[0]
    if wanted.tag == "controller":
        identity = wanted.get("type"), wanted.get("index")
        kind = [each for each in kind if (each.get("type"), each.get("index")) == identity]
    else:
        kind = [each for each in kind if _plain(each) == _plain(wanted)]
    if not kind:
        raise DeviceNotFoundError(f"the domain has no such {wanted.tag!s}", call="detach")
    return kind[0]


def _attribute(device: etree._Element, child: str, name: str) -> str | None:
    found = device.find(child)
    return None if found is None else found.get(name)


def _plain(element: etree._Element) -> str:
    """Give an element as text that does not depend on how it was laid out."""
    return to_text(parse_document(etree.tostring(element, with_tail=False)))


def _parent(element: etree._Element) -> etree._Element:
    parent = element.getparent()
    assert parent is not None
    return parent


def _take_out(element: etree._Element) -> None:
    _parent(element).remove(element)
