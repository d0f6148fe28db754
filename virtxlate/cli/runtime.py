"""``virtxlate runtime``: Ganeti's runtime files, shown, made new or old, written and checked."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import uuid
from pathlib import Path

from virtxlate.cli import complain, show
from virtxlate.cli.files import write_whole
from virtxlate.cli.hvinfo import read_domain
from virtxlate.cli.inputs import STDIO, named, read_bytes, read_instance, read_renames, read_scsi, read_source
from virtxlate.cli.results import print_json
from virtxlate.domain.live import parse_live
from virtxlate.errors import DomainXmlError, GanetiDataError, OperationRefusedError, UsageError
from virtxlate.ganeti.model import Instance
from virtxlate.ganeti.runtime import Runtime, read_runtime
from virtxlate.ganeti.runtime_downgrade import downgrade
from virtxlate.ganeti.runtime_show import Shown
from virtxlate.ganeti.runtime_show import show as shown_of
from virtxlate.ganeti.runtime_tree import RuntimeTree, format_tree, parse_tree
from virtxlate.ganeti.runtime_upgrade import upgrade
from virtxlate.report import Report
from virtxlate.translate.context import Context, Renames
from virtxlate.translate.runtime import live_runtime
from virtxlate.translate.runtime_check import compare_runtime

_MODE = 0o600
"""A runtime file may name passwords' files and secrets of storage; Ganeti's are root's alone."""
_COMMANDS = {"3.0": 3000000, "3.1": 3010000, "3.2": 3020000}


def run(args: argparse.Namespace) -> int:
    """Run one of the verbs, and give the exit code."""
    code: int = _VERBS[args.runtime_verb](args)
    return code


def read_tree(path: str) -> RuntimeTree:
    """Give a runtime file's tree. Raises OSError, GanetiDataError whose path starts with the file."""
    try:
        return parse_tree(read_bytes(path))
    except GanetiDataError as exc:
        raise named(exc, path) from None


def _show(args: argparse.Namespace) -> int:
    tree = read_tree(args.file)
    try:
        shown = shown_of(tree)
    except GanetiDataError as exc:
        raise named(exc, args.file) from None
    if args.format == "json":
        print_json(shown)
    else:
        _print_table(shown)
    return 0


def _print_table(shown: Shown) -> None:
    for name in ("form", "name", "uuid", "machine", "memory", "vcpus"):
        value = getattr(shown, name)
        unit = " MiB" if name == "memory" and value is not None else ""
        show(f"{name:8} {'-' if value is None else value}{unit}")
    rows: list[tuple[str, ...]] = [("KIND", "ID", "DRIVER", "BUS", "PLACE", "MAC OR LINK", "URI")]
    for kind, devices in (("nic", shown.nics), ("disk", shown.disks)):
        for each in devices:
            where = each.mac or each.link
            rows.append(
                (
                    kind,
                    *(part or "-" for part in (each.id, each.driver, each.bus, each.place, where, each.uri)),
                )
            )
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    show("")
    for row in rows:
        show("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    for drive in shown.drives:
        show(f"in the command: -drive {drive}")


def _upgrade(args: argparse.Namespace) -> int:
    if args.in_place and args.file == STDIO:
        raise UsageError("--in-place: stdin has no place")
    tree = read_tree(args.file)
    try:
        tree, changes = upgrade(tree, lambda: str(uuid.uuid4()))
    except GanetiDataError as exc:
        raise named(exc, args.file) from None
    if not (args.in_place and not changes):
        write_tree(args.file if args.in_place else args.output, tree, keep=args.in_place)
    for change in changes:
        complain(f"changed: {change}")
    return 0


def _downgrade(args: argparse.Namespace) -> int:
    report = Report()
    tree = downgrade(read_tree(args.file), args.to, report)
    _finish(args, tree, report)
    return 0


def _finish(args: argparse.Namespace, tree: RuntimeTree, report: Report) -> None:
    """Write, unless a loss is an error; tell the losses, each once."""
    report.raise_if(strict=args.strict)
    write_tree(args.output, tree)
    for loss in dict.fromkeys(report.losses):
        complain(f"loss: {loss}")


def _write_file(args: argparse.Namespace) -> int:
    base = read_tree(args.base) if args.base else None
    report = Report()
    xml = _read_live(args)
    version, source = _COMMANDS.get(args.ganeti_version or ""), _source(args, report)
    try:
        tree = live_runtime(xml, _context(args), report, base=base, source=source, version=version)
    except DomainXmlError as exc:
        raise exc.under(_name(args.domain)) from None
    _finish(args, tree, report)
    return 0


def _read_live(args: argparse.Namespace) -> bytes | str:
    """Give the XML of the domain; one of a connection has to run, a document may be of any time.

    Raises OSError, OperationRefusedError, LiveError.
    """
    xml, host_version = read_domain(args.domain, args.connect)
    if host_version is not None and parse_live(xml).root.get("id") is None:
        raise OperationRefusedError(
            f"domain {args.domain!r} does not run, and a runtime file is of a running guest", call="state"
        )
    return xml


def _context(args: argparse.Namespace) -> Context:
    """Give the host of the running domain: what its libvirt can do is no question any more."""
    renames = read_renames(args.map) if args.map else Renames()
    scsi = read_scsi(args.scsi_map) if args.scsi_map else None
    return Context(renames=renames, scsi=scsi, libvirt_version=sys.maxsize)


def _source(args: argparse.Namespace, report: Report) -> Instance | None:
    if not args.source:
        return None
    args.source, name = args.source
    args.form = args.runtime = None
    return read_instance(read_source(args), name, args, report)


def _name(path: str) -> str:
    return "stdin" if path == STDIO else path


def _check(args: argparse.Namespace) -> int:
    if args.file == args.domain == STDIO:
        raise UsageError("only one of FILE and DOMAIN can be stdin")
    runtime = _read(args.file)
    xml = _read_live(args)
    try:
        found = compare_runtime(runtime, xml, _context(args))
    except DomainXmlError as exc:
        raise exc.under(_name(args.domain)) from None
    except GanetiDataError as exc:
        raise named(exc, args.file) from None
    if args.format == "json":
        print_json(found)
    else:
        for difference in found:
            show(str(difference))
        show(f"{_name(args.file)}: {len(found)} differences")
    return 1 if found else 0


def _read(path: str) -> Runtime:
    """Give a runtime file, typed: any historic form, as an upgrade makes it."""
    try:
        tree, _changes = upgrade(parse_tree(read_bytes(path)), lambda: str(uuid.uuid4()))
        return read_runtime(format_tree(tree), Report())
    except GanetiDataError as exc:
        raise named(exc, path) from None


def write_tree(path: str | None, tree: RuntimeTree, *, keep: bool = False) -> None:
    """Write a runtime file whole. Raises GanetiDataError when another kind of file has the name."""
    data = format_tree(tree)
    if path is None or path == STDIO:
        sys.stdout.buffer.write(data)
        return
    real = os.path.realpath(path)
    before = _stat(real, path)
    write_whole(real, data, mode=_MODE)
    if keep and before is not None:
        with contextlib.suppress(PermissionError):
            os.chown(real, before.st_uid, before.st_gid)
        Path(real).chmod(before.st_mode & 0o7777)


def _stat(real: str, path: str) -> os.stat_result | None:
    """Give the state of a runtime file that is to be replaced, None where there is no file yet."""
    try:
        found = Path(real).stat()
    except FileNotFoundError:
        return None
    if not Path(real).is_file():
        raise GanetiDataError("expected a runtime file to replace, found no regular file", at=path)
    try:
        parse_tree(Path(real).read_bytes())
    except GanetiDataError as exc:
        raise GanetiDataError(f"it is no runtime file, and is not replaced: {exc}", at=path) from None
    return found


_VERBS = {"show": _show, "upgrade": _upgrade, "downgrade": _downgrade, "write": _write_file, "check": _check}
