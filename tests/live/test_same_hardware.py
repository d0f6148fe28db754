"""The machine that libvirt's QEMU shows a guest is the one that Ganeti's own QEMU showed it."""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple

import pytest

from lab.ganeti_judge import prepare
from lab.hardware_cases import cases
from virtxlate import Report
from virtxlate.hardware.compare import Difference, compare
from virtxlate.tables.hardware import KNOWN_DIFFERENCES, KnownDifference
from virtxlate.translate.abi import known

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.embedded import EmbeddedLibvirt
    from lab.twins import Twins
    from virtxlate.ganeti.model import Instance

pytestmark = [pytest.mark.live, pytest.mark.timeout(900)]

FEWEST = 150


class Compared(NamedTuple):
    """One instance, and how its two machines differ."""

    name: str
    instance: Instance
    differences: tuple[Difference, ...]

    def rows(self) -> set[str]:
        """The rows of the table that something here shows."""
        return {row.name for row in known(self.instance) for each in self.differences if is_shown(row, each)}


def is_shown(row: KnownDifference, difference: Difference) -> bool:
    return any(
        fnmatchcase(difference.kind, shown.kind) and fnmatchcase(difference.what, shown.what)
        for shown in row.shown
    )


@pytest.fixture(scope="module")
def twins(libvirt_host: EmbeddedLibvirt, bridge_name: str) -> Iterator[Twins]:
    from lab.twins import Twins  # noqa: PLC0415 - needs libvirt's binding

    # a short path: it is part of those of sockets
    with TemporaryDirectory(prefix="vxt-", dir="/tmp") as folder:
        yield Twins(host=libvirt_host, bridge=bridge_name, folder=Path(folder))


@pytest.fixture(scope="module")
def compared(twins: Twins) -> list[Compared]:
    """Every case, each with both of its machines."""
    every = list(cases())
    verdicts = prepare().run([twins.request(case.instance) for case in every])
    found = []
    for case, verdict in zip(every, verdicts, strict=True):
        assert verdict.error is None, f"{case.name}: Ganeti refuses it: {verdict.error}"
        before = twins.of_ganeti(case.instance, verdict)
        after = twins.of_libvirt(twins.xml(case.instance, Report()))
        found.append(Compared(case.name, case.instance, compare(before, after)))
    return found


def test_every_difference_is_a_known_one(compared: list[Compared]) -> None:
    assert len(compared) >= FEWEST
    unlisted = [
        f"{each.name}: {difference}"
        for each in compared
        for difference in each.differences
        if not any(is_shown(row, difference) for row in known(each.instance))
    ]
    assert unlisted == []


def test_what_is_foreseen_is_what_is_seen(compared: list[Compared]) -> None:
    foreseen = {each.name: {row.name for row in known(each.instance)} for each in compared}
    assert {each.name: each.rows() for each in compared} == foreseen


def test_the_list_is_no_longer_than_needed(compared: list[Compared]) -> None:
    shown = set[str]().union(*(each.rows() for each in compared))
    assert {row.name for row in KNOWN_DIFFERENCES} - shown == set()
