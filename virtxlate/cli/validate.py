"""``virtxlate validate``: every problem of domain documents."""

from __future__ import annotations

import argparse
import sys

import msgspec

from virtxlate.cli.inputs import STDIN, read_bytes
from virtxlate.domain.schema import validate
from virtxlate.domain.violations import Violation


def run(args: argparse.Namespace) -> int:
    """Validate, and give 0 where all files are valid, else 1."""
    found = {("stdin" if path == STDIN else path): validate(read_bytes(path)) for path in args.files}
    if args.format == "json":
        shown = [{"file": path, "valid": not each, "violations": each} for path, each in found.items()]
        sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(shown), indent=2) + b"\n")
    else:
        for path, each in found.items():
            _print(path, each)
    return 1 if any(found.values()) else 0


def _print(path: str, violations: tuple[Violation, ...]) -> None:
    for violation in violations:
        print(f"{path}:{violation.line}: {violation.path}: {violation.message} [{violation.rule}]")
    print(f"{path} {'fails to validate' if violations else 'validates'}")
