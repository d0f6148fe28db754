"""hvinfo from one live XML, beside lxml's bare parse and what nova and virtinst make of the same text."""

from __future__ import annotations

import statistics
from contextlib import ExitStack
from typing import Any

from benchmarks.live import TEXT
from benchmarks.race import Race
from benchmarks.results import Row, Section, at_most, median_ratio

_MICRO = 1e6
_LIMIT = 2.0
_TITLES = {
    "ours": "virtxlate, derive_hvinfo(text)",
    "lxml": "lxml, etree.fromstring(text)",
    "nova": "nova, LibvirtConfigGuest.parse_str(text)",
    "virtinst": "virtinst, Guest(parsexml=text)",
    "virtinst-read": "virtinst, and each disk's and NIC's address",
}
_PLACES = ("ours", "nova", "virtinst-read")
"""Calls after which the places of devices are known."""


def measure(rounds: int) -> Section:
    """Give medians of ``rounds`` rounds, and the ratios of ours to each."""
    with ExitStack() as stack:
        race = Race(stack)
        race.enter_ours("benchmarks.peers.ours_reader", "ours", "lxml")
        race.enter_nova("benchmarks.peers.nova_reader", "nova")
        race.enter_virtinst("benchmarks.peers.virtinst_reader", "virtinst", "virtinst-read")
        shown, seconds = race.show(), race.run(rounds)
    rows = [_row(name, seconds, race.absent) for name in _TITLES]
    return Section(
        title="hvinfo of one live XML",
        rows=(*rows, *_ratios(seconds)),
        notes=(
            *race.notes(rounds),
            f"the text: {len(TEXT.encode()):,} bytes, {shown['lxml']} elements, virtxlate's metadata in it",
            *_places(shown),
        ),
    )


def _row(name: str, seconds: dict[str, list[float]], absent: dict[str, str]) -> Row:
    if name not in seconds:
        return Row(what=_TITLES[name], note=f"not available: {absent[name]}")
    return Row(what=_TITLES[name], median=statistics.median(seconds[name]) * _MICRO, unit="us")


def _ratios(seconds: dict[str, list[float]]) -> list[Row]:
    """Give a row for each of the others; only lxml is a target."""
    rows = []
    for other, theirs in seconds.items():
        if other != "ours":
            ratio = median_ratio(seconds["ours"], theirs)
            fields: dict[str, Any] = {"ratio": ratio}
            if other == "lxml":
                fields = at_most(_LIMIT, ratio, f"<= {_LIMIT:.0f} x lxml")
            rows.append(Row(what=f"virtxlate / {other}", **fields))
    return rows


def _places(shown: dict[str, str]) -> list[str]:
    """Give how many devices each call places, and which of ours it does not."""
    ours = shown["ours"].split()
    notes = []
    for name in _PLACES:
        if name in shown:
            lacks = [alias for alias in ours if alias not in shown[name].split()]
            without = f", without {', '.join(lacks)}" if lacks else ""
            notes.append(f"{name} places {len(shown[name].split())} disks and NICs{without}")
    return notes
