"""The running guest and its definition change together or apart, as asked; the next start agrees."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from lab.bootable import bootable, context_for
from lab.console import GuestConsole, console_path
from lab.embedded import remove_domain
from lab.no_os import guestless_domain
from tests.live.plugged import (
    INSTANCE,
    NAME,
    Plugged,
    Seen,
    SeenDisk,
    SeenNic,
    disk,
    lines,
    nic,
    opened,
    plugged,
    seen,
    told,
    write_images,
)
from virtxlate import Report, format_domain, parse_domain, place, to_domain
from virtxlate.domain import model as domain
from virtxlate.errors import OperationRefusedError
from virtxlate.ganeti.hvinfo import HvInfo
from virtxlate.hotplug.session import Hotplug, Options

if TYPE_CHECKING:
    from lab.embedded import EmbeddedLibvirt
    from lab.guest import GuestFiles

pytestmark = pytest.mark.live

BOTH: dict[str, Any] = {"live": True, "config": True}
FIRST = Seen(
    frozenset({SeenDisk("0c.0", None, 16)}), frozenset({SeenNic("0d.0", "aa:00:00:00:00:00", "virtio_net")})
)
ON_VIRTIO_SCSI = {"disk_type": "scsi-hd", "scsi_controller_type": "virtio-scsi-pci"}
ALL = FIRST.and_disks(SeenDisk("0e.0", None, 1), SeenDisk("04.0", "0:0:0", 3)).and_nics(
    SeenNic("0f.0", "aa:00:00:00:00:02", "virtio_net")
)


@pytest.fixture
def persistent(
    libvirt_host: EmbeddedLibvirt, guest_files: GuestFiles, bridge_name: str, tmp_path: Path
) -> Iterator[Plugged]:
    with plugged(libvirt_host, guest_files, tmp_path, {"br0": bridge_name}, persistent=True) as plug:
        yield plug


@contextmanager
def booted_again(running: Any) -> Iterator[GuestConsole]:
    with GuestConsole(console_path(running.XMLDesc(0))) as console:
        console.wait_ready()
        yield console


def controllers(xml: str) -> list[domain.Controller]:
    """Those of SCSI; an alias that libvirt gave a running one says nothing."""
    found = parse_domain(xml, []).devices.controllers
    return [msgspec.structs.replace(each, alias=None) for each in found if each.type == "scsi"]


def test_both_documents_change_and_the_next_start_has_all_in_place(persistent: Plugged) -> None:
    plug, running = persistent, persistent.guest.domain
    plug.write_images(disk(1), disk(3, 3))
    before = plug.live()
    assert plug.config() == before
    plug.hotplug(**BOTH).add_disk(disk(1))
    plug.hotplug(**BOTH).add_nic(nic(2))
    on_scsi = Hotplug(plug.port, context=plug.context, options=Options(**BOTH), hvparams=ON_VIRTIO_SCSI)
    done = on_scsi.add_disk(disk(3, 3))
    assert (lines(done), done.hvinfo) == (
        [
            "add scsi controller 0 (virtio-scsi) at PCI bus 0 slot 0x4",
            "attach disk ua-disk-00000003-d15c-4000 (sda) at controller 0 bus 0 target 0 unit 0",
        ],
        HvInfo(driver="scsi-hd", id="disk-00000003-d15c-4000", bus="scsi.0", channel=0, scsi_id=0, lun=0),
    )
    plug.see(ALL)
    both = plug.live()
    assert plug.config() == both
    assert controllers(running.XMLDesc(0)) == controllers(running.XMLDesc(2))
    kept = plug.kept()
    assert plug.hotplug(**BOTH).plan(kept).steps == ()
    plug.hotplug(config=True).remove("nic", nic(2).uuid)
    assert lines(plug.hotplug(**BOTH).apply(kept)) == [
        "attach nic ua-nic-00000002-0000-4000 (aa:00:00:00:00:02) at PCI bus 0 slot 0xf"
    ]
    assert plug.config() == both

    running.destroy()
    running.create()
    with booted_again(running) as console:
        assert seen(console) == ALL
        assert plug.live() == plug.config() == both
        assert plug.kept() == kept
        for kind, which in (("disk", disk(3).uuid), ("nic", nic(2).uuid), ("disk", disk(1).uuid)):
            on_scsi.remove(kind, which)
        console.wait_for(lambda: seen(console), FIRST.__eq__)
    assert plug.live() == plug.config() == before
    assert plug.kept() == plug.instance


def test_a_medium_comes_changes_and_is_ejected(persistent: Plugged) -> None:
    plug, console = persistent, persistent.guest.console

    def medium() -> str:
        console.run("head -c 1 /dev/sr0 >/dev/null 2>&1; true")  # to open a drive is to look what is in it
        return console.run("head -c 5 /dev/sr0 2>/dev/null; true")

    assert medium() == ""
    for name in ("one", "two"):
        path = plug.folder / f"{name}.iso"
        path.write_bytes(f"I am {name}".encode().ljust(2048 * 16))
        wanted = domain.Disk(
            type="file",
            device="cdrom",
            driver_name="qemu",
            driver_type="raw",
            source=domain.DiskSource(file=str(path)),
            target="hdc",
        )
        if name == "two":
            plug.hotplug(live=True).change_medium("hdc", wanted)
        done = plug.hotplug(**BOTH).change_medium("hdc", wanted)
        assert lines(done) == ["update cdrom ide0-1-0: medium"]
        assert plug.hotplug(**BOTH).change_medium("hdc", wanted).steps == ()
        assert media(plug) == [wanted.source, wanted.source]
        console.wait_for(
            lambda: console.run("dd if=/dev/sr0 bs=2048 count=1 2>/dev/null | head -c 8; true"),
            f"I am {name}".__eq__,
        )
    assert lines(plug.hotplug(**BOTH).change_medium("hdc", None)) == ["update cdrom ide0-1-0: eject"]
    console.wait_for(medium, "".__eq__)
    assert media(plug) == [None, None]


def test_a_cable_of_a_definition_follows_that_of_its_guest(
    libvirt_host: EmbeddedLibvirt, tmp_path: Path
) -> None:
    with guestless_domain(libvirt_host, tmp_path, name=NAME, persistent=True) as running:
        with opened(libvirt_host) as port:
            Hotplug(port, options=Options(live=True)).modify_nic("0", state="down")
            assert "<link state='down'/>" not in running.XMLDesc(2)
            for expected in (["update nic net0: link down"], []):
                done = Hotplug(port, options=Options(**BOTH)).modify_nic("0", state="down")
                assert lines(done) == expected
        assert ["<link state='down'/>" in running.XMLDesc(flags) for flags in (0, 2)] == [True, True]


def media(plug: Plugged) -> list[domain.DiskSource | None]:
    """What is in the drive, by the live XML and by the definition."""
    found: list[domain.DiskSource | None] = []
    for flags in (0, 2):
        drives = parse_domain(plug.guest.domain.XMLDesc(flags), []).devices.disks
        found += [each.source for each in drives if each.target == "hdc"]
    empty = domain.DiskSource()  # what a drive has that was ejected
    return [None if each == empty else each for each in found]


def test_a_definition_changes_alone(
    libvirt_host: EmbeddedLibvirt, guest_files: GuestFiles, bridge_name: str, tmp_path: Path
) -> None:
    placed = place(bootable(INSTANCE, guest_files))
    context = context_for(tmp_path, {"br0": bridge_name})
    write_images(tmp_path, disk(0, 16), disk(1), disk(3, 3))
    defined = libvirt_host.connection.defineXML(format_domain(to_domain(placed, context, Report())))
    try:
        with opened(libvirt_host) as port:
            before = told(defined.XMLDesc(2))
            hotplug = Hotplug(port, context=context)
            hotplug.add_disk(disk(1))
            assert hotplug.add_nic(nic(2)).hvinfo == HvInfo(
                driver="virtio-net-pci", id="nic-00000002-0000-4000", bus="pci.0", addr="0xf"
            )
            Hotplug(port, context=context, hvparams=ON_VIRTIO_SCSI).add_disk(disk(3, 3))
            changed, kept = told(defined.XMLDesc(2)), hotplug.read().instance
            assert kept != placed
            defined.create()
            with booted_again(defined) as console:
                assert seen(console) == ALL
                assert told(defined.XMLDesc(0)) == changed
                # While the guest runs: it keeps what it has until its next start.
                config = Hotplug(port, context=context, options=Options(config=True))
                for which in (disk(3).uuid, disk(1).uuid):
                    config.remove("disk", which)
                config.remove("nic", nic(2).uuid)
                assert told(defined.XMLDesc(2)) == before
                assert config.read().instance == placed
                assert told(defined.XMLDesc(0)) == changed
                assert hotplug.read().instance == kept
                assert seen(console) == ALL
    finally:
        remove_domain(defined)


def test_a_transient_domain_has_no_definition_to_change(
    libvirt_host: EmbeddedLibvirt, tmp_path: Path
) -> None:
    with guestless_domain(libvirt_host, tmp_path, name=NAME), opened(libvirt_host) as port:
        with pytest.raises(OperationRefusedError) as caught:
            Hotplug(port, options=Options(live=True, config=True)).add_nic(nic(1))
        assert str(caught.value) == (
            f"state: domain '{NAME}' is transient: it has no definition that could be changed"
        )
        assert caught.value.exit_code == 5
