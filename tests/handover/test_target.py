"""Whether libvirt still reads the guest's state is told, or it is said that nobody can tell it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.handover.fake_pair import NAME, UUID, Caller, FakeHost, Pair
from virtxlate.errors import LiveError
from virtxlate.handover import target
from virtxlate.handover.target import New


@pytest.fixture
def new(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> New:
    """libvirt has no such domain, or no more."""
    monkeypatch.setattr(target, "_PATIENCE_S", 0.1)
    return New(FakeHost(Caller(Pair(), tmp_path)), UUID, NAME)


@pytest.mark.parametrize("kind", ["nothing", "a FIFO", "a file", "a file that nobody may write"])
def test_what_nobody_has_open_is_at_its_end(kind: str, new: New, tmp_path: Path) -> None:
    path = tmp_path / "state"
    if kind == "a FIFO":
        os.mkfifo(path)
    elif kind != "nothing":
        path.touch(0o400 if "write" in kind else 0o600)
    new.end((path,))


@pytest.mark.parametrize("kind", ["a FIFO", "a file"])
def test_what_somebody_reads_is_not(kind: str, new: New, tmp_path: Path) -> None:
    path = tmp_path / "state"
    if kind == "a FIFO":
        os.mkfifo(path)
    else:
        path.touch()
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    with pytest.raises(LiveError, match="does not end"):
        new.end((path,))
    os.close(reader)


def test_where_nobody_can_tell_who_reads_it_the_old_guest_is_not_woken(new: New, tmp_path: Path) -> None:
    path = tmp_path / "state"
    path.symlink_to(path)
    with pytest.raises(LiveError, match="who reads it cannot be told: Too many levels of symbolic links"):
        new.end((path,))
