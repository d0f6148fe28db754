"""Patterns: what may stand inside an element, as sums that are kept in normal form and each made once.

The atoms are attributes ("@name"), the text ("#") and children ("name"). An atom carries what it accepts:
bits, of which a symbol must have one. Attributes and text have no order; children in a group do.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

TEXT = "#"
_MOST_NODES = 100_000


class Node(NamedTuple):
    """One pattern; ``parts`` are numbers of other patterns."""

    kind: str
    """none, empty, atom, choice, group, interleave or plus."""
    parts: tuple[int, ...] = ()
    name: str = ""
    bits: int = 0


NONE, EMPTY = 0, 1


def has_order(name: str) -> bool:
    """Say whether an atom stands for a child, which has a place among others."""
    return not name.startswith(("@", TEXT))


class Patterns:
    """A table of patterns by number; equal patterns have the same number."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.nullable: list[bool] = []
        self.names: list[frozenset[str]] = []
        self._numbers: dict[Node, int] = {}
        self._derived: dict[tuple[int, str, int], int] = {}
        self._fixed = 0
        self._add(Node("none"))
        self._add(Node("empty"))

    @classmethod
    def of(cls, nodes: Iterable[Node]) -> Patterns:
        """Give the table that has these nodes, in this order."""
        patterns = cls()
        for node in nodes:
            patterns._add(node)
        return patterns

    def _add(self, node: Node) -> int:
        number = self._numbers.get(node)
        if number is None:
            number = self._numbers[node] = len(self.nodes)
            self.nodes.append(node)
            self.nullable.append(self._is_nullable(node))
            names = frozenset({node.name} if node.name else ())
            self.names.append(names.union(*(self.names[part] for part in node.parts)))
        return number

    def _is_nullable(self, node: Node) -> bool:
        if node.kind == "choice":
            return any(self.nullable[part] for part in node.parts)
        return node.kind == "empty" or (bool(node.parts) and all(self.nullable[p] for p in node.parts))

    def atom(self, name: str, bits: int) -> int:
        """Give the pattern of one thing."""
        return self._add(Node("atom", name=name, bits=bits)) if bits else NONE

    def choice(self, parts: Iterable[int]) -> int:
        """Give the pattern that is one of others; atoms of one name become one atom."""
        flat = self._flat("choice", parts) - {NONE}
        bits: dict[str, int] = {}
        for part in [p for p in flat if self.nodes[p].kind == "atom"]:
            node = self.nodes[part]
            bits[node.name] = bits.get(node.name, 0) | node.bits
            flat.discard(part)
        flat |= {self.atom(name, each) for name, each in bits.items()}
        if EMPTY in flat and any(self.nullable[part] for part in flat if part != EMPTY):
            flat.discard(EMPTY)
        if not flat:
            return NONE
        return flat.pop() if len(flat) == 1 else self._add(Node("choice", tuple(sorted(flat))))

    def _flat(self, kind: str, parts: Iterable[int]) -> set[int]:
        flat: set[int] = set()
        for part in parts:
            flat.update(self.nodes[part].parts if self.nodes[part].kind == kind else (part,))
        return flat

    def optional(self, part: int) -> int:
        """Give the pattern that may be left out."""
        return self.choice((EMPTY, part))

    def interleave(self, parts: Iterable[int]) -> int:
        """Give the pattern that is all of others, in any order."""
        flat: list[int] = []
        for part in parts:
            node = self.nodes[part]
            flat.extend(node.parts if node.kind == "interleave" else (part,))
        if NONE in flat:
            return NONE
        flat = sorted(part for part in flat if part != EMPTY)
        if not flat:
            return EMPTY
        return flat[0] if len(flat) == 1 else self._add(Node("interleave", tuple(flat)))

    def group(self, parts: Iterable[int]) -> int:
        """Give the pattern that is all of others, one after the other; what has no order is interleaved."""
        flat: list[int] = []
        loose: list[int] = []
        for part in parts:
            if part == NONE:
                return NONE
            node = self.nodes[part]
            if node.kind == "interleave" and not all(any(map(has_order, self.names[p])) for p in node.parts):
                ordered = [p for p in node.parts if any(map(has_order, self.names[p]))]
                loose.extend(p for p in node.parts if p not in ordered)
                flat.append(self.interleave(ordered))
            elif any(map(has_order, self.names[part])):
                flat.extend(node.parts if node.kind == "group" else (part,))
            else:
                loose.append(part)
        flat = [part for part in flat if part != EMPTY]
        if len(flat) > 1:
            return self.interleave((self._add(Node("group", tuple(flat))), *loose))
        return self.interleave((*flat, *loose))

    def plus(self, part: int) -> int:
        """Give the pattern that is another one, once or more often."""
        if part in {NONE, EMPTY} or self.nodes[part].kind == "plus":
            return part
        if self.nullable[part]:
            return self.star(part)
        return self._add(Node("plus", (part,)))

    def star(self, part: int) -> int:
        """Give the pattern that is another one, any number of times.

        Of single children in any order, each may then be repeated by itself.
        """
        atoms = self._loose_atoms(part)
        if atoms is not None:
            return self.interleave(self.optional(self._repeated(atom)) for atom in atoms)
        bare = self.choice(p for p in self._flat("choice", (part,)) if p != EMPTY)
        return self.optional(self._add(Node("plus", (bare,))))

    def _repeated(self, atom: int) -> int:
        return self._add(Node("plus", (atom,))) if has_order(self.nodes[atom].name) else atom

    def _loose_atoms(self, part: int) -> list[int] | None:
        """Give the atoms of a pattern whose repetition is the repetition of each of them, or None."""
        node = self.nodes[part]
        if node.kind in {"atom", "empty"}:
            return [part] if node.kind == "atom" else []
        if node.kind == "plus":
            return self._loose_atoms(node.parts[0])
        if node.kind != "choice" and not (node.kind == "interleave" and self.nullable[part]):
            return None
        found: dict[str, int] = {}
        for each in node.parts:
            atoms = self._loose_atoms(each)
            if atoms is None:
                return None
            for atom in atoms:
                name = self.nodes[atom].name
                found[name] = self.choice((found.get(name, NONE), atom))
        return sorted(found.values())

    def factored(self, part: int) -> int:
        """Give the same pattern with what all alternatives of a choice have in common outside of it."""
        node = self.nodes[part]
        if node.kind in {"interleave", "group"}:
            build = self.interleave if node.kind == "interleave" else self.group
            return build([self.factored(each) for each in node.parts])
        if node.kind == "plus":
            return self.plus(self.factored(node.parts[0]))
        if node.kind != "choice":
            return part
        sides = [self._members(self.factored(each)) for each in node.parts]
        common = sides[0].copy()
        for side in sides[1:]:
            common = [each for each in common if each in side]
        common = [each for number, each in enumerate(common) if each not in common[:number]]
        rest = [self.interleave(_without(side, common)) for side in sides]
        return self.interleave((*common, self.choice(rest)))

    def _members(self, part: int) -> list[int]:
        node = self.nodes[part]
        if part == EMPTY:
            return []
        return list(node.parts) if node.kind == "interleave" else [part]

    def conjuncts(self, part: int) -> list[int]:
        """Give what must all hold, in parts that share no name."""
        pools: list[tuple[frozenset[str], list[int]]] = []
        for member in self._members(part):
            names, members = self.names[member], [member]
            apart = []
            for pool in pools:
                if pool[0] & names:
                    names, members = names | pool[0], pool[1] + members
                else:
                    apart.append(pool)
            pools = [*apart, (names, members)]
        return [self.interleave(members) for _, members in pools]

    def fix(self) -> None:
        """Take what is there for permanent; what is derived later may be forgotten again."""
        self._fixed = len(self.nodes)

    def derive(self, part: int, name: str, bits: int) -> int:
        """Give what is left of a pattern after one symbol; NONE if it does not fit."""
        if name not in self.names[part]:
            return NONE
        key = (part, name, bits)
        found = self._derived.get(key)
        if found is None:
            found = self._derived[key] = self._derive(self.nodes[part], name, bits)
        return found

    def _derive(self, node: Node, name: str, bits: int) -> int:
        if node.kind == "atom":
            return EMPTY if node.bits & bits else NONE
        if node.kind == "choice":
            return self.choice(self.derive(part, name, bits) for part in node.parts)
        if node.kind == "plus":
            inner = node.parts[0]
            return self.group((self.derive(inner, name, bits), self.star(inner)))
        if node.kind == "interleave" or not has_order(name):
            build = self.interleave if node.kind == "interleave" else self.group
            return self.choice(
                build((*node.parts[:at], self.derive(part, name, bits), *node.parts[at + 1 :]))
                for at, part in enumerate(node.parts)
                if name in self.names[part]
            )
        return self._derive_group(node, name, bits)

    def _derive_group(self, node: Node, name: str, bits: int) -> int:
        found = []
        for at, part in enumerate(node.parts):
            found.append(self.group((self.derive(part, name, bits), *node.parts[at + 1 :])))
            if not self.nullable[part]:
                break
        return self.choice(found)

    def tidy(self) -> None:
        """Forget what was derived, once it is much."""
        if len(self.nodes) - self._fixed > _MOST_NODES or len(self._derived) > _MOST_NODES:
            for node in self.nodes[self._fixed :]:
                del self._numbers[node]
            del self.nodes[self._fixed :], self.nullable[self._fixed :], self.names[self._fixed :]
            self._derived.clear()


def _without(parts: list[int], common: list[int]) -> list[int]:
    left = list(parts)
    for each in common:
        left.remove(each)
    return left
