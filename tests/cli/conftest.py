"""The command line, called in this process."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from typing import Any

import pytest

from tests.cli.running import Cli, Result
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


@pytest.fixture
def stdin(monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes], Any]:
    """Make bytes what the next command reads from stdin."""
    return lambda data: monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
