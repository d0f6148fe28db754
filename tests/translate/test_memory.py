"""What is remembered belongs to one context, and does not grow without end."""

from __future__ import annotations

from virtxlate import Context
from virtxlate.translate.memory import Memory

ONE, OTHER = Context(), Context(metadata=False)


def test_the_same_context_finds_what_was_left() -> None:
    memory: Memory[dict[str, int]] = Memory(dict, most=9)
    memory.of(ONE)["a"] = 1
    assert memory.of(ONE) == {"a": 1}


def test_another_context_begins_anew_though_it_is_equal() -> None:
    memory: Memory[dict[str, int]] = Memory(dict, most=9)
    for other in (OTHER, Context()):
        memory.of(ONE)["a"] = 1
        assert memory.of(other) == {}


def test_too_much_begins_anew() -> None:
    memory: Memory[dict[int, int]] = Memory(dict, most=2)
    sizes = []
    for number in range(5):
        kept = memory.of(ONE)
        kept[number] = number
        sizes.append(len(kept))
    assert sizes == [1, 2, 3, 1, 2]
