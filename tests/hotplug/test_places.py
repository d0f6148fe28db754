"""Where a new device is put: sparse numbers, several controllers, two documents that disagree."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from tests.hotplug.domains import DISK_IDS, DISKS, NICS, aliases, domain_of, ganeti, hotplug, places, q35
from tests.hotplug.fake_domain import FakeDomain
from tests.hotplug.test_attach_faults import scsi_disk, theirs
from virtxlate.errors import PlacementError
from virtxlate.hotplug.places import Places
from virtxlate.hotplug.steps import line
from virtxlate.translate.runtime import read_view

SCSI = {"disk_type": "scsi-hd", "scsi_controller_type": "virtio-scsi-pci"}
BOTH = {"live": True, "config": True}


def scsi_controller(index: int, model: str, slot: int) -> str:
    return (
        f"<controller type='scsi' index='{index}' model='{model}'>"
        f"<address type='pci' domain='0x0000' bus='0x00' slot='{slot:#04x}' function='0x0'/></controller>"
    )


def on_controller(index: int, target: int, name: str) -> str:
    return scsi_disk(target, name).replace("controller='0'", f"controller='{index}'")


def lines(found: FakeDomain, *numbers: int, **options: Any) -> list[str]:
    operations = hotplug(found, **options)
    steps = [step for number in numbers for step in operations.add_disk(DISKS[number]).steps]
    return [line(step).partition(" at ")[2] for step in steps]


def at(controller: int, target: int, unit: int = 0) -> str:
    return f"controller {controller} bus 0 target {target} unit {unit}"


def test_sparse_targets_are_filled_from_below() -> None:
    found = domain_of(ganeti(0, 0, **SCSI))
    for target, name in ((0, "sda"), (2, "sdf"), (5, "sdc")):
        found.somebody_else_attaches(scsi_disk(target, name))
    assert lines(found, 1, 2, 3, 4) == [at(0, 1), at(0, 3), at(0, 4), at(0, 6)]


def test_sparse_units_of_a_controller_that_counts_units_are_filled_from_below() -> None:
    found = domain_of(ganeti(3, 0, disk_type="scsi-hd", scsi_controller_type="lsi"))
    hotplug(found).remove("disk", "1")
    assert lines(found, 3, 4) == [at(0, 0, 1), at(0, 0, 3)]


def test_sparse_slots_are_filled_from_ganetis_first_one_on() -> None:
    found = domain_of(ganeti(1, 0))
    for slot, name in ((0xE, "vdf"), (0x1F, "vdk")):
        found.somebody_else_attaches(theirs(slot, name))
    assert lines(found, 1, 2) == ["PCI bus 0 slot 0xd", "PCI bus 0 slot 0xf"]


def test_the_target_name_follows_the_last_one_in_libvirts_order() -> None:
    found = domain_of(ganeti(1, 0))
    found.somebody_else_attaches(theirs(0x1E, "vdz"))
    operations = hotplug(found)
    assert [line(step) for step in operations.add_disk(DISKS[1]).steps] == [
        f"attach disk {DISK_IDS[1]} (vdaa) at PCI bus 0 slot 0xd"
    ]
    assert [line(step) for step in operations.add_disk(DISKS[2]).steps] == [
        f"attach disk {DISK_IDS[2]} (vdab) at PCI bus 0 slot 0xe"
    ]


def test_of_several_controllers_the_first_one_of_ganetis_model_with_room_is_used() -> None:
    found = domain_of(ganeti(1, 0, **SCSI))
    found.somebody_else_attaches(scsi_controller(1, "lsilogic", 0x10))
    found.somebody_else_attaches(scsi_controller(4, "virtio-scsi", 0x11))
    for target in range(1, 15):
        found.somebody_else_attaches(scsi_disk(target, f"sd{chr(ord('c') + target)}"))
    assert lines(found, 1, 2) == [at(0, 15), at(4, 0)]


def test_a_new_controller_is_numbered_after_all_others() -> None:
    found = domain_of(ganeti(0, 0, **SCSI))
    assert found.live is not None
    for element in found.live.devices.findall("controller[@type='scsi']"):
        found.live.take_out(element)
    found.somebody_else_attaches(scsi_controller(3, "lsilogic", 0x10))
    assert [line(step) for step in hotplug(found).add_disk(DISKS[0]).steps] == [
        "add scsi controller 4 (virtio-scsi) at PCI bus 0 slot 0x3",
        f"attach disk {DISK_IDS[0]} (sda) at {at(4, 0)}",
    ]


def test_a_controller_that_only_one_document_has_is_not_used_for_both() -> None:
    found = domain_of(ganeti(1, 0, **SCSI))
    assert found.config is not None
    for element in found.config.devices.findall("controller[@type='scsi']"):
        element.set("index", "1")
    steps = hotplug(found, **BOTH).add_disk(DISKS[1]).steps
    assert [line(step) for step in steps] == [
        "add scsi controller 2 (virtio-scsi) at PCI bus 0 slot 0x5",
        f"attach disk {DISK_IDS[1]} (sdb) at {at(2, 0)}",
    ]
    assert places(found)[DISK_IDS[1]] == places(found, live=False)[DISK_IDS[1]] == "2:0:0:0"


def test_a_target_must_be_free_in_both_documents() -> None:
    found = domain_of(ganeti(1, 0, **SCSI))
    assert found.config is not None
    found.config.attach(scsi_disk(1, "sdx"))
    assert lines(found, 1, **BOTH) == [at(0, 2)]
    assert lines(found, 2) == [at(0, 1)]


SLOTS: list[tuple[Callable[[], FakeDomain], int, bool]] = [
    (lambda: domain_of(ganeti(1, 1)), 0, True),
    (lambda: q35(3), 1, True),
    (lambda: q35(3, bridge=True), 4, False),
]


@pytest.mark.parametrize(("make", "bus", "express"), SLOTS)
def test_a_place_is_given_once(make: Callable[[], FakeDomain], bus: int, express: bool) -> None:
    found = make()
    assert found.live is not None
    free = Places([read_view(found.live.text())], 12)
    given: list[Any] = []
    with suppress(PlacementError):
        while len(given) < 100:
            given.append(free.pci("here", express=express))
    assert 100 > len(set(given)) == len(given) > 0
    assert given[0].bus == bus


def test_addresses_of_any_spelling_hold_their_slots() -> None:
    found = domain_of(ganeti(1, 0))
    assert found.live is not None
    found.somebody_else_attaches(theirs(0x1E, "vdk"))
    element = found.live.devices.find("disk/address[@slot='0x1e']")
    assert element is not None
    element.set("slot", "13")
    found.somebody_else_attaches(theirs(0x1F, "vdl"))
    other = found.live.devices.find("disk/address[@slot='0x1f']")
    assert other is not None
    for name, value in (("slot", "0xE"), ("function", "0x3"), ("domain", "")):
        other.set(name, value)
    assert lines(found, 1) == ["PCI bus 0 slot 0xf"]
    odd = found.live.devices.find("memballoon/address")
    assert odd is not None
    odd.set("slot", "none of your business")
    found.calls.clear()
    assert [line(step) for step in hotplug(found).plan_disk(DISKS[2])] == [
        f"attach disk {DISK_IDS[2]} (vdn) at PCI bus 0 slot 0x10"
    ]


def test_a_device_of_another_pci_domain_or_bus_holds_no_slot_of_this_one() -> None:
    found = domain_of(ganeti(1, 0))
    found.somebody_else_attaches(theirs(0xD).replace("bus='0x00'", "bus='0x01'"))
    found.somebody_else_attaches(theirs(0xE, "vdz").replace("domain='0x0000'", "domain='0x0001'"))
    assert lines(found, 1, 2) == ["PCI bus 0 slot 0xd", "PCI bus 0 slot 0xe"]


def test_nobody_is_given_the_place_of_a_device_that_is_about_to_leave() -> None:
    found = domain_of(ganeti(2, 0))
    found.asked.add(DISK_IDS[1])
    hotplug(found).add_nic(NICS[0])
    assert aliases(found)[-1].startswith("ua-nic-")
    assert list(places(found).values()).count("0:0x0d") == 1


def test_on_ganetis_q35_a_disk_takes_a_port_of_disks_and_a_nic_one_of_nics() -> None:
    found = domain_of(ganeti(1, 1, machine_version="q35"))
    disk = hotplug(found).add_disk(DISKS[1]).hvinfo
    nic = hotplug(found).add_nic(NICS[1]).hvinfo
    assert disk is not None
    assert nic is not None
    assert (disk.bus, disk.addr, nic.bus, nic.addr) == ("rp12", "0x0", "rp4", "0x0")


def test_where_the_ports_of_a_kind_are_used_another_takes_the_device() -> None:
    found = q35(3)
    assert [hotplug(found).add_disk(disk).steps[0].at for disk in DISKS[:2]] == ["disks[0]", "disks[1]"]
