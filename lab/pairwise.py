"""Few combinations of many parameters, in which every two values of two parameters meet at least once.

Greedy and without chance: the same parameters always give the same rows.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

Row = dict[str, Any]
_Pick = tuple[str, int]
"""A parameter and the index of one of its values, which need not be hashable."""


def pairwise(parameters: Mapping[str, Sequence[Any]], allowed: Callable[[Row], bool]) -> Iterator[Row]:
    """Give rows, each a value for every parameter, until every two values that may meet have met.

    ``allowed`` is asked about parts of rows, too, and must say no only for what no completion can repair.
    The first value of a parameter is its usual one.
    """
    plan = _Plan(parameters, allowed)
    while plan.missing:
        yield plan.next_row()


class _Plan:
    def __init__(self, parameters: Mapping[str, Sequence[Any]], allowed: Callable[[Row], bool]) -> None:
        self._parameters = parameters
        self._allowed = allowed
        picks = [(name, at) for name, values in parameters.items() for at in range(len(values))]
        self.missing: dict[tuple[_Pick, _Pick], None] = {
            (one, other): None
            for one, other in combinations(picks, 2)
            if one[0] != other[0] and allowed(self._row([one, other]))
        }

    def _row(self, picks: Sequence[_Pick]) -> Row:
        return {name: self._parameters[name][at] for name, at in picks}

    def next_row(self) -> Row:
        """Give a row around the first pair that has not met; a pair that no row can hold is dropped."""
        first = next(iter(self.missing))
        picks = self._complete(list(first))
        self.missing.pop(first)
        if picks is None:
            raise ValueError(f"no row can hold {self._row(first)}: say so in `allowed`")
        for met in combinations(sorted(picks, key=self._rank), 2):
            self.missing.pop(met, None)
        return {name: self._row(picks)[name] for name in self._parameters}

    def _rank(self, pick: _Pick) -> int:
        return list(self._parameters).index(pick[0])

    def _complete(self, picks: list[_Pick]) -> list[_Pick] | None:
        """Give the picks with one for every parameter, those first that bring most new pairs, or None."""
        names = [name for name in self._parameters if all(name != each for each, _ in picks)]
        if not names:
            return picks
        for pick in self._best_first(names[0], picks):
            if self._allowed(self._row([*picks, pick])):
                found = self._complete([*picks, pick])
                if found is not None:
                    return found
        return None

    def _best_first(self, name: str, picks: list[_Pick]) -> list[_Pick]:
        choices = [(name, at) for at in range(len(self._parameters[name]))]
        return sorted(choices, key=lambda pick: -self._news(pick, picks))

    def _news(self, pick: _Pick, picks: list[_Pick]) -> int:
        pairs = (sorted((pick, other), key=self._rank) for other in picks)
        return sum(tuple(pair) in self.missing for pair in pairs)
