"""What each difference means: every row of the table, and what no row knows."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from virtxlate.handover.differences import ROWS, Meaning, fatal, fatal_besides, judge
from virtxlate.hardware.model import Cpu, Device, Machine

FEATURES = "virtio features"


def device(path: str, driver: str = "edu", bus: str = "PCI", **properties: str) -> Device:
    return Device(path=path, bus=bus, driver=driver, properties=properties)


def nic(features: str | None, csum: str) -> tuple[Device, Device]:
    told = {} if features is None else {FEATURES: features}
    return (
        Device(path="PCI 0d.0", bus="PCI", driver="virtio-net-pci", properties=told),
        Device(
            path="PCI 0d.0/virtio-pci-bus virtio-net-device",
            bus="virtio-pci-bus",
            driver="virtio-net-device",
            properties={"csum": csum},
        ),
    )


def machine(*devices: Device, **fields: Any) -> Machine:
    usual: dict[str, Any] = {
        "type": "pc-i440fx-7.2-machine",
        "uuid": "u",
        "memory": 1,
        "topology": {"cores": 1},
        "boot": {"order": "c"},
        "properties": {"usb": "True", "kernel": "/k"},
        "cpu": Cpu(type="qemu64-x86_64-cpu"),
        "cpus": ("core-id=0",),
        "devices": devices,
        "isa_order": (),
        "memories": {"vga.vram": 16},
    }
    return Machine(**{**usual, **fields})


def meanings(before: Machine, after: Machine) -> dict[str, Meaning]:
    return {each.difference.what: each.meaning for each in judge(before, after)}


SAME = machine()
CASES: dict[str, tuple[Machine, Machine, dict[str, Meaning]]] = {
    "nothing": (SAME, SAME, {}),
    "switches of the machine": (
        SAME,
        machine(properties={"usb": "False", "kernel": "/k", "dump-guest-core": "False"}),
        {"usb": Meaning.INVISIBLE, "dump-guest-core": Meaning.INVISIBLE},
    ),
    "what boots": (
        SAME,
        machine(boot={"order": "cad", "strict": "True"}),
        {"order": Meaning.HARMLESS, "strict": Meaning.HARMLESS},
    ),
    "the kernel is gone": (SAME, machine(properties={"usb": "True"}), {"kernel": Meaning.FATAL}),
    "another uuid": (SAME, machine(uuid="v"), {"uuid": Meaning.FATAL}),
    "more memory": (SAME, machine(memory=2), {"bytes": Meaning.FATAL}),
    "another topology": (SAME, machine(topology={"cores": 2}), {"cores": Meaning.FATAL}),
    "another CPU": (SAME, machine(cpu=Cpu(type="Nehalem-x86_64-cpu")), {"type": Meaning.FATAL}),
    "another RAM block": (SAME, machine(memories={"vga.vram": 8}), {"bytes": Meaning.FATAL}),
    "a switch that no row knows": (
        SAME,
        machine(properties={"usb": "True", "kernel": "/k", "hpet": "False"}),
        {"hpet": Meaning.FATAL},
    ),
    "a device more": (SAME, machine(device("PCI 05.0")), {"device": Meaning.FATAL}),
    "a device less": (machine(device("PCI 05.0")), SAME, {"device": Meaning.FATAL}),
    "boot index": (
        machine(device("PCI 05.0")),
        machine(device("PCI 05.0", bootindex="1")),
        {"bootindex": Meaning.HARMLESS},
    ),
    "what auto came to": (
        machine(Device(path="PCI 05.0", bus="PCI", driver="x", properties={"write-cache": "auto"})),
        machine(Device(path="PCI 05.0", bus="PCI", driver="x", properties={"write-cache": "on"})),
        {"write-cache": Meaning.INVISIBLE},
    ),
    "write through": (
        machine(Device(path="PCI 05.0", bus="PCI", driver="x", properties={"write-cache": "on"})),
        machine(Device(path="PCI 05.0", bus="PCI", driver="x", properties={"write-cache": "off"})),
        {"write-cache": Meaning.FATAL},
    ),
    "offloads with the same features": (
        machine(*nic("MAC", "true")),
        machine(*nic("MAC", "false")),
        {"csum": Meaning.INVISIBLE},
    ),
    "offloads with other features": (
        machine(*nic("CSUM MAC", "true")),
        machine(*nic("MAC", "false")),
        {"csum": Meaning.FATAL, FEATURES: Meaning.FATAL},
    ),
    "offloads where nobody tells the features": (
        machine(*nic(None, "true")),
        machine(*nic(None, "false")),
        {"csum": Meaning.FATAL},
    ),
    "features that the running QEMU is too old to tell": (
        machine(*nic(None, "true")),
        machine(*nic("CSUM MAC", "true")),
        {FEATURES: Meaning.HARMLESS},
    ),
    "features that nobody tells any more": (
        machine(*nic("CSUM MAC", "true")),
        machine(*nic(None, "true")),
        {FEATURES: Meaning.FATAL},
    ),
    "another MAC": (
        machine(device("PCI 05.0", mac="a")),
        machine(device("PCI 05.0", mac="b")),
        {"mac": Meaning.FATAL},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_difference_means(name: str) -> None:
    before, after, expected = CASES[name]
    assert meanings(before, after) == expected


def test_what_is_fatal_comes_first_and_says_why() -> None:
    after = machine(boot={"order": "cad"}, uuid="v", properties={"usb": "False", "kernel": "/k"})
    assert [each.meaning for each in judge(SAME, after)] == [
        Meaning.FATAL,
        Meaning.HARMLESS,
        Meaning.INVISIBLE,
    ]
    reason = "the guest knows its machine by it, and so does Ganeti"
    assert fatal(SAME, after) == (f"machine uuid: 'u' becomes 'v': {reason}",)


def test_a_quick_look_accepts_what_a_whole_one_has_accepted() -> None:
    """A quick look does not know features: alone it would find the offloads fatal."""
    whole = judge(machine(*nic("MAC", "true")), machine(*nic("MAC", "false")))
    quick = machine(*nic(None, "true")), machine(*nic(None, "false"))
    assert len(fatal(*quick)) == 1
    assert fatal_besides(whole)(*quick) == ()
    more = machine(*nic(None, "false"), device("PCI 05.0"))
    assert len(fatal_besides(whole)(quick[0], more)) == 1


def test_no_row_is_hidden_by_one_above_it() -> None:
    def covers(above: Any, below: Any) -> bool:
        names = ("kind", "path", "driver", "what", "before", "after")
        return not above.needs_features and all(
            getattr(above, name) in {"*", getattr(below, name)} for name in names
        )

    hidden = [below.what for at, below in enumerate(ROWS) if any(covers(above, below) for above in ROWS[:at])]
    assert hidden == []


def test_every_row_says_why() -> None:
    assert [row.what for row in ROWS if not row.reason] == []
    assert {row.meaning for row in ROWS} == set(Meaning)
    assert msgspec.json.encode(judge(SAME, machine(uuid="v")))
