"""One type for each element, as XSD 1.0 wants it: all elements of one name in one place have the same.

Where a grammar has several patterns for one name in one place, the type takes what any of them takes; what is
lost by that is found in ``residue``.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from virtxlate.domain.grammar import COUNTED_BY
from virtxlate.errors import SchemaSourceError
from virtxlate.schema.bounds import UNBOUNDED, Bounds, bounds_of, either
from virtxlate.schema.minimal import ones
from virtxlate.schema.patterns import EMPTY, TEXT, has_order
from virtxlate.schema.relaxng import ANYTHING, Grammar
from virtxlate.schema.values import Value, one_of

_MOST_EXPANDED = 3


Model = Literal["nothing", "anything", "all", "one", "expanded", "loose"]
"""nothing: no children; all: each at most once; one: a single name; expanded: few that stand once among
others that are repeated, every order written out; loose: the same where they are many, only those written out
that must be there."""


class ElementType(NamedTuple):
    """The type of the elements of one name in one or more places."""

    name: str
    candidates: tuple[int, ...]
    """Element patterns of the grammar; a child of this type has bit 1 << i for candidate i in rules."""
    bounds: Bounds
    """Everything that any candidate takes: attributes, text and children."""
    children: dict[str, int]
    """Number of the type of each child, in the order of the grammar."""
    model: Model


class Types(NamedTuple):
    """The types of a grammar; the roots by name."""

    grammar: Grammar
    types: tuple[ElementType, ...]
    roots: dict[str, int]

    def value(self, bits: int) -> Value:
        """Give what an attribute or text with these bits may be."""
        return one_of(self.grammar.values[number] for number in ones(bits))


def typed(grammar: Grammar) -> Types:
    """Give the types of a grammar, from its roots down, in an order that depends on nothing else."""
    return _Typing(grammar).types()


class _Typing:
    def __init__(self, grammar: Grammar) -> None:
        self._grammar = grammar
        self._known: dict[int, Bounds] = {EMPTY: {}}
        self._numbers: dict[tuple[str, int], int] = {}
        self._open: list[tuple[str, int]] = []
        self._foreign: dict[str, int] = {}
        for number, element in enumerate(grammar.elements):
            if element.name.startswith("{"):
                self._foreign[element.name] = self._foreign.get(element.name, 0) | 1 << number

    def types(self) -> Types:
        starts = bounds_of(self._grammar.patterns, self._grammar.start, self._known)
        roots = {name: self._number(name, bound.bits) for name, bound in starts.items()}
        found = []
        for name, bits in self._open:
            found.append(self._type(name, bits))
        return Types(self._grammar, tuple(found), roots)

    def _number(self, name: str, bits: int, parent: str = "") -> int:
        if _namespace(name) != _namespace(parent):
            # A file declares each name that others refer to once.
            bits = self._foreign.get(name, bits)
        key = (name, bits)
        if key not in self._numbers:
            self._numbers[key] = len(self._numbers)
            self._open.append(key)
        return self._numbers[key]

    def _type(self, name: str, bits: int) -> ElementType:
        candidates = tuple(ones(bits))
        contents = [self._grammar.elements[each].content for each in candidates]
        bounds = either([bounds_of(self._grammar.patterns, each, self._known) for each in contents])
        children = {
            child: self._number(child, bound.bits, name)
            for child, bound in bounds.items()
            if has_order(child) and child != ANYTHING
        }
        return ElementType(name, candidates, bounds, children, _model(name, bounds))


def _namespace(name: str) -> str:
    return name.rpartition("}")[0]


def _model(name: str, bounds: Bounds) -> Model:
    children = {name: bound for name, bound in bounds.items() if has_order(name)}
    if not children:
        return "nothing"
    if ANYTHING in children:
        if len(children) > 1:
            raise SchemaSourceError("anyName beside other elements is not understood", at=name)
        return "anything"
    if all(bound.high == 1 for bound in children.values()):
        return "all"
    if len(children) == 1:
        return "one"
    singles = [bound for bound in children.values() if bound.high == 1]
    if singles and len(singles) <= _MOST_EXPANDED:
        return "expanded"
    return "loose"


def written_out(each: ElementType) -> tuple[str, ...]:
    """Give the single children whose every place among the others is written out in the XSD."""
    single = {name: bound for name, bound in each.bounds.items() if has_order(name) and bound.high == 1}
    if each.model == "expanded":
        return tuple(single)
    needed = tuple(name for name, bound in single.items() if bound.low)
    return needed if each.model == "loose" and len(needed) <= _MOST_EXPANDED else ()


def is_counted(each: ElementType, name: str) -> bool:
    """Say whether the content model of a type counts a child exactly as its bounds do."""
    bound = each.bounds[name]
    if each.model in {"all", "one"} or name in written_out(each):
        return True
    return bound[:2] == (0, UNBOUNDED)


def marked_once(types: Types, each: ElementType) -> tuple[str, ...]:
    """Give the children that an XSD counts by a mark: they stand once, in content where nothing is counted.

    The mark is an attribute with a default, and no two marks in an element may be the same.
    """
    if each.model != "loose":
        return ()
    return tuple(
        name
        for name, number in each.children.items()
        if each.bounds[name].high == 1
        and name not in written_out(each)
        and _namespace(name) == _namespace(each.name)
        and f"@{COUNTED_BY}" not in types.types[number].bounds
    )


def is_mixed(each: ElementType) -> bool:
    """Say whether text may stand among children."""
    return TEXT in each.bounds and each.model != "nothing"
