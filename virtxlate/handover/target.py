"""libvirt's side: what its QEMU does, and how it is ended."""

from __future__ import annotations

import errno
import fcntl
import os
import termios
import threading
import time
from contextlib import suppress
from pathlib import Path

from virtxlate.domain.document import parse_document
from virtxlate.errors import ConnectionFailedError, DomainNotFoundError, LiveError, OperationRefusedError
from virtxlate.handover.states import Target
from virtxlate.live.port import HandoverDomain, HandoverHost

_INCOMING = frozenset({"inmigrate", "prelaunch", "finish-migrate", "restore-vm"})
_TURN_S = 0.02
_PATIENCE_S = 60.0


class New:
    """The domain that takes over."""

    def __init__(self, host: HandoverHost, uuid: str, name: str) -> None:
        self._host, self._uuid, self._name = host, uuid, name

    def domain(self) -> HandoverDomain:
        """Give it; another one of its name is not it. Raises LiveError."""
        found = self._host.find(self._uuid, self._name)
        if found is None or found.uuid != self._uuid:
            raise DomainNotFoundError(f"there is no domain {self._name!r}", call="find")
        return found

    def expect_its_own(self, xml: str) -> None:
        """Raise OperationRefusedError for a document of another domain, which nobody would find again."""
        root = parse_document(xml)
        name, uuid = root.findtext("name", "").strip(), root.findtext("uuid", "").strip().lower()
        if (name, uuid) != (self._name, self._uuid):
            message = f"expected the domain {self._name} {self._uuid}, found {name} {uuid}"
            raise OperationRefusedError(f"{message}; the guest goes on under Ganeti", call="handover")

    def expect_no_other(self) -> None:
        """Raise OperationRefusedError where libvirt has a domain that shares only its name, or its UUID."""
        found = self._host.find(self._uuid, self._name)
        if found is not None and (found.name, found.uuid) != (self._name, self._uuid):
            message = f"libvirt has another domain of its name or UUID: {found.name} {found.uuid}"
            raise OperationRefusedError(message, call="find")

    def state(self) -> Target:
        """Give what its QEMU does."""
        try:
            return self._state()
        except DomainNotFoundError:
            return Target.ABSENT
        except ConnectionFailedError:
            return Target.UNKNOWN
        except LiveError:
            return self._busy()

    def _busy(self) -> Target:
        """Give what a domain does that libvirt knows, but cannot ask: it waits for the end of a job."""
        try:
            return Target.LOADING if self.domain().is_active() else Target.ABSENT
        except LiveError:
            return Target.UNKNOWN

    def _state(self) -> Target:
        domain = self.domain()
        told = domain.state()
        if not told.active:
            return Target.ABSENT
        if told.starting or domain.job() is not None:
            return Target.LOADING
        try:
            said = domain.ask("query-status")
        except OperationRefusedError:
            if domain.is_active():
                raise
            return Target.ABSENT
        if said["running"]:
            return Target.RUNS
        return Target.LOADING if said["status"] in _INCOMING else Target.PAUSED

    def end(self, read: tuple[Path, ...]) -> None:
        """End its QEMU, and whatever waits for the state at one of those paths. Raises LiveError."""
        until = time.monotonic() + _PATIENCE_S
        turn = threading.Event()
        while True:
            for path in read:
                _release(path)
            trouble = self._destroy()
            if not any(map(_is_read, read)) and self.state() is Target.ABSENT:
                return
            if time.monotonic() > until:
                raise LiveError(f"libvirt's QEMU does not end{trouble}", call="destroy")
            turn.wait(_TURN_S)

    def _destroy(self) -> str:
        """Call libvirt; give what it answered instead: its QEMU may be ending by itself, and libvirt busy."""
        try:
            domain = self.domain()
            if domain.is_active():
                domain.destroy()
        except ConnectionFailedError:
            raise
        except DomainNotFoundError:
            return ""
        except LiveError as exc:
            return f": {exc.message}"
        return ""


def _release(path: Path) -> None:
    """Let who waits for a FIFO's writer go on, to find nothing."""
    with suppress(OSError):
        if path.is_fifo():
            os.close(os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC))


def is_dry(path: Path) -> bool:
    """Tell whether there is a FIFO, and nothing in it that its reader has not taken."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        held: bytes = fcntl.ioctl(descriptor, termios.FIONREAD, bytes(4))
        return path.is_fifo() and not any(held)
    finally:
        os.close(descriptor)


def _is_read(path: Path) -> bool:
    """Tell whether somebody has the file open: a FIFO that nobody reads cannot be opened for writing.

    Raises LiveError where this cannot be told.
    """
    try:
        fifo = path.is_fifo()
        # a disk may take nothing more, but still a lease
        descriptor = os.open(path, (os.O_WRONLY if fifo else os.O_RDONLY) | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as exc:
        if exc.errno in {errno.ENXIO, errno.ENOENT}:
            return False
        raise LiveError(f"who reads it cannot be told: {exc.strerror}: {path}", call="destroy") from None
    if fifo:
        os.close(descriptor)
        return True
    try:
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_WRLCK)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except OSError as exc:
        return exc.errno == errno.EAGAIN  # any other: a file system without leases
    finally:
        os.close(descriptor)
    return False
