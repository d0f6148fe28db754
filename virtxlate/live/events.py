"""libvirt's event loop, without which the embedded QEMU driver refuses to open, and what is heard on it."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

from virtxlate.live.binding import libvirt
from virtxlate.live.port import Outcome
from virtxlate.live.waiters import Waiters

_starting = threading.Lock()
_threads: list[threading.Thread] = []


def start_event_loop() -> None:
    """Run libvirt's default event loop in a thread of this process; a second call does nothing."""
    with _starting:
        if _threads:
            return
        libvirt.virEventRegisterDefaultImpl()
        _threads.append(threading.Thread(target=_run, name="libvirt events", daemon=True))
        _threads[0].start()


def _run() -> None:
    while True:
        libvirt.virEventRunDefaultImpl()


def hear_of_removals(connection: Any, waiters: Waiters) -> Iterator[int]:
    """Give the number of each callback that it registers; the waiters hear from then on."""
    told = _Told(waiters)
    for event, callback in (
        (libvirt.VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED, told.removed),
        (libvirt.VIR_DOMAIN_EVENT_ID_DEVICE_REMOVAL_FAILED, told.refused),
        (libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE, told.lifecycle),
    ):
        yield connection.domainEventRegisterAny(None, event, callback, None)
    with suppress(libvirt.libvirtError):  # a driver inside this process has no connection to lose
        connection.registerCloseCallback(told.closed, None)


def stop_hearing(connection: Any, callbacks: Iterable[int]) -> None:
    """Take back the callbacks of those numbers; a connection that has gone has none."""
    numbers = tuple(callbacks)
    for number in numbers:
        with suppress(libvirt.libvirtError):
            connection.domainEventDeregisterAny(number)
    if numbers:
        with suppress(libvirt.libvirtError):
            connection.unregisterCloseCallback()


class _Told:
    """What libvirt calls, in its own thread."""

    def __init__(self, waiters: Waiters) -> None:
        self._waiters = waiters

    def removed(self, _connection: Any, domain: Any, alias: str, _opaque: Any) -> None:
        self._waiters.device(domain.UUIDString(), alias, Outcome.REMOVED)

    def refused(self, _connection: Any, domain: Any, alias: str, _opaque: Any) -> None:
        self._waiters.device(domain.UUIDString(), alias, Outcome.REFUSED)

    def lifecycle(self, _connection: Any, domain: Any, event: int, _detail: int, _opaque: Any) -> None:
        if event == libvirt.VIR_DOMAIN_EVENT_STOPPED:
            self._waiters.domain(domain.UUIDString(), Outcome.STOPPED)

    def closed(self, _connection: Any, _reason: int, _opaque: Any) -> None:
        self._waiters.everybody(Outcome.DISCONNECTED)
