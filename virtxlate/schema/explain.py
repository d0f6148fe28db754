"""Why a rule refuses an element, and what would mend it: found by trying.

A rule is a pattern, and a pattern has no message. So what stands in the element is changed a little, one or
two things, until the pattern takes it; what had to be changed is what was wrong.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice, permutations
from typing import Literal, NamedTuple

from lxml import etree

from virtxlate.domain.grammar import COUNTED_BY
from virtxlate.domain.violations import SchemaRule, Violation
from virtxlate.schema.judge import Facts, Judge, Symbol, TypeJudge
from virtxlate.schema.minimal import ones
from virtxlate.schema.patterns import TEXT, has_order
from virtxlate.schema.rules import Count

_MOST_TRIED = 4000
MOST_WORK = 2_000_000
"""So many attributes and children are looked at for one document, until explanations are no more searched."""
_MOST_SHOWN = 3
_LISTED = 8


class Broken(NamedTuple):
    """A violation, and the path of the element whose rules it breaks."""

    at: str
    violation: Violation


class Effort:
    """How much may still be tried for one document."""

    def __init__(self, most: int = MOST_WORK) -> None:
        self.left = most

    def judged(self, facts: Facts, mine: TypeJudge) -> int:
        """Give the ways in which facts fit; 0, as if none did, once the effort is spent."""
        if self.left <= 0:
            return 0
        self.left -= len(facts.symbols) + 1
        return mine.judge(facts)


class Change(NamedTuple):
    """One thing that is done to what stands in an element."""

    kind: Literal["remove", "add", "set"]
    name: str
    bits: int = 0
    is_first: bool = False
    """Of a child that is added: before all others, where it may not stand behind them."""


Paths = Mapping[etree._Element, str]


def broken_rules(
    root: etree._Element, judge: Judge, paths: Paths, effort: Effort | None = None
) -> list[Broken]:
    """Give every element of a document that breaks a rule, in document order."""
    number = judge.type_of(root)
    if number is None:
        return []
    search = _Search(judge, paths, effort or Effort())
    search.look(root, number)
    return search.found


class _Search:
    """One document: what was found in it, from the leaves up, and what its elements are like."""

    def __init__(self, judge: Judge, paths: Paths, effort: Effort) -> None:
        self.judge = judge
        self.paths = paths
        self.effort = effort
        self.found: list[Broken] = []
        self.ways: dict[etree._Element, dict[etree._Element, int]] = {}
        """The ways of its children, of each element that was looked at."""

    def look(self, element: etree._Element, number: int) -> int:
        """Give the ways in which an element is filled; one that breaks rules counts as filled in any way."""
        mine = self.judge.types[number]
        at = len(self.found)
        ways = self.ways[element] = {
            child: self.look(child, mine.children[child.tag])
            for child in element.iterchildren(etree.Element)
            if child.tag in mine.children
        }
        self.found += [
            _marked(child, self.paths)
            for child in element.iterchildren(etree.Element)
            if child.tag in mine.marked and child.get(COUNTED_BY) is not None
        ]
        if not mine.has_rules:
            return 1
        bits = mine.ways(element, ways)
        if bits:
            return bits
        self.found[at:at] = _Explanation(element, mine, self).broken()
        return (1 << len(mine.rules.candidates)) - 1


def _marked(child: etree._Element, paths: Paths) -> Broken:
    path = paths[child]
    violation = Violation(
        path=f"{path}/@{COUNTED_BY}",
        line=child.sourceline or 0,
        rule="unknown-attribute",
        message=f"the attribute {COUNTED_BY} is not known in <{_tag(child)}>",
        found=COUNTED_BY,
    )
    return Broken(path, violation)


class _Explanation:
    def __init__(self, element: etree._Element, mine: TypeJudge, search: _Search) -> None:
        self._element = element
        self._mine = mine
        self._search = search
        self._ways = search.ways[element]
        self._facts = mine.facts(element, self._ways)
        self._paths = search.paths
        self._effort = search.effort

    def broken(self) -> list[Broken]:
        """Give what is wrong: numbers first, then a child that does not fit, then the element itself."""
        counted = self._counted()
        if counted:
            return counted
        child = self._child()
        if child is not None:
            return [child]
        changes = _mending(self._facts, self._mine, self._effort)
        if changes:
            return [self._told(self._element, self._mine, changes, self._start(), self._facts)]
        return [self._unmended()]

    # Numbers

    def _counted(self) -> list[Broken]:
        if len(self._mine.rules.candidates) != 1:
            return []
        found = []
        for count in self._mine.rules.candidates[0].counts:
            children = self._element.findall(count.name)
            if len(children) < count.low:
                found.append(self._missing(count))
            elif count.high is not None and len(children) > count.high:
                found += [self._surplus(child, count) for child in children[count.high :]]
        return found

    def _missing(self, count: Count) -> Broken:
        path = self._paths[self._element]
        message = f"<{_tag(self._element)}> needs <{_short(count.name)}>"
        return self._broken(self._element, "missing-element", message, below=f"/{count.name}", at=path)

    def _surplus(self, child: etree._Element, count: Count) -> Broken:
        often = "once" if count.high == 1 else f"{count.high} times"
        message = f"<{_tag(child)}> may stand only {often} in <{_tag(self._element)}>"
        return self._broken(child, "repeated-element", message, found=str(child.tag))

    # A child that is filled in a way that does not fit here

    def _child(self) -> Broken | None:
        """Give what is wrong in a child that would fit if it were filled in another way."""
        best: tuple[int, Broken] | None = None
        for child, bits in self._ways.items():
            inner = self._search.judge.types[self._mine.children[child.tag]]
            ways = [1 << way for way in range(len(inner.rules.candidates)) if not bits >> way & 1]
            fitting = sum(way for way in ways if self._would_fit(child, way))
            facts = inner.facts(child, self._search.ways[child])
            changes = _mending(facts, inner, self._effort, fitting) if fitting else []
            if changes and (best is None or len(changes) < best[0]):
                start = f"in {self._start()}, {_start(child, inner, facts)}"
                best = (len(changes), self._told(child, inner, changes, start, facts))
        return best and best[1]

    def _would_fit(self, child: etree._Element, way: int) -> bool:
        """Say whether this element would fit if a child were filled in another way."""
        if self._effort.left <= 0:
            return False
        facts = self._mine.facts(self._element, self._ways | {child: way})
        return self._effort.judged(facts, self._mine) != 0

    # Telling

    def _told(
        self, element: etree._Element, mine: TypeJudge, changes: list[Change], start: str, facts: Facts
    ) -> Broken:
        parts = [_said(change, mine if len(changes) == 1 else None, facts) for change in changes]
        first = changes[0]
        below = "" if first.name == TEXT else f"/{first.name}"
        found = element.get(first.name[1:]) if first.name.startswith("@") else None
        child = element.find(first.name) if has_order(first.name) and first.kind == "remove" else None
        if child is not None:
            element, below, found = child, "", str(child.tag)
        return self._broken(
            element,
            "co-occurrence",
            f"{start} {' and '.join(parts)}",
            below=below,
            found=found,
            allowed=_words(first, mine) if first.kind != "remove" else (),
        )

    def _unmended(self) -> Broken:
        symbols = self._facts.symbols
        names = [_noun(name) for name in dict.fromkeys(symbol.name for symbol in symbols)]
        order = " in this order" if self._fits_in_another_order() else ""
        message = f"{self._start()} may not hold these together{order}: {', '.join(names)}"
        if not names:
            message = f"{self._start()} may not be empty"
        return self._broken(self._element, "co-occurrence", message)

    def _fits_in_another_order(self) -> bool:
        orders = islice(permutations(self._facts.symbols), _MOST_TRIED)
        judged = self._effort.judged
        return any(judged(self._facts._replace(symbols=order), self._mine) for order in orders)

    def _start(self) -> str:
        return _start(self._element, self._mine, self._facts)

    def _broken(
        self,
        element: etree._Element,
        rule: SchemaRule,
        message: str,
        *,
        below: str = "",
        found: str | None = None,
        allowed: tuple[str, ...] = (),
        at: str = "",
    ) -> Broken:
        path = self._paths[element]
        line = element.sourceline or 0
        violation = Violation(
            path=path + below, line=line, rule=rule, message=message, found=found, allowed=allowed
        )
        return Broken(at or path, violation)


def _mending(facts: Facts, mine: TypeJudge, effort: Effort, wanted: int = -1) -> list[Change]:
    """Give the fewest changes after which an element is filled in a wanted way; none if two are not enough.

    An attribute that must be there says what the element is, so that its word is doubted last.
    """
    mild: list[Change] = []
    last: list[Change] = []
    for change in _changes(facts, mine):
        (last if change.kind == "set" and change.name in mine.demanded else mild).append(change)
    for plan in (_single(mild), _pairs(mild), _single(last)):
        for changes in islice(plan, _MOST_TRIED):
            if effort.left <= 0:
                return []
            if effort.judged(_changed(facts, changes), mine) & wanted:
                return [_widened(facts, mine, wanted, changes, change) for change in changes]
    return []


def _single(steps: list[Change]) -> Iterator[list[Change]]:
    return ([step] for step in steps)


def _pairs(steps: list[Change]) -> Iterator[list[Change]]:
    return ([one, two] for at, one in enumerate(steps) for two in steps[at + 1 :] if one.name != two.name)


def _widened(facts: Facts, mine: TypeJudge, wanted: int, changes: list[Change], change: Change) -> Change:
    """Give a change with every value that would do as well."""
    if change.kind == "remove" or has_order(change.name):
        return change
    others = [each for each in changes if each != change]
    bits = 0
    for bit in ones(_all_bits(change.name, mine)):
        if mine.judge(_changed(facts, [*others, change._replace(bits=1 << bit)])) & wanted:
            bits |= 1 << bit
    return change._replace(bits=bits)


def _changes(facts: Facts, mine: TypeJudge) -> Iterator[Change]:
    """Give every single change: first what is missing, then other words, then what is too much."""
    present = list(dict.fromkeys(symbol.name for symbol in facts.symbols))
    for name in mine.alphabet:
        if name not in present:
            for bit in ones(_all_bits(name, mine)):
                yield Change("add", name, 1 << bit, is_first=True)
                if has_order(name):
                    yield Change("add", name, 1 << bit)
    for symbol in facts.symbols:
        if not has_order(symbol.name):
            for bit in ones(_all_bits(symbol.name, mine) & ~symbol.bits):
                yield Change("set", symbol.name, 1 << bit)
    yield from (Change("remove", name) for name in present)


def _all_bits(name: str, mine: TypeJudge) -> int:
    if has_order(name):
        return mine.rules.ways.get(name, 1)
    return (1 << len(mine.rules.values.get(name, ()))) - 1


def _changed(facts: Facts, changes: list[Change]) -> Facts:
    symbols, blank = list(facts.symbols), facts.blank
    for change in changes:
        blank = None if change.name == TEXT else blank
        if change.kind == "remove":
            symbols = [symbol for symbol in symbols if symbol.name != change.name]
        elif change.kind == "set":
            symbols = [s if s.name != change.name else Symbol(s.name, change.bits) for s in symbols]
        else:
            symbols.insert(0 if change.is_first else len(symbols), Symbol(change.name, change.bits))
    return Facts(tuple(symbols), blank)


def _said(change: Change, mine: TypeJudge | None, facts: Facts) -> str:
    """Give a change in words; ``mine`` tells the values, which of several changes depend on one another."""
    words = _words(change, mine) if mine else ()
    listed = f" ({_listed(words)})" if words else ""
    if change.kind == "add":
        return f"needs {_noun(change.name)}{listed}"
    if change.kind == "remove":
        many = sum(symbol.name == change.name for symbol in facts.symbols) > 1
        return f"may not have {_noun(change.name)}{' here' if many else ''}"
    if change.name == TEXT:
        return f"needs another text{listed}"
    return f"needs another {_noun(change.name).removeprefix('the ')}{listed or ' value'}"


def _words(change: Change, mine: TypeJudge) -> tuple[str, ...]:
    values = mine.rules.values.get(change.name, ())
    words = [values[bit].words for bit in ones(change.bits) if bit < len(values)]
    return tuple(word for each in words for word in each) if all(words) else ()


def _listed(words: tuple[str, ...]) -> str:
    shown = ", ".join(words[:_LISTED])
    return f"{shown} and {len(words) - _LISTED} more" if len(words) > _LISTED else shown


def _start(element: etree._Element, mine: TypeJudge, facts: Facts) -> str:
    """Give the start tag with the attributes that rules choose by: those that have words for values."""
    telling = []
    for symbol in facts.symbols:
        values = mine.rules.values.get(symbol.name, ())
        if symbol.name.startswith("@") and values and any(value.words for value in values):
            name = symbol.name[1:]
            telling.append(f" {_short(name)}={element.get(name)!r}")
    return f"<{_tag(element)}{''.join(telling[:_MOST_SHOWN])}>"


def _noun(name: str) -> str:
    if name == TEXT:
        return "a text"
    return f"the attribute {_short(name[1:])}" if name.startswith("@") else f"<{_short(name)}>"


def _tag(element: etree._Element) -> str:
    return _short(str(element.tag))


def _short(name: str) -> str:
    return name.rpartition("}")[2]
