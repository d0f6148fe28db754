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
    journal.begin(record(tmp_path, version=2))
    with pytest.raises(InputError, match="expected a journal of version 1, found 2"):
        journal.read()


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
