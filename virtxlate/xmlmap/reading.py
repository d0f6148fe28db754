"""From entries to a table that reads: by attribute name and by child tag."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lxml import etree

from virtxlate.errors import DomainXmlError, TableError
from virtxlate.xmlmap.entries import Child, Children, Entry, Field, Flag, Leftover
from virtxlate.xmlmap.writing import STEP


class Reader:
    """How to read one element: by attribute name, by child tag, and its text."""

    __slots__ = ("attributes", "children", "flag", "text")

    def __init__(self) -> None:
        self.attributes: dict[str, Field] = {}
        self.children: dict[str, Reader | Child | Children] = {}
        self.text: Field | None = None
        self.flag: str | None = None

    def add(self, entry: Entry) -> None:
        """Make room for ``entry``. Raises TableError when another one stands in its place."""
        if isinstance(entry, Child | Children):
            if entry.element.tag in self.children:
                raise TableError(f"{entry.element.tag}: two entries for one element")
            self.children[entry.element.tag] = entry
            return
        steps = [] if entry.path == "." else STEP.findall(entry.path)
        key = steps.pop()[1:] if steps and steps[-1].startswith("@") else None
        reader = self._below(steps, entry.path)
        taken = reader.text or reader.flag if key is None else reader.attributes.get(key)
        if taken:
            raise TableError(f"{entry.path}: two entries for one place")
        if isinstance(entry, Flag):
            reader.flag = entry.name
        elif key is not None:
            reader.attributes[key] = entry
        else:
            reader.text = entry

    def _below(self, steps: list[str], path: str) -> Reader:
        reader = self
        for step in steps:
            deeper = reader.children.setdefault(step, Reader())
            if not isinstance(deeper, Reader):
                raise TableError(f"{path}: a field inside an element that is a record of its own")
            reader = deeper
        return reader

    def check(self, path: str) -> None:
        """Raise TableError where an element is read as two things: a flag is empty, text stands alone."""
        if self.flag is not None and (self.attributes or self.children):
            raise TableError(f"{path}: a flag, but other entries stand in it")
        if self.text is not None and self.children:
            raise TableError(f"{path}: text, but other elements stand beside it")
        for tag, part in self.children.items():
            if isinstance(part, Reader):
                part.check(f"{path}/{tag}")


def read(
    reader: Reader,
    element: etree._Element,
    values: dict[str, Any],
    leftovers: list[Leftover] | None,
    const: Mapping[str, str] | None = None,
) -> None:
    """Put what stands in ``element`` into ``values``, by field name. Raises DomainXmlError."""
    if reader.flag is not None:
        values[reader.flag] = True
    for key, text in element.attrib.items():
        field = reader.attributes.get(str(key))
        if field is not None:
            _read_value(field, str(text), element, f"/@{key}", values, leftovers)
        elif leftovers is not None and not (const and key in const):
            leftovers.append(leftover_at(element, f"/@{key}", "unknown attribute"))
    if reader.text is not None and (element.text or not reader.attributes):
        _read_value(reader.text, element.text or "", element, "", values, leftovers)
    seen: set[str] = set()
    for child in element:
        if isinstance(child.tag, str):
            _read_child(reader, child, values, leftovers, seen)


def _read_child(
    reader: Reader,
    child: etree._Element,
    values: dict[str, Any],
    leftovers: list[Leftover] | None,
    seen: set[str],
) -> None:
    tag = str(child.tag)
    part = reader.children.get(tag)
    if part is None:
        if leftovers is not None:
            leftovers.append(leftover_at(child, "", "unknown element"))
        return
    if isinstance(part, Children):
        record = part.element.parse(child, leftovers)
        if record is not None:
            values[part.name] = (*values.get(part.name, ()), record)
        return
    if tag in seen:
        raise error_at(child, f"expected one <{tag}>, found another")
    seen.add(tag)
    if isinstance(part, Child):
        values[part.name] = part.element.parse(child, leftovers)
    else:
        read(part, child, values, leftovers)


def _read_value(
    field: Field,
    text: str,
    element: etree._Element,
    step: str,
    values: dict[str, Any],
    leftovers: list[Leftover] | None,
) -> None:
    try:
        values[field.name] = field.kind.from_xml(text)
    except ValueError as exc:
        if leftovers is None or field.required:
            raise error_at(element, str(exc), step) from None
        leftovers.append(leftover_at(element, step, str(exc)))


def _where(element: etree._Element) -> str:
    return str(element.getroottree().getpath(element))


def error_at(element: etree._Element, message: str, step: str = "") -> DomainXmlError:
    """Give an error with the path and line of ``element``; ``step`` names the attribute."""
    return DomainXmlError(message, at=_where(element) + step, line=int(element.sourceline or 0))


def leftover_at(element: etree._Element, step: str, reason: str) -> Leftover:
    """Give the note of something passed over, with path and line."""
    return Leftover(path=_where(element) + step, line=int(element.sourceline or 0), reason=reason)
