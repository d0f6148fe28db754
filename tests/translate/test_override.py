"""Which properties of QEMU's devices are overridden, and what an override says on the way back."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tests.golden.cases import every_translation
from tests.translate.building import back, disk, instance, nic, there
from virtxlate import Context, Report, to_domain
from virtxlate.domain.settings import DeviceOverride, QemuOverride
from virtxlate.ganeti.model import Instance
from virtxlate.report import Severity
from virtxlate.tables.override import OVERRIDES

V3_0, V3_1 = 3_000_000, 3_010_000
SCSI: dict[str, Any] = {"disk_type": "scsi-hd"}
ID = "disk-00000000-1111-4222"


def of_version(one: Instance, version: int) -> Instance:
    return msgspec.structs.replace(one, version=version)


def named(kind: str, value: str | None) -> DeviceOverride:
    return DeviceOverride(alias=f"ua-{ID}", name="device_id", type=kind, value=value)


SEGMENTATION = tuple(
    DeviceOverride(alias="ua-nic-00000000-5555-4222", name=name, type="bool", value="false")
    for name in ("host_uso", "guest_uso4", "guest_uso6")
)
CASES: list[tuple[Instance, tuple[DeviceOverride, ...]]] = [
    (instance((disk(),)), ()),
    (instance(**SCSI), ()),
    (of_version(instance((disk(),), **SCSI), V3_0), (named("string", ID),)),
    (of_version(instance((disk(),), **SCSI), V3_1), (named("remove", None),)),
    (
        of_version(instance((disk(),), **SCSI, scsi_controller_type="dc390"), V3_0),
        (
            named("string", ID),
            DeviceOverride(alias="scsi0", name="driver", type="string", value="dc390"),
        ),
    ),
    (
        instance(vga="qxl"),
        (
            DeviceOverride(alias="video0", name="max_outputs", type="unsigned", value="0"),
            DeviceOverride(alias="video0", name="vram64_size_mb", type="remove"),
        ),
    ),
    (instance((), (nic(),), vnet_hdr=False, machine_version="pc-i440fx-8.1"), SEGMENTATION),
    (instance((), (nic(),), vnet_hdr=False, machine_version="pc-i440fx-noble"), SEGMENTATION),
    (instance((), (nic(),), vnet_hdr=False, machine_version="pc-i440fx-8.0"), ()),
    (instance((), (nic(),), vnet_hdr=False, machine_version="pc"), ()),
    (instance((), (nic(),), machine_version="pc-i440fx-8.1"), ()),
    (instance((), (nic(),), vnet_hdr=False, nic_type="e1000", machine_version="pc-i440fx-8.1"), ()),
]


@pytest.mark.parametrize(("one", "expected"), CASES, ids=[str(at) for at in range(len(CASES))])
def test_only_what_the_guest_would_see_is_overridden(
    one: Instance, expected: tuple[DeviceOverride, ...]
) -> None:
    found = there(one).qemu_override
    assert found == (QemuOverride(devices=expected) if expected else None)


def test_every_row_is_needed_here() -> None:
    written = {(each.name, each.type) for _, expected in CASES for each in expected}
    assert written == {(row.name, row.type) for row in OVERRIDES}


@pytest.mark.parametrize(("qemu", "expected"), [(8_000_002, ()), (8_001_000, SEGMENTATION)])
def test_the_version_of_qemu_says_what_a_bare_machine_type_does_not(
    qemu: int, expected: tuple[DeviceOverride, ...]
) -> None:
    context = Context(metadata=False, qemu_version=qemu)
    found = there(instance((), (nic(),), vnet_hdr=False), context).qemu_override
    assert found == (QemuOverride(devices=expected) if expected else None)


@pytest.mark.parametrize("one", [one for one, _ in CASES], ids=[str(at) for at in range(len(CASES))])
def test_without_overrides_each_is_reported_instead(one: Instance) -> None:
    report = Report()
    found = there(one, Context(metadata=False, untainted=True), report)
    said = there(one).qemu_override
    assert found.qemu_override is None
    assert len(report.losses) == (0 if said is None else len(said.devices))
    assert {loss.severity for loss in report.losses} <= {Severity.GUEST_VISIBLE}


def test_a_disk_without_a_uuid_keeps_libvirts_name_and_that_is_reported() -> None:
    report = Report()
    found = to_domain(instance((disk(uuid=""),), **SCSI), Context(), report)
    assert found.qemu_override is None
    assert [(loss.path, loss.severity) for loss in report.losses] == [
        ("disks[0].uuid", Severity.GUEST_VISIBLE)
    ]


@pytest.mark.parametrize("one", [one for one, _ in CASES], ids=[str(at) for at in range(len(CASES))])
def test_what_is_overridden_is_not_lost_on_the_way_back(one: Instance) -> None:
    report = Report()
    back(there(one), report=report)
    words = {f"{alias}.{row.name}" for row in OVERRIDES for alias in (f"ua-{ID}", "scsi0", "video0")}
    assert [loss for loss in report.losses if loss.value in words] == []


def test_an_override_of_somebody_else_is_reported() -> None:
    foreign = DeviceOverride(alias="ua-x", name="x-speed", type="unsigned", value="1")
    report = Report()
    edited = msgspec.structs.replace(there(instance()), qemu_override=QemuOverride(devices=(foreign,)))
    back(edited, report=report)
    (loss,) = (loss for loss in report.losses if loss.value == "ua-x.x-speed")
    assert (loss.path, loss.severity) == ("hvparams.kvm_extra", Severity.GUEST_VISIBLE)


def test_no_instance_taints_a_domain_that_is_to_be_untainted() -> None:
    tainting = 0
    for each in every_translation():
        tainting += each.domain.qemu_override is not None or each.domain.qemu_command_line is not None
        context = msgspec.structs.replace(each.context, untainted=True)
        found = to_domain(each.instance, context, Report())
        assert (found.qemu_override, found.qemu_command_line) == (None, None), each.stem
    assert tainting > 5
