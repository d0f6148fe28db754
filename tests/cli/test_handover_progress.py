"""The bar of a handover: on a terminal with what is left, elsewhere nothing."""

from __future__ import annotations

import io
import sys

import pytest

from virtxlate.cli.handover_progress import shown_progress
from virtxlate.handover.transfer import Progress

MIB = 1 << 20


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("terminal", "shown"), [(Terminal(), True), (io.StringIO(), False)])
def test_what_is_left_is_shown_on_a_terminal_only(
    terminal: io.StringIO, shown: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    with shown_progress("web1[x]") as heard:
        heard(Progress())
        heard(Progress(total=256 * MIB, left=64 * MIB))
    assert ("web1[x]" in terminal.getvalue()) is shown
    assert ("64 MiB left" in terminal.getvalue()) is shown


def test_without_rich_there_is_no_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setitem(sys.modules, "rich.console", None)
    with shown_progress("web1") as heard:
        heard(Progress(total=1, left=1))
    assert terminal.getvalue() == ""
