"""The one difference from libxml2's RELAX NG is a fault of libxml2: shown on the smallest grammar."""

from __future__ import annotations

from itertools import permutations

from lxml import etree

_RNG = "http://relaxng.org/ns/structure/1.0"


def grammar(body: str) -> etree.RelaxNG:
    return etree.RelaxNG(etree.fromstring(f"<element name='r' xmlns='{_RNG}'>{body}</element>"))


def once(*names: str) -> str:
    return "".join(f"<optional><element name='{n}'><empty/></element></optional>" for n in names)


def refused(judge: etree.RelaxNG) -> list[str]:
    orders = ["".join(order) for length in range(5) for order in permutations("abcd", length)]
    documents = {order: etree.fromstring(f"<r>{''.join(f'<{n}/>' for n in order)}</r>") for order in orders}
    return [order for order, document in documents.items() if not judge.validate(document)]


def test_a_flat_interleave_takes_every_order() -> None:
    assert refused(grammar(f"<interleave>{once(*'abcd')}</interleave>")) == []


def test_libxml2_refuses_four_orders_of_the_same_interleave_nested() -> None:
    """If this fails, libxml2 was mended, and the list of differences must become empty."""
    nested = f"<interleave>{once('a', 'b')}</interleave><interleave>{once('c', 'd')}</interleave>"
    assert refused(grammar(f"<interleave>{nested}</interleave>")) == ["acbd", "adbc", "bcad", "bdac"]
