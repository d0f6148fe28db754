"""``virtxlate validate``: every problem of documents."""

from __future__ import annotations

import argparse
import sys

import msgspec

from virtxlate.cli import complain, describe, show
from virtxlate.cli.inputs import STDIO, read_bytes
from virtxlate.domain import schema
from virtxlate.domain.violations import Violation
from virtxlate.rules import Judge, validate


class Verdict(msgspec.Struct, frozen=True):
    """What came of one file; the shape of the JSON."""

    file: str
    valid: bool
    violations: tuple[Violation, ...]


def run(args: argparse.Namespace) -> int:
    """Validate, and give 0 where all files are valid, 1 where one is not, 3 where one cannot be read."""
    verdicts, code = [], 0
    judge = _judge(args.schema)
    for path in dict.fromkeys(args.files):
        try:
            violations = validate(read_bytes(path), judge)
        except OSError as exc:
            reason, code = describe(exc, traceback=args.traceback)
            complain(f"error: {reason}")
            continue
        valid = all(each.severity != "error" for each in violations)
        verdict = Verdict("stdin" if path == STDIO else path, valid, violations)
        verdicts.append(verdict)
        if args.format == "text":
            _print(verdict)
    if args.format == "json":
        sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(verdicts), indent=2) + b"\n")
    return code or (0 if all(verdict.valid for verdict in verdicts) else 1)


def _judge(name: str) -> Judge:
    if name == "own":
        return schema.validate
    from virtxlate.schema.host import host_schema  # noqa: PLC0415 - not needed for most runs

    return host_schema().validate


def _print(verdict: Verdict) -> None:
    for each in verdict.violations:
        kind = "warning: " if each.severity == "warning" else ""
        hint = f"; {each.hint}" if each.hint else ""
        show(f"{verdict.file}:{each.line}: {each.path}: {kind}{each.message}{hint} [{each.rule}]")
    show(f"{verdict.file} {'validates' if verdict.valid else 'fails to validate'}")
