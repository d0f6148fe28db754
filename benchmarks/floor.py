"""The least that building a document with lxml can cost: its own tree, written out as straight-line code.

The code is made from the document, so it builds the same elements, attributes, texts and order for as long as
the document changes; no condition, loop or look-up is left in it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lxml import etree

Build = Callable[[], str]


class _Lines:
    """The source text of one builder, while it grows."""

    def __init__(self) -> None:
        self.text = ["def build():"]
        self._elements = 0

    def add(self, element: etree._Element, parent: str | None) -> str:
        """Write the lines for an element and all below it; give the name of its variable."""
        name = f"e{self._elements}"
        self._elements += 1
        made = f"{str(element.tag)!r}, {_attributes(element)!r}" if element.attrib else repr(str(element.tag))
        call = f"top({made})" if parent is None else f"new({parent}, {made})"
        if len(element) or element.text:
            self.text.append(f"    {name} = {call}")
        else:
            self.text.append(f"    {call}")
        if element.text and element.text.strip():
            self.text.append(f"    {name}.text = {element.text!r}")
        for child in element:
            self.add(child, name)
        return name


def compile_floor(document: str) -> Build:
    """Give straight-line code that builds ``document`` with lxml and gives its text.

    Raises AssertionError when that text is not ``document``, byte for byte.
    """
    lines = _Lines()
    root = lines.add(etree.fromstring(document), None)
    lines.text.append(f"    return tostring({root}, encoding='unicode', pretty_print=True)")
    names: dict[str, Any] = {"top": etree.Element, "new": etree.SubElement, "tostring": etree.tostring}
    exec("\n".join(lines.text), names)  # noqa: S102 - made of a document that virtxlate just wrote
    build: Build = names["build"]
    if build() != document:
        raise AssertionError("the floor builds another document than virtxlate")
    return build


def _attributes(element: etree._Element) -> dict[str, str]:
    return {str(name): str(value) for name, value in element.attrib.items()}
