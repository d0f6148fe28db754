"""One writer at a time of a domain's metadata."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from virtxlate.errors import LiveError
from virtxlate.hotplug import lock

UUID = "11111111-2222-4333-8444-555555555555"
NAME = f"virtxlate-{os.getuid()}-{UUID}.lock"


class Time:
    """Time that passes when somebody sleeps."""

    def __init__(self) -> None:
        self.now, self.sleeps = 0.0, 0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.sleeps += 1
        self.happen()

    def happen(self) -> None:
        """Nothing."""


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Time:
    found = Time()
    monkeypatch.setattr(lock, "time", found)
    return found


@pytest.fixture(autouse=True)
def _directories(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    monkeypatch.setattr(lock, "_DIRECTORIES", (str(first), str(second)))


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_it_is_held_for_the_time_of_a_with_and_leaves_no_descriptor(tmp_path: Path) -> None:
    before = descriptors()
    for _turn in range(3):
        with lock.domain_lock(UUID):
            assert descriptors() == before + 1
    assert descriptors() == before
    found = tmp_path / "first" / NAME
    assert (found.stat().st_size, found.stat().st_mode & 0o777) == (0, 0o600)
    assert list((tmp_path / "second").iterdir()) == []


def test_who_fails_lets_it_go() -> None:
    before = descriptors()
    with pytest.raises(KeyError), lock.domain_lock(UUID):
        raise KeyError
    with lock.domain_lock(UUID):
        pass
    assert descriptors() == before


def test_a_second_one_waits_until_the_first_is_done(clock: Time) -> None:
    holder = lock.domain_lock(UUID)
    holder.__enter__()

    def let_go() -> None:
        if clock.sleeps == 3:
            holder.__exit__(None, None, None)

    clock.happen = let_go  # type: ignore[method-assign]
    with lock.domain_lock(UUID):
        assert clock.sleeps == 3


def test_a_second_one_gives_up_in_half_a_minute(clock: Time) -> None:
    before = descriptors()
    with lock.domain_lock(UUID), pytest.raises(LiveError) as caught, lock.domain_lock(UUID):
        pass
    assert str(caught.value) == f"lock: another process holds the lock of domain {UUID}"
    assert caught.value.exit_code == 5
    assert clock.now == pytest.approx(30, abs=0.1)
    assert descriptors() == before


def test_another_domain_is_another_lock(clock: Time) -> None:
    with lock.domain_lock(UUID), lock.domain_lock(UUID.replace("1", "2")):
        assert clock.sleeps == 0


def test_threads_exclude_one_another(clock: Time) -> None:
    inside: list[int] = []
    most: list[int] = []
    start = threading.Barrier(4)

    def work(number: int) -> None:
        start.wait(30)
        for _turn in range(50):
            clock.now = 0
            with lock.domain_lock(UUID):
                inside.append(number)
                most.append(len(inside))
                inside.remove(number)

    threads = [threading.Thread(target=work, args=[number]) for number in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60)
    assert (set(most), len(most)) == ({1}, 200)


def test_processes_exclude_one_another_and_a_dead_one_holds_nothing(tmp_path: Path, clock: Time) -> None:
    code = (
        "import sys; from virtxlate.hotplug import lock; lock._DIRECTORIES = (sys.argv[1],)\n"
        f"with lock.domain_lock({UUID!r}):\n    print('held', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "first")]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(LiveError), lock.domain_lock(UUID):
            pass
        other.kill()
        other.wait()
        clock.now, clock.sleeps = 0, 0
        with lock.domain_lock(UUID):
            assert clock.sleeps == 0


def test_a_link_of_somebody_elses_is_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    (tmp_path / "first" / NAME).symlink_to(victim)
    with lock.domain_lock(UUID):
        pass
    assert not victim.exists()
    assert (tmp_path / "second" / NAME).exists()


def test_a_directory_or_pipe_of_that_name_is_passed_over(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "first" / NAME)
    before = descriptors()
    with lock.domain_lock(UUID):
        assert (tmp_path / "second" / NAME).exists()
    assert descriptors() == before


def test_a_file_of_somebody_elses_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "first" / f"virtxlate-12345-{UUID}.lock").touch()
    monkeypatch.setattr(os, "getuid", lambda: 12345)
    with pytest.raises(LiveError) as caught, lock.domain_lock(UUID):
        pass
    assert str(caught.value) == (
        f"lock: no place for the lock virtxlate-12345-{UUID}.lock: "
        f"{tmp_path}/first and {tmp_path}/second do not take it"
    )


def test_where_no_directory_takes_it_that_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "_DIRECTORIES", (str(tmp_path / "none"),))
    with pytest.raises(LiveError, match=r"^lock: no place for the lock "), lock.domain_lock(UUID):
        pass
