"""Answers of the remote API: what they tell, what they lack, and what is refused, with the whole message."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tests.ganeti.broken import GONE, NAME, Path, changed, read, source
from tests.golden import cases
from virtxlate import GanetiDataError, Loss, Report, open_source
from virtxlate.ganeti.model import Instance

MODES = "expected one of bridged, routed, openvswitch, ext, found 'pool'"
TEMPLATES = "plain, drbd, file, sharedfile, blockdev, rbd, ext, gluster, lvm, drbd8"
NO_UUID = "expected a UUID"
NO_MAC = "expected a MAC address"
NO_HOST = "expected a host name of letters, digits, '.', '_' and '-', found"

OF_AN_ENTRY: list[tuple[str, Any, str]] = [
    ("uuid", "x/y", f"uuid: {NO_UUID}"),
    ("uuid", GONE, "object missing required field uuid"),
    ("hvparams", {}, "its hypervisor is not kvm: no KVM hypervisor parameter is set"),
    ("hvparams", {"kvm_flag": 5}, "hvparams.kvm_flag: expected str, got int"),
    ("beparams", {"vcpus": 0}, "beparams.vcpus: expected int >= 1"),
    ("beparams", GONE, "object missing required field beparams"),
    ("disk_template", "qcow2", f"disk_template: expected a disk template of {TEMPLATES}, found 'qcow2'"),
    ("disk.sizes", ["1"], "disk.sizes[0]: expected int, got str"),
    ("nic.macs", ["zz"], f"nic.macs[0]: {NO_MAC}"),
    ("nic.modes", [], "nic.modes[0]: expected a mode for each NIC, found none"),
    ("nic.modes", ["pool"], f"nics[0].nicparams.mode: {MODES}"),
    ("tags", "x", "tags: expected array, got str"),
    ("network_port", "5", "network_port: expected int | null, got str"),
]


@pytest.mark.parametrize(("key", "value", "message"), OF_AN_ENTRY)
def test_an_entry_that_cannot_be_read(key: str, value: Any, message: str) -> None:
    with pytest.raises(GanetiDataError) as caught:
        read("rapi-entry", (key,), value)
    assert str(caught.value) == message


@pytest.mark.parametrize("name", ["../x", "a\nb", ""])
def test_a_name_that_could_leave_its_directory_or_its_line(name: str) -> None:
    with pytest.raises(GanetiDataError) as caught:
        read("rapi-entry", ("name",), name, name)
    assert str(caught.value) == f"name: {NO_HOST} {name!r}"


INFO = f"['{NAME}']"
OF_AN_INFO: list[tuple[Path, Any, str]] = [
    (("name",), "../x", f"{INFO}.name: {NO_HOST} '../x'"),
    (("name",), GONE, f"{INFO}: object missing required field name"),
    (
        ("hypervisor",),
        "xen-pvm",
        "its hypervisor is xen-pvm, not kvm",
    ),
    (("hv_actual",), [], f"{INFO}.hv_actual: expected object, got array"),
    (("hv_actual", "vga"), 5, f"{INFO}.hvparams.vga: expected str, got int"),
    (("be_actual",), {"maxmem": "x"}, f"{INFO}.beparams.maxmem: expected int, got str"),
    (("nics", 0, 4), "pool", f"{INFO}.nics[0].nicparams.mode: {MODES}"),
    (("nics", 0, 5), True, f"{INFO}.nics[0][5]: expected str | null, got bool"),
    (("nics", 0, 8), "x", f"{INFO}.nics[0][8]: expected object | null, got str"),
    (
        ("disks", 0, "dev_type"),
        "x",
        f"{INFO}.disks[0].dev_type: expected a disk template of {TEMPLATES}, found 'x'",
    ),
    (("disks", 1, "logical_id"), [1], f"{INFO}.disks[1].logical_id: expected 6 items, found 1"),
    (
        ("disks", 1, "drbd_info"),
        {},
        f"{INFO}.disks[1].drbd_info: object missing required field primary_minor",
    ),
    (("disks", 0, "pstatus"), "x", f"{INFO}.disks[0].pstatus: expected array | null, got str"),
]


@pytest.mark.parametrize(("path", "value", "message"), OF_AN_INFO)
def test_an_info_result_that_cannot_be_read(path: Path, value: Any, message: str) -> None:
    with pytest.raises(GanetiDataError) as caught:
        read("rapi-info-active", (NAME, *path), value)
    assert str(caught.value) == message


def test_a_nic_of_the_wrong_length() -> None:
    with pytest.raises(GanetiDataError) as caught:
        read("rapi-info-active", (NAME, "nics", 0), [None, "x"])
    assert str(caught.value).startswith(f"{INFO}.nics[0]")


def test_an_error_in_a_list_says_which_entry() -> None:
    with pytest.raises(GanetiDataError) as caught:
        read("rapi-bulk", (1, "tags"), 5)
    assert str(caught.value) == "[1].tags: expected array, got int"


def test_two_instances_of_one_name() -> None:
    with pytest.raises(GanetiDataError) as caught:
        source(changed("rapi-bulk", (0, "name"), NAME) + changed("rapi-bulk", (0, "name"), NAME))
    assert str(caught.value) == f"[3]: a second instance named '{NAME}'"


@pytest.mark.parametrize("case", ["rapi-entry", "rapi-bulk"])
def test_a_name_that_the_answer_has_not(case: str) -> None:
    found = cases.source(case)
    for ask in (lambda: found.instance("nope", Report()), lambda: found.origins("nope")):
        with pytest.raises(GanetiDataError) as caught:
            ask()
        assert str(caught.value) == "no KVM instance 'nope' in this data"


def test_another_hypervisor_says_so() -> None:
    with pytest.raises(GanetiDataError) as caught:
        cases.source("rapi-bulk").instance("xen1.example.com", Report())
    assert str(caught.value) == "its hypervisor is not kvm: no KVM hypervisor parameter is set"


def read_with_losses(case: str) -> tuple[Instance, tuple[Loss, ...]]:
    report = Report()
    return cases.source(case).instance(NAME, report), report.losses


def test_what_an_entry_lacks_is_reported() -> None:
    found, losses = read_with_losses("rapi-entry")
    assert [loss.path for loss in losses] == [
        "nics[0].vlan",
        "disks[0].logical_id",
        "disks[0].params",
        "disks[1].logical_id",
        "disks[1].params",
    ]
    assert [disk.logical_id for disk in found.disks] == [(), ()]
    assert [disk.size_mib for disk in found.disks] == [10240, 2048]
    assert found.own_hvparams == ("disk_type",)


def test_an_info_result_tells_devices_and_vlans() -> None:
    found, losses = read_with_losses("rapi-info-active")
    assert [loss.path for loss in losses] == [f"disks[{index}].params" for index in range(4)]
    assert [disk.device for disk in found.disks[1:]] == ["/dev/drbd3", "/dev/rbd0", "/dev/mapper/san-lun7"]
    assert (found.disks[1].minor, found.nics[1].vlan) == (3, ":10:20")
    assert found.disk_template == "mixed"
    assert found.osparams == {"arch": "amd64"}


def test_a_static_info_result_tells_no_device() -> None:
    found, _losses = read_with_losses("rapi-info-static")
    assert [disk.device for disk in found.disks] == [None, None]
    netinfo = found.nics[0].netinfo
    assert netinfo is not None
    assert (netinfo.name, netinfo.network) == ("dmz", "203.0.113.0/24")


def test_an_old_server_tells_no_uuids() -> None:
    found, _losses = read_with_losses("rapi-old-server")
    assert [disk.uuid for disk in found.disks] == [nic.uuid for nic in found.nics] == [""]


def test_origins_tell_the_instances_own_parameters_from_the_rest() -> None:
    origins = cases.source("rapi-entry").origins(NAME)
    assert origins["hvparams.disk_type"] == "instance.hvparams"
    assert origins["hvparams.acpi"] == "cluster"
    assert cases.source("rapi-info-active").origins(NAME) == {}


def test_a_drbd_secret_in_an_info_result_is_dropped_all_the_same() -> None:
    found = read("rapi-info-active", (NAME, "disks", 1, "logical_id", 5), "made-up-secret")
    assert "made-up-secret" not in repr(found)


def test_an_info_result_of_another_hypervisor_is_skipped_with_the_reason() -> None:
    data = msgspec.json.encode({"xen1.example.com": {"hypervisor": "xen-pvm", "hv_actual": {}}})
    source = open_source(data)
    assert list(source.names()) == []
    assert source.skipped == {"xen1.example.com": "its hypervisor is xen-pvm, not kvm"}


def test_an_entry_of_mixed_templates_says_where_to_find_them() -> None:
    with pytest.raises(GanetiDataError) as caught:
        read("rapi-entry", ("disk_template",), "mixed")
    assert str(caught.value) == (
        "disk_template: 'mixed' does not tell each disk's template; the result of an info job does"
    )


@pytest.mark.parametrize(
    ("oper_ram", "told"),
    [(384, 384), (256, 256), (100, 256), (512, None), (600, None), (0, None), (None, None)],
)
def test_the_memory_of_a_guest_that_has_less_than_all_is_kept(oper_ram: int | None, told: int | None) -> None:
    assert read("rapi-ballooned", ("oper_ram",), oper_ram).oper_ram_mib == told
