"""A disk becomes a lun and a lun a disk: what changes, what stays, what cannot be."""

from __future__ import annotations

import pytest
from lxml import etree
from msgspec.structs import replace

from tests.golden.cases import translations
from tests.rules.cases import VIRTIO_SCSI, at, disk, document, lun
from virtxlate import Report, UnsupportedError, to_domain
from virtxlate.rules import validate
from virtxlate.translate.switch import switched, switched_instance

PLACE = "<alias name='ua-disk-1'/><boot order='1'/>" + at(3)
RICH = (
    "<disk type='block' device='disk'><driver name='qemu' type='raw' cache='writeback' io='native'/>"
    "<source dev='/dev/sdb'/><target dev='sda' bus='scsi'/><serial>A1</serial><wwn>5000c50015ea71ad</wwn>"
    "<vendor>SEAGATE</vendor><product>ST31</product><blockio logical_block_size='512'/>"
    f"<iotune><total_iops_sec>9</total_iops_sec></iotune><shareable/>{PLACE}</disk>"
)
AS_LUN = (
    "<disk type='block' device='lun'><driver name='qemu' type='raw' cache='none' io='native'/>"
    f"<source dev='/dev/sdb'/><target dev='sda' bus='scsi'/><shareable/>{PLACE}</disk>"
)
RAW_LUN = (
    "<disk type='block' device='lun' rawio='yes' sgio='filtered'><driver name='qemu' type='raw'/>"
    "<source dev='/dev/sdb'><reservations managed='yes'/></source>"
    f"<target dev='sda' bus='scsi'/>{PLACE}</disk>"
)
AS_DISK = (
    "<disk type='block' device='disk'><driver name='qemu' type='raw'/>"
    f"<source dev='/dev/sdb'/><target dev='sda' bus='scsi'/>{PLACE}</disk>"
)


def canonical(xml: str) -> str:
    return etree.canonicalize(xml, strip_text=True)


def test_an_emulated_disk_becomes_a_lun_that_breaks_no_rule() -> None:
    found = switched(etree.fromstring(RICH), "lun")
    assert canonical(found.xml) == canonical(AS_LUN)
    assert validate(document(VIRTIO_SCSI + found.xml)) == ()
    assert found.seen == (
        "INQUIRY vendor, product and revision are the device's own instead of QEMU's",
        "serial and wwn, and so the names below /dev/disk/by-id, are the device's own",
        "every SCSI command reaches the device: reservations, UNMAP, log pages, its write cache",
        "the serial that the domain said is gone",
        "the wwn that the domain said is gone",
        "the vendor that the domain said is gone",
        "the product that the domain said is gone",
        "block sizes are the device's own",
        "QEMU no longer limits the disk",
    )


def test_a_lun_becomes_an_emulated_disk() -> None:
    found = switched(etree.fromstring(RAW_LUN), "disk")
    assert canonical(found.xml) == canonical(AS_DISK)
    assert found.seen == (
        "INQUIRY vendor and product are QEMU and QEMU HARDDISK instead of the device's own",
        "serial and wwn, and so the names below /dev/disk/by-id, are those that the domain says, or none",
        "SCSI commands end in QEMU: reservations, log pages and vendor commands no longer reach the device",
    )


@pytest.mark.parametrize(("xml", "to"), [(RICH, "disk"), (RAW_LUN, "lun")])
def test_a_disk_that_is_what_is_wanted_stays_as_it_is(xml: str, to: str) -> None:
    found = switched(etree.fromstring(xml), "lun" if to == "lun" else "disk")
    assert (canonical(found.xml), found.seen) == (canonical(xml), ())


def test_the_disk_that_was_given_is_not_touched() -> None:
    element = etree.fromstring(RICH)
    switched(element, "lun")
    assert etree.tostring(element) == etree.tostring(etree.fromstring(RICH))


def test_a_record_is_switched_there_and_back() -> None:
    (each,) = translations("disk-type-scsi-block")
    one = each.domain.devices.disks[0]
    emulated = switched(one, "disk").disk
    assert emulated == replace(one, device="disk")
    assert switched(emulated, "lun").disk == one


REFUSED = [
    (
        disk().replace("device='disk'", "device='cdrom'"),
        "only a disk or a lun can be switched, found 'cdrom'",
    ),
    (disk().replace("bus='scsi'", "bus='virtio'"), "[lun-bus]"),
    (disk().replace("type='raw'", "type='qcow2'"), "[lun-format]"),
    (disk().replace("type='block'", "type='file'").replace("dev='/dev", "file='/dev"), "[lun-source]"),
    (disk().replace("<target", "<readonly/><target"), "[lun-readonly]"),
    (disk().replace("scsi-sda", "scsi-sda-part1"), "[lun-device]"),
    (disk().replace("<target", "<transient/><target"), "[lun-transient]"),
]


@pytest.mark.parametrize(("xml", "reason"), REFUSED)
def test_what_cannot_be_a_lun_is_refused_with_the_fix(xml: str, reason: str) -> None:
    with pytest.raises(UnsupportedError) as caught:
        switched(etree.fromstring(xml), "lun")
    assert reason in str(caught.value)


@pytest.mark.parametrize("xml", [lun(), lun("<shareable/>")])
def test_a_lun_is_a_disk_and_a_lun_again(xml: str) -> None:
    there = switched(etree.fromstring(xml), "disk")
    assert canonical(switched(etree.fromstring(there.xml), "lun").xml) == canonical(xml)


def test_an_instance_is_switched_with_all_its_disks_in_their_places() -> None:
    (each,) = translations("disk-type-scsi-block")
    emulated = switched_instance(each.placed, "disk")
    assert {disk.hvinfo.driver for disk in emulated.disks if disk.hvinfo} == {"scsi-hd"}
    made = to_domain(emulated, each.context, Report())
    own = [one for one in made.devices.disks if one.bus == "scsi"]
    assert [one.address for one in own] == [d.address for d in each.domain.devices.disks if d.bus == "scsi"]
    assert {one.device for one in own} == {"disk"}
    assert switched_instance(emulated, "lun") == each.placed
    assert switched_instance(emulated, "disk") is emulated


def test_an_instance_with_other_disks_is_not_switched() -> None:
    (each,) = translations("disk-plain")
    with pytest.raises(
        UnsupportedError, match=r"^hvparams\.disk_type: expected 'scsi-block' or 'scsi-hd', found"
    ):
        switched_instance(each.instance, "lun")
