"""Values of attributes and texts: what RELAX NG says of them, and whether a text is one.

A value is hashable and printable, so that a table of values can be written down and read again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache, lru_cache

import msgspec
from lxml import etree

_BLANKS = " \t\n\r"
_RNG = "http://relaxng.org/ns/structure/1.0"
XSD_TYPES = "http://www.w3.org/2001/XMLSchema-datatypes"
_RANGES = {
    "integer": (None, None),
    "positiveInteger": (1, None),
    "nonNegativeInteger": (0, None),
    "byte": (-(2**7), 2**7 - 1),
    "short": (-(2**15), 2**15 - 1),
    "int": (-(2**31), 2**31 - 1),
    "long": (-(2**63), 2**63 - 1),
    "unsignedByte": (0, 2**8 - 1),
    "unsignedShort": (0, 2**16 - 1),
    "unsignedInt": (0, 2**32 - 1),
    "unsignedLong": (0, 2**64 - 1),
}
INTEGERS = frozenset(_RANGES)
_INTEGER = re.compile(r"[+-]?[0-9]+")
_LONGEST_INTEGER = 24
_REMEMBERED = 4096


class Word(msgspec.Struct, frozen=True, order=True, tag_field="kind", tag="word"):
    """One word; blanks around it do not count, unless it is ``exact``."""

    text: str
    exact: bool = False


class Data(msgspec.Struct, frozen=True, order=True, tag_field="kind", tag="data"):
    """A text of an XSD type; every facet must hold, and none of the words of ``never``."""

    type: str
    facets: tuple[tuple[str, str], ...] = ()
    never: tuple[Word, ...] = ()


Alternative = Word | Data


class Value(msgspec.Struct, frozen=True):
    """A text that is one of the alternatives: words first, each kind sorted."""

    alternatives: tuple[Alternative, ...]

    @property
    def words(self) -> tuple[str, ...]:
        """Every word, if there are only words; else nothing."""
        words = tuple(each.text for each in self.alternatives if isinstance(each, Word))
        return words if len(words) == len(self.alternatives) else ()


ANY_TEXT = Value((Data("string"),))
BLANK = Value((Word(""),))


def one_of(values: Iterable[Value]) -> Value:
    """Give the value that is one of several."""
    found = {each for value in values for each in value.alternatives}
    if ANY_TEXT.alternatives[0] in found:
        return ANY_TEXT
    words = sorted(each for each in found if isinstance(each, Word))
    data = sorted(each for each in found if isinstance(each, Data))
    return Value((*words, *data))


@lru_cache(maxsize=_REMEMBERED)
def is_a(text: str, value: Value) -> bool:
    """Say whether ``text`` is one of the alternatives of ``value``."""
    return any(_is_one(text, each) for each in value.alternatives)


def _is_one(text: str, alternative: Alternative) -> bool:
    if isinstance(alternative, Word):
        return alternative.text == (text if alternative.exact else collapsed(text))
    if any(_is_one(text, word) for word in alternative.never):
        return False
    if alternative.type == "string":
        return all(_string_facet(text, *facet) for facet in alternative.facets)
    if alternative.type in _RANGES:
        return _is_integer(text, alternative)
    return _asked(alternative).validate(_element(text))


def collapsed(text: str) -> str:
    """Give a text without blanks at its ends, and one blank for several."""
    return " ".join(part for part in re.split(f"[{_BLANKS}]+", text) if part)


def _is_integer(text: str, data: Data) -> bool:
    """Judge a number; its pattern is held against the text as it stands, as libxml2 does for RELAX NG."""
    digits = text.strip(_BLANKS)
    if not _INTEGER.fullmatch(digits) or len(digits.lstrip("+-0")) > _LONGEST_INTEGER:
        return False
    low, high = limits(data)
    number = int(digits)
    if (low is not None and number < low) or (high is not None and number > high):
        return False
    return all(_string_facet(text, name, limit) for name, limit in data.facets if name == "pattern")


def limits(data: Data) -> tuple[int | None, int | None]:
    """Give the least and the largest number of an integer type; None where there is no end."""
    low, high = _RANGES[data.type]
    lows, highs = [low], [high]
    for name, limit in data.facets:
        if name.startswith("min"):
            lows.append(int(limit) + (name == "minExclusive"))
        elif name.startswith("max"):
            highs.append(int(limit) - (name == "maxExclusive"))
    return (
        max((each for each in lows if each is not None), default=None),
        min((each for each in highs if each is not None), default=None),
    )


def _string_facet(text: str, name: str, limit: str) -> bool:
    if name == "pattern":
        return _compiled(limit).fullmatch(text) is not None
    length = len(text)
    return {
        "length": length == int(limit),
        "minLength": length >= int(limit),
        "maxLength": length <= int(limit),
    }[name]


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """Give an XSD pattern as one of Python's.

    Outside brackets ``^`` and ``$`` are letters in XSD, and ``.`` is all but a line's end. Inside, Python
    wants ``[`` and doubled signs escaped.
    """
    parts, inside, index = [], False, 0
    while index < len(pattern):
        sign = pattern[index]
        if sign == "\\":
            parts.append(pattern[index : index + 2])
            index += 2
            continue
        if inside:
            first = parts[-1] in {"[", "[^"}
            parts.append("\\" + sign if sign in "[&|~" or (sign == "^" and not first) else sign)
            inside = sign != "]"
        elif sign == "[":
            negated = pattern[index + 1 : index + 2] == "^"
            parts.append("[^" if negated else "[")
            index += negated
            inside = True
        else:
            parts.append({"^": r"\^", "$": r"\$", ".": r"[^\n\r]"}.get(sign, sign))
        index += 1
    return re.compile("".join(parts))


@cache
def _asked(data: Data) -> etree.RelaxNG:
    """Give libxml2's own judge of a type that is not judged here, such as dateTime."""
    element = etree.Element(f"{{{_RNG}}}element", name="value")
    inner = etree.SubElement(element, f"{{{_RNG}}}data", type=data.type, datatypeLibrary=XSD_TYPES)
    for name, text in data.facets:
        etree.SubElement(inner, f"{{{_RNG}}}param", name=name).text = text
    return etree.RelaxNG(element)


def _element(text: str) -> etree._Element:
    element = etree.Element("value")
    element.text = text
    return element
