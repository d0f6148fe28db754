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
    """Give copies of ``root`` with its children as in ``origin``, and then with each child elsewhere."""
    ordered = deepcopy(root)
    for parent in list(ordered.iter(etree.Element)):
        rank = _rank(parent, origin)
        for child in sorted(parent, key=lambda child: rank.get(str(child.tag), len(rank))):
            parent.append(child)
    yield etree.fromstring(etree.tostring(ordered))
    for parent in list(ordered.iter(etree.Element)):
        for child in list(parent):
            before = parent.index(child)
            for place in range(len(parent)):
                parent.insert(place, child)
                yield etree.fromstring(etree.tostring(ordered))
            parent.insert(before, child)


def _rank(parent: etree._Element, origin: etree._Element) -> dict[str, int]:
    """Give the order of children in the most similar element of ``origin``."""
    mine = {str(child.tag) for child in parent}
    names = [[str(child.tag) for child in each] for each in origin.iter(str(parent.tag))]
    like = max(names, key=lambda theirs: len(mine & set(theirs)), default=[])
    return {name: at for at, name in enumerate(dict.fromkeys(like))}


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
