"""Two machines, and what differs for the guest."""

from __future__ import annotations

import json

import msgspec
import pytest

from tests.hardware.answers import QTREE, RAM_BLOCKS, Answers
from virtxlate.hardware.compare import Difference, compare
from virtxlate.hardware.describe import describe

BEFORE = describe(Answers())
_DISK = QTREE[QTREE.index("      dev: virtio-blk-pci") : QTREE.index("      dev: lsi53c895a")]

EDITS: dict[str, tuple[str, str, list[Difference]]] = {
    "another address": (
        "addr = 03.0",
        "addr = 04.0",
        [
            Difference(
                kind="PCI",
                path="PCI 03.0",
                what="device",
                driver="lsi53c895a",
                before="lsi53c895a",
                after=None,
            ),
            Difference(
                kind="PCI",
                path="PCI 04.0",
                what="device",
                driver="lsi53c895a",
                before=None,
                after="lsi53c895a",
            ),
        ],
    ),
    "another driver takes what is behind it along": (
        "dev: lsi53c895a",
        "dev: am53c974",
        [
            Difference(
                kind="PCI",
                path="PCI 03.0",
                what="device",
                driver="lsi53c895a",
                before="lsi53c895a",
                after="am53c974",
            )
        ],
    ),
    "no disk": (
        _DISK,
        "",
        [
            Difference(
                kind="PCI",
                path="PCI 0c.0",
                what="device",
                driver="virtio-blk-pci",
                before="virtio-blk-pci",
                after=None,
            )
        ],
    ),
    "another SCSI id": (
        "scsi-id = 5 (0x5)",
        "scsi-id = 6 (0x6)",
        [
            Difference(
                kind="SCSI",
                path="PCI 03.0/SCSI 0:5:0",
                what="device",
                driver="scsi-hd",
                before="scsi-hd",
                after=None,
            ),
            Difference(
                kind="SCSI",
                path="PCI 03.0/SCSI 0:6:0",
                what="device",
                driver="scsi-hd",
                before=None,
                after="scsi-hd",
            ),
        ],
    ),
    "another property": (
        'device_id = "disk-1"',
        'device_id = "drive-1"',
        [
            Difference(
                kind="SCSI",
                path="PCI 03.0/SCSI 0:5:0",
                what="device_id",
                driver="scsi-hd",
                before="disk-1",
                after="drive-1",
            )
        ],
    ),
    "another card of that slot": (
        "pci id 8086:7020 (sub 1af4:1100)",
        "pci id 8086:7112 (sub 1af4:1100)",
        [
            Difference(
                kind="PCI",
                path="PCI 01.2",
                what="pci id",
                driver="piix3-usb-uhci",
                before="8086:7020 1af4:1100",
                after="8086:7112 1af4:1100",
            )
        ],
    ),
    "another size of a region": (
        "[0x7e]",
        "[0x3e]",
        [
            Difference(
                kind="PCI",
                path="PCI 0c.0",
                what="bar 0",
                driver="virtio-blk-pci",
                before="i/o 128",
                after="i/o 64",
            )
        ],
    ),
    "no property": (
        '        romfile = ""\n',
        "",
        [
            Difference(
                kind="PCI", path="PCI 0c.0", what="romfile", driver="virtio-blk-pci", before="", after=None
            )
        ],
    ),
}


@pytest.mark.parametrize("name", EDITS)
def test_a_device_that_differs_is_told(name: str) -> None:
    old, new, expected = EDITS[name]
    assert QTREE.count(old) == 1
    assert list(compare(BEFORE, describe(Answers({"info qtree": QTREE.replace(old, new)})))) == expected


def test_a_device_on_no_bus_is_compared_too() -> None:
    """QEMU's own list of devices does not show it."""
    without = msgspec.structs.replace(
        BEFORE, devices=tuple(each for each in BEFORE.devices if each.driver != "vmgenid")
    )
    assert compare(BEFORE, without) == (
        Difference(
            kind="none", path="none vmgenid", what="device", driver="vmgenid", before="vmgenid", after=None
        ),
    )


SAME = {
    "backends": ('chardev = "serial0"', 'chardev = "charserial0"'),
    "ids": ('dev: isa-serial, id ""', 'dev: isa-serial, id "serial0"'),
    "names of buses": ("bus: scsi.0", "bus: ua-scsi.0"),
    "where the firmware put a region": ("at 0xc000 [0xc0ff]", "at 0xffffffffffffffff [0xfe]"),
    "the USB port that was asked for": (
        "usb_version = 2 (0x2)",
        'usb_version = 2 (0x2)\n            port = "1"',
    ),
    "the address that a guest gave to a USB device": ("addr 0.0, port 1", "addr 0.2, port 1"),
}


@pytest.mark.parametrize("name", SAME)
def test_what_no_guest_sees_is_no_difference(name: str) -> None:
    old, new = SAME[name]
    assert QTREE.count(old) == 1
    assert compare(BEFORE, describe(Answers({"info qtree": QTREE.replace(old, new)}))) == ()


def test_the_machine_as_a_whole_is_compared() -> None:
    after = msgspec.structs.replace(
        BEFORE,
        type="pc-i440fx-6.1-machine",
        uuid="22222222-2222-4333-8444-55555555555a",
        memory=1 << 28,
        topology={"cpus": 1, "sockets": 1, "cores": 1, "dies": 1},
        boot={"order": "cad", "strict": "True"},
        properties={"hpet": "True", "usb": "False"},
        cpus=("core-id=0 socket-id=0", "core-id=1 socket-id=0"),
        cpu=msgspec.structs.replace(BEFORE.cpu, type="Haswell-x86_64-cpu", words={"1/EDX": 1, "7.0/EBX": 0}),
        memories={"pc.ram": 1 << 28},
    )
    told = [
        (d.kind, d.path if d.what == "bytes" else d.what, d.before, d.after) for d in compare(BEFORE, after)
    ]
    assert told == [
        ("machine", "type", "pc-i440fx-7.2-machine", "pc-i440fx-6.1-machine"),
        ("machine", "uuid", BEFORE.uuid, after.uuid),
        ("machine", "usb", "True", "False"),
        ("memory", "memory", "134217728", "268435456"),
        ("boot", "order", "c", "cad"),
        ("boot", "strict", None, "True"),
        ("topology", "dies", None, "1"),
        ("topology", "cpu 1", None, "core-id=1 socket-id=0"),
        ("cpu", "type", "qemu64-x86_64-cpu", "Haswell-x86_64-cpu"),
        ("cpu", "1/EDX", "0x78bfbfd", "0x1"),
        ("firmware memory", "0000:00:02.0/vga.vram", "16777216", None),
        ("firmware memory", "pc.ram", "134217728", "268435456"),
    ]


def test_devices_of_isa_in_another_order_are_one_difference() -> None:
    serial = QTREE[QTREE.index("          dev: isa-serial") : QTREE.index("          dev: i8257")]
    moved = QTREE.replace(serial, "") + serial
    assert compare(BEFORE, describe(Answers({"info qtree": moved}))) == (
        Difference(
            kind="ISA",
            path="ISA",
            what="order",
            before="isa-serial@0x3f8 i8257 i8257 #2",
            after="i8257 i8257 #2 isa-serial@0x3f8",
        ),
    )


def test_a_machine_is_the_same_as_itself() -> None:
    assert compare(BEFORE, BEFORE) == ()


def test_the_way_back_tells_the_same_turned_round() -> None:
    after = describe(Answers({"info qtree": QTREE.replace(_DISK, ""), "info ramblock": RAM_BLOCKS[:200]}))
    there, back = compare(BEFORE, after), compare(after, BEFORE)
    assert there
    assert [(d.path, d.what, d.before, d.after) for d in there] == [
        (d.path, d.what, d.after, d.before) for d in back
    ]


def test_a_difference_reads_as_a_sentence() -> None:
    first, second = compare(
        BEFORE, describe(Answers({"info qtree": QTREE.replace("addr = 03", "addr = 04")}))
    )
    assert (str(first), str(second)) == (
        "PCI 03.0 device: 'lsi53c895a' becomes nothing",
        "PCI 04.0 device: nothing becomes 'lsi53c895a'",
    )


def test_a_record_survives_json() -> None:
    assert msgspec.json.decode(msgspec.json.encode(BEFORE), type=type(BEFORE)) == BEFORE
    assert json.loads(msgspec.json.encode(BEFORE))["devices"][0]["path"] == "PCI 01.0"
