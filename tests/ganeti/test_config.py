"""config.data: what is read of each version, what is borne, and what is refused, with the whole message."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.ganeti.broken import GONE, NAME, Path, changed, read, source
from tests.golden import cases
from virtxlate import GanetiDataError, Report
from virtxlate.ganeti.model import Instance

INSTANCE: Path = ("instances", "*")
DISK: Path = ("disks", "*")
KEY = "3160d071-3f72-471d-ba52-fe1b4fc4cd61"
DISK_KEY = "cf035e5d-1ac4-4a21-9641-646dbb49df02"
AT = f"instances['{KEY}']"
AT_DISK = f"disks['{DISK_KEY}']"
SCALAR = "bool | int | float | str | null"
TEMPLATES = "plain, drbd, file, sharedfile, blockdev, rbd, ext, gluster, lvm, drbd8"
NODE = "6c0d9ad2-5b8a-4b5e-9f7c-0a4f1c2d3e41"

OF_THE_CLUSTER: list[tuple[Path, Any, str]] = [
    (("version",), "3.1", "version: expected int, got str"),
    (("version",), True, "version: expected int, got bool"),
    (("version",), 2060000, "version: expected 2070000 (2.7) or newer, found 2060000: run cfgupgrade first"),
    (("version",), 100_000_000, "version: expected at most 99999999, a version of Ganeti"),
    (("version",), GONE, "object missing required field version"),
    (("cluster",), [], "cluster: expected object, got array"),
    (("cluster",), None, "cluster: expected object, got null"),
    (("cluster", "hvparams"), {"kvm": 1}, "cluster.hvparams[...]: expected object, got int"),
    (
        ("cluster", "hvparams", "kvm", "vga"),
        [1],
        f"cluster.hvparams[...][...]: expected {SCALAR}, got array",
    ),
    (("instances",), [], "instances: expected object, got array"),
    (("instances",), GONE, "object missing required field instances"),
    (("disks",), [], "disks: expected object, got array"),
    (("nodes", "*", "group"), 5, "nodes[...].group: expected str, got int"),
    (("nodegroups", "*", "diskparams"), [], "nodegroups[...].diskparams: expected object, got array"),
    (("networks",), {"n": 1}, "networks[...]: expected object, got int"),
]


@pytest.mark.parametrize(("path", "value", "message"), OF_THE_CLUSTER)
def test_a_cluster_that_cannot_be_read(path: Path, value: Any, message: str) -> None:
    with pytest.raises(GanetiDataError) as caught:
        source(changed("version-3.1", path, value))
    assert str(caught.value) == message


OF_AN_INSTANCE: list[tuple[Path, Any, str]] = [
    ((*INSTANCE, "uuid"), "no-uuid", f"{AT}.uuid: expected a UUID, found 'no-uuid'"),
    ((*INSTANCE, "uuid"), f"{KEY}\n", f"{AT}.uuid: expected a UUID, found '{KEY}\\n'"),
    ((*INSTANCE, "hvparams"), [], f"{AT}.hvparams: expected object, got array"),
    ((*INSTANCE, "hvparams", "acpi"), "true", f"{AT}.hvparams.acpi: expected bool, got str"),
    ((*INSTANCE, "hvparams", "acpi"), 1, f"{AT}.hvparams.acpi: expected bool, got int"),
    ((*INSTANCE, "hvparams", "cpu_cores"), -1, f"{AT}.hvparams.cpu_cores: expected int >= 0"),
    ((*INSTANCE, "hvparams", "cpu_cores"), True, f"{AT}.hvparams.cpu_cores: expected int, got bool"),
    (
        (*INSTANCE, "hvparams", "kvm_pci_reservations"),
        33,
        f"{AT}.hvparams.kvm_pci_reservations: expected int <= 32",
    ),
    ((*INSTANCE, "hvparams", "virtio_net_queues"), 0, f"{AT}.hvparams.virtio_net_queues: expected int >= 1"),
    ((*INSTANCE, "hvparams", "vga"), None, f"{AT}.hvparams.vga: expected str, got null"),
    ((*INSTANCE, "hvparams", "x"), {"a": 1}, f"{AT}.hvparams.x: expected {SCALAR}, got object"),
    ((*INSTANCE, "hvparams", "a\nb"), [], f"{AT}.hvparams['a\\nb']: expected {SCALAR}, got array"),
    ((*INSTANCE, "beparams", "vcpus"), 0, f"{AT}.beparams.vcpus: expected int >= 1"),
    ((*INSTANCE, "beparams", "vcpus"), "2", f"{AT}.beparams.vcpus: expected int, got str"),
    ((*INSTANCE, "beparams", "maxmem"), 1.5, f"{AT}.beparams.maxmem: expected int, got float"),
    ((*INSTANCE, "nics"), {}, f"{AT}.nics: expected array, got object"),
    ((*INSTANCE, "nics", 0), 5, f"{AT}.nics[0]: expected object, got int"),
    ((*INSTANCE, "nics", 0, "mac"), "aa:00", f"{AT}.nics[0].mac: expected a MAC address"),
    (
        (*INSTANCE, "nics", 0, "mac"),
        "aa:00:00:00:00:01\n",
        f"{AT}.nics[0].mac: expected a MAC address",
    ),
    ((*INSTANCE, "nics", 0, "mac"), None, f"{AT}.nics[0].mac: expected str, got null"),
    ((*INSTANCE, "nics", 0, "mac"), GONE, f"{AT}.nics[0]: object missing required field mac"),
    ((*INSTANCE, "nics", 0, "uuid"), "x/y", f"{AT}.nics[0].uuid: expected a UUID"),
    (
        (*INSTANCE, "nics", 0, "nicparams"),
        {"mode": "pool"},
        f"{AT}.nics[0].nicparams.mode: expected one of bridged, routed, openvswitch, ext, found 'pool'",
    ),
    (
        (*INSTANCE, "nics", 0, "nicparams"),
        {"link": True},
        f"{AT}.nics[0].nicparams.link: expected a text, found True",
    ),
    ((*INSTANCE, "disks"), "abc", f"{AT}.disks: expected array, got str"),
    ((*INSTANCE, "disks", 0), 5, f"{AT}.disks[0]: expected str | object, got int"),
    ((*INSTANCE, "disks", 0), "gone", f"{AT}.disks[0]: expected the uuid of a disk, found 'gone'"),
    (("disks",), GONE, f"{AT}.disks[0]: expected the uuid of a disk, found '{DISK_KEY}'"),
    (
        (*DISK, "dev_type"),
        "qcow2",
        f"{AT}.disks[0].dev_type: expected a disk template of {TEMPLATES}, found 'qcow2'",
    ),
    ((*DISK, "dev_type"), GONE, f"{AT_DISK}: object missing required field dev_type"),
    ((*DISK, "logical_id"), ["a"], f"{AT}.disks[0].logical_id: expected 2 items, found 1"),
    ((*DISK, "logical_id"), "x", f"{AT_DISK}.logical_id: expected array | null, got str"),
    ((*DISK, "logical_id", 0), {}, f"{AT_DISK}.logical_id[0]: expected {SCALAR}, got object"),
    ((*DISK, "size"), -1, f"{AT_DISK}.size: expected int >= 0"),
    ((*DISK, "size"), "1G", f"{AT_DISK}.size: expected int, got str"),
    ((*DISK, "uuid"), "../x", f"{AT_DISK}.uuid: expected a UUID"),
    ((*DISK, "children"), "x", f"{AT_DISK}.children: expected array | null, got str"),
    (
        ("cluster", "hvparams", "kvm", "acpi"),
        "yes",
        f"{AT}.hvparams.acpi: expected bool, got str in cluster.hvparams.kvm",
    ),
]


@pytest.mark.parametrize(("path", "value", "message"), OF_AN_INSTANCE)
def test_an_instance_that_cannot_be_read(path: Path, value: Any, message: str) -> None:
    with pytest.raises(GanetiDataError) as caught:
        read("version-3.1", path, value)
    assert str(caught.value) == message


DRBD = "disk-drbd-primary-first"
DRBD_AT = "instances['e0eb79ba-eabb-42b4-936f-84d8ca61cc80'].disks[0]"
SECOND = "8f14e45f-ceea-467f-a830-6b1ce5d7a1f2"
NOT_A_NODE = f"expected the primary node '{NODE}' as one of the two nodes, found 'other' and '{SECOND}'"
OF_DRBD: list[tuple[Path, Any, str]] = [
    ((*DISK, "logical_id"), [1, 2, 3, 4, 5], f"{DRBD_AT}.logical_id: expected 6 items, found 5"),
    (
        (*DISK, "logical_id", 0),
        "other",
        f"{DRBD_AT}.logical_id: {NOT_A_NODE}",
    ),
    ((*DISK, "logical_id", 4), "x", f"{DRBD_AT}.logical_id[3]: expected two minor numbers"),
    (
        (*DISK, "children", 0, "dev_type"),
        "x",
        f"{DRBD_AT}.children[0].dev_type: expected a disk template of {TEMPLATES}, found 'x'",
    ),
    (
        (*DISK, "children", 1, "logical_id"),
        [],
        f"{DRBD_AT}.children[1].logical_id: expected 2 items, found 0",
    ),
]


@pytest.mark.parametrize(("path", "value", "message"), OF_DRBD)
def test_a_drbd_disk_that_cannot_be_read(path: Path, value: Any, message: str) -> None:
    with pytest.raises(GanetiDataError) as caught:
        read(DRBD, path, value)
    assert str(caught.value) == message


BAD_NAMES = [
    "../../etc/passwd",
    "a/b",
    "a\nb",
    "a\0b",
    "",
    ".hidden",
    "-x",
    "a b",
    "ä.example.com",
    "x" * 254,
]


@pytest.mark.parametrize("name", BAD_NAMES)
def test_a_name_that_could_leave_its_directory_or_its_line(name: str) -> None:
    with pytest.raises(GanetiDataError) as caught:
        read("version-3.1", (*INSTANCE, "name"), name, name)
    reason = f"expected a host name of letters, digits, '.', '_' and '-', found {name!r}"
    assert str(caught.value) == f"{AT}.name: {reason}"


@pytest.mark.parametrize("name", ["nope", "", "INST1.example.com"])
def test_a_name_that_the_cluster_has_not(name: str) -> None:
    with pytest.raises(GanetiDataError) as caught:
        cases.source("version-3.1").instance(name, Report())
    assert str(caught.value) == f"instances: expected the name of a KVM instance, found {name!r}"


@pytest.mark.parametrize("case", ["version-2.7", "version-3.1"])
def test_an_instance_of_another_hypervisor_says_which(case: str) -> None:
    found = cases.source(case)
    with pytest.raises(GanetiDataError) as caught:
        found.instance("xen1.example.com", Report())
    assert str(caught.value) == "instances['xen1.example.com']: its hypervisor is xen-pvm, not kvm"


def test_another_hypervisor_cannot_be_had_by_its_uuid_either() -> None:
    data = json.loads((cases.GANETI / "version-3.1.json").read_bytes())
    (xen,) = [key for key, each in data["instances"].items() if each["hypervisor"] == "xen-pvm"]
    with pytest.raises(GanetiDataError, match=r"its hypervisor is xen-pvm, not kvm$"):
        source(data).instance(xen, Report())


def test_two_instances_of_one_name() -> None:
    data = changed("version-3.1", ("instances", "second"), {"name": NAME})
    with pytest.raises(GanetiDataError) as caught:
        source(data)
    assert str(caught.value) == f"instances['second'].name: a second instance named '{NAME}'"


def test_a_broken_instance_stops_nobody_else() -> None:
    data = changed("version-3.1", ("instances", "broken"), {"nics": 5})
    found = source(data)
    assert list(found.names()) == [NAME, "broken"]
    assert found.instance(NAME, Report()).name == NAME
    with pytest.raises(GanetiDataError) as caught:
        found.instance("broken", Report())
    assert str(caught.value) == "instances['broken'].nics: expected array, got int"


BORNE: list[tuple[Path, Any, str, Any]] = [
    (("something_new",), {"a": [1]}, "name", NAME),
    (("cluster", "something_new"), 1, "name", NAME),
    ((*INSTANCE, "something_new"), [], "name", NAME),
    ((*INSTANCE, "nics", 0, "something_new"), {}, "name", NAME),
    ((*DISK, "something_new"), {}, "name", NAME),
    (("version",), 4010000, "version", 4010000),
    ((*INSTANCE, "uuid"), GONE, "uuid", KEY),
    ((*INSTANCE, "hypervisor"), GONE, "name", NAME),
    ((*INSTANCE, "admin_state"), GONE, "admin_state", "up"),
    ((*INSTANCE, "nics"), GONE, "nics", ()),
    ((*INSTANCE, "hvparams"), GONE, "own_hvparams", ()),
    ((*INSTANCE, "hvparams", "something_new"), 5, "unknown_hvparams", {"something_new": 5}),
    (("nodes",), GONE, "primary_node", NODE),
    (("networks",), GONE, "name", NAME),
    (("filters",), GONE, "name", NAME),
]


@pytest.mark.parametrize(("path", "value", "field", "expected"), BORNE)
def test_unknown_keys_are_passed_over_and_missing_ones_have_a_default(
    path: Path, value: Any, field: str, expected: Any
) -> None:
    assert getattr(read("version-3.1", path, value), field) == expected


@pytest.mark.parametrize(("admin_up", "state"), [(True, "up"), (False, "down")])
def test_the_state_of_2_5_is_a_bool(admin_up: bool, state: str) -> None:
    data = changed("version-2.7", (*INSTANCE, "admin_state"), GONE)
    data["instances"][NAME]["admin_up"] = admin_up
    assert source(data).instance(NAME, Report()).admin_state == state


def instance(case: str) -> Instance:
    return cases.translations(case)[0].instance


def test_2_7_has_disks_inside_instances_and_old_words() -> None:
    found = instance("version-2.7")
    assert found.version == 2070000
    assert [disk.template for disk in found.disks] == ["plain", "drbd"]
    assert [disk.uuid for disk in found.disks] == ["", ""]
    assert [child.template for child in found.disks[1].children] == ["plain", "plain"]
    assert (found.beparams.minmem, found.beparams.maxmem) == (1024, 1024)
    assert found.own_beparams == ("maxmem", "minmem")
    assert found.disks[1].minor == 3
    assert found.disk_template == "mixed"


def test_instances_are_had_by_uuid_too() -> None:
    found = cases.source("version-3.1")
    assert found.instance(KEY, Report()) == found.instance(NAME, Report())


def test_a_detached_disk_is_nobodys() -> None:
    data = changed("version-3.1", ("disks", "detached"), {"dev_type": "no such type"})
    assert len(source(data).instance(NAME, Report()).disks) == 1


def test_the_minor_is_that_of_the_primary_node() -> None:
    assert instance("disk-drbd-primary-first").disks[0].minor == 4
    assert instance("disk-drbd-secondary-first").disks[0].minor == 7


def test_the_drbd_secret_is_dropped_and_reported() -> None:
    report = Report()
    found = cases.source(DRBD).instance(NAME, report)
    assert found.disks[0].logical_id == (NODE, SECOND, 11004, 4, 7, None)
    assert [str(loss) for loss in report.losses] == [
        "disks[0].logical_id[5] = '(secret)': the DRBD secret stays with Ganeti (host-only)"
    ]


def test_private_os_parameters_are_dropped_and_reported() -> None:
    report = Report()
    found = cases.source("version-3.1").instance(NAME, report)
    assert found.osparams == {"arch": "amd64", "filesystem": "xfs", "release": "bookworm"}
    assert [str(loss) for loss in report.losses] == [
        "osparams_private = '(secret)': private OS parameters stay with Ganeti (host-only)"
    ]


ORIGINS = [
    ("hvparams.acpi", "cluster.hvparams.kvm"),
    ("hvparams.kvm_pci_reservations", "built-in default"),
    ("hvparams.vga", "cluster.os_hvp['debian+bookworm'].kvm"),
    ("hvparams.boot_order", "instance.hvparams"),
    ("beparams.maxmem", "instance.beparams"),
    ("beparams.vcpus", "cluster.beparams.default"),
    ("beparams.spindle_use", "built-in default"),
    ("nics[0].link", "cluster.nicparams.default"),
    ("disks[0].params.stripes", "built-in default"),
]


@pytest.mark.parametrize(("field", "layer"), ORIGINS)
def test_each_value_tells_where_it_comes_from(field: str, layer: str) -> None:
    assert cases.source("version-3.1").origins(NAME)[field] == layer


def test_the_group_of_the_primary_node_decides_on_disk_parameters() -> None:
    origins = cases.source("disk-rbd-kernel").origins(NAME)
    assert origins["disks[0].params.pool"] == "nodegroup.diskparams.rbd"
    assert origins["disks[0].params.access"] == "cluster.diskparams.rbd"
    own = cases.source("disk-rbd-userspace").origins(NAME)
    assert own["disks[1].params.access"] == "disk.params of disks[1]"
    nic = cases.source("nic-openvswitch").origins(NAME)
    assert nic["nics[1].vlan"] == "instance.nics[1].nicparams"
