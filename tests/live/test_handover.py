"""A guest that runs in Ganeti's own QEMU goes on in libvirt's, or else where it is, and notices nothing."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest

from lab.commands import run
from lab.counting import STEADY, Counting, counting
from lab.twins import Twins, instance_of
from tests.live.wrong_domains import WRONG
from virtxlate.errors import VirtxlateError
from virtxlate.handover.differences import fatal
from virtxlate.handover.engine import Done, Engine, Tools
from virtxlate.handover.journal import Journal, Record
from virtxlate.handover.source import Old
from virtxlate.handover.transfer import Limits, Progress
from virtxlate.hotplug.session import Hotplug
from virtxlate.live.connection import LibvirtHost
from virtxlate.live.qmp import open_qmp

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.console import GuestConsole
    from lab.embedded import EmbeddedLibvirt
    from lab.guest import GuestFiles

pytestmark = [pytest.mark.live, pytest.mark.timeout(300)]

HERE, THERE = "192.0.2.1", "192.0.2.2"
MARK = "the disk is the same"


@pytest.fixture(scope="module")
def twins(libvirt_host: EmbeddedLibvirt, bridge_name: str, guest_files: GuestFiles) -> Iterator[Twins]:
    # a short path: it is part of those of sockets
    with TemporaryDirectory(prefix="vxt-", dir="/tmp") as folder:
        yield Twins(host=libvirt_host, bridge=bridge_name, folder=Path(folder), kernel=guest_files.kernel)


@pytest.fixture(scope="module")
def guest(twins: Twins, guest_files: GuestFiles) -> Iterator[Counting]:
    """Booted once; what is tried with it before the last test must leave it where it is."""
    run("ip", "address", "add", f"{HERE}/24", "dev", twins.bridge)
    instance = instance_of({"vnc_bind_address": "127.0.0.1"}, disks=2, nics=1)
    with counting(twins, guest_files, instance) as found:
        found.line.run(
            f"ip link set eth0 up; ip address add {THERE}/24 dev eth0; "
            f"printf '{MARK}' | dd of=/dev/vda bs=512 seek=7 conv=fsync"
        )
        found.seen = found.line.pci_devices(), found.line.nics(), found.line.disks()
        found.count()
        yield found
        twins.host.destroy_all()


def hand_over(twins: Twins, guest: Counting, *, xml: str | None = None, **tools: Any) -> Done:
    name = guest.instance.name
    record = Record(instance=name, uuid=guest.instance.uuid, xml=xml or guest.xml, qmp=str(guest.qemu.qmp))
    host = LibvirtHost(twins.host.connection)
    with Old(guest.qemu.qmp, open_qmp) as old:
        journal = Journal(twins.folder / "state", name)
        return Engine(
            host, old, journal, record, Tools(**{"judge": fatal, "limits": STEADY, **tools})
        ).hand_over()


def is_untouched(twins: Twins, guest: Counting) -> bool:
    """Whether the guest counts on in Ganeti's QEMU, and nothing is left of the attempt."""
    heard = guest.listen(10)
    with open_qmp(guest.qemu.qmp) as ask:
        shown = ask("query-vnc-servers")[0]["server"][0]["service"]
    return (
        heard == list(range(1, len(heard) + 1))
        and twins.host.connection.listAllDomains() == []
        and list((twins.folder / "state").iterdir()) == []
        and shown == str(guest.instance.network_port)
    )


REFUSED = (
    "no parallel port",
    "no balloon",
    "another USB controller",
    "disk in another slot",
    "another video",
    "another NIC",
    "no ACPI",
)
"""By QEMU, when it loads the state."""


@pytest.mark.parametrize("name", REFUSED)
def test_a_wrong_domain_leaves_the_guest_where_it_is(name: str, twins: Twins, guest: Counting) -> None:
    wrong = WRONG[name].spoil(guest.xml)
    assert wrong != guest.xml
    with pytest.raises(VirtxlateError, match="the guest goes on under Ganeti"):
        hand_over(twins, guest, xml=wrong)
    assert is_untouched(twins, guest)


def test_what_qemu_loads_although_it_is_wrong_is_found(twins: Twins, guest: Counting) -> None:
    wrong = guest.xml.replace(
        "</devices>", "<rng model='virtio'><backend model='random'>/dev/urandom</backend></rng></devices>"
    )
    with pytest.raises(VirtxlateError, match=r"goes on under Ganeti.*virtio-rng"):
        hand_over(twins, guest, xml=wrong)
    assert is_untouched(twins, guest)


OTHERS: dict[str, tuple[str, str]] = {
    "another machine": ("machine=.pc-i440fx-7.2.", "machine='pc-i440fx-6.2'"),
    "more memory": (">262144<", ">393216<"),
    "no such bridge": (r"bridge='[^']*'|bridge=\"[^\"]*\"", "bridge='nowhere0'"),
    "no such disk": (r"disk1", "disk9"),
    "no such emulator": (r"<devices>", "<devices><emulator>/usr/bin/no-qemu</emulator>"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_a_host_that_cannot_start_it_leaves_the_guest_where_it_is(
    name: str, twins: Twins, guest: Counting
) -> None:
    pattern, text = OTHERS[name]
    wrong = re.sub(pattern, text, guest.xml)
    assert wrong != guest.xml
    with pytest.raises(VirtxlateError, match="the guest goes on under Ganeti"):
        hand_over(twins, guest, xml=wrong)
    assert is_untouched(twins, guest)


def test_a_guest_that_is_never_sent_in_time_stays(twins: Twins, guest: Counting) -> None:
    with pytest.raises(VirtxlateError, match="changes memory faster than it is sent"):
        hand_over(twins, guest, limits=Limits(bandwidth=1 << 20, patience_s=1.0))
    assert is_untouched(twins, guest)


def test_memory_that_the_emulator_may_have_missed_is_given_to_nobody(twins: Twins, guest: Counting) -> None:
    """What it writes while a first round is sent does not fit into a millisecond, so there is a second."""
    with pytest.raises(VirtxlateError, match=r"sent in \d+ rounds .*the guest goes on under Ganeti"):
        hand_over(twins, guest, limits=Limits(bandwidth=50 << 20, downtime_ms=1))
    assert is_untouched(twins, guest)


def test_a_new_qemu_that_is_killed_leaves_the_guest_where_it_is(twins: Twins, guest: Counting) -> None:
    """While it loads, and when it has loaded."""

    def kill() -> None:
        (pidfile,) = twins.host.root.rglob(f"*{guest.instance.name}.pid")
        os.kill(int(pidfile.read_text(encoding="ascii")), signal.SIGKILL)

    def when_half(progress: Progress) -> None:
        if progress.left and progress.left < progress.total * 0.9 and not killed:
            killed.append(progress)
            kill()

    killed: list[Progress] = []
    with pytest.raises(VirtxlateError, match="the guest goes on under Ganeti"):
        hand_over(twins, guest, heard=when_half, limits=Limits(bandwidth=100 << 20))
    assert killed
    assert is_untouched(twins, guest)
    at: Callable[[str], None] = lambda name: kill() if name == "before compare" else None  # noqa: E731
    with pytest.raises(VirtxlateError, match="the guest goes on under Ganeti"):
        hand_over(twins, guest, moment=at)
    assert is_untouched(twins, guest)


def test_the_guest_goes_on_under_libvirt(twins: Twins, guest: Counting) -> None:
    """The last: after this it is libvirt's."""
    ping()
    done = hand_over(twins, guest)
    line = guest.connected()
    heard = guest.listen(30)
    assert heard == list(range(1, len(heard) + 1))
    assert (done.runs, done.differences) == ("libvirt", ())
    assert done.pause_ms is not None
    assert done.pause_ms < 2000
    guest.be_silent()
    ping()
    assert line.run("dd if=/dev/vda bs=512 skip=7 count=1 2>/dev/null | head -c 20") == MARK
    line.run("printf 'written after' | dd of=/dev/vda bs=512 seek=9 conv=fsync")
    with Path(
        str(guest.instance.disks[0].logical_id[1]).replace("/srv/ganeti/file-storage", str(twins.folder))
    ).open("rb") as image:
        assert MARK.encode() in image.read(512 * 8)[512 * 7 :]
        image.seek(512 * 9)
        assert image.read(13) == b"written after"
    assert (line.pci_devices(), line.nics(), line.disks()) == guest.seen
    remains(twins, guest, line)


def remains(twins: Twins, guest: Counting, line: GuestConsole) -> None:
    """A disk that Ganeti had attached goes; a reset brings the rest up again, at the same places."""
    domain = LibvirtHost(twins.host.connection).domain(guest.instance.name)
    assert domain is not None
    assert domain.is_persistent()
    Hotplug(domain).remove("disk", "1")
    assert line.disks() == tuple(disk for disk in guest.seen[2] if disk.name != "vdb")
    slots = [(each.slot, each.vendor, each.device) for each in line.pci_devices()]
    line.reboot()
    assert [(each.slot, each.vendor, each.device) for each in line.pci_devices()] == slots


def ping() -> None:
    run("busybox", "ping", "-c", "1", "-W", "2", THERE)
