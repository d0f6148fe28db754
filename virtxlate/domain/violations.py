"""Faults of a document, from what libxml2 said about it and what the XSD allows there.

libxml2 stops reading an element's children at the first one that it does not expect. So a refused document
is copied, what was not expected is taken out of the copy, and the rest is judged again, until nothing more
turns up.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Literal, NamedTuple

import msgspec
from lxml import etree
from msgspec.structs import replace

from virtxlate.domain.belonging import attribute_belongs, belongs, hint, local
from virtxlate.domain.grammar import COUNTED_BY, Grammar, grammar
from virtxlate.domain.large import MOST_ELEMENTS, first_part
from virtxlate.domain.meaning import meaning
from virtxlate.domain.paths import paths_of

SchemaRule = Literal[
    "malformed",
    "unknown-element",
    "unknown-attribute",
    "missing-element",
    "missing-attribute",
    "repeated-element",
    "enumeration",
    "type",
    "duplicate",
    "content",
    "co-occurrence",
    "too-large",
]
"""Stable names of what a schema finds wrong; new ones may be added."""


class Complaint(NamedTuple):
    """One entry of libxml2's error log."""

    code: str
    """Name of the error, such as SCHEMAV_CVC_ENUMERATION_VALID."""
    path: str
    """XPath of the element; "" where libxml2 does not say."""
    message: str


Judge = Callable[[etree._Element], list[Complaint]]
"""Gives what a schema has to say against a document; empty when it is valid."""

_LISTED = 12
_MOST_FOUND = 10_000
_TEXTS = (("content", "may not hold text"), ("type", "expected nothing but blanks"))
"""How a text is told that may not be there: by our XSD, and by one that was built."""
_MOST_ROUNDS = 50
"""Each round cuts what it found; a document of our own XSD needs a few."""
_CONSTRAINT = re.compile(r"identity-constraint '([^']+)'")
_ATTRIBUTE = re.compile(r"^Element '[^']*', attribute '([^']+)'")
_MISSING_ATTRIBUTE = re.compile(r"The attribute '([^']+)' is required but missing")
_DUPLICATE = re.compile(r"Duplicate key-sequence \['(.*)'\] in ")
_FIELD = re.compile(r"The XPath '([^']+)' of a field")
_OPENING = re.compile(r"^Element '[^']*'(, attribute '[^']*')?: ")
_ABSENT_FIELD = "Not all fields of key"
_NOISE = "No precomputed value available"
_CHILD_CODES = frozenset({"CVC_TYPE_3_1_2", "CVC_COMPLEX_TYPE_2_2"})
_ATTRIBUTE_CODES = frozenset({"CVC_COMPLEX_TYPE_3_2_1", "CVC_COMPLEX_TYPE_3_2_2", "CVC_TYPE_3_1_1", "CVC_AU"})
_VALUE_CODES = ("CVC_ENUMERATION_", "CVC_PATTERN_", "CVC_DATATYPE_", "CVC_MIN", "CVC_MAX", "CVC_LENGTH_")


class Violation(msgspec.Struct, frozen=True, kw_only=True):
    """One fault of a document.

    Shape: ``{"path": "/domain/devices/disk[2]/target/@bus", "line": 14, "rule": "enumeration",
    "message": "...", "found": "vitrio", "allowed": ["ide", ...]}``.
    """

    path: str
    """Where it is, or would have to be: steps have an index where the parent has more of that name."""
    line: int
    """Line of the element, from 1; 0 for a document that was not read from text."""
    rule: str
    """A SchemaRule, or the id of a rule that no schema can hold."""
    message: str
    """What is wrong, in one sentence."""
    found: str | None = None
    """The value, or the name, that is wrong; None where something is missing."""
    allowed: tuple[str, ...] = ()
    """Every word or name that may stand there, in the schema's order; empty where there is no list."""
    hint: str = ""
    """What to do about it, where that is known."""
    severity: Literal["error", "warning"] = "error"
    """A warning leaves the document valid: it works, but perhaps not as meant."""

    def __str__(self) -> str:
        return f"{self.path} (line {self.line}): {self.message}"


def explain(root: etree._Element, judge: Judge, of: Grammar | None = None) -> tuple[Violation, ...]:
    """Give every fault under ``root``, which is not changed, in document order.

    ``of`` is the grammar of the XSD that judges; without it, the shipped one.
    """
    return _Explanation(root, judge, of or grammar()).violations()


class _Explanation:
    """One refused document: a copy to cut from, and what was found so far."""

    def __init__(self, root: etree._Element, judge: Judge, of: Grammar) -> None:
        self._grammar = of
        self._judge = judge
        self._root, self._left_out, self._open = first_part(root)
        # The list keeps lxml's proxies alive, so that an element stays a usable key.
        self._elements = list(self._root.iter(etree.Element))
        self._paths = paths_of(self._root)
        self._order = {element: number for number, element in enumerate(self._elements)}
        self._found: dict[tuple[str, str], tuple[int, Violation]] = {}
        self._unexpected: dict[etree._Element, None] = {}
        self._repeated: dict[etree._Element, None] = {}
        self._places: dict[str, etree._Element] = {}
        self._firsts: dict[tuple[etree._Element, tuple[str, ...], str], dict[str, etree._Element]] = {}
        self._repetitions: set[tuple[str, str]] = set()

    def violations(self) -> tuple[Violation, ...]:
        for _ in range(_MOST_ROUNDS):
            complaints = self._judge(self._root)
            self._unexpected, self._repeated = {}, {}
            self._places = {path: element for element, path in paths_of(self._root).items()}
            self._firsts, self._repetitions = {}, set()
            for complaint in complaints:
                if len(self._found) >= _MOST_FOUND:
                    break
                self._read(complaint)
            doomed = self._unexpected or self._repeated
            if not doomed:
                break
            for element in doomed:
                _cut(element)
        if len(self._found) >= _MOST_FOUND:
            at = (len(self._elements), too_large(f"only the first {_MOST_FOUND} faults are told"))
            self._found["", "too-large"] = at
        elif self._left_out:
            self._found["", "too-large"] = (len(self._elements), unexplained(self._left_out))
        self._join_texts()
        return tuple(violation for _, violation in sorted(self._found.values(), key=lambda pair: pair[0]))

    def _join_texts(self) -> None:
        """Make one of a text that may not be there and the one attribute that is missing: it is misplaced."""
        missing: dict[str, list[str]] = {}
        for path, rule in self._found:
            if rule == "missing-attribute":
                missing.setdefault(path.rpartition("/@")[0], []).append(path)
        for element, paths in missing.items():
            text = next((key for key in _TEXTS if (element, key[0]) in self._found), None)
            if text is not None and len(paths) == 1 and text[1] in self._found[element, text[0]][1].message:
                del self._found[element, text[0]]
                at, told = self._found[paths[0], "missing-attribute"]
                message = f"{told.message}, found a text in its place"
                self._found[paths[0], "missing-attribute"] = (at, replace(told, message=message))

    def _read(self, complaint: Complaint) -> None:
        message, code = complaint.message, complaint.code.removeprefix("SCHEMAV_")
        if _NOISE in message:
            return
        element = self._at(complaint.path)
        named = _ATTRIBUTE.match(message)
        attribute = named.group(1) if named else ""
        if code == "CVC_IDC":
            self._constraint(element, message)
        elif code == "CVC_ELT_1":
            self._foreign_root(element)
        elif code == "ELEMENT_CONTENT":
            self._children(element, message)
        elif code in _CHILD_CODES:
            self._surplus(element)
        elif code == "CVC_COMPLEX_TYPE_4":
            self._missing_attribute(element, message)
        elif code in _ATTRIBUTE_CODES:
            self._unknown_attribute(element, attribute)
        elif code.startswith(_VALUE_CODES):
            self._value(element, attribute)
        else:
            self._content(element, attribute, message)

    def _at(self, path: str) -> etree._Element:
        """Give the element that a complaint is about; the root where libxml2 does not say."""
        return self._places.get(path, self._root)

    def _note(
        self,
        element: etree._Element,
        rule: SchemaRule,
        message: str,
        *,
        below: str = "",
        found: str | None = None,
        allowed: tuple[str, ...] = (),
    ) -> None:
        """Keep the first fault of a rule at a place; libxml2 often says one thing twice."""
        path = self._paths[element] + below
        violation = Violation(
            path=path, line=element.sourceline or 0, rule=rule, message=message, found=found, allowed=allowed
        )
        self._found.setdefault((path, rule), (self._order[element], violation))

    def _foreign_root(self, element: etree._Element) -> None:
        tag, roots = str(element.tag), self._grammar.roots
        message = f"expected {_listed(tuple(f'<{root}>' for root in roots))}, found <{tag}>"
        self._note(element, "unknown-element", message, found=tag, allowed=roots)

    def _children(self, at: etree._Element, message: str) -> None:
        parent = at.getparent()
        if "Missing child" in message or parent is None:
            declaration = self._grammar.declaration(at)
            for name in () if declaration is None else self._grammar.model(declaration).required:
                if at.find(name) is None:
                    self._missing_child(at, name)
        else:
            self._surplus(parent)
            if at not in self._unexpected:
                self._unknown_child(at, ())

    def _surplus(self, parent: etree._Element) -> None:
        """Note every child of ``parent`` that it may not have, or not again."""
        declaration = self._grammar.declaration(parent)
        model = None if declaration is None else self._grammar.model(declaration)
        known = {} if model is None else model.children
        seen: set[str] = set()
        for child in parent.iterchildren(etree.Element):
            tag = str(child.tag)
            if tag in known:
                if tag in seen and model is not None and tag in model.single:
                    self._repeated_child(child, self._unexpected)
                seen.add(tag)
            elif model is None or not model.welcomes(tag):
                self._unknown_child(child, tuple(known))

    def _unknown_child(self, child: etree._Element, known: tuple[str, ...]) -> None:
        tag, parent = str(child.tag), child.getparent()
        place = "" if parent is None else f" in <{local(parent.tag)}>"
        message = f"<{local(tag)}> is not known{place}{belongs(self._grammar, child, known)}"
        self._note(child, "unknown-element", message, found=tag, allowed=known)
        self._unexpected[child] = None

    def _repeated_child(self, child: etree._Element, doomed: dict[etree._Element, None]) -> None:
        tag, parent = str(child.tag), child.getparent()
        place = "" if parent is None else f" in <{local(parent.tag)}>"
        self._note(child, "repeated-element", f"<{local(tag)}> may stand only once{place}", found=tag)
        doomed[child] = None

    def _missing_child(self, parent: etree._Element, name: str) -> None:
        if parent in self._open:
            return
        message = f"<{local(parent.tag)}> needs <{local(name)}>"
        self._note(parent, "missing-element", message, below=f"/{name}")

    def _missing_attribute(self, element: etree._Element, message: str) -> None:
        named = _MISSING_ATTRIBUTE.search(message)
        name = named.group(1) if named else ""
        words = self._grammar.words(self._value_type(element, name))
        choice = f": one of {_listed(words)}" if words else ""
        text = f"<{local(element.tag)}> needs the attribute {name}{choice}"
        self._note(element, "missing-attribute", text, below=f"/@{name}", allowed=words)

    def _unknown_attribute(self, element: etree._Element, name: str) -> None:
        declaration = self._grammar.declaration(element)
        known = () if declaration is None else tuple(self._grammar.attributes(declaration))
        text = f"the attribute {name} is not known in <{local(element.tag)}>"
        text += attribute_belongs(self._grammar, element, name, known)
        self._note(element, "unknown-attribute", text, below=f"/@{name}", found=name, allowed=known)

    def _value(self, element: etree._Element, attribute: str) -> None:
        type_name = self._value_type(element, attribute)
        words = self._grammar.words(type_name)
        found = element.get(attribute, "") if attribute else str(element.xpath("string()"))
        below = f"/@{attribute}" if attribute else ""
        if words:
            text = f"expected one of {_listed(words)}, found {found!r}{hint(found, words)}"
            self._note(element, "enumeration", text, below=below, found=found, allowed=words)
        else:
            wanted = _lowered(meaning(self._grammar, element, attribute, type_name))
            text = f"expected {wanted}; found {found!r}"
            self._note(element, "type", text, below=below, found=found)

    def _value_type(self, element: etree._Element, attribute: str) -> str:
        declaration = self._grammar.declaration(element)
        if declaration is not None and attribute:
            declaration = self._grammar.attributes(declaration).get(attribute)
        return "" if declaration is None else self._grammar.value_type(declaration)

    def _content(self, element: etree._Element, attribute: str, message: str) -> None:
        below = f"/@{attribute}" if attribute else ""
        if "Character content" in message:
            text = str(element.xpath("normalize-space(string(text()[normalize-space()]))"))
            self._note(element, "content", f"<{local(element.tag)}> may not hold text", found=text)
        else:
            self._note(element, "content", _OPENING.sub("", message), below=below)

    def _constraint(self, element: etree._Element, message: str) -> None:
        named = _CONSTRAINT.search(message)
        owner, selectors, fields = self._grammar.constraint(named.group(1) if named else "")
        if duplicate := _DUPLICATE.search(message):
            if fields == (f"@{COUNTED_BY}",):
                self._repeated_child(element, self._repeated)
            else:
                scope = next(a for a in element.iterancestors() if local(a.tag) == owner)
                first = self._first_with(duplicate.group(1), scope, selectors, fields[0].removeprefix("@"))
                self._duplicate(element, duplicate.group(1), first, fields[0])
        elif _ABSENT_FIELD in message:
            self._absent_field(element, fields[0])
        elif (field := _FIELD.search(message)) and (owner, field.group(1)) not in self._repetitions:
            self._repetitions.add((owner, field.group(1)))
            for parent in list(self._root.iter(owner)):
                self._repetition(parent, field.group(1).split("/"))

    def _duplicate(
        self, element: etree._Element, value: str, first: etree._Element | None, field: str
    ) -> None:
        name = field.removeprefix("@")
        place = (
            ""
            if first is None or first is element
            else f" at {self._paths[first]} (line {first.sourceline or 0})"
        )
        found = element.get(name, value)
        text = f"{found!r} stands already{place or ' elsewhere'}; every {element.tag!s} needs its own"
        self._note(element, "duplicate", text, below=f"/@{name}", found=found)

    def _first_with(
        self, value: str, scope: etree._Element, selectors: tuple[str, ...], name: str
    ) -> etree._Element | None:
        """Give the element that had ``value`` first, of those that a constraint of ``scope`` compares."""
        key = (scope, selectors, name)
        if key not in self._firsts:
            firsts: dict[str, etree._Element] = {}
            for each in sorted(_selected(scope, selectors), key=self._order.__getitem__):
                firsts.setdefault((each.get(name) or "").strip(), each)
            self._firsts[key] = firsts
        return self._firsts[key].get(value)

    def _absent_field(self, element: etree._Element, field: str) -> None:
        """Note the first step of a key's field that is not there; a wrong value is reported as such."""
        for step in field.split("/"):
            if step.startswith("@"):
                return
            child = element.find(step)
            if child is None:
                self._missing_child(element, step)
                return
            element = child

    def _repetition(self, parent: etree._Element, steps: list[str]) -> None:
        if not steps or steps[0].startswith("@"):
            return
        same = parent.findall(steps[0])
        for child in same[1:]:
            self._repeated_child(child, self._repeated)
        if len(same) == 1:
            self._repetition(same[0], steps[1:])


def unexplained(left_out: int) -> Violation:
    """Give what is said of a document of which only the first part is explained."""
    return too_large(f"only the first {MOST_ELEMENTS} elements are explained, and {left_out} more are not")


def too_large(message: str) -> Violation:
    """Give what stands in place of all that is not told."""
    return Violation(path="/", line=0, rule="too-large", message=message)


def _selected(scope: etree._Element, selectors: tuple[str, ...]) -> list[etree._Element]:
    return [element for selector in selectors for element in scope.findall(selector)]


def _cut(element: etree._Element) -> None:
    parent = element.getparent()
    if parent is not None:
        element.tail = None
        parent.remove(element)


def _listed(words: tuple[str, ...]) -> str:
    shown = ", ".join(words[:_LISTED])
    return f"{shown} and {len(words) - _LISTED} more" if len(words) > _LISTED else shown


def _lowered(sentence: str) -> str:
    """Give a sentence to go on with: its first letter small, unless an acronym starts it."""
    return sentence if sentence[1:2].isupper() else sentence[:1].lower() + sentence[1:]
