"""Every two values meet, in few rows, the same rows every time."""

from __future__ import annotations

from itertools import combinations
from math import prod
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.pairwise import Row, pairwise

PARAMETERS: dict[str, tuple[Any, ...]] = {
    "disk": ("virtio", "ide", "scsi"),
    "vga": ("std", "cirrus"),
    "nics": (0, 1, 2, 3),
    "acpi": (True, False),
    "devices": ((), ("tablet",)),
}


def anything(_row: Row) -> bool:
    return True


def met(rows: list[Row]) -> set[tuple[Any, ...]]:
    return {pair for row in rows for pair in combinations(row.items(), 2)}


@given(st.lists(st.integers(min_value=1, max_value=5), min_size=2, max_size=6))
def test_every_two_values_meet_in_fewer_rows_than_all_there_are(sizes: list[int]) -> None:
    parameters = {f"p{at}": tuple(range(size)) for at, size in enumerate(sizes)}
    rows = list(pairwise(parameters, anything))
    wanted = {
        ((one, left), (other, right))
        for one, other in combinations(parameters, 2)
        for left in parameters[one]
        for right in parameters[other]
    }
    assert met(rows) == wanted
    assert len(rows) <= prod(sizes)
    assert all(list(row) == list(parameters) for row in rows)


def test_the_rows_are_few_and_the_same_each_time() -> None:
    rows = list(pairwise(PARAMETERS, anything))
    assert len(rows) <= 14  # 12 is the least that 3 x 4 values can have; all combinations are 96
    assert rows == list(pairwise(PARAMETERS, anything))
    assert rows[0] == {"disk": "virtio", "vga": "std", "nics": 0, "acpi": True, "devices": ()}


def test_what_is_not_allowed_does_not_meet_and_all_else_does() -> None:
    def allowed(row: Row) -> bool:
        return not (row.get("disk") == "ide" and row.get("nics") in {2, 3})

    rows = list(pairwise(PARAMETERS, allowed))
    assert all(allowed(row) for row in rows)
    forbidden = {(("disk", "ide"), ("nics", 2)), (("disk", "ide"), ("nics", 3))}
    assert met(list(pairwise(PARAMETERS, anything))) - met(rows) == forbidden


def test_a_pair_that_no_row_can_hold_is_an_error() -> None:
    def allowed(row: Row) -> bool:
        return not (row.get("disk") == "ide" and row.get("nics") == 3 and "acpi" in row)

    with pytest.raises(
        ValueError, match=r"^no row can hold \{'disk': 'ide', 'nics': 3\}: say so in `allowed`$"
    ):
        list(pairwise(PARAMETERS, allowed))
