"""scsi-block and scsi-generic: the device itself, or a refusal that names the fix."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from tests.translate.building import back, disk, instance, losses_there, refusal, there
from virtxlate import (
    Context,
    Loss,
    Renames,
    Report,
    Severity,
    UnsupportedError,
    parse_scsi_map,
    place,
    to_ganeti,
)
from virtxlate.domain import model as domain
from virtxlate.ganeti.hvinfo import HvInfo
from virtxlate.ganeti.model import Disk
from virtxlate.scsi import ScsiDevice, ScsiMap
from virtxlate.translate.hostdev import opened_by, same_device
from virtxlate.translate.placing import scsi_places

WWN = "/dev/disk/by-id/wwn-0x5000c500a1b2c3d4"
MAP = parse_scsi_map(
    f"""
    [[device]]
    address = "2:0:1:4"
    block = "/dev/sdb"
    generic = "/dev/sg2"
    links = ["{WWN}"]
    [[device]]
    address = "3:0:0:0"
    generic = "/dev/sg4"
    [[device]]
    block = "/dev/dm-0"
    """
)
HOST = Context(scsi=MAP)


def lost(found: domain.Domain, context: Context = HOST) -> tuple[Loss, ...]:
    report = Report()
    to_ganeti(replace(found, metadata=None), context, report)
    return report.losses


def passed(path: str = WWN, *, mode: str = "rw") -> Disk:
    return disk(template="blockdev", logical_id=("manual", path), mode=mode)


def generic(path: str = WWN, **hvparams: Any) -> Any:
    return instance((passed(path),), disk_type="scsi-generic", **hvparams)


LUN_REFUSED = [
    (
        disk(),
        (
            "disks[0].template: a plain disk is no SCSI device: use disk_type scsi-hd, or name the device in "
            'the map, [disks] "UUID" = "/dev/disk/by-id/..."'
        ),
    ),
    (
        disk(template="file", logical_id=("loop", "/srv/a.img")),
        (
            "disks[0]: a lun needs a SCSI device: type block, network with protocol iscsi, or a volume of "
            "such a pool: one of block, network, volume; found 'file'; name a SCSI disk of the host as "
            "type='block', or make the disk device='disk' [lun-source]"
        ),
    ),
    (
        passed(mode="ro"),
        (
            "disks[0]: a lun has no readonly; leave it out and protect the device itself, or make the disk "
            "device='disk' [lun-readonly]"
        ),
    ),
    (
        disk(template="ext", logical_id=(), params={"access": "userspace"}, uri="rbd:rbd/a"),
        (
            "disks[0]: a lun needs a SCSI device: type block, network with protocol iscsi, or a volume of "
            "such a pool; found 'rbd'; name a SCSI disk of the host as type='block', or make the disk "
            "device='disk' [lun-source]"
        ),
    ),
]


NVME = "/dev/disk/by-id/by-hand"
OTHERS = Context(
    scsi=ScsiMap([ScsiDevice(block="/dev/nvme0n1", links=(NVME,)), ScsiDevice(block="/dev/dm-3")])
)


def test_what_its_host_knows_to_be_no_scsi_device_is_refused_with_the_fix() -> None:
    one = instance((passed(NVME),), disk_type="scsi-block")
    assert refusal(one, OTHERS) == (
        f"disks[0]: {NVME} is /dev/nvme0n1, which is no whole SCSI device: use disk_type scsi-hd, or name "
        'another in the map, [disks] "UUID" = "/dev/disk/by-id/..."'
    )
    multipath = instance((passed("/dev/dm-3"),), disk_type="scsi-block")
    assert there(multipath, OTHERS).devices.disks[0].device == "lun"


@pytest.mark.parametrize(("one", "message"), LUN_REFUSED)
def test_what_is_no_scsi_device_is_refused_with_the_fix(one: Disk, message: str) -> None:
    assert refusal(instance((one,), disk_type="scsi-block")) == message


def test_a_lun_is_never_cached_whatever_the_parameter_says() -> None:
    one = instance((disk(),), disk_type="scsi-block", disk_cache="writethrough")
    context = Context(renames=Renames({"disks": {disk().uuid: WWN}}))
    found = there(one, context).devices.disks[0]
    assert (found.device, found.cache) == ("lun", "none")
    (loss,) = losses_there(one, context)
    assert (loss.path, loss.value) == ("hvparams.disk_cache", "writethrough")


def test_a_lun_has_no_property_that_scsi_block_lacks() -> None:
    """Ganeti's own start fails on write-cache, which libvirt asks for on emulated disks only."""
    (found,) = there(instance((passed(),), disk_type="scsi-block")).devices.disks[:1]
    assert replace(found, alias=None, boot_order=None) == domain.Disk(
        type="block",
        device="lun",
        driver_name="qemu",
        driver_type="raw",
        cache="none",
        io="threads",
        discard="ignore",
        source=domain.DiskSource(dev=WWN),
        target="sda",
        bus="scsi",
        address=domain.DriveAddress(),
    )


@pytest.mark.parametrize("path", [WWN, "/dev/sdb", "/dev/sg2"])
def test_a_host_device_is_found_by_any_of_its_names(path: str) -> None:
    found = there(generic(path), HOST)
    assert found.devices.hostdevs[0].source == domain.HostdevSource(
        adapter="scsi_host2", bus="0", target="1", unit="4"
    )
    assert to_ganeti(found, Context(), Report()).disks[0].logical_id == ("manual", path)


def test_without_metadata_the_stable_name_comes_back() -> None:
    found = there(generic("/dev/sdb"), HOST)
    came = back(replace(found, metadata=None), HOST)
    assert (came.disks[0].logical_id, came.hvparams.disk_type) == (("manual", WWN), "scsi-generic")


def test_an_adapter_without_a_stable_name_is_seen_by_the_guest_one_day() -> None:
    (loss,) = losses_there(generic("/dev/sg4"), HOST)
    assert (loss.path, loss.value) == ("disks[0].adapter", "scsi_host3: /dev/sg4")
    assert loss.severity == Severity.GUEST_VISIBLE


GENERIC_REFUSED = [
    (
        Context(),
        WWN,
        (
            f"disks[0]: nothing tells the SCSI address of {WWN}: `virtxlate scsi-map` on its host writes "
            "a file of them; give it with --scsi-map"
        ),
    ),
    (HOST, "/dev/sdz", "disks[0]: the SCSI map has no device /dev/sdz: is it that of the right host?"),
    (
        HOST,
        "/dev/dm-0",
        "disks[0]: /dev/dm-0 is no SCSI device: use disk_type scsi-hd, or pass one of its paths",
    ),
]


@pytest.mark.parametrize(("context", "path", "message"), GENERIC_REFUSED)
def test_a_host_device_that_nothing_finds_is_refused(context: Context, path: str, message: str) -> None:
    assert refusal(generic(path), context) == message


def test_a_host_device_that_nothing_names_does_not_come_back_without_metadata() -> None:
    found = replace(there(generic(), HOST), metadata=None)
    with pytest.raises(
        UnsupportedError, match=r"disks\[0\]\.logical_id: nothing tells which device is 2:0:1:4"
    ):
        to_ganeti(found, Context(), Report())


def test_host_devices_of_another_kind_are_reported() -> None:
    found = there(instance((disk(),)))
    other = replace(found.devices, hostdevs=(domain.Hostdev(type="pci"),))
    assert ("hostdevs[0]", "pci") in [(each.path, each.value) for each in lost(replace(found, devices=other))]


def test_what_ganeti_has_no_word_for_is_reported() -> None:
    found = there(instance((passed(),), disk_type="scsi-block"))
    lun = replace(found.devices.disks[0], rawio=True, sgio="filtered", shareable=True)
    controllers = tuple(
        replace(each, queues=4) if each.type == "scsi" else each for each in found.devices.controllers
    )
    edited = replace(found, devices=replace(found.devices, disks=(lun,), controllers=controllers))
    told = {each.path: each.value for each in lost(edited) if each.reason == "Ganeti has no word for it"}
    assert told == {
        "disks[0].rawio": True,
        "disks[0].sgio": "filtered",
        "disks[0].shareable": True,
        "controllers[0].queues": 4,
    }


def test_a_cdrom_on_scsi_takes_the_place_after_the_disks() -> None:
    """Ganeti gives it no scsi-id: it takes that of the first disk, and QEMU does not start."""
    placed = place(instance((disk(0), disk(1)), disk_type="scsi-hd"))
    places = scsi_places(placed)
    assert [places.take("cdrom1"), places.take("cdrom2")] == [(0, 2), (0, 3)]


def test_a_target_that_a_disk_left_is_the_next_ones() -> None:
    placed = place(instance((disk(0), disk(1), disk(2)), disk_type="scsi-hd"))
    without = replace(placed, disks=(placed.disks[0], placed.disks[2], disk(3)))
    ids = [one.hvinfo.scsi_id for one in place(without).disks if one.hvinfo is not None]
    assert ids == [0, 2, 1]


@pytest.mark.parametrize(
    ("controller", "places"),
    [
        ("lsi", [(0, 6), (1, 0), (1, 6), (2, 0), (2, 1)]),
        ("dc390", [(0, 6), (1, 0), (1, 6), (2, 0), (2, 1)]),
        ("megasas", [(0, 6), (0, 7), (0, 13), (0, 14), (0, 15)]),
        ("virtio-scsi-pci", [(0, 6), (0, 7), (0, 13), (0, 14), (0, 15)]),
    ],
)
def test_disks_spill_over_where_a_controller_is_full(controller: str, places: list[tuple[int, int]]) -> None:
    uuids = (f"{number:08x}-1111-4222-8333-444444444444" for number in range(16))
    disks = tuple(replace(passed(f"{WWN}{number}"), uuid=uuid) for number, uuid in enumerate(uuids))
    found = there(instance(disks, disk_type="scsi-hd", scsi_controller_type=controller))
    own = [one.address for one in found.devices.disks if isinstance(one.address, domain.DriveAddress)]
    told = [(one.controller, one.unit or one.target) for one in own]
    assert [told[number] for number in (6, 7, 13, 14, 15)] == places
    scsi = [each.index for each in found.devices.controllers if each.type == "scsi"]
    assert scsi == list(range(places[-1][0] + 1))


@pytest.mark.parametrize("bus", ["scsi.1", "scsi16.0", "scsi0.0", "pci.0"])
def test_a_bus_that_is_no_scsi_controller_is_refused(bus: str) -> None:
    one = replace(disk(), hvinfo=HvInfo(driver="scsi-hd", id="disk-1", bus=bus, channel=0, scsi_id=0, lun=0))
    assert refusal(instance((one,), disk_type="scsi-hd")) == (
        f"disks[0].hvinfo.bus: expected bus scsi.0, found {bus!r}"
    )


def test_a_disk_that_ganeti_had_at_the_controllers_own_id_stays_there_and_is_reported() -> None:
    one = replace(
        disk(), hvinfo=HvInfo(driver="scsi-hd", id="disk-1", bus="scsi.0", channel=0, scsi_id=7, lun=0)
    )
    (loss,) = losses_there(instance((one,), disk_type="scsi-hd"))
    assert (loss.path, loss.value, loss.severity) == ("disks[0]", "7", Severity.GUEST_VISIBLE)
    assert loss.reason.endswith("[scsi-initiator]")


URI: dict[str, Any] = {"template": "ext", "logical_id": (), "params": {"access": "userspace"}}
NO_COMMANDS = [
    (
        disk(**URI, uri="rbd:rbd/a"),
        "disks[0].uri: a rbd image takes no SCSI commands: use disk_type scsi-hd",
    ),
    (
        disk(template="file", logical_id=("loop", "/srv/a.img")),
        "disks[0].template: a file takes no SCSI commands: use disk_type scsi-hd",
    ),
]


@pytest.mark.parametrize(("one", "message"), NO_COMMANDS)
def test_what_takes_no_commands_is_no_host_device(one: Disk, message: str) -> None:
    assert refusal(instance((one,), disk_type="scsi-generic"), HOST) == message


@pytest.mark.parametrize("adapter", ["host2", None])
def test_an_adapter_of_another_name_is_refused(adapter: str | None) -> None:
    found = there(generic(), HOST)
    odd = domain.Hostdev(
        type="scsi", source=domain.HostdevSource(adapter=adapter, bus="0", target="0", unit="0")
    )
    with pytest.raises(
        UnsupportedError, match="expected an adapter such as scsi_host2 with bus, target and unit"
    ):
        lost(replace(found, devices=replace(found.devices, hostdevs=(odd,))))


def test_a_host_device_is_a_disk_of_the_file_by_any_of_its_names() -> None:
    found = there(generic("/dev/sdb"), HOST).devices.hostdevs[0]
    source = opened_by(found, HOST)
    assert source == domain.DiskSource(dev=WWN)
    assert [one.dev for one in same_device(source, HOST)] == [WWN, "/dev/sdb", "/dev/sg2", WWN]
    assert (opened_by(found, Context()), same_device(None, HOST)) == (None, ())
    assert same_device(source, Context()) == (source,)


@pytest.mark.parametrize(("name", "lun"), [("iqn.2026-01.example:san", 0), ("iqn.2026-01.example:san/3", 3)])
def test_an_iscsi_name_without_a_lun_is_that_of_lun_0(name: str, lun: int) -> None:
    uri = f"iscsi://192.0.2.9:3260/iqn.2026-01.example:san/{lun}"
    one = disk(template="ext", logical_id=(), params={"access": "userspace"}, uri=uri)
    found = there(instance((one,), disk_type="scsi-generic"))
    (hostdev,) = found.devices.hostdevs
    assert hostdev.source is not None
    named = replace(hostdev, source=replace(hostdev.source, name=name))
    told = back(replace(found, devices=replace(found.devices, hostdevs=(named,))))
    assert [each.uri for each in told.disks] == [uri]
