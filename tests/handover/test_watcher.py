"""A guest that went on under libvirt is not started again by Ganeti's watcher."""

from __future__ import annotations

from pathlib import Path

import pytest

from virtxlate.handover.finding import Finding
from virtxlate.handover.watcher import findings

NOW = 1_800_000_000
AT = "/var/lib/ganeti/watcher.pause"
AGAIN = "it would start the instance a second time; gnt-cluster watcher pause 2h"
NOTICE = "the watcher takes no notice of it; gnt-cluster watcher pause 2h"
FAR = "by then Ganeti must know that the instance is not its to start"

PAUSES = {
    f"{NOW + 7200}\n": ("harmless", f"the watcher is paused until 2027-01-15 10:00:00 UTC: {FAR}"),
    f"{NOW + 900}": ("harmless", f"the watcher is paused until 2027-01-15 08:15:00 UTC: {FAR}"),
    "999999999999999": ("harmless", f"the watcher is paused for ever: {FAR}"),
    f"{NOW + 899}\n": ("fatal", f"the watcher is paused for 899 seconds more: {AGAIN}"),
    f"{NOW}\n": ("fatal", f"the watcher is paused no more: {AGAIN}"),
    f"{NOW - 60}\n": ("fatal", f"the watcher is paused no more: {AGAIN}"),
    "soon": ("fatal", f"expected seconds since 1970, found 'soon': {NOTICE}"),
    "": ("fatal", f"expected seconds since 1970, found '': {NOTICE}"),
    "1" * 5000: ("fatal", f"expected seconds since 1970, found '{'1' * 64}': {NOTICE}"),
}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "var/lib/ganeti"
    folder.mkdir(parents=True)
    return folder


def said(root: Path) -> list[tuple[str, str, str, str]]:
    def told(each: Finding) -> tuple[str, str, str, str]:
        return each.about, each.at, str(each.meaning), each.reason

    return [told(each) for each in findings(root, NOW)]


@pytest.mark.parametrize(("text", "meaning"), PAUSES.items(), ids=[each[:16] for each in PAUSES])
def test_a_pause_must_last(text: str, meaning: tuple[str, str], data: Path, tmp_path: Path) -> None:
    (data / "watcher.pause").write_text(text, encoding="ascii")
    assert said(tmp_path) == [("watcher", AT, *meaning)]


@pytest.mark.usefixtures("data")
def test_without_a_pause_it_is_not_safe(tmp_path: Path) -> None:
    assert said(tmp_path) == [("watcher", AT, "fatal", f"the watcher is not paused: {AGAIN}")]


def test_a_pause_that_cannot_be_read_is_none(data: Path, tmp_path: Path) -> None:
    (data / "watcher.pause").mkdir()
    ((_about, _at, meaning, reason),) = said(tmp_path)
    assert (meaning, reason.startswith("whether the watcher is paused cannot be read: ")) == ("fatal", True)


def test_bytes_that_are_no_text_are_no_pause(data: Path, tmp_path: Path) -> None:
    (data / "watcher.pause").write_bytes(b"\xff\xfe")
    ((_about, _at, meaning, _reason),) = said(tmp_path)
    assert meaning == "fatal"


def test_where_ganeti_has_no_data_nothing_is_said(tmp_path: Path) -> None:
    assert said(tmp_path) == []
