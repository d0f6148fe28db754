"""What stands in a domain besides disks and NICs, and in which slot."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tests.translate.building import back, disk, instance, nic, paths_lost_back, refusal, there
from virtxlate import PlacementError, Report
from virtxlate.domain import model as domain
from virtxlate.ganeti.hvinfo import HvInfo
from virtxlate.ganeti.model import Instance
from virtxlate.tables.display import VGAS

replace = msgspec.structs.replace


def slots(one: Instance) -> dict[str, int]:
    """Give the slot of each device that Ganeti does not place."""
    devices = there(one).devices
    fixed: list[tuple[str, Any]] = [
        *(("video", each.address) for each in devices.videos),
        *((str(each.model), each.address) for each in devices.controllers if each.type == "scsi"),
        *([("balloon", devices.memballoon.address)] if devices.memballoon else []),
    ]
    return {name: address.slot for name, address in fixed if address is not None}


def at(slot: int) -> HvInfo:
    return HvInfo(driver="virtio-net-pci", id=f"nic-{slot}", bus="pci.0", addr=hex(slot))


SLOTS: list[tuple[Instance, dict[str, int]]] = [
    (instance(), {"video": 2, "balloon": 3}),
    (instance(vga="none"), {"balloon": 2}),
    (instance(soundhw="hda"), {"video": 2, "balloon": 4}),
    (instance((disk(),), disk_type="scsi-hd"), {"video": 2, "lsilogic": 3, "balloon": 4}),
    (instance((disk(),), disk_type="scsi-hd", soundhw="hda"), {"video": 2, "lsilogic": 4, "balloon": 5}),
    (instance(disk_type="scsi-cd"), {"video": 2, "lsilogic": 3, "balloon": 4}),
    (instance(cdrom_disk_type="scsi-cd"), {"video": 2, "lsilogic": 3, "balloon": 4}),
    (instance((disk(),), disk_type="ide"), {"video": 2, "balloon": 3}),
    (instance(nics=(nic(hvinfo=at(2)),)), {"video": 3, "balloon": 4}),
    (instance(nics=(nic(hvinfo=at(3)),)), {"video": 2, "balloon": 4}),
    (instance((disk(hvinfo=at(2)),), (nic(hvinfo=at(3)),)), {"video": 4, "balloon": 5}),
    (instance((disk(hvinfo=at(2)),), (nic(hvinfo=at(3)),), disk_type="ide"), {"video": 2, "balloon": 4}),
    (instance((disk(),), (nic(),), kvm_pci_reservations=3), {"video": 2, "balloon": 5}),
]


@pytest.mark.parametrize(("one", "expected"), SLOTS)
def test_what_ganeti_does_not_place_takes_the_lowest_free_slots(
    one: Instance, expected: dict[str, int]
) -> None:
    assert slots(one) == expected


def test_a_bus_without_room_for_them_is_refused() -> None:
    full = tuple(nic(i % 10, uuid="", hvinfo=at(i)) for i in range(2, 32))
    with pytest.raises(PlacementError) as caught:
        there(instance(nics=full))
    assert str(caught.value) == "hvparams.vga: no room on pci.0: all 30 places from 2 to 31 are taken"


ALWAYS = domain.Devices(
    controllers=(
        domain.Controller(
            type="usb", index=0, model="piix3-uhci", address=domain.PciAddress(slot=1, function=2)
        ),
    ),
    parallels=(domain.Character(type="null", target_port=0),),
    videos=(domain.Video(type="vga", vram_kib=16384, heads=1, address=domain.PciAddress(slot=2)),),
    memballoon=domain.MemBalloon(model="virtio", address=domain.PciAddress(slot=3)),
)


def test_an_instance_without_devices_has_what_qemu_adds() -> None:
    found = there(instance(serial_console=False)).devices
    assert replace(found, disks=()) == ALWAYS


CDROMS: list[tuple[Instance, bool]] = [
    (instance(), True),
    (instance((disk(),)), True),
    (instance((disk(),), disk_type="ide"), False),
    (instance((disk(),), disk_type="scsi-hd"), False),
    (instance((disk(),), disk_type="scsi-cd"), False),
    (instance(disk_type="ide"), True),
    (instance((disk(),), cdrom_image_path="/a.iso"), True),
    (instance(disk_type="ide", cdrom_image_path="/a.iso"), False),
    (instance(cdrom_image_path="/a.iso", cdrom_disk_type="ide"), False),
    (instance(cdrom2_image_path="/a.iso", cdrom_disk_type="scsi-cd"), False),
    (instance(cdrom_disk_type="ide"), True),
]


@pytest.mark.parametrize(("one", "expected"), CDROMS)
def test_an_empty_cdrom_is_there_without_other_drives(one: Instance, expected: bool) -> None:
    devices = [each.device for each in there(one).devices.disks if each.source is None]
    assert devices == (["floppy", "cdrom"] if expected else ["floppy"])


@pytest.mark.parametrize(("word", "model"), VGAS.rows)
def test_a_video_goes_there_and_back(word: str, model: str) -> None:
    found = there(instance(vga=word))
    assert [video.type for video in found.devices.videos] == [model]
    assert back(found).hvparams.vga == word


def test_two_words_for_the_standard_vga_are_reported() -> None:
    found = there(instance(vga="std"))
    assert back(found).hvparams.vga == ""
    assert "hvparams.vga" in paths_lost_back(found)


def test_an_unknown_vga_is_refused() -> None:
    assert refusal(instance(vga="tcx")) == (
        "hvparams.vga: 'tcx' has no equal "
        "(these have: '', 'cirrus', 'vmware', 'qxl', 'virtio', 'none', 'std')"
    )


def test_no_video_is_none_and_a_second_one_is_reported() -> None:
    found = there(instance())
    without = replace(found, devices=replace(found.devices, videos=()))
    assert back(without).hvparams.vga == "none"
    two = replace(found, devices=replace(found.devices, videos=(domain.Video(type="qxl"),) * 2))
    report = Report()
    assert back(two, report=report).hvparams.vga == "qxl"
    assert [loss.value for loss in report.losses if loss.path == "videos"] == ["qxl"]


DRIVES = [
    (domain.Disk(type="file", device="floppy", target="fda", bus="fdc"), 0),
    (domain.Disk(type="file", device="cdrom", target="hdc", bus="ide"), 0),
    (domain.Disk(type="file", device="cdrom", target="hdc", bus="ide", source=domain.DiskSource()), 0),
    (
        domain.Disk(type="file", target="vda", bus="virtio", source=domain.DiskSource(file="/srv/a")),
        1,
    ),
]


@pytest.mark.parametrize(("drive", "count"), DRIVES)
def test_an_empty_drive_is_none_of_ganeti_s_disks(drive: domain.Disk, count: int) -> None:
    found = there(instance())
    assert len(back(replace(found, devices=domain.Devices(disks=(drive,)))).disks) == count


@pytest.mark.parametrize(
    ("word", "model", "cores"),
    [
        ("", "vga", 2),
        ("pc", "vga", 2),
        ("q35", "vga", 2),
        ("pc-q35-7.2", "vga", 2),
        ("pc-i440fx-6.1", "vga", 1),
        ("pc-i440fx-2.2", "vga", 1),
        ("pc-i440fx-2.1", "cirrus", 1),
        ("pc-i440fx-trusty", "cirrus", 1),
        ("pc-1.1", "cirrus", 1),
    ],
)
def test_an_older_machine_has_other_defaults(word: str, model: str, cores: int) -> None:
    found = there(instance(be={"vcpus": 2}, machine_version=word))
    assert (found.devices.videos[0].type, found.cpu and found.cpu.cores) == (model, cores)


def test_the_balloon_has_the_lower_slot_where_qemu_was_asked_for_it_first() -> None:
    one = instance((disk(),), disk_type="scsi-hd")
    slots = []
    for first in (False, True):
        devices = there(msgspec.structs.replace(one, balloon_first=first)).devices
        (scsi,) = (each.address for each in devices.controllers if each.type == "scsi")
        balloon = devices.memballoon.address if devices.memballoon is not None else None
        slots.append([each.slot for each in (scsi, balloon) if isinstance(each, domain.PciAddress)])
    assert slots == [[3, 4], [4, 3]]
