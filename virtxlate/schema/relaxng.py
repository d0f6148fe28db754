"""RELAX NG files as a table of element patterns.

Reads the XML syntax of RELAX NG as far as libvirt uses it; what it does not know is an error and not a guess.
Only files of one directory are opened, never the network. Every element of a grammar becomes one
ElementPattern; elements that accept the same become one.

Source: RELAX NG specification, sections 4 (simplification) and 6 (semantics).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from lxml import etree

from virtxlate.domain.document import xml_parser
from virtxlate.errors import SchemaSourceError
from virtxlate.schema.patterns import EMPTY, NONE, TEXT, Patterns
from virtxlate.schema.values import ANY_TEXT, BLANK, Data, Value, Word, one_of

_RNG = "{http://relaxng.org/ns/structure/1.0}"
ANYTHING = "*"
"""The name of an element that may have any name, and anything in it."""

_VALUES = {"text": ANY_TEXT, "empty": BLANK, "notAllowed": one_of(())}


class ElementPattern(NamedTuple):
    """One element of a grammar."""

    name: str
    """As lxml writes it, with its namespace in braces."""
    content: int


class Grammar(NamedTuple):
    """A document type: its roots, and every element that can be in it."""

    patterns: Patterns
    values: tuple[Value, ...]
    elements: tuple[ElementPattern, ...]
    """A child atom has the bit 1 << i for element i; an attribute or text atom has 1 << i for value i."""
    start: int
    """A choice of root elements."""


class Scope(NamedTuple):
    """The definitions of one ``grammar`` element and all that it includes."""

    defines: dict[str, list[etree._Element]]
    starts: list[etree._Element]


class _Key(NamedTuple):
    source: etree._Element
    scope: int


class Reader:
    """Reads one RELAX NG file and what it includes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._roots: dict[str, etree._Element] = {}
        self._scopes: list[Scope] = []
        self._patterns = Patterns()
        self._values: dict[Value, int] = {}
        self._elements: dict[_Key, int] = {}
        self._open: list[tuple[int, etree._Element, Scope]] = []
        self._contents: dict[int, int] = {}
        self._names: list[str] = []
        self._expanding: list[str] = []
        self._known: dict[tuple[int, str], int] = {}

    def read(self, name: str) -> Grammar | None:
        """Give the grammar of a file; None if it has no start, and is only there to be included."""
        scope = self._scope(self._root(name))
        if not scope.starts:
            return None
        start = self._patterns.choice(self._all(node, scope) for node in scope.starts)
        while self._open:
            number, node, inside = self._open.pop(0)
            self._contents[number] = self._patterns.factored(self._all(node, inside))
        elements = tuple(ElementPattern(n, self._contents[i]) for i, n in enumerate(self._names))
        return Grammar(self._patterns, tuple(self._values), elements, start)

    def _root(self, name: str) -> etree._Element:
        if name not in self._roots:
            if Path(name).name != name:
                raise SchemaSourceError(f"expected the name of a file beside it, found {name!r}", at=name)
            try:
                tree = etree.parse(str(self._folder / name), xml_parser())
            except (OSError, etree.XMLSyntaxError) as exc:
                raise SchemaSourceError(f"cannot be read: {exc}", at=str(self._folder / name)) from None
            if tree.getroot().tag != f"{_RNG}grammar":
                raise SchemaSourceError(
                    f"expected a grammar of RELAX NG, found <{tree.getroot().tag!s}>", at=name
                )
            self._roots[name] = tree.getroot()
        return self._roots[name]

    # Definitions

    def _scope(self, grammar: etree._Element) -> Scope:
        scope = self._definitions(grammar)
        self._scopes.append(scope)
        return scope

    def _definitions(self, grammar: etree._Element) -> Scope:
        scope = Scope({}, [])
        for part in _parts(grammar):
            if part.tag == f"{_RNG}include":
                self._include(part, scope)
            elif part.tag == f"{_RNG}div":
                _join(scope, self._definitions(part))
            elif part.tag == f"{_RNG}start":
                scope.starts.append(part)
            elif part.tag == f"{_RNG}define":
                scope.defines.setdefault(part.get("name", ""), []).append(part)
            else:
                raise _unknown(part)
        return scope

    def _include(self, include: etree._Element, scope: Scope) -> None:
        found = self._definitions(self._root(include.get("href", "")))
        instead = self._definitions(include)
        for name in instead.defines:
            found.defines.pop(name, None)
        if instead.starts:
            found.starts.clear()
        _join(scope, found)
        _join(scope, instead)

    # Patterns

    def _all(self, node: etree._Element, scope: Scope) -> int:
        return self._patterns.group([self._pattern(part, scope) for part in _parts(node)])

    def _pattern(self, node: etree._Element, scope: Scope) -> int:
        kind = str(node.tag).removeprefix(_RNG)
        make = getattr(self, f"_read_{kind}", None)
        if make is None:
            raise _unknown(node)
        number: int = make(node, scope)
        return number

    def _read_empty(self, _node: etree._Element, _scope: Scope) -> int:
        return EMPTY

    def _read_notAllowed(self, _node: etree._Element, _scope: Scope) -> int:  # noqa: N802 - RELAX NG's word
        return NONE

    def _read_text(self, _node: etree._Element, _scope: Scope) -> int:
        return self._patterns.optional(self._text(ANY_TEXT))

    def _text(self, value: Value) -> int:
        return self._patterns.atom(TEXT, self._bit(value))

    def _read_data(self, node: etree._Element, scope: Scope) -> int:
        return self._text(self._value(node, scope))

    _read_value = _read_data

    def _read_group(self, node: etree._Element, scope: Scope) -> int:
        return self._all(node, scope)

    def _read_interleave(self, node: etree._Element, scope: Scope) -> int:
        return self._patterns.interleave([self._pattern(part, scope) for part in _parts(node)])

    def _read_choice(self, node: etree._Element, scope: Scope) -> int:
        return self._patterns.choice([self._pattern(part, scope) for part in _parts(node)])

    def _read_optional(self, node: etree._Element, scope: Scope) -> int:
        return self._patterns.optional(self._all(node, scope))

    def _read_oneOrMore(self, node: etree._Element, scope: Scope) -> int:  # noqa: N802 - RELAX NG's word
        return self._patterns.plus(self._all(node, scope))

    def _read_zeroOrMore(self, node: etree._Element, scope: Scope) -> int:  # noqa: N802 - RELAX NG's word
        return self._patterns.star(self._all(node, scope))

    def _read_mixed(self, node: etree._Element, scope: Scope) -> int:
        return self._patterns.interleave((self._all(node, scope), self._read_text(node, scope)))

    def _read_ref(self, node: etree._Element, scope: Scope) -> int:
        name = node.get("name", "")
        key = (id(scope.defines), name)
        if key not in self._known:
            if name in self._expanding:
                raise SchemaSourceError(f"the definition {name!r} holds itself", at=_place(node))
            self._expanding.append(name)
            parts = [self._all(part, scope) for part in _defined(node, scope)]
            self._expanding.remove(name)
            method = {part.get("combine") for part in scope.defines[name]} - {None}
            join = self._patterns.interleave if method == {"interleave"} else self._patterns.choice
            self._known[key] = join(parts)
        return self._known[key]

    def _read_grammar(self, node: etree._Element, _scope: Scope) -> int:
        inner = self._scope(node)
        expanding, self._expanding = self._expanding, []
        found = self._patterns.choice(self._all(start, inner) for start in inner.starts)
        self._expanding = expanding
        return found

    def _read_attribute(self, node: etree._Element, scope: Scope) -> int:
        name, content = _name(node, "")
        if name == ANYTHING:
            raise SchemaSourceError("expected an attribute with a name, found anyName", at=_place(node))
        value = one_of([self._value(part, scope) for part in content]) if content else ANY_TEXT
        return self._patterns.atom(f"@{name}", self._bit(value)) if value.alternatives else NONE

    def _read_element(self, node: etree._Element, scope: Scope) -> int:
        key = _Key(node, id(scope.defines))
        if key not in self._elements:
            name, content = _name(node, _inherited(node, "ns"))
            if any(part.tag == f"{_RNG}notAllowed" for part in content):
                return NONE
            number = self._elements[key] = len(self._names)
            self._names.append(name)
            if name == ANYTHING:
                self._contents[number] = EMPTY
            else:
                self._open.append((number, node, scope))
        number = self._elements[key]
        return self._patterns.atom(self._names[number], 1 << number)

    def _read_name(self, _node: etree._Element, _scope: Scope) -> int:
        return EMPTY

    # Values

    def _bit(self, value: Value) -> int:
        return 1 << self._values.setdefault(value, len(self._values))

    def _value(self, node: etree._Element, scope: Scope) -> Value:
        kind = str(node.tag).removeprefix(_RNG)
        if kind in _VALUES:
            return _VALUES[kind]
        if kind == "value":
            return Value((_word(node),))
        if kind == "data":
            return self._data(node, scope)
        if kind == "ref":
            return one_of([self._only(part, scope) for part in _defined(node, scope)])
        if kind not in {"choice", "optional"}:
            raise _unknown(node)
        inner = [self._value(part, scope) for part in _parts(node)]
        return one_of([*inner, BLANK] if kind == "optional" else inner)

    def _only(self, node: etree._Element, scope: Scope) -> Value:
        parts = list(_parts(node))
        if len(parts) != 1:
            raise SchemaSourceError(f"expected one value, found {len(parts)}", at=_place(node))
        return self._value(parts[0], scope)

    def _data(self, node: etree._Element, scope: Scope) -> Value:
        facets, never = [], []
        for part in _parts(node):
            if part.tag == f"{_RNG}param":
                facets.append((part.get("name", ""), part.text or ""))
            elif part.tag == f"{_RNG}except":
                never += [one_of([self._value(inner, scope) for inner in _parts(part)])]
            else:
                raise _unknown(part)
        words = tuple(each for value in never for each in value.alternatives if isinstance(each, Word))
        if len(words) != sum(len(value.alternatives) for value in never):
            raise SchemaSourceError("expected words in except", at=_place(node))
        return Value((Data(node.get("type", ""), tuple(facets), words),))


def _parts(node: etree._Element) -> Iterator[etree._Element]:
    return (part for part in node.iterchildren(etree.Element) if str(part.tag).startswith(_RNG))


def _join(scope: Scope, other: Scope) -> None:
    for name, parts in other.defines.items():
        known = scope.defines.setdefault(name, [])
        known += [part for part in parts if part not in known]
    scope.starts.extend(part for part in other.starts if part not in scope.starts)


def _defined(node: etree._Element, scope: Scope) -> list[etree._Element]:
    found = scope.defines.get(node.get("name", ""))
    if found is None:
        raise SchemaSourceError(f"there is no definition of {node.get('name')!r}", at=_place(node))
    return found


def _inherited(node: etree._Element, name: str) -> str:
    return next((each.get(name, "") for each in (node, *node.iterancestors()) if name in each.attrib), "")


def _name(node: etree._Element, namespace: str) -> tuple[str, list[etree._Element]]:
    """Give the name that an element or attribute pattern is for, and the patterns of its content."""
    content = list(_parts(node))
    name = node.get("name")
    if name is None:
        names = content.pop(0)
        if names.tag == f"{_RNG}anyName" and not len(names):
            return ANYTHING, content
        if names.tag != f"{_RNG}name":
            raise _unknown(names)
        name, namespace = names.text or "", _inherited(names, "ns")
    name = name.strip()
    prefix, colon, local = name.rpartition(":")
    if colon:
        name, namespace = local, node.nsmap.get(prefix) or ""
    return (f"{{{namespace}}}{name}" if namespace else name), content


def _word(node: etree._Element) -> Word:
    text = node.text or ""
    if node.get("type", "token") == "token":
        return Word(" ".join(text.split()))
    if node.get("type") == "string":
        return Word(text, exact=True)
    raise SchemaSourceError(f"expected a token or a string, found {node.get('type')!r}", at=_place(node))


def _place(node: etree._Element) -> str:
    base = str(node.base or "").rpartition("/")[2]
    return f"{base}:{node.sourceline}"


def _unknown(node: etree._Element) -> SchemaSourceError:
    name = str(node.tag).removeprefix(_RNG)
    return SchemaSourceError(f"<{name}> of RELAX NG is not understood here", at=_place(node))
