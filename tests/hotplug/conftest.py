"""No test may leave anybody waiting, and none may wait itself."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.hotplug.fake_domain import FakeDomain
from virtxlate.hotplug import lock


@pytest.fixture(autouse=True)
def _nobody_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(lock, "_DIRECTORIES", (str(tmp_path),))
    made: list[FakeDomain] = []
    init = FakeDomain.__init__

    def remembered(self: FakeDomain, *args: Any, **fields: Any) -> None:
        init(self, *args, **fields)
        made.append(self)

    def sleep(seconds: float) -> None:
        raise AssertionError(f"somebody slept {seconds} s")

    monkeypatch.setattr(FakeDomain, "__init__", remembered)
    monkeypatch.setattr(time, "sleep", sleep)
    yield
    assert [each.name for each in made if len(each.waiters)] == []
