"""What is said of two machines while the guest stands still in both."""

from __future__ import annotations

from collections.abc import Callable

from virtxlate.hardware.compare import compare
from virtxlate.hardware.model import Machine

Judge = Callable[[Machine, Machine], tuple[str, ...]]
"""Gives a line for each difference with which the guest must not run."""


def judged(before: Machine, after: Machine) -> tuple[str, ...]:
    """Give a line for every difference: none is allowed."""
    return tuple(str(each) for each in compare(before, after))
