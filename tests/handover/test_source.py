"""The old QEMU is gone when its process has ended, not when nobody sees it."""

from __future__ import annotations

import os
import socket
import subprocess
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from tests.handover.fake_pair import Caller, FakeQmp, Pair
from virtxlate.errors import LiveError
from virtxlate.handover import source
from virtxlate.handover.source import Old, Process, process
from virtxlate.handover.states import Source


def test_a_process_is_told_from_a_later_one_and_from_one_of_another_boot() -> None:
    found = process(os.getpid())
    assert found is not None
    boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    assert (found.pid, found.boot) == (os.getpid(), boot)
    assert process(os.getpid()) == found
    with subprocess.Popen(["true"]) as child:
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert process(child.pid) is None


@pytest.mark.parametrize("proc", ["nothing there", "a file"])
def test_a_process_that_cannot_be_seen_has_not_ended(
    proc: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without /proc no process is seen; a domain must not start from the disks of one that runs."""
    place = tmp_path / "proc"
    if proc == "a file":
        place.touch()
    monkeypatch.setattr(source, "_PROC", place)
    with pytest.raises(LiveError, match="process 1: cannot be looked at"):
        process(1)
    with Old(tmp_path / "qmp", Caller(Pair(status="gone"), tmp_path).opened, Process(1, 1)) as old:
        assert old.state() is Source.UNKNOWN
        assert "cannot be looked at" in old.trouble


def test_a_process_whose_threads_cannot_be_counted_has_not_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its first thread may have ended before the others, which still write to the disks."""

    def refuse(_path: object) -> Any:
        raise OSError(24, "Too many open files")

    with subprocess.Popen(["true"]) as child:
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        monkeypatch.setattr("os.listdir", refuse)
        with pytest.raises(LiveError, match="cannot be looked at: Too many open files"):
            process(child.pid)


def test_where_nobody_can_tell_who_listens_nothing_is_known(tmp_path: Path) -> None:
    """Another QEMU may have the disks: the domain must not start from them."""
    path = tmp_path / "qmp"
    path.symlink_to(path)
    with Old(
        path, Caller(Pair(status="gone"), tmp_path).opened, Process(1, 1), look=lambda _pid: None
    ) as old:
        assert old.state() is Source.UNKNOWN
        assert "cannot be told: Too many levels of symbolic links" in old.trouble


@pytest.mark.parametrize("path", ["nothing", "a file", "below a file"])
def test_where_nobody_can_listen_it_is_gone(path: str, tmp_path: Path) -> None:
    where = tmp_path / "qmp"
    if path != "nothing":
        where.touch()
    where = where / "qmp" if path == "below a file" else where
    caller = Caller(Pair(status="gone"), tmp_path)
    with Old(where, caller.opened, Process(1, 1), look=caller.look) as old:
        assert old.state() is Source.GONE


def test_one_that_ends_right_now_may_be_replaced_already(tmp_path: Path) -> None:
    seen = iter([Process(1, 1)] * 2)
    caller = Caller(Pair(status="gone"), tmp_path)
    with socket.socket(socket.AF_UNIX) as anew:
        anew.bind(str(tmp_path / "qmp"))
        anew.listen()
        with Old(tmp_path / "qmp", caller.opened, Process(1, 1), look=lambda _pid: next(seen, None)) as old:
            assert old.state() is Source.REPLACED


@pytest.mark.parametrize(
    ("migration", "status", "expected"),
    [
        ("none", "running", Source.RUNS),
        ("active", "running", Source.MOVING),
        ("completed", "finish-migrate", Source.MOVING),
        ("failed", "finish-migrate", Source.MOVING),
        ("cancelled", "running", Source.RUNS),
        ("completed", "postmigrate", Source.STOPPED),
        ("none", "paused", Source.STOPPED),
    ],
)
def test_a_guest_is_still_when_qemu_has_said_its_last_word(
    migration: str, status: str, expected: Source, tmp_path: Path
) -> None:
    """Between the end of a migration and what it comes to, QEMU may let the guest run again by itself."""
    caller = Caller(Pair(migration=migration, status=status), tmp_path)

    def opened(_path: Path) -> Any:
        return nullcontext(FakeQmp(caller))

    with Old(tmp_path / "qmp", opened, look=caller.look) as old:
        assert old.state() is expected
