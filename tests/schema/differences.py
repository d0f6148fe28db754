"""Where a built schema differs from libxml2's RELAX NG on purpose, each with its reason."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import NamedTuple

from lxml import etree


class Difference(NamedTuple):
    """A kind of document that libxml2 refuses by RELAX NG, and the built schema accepts."""

    name: str
    reason: str
    undone: Callable[[etree._Element, etree._Element], etree._Element]
    """Gives a changed document without what libxml2 stumbles over; the second one is what it was made of."""


def in_the_order_of(root: etree._Element, origin: etree._Element) -> etree._Element:
    """Give a copy of ``root`` with all children in the order that they have in ``origin``."""
    rank: dict[tuple[str, str], int] = {}
    for parent in origin.iter(etree.Element):
        for child in parent.iterchildren(etree.Element):
            rank.setdefault((str(parent.tag), str(child.tag)), len(rank))
    ordered = deepcopy(root)
    for parent in list(ordered.iter(etree.Element)):
        tag = str(parent.tag)
        children = sorted(parent, key=lambda child: rank.get((tag, str(child.tag)), len(rank)))
        for child in children:
            parent.append(child)
    return etree.fromstring(etree.tostring(ordered))


DIFFERENCES = (
    Difference(
        "order of nested interleaves",
        "RELAX NG lets the children of an interleave come in any order, also where it holds another "
        "interleave; libxml2 then refuses some orders. libvirt itself takes any order.",
        in_the_order_of,
    ),
)
