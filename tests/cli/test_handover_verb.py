"""``virtxlate handover``, on two QEMUs and a libvirt on paper: ends, refusals, several instances."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.cli.handover_pair import cut_short
from tests.cli.hosts import door
from tests.cli.hotplug_host import FakeHotplugHost
from tests.cli.running import Cli
from tests.handover.fake_pair import NAME, Pair
from tests.hotplug.domains import domain_of, ganeti
from virtxlate.cli import handover
from virtxlate.handover.back import steps_back
from virtxlate.handover.check import Checked
from virtxlate.handover.differences import Meaning
from virtxlate.handover.finding import Finding
from virtxlate.handover.image import image_header


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


RECORDED = "--release, --ifup: what the first call was told holds; leave them out"


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("a", "b", "--qmp", "/q", "--downtime-limit", "0"), "--qmp: one socket is one instance's"),
        (("a", "b", "--runtime", "r"), "--runtime: one file is one instance's"),
        (("a", "--resume", "--release"), RECORDED),
        (("a", "--abort", "--ifup", "/s"), RECORDED),
    ],
)
def test_what_contradicts_itself_is_told_before_anything(
    words: tuple[str, ...], reason: str, cli: Cli, pair: Pair
) -> None:
    result = cli("handover", *words)
    assert (result.code, result.out, result.err) == (2, "", f"virtxlate: error: {reason}\n")
    assert pair.where() == "ganeti"


@pytest.mark.parametrize("value", ["-1", "2000001", "0.5", "x"])
def test_a_downtime_that_qemu_does_not_take_is_told(value: str, cli: Cli, pair: Pair) -> None:
    result = cli("handover", "a", f"--downtime-limit={value}")
    assert result.code == 2
    assert f"--downtime-limit: expected a whole number from 0 to 2000000, found '{value}'" in result.err
    assert pair.where() == "ganeti"


@pytest.mark.parametrize("option", ["--check", "--resume", "--abort", "--json"])
@pytest.mark.parametrize("uri", ["qemu+ssh://root@node2/system", "qemu+tcp://node2.example.com:16509/system"])
def test_the_libvirt_of_another_host_is_refused_before_anything(
    uri: str, option: str, cli: Cli, pair: Pair, tmp_path: Path
) -> None:
    """It would read another FIFO of that path, and none is there."""
    pair.uri, pair.faults["query-status"] = uri, pytest.fail
    result = cli("handover", NAME, option, "--state-dir", tmp_path / "state")
    assert (result.code, result.out) == (2, "")
    assert result.err == (
        f"virtxlate: error: --connect: expected the libvirt of this host, where the guest runs, found {uri}: "
        "give a URI without a host, such as qemu:///system\n"
    )


@pytest.mark.parametrize("runtime", [b"no JSON", b"\xff"])
@pytest.mark.parametrize(
    ("option", "expected", "code"), [("--abort", "ganeti", 0), ("--resume", "libvirt", 1)]
)
def test_a_runtime_file_that_cannot_be_read_stops_no_end(
    option: str, expected: str, code: int, runtime: bytes, cli: Cli, pair: Pair, tmp_path: Path
) -> None:
    """What it would be compared with is told, and somebody must look."""
    cut_short(pair, tmp_path, "before compare")
    file = tmp_path / "conf" / f"{NAME}.runtime"
    file.parent.mkdir()
    file.write_bytes(runtime)
    result = cli("handover", NAME, option, "--state-dir", tmp_path / "state", "--ctrl-dir", tmp_path)
    assert (result.code, pair.where()) == (code, expected)
    assert result.out.count("\n  differs ") == code


def test_a_second_call_is_refused_before_anything_is_asked(cli: Cli, pair: Pair, tmp_path: Path) -> None:
    """Whoever works on the instance holds its QMP socket, and this one would wait for it."""
    cut_short(pair, tmp_path, "before compare")
    pair.faults["query-status"] = pytest.fail
    for option in ("--check", "--dry-run", "--json"):
        result = cli("handover", NAME, option, "--state-dir", tmp_path / "state")
        assert result.code == 5
        assert "is under way, or was cut short: end it with --resume or --abort" in result.err


@pytest.mark.parametrize("option", ["--check", "--dry-run"])
@pytest.mark.parametrize(("fatal", "last"), [(False, "it would be safe"), (True, "it would not be safe")])
@pytest.mark.usefixtures("pair")
def test_what_would_be_done_is_shown_where_it_would_be_safe(
    option: str, fatal: bool, last: str, cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    meaning = Meaning.FATAL if fatal else Meaning.HARMLESS
    finding = Finding(about="disk", at="vda", meaning=meaning, reason="so it is")
    looked = Checked(
        instance=NAME, findings=(finding,), differences=(), steps=("first", "then"), rehearsed=True
    )
    monkeypatch.setattr(handover, "_checked", lambda *_args: ("<domain/>", None, looked))
    result = cli("handover", NAME, option, "--qmp", tmp_path / "qmp", "--state-dir", tmp_path / "state")
    steps = [] if fatal else ["  would first", "  would then"]
    assert result.out.splitlines() == [f"  {meaning}: disk: vda: so it is", *steps, f"{NAME}: {last}"]
    assert result.code == int(fatal)


@pytest.mark.usefixtures("pair")
def test_a_socket_of_another_instance_is_refused(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With --release the files of the one that was named would go."""
    found = SimpleNamespace(facts=SimpleNamespace(name="web2"))
    monkeypatch.setattr(handover, "read_running", lambda *_args, **_options: found)
    result = cli(
        "handover", "web1", "--qmp", tmp_path / "qmp", "--release", "--state-dir", tmp_path / "state"
    )
    assert (result.code, result.out) == (3, "")
    assert result.err.endswith("qmp: expected the QEMU of web1, found that of web2\n")


@pytest.mark.parametrize("name", ["..", "a/b", "/etc"])
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
