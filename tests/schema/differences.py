"""Where a built schema differs from libxml2's RELAX NG on purpose, each with its reason."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import NamedTuple

from lxml import etree

from tests.schema.mutations import Mutant


class Difference(NamedTuple):
    """A kind of document that libxml2 refuses by RELAX NG, and the built schema accepts."""

    name: str
    reason: str
    undone: Callable[[etree._Element, etree._Element], Iterator[etree._Element]]
    """Gives the document without what libxml2 may stumble over; the second one is what it was made of."""


def in_other_orders(root: etree._Element, origin: etree._Element) -> Iterator[etree._Element]:
    """Give copies of ``root`` with all children in their order in ``origin``; new ones go anywhere."""
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
        new += [(parent, child) for child, place in places.items() if place == len(rank)]
    yield etree.fromstring(etree.tostring(ordered))
    for parent, child in new:
        for place in range(len(parent)):
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


def explained(judge: etree.RelaxNG, mutant: Mutant) -> bool:
    """Say whether libxml2 takes a document once one of the differences is undone in it."""
    undone = (each.undone(mutant.root, mutant.origin) for each in DIFFERENCES)
    return any(judge.validate(document) for documents in undone for document in documents)
