"""virtxlate.live.events: one event loop in a process."""

from __future__ import annotations

import threading
from types import ModuleType

from tests.live_door.fake_libvirt import FakeLibvirt


def test_a_second_call_starts_nothing(events: ModuleType, libvirt: FakeLibvirt) -> None:
    events.start_event_loop()
    threads = [each for each in threading.enumerate() if each.name == "libvirt events"]
    events.start_event_loop()
    assert [each for each in threading.enumerate() if each.name == "libvirt events"] == threads
    assert libvirt.names() == ["virEventRegisterDefaultImpl"]


def test_the_loop_turns_in_a_thread_that_keeps_no_process_alive(
    events: ModuleType, libvirt: FakeLibvirt
) -> None:
    before = set(threading.enumerate())
    events.start_event_loop()
    (thread,) = set(threading.enumerate()) - before
    assert thread.daemon
    for _turn in range(3):
        libvirt.turns.release()
    assert all(libvirt.turned.acquire(timeout=30) for _turn in range(3))


def test_a_caller_who_runs_the_loop_keeps_it(connection: ModuleType, libvirt: FakeLibvirt) -> None:
    before = set(threading.enumerate())
    with connection.connect(None, event_loop=False) as host:
        assert host.version() == "9.12.3"
    assert set(threading.enumerate()) == before
    assert "virEventRegisterDefaultImpl" not in libvirt.names()


def test_nobody_connects_before_the_loop_is_there(events: ModuleType, libvirt: FakeLibvirt) -> None:
    entered, leave = threading.Event(), threading.Event()

    def slowly() -> None:
        entered.set()
        assert leave.wait(30)

    vars(libvirt)["virEventRegisterDefaultImpl"] = slowly
    first = threading.Thread(target=events.start_event_loop)
    first.start()
    assert entered.wait(30)
    second = threading.Thread(target=events.start_event_loop)
    second.start()
    second.join(0.05)
    assert second.is_alive()
    leave.set()
    first.join(30)
    second.join(30)
    assert not second.is_alive()
