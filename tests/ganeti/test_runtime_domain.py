"""Runtime files of domains: written from live XML, and compared with it."""

from __future__ import annotations

import json
import re
import sys
from typing import Any

import msgspec
import pytest

from tests.golden.cases import DOMAIN, GANETI, NAMES, Translation, translations
from virtxlate import Context, GanetiDataError, Loss, Report, Severity, format_domain
from virtxlate.ganeti.export import disk_dict, export_runtime, userspace_uri
from virtxlate.ganeti.model import Disk, Instance, Network, Nic
from virtxlate.ganeti.runtime import read_runtime
from virtxlate.ganeti.runtime_tree import RuntimeTree, format_tree, parse_tree
from virtxlate.translate.runtime import live_runtime, read_view
from virtxlate.translate.runtime_check import Difference, compare_runtime

HERE = Context(libvirt_version=sys.maxsize)
CASES = [each for name in NAMES for each in translations(name)]
FILE = (GANETI / "runtime-hvinfo.json").read_bytes()
XML = (DOMAIN / "runtime-hvinfo.xml").read_text()
SCSI = (DOMAIN / "runtime-scsi.xml").read_text()


def host(case: Translation) -> Context:
    return msgspec.structs.replace(case.context, libvirt_version=sys.maxsize)


def written(xml: str, context: Context = HERE, **more: Any) -> tuple[RuntimeTree, tuple[Loss, ...]]:
    report = Report()
    return live_runtime(xml, context, report, **more), report.losses


def compared(data: bytes, xml: str) -> list[Difference]:
    return list(compare_runtime(read_runtime(data, Report()), xml, HERE))


WITH_METADATA = [case for case in CASES if case.context.metadata]


@pytest.mark.parametrize("case", WITH_METADATA, ids=[case.stem for case in WITH_METADATA])
def test_the_file_of_a_golden_domain_is_that_of_its_instance(case: Translation) -> None:
    tree, _losses = written(format_domain(case.domain), host(case))
    expected = export_runtime(case.placed, Report())
    expected.hvparams["machine_version"] = tree.hvparams["machine_version"]
    assert (tree.nics, tree.disks, tree.hvparams) == (expected.nics, expected.disks, expected.hvparams)


UNBOOKED = "Ganeti has scsi.0 with 16 ids: here it cannot start it, nor hot-add any device"


@pytest.mark.parametrize(
    ("stem", "place", "said"),
    [
        ("disk-type-scsi-hd-lsi-spill-over", ("scsi1.0", 0), "scsi1.0 scsi-id 0"),
        ("disk-type-scsi-hd-virtio-scsi-pci", ("scsi.0", 16), "scsi.0 scsi-id 16"),
        ("disk-type-scsi-hd-virtio-scsi-pci", ("scsi.0", 15), None),
    ],
)
def test_a_place_that_ganeti_keeps_no_books_of_is_told(
    stem: str, place: tuple[str, int], said: str | None
) -> None:
    placed, report = translations(stem)[0].placed, Report()
    at = msgspec.structs.replace(placed.disks[0].hvinfo, bus=place[0], scsi_id=place[1])  # type: ignore[type-var]
    disks = (msgspec.structs.replace(placed.disks[0], hvinfo=at),)
    export_runtime(msgspec.structs.replace(placed, disks=disks), report)
    found = [loss for loss in report.losses if loss.path == "[3][0][0].hvinfo"]
    assert [(loss.value, loss.reason, loss.severity) for loss in found] == (
        [] if said is None else [(said, UNBOOKED, Severity.GUEST_VISIBLE)]
    )


NODE_KNOWS = {"disk-gluster-kernel", "rapi-info-active"}
"""Domains that name a device as only a node, or its configuration, can: a runtime file has the link."""


@pytest.mark.parametrize("case", CASES, ids=[case.stem for case in CASES])
def test_a_file_agrees_with_the_domain_that_it_was_written_from(case: Translation) -> None:
    xml = format_domain(case.domain)
    tree, _losses = written(xml, host(case))
    if not any(word == "-machine" for word in tree.command):
        tree.command += ["-machine", "pc"]
    found = compare_runtime(read_runtime(format_tree(tree), Report()), xml, case.context)
    assert found == () or (case.stem in NODE_KNOWS and {each.field for each in found} == {"path"})


def automatic(xml: str, names: list[str]) -> str:
    """Give the document as any other tool's: libvirt's own aliases, no metadata."""
    bare = re.sub(r"<metadata>.*?</metadata>", "", xml, flags=re.DOTALL)
    given = iter(names)
    return re.sub(r'<alias name="ua-[^"]*"/>', lambda _found: f'<alias name="{next(given)}"/>', bare)


def test_a_foreign_domain_has_the_ids_that_qemu_has() -> None:
    tree, losses = written(automatic(SCSI, ["scsi0-0-0-0", "scsi0-0-5-0", "net0"]))
    places = [entry[0]["hvinfo"] for entry in tree.disks or ()]
    assert [(each["id"], each["bus"], each["scsi-id"]) for each in places] == [
        ("scsi0-0-0-0", "scsi.0", 0),
        ("scsi0-0-5-0", "scsi.0", 5),
    ]
    assert tree.nics[0]["hvinfo"] == {"driver": "virtio-net-pci", "id": "net0", "bus": "pci.0", "addr": "0xc"}
    reason = "Ganeti cannot change a running disk without uuid"
    assert Loss(path="[3][0][0].uuid", value=None, reason=reason, severity=Severity.HOST_ONLY) in losses


ELSEWHERE = [
    (
        SCSI.replace('<controller type="scsi" index="0"', '<controller type="scsi" index="1"').replace(
            'type="drive" controller="0"', 'type="drive" controller="1"'
        ),
        "[3][0][0].hvinfo",
    ),
    (
        XML.replace('bus="0x00" slot="0x0d" function="0x0"', 'bus="0x01" slot="0x0d" function="0x0"'),
        "[1][0].hvinfo",
    ),
    (XML.replace('slot="0x0d" function="0x0"', 'slot="0x0d" function="0x3"'), "[1][0].hvinfo"),
    (re.sub(r'<address type="pci"[^>]*slot="0x0d"[^>]*/>', "", XML), "[1][0].hvinfo"),
]


@pytest.mark.parametrize(("xml", "path"), ELSEWHERE)
def test_a_place_off_ganetis_buses_is_reported(xml: str, path: str) -> None:
    assert xml not in {XML, SCSI}
    names = [f"auto{n}" for n in range(9)]
    tree, losses = written(automatic(xml, names))
    assert path in {loss.path for loss in losses}
    device = tree.nics[0] if path.startswith("[1]") else (tree.disks or [])[0][0]
    assert device["hvinfo"] == {}


def test_a_base_that_says_otherwise_is_reported() -> None:
    base = parse_tree(FILE)
    base.command[base.command.index("-m") + 1] = 512
    base.command[base.command.index("-smp") + 1] = "8,cores=8"
    tree, losses = written(XML, base=base)
    assert tree.command == base.command
    assert [(loss.path, loss.value) for loss in losses if loss.path.startswith("[0]")] == [
        ("[0] -m", "1024"),
        ("[0] -smp", "2"),
    ]


def test_the_source_of_another_instance_is_refused() -> None:
    other = Instance(name="x", uuid="99999999-2222-4333-8444-555555555555")
    with pytest.raises(GanetiDataError, match=r"^uuid: expected the data of 3319e4b7"):
        written(XML, source=other)


def test_an_unset_machine_type_of_a_base_stays_unset() -> None:
    base = parse_tree(FILE)
    assert written(XML, base=base)[0].hvparams["machine_version"] == ""
    base.hvparams["machine_version"] = "pc-i440fx-5.2"
    assert written(XML, base=base)[0].hvparams["machine_version"] == "pc-i440fx-5.2"


def test_what_the_model_does_not_keep_comes_from_the_base() -> None:
    base = parse_tree(FILE)
    base.nics[0]["newer"] = {"a": 1}
    (base.disks or [])[0][0]["newer"] = [2]
    tree = written(XML, base=base)[0]
    assert tree.nics == base.nics
    assert tree.disks == base.disks


def test_a_scsi_controller_of_any_alias_is_ganetis_bus() -> None:
    assert read_view(SCSI).scsi_bus == "scsi0.0"
    named = SCSI.replace('<controller type="scsi" index="0"', '<controller index="0" type="scsi"')
    assert read_view(named).scsi_bus == "scsi0.0"


# Compare


def changed(path: tuple[str | int, ...], value: Any) -> bytes:
    data = json.loads(FILE)
    place = data
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return json.dumps(data).encode()


DISK, NIC = "disk-a9f5ab99-1221-41ba", "nic-760fc5f5-8a70-4ae7"
OTHER_NAME = changed((0, 2), "other.example.com")
SCSI_PLACE = {"driver": "scsi-hd", "id": DISK, "bus": "scsi.0", "channel": 0, "scsi-id": 2, "lun": 0}
DIFFERENCES = [
    ((1, 0, "hvinfo", "addr"), "0x1d", [Difference(device=NIC, field="addr", file="0x1d", live="0xd")]),
    ((1, 0, "hvinfo", "addr"), "0x0d", []),
    (
        (1, 0, "hvinfo", "driver"),
        "e1000",
        [Difference(device=NIC, field="driver", file="e1000", live="virtio-net-pci")],
    ),
    ((1, 0, "hvinfo", "bus"), "pci.1", [Difference(device=NIC, field="bus", file="pci.1", live="pci.0")]),
    ((1, 0, "hvinfo", "id"), "nic-old", [Difference(device="nic-old", field="id", file="nic-old", live=NIC)]),
    ((1, 0, "hvinfo"), {}, []),
    (
        (1, 0, "mac"),
        "aa:00:00:00:00:99",
        [Difference(device=NIC, field="mac", file="aa:00:00:00:00:99", live="aa:00:00:bc:6f:95")],
    ),
    ((3, 0, 1), "/elsewhere", []),
    (
        (0, 2),
        "other.example.com",
        [Difference(device="instance", field="name", file="other.example.com", live="inst1.example.com")],
    ),
]


@pytest.mark.parametrize(("path", "value", "expected"), DIFFERENCES)
def test_a_change_is_a_difference(
    path: tuple[str | int, ...], value: Any, expected: list[Difference]
) -> None:
    assert compared(changed(path, value), XML) == expected


def test_another_bus_is_told_field_by_field() -> None:
    found = compared(changed((3, 0, 0, "hvinfo"), SCSI_PLACE), XML)
    assert {each.field: (each.file, each.live) for each in found} == {
        "driver": ("scsi-hd", "virtio-blk-pci"),
        "bus": ("scsi.0", "pci.0"),
        "addr": (None, "0xe"),
        "channel": (0, None),
        "scsi-id": (2, None),
        "lun": (0, None),
    }


def test_a_place_that_ganeti_has_no_word_for_is_told() -> None:
    moved = XML.replace('bus="0x00" slot="0x0d"', 'bus="0x01" slot="0x0d"')
    moved = moved.replace("<devices>", '<devices><controller type="pci" index="1" model="pci-bridge"/>')
    assert compared(FILE, moved) == [
        Difference(device=NIC, field="place", file="pci.0, 0xd", live="pci.1, 0xd")
    ]
    lost = re.sub(r'<address type="pci"[^>]*slot="0x0d"[^>]*/>', "", XML)
    assert [(each.device, each.field) for each in compared(FILE, lost)] == [(NIC, "place")]


def test_a_device_without_id_is_known_by_its_place() -> None:
    xml = automatic(XML, [f"auto{n}" for n in range(9)])
    data = json.loads(changed((1, 0, "mac"), "aa:00:00:00:00:99"))
    data[3][0][0]["logical_id"], data[3][0][1] = ["othervg", "x"], "/elsewhere"
    assert [(each.device, each.field) for each in compared(json.dumps(data).encode(), xml)] == [
        (DISK, "path"),
        (NIC, "mac"),
    ]


def test_a_drive_of_the_command_is_no_disk() -> None:
    cdrom = '<disk type="file" device="cdrom"><source file="/a.iso"/><target dev="hdc" bus="ide"/></disk>'
    assert compared(FILE, XML.replace("<devices>", f"<devices>{cdrom}", 1)) == []


def test_an_ide_disk_has_its_place_in_the_books_only() -> None:
    name = "disk-type-ide"
    (case,) = translations(name)
    tree = export_runtime(case.placed, Report())
    tree.command += ["-machine", "pc"]
    (tree.disks or [])[0][0]["hvinfo"]["addr"] = "0x1f"
    assert compared(format_tree(tree), format_domain(case.domain)) == []


def test_a_difference_reads_as_a_sentence() -> None:
    one = Difference(device="disk-1", field="addr", file="0xc", live="0xd")
    assert str(one) == "disk-1: addr: the file says '0xc', the domain '0xd'"
    assert str(Difference(device="disk-1", field="device", live="/x")) == "disk-1: only the domain has it"
    assert str(Difference(device="disk-1", field="device", file="/x")) == "disk-1: only the file has it"


# Export

URIS = [
    ("rbd", {"pool": "p", "access": "userspace"}, "rbd:p/x"),
    ("rbd", {"pool": "p", "access": "userspace", "user-id": "u"}, "rbd:p/x:id=u"),
    ("rbd", {"pool": "p", "access": "kernelspace"}, None),
    ("rbd", {"access": "userspace"}, None),
    ("gluster", {"host": "h", "port": 1, "volume": "v", "access": "userspace"}, "gluster://h:1/v/x"),
    ("gluster", {"host": "::1", "port": 1, "volume": "v", "access": "userspace"}, "gluster://[::1]:1/v/x"),
    ("ext", {"access": "userspace"}, None),
]


@pytest.mark.parametrize(("template", "params", "uri"), URIS)
def test_the_uri_of_a_userspace_disk(template: str, params: dict[str, Any], uri: str | None) -> None:
    assert userspace_uri(Disk(template=template, logical_id=("a", "x"), params=params)) == uri


def test_an_ext_disk_without_uri_is_reported_and_one_with_has_no_link() -> None:
    for uri, link, paths in (
        (None, "/var/run/ganeti/instance-disks/x:0", ["[3][0][2]"]),
        ("nbd:x", None, []),
    ):
        disk = Disk(template="ext", uuid="u", size_mib=1, params={"access": "userspace"}, uri=uri)
        report = Report()
        tree = export_runtime(Instance(name="x", uuid="u", disks=(disk,)), report)
        assert (tree.disks or [])[0][1:] == (link, uri)
        assert [loss.path for loss in report.losses if loss.path.startswith("[3][0][2]")] == paths


def test_the_network_of_a_nic_lacks_its_reservations() -> None:
    nic = Nic(
        mac="aa:00:00:00:00:01", uuid="u", netinfo=Network(name="n", network="192.0.2.0/24", tags=("t",))
    )
    report = Report()
    tree = export_runtime(Instance(name="x", uuid="u", nics=(nic,)), report)
    assert tree.nics[0]["netinfo"] == {"name": "n", "network": "192.0.2.0/24", "tags": ["t"]}
    assert "[1][0].netinfo.reservations" in {loss.path for loss in report.losses}


def test_a_disk_says_no_more_than_is_known() -> None:
    assert disk_dict(Disk(template="plain")) == {
        "dev_type": "plain",
        "mode": "rw",
        "params": {},
        "hvinfo": {},
    }
