"""What a value should have been, in words: of the schema, else our own for the same place, else a pattern."""

from __future__ import annotations

from lxml import etree

from virtxlate.domain.grammar import Grammar, grammar

_UNTOLD = "a value of type "
_LONGEST = 100


def meaning(of: Grammar, element: etree._Element, attribute: str, type_name: str) -> str:
    """Give a noun phrase for a type of ``of``, at an attribute of ``element``, or in its text ("")."""
    told = of.meaning(type_name)
    if not told.startswith(_UNTOLD):
        return told
    return _own(of, element, attribute) or _pattern(of, type_name) or told


def _own(of: Grammar, element: etree._Element, attribute: str) -> str:
    """Give what the shipped XSD says of the same place; a schema that was built of RELAX NG has no words."""
    own = grammar()
    if own is of or str(element.getroottree().getroot().tag) not in own.roots:
        return ""
    declaration = own.declaration(element)
    if declaration is not None and attribute:
        declaration = own.attributes(declaration).get(attribute)
    told = "" if declaration is None else own.meaning(own.value_type(declaration))
    return "" if told.startswith(_UNTOLD) else told


def _pattern(of: Grammar, type_name: str) -> str:
    patterns = of.patterns(type_name)
    told = f"a value that matches {' or '.join(patterns)}"
    return told if patterns and len(told) <= _LONGEST else ""
