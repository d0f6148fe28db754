"""From entries to a function that writes: one straight-line function an element, compiled once, at import.

The function is made as dataclasses make theirs: as source text, from the declaration alone. It writes text,
not a tree: that costs a fourth, and a tree is had from the text for less than from lxml's own calls.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import msgspec

from virtxlate.errors import TableError
from virtxlate.xmlmap.entries import Child, Children, Entry, Field, Flag
from virtxlate.xmlmap.escaping import escape_attribute, escape_text, is_xml

Write = Callable[[Any, str, str], str]
"""``write(record, pad, step)``: what stands before the element's tag, and what each level adds to that."""
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

    def __init__(self, prefixes: Mapping[str, str], declared: Collection[str]) -> None:
        self.lines: list[str] = []
        self.names: dict[str, Any] = {"attribute": escape_attribute, "text": escape_text}
        self._prefixes = prefixes
        self._declared = declared

    def add(self, depth: int, line: str) -> None:
        self.lines.append("    " * depth + line)

    def name(self, value: Any) -> str:
        """Give a name under which the function finds ``value``."""
        name = f"x{len(self.names)}"
        self.names[name] = value
        return name

    def value(self, field: Field, variable: str, escape: str) -> str:
        """Give the expression for a field's text in XML."""
        kind = field.kind
        written = variable if kind.to_xml is None else f"{self.name(kind.to_xml)}({variable})"
        return written if kind.plain else f"{escape}({written})"

    def tags(self, tag: str) -> tuple[str, str]:
        """Give what stands in the start tag and in the end tag."""
        if not tag.startswith("{"):
            return tag, tag
        namespace, _, local = tag[1:].partition("}")
        prefix = self._prefixes.get(namespace, "ns0")
        if namespace in self._declared:
            return f"{prefix}:{local}", f"{prefix}:{local}"
        return f'{prefix}:{local} xmlns:{prefix}="{namespace}"', f"{prefix}:{local}"


def compile_writer(
    tag: str,
    const: Mapping[str, str],
    entries: Sequence[Entry],
    prefixes: Mapping[str, str],
    declared: Collection[str] = (),
) -> Write:
    """Give the function that writes a record as the text of an element.

    ``declared`` are the namespaces that an element around this one declares.

    Raises TableError for an element with both text and elements in it.
    """
    root = _Node(tag)
    for entry in entries:
        if isinstance(entry, Field | Flag):
            root.place(entry)
        else:
            root.parts.append(entry)
    source = _Source(prefixes, declared)
    source.add(0, "def write(record, pad0, step):")
    source.add(1, "out = ''")
    fixed = "".join(f' {key}="{escape_attribute(value)}"' for key, value in const.items())
    _element(source, root, 1, 0, fixed)
    source.add(1, "return out")
    exec("\n".join(source.lines), source.names)  # noqa: S102 - made of this package's own declarations
    write: Write = source.names["write"]
    return write


def _element(source: _Source, node: _Node, depth: int, level: int, fixed: str = "") -> None:
    """Add the lines that put one element into the variable of its level; ``fixed`` are attributes as text."""
    start, end = source.tags(node.tag)
    into = _variable(level)
    empty = f"{into} += f'{{pad{level}}}<{start}{{a{level}}}/>'"
    if node.flag is not None:
        source.add(depth, f"if record.{node.flag.name}:")
        source.add(depth + 1, empty.replace(f"{{a{level}}}", ""))
        return
    _attributes(source, node, depth, f"a{level}", fixed)
    content = _content(source, node, depth, level)
    if content:
        full = f"{into} += f'{{pad{level}}}<{start}{{a{level}}}>{content}</{end}>'"
        source.add(depth + 1, full)
    if level == 0 or node.has_required():
        source.add(depth, "else:" if content else "if True:")
        source.add(depth + 1, empty)
    elif node.attributes:
        source.add(depth, f"{'elif' if content else 'if'} a{level}:")
        source.add(depth + 1, empty)


def _variable(level: int) -> str:
    """Give the variable that holds the text around an element of that level."""
    return "out" if level == 0 else f"in{level}"


def _attributes(source: _Source, node: _Node, depth: int, variable: str, fixed: str) -> None:
    source.add(depth, f"{variable} = {fixed!r}")
    for key, field in node.attributes:
        source.add(depth, f"value = record.{field.name}")
        inner = depth
        if not field.required:
            source.add(depth, "if value is not None:")
            inner += 1
        written = source.value(field, "value", "attribute")
        source.add(inner, f"{variable} += f' {key}=\"{{{written}}}\"'")


def _content(source: _Source, node: _Node, depth: int, level: int) -> str:
    """Add the lines that make an element's content, and the if that asks for it; give how it is spelled."""
    if node.text is not None and node.parts:
        raise TableError(f"<{node.tag}>: text and elements in one element")
    if node.text is not None:
        source.add(depth, f"value = record.{node.text.name}")
        source.add(depth, "if value is not None:")
        return f"{{{source.value(node.text, 'value', 'text')}}}"
    if not node.parts:
        return ""
    inside = _variable(level + 1)
    source.add(depth, f"{inside} = ''")
    source.add(depth, f"pad{level + 1} = pad{level} + step")
    for part in node.parts:
        if isinstance(part, _Node):
            _element(source, part, depth, level + 1)
        else:
            _records(source, part, depth, level + 1)
    source.add(depth, f"if {inside}:")
    return f"{{{inside}}}{{pad{level}}}"


def _records(source: _Source, part: Child | Children, depth: int, level: int) -> None:
    """Add the lines that write nested records."""
    if isinstance(part, Children):
        source.add(depth, f"for value in record.{part.name}:")
    else:
        source.add(depth, f"value = record.{part.name}")
        source.add(depth, "if value is not None:")
    write = source.name(part.element.write)
    source.add(depth + 1, f"{_variable(level)} += {write}(value, pad{level}, step)")


def culprit(record: Any, path: str = "") -> str:
    """Find the first text in a record that XML cannot hold, such as a control character."""
    if isinstance(record, str):
        return "" if is_xml(record) else path
    if isinstance(record, msgspec.Struct):
        prefix = f"{path}." if path else ""
        pairs = [(f"{prefix}{name}", getattr(record, name)) for name in record.__struct_fields__]
    elif isinstance(record, Sequence):
        pairs = [(f"{path}[{index}]", item) for index, item in enumerate(record)]
    else:
        return ""
    return next((found for step, value in pairs if (found := culprit(value, step))), "")
