"""Ganeti's own constants beside our rows: no parameter that Ganeti knows is without one."""

from __future__ import annotations

import pytest

from lab.ganeti_judge import prepare
from virtxlate.cli.params import rows

pytestmark = pytest.mark.oracle

NEWER_THAN_THE_JUDGE = {"virtio_disk_iothreads"}
"""hvparams that Ganeti got after the version of the judge."""


def test_every_hvparam_of_ganeti_has_a_row_and_no_other() -> None:
    ours = {row.name for row in rows() if row.kind == "hvparam"}
    assert set(prepare().hvparam_defaults()) == ours - NEWER_THAN_THE_JUDGE


def test_every_type_is_that_of_the_default() -> None:
    words = {"bool": bool, "int": int, "string": str, "maybe-string": str}
    defaults = {row.name: row.default for row in rows() if row.kind == "hvparam"}
    types = prepare().hvparam_types()
    assert {name: words[word] for name, word in types.items()} == {
        name: type(defaults[name]) for name in types
    }


def test_every_beparam_and_nicparam_has_a_row_and_no_other() -> None:
    judge = prepare()
    ours = {kind: {row.name for row in rows() if row.kind == kind} for kind in ("beparam", "nicparam")}
    assert ours == {"beparam": set(judge.beparam_defaults()), "nicparam": set(judge.nicparam_defaults())}
