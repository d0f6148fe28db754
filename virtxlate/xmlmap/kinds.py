"""How single values stand in XML: each kind holds both halves, and reads as strictly as it writes.

This module knows no word of libvirt; enumerations bring their words along.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from virtxlate.errors import InternalError
from virtxlate.xmlmap.escaping import is_plain


class Kind(msgspec.Struct, frozen=True):
    """One kind of value; ``from_xml`` raises ValueError saying what was expected and found.

    ``to_xml`` None: the text as it is. ``plain``: what ``to_xml`` gives never needs escaping.
    """

    name: str
    from_xml: Callable[[str], Any]
    to_xml: Callable[[Any], str] | None = None
    plain: bool = False


def one_of(name: str, words: Sequence[str]) -> Kind:
    """Give the kind of an enumeration; any other word is an error that names the known ones."""
    table = {word: word for word in words}

    def from_xml(text: str) -> str:
        if text not in table:
            raise ValueError(f"expected {name}, one of {', '.join(map(repr, table))}, found {text!r}")
        return table[text]

    def to_xml(word: str) -> str:
        if word not in table:
            raise InternalError(f"{name}: {word!r} is none of {', '.join(table)}")
        return word

    return Kind(name, from_xml, to_xml, plain=all(map(is_plain, table)))


_DECIMAL = re.compile(r"\s*-?[0-9]{1,20}\s*", re.ASCII)
_NUMBER = re.compile(r"\s*(?:0[xX][0-9a-fA-F]{1,16}|[0-9]{1,20})\s*", re.ASCII)


def _integer(text: str) -> int:
    if not _DECIMAL.fullmatch(text):
        raise ValueError(f"expected a whole number, found {text!r}")
    return int(text)


def _number(text: str) -> int:
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"expected a number such as 0x0c or 12, found {text!r}")
    text = text.strip()
    return int(text, 16) if text[:2] in {"0x", "0X"} else int(text)


def _two_words(name: str, true: str, false: str) -> Kind:
    words = {true: True, false: False}

    def from_xml(text: str) -> bool:
        if text not in words:
            raise ValueError(f"expected {true!r} or {false!r}, found {text!r}")
        return words[text]

    return Kind(name, from_xml, lambda value: true if value else false, plain=True)


def hexadecimal(digits: int) -> Kind:
    """Give the kind of a number written as libvirt writes it, ``0x0c``; decimal is read too."""
    return Kind(f"hex{digits}", _number, f"0x{{:0{digits}x}}".format, plain=True)


TEXT = Kind("text", str)
INTEGER = Kind("integer", _integer, str, plain=True)
YES_NO = _two_words("yes or no", "yes", "no")
ON_OFF = _two_words("on or off", "on", "off")
