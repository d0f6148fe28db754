"""A disk that does not take the journal any more: the guest goes back, or stays where nobody can be wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.handover.fake_pair import Caller, Pair, record
from virtxlate.errors import LiveError
from virtxlate.handover.engine import Tools
from virtxlate.handover.journal import Journal, Record
from virtxlate.handover.states import Decision, Wish
from virtxlate.handover.transfer import Limits, Method

PARAMETERS = {"downtime-limit": 300, "max-bandwidth": 134217728}
CAPABILITIES = {"multifd": True, "events": True}


class Refusing(Journal):
    """A disk that does not take one decision, once."""

    refused: Decision | None = Decision.FORWARD

    def write(self, record: Record) -> None:
        if record.decision is self.refused:
            Refusing.refused = None
            raise OSError(5, "Input/output error")
        super().write(record)


def test_a_way_forward_that_was_not_written_down_is_not_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.handover.fake_pair.Journal", Refusing)
    monkeypatch.setattr(Refusing, "refused", Decision.FORWARD)
    pair = Pair()
    with (
        Caller(pair, tmp_path).engine(record(tmp_path)) as engine,
        pytest.raises(LiveError, match=r"Input/output error.*goes on under Ganeti"),
    ):
        engine.hand_over()
    assert (pair.where(), pair.ran_under_libvirt) == ("ganeti", False)


class Broken(Journal):
    """A disk that takes nothing more, as long as it is broken."""

    is_broken = False

    def write(self, record: Record) -> None:
        self._expect_whole()
        super().write(record)

    def clear(self) -> None:
        self._expect_whole()
        super().clear()

    def _expect_whole(self) -> None:
        if self.is_broken:
            raise OSError(30, "Read-only file system")


@pytest.mark.parametrize("method", ["live", "stop"])
@pytest.mark.parametrize("moment", ["begun define", "lent", "after transfer", "before go-forward"])
def test_a_journal_that_takes_nothing_more_holds_no_guest(
    moment: str, method: Method, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says *open* still, so whoever ends the handover later goes back too."""
    monkeypatch.setattr("tests.handover.fake_pair.Journal", Broken)
    pair = Pair()
    vnc = pair.vnc

    def break_it(name: str) -> None:
        if name == moment:
            monkeypatch.setattr(Broken, "is_broken", True)

    caller = Caller(pair, tmp_path)
    caller._tools = Tools(moment=break_it, limits=Limits(method=method))
    with (
        caller.engine(record(tmp_path)) as engine,
        pytest.raises(
            LiveError,
            match=r"Read-only file system.*goes on under Ganeti; the journal could not be written .*--abort",
        ),
    ):
        engine.hand_over()
    assert (pair.where(), pair.target, pair.both_ran, pair.ran_under_libvirt) == (
        "ganeti",
        "absent",
        False,
        False,
    )
    assert (pair.defined, pair.vnc, pair.parameters, pair.capabilities) == (
        None,
        vnc,
        PARAMETERS,
        CAPABILITIES,
    )
    monkeypatch.setattr(Broken, "is_broken", False)
    with Caller(pair, tmp_path).engine() as engine:
        assert engine.finish(Wish.ABORT).runs == "ganeti"
    assert list((tmp_path / "state").iterdir()) == []


class HalfDone(Journal):
    """A disk that takes the way forward, says that it has not, and then takes nothing."""

    def write(self, record: Record) -> None:
        if record.decision is Decision.BACK:
            raise OSError(5, "Input/output error")
        super().write(record)
        if record.decision is Decision.FORWARD:
            raise OSError(5, "Input/output error")


def test_a_journal_that_may_say_forward_lets_nobody_go_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = Pair()
    with monkeypatch.context() as now:
        now.setattr("tests.handover.fake_pair.Journal", HalfDone)
        with (
            Caller(pair, tmp_path).engine(record(tmp_path)) as engine,
            pytest.raises(LiveError, match=r"going back failed too .*the journal is kept"),
        ):
            engine.hand_over()
    assert pair.where() == "nowhere"
    with Caller(pair, tmp_path).engine() as engine:
        assert engine.finish(Wish.RESUME).runs == "libvirt"
