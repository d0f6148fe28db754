"""XSD 1.0 files for the types of a grammar: one file for each namespace, the same text each time.

What XSD 1.0 cannot say is loosened, never tightened: no document that the grammar accepts is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import count

from lxml import etree

from virtxlate.domain.grammar import COUNTED_BY
from virtxlate.schema.bounds import UNBOUNDED, Bound
from virtxlate.schema.patterns import TEXT, has_order
from virtxlate.schema.simple import XS, SimpleTypes
from virtxlate.schema.types import ElementType, Types, is_mixed, marked_once, written_out
from virtxlate.schema.values import BLANK, Value, one_of

_PREFIX = "own"
_MARKED = ".once"
"""Ends the name of a type whose elements carry the mark by which they are counted."""


def write_xsd(types: Types, stem: str) -> dict[str, bytes]:
    """Give the text of each file by its name, the one to start from first: ``STEM.xsd``."""
    namespaces = sorted({_namespace(each.name) for each in types.types} | {""})
    names: dict[str, str] = {}
    for namespace in namespaces:
        names[namespace] = _file_name(stem, namespace, set(names.values()))
    return {names[each]: _File(types, each, names).text() for each in namespaces}


def _namespace(name: str) -> str:
    return name[1:].rpartition("}")[0] if name.startswith("{") else ""


def _local(name: str) -> str:
    return name.rpartition("}")[2]


def _file_name(stem: str, namespace: str, taken: set[str]) -> str:
    """Give a name with the telling word of a namespace, as qemu in http://libvirt.org/schemas/domain/qemu/1.0."""
    words = [word for word in re.split("[^a-zA-Z0-9]+", namespace) if word and word[0].isalpha()]
    name = f"{stem}.{words[-1]}" if words else stem
    number = next(n for n in count(1) if f"{name}{n if n > 1 else ''}.xsd" not in taken)
    return f"{name}{number if number > 1 else ''}.xsd"


class _File:
    def __init__(self, types: Types, namespace: str, names: dict[str, str]) -> None:
        self._types = types
        self._namespace = namespace
        self._prefix = f"{_PREFIX}:" if namespace else ""
        self._files = names
        self._prefixes = {each: f"ns{number}" for number, each in enumerate(names) if each}
        nsmap: dict[str | None, str] = {"xs": XS[1:-1]}
        nsmap |= {prefix: each for each, prefix in self._prefixes.items() if each != namespace}
        if namespace:
            nsmap[_PREFIX] = namespace
        self._root = etree.Element(f"{XS}schema", nsmap=nsmap)
        self._simple = SimpleTypes(self._root, self._prefix)
        self._type_names = _type_names(types, namespace)
        self._marked: set[int] = set()
        self._constraints = 0

    def text(self) -> bytes:
        if self._namespace:
            self._root.set("targetNamespace", self._namespace)
            self._root.set("elementFormDefault", "qualified")
        for each in self._files:
            if each != self._namespace:
                place = etree.SubElement(self._root, f"{XS}import", schemaLocation=self._files[each])
                if each:
                    place.set("namespace", each)
        for number in self._global():
            name = _local(self._types.types[number].name)
            element = etree.SubElement(self._root, f"{XS}element", name=name, type=self._type_name(number))
            self._count(element, number)
        for number in self._type_names:
            self._complex(self._types.types[number], self._type_names[number])
        for number in sorted(self._marked):
            self._complex(self._types.types[number], self._type_names[number] + _MARKED, is_marked=True)
        self._simple.write()
        etree.indent(self._root, " ")
        return etree.tostring(self._root, xml_declaration=True, encoding="utf-8") + b"\n"

    def _global(self) -> list[int]:
        """Give the types of elements that stand at the top: roots, and what other namespaces refer to."""
        found = dict.fromkeys(self._types.roots.values())
        for each in self._types.types:
            for child, number in each.children.items():
                if _namespace(child) != _namespace(each.name):
                    found[number] = None
        return [each for each in found if each in self._type_names]

    def _type_name(self, number: int) -> str:
        return self._prefix + self._type_names[number]

    def _complex(self, each: ElementType, name: str, *, is_marked: bool = False) -> None:
        holder = etree.SubElement(self._root, f"{XS}complexType", name=name)
        if each.model == "nothing":
            holder = etree.SubElement(holder, f"{XS}simpleContent")
            base = self._simple.name(self._text(each), _local(each.name))
            holder = etree.SubElement(holder, f"{XS}extension", base=base)
        else:
            if is_mixed(each):
                holder.set("mixed", "true")
            self._content(holder, each)
        self._attributes(holder, each)
        if is_marked:
            mark = _local(each.name)
            etree.SubElement(holder, f"{XS}attribute", name=COUNTED_BY, type="xs:string", fixed=mark)

    def _text(self, each: ElementType) -> Value:
        """Give what an element without children may hold; XSD's own empty content would not take blanks."""
        text = each.bounds.get(TEXT)
        if text is None:
            return BLANK
        value = self._types.value(text.bits)
        return value if text.low else one_of((value, BLANK))

    def _attributes(self, holder: etree._Element, each: ElementType) -> None:
        for name, bound in each.bounds.items():
            if name.startswith("@"):
                simple = self._simple.name(self._types.value(bound.bits), name[1:])
                attribute = etree.SubElement(holder, f"{XS}attribute", name=name[1:], type=simple)
                if bound.low:
                    attribute.set("use", "required")

    def _content(self, holder: etree._Element, each: ElementType) -> None:
        children = {name: bound for name, bound in each.bounds.items() if has_order(name)}
        if each.model == "anything":
            inner = etree.SubElement(holder, f"{XS}sequence")
            etree.SubElement(inner, f"{XS}any", processContents="skip", minOccurs="0", maxOccurs="unbounded")
        elif each.model == "all":
            self._each(etree.SubElement(holder, f"{XS}all"), each, children)
        elif each.model == "one":
            self._each(etree.SubElement(holder, f"{XS}sequence"), each, children)
        else:
            self._expanded(holder, each, children, written_out(each))

    def _each(self, holder: etree._Element, each: ElementType, children: dict[str, Bound]) -> None:
        for name, bound in children.items():
            element = self._element(holder, each, name)
            if bound.low != 1:
                element.set("minOccurs", str(bound.low))
            if bound.high != 1:
                element.set("maxOccurs", "unbounded" if bound.high == UNBOUNDED else str(bound.high))

    def _repeated(self, holder: etree._Element, each: ElementType, names: Iterable[str]) -> None:
        """Write that any of the names may stand, any number of times."""
        inner = etree.SubElement(holder, f"{XS}choice", minOccurs="0", maxOccurs="unbounded")
        for name in names:
            self._element(inner, each, name)

    def _expanded(
        self, holder: etree._Element, each: ElementType, children: dict[str, Bound], single: tuple[str, ...]
    ) -> None:
        """Write the repeated ones, then either single one, the repeated ones, then the other single one..."""
        repeated = [name for name in children if name not in written_out(each)]
        sequence = etree.SubElement(holder, f"{XS}sequence")
        self._repeated(sequence, each, repeated)
        if not single:
            return
        choice = etree.SubElement(sequence, f"{XS}choice")
        if not any(children[name].low for name in single):
            choice.set("minOccurs", "0")
        for name in single:
            inner = etree.SubElement(choice, f"{XS}sequence")
            self._element(inner, each, name)
            self._expanded(inner, each, children, tuple(other for other in single if other != name))

    def _element(self, holder: etree._Element, each: ElementType, name: str) -> etree._Element:
        number = each.children[name]
        if _namespace(name) == self._namespace:
            type_name = self._type_name(number)
            if name in marked_once(self._types, each):
                self._marked.add(number)
                type_name += _MARKED
            element = etree.SubElement(holder, f"{XS}element", name=_local(name), type=type_name)
            self._count(element, number)
            return element
        prefix = self._prefixes.get(_namespace(name))
        reference = f"{prefix}:{_local(name)}" if prefix else _local(name)
        return etree.SubElement(holder, f"{XS}element", ref=reference)

    def _count(self, element: etree._Element, number: int) -> None:
        """Let no two children of an element have the same mark."""
        if marked_once(self._types, self._types.types[number]):
            self._constraints += 1
            name = f"{self._type_names[number]}{_MARKED}.{self._constraints}"
            unique = etree.SubElement(element, f"{XS}unique", name=name)
            etree.SubElement(unique, f"{XS}selector", xpath="*")
            etree.SubElement(unique, f"{XS}field", xpath=f"@{COUNTED_BY}")


def _type_names(types: Types, namespace: str) -> dict[int, str]:
    """Give a name for each type of a namespace: that of its element, with a number from the second on."""
    found: dict[int, str] = {}
    used: dict[str, int] = {}
    for number, each in enumerate(types.types):
        if _namespace(each.name) == namespace:
            local = _local(each.name)
            used[local] = used.get(local, 0) + 1
            found[number] = local if used[local] == 1 else f"{local}.{used[local]}"
    return found
