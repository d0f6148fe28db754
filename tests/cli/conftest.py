"""The command line, called in this process."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.handover_pair import pointed_at
from tests.cli.hosts import door
from tests.cli.hotplug_host import FakeHotplugHost
from tests.cli.running import Cli, Result
from tests.handover.fake_pair import Pair
from tests.hotplug.domains import domain_of, ganeti
from virtxlate.cli import main


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Cli:
    """Call ``main`` and give its exit code, and what it printed."""

    def call(*argv: object) -> Result:
        capsys.readouterr()
        try:
            code = main([str(each) for each in argv])
        except SystemExit as exc:
            code = int(exc.code or 0)
        return Result(code, *capsys.readouterr())

    return call


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a cache of nobody: whether somebody built the host's schema there decides who judges a domain."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def stdin(monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes], Any]:
    """Make bytes what the next command reads from stdin."""
    return lambda data: monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str], Path]:
    """Write a document to a file, and give its path."""

    def written(text: str) -> Path:
        path = tmp_path / "x.xml"
        path.write_text(text)
        return path

    return written


@pytest.fixture
def asked() -> list[tuple[str | None, bool]]:
    """The connections that were asked for: URI, and whether only to read."""
    return []


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch, asked: list[tuple[str | None, bool]]) -> FakeHotplugHost:
    """A host of one running domain with two disks and two NICs."""
    host = FakeHotplugHost(domain_of(ganeti(2, 2)))
    monkeypatch.setitem(sys.modules, "virtxlate.live.connection", door(host, asked))
    return host


@pytest.fixture
def pair(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pair:
    """Both QEMUs of a handover, at which the command line is pointed."""
    return pointed_at(Pair(), tmp_path, monkeypatch)
