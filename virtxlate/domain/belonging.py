"""What a name that is not known somewhere may have been meant for: the ends of sentences about it."""

from __future__ import annotations

from lxml import etree

from virtxlate.domain.grammar import Grammar
from virtxlate.domain.nearness import nearest

_MOST = 3
"""More places than these say nothing."""


def belongs(of: Grammar, child: etree._Element, known: tuple[str, ...]) -> str:
    """Give what an element's name is here, where it stands, or which of the known ones is meant."""
    tag, parent = str(child.tag), child.getparent()
    declaration = None if parent is None else of.declaration(parent)
    if declaration is not None and parent is not None and tag in of.attributes(declaration):
        return f"; {tag} is an attribute of <{local(parent.tag)}>"
    if (other := _in_another_namespace(tag, known)) is not None:
        return other
    return _places(of.parents(tag)) or hint(tag, known)


def attribute_belongs(of: Grammar, element: etree._Element, name: str, known: tuple[str, ...]) -> str:
    """Give the same of an attribute: it may be a child, or one of a child or of the parent."""
    declaration, parent = of.declaration(element), element.getparent()
    if declaration is None:
        return hint(name, known)
    children = of.model(declaration).children
    if name in children:
        return f"; {name} is an element in it"
    inside = tuple(tag for tag, child in children.items() if name in of.attributes(child))
    above = None if parent is None else of.declaration(parent)
    if above is not None and parent is not None and name in of.attributes(above):
        inside = (*inside, str(parent.tag))
    near = hint(name, known)
    return near if near and not inside else _places(inside) or near


def _in_another_namespace(tag: str, known: tuple[str, ...]) -> str | None:
    for name in known:
        if name != tag and local(name) == local(tag) and name.startswith("{"):
            found = tag[1:].partition("}")[0] if tag.startswith("{") else ""
            return f"; its namespace is {name[1:].partition('}')[0]}, found {found or 'none'}"
    return None


def _places(names: tuple[str, ...]) -> str:
    if not 0 < len(names) <= _MOST:
        return ""
    return f"; it belongs in {' or '.join(f'<{local(each)}>' for each in names)}"


def local(name: object) -> str:
    """Give the name of an element without its namespace."""
    return str(name).rpartition("}")[2]


def hint(found: str, known: tuple[str, ...]) -> str:
    """Give the question whether a word that is near was meant."""
    near = nearest(local(found), [local(name) for name in known])
    return f"; did you mean {near}?" if near else ""
