"""Asked and found: what libvirt may add, what it may spell its own way, and what is a difference."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.golden.cases import every_translation
from virtxlate.domain.model import (
    BootDevice,
    Controller,
    Cpu,
    Devices,
    Disk,
    DiskSource,
    Domain,
    DriveAddress,
    Interface,
    Memory,
    Os,
    PciAddress,
)
from virtxlate.translate.compare import as_asked, differences

VDA = Disk(type="block", source=DiskSource(dev="/dev/a"), target="vda", bus="virtio", cache="none")
VDB = Disk(type="block", source=DiskSource(dev="/dev/b"), target="vdb", bus="virtio")
NIC = Interface(type="bridge", mac="aa:00:00:00:00:01", bridge="br0", model="virtio")
SCSI = Controller(type="scsi", index=0, model="lsilogic")
DEVICES = Devices(disks=(VDA, VDB), controllers=(SCSI,), interfaces=(NIC,))
ASKED = Domain(
    type="kvm",
    name="a",
    uuid="11111111-2222-4333-8444-55555555555a",
    memory=Memory(value=1024, unit="KiB"),
    os=Os(machine="pc"),
    cpu=Cpu(check="none", model="qemu64"),
    devices=DEVICES,
)


def with_devices(**fields: Any) -> Domain:
    return msgspec.structs.replace(ASKED, devices=msgspec.structs.replace(DEVICES, **fields))


def with_fields(**fields: Any) -> Domain:
    return msgspec.structs.replace(ASKED, **fields)


PCI_ROOT = Controller(type="pci", index=0, model="pci-root")
BY_LIBVIRT = {
    "emulator": with_devices(emulator="/usr/bin/qemu-system-x86_64"),
    "controllers": with_devices(controllers=(PCI_ROOT, Controller(type="ide", index=0), SCSI)),
    "address": with_devices(disks=(msgspec.structs.replace(VDA, address=PciAddress(slot=4)), VDB)),
    "driver": with_devices(disks=(VDA, msgspec.structs.replace(VDB, driver_name="qemu", driver_type="raw"))),
    "order": with_devices(disks=(VDB, VDA)),
    "machine": with_fields(os=Os(machine="pc-i440fx-9.0")),
    "cpu check": with_fields(cpu=Cpu(check="full", model="qemu64")),
    "boot": with_fields(os=Os(machine="pc", boots=(BootDevice(dev="hd"),))),
}
"""What libvirt does to a document that says nothing against it."""


@pytest.mark.parametrize("found", BY_LIBVIRT.values(), ids=BY_LIBVIRT)
def test_what_libvirt_adds_is_no_difference(found: Domain) -> None:
    assert differences(ASKED, found) == ()
    assert as_asked(ASKED, found) == ASKED


BY_OTHERS = {
    "value": (with_fields(memory=Memory(value=2048, unit="KiB")), "memory.value: expected 1024, found 2048"),
    "machine": (with_fields(os=Os(machine="q35")), "os.machine: expected 'pc', found 'q35'"),
    "a longer machine": (with_fields(os=Os(machine="pcx")), "os.machine: expected 'pc', found 'pcx'"),
    "cpu": (with_fields(cpu=None), "cpu: expected Cpu("),
    "source": (
        with_devices(disks=(msgspec.structs.replace(VDA, source=DiskSource(dev="/dev/x")), VDB)),
        "devices.disks[0].source.dev: expected '/dev/a', found '/dev/x'",
    ),
    "disk": (with_devices(disks=(VDB,)), "devices.disks[0]: expected ('vda',), found none"),
    "nic": (
        with_devices(interfaces=()),
        "devices.interfaces[0]: expected ('aa:00:00:00:00:01',), found none",
    ),
    "controller": (
        with_devices(controllers=(msgspec.structs.replace(SCSI, model="virtio-scsi"),)),
        "devices.controllers[0].model: expected 'lsilogic', found 'virtio-scsi'",
    ),
    "flag": (
        with_devices(disks=(msgspec.structs.replace(VDA, readonly=True), VDB)),
        "devices.disks[0].readonly: expected False, found True",
    ),
}


@pytest.mark.parametrize(("found", "line"), BY_OTHERS.values(), ids=BY_OTHERS)
def test_what_was_asked_otherwise_is_a_difference(found: Domain, line: str) -> None:
    (said,) = differences(ASKED, found)
    assert said.startswith(f"domain.{line}")
    assert as_asked(ASKED, found) != ASKED


def test_an_address_of_another_kind_is_a_difference() -> None:
    asked = with_devices(disks=(msgspec.structs.replace(VDA, address=PciAddress(slot=4)),))
    found = with_devices(disks=(msgspec.structs.replace(VDA, address=DriveAddress(unit=4)),))
    (said,) = differences(asked, found)
    assert said.startswith("domain.devices.disks[0].address: expected PciAddress(")


def test_controllers_in_another_order_are_the_same_controllers() -> None:
    """The companions of one USB controller have its index."""
    for each in every_translation():
        devices = each.domain.devices
        turned = msgspec.structs.replace(devices, controllers=devices.controllers[::-1])
        assert differences(each.domain, msgspec.structs.replace(each.domain, devices=turned)) == ()


def test_every_difference_is_told() -> None:
    found = with_devices(disks=(), interfaces=())
    assert len(differences(ASKED, found)) == 3


def test_a_long_value_is_cut() -> None:
    asked, found = with_fields(metadata="a" * 5000), with_fields(metadata="b" * 5000)
    (said,) = differences(asked, found)
    assert len(said) < 300


def test_spelling_is_no_difference() -> None:
    upper = msgspec.structs.replace(NIC, mac="AA:00:00:00:00:01")
    asked = msgspec.structs.replace(
        ASKED, uuid=str(ASKED.uuid).upper(), devices=msgspec.structs.replace(DEVICES, interfaces=(upper,))
    )
    assert differences(asked, ASKED) == ()
    assert as_asked(asked, ASKED) == asked


SURPLUS = {
    "disk": with_devices(disks=(VDA, VDB, msgspec.structs.replace(VDB, target="vdc"))),
    "nic": with_devices(interfaces=(NIC, msgspec.structs.replace(NIC, mac="aa:00:00:00:00:02"))),
    "controller": with_devices(controllers=(SCSI, msgspec.structs.replace(SCSI, index=1))),
    "boot order": with_devices(disks=(VDA, msgspec.structs.replace(VDB, boot_order=2))),
    "boot device": with_fields(os=Os(machine="pc", boots=(BootDevice(dev="network"),))),
}
"""What libvirt never adds by itself: somebody else did, and a new definition takes it away."""


@pytest.mark.parametrize("found", SURPLUS.values(), ids=SURPLUS)
def test_what_somebody_added_is_kept_in_view(found: Domain) -> None:
    assert differences(ASKED, found) == ()
    assert as_asked(ASKED, found) == found


@pytest.mark.parametrize("each", every_translation(), ids=lambda each: each.stem)
def test_a_document_is_what_it_asks_for(each: Any) -> None:
    assert differences(each.domain, each.domain) == ()
    assert as_asked(each.domain, each.domain) is each.domain


ALL = [each.domain for each in every_translation()]


@given(asked=st.sampled_from(ALL), found=st.sampled_from(ALL))
def test_the_projection_differs_where_the_document_does(asked: Domain, found: Domain) -> None:
    projected = as_asked(asked, found)
    assert differences(asked, projected) == differences(asked, found)
    assert as_asked(asked, projected) == projected
