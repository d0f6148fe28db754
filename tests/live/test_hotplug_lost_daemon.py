"""libvirtd dies while a removal waits: its caller is told what became of the device."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lab.daemon import PrivateLibvirtd, private_libvirtd
from tests.live.plugged import NAME, Asked, Plugged, Seen, SeenDisk, SeenNic, disk, lines, plugged
from virtxlate.errors import ConnectionFailedError, RemovalPendingError
from virtxlate.hotplug.session import Done, Hotplug, Options

if TYPE_CHECKING:
    from lab.guest import GuestFiles

pytestmark = pytest.mark.live

BOTH: dict[str, Any] = {"live": True, "config": True, "force": True}
ALIAS = "ua-disk-00000001-d15c-4000"
FIRST = Seen(
    frozenset({SeenDisk("0c.0", None, 16)}), frozenset({SeenNic("0d.0", "aa:00:00:00:00:00", "virtio_net")})
)


@pytest.fixture
def daemon() -> Iterator[PrivateLibvirtd]:
    with private_libvirtd() as running:
        yield running


@pytest.fixture
def paused(
    daemon: PrivateLibvirtd, guest_files: GuestFiles, bridge_name: str, tmp_path: Path
) -> Iterator[Plugged]:
    """A guest with a second disk, paused: it releases nothing until somebody lets it run."""
    with plugged(daemon, guest_files, tmp_path, {"br0": bridge_name}, persistent=True) as plug:
        plug.write_images(disk(1))
        plug.hotplug(**BOTH).add_disk(disk(1))
        plug.see(FIRST.and_disks(SeenDisk("0e.0", None, 1)))
        plug.guest.domain.suspend()
        yield plug


def removing(pool: ThreadPoolExecutor, paused: Plugged, **options: Any) -> Future[Done]:
    """Start to remove the disk; QEMU has been asked when this returns."""
    port = Asked(paused.port)
    hotplug = Hotplug(port.as_port(), context=paused.context, options=Options(**BOTH, **options))
    waiting = pool.submit(hotplug.remove, "disk", disk(1).uuid)
    port.wait()
    return waiting


def run_on(daemon: PrivateLibvirtd) -> None:
    """Let the guest run, by QEMU's own monitor, which nobody else has open while libvirtd is dead."""
    (path,) = (daemon.root / "lib" / "qemu").glob(f"domain-*-{NAME[:20]}*/monitor.sock")
    with socket.socket(socket.AF_UNIX) as monitor:
        monitor.settimeout(20)
        monitor.connect(str(path))
        with monitor.makefile("rw") as talk:
            talk.readline()  # QEMU's greeting
            for command in ("qmp_capabilities", "cont"):
                talk.write(json.dumps({"execute": command}) + "\n")
                talk.flush()
            for line in talk:
                event = json.loads(line)
                if event.get("event") == "DEVICE_DELETED" and event["data"].get("device") == ALIAS:
                    return
    raise AssertionError("QEMU closed its monitor")


@pytest.mark.parametrize("released", ["while the daemon is dead", "after it has come back"])
def test_a_removal_outlives_the_daemon(daemon: PrivateLibvirtd, paused: Plugged, released: str) -> None:
    with ThreadPoolExecutor() as pool:
        waiting = removing(pool, paused, timeout=60)
        daemon.kill()
        if released == "while the daemon is dead":
            run_on(daemon)
        daemon.start()
        if released == "after it has come back":
            assert not waiting.done()
            daemon.connection.lookupByName(NAME).resume()
        done = waiting.result(timeout=60)
    assert lines(done) == [f"detach disk {ALIAS}"]
    assert done.freed == (paused.path_of(disk(1)),)
    paused.see(FIRST)
    again = daemon.connection.lookupByName(NAME)
    for flags in (0, 2):
        assert ALIAS not in again.XMLDesc(flags)
    assert paused.kept() == paused.instance


def test_a_guest_that_stays_silent_is_still_said_to_be(daemon: PrivateLibvirtd, paused: Plugged) -> None:
    kept = paused.kept()
    with ThreadPoolExecutor() as pool:
        waiting = removing(pool, paused, timeout=4, asks=1)
        daemon.kill()
        daemon.start()
        with pytest.raises(RemovalPendingError) as caught:
            waiting.result(timeout=60)
    assert caught.value.alias == ALIAS
    assert paused.kept() == kept


def test_a_daemon_that_stays_away_is_not_taken_for_a_success(
    daemon: PrivateLibvirtd, paused: Plugged
) -> None:
    with ThreadPoolExecutor() as pool:
        waiting = removing(pool, paused, timeout=2, asks=1)
        daemon.kill()
        begun = time.monotonic()
        with pytest.raises(ConnectionFailedError) as caught:
            waiting.result(timeout=60)
        assert time.monotonic() - begun < 10
    said = f"the connection was lost while {ALIAS} was leaving domain '{NAME}', and it is not known whether "
    assert f"{said}it did: " in str(caught.value)
    assert caught.value.exit_code == 5
    daemon.start()
