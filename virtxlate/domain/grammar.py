"""What an XSD allows at a place: the words, attributes and children that an explanation lists.

Reads only what ``xsd/``, and what is built of RELAX NG, use: named types, groups and constraints, one file a
namespace, no substitution. The verdict is never taken here; see virtxlate.domain.schema.
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
_LEAVES = frozenset(_XS + kind for kind in ("element", "group", "any"))
_OTHER_FILES = frozenset({f"{_XS}include", f"{_XS}import"})
_CONSTRAINTS = (f"{_XS}unique", f"{_XS}key")
_EXTENSION = f"{_XS}simpleContent/{_XS}extension"
COUNTED_BY = "once"
"""The attribute by which the XSD counts elements; no document should carry it, so it is never offered."""
_OPEN = "Open"
"""The type of what the shipped XSD carries along unchecked."""


def schema_path(name: str = "domain") -> Path:
    """Give the place of a shipped XSD, by the name of its documents; what it includes lies beside it."""
    return Path(str(files("virtxlate") / "xsd" / f"{name}.xsd"))


class Occurrence(NamedTuple):
    """How often the content model itself takes a name; constraints may narrow that."""

    declaration: etree._Element
    required: bool
    single: bool


class Model(NamedTuple):
    """What may stand inside an element."""

    children: dict[str, etree._Element]
    """Declarations by name: first those that the content model counts, then in the XSD's order."""
    single: tuple[str, ...]
    """Names that the content model itself allows only once; constraints may add to them."""
    required: tuple[str, ...]
    """Names that the content model itself asks for."""
    wildcards: tuple[str, ...] = ()
    """Namespaces of which any element is welcome, "##other" and "##local" among them, as the XSD has them."""

    def welcomes(self, tag: str) -> bool:
        """Say whether an element without a declaration here is welcome all the same."""
        namespace = tag[1:].partition("}")[0] if tag.startswith("{") else ""
        either = "##other" if namespace else "##local"
        return either in self.wildcards or "##any" in self.wildcards or namespace in self.wildcards


DOCUMENTS = {
    "domain": "domain",
    "device": "nodedev",
    "pool": "storagepool",
    "volume": "storagevol",
    "domainsnapshot": "domainsnapshot",
}
"""The shipped XSD of each root element."""


@lru_cache(maxsize=len(DOCUMENTS))
def grammar(root: str = "domain") -> Grammar:
    """Give the grammar of a shipped XSD, read once, by the root element; of any other, that of domains."""
    return Grammar(schema_path(DOCUMENTS.get(root, "domain")))


class Grammar:
    """The named parts of an XSD and its includes."""

    def __init__(self, path: Path) -> None:
        self._named: dict[tuple[str, str], etree._Element] = {}
        self._models: dict[etree._Element, Model] = {}
        self._constraints: dict[str, etree._Element] = {}
        self._parents: dict[str, dict[str, None]] | None = None
        self.roots = tuple(
            _own_name(part) for part in etree.parse(str(path)).getroot().iterfind(f"{_XS}element")
        )
        """Every name that a document's outermost element may have."""
        self._read(path, set())

    def _read(self, path: Path, seen: set[Path]) -> None:
        if path in seen:
            return
        seen.add(path)
        for part in etree.parse(str(path)).getroot().iterchildren(etree.Element):
            if part.tag in _OTHER_FILES:
                self._read(path.parent / part.get("schemaLocation", ""), seen)
            elif part.get("name"):
                self._named[_kind(part), _own_name(part)] = part

    def declaration(self, element: etree._Element) -> etree._Element | None:
        """Give the ``xs:element`` that declares ``element``, or None inside open content."""
        parent = element.getparent()
        if parent is None:
            return self._named.get(("element", str(element.tag)))
        above = self.declaration(parent)
        return None if above is None else self.model(above).children.get(str(element.tag))

    def model(self, declaration: etree._Element) -> Model:
        """Give what may stand inside an element; nothing inside one that holds a text."""
        holder = self._type_of(declaration)
        if holder is None:
            return Model(children={}, single=(), required=())
        if holder not in self._models:
            self._models[holder] = self._model(holder)
        return self._models[holder]

    def _model(self, holder: etree._Element) -> Model:
        particle = next((part for part in holder if part.tag in _PARTICLES), None)
        found = {} if particle is None else self._occurrences(particle)
        single = tuple(name for name, place in found.items() if place.single)
        return Model(
            children={name: found[name].declaration for name in dict.fromkeys((*single, *found))},
            single=single,
            required=tuple(name for name, place in found.items() if place.required),
            wildcards=() if particle is None else tuple(dict.fromkeys(self._wildcards(particle))),
        )

    def is_open(self, declaration: etree._Element) -> bool:
        """Say whether an element may hold anything, so that nothing in it is checked."""
        return _other_name(self._declared(declaration), "type") == _OPEN

    def parents(self, name: str) -> tuple[str, ...]:
        """Give the elements that an element of this name may stand in, each name once."""
        if self._parents is None:
            self._parents = self._all_parents()
        return tuple(self._parents.get(name, ()))

    def _all_parents(self) -> dict[str, dict[str, None]]:
        found: dict[str, dict[str, None]] = {}
        waiting = [(root, self._named["element", root]) for root in self.roots]
        seen: set[etree._Element] = set()
        while waiting:
            parent, declaration = waiting.pop()
            for name, child in self.model(declaration).children.items():
                found.setdefault(name, {})[parent] = None
                if child not in seen:
                    seen.add(child)
                    waiting.append((name, child))
        return found

    def attributes(self, declaration: etree._Element) -> dict[str, etree._Element]:
        """Give the attributes of an element, by name, in the XSD's order."""
        holder = self._type_of(declaration)
        found = {} if holder is None else {part.get("name", ""): part for part in self._attributes(holder)}
        found.pop(COUNTED_BY, None)
        return found

    def value_type(self, declaration: etree._Element) -> str:
        """Give the name of the simple type of an attribute, or of an element's text; "" if it has none."""
        declaration = self._declared(declaration)
        name, holder = _other_name(declaration, "type"), self._type_of(declaration)
        while holder is not None and (extension := holder.find(_EXTENSION)) is not None:
            name = _other_name(extension, "base")
            holder = self._named.get(("complexType", name))
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

    def patterns(self, type_name: str) -> tuple[str, ...]:
        """Give the patterns of a simple type, of which one must match; empty where it is made of others."""
        simple = self._named.get(("simpleType", type_name))
        found = () if simple is None else simple.iterfind(f"{_XS}restriction/{_XS}pattern")
        return tuple(pattern.get("value", "") for pattern in found)

    def meaning(self, type_name: str) -> str:
        """Give the one sentence that documents a type, without its full stop."""
        simple = self._named.get(("simpleType", type_name))
        text = None if simple is None else simple.findtext(f"{_XS}annotation/{_XS}documentation")
        return " ".join((text or f"a value of type {type_name}.").split()).removesuffix(".")

    def constraint(self, name: str) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
        """Give an identity constraint's element, its selectors and its fields."""
        if not self._constraints:
            parts = (part for top in self._named.values() for part in top.iter(*_CONSTRAINTS))
            self._constraints = {part.get("name", ""): part for part in parts}
        part = self._constraints[name]
        owner = part.getparent()
        selector = part.find(f"{_XS}selector")
        fields = tuple(field.get("xpath", "") for field in part.iterfind(f"{_XS}field"))
        selectors = "" if selector is None else selector.get("xpath", "")
        return ("" if owner is None else owner.get("name", "")), tuple(selectors.split("|")), fields

    def _declared(self, declaration: etree._Element) -> etree._Element:
        """Give the declaration that another one refers to, or itself."""
        return self._named.get(("element", _other_name(declaration, "ref")), declaration)

    def _type_of(self, declaration: etree._Element) -> etree._Element | None:
        declaration = self._declared(declaration)
        if declaration.get("type") is None:
            return declaration.find(f"{_XS}complexType")
        return self._named.get(("complexType", _other_name(declaration, "type")))

    def _occurrences(self, part: etree._Element) -> dict[str, Occurrence]:
        """Give how often each name may stand at a particle; elements of other namespaces are left out."""
        if part.tag == f"{_XS}element":
            name = _other_name(part, "ref") or _own_name(part)
            found = {name: Occurrence(part, required=True, single=True)}
        elif part.tag == f"{_XS}group" and part.get("ref"):
            found = self._occurrences(self._named["group", _other_name(part, "ref")])
        else:
            found = _joined([self._occurrences(p) for p in _content(part)], part.tag == f"{_XS}choice")
        optional, repeated = part.get("minOccurs") == "0", part.get("maxOccurs") is not None
        return {
            name: Occurrence(
                place.declaration, place.required and not optional, place.single and not repeated
            )
            for name, place in found.items()
        }

    def _wildcards(self, part: etree._Element) -> Iterator[str]:
        if part.tag == f"{_XS}any":
            yield from part.get("namespace", "##any").split()
        elif part.tag == f"{_XS}group" and part.get("ref"):
            yield from self._wildcards(self._named["group", _other_name(part, "ref")])
        else:
            for each in _content(part):
                yield from self._wildcards(each)

    def _attributes(self, holder: etree._Element) -> Iterator[etree._Element]:
        for part in holder.iterchildren(etree.Element):
            if part.tag == f"{_XS}attribute":
                yield part
            elif part.tag == f"{_XS}attributeGroup":
                yield from self._attributes(self._named["attributeGroup", _other_name(part, "ref")])
            elif part.tag == f"{_XS}simpleContent":
                yield from self._attributes(part)
            elif part.tag == f"{_XS}extension":
                yield from self._inherited(part)

    def _inherited(self, extension: etree._Element) -> Iterator[etree._Element]:
        base = self._named.get(("complexType", _other_name(extension, "base")))
        if base is not None:
            yield from self._attributes(base)
        yield from self._attributes(extension)


def _own_name(part: etree._Element) -> str:
    """Give the name of a part, with the namespace of its file in braces."""
    namespace = part.getroottree().getroot().get("targetNamespace")
    return f"{{{namespace}}}{part.get('name', '')}" if namespace else part.get("name", "")


def _other_name(part: etree._Element, attribute: str) -> str:
    """Give the name that an attribute refers to: as _own_name, and built-in types with their prefix."""
    prefix, _, local = part.get(attribute, "").rpartition(":")
    namespace = part.nsmap.get(prefix) if prefix else None
    if namespace is None or namespace == _XS[1:-1]:
        return part.get(attribute, "")
    return f"{{{namespace}}}{local}"


def _content(part: etree._Element) -> list[etree._Element]:
    return [p for p in part.iterchildren(etree.Element) if p.tag in _PARTICLES | _LEAVES]


def _joined(parts: list[dict[str, Occurrence]], is_choice: bool) -> dict[str, Occurrence]:
    """Give the names of all parts: of a choice one part stands in the document, of a sequence each does."""
    joined: dict[str, Occurrence] = {}
    for name in dict.fromkeys(name for part in parts for name in part):
        places = [part[name] for part in parts if name in part]
        if is_choice:
            required = len(places) == len(parts) and all(place.required for place in places)
            single = all(place.single for place in places)
        else:
            required = any(place.required for place in places)
            single = len(places) == 1 and places[0].single
        joined[name] = Occurrence(places[0].declaration, required, single)
    return joined


def _kind(part: etree._Element) -> str:
    return str(part.tag).removeprefix(_XS)
