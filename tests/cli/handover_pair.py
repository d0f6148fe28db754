"""Two QEMUs and a libvirt on paper, at which the command line is pointed."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.cli.hosts import door
from tests.handover.fake_pair import Caller, FakeHost, Killed, Pair, record
from virtxlate.cli import handover
from virtxlate.handover.source import Old


class Host(FakeHost):
    """What the command line asks of a host before it begins."""

    def version(self) -> str:
        return "9.0.0"

    def emulator_version(self) -> int:
        return 7_002_022

    def is_local(self) -> bool:
        return not urlsplit(self.uri()).netloc


def pointed_at(pair: Pair, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Pair:
    """Give the pair, once the command line knows no other."""
    caller = Caller(pair, folder)
    asked: list[Any] = []
    monkeypatch.setitem(sys.modules, "virtxlate.live.connection", door(Host(caller), asked))
    monkeypatch.setattr(handover, "open_qmp", caller.opened)
    monkeypatch.setattr(handover, "Old", partial(Old, look=caller.look))
    return pair


def cut_short(pair: Pair, folder: Path, moment: str) -> None:
    caller = Caller(pair, folder, kill_at=moment)
    with caller.engine(record(folder)) as engine, pytest.raises(Killed):
        engine.hand_over()
