"""A device's own XML with one thing changed: what libvirt said of it stays as it stood."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from copy import deepcopy

from lxml import etree

from virtxlate.domain.elements import DISK, INTERFACE
from virtxlate.domain.model import Disk, Interface
from virtxlate.errors import UnsupportedError
from virtxlate.hotplug.snapshot import Entry

Edit = Callable[[etree._Element], None]


def text_of(element: etree._Element) -> str:
    """Give an element as text, alone."""
    return etree.tostring(element, encoding="unicode", with_tail=False) + "\n"


def edited(element: etree._Element, edit: Edit) -> str:
    """Give the text of a changed copy."""
    copy = deepcopy(element)
    edit(copy)
    return text_of(copy)


def set_link_state(state: str) -> Edit:
    """Give the edit that plugs the cable in (``up``) or out (``down``)."""

    def edit(element: etree._Element) -> None:
        found = element.find("link")
        if found is None:
            etree.SubElement(element, "link", state=state)
        else:
            found.set("state", state)

    return edit


def set_interface(wanted: Interface, fields: Iterable[str]) -> Edit:
    """Give the edit that makes ``fields`` those of ``wanted``: bridge, network, vlan."""
    new = INTERFACE.format(wanted)
    changed = frozenset(fields)

    def edit(element: etree._Element) -> None:
        if changed & {"bridge", "network"}:
            _replace(element, new, "source")
        if "vlan" in changed:
            _replace(element, new, "vlan")

    return edit


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


def check_drive(entry: Entry) -> None:
    """Raise UnsupportedError unless the device is one whose medium can change."""
    if entry.info.kind not in {"cdrom", "floppy"}:
        raise UnsupportedError(
            f"expected a CD-ROM or floppy drive, found a {entry.info.kind}; that is removed and added",
            at=entry.at,
        )
