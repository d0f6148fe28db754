"""A q35 machine: what Ganeti refuses on it, its ports, and the way back."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tests.translate.building import BARE, back, disk, instance, losses_there, nic, refusal, there
from virtxlate import PlacementError, Severity, place
from virtxlate.domain import model as domain
from virtxlate.ganeti.hvinfo import HvInfo
from virtxlate.ganeti.q35 import DISK_PORTS, NIC_PORTS

REFUSED: list[tuple[str, str]] = [
    ("disk_type", "ide"),
    ("cdrom_disk_type", "paravirtual"),
    ("floppy_image_path", "/f.img"),
    ("soundhw", "sb16"),
]


@pytest.mark.parametrize(("name", "word"), REFUSED)
def test_what_ganeti_refuses_on_a_q35_is_refused(name: str, word: str) -> None:
    params: dict[str, Any] = {name: word}
    message = refusal(instance(machine_version="q35", **params))
    assert message == f"hvparams.{name}: {word!r}: Ganeti refuses it on a q35 machine"


@pytest.mark.parametrize(
    ("word", "libvirt", "told"),
    [
        ("pc-q35-7.2", 9_001_000, True),
        ("pc-q35-7.2", 9_000_999, False),
        ("pc-q35-jammy", 12_000_000, True),
        ("pc-q35-8.0", 12_000_000, False),
        ("q35", 12_000_000, False),
        ("pc-i440fx-7.2", 12_000_000, False),
    ],
)
def test_a_watchdog_on_the_board_that_newer_libvirt_lets_act_is_reported(
    word: str, libvirt: int, *, told: bool
) -> None:
    context = msgspec.structs.replace(BARE, libvirt_version=libvirt)
    lost = losses_there(instance(machine_version=word), context)
    found = [(each.path, each.value, each.severity) for each in lost if "watchdog" in each.reason]
    assert found == ([("hvparams.machine_version", word, Severity.GUEST_VISIBLE)] if told else [])


def test_disks_and_nics_have_ports_of_their_own_and_come_back() -> None:
    one = instance((disk(0), disk(1)), (nic(0), nic(1)), machine_version="pc-q35-7.2")
    found = there(one)
    assert [each.address for each in found.devices.disks[:2]] == [
        domain.PciAddress(bus=bus) for bus in (9, 10)
    ]
    assert [each.address for each in found.devices.interfaces] == [
        domain.PciAddress(bus=bus) for bus in (1, 2)
    ]
    told = back(found)
    assert [each.hvinfo for each in told.disks] == [each.hvinfo for each in place(one).disks]
    assert [each.hvinfo and each.hvinfo.bus for each in told.nics] == ["rp3", "rp4"]


def test_the_ports_of_nics_are_for_nics_and_those_of_disks_for_disks() -> None:
    def ports(*, disks: int = 0, nics: int = 0) -> list[str | None]:
        one = instance(tuple(map(disk, range(disks))), tuple(map(nic, range(nics))), machine_version="q35")
        placed = place(one)
        found = [*(each.hvinfo for each in placed.disks), *(each.hvinfo for each in placed.nics)]
        return [each.bus if each else None for each in found]

    assert ports(nics=len(NIC_PORTS)) == [f"rp{port}" for port in NIC_PORTS]
    assert ports(disks=len(DISK_PORTS)) == [f"rp{port}" for port in DISK_PORTS]
    with pytest.raises(PlacementError):
        ports(nics=len(NIC_PORTS) + 1)
    with pytest.raises(PlacementError):
        ports(disks=len(DISK_PORTS) + 1)


def test_a_known_port_is_kept_and_never_given_twice() -> None:
    def at(port: int) -> HvInfo:
        return HvInfo(driver="virtio-blk-pci", id=f"disk-{port}", bus=f"rp{port}", addr="0x0")

    one = instance((disk(0, hvinfo=at(11)), disk(1)), machine_version="q35")
    assert [each.hvinfo and each.hvinfo.bus for each in place(one).disks] == ["rp11", "rp12"]
    twice = instance((disk(0, hvinfo=at(11)), disk(1, hvinfo=at(11))), machine_version="q35")
    with pytest.raises(PlacementError, match=r"11 on rp is taken by disks\[0\]"):
        place(twice)


def test_a_pc_has_no_root_port() -> None:
    hvinfo = HvInfo(driver="virtio-blk-pci", id="disk-1", bus="rp11", addr="0x0")
    assert refusal(instance((disk(0, hvinfo=hvinfo),))) == (
        "disks[0].hvinfo.bus: expected bus pci.0, found 'rp11'"
    )


def test_more_usb_devices_than_ports_are_refused() -> None:
    crowd = instance(machine_version="q35", usb_devices=",".join(["mouse"] * 13))
    with pytest.raises(PlacementError, match=r"^hvparams.usb_devices: room for 12 devices"):
        there(crowd)


def test_usb_devices_are_where_qemu_puts_them_and_the_pointer_on_ganetis_own_controller() -> None:
    """Told of a -usbdevice, QEMU gives a q35 an EHCI; its last port is a hub's where there are more."""
    one = instance(machine_version="q35", usb_mouse="mouse", usb_devices=",".join(["keyboard"] * 7))
    found = there(one)
    places = [each.address for each in found.devices.inputs]
    expected = [domain.UsbAddress(port="1")]
    expected += [domain.UsbAddress(bus=1, port=port) for port in ("1", "2", "3", "4", "5", "6.1", "6.2")]
    assert places == expected
    assert [each.address for each in found.devices.hubs] == [domain.UsbAddress(bus=1, port="6")]
    usb = [each for each in found.devices.controllers if each.type == "usb"]
    assert [(each.index, each.model, each.startport) for each in usb] == [
        (0, "qemu-xhci", None),
        (1, "ich9-ehci1", None),
        (1, "ich9-uhci1", 0),
        (1, "ich9-uhci2", 2),
        (1, "ich9-uhci3", 4),
    ]
    told = back(found).hvparams
    assert (told.usb_mouse, told.usb_devices) == (one.hvparams.usb_mouse, one.hvparams.usb_devices)


def test_the_slot_of_a_video_that_is_not_there_is_the_first_free_one() -> None:
    one = instance(machine_version="q35", vga="none", kvm_extra=" ".join(["-device virtio-rng-pci"] * 2))
    slots = [
        each.address.slot for each in there(one).devices.rngs if isinstance(each.address, domain.PciAddress)
    ]
    assert slots == [0x01, 0x1B]


def test_what_qemu_adds_for_usb_devices_takes_a_slot() -> None:
    one = instance(
        machine_version="q35", usb_devices="mouse", kvm_extra=" ".join(["-device virtio-rng-pci"] * 3)
    )
    slots = [
        each.address.slot for each in there(one).devices.rngs if isinstance(each.address, domain.PciAddress)
    ]
    assert slots == [0x1B, 0x1C, 0x1E]


def test_a_place_that_is_no_port_of_ganeti_is_lost() -> None:
    found = there(instance((disk(),), machine_version="q35"))
    first, *rest = found.devices.disks
    moved = msgspec.structs.replace(first, address=domain.PciAddress(bus=25))
    devices = msgspec.structs.replace(found.devices, disks=(moved, *rest))
    assert back(msgspec.structs.replace(found, devices=devices)).disks[0].hvinfo is None
