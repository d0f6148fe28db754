"""libvirt's event loop, without which the embedded QEMU driver refuses to open, and what is heard on it."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import Any
from weakref import WeakKeyDictionary, WeakSet

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


class _Heard:
    """What is registered on one connection, and who hears of it.

    A connection takes one callback for its end, and in libvirt's embedded driver one for each kind of event:
    so there is one for all who listen.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self._callbacks: list[int] = []
        self._hearers = WeakSet[Waiters]()
        self._choosing = threading.Lock()

    def hearers(self) -> tuple[Waiters, ...]:
        """Give those who hear."""
        with self._choosing:
            return tuple(self._hearers)

    def add(self, waiters: Waiters) -> None:
        """Let the waiters hear from now on."""
        with self._choosing:
            self._hearers.add(waiters)

    def leave(self, waiters: Waiters) -> None:
        """Let the waiters hear no more."""
        with self._choosing:
            self._hearers.discard(waiters)

    def register(self, connection: Any) -> None:
        """Register what is not registered yet. Raises libvirtError."""
        wanted = (
            (libvirt.VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED, self.removed),
            (libvirt.VIR_DOMAIN_EVENT_ID_DEVICE_REMOVAL_FAILED, self.refused),
            (libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE, self.lifecycle),
        )
        if len(self._callbacks) == len(wanted):
            return
        for event, callback in wanted[len(self._callbacks) :]:
            self._callbacks.append(connection.domainEventRegisterAny(None, event, callback, None))
        with suppress(libvirt.libvirtError):  # a driver inside this process has no connection to lose
            connection.registerCloseCallback(self.closed, None)

    def deregister(self, connection: Any) -> None:
        """Take the callbacks back; a connection that has gone has none."""
        for number in self._callbacks:
            with suppress(libvirt.libvirtError):
                connection.domainEventDeregisterAny(number)
        if self._callbacks:
            with suppress(libvirt.libvirtError):
                connection.unregisterCloseCallback()
        self._callbacks.clear()

    # What libvirt calls, in its own thread.

    def removed(self, _connection: Any, domain: Any, alias: str, _opaque: Any) -> None:
        for each in self.hearers():
            each.device(domain.UUIDString(), alias, Outcome.REMOVED)

    def refused(self, _connection: Any, domain: Any, alias: str, _opaque: Any) -> None:
        for each in self.hearers():
            each.device(domain.UUIDString(), alias, Outcome.REFUSED)

    def lifecycle(self, _connection: Any, domain: Any, event: int, _detail: int, _opaque: Any) -> None:
        if event == libvirt.VIR_DOMAIN_EVENT_STOPPED:
            for each in self.hearers():
                each.domain(domain.UUIDString(), Outcome.STOPPED)

    def closed(self, _connection: Any, _reason: int, _opaque: Any) -> None:
        for each in self.hearers():
            each.everybody(Outcome.DISCONNECTED)


_finding = threading.Lock()
_heard: WeakKeyDictionary[Any, _Heard] = WeakKeyDictionary()
"""By connection. It must not be what keeps a connection in memory."""


def _of(connection: Any) -> _Heard:
    with _finding:
        return _heard.setdefault(connection, _Heard())


def hear_of_removals(connection: Any, waiters: Waiters) -> None:
    """Let the waiters hear from now on; again for the same ones does nothing. Raises libvirtError."""
    heard = _of(connection)
    with heard.lock:
        heard.register(connection)
        heard.add(waiters)


def stop_hearing(connection: Any, waiters: Waiters) -> None:
    """Let the waiters hear no more; when the last have gone, nothing stays registered."""
    heard = _of(connection)
    with heard.lock:
        heard.leave(waiters)
        if not heard.hearers():
            heard.deregister(connection)
