"""Each driver of a running QEMU: in a recording, or in a machine made for it; and each cache."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from tests.hardware.recorded import FIXTURES, replayed
from virtxlate import Context, Report, UnsupportedError
from virtxlate.domain.model import Devices
from virtxlate.ganeti.runtime import read_runtime
from virtxlate.hardware.inspect import inspect
from virtxlate.hardware.model import Device
from virtxlate.tables import running
from virtxlate.translate.running.facts import Running
from virtxlate.translate.running.whole import to_domain

FACTS = inspect(replayed("plugged-3.2"))
RECORDED = {
    each.driver for name in ("plugged-3.2", "scsi-3.0") for each in inspect(replayed(name)).machine.devices
}
PLACES = {
    "interface": "PCI 0a.0",
    "scsi": "PCI 0a.0",
    "video": "PCI 0a.0",
    "sound": "PCI 0a.0",
    "watchdog": "PCI 0a.0",
    "rng": "PCI 0a.0",
    "input": "PCI 01.2/usb-bus port 1",
    "hub": "PCI 01.2/usb-bus port 2",
}
BUSES = {"ide": "PCI 01.1/IDE 0/unit 1", "virtio": "PCI 0a.0", "scsi": "PCI 0b.0/SCSI 0:1:0"}
FIELDS = {
    "interface": "interfaces",
    "scsi": "controllers",
    "video": "videos",
    "sound": "sounds",
    "watchdog": "watchdogs",
    "rng": "rngs",
    "input": "inputs",
    "hub": "hubs",
    "disk": "disks",
}


def devices_with(row: running.RunningDevice) -> Devices:
    """The devices of the recorded QEMU with one more."""
    path = BUSES.get(row.bus) if row.kind == "disk" else PLACES[row.kind]
    more = [Device(path=str(path), bus="x", driver=row.driver, properties={"scsi-id": "1"})]
    if row.bus == "scsi":
        more.append(Device(path="PCI 0b.0", bus="PCI", driver="lsi53c895a"))
    machine = msgspec.structs.replace(FACTS.machine, devices=(*FACTS.machine.devices, *more))
    facts = msgspec.structs.replace(FACTS, machine=machine)
    return to_domain(Running(facts=facts), Context(), Report()).devices


NOT_RECORDED = [
    row for row in running.RUNNING_DEVICES if row.driver not in RECORDED and row.kind not in {"board", "part"}
]


@pytest.mark.parametrize("row", NOT_RECORDED, ids=lambda row: row.driver)
def test_a_driver_becomes_a_device_of_its_kind(row: running.RunningDevice) -> None:
    found = getattr(devices_with(row), FIELDS[row.kind])
    attribute = (
        "device" if row.kind == "disk" else "type" if row.kind in {"video", "input", "hub"} else "model"
    )
    assert row.model in [getattr(each, attribute) for each in found]


@pytest.mark.parametrize("driver", sorted(RECORDED & set(running.BY_DRIVER)))
def test_a_driver_that_was_recorded_is_no_loss(driver: str) -> None:
    report = Report()
    to_domain(Running(facts=FACTS), Context(), report)
    assert driver not in [loss.value for loss in report.losses]


def test_a_driver_without_a_row_is_a_loss() -> None:
    report = Report()
    machine = msgspec.structs.replace(
        FACTS.machine, devices=(*FACTS.machine.devices, Device(path="PCI 0a.0", bus="PCI", driver="edu"))
    )
    to_domain(Running(facts=msgspec.structs.replace(FACTS, machine=machine)), Context(), report)
    assert ("devices[PCI 0a.0]", "edu") in [(loss.path, loss.value) for loss in report.losses]


def test_a_drive_on_no_bus_that_libvirt_knows_is_refused() -> None:
    row = running.BY_DRIVER["ide-hd"]
    machine = msgspec.structs.replace(
        FACTS.machine, devices=(Device(path="PCI 0a.0/IDE 7", bus="IDE", driver=row.driver),)
    )
    with pytest.raises(UnsupportedError, match="in a place that libvirt has no word for"):
        to_domain(Running(facts=msgspec.structs.replace(FACTS, machine=machine)), Context(), Report())


@pytest.mark.parametrize("row", running.CACHE_MODES, ids=lambda row: row.libvirt)
def test_a_cache_is_read_back(row: running.CacheMode) -> None:
    told = running.cache_mode(direct=row.direct, no_flush=row.no_flush, writeback=row.writeback)
    assert told == row.libvirt


def test_each_set_of_words_has_no_stranger() -> None:
    assert set(running.BY_DRIVER) >= running.DEFAULT_DEVICES
    assert not running.FILE_DRIVERS & running.BLOCK_DRIVERS


def test_a_floppy_drive_keeps_its_type_where_qemu_would_choose_another() -> None:
    found = inspect(replayed("scsi-3.0"))
    drive = next(each for each in found.machine.devices if each.driver == "floppy")
    chosen = [running.FLOPPIES.get(1_474_560), running.EMPTY_FLOPPY]
    told = {"drive-type": drive.properties["drive-type"]}
    assert (chosen, told) == (["144", "288"], {"drive-type": "144"})
    made = to_domain(Running(facts=found), Context(), Report()).qemu_override
    assert made is not None
    named = [(each.alias, each.name, each.value) for each in made.devices if each.name == "drive-type"]
    assert named == [("fdc0-0-0", "drive-type", "144")]


def test_options_that_ganeti_gives_are_told_and_others_are_not() -> None:
    command = read_runtime((FIXTURES / "scsi-3.0.runtime").read_bytes(), Report()).command
    options = {str(word) for word in command if str(word).startswith("-")}
    assert options <= running.TOLD_OPTIONS.keys()
    assert {"-fw_cfg", "-smbios", "-acpitable", "-icount", "-bios"}.isdisjoint(running.TOLD_OPTIONS)


ELSEWHERE = {"NETWORK_DRIVER", "NIC_TYPES"}
"""Imported, and looked at where they stand."""


def test_no_table_is_left_out() -> None:
    text = Path(__file__).read_text(encoding="utf-8").partition("ELSEWHERE = ")[0]
    tables = {name for name in vars(running) if name.isupper() and not name.startswith("_")}
    assert {name for name in tables if f"running.{name}" not in text} == ELSEWHERE
