"""What a benchmark found, as rows of a table and as JSON."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence

import msgspec


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the table; ``ratio`` is to what ``target`` speaks of."""

    what: str
    median: float | None = None
    unit: str = ""
    ratio: float | None = None
    target: str = ""
    met: bool | None = None
    note: str = ""


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """One benchmark: its rows, and what must be known to read them."""

    title: str
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()


def at_most(limit: float, ratio: float | None, text: str) -> dict[str, object]:
    """Give the fields of a row whose ratio must not be larger than ``limit``."""
    return {"ratio": ratio, "target": text, "met": None if ratio is None else ratio <= limit}


def median_ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """Give the median of the rounds' ratios: both sides of a round ran under the same load."""
    return statistics.median(a / b for a, b in zip(ours, theirs, strict=True))


def format_table(sections: Iterable[Section]) -> str:
    """Give the text for a terminal or a README."""
    return "\n".join(line for section in sections for line in _section(section))


def _section(section: Section) -> Iterable[str]:
    heads = ("what", "median", "ratio", "target", "met")
    cells = [heads, *(_cells(row) for row in section.rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(heads))]
    yield f"## {section.title}"
    yield ""
    for index, row in enumerate(cells):
        yield "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        if index == 0:
            yield "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    yield ""
    for note in section.notes:
        yield f"- {note}"
    yield ""


def _cells(row: Row) -> tuple[str, ...]:
    median = f"{_number(row.median)} {row.unit}".strip() if row.median is not None else row.note
    ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
    met = {True: "yes", False: "NO", None: ""}[row.met]
    return (row.what, median, ratio, row.target, met)


def _number(value: float) -> str:
    """Give three significant digits, without an exponent."""
    if abs(value) >= 100:  # noqa: PLR2004 - three digits before the point
        return f"{value:,.0f}"
    return f"{value:.3g}"
