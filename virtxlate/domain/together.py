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


class Misfits:
    """All tables, made ready to be looked up by the name of an element."""

    def __init__(self, tables: tuple[Together, ...]) -> None:
        self._by_name: dict[str, list[tuple[tuple[str, ...], Together, frozenset[str]]]] = {}
        for each in tables:
            for place in (spelt for given in each.places for spelt in _spellings(given)):
                *above, name = place.split("/")
                self._by_name.setdefault(name, []).append((tuple(reversed(above)), each, each.known()))

    def of(self, root: Element) -> Iterator[Misfit]:
        """Give every misfit from ``root`` down, in document order."""
        for element in root.iter(*self._by_name):
            for above, table, known in self._by_name[str(element.tag)]:
                form = table.form(element) if _is_under(element, above) else None
                if form is not None:
                    yield from _misfits(element, form, known)


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


def _misfits(element: Element, form: Form, known: frozenset[str]) -> Iterator[Misfit]:
    present = list(dict.fromkeys(_present(element)))
    takes = form.names()
    for name in present:
        if name in known and name not in takes:
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
        if value and re.fullmatch(pattern, value) is None:
            yield Misfit(element, name, f"{form.says}; found {value!r}", value)


def _present(element: Element) -> Iterator[str]:
    yield from (f"@{name}" for name in element.keys())  # noqa: SIM118 - of attributes, not of children
    children = list(element.iterchildren("*"))
    yield from (str(child.tag) for child in children)
    if (element.text or "").strip() or any((child.tail or "").strip() for child in element):
        yield TEXT


def _value(element: Element, name: str) -> str | None:
    if name.startswith("@"):
        return element.get(name[1:])
    return (element.text or "").strip() if name == TEXT else name


def noun(name: str) -> str:
    """Give a name as a sentence has it."""
    if name == TEXT:
        return "a text"
    return f"the attribute {name[1:]}" if name.startswith("@") else f"<{name}>"
