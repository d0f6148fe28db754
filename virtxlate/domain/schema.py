"""Documents against the shipped XSD of their root: a fast verdict, and every fault of what was refused.

lxml's compiled schema decides. Only a document that it refuses is looked at again, to say where and why.
"""

from __future__ import annotations

import threading

from lxml import etree

from virtxlate.domain.document import parse_document
from virtxlate.domain.grammar import DOCUMENTS, grammar, schema_path
from virtxlate.domain.large import accepts
from virtxlate.domain.misfits import with_misfits
from virtxlate.domain.violations import Complaint, Violation, explain
from virtxlate.errors import DomainXmlError, SchemaError

__all__ = ["Violation", "check", "is_valid", "validate"]

Document = bytes | str | etree._Element | etree._ElementTree

_FIXES = (
    ("AttValue", "put the value between two ' or two \""),
    ("EntityRef", "write &amp; for a & that is meant"),
    ("invalid element name", "write &lt; for a < that is meant, or take it out"),
    ("Double hyphen", "write no -- in a comment"),
    ("declaration allowed only", "take out what stands before <?xml"),
)
"""What to do about what libxml2 says in its own terms."""
# A compiled schema keeps the log of its last validation, so threads must not share one.
_local = threading.local()


def is_valid(tree: etree._Element | etree._ElementTree) -> bool:
    """Say whether the XSD accepts a parsed document; takes microseconds and does not say why not.

    What goes together in an element no XSD can say: a document without a violation has no such fault either.
    """
    try:
        return not has_doctype(tree) and accepts(_compiled(_name(tree)), tree)
    except etree.XMLSchemaValidateError:
        return False


def validate(document: Document) -> tuple[Violation, ...]:
    """Give every violation of a document, in document order; empty when it is valid.

    Bytes may have any encoding that their XML declaration names. Raises nothing for a bad document: what is
    not XML at all is one violation of rule "malformed", and so is a document type declaration.
    """
    try:
        root = root_of(document)
    except DomainXmlError as exc:
        return (malformed(exc.message, exc.line),)
    if is_valid(root):
        return with_misfits(root, ())
    try:
        found = explain(root, _complaints, grammar(str(root.tag)))
        found = found or (malformed("refused by the schema, without a reason", 0),)
    except etree.XMLSchemaValidateError as exc:
        return (malformed(f"libxml2 cannot judge this document: {exc}", 0),)
    return with_misfits(root, found)


def check(document: Document) -> None:
    """Give nothing for a valid document. Raises SchemaError, which holds all violations, for any other."""
    violations = validate(document)
    if violations:
        first, count = violations[0], len(violations)
        more = f" (and {count - 1} more violations)" if count > 1 else ""
        raise SchemaError(f"{first.message}{more}", at=first.path, violations=violations)


def _name(tree: etree._Element | etree._ElementTree) -> str:
    """Give the name of the XSD of a document; what has none is judged as a domain, and refused."""
    root = tree if isinstance(tree, etree._Element) else tree.getroot()
    return DOCUMENTS.get(str(root.tag), "domain")


def _compiled(name: str) -> etree.XMLSchema:
    schemas: dict[str, etree.XMLSchema] | None = getattr(_local, "schemas", None)
    if schemas is None:
        schemas = _local.schemas = {}
    if name not in schemas:
        schemas[name] = etree.XMLSchema(etree.parse(str(schema_path(name))))
    return schemas[name]


def _complaints(root: etree._Element) -> list[Complaint]:
    schema = _compiled(_name(root))
    if schema.validate(root):
        return []
    return [Complaint(entry.type_name, entry.path or "", entry.message) for entry in schema.error_log]


def root_of(document: Document) -> etree._Element:
    """Give the root of a document. Raises DomainXmlError for what is no XML, or has a document type."""
    if isinstance(document, bytes | str):
        return parse_document(document)
    if has_doctype(document):
        raise DomainXmlError("expected no document type declaration, found one", at="/")
    return document if isinstance(document, etree._Element) else document.getroot()


def has_doctype(tree: etree._Element | etree._ElementTree) -> bool:
    """Say whether a document has a document type declaration; no domain needs one."""
    whole = tree.getroottree() if isinstance(tree, etree._Element) else tree
    return bool(whole.docinfo.doctype)


def malformed(message: str, line: int) -> Violation:
    """Give the one violation of a document that no schema can be asked about."""
    hint = next((fix for said, fix in _FIXES if said in message), "")
    return Violation(path="/", line=line, rule="malformed", message=message, hint=hint)
