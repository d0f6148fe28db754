"""``virtxlate translate``: instances to domain XML, one or a whole cluster."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import msgspec

from virtxlate.cli import complain
from virtxlate.cli.files import write_whole
from virtxlate.cli.inputs import read_context, read_instance, read_source
from virtxlate.domain.document import domain_element, to_text
from virtxlate.domain.schema import check, is_valid
from virtxlate.errors import UsageError, VirtxlateError
from virtxlate.ganeti.source import Source
from virtxlate.ganeti.wire import check_name
from virtxlate.report import Loss, Report
from virtxlate.translate.context import Context
from virtxlate.translate.instance import to_domain

_BAR_FROM = 200
"""Instances from which a progress bar is worth its import."""


class Outcome(msgspec.Struct):
    """What came of a run; the shape of the report file."""

    losses: dict[str, tuple[Loss, ...]] = {}
    skipped: dict[str, str] = {}
    failed: dict[str, str] = {}


def run(args: argparse.Namespace) -> int:
    """Translate, and give the exit code."""
    context = read_context(args)
    source = read_source(args)
    names = list(args.instances or source.names())
    if args.output_dir:
        return _many(args, context, source, names)
    if len(names) != 1:
        raise UsageError(f"{len(names)} instances: name one, or give --output-dir")
    return _one(args, context, source, names[0])


def translate_one(
    args: argparse.Namespace, context: Context, source: Source, name: str, report: Report
) -> tuple[str, str]:
    """Give the instance's name and the validated text of its domain."""
    instance = read_instance(source, name, args, report)
    element = domain_element(to_domain(instance, context, report))
    report.raise_if(strict=args.strict)
    if not is_valid(element):
        check(to_text(element))
    return instance.name, to_text(element)


def _one(args: argparse.Namespace, context: Context, source: Source, name: str) -> int:
    report, outcome = Report(), Outcome(skipped=source.skipped)
    full_name, text = translate_one(args, context, source, name, report)
    context.renames.check_used()
    outcome.losses[full_name] = report.losses
    data = _encode(args.format, full_name, text, report)
    if args.output:
        write_whole(args.output, data)
    else:
        sys.stdout.buffer.write(data)
    for loss in report.losses:
        complain(f"loss: {full_name}: {loss}")
    _write_report(args.report, outcome)
    return 0


def _encode(form: str, name: str, text: str, report: Report) -> bytes:
    if form == "xml":
        return text.encode()
    shown = msgspec.json.encode({"instance": name, "xml": text, "losses": report.losses})
    return msgspec.json.format(shown, indent=2) + b"\n"


def _many(args: argparse.Namespace, context: Context, source: Source, names: list[str]) -> int:
    directory = Path(args.output_dir)
    directory.mkdir(parents=True, exist_ok=True)
    outcome, codes = Outcome(skipped=source.skipped), set()
    done = 0
    for name in _progress(names):
        report = Report()
        try:
            full_name, text = translate_one(args, context, source, name, report)
            path = f"{directory}/{check_name(full_name)}.{args.format}"
            write_whole(path, _encode(args.format, full_name, text, report), sync=False)
        except VirtxlateError as exc:
            outcome.failed[name] = str(exc)
            codes.add(exc.exit_code)
        else:
            done += 1
            if report:
                outcome.losses[full_name] = report.losses
    _write_report(args.report, outcome)
    _summarize(args, outcome, done)
    if not args.instances and not outcome.failed:
        context.renames.check_used()
    return max(codes, default=0)


def _summarize(args: argparse.Namespace, outcome: Outcome, done: int) -> None:
    """Say at the end what was done, skipped, lost and not done."""
    for name, reason in outcome.skipped.items():
        complain(f"skipped: {name}: {reason}")
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
        write_whole(path, msgspec.json.format(msgspec.json.encode(outcome), indent=2) + b"\n")


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
