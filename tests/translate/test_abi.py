"""What is told of a guest's machine before anything is started."""

from __future__ import annotations

import msgspec
import pytest

from tests.translate.building import disk, instance, nic
from virtxlate import Context
from virtxlate.errors import UnsupportedError
from virtxlate.ganeti.model import Instance
from virtxlate.report import Severity
from virtxlate.tables import hardware
from virtxlate.translate.abi import AbiDifference, abi_differences, known

CONTEXT = Context()


def names(one: Instance) -> list[str]:
    return [row.name for row in known(one)]


ALWAYS = [
    "usb switch of the machine",
    "guest memory in core dumps of QEMU",
    "strict boot",
    "order of ISA devices",
]
CASES: list[tuple[Instance, list[str]]] = [
    (instance(), ALWAYS),
    (instance((disk(),)), [*ALWAYS, "boot from disk"]),
    (instance((disk(),), kernel_path="/boot/vmlinuz"), [*ALWAYS, "disk behind a kernel"]),
    (instance((disk(),), kernel_path="/boot/vmlinuz", disk_type="scsi-cd"), ALWAYS),
    (instance(kernel_path="/boot/vmlinuz"), ALWAYS),
    (instance((disk(),), (nic(),), boot_order="network"), [*ALWAYS, "boot from network"]),
    (
        msgspec.structs.replace(instance((disk(),), boot_order="network"), version=3_020_000),
        [*ALWAYS, "disk where no NIC boots"],
    ),
    (
        instance((disk(),), boot_order="cdrom", cdrom_image_path="/a.iso", cdrom_disk_type="ide"),
        [*ALWAYS, "boot from CD-ROM"],
    ),
    (instance((), (nic(),), vnet_hdr=False), [*ALWAYS, "offloads of virtio NICs"]),
    (instance((), (nic(),), vnet_hdr=False, nic_type="e1000"), ALWAYS),
    (instance(vnet_hdr=False), ALWAYS),
    (msgspec.structs.replace(instance((disk(),)), version=3_020_000), ALWAYS),
    (instance(machine_version="q35"), ALWAYS[1:]),
    (instance(machine_version="q35", usb_devices="mouse"), ["usb switch of a q35", *ALWAYS[1:]]),
]


@pytest.mark.parametrize(("one", "expected"), CASES, ids=[str(at) for at in range(len(CASES))])
def test_a_known_difference_holds_where_its_needs_are_met(one: Instance, expected: list[str]) -> None:
    assert names(one) == expected


def test_no_table_is_left_out() -> None:
    tables = {name for name in vars(hardware) if name.isupper() and not name.startswith("_")}
    assert tables == {"ANY_GANETI", "KNOWN_DIFFERENCES", "OFFLOADS"}
    found = {name for one, _ in CASES for name in names(one)}
    assert {row.name for row in hardware.KNOWN_DIFFERENCES} == found


def visible(one: Instance) -> list[AbiDifference]:
    return [each for each in abi_differences(one, CONTEXT) if each.severity == Severity.GUEST_VISIBLE]


def test_a_usual_instance_keeps_its_machine() -> None:
    assert visible(instance((disk(),))) == []


def test_a_loss_that_the_guest_sees_comes_first() -> None:
    one = msgspec.structs.replace(instance((disk(),)), unknown_hvparams={"strange": 1})
    found = abi_differences(one, CONTEXT)
    assert found[0] == AbiDifference(
        at="hvparams.strange",
        value=1,
        severity=Severity.GUEST_VISIBLE,
        effect="not a KVM hypervisor parameter that is known",
    )
    assert str(found[0]) == (
        "guest-visible: hvparams.strange = 1: not a KVM hypervisor parameter that is known"
    )
    assert [each.at for each in found[1:]] == names(one)


def test_a_loss_that_only_the_host_sees_is_none_of_these() -> None:
    one = instance((disk(),), user_shutdown=True)
    assert [each.at for each in abi_differences(one, CONTEXT)] == names(one)


def test_an_instance_that_no_domain_can_be_is_refused() -> None:
    with pytest.raises(UnsupportedError, match=r"^hvparams\.nic_type: 'ne2k_isa': "):
        abi_differences(instance(nic_type="ne2k_isa"), CONTEXT)
