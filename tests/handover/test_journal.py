"""The journal is always whole, and nobody else's; what Ganeti kept is put away."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from tests.handover.fake_pair import NAME, record
from virtxlate.errors import InputError, OperationRefusedError
from virtxlate.handover.journal import Journal
from virtxlate.handover.release import remove_files
from virtxlate.handover.states import Decision
from virtxlate.handover.steps import Name


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "state", NAME)
    whole = record(tmp_path, decision=Decision.FORWARD, begun=(Name.DISPLAY,), before="<domain/>")
    journal.begin(whole)
    assert journal.read() == whole
    assert [mode(journal.folder), mode(journal.folder / "journal.json")] == [0o700, 0o600]


def test_a_crash_in_the_middle_of_a_write_leaves_the_last_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(tmp_path, NAME)
    first = record(tmp_path)
    journal.begin(first)

    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as now:
        now.setattr("os.fsync", crash)
        with pytest.raises(KeyboardInterrupt):
            journal.write(record(tmp_path, decision=Decision.FORWARD))
    assert journal.read() == first
    journal.write(record(tmp_path, decision=Decision.BACK))
    assert journal.read().decision is Decision.BACK


def test_nothing_cut_short_is_nothing_to_end(tmp_path: Path) -> None:
    with pytest.raises(OperationRefusedError, match=f"no handover of {NAME} was cut short"):
        Journal(tmp_path, NAME).read()


def test_a_file_of_somebody_else_is_no_journal(tmp_path: Path) -> None:
    journal = Journal(tmp_path, NAME)
    journal.begin(record(tmp_path))
    (journal.folder / "journal.json").write_text("{}", encoding="utf-8")
    with pytest.raises(InputError, match=r"journal\.json: not a journal of this program"):
        journal.read()


def test_a_journal_of_another_version_is_left_to_its_program(tmp_path: Path) -> None:
    journal = Journal(tmp_path, NAME)
    journal.begin(record(tmp_path))
    (journal.folder / "journal.json").write_text(
        '{"version": 2, "begun": ["what is to come"]}', encoding="utf-8"
    )
    with pytest.raises(InputError, match="expected a journal of version 1, found 2"):
        journal.read()


@pytest.mark.parametrize("damage", [b"", b'{"version": 1, "inst', b'{"version": 1, "xml": "\xff"}', b"[[[["])
def test_a_journal_that_is_damaged_is_told_in_a_line(damage: bytes, tmp_path: Path) -> None:
    journal = Journal(tmp_path, NAME)
    journal.begin(record(tmp_path))
    (journal.folder / "journal.json").write_bytes(damage)
    with pytest.raises(InputError, match=r"journal\.json: not a journal of this program"):
        journal.read()


def test_the_journal_of_another_instance_is_not_obeyed(tmp_path: Path) -> None:
    Journal(tmp_path, NAME).begin(record(tmp_path))
    (tmp_path / NAME).rename(tmp_path / "web1")
    with pytest.raises(InputError, match=f"expected the journal of web1, found that of {NAME}"):
        Journal(tmp_path, "web1").read()


def test_a_journal_that_somebody_else_wrote_is_not_obeyed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It names files to remove, scripts to run and a domain to define."""
    journal = Journal(tmp_path, NAME)
    journal.begin(record(tmp_path))
    path = journal.folder / "journal.json"
    monkeypatch.setattr("os.geteuid", lambda: 4711)
    with pytest.raises(InputError, match="expected a file of this user's own"):
        journal.read()
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic links"):
        journal.read()


def test_a_directory_with_other_files_in_it_is_no_place_for_a_journal(tmp_path: Path) -> None:
    """Ganeti keeps the disks of an instance in a directory of its name."""
    disk = tmp_path / NAME / "disk0"
    disk.parent.mkdir(mode=0o755)
    disk.write_bytes(b"all that there is")
    with pytest.raises(OperationRefusedError, match=r"found disk0 in .*: give another --state-dir"):
        Journal(tmp_path, NAME).begin(record(tmp_path))
    assert (disk.read_bytes(), mode(disk.parent)) == (b"all that there is", 0o755)


@pytest.mark.parametrize("kind", ["a link", "another's"])
def test_a_directory_of_somebody_else_is_no_place_for_a_journal(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "place"
    place.mkdir(mode=0o755)
    if kind == "a link":
        (tmp_path / NAME).symlink_to(place)
    else:
        place = place.rename(tmp_path / NAME)
        monkeypatch.setattr("os.geteuid", lambda: 4711)
    with pytest.raises(OperationRefusedError, match="expected a directory of this user's own"):
        Journal(tmp_path, NAME).begin(record(tmp_path))
    assert (list(place.iterdir()), mode(place)) == ([], 0o755)


def test_what_somebody_puts_there_meanwhile_stays(tmp_path: Path) -> None:
    journal = Journal(tmp_path, NAME)
    journal.begin(record(tmp_path))
    (journal.folder / "notes").touch()
    journal.end()
    assert [each.name for each in tmp_path.rglob("*")] == [NAME, "notes"]


@pytest.mark.parametrize("place", [".", "not/yet/there"])
def test_where_a_journal_can_be_written_there_is_no_trouble(place: str, tmp_path: Path) -> None:
    journal = Journal(tmp_path / place, NAME)
    assert journal.trouble(1000) == ""
    assert list(tmp_path.iterdir()) == []
    journal.begin(record(tmp_path))


def test_what_would_stop_a_journal_is_told_without_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(tmp_path / "state", NAME)
    journal.begin(record(tmp_path))
    assert journal.trouble(1000).startswith(f"a handover of {NAME} is under way, or was cut short")
    (journal.folder / "journal.json").rename(journal.folder / "disk0")
    assert "expected an empty directory, found disk0 in" in journal.trouble(1000)
    file = tmp_path / "file"
    file.touch()
    assert Journal(file, NAME).trouble(1000) == f"expected a directory: {file}"
    assert Journal(file / "below", NAME).trouble(1000) == f"expected a directory: {file}"
    room = Journal(tmp_path / "other", NAME).trouble(1 << 60)
    assert room.endswith(f"bytes are free in {tmp_path}, and {(2 << 60) + (64 << 10)} are needed")
    monkeypatch.setattr("os.access", lambda *_: False)
    assert Journal(tmp_path / "other", NAME).trouble(1000) == f"no file can be made in {tmp_path}"


def test_its_end_leaves_nothing(tmp_path: Path) -> None:
    journal = Journal(tmp_path, NAME)
    journal.begin(record(tmp_path))
    (journal.folder / "state.fifo").touch()
    journal.end()
    assert list(tmp_path.iterdir()) == []


def test_ganetis_files_are_put_away_for_root_alone(tmp_path: Path) -> None:
    path, kept = tmp_path / "conf" / "a.runtime", tmp_path / "kept"
    path.parent.mkdir()
    path.write_text("[]", encoding="utf-8")
    assert remove_files([str(path), str(tmp_path / "gone")], kept) == (str(path),)
    copy = kept / path.relative_to("/")
    assert (copy.read_text(encoding="utf-8"), path.exists()) == ("[]", False)
    assert [mode(kept), mode(copy)] == [0o700, 0o600]
