"""What QEMU says, as a record."""

from __future__ import annotations

from typing import Any

import pytest

from tests.hardware.answers import ANSWERS, QTREE, Answers
from virtxlate.errors import InputError
from virtxlate.hardware import qtree
from virtxlate.hardware.describe import describe, glance
from virtxlate.hardware.model import Cpu, Device, Machine
from virtxlate.hardware.qtree import parse_qtree

FEATURES = "VIRTIO_BLK_F_DISCARD VIRTIO_BLK_F_FLUSH VIRTIO_F_VERSION_1 0x100"
DEVICES = (
    Device(
        path="PCI 01.0",
        bus="PCI",
        driver="PIIX3",
        pci="8086:7000 1af4:1100",
        properties={"addr": "01.0"},
    ),
    Device(path="PCI 01.0/ISA i8257", bus="ISA", driver="i8257", properties={"base": "192"}),
    Device(path="PCI 01.0/ISA i8257 #2", bus="ISA", driver="i8257", properties={"base": "0"}),
    Device(
        path="PCI 01.0/ISA isa-serial@0x3f8",
        bus="ISA",
        driver="isa-serial",
        properties={"index": "0", "iobase": "1016", "chardev": "serial0"},
    ),
    Device(
        path="PCI 01.1", bus="PCI", driver="piix3-ide", pci="8086:7010 1af4:1100", properties={"addr": "01.1"}
    ),
    Device(
        path="PCI 01.1/IDE 1/unit 0",
        bus="IDE",
        driver="ide-cd",
        properties={"drive": "ide1-cd0", "write-cache": "auto", "model": "", "unit": "0", "bootindex": "3"},
    ),
    Device(
        path="PCI 01.2",
        bus="PCI",
        driver="piix3-usb-uhci",
        pci="8086:7020 1af4:1100",
        properties={"addr": "01.2", "bootindex": "2", "virtio features": FEATURES},
    ),
    Device(
        path="PCI 01.2/usb-bus port 1",
        bus="usb-bus",
        driver="usb-tablet",
        properties={"usb_version": "2"},
    ),
    Device(
        path="PCI 03.0",
        bus="PCI",
        driver="lsi53c895a",
        id="scsi",
        pci="1000:0012 0000:1000",
        bars={"bar 0": "i/o 256"},
        properties={"addr": "03.0"},
    ),
    Device(
        path="PCI 03.0/SCSI 0:2:0",
        bus="SCSI",
        driver="scsi-cd",
        properties={"channel": "0", "scsi-id": "2", "lun": "0", "bootindex": "4"},
    ),
    Device(
        path="PCI 03.0/SCSI 0:5:0",
        bus="SCSI",
        driver="scsi-hd",
        id="disk-1",
        properties={
            "drive": "disk-1",
            "write-cache": "off",
            "device_id": "disk-1",
            "channel": "0",
            "scsi-id": "5",
            "lun": "0",
        },
    ),
    Device(
        path="PCI 0c.0",
        bus="PCI",
        driver="virtio-blk-pci",
        id="disk-0",
        pci="1af4:1001 1af4:0002",
        bars={"bar 0": "i/o 128"},
        properties={
            "addr": "0c.0",
            "romfile": "",
            "bootindex": "1",
            "virtio features": FEATURES,
        },
    ),
    Device(
        path="PCI 0c.0/virtio-pci-bus virtio-blk-device",
        bus="virtio-pci-bus",
        driver="virtio-blk-device",
        properties={"drive": "disk-0", "write-cache": "on"},
    ),
    Device(path="System hpet", bus="System", driver="hpet", properties={"timers": "3", "msi": "false"}),
    Device(
        path="System i440FX-pcihost",
        bus="System",
        driver="i440FX-pcihost",
        properties={"pci-hole64-size": "2147483648"},
    ),
    Device(
        path="none vmgenid",
        bus="none",
        driver="vmgenid",
        properties={"guid": "324e6eaf-d1d1-4bf6-bf41-b9bb6c91fb87"},
    ),
)


def test_a_machine_is_what_qemu_says() -> None:
    assert describe(Answers()) == Machine(
        type="pc-i440fx-7.2-machine",
        uuid="11111111-2222-4333-8444-55555555555a",
        memory=134217728,
        topology={"cpus": 1, "sockets": 1, "cores": 1},
        boot={"order": "c"},
        properties={"hpet": "True", "usb": "True"},
        cpu=Cpu(
            type="qemu64-x86_64-cpu",
            properties={
                "family": "15",
                "model": "107",
                "stepping": "1",
                "vendor": "AuthenticAMD",
                "model-id": "QEMU Virtual CPU version 2.5+",
                "level": "13",
                "xlevel": "2147483658",
                "xlevel2": "0",
                "phys-bits": "40",
                "hv-relaxed": "False",
                "hv-vendor-id": "None",
                "kvm": "True",
            },
            words={"1/EDX": 126614525, "7.0/EBX": 0},
        ),
        cpus=("core-id=0 socket-id=0",),
        devices=DEVICES,
        isa_order=("PCI 01.0/ISA isa-serial@0x3f8", "PCI 01.0/ISA i8257", "PCI 01.0/ISA i8257 #2"),
        memories={"pc.ram": 134217728, "0000:00:02.0/vga.vram": 16777216},
    )


WRONG: dict[str, dict[str, Any]] = {
    "query-uuid": {"query-uuid": {"uuid": "x"}},
    "query-memory-size-summary": {"query-memory-size-summary": {"base-memory": "128M"}},
    "query-hotpluggable-cpus": {"query-hotpluggable-cpus": [{"props": {"core-id": 0}}]},
    "query-block": {"query-block": {"device": "disk-0"}},
    "query-commands": {"query-commands": ["query-uuid"]},
    "x-query-virtio": {"x-query-virtio": [{"name": "virtio-blk"}]},
    "x-query-virtio-status": {"x-query-virtio-status": {"host-features": 5}},
    "qom-list": {"qom-list": [{"name": "type"}]},
    "human-monitor-command": {"human-monitor-command": 5},
    "info qtree": {"info qtree": "unknown command: 'info qtree'\r\n"},
}


@pytest.mark.parametrize("at", WRONG)
def test_an_answer_of_another_shape_is_refused_by_its_name(at: str) -> None:
    with pytest.raises(InputError, match=f"^{at}: "):
        describe(Answers(WRONG[at]))


def test_a_quick_look_has_no_switches_and_no_boot_indices() -> None:
    seen = glance(Answers())
    assert seen.cpu.properties.keys().isdisjoint({"kvm", "hv-relaxed", "hv-vendor-id"})
    assert [each.path for each in seen.devices if "bootindex" in each.properties] == []


def test_every_answer_is_needed() -> None:
    assert {command for command in ANSWERS if command not in WRONG} == set()


def test_a_qemu_that_does_not_tell_virtio_features_is_described_without() -> None:
    older = describe(Answers({"query-commands": [{"name": "query-uuid"}]}))
    assert [name for device in older.devices for name in device.properties if " " in name] == []
    assert len(older.devices) == len(DEVICES)


def test_a_text_too_long_or_too_deep_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    deep = "".join(f"{'  ' * level}bus: b\n" for level in range(qtree.MOST_DEPTH + 2))
    with pytest.raises(InputError, match=r"^info qtree: expected at most 32 levels, found 33$"):
        parse_qtree(deep)
    monkeypatch.setattr(qtree, "MOST_BYTES", len(QTREE) - 1)
    with pytest.raises(InputError, match=r"^info qtree: expected at most [0-9]+ characters, found [0-9]+$"):
        parse_qtree(QTREE)


def test_lines_that_nobody_knows_are_passed_over() -> None:
    lines = QTREE.splitlines()
    strange = [
        line for one in lines for line in (one, f"{' ' * (len(one) - len(one.lstrip()))}something new")
    ]
    assert parse_qtree("\n".join(strange)) == parse_qtree(QTREE)
