"""``virtxlate define`` and ``start``: an instance as a domain of libvirt."""

from __future__ import annotations

import argparse
import sys

import msgspec

from virtxlate.cli import complain, show
from virtxlate.cli.connecting import connected
from virtxlate.cli.difference import diff_lines, dropped
from virtxlate.cli.inputs import read_context, read_instance, read_source, take_own_scsi
from virtxlate.cli.passwords import read_password, wanted_file
from virtxlate.cli.translate import check_map, translate_one
from virtxlate.domain.document import format_domain, parse_domain
from virtxlate.domain.model import Domain
from virtxlate.errors import LiveError, OperationRefusedError, VerificationError
from virtxlate.ganeti.source import Source
from virtxlate.live.port import DomainPort, HostPort
from virtxlate.report import Report
from virtxlate.translate.compare import differences
from virtxlate.translate.password import has_password, with_password


def run(args: argparse.Namespace) -> int:
    """Define or start, and give the exit code."""
    source = read_source(args)
    instance = read_instance(
        source, args.instance, args, Report()
    )  # bad data is told before libvirt is asked
    if args.print_xml:
        sys.stdout.buffer.write(_translated(args, source).encode())
        return 0
    wanted = wanted_file(args, instance)
    password = None if wanted is None or args.print_diff else read_password(args, wanted)
    with connected(args.connect, read_only=args.dry_run or args.print_diff) as host:
        if args.libvirt_version is None:
            args.libvirt_version = host.version()
        take_own_scsi(args, host)
        args.qemu_version = host.emulator_version()
        text = _translated(args, source, password_follows=wanted is not None)
        return _on_host(args, host, text, password)


def _translated(args: argparse.Namespace, source: Source, *, password_follows: bool = False) -> str:
    """Give the domain's text; what it lost goes to stderr."""
    context, report = read_context(args), Report()
    context = msgspec.structs.replace(context, password_follows=password_follows)
    name, text = translate_one(args, context, source, args.instance, report)
    check_map(args, context, source)
    for loss in report.losses:
        complain(f"loss: {name}: {loss}")
    return text


def _on_host(args: argparse.Namespace, host: HostPort, text: str, password: str | None) -> int:
    asked = parse_domain(text)
    existing = host.find(asked.uuid or "", asked.name)
    check_identity(existing, asked)
    active = existing is not None and existing.is_active()
    if args.verb == "start" and active and not args.print_diff:
        raise OperationRefusedError(f"domain {asked.name!r} is running already", call="start")
    before = existing.inactive_xml() if existing is not None else None
    if before is not None and (lost := dropped(before)):
        complain(f"drops what virtxlate has no word for: {', '.join(lost)}")
    if args.print_diff:
        return _print_diff(asked, before)
    done = "defined" if args.verb == "define" else "started"
    if args.dry_run:
        show(f"domain {asked.name!r} would be {done}; nothing was changed")
        return 0
    define(host, text, asked, password)
    if args.verb == "start":
        start(host, asked, paused=args.paused)
    show(f"domain {asked.name!r} {done}" + ("; its guest runs on as it was" if active else ""))
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


def define(host: HostPort, text: str, asked: Domain, password: str | None = None) -> DomainPort:
    """Define, and believe it only when the inactive XML agrees. Raises LiveError, VerificationError.

    The password of the display goes to libvirt in the document, which nobody else sees.
    """
    domain = host.define(text if password is None else format_domain(with_password(asked, password)))
    _verify(asked, domain.inactive_xml(), "libvirt defined the domain, but its inactive XML differs")
    if password is not None and not has_password(domain.secure_xml(), password):
        otherwise = "libvirt defined the domain, but its display has another password"
        raise VerificationError(otherwise, differences=())
    return domain


def start(host: HostPort, asked: Domain, *, paused: bool = False) -> DomainPort:
    """Start a defined domain, and believe it only when the live XML says the same.

    Raises LiveError, which leaves the domain defined, and VerificationError, which leaves it running.
    """
    domain = host.find(asked.uuid or "", asked.name)
    if domain is None:
        raise OperationRefusedError(f"domain {asked.name!r} is gone", call="start")
    try:
        domain.start(paused=paused)
    except LiveError as exc:
        still = f"{exc.message}; domain {asked.name!r} is defined, and does not run"
        raise type(exc)(still, call=exc.call, code=exc.code) from exc
    # The guest has all its memory until its own balloon driver gives some of it back.
    settled = msgspec.structs.replace(asked, current_memory=None)
    _verify(settled, domain.live_xml(), "libvirt started the domain, but its live XML differs")
    return domain


def _verify(asked: Domain, xml: str, otherwise: str) -> None:
    found = differences(asked, parse_domain(xml, []))
    if found:
        raise VerificationError(otherwise, differences=found)


def _print_diff(asked: Domain, before: str | None) -> int:
    lines = list(diff_lines(asked, before))
    if not lines:
        complain(f"domain {asked.name!r} is defined like this already")
    sys.stdout.buffer.write("".join(lines).encode())
    return 0
