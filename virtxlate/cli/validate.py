"""``virtxlate validate``: every problem of documents."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING
from uuid import uuid4

from lxml import etree
from msgspec import structs

from virtxlate.cli import complain, describe, show
from virtxlate.cli.connecting import connected
from virtxlate.cli.inputs import STDIO
from virtxlate.cli.parser_validate import DOCUMENTS
from virtxlate.cli.results import print_json
from virtxlate.cli.verdicts import Verdict, grouped, limited, lines
from virtxlate.domain import schema
from virtxlate.domain.document import MAX_BYTES
from virtxlate.domain.grammar import DOCUMENTS as HAVE_AN_XSD
from virtxlate.domain.nearness import nearest
from virtxlate.domain.unchecked import unchecked
from virtxlate.domain.violations import Violation
from virtxlate.errors import DomainXmlError, SchemaSourceError, UsageError
from virtxlate.live.opinion import Opinion, ask
from virtxlate.rules import validate

if TYPE_CHECKING:
    from virtxlate.schema.host import HostSchema

Asked = Callable[[etree._Element], Opinion]
Violations = tuple[Violation, ...]
_OF_WORDS = frozenset({"unknown-element", "unknown-attribute", "enumeration"})
"""What a libvirt newer than the shipped schema may have brought."""


def run(args: argparse.Namespace) -> int:
    """Validate, and give 0 where all files are good, 1 where one is not, 3 where one cannot be read."""
    if args.connect and not args.against:
        raise UsageError("--connect is for --against libvirt")
    files, kind = _files(args.files)
    verdicts, code = [], 0
    judges = _Judges(args.schema, kind, args.explain)
    with _libvirt(args) as (asked, libvirt):
        for path in dict.fromkeys(files):
            try:
                verdict = _verdict(path, judges, args.limit, asked)
            except (OSError, SchemaSourceError) as exc:
                reason, code = describe(exc, traceback=args.traceback)
                complain(f"error: {reason}{_meant(path, args.files)}")
                continue
            verdicts.append(verdict)
            if args.format == "text":
                for line in lines(verdict, libvirt):
                    show(line)
    if args.format == "json":
        print_json([structs.replace(verdict, file=_as_text(verdict.file)) for verdict in verdicts])
    elif args.format == "sarif":
        from virtxlate.cli.sarif import sarif  # noqa: PLC0415 - seldom wanted

        print_json(sarif(verdicts, is_whole=code == 0))
    return code or (0 if all(verdict.is_good for verdict in verdicts) else 1)


def _files(given: list[str]) -> tuple[list[str], str | None]:
    """Give the files, and the root element of the type of document that was named behind them."""
    last = given[-1]
    if len(given) > 1 and last in DOCUMENTS and not os.path.exists(last):  # noqa: PTH110 - one stat, no object
        return given[:-1], DOCUMENTS[last]
    return given, None


def _meant(path: str, given: list[str]) -> str:
    """Give the end of a sentence about a file that is not there: it may have been a type of document."""
    if len(given) == 1 or path != given[-1] or not path.isalnum():
        return ""
    near = nearest(path, DOCUMENTS)
    return f"; no type of document has that name{f'; did you mean {near}?' if near else ''}"


def _as_text(file: str) -> str:
    """Give the name of a file, with what is not UTF-8 in it told as the text form tells it."""
    return file.encode("utf-8", "backslashreplace").decode()


def _verdict(path: str, judges: _Judges, limit: int, asked: Asked | None) -> Verdict:
    """Give what comes of a file. Raises OSError."""
    name = "stdin" if path == STDIO else path
    data = _read(path)
    try:
        root = _parsed(data)
    except DomainXmlError as exc:
        return Verdict(file=name, valid=False, violations=(schema.malformed(exc.message, exc.line),))
    violations = judges.violations(root)
    shown, more = limited(violations, limit)
    return Verdict(
        file=name,
        valid=all(each.severity != "error" for each in violations),
        violations=shown,
        more=more,
        unchecked=grouped(unchecked(root)) if judges.leaves_open(root) else (),
        libvirt=asked and asked(root),
    )


def _parsed(data: bytes) -> etree._Element:
    if len(data) > MAX_BYTES:
        raise DomainXmlError(f"larger than {MAX_BYTES >> 20} MiB; no document of libvirt's is")
    return schema.root_of(data)


def _read(path: str) -> bytes:
    """Give the bytes of a file, one more than are allowed at most: a device has no end."""
    if path == STDIO:
        return sys.stdin.buffer.read(MAX_BYTES + 1)
    with open(path, "rb") as stream:  # noqa: PTH123 - one open, no object
        return stream.read(MAX_BYTES + 1)


class _Judges:
    """Which schema judges which document."""

    def __init__(self, name: str, kind: str | None, explainer: str) -> None:
        self._name = name
        self._kind = kind
        self._explainer = explainer

    def violations(self, root: etree._Element) -> tuple[Violation, ...]:
        if self._kind is not None and root.tag != self._kind:
            return (_of_another_type(root, self._kind),)
        if not self.is_own(root):
            return validate(root, self._host.validate)
        found = validate(root)
        if self._explainer == "virtxlate" or schema.is_valid(root):
            return found if self._built is None else _with_host(root, found, self._built)
        from virtxlate.domain import second_opinion  # noqa: PLC0415 - slow to import, and seldom asked

        return (
            *second_opinion.explain(root),
            *(each for each in found if each.rule not in second_opinion.OF_AN_XSD),
        )

    def is_own(self, root: etree._Element) -> bool:
        if self._name != "auto":
            return self._name == "own"
        return root.tag == "domain" or (str(root.tag) in HAVE_AN_XSD and not self._has_host)

    def leaves_open(self, root: etree._Element) -> bool:
        """Say whether nobody looked at what the own schema leaves open."""
        return self.is_own(root) and self._built is None

    @cached_property
    def _built(self) -> HostSchema | None:
        """The schema of the host, where any may judge, and one that has domains is there already."""
        if self._name != "auto":
            return None
        from virtxlate.schema.host import host_schema  # noqa: PLC0415 - not where one schema is asked for

        try:
            host = host_schema()
        except SchemaSourceError:
            return None
        return host if host.stored.contents.document("domain") else None

    @cached_property
    def _has_host(self) -> bool:
        try:
            return self._host is not None
        except SchemaSourceError:
            return False

    @cached_property
    def _host(self) -> HostSchema:
        from virtxlate.schema.host import HostSchema, host_schema  # noqa: PLC0415 - not for a domain

        try:
            return host_schema()
        except SchemaSourceError:
            if self._name == "host":
                raise
        from virtxlate.schema.store import build_schema  # noqa: PLC0415 - once a host

        stored = build_schema()
        complain(f"note: built the schema of {stored.source} for documents that are no domains")
        return HostSchema(stored)


def _with_host(root: etree._Element, found: Violations, host: HostSchema) -> Violations:
    """Give what the host's schema says where it takes words that ours does not know, or refuses more."""
    if host.is_valid(root):
        knows_more = any(each.rule in _OF_WORDS for each in found)
    else:
        knows_more = all(each.severity != "error" for each in found)
    return validate(root, host.validate) if knows_more else found


def _of_another_type(root: etree._Element, wanted: str) -> Violation:
    return Violation(
        path=f"/{root.tag!s}",
        line=root.sourceline or 0,
        rule="unknown-element",
        message=f"a document of this type is a <{wanted}>, found <{root.tag!s}>",
        found=str(root.tag),
        allowed=(wanted,),
    )


@contextmanager
def _libvirt(args: argparse.Namespace) -> Iterator[tuple[Asked | None, str]]:
    """Give what asks a libvirt, if one is to be asked, and its name."""
    if not args.against:
        yield None, ""
        return
    with connected(args.connect, read_only=False) as host:
        trials = host.trials()
        yield (lambda root: ask(root, trials, str(uuid4()))), f"libvirt {host.version()}"
