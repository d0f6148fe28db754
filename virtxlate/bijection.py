"""A word list that is read in both directions.

Rule 1: a term stands in one row only, on each side; what is read in one direction only is an alias.
Rule 2: this module knows no word of Ganeti and none of libvirt.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

from virtxlate.errors import TableError, UnknownTermError

if TYPE_CHECKING:
    from collections.abc import Iterable

L = TypeVar("L")
R = TypeVar("R")


class Bijection(Generic[L, R]):
    """Pairs of terms, one row each; ``aliases`` are read left to right only, ``back`` right to left only.

    >>> MODES = Bijection("modes", [("off", "ignore"), ("on", "unmap")], aliases=[("default", "ignore")])
    >>> MODES.right("default"), MODES.left("unmap")
    ('ignore', 'on')

    Raises TableError when a term appears in two rows, or an alias names a term that has a row of its own.
    """

    __slots__ = ("_left", "_right", "name", "rows")

    def __init__(
        self,
        name: str,
        rows: Iterable[tuple[L, R]],
        *,
        aliases: Iterable[tuple[L, R]] = (),
        back: Iterable[tuple[L, R]] = (),
    ) -> None:
        self.name = name
        self.rows = tuple(rows)
        self._right = dict(self.rows)
        self._left = {right: left for left, right in self.rows}
        if not len(self.rows) == len(self._right) == len(self._left):
            raise TableError(f"{name}: a term appears in two rows; make one an alias")
        for left, right in aliases:
            if left in self._right or right not in self._left:
                raise TableError(f"{name}: alias {left!r} shadows a row, or its target {right!r} has none")
            self._right[left] = right
        for left, right in back:
            if right in self._left or left not in self._right:
                raise TableError(f"{name}: alias {right!r} shadows a row, or its target {left!r} has none")
            self._left[right] = left

    def right(self, term: L) -> R:
        """Give the right-hand term. Raises UnknownTermError with the known terms."""
        try:
            return self._right[term]
        except KeyError:
            raise UnknownTermError(self.name, "left", term, self._right) from None

    def left(self, term: R) -> L:
        """Give the left-hand term. Raises UnknownTermError with the known terms."""
        try:
            return self._left[term]
        except KeyError:
            raise UnknownTermError(self.name, "right", term, self._left) from None

    def knows_left(self, term: L) -> bool:
        """Tell whether ``right(term)`` has an answer."""
        return term in self._right

    def knows_right(self, term: R) -> bool:
        """Tell whether ``left(term)`` has an answer."""
        return term in self._left
