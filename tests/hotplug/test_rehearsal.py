"""A domain on paper: what is done to it is what would be done, and the real one never hears of it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.hotplug.domains import DISK_IDS, DISKS, NIC_IDS, NICS, domain_of, ganeti, no_lock
from tests.hotplug.fake_domain import FakeDomain
from virtxlate.domain.live import parse_live
from virtxlate.errors import DeviceNotFoundError, OperationRefusedError
from virtxlate.hotplug.engine import Options
from virtxlate.hotplug.rehearsal import Rehearsal
from virtxlate.hotplug.session import Hotplug
from virtxlate.live.port import DomainState, HotplugPort, Outcome
from virtxlate.translate.hvinfo import derive


def on(port: HotplugPort, **options: Any) -> Hotplug:
    hvparams = {
        "scsi_controller_type": "virtio-scsi-pci",
        "disk_type": options.pop("disk_type", "paravirtual"),
    }
    return Hotplug(port, options=Options(**options), lock=no_lock, hvparams=hvparams)


def everything(hotplug: Hotplug) -> list[Any]:
    """Do one of each, and give what came of it."""
    return [
        hotplug.add_disk(DISKS[2]),
        hotplug.add_nic(NICS[2]),
        hotplug.modify_nic("0", state="down"),
        hotplug.modify_nic("1", link="br1"),
        hotplug.modify_nic("1", mac="aa:00:00:00:00:99"),
        hotplug.modify_disk("1", mode="ro"),
        hotplug.resize(DISKS[2].uuid, 4 << 30),
        hotplug.remove("disk", "1"),
        hotplug.remove("nic", "0"),
        hotplug.change_medium("hdc", None),
    ]


@pytest.mark.parametrize("disk_type", ["paravirtual", "scsi-hd"])
@pytest.mark.parametrize("config", [False, True])
def test_what_comes_of_it_on_paper_is_what_comes_of_it(disk_type: str, config: bool) -> None:
    real = domain_of(ganeti(2, 2))
    paper = Rehearsal(real)
    before = real.live_xml(), real.inactive_xml()
    options = {"disk_type": disk_type, "live": True, "config": config}
    rehearsed = everything(on(paper, **options))
    assert (real.calls, real.live_xml(), real.inactive_xml()) == ([], *before)
    done = everything(on(real, **options))
    assert [each.hvinfo for each in rehearsed] == [each.hvinfo for each in done]
    assert [[step.xml for step in each.steps if step.at != "nics[0]"] for each in rehearsed[:4]] == [
        [step.xml for step in each.steps if step.at != "nics[0]"] for each in done[:4]
    ]
    for on_paper, found in ((paper.live_xml(), real.live_xml()), (paper.inactive_xml(), real.inactive_xml())):
        assert sorted(map(str, derive_places(on_paper))) == sorted(map(str, derive_places(found)))
        assert parse_live(on_paper).metadata == parse_live(found).metadata


def derive_places(xml: str) -> list[tuple[str | None, object]]:
    """Give alias and address of each device that is Ganeti's."""
    found = ((info.alias, info.hvinfo) for info in derive(parse_live(xml)))
    return [(alias, info and (info.bus, info.addr, info.scsi_id)) for alias, info in found if alias]


def test_devices_stand_behind_those_of_their_kind() -> None:
    paper = Rehearsal(domain_of(ganeti(1, 1)))
    paper.attach("<disk type='file'><target dev='vdz' bus='virtio'/></disk>", live=True, config=True)
    for xml in (paper.live_xml(), paper.inactive_xml()):
        devices = [str(element.tag) for element in parse_live(xml).root.iterfind("devices/*")]
        first = devices.index("disk")
        assert [each == "disk" for each in devices].count(True) == 4
        assert devices[first : first + 4] == ["disk"] * 4


def test_a_controller_gets_the_name_that_libvirt_gives_it() -> None:
    paper = Rehearsal(domain_of(ganeti(1, 1)))
    paper.attach("<controller type='scsi' index='3' model='virtio-scsi'/>", live=True, config=True)
    for xml, alias in ((paper.live_xml(), "scsi3"), (paper.inactive_xml(), None)):
        found = parse_live(xml).controllers_by_index()["scsi", 3]
        assert found.part("alias").get("name") == alias
    paper.detach("<controller type='scsi' index='3'/>", live=True, config=True)
    assert ("scsi", 3) not in parse_live(paper.live_xml()).controllers_by_index()


def test_a_device_is_found_by_alias_mac_target_or_as_a_whole() -> None:
    hostdev = "<hostdev mode='subsystem' type='usb'><source><vendor id='0x1'/></source></hostdev>"
    paper = Rehearsal(domain_of(ganeti(2, 2)))
    paper.attach(hostdev, live=True, config=False)
    for xml in (
        f"<disk><alias name='{DISK_IDS[1]}'/></disk>",
        "<interface><mac address='aa:00:00:00:00:01'/></interface>",
        "<disk><target dev='vda'/></disk>",
        hostdev.replace("><", ">\n  <"),
    ):
        paper.detach(xml, live=True, config=False)
    left = parse_live(paper.live_xml()).devices
    assert [each.part("target").get("dev") for each in left if each.tag == "disk"] == ["fda", "hdc"]
    assert [each.part("alias").get("name") for each in left if each.tag != "disk"] == [NIC_IDS[0]]


@pytest.mark.parametrize(
    "xml", ["<disk><target dev='vdz'/></disk>", "<hostdev/>", "<controller type='scsi' index='9'/>"]
)
def test_a_device_that_is_not_there_is_told(xml: str) -> None:
    paper = Rehearsal(domain_of(ganeti(1, 1)))
    with pytest.raises(DeviceNotFoundError, match=r"^detach: the domain has no such "):
        paper.detach(xml, live=True, config=False)
    with pytest.raises(DeviceNotFoundError, match=r"^detach: the domain has no such "):
        paper.update(xml, live=True, config=False)
    with pytest.raises(DeviceNotFoundError, match=r"^detach: no device has the alias 'x'$"):
        paper.detach_alias("x")


def test_a_guest_on_paper_lets_go_at_once() -> None:
    paper = Rehearsal(domain_of(ganeti(2, 1)))
    with paper.removal(DISK_IDS[1]) as waiter:
        paper.detach_alias(DISK_IDS[1])
        assert waiter.wait(0) is Outcome.REMOVED
    assert DISK_IDS[1] not in paper.live_xml()


def domain(**fields: Any) -> FakeDomain:
    return domain_of(ganeti(1, 1), **fields)


def test_what_the_real_one_does_not_have_is_not_there_on_paper() -> None:
    stopped, transient = Rehearsal(domain(running=False)), Rehearsal(domain(persistent=False))
    assert stopped.live_xml() == stopped.inactive_xml()
    assert transient.live_xml() == transient.inactive_xml()
    assert (list(stopped.documents()), list(transient.documents())) == (["definition"], ["live XML"])
    assert (stopped.is_active(), transient.is_active()) == (False, True)
    with pytest.raises(OperationRefusedError, match=r"does not run$"):
        stopped.detach_alias("x")
    with pytest.raises(OperationRefusedError, match=r"is transient$"):
        transient.attach("<disk/>", live=False, config=True)
    with pytest.raises(OperationRefusedError, match=r"^start: this is a rehearsal$"):
        stopped.start()


def test_metadata_comes_and_goes() -> None:
    paper = Rehearsal(domain_of(ganeti(1, 1), with_metadata=False))
    for text in ("{}", "[]", None):
        paper.set_metadata(text, live=True, config=True)
        assert [parse_live(xml).metadata for xml in (paper.live_xml(), paper.inactive_xml())] == [text] * 2


def test_a_size_is_that_of_the_real_one_until_it_changes() -> None:
    paper = Rehearsal(domain())
    assert paper.disk_size("vda") == 1 << 30
    paper.resize("vda", 5)
    assert (paper.disk_size("vda"), paper.libvirt_version()) == (5, 9_000_000)


@pytest.mark.parametrize("running", [True, False])
def test_a_document_is_a_domain(running: bool) -> None:
    real = domain_of(ganeti(1, 1), running=running)
    paper = Rehearsal.of(real.live_xml())
    done = Hotplug(paper, lock=no_lock).add_disk(DISKS[1])
    assert done.hvinfo == Hotplug(real, lock=no_lock).add_disk(DISKS[1]).hvinfo
    assert (paper.name, paper.uuid, paper.is_active()) == (real.name, real.uuid, running)
    assert (paper.state(), paper.is_persistent()) == (DomainState(active=running), not running)
    assert paper.job() is None
    assert list(paper.documents()) == ["live XML" if running else "definition"]
    if running:
        Hotplug(paper, lock=no_lock).resize("vda", 1 << 20)
        assert paper.disk_size("vda") == 1 << 20
