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
