"""One instance in two QEMUs, and which rows of the table of known differences they show."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, NamedTuple

from virtxlate import Report
from virtxlate.hardware.compare import Difference, compare
from virtxlate.hardware.describe import describe
from virtxlate.tables.hardware import KnownDifference
from virtxlate.translate.abi import known

if TYPE_CHECKING:
    from lab.hardware_cases import Case
    from lab.twins import Twins
    from virtxlate.ganeti.model import Instance


class Compared(NamedTuple):
    """One instance, and how its two machines differ."""

    name: str
    instance: Instance
    differences: tuple[Difference, ...]

    def rows(self) -> set[str]:
        """The rows of the table that something here shows."""
        return {row.name for row in known(self.instance) for each in self.differences if is_shown(row, each)}

    def unlisted(self) -> list[str]:
        """What no row of the table stands for."""
        return [f"{self.name}: {each}" for each in unlisted(self.instance, self.differences)]


def compare_twins(twins: Twins, case: Case, command: tuple[str, ...]) -> Compared:
    """Give how the QEMU of Ganeti's command differs from libvirt's. Raises what either raises."""
    before = twins.of_ganeti(case.instance, command, describe)
    after = twins.of_libvirt(twins.xml(case.instance, Report()), describe)
    return Compared(case.name, case.instance, compare(before, after))


def unlisted(instance: Instance, differences: tuple[Difference, ...]) -> list[str]:
    """Give the differences that no row which holds for the instance stands for."""
    rows = known(instance)
    return [str(each) for each in differences if not any(is_shown(row, each) for row in rows)]


def is_shown(row: KnownDifference, difference: Difference) -> bool:
    """Tell whether a difference is one that a row stands for."""
    return any(
        fnmatchcase(difference.kind, shown.kind) and fnmatchcase(difference.what, shown.what)
        for shown in row.shown
    )
