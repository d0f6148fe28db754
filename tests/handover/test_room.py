"""A handover begins where it has room: among libvirt's domains, and on the disk of its journal."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.handover.fake_pair import NAME, UUID, XML, Caller, Pair, record
from virtxlate.errors import LiveError, OperationRefusedError
from virtxlate.handover.journal import Journal

OTHER = "11111111-2222-4333-8444-555555555556"


def test_a_domain_of_its_name_with_another_uuid_is_left_alone(tmp_path: Path) -> None:
    pair = Pair(target="paused", defined=XML, uuid=OTHER)
    with (
        Caller(pair, tmp_path).engine(record(tmp_path)) as engine,
        pytest.raises(OperationRefusedError, match=f"another domain of its name or UUID: {NAME} {OTHER}"),
    ):
        engine.hand_over()
    assert (pair.status, pair.target, pair.defined) == ("running", "paused", XML)
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize(
    "xml",
    [XML.replace(UUID, OTHER), XML.replace(f"<uuid>{UUID}</uuid>", ""), XML.replace(NAME, "web1")],
    ids=["another UUID", "no UUID", "another name"],
)
def test_a_document_of_another_domain_is_refused(xml: str, tmp_path: Path) -> None:
    """Its domain would not be seen, and so not be ended before the old guest goes on."""
    pair = Pair()
    whole = msgspec.structs.replace(record(tmp_path), xml=xml)
    with (
        Caller(pair, tmp_path).engine(whole) as engine,
        pytest.raises(OperationRefusedError, match=f"expected the domain {NAME} {UUID}, found "),
    ):
        engine.hand_over()
    assert (pair.where(), pair.defined) == ("ganeti", None)
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize("state", ["paused", "running"])
def test_a_domain_of_its_uuid_that_is_active_is_left_alone(state: str, tmp_path: Path) -> None:
    pair = Pair(target=state, defined=XML)
    with (
        Caller(pair, tmp_path).engine(record(tmp_path)) as engine,
        pytest.raises(OperationRefusedError, match=f"expected no domain {NAME} that is active"),
    ):
        engine.hand_over()
    assert (pair.target, pair.defined) == (state, XML)
    assert not (tmp_path / "state").exists()


MIRROR = {"device": "mirror0", "type": "mirror", "status": "running"}
SAVE = {"id": "save0", "type": "snapshot-save", "status": "running"}


@pytest.mark.parametrize(
    ("pair", "told"),
    [
        (Pair(jobs=[MIRROR]), "mirror of mirror0: running"),
        (Pair(other_jobs=[SAVE]), "snapshot-save save0: running"),
    ],
)
def test_a_job_is_not_lost(pair: Pair, told: str, tmp_path: Path) -> None:
    with (
        Caller(pair, tmp_path).engine(record(tmp_path)) as engine,
        pytest.raises(OperationRefusedError, match=f"a job would be lost: let it end, or end it: {told}$"),
    ):
        engine.hand_over()
    assert (pair.status, (tmp_path / "state").exists()) == ("running", False)


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """A disk on which nothing more can be written while these files are there, once there are any."""
    holding: list[Path] = []
    plain = os.fsync

    def fsync(descriptor: int) -> None:
        if any(each.exists() for each in holding):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        plain(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    return holding


def entry(**fields: Any) -> Any:
    return record(Path("/nowhere"), **fields)


def test_a_record_is_written_with_the_room_that_was_kept(tmp_path: Path, full: list[Path]) -> None:
    journal = Journal(tmp_path, NAME)
    journal.begin(entry())
    (spare,) = set(journal.folder.iterdir()) - {journal.folder / "journal.json"}
    assert spare.stat().st_size > len(XML)
    full.append(spare)
    journal.write(entry(before=XML))
    assert journal.read() == entry(before=XML)
    assert not spare.exists()
    journal.end()
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_was_full_before_is_told(tmp_path: Path, full: list[Path]) -> None:
    full.append(tmp_path)
    with pytest.raises(LiveError, match=f"No space left on device: .*{NAME}"):
        Journal(tmp_path, NAME).begin(entry())
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_is_no_directory_is_told(tmp_path: Path) -> None:
    (tmp_path / "state").touch()
    with pytest.raises(LiveError, match="Not a directory"):
        Journal(tmp_path / "state", NAME).begin(entry())
