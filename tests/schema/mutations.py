"""One small fault at a time: eighteen kinds of change to a document, drawn with a seed."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from typing import NamedTuple

from lxml import etree

Change = Callable[[etree._Element, random.Random, "Pool"], None]
"""Changes a document in place; IndexError where it has nothing to change."""
_WORDS = ("", "nonsense", "-1", "0", "+5", "0x0a", "5.0", "99999999999999999999", "\u0665")
_TEXTS = ("x", "5", " ", "\n", "two words")
_QEMU = "{http://libvirt.org/schemas/domain/qemu/1.0}"


class Pool(NamedTuple):
    """What other documents hold, to be put into this one."""

    documents: Sequence[etree._Element]
    names: Sequence[str]
    attributes: Sequence[tuple[str, str]]


class Mutant(NamedTuple):
    kind: str
    origin: etree._Element
    root: etree._Element


def pool_of(documents: Sequence[etree._Element]) -> Pool:
    elements = [element for root in documents for element in root.iter(etree.Element)]
    names = [str(element.tag) for element in elements]
    return Pool(
        documents, names, [(str(k), str(v)) for element in elements for k, v in element.attrib.items()]
    )


def mutants(documents: Sequence[etree._Element], count: int, rng: random.Random) -> Iterator[Mutant]:
    """Give ``count`` changed copies of documents, as many of each kind, parsed anew."""
    pool = pool_of(documents)
    for number in range(count):
        change = KINDS[number % len(KINDS)]
        while True:
            origin = rng.choice(documents)
            root = deepcopy(origin)
            try:
                change(root, rng, pool)
            except IndexError:
                continue
            break
        yield Mutant(change.__name__, origin, etree.fromstring(etree.tostring(root)))


def _elements(root: etree._Element) -> list[etree._Element]:
    return list(root.iter(etree.Element))


def _inner(root: etree._Element, rng: random.Random) -> etree._Element:
    return rng.choice(_elements(root)[1:])


def _parent(element: etree._Element) -> etree._Element:
    parent = element.getparent()
    assert parent is not None
    return parent


def _attribute(root: etree._Element, rng: random.Random) -> tuple[etree._Element, str]:
    return rng.choice([(element, str(key)) for element in _elements(root) for key in element.attrib])


def delete_element(root: etree._Element, rng: random.Random, _pool: Pool) -> None:
    element = _inner(root, rng)
    _parent(element).remove(element)


def misspell_element(root: etree._Element, rng: random.Random, _pool: Pool) -> None:
    element = rng.choice(_elements(root))
    element.tag = f"{element.tag!s}x"


def rename_element(root: etree._Element, rng: random.Random, pool: Pool) -> None:
    rng.choice(_elements(root)).tag = rng.choice(pool.names)


def change_namespace(root: etree._Element, rng: random.Random, _pool: Pool) -> None:
    element = rng.choice(_elements(root))
    tag = str(element.tag)
    element.tag = tag.rpartition("}")[2] if tag.startswith("{") else _QEMU + tag


def delete_attribute(root: etree._Element, rng: random.Random, _pool: Pool) -> None:
    element, key = _attribute(root, rng)
    del element.attrib[key]


def add_attribute(root: etree._Element, rng: random.Random, pool: Pool) -> None:
    rng.choice(_elements(root)).set(*rng.choice(pool.attributes))


def misspell_attribute(root: etree._Element, rng: random.Random, _pool: Pool) -> None:
    element, key = _attribute(root, rng)
    element.set(f"{key}x", element.attrib.pop(key))


def wrong_value(root: etree._Element, rng: random.Random, _pool: Pool) -> None:
    element, key = _attribute(root, rng)
    old = element.get(key, "")
    element.set(key, rng.choice([*_WORDS, f" {old} ", old.upper()]))


def other_value(root: etree._Element, rng: random.Random, pool: Pool) -> None:
    element, key = _attribute(root, rng)
    element.set(key, rng.choice([value for name, value in pool.attributes if name == key]))


def duplicate_beside(root: etree._Element, rng: random.Random, _pool: Pool) -> None:
    element = _inner(root, rng)
    element.addnext(deepcopy(element))


def duplicate_at_end(root: etree._Element, rng: random.Random, _pool: Pool) -> None:
    element = _inner(root, rng)
    _parent(element).append(deepcopy(element))


def move(root: etree._Element, rng: random.Random, _pool: Pool) -> None:
    element = _inner(root, rng)
    _parent(element).remove(element)
    rng.choice(_elements(root)).append(element)


def shuffle_children(root: etree._Element, rng: random.Random, _pool: Pool) -> None:
    parent = rng.choice([element for element in _elements(root) if len(element) > 1])
    children = list(parent)
    rng.shuffle(children)
    for child in children:
        parent.append(child)


def change_text(root: etree._Element, rng: random.Random, _pool: Pool) -> None:
    element = rng.choice(_elements(root))
    kept = element.text or ""
    element.text = rng.choice([kept + text for text in _TEXTS] + ["", "0", "x"])


def graft(root: etree._Element, rng: random.Random, pool: Pool) -> None:
    """Put a child of another document's element into an element of the same name."""
    child = _inner(rng.choice(pool.documents), rng)
    name = _parent(child).tag
    rng.choice([element for element in _elements(root) if element.tag == name]).append(deepcopy(child))


def replace(root: etree._Element, rng: random.Random, pool: Pool) -> None:
    """Put another document's element in the place of one of the same name."""
    other = _inner(rng.choice(pool.documents), rng)
    old = rng.choice([element for element in _elements(root)[1:] if element.tag == other.tag])
    _parent(old).replace(old, deepcopy(other))


def empty(root: etree._Element, rng: random.Random, _pool: Pool) -> None:
    element = _inner(root, rng)
    for child in list(element):
        element.remove(child)


def unwrap(root: etree._Element, rng: random.Random, _pool: Pool) -> None:
    element = _inner(root, rng)
    parent = _parent(element)
    for child in list(element):
        parent.append(child)
    parent.remove(element)


KINDS: tuple[Change, ...] = (
    delete_element,
    misspell_element,
    rename_element,
    change_namespace,
    delete_attribute,
    add_attribute,
    misspell_attribute,
    wrong_value,
    other_value,
    duplicate_beside,
    duplicate_at_end,
    move,
    shuffle_children,
    change_text,
    graft,
    replace,
    empty,
    unwrap,
)
