"""XSD simple types for values, each written once and named after where it is used first."""

from __future__ import annotations

from lxml import etree

from virtxlate.schema.values import Alternative, Data, Value, Word

XS = "{http://www.w3.org/2001/XMLSchema}"
_BUILT_IN = "xs:"


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
        if value not in self._names:
            self._used[wanted] = self._used.get(wanted, 0) + 1
            number = self._used[wanted]
            self._names[value] = f"{wanted}-value" if number == 1 else f"{wanted}-value.{number}"
        return self._prefix + self._names[value]

    def write(self) -> None:
        """Write every type that was named."""
        for value, name in self._names.items():
            _write(etree.SubElement(self._root, f"{XS}simpleType", name=name), value.alternatives)


def _write(holder: etree._Element, alternatives: tuple[Alternative, ...]) -> None:
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
    restriction = etree.SubElement(holder, f"{XS}restriction")
    outermost = restriction
    for _ in patterns[1:]:
        inner = etree.SubElement(etree.SubElement(restriction, f"{XS}simpleType"), f"{XS}restriction")
        restriction = inner
    restriction.set("base", _BUILT_IN + data.type)
    for text in patterns:
        etree.SubElement(restriction, f"{XS}pattern", value=text)
        parent = restriction.getparent()
        above = None if parent is None else parent.getparent()
        restriction = restriction if above is None else above
    for name, text in others:
        etree.SubElement(outermost, f"{XS}{name}", value=text)
