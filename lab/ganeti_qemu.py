"""The QEMU that Ganeti itself would start, for real: its whole command line, paused, with QMP to ask it.

Only what belongs to a node and not to a guest is changed: the directory of sockets, KVM (there is none), the
background, pid and log files. Taps are real, and made here in Ganeti's stead.
"""

from __future__ import annotations

import fcntl
import os
import re
import socket
import struct
import subprocess
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from virtxlate.errors import LiveError
from virtxlate.live.qmp import Qmp, sender

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lab.ganeti_judge import Verdict

QEMU = "/usr/bin/qemu-system-x86_64"
STATE = "/var/run/ganeti"
"""Where Ganeti keeps a running instance's sockets."""
ANSWER_S = 60.0
"""For QEMU to start, or to answer, on a busy machine."""

_LEFT_OUT = {"-daemonize": 0, "-pidfile": 1, "-D": 1, "-runas": 1, "-chroot": 1, "-qmp": 1}
"""Options of the node, and how many words follow: QEMU stays a child of this process, and ours to ask."""
_SOUND = {
    "hda": ("-device", "intel-hda", "-device", "hda-duplex"),
    "ac97": ("-device", "AC97"),
    "es1370": ("-device", "ES1370"),
    "sb16": ("-device", "sb16"),
}
"""What -soundhw stood for until QEMU 7.0: these devices, before those of any other -device."""
_ACCELERATOR = ",accel=kvm"
_TAP = re.compile(r"(type=tap,id=[^,]*),fds?=([0-9:]+)(?:,vhostfds?=[0-9:]+,vhost=on)?(.*)")
_TUNSETIFF = 0x400454CA
_IFF_TAP, _IFF_NO_PI, _IFF_MULTI_QUEUE, _IFF_VNET_HDR = 0x0002, 0x1000, 0x0100, 0x4000
"""Source: Linux, include/uapi/linux/if_tun.h."""


class QemuRefusedError(RuntimeError):
    """QEMU did not start with Ganeti's command line; the message is its stderr."""


@contextmanager
def ganeti_qemu(command: tuple[str, ...], folder: Path, *, vnet_hdr: bool = True) -> Iterator[Qmp]:
    """Give QMP of the paused QEMU that Ganeti would start by a command, for the length of a `with`.

    ``folder`` takes its sockets; its path must be short. Without vhost, which needs a kernel module.
    Raises QemuRefusedError.
    """
    (folder / "kvm-hypervisor" / "ctrl").mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        ours, theirs = socket.socketpair()
        stack.enter_context(ours)
        stack.enter_context(theirs)
        ours.settimeout(ANSWER_S)
        taps = _Taps(stack, vnet_hdr=vnet_hdr)
        words = [taps.instead_of(word.replace(STATE, str(folder))) for word in _of_the_guest(command)]
        words += ["-chardev", f"socket,id=lab,fd={theirs.fileno()}", "-mon", "chardev=lab,mode=control"]
        process = stack.enter_context(_running([QEMU, *words], [theirs.fileno(), *taps.fds]))
        theirs.close()
        stream = stack.enter_context(ours.makefile("rwb"))
        try:
            qmp = Qmp(stream, send=sender(ours))
        except LiveError as exc:
            raise QemuRefusedError(f"{exc}: {_last_words(process)}") from None
        yield qmp


@contextmanager
def ganeti_guest(verdict: Verdict, folder: Path, *, vnet_hdr: bool = True) -> Iterator[GanetiGuest]:
    """Give the QEMU of an instance as it stands on a node, its own QMP socket in place, for a `with`.

    Its guest does not run before it is told to. ``folder`` is as for `ganeti_qemu`.
    """
    sockets = folder / "kvm-hypervisor" / "ctrl"
    sockets.mkdir(parents=True, exist_ok=True)
    for left in sockets.iterdir():
        left.unlink()
    with ExitStack() as stack:
        taps = _Taps(stack, vnet_hdr=vnet_hdr)
        here = (
            word.replace(STATE, str(folder)) for word in _of_the_guest(verdict.cmd, keep=frozenset({"-qmp"}))
        )
        words = [taps.instead_of(word) for word in here]
        process = stack.enter_context(_running([QEMU, *words], taps.fds))
        taps.close()
        guest = GanetiGuest(
            process=process,
            qmp=sockets / f"{verdict.name}.qmp",
            serial=sockets / f"{verdict.name}.serial",
            taps=tuple(taps.names),
        )
        guest.await_sockets(*(each for each in (guest.qmp, guest.serial) if str(each) in " ".join(words)))
        yield guest


@dataclass(frozen=True, kw_only=True)
class GanetiGuest:
    """A QEMU that Ganeti would have started."""

    process: subprocess.Popen[str]
    qmp: Path
    serial: Path
    taps: tuple[str, ...]

    def await_sockets(self, *paths: Path) -> None:
        """Return once QEMU listens at them. Raises QemuRefusedError."""
        while not all(map(_is_listened_to, paths)):
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(0.02)
                raise QemuRefusedError(_last_words(self.process))


def _is_listened_to(path: Path) -> bool:
    """Tell whether a unix socket is more than a name: QEMU gives it that a moment before it listens."""
    with socket.socket(socket.AF_UNIX) as line:
        try:
            line.connect(str(path))
        except (FileNotFoundError, ConnectionRefusedError):
            return False
    return True


def _last_words(process: subprocess.Popen[str]) -> str:
    return process.stderr.read().strip() if process.stderr else ""


def _of_the_guest(command: tuple[str, ...], keep: frozenset[str] = frozenset()) -> Iterator[str]:
    """Give the words behind the program, less what belongs to the node."""
    words = iter(command[1:])
    for word in words:
        if word in _LEFT_OUT and word not in keep:
            for _ in range(_LEFT_OUT[word]):
                next(words)
        elif word == "-soundhw":
            yield from _SOUND[next(words)]
        else:
            yield word.removesuffix(_ACCELERATOR)


@contextmanager
def _running(words: list[str], fds: list[int]) -> Iterator[subprocess.Popen[str]]:
    """Give a QEMU without sound card or terminal; it is killed at the end."""
    surroundings = {**os.environ, "QEMU_AUDIO_DRV": "none"}
    with subprocess.Popen(
        words, pass_fds=fds, env=surroundings, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


class _Taps:
    """Taps as Ganeti opens them: a descriptor a queue, gone with the last one."""

    def __init__(self, stack: ExitStack, *, vnet_hdr: bool) -> None:
        self.fds: list[int] = []
        self.names: list[str] = []
        self._own = stack.enter_context(ExitStack())
        self._header = _IFF_VNET_HDR if vnet_hdr else 0

    def instead_of(self, word: str) -> str:
        """Give a word of the command line with descriptors of this process, where it names some."""
        match = _TAP.fullmatch(word)
        if match is None:
            return word
        fds = self._open(match[2].count(":") + 1)
        self.fds += fds
        name = "fd" if len(fds) == 1 else "fds"
        return f"{match[1]},{name}={':'.join(map(str, fds))}{match[3]}"

    def _open(self, queues: int) -> list[int]:
        flags = _IFF_TAP | _IFF_NO_PI | self._header | (_IFF_MULTI_QUEUE if queues > 1 else 0)
        name, fds = b"vxg%d", []
        for _ in range(queues):
            fd = os.open("/dev/net/tun", os.O_RDWR | os.O_CLOEXEC)
            self._own.callback(os.close, fd)
            answer = fcntl.ioctl(fd, _TUNSETIFF, struct.pack("16sH22x", name, flags))
            name = answer[:16].rstrip(b"\0")
            fds.append(fd)
        self.names.append(name.decode())
        return fds

    def close(self) -> None:
        """Let go of what a child has inherited: the taps go with it then."""
        self._own.close()
