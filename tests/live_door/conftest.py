"""The door to libvirt, with a libvirt module made of nothing behind it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import import_module
from types import ModuleType
from typing import Any

import pytest

from tests.live_door.fake_libvirt import FakeLibvirt

DOORS = tuple(f"virtxlate.live.{name}" for name in ("connection", "events", "domain", "failures", "binding"))


@pytest.fixture
def libvirt(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeLibvirt]:
    """Put a fake in libvirt's place; the doors are imported anew, and forgotten afterwards."""
    fake = FakeLibvirt()
    monkeypatch.setitem(sys.modules, "libvirt", fake)
    for name in DOORS:
        monkeypatch.delitem(sys.modules, name, raising=False)
    yield fake
    for name in DOORS:
        sys.modules.pop(name, None)


@pytest.fixture
def connection(libvirt: FakeLibvirt) -> ModuleType:  # noqa: ARG001 - it must stand before the import
    """virtxlate.live.connection."""
    return import_module(DOORS[0])


@pytest.fixture
def events(libvirt: FakeLibvirt) -> Any:  # noqa: ARG001 - it must stand before the import
    """virtxlate.live.events."""
    return import_module(DOORS[1])
