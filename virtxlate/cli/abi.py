"""``virtxlate abi``: what a guest will see otherwise under libvirt, before anything is started."""

from __future__ import annotations

import argparse
import sys

import msgspec

from virtxlate.cli import show
from virtxlate.cli.inputs import read_context, read_instance, read_source
from virtxlate.cli.translate import check_map
from virtxlate.report import Report, Severity
from virtxlate.translate.abi import AbiDifference, abi_differences

_DIFFERENT = 1


class Answer(msgspec.Struct, frozen=True):
    """The shape of the JSON."""

    instance: str
    differences: tuple[AbiDifference, ...]


def run(args: argparse.Namespace) -> int:
    """Tell the differences, and give the exit code: 1 where the guest sees one."""
    context, source, report = read_context(args), read_source(args), Report()
    instance = read_instance(source, args.instance, args, report)
    found = abi_differences(instance, context, report)
    check_map(args, context, source)
    report.raise_if(strict=args.strict)
    visible = tuple(each for each in found if each.severity == Severity.GUEST_VISIBLE)
    shown = found if args.all else visible
    if args.format == "json":
        answer = msgspec.json.encode(Answer(instance.name, shown))
        sys.stdout.buffer.write(msgspec.json.format(answer, indent=2) + b"\n")
    else:
        for each in shown:
            show(str(each))
        if not visible:
            show(f"{instance.name}: the guest sees the same machine")
    return _DIFFERENT if visible else 0
