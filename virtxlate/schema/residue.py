"""What a grammar says and the XSD types of it do not: the rules that make up for it."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from virtxlate.errors import SchemaSourceError
from virtxlate.schema.bounds import UNBOUNDED, Bound
from virtxlate.schema.minimal import Rewriter, ones
from virtxlate.schema.patterns import EMPTY, TEXT, Patterns, has_order
from virtxlate.schema.relaxng import ANYTHING
from virtxlate.schema.rules import Candidate, Count, RuleTable, TypeRules
from virtxlate.schema.types import ElementType, Types, is_counted, is_mixed, marked_once
from virtxlate.schema.values import ANY_TEXT, Data, Value


def rules_of(types: Types) -> RuleTable:
    """Give the rules of a grammar; a type without a rule in it or below it is left out."""
    target = Patterns()
    own = [_TypeResidue(types, each, target).rules() for each in types.types]
    deep = _deep(types, {number for number, rules in enumerate(own) if rules.candidates or rules.marked})
    order = sorted(deep)
    place = {number: at for at, number in enumerate(order)}
    found = []
    for number in order:
        children = types.types[number].children
        deeper = {name: place[child] for name, child in children.items() if child in place}
        rules = own[number]
        found.append(msgspec.structs.replace(rules, children=deeper))
    roots = {name: place[number] for name, number in types.roots.items() if number in place}
    return RuleTable(tuple(target.nodes), tuple(found), roots)


def _deep(types: Types, deep: set[int]) -> set[int]:
    """Give the types that have a rule, or a child that has one, and so on."""
    while True:
        above = {n for n, each in enumerate(types.types) if not deep.isdisjoint(each.children.values())}
        if above <= deep:
            return deep
        deep = deep | above


class _Simple(NamedTuple):
    name: str
    bound: Bound


class _Local(Rewriter):
    """Copies patterns of one type, with the bits that the rules of this type use."""

    def __init__(self, residue: _TypeResidue, target: Patterns) -> None:
        super().__init__(residue.types.grammar.patterns, target)
        self._residue = residue

    def bits(self, name: str, bits: int) -> int:
        return self._residue.local_bits(name, bits)


class _TypeResidue:
    def __init__(self, types: Types, each: ElementType, target: Patterns) -> None:
        self.types = types
        self._type = each
        self._patterns = types.grammar.patterns
        self._marked = marked_once(types, each)
        self._values: dict[str, dict[Value, int]] = {}
        self._ways: dict[str, int] = {}
        self._copier = _Local(self, target)

    def rules(self) -> TypeRules:
        candidates = tuple(self._candidate(number) for number in self._type.candidates)
        if len(candidates) == 1 and candidates[0] == Candidate((), (), ()):
            candidates = ()
        values = {name: tuple(known) for name, known in sorted(self._values.items())}
        ways = dict(sorted(self._ways.items()))
        return TypeRules(self._type.name, candidates, values, ways, self._marked)

    def _candidate(self, number: int) -> Candidate:
        content = self.types.grammar.elements[number].content
        counts, patterns = [], []
        for part in self._patterns.conjuncts(content):
            simple = self._simple(part)
            if simple is not None and self._is_expressed(simple):
                continue
            if simple is not None and has_order(simple.name) and self._is_whole(simple):
                high = None if simple.bound.high == UNBOUNDED else simple.bound.high
                counts.append(Count(simple.name, simple.bound.low, high))
            else:
                patterns.append(self._copier.copy(part))
        never = sorted(set(self._type.bounds) - self._patterns.names[content])
        if ANYTHING in never or any(ANYTHING in self._copier.target.names[part] for part in patterns):
            raise SchemaSourceError("anyName beside other alternatives is not understood", at=self._type.name)
        return Candidate(tuple(sorted(counts, key=lambda c: c.name)), tuple(sorted(patterns)), tuple(never))

    def _simple(self, part: int) -> _Simple | None:
        """Give what a pattern says if it speaks of one name alone, without alternatives."""
        node = self._patterns.nodes[part]
        low = 1
        if node.kind == "choice" and EMPTY in node.parts and len(node.parts) == len((EMPTY, part)):
            low = 0
            node = self._patterns.nodes[next(each for each in node.parts if each != EMPTY)]
        high = 1
        if node.kind == "plus":
            high = UNBOUNDED
            node = self._patterns.nodes[node.parts[0]]
        return _Simple(node.name, Bound(low, high, node.bits)) if node.kind == "atom" else None

    def _is_whole(self, simple: _Simple) -> bool:
        return simple.bound.bits == self._type.bounds[simple.name].bits

    def _is_expressed(self, simple: _Simple) -> bool:
        """Say whether the XSD type demands exactly this."""
        mine = self._type.bounds[simple.name]
        if simple.name in self._marked and simple.bound == mine and not mine.low:
            return True
        if has_order(simple.name):
            return simple.bound == mine and (simple.name == ANYTHING or is_counted(self._type, simple.name))
        value = self.types.value(simple.bound.bits)
        if value != self.types.value(mine.bits) or _has_exception(value):
            return False
        if simple.name != TEXT:
            return simple.bound == mine
        return value == ANY_TEXT if is_mixed(self._type) or simple.bound.low == 0 else mine.low == 1

    def local_bits(self, name: str, bits: int) -> int:
        if not has_order(name):
            known = self._values.setdefault(name, {})
            return sum(1 << known.setdefault(self.types.grammar.values[n], len(known)) for n in ones(bits))
        candidates = self.types.types[self._type.children[name]].candidates
        self._ways[name] = (1 << len(candidates)) - 1
        return sum(1 << at for at, number in enumerate(candidates) if bits >> number & 1)


def _has_exception(value: Value) -> bool:
    return any(isinstance(each, Data) and each.never for each in value.alternatives)
