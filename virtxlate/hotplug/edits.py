"""A device's own XML with one thing changed: what libvirt said of it stays as it stood."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from copy import deepcopy
from typing import Any

from lxml import etree

from virtxlate.domain.elements import DISK, HOSTDEV, INTERFACE
from virtxlate.domain.model import Disk, Hostdev, Interface
from virtxlate.errors import UnsupportedError
from virtxlate.hotplug.snapshot import Entry as DeviceEntry
from virtxlate.hotplug.steps import Device
from virtxlate.tables.hotplug import MEDIA_DEVICES
from virtxlate.xmlmap import Element
from virtxlate.xmlmap.element import place_of
from virtxlate.xmlmap.entries import Entry

ELEMENTS: dict[type, Element[Any]] = {Disk: DISK, Interface: INTERFACE, Hostdev: HOSTDEV}
"""How each kind of device stands in XML."""
Edit = Callable[[etree._Element], None]


def text_of(element: etree._Element) -> str:
    """Give an element as text, alone."""
    return etree.tostring(element, encoding="unicode", with_tail=False) + "\n"


def edited(element: etree._Element, edit: Edit) -> str:
    """Give the text of a changed copy."""
    copy = deepcopy(element)
    edit(copy)
    return text_of(copy)


def set_nothing(_element: etree._Element) -> None:
    """Leave a device as it is."""


def both(first: Edit, second: Edit) -> Edit:
    """Give the edit that does one after the other."""

    def edit(element: etree._Element) -> None:
        first(element)
        second(element)

    return edit


def set_link_state(state: str) -> Edit:
    """Give the edit that plugs the cable in (``up``) or out (``down``)."""

    def edit(element: etree._Element) -> None:
        found = element.find("link")
        if found is None:
            etree.SubElement(element, "link", state=state)
        else:
            found.set("state", state)

    return edit


def set_fields(wanted: Device, fields: Iterable[str]) -> Edit:
    """Give the edit that makes ``fields`` those of ``wanted``, and leaves all else as libvirt has it."""
    declared = ELEMENTS[type(wanted)]
    new = declared.format(wanted)
    entries: dict[str, Entry] = {each.name: each for each in declared.entries}
    paths = [place_of(entries[name]) for name in fields]

    def edit(element: etree._Element) -> None:
        for path in paths:
            parent, at, name = path.partition("@")
            tag = parent.rstrip("/")
            if at and tag in _ATTRIBUTES_APART:
                _set(element, new, tag, name)
            else:
                _replace(*_parents(element, new, tag.rpartition("/")[0]), tag.rpartition("/")[2])

    return edit


_ATTRIBUTES_APART = frozenset({"", "driver"})
"""Elements, the device's own among them, whose attributes do not belong together: one alone is changed."""


def _set(element: etree._Element, new: etree._Element, tag: str, name: str) -> None:
    """Give an attribute the value that it has in ``new``, or take it away."""
    source = new if not tag else new.find(tag)
    value = None if source is None else source.get(name)
    target = element if not tag else element.find(tag)
    if target is None and value is not None:
        target = etree.SubElement(element, tag)
    if target is not None and value is not None:
        target.set(name, value)
    elif target is not None:
        target.attrib.pop(name, None)


def _parents(
    element: etree._Element, new: etree._Element, path: str
) -> tuple[etree._Element, etree._Element]:
    """Give the elements at a path, in both; one that is not there is made."""
    if not path:
        return element, new
    found = [each.find(path) for each in (element, new)]
    made = [
        etree.SubElement(each, path) if there is None else there
        for each, there in zip((element, new), found, strict=True)
    ]
    return made[0], made[1]


def _replace(element: etree._Element, new: etree._Element, tag: str) -> None:
    """Put the child of ``new`` where ``element`` has one of that tag, or take that away."""
    old, found = element.find(tag), new.find(tag)
    other = None if found is None else deepcopy(found)
    if old is None and other is not None:
        element.append(other)
    elif old is not None and other is None:
        element.remove(old)
    elif old is not None and other is not None:
        element.replace(old, other)


def as_asked(element: etree._Element) -> None:
    """Take away what libvirt only tells of a running device, so that it can be attached again."""
    for child in element.findall("backingStore"):
        element.remove(child)
    for source in element.findall("source"):
        for name in ("index", "portid"):
            source.attrib.pop(name, None)


_OF_MEDIUM = ("backingStore", "driver", "source")


def set_medium(wanted: Disk | None) -> Edit:
    """Give the edit that puts the medium of ``wanted`` into a drive; None ejects."""
    new = None if wanted is None else DISK.format(wanted)

    def edit(element: etree._Element) -> None:
        for tag in _OF_MEDIUM:
            for child in element.findall(tag):
                element.remove(child)
        if new is None:
            return
        element.set("type", new.get("type", "file"))
        for position, tag in enumerate(("driver", "source")):
            if (part := new.find(tag)) is not None:
                element.insert(position, deepcopy(part))

    return edit


def check_drive(entry: DeviceEntry) -> None:
    """Raise UnsupportedError unless the device is one whose medium can change."""
    if entry.info.kind not in MEDIA_DEVICES:
        raise UnsupportedError(
            f"expected a CD-ROM or floppy drive, found a {entry.info.kind}; that is removed and added",
            at=entry.at,
        )
