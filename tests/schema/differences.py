"""Where a built schema differs from libxml2's RELAX NG on purpose, each with its reason."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import NamedTuple

from lxml import etree


class Difference(NamedTuple):
    """A kind of document that libxml2 refuses by RELAX NG, and the built schema accepts."""

    name: str
    reason: str
    undone: Callable[[etree._Element, etree._Element], Iterator[etree._Element]]
    """Gives the document without what libxml2 may stumble over; the second one is what it was made of."""

    def explains(self, judge: etree.RelaxNG, root: etree._Element, origin: etree._Element) -> bool:
        return any(judge.validate(document) for document in self.undone(root, origin))


def in_other_orders(root: etree._Element, origin: etree._Element) -> Iterator[etree._Element]:
    """Give copies of ``root`` with all children in their order in ``origin``; what is new there goes anywhere."""
    rank: dict[tuple[str, str], int] = {}
    for parent in origin.iter(etree.Element):
        for child in parent.iterchildren(etree.Element):
            rank.setdefault((str(parent.tag), str(child.tag)), len(rank))
    ordered = deepcopy(root)
    new = []
    for parent in list(ordered.iter(etree.Element)):
        places = {child: rank.get((str(parent.tag), str(child.tag)), len(rank)) for child in parent}
        for child in sorted(parent, key=places.__getitem__):
            parent.append(child)
        new += [child for child, place in places.items() if place == len(rank)]
    yield etree.fromstring(etree.tostring(ordered))
    for child in new:
        parent = child.getparent()
        for place in range(0 if parent is None else len(parent)):
            if parent is not None:
                parent.insert(place, child)
                yield etree.fromstring(etree.tostring(ordered))


DIFFERENCES = (
    Difference(
        "order of nested interleaves",
        "RELAX NG lets the children of an interleave come in any order, also where it holds another "
        "interleave; libxml2 then refuses some orders. libvirt itself takes any order.",
        in_other_orders,
    ),
)
