"""Ganeti's list of parameters, written down from its own source, beside our rows: none is without one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from virtxlate.cli.params import rows

LIST: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "fixtures" / "params" / "ganeti-3.2-alpha.json").read_bytes()
)
NEWER: dict[str, dict[str, Any]] = {
    "hvparam": {"virtio_disk_iothreads": 0},
    "beparam": {},
    "nicparam": {},
}
"""Parameters that Ganeti got after that list was made, with the default that an older Ganeti acts by."""


@pytest.mark.parametrize("kind", NEWER)
def test_every_parameter_has_a_row_with_ganetis_default(kind: str) -> None:
    ours = {row.name: row.default for row in rows() if row.kind == kind}
    assert ours == LIST[f"{kind}s"] | NEWER[kind]


def test_the_list_is_whole() -> None:
    assert [len(LIST[f"{kind}s"]) for kind in NEWER] == [65, 6, 3]


@pytest.mark.parametrize("kind", NEWER)
def test_every_row_says_what_becomes_of_it(kind: str) -> None:
    silent = [row.name for row in rows() if row.kind == kind and not (row.xml or row.reason)]
    assert silent == []
