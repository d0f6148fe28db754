"""``virtxlate define`` and ``start``: an instance as a domain of libvirt."""

from __future__ import annotations

import argparse
import difflib
import sys

from lxml import etree

from virtxlate.cli import complain
from virtxlate.cli.inputs import read_context, read_source
from virtxlate.cli.translate import translate_one
from virtxlate.domain.document import parse_document, parse_domain, to_text
from virtxlate.domain.model import Domain
from virtxlate.errors import LibvirtMissingError, OperationRefusedError, VerificationError
from virtxlate.ganeti.source import Source
from virtxlate.live.port import DomainPort, HostPort
from virtxlate.report import Report
from virtxlate.translate.compare import differences


def run(args: argparse.Namespace) -> int:
    """Define or start, and give the exit code."""
    source = read_source(args)
    if args.print_xml:
        sys.stdout.write(_translated(args, source))
        return 0
    try:
        from virtxlate.live.connection import connected  # noqa: PLC0415 - the only verbs that need libvirt
    except ImportError as exc:
        raise LibvirtMissingError(f"libvirt-python is not installed: {exc}") from exc
    with connected(args.connect) as host:
        if args.libvirt_version is None:
            args.libvirt_version = host.version()
        return _on_host(args, host, _translated(args, source))


def _translated(args: argparse.Namespace, source: Source) -> str:
    """Give the domain's text; what it lost goes to stderr."""
    context, report = read_context(args), Report()
    name, text = translate_one(args, context, source, args.instance, report)
    context.renames.check_used()
    for loss in report.losses:
        complain(f"loss: {name}: {loss}")
    return text


def _on_host(args: argparse.Namespace, host: HostPort, text: str) -> int:
    asked = parse_domain(text)
    existing = host.find(asked.uuid or "", asked.name)
    if args.print_diff:
        return _print_diff(existing, text)
    check_identity(existing, asked)
    if args.verb == "start" and existing is not None and existing.is_active():
        raise OperationRefusedError(f"domain {asked.name!r} is running already", call="start")
    done = "defined" if args.verb == "define" else "started"
    if args.dry_run:
        print(f"domain {asked.name!r} would be {done}; nothing was changed")
        return 0
    define(host, text, asked)
    if args.verb == "start":
        start(host, asked, paused=args.paused)
    print(f"domain {asked.name!r} {done}")
    return 0


def check_identity(existing: DomainPort | None, asked: Domain) -> None:
    """Raise OperationRefusedError when the name is another guest's, or the UUID has another name."""
    if existing is None:
        return
    if asked.uuid is not None and existing.uuid != asked.uuid.lower():
        raise OperationRefusedError(f"domain {asked.name!r} exists with UUID {existing.uuid}", call="define")
    if existing.name != asked.name:
        raise OperationRefusedError(
            f"UUID {existing.uuid} is that of domain {existing.name!r}", call="define"
        )


def define(host: HostPort, text: str, asked: Domain) -> DomainPort:
    """Define, and believe it only when the inactive XML agrees. Raises LiveError, VerificationError."""
    domain = host.define(text)
    _verify(asked, domain.inactive_xml(), "the inactive XML")
    return domain


def start(host: HostPort, asked: Domain, *, paused: bool = False) -> DomainPort:
    """Start a defined domain, and believe it only when the live XML says the same.

    Raises LiveError, VerificationError.
    """
    domain = host.find(asked.uuid or "", asked.name)
    if domain is None:
        raise OperationRefusedError(f"domain {asked.name!r} is gone", call="start")
    domain.start(paused=paused)
    _verify(asked, domain.live_xml(), "the live XML")
    return domain


def _verify(asked: Domain, xml: str, what: str) -> None:
    found = differences(asked, parse_domain(xml, []))
    if found:
        raise VerificationError(f"libvirt accepted the domain, but {what} differs", differences=found)


def _print_diff(existing: DomainPort | None, text: str) -> int:
    before = _normal(existing.inactive_xml()) if existing is not None else ""
    lines = difflib.unified_diff(
        before.splitlines(keepends=True),
        _normal(text).splitlines(keepends=True),
        "Original XML",
        "Altered XML",
    )
    sys.stdout.writelines(lines)
    return 0


def _normal(xml: str) -> str:
    """Give a document in one spelling, so that a diff shows meaning: same blanks, same quotes."""
    root = parse_document(xml)
    for element in root.iter(etree.Element):
        if len(element) and not (element.text or "").strip():
            element.text = None
        element.tail = None
    return to_text(root)
