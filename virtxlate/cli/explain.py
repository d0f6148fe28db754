"""``virtxlate explain``: why each line of a domain is there."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable
from itertools import groupby

import msgspec

from virtxlate.cli import show
from virtxlate.cli.inputs import read_context, read_instance, read_origins, read_source
from virtxlate.cli.translate import check_map
from virtxlate.report import Loss, Report
from virtxlate.translate.explain import CausedBy, Explanation, explain
from virtxlate.translate.instance import to_domain

_METADATA = "/domain/metadata/"


class Answer(msgspec.Struct, frozen=True):
    """The shape of the JSON."""

    instance: str
    explanations: tuple[Explanation, ...]
    losses: tuple[Loss, ...]


def run(args: argparse.Namespace) -> int:
    """Explain, and give the exit code."""
    context, source, report = read_context(args), read_source(args), Report()
    instance = read_instance(source, args.instance, args, report)
    domain = to_domain(instance, context, report)
    report.raise_if(strict=args.strict)
    found = explain(instance, domain, read_origins(source, instance, args), context)
    check_map(args, context, source)
    if args.format == "json":
        answer = msgspec.json.encode(Answer(instance.name, found, report.losses))
        sys.stdout.buffer.write(msgspec.json.format(answer, indent=2) + b"\n")
        return 0
    for _key, groups in groupby(_groups(found), key=lambda group: _why(group[0])):
        _print(list(groups))
    for loss in report.losses:
        show(f"not carried: {loss}")
    return 0


def _groups(explanations: Iterable[Explanation]) -> Iterable[list[Explanation]]:
    """Put together what one element says for the same reason: an address, a topology."""
    groups: dict[tuple[str, str], list[Explanation]] = {}
    for each in explanations:
        groups.setdefault((_element(each), _why(each)), []).append(each)
    return groups.values()


def _element(explanation: Explanation) -> str:
    return explanation.path.partition("/@")[0]


def _why(explanation: Explanation) -> str:
    """Give a key that is the same where the causes are."""
    return repr((explanation.caused_by, explanation.reason))


def _print(groups: list[list[Explanation]]) -> None:
    """Print elements with their attributes, and below them what caused all of them."""
    for group in groups:
        show(_element(group[0]) + "".join(_said(each) for each in group))
    first = groups[0][0]
    for cause in first.caused_by:
        show(f"    {_cause(cause)}")
    if first.reason:
        show(f"    {first.reason}")


def _said(explanation: Explanation) -> str:
    """Give what stands behind the path of the element: its text, or an attribute."""
    if explanation.value is None:
        return ""
    if explanation.path.startswith(_METADATA):
        return f" = (JSON of {len(explanation.value)} characters)"
    _, _, name = explanation.path.partition("/@")
    return f" @{name}={explanation.value}" if name else f" = {explanation.value}"


def _cause(cause: CausedBy) -> str:
    records = isinstance(cause.value, list | tuple | dict)
    value = json.dumps(cause.value, ensure_ascii=False) if records else repr(cause.value)
    return f"{cause.field} = {value}" + (f" ({cause.origin})" if cause.origin else "")
