"""Rules in words: patterns in the compact notation of RELAX NG, as far as it goes."""

from __future__ import annotations

from collections.abc import Iterator

from virtxlate.schema.minimal import ones
from virtxlate.schema.patterns import EMPTY, TEXT, Patterns, has_order
from virtxlate.schema.rules import Candidate, Count, RuleTable, TypeRules
from virtxlate.schema.values import Data, Value

_JOINTS = {"choice": " | ", "interleave": " & ", "group": ", "}


def told(table: RuleTable, element: str = "") -> Iterator[str]:
    """Give the rules of a table, or of the elements of one name in it, line by line."""
    patterns = table.patterns()
    for at, rules in enumerate(table.types):
        if rules.candidates and element in {"", rules.name, rules.name.rpartition("}")[2]}:
            parents = sorted({each.name for each in table.types if at in each.children.values()})
            yield f"{rules.name} in {', '.join(parents)}" if parents else rules.name
            for number, candidate in enumerate(rules.candidates, 1):
                if len(rules.candidates) > 1:
                    yield f"  way {number}:"
                yield from (f"    {line}" for line in _told(candidate, rules, patterns))


def _told(candidate: Candidate, rules: TypeRules, patterns: Patterns) -> Iterator[str]:
    for part in candidate.patterns:
        yield _pattern(part, rules, patterns)
    yield from (_count(count) for count in candidate.counts)
    if candidate.never:
        yield f"never {', '.join(candidate.never)}"
    if candidate == Candidate((), (), ()):
        yield "anything that the XSD takes"


def _count(count: Count) -> str:
    most = {None: "or more", count.low: "exactly"}.get(count.high, f"to {count.high}")
    return f"{count.name}: {count.low} {most}"


def _pattern(part: int, rules: TypeRules, patterns: Patterns) -> str:
    node = patterns.nodes[part]
    if node.kind == "atom":
        return _atom(node.name, node.bits, rules)
    if node.kind == "plus":
        return f"{_pattern(node.parts[0], rules, patterns)}+"
    if part == EMPTY:
        return "empty"
    inner = [_pattern(each, rules, patterns) for each in node.parts if each != EMPTY]
    whole = inner[0] if len(inner) == 1 else f"({_JOINTS[node.kind].join(inner)})"
    return f"{whole}?" if EMPTY in node.parts else whole


def _atom(name: str, bits: int, rules: TypeRules) -> str:
    if has_order(name):
        whole = rules.ways.get(name, bits)
        ways = ",".join(str(bit + 1) for bit in ones(bits))
        return name if bits == whole else f"{name}[way {ways}]"
    values = [_value(rules.values[name][bit]) for bit in ones(bits)]
    noun = "text" if name == TEXT else name
    return noun if values == ["string"] else f"{noun}={'|'.join(values)}"


def _value(value: Value) -> str:
    return "|".join(_data(each) if isinstance(each, Data) else repr(each.text) for each in value.alternatives)


def _data(data: Data) -> str:
    facets = [text if name == "pattern" else f"{name} {text}" for name, text in data.facets]
    facets += [f"not {word.text!r}" for word in data.never]
    return f"{data.type}({', '.join(facets)})" if facets else data.type
