"""A libvirtd of one's own: it dies and comes back while its domains run, and it leaves nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import libvirt
import pytest

from lab.daemon import PRIVATE, PrivateLibvirtd, private_libvirtd
from lab.embedded import ROOT_PREFIX, ROOTS
from lab.leftovers import belongs, sweep
from lab.no_os import guestless_domain
from lab.running import Host

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.live


BARE = """<domain type='qemu'><name>bare</name><memory unit='MiB'>16</memory>
  <os><type machine='pc'>hvm</type></os></domain>"""


@pytest.fixture
def daemon() -> Iterator[PrivateLibvirtd]:
    with private_libvirtd() as running:
        yield running


def processes_of(root: Path) -> list[Path]:
    """Processes that know the root by their command line, or live in its mounts."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if belongs(process, root):
                found.append(process)
        except OSError:  # it has ended since, or is a zombie
            continue
    return found


def domain_states(host: Host) -> list[tuple[str, int, bool]]:
    return [(dom.name(), dom.ID(), bool(dom.isActive())) for dom in host.connection.listAllDomains()]


@pytest.mark.parametrize("persistent", [False, True])
def test_domain_runs_on_and_is_known_again_after_a_crash(
    daemon: PrivateLibvirtd, tmp_path: Path, persistent: bool
) -> None:
    with guestless_domain(daemon, tmp_path, persistent=persistent) as domain:
        before, live = domain_states(daemon), domain.XMLDesc(0)
        first = daemon.pid
        daemon.kill()
        with pytest.raises(libvirt.libvirtError):
            domain.info()
        assert len(processes_of(daemon.root)) == 1
        daemon.start()
        assert daemon.pid != first
        assert domain_states(daemon) == before == [("no-os", 1, True)]
        assert daemon.connection.lookupByName("no-os").XMLDesc(0) == live
    assert domain_states(daemon) == []


def test_another_process_reaches_the_daemon_by_its_uri(daemon: PrivateLibvirtd) -> None:
    daemon.connection.defineXML(BARE)
    program = "import libvirt, sys; print(libvirt.open(sys.argv[1]).listDefinedDomains())"
    said = subprocess.run(
        [sys.executable, "-c", program, daemon.uri], stdout=subprocess.PIPE, text=True, check=True
    )
    assert said.stdout == "['bare']\n"


def test_two_daemons_know_nothing_of_each_other(daemon: PrivateLibvirtd, tmp_path: Path) -> None:
    with private_libvirtd() as other, guestless_domain(other, tmp_path):
        assert domain_states(daemon) == []
        assert domain_states(other) == [("no-os", 1, True)]


def test_a_started_daemon_is_not_started_again(daemon: PrivateLibvirtd) -> None:
    with pytest.raises(RuntimeError, match=f"running already, as process {daemon.pid}$"):
        daemon.start()


def test_a_daemon_that_cannot_start_is_quoted(daemon: PrivateLibvirtd) -> None:
    daemon.kill()
    (daemon.root / "etc" / "libvirtd.conf").write_text("no_such_setting\n")
    with pytest.raises(RuntimeError, match=r"^libvirtd: ended: .*Can't load config file.*$"):
        daemon.start()


def fixed_directories() -> dict[str, list[Path]]:
    return {fixed: sorted(Path(fixed).rglob("*")) for fixed in PRIVATE.values()}


@pytest.mark.parametrize("killed", [False, True])
def test_nothing_is_left(killed: bool) -> None:
    with private_libvirtd() as daemon:
        before = fixed_directories()
        domain: Any = daemon.connection.createXML(BARE, 0)
        assert domain.isActive()
        assert len(processes_of(daemon.root)) == 2
        if killed:
            daemon.kill()
    assert processes_of(daemon.root) == []
    assert not daemon.root.exists()
    assert fixed_directories() == before
    assert daemon.root.name not in Path("/proc/self/mountinfo").read_text()


KILLED_LAB = f"""
import os
from lab.daemon import private_libvirtd
with private_libvirtd() as daemon:
    daemon.connection.createXML({BARE!r}, 0)
    print(daemon.root, flush=True)
    os.kill(os.getpid(), 9)
"""


def test_daemon_and_domains_of_a_killed_lab_are_swept() -> None:
    killed = subprocess.run(
        [sys.executable, "-c", KILLED_LAB], stdout=subprocess.PIPE, text=True, check=False
    )
    root = Path(killed.stdout.strip())
    assert len(processes_of(root)) == 2
    sweep(ROOTS, ROOT_PREFIX)
    assert processes_of(root) == []
    assert not root.exists()
