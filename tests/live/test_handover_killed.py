"""Whoever is killed in a handover, at whatever moment: the guest runs on one side, or one command lets it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest

from lab.counting import STEADY, Counting, counting
from lab.daemon import PrivateLibvirtd, private_libvirtd
from lab.twins import NAME, Twins, instance_of
from virtxlate.errors import LiveError, OperationRefusedError
from virtxlate.handover.differences import fatal
from virtxlate.handover.engine import Done, Engine, Tools
from virtxlate.handover.journal import Journal, Record
from virtxlate.handover.source import Old
from virtxlate.handover.states import Wish
from virtxlate.live.connection import connect
from virtxlate.live.qmp import open_qmp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lab.embedded import EmbeddedLibvirt
    from lab.guest import GuestFiles

pytestmark = [pytest.mark.live, pytest.mark.timeout(300)]

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def daemon() -> Iterator[PrivateLibvirtd]:
    with private_libvirtd() as found:
        yield found


@pytest.fixture(scope="module")
def twins(libvirt_host: EmbeddedLibvirt, bridge_name: str, guest_files: GuestFiles) -> Iterator[Twins]:
    # a short path: it is part of those of sockets
    with TemporaryDirectory(prefix="vxt-", dir="/tmp") as folder:
        yield Twins(host=libvirt_host, bridge=bridge_name, folder=Path(folder), kernel=guest_files.kernel)


@pytest.fixture(scope="module")
def guest(twins: Twins, guest_files: GuestFiles) -> Iterator[Counting]:
    """Booted once; what is tried with it before the last test must leave it where it is."""
    with counting(twins, guest_files, instance_of({}, disks=1, nics=1)) as found:
        found.count()
        yield found


def state(twins: Twins) -> Path:
    return twins.folder / "state"


def killed_child(daemon: PrivateLibvirtd, twins: Twins, guest: Counting, moment: str, method: str) -> None:
    """Begin in a process that is killed at a moment."""
    xml = twins.folder / "domain.xml"
    xml.write_text(guest.xml, encoding="utf-8")
    words = (daemon.uri, guest.qemu.qmp, state(twins), xml, moment, method)
    child = subprocess.run(
        [sys.executable, "-m", "lab.handover_child", *map(str, words)],
        check=False,
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=60,
    )
    assert child.returncode == -signal.SIGKILL, child.stderr


def finish(daemon: PrivateLibvirtd, twins: Twins, wish: Wish) -> Done:
    journal = Journal(state(twins), NAME)
    record = journal.read()
    with connect(daemon.uri) as host, Old(Path(record.qmp), open_qmp, record.process) as old:
        return Engine(host, old, journal, record, Tools(judge=fatal)).finish(wish)


def begin(daemon: PrivateLibvirtd, twins: Twins, guest: Counting, moment: Callable[[str], None]) -> Done:
    """Begin in this process, which is told of each moment."""
    record = Record(instance=NAME, uuid=guest.instance.uuid, xml=guest.xml, qmp=str(guest.qemu.qmp))
    tools = Tools(moment=moment, limits=STEADY)
    with connect(daemon.uri) as host, Old(guest.qemu.qmp, open_qmp) as old:
        return Engine(host, old, Journal(state(twins), NAME), record, tools).hand_over()


def cli(daemon: PrivateLibvirtd, twins: Twins, *words: str) -> subprocess.CompletedProcess[str]:
    """Call the command line on the instance."""
    where = [
        "-c",
        daemon.uri,
        "--state-dir",
        str(state(twins)),
        "--ctrl-dir",
        str(twins.folder / "kvm-hypervisor"),
    ]
    return subprocess.run(
        [sys.executable, "-m", "virtxlate", "handover", NAME, *where, *words],
        check=False,
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=120,
    )


def is_untouched(daemon: PrivateLibvirtd, twins: Twins, guest: Counting) -> bool:
    """Whether the guest counts on in Ganeti's QEMU, and nothing is left of the attempt."""
    heard = guest.listen(10)
    return (
        heard == list(range(1, len(heard) + 1))
        and daemon.connection.listAllDomains() == []
        and list(state(twins).iterdir()) == []
    )


KILLED = (
    ("begun define", "live"),
    ("after define", "live"),
    ("lent", "live"),
    ("sending", "live"),
    ("after transfer", "live"),
    ("before go-forward", "live"),
    ("stopped", "stop"),
    ("saved", "stop"),
)


@pytest.mark.parametrize(("moment", "method"), KILLED)
def test_killed_before_the_way_forward_is_written_it_goes_back(
    moment: str, method: str, daemon: PrivateLibvirtd, twins: Twins, guest: Counting
) -> None:
    killed_child(daemon, twins, guest, moment, method)
    assert finish(daemon, twins, Wish.ABORT).runs == "ganeti"
    assert is_untouched(daemon, twins, guest)


@pytest.mark.parametrize("moment", ["sending", "after transfer"])
def test_a_libvirtd_that_is_killed_is_waited_for(
    moment: str, daemon: PrivateLibvirtd, twins: Twins, guest: Counting
) -> None:
    with pytest.raises(LiveError, match="the journal is kept: libvirt does not say"):
        begin(daemon, twins, guest, lambda name: daemon.kill() if name == moment else None)
    daemon.start()
    assert finish(daemon, twins, Wish.ABORT).runs == "ganeti"
    assert is_untouched(daemon, twins, guest)


def test_killed_after_the_way_forward_is_written_it_goes_on(
    daemon: PrivateLibvirtd, twins: Twins, guest: Counting
) -> None:
    """The last: after this the guest is libvirt's."""
    killed_child(daemon, twins, guest, "after go-forward", "live")
    refused = cli(daemon, twins, "--abort")
    assert (refused.returncode, refused.stdout) == (OperationRefusedError.exit_code, "")
    assert "there is no way back; use --resume" in refused.stderr
    resumed = cli(daemon, twins, "--resume")
    assert (resumed.returncode, resumed.stderr) == (0, "")
    assert "the guest runs under libvirt" in resumed.stdout
    guest.connected()
    heard = guest.listen(30)
    assert heard == list(range(1, len(heard) + 1))
    assert guest.qemu.process.wait(10) == 0
    daemon.connection.lookupByName(NAME).destroy()
    daemon.connection.lookupByName(NAME).undefine()


def test_an_old_qemu_that_is_killed_when_all_was_sent_is_not_missed(
    daemon: PrivateLibvirtd, twins: Twins, guest_files: GuestFiles
) -> None:
    with counting(twins, guest_files, instance_of({}, disks=1, nics=1)) as guest:
        guest.count()
        killed_child(daemon, twins, guest, "after transfer", "live")
        os.kill(guest.qemu.process.pid, signal.SIGKILL)
        with pytest.raises(OperationRefusedError, match="only libvirt's has the guest: use --resume"):
            finish(daemon, twins, Wish.ABORT)
        assert finish(daemon, twins, Wish.RESUME).runs == "libvirt"
        guest.connected()
        heard = guest.listen(30)
        assert heard == list(range(1, len(heard) + 1))
        daemon.connection.lookupByName(NAME).destroy()
        daemon.connection.lookupByName(NAME).undefine()


def test_the_command_line_does_it_all(daemon: PrivateLibvirtd, twins: Twins, guest_files: GuestFiles) -> None:
    bridges = twins.folder / "map.toml"
    bridges.write_text(f'[bridges]\nbr0 = "{twins.bridge}"\n', encoding="utf-8")
    with counting(twins, guest_files, instance_of({"spice_bind": "127.0.0.1"}, disks=2, nics=1)) as guest:
        runtime = twins.folder / "kvm-hypervisor" / "conf" / f"{NAME}.runtime"
        runtime.parent.mkdir(parents=True, exist_ok=True)
        runtime.write_text(guest.runtime, encoding="utf-8")
        checked = cli(daemon, twins, "--check", "--map", str(bridges))
        assert (checked.returncode, checked.stdout.splitlines()[-1]) == (0, f"{NAME}: it would be safe"), (
            checked
        )
        nowhere = cli(daemon, twins, "--check", "--map", str(bridges), "--state-dir", str(bridges))
        assert nowhere.returncode == 1
        assert nowhere.stdout.startswith(f"  fatal: journal: {NAME}: expected a directory: {bridges}: ")
        done = cli(daemon, twins, "--release", "--json", "--map", str(bridges), "--downtime-limit", "0")
        assert done.returncode == 0, done.stderr
        (result,) = json.loads(done.stdout)
        assert (result["code"], result["done"]["runs"], result["done"]["removed"]) == (
            0,
            "libvirt",
            [str(runtime)],
        )
        assert guest.qemu.process.wait(10) == 0
        assert not runtime.exists()
        domain = daemon.connection.lookupByName(NAME)
        assert domain.isPersistent()
        domain.destroy()
        domain.undefine()
