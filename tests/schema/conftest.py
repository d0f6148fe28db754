"""A small grammar and its schema; no cache outside of the test's own folder is touched."""

from __future__ import annotations

from pathlib import Path

import pytest

from virtxlate.schema.host import HostSchema
from virtxlate.schema.store import build_schema

GRAMMAR = Path(__file__).parent / "rng"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "virtxlate" / "schema"


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> HostSchema:
    """The schema of rng/store.rng."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        return HostSchema(build_schema(GRAMMAR))
