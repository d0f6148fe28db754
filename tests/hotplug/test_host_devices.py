"""Disks of type scsi-generic are host devices: they come, go, and are known again."""

from __future__ import annotations

import msgspec
import pytest

from tests.hotplug.domains import DISK_IDS, domain_of, ganeti, hotplug
from tests.hotplug.fake_domain import FakeDomain
from tests.translate.building import disk
from virtxlate import Context, Report, format_domain, parse_scsi_map, to_domain
from virtxlate.domain.document import parse_domain
from virtxlate.errors import OperationRefusedError
from virtxlate.ganeti.hvinfo import HvInfo
from virtxlate.ganeti.model import Disk
from virtxlate.hotplug.steps import line, to_dict

IQN = "iqn.2026-11.example:luns"
GENERIC = {"disk_type": "scsi-generic", "scsi_controller_type": "virtio-scsi-pci"}


def lun(number: int) -> Disk:
    """Give a disk of external storage that QEMU opens by iSCSI."""
    return msgspec.structs.replace(
        disk(number),
        template="ext",
        logical_id=("provider", f"lun{number}"),
        params={"access": "userspace"},
        uri=f"iscsi://192.0.2.9:3260/{IQN}/{number}",
    )


LUNS = tuple(map(lun, range(4)))


def passing(*disks: Disk, **hvparams: str) -> FakeDomain:
    return domain_of(ganeti(disks, 0, **{**GENERIC, **hvparams}))


def test_a_host_device_is_attached_at_the_next_place() -> None:
    found = passing(*LUNS[:2])
    done = hotplug(found).add_disk(LUNS[2])
    assert [line(step) for step in done.steps] == [
        f"attach hostdev {DISK_IDS[2]} ({IQN}/2) at controller 0 bus 0 target 2 unit 0"
    ]
    assert done.hvinfo == HvInfo(
        driver="scsi-generic", id=DISK_IDS[2][3:], bus="scsi.0", channel=0, scsi_id=2, lun=0
    )
    assert [step["kind"] for step in map(to_dict, done.steps)] == ["hostdev"]
    passed = parse_domain(found.live_xml(), []).devices.hostdevs
    assert [(each.alias, each.source and each.source.name) for each in passed] == [
        (DISK_IDS[number], f"{IQN}/{number}") for number in range(3)
    ]
    assert [each.uuid for each in hotplug(found).read().instance.disks] == [each.uuid for each in LUNS[:3]]


def test_a_disk_and_a_host_device_do_not_meet() -> None:
    found = passing(*LUNS[:2])
    mixed = hotplug(found, hvparams={"disk_type": "scsi-block"}).add_disk(LUNS[2])
    assert [line(step) for step in mixed.steps] == [
        f"attach disk {DISK_IDS[2]} (sda) at controller 0 bus 0 target 2 unit 0"
    ]
    back = hotplug(found).add_disk(LUNS[3])
    assert [line(step) for step in back.steps] == [
        f"attach hostdev {DISK_IDS[3]} ({IQN}/3) at controller 0 bus 0 target 3 unit 0"
    ]


@pytest.mark.parametrize("which", ["1", DISK_IDS[1], DISK_IDS[1][3:], LUNS[1].uuid, f"{IQN}/1"])
def test_a_host_device_goes_and_its_place_is_used_again(which: str) -> None:
    found = passing(*LUNS[:3])
    done = hotplug(found).remove("disk", which)
    assert [line(step) for step in done.steps] == [f"detach hostdev {DISK_IDS[1]}"]
    assert done.freed == (f"{IQN}/1",)
    assert [each.alias for each in parse_domain(found.live_xml(), []).devices.hostdevs] == [
        DISK_IDS[0],
        DISK_IDS[2],
    ]
    assert [line(step) for step in hotplug(found).add_disk(LUNS[3]).steps] == [
        f"attach hostdev {DISK_IDS[3]} ({IQN}/3) at controller 0 bus 0 target 1 unit 0"
    ]


def test_a_device_that_is_open_is_not_opened_again() -> None:
    found = passing(*LUNS[:2])
    again = msgspec.structs.replace(LUNS[2], uri=LUNS[1].uri)
    with pytest.raises(OperationRefusedError, match=rf"disks\[2\]: {IQN}/1 is open already as disks\[1\]"):
        hotplug(found).add_disk(again)


BLOCK = {"disk_type": "scsi-block"}
WWN = "/dev/disk/by-id/wwn-0x5000c500a1b2c3d4"
HOST = Context(
    scsi=parse_scsi_map(
        f"""
        [[device]]
        address = "2:0:1:4"
        block = "/dev/sdb"
        generic = "/dev/sg2"
        links = ["{WWN}"]
        [[device]]
        address = "2:0:1:5"
        block = "/dev/sdc"
        """
    )
)


def passed(number: int, path: str, **fields: str) -> Disk:
    return disk(number, template="blockdev", logical_id=("manual", path), **fields)


@pytest.mark.parametrize(("first", "second"), [(BLOCK, GENERIC), (GENERIC, BLOCK)], ids=["lun", "hostdev"])
@pytest.mark.parametrize("portal", ["192.0.2.9:3260", "192.0.2.9"])
def test_an_iscsi_lun_is_not_opened_as_the_other_kind_too(
    first: dict[str, str], second: dict[str, str], portal: str
) -> None:
    found = passing(*LUNS[:2], **first)
    again = msgspec.structs.replace(LUNS[2], uri=f"iscsi://{portal}/{IQN}/1")
    with pytest.raises(OperationRefusedError, match=rf"disks\[2\]: {IQN}/1 is open already as disks\[1\]"):
        hotplug(found, hvparams=second).add_disk(again)
    assert found.calls == []


def test_a_portal_without_a_port_is_that_of_iscsis_own() -> None:
    found = FakeDomain(passing(*LUNS[:2], **BLOCK).live_xml().replace(' port="3260"', ""))
    again = msgspec.structs.replace(LUNS[2], uri=LUNS[1].uri)
    with pytest.raises(OperationRefusedError, match=rf"{IQN}/1 is open already as disks\[1\]"):
        hotplug(found, hvparams=GENERIC).add_disk(again)


OPENED = {
    "lun by another name": (BLOCK, WWN, BLOCK, "/dev/sdb", "/dev/sdb"),
    "lun as host device": (BLOCK, WWN, GENERIC, "/dev/sdb", "scsi_host2 0:1:4"),
    "host device as lun": (GENERIC, "/dev/sdb", BLOCK, WWN, WWN),
    "host device as disk": (GENERIC, "/dev/sdb", {"disk_type": "scsi-hd"}, WWN, WWN),
}


@pytest.mark.parametrize("case", OPENED)
def test_a_device_of_the_host_is_not_opened_as_the_other_kind_too(case: str) -> None:
    first, path, second, other, said = OPENED[case]
    one = ganeti((passed(0, path),), 0, **{**GENERIC, **first})
    xml = format_domain(to_domain(one, msgspec.structs.replace(HOST, metadata=True), Report()))
    found = FakeDomain(xml)
    with pytest.raises(OperationRefusedError, match=rf"disks\[1\]: {said} is open already as disks\[0\]"):
        hotplug(found, context=HOST, hvparams=second).add_disk(passed(1, other))
    assert found.calls == []
    assert hotplug(found, context=HOST, hvparams=second).add_disk(passed(1, "/dev/sdc")).steps != ()


def test_a_device_that_both_only_read_is_opened_twice() -> None:
    found = FakeDomain(
        format_domain(to_domain(ganeti((passed(0, WWN, mode="ro"),), 0, **GENERIC), HOST, Report()))
    )
    on_hd = hotplug(found, context=HOST, hvparams={"disk_type": "scsi-hd"})
    assert on_hd.add_disk(passed(1, "/dev/sdb", mode="ro")).steps != ()


def test_a_whole_plan_brings_and_takes_host_devices_and_then_is_empty() -> None:
    found = passing(*LUNS[:2])
    wanted = ganeti((LUNS[0], LUNS[2]), 0, **GENERIC)
    assert [line(step) for step in hotplug(found).apply(wanted).steps] == [
        f"detach hostdev {DISK_IDS[1]}",
        f"attach hostdev {DISK_IDS[2]} ({IQN}/2) at controller 0 bus 0 target 1 unit 0",
    ]
    assert hotplug(found).plan(wanted).steps == ()


def test_another_way_to_the_same_lun_is_taken_out_and_put_back() -> None:
    found = passing(*LUNS[:2])
    moved = msgspec.structs.replace(LUNS[1], uri=f"iscsi://192.0.2.10:3260/{IQN}/1")
    place = "controller 0 bus 0 target 1 unit 0"
    assert [line(step) for step in hotplug(found).become_disk(moved).steps] == [
        f"detach hostdev {DISK_IDS[1]}",
        f"attach hostdev {DISK_IDS[1]} ({IQN}/1) at {place}",
    ]


def test_another_disk_type_waits_for_the_next_start() -> None:
    found = passing(*LUNS[:1])
    planned = hotplug(found).plan(ganeti(LUNS[:1], 0, **{**GENERIC, "disk_type": "scsi-block"}))
    assert planned.steps == ()
    assert planned.notes == ("disks[0]: it is a hostdev, for Ganeti a disk: that waits for the next start",)


TAKEN = {("scsi.0", 3): (0, 3), ("scsi1.0", 4): (1, 4), ("scsi1.0", 0): (0, 1), ("scsi5.0", 1): (0, 1)}


@pytest.mark.parametrize("known", TAKEN, ids=str)
def test_a_place_that_ganeti_has_is_given_on_the_same_controller_where_it_is_free(
    known: tuple[str, int],
) -> None:
    bus, number = known
    second = msgspec.structs.replace(LUNS[1], hvinfo=at_place("scsi1.0", 0, 1))
    found = passing(LUNS[0], second)
    placed = msgspec.structs.replace(LUNS[2], hvinfo=at_place(bus, number, 2))
    done = hotplug(found).add_disk(placed)
    controller, target = TAKEN[known]
    assert [line(step) for step in done.steps] == [
        f"attach hostdev {DISK_IDS[2]} ({IQN}/2) at controller {controller} bus 0 target {target} unit 0"
    ]


def at_place(bus: str, number: int, disk_number: int) -> HvInfo:
    name = DISK_IDS[disk_number][3:]
    return HvInfo(driver="scsi-generic", id=name, bus=bus, channel=0, scsi_id=number, lun=0)
