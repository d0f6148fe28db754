"""What comes obeys the rules, or does not come: libvirt would not tell, and a removal cannot be undone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from tests.hotplug.domains import GOLDENS, UUID, domain_of, ganeti, hotplug
from tests.hotplug.fake_domain import FakeDomain
from tests.translate.building import disk
from virtxlate.errors import UnsupportedError
from virtxlate.ganeti.model import Disk
from virtxlate.hotplug import obeys
from virtxlate.hotplug.session import Hotplug
from virtxlate.hotplug.steps import line
from virtxlate.report import Loss, Severity
from virtxlate.rules import faults

WWN = "/dev/disk/by-id/wwn-0x5000c500a1b2c3d"
IQN = "iqn.2026-11.example:luns"
LUNS = tuple(
    disk(number, template="blockdev", logical_id=("manual", f"{WWN}{number}"), params={})
    for number in range(4)
)
READ_ONLY = (
    "a lun has no readonly; leave it out and protect the device itself, or make the disk device='disk' "
    "[lun-readonly]"
)
NO_FILE = (
    "a lun needs a SCSI device: type block, network with protocol iscsi, or a volume of such a pool: one of "
    "block, network, volume; found 'file'; name a SCSI disk of the host as type='block', or make the disk "
    "device='disk' [lun-source]"
)
FIRMWARE = (
    "a guest with a passed-through device on am53c974 stops before it boots; found 'am53c974'; "
    "use lsilogic, lsisas1078 or virtio-scsi [scsi-model-firmware]"
)


def read_only(number: int) -> Disk:
    return msgspec.structs.replace(LUNS[number], mode="ro")


def block(*disks: Disk, model: str = "virtio-scsi-pci", **fields: Any) -> FakeDomain:
    """Give the running domain of an instance whose disks are passed through."""
    return domain_of(ganeti(disks, 0, disk_type="scsi-block", scsi_controller_type=model), **fields)


def wanted(*disks: Disk) -> Any:
    return ganeti(disks, 0, disk_type="scsi-block", scsi_controller_type="virtio-scsi-pci")


def file_of(number: int) -> dict[str, Any]:
    """Give the fields of the same disk in a file."""
    return {"template": "file", "logical_id": ["loop", f"/srv/{number}.img"]}


REFUSED: dict[str, tuple[Callable[[Hotplug], object], str, str]] = {
    "add": (lambda found: found.add_disk(read_only(2)), "disks[2]", READ_ONLY),
    "plan of an add": (lambda found: found.plan_disk(read_only(2)), "disks[2]", READ_ONLY),
    "modify": (lambda found: found.modify_disk("1", mode="ro"), "disks[1]", READ_ONLY),
    "become": (lambda found: found.become_disk(read_only(1)), "disks[1]", READ_ONLY),
    "add a file": (
        lambda found: found.add_disk(
            msgspec.structs.replace(LUNS[2], template="file", logical_id=("loop", "/a"))
        ),
        "disks[2]",
        NO_FILE,
    ),
    "modify to a file": (lambda found: found.modify_disk("1", **file_of(1)), "disks[1]", NO_FILE),
    "apply of one more": (lambda found: found.apply(wanted(*LUNS[:2], read_only(2))), "disks[2]", READ_ONLY),
    "apply of a change": (lambda found: found.apply(wanted(LUNS[0], read_only(1))), "disks[1]", READ_ONLY),
    "apply after a removal": (
        lambda found: found.apply(wanted(LUNS[0], read_only(2))),
        "disks[1]",
        READ_ONLY,
    ),
    "plan": (lambda found: found.plan(wanted(LUNS[0], read_only(1))), "disks[1]", READ_ONLY),
}


@pytest.mark.parametrize("config", [False, True], ids=["live", "live and config"])
@pytest.mark.parametrize("case", REFUSED)
def test_what_breaks_a_rule_is_refused_before_any_call(case: str, config: bool) -> None:
    call, at, message = REFUSED[case]
    found = block(*LUNS[:2])
    with pytest.raises(UnsupportedError) as caught:
        call(hotplug(found, live=True, config=config))
    assert str(caught.value) == f"{at}: {message}"
    assert found.calls == []


def test_the_golden_domain_gets_no_read_only_lun() -> None:
    found = FakeDomain((GOLDENS / "disk-type-scsi-block.xml").read_text(encoding="utf-8"))
    with pytest.raises(UnsupportedError, match=r"\[lun-readonly\]"):
        hotplug(found).modify_disk("1", mode="ro")
    assert found.calls == []


def test_a_rule_that_warns_is_a_loss_of_the_addition() -> None:
    loss = Loss(path="disks[1]", value="am53c974", reason=FIRMWARE, severity=Severity.GUEST_VISIBLE)
    found = block(LUNS[0], model="dc390")
    instance = ganeti(LUNS[:2], 0, disk_type="scsi-block", scsi_controller_type="dc390")
    assert hotplug(found, live=True, config=True).plan(instance).losses == (loss,)
    assert hotplug(found).add_disk(LUNS[1]).losses == (loss,)


def test_a_lun_that_may_come_comes() -> None:
    found = block(*LUNS[:2])
    done = hotplug(found).add_disk(LUNS[2])
    assert [step.at for step in done.steps] == ["disks[2]"]
    assert done.losses == ()


def test_controllers_that_come_in_the_same_plan_are_there() -> None:
    """A disk on a controller that another step adds has no undeclared one."""
    model = {"disk_type": "scsi-block", "scsi_controller_type": "lsi"}
    many = tuple(
        disk(template="blockdev", logical_id=("manual", f"{WWN}{number:02}"), uuid=f"{number:08}{UUID[8:]}")
        for number in range(10)
    )
    planned = hotplug(domain_of(ganeti(many[:6], 0, **model))).plan(ganeti(many, 0, **model))
    assert [line(step).split(" (")[0].partition(" ua-")[0] for step in planned.steps] == [
        "attach disk",
        "add scsi controller 1",
        "attach disk",
        "attach disk",
        "attach disk",
    ]
    assert planned.losses == ()


def foreign(first: str = "", second: str = "") -> FakeDomain:
    """Give a domain of nobody's with two luns."""
    disks = "".join(
        f"<disk type='block' device='lun'><driver name='qemu' type='raw'/><source dev='{WWN}{number}'/>"
        f"<target dev='sd{'ab'[number]}' bus='scsi'/>{more}<alias name='scsi0-0-{number}-0'/>"
        f"<address type='drive' controller='0' bus='0' target='{number}' unit='0'/></disk>"
        for number, more in enumerate((first, second))
    )
    return FakeDomain(
        f"<domain type='kvm'><name>f.example.com</name><uuid>{UUID}</uuid><memory unit='MiB'>512</memory>"
        "<vcpu>1</vcpu><os><type arch='x86_64' machine='pc-i440fx-7.2'>hvm</type></os>"
        "<features><acpi/></features><devices><controller type='pci' index='0' model='pci-root'/>"
        "<controller type='scsi' index='0' model='virtio-scsi'><address type='pci' slot='0x05'/></controller>"
        f"{disks}<memballoon model='none'/></devices></domain>"
    )


def test_a_fault_that_the_domain_had_does_not_block() -> None:
    found = foreign("<readonly/>", "<readonly/>")
    hotplug(found, hvparams={"disk_type": "scsi-block"}).add_disk(LUNS[2])
    assert len(found.calls) == 1
    moved = hotplug(found, hvparams={"disk_type": "scsi-block"}).modify_disk(
        "1", logical_id=["manual", f"{WWN}9"]
    )
    assert [line(step).partition(" ")[0] for step in moved.steps] == ["detach", "attach"]


def test_a_fault_of_a_device_that_leaves_is_no_excuse_for_the_one_that_comes() -> None:
    target = '<target dev="sdb" bus="scsi"/>'
    before, _target, after = block(*LUNS[:2]).live_xml().partition(target)
    found = FakeDomain(f"{before}{target}<readonly/>{after}")
    planned = hotplug(found).plan(wanted(LUNS[0], LUNS[2]))
    assert [line(step).partition(" ")[0] for step in planned.steps] == ["detach", "attach"]
    with pytest.raises(UnsupportedError, match=r"disks\[1\]: .* \[lun-readonly\]"):
        hotplug(found).plan(wanted(LUNS[0], read_only(2)))


def test_only_what_comes_pays_for_the_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    heard = []

    def counted(root: Any) -> Any:
        heard.append(root)
        return faults(root)

    monkeypatch.setattr(obeys, "faults", counted)
    found = domain_of(ganeti(LUNS[:2], 1, disk_type="paravirtual"))
    hotplug(found).remove("disk", "1")
    assert heard == []
    hotplug(found).add_disk(LUNS[2])
    assert len(heard) == 1
