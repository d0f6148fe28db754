"""A connection to libvirt: the door by which the rest of virtxlate gets to it."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Self, TypeVar
from urllib.parse import urlsplit

from virtxlate.errors import (
    ConnectionFailedError,
    DomainNotFoundError,
    LiveError,
)
from virtxlate.ganeti.words import UUID_PATTERN
from virtxlate.live.binding import libvirt
from virtxlate.live.domain import LibvirtDomain
from virtxlate.live.events import hear_of_removals, start_event_loop, stop_hearing
from virtxlate.live.failures import libvirt_errors
from virtxlate.live.host_devices import LibvirtHostDevices
from virtxlate.live.port import Outcome
from virtxlate.live.trials import LibvirtTrials
from virtxlate.live.waiters import Waiters

T = TypeVar("T")

_KEEPALIVE_SECONDS, _KEEPALIVE_COUNT = 5, 3
_MAX_ID = 2**31 - 1
_EMBEDDED = "/embed"
_UUID = re.compile(UUID_PATTERN)


class LibvirtHost:
    """One connection; see port.HostPort. Safe to use from several threads."""

    def __init__(self, connection: Any, reopen: Callable[[], Any] | None = None) -> None:
        self._connection = connection
        self._reopen = reopen
        self._lock = threading.RLock()
        self._listening = False
        self.generation = 0
        """Counts the connections that were made; a domain object belongs to one of them."""
        self.waiters = Waiters()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection for good; whoever still waits is told."""
        with self._lock:
            self._reopen, self._listening = None, False
            self._let_go()
        self.waiters.everybody(Outcome.DISCONNECTED)

    def is_alive(self) -> bool:
        """Tell whether the connection still stands."""
        try:
            return bool(self._connection.isAlive())
        except libvirt.libvirtError:
            return False

    def reopen(self) -> None:
        """Make a connection that broke anew, and listen again. Raises ConnectionFailedError."""
        with self._lock:
            if self.is_alive():
                return
            if self._reopen is None:
                raise ConnectionFailedError(
                    "the connection is closed, or broke and is not ours to make anew", call="open"
                )
            self._let_go()
            self._connection = self._reopen()
            self.generation += 1
            if self._listening:
                self.listen()

    def lookup(self, uuid: str) -> tuple[int, Any]:
        """Give the number of the connection, and the domain on it. Raises DomainNotFoundError."""
        with self._lock, libvirt_errors("lookupByUUIDString", self.is_alive):
            return self.generation, self._connection.lookupByUUIDString(uuid)

    def listen(self) -> None:
        """Hear of removals from now on; once a connection is enough."""
        with self._lock:
            self._listening = True
            with libvirt_errors("domainEventRegisterAny", self.is_alive):
                hear_of_removals(self._connection, self.waiters)

    def _let_go(self) -> None:
        """Close the connection; a callback that stayed registered would keep it in memory, dead or alive."""
        stop_hearing(self._connection, self.waiters)
        with suppress(libvirt.libvirtError):
            self._connection.close()

    def find(self, uuid: str, name: str) -> LibvirtDomain | None:
        """Give the domain of that UUID, else of that name, else None."""
        for lookup, key in (("lookupByUUIDString", uuid), ("lookupByName", name)):
            if not key:
                continue
            with suppress(DomainNotFoundError):
                return LibvirtDomain(self._ask(lookup, key), self)
        return None

    def domain(self, which: str) -> LibvirtDomain | None:
        """Give the domain of that id, else UUID, else name, as virsh looks for it; else None."""
        if which.isascii() and which.isdecimal() and int(which) <= _MAX_ID:
            with suppress(DomainNotFoundError):
                return LibvirtDomain(self._ask("lookupByID", int(which)), self)
        return self.find(which if _UUID.fullmatch(which) else "", which)

    def _ask(self, name: str, *args: Any) -> Any:
        """Call what only asks; a connection that broke is made anew once."""
        try:
            with libvirt_errors(name, self.is_alive):
                return getattr(self._connection, name)(*args)
        except ConnectionFailedError:
            self.reopen()
            with libvirt_errors(name, self.is_alive):
                return getattr(self._connection, name)(*args)

    def define(self, xml: str) -> LibvirtDomain:
        """Define a domain, or define it anew."""
        with libvirt_errors("defineXMLFlags", self.is_alive):
            return LibvirtDomain(
                self._connection.defineXMLFlags(xml, libvirt.VIR_DOMAIN_DEFINE_VALIDATE), self
            )

    def restore(self, path: str) -> None:
        """Load a saved guest, and leave it paused; see port.HandoverHost."""
        with libvirt_errors("restoreFlags", self.is_alive):
            self._connection.restoreFlags(path, None, libvirt.VIR_DOMAIN_SAVE_PAUSED)

    def start_paused(self, xml: str) -> LibvirtDomain:
        """Start a domain that has no definition, and leave it paused.

        It is gone with its QEMU, and with this connection, whatever becomes of the caller; a driver inside
        this process has no such end.
        """
        flags = libvirt.VIR_DOMAIN_START_PAUSED
        if urlsplit(self.uri()).path != _EMBEDDED:
            flags |= libvirt.VIR_DOMAIN_START_AUTODESTROY
        with libvirt_errors("createXML", self.is_alive):
            return LibvirtDomain(self._connection.createXML(xml, flags), self)

    def libvirt_version(self) -> int:
        """Give the version of the host's libvirt as a number: 9000000 is 9.0.0."""
        return int(self._ask("getLibVersion"))

    def version(self) -> str:
        """Give the libvirt version of the host, such as 9.0.0."""
        number = self.libvirt_version()
        return f"{number // 1_000_000}.{number // 1_000 % 1_000}.{number % 1_000}"

    def is_local(self) -> bool:
        """Tell whether libvirt runs on this machine: its URI names no other."""
        return not urlsplit(self.uri()).netloc

    def uri(self) -> str:
        """Give libvirt's own word for this connection."""
        with libvirt_errors("getURI"):
            return str(self._connection.getURI())

    def emulator_version(self) -> int:
        """Give the version of the host's QEMU as libvirt counts it: 7002022 is 7.2.22."""
        with libvirt_errors("getVersion", self.is_alive):
            return int(self._connection.getVersion())

    def host_devices(self) -> LibvirtHostDevices:
        """Give the devices of the host; see port.NodeDevicePort."""
        return LibvirtHostDevices(self._connection, libvirt_errors)

    def trials(self) -> LibvirtTrials:
        """Give what asks about documents; see port.TrialPort."""
        return LibvirtTrials(self._connection, libvirt_errors)


def connect(uri: str | None = None, *, read_only: bool = False, event_loop: bool = True) -> LibvirtHost:
    """Connect; None leaves the choice to LIBVIRT_DEFAULT_URI and libvirt. Close it, or use it in a ``with``.

    ``read_only`` is enough to look, and asks for less. libvirt has one event loop a process: with
    ``event_loop`` it runs in a thread of virtxlate's; without, the caller has registered one and runs it.

    Raises ConnectionFailedError.
    """
    libvirt.registerErrorHandler(lambda _context, _error: None, None)
    if event_loop:
        start_event_loop()

    def open_again() -> Any:
        return _open(uri, read_only=read_only)

    return LibvirtHost(open_again(), open_again)


def _open(uri: str | None, *, read_only: bool) -> Any:
    try:
        with libvirt_errors("open"):
            connection = libvirt.openReadOnly(uri) if read_only else libvirt.open(uri)
    except ConnectionFailedError:
        raise
    except LiveError as exc:
        raise ConnectionFailedError(exc.message, call=exc.call, code=exc.code) from exc
    with suppress(libvirt.libvirtError):  # a driver inside this process needs no sign of life
        connection.setKeepAlive(_KEEPALIVE_SECONDS, _KEEPALIVE_COUNT)
    return connection
