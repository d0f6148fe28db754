"""The tiny guest under Ganeti's own QEMU, counting aloud on its serial line, ready to be taken over.

Every number that it says is heard: before by the socket of Ganeti's QEMU, afterwards by one to which that of
libvirt connects. So a number that is missing was lost, and one that comes twice was said twice.
"""

from __future__ import annotations

import re
import select
import socket
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec
from lxml import etree

from lab.bootable import MEMORY_MIB, bootable
from lab.commands import run
from lab.console import GuestConsole
from lab.ganeti_judge import prepare
from lab.ganeti_qemu import GanetiGuest, ganeti_guest
from lab.twins import VERSION
from virtxlate import Context, Renames, Report, format_domain
from virtxlate.handover.facts import running
from virtxlate.handover.room import with_room
from virtxlate.handover.transfer import Limits
from virtxlate.hardware.inspect import inspect
from virtxlate.live.process import taps_of
from virtxlate.live.qmp import open_qmp
from virtxlate.translate.running.whole import to_domain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from lab.ganeti_judge import Verdict
    from lab.guest import GuestFiles
    from lab.twins import Twins
    from virtxlate.ganeti.model import Instance

_COUNT = (
    "(i=0; while :; do i=$((i+1)); echo tick $i; usleep {us}; done >/dev/ttyS0) </dev/null >/dev/null 2>&1 &"
    " echo $! >/tmp/counter"
)
_TICK = re.compile(r"tick (\d+)\r?\n")
STEADY = Limits(downtime_ms=0)
"""One round while the guest runs, however busy the host: more is refused without KVM."""
_CONNECT_S = 10.0
_MOST_LINES = 128
"""Of QEMUs that have come and gone before anybody looks."""


@dataclass(kw_only=True)
class Counting:
    """A guest that counts."""

    instance: Instance
    qemu: GanetiGuest
    xml: str
    """Of the domain that takes over, made of what QEMU says; its serial line leads here."""
    runtime: str
    """Text of the runtime file that Ganeti writes."""
    line: GuestConsole
    """To the guest under Ganeti's QEMU."""
    socket: socket.socket
    """Where libvirt's QEMU connects."""
    seen: tuple[Any, ...] = ()
    """What it saw of its hardware at first; for a test to keep."""
    after: list[GuestConsole] = field(default_factory=list)
    """The lines to libvirt's QEMUs, in the order in which they came."""

    def connected(self) -> GuestConsole:
        """Give the line to libvirt's QEMU that has connected last. Raises TimeoutError."""
        if not select.select([self.socket], [], [], _CONNECT_S)[0]:
            raise TimeoutError("libvirt's QEMU has not connected its serial line")
        connection, _ = self.socket.accept()
        while select.select([self.socket], [], [], 0)[0]:  # those before it were of attempts that failed
            connection.close()
            connection, _ = self.socket.accept()
        console = GuestConsole(connection.detach())
        self.after.append(console)
        return console

    def count(self, pause_us: int = 20_000) -> None:
        """Let it count aloud."""
        self.line.run(_COUNT.format(us=pause_us))

    def be_silent(self) -> None:
        """Let it count no more, so that its answers are whole again."""
        (self.after or [self.line])[-1].ask("kill $(cat /tmp/counter)")

    def heard(self) -> list[int]:
        """Give all numbers that were said so far, by whichever QEMU."""
        return [int(each) for each in _TICK.findall("".join(c.transcript for c in (self.line, *self.after)))]

    def listen(self, more: int, *, timeout_s: float = 20.0) -> list[int]:
        """Give all numbers once so many more were said. Raises TimeoutError."""
        wanted, until = len(self.heard()) + more, time.monotonic() + timeout_s
        while len(self.heard()) < wanted:
            if time.monotonic() > until:
                raise TimeoutError(f"the guest counts no more: {self.heard()[-3:]}")
            for console in (self.line, *self.after):
                console.overhear(0.05)
        return self.heard()


def judged(twins: Twins, instance: Instance) -> Verdict:
    """Give what Ganeti itself would start. Raises RuntimeError where it refuses."""
    (verdict,) = prepare().run([twins.request(instance)])
    if verdict.error is not None:
        raise RuntimeError(f"Ganeti refuses it: {verdict.error}")
    return verdict


def _is_open(connection: socket.socket) -> bool:
    """Tell whether the other end is still there."""
    connection.setblocking(False)
    try:
        return connection.recv(1, socket.MSG_PEEK) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        connection.setblocking(True)


@contextmanager
def counting(
    twins: Twins,
    files: GuestFiles,
    instance: Instance,
    *,
    memory_mib: int = MEMORY_MIB,
    start: Callable[[Twins, Instance], Any] = judged,
    change: Callable[[GanetiGuest, GuestConsole], None] = lambda _qemu, _line: None,
) -> Iterator[Counting]:
    """Give the instance's guest, booted under Ganeti's QEMU and not counting yet, for a `with`.

    ``change`` is what happens to it while it runs, before anybody thinks of a handover.
    """
    whole = bootable_whole(instance, files, memory_mib)
    verdict = start(twins, whole)
    with ExitStack() as stack:
        server = stack.enter_context(socket.socket(socket.AF_UNIX))
        path = twins.folder / "serial"
        path.unlink(missing_ok=True)
        server.bind(str(path))
        server.listen(_MOST_LINES)
        qemu = stack.enter_context(ganeti_guest(verdict, twins.folder, vnet_hdr=instance.hvparams.vnet_hdr))
        line = stack.enter_context(GuestConsole(qemu.serial))
        let_run(twins, qemu)
        line.wait_ready()
        change(qemu, line)
        guest = Counting(
            instance=whole,
            qemu=qemu,
            xml=with_serial_at(successor(twins, qemu, verdict.runtime), path),
            runtime=verdict.runtime or "",
            line=line,
            socket=server,
        )
        try:
            yield guest
        finally:
            for console in guest.after:
                console.close()


def bootable_whole(instance: Instance, files: GuestFiles, memory_mib: int = MEMORY_MIB) -> Instance:
    """Give the instance as it boots the tiny guest, with as many CPUs as it has."""
    memory = {"maxmem": memory_mib, "minmem": memory_mib}
    beparams = msgspec.structs.replace(instance.beparams, **memory)
    return msgspec.structs.replace(bootable(instance, files), beparams=beparams)


def let_run(twins: Twins, qemu: GanetiGuest) -> None:
    """Let a guest begin, its taps in the bridge."""
    for tap in qemu.taps:
        run("ip", "link", "set", tap, "master", twins.bridge, "up")
    with open_qmp(qemu.qmp) as ask:
        ask("cont")


def successor(twins: Twins, qemu: GanetiGuest, runtime: str | None) -> str:
    """Give the domain that takes over from a QEMU, made of what QEMU says and, if there, its runtime file."""
    with open_qmp(qemu.qmp) as ask:
        facts = inspect(ask)
    taps = taps_of(qemu.process.pid, facts.nets)
    found = running(facts, taps=taps, runtime=runtime.encode() if runtime else None, version=VERSION)
    context = Context(domain_type="qemu", renames=Renames({"bridges": {"br0": twins.bridge}}))
    return format_domain(with_room(to_domain(found, context, Report()), Report()))


def with_serial_at(xml: str, path: Path) -> str:
    """Give a domain whose QEMU connects its serial line to a unix socket."""
    domain = etree.fromstring(xml.encode())
    devices = domain.find("devices")
    if devices is None:
        raise ValueError("no devices")
    for console in devices.findall("console"):
        devices.remove(console)
    for serial in devices.findall("serial"):
        serial.set("type", "unix")
        for source in serial.findall("source"):
            serial.remove(source)
        etree.SubElement(serial, "source", mode="connect", path=str(path))
    return etree.tostring(domain, encoding="unicode")
