"""From entries to a function that writes: one straight-line function an element, compiled once, at import.

The function is made as dataclasses make theirs: as source text, from the declaration alone. Closures that
walked the entries at each call made a domain a fifth slower.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
from lxml import etree

from virtxlate.xmlmap.entries import Child, Children, Entry, Field, Flag

Write = Callable[[Any, etree._Element | None], etree._Element]
STEP = re.compile(r"(?:\{[^}]*\})?[^/{}]+")


class _Node:
    """One element of the output: its entries and children, in the order of first mention."""

    def __init__(self, tag: str) -> None:
        self.tag = tag
        self.attributes: list[tuple[str, Field]] = []
        self.text: Field | None = None
        self.flag: Flag | None = None
        self.parts: list[_Node | Child | Children] = []

    def child(self, tag: str) -> _Node:
        for part in self.parts:
            if isinstance(part, _Node) and part.tag == tag:
                return part
        node = _Node(tag)
        self.parts.append(node)
        return node

    def place(self, entry: Field | Flag) -> None:
        steps = [] if entry.path == "." else STEP.findall(entry.path)
        node = self
        for step in steps:
            if not step.startswith("@"):
                node = node.child(step)
        if isinstance(entry, Flag):
            node.flag = entry
        elif steps and steps[-1].startswith("@"):
            node.attributes.append((steps[-1][1:], entry))
        else:
            node.text = entry

    def has_required(self) -> bool:
        """Tell whether the element is always there."""
        return any(field.required for _key, field in self.attributes) or bool(
            self.text and self.text.required
        )


class _Source:
    """The source text of one writer, and the objects that it names."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.names: dict[str, Any] = {"new": etree.SubElement, "top": etree.Element}

    def add(self, depth: int, line: str) -> None:
        self.lines.append("    " * depth + line)

    def name(self, value: Any) -> str:
        """Give a name under which the function finds ``value``."""
        name = f"x{len(self.names)}"
        self.names[name] = value
        return name

    def value(self, field: Field, variable: str = "value") -> str:
        """Give the expression for a field's text in XML."""
        return variable if field.kind.to_xml is None else f"{self.name(field.kind.to_xml)}({variable})"


def compile_writer(tag: str, const: Mapping[str, str], entries: Sequence[Entry]) -> Write:
    """Give the function that writes a record as a new child of a parent, or alone where that is None."""
    root = _Node(tag)
    for entry in entries:
        if isinstance(entry, Field | Flag):
            root.place(entry)
        else:
            root.parts.append(entry)
    source = _Source()
    source.add(0, "def write(record, parent):")
    source.add(1, f"attributes = {dict(const)!r}")
    _attributes(source, root, 1, "attributes")
    source.add(
        1, f"element = new(parent, {tag!r}, attributes) if parent is not None else top({tag!r}, attributes)"
    )
    _text(source, root, 1, "element")
    _parts(source, root, 1, "element")
    source.add(1, "return element")
    exec("\n".join(source.lines), source.names)  # noqa: S102 - made of this package's own declarations
    write: Write = source.names["write"]
    return write


def _attributes(source: _Source, node: _Node, depth: int, variable: str) -> None:
    for key, field in node.attributes:
        source.add(depth, f"value = record.{field.name}")
        inner = depth
        if not field.required:
            source.add(depth, "if value is not None:")
            inner += 1
        source.add(inner, f"{variable}[{key!r}] = {source.value(field)}")


def _text(source: _Source, node: _Node, depth: int, element: str) -> None:
    if node.text is not None:
        source.add(depth, f"value = record.{node.text.name}")
        source.add(depth, "if value is not None:")
        source.add(depth + 1, f"{element}.text = {source.value(node.text)}")


def _parts(source: _Source, node: _Node, depth: int, element: str) -> None:
    for part in node.parts:
        if isinstance(part, _Node):
            _nested(source, part, depth, element)
            continue
        append = source.name(part.element.append)
        if isinstance(part, Children):
            source.add(depth, f"for value in record.{part.name}:")
        else:
            source.add(depth, f"value = record.{part.name}")
            source.add(depth, "if value is not None:")
        source.add(depth + 1, f"{append}(value, {element})")


def _nested(source: _Source, node: _Node, depth: int, parent: str) -> None:
    """Write a nested element; it appears only when something in it does."""
    if node.flag is not None:
        source.add(depth, f"if record.{node.flag.name}:")
        source.add(depth + 1, f"new({parent}, {node.tag!r})")
        return
    element = f"e{len(source.lines)}"
    attributes = f"a{len(source.lines)}"
    if node.attributes:
        source.add(depth, f"{attributes} = {{}}")
        _attributes(source, node, depth, attributes)
        make = f"new({parent}, {node.tag!r}, {attributes})"
    else:
        make = f"new({parent}, {node.tag!r})"
    if node.text is None and not node.parts:
        inner = depth
        if not node.has_required():
            source.add(depth, f"if {attributes}:")
            inner += 1
        source.add(inner, make)
        return
    source.add(depth, f"{element} = {make}")
    _text(source, node, depth, element)
    _parts(source, node, depth, element)
    if not node.has_required():
        source.add(depth, f"if not len({element}) and {element}.text is None and not {element}.attrib:")
        source.add(depth + 1, f"{parent}.remove({element})")


_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def culprit(record: Any, path: str = "") -> str:
    """Find the first text in a record that XML cannot hold, such as a control character."""
    if isinstance(record, str):
        return path if _NOT_XML.search(record) else ""
    if isinstance(record, msgspec.Struct):
        prefix = f"{path}." if path else ""
        pairs = [(f"{prefix}{name}", getattr(record, name)) for name in record.__struct_fields__]
    elif isinstance(record, Sequence):
        pairs = [(f"{path}[{index}]", item) for index, item in enumerate(record)]
    else:
        return ""
    return next((found for step, value in pairs if (found := culprit(value, step))), "")
