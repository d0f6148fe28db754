"""The word list: rows both ways, aliases one way, contradictions refused."""

from __future__ import annotations

import pytest

from virtxlate.bijection import Bijection
from virtxlate.errors import TableError, UnknownTermError

ROWS = [("off", "ignore"), ("on", "unmap")]
MODES = Bijection("modes", ROWS, aliases=[("default", "ignore")], back=[("off", "never")])


@pytest.mark.parametrize(("left", "right"), ROWS)
def test_a_row_is_read_both_ways(left: str, right: str) -> None:
    assert MODES.right(left) == right
    assert MODES.left(right) == left


def test_rows_stay_in_the_order_of_declaration() -> None:
    assert MODES.rows == tuple(ROWS)
    assert MODES.name == "modes"


def test_an_alias_is_read_left_to_right_only() -> None:
    assert MODES.right("default") == "ignore"
    assert MODES.left("ignore") == "off"


def test_a_back_alias_is_read_right_to_left_only() -> None:
    assert MODES.left("never") == "off"
    assert MODES.right("off") == "ignore"


def test_it_tells_what_it_knows() -> None:
    assert [MODES.knows_left(word) for word in ("off", "default", "never")] == [True, True, False]
    assert [MODES.knows_right(word) for word in ("ignore", "never", "default")] == [True, True, False]


def test_an_unknown_left_term_names_the_known_ones() -> None:
    with pytest.raises(UnknownTermError) as caught:
        MODES.right("aio")
    assert str(caught.value) == "modes: no left term 'aio' (known: 'off', 'on', 'default')"
    assert (caught.value.table, caught.value.term) == ("modes", "aio")
    assert caught.value.known == ("off", "on", "default")
    assert caught.value.__suppress_context__


def test_an_unknown_right_term_names_the_known_ones() -> None:
    with pytest.raises(UnknownTermError) as caught:
        MODES.left("aio")
    assert str(caught.value) == "modes: no right term 'aio' (known: 'ignore', 'unmap', 'never')"


CONTRADICTIONS = [
    ([("a", 1), ("a", 2)], [], [], "t: a term appears in two rows; make one an alias"),
    ([("a", 1), ("b", 1)], [], [], "t: a term appears in two rows; make one an alias"),
    ([("a", 1), ("a", 1)], [], [], "t: a term appears in two rows; make one an alias"),
    ([("a", 1)], [("a", 1)], [], "t: alias 'a' shadows a row, or its target 1 has none"),
    ([("a", 1)], [("b", 2)], [], "t: alias 'b' shadows a row, or its target 2 has none"),
    ([("a", 1)], [("b", 1), ("b", 1)], [], "t: alias 'b' shadows a row, or its target 1 has none"),
    ([("a", 1)], [], [("a", 1)], "t: alias 1 shadows a row, or its target 'a' has none"),
    ([("a", 1)], [], [("b", 2)], "t: alias 2 shadows a row, or its target 'b' has none"),
]


@pytest.mark.parametrize(("rows", "aliases", "back", "message"), CONTRADICTIONS)
def test_a_list_that_contradicts_itself_is_refused(
    rows: list[tuple[str, int]], aliases: list[tuple[str, int]], back: list[tuple[str, int]], message: str
) -> None:
    with pytest.raises(TableError) as caught:
        Bijection("t", rows, aliases=aliases, back=back)
    assert str(caught.value) == message


def test_an_empty_list_knows_nothing() -> None:
    empty: Bijection[str, str] = Bijection("empty", [])
    with pytest.raises(UnknownTermError) as caught:
        empty.right("x")
    assert str(caught.value) == "empty: no left term 'x' (known: )"
