"""Kinds of values: both halves, and reading as strict as writing."""

from __future__ import annotations

from typing import Any

import pytest

from virtxlate.errors import InternalError
from virtxlate.xmlmap import INTEGER, ON_OFF, TEXT, YES_NO, Kind, hexadecimal, one_of

CACHE = one_of("cache mode", ("none", "writeback"))

BOTH_WAYS = [
    (INTEGER, 0, "0"),
    (INTEGER, -7, "-7"),
    (INTEGER, 10**19, "10000000000000000000"),
    (hexadecimal(2), 12, "0x0c"),
    (hexadecimal(4), 0, "0x0000"),
    (hexadecimal(1), 255, "0xff"),
    (YES_NO, True, "yes"),
    (YES_NO, False, "no"),
    (ON_OFF, True, "on"),
    (ON_OFF, False, "off"),
    (CACHE, "none", "none"),
]


@pytest.mark.parametrize(("kind", "value", "text"), BOTH_WAYS)
def test_a_value_is_written(kind: Kind, value: Any, text: str) -> None:
    assert kind.to_xml is not None
    assert kind.to_xml(value) == text


@pytest.mark.parametrize(("kind", "value", "text"), BOTH_WAYS)
def test_a_value_is_read(kind: Kind, value: Any, text: str) -> None:
    assert kind.from_xml(text) == value


def test_text_stays_as_it_is() -> None:
    assert TEXT.from_xml(" x\n") == " x\n"
    assert TEXT.to_xml is None


ALSO_READ = [
    (INTEGER, " 7\n", 7),
    (INTEGER, "007", 7),
    (hexadecimal(2), "12", 12),
    (hexadecimal(2), "0XC", 12),
    (hexadecimal(2), " 0x0c ", 12),
    (hexadecimal(4), "0xffffffffffffffff", 2**64 - 1),
]


@pytest.mark.parametrize(("kind", "text", "value"), ALSO_READ)
def test_other_spellings_are_read(kind: Kind, text: str, value: int) -> None:
    assert kind.from_xml(text) == value


REFUSED = [
    *((INTEGER, text, f"expected a whole number, found {text!r}") for text in ("", "x", "1.5", "0x1", "1_0")),
    *(
        (INTEGER, text, f"expected a whole number, found {text!r}")
        for text in ("+1", "--1", "9" * 21, "\u0663")
    ),
    *(
        (hexadecimal(2), text, f"expected a number such as 0x0c or 12, found {text!r}")
        for text in ("", "-1", "0x", "c", "0x" + "f" * 17, "9" * 21, "1e3")
    ),
    *((YES_NO, text, f"expected 'yes' or 'no', found {text!r}") for text in ("", "on", "YES", "1")),
    *((ON_OFF, text, f"expected 'on' or 'off', found {text!r}") for text in ("", "yes", "On")),
    (CACHE, "unsafe", "expected cache mode, one of 'none', 'writeback', found 'unsafe'"),
    (CACHE, "", "expected cache mode, one of 'none', 'writeback', found ''"),
]


@pytest.mark.parametrize(("kind", "text", "message"), REFUSED)
def test_what_is_no_value_is_refused(kind: Kind, text: str, message: str) -> None:
    with pytest.raises(ValueError, match="expected") as caught:
        kind.from_xml(text)
    assert str(caught.value) == message


def test_writing_is_as_strict_as_reading() -> None:
    assert CACHE.to_xml is not None
    with pytest.raises(InternalError) as caught:
        CACHE.to_xml("unsafe")
    assert str(caught.value) == "cache mode: 'unsafe' is none of none, writeback"
