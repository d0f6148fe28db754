"""One instance with two disks and two NICs: typed objects to XML text, beside lxml, nova and virtinst."""

from __future__ import annotations

import statistics
from contextlib import ExitStack
from typing import Any

from benchmarks.difference import count_elements, missing
from benchmarks.race import Race
from benchmarks.results import Row, Section, at_most, median_ratio

_MICRO = 1e6
_TITLES = {
    "ours": "virtxlate",
    "floor": "floor: straight-line lxml, same bytes",
    "ours-bare": "virtxlate, no metadata",
    "floor-bare": "floor, no metadata",
    "nova": "nova's config classes, build and to_xml",
    "virtinst": "virtinst, build and get_xml",
}


def measure(rounds: int) -> Section:
    """Give medians of ``rounds`` rounds, and the ratios of ours to each."""
    with ExitStack() as stack:
        race = Race(stack)
        race.enter_ours("benchmarks.peers.ours_builder", "ours", "floor", "ours-bare", "floor-bare")
        race.enter_nova("benchmarks.peers.nova_builder", "nova")
        race.enter_virtinst("benchmarks.peers.virtinst_builder", "virtinst")
        documents, seconds = race.show(), race.run(rounds)
    rows = [_row(name, seconds, documents, race.absent) for name in _TITLES]
    return Section(
        title="One instance, typed objects to XML text (no validation)",
        rows=(*rows, *_targets(seconds)),
        notes=(*race.notes(rounds), *_differences(documents)),
    )


def _row(
    name: str, seconds: dict[str, list[float]], documents: dict[str, str], absent: dict[str, str]
) -> Row:
    if name not in seconds:
        return Row(what=_TITLES[name], note=f"not available: {absent[name]}")
    elements = count_elements(documents[name])
    return Row(
        what=f"{_TITLES[name]} ({elements} elements)",
        median=statistics.median(seconds[name]) * _MICRO,
        unit="us",
    )


def _targets(seconds: dict[str, list[float]]) -> list[Row]:
    rows = []
    for ours, other, limit, text in (
        ("ours", "floor", 2.0, "<= 2 x floor"),
        ("ours-bare", "floor-bare", 2.0, "<= 2 x floor"),
        ("ours", "nova", 1.0, "<= 1 x nova"),
        ("ours-bare", "nova", 1.0, "<= 1 x nova"),
        ("ours", "virtinst", 0.1, "<= 0.1 x virtinst"),
    ):
        ratio = median_ratio(seconds[ours], seconds[other]) if other in seconds else None
        fields: dict[str, Any] = at_most(limit, ratio, text)
        note = "" if ratio is not None else "not available"
        rows.append(Row(what=f"{_TITLES[ours]} / {other}", note=note, **fields))
    return rows


def _differences(documents: dict[str, str]) -> list[str]:
    notes = []
    for name in ("nova", "virtinst"):
        if name in documents:
            lacks = missing(documents["ours"], documents[name])
            extra = missing(documents[name], documents["ours"])
            notes.append(f"{name} does not say: metadata, {', '.join(lacks)}")
            notes.append(f"{name} says instead: {', '.join(extra) or 'nothing else'}")
    return notes
