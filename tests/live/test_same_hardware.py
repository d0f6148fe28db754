"""The machine that libvirt's QEMU shows a guest is the one that Ganeti's own QEMU showed it."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

import libvirt
import pytest

from lab.bootable import bootable
from lab.commands import run
from lab.console import GuestConsole, console_path
from lab.firmware import firmware_files
from lab.ganeti_judge import prepare
from lab.ganeti_qemu import QEMU, QemuRefusedError
from lab.hardware_cases import CDROM1, CDROM2, FLOPPY, cases
from lab.machines import ask_through_libvirt, paused_domain
from lab.twins import VERSION, instance_of
from tests.live.compared import Compared, compare_twins, unlisted
from virtxlate import Report
from virtxlate.hardware.compare import compare
from virtxlate.hardware.describe import describe
from virtxlate.tables.extra import PCI_DRIVERS
from virtxlate.tables.hardware import KNOWN_DIFFERENCES
from virtxlate.translate.abi import known

if TYPE_CHECKING:
    from lab.guest import GuestFiles
    from lab.twins import Twins

pytestmark = [pytest.mark.live, pytest.mark.timeout(900)]

FEWEST = 150


@pytest.fixture(scope="module")
def compared(twins: Twins) -> list[Compared]:
    """Every case, each with both of its machines."""
    every = list(cases())
    verdicts = prepare().run([twins.request(case.instance) for case in every])
    refused = [f"{case.name}: {each.error}" for case, each in zip(every, verdicts, strict=True) if each.error]
    assert refused == []
    return [compare_twins(twins, case, each.cmd) for case, each in zip(every, verdicts, strict=True)]


def test_every_difference_is_a_known_one(compared: list[Compared]) -> None:
    assert len(compared) >= FEWEST
    found = [line for each in compared for line in each.unlisted()]
    if found:
        pytest.fail("\n".join(found), pytrace=False)


def test_what_is_foreseen_is_what_is_seen(compared: list[Compared]) -> None:
    foreseen = {each.name: {row.name for row in known(each.instance)} for each in compared}
    assert {each.name: each.rows() for each in compared} == foreseen


def test_the_list_is_no_longer_than_needed(compared: list[Compared]) -> None:
    """What only a newer Ganeti shows, or a q35, the test of that asks for."""
    shown = set[str]().union(*(each.rows() for each in compared))
    listed = {row.name for row in KNOWN_DIFFERENCES if row.board != "q35" and row.since <= VERSION}
    assert listed - shown == set()


STATES: dict[str, tuple[dict[str, Any], dict[str, int]]] = {
    "usual": ({}, {}),
    "many devices": ({"vga": "cirrus"}, {"disks": 4, "nics": 3, "vcpus": 4}),
    "lsi": ({"disk_type": "scsi-hd"}, {"disks": 2}),
    "megasas": ({"disk_type": "scsi-hd", "scsi_controller_type": "megasas"}, {}),
    "virtio-scsi": ({"disk_type": "scsi-cd", "scsi_controller_type": "virtio-scsi-pci"}, {}),
    "dc390": ({"disk_type": "scsi-hd", "scsi_controller_type": "dc390"}, {}),
    "ide": ({"disk_type": "ide", "nic_type": "rtl8139"}, {"disks": 2}),
    "e1000, old machine": ({"nic_type": "e1000", "machine_version": "pc-i440fx-2.1"}, {}),
    "pcnet, no ACPI": ({"nic_type": "pcnet", "acpi": False}, {}),
    "CD-ROMs": ({"cdrom_image_path": CDROM1, "cdrom2_image_path": CDROM2, "cdrom_disk_type": "ide"}, {}),
    "floppy, no serial port": ({"floppy_image_path": FLOPPY, "serial_console": False}, {}),
    "VNC, mouse, Haswell": (
        {"vnc_bind_address": "127.0.0.1", "usb_mouse": "mouse", "cpu_type": "Haswell"},
        {},
    ),
    "SPICE, sound": ({"spice_bind": "127.0.0.1", "soundhw": "hda", "use_guest_agent": True}, {}),
    "qxl, keyboard": ({"vga": "qxl", "usb_devices": "keyboard"}, {}),
}


@pytest.mark.parametrize("name", STATES)
def test_state_of_ganetis_qemu_loads_in_that_of_libvirt(name: str, twins: Twins) -> None:
    hvparams, counts = STATES[name]
    instance = instance_of(hvparams, **counts)
    (verdict,) = prepare().run([twins.request(instance)])
    before = twins.of_ganeti(instance, verdict.cmd, describe)
    state = twins.state_of_ganeti(instance, verdict.cmd)
    after = twins.of_libvirt(twins.xml(instance, Report()), describe, state)
    assert unlisted(instance, compare(before, after)) == []


OTHERS: dict[str, tuple[dict[str, Any], dict[str, int], str]] = {
    "another slot": ({"kvm_pci_reservations": 9}, {}, "Unknown ramblock"),
    "another card": ({"nic_type": "e1000"}, {}, "Unknown ramblock"),
    "more memory": ({}, {"maxmem": 192, "minmem": 192}, "Size mismatch"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_state_of_another_machine_does_not_load(name: str, twins: Twins) -> None:
    """What makes the test above one that can fail."""
    hvparams, counts, reason = OTHERS[name]
    (verdict,) = prepare().run([twins.request(instance_of({}))])
    state = twins.state_of_ganeti(instance_of({}), verdict.cmd)
    other = twins.xml(instance_of(hvparams, **counts), Report())
    with pytest.raises(libvirt.libvirtError, match=reason):
        twins.of_libvirt(other, describe, state)


TOLD: dict[str, tuple[dict[str, Any], dict[str, int], int]] = {
    "usual": ({}, {}, 512),
    "many devices": ({"vga": "cirrus"}, {"disks": 4, "nics": 3, "vcpus": 4}, 512),
    "SMBIOS": ({"kvm_extra": "-smbios type=1,manufacturer=Acme,,Inc,product=Rack"}, {}, 512),
}
"""Parameters, counts, and how many bytes of each file are read."""
BOOTS_FIRST = "bootorder"


@pytest.mark.parametrize("name", TOLD)
def test_the_firmware_is_told_the_same_but_for_what_boots(name: str, twins: Twins) -> None:
    hvparams, counts, most_bytes = TOLD[name]
    instance = instance_of(hvparams, **counts)
    (verdict,) = prepare().run([twins.request(instance)])
    before = twins.of_ganeti(instance, verdict.cmd, lambda ask: firmware_files(ask, most_bytes))
    after = twins.of_libvirt(twins.xml(instance, Report()), lambda ask: firmware_files(ask, most_bytes))
    boots = after.pop(BOOTS_FIRST, (0, b""))[1]
    assert boots == b"/pci@i0cf8/scsi@c/disk@0,0\nHALT\0"
    assert before.pop(BOOTS_FIRST, (0, b""))[1] == b""
    assert "etc/smbios/smbios-tables" in before
    assert before == after


def test_a_guest_that_runs_changes_nothing_in_what_is_told(twins: Twins, guest_files: GuestFiles) -> None:
    """So a running guest's machine may be compared with one that has not started yet."""
    instance = bootable(instance_of({}, disks=2, nics=2), guest_files)
    twins.request(instance)
    with paused_domain(twins.host, twins.xml(instance, Report())) as domain:
        before = describe(ask_through_libvirt(domain))
        domain.resume()
        with GuestConsole(console_path(domain.XMLDesc(0))) as console:
            console.wait_ready(60.0)
            after = describe(ask_through_libvirt(domain))
    assert compare(before, after) == ()


RARE_CARDS = frozenset(
    {
        "AMDVI-PCI",
        "acpi-erst",
        "ctucan_pci",
        "kvaser_pci",
        "mioe3680_pci",
        "pcm3680_pci",
        "pvrdma",
        "rocker",
        "tpci200",
        "x-pci-proxy-dev",
    }
)
"""Left out: for developers, and one that sits beside a CPU."""
BUSES = frozenset({"*-downstream", "*-upstream", "cxl-*", "pcie-*", "pxb*", "ioh3420", "i82801b11-bridge"})
"""PCI drivers that a pc machine, which has no PCIe, cannot have."""


def test_every_card_that_qemu_has_is_known_to_be_one() -> None:
    text = run(QEMU, "-device", "help")
    cards = re.findall(r'^name "([^"]+)", bus PCI', text, re.MULTILINE)
    assert len(cards) > 100
    missing = {
        card
        for card in cards
        if not any(fnmatchcase(card, each) for each in (*PCI_DRIVERS, *BUSES, *RARE_CARDS))
    }
    assert missing == set()
    assert [each for each in PCI_DRIVERS if not any(fnmatchcase(card, each) for card in cards)] == []


def test_a_qemu_that_does_not_start_says_why(twins: Twins) -> None:
    instance = instance_of({"cpu_type": "host"})
    (verdict,) = prepare().run([twins.request(instance)])
    with pytest.raises(QemuRefusedError, match="CPU model 'host' requires KVM"):
        twins.of_ganeti(instance, verdict.cmd, describe)
