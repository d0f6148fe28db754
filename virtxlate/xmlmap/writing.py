"""From entries to closures that write: compiled once, at import."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from lxml import etree

from virtxlate.xmlmap.entries import Child, Children, Field, Flag

Emit = Callable[[Any, etree._Element], None]
STEP = re.compile(r"(?:\{[^}]*\})?[^/{}]+")


class Node:
    """One element of the output: attributes, text and children in the order of first mention."""

    __slots__ = ("attributes", "flag", "parts", "tag", "text")

    def __init__(self, tag: str) -> None:
        self.tag = tag
        self.attributes: list[tuple[str, str, Callable[[Any], str] | None]] = []
        self.text: tuple[str, Callable[[Any], str] | None] | None = None
        self.flag: str | None = None
        self.parts: list[Node | Child | Children] = []

    def child(self, tag: str) -> Node:
        """Give the nested element ``tag``, made at its first mention."""
        for part in self.parts:
            if isinstance(part, Node) and part.tag == tag:
                return part
        node = Node(tag)
        self.parts.append(node)
        return node


def place(root: Node, entry: Field | Flag) -> None:
    """Put an entry into the output tree."""
    steps = [] if entry.path == "." else STEP.findall(entry.path)
    node = root
    for step in steps:
        if not step.startswith("@"):
            node = node.child(step)
    if isinstance(entry, Flag):
        node.flag = entry.name
    elif steps and steps[-1].startswith("@"):
        node.attributes.append((entry.name, steps[-1][1:], entry.kind.to_xml))
    else:
        node.text = (entry.name, entry.kind.to_xml)


def emit_attributes(node: Node) -> Callable[[Any], dict[str, str]]:
    """Give the function that collects an element's own attributes from a record."""
    attributes = tuple(node.attributes)

    def collect(record: Any) -> dict[str, str]:
        found = {}
        for name, key, to_xml in attributes:
            value = getattr(record, name)
            if value is not None:
                found[key] = value if to_xml is None else to_xml(value)
        return found

    return collect


def emit_parts(node: Node) -> tuple[Emit, ...]:
    """Writers of a node's children, in order."""
    emits: list[Emit] = []
    for part in node.parts:
        match part:
            case Node():
                emits.append(_emit_node(part))
            case Child(name=name, element=element):
                emits.append(_emit_child(name, element.append))
            case Children(name=name, element=element):
                emits.append(_emit_children(name, element.append))
    return tuple(emits)


def _emit_child(name: str, append: Emit) -> Emit:
    def emit(record: Any, parent: etree._Element) -> None:
        value = getattr(record, name)
        if value is not None:
            append(value, parent)

    return emit


def _emit_children(name: str, append: Emit) -> Emit:
    def emit(record: Any, parent: etree._Element) -> None:
        for value in getattr(record, name):
            append(value, parent)

    return emit


def _emit_node(node: Node) -> Emit:
    """Writer of a nested element: it appears only when something in it does."""
    if node.flag is not None:
        return _emit_flag(node.tag, node.flag)
    if node.text is None and not node.parts:
        return _emit_leaf(node)
    tag, text = node.tag, node.text
    collect, parts = emit_attributes(node), emit_parts(node)

    def emit(record: Any, parent: etree._Element) -> None:
        element = etree.SubElement(parent, tag, collect(record))
        if text is not None:
            set_text(element, getattr(record, text[0]), text[1])
        for part in parts:
            part(record, element)
        if not len(element) and element.text is None and not element.attrib:
            parent.remove(element)

    return emit


def _emit_flag(tag: str, flag: str) -> Emit:
    def emit(record: Any, parent: etree._Element) -> None:
        if getattr(record, flag):
            etree.SubElement(parent, tag)

    return emit


def _emit_leaf(node: Node) -> Emit:
    tag, collect, make = node.tag, emit_attributes(node), etree.SubElement

    def emit(record: Any, parent: etree._Element) -> None:
        attributes = collect(record)
        if attributes:
            make(parent, tag, attributes)

    return emit


def set_text(element: etree._Element, value: Any, to_xml: Callable[[Any], str] | None) -> None:
    """Give ``element`` its text, unless there is none."""
    if value is not None:
        element.text = value if to_xml is None else to_xml(value)


_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def culprit(record: Any, path: str = "") -> str:
    """Find the first text in a record that XML cannot hold, such as a control character."""
    if isinstance(record, str):
        return path if _NOT_XML.search(record) else ""
    if isinstance(record, msgspec.Struct):
        pairs = [
            (f"{path}.{name}" if path else name, getattr(record, name)) for name in record.__struct_fields__
        ]
    elif isinstance(record, Sequence):
        pairs = [(f"{path}[{index}]", item) for index, item in enumerate(record)]
    else:
        return ""
    return next((found for step, value in pairs if (found := culprit(value, step))), "")
