"""Elements that accept the same, made one: a grammar says many things several times."""

from __future__ import annotations

from collections.abc import Sequence

from virtxlate.schema.patterns import EMPTY, NONE, Patterns, has_order
from virtxlate.schema.relaxng import ElementPattern, Grammar


class Rewriter:
    """Copies patterns into another table, with other bits for atoms."""

    def __init__(self, source: Patterns, target: Patterns) -> None:
        self.source = source
        self.target = target
        self._copied: dict[int, int] = {NONE: NONE, EMPTY: EMPTY}

    def bits(self, name: str, bits: int) -> int:
        """Give the bits of an atom in the copy."""
        raise NotImplementedError

    def copy(self, part: int) -> int:
        """Give the number of the copy of a pattern."""
        found = self._copied.get(part)
        if found is None:
            found = self._copied[part] = self._copy(part)
        return found

    def _copy(self, part: int) -> int:
        node = self.source.nodes[part]
        if node.kind == "atom":
            return self.target.atom(node.name, self.bits(node.name, node.bits))
        parts = [self.copy(each) for each in node.parts]
        if node.kind == "plus":
            return self.target.plus(parts[0])
        if node.kind == "choice":
            return self.target.choice(parts)
        return self.target.group(parts) if node.kind == "group" else self.target.interleave(parts)


class _ByClass(Rewriter):
    def __init__(self, source: Patterns, target: Patterns, classes: list[int]) -> None:
        super().__init__(source, target)
        self._classes = classes

    def bits(self, name: str, bits: int) -> int:
        if not has_order(name):
            return bits
        return sum({1 << self._classes[number] for number in ones(bits)})


def ones(bits: int) -> list[int]:
    """Give the numbers of the bits that are set, lowest first."""
    found = []
    while bits:
        found.append((bits & -bits).bit_length() - 1)
        bits &= bits - 1
    return found


def minimal(grammar: Grammar) -> Grammar:
    """Give the same grammar with the fewest elements: those of one name stay apart only if they must."""
    names = [element.name for element in grammar.elements]
    classes = _numbered(names)
    while True:
        target = Patterns()
        rewriter = _ByClass(grammar.patterns, target, classes)
        contents = [target.factored(rewriter.copy(element.content)) for element in grammar.elements]
        finer = _numbered(list(zip(classes, contents, strict=True)))
        if len(set(finer)) == len(set(classes)):
            break
        classes = finer
    first = [classes.index(number) for number in range(len(set(classes)))]
    elements = tuple(ElementPattern(names[each], contents[each]) for each in first)
    return Grammar(target, grammar.values, elements, rewriter.copy(grammar.start))


def _numbered(keys: Sequence[object]) -> list[int]:
    numbers: dict[object, int] = {}
    return [numbers.setdefault(key, len(numbers)) for key in keys]
