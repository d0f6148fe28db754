"""Guests that do not answer, or not yet: what is said is what is so, and a late release is noticed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lab.no_os import NIC_MAC, guestless_domain
from tests.live.plugged import (
    NAME,
    Asked,
    Plugged,
    Seen,
    SeenDisk,
    SeenNic,
    disk,
    lines,
    nic,
    opened,
    plugged,
)
from virtxlate.errors import (
    DomainStoppedError,
    OperationRefusedError,
    RemovalPendingError,
)
from virtxlate.hotplug.session import Hotplug, Options
from virtxlate.live.domain import LibvirtDomain

if TYPE_CHECKING:
    from lab.embedded import EmbeddedLibvirt
    from lab.guest import GuestFiles

pytestmark = pytest.mark.live

PENDING = (
    "{}: the guest has not released it after {:g} s; the request stands, and the device is still in use: "
    f"see virtxlate hvinfo {NAME}, and remove it again to finish"
)
TIMEOUT = 0.5


class NoOs:
    """A running domain in which nobody answers."""

    def __init__(self, running: Any, port: LibvirtDomain) -> None:
        self.running, self.port = running, port

    def hotplug(self, **options: Any) -> Hotplug:
        return Hotplug(self.port, options=Options(timeout=TIMEOUT, **options))

    def aliases(self) -> list[str | None]:
        return [each.info.alias for each in self.everything()]

    def everything(self) -> tuple[Any, ...]:
        snapshot = self.hotplug().read()
        return (*snapshot.disks, *snapshot.nics)


@pytest.fixture
def no_os(libvirt_host: EmbeddedLibvirt, tmp_path: Path) -> Iterator[NoOs]:
    with guestless_domain(libvirt_host, tmp_path, name=NAME) as running, opened(libvirt_host) as port:
        yield NoOs(running, port)


@pytest.mark.parametrize(
    ("kind", "which", "alias"), [("disk", "vda", "virtio-disk0"), ("nic", NIC_MAC, "net0")]
)
def test_a_guest_without_an_os_keeps_the_device_and_that_is_said(
    no_os: NoOs, kind: str, which: str, alias: str
) -> None:
    before = no_os.running.XMLDesc(0)
    for asks in (2, 1):  # to ask again, in one call or in two, is no failure
        begun = time.monotonic()
        with pytest.raises(RemovalPendingError) as caught:
            no_os.hotplug(force=True, asks=asks).remove(kind, which)
        assert TIMEOUT <= time.monotonic() - begun < TIMEOUT + 5
        assert str(caught.value) == PENDING.format(alias, TIMEOUT)
        assert (caught.value.alias, caught.value.exit_code) == (alias, 7)
    assert no_os.running.XMLDesc(0) == before


def test_a_scsi_disk_leaves_without_the_guest(no_os: NoOs) -> None:
    assert no_os.aliases() == ["virtio-disk0", "scsi0-0-3-0", "net0"]
    done = no_os.hotplug().remove("disk", "sda")
    assert lines(done) == ["detach disk scsi0-0-3-0"]
    assert no_os.aliases() == ["virtio-disk0", "net0"]


def test_what_the_guest_boots_from_stays_unless_forced(no_os: NoOs) -> None:
    before = no_os.running.XMLDesc(0)
    with pytest.raises(OperationRefusedError) as caught:
        no_os.hotplug().remove("disk", "vda")
    assert str(caught.value) == (
        "detach: virtio-disk0 stays: the guest boots from it (to be forced with --force)"
    )
    assert no_os.running.XMLDesc(0) == before
    with pytest.raises(RemovalPendingError):
        no_os.hotplug(force=True).remove("disk", "vda")


def test_a_domain_that_stops_ends_the_wait(no_os: NoOs) -> None:
    port = Asked(no_os.port)
    patient = Hotplug(port.as_port(), options=Options(timeout=60, force=True))
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(patient.remove, "disk", "vda")
        port.wait()
        begun = time.monotonic()
        no_os.running.destroy()
        with pytest.raises(DomainStoppedError) as caught:
            waiting.result(timeout=20)
    assert time.monotonic() - begun < 10
    assert str(caught.value) == f"detach: domain '{NAME}' stopped while virtio-disk0 was leaving it"


FIRST = Seen(
    frozenset({SeenDisk("0c.0", None, 16)}), frozenset({SeenNic("0d.0", "aa:00:00:00:00:00", "virtio_net")})
)
BOTH: dict[str, Any] = {"live": True, "config": True}
DATA_ALIAS, WIRE_ALIAS = "ua-disk-00000001-d15c-4000", "ua-nic-00000001-0000-4000"


@pytest.fixture
def paused(
    libvirt_host: EmbeddedLibvirt, guest_files: GuestFiles, bridge_name: str, tmp_path: Path
) -> Iterator[Plugged]:
    """A persistent domain with a disk and a NIC more, in both documents, whose guest is paused."""
    with plugged(libvirt_host, guest_files, tmp_path, {"br0": bridge_name}, persistent=True) as plug:
        plug.write_images(disk(1))
        plug.hotplug(**BOTH).add_disk(disk(1))
        plug.hotplug(**BOTH).add_nic(nic(1))
        plug.see(
            FIRST.and_disks(SeenDisk("0e.0", None, 1)).and_nics(
                SeenNic("0f.0", "aa:00:00:00:00:01", "virtio_net")
            )
        )
        plug.guest.domain.suspend()
        yield plug


def test_a_later_release_is_noticed(paused: Plugged) -> None:
    plug, running = paused, paused.guest.domain
    before, kept = [running.XMLDesc(0), running.XMLDesc(2)], plug.kept()
    with pytest.raises(OperationRefusedError) as caught:
        plug.hotplug(**BOTH).remove("disk", disk(1).uuid)
    assert str(caught.value) == (
        f"detach: {DATA_ALIAS} stays: the guest is paused, and cannot answer (to be forced with --force)"
    )
    for kind, which, alias in (("disk", disk(1).uuid, DATA_ALIAS), ("nic", nic(1).mac, WIRE_ALIAS)):
        with pytest.raises(RemovalPendingError) as pending:
            plug.hotplug(**BOTH, force=True, timeout=TIMEOUT).remove(kind, which)
        assert str(pending.value) == PENDING.format(alias, TIMEOUT)
    # A device that may still leave is left where it is: in both documents, and in Ganeti's data.
    assert [running.XMLDesc(0), running.XMLDesc(2)] == before
    assert plug.kept() == kept

    running.resume()
    plug.see(FIRST)
    # libvirt hears of it after the guest; its 9.0 dies of a request in between.
    plug.guest.console.wait_for(
        lambda: {*plug.live().disks, *plug.live().nics}, {DATA_ALIAS, WIRE_ALIAS}.isdisjoint
    )
    assert plug.kept() == kept
    for kind, which in (("disk", disk(1).uuid), ("nic", nic(1).mac)):
        done = plug.hotplug(**BOTH).remove(kind, which)
        assert (done.steps, done.notes) == ((), ("it had left the guest already",))
        assert len(done.freed) == (kind == "disk")
    assert plug.live() == plug.config()
    assert plug.kept() == plug.instance


def test_a_guest_that_answers_in_time_is_waited_for(paused: Plugged) -> None:
    plug = paused
    options = Options(**BOTH, force=True, timeout=60, asks=1)
    ports = [Asked(plug.port), Asked(plug.port)]
    patient = [Hotplug(each.as_port(), context=plug.context, options=options) for each in ports]
    with ThreadPoolExecutor() as pool:
        waiting = [
            pool.submit(patient[0].remove, "disk", disk(1).uuid),
            pool.submit(patient[1].remove, "nic", nic(1).mac),
        ]
        for each in ports:
            each.wait()
        assert not any(one.done() for one in waiting)
        plug.guest.domain.resume()
        done = [one.result(timeout=30) for one in waiting]
    assert [lines(one) for one in done] == [[f"detach disk {DATA_ALIAS}"], [f"detach nic {WIRE_ALIAS}"]]
    plug.see(FIRST)
    assert plug.live() == plug.config()
    assert plug.kept() == plug.instance
