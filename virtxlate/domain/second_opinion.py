"""What xmlschema says of a document: a second engine on the same XSD, for who wants its view.

lxml decides, and virtxlate.domain.violations explains. xmlschema is imported here only, when it is asked: it
takes a tenth of a second to import and more to load a schema.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, get_args

from lxml import etree

from virtxlate.domain.grammar import DOCUMENTS, schema_path
from virtxlate.domain.large import MOST_ELEMENTS, elements_in, first_part
from virtxlate.domain.paths import paths_of
from virtxlate.domain.schema import Document, malformed, root_of
from virtxlate.domain.violations import SchemaRule, Violation, unexplained
from virtxlate.errors import DomainXmlError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from xmlschema import XMLSchema10

RULE = "xmlschema"
"""The rule of every violation that xmlschema tells."""
OF_AN_XSD = frozenset(get_args(SchemaRule)) - {"co-occurrence"}
"""Rules of what an XSD alone refuses, which xmlschema tells in its own words."""


def explain(document: Document, path: Path | None = None) -> tuple[Violation, ...]:
    """Give what xmlschema has against a document, in document order; empty when it accepts it.

    ``path`` is the XSD; without it, the shipped one of the document's root. Raises nothing for a bad
    document, and UsageError where xmlschema is not installed.
    """
    try:
        root = root_of(document)
    except DomainXmlError as exc:
        return (malformed(exc.message, exc.line),)
    schema = _schema(path or schema_path(DOCUMENTS.get(str(root.tag), "domain")))
    part = first_part(root) if elements_in(root) > MOST_ELEMENTS else None
    judged = root if part is None else part.root
    places = paths_of(judged)
    found = []
    tree: Any = judged  # xmlschema takes lxml's elements, and its types do not say so
    for error in schema.iter_errors(tree):
        about: Any = error.elem
        element = judged if about is None else about
        path_of = places.get(element, f"/{judged.tag!s}")
        message = " ".join(str(error.reason or error.message).split())
        found.append(Violation(path=path_of, line=element.sourceline or 0, rule=RULE, message=message))
    order = {place: at for at, place in enumerate(places[each] for each in judged.iter(etree.Element))}
    found.sort(key=lambda each: order.get(each.path, 0))
    return tuple(found) if part is None else (*found, unexplained(part.left_out))


@lru_cache(maxsize=8)
def _schema(path: Path) -> XMLSchema10:
    try:
        import xmlschema  # noqa: PLC0415 - slow to import, and seldom wanted
    except ImportError:
        raise UsageError("xmlschema is not installed: pip install 'virtxlate[explain]'") from None
    # Nothing but the files beside the XSD is ever read.
    return xmlschema.XMLSchema10(str(path), allow="local")
