"""``virtxlate handover``, on two QEMUs and a libvirt on paper: ends, refusals, several instances."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.cli.hosts import door
from tests.cli.hotplug_host import FakeHotplugHost
from tests.cli.running import Cli
from tests.handover.fake_pair import NAME, Caller, FakeHost, Killed, Pair, record
from tests.hotplug.domains import domain_of, ganeti
from virtxlate.cli import handover
from virtxlate.handover.back import steps_back
from virtxlate.handover.image import image_header
from virtxlate.handover.source import Old


class Host(FakeHost):
    """What the command line asks of a host before it begins."""

    def version(self) -> str:
        return "9.0.0"

    def emulator_version(self) -> int:
        return 7_002_022

    def is_local(self) -> bool:
        return False


@pytest.fixture
def pair(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pair:
    """Both QEMUs, at which the command line is pointed."""
    pair = Pair()
    caller = Caller(pair, tmp_path)
    asked: list[Any] = []
    monkeypatch.setitem(sys.modules, "virtxlate.live.connection", door(Host(caller), asked))
    monkeypatch.setattr(handover, "open_qmp", caller.opened)
    monkeypatch.setattr(handover, "Old", partial(Old, look=caller.look))
    return pair


def cut_short(pair: Pair, folder: Path, moment: str) -> None:
    caller = Caller(pair, folder, kill_at=moment)
    with caller.engine(record(folder)) as engine, pytest.raises(Killed):
        engine.hand_over()


def test_what_was_cut_short_goes_back(cli: Cli, pair: Pair, tmp_path: Path) -> None:
    cut_short(pair, tmp_path, "before compare")
    result = cli("handover", NAME, "--abort", "--state-dir", tmp_path / "state")
    assert (result.code, result.err) == (0, "")
    assert result.out.startswith(f"{NAME}: the guest runs under Ganeti (took ")
    assert pair.where() == "ganeti"


def test_a_way_that_is_closed_is_refused_in_one_line(cli: Cli, pair: Pair, tmp_path: Path) -> None:
    cut_short(pair, tmp_path, "after go-forward")
    result = cli("handover", NAME, "--abort", "--state-dir", tmp_path / "state")
    assert (result.code, result.out) == (5, "")
    assert result.err == (
        f"virtxlate: error: {NAME}: --abort: the guest runs, or has run, under libvirt: "
        "there is no way back; use --resume\n"
    )


NOTHING = "journal: no handover of {0} was cut short: there is nothing to end"


@pytest.mark.parametrize(
    ("options", "tried", "left"),
    [((), ["a"], 1), (("--keep-going",), ["a", "b"], 0)],
    ids=["stop", "go on"],
)
def test_several_stop_at_the_first_that_fails_unless_told(
    options: tuple[str, ...], tried: list[str], left: int, cli: Cli, pair: Pair, tmp_path: Path
) -> None:
    assert pair.where() == "ganeti"
    result = cli("handover", "a", "b", "--resume", *options, "--state-dir", tmp_path / "state")
    assert result.code == 5
    assert result.err == "".join(f"virtxlate: error: {each}: {NOTHING.format(each)}\n" for each in tried)
    assert result.out == f"0 done, {len(tried)} failed, {left} not tried\n"


def test_results_are_objects_for_programs(cli: Cli, pair: Pair, tmp_path: Path) -> None:
    cut_short(pair, tmp_path, "before compare")
    result = cli("handover", NAME, "a", "--abort", "--json", "--state-dir", tmp_path / "state")
    first, second = json.loads(result.out)
    assert first["done"].pop("seconds") >= 0
    assert first == {
        "instance": NAME,
        "done": {"instance": NAME, "runs": "ganeti", "pause_ms": None, "differences": [], "removed": []},
        "checked": None,
        "steps": [],
        "losses": [],
        "error": None,
        "code": 0,
    }
    assert (second["instance"], second["error"], second["code"]) == ("a", NOTHING.format("a"), 5)


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("a", "b", "--qmp", "/q"), "--qmp: one socket is one instance's"),
        (("a", "b", "--runtime", "r"), "--runtime: one file is one instance's"),
    ],
)
def test_what_contradicts_itself_is_told_before_anything(
    words: tuple[str, ...], reason: str, cli: Cli, pair: Pair
) -> None:
    result = cli("handover", *words)
    assert (result.code, result.out, result.err) == (2, "", f"virtxlate: error: {reason}\n")
    assert pair.where() == "ganeti"


@pytest.mark.parametrize("name", ["..", "a/b", "", "/etc"])
def test_a_name_that_is_none_leads_nowhere(name: str, cli: Cli, pair: Pair, tmp_path: Path) -> None:
    result = cli("handover", name, "--abort", "--state-dir", tmp_path / "state")
    assert (result.code, result.out) == (3, "")
    assert "expected the name of an instance" in result.err
    assert pair.where() == "ganeti"


def test_the_way_back_is_a_plan(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    host = FakeHotplugHost(domain_of(ganeti(1, 1)))
    name = host.domains[0].name
    monkeypatch.setitem(sys.modules, "virtxlate.live.connection", door(host, []))
    monkeypatch.setattr(host, "emulator_version", lambda: 7_002_022, raising=False)
    result = cli("handover", name, "--to-ganeti")
    assert result.code == 0, result.err
    assert result.out.splitlines() == [f"{n}. {step}" for n, step in enumerate(steps_back(name), 1)]
    assert cli("handover", "nobody", "--to-ganeti").code == 5


def test_the_plan_skips_what_stands_before_the_state(tmp_path: Path) -> None:
    """The shell's arithmetic is that of the head."""
    (tmp_path / "a b.image").write_bytes(image_header("<domain/>") + b"QEVM and so on")
    command = steps_back("a b")[4].partition(" | ")[0]
    told = subprocess.run(["sh", "-c", command], check=True, capture_output=True, cwd=tmp_path)
    assert told.stdout == b"QEVM and so on"
