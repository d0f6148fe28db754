"""A domain that libvirt or QEMU would refuse is not made: what is refused names the rule."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.strategies import SCSI_DEVICES, partly_placed, patient
from tests.translate.building import disk, instance, losses_there, nic, refusal
from virtxlate import Context, Loss, Renames, Report, UnsupportedError, to_domain
from virtxlate.errors import VirtxlateError
from virtxlate.ganeti.model import Instance


def test_what_stands_where_the_chipset_does_is_refused() -> None:
    extra = "-device virtio-rng-pci,bus=pci.0,addr=0x1f"
    assert refusal(instance(machine_version="q35", kvm_extra=extra)) == (
        "devices: 0000:00:1f.0 is that of the LPC bridge; use another slot, or leave the address out "
        "[pci-reserved]"
    )


def test_two_nics_with_one_address_are_told() -> None:
    twins = tuple(nic(number, mac="aa:00:00:00:00:01") for number in range(2))
    (loss,) = (each for each in losses_there(instance(nics=twins)) if each.reason.endswith("-unique]"))
    assert (loss.path, loss.value) == ("nics[1]", "aa:00:00:00:00:01")


CONTEXT = Context()
ORDINARY = instance((disk(0), disk(1)), (nic(0), nic(1)))
SECRET = "11111111-2222-4333-8444-555555555555"
ROW = Context(
    libvirt_version=11_000_000,
    renames=Renames({"secrets": {"ceph-user": SECRET, "chap": SECRET}}),
    scsi=SCSI_DEVICES,
)
TOLD_APART = {
    "MACs": replace(ORDINARY, nics=(nic(0), replace(nic(1), mac=nic(0).mac))),
    "no MAC": replace(ORDINARY, nics=(nic(0), replace(nic(1), mac="00:00:00:00:00:00"))),
    "sources": replace(ORDINARY, disks=(disk(0), replace(disk(1), logical_id=disk(0).logical_id))),
    "an image": replace(
        instance((disk(0, template="file", logical_id=("loop", "/a")),), cdrom_image_path="/a")
    ),
}


@pytest.mark.parametrize("other", TOLD_APART.values(), ids=TOLD_APART)
def test_what_tells_an_instance_from_one_that_obeys_is_judged(other: Instance) -> None:
    def said(context: Context) -> str | tuple[Loss, ...]:
        report = Report()
        try:
            to_domain(other, context, report)
        except UnsupportedError as exc:
            return str(exc)
        return report.losses

    to_domain(ORDINARY, CONTEXT, Report())
    alone = said(Context())
    assert said(CONTEXT) == alone
    assert "unique]" in str(alone) or "zero]" in str(alone)


@patient
@given(st.lists(partly_placed(known_devices=True), min_size=2, max_size=4))
def test_instances_are_judged_in_a_row_as_each_alone(instances: list[Instance]) -> None:
    def said(one: Instance, context: Context) -> str | tuple[Loss, ...]:
        report = Report()
        try:
            to_domain(one, context, report)
        except VirtxlateError as exc:
            return str(exc)
        return report.losses

    row = [said(each, ROW) for each in (*instances, *instances)]
    assert row == 2 * [said(each, replace(ROW)) for each in instances]
