"""What the shipped XSD allows at a place: the words, attributes and children that an explanation lists.

Reads only what ``xsd/`` uses: named types, groups and constraints, no namespaces, no substitution.
The verdict is never taken here; see virtxlate.domain.schema.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

from lxml import etree

_XS = "{http://www.w3.org/2001/XMLSchema}"
_BUILT_IN = "xs:"
_PARTICLES = frozenset(_XS + kind for kind in ("all", "choice", "sequence"))
_COUNTED_ONLY = "once"
"""The attribute by which the XSD counts elements; no document should carry it, so it is never offered."""


def schema_path() -> Path:
    """Give the place of the shipped ``domain.xsd``; the files that it includes lie beside it."""
    return Path(str(files("virtxlate") / "xsd" / "domain.xsd"))


class Model(NamedTuple):
    """What may stand inside an element."""

    children: dict[str, etree._Element]
    """Declarations by name, in the XSD's order."""
    single: tuple[str, ...]
    """Names that the content model itself allows only once; constraints may add to them."""
    required: tuple[str, ...]
    """Names that the content model itself asks for."""
    foreign: bool
    """Whether elements of other namespaces are welcome."""


@lru_cache(maxsize=1)
def grammar() -> Grammar:
    """Give the grammar of the shipped XSD, read once."""
    return Grammar(schema_path())


class Grammar:
    """The named parts of an XSD and its includes."""

    def __init__(self, path: Path) -> None:
        self._named: dict[tuple[str, str], etree._Element] = {}
        self._read(path, set())

    def _read(self, path: Path, seen: set[Path]) -> None:
        if path in seen:
            return
        seen.add(path)
        for part in etree.parse(str(path)).getroot().iterchildren(etree.Element):
            if part.tag == f"{_XS}include":
                self._read(path.parent / part.get("schemaLocation", ""), seen)
            elif name := part.get("name"):
                self._named[_kind(part), name] = part

    def declaration(self, element: etree._Element) -> etree._Element | None:
        """Give the ``xs:element`` that declares ``element``, or None inside open content."""
        parent = element.getparent()
        if parent is None:
            return self._named.get(("element", str(element.tag)))
        above = self.declaration(parent)
        return None if above is None else self.children(above).get(str(element.tag))

    def children(self, declaration: etree._Element) -> dict[str, etree._Element]:
        """Give the declarations of the children of an element, by name, in the XSD's order."""
        holder = self._type_of(declaration)
        return {} if holder is None else {part.get("name", ""): part for part in self._elements(holder)}

    def model(self, declaration: etree._Element) -> Model:
        """Give what may stand inside an element."""
        holder, children = self._type_of(declaration), self.children(declaration)
        particle = None if holder is None else next((p for p in holder if p.tag in _PARTICLES), None)
        if particle is None:
            return Model(children=children, single=(), required=(), foreign=False)
        counted = children if particle.get("maxOccurs") is None else {}
        return Model(
            children=children,
            single=tuple(n for n, part in counted.items() if part.get("maxOccurs") is None),
            required=tuple(n for n, part in counted.items() if part.get("minOccurs") != "0"),
            foreign=any(part.get("namespace") == "##other" for part in particle.iterchildren(f"{_XS}any")),
        )

    def attributes(self, declaration: etree._Element) -> dict[str, etree._Element]:
        """Give the attributes of an element, by name, in the XSD's order."""
        holder = self._type_of(declaration)
        found = {} if holder is None else {part.get("name", ""): part for part in self._attributes(holder)}
        found.pop(_COUNTED_ONLY, None)
        return found

    def value_type(self, declaration: etree._Element) -> str:
        """Give the name of the simple type of an attribute, or of an element's text; "" if it has none."""
        name = declaration.get("type", "")
        complex_type = self._named.get(("complexType", name))
        extension = None if complex_type is None else complex_type.find(f"{_XS}simpleContent/{_XS}extension")
        while extension is not None:
            name = extension.get("base", "")
            complex_type = self._named.get(("complexType", name))
            extension = None if complex_type is None else complex_type.find(f".//{_XS}extension")
        return name

    def words(self, type_name: str) -> tuple[str, ...]:
        """Give the words of an enumeration, or of a union of enumerations; empty for any other type."""
        simple = self._named.get(("simpleType", type_name))
        if simple is None:
            return ()
        union = simple.find(f"{_XS}union")
        if union is None:
            return tuple(word.get("value", "") for word in simple.iter(f"{_XS}enumeration"))
        members = [self.words(name) for name in union.get("memberTypes", "").split()]
        return tuple(dict.fromkeys(word for words in members for word in words)) if all(members) else ()

    def meaning(self, type_name: str) -> str:
        """Give the one sentence that documents a type, without its full stop."""
        simple = self._named.get(("simpleType", type_name))
        text = None if simple is None else simple.findtext(f"{_XS}annotation/{_XS}documentation")
        return " ".join((text or f"a value of type {type_name}.").split()).removesuffix(".")

    def constraint(self, name: str) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
        """Give an identity constraint's element, its selectors and its fields."""
        part = next(p for top in self._named.values() for p in top.iter() if _is_constraint(p, name))
        owner = part.getparent()
        selector = part.find(f"{_XS}selector")
        fields = tuple(field.get("xpath", "") for field in part.iterfind(f"{_XS}field"))
        selectors = "" if selector is None else selector.get("xpath", "")
        return ("" if owner is None else owner.get("name", "")), tuple(selectors.split("|")), fields

    def _type_of(self, declaration: etree._Element) -> etree._Element | None:
        name = declaration.get("type")
        if name is None:
            return declaration.find(f"{_XS}complexType")
        return self._named.get(("complexType", name))

    def _elements(self, holder: etree._Element) -> Iterator[etree._Element]:
        for part in holder.iterchildren(etree.Element):
            if part.tag == f"{_XS}element":
                yield part
            elif part.tag == f"{_XS}group":
                yield from self._elements(self._named["group", part.get("ref", "")])
            elif part.tag in _PARTICLES:
                yield from self._elements(part)

    def _attributes(self, holder: etree._Element) -> Iterator[etree._Element]:
        for part in holder.iterchildren(etree.Element):
            if part.tag == f"{_XS}attribute":
                yield part
            elif part.tag == f"{_XS}attributeGroup":
                yield from self._attributes(self._named["attributeGroup", part.get("ref", "")])
            elif part.tag == f"{_XS}simpleContent":
                yield from self._attributes(part)
            elif part.tag == f"{_XS}extension":
                yield from self._inherited(part)

    def _inherited(self, extension: etree._Element) -> Iterator[etree._Element]:
        base = self._named.get(("complexType", extension.get("base", "")))
        if base is not None:
            yield from self._attributes(base)
        yield from self._attributes(extension)


def _kind(part: etree._Element) -> str:
    return str(part.tag).removeprefix(_XS)


def _is_constraint(part: etree._Element, name: str) -> bool:
    return part.get("name") == name and part.tag in {f"{_XS}unique", f"{_XS}key"}
