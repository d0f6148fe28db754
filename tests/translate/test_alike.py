"""What instances have in common is made of what the key tells; the whole instance would give the same."""

from __future__ import annotations

from hypothesis import assume, given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.strategies import SCSI_DEVICES, partly_placed, patient
from tests.translate.building import disk, instance, nic
from virtxlate import Context, Report
from virtxlate.errors import VirtxlateError
from virtxlate.ganeti.hvinfo import HvInfo
from virtxlate.ganeti.model import Instance
from virtxlate.translate import cpu, fixed, machine
from virtxlate.translate.alike import Common, common, places
from virtxlate.translate.placing import place

ROW = Context(libvirt_version=11_000_000, scsi=SCSI_DEVICES)
UNTAINTED = Context(domain_type="qemu", untainted=True)


def of_whole(placed: Instance, context: Context) -> Common:
    report = Report()
    model, words = cpu.to_domain(placed, machine.topology(placed), context, report)
    devices = fixed.to_domain(placed, context, report)
    return Common(cpu=model, cpu_words=words, fixed=devices, losses=report.losses)


@patient
@given(st.lists(partly_placed(known_devices=True), min_size=1, max_size=3), st.sampled_from((ROW, UNTAINTED)))
def test_it_is_what_the_whole_instance_gives(instances: list[Instance], context: Context) -> None:
    for each in (*instances, *instances):
        try:
            placed = place(each)
            expected = of_whole(placed, context)
        except VirtxlateError:
            assume(False)
        report = Report()
        assert common(placed, context, report) == expected
        assert report.losses == expected.losses


def test_instances_that_differ_in_names_sizes_and_storage_share_it() -> None:
    first = place(instance((disk(0),), (nic(0),)))
    second = replace(
        first,
        name="other.example.com",
        uuid="77777777-2222-4333-8444-555555555555",
        beparams=replace(first.beparams, maxmem=4096),
        disks=(replace(first.disks[0], size_mib=1, template="blockdev", logical_id=("manual", "/dev/sdb")),),
        nics=(replace(first.nics[0], mac="aa:00:00:00:00:09"),),
    )
    assert common(second, ROW, Report()) is common(first, ROW, Report())


def test_another_context_or_place_is_another() -> None:
    first = place(instance((disk(0),), (nic(0),)))
    elsewhere = HvInfo(driver="virtio-net-pci", id="nic-1", bus="pci.0", addr="0x1d")
    moved = replace(first.nics[0], hvinfo=elsewhere)
    made = common(first, ROW, Report())
    assert common(replace(first, nics=(moved,)), ROW, Report()) is not made
    assert common(first, replace(ROW), Report()) is not made


def test_a_place_is_what_qemu_is_told_of_it() -> None:
    bare = instance((disk(0),), (nic(0),), disk_type="scsi-hd")
    assert places(bare) == ((None,), (None,))
    assert places(place(bare)) == ((("scsi.0", None, 0, 0, 0),), (("pci.0", "0xc", None, None, None),))
