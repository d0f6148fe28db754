"""One instance with two disks and two NICs: typed objects to XML text, beside lxml, nova and virtinst."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.child import Child
from benchmarks.difference import count_elements, missing
from benchmarks.results import Row, Section, at_most, median_ratio
from benchmarks.rooms import DEBIAN_PYTHON, MissingError, nova_path, virtinst_path

_MICRO = 1e6
_TITLES = {
    "ours": "virtxlate",
    "floor": "floor: straight-line lxml, same bytes",
    "ours-bare": "virtxlate, no metadata",
    "floor-bare": "floor, no metadata",
    "nova": "nova's config classes, build and to_xml",
    "virtinst": "virtinst, build and get_xml",
}


class _Race:
    """The builders that could be had, and why others could not."""

    def __init__(self, stack: ExitStack) -> None:
        self.children: dict[str, Child] = {}
        self.absent: dict[str, str] = {}
        self._stack = stack
        ours = self._start(partial(Child, "benchmarks.peers.ours_builder"))
        self.children |= dict.fromkeys(("ours", "floor", "ours-bare", "floor-bare"), ours)
        self._enter("nova", nova_path, "benchmarks.peers.nova_builder")
        self._enter("virtinst", virtinst_path, "benchmarks.peers.virtinst_builder", python=DEBIAN_PYTHON)

    def _start(self, make: Callable[[], Child]) -> Child:
        return self._stack.enter_context(make())

    def _enter(self, name: str, path: Callable[[], list[Path]], module: str, **options: Any) -> None:
        try:
            self.children[name] = self._start(partial(Child, module, path=path(), **options))
        except (MissingError, RuntimeError) as exc:
            self.absent[name] = str(exc)

    def run(self, rounds: int) -> dict[str, list[float]]:
        """Give seconds a call by builder, one batch a round: A B C A B C ..."""
        seconds: dict[str, list[float]] = {name: [] for name in self.children}
        for _round in range(rounds):
            for name, child in self.children.items():
                seconds[name].append(child.time(name))
        return seconds


def measure(rounds: int) -> Section:
    """Give medians of ``rounds`` rounds, and the ratios of ours to each."""
    with ExitStack() as stack:
        race = _Race(stack)
        documents = {name: child.show(name) for name, child in race.children.items()}
        seconds = race.run(rounds)
        versions = {k: v for child in race.children.values() for k, v in child.versions.items()}
    rows = [_row(name, seconds, documents, race.absent) for name in _TITLES]
    return Section(
        title="One instance, typed objects to XML text (no validation)",
        rows=(*rows, *_targets(seconds)),
        notes=(
            f"{rounds} rounds, all builders in turn in each; a ratio is the median of the rounds' ratios",
            "versions: " + ", ".join(f"{k} {v}" for k, v in sorted(versions.items()) if k != "python"),
            *_differences(documents),
        ),
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
