"""Documents drawn from a grammar: every one is valid, and none was written by anybody."""

from __future__ import annotations

import random
import re
from re import _constants, _parser  # type: ignore[attr-defined]
from typing import Any

from lxml import etree

from virtxlate.schema.minimal import ones
from virtxlate.schema.patterns import EMPTY, TEXT
from virtxlate.schema.relaxng import ANYTHING, Grammar
from virtxlate.schema.values import INTEGERS, Alternative, Data, Value, Word, is_a, limits

_DEEP = 6
_KNOWN = {"dateTime": "2026-01-02T03:04:05Z", "double": "0.5", "anyURI": "a", "NCName": "a", "string": "a b"}


def draw(grammar: Grammar, rng: random.Random) -> etree._Element:
    """Give one document of a grammar."""
    return _Drawing(grammar, rng).root()


class _Drawing:
    def __init__(self, grammar: Grammar, rng: random.Random) -> None:
        self._grammar = grammar
        self._rng = rng

    def root(self) -> etree._Element:
        holder = etree.Element("holder")
        self._draw(self._grammar.start, holder, 0)
        return etree.fromstring(etree.tostring(holder[0]))

    def _draw(self, part: int, holder: etree._Element, depth: int) -> None:
        node = self._grammar.patterns.nodes[part]
        if node.kind == "atom":
            self._atom(node.name, node.bits, holder, depth)
        elif node.kind == "choice":
            if EMPTY in node.parts and self._rng.random() < 0.3 + depth / _DEEP:
                return
            self._draw(self._rng.choice([each for each in node.parts if each != EMPTY]), holder, depth)
        elif node.kind == "plus":
            for _ in range(self._rng.choice((1, 1, 2))):
                self._draw(node.parts[0], holder, depth)
        else:
            for each in node.parts:
                self._draw(each, holder, depth)

    def _atom(self, name: str, bits: int, holder: etree._Element, depth: int) -> None:
        number = self._rng.choice(ones(bits))
        if name == TEXT:
            holder.text = self._text(self._grammar.values[number])
        elif name.startswith("@"):
            holder.set(name[1:], self._text(self._grammar.values[number]))
        elif name == ANYTHING:
            etree.SubElement(holder, "anything", key="value").text = "text"
        else:
            inner = etree.SubElement(holder, name)
            self._draw(self._grammar.elements[number].content, inner, depth + 1)

    def _text(self, value: Value) -> str:
        while True:
            text = self._one(self._rng.choice(value.alternatives))
            if is_a(text, value):
                return text

    def _one(self, alternative: Alternative) -> str:
        if isinstance(alternative, Word):
            return alternative.text
        patterns = [text for name, text in alternative.facets if name == "pattern"]
        if alternative.type in INTEGERS:
            return self._number(alternative)
        return self._like(patterns[0]) if patterns else _KNOWN[alternative.type]

    def _number(self, data: Data) -> str:
        low, high = limits(data)
        low = 0 if low is None else low
        high = low + 9 if high is None else high
        return str(self._rng.choice((low, high, self._rng.randint(low, min(high, low + 300)))))

    def _like(self, pattern: str) -> str:
        """Give a text that a pattern takes, short where it may be."""
        return "".join(self._signs(_parser.parse(re.sub(r"^\$", r"\\$", pattern))))

    def _signs(self, parsed: Any) -> list[str]:
        found: list[str] = []
        for kind, what in parsed:
            if kind is _constants.LITERAL:
                found.append(chr(what))
            elif kind is _constants.ANY:
                found.append("a")
            elif kind is _constants.IN:
                found.append(self._sign(what))
            elif kind is _constants.NOT_LITERAL:
                found.append("a" if what != ord("a") else "b")
            elif kind is _constants.SUBPATTERN:
                found += self._signs(what[-1])
            elif kind is _constants.BRANCH:
                found += self._signs(self._rng.choice(what[1]))
            else:
                low, high, inner = what
                for _ in range(self._rng.randint(low, min(high, low + 2))):
                    found += self._signs(inner)
        return found

    def _sign(self, members: Any) -> str:
        if members[0][0] is _constants.NEGATE:
            taken = {chr(what) for kind, what in members[1:] if kind is _constants.LITERAL}
            return next(sign for sign in "ab" if sign not in taken)
        kind, what = self._rng.choice([each for each in members if each[0] is not _constants.CATEGORY])
        return chr(what) if kind is _constants.LITERAL else chr(self._rng.randint(*what))
