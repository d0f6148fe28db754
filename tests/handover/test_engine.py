"""What the engine does when all goes well, when something breaks, and when it is killed."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.handover.fake_pair import NAME, XML, Caller, Killed, Pair, record, threads_left
from virtxlate.errors import ConnectionFailedError, LiveError, OperationRefusedError, VirtxlateError
from virtxlate.handover.engine import Tools
from virtxlate.handover.states import Wish
from virtxlate.handover.transfer import Limits

VNC = [{"host": "0.0.0.0", "service": "5901", "family": "ipv4"}]
PARAMETERS = {"downtime-limit": 300, "max-bandwidth": 134217728}
METHODS = {"live": Limits(), "stop": Limits(method="stop")}


def refusing(message: str = "no") -> Callable[[], None]:
    def refuse() -> None:
        raise LiveError(message, call="fault")

    return refuse


def losing() -> None:
    raise ConnectionFailedError("connection reset", call="fault")


def is_untouched(pair: Pair, folder: Path) -> bool:
    """Whether the guest runs under Ganeti as if nothing had been tried."""
    assert threads_left() == []
    return (
        (pair.status, pair.target, pair.defined, pair.vnc, pair.both_ran)
        == ("running", "absent", None, VNC, False)
        and pair.parameters == PARAMETERS
        and list((folder / "state").iterdir()) == []
    )


@pytest.mark.parametrize("method", METHODS)
def test_the_guest_moves(method: str, tmp_path: Path) -> None:
    pair = Pair()
    runtime = tmp_path / "inst1.runtime"
    runtime.touch()
    with Caller(pair, tmp_path, limits=METHODS[method]).engine(
        record(tmp_path, files=(str(runtime),))
    ) as engine:
        done = engine.hand_over()
    assert (done.instance, done.runs, done.removed) == (NAME, "libvirt", (str(runtime),))
    assert (pair.status, pair.target, pair.defined, pair.both_ran) == ("gone", "running", XML, False)
    assert not runtime.exists()
    kept = tmp_path / "state" / f"{NAME}.released"
    assert (kept / runtime.relative_to("/")).is_file()
    assert list((tmp_path / "state").iterdir()) == [kept]


FAULTS: dict[str, str] = {
    "query-vnc-servers": "the old QEMU hangs up at the first question",
    "display-update": "VNC cannot be moved",
    "define": "libvirt does not take the XML",
    "getfd": "QEMU takes no file",
    "migrate": "QEMU does not migrate: a device blocks it",
    "restore": "libvirt does not open the image",
    "loading": "libvirt's QEMU does not know a section",
    "loaded": "libvirt's QEMU dies right behind the end",
    "new human-monitor-command": "libvirt's QEMU does not answer",
    "resume": "libvirt cannot let it run: a lock is held",
}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("fault", FAULTS)
def test_after_a_fault_the_guest_goes_on_under_ganeti(fault: str, method: str, tmp_path: Path) -> None:
    pair = Pair(faults={fault: refusing(FAULTS[fault])})
    with (
        Caller(pair, tmp_path, limits=METHODS[method]).engine(record(tmp_path)) as engine,
        pytest.raises(LiveError, match=f"{FAULTS[fault]}.*the guest goes on under Ganeti"),
    ):
        engine.hand_over()
    assert is_untouched(pair, tmp_path)


def test_memory_that_the_emulator_may_have_missed_is_given_to_nobody(tmp_path: Path) -> None:
    """What a guest writes after a second round has sent it, QEMU 7.2 without KVM does not see."""
    pair = Pair(asked=4)
    with (
        Caller(pair, tmp_path).engine(record(tmp_path)) as engine,
        pytest.raises(
            OperationRefusedError,
            match=r"in 2 rounds.*--downtime-limit 0, or --method stop.*goes on",
        ),
    ):
        engine.hand_over()
    assert is_untouched(pair, tmp_path)


def test_memory_that_the_emulator_may_have_missed_is_found_after_a_kill_too(tmp_path: Path) -> None:
    pair = Pair(asked=4)
    with (
        Caller(pair, tmp_path, kill_at="after transfer").engine(record(tmp_path)) as engine,
        pytest.raises(Killed),
    ):
        engine.hand_over()
    with (
        Caller(pair, tmp_path).engine() as engine,
        pytest.raises(OperationRefusedError, match=r"in 2 rounds.*the guest goes on under Ganeti"),
    ):
        engine.finish(Wish.RESUME)
    assert is_untouched(pair, tmp_path)


@pytest.mark.parametrize(("kvm", "asked"), [(True, 9), (False, 3), (False, 2)])
def test_memory_that_nothing_can_have_missed_is_handed_over(kvm: bool, asked: int, tmp_path: Path) -> None:
    pair = Pair(kvm=kvm, asked=asked)
    with Caller(pair, tmp_path).engine(record(tmp_path)) as engine:
        assert engine.hand_over().runs == "libvirt"


def test_what_an_earlier_migration_left_on_is_off_for_a_while(tmp_path: Path) -> None:
    pair = Pair(faults={"loaded": refusing()})
    with Caller(pair, tmp_path).engine(record(tmp_path)) as engine, pytest.raises(LiveError):
        engine.hand_over()
    assert pair.switched == [{"multifd": False, "events": True}, {"multifd": True, "events": True}]


def test_nobody_new_reaches_the_old_display_meanwhile(tmp_path: Path) -> None:
    """One without a password, on a socket for few, must not be on a port for all of the host."""
    pair = Pair(vnc=[{"service": "/run/vnc", "family": "unix", "host": ""}])
    seen = []
    caller = Caller(pair, tmp_path)
    caller._tools = Tools(moment=lambda name: seen.append(pair.vnc) if name == "before define" else None)
    with caller.engine(record(tmp_path)) as engine:
        engine.hand_over()
    assert seen == [[]]


def test_an_old_qemu_that_cannot_move_its_vnc_is_not_asked_to(tmp_path: Path) -> None:
    pair = Pair(version=(5, 2, 0), faults={"display-update": refusing("The command has not been found")})
    with Caller(pair, tmp_path).engine(record(tmp_path)) as engine:
        assert engine.hand_over().runs == "libvirt"
    assert pair.vnc == VNC


def test_other_devices_stop_it(tmp_path: Path) -> None:
    pair = Pair(cards={"old": "virtio-net-pci", "new": "e1000"})
    with (
        Caller(pair, tmp_path).engine(record(tmp_path)) as engine,
        pytest.raises(VirtxlateError, match=r"goes on under Ganeti.*virtio-net-pci' becomes 'e1000'"),
    ):
        engine.hand_over()
    assert is_untouched(pair, tmp_path)


def test_a_new_qemu_that_ends_right_before_it_may_run_closes_no_way_back(tmp_path: Path) -> None:
    pair = Pair()

    def end(name: str) -> None:
        if name == "before go-forward":
            pair.target = "absent"

    caller = Caller(pair, tmp_path)
    caller._tools = Tools(moment=end)
    with (
        caller.engine(record(tmp_path)) as engine,
        pytest.raises(LiveError, match="that of libvirt absent; the guest goes on under Ganeti"),
    ):
        engine.hand_over()
    assert is_untouched(pair, tmp_path)


def test_a_definition_that_was_there_comes_back(tmp_path: Path) -> None:
    pair = Pair(defined="<domain>as it was</domain>", faults={"migrate": refusing()})
    with Caller(pair, tmp_path).engine(record(tmp_path)) as engine, pytest.raises(LiveError):
        engine.hand_over()
    assert pair.defined == "<domain>as it was</domain>"


def test_an_answer_that_is_lost_leaves_the_journal(tmp_path: Path) -> None:
    """Whether libvirt let the guest run is not known: so nobody goes back."""
    pair = Pair(faults={"resumed": losing})
    with (
        Caller(pair, tmp_path).engine(record(tmp_path)) as engine,
        pytest.raises(ConnectionFailedError, match="the journal is kept"),
    ):
        engine.hand_over()
    with (
        Caller(pair, tmp_path).engine() as engine,
        pytest.raises(OperationRefusedError, match="use --resume"),
    ):
        engine.finish(Wish.ABORT)
    pair.faults.clear()
    with Caller(pair, tmp_path).engine() as engine:
        assert engine.finish(Wish.RESUME).runs == "libvirt"
    assert not pair.both_ran


def test_a_second_call_finds_the_journal(tmp_path: Path) -> None:
    pair = Pair()
    with (
        Caller(pair, tmp_path, kill_at="before define").engine(record(tmp_path)) as engine,
        pytest.raises(Killed),
    ):
        engine.hand_over()
    with (
        Caller(pair, tmp_path).engine(record(tmp_path)) as engine,
        pytest.raises(OperationRefusedError, match="was cut short: end it with --resume or --abort"),
    ):
        engine.hand_over()


def moments(method: str, folder: Path) -> list[str]:
    caller = Caller(Pair(), folder, limits=METHODS[method])
    with caller.engine(record(folder)) as engine:
        engine.hand_over()
    return caller.moments


@pytest.mark.parametrize("wish", Wish)
@pytest.mark.parametrize("method", METHODS)
def test_killed_at_any_moment_it_is_ended_by_one_command(method: str, wish: Wish, tmp_path: Path) -> None:
    """At each moment in turn; before the way forward is written both ways are open, then only that one."""
    where = {}
    for number, moment in enumerate(moments(method, tmp_path / "all")):
        pair, folder = Pair(), tmp_path / str(number)
        with (
            Caller(pair, folder, kill_at=moment, limits=METHODS[method]).engine(record(folder)) as engine,
            pytest.raises(Killed),
        ):
            engine.hand_over()
        if moment == "after tidy":
            assert pair.where() == "libvirt"
            continue
        with Caller(pair, folder).engine() as engine:
            try:
                done = engine.finish(wish)
            except OperationRefusedError:
                assert wish is Wish.ABORT
                with Caller(pair, folder).engine() as again:
                    done = again.finish(Wish.RESUME)
        assert done.runs == pair.where()
        assert not pair.both_ran
        assert list((folder / "state").iterdir()) == []
        where[moment] = pair.where()
    assert where.pop("sending", "") in {"ganeti", "libvirt"}  # whether all had arrived is a matter of luck
    assert where == {moment: expected(moment, wish) for moment in where}


@pytest.mark.parametrize("method", METHODS)
def test_an_interruption_goes_back_or_leaves_the_way_that_was_written(method: str, tmp_path: Path) -> None:
    """As ^C does, at each moment in turn."""
    for number, moment in enumerate(moments(method, tmp_path / "all")):
        pair, folder = Pair(), tmp_path / str(number)
        caller = Caller(pair, folder, interrupt_at=moment, limits=METHODS[method])
        with caller.engine(record(folder)) as engine, pytest.raises(KeyboardInterrupt):
            engine.hand_over()
        assert not pair.both_ran
        if expected(moment, Wish.ABORT) == "ganeti":
            assert is_untouched(pair, folder), moment
        elif moment != "after tidy":
            with Caller(pair, folder).engine() as engine:
                assert engine.finish(Wish.RESUME).runs == "libvirt"
        assert pair.where() == expected(moment, Wish.ABORT)


def expected(moment: str, wish: Wish) -> str:
    """Where the guest runs in the end."""
    order = ["display", "define", "transfer", "settle", "compare", "go-forward", "run"]
    word, _space, name = moment.partition(" ")
    if not name:
        return "ganeti"  # in the middle of the transfer
    at = order.index(name) if name in order else len(order)
    if wish is Wish.ABORT:
        return "libvirt" if (at, word) >= (order.index("go-forward") + (word == "before"), "") else "ganeti"
    return "libvirt" if at > order.index("transfer") or moment == "after transfer" else "ganeti"


@pytest.mark.parametrize("wish", Wish)
def test_killed_on_the_way_back_it_is_ended_by_the_same(wish: Wish, tmp_path: Path) -> None:
    first = Caller(Pair(faults={"loaded": refusing()}), tmp_path / "all")
    with first.engine(record(first.folder)) as engine, pytest.raises(LiveError):
        engine.hand_over()
    back = first.moments[first.moments.index("before go-back") : -1]
    assert "after wake" in back
    for number, moment in enumerate(back):
        pair, folder = Pair(faults={"loaded": refusing()}), tmp_path / str(number)
        with (
            Caller(pair, folder, kill_at=moment).engine(record(folder)) as engine,
            pytest.raises(Killed),
        ):
            engine.hand_over()
        pair.faults.clear()
        with Caller(pair, folder).engine() as engine:
            done = engine.finish(wish)
        forward = wish is Wish.RESUME and moment == "before go-back"
        assert done.runs == pair.where() == ("libvirt" if forward else "ganeti")
        assert not pair.both_ran


def test_a_killed_old_qemu_is_the_end_of_the_guest_before_all_was_sent(tmp_path: Path) -> None:
    """As it would be on any day; the domain then starts from its disks."""
    pair = Pair()

    def die() -> None:
        pair.status = "gone"
        raise LiveError("QEMU has hung up", call="migrate")

    pair.faults["sending"] = die
    with (
        Caller(pair, tmp_path).engine(record(tmp_path)) as engine,
        pytest.raises(LiveError, match="has ended"),
    ):
        engine.hand_over()
    assert pair.where() == "nowhere"


def test_a_killed_old_qemu_is_no_loss_once_all_was_sent(tmp_path: Path) -> None:
    pair = Pair()
    with (
        Caller(pair, tmp_path, kill_at="before compare").engine(record(tmp_path)) as engine,
        pytest.raises(Killed),
    ):
        engine.hand_over()
    pair.status = "gone"
    with (
        Caller(pair, tmp_path).engine() as engine,
        pytest.raises(OperationRefusedError, match="only libvirt's has the guest: use --resume"),
    ):
        engine.finish(Wish.ABORT)
    with Caller(pair, tmp_path).engine() as engine:
        assert engine.finish(Wish.RESUME).runs == "libvirt"


@pytest.mark.parametrize("waiting", [0, 1], ids=["", "queue is full"])
@pytest.mark.parametrize("wish", Wish)
def test_an_instance_that_ganeti_has_started_anew_stays_ganetis(
    wish: Wish, waiting: int, tmp_path: Path
) -> None:
    """Its disks are in use: libvirt's QEMU, though it has all of the guest, is ended."""
    pair = Pair()
    with (
        Caller(pair, tmp_path, kill_at="before compare").engine(record(tmp_path)) as engine,
        pytest.raises(Killed),
    ):
        engine.hand_over()
    pair.status = "gone"
    with socket.socket(socket.AF_UNIX) as anew, ExitStack() as others:
        anew.bind(str(tmp_path / "qmp"))
        anew.listen(0)
        for _ in range(waiting):
            others.enter_context(socket.socket(socket.AF_UNIX)).connect(str(tmp_path / "qmp"))
        with Caller(pair, tmp_path).engine() as engine:
            assert engine.finish(wish).runs == "ganeti"
    assert (pair.target, pair.defined) == ("absent", None)
    assert list((tmp_path / "state").iterdir()) == []
