"""A q35 machine: what Ganeti refuses on it, its ports, and the way back."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tests.translate.building import back, disk, instance, nic, refusal, there
from virtxlate import PlacementError, place
from virtxlate.domain import model as domain
from virtxlate.ganeti.hvinfo import HvInfo

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
    crowd = instance(machine_version="q35", usb_devices=",".join(["mouse"] * 5))
    with pytest.raises(PlacementError, match=r"^hvparams.usb_devices: room for 4 devices"):
        there(crowd)


def test_a_place_that_is_no_port_of_ganeti_is_lost() -> None:
    found = there(instance((disk(),), machine_version="q35"))
    first, *rest = found.devices.disks
    moved = msgspec.structs.replace(first, address=domain.PciAddress(bus=25))
    devices = msgspec.structs.replace(found.devices, disks=(moved, *rest))
    assert back(msgspec.structs.replace(found, devices=devices)).disks[0].hvinfo is None
