"""Documents against the schema of a libvirt at hand: the XSD decides first, then the rules."""

from __future__ import annotations

import threading
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from lxml import etree

from virtxlate.domain.grammar import Grammar
from virtxlate.domain.large import accepts, first_part
from virtxlate.domain.paths import paths_of
from virtxlate.domain.schema import Document, has_doctype, malformed, root_of
from virtxlate.domain.violations import Complaint, Violation, explain, unexplained
from virtxlate.errors import DomainXmlError
from virtxlate.schema.build import DocumentType
from virtxlate.schema.explain import broken_rules
from virtxlate.schema.judge import Judge
from virtxlate.schema.rules import read_rules
from virtxlate.schema.store import Stored, stored_schema

_INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"
_hints = etree.XPath("boolean(//@xsi:*)", namespaces={"xsi": _INSTANCE})


class _Compiled(NamedTuple):
    xsd: etree.XMLSchema
    judge: Judge


class HostSchema:
    """The schema of one libvirt, as ``build_schema`` made it; threads may share it."""

    def __init__(self, stored: Stored) -> None:
        self.stored = stored
        # A compiled schema keeps the log of its last validation, so each thread has its own.
        self._local = threading.local()

    def is_valid(self, tree: etree._Element | etree._ElementTree) -> bool:
        """Say whether a parsed document is what this libvirt's grammar describes."""
        root = tree if isinstance(tree, etree._Element) else tree.getroot()
        document = self._document(root)
        if document is None or has_doctype(root):
            return False
        compiled = self._compiled(document)
        try:
            return accepts(compiled.xsd, root) and not _hints(root) and compiled.judge.is_valid(root)
        except etree.XMLSchemaValidateError:
            return False

    def validate(self, document: Document) -> tuple[Violation, ...]:
        """Give every violation of a document, of whatever type its root is; as virtxlate.validate does."""
        try:
            root = root_of(document)
        except DomainXmlError as exc:
            return (malformed(exc.message, exc.line),)
        kind = self._document(root)
        if kind is None:
            return (self._foreign(root),)
        if self.is_valid(root):
            return ()
        try:
            return self._explain(root, kind)
        except etree.XMLSchemaValidateError as exc:
            return (malformed(f"libxml2 cannot judge this document: {exc}", 0),)

    def path(self, name: str) -> Path:
        """Give the XSD file of a document type, or of a root element. Raises SchemaSourceError."""
        return self.stored.path / self.stored.contents.named(name).xsd[0]

    def _document(self, root: etree._Element) -> DocumentType | None:
        return self.stored.contents.document(str(root.tag))

    def _compiled(self, document: DocumentType) -> _Compiled:
        known: dict[str, _Compiled] | None = getattr(self._local, "known", None)
        if known is None:
            known = self._local.known = {}
        if document.name not in known:
            xsd = etree.XMLSchema(etree.parse(str(self.stored.path / document.xsd[0])))
            table = read_rules((self.stored.path / document.rules).read_bytes())
            known[document.name] = _Compiled(xsd, Judge(table))
        return known[document.name]

    def _explain(self, root: etree._Element, document: DocumentType) -> tuple[Violation, ...]:
        compiled = self._compiled(document)

        def complaints(element: etree._Element) -> list[Complaint]:
            if compiled.xsd.validate(element):
                return []
            log = compiled.xsd.error_log
            return [Complaint(entry.type_name, entry.path or "", entry.message) for entry in log]

        part = first_part(root)
        found = explain(part.root, complaints, _grammar(self.stored.path / document.xsd[0]))
        paths = paths_of(part.root)
        order = {path: at for at, path in enumerate(paths[each] for each in part.root.iter(etree.Element))}
        known = {each.path if each.path in order else each.path.rpartition("/")[0] for each in found}
        # What has lost children is not asked whether it is complete.
        known |= {paths[each] for each in part.open}
        more = [each for each in broken_rules(part.root, compiled.judge, paths) if each.at not in known]
        whole = [*found, *(each.violation for each in more)]
        whole.sort(key=lambda each: _order(each.path, order))
        if part.left_out:
            whole.append(unexplained(part.left_out))
        if not whole:
            return (_hinted(root) if _hints(root) else malformed("refused, without a reason", 0),)
        return tuple(whole)

    def _foreign(self, root: etree._Element) -> Violation:
        roots = sorted({name for each in self.stored.contents.documents for name in each.roots})
        tag = str(root.tag)
        message = f"libvirt has no document <{tag}>; it has {', '.join(roots)}"
        return Violation(
            path=f"/{tag}",
            line=root.sourceline or 0,
            rule="unknown-element",
            message=message,
            found=tag,
            allowed=tuple(roots),
        )


@lru_cache(maxsize=8)
def _grammar(path: Path) -> Grammar:
    return Grammar(path)


def host_schema() -> HostSchema:
    """Give the schema that was built last of a libvirt on this host.

    Raises SchemaSourceError if none was built, or libvirt's files have changed since.
    """
    return HostSchema(stored_schema())


def _hinted(root: etree._Element) -> Violation:
    found = root.xpath("(//*[@xsi:*])[1]", namespaces={"xsi": _INSTANCE})
    element = found[0] if isinstance(found, list) and isinstance(found[0], etree._Element) else root
    name = next(str(key) for key in element.attrib if str(key).startswith(f"{{{_INSTANCE}}}"))
    return Violation(
        path=f"{root.getroottree().getpath(element)}/@{name}",
        line=element.sourceline or 0,
        rule="unknown-attribute",
        message=f"the attribute {etree.QName(name).localname} is not known in <{element.tag!s}>",
        found=name,
    )


def _order(path: str, order: dict[str, int]) -> int:
    """Give the place of a path in the document; what is missing stands where its parent does."""
    return order.get(path, order.get(path.rpartition("/")[0], 0))
