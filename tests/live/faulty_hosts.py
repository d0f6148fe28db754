"""What can be wrong with a host, made so for the length of a ``with``, and domains that it cannot start."""

from __future__ import annotations

import os
import re
import signal
import socket
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import libvirt
import pytest
from msgspec import structs

from lab.commands import run
from lab.counting import STEADY
from lab.twins import NAME
from tests.live.wrong_domains import Wrong
from virtxlate.errors import LiveError
from virtxlate.handover.transfer import Limits
from virtxlate.hotplug.lock import domain_lock
from virtxlate.live.connection import LibvirtHost
from virtxlate.live.qmp import open_qmp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from lab.counting import Counting
    from lab.twins import Twins

OTHER_UUID = "11111111-2222-4333-8444-555555555556"


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """Another way to call the engine than the usual one."""

    xml: str
    uuid: str
    qmp: Path
    state: Path
    host: LibvirtHost
    tools: dict[str, Any]
    opened: Any = open_qmp


def usual(twins: Twins, guest: Counting, **fields: Any) -> Attempt:
    """An attempt that would succeed, but for the fields."""
    plain = {
        "xml": guest.xml,
        "uuid": guest.instance.uuid,
        "qmp": guest.qemu.qmp,
        "state": twins.folder / "state",
        "host": LibvirtHost(twins.host.connection),
        "tools": {},
    }
    return Attempt(**{**plain, **fields})


@contextmanager
def port_taken(kind: str, twins: Twins, guest: Counting) -> Iterator[Attempt]:
    with socket.socket() as line:
        line.bind(("127.0.0.1", 0))
        line.listen()
        port = line.getsockname()[1]
        graphics = f'<graphics type="{kind}" port="{port}" autoport="no" listen="127.0.0.1"/>'
        xml = re.sub("<graphics.*?</graphics>", graphics, guest.xml, count=1, flags=re.DOTALL)
        yield usual(twins, guest, xml=xml)


@contextmanager
def tap_of_the_old_qemu(twins: Twins, guest: Counting) -> Iterator[Attempt]:
    target = f'<interface type="ethernet"><target dev="{guest.qemu.taps[0]}" managed="no"/>'
    yield usual(
        twins,
        guest,
        xml=re.sub(
            '<interface type="bridge">(.*?)<source [^>]*/>', rf"{target}\1", guest.xml, flags=re.DOTALL
        ),
    )


@contextmanager
def disk_on_a_file_system_for_reading(twins: Twins, guest: Counting) -> Iterator[Attempt]:
    with TemporaryDirectory(dir=twins.folder) as place:
        run("mount", "--bind", str(twins.folder / NAME), place)
        try:
            run("mount", "-o", "remount,ro,bind", place)
            yield usual(twins, guest, xml=guest.xml.replace(f"{twins.folder / NAME}/disk1", f"{place}/disk1"))
        finally:
            run("umount", place)


@contextmanager
def disk_that_is_a_directory(twins: Twins, guest: Counting) -> Iterator[Attempt]:
    yield usual(twins, guest, xml=guest.xml.replace(f"{twins.folder / NAME}/disk1", str(twins.folder)))


class Unable(LibvirtHost):
    """libvirt's connection, and a path that libvirt cannot open."""

    def restore(self, path: str) -> None:
        super().restore(f"{path}.not-for-you")


class Impatient(LibvirtHost):
    """libvirt's connection; who reads the FIFO gives up soon."""

    def restore(self, path: str) -> None:
        with Path(path).open("rb") as fifo:
            fifo.read(64)
        raise LiveError("Input/output error", call="restoreFlags")


@contextmanager
def host(kind: type[LibvirtHost], twins: Twins, guest: Counting) -> Iterator[Attempt]:
    yield usual(twins, guest, host=kind(twins.host.connection))


@contextmanager
def closed_connection(twins: Twins, guest: Counting) -> Iterator[Attempt]:
    connection = libvirt.open(twins.host.uri)
    connection.close()
    yield usual(twins, guest, host=LibvirtHost(connection))


@contextmanager
def limits(twins: Twins, guest: Counting, **fields: Any) -> Iterator[Attempt]:
    yield usual(twins, guest, tools={"limits": Limits(**fields)})


@contextmanager
def at_moment(
    wanted: str, act: Callable[[Twins, list[Any]], None], twins: Twins, guest: Counting, method: Any = "live"
) -> Iterator[Attempt]:
    """What somebody else does at a moment; he is given the conversation with the old QEMU, too."""
    conversations: list[Any] = []

    @contextmanager
    def opened(path: Path) -> Iterator[Any]:
        with open_qmp(path) as qmp:
            conversations.append(qmp)
            yield qmp

    def moment(name: str) -> None:
        if name == wanted:
            act(twins, conversations)

    yield usual(
        twins,
        guest,
        opened=opened,
        tools={"moment": moment, "limits": structs.replace(STEADY, method=method)},
    )


def cancel(_twins: Twins, conversations: list[Any]) -> None:
    conversations[-1]("migrate_cancel")


def kill_the_new_qemu(twins: Twins, _conversations: list[Any]) -> None:
    pidfile, until = twins.host.root / "run" / "qemu" / f"{NAME}.pid", time.monotonic() + 10
    while not (pidfile.exists() and pidfile.read_text(encoding="ascii").strip()):
        assert time.monotonic() < until
    os.kill(int(pidfile.read_text(encoding="ascii")), signal.SIGKILL)


def destroy_the_domain(twins: Twins, _conversations: list[Any]) -> None:
    twins.host.connection.lookupByName(NAME).destroy()


def lose_the_fifo(twins: Twins, _conversations: list[Any]) -> None:
    """Somebody tidies up."""
    (twins.folder / "state" / NAME).joinpath("state.fifo").unlink(missing_ok=True)


@contextmanager
def busy_socket(twins: Twins, guest: Counting) -> Iterator[Attempt]:
    with open_qmp(guest.qemu.qmp):
        yield usual(twins, guest, opened=partial(open_qmp, timeout_s=0.3))


@contextmanager
def no_socket(twins: Twins, guest: Counting) -> Iterator[Attempt]:
    yield usual(twins, guest, qmp=twins.folder / "nobody.qmp")


@contextmanager
def socket_that_hangs_up(twins: Twins, guest: Counting) -> Iterator[Attempt]:
    path = twins.folder / "dead.qmp"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()

        def hang_up() -> None:
            while True:
                try:
                    server.accept()[0].close()
                except OSError:
                    return

        threading.Thread(target=hang_up, daemon=True).start()
        yield usual(twins, guest, qmp=path)
        server.shutdown(socket.SHUT_RDWR)
    path.unlink()


@contextmanager
def journal_of_another_time(twins: Twins, guest: Counting) -> Iterator[Attempt]:
    file = twins.folder / "state" / NAME / "journal.json"
    file.parent.mkdir(parents=True)
    file.write_text("{}", encoding="utf-8")
    yield usual(twins, guest)
    file.unlink()
    file.parent.rmdir()


@contextmanager
def lock_held(twins: Twins, guest: Counting) -> Iterator[Attempt]:
    with pytest.MonkeyPatch.context() as patch, domain_lock(guest.instance.uuid):
        patch.setattr("virtxlate.hotplug.lock._PATIENCE", 0.1)
        yield usual(twins, guest)


@contextmanager
def stopped(twins: Twins, guest: Counting) -> Iterator[Attempt]:
    with open_qmp(guest.qemu.qmp) as ask:
        ask("stop")
    yield usual(twins, guest)
    with open_qmp(guest.qemu.qmp) as ask:
        ask("cont")


@contextmanager
def blocked(twins: Twins, guest: Counting) -> Iterator[Attempt]:
    """A block driver that no QEMU migrates."""
    place = twins.folder / "fat"
    place.mkdir()
    with open_qmp(guest.qemu.qmp) as ask:
        ask("blockdev-add", **{"driver": "vvfat", "node-name": "fat", "dir": str(place), "rw": True})
    yield usual(twins, guest)
    with open_qmp(guest.qemu.qmp) as ask:
        ask("blockdev-del", **{"node-name": "fat"})
    place.rmdir()


@contextmanager
def block_job(twins: Twins, guest: Counting) -> Iterator[Attempt]:
    with open_qmp(guest.qemu.qmp) as ask:
        (node,) = {
            each["inserted"]["node-name"]
            for each in ask("query-block")
            if "inserted" in each and each["inserted"]["file"].endswith("disk1")
        }
        ask("blockdev-add", **{"driver": "null-co", "node-name": "copy", "size": 16 << 20})
        ask(
            "blockdev-mirror",
            **{"job-id": "job0", "device": node, "target": "copy", "sync": "full", "speed": 1},
        )
    yield usual(twins, guest)
    with open_qmp(guest.qemu.qmp) as ask:
        ask("block-job-cancel", device="job0", force=True)
        while ask("query-block-jobs"):
            pass
        ask("blockdev-del", **{"node-name": "copy"})


@contextmanager
def domain_there(twins: Twins, guest: Counting, *, uuid: str, active: bool) -> Iterator[Attempt]:
    """Somebody else's domain, which must be there afterwards as it was."""
    xml = (
        f"<domain type='qemu'><name>{NAME}</name><uuid>{uuid}</uuid><memory unit='MiB'>16</memory>"
        "<os><type arch='x86_64' machine='pc'>hvm</type></os></domain>"
    )
    domain = twins.host.connection.defineXML(xml)
    if active:
        domain.createWithFlags(1)  # paused
    before = domain.XMLDesc(), domain.state()
    try:
        yield usual(twins, guest)
        assert (domain.XMLDesc(), domain.state()) == before
    finally:
        if active:
            domain.destroy()
        domain.undefine()


HOST_FAULTS: dict[str, tuple[Callable[..., Any], str]] = {
    "VNC port taken": (partial(port_taken, "vnc"), "Address already in use"),
    "SPICE port taken": (partial(port_taken, "spice"), "failed to initialize spice server"),
    "tap of the old QEMU": (tap_of_the_old_qemu, "busy"),
    "disk on a file system for reading": (disk_on_a_file_system_for_reading, "Read-only file system"),
    "disk that is a directory": (disk_that_is_a_directory, ""),
    "FIFO that libvirt cannot open": (partial(host, Unable), "not-for-you"),
    "reader that gives up": (partial(host, Impatient), "Input/output error"),
    "connection that is closed": (closed_connection, "the connection is closed"),
    "image never written in time": (
        partial(limits, method="stop", bandwidth=1 << 20, patience_s=0.3),
        "faster than it is sent",
    ),
    "never sent in time": (partial(limits, bandwidth=1 << 20, patience_s=0.3), "faster than it is sent"),
    "sending is cancelled": (partial(at_moment, "sending", cancel), ""),
    "sending to a file is cancelled": (partial(at_moment, "sending", cancel, method="stop"), ""),
    "new QEMU is killed when it has loaded": (partial(at_moment, "before compare", kill_the_new_qemu), ""),
    "new QEMU is killed when it has loaded a file": (
        partial(at_moment, "before compare", kill_the_new_qemu, method="stop"),
        "",
    ),
    "new QEMU is killed when it has begun": (partial(at_moment, "sending", kill_the_new_qemu), ""),
    "domain is destroyed before it runs": (partial(at_moment, "before go-forward", destroy_the_domain), ""),
    "QMP socket busy": (busy_socket, "it serves another client"),
    "no QMP socket": (no_socket, "No such file or directory"),
    "QMP socket that hangs up": (socket_that_hangs_up, "QEMU has hung up"),
    "journal of another time": (journal_of_another_time, "--resume or --abort"),
    "lock held": (lock_held, "another process holds the lock"),
    "guest that stands still": (stopped, "expected a guest that runs"),
    "migration blocked": (blocked, "vvfat"),
    "block job": (block_job, "a job would be lost"),
    "domain of that name": (partial(domain_there, uuid=OTHER_UUID, active=False), OTHER_UUID),
    "domain of that name, active": (partial(domain_there, uuid=OTHER_UUID, active=True), OTHER_UUID),
    "domain of that UUID, active": (
        partial(domain_there, uuid="11111111-2222-4333-8444-555555555555", active=True),
        "that is active",
    ),
}
"""What is wrong, and a word of the line that says so."""


MORE_WRONG: Mapping[str, Wrong] = {
    "CD-ROM drives in each other's place": Wrong(
        find='target dev="hda" bus="ide"(.*?)bus="0" target="0" unit="0"',
        put=r'target dev="hdb" bus="ide"\1bus="0" target="0" unit="1"',
        told="IDE",
    ),
    "a NIC whose tap has no header": Wrong(
        find='<interface type="bridge">(.*?)<source [^>]*/>',
        put=r'<interface type="user">\1',
        told="vnet_hdr",
    ),
    "a disk on SCSI": Wrong(
        find='<target dev="vdb" bus="virtio"/>(.*?)<address [^>]*/>',
        put=r'<target dev="sda" bus="scsi"/>\1',
        told="",
    ),
    "no such machine": Wrong(find="pc-i440fx-7.2", put="pc-i440fx-99.9", told="pc-i440fx-99.9"),
    "a q35": Wrong(find="pc-i440fx-7.2", put="pc-q35-7.2", told=""),
    "no such CPU": Wrong(find=">qemu64<", put=">qemu1024<", told="qemu1024"),
    "two devices in one slot": Wrong(
        find='(<memballoon model="virtio">.*?slot=")0x..',
        put=r"\g<1>0x0c",
        told="double use of PCI Address 0000:00:0c.0",
    ),
    "no such bridge": Wrong(
        find="<source bridge=.[^>]*/>", put='<source bridge="nowhere0"/>', told="nowhere0"
    ),
    "a tap that is no tap": Wrong(
        find='<interface type="bridge">(.*?)<source [^>]*/>',
        put=r'<interface type="ethernet">\1<target dev="lo" managed="no"/>',
        told="lo",
    ),
    "no such script of a tap": Wrong(
        find='<interface type="bridge">(.*?)<source [^>]*/>',
        put=r'<interface type="ethernet">\1<script path="/nowhere/ifup"/>',
        told="/nowhere/ifup",
    ),
    "no such disk": Wrong(find="disk1", put="disk9", told="disk9"),
    "no such disc": Wrong(find="cdrom1.iso", put="cdrom9.iso", told="cdrom9.iso"),
    "no such emulator": Wrong(find="<emulator>[^<]*", put="<emulator>/usr/bin/no-qemu", told="no-qemu"),
    "no such kernel": Wrong(find="<kernel>[^<]*<", put="<kernel>/nowhere/vmlinuz<", told="/nowhere/vmlinuz"),
    "no such socket of a serial port": Wrong(
        find='(<source mode="connect" path=")[^"]*', put=r"\1/nowhere/serial", told="/nowhere/serial"
    ),
    "huge pages that the host has not": Wrong(
        find="<vcpu>",
        put="<memoryBacking><hugepages/></memoryBacking><vcpu>",
        told="hugetlbfs",
    ),
    "more memory than there is": Wrong(
        find=r'<memory unit="KiB">\d+</memory>',
        put='<memory unit="PiB">4</memory>',
        told="",
    ),
    "a word that QEMU does not know": Wrong(
        find="</domain>",
        put='<qemu:commandline xmlns:qemu="http://libvirt.org/schemas/domain/qemu/1.0">'
        '<qemu:arg value="-no-such-option"/></qemu:commandline></domain>',
        told="",
    ),
}
