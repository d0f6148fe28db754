"""What of a document the shipped XSD leaves open: elements that virtxlate carries along without reading them.

Source: the declarations in ``xsd/``; nothing is listed here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from lxml import etree

from virtxlate.domain.grammar import Grammar, Model, grammar
from virtxlate.domain.paths import paths_of

_METADATA = "metadata"


class Unchecked(NamedTuple):
    """An element whose attributes and content no schema looked at."""

    path: str
    line: int
    """From 1; 0 for a document that was not read from text."""


def unchecked(root: etree._Element, of: Grammar | None = None) -> tuple[Unchecked, ...]:
    """Give the outermost open elements of a document, in document order.

    What an XSD does not know at all is a violation, and not listed. Neither is what stands in ``<metadata>``:
    it is its owner's.
    """
    found = open_elements(root, of)
    if not found:
        return ()
    paths = paths_of(root)
    return tuple(Unchecked(paths[element], element.sourceline or 0) for element in found)


def open_elements(root: etree._Element, of: Grammar | None = None) -> list[etree._Element]:
    """Give the elements that ``unchecked`` lists."""
    of = of or grammar(str(root.tag))
    found: list[etree._Element] = []
    declared = of.declaration(root)
    waiting: list[tuple[etree._Element, etree._Element | None]] = []
    if declared is not None:
        waiting.append((root, declared))
    while waiting:
        element, declaration = waiting.pop()
        if declaration is None or of.is_open(declaration):
            found.append(element)
        elif element.tag != _METADATA:
            waiting += reversed(list(_below(element, of.model(declaration))))
    return found


def _below(element: etree._Element, model: Model) -> Iterator[tuple[etree._Element, etree._Element | None]]:
    """Give the children that the XSD knows, with their declarations, and those that it lets pass."""
    for child in element.iterchildren("*"):
        tag = str(child.tag)
        if tag in model.children or model.welcomes(tag):
            yield child, model.children.get(tag)
