"""QEMUs that were recorded, as domains: whole documents, with a runtime file and without."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.hardware.recorded import FIXTURES, replayed
from virtxlate import Context, Report, UnsupportedError, format_domain
from virtxlate.domain import model as domain
from virtxlate.domain import settings
from virtxlate.domain.schema import check
from virtxlate.errors import GanetiDataError
from virtxlate.ganeti.model import Instance
from virtxlate.ganeti.params import HvParams
from virtxlate.handover.facts import ganeti_version, running
from virtxlate.hardware.facts import Display, Medium, Tap
from virtxlate.hardware.inspect import inspect
from virtxlate.hardware.model import Device
from virtxlate.translate.running.facts import Running
from virtxlate.translate.running.whole import to_domain

RUNTIME = (FIXTURES / "scsi-3.0.runtime").read_bytes()
TAPS = {
    "nic-00000000-0000-4000": Tap(name="tap0", vnet_hdr=True, bridge="br0"),
    "nic-00000001-0000-4000": Tap(name="tap1", vnet_hdr=False, bridge="br1"),
}


def cases() -> dict[str, Running]:
    old, new = inspect(replayed("scsi-3.0")), inspect(replayed("plugged-3.2"))
    return {
        "scsi-3.0": running(old, taps=TAPS, runtime=RUNTIME),
        "scsi-3.0-without-file": running(old, taps=TAPS),
        "plugged-3.2": running(new, taps=TAPS, command=("qemu", "-name", "x,debug-threads=on")),
    }


@pytest.mark.parametrize("name", cases())
def test_a_running_qemu_becomes_this_domain(name: str, request: pytest.FixtureRequest) -> None:
    report = Report()
    text = format_domain(to_domain(cases()[name], Context(metadata=False), report))
    losses = "".join(f"{loss}\n" for loss in report.losses)
    for path, made in ((FIXTURES / f"{name}.xml", text), (FIXTURES / f"{name}.losses.txt", losses)):
        if request.config.getoption("--regenerate"):
            path.write_text(made, encoding="utf-8")
        assert path.read_text(encoding="utf-8") == made


def changed(found: Running, **facts: Any) -> Running:
    return msgspec.structs.replace(found, facts=msgspec.structs.replace(found.facts, **facts))


def plain() -> Running:
    return cases()["plugged-3.2"]


def one_disk(found: Running, medium: Medium) -> domain.Disk:
    drives = {**found.facts.drives, "disk-00000000-d15c-4000": medium}
    made = to_domain(changed(found, drives=drives), Context(), Report())
    return next(each for each in made.devices.disks if each.alias == "ua-disk-00000000-d15c-4000")


@pytest.mark.parametrize(
    ("medium", "kind", "source"),
    [
        (
            Medium(driver="host_device", filename="/dev/xenvg/disk0"),
            "block",
            domain.DiskSource(dev="/dev/xenvg/disk0"),
        ),
        (
            Medium(driver="rbd", filename="rbd:rbd/image1"),
            "network",
            domain.DiskSource(protocol="rbd", name="rbd/image1"),
        ),
        (
            Medium(driver="https", filename="https://example.com/a.iso"),
            "network",
            domain.DiskSource(
                protocol="https", name="a.iso", hosts=(domain.SourceHost(name="example.com", port=443),)
            ),
        ),
    ],
)
def test_what_is_open_tells_the_source(medium: Medium, kind: str, source: domain.DiskSource) -> None:
    found = one_disk(plain(), medium)
    assert (found.type, found.source) == (kind, source)


@pytest.mark.parametrize(
    ("switches", "cache"),
    [
        ({}, "writeback"),
        ({"direct": True}, "none"),
        ({"writeback": False}, "writethrough"),
        ({"direct": True, "writeback": False}, "directsync"),
        ({"no_flush": True}, "unsafe"),
        ({"no_flush": True, "direct": True}, None),
    ],
)
def test_three_switches_are_one_cache_word(switches: dict[str, bool], cache: str | None) -> None:
    medium = msgspec.structs.replace(Medium(driver="file", filename="/a"), **switches)
    assert one_disk(told_nothing_of_caches(), medium).cache == cache


def told_nothing_of_caches() -> Running:
    found = plain()
    devices = tuple(
        msgspec.structs.replace(each, properties={**each.properties, "write-cache": "auto"})
        for each in found.facts.machine.devices
    )
    return changed(found, machine=msgspec.structs.replace(found.facts.machine, devices=devices))


def test_a_cache_that_the_guest_has_turned_off_is_on_at_its_next_start() -> None:
    medium = Medium(driver="file", filename="/a", direct=True, writeback=False)
    assert one_disk(plain(), medium).cache == "none"


def test_another_format_than_raw_is_refused() -> None:
    with pytest.raises(
        UnsupportedError, match=r"^devices\[PCI 0c.0\]: Ganeti's disks are raw, found 'qcow2'$"
    ):
        one_disk(plain(), Medium(driver="file", filename="/a", format="qcow2"))


def test_limits_of_a_drive_are_told() -> None:
    medium = Medium(driver="file", filename="/a", limits="iops=100")
    report = Report()
    drives = {**plain().facts.drives, "disk-00000000-d15c-4000": medium}
    to_domain(changed(plain(), drives=drives), Context(), report)
    assert ("devices[PCI 0c.0].limits", "iops=100") in [(each.path, each.value) for each in report.losses]


def test_a_link_of_ganeti_without_its_files_is_told() -> None:
    medium = Medium(driver="host_device", filename="/var/run/ganeti/instance-disks/x:0")
    report = Report()
    drives = {**plain().facts.drives, "disk-00000000-d15c-4000": medium}
    to_domain(changed(plain(), drives=drives), Context(), report)
    assert ("devices[PCI 0c.0].source", medium.filename) in [
        (each.path, each.value) for each in report.losses
    ]


def test_what_ganeti_has_and_qemu_has_not_is_told() -> None:
    found = cases()["scsi-3.0"]
    gone = {"disk-00000001-d15c-4000", "nic-00000001-0000-4000"}
    devices = tuple(each for each in found.facts.machine.devices if each.id not in gone)
    machine = msgspec.structs.replace(found.facts.machine, devices=devices)
    report = Report()
    made = to_domain(changed(found, machine=machine), Context(), report).devices
    assert len(made.interfaces) == 1
    lost = {(loss.path, loss.value) for loss in report.losses}
    assert {("disks", "disk-00000001-d15c-4000"), ("nics", "nic-00000001-0000-4000")} <= lost


COMMANDS: dict[str, tuple[tuple[str, ...], tuple[str | None, str | None, str | None]]] = {
    "of 3.2": (
        (
            "-netdev",
            "type=tap,id=nic-00000000-0000-4000,fd=20,vhostfd=21,vhost=on",
            "-blockdev",
            "driver=raw,node-name=disk-00000000-d15c-4000,discard=unmap,file.aio=native",
        ),
        ("native", "unmap", "vhost"),
    ),
    "of 3.0": (
        (
            "-netdev",
            "type=tap,id=nic-00000000-0000-4000,fd=20",
            "-drive",
            "file=/a,,b,if=none,aio=threads,id=disk-00000000-d15c-4000",
        ),
        ("threads", None, "qemu"),
    ),
    "of another": (("-drive", "id=x,aio=native", "-netdev", "id=y,vhost=on"), (None, None, "qemu")),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_line_tells_what_qmp_does_not(name: str) -> None:
    command, expected = COMMANDS[name]
    report = Report()
    made = to_domain(msgspec.structs.replace(plain(), command=command), Context(), report).devices
    disk = next(each for each in made.disks if each.alias == "ua-disk-00000000-d15c-4000")
    assert (disk.io, disk.discard, made.interfaces[0].driver) == expected
    lost = {loss.path for loss in report.losses}
    unknown = {"devices[PCI 0c.0].discard", "devices[PCI 0d.0].vhost"}
    assert lost & unknown == (unknown if expected == (None, None, "qemu") else set())


WORDS: dict[str, tuple[tuple[str, ...], list[tuple[str, str | None]]]] = {
    "Ganeti's own": (("-name", "x", "-append", "-- -x", "-S", "-rtc", "base=localtime"), []),
    "of a firmware's file": (
        ("-fw_cfg", "name=opt/x,string=s3cret", "-uuid", "u"),
        [("command", "-fw_cfg name=opt/x")],
    ),
    "of a file that wants a password": (
        ("-mtdblock", "http://u:s3cret@h/x.img"),
        [("command", "-mtdblock http://u@h/x.img")],
    ),
    "another clock": (("-rtc", "clock=vm"), [("command", "-rtc clock=vm")]),
    "without a value": (("-win2k-hack", "-S"), [("command", "-win2k-hack")]),
    "with two dashes": (("--bios", "/x.bin"), [("command", "-bios /x.bin")]),
    "of SMBIOS": (("-smbios", "type=1,manufacturer=Acme"), []),
    "of another table of SMBIOS": (("-smbios", "type=0,vendor=Acme"), [("sysinfo", None)]),
}


@pytest.mark.parametrize("name", WORDS)
def test_words_that_no_device_shows_are_told(name: str) -> None:
    words, expected = WORDS[name]
    report = Report()
    to_domain(msgspec.structs.replace(plain(), command=("kvm", *words)), Context(), report)
    told = [(each.path, each.value) for each in report.losses if each.path in {"command", "sysinfo"}]
    assert told == expected


def test_the_system_that_smbios_tells_is_carried_without_a_file() -> None:
    command = ("kvm", "-smbios", "type=1,manufacturer=Acme,serial=7")
    made = to_domain(msgspec.structs.replace(plain(), command=command), Context(), Report())
    entries = tuple(
        settings.SmbiosEntry(name=name, value=value)
        for name, value in (("manufacturer", "Acme"), ("serial", "7"))
    )
    expected = settings.Sysinfo(type="smbios", system=settings.SmbiosSystem(entries=entries))
    assert (made.sysinfo, made.os.smbios_mode) == (expected, "sysinfo")


def test_words_that_ganetis_data_has_are_carried() -> None:
    words = ("-fw_cfg", "name=opt/x,string=y", "-smbios", "type=1,manufacturer=Acme,,Inc,serial=7")
    old = cases()["scsi-3.0"]
    one = old.instance
    assert one is not None
    hvparams = msgspec.structs.replace(one.hvparams, kvm_extra=" ".join(words))
    told = msgspec.structs.replace(one, hvparams=hvparams)
    report = Report()
    made = to_domain(
        msgspec.structs.replace(old, instance=told, command=(*old.command, *words)), Context(), report
    )
    assert [each.path for each in report.losses if each.path in {"command", "sysinfo"}] == []
    assert made.sysinfo is not None


def test_displays_are_those_that_listen() -> None:
    displays = (
        Display(type="vnc", host="0.0.0.0", port=5901, auth="vnc"),
        Display(type="vnc", socket="/run/x.vnc"),
    )
    made = to_domain(changed(plain(), displays=displays), Context(), Report())
    assert made.devices.graphics == (
        settings.Graphics(
            type="vnc",
            port=5901,
            autoport=False,
            password="",
            listens=(settings.Listen(type="address", address="0.0.0.0"),),
        ),
        settings.Graphics(type="vnc", listens=(settings.Listen(type="socket", socket="/run/x.vnc"),)),
    )


def test_what_was_plugged_in_and_has_no_element_is_a_loss() -> None:
    report = Report()
    to_domain(changed(plain(), plugged_memory=1 << 30), Context(), report)
    assert "memory.plugged" in [each.path for each in report.losses]


def test_a_machine_whose_places_are_not_read_back_is_refused() -> None:
    machine = msgspec.structs.replace(plain().facts.machine, type="pc-q35-7.2-machine")
    with pytest.raises(UnsupportedError, match=r"^machine\.type: .*'pc-q35-7\.2'"):
        to_domain(changed(plain(), machine=machine), Context(), Report())


@pytest.mark.parametrize("word", ["pc-1.3", "pc-i440fx-2.1", "pc-i440fx-jammy", "pc-i440fx-rhel7.6.0"])
def test_a_machine_has_the_name_that_its_distribution_gave_it(word: str) -> None:
    machine = msgspec.structs.replace(plain().facts.machine, type=f"{word}-machine")
    made = to_domain(changed(plain(), machine=machine), Context(metadata=False), Report())
    assert made.os.machine == word
    check(format_domain(made))


def test_a_usb_device_that_qemu_is_told_in_json_is_no_loss() -> None:
    old = cases()["scsi-3.0"]
    one = old.instance
    assert one is not None
    hvparams = msgspec.structs.replace(one.hvparams, usb_devices="wacom-tablet")
    tablet = Device(path="PCI 01.2/usb-bus port 2", bus="usb-bus", driver="usb-wacom-tablet")
    machine = msgspec.structs.replace(
        old.facts.machine, devices=(*old.facts.machine.devices, tablet, tablet_of_nobody())
    )
    told = msgspec.structs.replace(changed(old, machine=machine), instance=with_hvparams(one, hvparams))
    report = Report()
    to_domain(told, Context(), report)
    lost = [loss.value for loss in report.losses if loss.reason.startswith("libvirt has no element")]
    assert lost == ["usb-braille"]


def tablet_of_nobody() -> Device:
    return Device(path="PCI 01.2/usb-bus port 3", bus="usb-bus", driver="usb-braille")


def with_hvparams(one: Instance, hvparams: HvParams) -> Instance:
    made: Instance = msgspec.structs.replace(one, hvparams=hvparams)
    return made


def test_the_runtime_file_of_another_instance_is_refused() -> None:
    other = RUNTIME.replace(b"11111111-2222", b"99999999-2222")
    with pytest.raises(GanetiDataError, match=r"expected the runtime file of 11111111-2222-4333-8444"):
        running(inspect(replayed("scsi-3.0")), runtime=other)


@pytest.mark.parametrize(
    ("command", "version"),
    [
        (("-drive", "if=none"), 3_000_000),
        (("-blockdev", "driver=raw"), 3_010_000),
        (("-name", "x,debug-threads=on"), 3_020_000),
        ((), 3_010_000),
    ],
)
def test_a_command_line_shows_its_ganeti(command: tuple[str, ...], version: int) -> None:
    assert ganeti_version(command) == version


def test_a_recording_is_one_row_a_question() -> None:
    """The form that lab/recording.py writes."""
    rows = [json.loads(line) for line in Path(FIXTURES / "scsi-3.0.jsonl").read_text().splitlines()]
    assert {len(row) for row in rows} <= {3, 4}
