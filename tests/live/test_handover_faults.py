"""Whatever goes wrong in a handover, the guest goes on where it is, nothing is left, and one line says what.

One guest of Ganeti's QEMU outlives them all: it counts aloud, and no number is lost or said twice. Nothing is
checked before, so what is not refused by libvirt or QEMU is found by the last look while both stand still.
"""

from __future__ import annotations

import re
import socket
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest

from lab.commands import run
from lab.counting import STEADY, Counting, counting, judged, let_run, successor
from lab.ganeti_qemu import ganeti_guest
from lab.hardware_cases import CDROM1
from lab.twins import NAME, Twins, instance_of
from tests.live.faulty_hosts import HOST_FAULTS, MORE_WRONG, Attempt, usual
from tests.live.wrong_domains import WRONG
from virtxlate.errors import LiveError, VirtxlateError
from virtxlate.handover.differences import fatal
from virtxlate.handover.engine import Done, Engine, Tools
from virtxlate.handover.journal import Journal, Record
from virtxlate.handover.source import Old
from virtxlate.handover.states import Wish
from virtxlate.handover.transfer import Limits
from virtxlate.live.connection import LibvirtHost
from virtxlate.live.qmp import open_qmp

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.embedded import EmbeddedLibvirt
    from lab.guest import GuestFiles

pytestmark = [pytest.mark.live, pytest.mark.timeout(300)]

MEMORY_MIB = 128
GOES_ON = "the guest goes on under Ganeti"
SHOWN_AT_THE_NEXT_BOOT = "SMBIOS"
"""The one wrong domain that no look at devices finds: the check, which reads QEMU's words, does."""


@pytest.fixture(scope="module")
def twins(libvirt_host: EmbeddedLibvirt, bridge_name: str, guest_files: GuestFiles) -> Iterator[Twins]:
    # a short path: it is part of those of sockets
    with TemporaryDirectory(prefix="vxt-", dir="/tmp") as folder:
        yield Twins(host=libvirt_host, bridge=bridge_name, folder=Path(folder), kernel=guest_files.kernel)


@pytest.fixture(scope="module")
def guest(twins: Twins, guest_files: GuestFiles) -> Iterator[Counting]:
    """Booted once, and there until the end."""
    rich = {
        "vnc_bind_address": "127.0.0.1",
        "use_guest_agent": True,
        "vga": "std",
        "cdrom_image_path": CDROM1,
        "cdrom_disk_type": "ide",
    }
    instance = instance_of(rich, disks=2, nics=1, vcpus=2)
    with counting(twins, guest_files, instance, memory_mib=MEMORY_MIB) as found:
        found.xml = re.sub("<metadata>.*</metadata>", "", found.xml, flags=re.DOTALL)
        found.count()
        yield found


def hand_over(attempt: Attempt) -> Done:
    record = Record(instance=NAME, uuid=attempt.uuid, xml=attempt.xml, qmp=str(attempt.qmp))
    tools = Tools(**{"judge": fatal, "limits": STEADY, **attempt.tools})
    with Old(attempt.qmp, attempt.opened) as old:
        return Engine(attempt.host, old, Journal(attempt.state, NAME), record, tools).hand_over()


def refused(attempt: Attempt) -> str:
    """Give the line that says why."""
    with pytest.raises(VirtxlateError) as caught:
        hand_over(attempt)
    line = str(caught.value)
    assert line
    assert "\n" not in line
    return line


def is_untouched(twins: Twins, guest: Counting) -> None:
    """The guest counts on in Ganeti's QEMU, and nothing is left of the attempt."""
    heard = guest.listen(5)
    assert heard == list(range(1, len(heard) + 1))
    assert [each.name() for each in twins.host.connection.listAllDomains()] == []
    state = twins.folder / "state"
    assert [str(each) for each in state.rglob("*")] == []
    assert list((twins.host.root / "run" / "qemu").glob(f"{NAME}.pid")) == []
    assert members(twins.bridge) == set(guest.qemu.taps)
    with open_qmp(guest.qemu.qmp) as ask:
        assert ask("query-status")["status"] == "running"
        shown = ask("query-vnc-servers")[0]["server"][0]["service"]
    assert shown == str(guest.instance.network_port)


def members(bridge: str) -> set[str]:
    """The taps in the bridge."""
    return {each.name for each in Path("/sys/class/net", bridge, "brif").iterdir()}


@pytest.mark.parametrize(
    "name", [name for name, wrong in WRONG.items() if not wrong.drives and name != SHOWN_AT_THE_NEXT_BOOT]
)
def test_a_wrong_domain_never_gets_the_guest(name: str, twins: Twins, guest: Counting) -> None:
    wrong = WRONG[name].spoil(guest.xml)
    assert wrong != guest.xml
    assert GOES_ON in refused(usual(twins, guest, xml=wrong))
    is_untouched(twins, guest)


@pytest.mark.parametrize("name", MORE_WRONG)
def test_a_domain_that_this_host_cannot_start_never_gets_the_guest(
    name: str, twins: Twins, guest: Counting
) -> None:
    wrong = MORE_WRONG[name].spoil(guest.xml)
    assert wrong != guest.xml
    line = refused(usual(twins, guest, xml=wrong))
    assert GOES_ON in line
    assert MORE_WRONG[name].told in line
    is_untouched(twins, guest)


@pytest.mark.parametrize("name", HOST_FAULTS)
def test_a_fault_of_the_host_leaves_the_guest_where_it_is(name: str, twins: Twins, guest: Counting) -> None:
    fault, told = HOST_FAULTS[name]
    with fault(twins, guest) as attempt:
        assert told in refused(attempt)
    is_untouched(twins, guest)


def test_a_definition_that_was_there_is_there_again(twins: Twins, guest: Counting) -> None:
    domain = twins.host.connection.defineXML(WRONG["another video"].spoil(guest.xml))
    before = domain.XMLDesc()
    assert GOES_ON in refused(usual(twins, guest, xml=WRONG["no balloon"].spoil(guest.xml)))
    assert domain.XMLDesc() == before
    domain.undefine()
    is_untouched(twins, guest)


@pytest.mark.parametrize("moment", ["begun define", "lent", "sending", "after transfer", "before go-forward"])
def test_who_is_interrupted_leaves_the_guest_where_it_is(moment: str, twins: Twins, guest: Counting) -> None:
    def interrupt(name: str) -> None:
        if name == moment:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        hand_over(usual(twins, guest, tools={"moment": interrupt}))
    is_untouched(twins, guest)


@contextmanager
def small(twins: Twins, mib: int) -> Iterator[Path]:
    """A file system of its own for the journal, with little room."""
    place = twins.folder / "small"
    place.mkdir()
    run("mount", "-t", "tmpfs", "-o", f"size={mib}m", "none", str(place))
    try:
        yield place
    finally:
        run("umount", str(place))
        place.rmdir()


def test_an_image_that_does_not_fit_leaves_the_guest_where_it_is(twins: Twins, guest: Counting) -> None:
    with small(twins, 4) as place:
        line = refused(usual(twins, guest, state=place, tools={"limits": Limits(method="stop")}))
        assert GOES_ON in line
        assert list(place.iterdir()) == []
    is_untouched(twins, guest)


@pytest.mark.parametrize("moment", ["begun display", "begun define", "sending", "after transfer"])
def test_a_disk_that_is_full_all_at_once_leaves_the_guest_where_it_is(
    moment: str, twins: Twins, guest: Counting
) -> None:
    """Whatever is written down from then on has no room but what was kept for it."""

    def fill(name: str) -> None:
        if name == moment:
            with (place / "rubbish").open("wb", buffering=0) as file:
                while True:
                    try:
                        file.write(b"\0" * 4096)
                    except OSError:
                        break
            raise LiveError("somebody has filled the disk", call="test")

    with small(twins, 4) as place:
        line = refused(usual(twins, guest, state=place, tools={"moment": fill}))
        assert GOES_ON in line
        assert [each.name for each in place.iterdir()] == ["rubbish"]
    is_untouched(twins, guest)


def test_a_port_that_is_taken_meanwhile_stops_no_guest(twins: Twins, guest: Counting) -> None:
    """The old VNC does not get back where it was; all else is as before, and --abort ends it later."""
    port = int(guest.instance.network_port or 0)
    with ExitStack() as stack:

        def take(name: str) -> None:
            if name == "after display":
                line = stack.enter_context(socket.socket())
                line.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                line.bind(("127.0.0.1", port))
                line.listen()

        line = refused(usual(twins, guest, tools={"moment": take}))
        assert "the journal is kept: end it with --abort" in line
        assert guest.listen(5)
    attempt = usual(twins, guest)
    journal = Journal(attempt.state, NAME)
    record = journal.read()
    with Old(guest.qemu.qmp, open_qmp, record.process) as old:
        done = Engine(attempt.host, old, journal, record, Tools(judge=fatal)).finish(Wish.ABORT)
    assert done.runs == "ganeti"
    is_untouched(twins, guest)


def test_ide_disks_on_the_other_channel_are_found_before_the_guest_runs(twins: Twins) -> None:
    """QEMU takes them, and a guest with an OS would hang: nobody is inside, for the look needs no guest."""
    drives = {name: wrong for name, wrong in WRONG.items() if wrong.drives}
    instance = instance_of({"disk_type": "ide", "cdrom_image_path": CDROM1})
    with TemporaryDirectory(prefix="vxt-", dir="/tmp") as folder:
        other = Twins(host=twins.host, bridge=twins.bridge, folder=Path(folder), kernel=twins.kernel)
        verdict = judged(other, instance)
        with ganeti_guest(verdict, other.folder) as qemu:
            let_run(other, qemu)
            xml = successor(other, qemu, verdict.runtime)
            for wrong in drives.values():
                spoilt = wrong.spoil(xml)
                assert spoilt != xml
                line = refused(
                    Attempt(
                        xml=spoilt,
                        uuid=instance.uuid,
                        qmp=qemu.qmp,
                        state=other.folder / "state",
                        host=LibvirtHost(twins.host.connection),
                        tools={},
                    )
                )
                assert GOES_ON in line
                assert "channel" in line
                with open_qmp(qemu.qmp) as ask:
                    assert ask("query-status")["running"]
    assert drives
