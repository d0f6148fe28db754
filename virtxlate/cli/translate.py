"""``virtxlate translate``: instances to domain XML, one or a whole cluster."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import msgspec

from virtxlate.cli import complain, describe
from virtxlate.cli.batch import Job, Stage, run_stages
from virtxlate.cli.files import write_output, write_whole
from virtxlate.cli.inputs import STDIO, named, read_context, read_instance, read_source
from virtxlate.domain.document import format_domain, parse_document
from virtxlate.domain.schema import check, is_valid
from virtxlate.errors import InputError, MapError, UsageError, VirtxlateError
from virtxlate.ganeti.source import Source
from virtxlate.ganeti.wire import check_name
from virtxlate.report import Loss, Report
from virtxlate.translate.context import Context
from virtxlate.translate.instance import to_domain

_QMP = "qmp"
_BAR_FROM = 200
"""Instances from which a progress bar is worth its import."""
_SHOWN_NAMES = 3


class Outcome(msgspec.Struct):
    """What came of a run; the shape of the report file."""

    losses: dict[str, tuple[Loss, ...]] = {}
    skipped: dict[str, str] = {}
    failed: dict[str, str] = {}


def run(args: argparse.Namespace) -> int:
    """Translate, and give the exit code."""
    context = read_context(args)
    if args.form == _QMP:
        return _running(args, context)
    source = read_source(args)
    names = list(dict.fromkeys(args.instances or source.names()))
    outcome = Outcome(skipped={} if args.instances else source.skipped)
    if args.output_dir:
        return _many(args, context, source, names, outcome)
    if len(names) == 1:
        return _one(args, context, source, names[0], outcome)
    _tell_skipped(outcome)
    if not names:
        raise named(InputError("no KVM instance here"), args.source)
    some = ", ".join((*names[:_SHOWN_NAMES], *(["..."] if len(names) > _SHOWN_NAMES else ())))
    raise UsageError(f"{len(names)} instances ({some}): name one, or give --output-dir")


def check_map(args: argparse.Namespace, context: Context, source: Source) -> None:
    """Raise MapError when the map has an entry that no instance of the source uses.

    One map serves a whole cluster; so the instances that were not asked for are looked at too, where an entry
    would be unused without them.
    """
    names, broken = source.names(), False
    while (unused := _unused(context)) is not None:
        name = next(names, None)
        if name is None and broken:
            complain(f"{unused}, as far as the instances that can be translated tell")
            return
        if name is None:
            raise unused
        try:
            to_domain(read_instance(source, name, args, Report()), context, Report())
        except (VirtxlateError, OSError):
            broken = True


def _unused(context: Context) -> MapError | None:
    try:
        context.renames.check_used()
    except MapError as exc:
        return exc
    return None


def translate_one(
    args: argparse.Namespace, context: Context, source: Source, name: str, report: Report
) -> tuple[str, str]:
    """Give the instance's name and the validated text of its domain."""
    job = Job(name)
    job.report = report
    for stage in stages(args, context, source):
        stage(job)
    return job.instance.name, job.text


def stages(args: argparse.Namespace, context: Context, source: Source) -> tuple[Stage, ...]:
    """Give the steps from a name to the validated text of a domain."""

    def read(job: Job) -> None:
        job.instance = read_instance(source, job.name, args, job.report)

    def translate(job: Job) -> None:
        job.text = format_domain(to_domain(job.instance, context, job.report))
        job.report.raise_if(strict=args.strict)

    def validate(job: Job) -> None:
        if not is_valid(parse_document(job.text)):
            check(job.text)

    return read, translate, validate


def _one(args: argparse.Namespace, context: Context, source: Source, name: str, outcome: Outcome) -> int:
    report = Report()
    full_name, text = translate_one(args, context, source, name, report)
    check_map(args, context, source)
    outcome.losses[full_name] = report.losses
    write_output(args.output or STDIO, _encode(args.format, full_name, text, report))
    for loss in report.losses:
        complain(f"loss: {full_name}: {loss}")
    _tell_skipped(outcome)
    _write_report(args.report, outcome)
    return 0


def _running(args: argparse.Namespace, context: Context) -> int:
    """Translate the QEMU that listens at a socket."""
    from virtxlate.cli.running import at_socket  # noqa: PLC0415 - seldom used
    from virtxlate.translate.running.whole import to_domain as reproduce  # noqa: PLC0415

    if args.instances or args.output_dir:
        raise UsageError("--from qmp: a socket is that of one instance, which is not named")
    report = Report()
    found = at_socket(args, report)
    name, text = found.facts.name, format_domain(reproduce(found, context, report))
    report.raise_if(strict=args.strict)
    if not is_valid(parse_document(text)):
        check(text)
    write_output(args.output or STDIO, _encode(args.format, name, text, report))
    for loss in report.losses:
        complain(f"loss: {name}: {loss}")
    _write_report(args.report, Outcome(losses={name: report.losses}))
    return 0


def _encode(form: str, name: str, text: str, report: Report) -> bytes:
    if form == "xml":
        return text.encode()
    shown = msgspec.json.encode({"instance": name, "xml": text, "losses": report.losses})
    return msgspec.json.format(shown, indent=2) + b"\n"


def _many(
    args: argparse.Namespace, context: Context, source: Source, names: list[str], outcome: Outcome
) -> int:
    directory = _make_directory(args.output_dir)
    done: set[str] = set()
    codes = {0}

    def write(job: Job) -> None:
        path = f"{directory}/{check_name(job.instance.name)}.{args.format}"
        write_whole(path, _encode(args.format, job.instance.name, job.text, job.report), sync=False)

    for job in run_stages(_progress(names), (*stages(args, context, source), write)):
        if job.error is not None:
            outcome.failed[job.name], code = describe(job.error, traceback=args.traceback)
            codes.add(code)
            continue
        done.add(job.instance.name)
        if job.report:
            outcome.losses[job.instance.name] = job.report.losses
    _summarize(args, outcome, len(done))
    _write_report(args.report, outcome)
    check_map(args, context, source)
    return max(codes)


def _make_directory(path: str) -> Path:
    directory = Path(path)
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise InputError("expected a directory, found a file", at=path) from None
    return directory


def _tell_skipped(outcome: Outcome) -> None:
    for name, reason in outcome.skipped.items():
        complain(f"skipped: {name}: {reason}")


def _summarize(args: argparse.Namespace, outcome: Outcome, done: int) -> None:
    """Say at the end what was done, skipped, lost and not done."""
    _tell_skipped(outcome)
    losses = sum(len(each) for each in outcome.losses.values())
    if losses and not args.report:
        for text, count in _kinds(outcome.losses.values()).items():
            complain(f"loss: {count} x {text}")
    for name, reason in outcome.failed.items():
        complain(f"failed: {name}: {reason}")
    complain(
        f"{done} written to {args.output_dir}, {len(outcome.failed)} failed, "
        f"{len(outcome.skipped)} skipped, {losses} losses"
        + (f" (in {args.report})" if losses and args.report else "")
    )


def _kinds(losses: Iterable[tuple[Loss, ...]]) -> dict[str, int]:
    """Count losses of a kind: same path but for indices, same reason."""
    counts: dict[str, int] = {}
    for each in losses:
        for loss in each:
            path = (
                "".join("N" if char.isdigit() else char for char in loss.path)
                if "[" in loss.path
                else loss.path
            )
            text = f"{path}: {loss.reason} ({loss.severity})"
            counts[text] = counts.get(text, 0) + 1
    return counts


def _write_report(path: str | None, outcome: Outcome) -> None:
    if path:
        write_output(path, msgspec.json.format(msgspec.json.encode(outcome), indent=2) + b"\n")


def _progress(names: list[str]) -> Iterable[str]:
    """Give the names, with a progress bar on a terminal for long work, where rich is installed."""
    if len(names) < _BAR_FROM or not sys.stderr.isatty():
        return names
    try:
        from rich.console import Console  # noqa: PLC0415 - slow to import, seldom used
        from rich.progress import track  # noqa: PLC0415
    except ImportError:
        return names
    follow: Callable[..., Any] = track
    shown: Iterable[str] = follow(
        names, description="translating", console=Console(stderr=True), transient=True
    )
    return shown
