"""A line to the tiny guest: commands go over its serial port, answers come back framed.

This file knows bytes, the frame and the clock. It does not know libvirt: live XML has the port's path.
"""

from __future__ import annotations

import base64
import os
import re
import secrets
import select
import socket
import stat
import time
import tty
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self, TypeVar

from lxml import etree

from lab.guest_view import DISKS, NICS, PCI_DEVICES, GuestDisk, GuestNic, GuestPciDevice, parse_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

T = TypeVar("T")

READY = re.compile(rb"lab-guest-ready \S+\r?\n")
PANIC = re.compile(rb"Kernel panic[^\r\n]*")
LONGEST_COMMAND = 2500
"""Bytes. In base64 it stays below the 4096 that the guest's terminal holds for a reader still to come."""

_LAST_WORDS = 4000
"""Characters; a panic takes as many."""

BOOT_S = 150.0
"""A boot takes a few seconds. Linux gives a SCSI command that was lost 30 s before it resets the adapter."""

NUDGE_S = 1.0
"""QEMU looks once a second whether somebody has opened a pty; what was sent before is answered only then."""


class GuestSilentError(TimeoutError):
    """The guest did not answer in time; the message ends with the last that it said."""


class GuestGoneError(EOFError):
    """The serial port has closed, or the kernel has panicked."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a command printed on both of its streams, and its exit status."""

    output: str
    status: int


def console_path(xml: str) -> Path:
    """Give the path of serial port 0 from live domain XML: a pty's, or a unix socket's.

    Raises ValueError where the first serial has no path (a domain that is not running, or another type).
    """
    path = etree.fromstring(xml.encode()).xpath("string(/domain/devices/serial[1]/source/@path)")
    if not path:
        raise ValueError("/domain/devices/serial/source/@path: expected a path; is the domain running?")
    return Path(str(path))


class GuestConsole:
    """A running guest's shell, by the pty or unix socket of its serial port; a context manager.

    An open file descriptor will do in place of a path.
    """

    def __init__(self, path: Path | int) -> None:
        self._port = path if isinstance(path, int) else _open_port(path)
        self._said = bytearray()
        self._searched = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let the port go; the guest runs on."""
        os.close(self._port)

    @property
    def transcript(self) -> str:
        """Give all that the guest has said so far, boot messages too."""
        return self._said.decode(errors="replace")

    def wait_ready(self, timeout_s: float = BOOT_S) -> None:
        """Return once the shell answers: after the ready word, or at a nudge when that is long past.

        Raises GuestSilentError, or GuestGoneError when the kernel panicked.
        """
        deadline = time.monotonic() + timeout_s
        nonce = _nonce()
        ready = re.compile(READY.pattern + rb"|" + _frame(nonce).pattern, re.DOTALL)
        while True:
            self._ask(nonce, "true")
            try:
                self._read_until(ready, min(deadline, time.monotonic() + NUDGE_S))
                break
            except GuestSilentError:
                if time.monotonic() >= deadline:
                    raise
        self.run("true", timeout_s=max(deadline - time.monotonic(), NUDGE_S))

    def reboot(self, timeout_s: float = BOOT_S) -> None:
        """Let the guest reset itself, and return once the shell of the next boot answers."""
        deadline = time.monotonic() + timeout_s
        self._ask(_nonce(), "reboot -f")
        self._read_until(READY, deadline)
        self.run("true", timeout_s=max(deadline - time.monotonic(), NUDGE_S))

    def ask(self, command: str, *, timeout_s: float = 30.0) -> Answer:
        """Give output and exit status of a shell script that the guest runs (busybox sh, no input).

        Raises ValueError for a script over 2500 bytes, GuestSilentError, GuestGoneError.
        """
        nonce = _nonce()
        self._ask(nonce, command)
        found = self._read_until(_frame(nonce), time.monotonic() + timeout_s)
        return Answer(output=found[1].decode(errors="replace"), status=int(found[2]))

    def run(self, command: str, *, timeout_s: float = 30.0) -> str:
        """Give the output of a script that must succeed; RuntimeError has the output of one that did not."""
        answer = self.ask(command, timeout_s=timeout_s)
        if answer.status:
            raise RuntimeError(f"guest: {command!r}: exit {answer.status}: {answer.output.strip()}")
        return answer.output

    def overhear(self, seconds: float) -> bool:
        """Take in what the guest says unasked, for at most so long; False where the port has closed."""
        if select.select([self._port], [], [], seconds)[0]:
            try:
                self._said += _read_some(self._port)
            except GuestGoneError:
                return False
        return True

    def disks(self) -> tuple[GuestDisk, ...]:
        """Give the block devices that are hardware, by name."""
        return parse_lines(self.run(DISKS), GuestDisk.parse)

    def nics(self) -> tuple[GuestNic, ...]:
        """Give the network interfaces that are hardware, by name."""
        return parse_lines(self.run(NICS), GuestNic.parse)

    def pci_devices(self) -> tuple[GuestPciDevice, ...]:
        """Give all PCI functions, by slot."""
        return parse_lines(self.run(PCI_DEVICES), GuestPciDevice.parse)

    def rescan_scsi(self) -> None:
        """Make the guest look for new disks on its SCSI adapters; returns when it has looked.

        QEMU's lsilogic and am53c974 tell nobody of a disk that is plugged in; virtio-scsi, pvscsi and megasas
        do. Of a disk that is gone only virtio-scsi and pvscsi tell; behind the others it stays listed.
        """
        self.run('for host in /sys/class/scsi_host/*; do echo "- - -" >"$host/scan"; done')

    def wait_for(
        self, question: Callable[[], T], wanted: Callable[[T], bool], *, timeout_s: float = 10.0
    ) -> T:
        """Give the first answer that is wanted: a device shows once the guest has handled its hot-plug event.

        `console.wait_for(console.disks, lambda disks: len(disks) == 2)`; GuestSilentError has the last.
        """
        deadline = time.monotonic() + timeout_s
        while not wanted(answer := question()):
            if time.monotonic() >= deadline:
                raise GuestSilentError(f"guest: not as wanted after {timeout_s} s: {answer!r}")
            self.run(
                "sleep 0.05"
            )  # the guest's own pause; nothing outside tells when it has handled an event
        return answer

    def _ask(self, nonce: str, command: str) -> None:
        if len(command.encode()) > LONGEST_COMMAND:
            raise ValueError(f"guest command: expected at most {LONGEST_COMMAND} bytes, found {len(command)}")
        code = base64.b64encode(command.encode()).decode()
        # The line before ends here: what is left of a line cut by the boot must not join with this one.
        _write_all(self._port, f"\nanswer {nonce} {code}\n".encode())

    def _read_until(self, wanted: re.Pattern[bytes], deadline: float) -> re.Match[bytes]:
        """Give the first match in what was said since the last one that was found."""
        while not (found := wanted.search(self._said, self._searched)):
            if panic := PANIC.search(self._said, self._searched):
                last = self.transcript[-_LAST_WORDS:]
                raise GuestGoneError(f"guest: {panic[0].decode(errors='replace')}: {last!r}")
            if not select.select([self._port], [], [], max(0.0, deadline - time.monotonic()))[0]:
                raise GuestSilentError(
                    f"guest: expected {wanted.pattern!r}, heard last: {self.transcript[-600:]!r}"
                )
            self._said += _read_some(self._port)
        self._searched = found.end()
        return found


def _nonce() -> str:
    return secrets.token_hex(4)


def _frame(nonce: str) -> re.Pattern[bytes]:
    word = nonce.encode()
    return re.compile(rb"<<" + word + rb"\|(.*?)\|" + word + rb":(\d+)>>", re.DOTALL)


def _open_port(path: Path) -> int:
    """Give a file descriptor of a pty (made raw) or of a connected unix socket."""
    if stat.S_ISSOCK(path.stat().st_mode):
        line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            line.connect(str(path))
            return line.detach()
        finally:
            line.close()
    port = os.open(path, os.O_RDWR | os.O_NOCTTY)
    tty.setraw(port)
    return port


@contextmanager
def _line_held() -> Iterator[None]:
    """Turn a broken line into GuestGoneError: EIO of a pty, EPIPE or ECONNRESET of a socket."""
    try:
        yield
    except OSError as broken:
        raise GuestGoneError(f"guest: serial port closed: {broken.strerror}") from broken


def _write_all(port: int, content: bytes) -> None:
    with _line_held():
        while content:
            content = content[os.write(port, content) :]


def _read_some(port: int) -> bytes:
    """Give what is there; GuestGoneError at the end of the line."""
    with _line_held():
        content = os.read(port, 65536)
    if not content:
        raise GuestGoneError("guest: serial port closed")
    return content
