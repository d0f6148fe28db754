"""Every operation on a running guest, on every kind of disk and NIC; the guest itself confirms it.

Each test leaves the domain as it found it, to the last character of its devices: a fixture looks.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import pytest

from lab.network import bridge
from tests.live.plugged import Plugged, Seen, SeenDisk, SeenNic, disk, lines, nic, plugged, seen
from virtxlate.ganeti.hvinfo import HvInfo
from virtxlate.ganeti.model import Disk, Instance, Nic
from virtxlate.hotplug.facade import hotplug_device, hotplug_supported, verify_hotplug_support

if TYPE_CHECKING:
    from lab.embedded import EmbeddedLibvirt
    from lab.guest import GuestFiles

pytestmark = pytest.mark.live

DATA, WIRE = disk(1), nic(1)
DATA_ID, WIRE_ID = "disk-00000001-d15c-4000", "nic-00000001-0000-4000"
DATA_ALIAS, WIRE_ALIAS = f"ua-{DATA_ID}", f"ua-{WIRE_ID}"


class Case(NamedTuple):
    """A kind of hardware: where the guest sees what it starts with, and what is added."""

    hvparams: dict[str, Any]
    first: Seen
    data: SeenDisk
    data_hvinfo: HvInfo
    data_line: str
    wire: SeenNic
    wire_hvinfo: HvInfo
    needs_rescan: bool = False
    """The adapter tells the guest nothing: somebody inside has to look, or to let go."""


def on_pci(name: str, driver: str, slot: int) -> HvInfo:
    return HvInfo(driver=driver, id=name, bus="pci.0", addr=hex(slot))


def on_scsi(target: int) -> HvInfo:
    return HvInfo(driver="scsi-hd", id=DATA_ID, bus="scsi.0", channel=0, scsi_id=target, lun=0)


def first(disk_at: SeenDisk, nic_at: SeenNic) -> Seen:
    return Seen(frozenset({disk_at}), frozenset({nic_at}))


ZERO, ONE = "aa:00:00:00:00:00", "aa:00:00:00:00:01"
CASES = {
    "virtio": Case(
        {},
        first(SeenDisk("0c.0", None, 16), SeenNic("0d.0", ZERO, "virtio_net")),
        SeenDisk("0e.0", None, 1),
        on_pci(DATA_ID, "virtio-blk-pci", 0xE),
        f"attach disk {DATA_ALIAS} (vdb) at PCI bus 0 slot 0xe",
        SeenNic("0e.0", ONE, "virtio_net"),
        on_pci(WIRE_ID, "virtio-net-pci", 0xE),
    ),
    "scsi-hd on virtio-scsi": Case(
        {"disk_type": "scsi-hd", "scsi_controller_type": "virtio-scsi-pci"},
        first(SeenDisk("03.0", "0:0:0", 16), SeenNic("0c.0", ZERO, "virtio_net")),
        SeenDisk("03.0", "0:1:0", 1),
        on_scsi(1),
        f"attach disk {DATA_ALIAS} (sdb) at controller 0 bus 0 target 1 unit 0",
        SeenNic("0d.0", ONE, "virtio_net"),
        on_pci(WIRE_ID, "virtio-net-pci", 0xD),
    ),
    "scsi-hd on lsi, e1000": Case(
        {"disk_type": "scsi-hd", "scsi_controller_type": "lsi", "nic_type": "e1000"},
        first(SeenDisk("03.0", "0:0:0", 16), SeenNic("0c.0", ZERO, "e1000")),
        SeenDisk("03.0", "0:1:0", 1),
        on_scsi(1),
        f"attach disk {DATA_ALIAS} (sdb) at controller 0 bus 0 target 0 unit 1",
        SeenNic("0d.0", ONE, "e1000"),
        on_pci(WIRE_ID, "e1000", 0xD),
        needs_rescan=True,
    ),
}


@pytest.fixture(scope="module")
def other_bridge() -> Iterator[str]:
    with bridge() as name:
        yield name


class Running(NamedTuple):
    case: Case
    plug: Plugged
    bridges: dict[str, str]


@pytest.fixture(scope="module", params=CASES)
def started(
    request: pytest.FixtureRequest,
    libvirt_host: EmbeddedLibvirt,
    guest_files: GuestFiles,
    generic_guest_files: GuestFiles,
    bridge_name: str,
    other_bridge: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Running]:
    case, folder = CASES[request.param], tmp_path_factory.mktemp("images")
    files = generic_guest_files if case.needs_rescan else guest_files
    bridges = {"br0": bridge_name, "br1": other_bridge}
    with plugged(libvirt_host, files, folder, bridges, hvparams=case.hvparams) as plug:
        assert seen(plug.guest.console) == case.first
        yield Running(case, plug, bridges)


@pytest.fixture
def running(started: Running) -> Iterator[Running]:
    plug = started.plug
    before, kept = plug.guest.domain.XMLDesc(0), plug.kept()
    plug.write_images(DATA)
    yield started
    assert plug.kept() == kept
    assert plug.guest.domain.XMLDesc(0) == before
    plug.see(started.case.first)


def look_for_disks(running: Running) -> None:
    if running.case.needs_rescan:
        where = str(running.case.data.scsi).replace(":", " ")
        running.plug.guest.console.run(f"for s in /sys/class/scsi_host/*/scan; do echo {where} >$s; done")


def let_go(running: Running, each: SeenDisk) -> None:
    if running.case.needs_rescan:
        assert each.scsi is not None
        path = f"/sys/class/scsi_device/*:{each.scsi}/device/delete"
        running.plug.guest.console.run(f"for d in {path}; do echo 1 >$d; done")


def added(running: Running) -> None:
    running.plug.hotplug().add_disk(DATA)
    look_for_disks(running)
    running.plug.see(running.case.first.and_disks(running.case.data))


def removed(running: Running) -> None:
    let_go(running, running.case.data)
    running.plug.hotplug().remove("disk", DATA.uuid)


def with_devices(instance: Instance, *more: Disk | Nic) -> Instance:
    return msgspec.structs.replace(
        instance,
        disks=(*instance.disks, *(each for each in more if isinstance(each, Disk))),
        nics=(*instance.nics, *(each for each in more if isinstance(each, Nic))),
    )


def at(device: Any, hvinfo: HvInfo, **changes: Any) -> Any:
    return msgspec.structs.replace(device, hvinfo=hvinfo, **changes)


def test_a_disk_comes_and_goes(running: Running) -> None:
    case, plug = running.case, running.plug
    done = plug.hotplug().add_disk(DATA)
    assert (lines(done), done.hvinfo) == ([case.data_line], case.data_hvinfo)
    look_for_disks(running)
    plug.see(case.first.and_disks(case.data))
    assert plug.kept() == with_devices(plug.instance, at(DATA, case.data_hvinfo))
    let_go(running, case.data)
    gone = plug.hotplug().remove("disk", "1")
    assert (lines(gone), gone.hvinfo, gone.freed) == (
        [f"detach disk {DATA_ALIAS}"],
        None,
        (plug.path_of(DATA),),
    )
    assert [len(each.notes) for each in (done, gone)] == ([1, 1] if case.needs_rescan else [0, 0])
    plug.see(case.first)


def test_a_nic_comes_and_goes(running: Running) -> None:
    case, plug = running.case, running.plug
    done = plug.hotplug().add_nic(WIRE)
    place = f"PCI bus 0 slot {case.wire_hvinfo.addr}"
    assert (lines(done), done.hvinfo) == (
        [f"attach nic {WIRE_ALIAS} ({ONE}) at {place}"],
        case.wire_hvinfo,
    )
    plug.see(case.first.and_nics(case.wire))
    assert plug.kept() == with_devices(plug.instance, at(WIRE, case.wire_hvinfo))
    tap = tap_of(plug, WIRE_ALIAS)
    assert bridge_of(tap) == running.bridges["br0"]
    gone = plug.hotplug().remove("nic", ONE)
    assert (lines(gone), gone.hvinfo, gone.freed) == ([f"detach nic {WIRE_ALIAS}"], None, (tap,))
    plug.see(case.first)
    assert not Path("/sys/class/net", tap).exists()


def tap_of(plug: Plugged, alias: str) -> str:
    from lxml import etree  # noqa: PLC0415

    devices = etree.fromstring(plug.guest.domain.XMLDesc(0).encode()).find("devices")
    assert devices is not None
    (found,) = devices.xpath("interface[alias/@name=$alias]/target/@dev", alias=alias)
    return str(found)


def bridge_of(tap: str) -> str:
    return Path("/sys/class/net", tap, "master").resolve().name


def test_a_replaced_disk_comes_back_into_its_place(running: Running) -> None:
    case, plug = running.case, running.plug
    added(running)
    let_go(running, case.data)
    done = plug.hotplug().modify_disk(DATA.uuid, mode="ro")
    assert (lines(done), done.hvinfo) == (
        [f"detach disk {DATA_ALIAS}", case.data_line],
        case.data_hvinfo,
    )
    look_for_disks(running)
    plug.see(case.first.and_disks(case.data._replace(read_only=True)))
    assert plug.kept() == with_devices(plug.instance, at(DATA, case.data_hvinfo, mode="ro"))
    removed(running)


def test_a_replaced_nic_comes_back_into_its_place(running: Running) -> None:
    case, plug = running.case, running.plug
    plug.hotplug().add_nic(WIRE)
    other = "aa:00:00:00:00:77"
    done = plug.hotplug().modify_nic("1", mac=other)
    assert (lines(done), done.hvinfo) == (
        [
            f"detach nic {WIRE_ALIAS}",
            f"attach nic {WIRE_ALIAS} ({other}) at PCI bus 0 slot {case.wire_hvinfo.addr}",
        ],
        case.wire_hvinfo,
    )
    plug.see(case.first.and_nics(case.wire._replace(mac=other)))
    assert plug.kept() == with_devices(plug.instance, at(WIRE, case.wire_hvinfo, mac=other))
    plug.hotplug().remove("nic", other)


def test_a_bridge_changes_in_place(running: Running) -> None:
    case, plug = running.case, running.plug
    plug.hotplug().add_nic(WIRE)
    tap = tap_of(plug, WIRE_ALIAS)
    before = plug.live()
    done = plug.hotplug().modify_nic(WIRE.uuid, link="br1")
    assert (lines(done), done.hvinfo) == ([f"update nic {WIRE_ALIAS}: bridge"], case.wire_hvinfo)
    assert bridge_of(tap) == running.bridges["br1"]
    moved = msgspec.structs.replace(before.nics[WIRE_ALIAS], bridge=running.bridges["br1"])
    assert plug.live() == before._replace(nics={**before.nics, WIRE_ALIAS: moved})
    assert plug.kept() == with_devices(plug.instance, at(WIRE, case.wire_hvinfo, link="br1"))
    plug.see(case.first.and_nics(case.wire))
    plug.hotplug().remove("nic", WIRE.uuid)


def test_a_cable_is_pulled_and_put_in(running: Running) -> None:
    case, plug = running.case, running.plug
    plug.hotplug().add_nic(WIRE)
    plug.see(case.first.and_nics(case.wire))
    console = plug.guest.console
    (name,) = [each.name for each in console.nics() if each.mac == ONE]
    console.run(f"ip link set {name} up")

    def carrier() -> str:
        return console.run(f"cat /sys/class/net/{name}/carrier").strip()

    console.wait_for(carrier, "1".__eq__)
    for state, wanted in (("down", "0"), ("up", "1")):
        done = plug.hotplug().modify_nic(WIRE.uuid, state=state)
        assert lines(done) == [f"update nic {WIRE_ALIAS}: link {state}"]
        assert lines(plug.hotplug().modify_nic(WIRE.uuid, state=state)) == []
        console.wait_for(carrier, wanted.__eq__)
    plug.hotplug().remove("nic", WIRE.uuid)


def test_the_guest_sees_a_resized_disk(running: Running) -> None:
    case, plug = running.case, running.plug
    added(running)
    done = plug.hotplug().resize(DATA.uuid, 3 << 20)
    assert (lines(done), done.hvinfo) == (
        [f"resize disk {DATA_ALIAS} to {3 << 20} bytes"],
        case.data_hvinfo,
    )
    if running.case.needs_rescan:
        path = f"/sys/class/scsi_device/*:{case.data.scsi}/device/rescan"
        plug.guest.console.run(f"for d in {path}; do echo 1 >$d; done")
    plug.see(case.first.and_disks(case.data._replace(mib=3)))
    assert plug.kept() == with_devices(plug.instance, at(DATA, case.data_hvinfo, size_mib=3))
    removed(running)


def test_a_plan_is_carried_out_and_then_empty(running: Running) -> None:
    case, plug = running.case, running.plug
    hotplug = plug.hotplug()
    assert lines(hotplug.plan(plug.instance)) == []
    wanted = with_devices(plug.instance, DATA, WIRE)
    planned = hotplug.plan(wanted)
    done = hotplug.apply(wanted)
    assert done.steps == planned.steps
    assert [text.partition(" at ")[0] for text in lines(done)] == [
        case.data_line.partition(" at ")[0],
        f"attach nic {WIRE_ALIAS} ({ONE})",
    ]
    assert hotplug.plan(wanted).steps == ()
    look_for_disks(running)
    # On PCI the disk has taken the slot that a lone NIC gets.
    wire = case.wire if case.data.scsi else case.wire._replace(slot="0f.0")
    plug.see(case.first.and_disks(case.data).and_nics(wire))
    let_go(running, case.data)
    assert lines(hotplug.apply(plug.instance)) == [f"detach disk {DATA_ALIAS}", f"detach nic {WIRE_ALIAS}"]
    assert hotplug.plan(plug.instance).steps == ()
    plug.see(case.first)


def test_ganetis_own_calls_do_the_same(running: Running) -> None:
    case, plug = running.case, running.plug
    hotplug = plug.hotplug()
    hotplug_supported(hotplug)
    for action in ("hotadd", "hotremove", "hotmod"):
        verify_hotplug_support(hotplug, action, "disk")
        verify_hotplug_support(hotplug, action, "nic")
    as_ganeti_has_it: dict[str, Any] = {
        "uuid": DATA.uuid,
        "name": DATA.name,
        "dev_type": "file",
        "size": 1,
        "mode": "rw",
        "logical_id": list(DATA.logical_id),
        "params": {},
    }
    assert hotplug_device(hotplug, "hotadd", "disk", as_ganeti_has_it, (None, None), 1) == case.data_hvinfo
    look_for_disks(running)
    plug.see(case.first.and_disks(case.data))
    let_go(running, case.data)
    assert hotplug_device(hotplug, "hotremove", "disk", DATA) == case.data_hvinfo
    assert hotplug_device(hotplug, "hotadd", "nic", WIRE, None, 1) == case.wire_hvinfo
    moved = msgspec.structs.replace(WIRE, link="br1", mac="aa:00:00:00:00:78")
    assert hotplug_device(hotplug, "hotmod", "nic", moved) == case.wire_hvinfo
    plug.see(case.first.and_nics(case.wire._replace(mac=moved.mac)))
    assert bridge_of(tap_of(plug, WIRE_ALIAS)) == running.bridges["br1"]
    assert hotplug_device(hotplug, "hotremove", "nic", moved) == case.wire_hvinfo
    plug.see(case.first)
