"""One writer at a time of what stands beside the devices: the metadata and the runtime file.

libvirt replaces metadata as a whole, so two writers would lose each other's device. The lock is a file of
this machine and user; other callers are found out by reading back what was written.
"""

from __future__ import annotations

import fcntl
import os
import stat
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from typing import Protocol, Self

from virtxlate.errors import LiveError

_DIRECTORIES = ("/run/lock", "/tmp")  # noqa: S108 - no link is followed, and nobody else's file is taken
_PATIENCE = 30.0
_PAUSE = 0.005


class Lock(Protocol):
    """Gives what holds the lock of a domain for the time of a ``with``; see domain_lock."""

    def __call__(self, uuid: str, /, *, patience: float = _PATIENCE) -> AbstractContextManager[None]:
        """Raise LiveError when somebody else holds it for ``patience`` seconds."""


@contextmanager
def domain_lock(uuid: str, *, patience: float = _PATIENCE) -> Iterator[None]:
    """Hold the lock of a domain for the time of a ``with``; its holders write for milliseconds.

    Raises LiveError when somebody else holds it for ``patience`` seconds.
    """
    descriptor = _open(uuid)
    try:
        _take(descriptor, uuid, patience)
        yield
    finally:
        os.close(descriptor)


def _open(uuid: str) -> int:
    """Open the lock file of this user; it stays, because taking it away would part those who wait for it."""
    name = f"virtxlate-{os.getuid()}-{uuid}.lock"
    for directory in _DIRECTORIES:
        path = os.path.join(directory, name)  # noqa: PTH118 - a plain name, once an operation
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError:
            continue
        found = os.fstat(descriptor)
        if stat.S_ISREG(found.st_mode) and found.st_uid == os.getuid():
            return descriptor
        os.close(descriptor)
    raise LiveError(f"no place for the lock {name}: {' and '.join(_DIRECTORIES)} do not take it", call="lock")


def _take(descriptor: int, uuid: str, patience: float) -> None:
    until = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                raise LiveError(f"another process holds the lock of domain {uuid}", call="lock") from None
            time.sleep(_PAUSE)
        else:
            return


class Hold:
    """The lock of one domain, taken where it is free: what was read under it may be the base of a write."""

    def __init__(self, lock: Lock, uuid: str) -> None:
        self._lock, self._uuid, self._held = lock, uuid, ExitStack()
        self.is_held = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_how: object) -> None:
        self.release()

    def try_now(self) -> bool:
        """Take the lock unless somebody else has it; tell whether it is held."""
        if not self.is_held:
            with suppress(LiveError):
                self._held.enter_context(self._lock(self._uuid, patience=0.0))
                self.is_held = True
        return self.is_held

    def wait(self) -> None:
        """Take the lock. Raises LiveError."""
        if not self.is_held:
            self._held.enter_context(self._lock(self._uuid))
            self.is_held = True

    def release(self) -> None:
        """Let go of it."""
        self.is_held = False
        self._held.close()
