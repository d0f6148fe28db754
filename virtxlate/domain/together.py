"""What goes together in an element: attributes, children and a text, where one word decides about the rest.

XSD 1.0 cannot say it. A form is one word with the names that go with it; names that stand in no form of an
element are none of its business. Names are ``@attribute``, ``child`` and ``#`` for a text. What the type of a
disk, an interface, a host device, a controller or an address decides is a rule (virtxlate.rules), not a form.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from lxml import etree

Element = etree._Element
TEXT = "#"


class Form(NamedTuple):
    """An element with one word: what it takes, and what it cannot be without."""

    says: str
    """Such an element in one sentence, without a full stop."""
    takes: str = ""
    """Names, apart by blanks, beyond those that it needs."""
    needs: str = ""
    one_of: str = ""
    """Names apart by ``|``, of which one stands, and no other. A name in parentheses may be left out."""
    once: str = ""
    """Children of which there is one at most."""
    values: Mapping[str, str] = {}
    """A pattern for the value of an attribute, which is narrower than that of the XSD."""

    def names(self) -> frozenset[str]:
        """Give all names that may stand in it."""
        return frozenset([*self.takes.split(), *self.needs.split(), *self.choice()])

    def choice(self) -> list[str]:
        """Give the names of which one stands."""
        return [name.strip("()") for name in self.one_of.split("|") if name]

    def wants_one(self) -> bool:
        """Say whether one of the choice must stand."""
        return bool(self.one_of) and not self.one_of.startswith("(")


class Together(NamedTuple):
    """The forms of an element, by the word that decides."""

    places: tuple[str, ...]
    """Paths of elements, from the end: "disk/source/host"; without a parent, everywhere."""
    word: Callable[[Element], str]
    forms: Mapping[str, Form]
    """By word; that of "" is the form of any other word too."""

    def form(self, element: Element) -> Form | None:
        """Give the form that an element has, or None where nothing is known about it."""
        return self.forms.get(self.word(element), self.forms.get(""))

    def known(self) -> frozenset[str]:
        """Give all names about which something is said."""
        return frozenset(name for form in self.forms.values() for name in form.names())


class Misfit(NamedTuple):
    """One thing that does not go with the rest of its element."""

    element: Element
    name: str
    """What is wrong or missing: ``@attribute``, child or ``#``; "" where one of several is missing."""
    message: str
    found: str | None


def attribute(name: str, default: str = "") -> Callable[[Element], str]:
    """Give what reads the word of an element from an attribute."""
    return lambda element: element.get(name, default)


def of_parent(name: str, default: str = "") -> Callable[[Element], str]:
    """Give what reads the word of an element from an attribute of its parent."""

    def read(element: Element) -> str:
        parent = element.getparent()
        return default if parent is None else parent.get(name, default)

    return read


def always(_element: Element) -> str:
    """Give the word of an element that has one form."""
    return ""


def has_children(element: Element) -> bool:
    """Say whether there is an element in an element; a comment is none."""
    return next(element.iterchildren("*"), None) is not None


class _Ready(NamedTuple):
    """A form with its names taken apart, so that an element that fits is told at once."""

    form: Form
    takes: frozenset[str]
    known: frozenset[str]
    bad_attributes: frozenset[str]
    bad_children: frozenset[str]
    is_bare: bool
    """Whether a text is one of the things that do not go with it."""
    attributes: tuple[str, ...]
    children: tuple[str, ...]
    """What it needs."""
    values: tuple[tuple[str, re.Pattern[str]], ...]
    """Of attributes."""
    is_plain: bool
    """Whether that is all there is to say of it."""

    def fits(self, element: Element) -> bool:
        """Say whether an element surely has no misfit; False where one has to look closer."""
        attributes = element.keys()
        if not (self.is_plain and self.bad_attributes.isdisjoint(attributes)):
            return False
        if any(name not in attributes for name in self.attributes):
            return False
        for name, pattern in self.values:
            value = element.get(name)
            if value is not None and pattern.fullmatch(value) is None:
                return False
        if self.is_bare and _has_text(element):
            return False
        if not (self.bad_children or self.children):
            return True
        inside = {child.tag for child in element}
        return self.bad_children.isdisjoint(inside) and inside.issuperset(self.children)


def _ready(form: Form, known: frozenset[str]) -> _Ready:
    takes, needs = form.names(), form.needs.split()
    bad = known - takes
    return _Ready(
        form,
        takes,
        known,
        bad_attributes=frozenset(name[1:] for name in bad if name.startswith("@")),
        bad_children=frozenset(name for name in bad if not name.startswith(("@", TEXT))),
        is_bare=TEXT in bad,
        attributes=tuple(name[1:] for name in needs if name.startswith("@")),
        children=tuple(name for name in needs if not name.startswith(("@", TEXT))),
        values=tuple((name[1:], re.compile(pattern)) for name, pattern in form.values.items()),
        is_plain=not (form.one_of or form.once or TEXT in needs or TEXT in form.values),
    )


class _Row(NamedTuple):
    """A table at one of its places."""

    above: tuple[str, ...]
    """The parent, its parent and so on; empty where the element may stand anywhere."""
    word: Callable[[Element], str]
    forms: dict[str, _Ready]


class Misfits:
    """All tables, made ready to be looked up by the names of an element and its parent."""

    def __init__(self, tables: tuple[Together, ...]) -> None:
        rows: dict[str, list[_Row]] = {}
        for each in tables:
            known = each.known()
            forms = {word: _ready(form, known) for word, form in each.forms.items()}
            for place in (spelt for given in each.places for spelt in _spellings(given)):
                *above, name = place.split("/")
                rows.setdefault(name, []).append(_Row(tuple(reversed(above)), each.word, forms))
        self._by_name = {name: _by_parent(found) for name, found in rows.items()}

    def of(self, root: Element) -> Iterator[Misfit]:
        """Give every misfit from ``root`` down, in document order."""
        for element in root.iter(etree.Element):
            parents = self._by_name.get(element.tag)  # type: ignore[arg-type]
            if parents is None:
                continue
            parent = element.getparent()
            above = "" if parent is None else parent.tag
            for row in parents.get(above) or parents[""]:  # type: ignore[arg-type]
                if len(row.above) > 1 and not _is_under(element, row.above):
                    continue
                ready = row.forms.get(row.word(element)) or row.forms.get("")
                if ready is not None and not ready.fits(element):
                    yield from _misfits(element, ready)


def _by_parent(rows: list[_Row]) -> dict[str, tuple[_Row, ...]]:
    """Give the rows for each parent that one of them names, and for any other as those of ""."""
    parents = {row.above[0] for row in rows if row.above} | {""}
    return {parent: tuple(row for row in rows if row.above[:1] in {(), (parent,)}) for parent in parents}


def _spellings(place: str) -> tuple[str, ...]:
    """Give a place in a domain, and the same in the inactive one of a snapshot."""
    top, slash, rest = place.partition("/")
    return (place, f"inactiveDomain{slash}{rest}") if top == "domain" else (place,)


def _is_under(element: Element, above: tuple[str, ...]) -> bool:
    for name in above:
        parent = element.getparent()
        if parent is None or parent.tag != name:
            return False
        element = parent
    return True


def _misfits(element: Element, ready: _Ready) -> Iterator[Misfit]:
    form = ready.form
    present = list(dict.fromkeys(_present(element)))
    for name in present:
        if name in ready.known and name not in ready.takes:
            message = f"{form.says}; {noun(name)} does not go with it"
            yield Misfit(element, name, message, _value(element, name))
    for name in form.needs.split():
        if name not in present:
            yield Misfit(element, name, f"{form.says}; {noun(name)} is missing", None)
    yield from _chosen(element, form, present)
    yield from _repeated(element, form)
    yield from _wrong_values(element, form)


def _chosen(element: Element, form: Form, present: list[str]) -> Iterator[Misfit]:
    choice = form.choice()
    chosen = [name for name in present if name in choice]
    if len(chosen) > 1:
        others = f"{noun(chosen[0])} and {noun(chosen[1])} exclude each other"
        yield Misfit(element, chosen[1], f"{form.says}; {others}", _value(element, chosen[1]))
    elif not chosen and form.wants_one():
        yield Misfit(element, "", f"{form.says}; {' or '.join(map(noun, choice))} is missing", None)


def _repeated(element: Element, form: Form) -> Iterator[Misfit]:
    for name in form.once.split():
        for child in element.findall(name)[1:]:
            yield Misfit(child, "", f"{form.says}; {noun(name)} may stand only once", name)


def _wrong_values(element: Element, form: Form) -> Iterator[Misfit]:
    for name, pattern in form.values.items():
        value = _value(element, name)
        is_told = value is not None if name.startswith("@") else bool(value)
        # libvirt reads a text with its blanks.
        whole = element.text if name == TEXT else value
        if is_told and re.fullmatch(pattern, whole or "") is None:
            yield Misfit(element, name, f"{form.says}; found {value!r}", value)


def _present(element: Element) -> Iterator[str]:
    yield from (f"@{name}" for name in element.keys())  # noqa: SIM118 - of attributes, not of children
    children = list(element.iterchildren("*"))
    yield from (str(child.tag) for child in children)
    if _has_text(element):
        yield TEXT


def _has_text(element: Element) -> bool:
    return bool((element.text or "").strip()) or any((child.tail or "").strip() for child in element)


def _value(element: Element, name: str) -> str | None:
    if name.startswith("@"):
        return element.get(name[1:])
    return (element.text or "").strip() if name == TEXT else name


def noun(name: str) -> str:
    """Give a name as a sentence has it."""
    if name == TEXT:
        return "a text"
    return f"the attribute {name[1:]}" if name.startswith("@") else f"<{name}>"
