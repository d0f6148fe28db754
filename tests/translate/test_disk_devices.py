"""Disks: types, addresses, caches and modes, there and back."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tests.translate.building import back, disk, instance, nic, paths_lost_back, refusal, there
from virtxlate import Context, GanetiDataError, PlacementError, Report, UnsupportedError, to_domain
from virtxlate.domain import model as domain
from virtxlate.ganeti.hvinfo import HvInfo
from virtxlate.tables.controller import by_ganeti
from virtxlate.translate import disk as disks
from virtxlate.translate.disk import drive_address, target_name

replace = msgspec.structs.replace

TYPES = [
    ("paravirtual", "virtio", "disk", "vda", domain.PciAddress(slot=12)),
    ("ide", "ide", "disk", "hdc", domain.DriveAddress(bus=1)),
    ("scsi-hd", "scsi", "disk", "sda", domain.DriveAddress()),
    ("scsi-cd", "scsi", "cdrom", "sda", domain.DriveAddress()),
]


@pytest.mark.parametrize(("word", "bus", "device", "target", "address"), TYPES)
def test_a_disk_type_becomes_bus_device_target_and_address(
    word: str, bus: str, device: str, target: str, address: domain.Address
) -> None:
    found = there(instance((disk(),), disk_type=word)).devices.disks[0]
    assert (found.bus, found.device, found.target, found.address) == (bus, device, target, address)


@pytest.mark.parametrize("word", [row[0] for row in TYPES])
def test_a_disk_type_comes_back(word: str) -> None:
    assert back(there(instance((disk(),), disk_type=word))).hvparams.disk_type == word


def test_the_old_scsi_comes_back_in_today_s_word_and_that_is_reported() -> None:
    found = there(instance((disk(),), disk_type="scsi"))
    assert back(found).hvparams.disk_type == "scsi-hd"
    assert "hvparams.disk_type" in paths_lost_back(found)


GEOMETRY = [
    ("lsi", "lsilogic", domain.DriveAddress(unit=5)),
    ("dc390", "am53c974", domain.DriveAddress(unit=5)),
    ("megasas", "lsisas1078", domain.DriveAddress(target=5)),
    ("virtio-scsi-pci", "virtio-scsi", domain.DriveAddress(target=5)),
]
AT_5 = HvInfo(driver="scsi-hd", id="disk-00000000-1111-4222", bus="scsi.0", channel=0, scsi_id=5, lun=0)


@pytest.mark.parametrize(("controller", "model", "address"), GEOMETRY)
def test_the_scsi_id_stands_where_the_controller_has_it(
    controller: str, model: str, address: domain.DriveAddress
) -> None:
    devices = there(
        instance((disk(hvinfo=AT_5),), disk_type="scsi-hd", scsi_controller_type=controller)
    ).devices
    assert [c.model for c in devices.controllers if c.type == "scsi"] == [model]
    assert devices.disks[0].address == address


@pytest.mark.parametrize("controller", [row[0] for row in GEOMETRY])
def test_the_scsi_id_comes_back(controller: str) -> None:
    found = there(instance((disk(hvinfo=AT_5),), disk_type="scsi-hd", scsi_controller_type=controller))
    assert back(found).disks[0].hvinfo == AT_5
    assert back(found).hvparams.scsi_controller_type == controller


@pytest.mark.parametrize("controller", ["virtio-scsi-pci", "megasas"])
def test_a_lun_comes_along(controller: str) -> None:
    hvinfo = replace(AT_5, lun=2)
    found = there(instance((disk(hvinfo=hvinfo),), disk_type="scsi-hd", scsi_controller_type=controller))
    assert found.devices.disks[0].address == domain.DriveAddress(target=5, unit=2)
    assert back(found).disks[0].hvinfo == hvinfo


@pytest.mark.parametrize("controller", ["virtio-scsi-pci", "megasas"])
def test_a_second_channel_is_refused_by_the_rule(controller: str) -> None:
    hvinfo = replace(AT_5, channel=1)
    one = instance((disk(hvinfo=hvinfo),), disk_type="scsi-hd", scsi_controller_type=controller)
    assert refusal(one) == (
        "disks[0]: a SCSI controller has one channel, bus 0; found '1'; "
        "write bus='0' and choose a free target, or unit on a parallel controller [scsi-channel]"
    )


@pytest.mark.parametrize("place", [{"channel": 1}, {"lun": 1}])
def test_a_controller_without_channels_and_luns_refuses_them(place: dict[str, int]) -> None:
    one = instance((disk(hvinfo=replace(AT_5, **place)),), disk_type="scsi-hd")
    assert refusal(one) == "disks[0].hvinfo: lsi has only channel 0 and lun 0"


def test_an_empty_scsi_address_is_the_first() -> None:
    nowhere = HvInfo(driver="scsi-hd", id="disk-1", bus="scsi.0")
    assert drive_address(by_ganeti("megasas"), nowhere, "at") == domain.DriveAddress()


LETTERS = [(0, "vda"), (25, "vdz"), (26, "vdaa"), (51, "vdaz"), (52, "vdba"), (701, "vdzz"), (702, "vdaaa")]


@pytest.mark.parametrize(("index", "name"), LETTERS)
def test_targets_are_counted_in_letters(index: int, name: str) -> None:
    assert target_name("vd", index) == name


CACHES = [
    ("default", "writeback", "default"),
    ("writeback", "writeback", "default"),
    ("none", "none", "none"),
    ("writethrough", "writethrough", "writethrough"),
]


@pytest.mark.parametrize(("word", "libvirt", "again"), CACHES)
def test_a_cache_word_goes_there_and_back(word: str, libvirt: str, again: str) -> None:
    found = there(instance((disk(),), disk_cache=word))
    assert found.devices.disks[0].cache == libvirt
    assert back(found).hvparams.disk_cache == again
    assert word == again or "hvparams.disk_cache" in paths_lost_back(found)


SHARED = ["blockdev", "sharedfile", "gluster", "ext"]


@pytest.mark.parametrize("template", SHARED)
def test_shared_storage_is_never_cached(template: str) -> None:
    one = disk(template=template, logical_id=("loop", "/srv/a"), device="/dev/x")
    found = there(instance((one,), disk_cache="writethrough"))
    assert found.devices.disks[0].cache == "none"
    assert "hvparams.disk_cache" in paths_lost_back(found)


WORDS = [
    ("disk_aio", "threads", "io"),
    ("disk_aio", "io_uring", "io"),
    ("disk_discard", "ignore", "discard"),
    ("disk_discard", "unmap", "discard"),
]


@pytest.mark.parametrize(("name", "word", "field"), WORDS)
def test_other_driver_words_are_the_same_on_both_sides(name: str, word: str, field: str) -> None:
    hvparams: dict[str, Any] = {name: word}
    found = there(instance((disk(),), **hvparams))
    assert getattr(found.devices.disks[0], field) == word
    assert getattr(back(found).hvparams, name) == word


def test_the_old_default_discard_is_ignore() -> None:
    found = there(instance((disk(),), disk_discard="default"))
    assert found.devices.disks[0].discard == "ignore"
    assert "hvparams.disk_discard" in paths_lost_back(found)


def test_a_disk_that_qemu_opens_by_itself_has_no_io_word() -> None:
    rbd = disk(template="rbd", logical_id=("rbd", "img"), params={"pool": "p", "access": "userspace"})
    found = there(instance((rbd,), disk_aio="native"))
    assert found.devices.disks[0].io is None
    assert "hvparams.disk_aio" in paths_lost_back(found)


@pytest.mark.parametrize("word", ["paravirtual", "scsi-hd"])
@pytest.mark.parametrize("mode", ["rw", "ro"])
def test_a_mode_goes_there_and_back(word: str, mode: str) -> None:
    found = there(instance((disk(mode=mode),), disk_type=word))
    assert found.devices.disks[0].readonly == (mode == "ro")
    assert back(found).disks[0].mode == mode


@pytest.mark.parametrize("mode", ["rw", "ro"])
def test_a_cdrom_is_read_only_whatever_the_mode(mode: str) -> None:
    found = there(instance((disk(mode=mode),), disk_type="scsi-cd"))
    assert found.devices.disks[0].readonly
    assert back(found).disks[0].mode == "rw"
    assert "disks[0].mode" in paths_lost_back(found)


def test_another_mode_is_refused() -> None:
    with pytest.raises(GanetiDataError) as caught:
        there(instance((disk(mode="w"),)))
    assert str(caught.value) == "disks[0].mode: expected 'rw' or 'ro', found 'w'"


REFUSED = [
    (
        {"disk_type": "sd"},
        (
            "hvparams.disk_type: 'sd': QEMU has no disk device of this name since Ganeti 3.1, "
            "and a PC has no SD card reader"
        ),
    ),
    (
        {"disk_type": "mtd"},
        "hvparams.disk_type: 'mtd': QEMU has no disk device of this name since Ganeti 3.1",
    ),
    (
        {"disk_type": "nvme"},
        (
            "hvparams.disk_type: 'nvme' has no equal "
            "(these have: 'paravirtual', 'ide', 'scsi-hd', 'scsi-cd', 'scsi-block', 'scsi-generic')"
        ),
    ),
    (
        {"disk_cache": "unsafe"},
        (
            "hvparams.disk_cache: 'unsafe' has no equal "
            "(these have: 'default', 'none', 'writethrough', 'writeback')"
        ),
    ),
    (
        {"disk_aio": "posix"},
        "hvparams.disk_aio: 'posix' has no equal (these have: 'threads', 'native', 'io_uring')",
    ),
    (
        {"disk_discard": "on"},
        "hvparams.disk_discard: 'on' has no equal (these have: 'ignore', 'unmap', 'default')",
    ),
    (
        {"disk_type": "scsi-hd", "scsi_controller_type": "pvscsi"},
        (
            "hvparams.scsi_controller_type: 'pvscsi' has no equal "
            "(these have: 'lsi', 'dc390', 'megasas', 'virtio-scsi-pci')"
        ),
    ),
]


@pytest.mark.parametrize(("hvparams", "message"), REFUSED)
def test_what_no_domain_can_have_is_refused(hvparams: dict[str, Any], message: str) -> None:
    assert refusal(instance((disk(),), **hvparams)) == message


def test_an_ide_disk_cannot_be_read_only() -> None:
    one = instance((disk(mode="ro"),), disk_type="ide")
    assert refusal(one) == "disks[0].mode: an IDE disk cannot be read-only"


def test_two_ide_disks_stand_on_the_secondary_channel() -> None:
    found = there(instance((disk(0), disk(1)), disk_type="ide")).devices.disks
    assert [(each.target, each.address) for each in found[:2]] == [
        ("hdc", domain.DriveAddress(bus=1, unit=0)),
        ("hdd", domain.DriveAddress(bus=1, unit=1)),
    ]


IDE_LIMITS: list[tuple[int, dict[str, Any], int]] = [
    (3, {}, 2),
    (2, {"cdrom_image_path": "/a.iso"}, 1),
    (1, {"cdrom_image_path": "/a.iso", "cdrom2_image_path": "/b.iso"}, 0),
    (2, {"cdrom_image_path": "/a.iso", "cdrom_disk_type": "ide"}, 1),
    (3, {"cdrom_image_path": "/a.iso", "cdrom_disk_type": "scsi-cd"}, 2),
]


@pytest.mark.parametrize(("count", "hvparams", "room"), IDE_LIMITS)
def test_ide_has_room_for_two_drives_cdroms_first(count: int, hvparams: dict[str, Any], room: int) -> None:
    one = instance(tuple(disk(i) for i in range(count)), disk_type="ide", **hvparams)
    with pytest.raises(PlacementError) as caught:
        to_domain(one, Context(), Report())
    assert str(caught.value) == f"disks[{room}]: IDE under Ganeti has room for {room} disks here"
    assert caught.value.bus == "ide.1"


def test_an_ide_cdrom_moves_the_first_disk_on() -> None:
    found = there(instance((disk(),), disk_type="ide", cdrom_image_path="/a.iso")).devices.disks[0]
    assert (found.target, found.address) == ("hdd", domain.DriveAddress(bus=1, unit=1))


def test_a_disk_that_was_not_placed_is_a_bug_of_the_caller() -> None:
    with pytest.raises(GanetiDataError) as caught:
        disks.to_domain(instance((disk(),)), 0, Context(), Report())
    assert str(caught.value) == "disks[0].hvinfo: expected a placed disk"


def test_a_disk_without_uuid_has_no_alias_and_that_is_reported_on_the_way_back() -> None:
    found = there(instance((disk(uuid=""),)))
    assert found.devices.disks[0].alias is None
    assert back(found).disks[0].hvinfo is None
    assert "disks[0].hvinfo" in paths_lost_back(found)


def test_two_devices_of_one_id_are_refused() -> None:
    twin = "00000000-1111-4222-9999-000000000000"
    with pytest.raises(GanetiDataError) as caught:
        there(instance((disk(), disk(uuid=twin))))
    assert str(caught.value) == "disks[1]: id 'disk-00000000-1111-4222' is that of disks[0] too"


CLAIMS: list[tuple[dict[str, Any], HvInfo, type[Exception], str]] = [
    (
        {},
        HvInfo(driver="virtio-blk-pci", id="d", bus="pci.0"),
        GanetiDataError,
        "disks[0].hvinfo: expected either addr, or channel, scsi-id and lun",
    ),
    (
        {"disk_type": "scsi-hd"},
        HvInfo(driver="virtio-blk-pci", id="d", bus="pci.0", addr="0xc"),
        GanetiDataError,
        "disks[0].hvinfo: expected an address on scsi.0, found one on 'pci.0'",
    ),
    (
        {},
        replace(AT_5),
        GanetiDataError,
        "disks[0].hvinfo: expected an address on pci.0, found one on 'scsi.0'",
    ),
    (
        {},
        HvInfo(driver="virtio-blk-pci", id="d", bus="pcie.0", addr="0xc"),
        UnsupportedError,
        "disks[0].hvinfo.bus: expected bus pci.0, found 'pcie.0'",
    ),
    (
        {"disk_type": "scsi-hd"},
        replace(AT_5, scsi_id=8),
        PlacementError,
        "disks[0]: 8 is not on scsi.0, which ends at 7",
    ),
]


@pytest.mark.parametrize(("hvparams", "hvinfo", "kind", "message"), CLAIMS)
def test_an_address_that_does_not_fit_is_refused(
    hvparams: dict[str, Any], hvinfo: HvInfo, kind: type[Exception], message: str
) -> None:
    with pytest.raises(kind) as caught:
        there(instance((disk(hvinfo=hvinfo),), **hvparams))
    assert str(caught.value) == message


def test_a_full_bus_is_refused() -> None:
    many = tuple(disk(uuid=f"{i:08d}-1111-4222-8333-444444444444") for i in range(20))
    with pytest.raises(PlacementError) as caught:
        there(instance(many, (nic(),)))
    assert str(caught.value) == "nics[0]: no room on pci.0: all 20 places from 12 to 31 are taken"


DISK = domain.Disk(
    type="block",
    source=domain.DiskSource(dev="/dev/xenvg/a"),
    target="vda",
    bus="virtio",
    driver_type="raw",
    cache="none",
    alias="ua-disk-1",
    address=domain.PciAddress(slot=5),
)


def of_disks(*found: domain.Disk, models: tuple[str, ...] = ()) -> domain.Domain:
    return domain.Domain(
        type="kvm",
        name="a",
        memory=domain.Memory(value=1024),
        os=domain.Os(),
        devices=domain.Devices(
            disks=found,
            controllers=tuple(
                domain.Controller(type="scsi", index=i or None, model=m) for i, m in enumerate(models)
            ),
        ),
    )


FOREIGN = [
    (replace(DISK, alias=None), "disks[0].hvinfo"),
    (replace(DISK, alias="virtio-disk0"), "disks[0].hvinfo"),
    (replace(DISK, address=None), "disks[0].hvinfo"),
    (replace(DISK, address=domain.PciAddress(bus=1, slot=5)), "disks[0].hvinfo"),
    (replace(DISK, address=domain.PciAddress(slot=5, function=1)), "disks[0].hvinfo"),
    (replace(DISK, address=domain.PciAddress(domain=1, slot=5)), "disks[0].hvinfo"),
    (replace(DISK, io=None), "hvparams.disk_aio"),
    (replace(DISK, discard=None), "hvparams.disk_discard"),
    (replace(DISK, cache=None), "hvparams.disk_cache"),
    (replace(DISK, cache="default"), "hvparams.disk_cache"),
]


@pytest.mark.parametrize(("found", "path"), FOREIGN)
def test_what_a_foreign_disk_does_not_tell_is_reported(found: domain.Disk, path: str) -> None:
    assert path in paths_lost_back(of_disks(found))


def test_a_foreign_disk_without_driver_is_raw() -> None:
    assert back(of_disks(replace(DISK, driver_type=None))).disks[0].logical_id == ("xenvg", "a")


REFUSED_BACK = [
    (
        replace(DISK, driver_type="qcow2"),
        "disks[0].template: Ganeti's disks are raw, found 'qcow2'",
    ),
    (
        replace(DISK, bus="sata"),
        (
            "disks[0].bus: 'sata' has no equal "
            "(these have: 'virtio disk', 'ide disk', 'scsi disk', 'scsi cdrom', 'scsi lun')"
        ),
    ),
    (
        replace(DISK, bus=None, device="lun"),
        (
            "disks[0].bus: None has no equal "
            "(these have: 'virtio disk', 'ide disk', 'scsi disk', 'scsi cdrom', 'scsi lun')"
        ),
    ),
    (
        replace(DISK, bus="scsi", address=domain.DriveAddress()),
        (
            "disks[0].hvinfo: None has no equal "
            "(these have: 'lsilogic', 'am53c974', 'lsisas1078', 'virtio-scsi')"
        ),
    ),
]


@pytest.mark.parametrize(("found", "message"), REFUSED_BACK)
def test_what_no_instance_can_have_is_refused(found: domain.Disk, message: str) -> None:
    with pytest.raises(UnsupportedError) as caught:
        back(of_disks(found))
    assert str(caught.value) == message


def test_disks_that_disagree_are_reported_and_the_first_speaks() -> None:
    other = replace(DISK, target="vdb", cache="writethrough", alias="ua-disk-2")
    found = of_disks(replace(DISK, cache="writeback"), other)
    report = Report()
    assert back(found, report=report).hvparams.disk_cache == "default"
    assert next(
        (loss.value, loss.reason) for loss in report.losses if loss.path == "hvparams.disk_cache"
    ) == (
        "default, writethrough",
        "Ganeti has one word for all disks",
    )


def test_more_than_one_controller_is_reported() -> None:
    report = Report()
    back(of_disks(models=("lsilogic", "virtio-scsi")), report=report)
    assert [loss.value for loss in report.losses if loss.path == "controllers"] == ["virtio-scsi"]


def test_absent_in_nothing_out() -> None:
    found = there(instance())
    assert [each.device for each in found.devices.disks] == ["floppy", "cdrom"]
    assert back(found).disks == ()
    assert {f"hvparams.{name}" for name in ("disk_type", "disk_cache", "disk_aio", "disk_discard")} <= (
        paths_lost_back(found)
    )
