"""Explanations: nothing in a document is without a cause, and the cause is the one that Ganeti had."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from lxml import etree

from tests.golden.cases import GANETI, every_translation
from tests.golden.test_coverage import UNWRITTEN
from virtxlate import Context, InternalError, Renames, Report, open_source, place, to_domain
from virtxlate.domain.document import domain_element
from virtxlate.domain.elements import DOMAIN
from virtxlate.domain.model import Domain
from virtxlate.ganeti.model import Instance
from virtxlate.tables.causes import CAUSES, FIXED_CAUSES, Cause
from virtxlate.translate import explain as module
from virtxlate.translate.explain import Explanation, explain

Asked = dict[str, Explanation]


def said_by(domain: Domain) -> Iterator[tuple[str, str | None]]:
    """Give path and value of everything that a document says; what only holds others says nothing."""
    root = domain_element(domain)
    tree = root.getroottree()
    for element in root.iter(etree.Element):
        path = tree.getpath(element)
        if element.text is not None or (len(element) == 0 and not element.attrib):
            yield path, element.text
        for key, value in element.attrib.items():
            yield f"{path}/@{key!s}", str(value)


@pytest.mark.parametrize("each", every_translation(), ids=lambda each: each.stem)
def test_everything_that_a_document_says_is_explained(each: Any) -> None:
    found = explain(each.instance, each.domain, {}, each.context)
    assert [(one.path, one.value) for one in found] == list(said_by(each.domain))
    assert [one.path for one in found if not one.caused_by and not one.reason] == []


def test_every_path_that_can_be_written_has_a_row() -> None:
    said = {path.removesuffix("/.") for path in DOMAIN.paths() if "@" in path or path.endswith(".")}
    for path in said - set(UNWRITTEN):
        assert module._cause(path, "").path


def test_a_path_without_a_row_is_a_bug() -> None:
    with pytest.raises(InternalError, match="no cause is known for os/nvram"):
        module._cause("os/nvram", "")


def test_every_row_explains_something(monkeypatch: pytest.MonkeyPatch) -> None:
    used: set[tuple[str, str]] = set()

    def watched(path: str, variant: str) -> Cause:
        found = look_up(path, variant)
        used.add((found.path, found.variant))
        return found

    look_up = module._cause
    monkeypatch.setattr(module, "_cause", watched)
    reasons = set()
    for each in every_translation():
        reasons |= {one.reason for one in explain(each.instance, each.domain, {}, each.context)}
    assert {(row.path, row.variant) for row in CAUSES} - used == set()
    assert set(FIXED_CAUSES.values()) <= reasons


def test_rows_do_not_hide_each_other() -> None:
    assert len({(row.path, row.variant) for row in CAUSES}) == len(CAUSES)


# Layers

CLUSTER: dict[str, Any] = {
    "version": 3010000,
    "cluster": {
        "hvparams": {"kvm": {"disk_cache": "none", "disk_aio": "native", "kernel_path": ""}},
        "os_hvp": {
            "debian+x": {"kvm": {"disk_aio": "io_uring", "nic_type": "e1000"}},
            "debian": {"kvm": {"disk_cache": "writeback"}},
        },
        "beparams": {"default": {"vcpus": 2}},
        "nicparams": {"default": {"link": "br0"}},
        "diskparams": {"rbd": {"pool": "cluster-pool"}, "gluster": {"access": "userspace", "host": "h1"}},
    },
    "nodes": {"n1": {"name": "node1", "group": "g1"}},
    "nodegroups": {"g1": {"diskparams": {"rbd": {"access": "userspace"}, "gluster": {"host": "h2"}}}},
    "instances": {
        "11111111-2222-4333-8444-555555555555": {
            "name": "a.example.com",
            "uuid": "11111111-2222-4333-8444-555555555555",
            "hypervisor": "kvm",
            "os": "debian+x",
            "primary_node": "n1",
            "hvparams": {"nic_type": "paravirtual", "vhost_net": True},
            "beparams": {"memory": 256},
            "nics": [
                {"mac": "aa:00:00:00:00:01", "uuid": "00000001-0000-4000-8000-000000000000"},
                {
                    "mac": "aa:00:00:00:00:02",
                    "uuid": "00000002-0000-4000-8000-000000000000",
                    "nicparams": {"mode": "openvswitch", "link": "sw0", "vlan": ".7"},
                },
            ],
            "disks": [
                {
                    "dev_type": "rbd",
                    "uuid": "0000000a-d15c-4000-8000-000000000000",
                    "size": 1024,
                    "logical_id": ["rbd", "img0"],
                },
                {
                    "dev_type": "gluster",
                    "uuid": "0000000b-d15c-4000-8000-000000000000",
                    "size": 1024,
                    "logical_id": ["loop", "img1"],
                    "params": {"volume": "own"},
                },
            ],
        }
    },
}


def ask(context: Context | None = None) -> Asked:
    source = open_source(json.dumps(CLUSTER).encode())
    instance = source.instance("a.example.com", Report())
    known = context or Context()
    domain = to_domain(instance, known, Report())
    return by_path(explain(instance, domain, source.origins("a.example.com"), known))


def by_path(found: tuple[Explanation, ...]) -> Asked:
    return {one.path.removeprefix("/domain/"): one for one in found}


def told(asked: Asked, path: str) -> list[tuple[str, Any, str]]:
    return [(cause.field, cause.value, cause.origin) for cause in asked[path].caused_by]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("features/acpi", ("hvparams.acpi", True, "built-in default")),
        ("devices/disk[1]/driver/@cache", ("hvparams.disk_cache", "none", "cluster.hvparams.kvm")),
        (
            "devices/disk[1]/target/@bus",
            ("hvparams.disk_type", "paravirtual", "built-in default"),
        ),
        ("devices/interface[1]/model/@type", ("hvparams.nic_type", "paravirtual", "instance.hvparams")),
        ("devices/interface[1]/driver/@name", ("hvparams.vhost_net", True, "instance.hvparams")),
        ("memory", ("beparams.maxmem", 256, "instance.beparams")),
        ("vcpu", ("beparams.vcpus", 2, "cluster.beparams.default")),
        ("name", ("name", "a.example.com", "instance")),
        ("devices/interface[1]/@type", ("nics[0].mode", "bridged", "built-in default")),
        ("devices/interface[1]/source/@bridge", ("nics[0].link", "br0", "cluster.nicparams.default")),
        (
            "devices/interface[2]/source/@bridge",
            ("nics[1].link", "sw0", "instance.nics[1].nicparams"),
        ),
        ("devices/interface[2]/vlan/tag/@id", ("nics[1].vlan", ".7", "instance.nics[1].nicparams")),
        ("devices/interface[2]/mac/@address", ("nics[1].mac", "aa:00:00:00:00:02", "instance")),
        (
            "devices/disk[1]/@type",
            ("disks[0].params.access", "userspace", "nodegroup.diskparams.rbd"),
        ),
        (
            "devices/disk[1]/source/@name",
            ("disks[0].params.pool", "cluster-pool", "cluster.diskparams.rbd"),
        ),
        (
            "devices/disk[2]/@type",
            ("disks[1].params.access", "userspace", "cluster.diskparams.gluster"),
        ),
        (
            "devices/disk[2]/source/host/@name",
            ("disks[1].params.host", "h2", "nodegroup.diskparams.gluster"),
        ),
        ("devices/disk[2]/source/host/@port", ("disks[1].params.port", 24007, "built-in default")),
        (
            "devices/disk[2]/source/@name",
            ("disks[1].params.volume", "own", "disk.params of disks[1]"),
        ),
        ("devices/disk[2]/source/@name", ("disks[1].logical_id", ("loop", "img1"), "instance")),
    ],
)
def test_the_layer_is_the_one_that_won(path: str, expected: tuple[str, Any, str]) -> None:
    assert expected in told(ask(), path)


def test_parameters_of_the_exact_os_win_over_the_clusters() -> None:
    source = open_source((GANETI / "disk-aio-io-uring.json").read_bytes())
    assert source.origins(next(source.names()))["hvparams.disk_aio"] != ""
    data = json.loads(json.dumps(CLUSTER))
    data["cluster"]["diskparams"]["rbd"]["access"] = "kernelspace"
    data["nodegroups"] = {}
    source = open_source(json.dumps(data).encode())
    instance = source.instance("a.example.com", Report())
    domain = to_domain(instance, Context(), Report())
    asked = by_path(explain(instance, domain, source.origins("a.example.com")))
    expected = ("hvparams.disk_aio", "io_uring", "cluster.os_hvp['debian+x'].kvm")
    assert told(asked, "devices/disk[1]/driver/@io") == [expected]


def test_fields_that_are_not_set_cause_nothing() -> None:
    fields = [field for field, _value, _origin in told(ask(), "devices/disk[1]/source/@name")]
    assert fields == [
        f"disks[0].{name}" for name in ("template", "params.access", "logical_id", "params.pool")
    ]


def test_a_source_that_knows_no_layers_claims_none() -> None:
    source = open_source((GANETI / "rapi-info-active.json").read_bytes())
    name = next(source.names())
    instance = source.instance(name, Report())
    domain = to_domain(instance, Context(), Report())
    asked = by_path(explain(instance, domain, source.origins(name)))
    assert told(asked, "vcpu")[0][2] == ""
    assert told(asked, "name")[0][2] == "instance"


# Addresses


def of_case(stem: str, *, placed: bool = False) -> Asked:
    (each,) = [each for each in every_translation() if each.stem == stem]
    instance: Instance = place(each.instance) if placed else each.instance
    return by_path(explain(instance, each.domain, {}, each.context))


def fields_of(asked: Asked, path: str) -> list[str]:
    return [cause.field for cause in asked[path].caused_by]


def test_an_address_that_was_found_is_caused_by_what_finds_it() -> None:
    asked = ask()
    assert fields_of(asked, "devices/disk[1]/address/@slot") == ["hvparams.kvm_pci_reservations"]
    assert fields_of(asked, "devices/disk[1]/alias/@name") == ["disks[0].uuid"]
    assert fields_of(asked, "devices/interface[2]/alias/@name") == ["nics[1].uuid"]


def test_an_address_that_was_given_is_caused_by_itself() -> None:
    asked = of_case("runtime-hvinfo")
    assert fields_of(asked, "devices/disk[1]/address/@slot") == ["disks[0].hvinfo"]
    assert fields_of(asked, "devices/disk[1]/alias/@name") == ["disks[0].hvinfo"]
    assert asked["devices/disk[1]/address/@slot"].caused_by[0].value["bus"] == "pci.0"


def test_each_bus_has_its_own_reason() -> None:
    scsi = of_case("disk-type-scsi-hd-lsi")
    assert fields_of(scsi, "devices/disk[1]/address/@unit") == ["hvparams.scsi_controller_type"]
    ide = of_case("disk-type-ide")
    assert fields_of(ide, "devices/disk[1]/address/@unit") == ["hvparams.disk_type"]


def test_what_qemu_adds_has_a_reason_and_no_field() -> None:
    asked = ask()
    for path, kind in (("devices/disk[3]/@device", "floppy"), ("devices/controller/@type", "usb")):
        assert (asked[path].caused_by, asked[path].reason) == ((), FIXED_CAUSES[kind])


# The destination


@pytest.mark.parametrize(
    ("map_data", "path", "expected"),
    [
        ({"bridges": {"br0": "lan"}}, "devices/interface[1]/source/@bridge", ("map.bridges.br0", "lan")),
        ({"switches": {"sw0": "ovs"}}, "devices/interface[2]/source/@bridge", ("map.switches.sw0", "ovs")),
        ({"networks": {"br0": "n"}}, "devices/interface[1]/source/@network", ("map.networks.br0", "n")),
        (
            {"networks": {"sw0.7": "n"}},
            "devices/interface[2]/source/@network",
            ("map.networks.sw0.7", "n"),
        ),
        (
            {"pools": {"cluster-pool": "vms"}},
            "devices/disk[1]/source/@name",
            ("map.pools.cluster-pool", "vms/img0"),
        ),
    ],
)
def test_an_entry_of_the_map_is_named(map_data: dict[str, Any], path: str, expected: tuple[str, str]) -> None:
    assert told(ask(Context(renames=Renames(map_data))), path)[-1] == (*expected, "map")


def test_a_path_that_the_map_gave_names_its_entry() -> None:
    asked = of_case("disk-renamed-paths")
    named = [one for path in asked for one in fields_of(asked, path) if one.startswith("map.paths.")]
    assert named


def test_an_entry_that_cannot_be_told_from_another_is_not_guessed() -> None:
    asked = ask(Context(renames=Renames({"bridges": {"br0": "lan", "br1": "lan"}})))
    assert told(asked, "devices/interface[1]/source/@bridge")[-1] == ("map.bridges.?", "lan", "map")


def test_a_disk_parameter_of_the_map_is_not_ganetis() -> None:
    asked = ask(Context(renames=Renames({"diskparams": {"rbd": {"pool": "other"}}})))
    assert ("disks[0].params.pool", "other", "map") in told(asked, "devices/disk[1]/source/@name")


def test_links_are_an_option() -> None:
    (each,) = [each for each in every_translation() if each.stem == "disk-links"]
    asked = by_path(explain(each.instance, each.domain, {}, each.context))
    path = next(path for path in asked if path.endswith(("source/@dev", "source/@file")))
    assert told(asked, path)[-1] == ("--disk-paths", "link", "option")


def test_stable_names_are_an_option_where_they_changed_a_name() -> None:
    (each,) = [each for each in every_translation() if each.stem == "disk-stable-names"]
    asked = by_path(explain(each.instance, each.domain, {}, each.context))
    changed = {path for path in asked if ("--stable-names", True, "option") in told(asked, path)}
    assert changed == {f"devices/disk[{number}]/source/@dev" for number in (1, 2)}
