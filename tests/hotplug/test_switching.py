"""A SCSI disk is passed through instead of emulated, or the other way round, in the same place."""

from __future__ import annotations

from typing import Any

import pytest

from tests.hotplug.domains import DISK_IDS, aliases, domain_of, ganeti, hotplug, kept, no_lock, places
from tests.hotplug.fake_document import INTERNAL, refusal
from tests.hotplug.fake_domain import FakeDomain, Fault
from tests.hotplug.happenings import failing
from tests.translate.building import disk
from virtxlate.domain.live import parse_live
from virtxlate.errors import OperationRefusedError, UnsupportedError, VerificationError
from virtxlate.ganeti.hvinfo import HvInfo
from virtxlate.hotplug.engine import Options
from virtxlate.hotplug.rehearsal import Rehearsal
from virtxlate.hotplug.session import Hotplug
from virtxlate.hotplug.steps import Attach, Detach, line
from virtxlate.scsi import ScsiDevice, ScsiMap
from virtxlate.translate.context import Context
from virtxlate.translate.hvinfo import derive
from virtxlate.translate.switch import Kind

DISK = DISK_IDS[1]
BOTH = {"live": True, "config": True}
WAYS: list[tuple[str, Kind, str]] = [("scsi-hd", "lun", "scsi-block"), ("scsi-block", "disk", "scsi-hd")]
TOLD = "it has one word for all disks, and not all are"
SEEN: dict[Kind, tuple[str, ...]] = {
    "lun": (
        "INQUIRY vendor, product and revision are the device's own instead of QEMU's",
        "serial and wwn, and so the names below /dev/disk/by-id, are the device's own",
        "every SCSI command reaches the device: reservations, UNMAP, log pages, its write cache",
    ),
    "disk": (
        "INQUIRY vendor and product are QEMU and QEMU HARDDISK instead of the device's own",
        "serial and wwn, and so the names below /dev/disk/by-id, are those that the domain says, or none",
        "SCSI commands end in QEMU: reservations, log pages and vendor commands no longer reach the device",
    ),
}


def scsi(count: int = 2, disk_type: str = "scsi-hd", **fields: Any) -> FakeDomain:
    """Give a domain of disks that take SCSI commands."""
    disks = [disk(n, template="blockdev", logical_id=("manual", f"/dev/sd{n}")) for n in range(count)]
    return domain_of(ganeti(disks, 1, disk_type=disk_type, scsi_controller_type="virtio-scsi-pci"), **fields)


def kind(found: FakeDomain, alias: str = DISK, *, live: bool = True) -> str | None:
    """Give what a disk is in a document."""
    document = found.live if live else found.config
    assert document is not None
    element = document.by_alias(alias)
    return None if element is None else element.get("device")


@pytest.mark.parametrize(("before", "to", "after"), WAYS)
def test_a_disk_leaves_and_comes_back_as_the_other_kind_in_its_place(
    before: str, to: Kind, after: str
) -> None:
    found = scsi(disk_type=before)
    where = places(found)
    done = hotplug(found, **BOTH).switch("1", to)
    assert [line(step) for step in done.steps] == [
        f"detach {'lun' if to == 'disk' else 'disk'} {DISK}",
        f"attach disk {DISK} (sdb) at controller 0 bus 0 target 1 unit 0",
    ]
    assert found.calls == [
        f"detachAlias {DISK} live",
        f"detach {DISK} config",
        f"attach {DISK} live+config",
        "metadata live",
        "metadata config",
    ]
    assert (kind(found), kind(found, live=False)) == (to, to)
    assert (places(found), places(found, live=False)) == (where, where)
    assert done.hvinfo == HvInfo(driver=after, id=DISK[3:], bus="scsi.0", channel=0, scsi_id=1, lun=0)
    assert done.notes == (
        *SEEN[to],
        f"Ganeti's data keeps hvparams.disk_type {before}: {TOLD} {after}",
    )


@pytest.mark.parametrize(("before", "to", "after"), WAYS)
def test_there_and_back_leaves_all_as_it_was(before: str, to: Kind, after: str) -> None:
    found, back = scsi(disk_type=before), "lun" if to == "disk" else "disk"
    was = kept(found), kind(found), places(found)
    operations = hotplug(found, **BOTH)
    operations.switch("1", to)
    changed = kept(found)
    assert (changed.hvparams.disk_type, [each.hvinfo and each.hvinfo.driver for each in changed.disks]) == (
        before,
        [before, after],
    )
    assert operations.switch(DISK, back).notes == SEEN[back]  # type: ignore[arg-type,index]
    assert (kept(found), kind(found), places(found)) == was


@pytest.mark.parametrize(("live", "config"), [(True, False), (False, True), (True, True)])
def test_only_what_is_to_change_does(live: bool, config: bool) -> None:
    found = scsi()
    hotplug(found, live=live, config=config).switch("1", "lun")
    assert kind(found) == ("lun" if live else "disk")
    assert kind(found, live=False) == ("lun" if config else "disk")
    assert kind(found, DISK_IDS[0]) == "disk"


@pytest.mark.parametrize(("before", "to", "after"), WAYS)
def test_ganetis_word_follows_when_every_disk_has_become_that(before: str, to: Kind, after: str) -> None:
    found = scsi(disk_type=before)
    operations = hotplug(found, **BOTH, force=True)
    operations.switch("1", to)
    done = operations.switch("0", to)
    assert done.notes == (*SEEN[to], f"Ganeti's data follows: hvparams.disk_type becomes {after}")
    for live in (True, False):
        instance = kept(found, live=live)
        assert instance.hvparams.disk_type == after
        assert [each.hvinfo and each.hvinfo.driver for each in instance.disks] == [after, after]


def test_ganetis_word_for_an_only_disk_follows() -> None:
    found = scsi(1)
    done = hotplug(found, force=True).switch("0", "lun")
    assert done.notes[-1] == "Ganeti's data follows: hvparams.disk_type becomes scsi-block"
    assert kept(found).hvparams.disk_type == "scsi-block"


def test_a_domain_without_metadata_has_nothing_that_could_follow() -> None:
    found = scsi(with_metadata=False)
    assert hotplug(found).switch("sdb", "lun").notes == SEEN["lun"]
    assert (kind(found), found.calls[-1]) == ("lun", f"attach {DISK} live")


def test_what_a_lun_cannot_have_goes_and_is_told() -> None:
    found = scsi()
    assert found.live is not None
    element = found.live.by_alias(DISK)
    assert element is not None
    element.append(found.live.parsed("<serial>A1</serial>"))
    assert "the serial that the domain said is gone" in hotplug(found).switch("1", "lun").notes
    assert found.live.by_alias(DISK) is not None
    assert "<serial>" not in found.sent[-1]


def test_a_disk_that_is_it_already_is_left_alone() -> None:
    found = scsi()
    done = hotplug(found, **BOTH).switch("1", "disk")
    assert (done.steps, done.notes, found.calls) == ((), ("it is emulated (disk) already",), [])


def test_a_definition_that_disagrees_is_not_passed_over() -> None:
    found = scsi()
    hotplug(found).switch("1", "lun")
    with pytest.raises(
        UnsupportedError, match=r"^disks\[1\]: the running guest has it passed through \(lun\)"
    ):
        hotplug(found, **BOTH).switch("1", "lun")
    hotplug(found, config=True).switch("1", "lun")
    assert (kind(found), kind(found, live=False)) == ("lun", "lun")


def test_the_disk_that_a_guest_boots_from_is_switched_by_force_only() -> None:
    found = scsi()
    with pytest.raises(OperationRefusedError, match="the guest boots from it"):
        hotplug(found, **BOTH).switch("0", "lun")
    assert found.calls == []
    hotplug(found, **BOTH, force=True).switch("0", "lun")
    assert kind(found, DISK_IDS[0]) == "lun"


@pytest.mark.parametrize("config", [False, True])
def test_a_disk_that_is_not_on_scsi_is_refused(config: bool) -> None:
    found = domain_of(ganeti(2, 1))
    with pytest.raises(
        UnsupportedError, match=r"^disks\[1\]: expected a disk on bus 'scsi', found bus 'virtio'"
    ):
        hotplug(found, config=config).switch("1", "lun")
    assert found.calls == []


def test_a_host_device_is_refused() -> None:
    found = domain_of(ganeti(0, 1))
    found.somebody_else_attaches(
        "<hostdev mode='subsystem' type='usb'><source/><alias name='ua-stick'/></hostdev>"
    )
    with pytest.raises(UnsupportedError, match="found a hostdev"):
        hotplug(found).switch("ua-stick", "disk")


def test_a_template_whose_device_takes_no_scsi_commands_is_refused() -> None:
    found = domain_of(ganeti(2, 1, disk_type="scsi-hd", scsi_controller_type="virtio-scsi-pci"))
    with pytest.raises(UnsupportedError, match=r"^disks\[1\]\.template: a plain disk is no SCSI device"):
        hotplug(found).switch("1", "lun")
    assert found.calls == []


def test_a_device_that_its_host_knows_to_be_no_scsi_device_is_refused() -> None:
    found = scsi()
    nvme = ScsiMap((ScsiDevice(block="/dev/nvme0n1", links=("/dev/sd1",)),))
    with pytest.raises(
        UnsupportedError, match=r"^disks\[1\]: /dev/sd1 is /dev/nvme0n1, which is no whole SCSI"
    ):
        hotplug(found, context=Context(scsi=nvme)).switch("1", "lun")
    assert found.calls == []


def test_an_image_cannot_be_a_lun_and_says_why() -> None:
    found = scsi()
    assert found.live is not None
    element = found.live.by_alias(DISK)
    assert element is not None
    element.set("type", "file")
    with pytest.raises(UnsupportedError, match=r"^disks\[1\].*it cannot be a lun: .*\[lun-source\]$"):
        hotplug(found).switch("1", "lun")
    assert found.calls == []


def test_a_place_that_the_definition_gave_to_another_disk_is_told_before_the_old_one_leaves() -> None:
    found = scsi()
    assert found.config is not None
    mine = found.config.by_alias(DISK)
    assert mine is not None
    found.config.take_out(mine)
    found.config.attach(
        "<disk type='block' device='disk'><source dev='/dev/sdx'/><target dev='sdx' bus='scsi'/>"
        "<address type='drive' controller='0' bus='0' target='1' unit='0'/></disk>"
    )
    with pytest.raises(UnsupportedError, match=r"\[scsi-address-unique\]$"):
        hotplug(found, **BOTH).switch("1", "lun")
    assert (found.calls, kind(found)) == ([], "disk")


def test_a_switch_that_fails_puts_the_old_disk_back() -> None:
    found = scsi()
    where = places(found)
    found.let("attach", Fault(before=failing(refusal(INTERNAL, "attachDeviceFlags", "no SG_IO"))))
    with pytest.raises(VerificationError, match="its successor could not be put in") as caught:
        hotplug(found).switch("1", "lun")
    assert caught.value.differences[-1] == "it is back in place"
    assert (kind(found), places(found)) == ("disk", where)


@pytest.mark.parametrize(("before", "to", "after"), WAYS)
def test_on_paper_it_is_what_it_would_be(before: str, to: Kind, after: str) -> None:
    real = scsi(disk_type=before)
    documents = real.live_xml(), real.inactive_xml()
    paper = Rehearsal(real)
    rehearsed = Hotplug(paper, options=Options(live=True, config=True), lock=no_lock).switch("1", to)
    assert (real.calls, (real.live_xml(), real.inactive_xml())) == ([], documents)
    done = hotplug(real, **BOTH).switch("1", to)
    assert (done.steps, done.notes, done.hvinfo) == (rehearsed.steps, rehearsed.notes, rehearsed.hvinfo)
    for xml in (paper.live_xml(), paper.inactive_xml(), real.live_xml(), real.inactive_xml()):
        assert [each.kind for each in derive(parse_live(xml)) if each.alias == DISK] == [to]
    assert rehearsed.hvinfo is not None
    assert rehearsed.hvinfo.driver == after
    assert aliases(real) == sorted((*DISK_IDS[:2], "ua-nic-00000000-5555-4222"))
    assert [type(step) for step in done.steps] == [Detach, Attach]
