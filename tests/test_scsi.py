"""Devices of a host by every name, in a lookup file; which names survive a reboot."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from virtxlate.errors import MapError
from virtxlate.scsi import (
    ScsiAddress,
    ScsiDevice,
    ScsiMap,
    ScsiResolver,
    agreed,
    host_number,
    is_stable,
    may_be_scsi,
    parse_scsi_map,
    stable_of,
)

WWN = "/dev/disk/by-id/wwn-0x5000c500a1b2c3d4"
PATH = "/dev/disk/by-path/pci-0000:03:00.0-sas-phy0-lun-0"
DISK = ScsiDevice(address=ScsiAddress(2, 0, 1, 0), block="/dev/sdb", generic="/dev/sg1", links=(PATH, WWN))
TAPE = ScsiDevice(address=ScsiAddress(2, 0, 2, 0), generic="/dev/sg2")
NVME = ScsiDevice(block="/dev/nvme0n1", links=("/dev/disk/by-id/nvme-eui.0025",))
TOML = f"""
[[device]]
address = "2:0:1:0"
block = "/dev/sdb"
generic = "/dev/sg1"
links = ["{PATH}", "{WWN}"]

[[device]]
address = "2:0:2:0"
generic = "/dev/sg2"

[[device]]
block = "/dev/nvme0n1"
links = ["/dev/disk/by-id/nvme-eui.0025"]
"""
JSON = json.dumps(
    {
        "device": [
            {"address": "2:0:1:0", "block": "/dev/sdb", "generic": "/dev/sg1", "links": [PATH, WWN]},
            {"address": "2:0:2:0", "generic": "/dev/sg2"},
            {"block": "/dev/nvme0n1", "links": ["/dev/disk/by-id/nvme-eui.0025"]},
        ]
    }
)


@pytest.mark.parametrize("text", [TOML, JSON])
def test_a_lookup_file_is_toml_or_json(text: str) -> None:
    assert parse_scsi_map(text).devices == (DISK, TAPE, NVME)


def test_a_device_is_found_by_every_name_and_by_its_address() -> None:
    resolver: ScsiResolver = ScsiMap([DISK, TAPE, NVME])
    assert [resolver.device(path) for path in DISK.paths] == [DISK] * 4
    assert [resolver.at(ScsiAddress(2, 0, 2, 0)), resolver.device("/dev/sdc")] == [TAPE, None]
    assert resolver.at(ScsiAddress(2, 0, 3, 0)) is None


def test_the_best_name_says_what_the_device_is_then_where() -> None:
    assert (DISK.stable, TAPE.stable) == (WWN, None)
    assert stable_of([PATH]) == PATH
    assert stable_of([PATH, "/dev/disk/by-id/ata-X", "/dev/disk/by-id/scsi-35000"]) == (
        "/dev/disk/by-id/scsi-35000"
    )


@pytest.mark.parametrize(
    ("path", "stable"), [(WWN, True), (PATH, True), ("/dev/sdb", False), ("/dev/xenvg/sda", False)]
)
def test_a_running_number_is_no_stable_name(path: str, stable: bool) -> None:
    assert is_stable(path) is stable


NAMES = {
    True: (
        *(
            "/dev/sda",
            "/dev/sdaa",
            "/dev/sr0",
            "/dev/sg1",
            "/dev/st0",
            "/dev/dm-0",
            "/dev/mapper/mpatha",
            WWN,
        ),
        *(
            "/dev/disk/by-id/dm-uuid-mpath-3600144f0",
            "/dev/disk/by-id/scsi-SLUN-party1",
            PATH,
            "/dev/xenvg/sda1",
        ),
    ),
    False: (
        *(
            "/dev/sda1",
            "/dev/sdaa12",
            "/dev/nvme0n1",
            "/dev/nvme0n1p1",
            "/dev/loop0",
            "/dev/drbd1",
            "/dev/rbd0",
        ),
        *("/dev/rbd/pool/image", "/dev/md0", "/dev/md/data", f"{WWN}-part1", f"{PATH}-part12"),
        *("/dev/mapper/mpatha-part1", "/dev/disk/by-partuuid/0a", "/dev/disk/by-id/dm-uuid-LVM-x"),
        *("/dev/disk/by-id/dm-uuid-part1-mpath-3600144f0", "/dev/disk/by-id/nvme-eui.0025"),
    ),
}


@pytest.mark.parametrize("may_be", NAMES)
def test_a_partition_and_what_the_kernel_makes_is_no_whole_scsi_device(may_be: bool) -> None:
    assert [path for path in NAMES[may_be] if may_be_scsi(path) is not may_be] == []


def test_an_address_is_written_as_it_is_read() -> None:
    address = ScsiAddress.parse("2:0:1:16384")
    assert (str(address), address.adapter) == ("2:0:1:16384", "scsi_host2")
    assert [host_number(name) for name in ("scsi_host2", "host2", "scsi_host")] == [2, None, None]


@pytest.mark.parametrize("text", ["2:0:1", "2:0:1:0:0", "a:0:1:0", "2:0:1:-1", "2:0:1:0\n", "²:0:1:0"])
def test_an_address_is_four_numbers(text: str) -> None:
    with pytest.raises(ValueError, match="expected host:bus:target:unit, four numbers, found "):
        ScsiAddress.parse(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[device", "expected TOML or JSON: "),
        ("{", "expected TOML or JSON: "),
        ("[[disk]]", "expected 'device', found 'disk'"),
        ("device = 1", "device: expected a list of tables, [[device]]"),
        ("device = [1]", "device[0]: expected a table, found 1"),
        ("device = [{}]", "device[0]: expected address, block, generic, links, found nothing"),
        ("[[device]]\nwwn = 'x'", "device[0]: expected address, block, generic, links, found wwn"),
        ("[[device]]\naddress = '2:0'", "device[0].address: expected host:bus:target:unit, four numbers"),
        ("[[device]]\nblock = 'sdb'", "device[0].block: expected an absolute path, found 'sdb'"),
        ("[[device]]\nlinks = '/dev/sdb'", "device[0].links: expected a list of paths, found '/dev/sdb'"),
        ("[[device]]\nlinks = [1]", "device[0].links[0]: expected an absolute path, found 1"),
        ("[[device]]\nblock='/dev/a'\n[[device]]\ngeneric='/dev/a'", "device[1]: /dev/a is another device's"),
        ("[[device]]\naddress='1:0:0:0'\n[[device]]\naddress='1:0:0:0'", "device[1]: 1:0:0:0 is another"),
    ],
)
def test_a_lookup_file_that_makes_no_sense_is_refused(text: str, message: str) -> None:
    with pytest.raises(MapError) as caught:
        parse_scsi_map(text)
    assert str(caught.value).startswith(message)


OTHER = "/dev/disk/by-id/wwn-0x5000c500a1b2c3d5"
ODD = "/dev/mapper/data"
WHERE = ScsiAddress(2, 0, 1, 0)
SEEN = {
    "one device, by another link": (
        [ScsiDevice(address=WHERE, block="/dev/sdb", links=links) for links in ((PATH, WWN), (WWN, ODD))],
        [ScsiDevice(address=WHERE, block="/dev/sdb", links=(PATH, WWN, ODD))],
    ),
    "a name that another device had": (
        [ScsiDevice(block="/dev/sdb", links=(WWN,)), ScsiDevice(block="/dev/sdb", links=(OTHER,))],
        [ScsiDevice(block="/dev/sdb", links=(WWN,)), ScsiDevice(links=(OTHER,))],
    ),
    "a device that is elsewhere now": (
        [
            ScsiDevice(address=WHERE, block="/dev/sdb", links=(WWN,)),
            ScsiDevice(address=ScsiAddress(3, 0, 1, 0), block="/dev/sdc", links=(WWN,)),
        ],
        [
            ScsiDevice(address=WHERE, block="/dev/sdb", links=(WWN,)),
            ScsiDevice(address=ScsiAddress(3, 0, 1, 0), block="/dev/sdc"),
        ],
    ),
    "another device in its place": (
        [
            ScsiDevice(address=WHERE, block="/dev/sdb", generic="/dev/sg1", links=(WWN,)),
            ScsiDevice(address=WHERE, block="/dev/sdc", generic="/dev/sg1", links=(OTHER,)),
        ],
        [
            ScsiDevice(address=WHERE, block="/dev/sdb", generic="/dev/sg1", links=(WWN,)),
            ScsiDevice(block="/dev/sdc", links=(OTHER,)),
        ],
    ),
    "two without an address": ([NVME, ScsiDevice(block="/dev/dm-0")], [NVME, ScsiDevice(block="/dev/dm-0")]),
}


@pytest.mark.parametrize("case", SEEN)
def test_what_a_later_look_sees_does_not_contradict_an_earlier_one(case: str) -> None:
    looks, devices = SEEN[case]
    assert agreed(looks) == tuple(devices)


NODES = st.builds(
    ScsiDevice,
    address=st.sampled_from((None, WHERE, ScsiAddress(2, 0, 1, 1))),
    block=st.sampled_from((None, "/dev/sda", "/dev/sdb", "/dev/sdc")),
    generic=st.sampled_from((None, "/dev/sg0", "/dev/sg1")),
    links=st.lists(st.sampled_from((WWN, OTHER, PATH, ODD)), unique=True).map(tuple),
)


@given(st.lists(NODES))
def test_of_whatever_looks_there_is_a_map(looks: list[ScsiDevice]) -> None:
    devices = agreed(looks)
    known = ScsiMap(devices)
    assert agreed(devices) == devices
    assert {link for each in known.devices for link in each.links} == {
        x for each in looks for x in each.links
    }
