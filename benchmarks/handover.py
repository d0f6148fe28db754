"""Handover: how long a guest that keeps writing its memory stands still, live and by stop-and-restore."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from typing import TYPE_CHECKING

from benchmarks.results import Row, Section, median_ratio

if TYPE_CHECKING:
    from virtxlate.handover.transfer import Method

_SIZES_MIB = (256, 1024)
_METHODS: tuple[Method, ...] = ("live", "stop")
_MILLI = 1000.0

Took = dict[str, list[tuple[float, float]]]
"""By method: pause and whole of each round, in seconds."""


def measure(rounds: int) -> Section:
    """Give medians of ``rounds`` rounds for each size; each guest is booted anew."""
    title = "Handover of a guest that keeps writing its memory"
    try:
        found = {size: _race(size, rounds) for size in _SIZES_MIB}
    except ImportError as exc:
        return Section(title=title, rows=(Row(what="handover", note=f"not available: {exc}"),))
    notes = (
        f"{rounds} rounds, live and stop in turn; TCG, Ganeti's own command line, libvirt in this process",
        "the guest has filled most of its memory, and writes 20 MiB of it again and again",
        "pause: from the STOP event of the old QEMU to libvirt's answer that the new one runs",
        "stop: the old QEMU is stopped, saves to a file, and libvirt restores that",
    )
    rows = tuple(row for size, took in found.items() for row in _rows(size, took))
    return Section(title=title, rows=rows, notes=notes)


def _race(size: int, rounds: int) -> Took:
    from benchmarks.handing import handed_over  # noqa: PLC0415 - needs libvirt's binding

    took: Took = {method: [] for method in _METHODS}
    with handed_over(size) as once:
        for _ in range(rounds):
            for method in _METHODS:
                took[method].append(once(method))
    return took


def _rows(size: int, took: Took) -> Iterator[Row]:
    pauses = {method: [pause for pause, _whole in took[method]] for method in _METHODS}
    wholes = {method: [whole for _pause, whole in took[method]] for method in _METHODS}
    for method in _METHODS:
        for what, seconds in (("pause", pauses), ("whole", wholes)):
            ratio = median_ratio(seconds[method], seconds["stop"])
            yield Row(
                what=f"{size} MiB, {method}: {what}; to stop",
                median=statistics.median(seconds[method]) * _MILLI,
                unit="ms",
                ratio=ratio if method != "stop" else None,
            )
