"""What was cut short is ended where it was begun, by that libvirt only; others' domains are left alone."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.handover.fake_pair import NAME, SECRET, STATE, Caller, Killed, Pair, record
from virtxlate.errors import ConnectionFailedError, LiveError, OperationRefusedError, VirtxlateError
from virtxlate.handover import settle, transfer
from virtxlate.handover.engine import Tools
from virtxlate.handover.journal import Journal
from virtxlate.handover.source import Process
from virtxlate.handover.states import Wish
from virtxlate.handover.transfer import Limits

OTHER = "11111111-2222-4333-8444-555555555556"
PARAMETERS = {"downtime-limit": 300, "max-bandwidth": 134217728}
CAPABILITIES = {"multifd": True, "events": True}


def cut_short(pair: Pair, folder: Path, moment: str) -> None:
    caller = Caller(pair, folder, kill_at=moment)
    with caller.engine(record(folder)) as engine, pytest.raises(Killed):
        engine.hand_over()


@pytest.mark.parametrize("wish", Wish)
@pytest.mark.parametrize("moment", ["before compare", "after go-forward", "after run"])
def test_another_libvirt_ends_nothing(moment: str, wish: Wish, tmp_path: Path) -> None:
    """It knows no such domain; a domain that it started from the disks would run besides the first one's."""
    pair = Pair()
    cut_short(pair, tmp_path, moment)
    before = (pair.status, pair.target, pair.defined)
    elsewhere = Pair(status=pair.status, migration=pair.migration, uri="qemu:///session")
    with (
        Caller(elsewhere, tmp_path).engine() as engine,
        pytest.raises(OperationRefusedError, match="qemu:///system, found qemu:///session: give --connect"),
    ):
        engine.finish(wish)
    assert (pair.status, pair.target, pair.defined) == before
    assert (elsewhere.status, elsewhere.target, elsewhere.defined) == (pair.status, "absent", None)
    with Caller(pair, tmp_path).engine() as engine:
        assert engine.finish(Wish.RESUME).runs == "libvirt"


@pytest.mark.parametrize("target", ["absent", "paused", "running"])
@pytest.mark.parametrize("wish", Wish)
def test_another_domain_of_its_name_is_no_part_of_it(wish: Wish, target: str, tmp_path: Path) -> None:
    pair = Pair()
    cut_short(pair, tmp_path, "begun define")
    pair.defined, pair.uuid, pair.target = "<domain>of somebody else</domain>", OTHER, target
    with (
        Caller(pair, tmp_path).engine() as engine,
        pytest.raises(OperationRefusedError, match=f"another domain of its name or UUID: {NAME} {OTHER}"),
    ):
        engine.finish(wish)
    assert (pair.defined, pair.target) == ("<domain>of somebody else</domain>", target)


def test_a_domain_of_its_name_that_comes_meanwhile_is_left_alone(tmp_path: Path) -> None:
    pair = Pair()

    def come() -> None:
        pair.defined, pair.uuid = "<domain>of somebody else</domain>", OTHER
        raise LiveError("domain exists already", call="define")

    pair.faults["define"] = come
    with Caller(pair, tmp_path).engine(record(tmp_path)) as engine, pytest.raises(LiveError, match="goes on"):
        engine.hand_over()
    assert pair.defined == "<domain>of somebody else</domain>"


def test_a_qemu_that_ends_by_itself_while_it_is_ended_stops_no_way_back(tmp_path: Path) -> None:
    pair = Pair(cards={"old": "virtio-net-pci", "new": "e1000"})

    def end() -> None:
        pair.target = "absent"
        raise OperationRefusedError("domain is not running", call="destroy")

    pair.faults["destroy"] = end
    with (
        Caller(pair, tmp_path).engine(record(tmp_path)) as engine,
        pytest.raises(VirtxlateError, match="the guest goes on under Ganeti"),
    ):
        engine.hand_over()
    assert (pair.where(), pair.both_ran) == ("ganeti", False)
    assert list((tmp_path / "state").iterdir()) == []


@pytest.mark.parametrize("wish", Wish)
@pytest.mark.parametrize("moment", ["begun transfer", "lent", "sending"])
def test_how_the_old_qemu_sends_is_set_back_after_a_kill(moment: str, wish: Wish, tmp_path: Path) -> None:
    """Ganeti's own next migration must not go by what a handover wanted."""
    pair = Pair(endless=True)
    cut_short(pair, tmp_path, moment)
    if moment == "sending":
        wish = Wish.ABORT  # the other one would wait for what never comes
    with Caller(pair, tmp_path).engine() as engine:
        assert engine.finish(wish).runs == "ganeti"
    assert (pair.parameters, pair.capabilities) == (PARAMETERS, CAPABILITIES)


def test_a_guest_that_is_never_sent_in_time_stays_as_it_was(tmp_path: Path) -> None:
    pair = Pair(endless=True)
    caller = Caller(pair, tmp_path, limits=Limits(patience_s=0.05))
    with (
        caller.engine(record(tmp_path)) as engine,
        pytest.raises(
            OperationRefusedError,
            match=r"faster than it is sent.*--downtime-limit.*--method stop.*goes on under Ganeti",
        ),
    ):
        engine.hand_over()
    assert (pair.parameters, pair.capabilities, pair.where()) == (PARAMETERS, CAPABILITIES, "ganeti")


def test_a_password_of_the_definition_that_was_there_comes_back_with_it(tmp_path: Path) -> None:
    definition = f"<domain><graphics{SECRET}/></domain>"
    journals: list[bytes] = []

    def look(_name: str) -> None:
        journals.extend(each.read_bytes() for each in (tmp_path / "state").rglob("journal.json"))

    def refuse() -> None:
        raise LiveError("no", call="migrate")

    pair = Pair(defined=definition, faults={"migrate": refuse})
    caller = Caller(pair, tmp_path)
    caller._tools = Tools(moment=look)
    with caller.engine(record(tmp_path)) as engine, pytest.raises(LiveError, match="goes on under Ganeti"):
        engine.hand_over()
    assert pair.defined == definition
    assert journals
    assert not [each for each in journals if b"hush" in each]


@pytest.mark.parametrize(("secret", "told"), [(SECRET, 1), ("", 0)])
def test_a_password_that_died_with_the_caller_is_told(secret: str, told: int, tmp_path: Path) -> None:
    """The journal does not have it."""
    pair = Pair(defined=f"<domain><graphics{secret}/></domain>")
    cut_short(pair, tmp_path, "after define")
    with Caller(pair, tmp_path).engine() as engine:
        lines = engine.finish(Wish.ABORT).differences
    assert pair.defined == "<domain><graphics/></domain>"
    assert len([each for each in lines if "password of its display is lost" in each]) == told


def dies(pair: Pair, target: str) -> Callable[[], None]:
    """The old QEMU ends in the middle of sending, while the new one loads."""

    def die() -> None:
        pair.status, pair.target = "gone", target
        raise LiveError("QEMU has hung up", call="migrate")

    return die


def test_an_old_qemu_that_ends_while_the_new_one_still_loads_leaves_nothing(tmp_path: Path) -> None:
    """It is waited for: whether all had arrived is known then."""
    pair = Pair()
    pair.faults["sending"] = dies(pair, "inmigrate")
    looks: list[str] = []

    def load() -> None:
        looks.append(pair.target)
        if len(looks) < 4:
            pair.faults["new query-status"] = load
        else:
            pair.target = "absent"

    pair.faults["new query-status"] = load
    with (
        Caller(pair, tmp_path).engine(record(tmp_path)) as engine,
        pytest.raises(LiveError, match="the old QEMU has ended"),
    ):
        engine.hand_over()
    assert len(looks) >= 4
    assert pair.defined is None
    assert list((tmp_path / "state").iterdir()) == []


@pytest.mark.parametrize("wish", Wish)
def test_a_new_qemu_that_waits_for_bytes_that_nobody_sends_is_ended(
    wish: Wish, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settle, "_DRY_S", 0.05)
    pair = Pair()
    cut_short(pair, tmp_path, "begun transfer")
    fifo = tmp_path / "state" / NAME / "state.fifo"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    pair.status, pair.target = "gone", "inmigrate"
    pair.faults["destroy"] = lambda: os.close(reader)
    with Caller(pair, tmp_path).engine() as engine:
        done = engine.finish(wish)
    assert done.runs == pair.where() == ("libvirt" if wish is Wish.RESUME else "nowhere")
    assert list((tmp_path / "state").iterdir()) == []


def test_bytes_that_the_new_qemu_has_not_read_are_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settle, "_DRY_S", 0.0)
    monkeypatch.setattr(settle, "_PATIENCE_S", 0.1)
    pair = Pair()
    cut_short(pair, tmp_path, "begun transfer")
    fifo = tmp_path / "state" / NAME / "state.fifo"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    fifo.write_bytes(STATE)
    pair.status, pair.target = "gone", "inmigrate"
    with Caller(pair, tmp_path).engine() as engine, pytest.raises(LiveError, match="still on its way"):
        engine.finish(Wish.ABORT)
    assert pair.target == "inmigrate"
    os.close(reader)


def test_while_nobody_answers_for_libvirt_a_guest_that_is_being_sent_runs_on(tmp_path: Path) -> None:
    """Else it would stand still as soon as all was sent, to a QEMU that nobody can let run."""
    pair = Pair(endless=True)

    def lose(name: str) -> None:
        if name == "sending":
            losing_always(pair)
            raise ConnectionFailedError("connection reset", call="restore")

    caller = Caller(pair, tmp_path)
    caller._tools = Tools(moment=lose)
    with (
        caller.engine(record(tmp_path)) as engine,
        pytest.raises(ConnectionFailedError, match="the journal is kept: libvirt does not say"),
    ):
        engine.hand_over()
    assert (pair.migration, pair.status) == ("cancelled", "running")


def test_a_guest_that_was_seen_to_run_is_not_said_to_be_nowhere(tmp_path: Path) -> None:
    pair = Pair()

    def lose(name: str) -> None:
        if name == "after tidy":
            losing_always(pair)

    caller = Caller(pair, tmp_path)
    caller._tools = Tools(moment=lose)
    with caller.engine(record(tmp_path)) as engine:
        done = engine.hand_over()
    assert (done.runs, done.differences) == (
        "libvirt",
        ("libvirt: it was seen to run there, and libvirt does not answer any more",),
    )


def losing_always(pair: Pair) -> None:
    def lose() -> None:
        pair.faults["find"] = lose
        raise ConnectionFailedError("connection reset", call="find")

    pair.faults["find"] = lose


def test_a_libvirt_that_never_says_that_all_was_loaded_costs_the_guest_no_more_than_a_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stands still meanwhile: --timeout is for a guest that runs."""
    monkeypatch.setattr(transfer, "_COMPLETION_S", 0.2)
    pair = Pair()
    ended = threading.Event()

    def load() -> None:
        ended.wait(20)

    pair.faults |= {"loading": load, "destroy": ended.set}
    with (
        Caller(pair, tmp_path, limits=Limits(patience_s=20.0)).engine(record(tmp_path)) as engine,
        pytest.raises(LiveError, match=r"does not say that it has loaded.*goes on under Ganeti"),
    ):
        engine.hand_over()
    ended.set()
    assert pair.where() == "ganeti"


def test_a_journal_that_is_not_the_one_that_was_looked_at_is_left_alone(tmp_path: Path) -> None:
    """Between a look at it and its lock, another handover may have begun."""
    pair = Pair()
    cut_short(pair, tmp_path, "begun define")
    with (
        Caller(pair, tmp_path).engine(record(tmp_path, process=Process(7, 7))) as engine,
        pytest.raises(OperationRefusedError, match="another handover has begun meanwhile"),
    ):
        engine.finish(Wish.ABORT)


def test_the_libvirt_of_a_handover_is_written_down(tmp_path: Path) -> None:
    cut_short(Pair(), tmp_path, "begun display")
    assert Journal(tmp_path / "state", NAME).read().uri == "qemu:///system"
