"""A small QMP client: one question at a time to one QEMU, through any pair of byte streams.

Source: QEMU, docs/interop/qmp-spec.txt.
"""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

import msgspec

from virtxlate.errors import LiveError

MOST_BYTES = 16 << 20
"""Of one line that QEMU may send: what it says about its largest machines is a tenth of it."""
MOST_EVENTS = 10_000
"""Between a question and its answer."""
TIMEOUT_S = 30.0
_QUEUE_TURN_S = 0.02
_GREETING = "greeting"
_BUSY = ": it is no QMP, QEMU hangs, or it serves another client (libvirt holds its own)"


SendDescriptor = Callable[[bytes, int], None]
"""Sends bytes, and with them a copy of an open file."""


class Stream(Protocol):
    """What a socket's ``makefile("rwb")`` gives."""

    def readline(self, size: int, /) -> bytes:
        """Give a line of at most ``size`` bytes; nothing at the end."""

    def write(self, data: bytes, /) -> object:
        """Send, or keep until ``flush``."""

    def flush(self) -> object:
        """Send what was kept."""


class Qmp:
    """A conversation that has begun; calling it asks: ``qmp("query-uuid")``."""

    __slots__ = ("_most_bytes", "_send", "_stream", "heard", "pid")

    def __init__(
        self, stream: Stream, *, most_bytes: int = MOST_BYTES, send: SendDescriptor | None = None
    ) -> None:
        """Greet. Raises LiveError where the other end is no QMP server."""
        self.heard: Callable[[dict[str, Any]], None] | None = None
        """Is told what QEMU says unasked, when it is read: with the next answer."""
        self.pid: int | None = None
        """Of the process at the other end, where the line tells."""
        self._stream = stream
        self._send = send
        self._most_bytes = most_bytes
        if "QMP" not in self._receive(_GREETING):
            raise LiveError("expected QMP's greeting, found something else", call=_GREETING)
        self("qmp_capabilities")

    def __call__(self, command: str, /, **arguments: Any) -> Any:
        """Give what the command returns; what QEMU says unasked meanwhile is passed over.

        Raises LiveError with QEMU's own words where it refuses, hangs up, or does not answer in time.
        """
        question = msgspec.json.encode({"execute": command, "arguments": arguments}) + b"\n"
        try:
            self._stream.write(question)
            self._stream.flush()
        except OSError as exc:
            raise LiveError(exc.strerror or str(exc), call=command) from None
        return self._answer(command)

    def _answer(self, command: str) -> Any:
        for _ in range(MOST_EVENTS):
            answer = self._receive(command)
            if "event" not in answer and ("return" in answer or "error" in answer):
                return returned(answer, command)
            if self.heard is not None and "event" in answer:
                self.heard(answer)
        raise LiveError(f"{MOST_EVENTS} events and no answer", call=command)

    def lend(self, name: str, descriptor: int) -> None:
        """Give QEMU a copy of an open file under a name; what uses it takes it away from there.

        Raises LiveError, also for a conversation that is not through a unix socket.
        """
        if self._send is None:
            raise LiveError("no file can be handed to QEMU on this line", call="getfd")
        question = msgspec.json.encode({"execute": "getfd", "arguments": {"fdname": name}}) + b"\n"
        try:
            self._send(question, descriptor)
        except OSError as exc:
            raise LiveError(exc.strerror or str(exc), call="getfd") from None
        self._answer("getfd")

    def _receive(self, command: str) -> dict[str, Any]:
        try:
            line = self._stream.readline(self._most_bytes + 1)
        except TimeoutError:
            hint = _BUSY if command == _GREETING else ""
            raise LiveError(f"no answer in time{hint}", call=command) from None
        except OSError as exc:
            raise LiveError(exc.strerror or str(exc), call=command) from None
        if len(line) > self._most_bytes:
            raise LiveError(f"an answer of more than {self._most_bytes} bytes", call=command)
        if not line:
            raise LiveError("QEMU has hung up", call=command)
        try:
            return msgspec.json.decode(line, type=dict[str, Any])
        except (msgspec.DecodeError, RecursionError) as exc:
            raise LiveError(f"no QMP: {exc}", call=command) from None


def returned(answer: dict[str, Any], command: str) -> Any:
    """Give what an answer to a command holds. Raises LiveError with QEMU's own words."""
    if "error" in answer:
        error = answer["error"]
        text = error.get("desc") if isinstance(error, dict) else error
        raise LiveError(str(text), call=command)
    return answer["return"]


@contextmanager
def open_qmp(path: Path, timeout_s: float = TIMEOUT_S) -> Iterator[Qmp]:
    """Give a conversation with the QEMU that listens at a unix socket, for the length of a `with`.

    QEMU serves one client of a socket at a time; another one waits, here at most ``timeout_s``.
    Raises LiveError.
    """
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(timeout_s)
        _connect(line, path, timeout_s)
        stream = line.makefile("rwb")
        try:
            qmp = _greeted(stream, line, path)
            qmp.pid = _listener(line)
            yield qmp
        finally:
            with suppress(OSError):  # what was not sent is lost with the line, and was told then
                stream.close()


def _connect(line: socket.socket, path: Path, timeout_s: float) -> None:
    until = time.monotonic() + timeout_s
    while True:
        try:
            return line.connect(str(path))
        except BlockingIOError:  # its queue is full, and Linux lets only a call without a time limit wait
            if time.monotonic() > until:
                raise LiveError(f"no place in its queue in time{_BUSY}", call=f"connect {path}") from None
            time.sleep(_QUEUE_TURN_S)
        except OSError as exc:
            raise LiveError(exc.strerror or str(exc), call=f"connect {path}") from None


def _greeted(stream: Stream, line: socket.socket, path: Path) -> Qmp:
    try:
        return Qmp(stream, send=sender(line))
    except LiveError as exc:
        raise LiveError(str(exc), call=f"connect {path}") from None


def _listener(line: socket.socket) -> int | None:
    """Give the process that listens at a unix socket; None for one that this process cannot see."""
    credentials = line.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    pid: int = struct.unpack("3i", credentials)[0]
    return pid or None


def sender(line: socket.socket) -> SendDescriptor:
    """Give a way to send bytes with a copy of an open file through a unix socket."""

    def send(data: bytes, descriptor: int) -> None:
        socket.send_fds(line, [data], [descriptor])

    return send
