"""The rules of a document type, applied to a document that its XSD accepts.

From the leaves up: each element is filled in some of the ways that its type knows, and the pattern of its
parent says which ways fit there. Only elements are looked at that have a rule in or below them. What was
found for one combination of attributes and children is remembered, so that the next one costs a look-up.
"""

from __future__ import annotations

from typing import NamedTuple

from lxml import etree

from virtxlate.domain.grammar import COUNTED_BY
from virtxlate.schema.bounds import bounds_of
from virtxlate.schema.patterns import EMPTY, NONE, TEXT, Patterns, has_order
from virtxlate.schema.rules import Candidate, RuleTable, TypeRules
from virtxlate.schema.values import Value, is_a

_BLANKS = " \t\n\r"
_MOST_REMEMBERED = 20_000
_LONGEST_REMEMBERED = 64


class Symbol(NamedTuple):
    """One attribute, text or child of an element, as the patterns see it."""

    name: str
    bits: int


class Facts(NamedTuple):
    """What the rules want to know of one element."""

    symbols: tuple[Symbol, ...]
    """Attributes and text, then the children in their order."""
    blank: Symbol | None
    """Text that may as well be absent: blanks, and no children."""


class Judge:
    """Applies one table of rules; not to be shared between threads."""

    def __init__(self, table: RuleTable) -> None:
        self.patterns: Patterns = table.patterns()
        self.types = [TypeJudge(rules, self.patterns) for rules in table.types]
        self._roots = table.roots

    def is_valid(self, root: etree._Element) -> bool:
        """Say whether all rules hold."""
        number = self._roots.get(str(root.tag))
        self.patterns.tidy()
        return number is None or self._ways(root, number) != 0

    def type_of(self, root: etree._Element) -> int | None:
        """Give the number of the rules of a root element, if it has any."""
        return self._roots.get(str(root.tag))

    def _ways(self, element: etree._Element, number: int) -> int:
        judge = self.types[number]
        ways: dict[etree._Element, int] = {}
        for child in element.iterchildren():
            if child.tag in judge.marked and child.get(COUNTED_BY) is not None:
                return 0
            deeper = judge.children.get(child.tag)
            if deeper is not None:
                found = self._ways(child, deeper)
                if not found:
                    return 0
                ways[child] = found
        return judge.ways(element, ways) if judge.has_rules else 1


class TypeJudge:
    """The rules of one element."""

    def __init__(self, rules: TypeRules, patterns: Patterns) -> None:
        self.rules = rules
        self.children: dict[object, int] = {}
        self.children.update(rules.children)
        self.marked: frozenset[object] = frozenset(rules.marked)
        self.has_rules = bool(rules.candidates)
        self._patterns = patterns
        alphabet: set[str] = set()
        for each in rules.candidates:
            alphabet.update(each.never, (count.name for count in each.counts))
            alphabet.update(*(patterns.names[part] for part in each.patterns))
        self.alphabet = tuple(sorted(alphabet))
        """Everything that the rules speak of."""
        self.demanded = frozenset.intersection(
            *(_demanded(patterns, each) for each in rules.candidates or (Candidate((), (), ()),))
        )
        """What stands in the element however it is filled."""
        self._attributes = tuple((f"@{n}", n) for n in sorted(x[1:] for x in alphabet if x.startswith("@")))
        self._text = TEXT in alphabet
        self._names: dict[object, int] = {}
        self._names.update((n, rules.ways.get(n, 1)) for n in alphabet if has_order(n))
        self._remembered: dict[Facts, int] = {}
        self._all = (1 << len(rules.candidates)) - 1

    def ways(self, element: etree._Element, children: dict[etree._Element, int]) -> int:
        """Give a bit for each candidate that fits."""
        return self.judge(self.facts(element, children))

    def facts(self, element: etree._Element, children: dict[etree._Element, int]) -> Facts:
        """Give what the rules want to know of an element, and of its children with the ways that they fit."""
        symbols = []
        get = element.get
        for name, key in self._attributes:
            text = get(key)
            if text is not None:
                symbols.append(Symbol(name, self._bits(name, text)))
        blank = self._read_text(element, symbols) if self._text else None
        if self._names:
            known = self._names
            for child in element.iterchildren():
                bits = known.get(child.tag)
                if bits is not None:
                    symbols.append(Symbol(str(child.tag), children.get(child, bits)))
        return Facts(tuple(symbols), blank)

    def _bits(self, name: str, text: str) -> int:
        values: tuple[Value, ...] = self.rules.values.get(name, ())
        bits = 0
        for at, value in enumerate(values):
            if is_a(text, value):
                bits |= 1 << at
        return bits

    def _read_text(self, element: etree._Element, symbols: list[Symbol]) -> Symbol | None:
        parts = [element.text or "", *((child.tail or "") for child in element)]
        text = "".join(parts)
        if text.strip(_BLANKS):
            symbols.append(Symbol(TEXT, self._bits(TEXT, text)))
            return None
        has_children = next(element.iterchildren(etree.Element), None) is not None
        bits = 0 if has_children else self._bits(TEXT, text)
        return Symbol(TEXT, bits) if bits else None

    def judge(self, facts: Facts) -> int:
        """Give a bit for each candidate that fits these facts."""
        found = self._remembered.get(facts)
        if found is None:
            found = 0
            for at, candidate in enumerate(self.rules.candidates):
                if self.fits(facts, candidate):
                    found |= 1 << at
            if len(facts.symbols) <= _LONGEST_REMEMBERED:
                if len(self._remembered) >= _MOST_REMEMBERED:
                    self._remembered.clear()
                self._remembered[facts] = found
        return found

    def fits(self, facts: Facts, candidate: Candidate) -> bool:
        """Say whether a candidate fits."""
        if not self._fits_counts(facts, candidate):
            return False
        return all(self._fits_pattern(facts, part) for part in candidate.patterns)

    def _fits_counts(self, facts: Facts, candidate: Candidate) -> bool:
        seen: dict[str, int] = {}
        for symbol in facts.symbols:
            seen[symbol.name] = seen.get(symbol.name, 0) + 1
        if any(name in seen for name in candidate.never):
            return False
        for count in candidate.counts:
            times = seen.get(count.name, 0)
            if times < count.low or (count.high is not None and times > count.high):
                return False
        return True

    def _fits_pattern(self, facts: Facts, part: int) -> bool:
        if self._accepts(facts.symbols, part):
            return True
        blank = facts.blank
        if blank is None or TEXT not in self._patterns.names[part]:
            return False
        return self._accepts((blank, *facts.symbols), part)

    def _accepts(self, symbols: tuple[Symbol, ...], part: int) -> bool:
        patterns = self._patterns
        known = patterns.names[part]
        for name, bits in symbols:
            if name in known:
                part = patterns.derive(part, name, bits)
                if part == NONE:
                    return False
        return patterns.nullable[part]


def _demanded(patterns: Patterns, candidate: Candidate) -> frozenset[str]:
    found = {count.name for count in candidate.counts if count.low}
    for part in candidate.patterns:
        found |= {
            name for name, bound in bounds_of(patterns, part, {EMPTY: {}, NONE: {}}).items() if bound.low
        }
    return frozenset(found)
