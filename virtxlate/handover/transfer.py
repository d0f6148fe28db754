"""The guest's state on its way from one QEMU into another: through a FIFO while it runs, or through a file.

The old QEMU writes into a file that it is lent, so it needs neither a shell nor the right to open anything.
"""

from __future__ import annotations

import errno
import fcntl
import os
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Literal

import msgspec

from virtxlate.errors import LiveError, OperationRefusedError
from virtxlate.handover.image import image_header
from virtxlate.handover.source import MOVING, Old

Method = Literal["live", "stop"]

FIFO = "state.fifo"
IMAGE = "state.image"
_LENT = "virtxlate-handover"
_PIPE_BYTES = 1 << 20
_TURN_S = 0.005
"""Between two looks whether libvirt has opened the FIFO: nobody tells."""
_REPORT_S = 0.1
_COMPLETION_S = 30.0
"""For what takes milliseconds, while the guest stands still."""
_OTHER_WAYS = frozenset(
    {
        "background-snapshot",
        "dirty-bitmaps",
        "multifd",
        "pause-before-switchover",
        "postcopy-ram",
        "rdma-pin-all",
        "release-ram",
        "return-path",
        "x-colo",
        "xbzrle",
        "zero-copy-send",
    }
)
"""Capabilities that the other end must have too, or that stop on the way; Ganeti leaves some of them on."""
_LAST_WORDS_S = 3.0
"""For libvirt to say why it has not taken the state. A QEMU whose writer has gone before the first byte
waits for ever (measured on 7.2: it looks for bytes, and the end of a pipe is none).
"""
_ONE_ROUND = 3
"""Times that QEMU has asked what was written: at the start, when the rest seemed to fit, and at the end, when
the guest stands still. Each time it forgets what it is told, but the emulator's TLB does not: what the guest
writes to a page that a second round has sent may be told to nobody. Measured on 7.2; source: QEMU 9.0, commit
03bfc2188f (physmem: Fix migration dirty bitmap coherency with TCG memory access).
"""
_UNLIMITED = 1 << 40
"""Bytes a second: what is sent stays on this host."""


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far the memory has come; in bytes."""

    total: int = 0
    left: int = 0


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How the state is sent."""

    method: Method = "live"
    downtime_ms: int = 30
    """What a guest that is sent while it runs may stand still for, by QEMU's own estimate; 0: QEMU before 8.0
    sends all once, and what was written meanwhile when it stands still, however long that takes.
    """
    bandwidth: int | None = None
    """Bytes a second; None: as fast as it goes."""
    patience_s: float = 600.0
    """For a guest that writes faster than its memory is sent; then it goes on where it was."""


class Manner(msgspec.Struct, frozen=True, kw_only=True):
    """How a QEMU sends, where it is to be changed for a while."""

    downtime_limit: int
    """Milliseconds."""
    max_bandwidth: int
    """Bytes a second."""
    capabilities: tuple[str, ...] = ()
    """Those that are on, and must be off."""


Heard = Callable[[Progress], None]


class Receiver:
    """libvirt's call that loads the state, in a thread of its own."""

    def __init__(self, restore: Callable[[str], None], path: Path) -> None:
        self._restore, self._path = restore, path
        self._done = threading.Event()
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="handover restore", daemon=True)

    def start(self) -> None:
        """Call libvirt."""
        self._thread.start()

    def _run(self) -> None:
        try:
            self._restore(str(self._path))
        except Exception as exc:  # noqa: BLE001 - raised again where it is waited for
            self._error = exc
        finally:
            self._done.set()

    def wait(self, seconds: float) -> bool:
        """Tell whether libvirt has answered, at most that many seconds later."""
        return self._done.wait(seconds)

    def check(self) -> None:
        """Raise what libvirt answered, if it was an error."""
        if self._error is not None:
            raise self._error


class Sending(msgspec.Struct, frozen=True, kw_only=True):
    """What is sent, whence and whither."""

    source: Old
    restore: Callable[[str], None]
    """Lets libvirt load what is at a path, and returns when it is loaded."""
    xml: str
    folder: Path
    """A private directory."""
    limits: Limits
    heard: Heard
    moment: Callable[[str], None]
    """Is told how far it is."""


def send(it: Sending) -> None:
    """Send the guest into libvirt's QEMU, where it stands still then; it stands still in the old one too.

    Raises LiveError; the caller finds out where the guest is.
    """
    if it.limits.method == "live":
        _send_live(it)
    else:
        _send_stopped(it)


def _send_live(it: Sending) -> None:
    fifo = it.folder / FIFO
    os.mkfifo(fifo, 0o600)
    receiver = Receiver(it.restore, fifo)
    receiver.start()
    descriptor = _opened(fifo, receiver, it.limits.patience_s)
    try:
        _write_all(descriptor, image_header(it.xml))
        it.source.lend(_LENT, descriptor)
    except OSError as exc:
        receiver.wait(_COMPLETION_S)
        receiver.check()
        raise LiveError(exc.strerror or str(exc), call="restore") from None
    finally:
        os.close(descriptor)
    it.moment("lent")
    _migrate(it.source)
    it.moment("sending")
    _wait(it, receiver.wait)
    ended = it.source("query-migrate").get("status")
    if ended != "completed" and ended not in MOVING:
        receiver.wait(_LAST_WORDS_S)
        receiver.check()
        raise LiveError(f"the old QEMU says {ended!r}", call="query-migrate")
    if not receiver.wait(_COMPLETION_S):
        raise LiveError("libvirt does not say that it has loaded the guest", call="restore")
    receiver.check()
    _completed(it.source)


def _send_stopped(it: Sending) -> None:
    image = it.folder / IMAGE
    it.source("stop")
    it.moment("stopped")
    with os.fdopen(os.open(image, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb", buffering=0) as file:
        _write_all(file.fileno(), image_header(it.xml))
        it.source.lend(_LENT, file.fileno())
    it.moment("lent")
    _migrate(it.source)
    it.moment("sending")
    turn = threading.Event()
    _wait(it, lambda seconds: not it.source.is_moving() or turn.wait(seconds))
    _completed(it.source)
    it.moment("saved")
    receiver = Receiver(it.restore, image)
    receiver.start()
    while not receiver.wait(_REPORT_S):
        pass  # it may take long, and an interruption is heard meanwhile
    receiver.check()


def _write_all(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


def _migrate(source: Old) -> None:
    """Begin to send into the lent file. Raises LiveError; the file is closed then."""
    try:
        source("migrate", uri=f"fd:{_LENT}")
    except BaseException:
        give_back(source)
        raise


def give_back(source: Old) -> None:
    """Let the old QEMU close the lent file, if it has not taken it away yet: who reads it waits for that."""
    with suppress(LiveError):
        source("closefd", fdname=_LENT)


def _opened(fifo: Path, receiver: Receiver, patience_s: float) -> int:
    """Give the FIFO's end for writing once libvirt has opened the other. Raises what libvirt answered."""
    until = time.monotonic() + patience_s
    while True:
        try:
            descriptor = os.open(fifo, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as exc:
            if exc.errno != errno.ENXIO:
                raise
        else:
            os.set_blocking(descriptor, True)
            with suppress(OSError):  # a host may forbid large pipes
                fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
            return descriptor
        if receiver.wait(_TURN_S):
            receiver.check()
            raise LiveError("libvirt has returned without having read the state", call="restore")
        if time.monotonic() > until:
            raise LiveError(f"libvirt has not opened the FIFO after {patience_s:g} s", call="restore")


def _wait(it: Sending, arrived: Callable[[float], bool]) -> None:
    """Return when the state has arrived, or is not on its way any more; tell how far it is meanwhile."""
    until = time.monotonic() + it.limits.patience_s
    while not arrived(_REPORT_S):
        said = it.source("query-migrate")
        ram = said.get("ram", {})
        it.heard(Progress(total=ram.get("total", 0), left=ram.get("remaining", 0)))
        if said.get("status") not in MOVING:
            return
        if time.monotonic() > until:
            raise OperationRefusedError(
                f"the guest changes memory faster than it is sent: not done after {it.limits.patience_s:g} s "
                "(give --downtime-limit or --timeout more, or --method stop)",
                call="migrate",
            )


def _completed(source: Old) -> None:
    """Return when the old QEMU has ended its part, and cannot run on by itself any more. Raises LiveError."""
    turn = threading.Event()
    until = time.monotonic() + _COMPLETION_S
    while (status := source("query-migrate").get("status")) in MOVING:
        if time.monotonic() > until:
            raise LiveError(f"the old QEMU still says {status!r}", call="query-migrate")
        turn.wait(0.001)
    if status != "completed":
        raise LiveError(f"the old QEMU says {status!r}", call="query-migrate")


def expect_whole(source: Old) -> None:
    """Raise OperationRefusedError where QEMU's emulator may have sent less than the guest has written."""
    times = source("query-migrate").get("ram", {}).get("dirty-sync-count", 0)
    if times > _ONE_ROUND and not source("query-kvm")["enabled"]:
        raise OperationRefusedError(
            f"memory was sent in {times - _ONE_ROUND + 1} rounds while the guest ran: without KVM, QEMU may "
            "miss what it writes from the second on (give --downtime-limit 0, or --method stop)",
            call="migrate",
        )


def manner_of(source: Old) -> Manner:
    """Give how it would send now. Raises LiveError."""
    able = [each["capability"] for each in source("query-migrate-capabilities") if each["state"]]
    parameters = source("query-migrate-parameters")
    return Manner(
        downtime_limit=parameters["downtime-limit"],
        max_bandwidth=parameters["max-bandwidth"],
        capabilities=tuple(name for name in able if name in _OTHER_WAYS),
    )


def set_manner(source: Old, limits: Limits, before: Manner) -> None:
    """Let it send as is wanted. Raises LiveError."""
    _switch(source, before.capabilities, on=False)
    _set(source, limits.downtime_ms, limits.bandwidth or _UNLIMITED)


def put_manner_back(source: Old, before: Manner) -> None:
    """Let it send as before; while something is on its way QEMU refuses. Raises LiveError."""
    _set(source, before.downtime_limit, before.max_bandwidth)
    _switch(source, before.capabilities, on=True)


def _set(source: Old, downtime_ms: int, bandwidth: int) -> None:
    source("migrate-set-parameters", **{"downtime-limit": downtime_ms, "max-bandwidth": bandwidth})


def _switch(source: Old, capabilities: Iterable[str], *, on: bool) -> None:
    rows = [{"capability": each, "state": on} for each in capabilities]
    if rows:
        source("migrate-set-capabilities", capabilities=rows)
