"""Devices off a host's sysfs, by every name and back."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.live_door.fake_sysfs import FakeHost
from virtxlate.errors import LiveError
from virtxlate.live.sysfs import SysfsScsi
from virtxlate.scsi import ScsiAddress, ScsiDevice

WWN = "disk/by-id/wwn-0x5000c500a1b2c3d4"
ID = "disk/by-id/scsi-35000c500a1b2c3d4"
WHERE = "disk/by-path/pci-0000:00:1f.2-scsi-0:0:1:0"
DISK = ScsiDevice(
    address=ScsiAddress(2, 0, 1, 0),
    block="/dev/sdb",
    generic="/dev/sg1",
    links=(f"/dev/{ID}", f"/dev/{WWN}", f"/dev/{WHERE}"),
)
CDROM = ScsiDevice(address=ScsiAddress(2, 0, 3, 0), block="/dev/sr0", generic="/dev/sg2")
TAPE = ScsiDevice(
    address=ScsiAddress(10, 0, 0, 1075838976),
    generic="/dev/sg3",
    links=("/dev/tape/by-id/scsi-1TAPE-nst", "/dev/tape/by-id/scsi-1TAPE"),
)
ENCLOSURE = ScsiDevice(address=ScsiAddress(11, 0, 0, 0), generic="/dev/sg4")
BARE = ScsiDevice(address=ScsiAddress(12, 0, 0, 0))
SMART_ARRAY = ScsiDevice(address=ScsiAddress(13, 0, 0, 0), block="/dev/cciss/c0d0")
MULTIPATH = ScsiDevice(
    block="/dev/dm-0",
    links=(
        "/dev/disk/by-id/dm-name-mpatha",
        "/dev/disk/by-id/dm-uuid-mpath-36001405a",
        "/dev/mapper/mpatha",
    ),
)
LVM = ScsiDevice(block="/dev/dm-1", links=("/dev/mapper/vg-lv",))
PARTITION = ScsiDevice(block="/dev/sdb1")


@pytest.fixture
def host(tmp_path: Path) -> FakeHost:
    fake = FakeHost(tmp_path)
    fake.scsi(
        "2:0:1:0",
        {"block": ["sdb"], "scsi_generic": ["sg1"], "bsg": ["2:0:1:0"]},
        {WWN: "sdb", ID: "sdb", WHERE: "sdb"},
    )
    fake.scsi("2:0:3:0", {"block": ["sr0"], "scsi_generic": ["sg2"]})
    fake.scsi(
        "10:0:0:1075838976",
        {"scsi_generic": ["sg3"], "scsi_tape": ["nst0", "st0", "nst0a"]},
        {"tape/by-id/scsi-1TAPE": "st0", "tape/by-id/scsi-1TAPE-nst": "nst0"},
    )
    fake.scsi("11:0:0:0", {"scsi_generic": ["sg4"]})
    fake.scsi("12:0:0:0", {})
    fake.scsi("13:0:0:0", {"block": ["cciss!c0d0"]})
    fake.block(
        "dm-0",
        uuid="mpath-36001405a",
        links={
            "disk/by-id/dm-uuid-mpath-36001405a": "dm-0",
            "disk/by-id/dm-name-mpatha": "dm-0",
            "mapper/mpatha": "dm-0",
        },
    )
    fake.block("dm-1", uuid="LVM-abc", links={"mapper/vg-lv": "dm-1"})
    fake.block("sdb1")
    (tmp_path / "dev/mapper/control").touch()
    return fake


SCSI = (DISK, CDROM, TAPE, ENCLOSURE, BARE, SMART_ARRAY)
BY_PATH = {
    "/dev/sdb": DISK,
    "/dev/sg1": DISK,
    "/dev/bsg/2:0:1:0": DISK,
    "/dev/disk/by-id/../by-id/./wwn-0x5000c500a1b2c3d4": DISK,
    "/dev/st0": TAPE,
    "/dev/nst0": TAPE,
    "/dev/sdb1": PARTITION,
    "/dev/dm-1": LVM,
    "/dev/mapper/vg-lv": LVM,
    "/dev/sdz": None,
    "/dev/disk/by-id/wwn-0x0": None,
    "/dev/mapper/control": None,
    "/dev": None,
    "/": None,
    "/srv/disk.img": None,
    "sdb": None,
    "": None,
    "/dev/a\0b": None,
}


@pytest.mark.parametrize("device", [*SCSI, MULTIPATH], ids=lambda device: str(device.address))
def test_a_device_is_found_by_each_of_its_names(device: ScsiDevice, host: FakeHost) -> None:
    resolver = SysfsScsi(host.root)
    assert [resolver.device(path) for path in device.paths] == [device] * len(device.paths)


@pytest.mark.parametrize("device", SCSI, ids=lambda device: str(device.address))
def test_a_device_is_found_by_its_address(device: ScsiDevice, host: FakeHost) -> None:
    assert device.address is not None
    assert SysfsScsi(host.root).at(device.address) == device


@pytest.mark.parametrize("path", BY_PATH)
def test_a_path_leads_to_its_device_or_to_none(path: str, host: FakeHost) -> None:
    assert SysfsScsi(host.root).device(path) == BY_PATH[path]


def test_nothing_stands_at_another_address(host: FakeHost) -> None:
    assert SysfsScsi(host.root).at(ScsiAddress(2, 0, 2, 0)) is None


def test_all_devices_are_listed_scsi_by_number_then_multipath(host: FakeHost) -> None:
    assert SysfsScsi(host.root).devices() == (*SCSI, MULTIPATH)


def test_a_link_from_elsewhere_is_followed_inside_the_root(host: FakeHost) -> None:
    links = host.root / "var/run/ganeti/instance-disks"
    links.mkdir(parents=True)
    (links / "web1:0").symlink_to("/dev/disk/by-id/wwn-0x5000c500a1b2c3d4")
    (links / "web1:1").symlink_to("../../../../../../../../dev/sdb")
    resolver = SysfsScsi(host.root)
    assert resolver.device("/var/run/ganeti/instance-disks/web1:0") == DISK
    assert resolver.device("/var/run/ganeti/instance-disks/web1:1") == DISK


def test_a_circle_of_links_leads_nowhere(host: FakeHost) -> None:
    (host.root / "dev/one").symlink_to("other")
    (host.root / "dev/other").symlink_to("one")
    assert SysfsScsi(host.root).device("/dev/one") is None


def test_a_device_that_came_is_seen_by_a_new_look(host: FakeHost) -> None:
    old = SysfsScsi(host.root)
    assert old.devices()
    host.scsi("2:0:4:0", {"block": ["sdc"]}, {"disk/by-id/wwn-0x5": "sdc"})
    new = ScsiDevice(address=ScsiAddress(2, 0, 4, 0), block="/dev/sdc", links=("/dev/disk/by-id/wwn-0x5",))
    assert SysfsScsi(host.root).device("/dev/disk/by-id/wwn-0x5") == new


def test_a_host_without_scsi_has_no_devices(tmp_path: Path) -> None:
    (tmp_path / "sys/class").mkdir(parents=True)
    resolver = SysfsScsi(tmp_path)
    assert resolver.devices() == ()
    assert resolver.device("/dev/sda") is None
    assert resolver.at(ScsiAddress(0, 0, 0, 0)) is None


def test_a_host_without_sysfs_says_so(tmp_path: Path) -> None:
    with pytest.raises(LiveError, match="sysfs is not mounted"):
        SysfsScsi(tmp_path).devices()


def test_the_sysfs_of_this_host_is_read() -> None:
    resolver = SysfsScsi()
    assert all(resolver.device(path) for device in resolver.devices() for path in device.paths)
