"""What a verdict costs: our own schema, that of libvirt with its rules, libvirt's RELAX NG, all by lxml."""

from __future__ import annotations

import statistics
from contextlib import ExitStack
from typing import Any

from benchmarks.race import Race
from benchmarks.results import Row, Section, at_most, median_ratio

_MICRO = 1e6
_TITLES = {
    "own": "own schema, XSD by lxml",
    "own-rules": "own schema, what goes together, and rules: validate(tree)",
    "host": "libvirt's schema as XSD, with its co-occurrence rules",
    "host-rules": "the same, and rules: validate(tree, host)",
    "relaxng": "libvirt's RELAX NG by lxml",
}
_EXPLAINED = {
    "explained": "a refused document explained by validate(tree)",
    "xmlschema": "the same by xmlschema, of the own schema",
}
_TARGETS = {"own": 1.0, "own-rules": None, "host": None, "host-rules": 3.0}


def measure(rounds: int) -> Section:
    """Give medians of ``rounds`` rounds, microseconds a document, and the ratios to RELAX NG."""
    with ExitStack() as stack:
        race = Race(stack)
        race.enter_ours("benchmarks.peers.validators", *_TITLES)
        race.enter_ours("benchmarks.peers.explainers", *_EXPLAINED)
        accepted, seconds = race.show(), race.run(rounds)
        documents = int(race.children["own"].show("documents"))
    each = {name: [batch / documents for batch in seconds[name]] for name in _TITLES}
    rows = [_row(_TITLES[name], times) for name, times in each.items()]
    rows += [_row(title, seconds[name]) for name, title in _EXPLAINED.items()]
    return Section(
        title="A verdict on a parsed domain",
        rows=(*rows, *_ratios(each), _explained(seconds)),
        notes=(
            *race.notes(rounds),
            f"{documents} domains; accepted: {', '.join(f'{name} {accepted[name]}' for name in _TITLES)}",
            f"faults of the refused one: {', '.join(f'{name} {accepted[name]}' for name in _EXPLAINED)}",
        ),
    )


def _row(what: str, times: list[float]) -> Row:
    return Row(what=what, median=statistics.median(times) * _MICRO, unit="us")


def _ratios(seconds: dict[str, list[float]]) -> list[Row]:
    rows = []
    for name, limit in _TARGETS.items():
        ratio = median_ratio(seconds[name], seconds["relaxng"])
        fields: dict[str, Any] = {"ratio": ratio}
        if limit is not None:
            fields = at_most(limit, ratio, f"<= {limit:.0f} x RELAX NG")
        rows.append(Row(what=f"{_TITLES[name]} / RELAX NG", **fields))
    return rows


def _explained(seconds: dict[str, list[float]]) -> Row:
    ratio = median_ratio(seconds["explained"], seconds["xmlschema"])
    return Row(what="explanation: virtxlate / xmlschema", ratio=ratio)
