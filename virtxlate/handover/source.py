"""The QEMU that Ganeti started: a process, and a conversation with it."""

from __future__ import annotations

import errno
import os
import socket
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, suppress
from pathlib import Path
from typing import Any, Protocol, Self

import msgspec

from virtxlate.errors import LiveError
from virtxlate.handover.states import Source

MOVING = frozenset({"setup", "active", "device", "pre-switchover", "cancelling", "wait-unplug"})
"""What query-migrate says of a state that is still on its way."""
_PROC = Path("/proc")
_BOOT = "sys/kernel/random/boot_id"
_DYING_S, _TURN_S = 1.0, 0.01
_SENDING = "finish-migrate"
"""The guest stands still and its last is sent: QEMU itself ends this, and may let it run again."""
_ENDED = frozenset({"Z", "X"})
_NOBODY = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ECONNREFUSED})
"""What a connection to a socket meets at which nobody listens."""
_STATE, _STARTED = 0, 19
"""Fields of /proc/PID/stat behind the name, from its third on: one letter, and clock ticks since the boot."""


class Conversation(Protocol):
    """With one QEMU through a unix socket; live.qmp.Qmp is one."""

    heard: Callable[[dict[str, Any]], None] | None
    pid: int | None

    def __call__(self, command: str, /, **arguments: Any) -> Any:
        """Give what the command returns. Raises LiveError."""

    def lend(self, name: str, descriptor: int) -> None:
        """Give QEMU a copy of an open file under a name. Raises LiveError."""


Open = Callable[[Path], AbstractContextManager[Conversation]]


class Process(msgspec.Struct, frozen=True):
    """A process, told from a later one with the same number."""

    pid: int
    started: int
    boot: str = ""
    """Of the host, whose clock begins anew with each."""


Look = Callable[[int], Process | None]


def process(pid: int) -> Process | None:
    """Give the process of that number; None where it has ended, even if it waits to be reaped.

    Raises LiveError where this cannot be told: a process that is not seen is not one that has ended.
    """
    try:
        boot = (_PROC / _BOOT).read_text(encoding="ascii").strip()
        text = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError as exc:
        if isinstance(exc, FileNotFoundError | ProcessLookupError) and (_PROC / _BOOT).exists():
            return None
        raise LiveError(f"cannot be looked at: {exc.strerror or exc}", call=f"process {pid}") from None
    fields = text.rpartition(")")[2].split()
    if fields[_STATE] in _ENDED and _threads(pid) <= 1:
        return None
    return Process(pid, int(fields[_STARTED]), boot)


def _threads(pid: int) -> int:
    """Give how many threads a process has: its first one may have ended before the others."""
    try:
        return len(os.listdir(_PROC / str(pid) / "task"))  # noqa: PTH208 - a count, no objects
    except (FileNotFoundError, ProcessLookupError):
        return 0
    except OSError as exc:
        raise LiveError(f"cannot be looked at: {exc.strerror or exc}", call=f"process {pid}") from None


class Old:
    """The old QEMU; a context manager that hangs up at the end."""

    def __init__(
        self, path: Path, opened: Open, known: Process | None = None, *, look: Look = process
    ) -> None:
        self.path, self.process, self._look = path, known, look
        self.stopped_at: float | None = None
        """When its guest stood still for the last time, in seconds since the epoch, by its own clock."""
        self.trouble = ""
        """Why it was not heard, the last time."""
        self._opened, self._stack = opened, ExitStack()
        self._line: Conversation | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.hang_up()

    def hang_up(self) -> None:
        """End the conversation; the next question begins another."""
        self._line = None
        self._stack.close()

    def __call__(self, command: str, /, **arguments: Any) -> Any:
        """Give what a command returns. Raises LiveError."""
        return self._conversation()(command, **arguments)

    def lend(self, name: str, descriptor: int) -> None:
        """Give it a copy of an open file under a name. Raises LiveError."""
        self._conversation().lend(name, descriptor)

    def _conversation(self) -> Conversation:
        if self._line is None:
            line = self._stack.enter_context(self._opened(self.path))
            found = None if line.pid is None else self._look(line.pid)
            if found is None or (self.process is not None and found != self.process):
                self._stack.close()
                whose = "nobody can tell whose process" if found is None else "another QEMU"
                raise LiveError(f"{whose} listens there", call=f"connect {self.path}")
            self._line, self.process, line.heard = line, found, self._heard
        return self._line

    def _heard(self, event: dict[str, Any]) -> None:
        if event.get("event") == "STOP":
            at = event.get("timestamp", {})
            self.stopped_at = at.get("seconds", 0) + at.get("microseconds", 0) / 1e6

    def is_gone(self) -> bool:
        """Tell whether the process has ended. Raises LiveError where this cannot be told."""
        return self.process is not None and self._look(self.process.pid) != self.process

    def state(self) -> Source:
        """Give what it does."""
        for _ in range(2):
            try:
                return self._left() if self.is_gone() else self._state()
            except LiveError as exc:
                self.trouble = str(exc)
                self.hang_up()
        try:
            return self._left() if self._goes() else Source.UNKNOWN
        except LiveError as exc:
            self.trouble = str(exc)
            return Source.UNKNOWN

    def _left(self) -> Source:
        """Give what is where its process was. Raises LiveError where this cannot be told."""
        return Source.REPLACED if _is_listened_to(self.path) else Source.GONE

    def _goes(self) -> bool:
        """Tell whether the process has ended, or does so now: one that is killed takes a moment."""
        until, turn = time.monotonic() + _DYING_S, threading.Event()
        with suppress(LiveError):
            while not self.is_gone():
                if time.monotonic() > until:
                    return False
                turn.wait(_TURN_S)
            return True
        return False

    def _state(self) -> Source:
        if self.is_moving():
            return Source.MOVING
        said = self("query-status")
        if said["running"]:
            return Source.RUNS
        return Source.MOVING if said["status"] == _SENDING else Source.STOPPED

    def is_moving(self) -> bool:
        """Tell whether its state is on its way. Raises LiveError."""
        return self("query-migrate").get("status") in MOVING


def _is_listened_to(path: Path) -> bool:
    """Tell whether somebody listens at a unix socket, even if others wait there already.

    Raises LiveError where this cannot be told.
    """
    try:
        with socket.socket(socket.AF_UNIX) as line:
            line.setblocking(False)
            line.connect(str(path))
    except BlockingIOError:
        return True
    except OSError as exc:
        if exc.errno in _NOBODY:
            return False
        message = f"whether somebody listens there cannot be told: {exc.strerror or exc}"
        raise LiveError(message, call=f"connect {path}") from None
    return True
