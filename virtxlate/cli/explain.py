"""``virtxlate explain``: why each line of a domain is there."""

from __future__ import annotations

import argparse
import sys

import msgspec

from virtxlate.cli.inputs import read_context, read_instance, read_source
from virtxlate.report import Report
from virtxlate.translate.explain import Explanation, explain
from virtxlate.translate.instance import to_domain
from virtxlate.translate.placing import place


def run(args: argparse.Namespace) -> int:
    """Explain, and give the exit code."""
    context, source, report = read_context(args), read_source(args), Report()
    instance = read_instance(source, args.instance, args, report)
    domain = to_domain(instance, context, report)
    report.raise_if(strict=args.strict)
    found = explain(place(instance), domain, source.origins(instance.name))
    if args.format == "json":
        sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(found), indent=2) + b"\n")
        return 0
    for each in found:
        _print(each)
    for loss in report.losses:
        print(f"not carried: {loss}")
    return 0


def _print(explanation: Explanation) -> None:
    value = "" if explanation.value is None else f" = {explanation.value}"
    print(f"{explanation.path}{value}")
    for cause in explanation.caused_by:
        print(f"    {cause.field} = {cause.value!r} ({cause.origin})")
    if explanation.reason:
        print(f"    {explanation.reason}")
