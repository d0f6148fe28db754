"""Documents that are too large to be judged as others are: bounded work whatever stands in them.

For each fault in a tree libxml2 counts the siblings of the element, so a tree of many faulty siblings takes
time with the square of their number. While it parses it does not, so a large tree is judged as text. Only a
first part of it is explained.
"""

from __future__ import annotations

from copy import deepcopy
from itertools import pairwise
from typing import NamedTuple

from lxml import etree

MOST_ELEMENTS = 5_000
"""So many elements are judged as a tree, and explained; a domain of a hundred disks has a thousand."""
_CHUNK = 1 << 16
"""Bytes after which a parser is asked whether it has seen a fault: the first one decides."""
_count = etree.XPath("count(descendant-or-self::*)")


def elements_in(root: etree._Element | etree._ElementTree) -> int:
    """Give the number of elements of a document."""
    return int(float(str(_count(root))))


def accepts(schema: etree.XMLSchema, root: etree._Element | etree._ElementTree) -> bool:
    """Say whether a schema accepts a tree. Takes time with the size of the tree, however many faults it has.

    Raises lxml.etree.XMLSchemaValidateError where libxml2 cannot judge.
    """
    if elements_in(root) <= MOST_ELEMENTS:
        return schema.validate(root)
    # The text comes of a tree, so its size and depth were bounded when that was read.
    parser = etree.XMLParser(schema=schema, resolve_entities=False, no_network=True, huge_tree=True)
    text = etree.tostring(root, with_tail=False)
    for at in range(0, len(text), _CHUNK):
        parser.feed(text[at : at + _CHUNK])
        if len(parser.feed_error_log.filter_from_errors()):
            return False
    try:
        parser.close()
    except etree.XMLSyntaxError:
        return False
    return True


class Part(NamedTuple):
    """A copy of a document, or of its first elements."""

    root: etree._Element
    left_out: int
    """Elements of the document that are not in the copy."""
    open: frozenset[etree._Element]
    """Elements of the copy that have lost children, so that nothing can be said to be missing in them."""


def first_part(root: etree._Element) -> Part:
    """Give a copy of a document with its first MOST_ELEMENTS elements."""
    count = elements_in(root)
    if count <= MOST_ELEMENTS:
        return Part(_copy(root), 0, frozenset())
    copy = _copy(root)
    kept = copy.iter(etree.Element)
    last = next(element for number, element in enumerate(kept, 1) if number == MOST_ELEMENTS)
    del last[:]
    above = [last, *last.iterancestors()]
    for element, parent in pairwise(above):
        del parent[parent.index(element) + 1 :]
    return Part(copy, count - MOST_ELEMENTS, frozenset(above))


def _copy(root: etree._Element) -> etree._Element:
    """Give a copy that keeps the lines; what stood behind the root is not in it."""
    copy = deepcopy(root)
    copy.tail = None
    return copy
