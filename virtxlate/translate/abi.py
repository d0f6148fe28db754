"""What a guest will see otherwise under libvirt, told before anything is started."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from virtxlate.ganeti.model import Instance
from virtxlate.report import Loss, Report, Severity
from virtxlate.tables.hardware import KNOWN_DIFFERENCES, KnownDifference, Need
from virtxlate.translate.board import is_q35
from virtxlate.translate.context import Context
from virtxlate.translate.instance import to_domain


class AbiDifference(msgspec.Struct, frozen=True, kw_only=True):
    """One difference between the guest's machine under Ganeti and under libvirt.

    ``at`` is the path of a loss (``hvparams.soundhw``), with the value that is lost, or the name of a known
    difference (``strict boot``). A loss says effect and reason in one.
    """

    at: str
    value: str | int | float | bool | None = None
    severity: Severity
    effect: str
    reason: str = ""

    def __str__(self) -> str:
        value = "" if self.value is None else f" = {self.value!r}"
        reason = f" ({self.reason})" if self.reason else ""
        return f"{self.severity}: {self.at}{value}: {self.effect}{reason}"


def abi_differences(
    instance: Instance, context: Context, report: Report | None = None
) -> tuple[AbiDifference, ...]:
    """Give every difference that is foreseen, those that the guest sees first.

    ``report`` holds what was lost where the instance was read, and takes what is lost on the way to a domain.
    Raises what to_domain raises: an instance that no domain can be has no machine to compare.
    """
    report = Report() if report is None else report
    to_domain(instance, context, report)
    found = [*_of_losses(report.losses), *_of_table(known(instance))]
    return tuple(sorted(found, key=lambda each: each.severity != Severity.GUEST_VISIBLE))


def _of_losses(losses: Iterable[Loss]) -> Iterator[AbiDifference]:
    for loss in losses:
        if loss.severity == Severity.GUEST_VISIBLE:
            yield AbiDifference(at=loss.path, value=loss.value, severity=loss.severity, effect=loss.reason)


def _of_table(rows: Iterable[KnownDifference]) -> Iterator[AbiDifference]:
    for row in rows:
        yield AbiDifference(at=row.name, severity=row.severity, effect=row.effect, reason=row.reason)


def known(instance: Instance) -> tuple[KnownDifference, ...]:
    """Give the rows of the table of known differences that hold for an instance."""
    boards = ("any", "q35" if is_q35(instance) else "pc")
    return tuple(
        row
        for row in KNOWN_DIFFERENCES
        if row.board in boards
        and row.since <= instance.version <= row.until
        and all(_is_met(need, instance) for need in row.needs)
    )


def _is_met(need: Need, instance: Instance) -> bool:
    value: Any = instance
    for name in need.field.split("."):
        value = getattr(value, name)
    return value in need.values if need.values else bool(value)
