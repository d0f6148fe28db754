"""Whatever the bytes are: a domain, or one of our errors in one line."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.rules.cases import CASES
from tests.rules.cases import document as ruled
from tests.strategies import patient
from virtxlate import (
    Context,
    GanetiDataError,
    Report,
    VirtxlateError,
    format_domain,
    open_source,
    parse_domain,
    to_domain,
    to_ganeti,
    validate,
)
from virtxlate.xmlmap import Leftover

UUID = "fb68b7cc-d64e-4b8e-b1a3-1a3e5a4e2b1c"
DISK_UUID, NIC_UUID = "932df160-7a22-4067-a566-7e0ca8386133", "ce2a4f8d-1a2b-4c3d-9e8f-0123456789ab"
MAC = "aa:00:00:35:d0:e5"
DISK = {
    "dev_type": "plain",
    "logical_id": ["xenvg", "a.disk0"],
    "size": 1024,
    "mode": "rw",
    "uuid": DISK_UUID,
    "params": {},
    "iv_name": "disk/0",
}
DRBD = {
    **DISK,
    "dev_type": "drbd",
    "logical_id": ["node1", "node2", 11000, 0, 1, "secret"],
    "children": [DISK, {**DISK, "size": 128}],
    "uuid": "00000000-1111-4222-8333-444444444444",
}
NIC = {
    "mac": MAC,
    "uuid": NIC_UUID,
    "ip": None,
    "network": None,
    "nicparams": {"mode": "openvswitch", "link": "ovs0", "vlan": ".5:10"},
}
HVPARAMS = {"kernel_path": "", "kvm_path": "/usr/bin/kvm", "disk_type": "scsi-hd", "cpu_cores": 2}
BEPARAMS = {"maxmem": 512, "minmem": 256, "vcpus": 2}
CONFIG_INSTANCE = {
    "name": "web1.example.com",
    "uuid": UUID,
    "hypervisor": "kvm",
    "os": "debian+bookworm",
    "primary_node": "node1",
    "admin_state": "up",
    "hvparams": HVPARAMS,
    "beparams": BEPARAMS,
    "osparams": {"mirror": "x"},
    "nics": [NIC],
    "disks": [DISK_UUID, DRBD["uuid"]],
    "tags": ["a"],
}
CLUSTER = {
    "hvparams": {"kvm": {"acpi": True}},
    "os_hvp": {"debian+bookworm": {"kvm": {"vga": "qxl"}}},
    "beparams": {"default": {"vcpus": 1}},
    "nicparams": {"default": {"mode": "bridged", "link": "br0"}},
    "diskparams": {"plain": {"stripes": 2}},
    "osparams": {"debian": {"a": 1}},
}
NODES = {"node1": {"name": "node1", "group": "g1"}}
FORMS: dict[str, Any] = {
    "config-3.1": {
        "version": 3010000,
        "cluster": CLUSTER,
        "instances": {UUID: CONFIG_INSTANCE},
        "disks": {DISK_UUID: DISK, DRBD["uuid"]: DRBD},
        "nodes": NODES,
        "nodegroups": {"g1": {"diskparams": {"plain": {"stripes": 3}}}},
        "networks": {"n1": {"name": "net1", "uuid": "n1", "tags": []}},
    },
    "config-2.7": {
        "version": 2070000,
        "cluster": CLUSTER,
        "instances": {
            "web1.example.com": {
                **CONFIG_INSTANCE,
                "beparams": {"memory": 512, "vcpus": 2},
                "disk_template": "plain",
                "disks": [{**DISK, "dev_type": "lvm"}],
                "nics": [{"mac": MAC, "nicparams": {"mode": "routed", "link": "100"}}],
            }
        },
        "nodes": NODES,
    },
    "rapi": {
        "name": "web1.example.com",
        "uuid": UUID,
        "os": "debian",
        "pnode": "node1",
        "admin_state": "up",
        "disk_template": "plain",
        "hvparams": {**HVPARAMS, "disk_type": "paravirtual"},
        "custom_hvparams": {"kernel_path": ""},
        "beparams": BEPARAMS,
        "disk.sizes": [1024, 2048],
        "disk.uuids": [DISK_UUID, UUID],
        "disk.names": [None, "data"],
        "nic.macs": [MAC],
        "nic.modes": ["bridged"],
        "nic.links": ["br0"],
        "nic.uuids": [NIC_UUID],
        "nic.ips": [None],
        "tags": [],
    },
    "info": {
        "web1.example.com": {
            "name": "web1.example.com",
            "uuid": UUID,
            "hypervisor": "kvm",
            "os": "debian",
            "pnode": "node1",
            "hv_actual": HVPARAMS,
            "be_actual": BEPARAMS,
            "nics": [[None, NIC_UUID, None, MAC, "bridged", "br0", None, None, None]],
            "disks": [{**DISK, "pstatus": ["/dev/xenvg/a.disk0", 254, 0], "drbd_info": None}],
        }
    },
    "runtime": [
        ["/usr/bin/kvm", "-name", "web1.example.com", "-uuid", UUID, "-m", 512, "-smp", "2,cores=2"],
        [
            {
                **NIC,
                "hvinfo": {
                    "driver": "virtio-net-pci",
                    "id": "nic-ce2a4f8d-1a2b-4c3d",
                    "bus": "pci.0",
                    "addr": "0xd",
                },
            }
        ],
        {**HVPARAMS, "scsi_controller_type": "lsi"},
        [
            [
                {
                    **DISK,
                    "hvinfo": {
                        "driver": "scsi-hd",
                        "id": "disk-932df160-7a22-4067",
                        "bus": "scsi.0",
                        "channel": 0,
                        "scsi-id": 2,
                        "lun": 0,
                    },
                },
                "/var/run/ganeti/instance-disks/web1.example.com:0",
                None,
            ]
        ],
    ],
}
NESTED_SINCE = {"info": 2}
"""Length of a path from which a fault lies inside the document, not in its outermost shape."""

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([-1, 0, 10**30, 2**63, 2**64, -(2**63) - 1, 1e308, 10**400])
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
    | st.sampled_from(["", "\x00", "\ud800", "\ufffe", "a\nb", "/", "..", "auto", "kvm", "xen", "drbd", UUID])
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
Path = tuple[str | int, ...]


def paths_of(value: Any, at: Path = ()) -> list[Path]:
    items: Any = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    return [at, *(path for key, inner in items for path in paths_of(inner, (*at, key)))]


PATHS = {form: [path for path in paths_of(document) if path] for form, document in FORMS.items()}


def mutate(draw: st.DrawFn, document: Any, path: Path) -> None:
    parent: Any = document
    for step in path[:-1]:
        parent = parent[step]
    match draw(st.sampled_from(["drop", "replace", "replace", "double", "swap"])):
        case "drop":
            del parent[path[-1]]
        case "replace":
            parent[path[-1]] = draw(values)
        case "double":
            double = copy.deepcopy(parent[path[-1]])
            if isinstance(parent, list):
                parent.append(double)
            else:
                parent[draw(st.text(max_size=5))] = double
        case _:
            keys: list[Any] = list(parent) if isinstance(parent, dict) else list(range(len(parent)))
            other = draw(st.sampled_from(keys))
            parent[path[-1]], parent[other] = parent[other], parent[path[-1]]


@st.composite
def structural_mutations(draw: st.DrawFn, form: str) -> tuple[bytes, Path]:
    document = copy.deepcopy(FORMS[form])
    path = draw(st.sampled_from(PATHS[form]))
    mutate(draw, document, path)
    return json.dumps(document).encode(), path


@st.composite
def byte_mutations(draw: st.DrawFn, data: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(changed)))
        match draw(st.sampled_from(["flip", "cut", "insert", "truncate", "repeat"])):
            case "flip" if at < len(changed):
                changed[at] ^= draw(st.integers(1, 255))
            case "cut":
                del changed[at : at + draw(st.integers(1, 40))]
            case "insert":
                odd = [
                    b"\x00",
                    b"\xff",
                    b"\xed\xa0\x80",
                    b'"',
                    b"\\",
                    b"{",
                    b"[" * 2000,
                    b"9" * 400,
                    b"-",
                    b"e9",
                ]
                changed[at:at] = draw(st.sampled_from(odd) | st.binary(max_size=4))
            case "truncate":
                del changed[at:]
            case _:
                changed[at:at] = changed[at : at + draw(st.integers(1, 200))]
    return bytes(changed)


def check(error: VirtxlateError) -> VirtxlateError:
    """Check the form of an error: one line, that says something."""
    assert str(error).strip()
    assert "\n" not in str(error)
    assert error.exit_code in {3, 4}
    return error


def faults_of(data: bytes) -> list[VirtxlateError]:
    """Read and translate all that stands in ``data``, there and back; give the errors."""
    faults: list[VirtxlateError] = []
    try:
        source = open_source(data)
        names = list(source.names())
    except VirtxlateError as exc:
        return [check(exc)]
    context = Context(libvirt_version=11_000_000)
    for name in names:
        try:
            instance = source.instance(name, Report())
            source.origins(name)
            text = format_domain(to_domain(instance, context, Report()))
            to_ganeti(parse_domain(text), context, Report())
        except VirtxlateError as exc:
            faults.append(check(exc))
    return faults


each_form = pytest.mark.parametrize("form", FORMS)


@each_form
def test_the_documents_themselves_are_translated(form: str) -> None:
    data = json.dumps(FORMS[form]).encode()
    assert list(open_source(data).names()) == ["web1.example.com"]
    assert faults_of(data) == []


@each_form
@patient
@given(data=st.data())
def test_a_changed_document_is_translated_or_refused(form: str, data: st.DataObject) -> None:
    document, path = data.draw(structural_mutations(form))
    for error in faults_of(document):
        nested = len(path) > NESTED_SINCE.get(form, 1)
        if isinstance(error, GanetiDataError) and nested and not error.message.startswith("not JSON"):
            assert error.at, error


@each_form
@patient
@given(data=st.data())
def test_changed_bytes_are_translated_or_refused(form: str, data: st.DataObject) -> None:
    faults_of(data.draw(byte_mutations(json.dumps(FORMS[form]).encode())))


@patient
@given(st.binary(max_size=200) | values.map(lambda value: json.dumps(value).encode()))
def test_anything_at_all_is_refused(data: bytes) -> None:
    faults_of(data)


DEEP = [
    b"[" * 200_000,
    b'{"cluster":' * 50_000,
    b'{"cluster": {}, "instances": ' + b"[" * 100_000,
    b"[[" * 90_000,
]


@pytest.mark.parametrize("data", DEEP, ids=["lists", "objects", "instances", "parts"])
def test_a_bottomless_document_is_refused(data: bytes) -> None:
    assert faults_of(data) != []


def xml_of(form: str) -> bytes:
    source = open_source(json.dumps(FORMS[form]).encode())
    instance = source.instance("web1.example.com", Report())
    return format_domain(to_domain(instance, Context(), Report())).encode()


XML = [xml_of("config-3.1"), xml_of("rapi")]


@patient
@given(st.sampled_from(XML).flatmap(byte_mutations))
def test_changed_xml_is_read_or_refused(document: bytes) -> None:
    for leftovers in (None, list[Leftover]()):
        try:
            found = parse_domain(document, leftovers)
            to_ganeti(found, Context(), Report())
        except VirtxlateError as exc:
            check(exc)


RULED = [ruled(case.broken, case.outside, case.machine).encode() for case in CASES if "lun" in case.rule] + [
    ruled(case.right, case.outside_right).encode() for case in CASES
]


@patient
@given(st.sampled_from(RULED).flatmap(byte_mutations))
def test_changed_xml_is_judged_by_the_rules(document: bytes) -> None:
    assert all(each.rule and each.path for each in validate(document))


WORDS = sorted(
    {word.strip() for xml in XML for word in xml.decode().replace("<", " ").replace(">", " ").split('"')}
)


@patient
@given(st.sampled_from(XML), st.sampled_from(WORDS), st.sampled_from(WORDS) | st.text(max_size=4))
def test_xml_with_other_words_is_read_or_refused(document: bytes, old: str, new: str) -> None:
    changed = document.decode().replace(f'"{old}"', f'"{new}"').replace(f">{old}<", f">{new}<")
    try:
        to_ganeti(parse_domain(changed), Context(), Report())
    except VirtxlateError as exc:
        check(exc)
