"""Writing: whole files by rename, and what is no file is left as it is."""

from __future__ import annotations

import errno
import os
import stat
import threading
from pathlib import Path

import pytest

from tests.cli.running import CLUSTER, WEB, Cli, listing
from virtxlate.cli.files import write_output, write_whole


def test_a_file_is_written_with_the_mode_asked_for(tmp_path: Path) -> None:
    write_whole(tmp_path / "a", b"1", mode=0o600)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o600
    write_whole(tmp_path / "a", b"2", sync=False)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o644
    assert (tmp_path / "a").read_bytes() == b"2"
    assert listing(tmp_path) == ["a"]


def test_a_name_without_directory_is_in_the_current_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_whole("a", b"1")
    write_output("b", b"2")
    assert listing(tmp_path) == ["a", "b"]


def test_a_name_may_be_as_long_as_the_file_system_allows(tmp_path: Path) -> None:
    write_whole(tmp_path / ("a" * 255), b"1")
    assert listing(tmp_path) == ["a" * 255]


@pytest.mark.parametrize("failing", ["os.replace", "os.fsync"])
def test_nothing_is_left_when_writing_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    def fail(*_args: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "the temporary name")

    (tmp_path / "a").write_bytes(b"old")
    monkeypatch.setattr(failing, fail)
    with pytest.raises(OSError, match="No space left on device") as caught:
        write_whole(tmp_path / "a", b"new")
    assert caught.value.filename == str(tmp_path / "a")
    assert listing(tmp_path) == ["a"]
    assert (tmp_path / "a").read_bytes() == b"old"


def test_nothing_is_left_when_the_user_interrupts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_descriptor: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("os.fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_whole(tmp_path / "a", b"new")
    assert listing(tmp_path) == []


def test_a_link_leads_where_it_led(tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(b"old")
    (tmp_path / "link").symlink_to("real")
    write_output(str(tmp_path / "link"), b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == b"new"


def test_what_is_no_regular_file_stays_what_it_is(cli: Cli, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    assert cli("translate", CLUSTER, WEB, "-o", pipe).code == 0
    reader.join(timeout=30)
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert read[0].startswith(b"<domain")
    assert cli("translate", CLUSTER, WEB, "-o", "/dev/null").code == 0
    assert Path("/dev/null").is_char_device()


def test_a_device_that_is_full_is_named(cli: Cli) -> None:
    for option in ("-o", "--report"):
        result = cli("translate", CLUSTER, WEB, option, "/dev/full")
        assert (result.code, result.error) == (3, "error: /dev/full: No space left on device")


@pytest.mark.parametrize("path", ["-", "/dev/stdout"])
def test_stdout_can_be_named(cli: Cli, path: str) -> None:
    assert cli("translate", CLUSTER, WEB, "-o", path).out.startswith("<domain")
