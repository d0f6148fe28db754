"""XSD simple types for values, each written once and named after where it is used first."""

from __future__ import annotations

from lxml import etree

from virtxlate.schema.ranges import range_pattern
from virtxlate.schema.values import BLANK, INTEGERS, Alternative, Data, Value, Word, limits

XS = "{http://www.w3.org/2001/XMLSchema}"
_BUILT_IN = "xs:"
EMPTY_TYPE = "nothing"
"""Name of the type that takes blanks only."""


class SimpleTypes:
    """The simple types of one XSD file."""

    def __init__(self, root: etree._Element, prefix: str) -> None:
        self._root = root
        self._prefix = prefix
        self._names: dict[Value, str] = {}
        self._used: dict[str, int] = {}

    def name(self, value: Value, wanted: str) -> str:
        """Give the name of the type for a value, as another part of the file refers to it."""
        if len(value.alternatives) == 1:
            only = value.alternatives[0]
            if isinstance(only, Data) and not only.facets:
                return _BUILT_IN + only.type
        wanted = EMPTY_TYPE if value == BLANK else f"{wanted}-value"
        if value not in self._names:
            self._used[wanted] = self._used.get(wanted, 0) + 1
            number = self._used[wanted]
            self._names[value] = wanted if number == 1 else f"{wanted}.{number}"
        return self._prefix + self._names[value]

    def write(self) -> None:
        """Write every type that was named."""
        for value, name in self._names.items():
            _write(etree.SubElement(self._root, f"{XS}simpleType", name=name), value.alternatives)


def _write(holder: etree._Element, alternatives: tuple[Alternative, ...]) -> None:
    if alternatives == BLANK.alternatives:
        _document(holder, "Nothing but blanks.")
        restriction = etree.SubElement(holder, f"{XS}restriction", base=f"{_BUILT_IN}string")
        etree.SubElement(restriction, f"{XS}pattern", value=r"\s*")
        return
    loose = tuple(each for each in alternatives if isinstance(each, Word) and not each.exact)
    exact = tuple(each for each in alternatives if isinstance(each, Word) and each.exact)
    data = [each for each in alternatives if isinstance(each, Data)]
    kinds = [("token", loose)] * bool(loose) + [("string", exact)] * bool(exact)
    if len(kinds) + len(data) > 1:
        union = etree.SubElement(holder, f"{XS}union")
        members = [etree.SubElement(union, f"{XS}simpleType") for _ in (*kinds, *data)]
    else:
        members = [holder]
    for member, (base, words) in zip(members, kinds, strict=False):
        restriction = etree.SubElement(member, f"{XS}restriction", base=_BUILT_IN + base)
        for word in words:
            etree.SubElement(restriction, f"{XS}enumeration", value=word.text)
    for member, each in zip(members[len(kinds) :], data, strict=True):
        _write_data(member, each)


def _write_data(holder: etree._Element, data: Data) -> None:
    """Write a type with facets; of two patterns both must hold, so each has a restriction of its own."""
    patterns = [text for name, text in data.facets if name == "pattern"]
    others = [facet for facet in data.facets if facet[0] != "pattern"]
    base = data.type
    if patterns and base in INTEGERS:
        base, others = "string", []
        patterns.append(range_pattern(*limits(data)))
        _document(holder, _range(data))
    restriction = etree.SubElement(holder, f"{XS}restriction")
    outermost = restriction
    for _ in patterns[1:]:
        inner = etree.SubElement(etree.SubElement(restriction, f"{XS}simpleType"), f"{XS}restriction")
        restriction = inner
    restriction.set("base", _BUILT_IN + base)
    for text in patterns:
        etree.SubElement(restriction, f"{XS}pattern", value=text)
        parent = restriction.getparent()
        above = None if parent is None else parent.getparent()
        restriction = restriction if above is None else above
    for name, text in others:
        etree.SubElement(outermost, f"{XS}{name}", value=text)


def _range(data: Data) -> str:
    low, high = limits(data)
    start = "" if low is None else f" from {low}"
    end = "" if high is None else f" to {high}"
    return f"A whole number{start}{end}, without blanks around it."


def _document(holder: etree._Element, text: str) -> None:
    note = etree.SubElement(etree.SubElement(holder, f"{XS}annotation"), f"{XS}documentation")
    note.text = text
