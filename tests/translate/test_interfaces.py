"""NICs: types, modes, VLANs and queues, there and back."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tests.translate.building import back, instance, losses_there, nic, paths_lost_back, refusal, there
from virtxlate import Context, GanetiDataError, MapError, Renames, Report, UnsupportedError
from virtxlate.domain import model as domain
from virtxlate.ganeti.hvinfo import HvInfo
from virtxlate.tables.nic import NIC_TYPES, PLAIN_BRIDGE_VLAN_SINCE
from virtxlate.translate import nic as nics
from virtxlate.translate.nic import format_vlan, parse_vlan

replace = msgspec.structs.replace
NEW = Context(metadata=False, libvirt_version=PLAIN_BRIDGE_VLAN_SINCE)


def interface(context: Context = NEW, *, hv: dict[str, Any] | None = None, **fields: Any) -> domain.Interface:
    return there(instance(nics=(nic(**fields),), **(hv or {})), context).devices.interfaces[0]


@pytest.mark.parametrize(("word", "model"), NIC_TYPES.rows)
def test_a_nic_type_goes_there_and_back(word: str, model: str) -> None:
    found = there(instance(nics=(nic(),), nic_type=word))
    assert found.devices.interfaces[0].model == model
    assert back(found).hvparams.nic_type == word


MODES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"mode": "bridged", "link": "br0"}, {"type": "bridge", "bridge": "br0"}),
    (
        {"mode": "openvswitch", "link": "ovs0"},
        {
            "type": "bridge",
            "bridge": "ovs0",
            "virtualport": domain.VirtualPort(
                type="openvswitch", interface_id="00000000-5555-4222-8333-444444444444"
            ),
        },
    ),
    ({"mode": "routed", "link": ""}, {"type": "ethernet"}),
]


@pytest.mark.parametrize(("fields", "expected"), MODES)
def test_a_mode_goes_there(fields: dict[str, Any], expected: dict[str, Any]) -> None:
    assert interface(**fields) == domain.Interface(
        mac="aa:00:00:00:00:00",
        model="virtio",
        driver="vhost",
        alias="ua-nic-00000000-5555-4222",
        address=domain.PciAddress(slot=12),
        **expected,
    )


@pytest.mark.parametrize("fields", [row[0] for row in MODES])
def test_a_mode_comes_back(fields: dict[str, Any]) -> None:
    found = back(there(instance(nics=(nic(**fields),)))).nics[0]
    assert {"mode": found.mode, "link": found.link} == fields


def test_a_port_of_a_nic_without_uuid_has_no_id() -> None:
    found = interface(uuid="", mode="openvswitch")
    assert found.virtualport == domain.VirtualPort(type="openvswitch")
    assert found.alias is None


def test_ext_comes_back_as_routed_and_that_is_reported() -> None:
    found = there(instance(nics=(nic(mode="ext", link=""),)))
    assert back(found).nics[0].mode == "routed"
    assert {"nics[0].mode", "nics[0].link", "nics[0].vlan"} <= paths_lost_back(found)


@pytest.mark.parametrize("mode", ["routed", "ext"])
def test_a_bare_tap_needs_a_script(mode: str) -> None:
    losses = losses_there(instance(nics=(nic(mode=mode, link="100", vlan=".5"),)))
    assert [(loss.path, loss.value, loss.reason) for loss in losses] == [
        (
            "nics[0].mode",
            mode,
            f"no script for mode {mode} in the map: the host does not connect the tap by itself",
        ),
        ("nics[0].link", "100", f"libvirt does not tell a tap of mode {mode} its link"),
        ("nics[0].vlan", ".5", f"libvirt does not tag the tap of mode {mode}"),
    ]


def test_the_map_gives_a_bare_tap_its_script() -> None:
    context = Context(metadata=False, renames=Renames({"scripts": {"routed": "/etc/up"}}))
    assert interface(context, mode="routed", link="").script == "/etc/up"
    assert losses_there(instance(nics=(nic(mode="routed", link=""),)), context) == ()


def test_a_bridge_without_name_is_refused() -> None:
    with pytest.raises(GanetiDataError) as caught:
        interface(link="")
    assert str(caught.value) == "nics[0].link: expected the name of a bridge, found none"


def tags(*numbers: int, native: int | None = None) -> tuple[domain.VlanTag, ...]:
    first = (domain.VlanTag(id=native, native_mode="untagged"),) if native else ()
    return (*first, *(domain.VlanTag(id=number) for number in numbers))


VLANS = [
    ("", None),
    (".100", domain.Vlan(tags=tags(100))),
    (".1", domain.Vlan(tags=tags(1))),
    (".4094", domain.Vlan(tags=tags(4094))),
    (":10", domain.Vlan(trunk=True, tags=tags(10))),
    (":10:20", domain.Vlan(trunk=True, tags=tags(10, 20))),
    (".5:10:20", domain.Vlan(trunk=True, tags=tags(10, 20, native=5))),
]


@pytest.mark.parametrize(("text", "vlan"), VLANS)
def test_a_vlan_is_parsed_and_formatted(text: str, vlan: domain.Vlan | None) -> None:
    assert parse_vlan(text, "at") == vlan
    assert format_vlan(vlan) == text


@pytest.mark.parametrize(("text", "vlan"), VLANS)
@pytest.mark.parametrize("mode", ["bridged", "openvswitch"])
def test_a_vlan_goes_there_and_back(mode: str, text: str, vlan: domain.Vlan | None) -> None:
    found = there(instance(nics=(nic(mode=mode, vlan=text),)), NEW)
    assert found.devices.interfaces[0].vlan == vlan
    assert back(found).nics[0].vlan == text


@pytest.mark.parametrize(("text", "again"), [("100", ".100"), (".007", ".7"), ("5:10", ".5:10")])
def test_another_spelling_of_a_vlan_is_reported(text: str, again: str) -> None:
    one = instance(nics=(nic(mode="openvswitch", vlan=text),))
    assert back(there(one)).nics[0].vlan == again
    assert [(loss.path, loss.value, loss.reason) for loss in losses_there(one)] == [
        ("nics[0].vlan", text, f"comes back as {again!r}, which means the same")
    ]


@pytest.mark.parametrize("vlan", [domain.Vlan(), domain.Vlan(trunk=True)])
def test_a_vlan_without_tags_is_none(vlan: domain.Vlan) -> None:
    assert format_vlan(vlan) == ""


def test_a_tagged_native_vlan_is_one_of_the_trunk() -> None:
    assert format_vlan(domain.Vlan(tags=(domain.VlanTag(id=5, native_mode="tagged"),))) == ":5"


@pytest.mark.parametrize("text", [".", ":", "x", ".1.2", ":1:", "..1", ".12345", ".\u0663", ".1 "])
def test_what_is_no_vlan_is_refused(text: str) -> None:
    with pytest.raises(GanetiDataError) as caught:
        interface(vlan=text)
    assert str(caught.value) == f"nics[0].vlan: expected '.100', ':10:20' or '.5:10:20', found {text!r}"


@pytest.mark.parametrize("text", [".0", ".4095", ":0", ":10:9999", ".0:10", "0"])
def test_a_vlan_out_of_range_is_refused(text: str) -> None:
    with pytest.raises(GanetiDataError) as caught:
        interface(vlan=text)
    assert str(caught.value) == f"nics[0].vlan: expected VLANs from 1 to 4094, found {text!r}"


VERSIONS = [(9_000_000, False), (10_999_999, False), (11_000_000, True), (12_001_000, True)]


@pytest.mark.parametrize(("version", "tags_bridges"), VERSIONS)
def test_a_plain_bridge_is_tagged_since_libvirt_11(version: int, tags_bridges: bool) -> None:
    one, context = instance(nics=(nic(vlan=".7"),)), Context(metadata=False, libvirt_version=version)
    if tags_bridges:
        assert there(one, context).devices.interfaces[0].vlan == domain.Vlan(tags=tags(7))
    else:
        assert refusal(one, context) == (
            "nics[0].vlan: libvirt tags VLANs on a plain bridge since 11.0 only; name a libvirt network "
            'for it in the map, [networks] "br0.7" = "..."'
        )


def test_open_vswitch_is_tagged_by_every_libvirt() -> None:
    old = Context(metadata=False, libvirt_version=9_000_000)
    assert interface(old, mode="openvswitch", vlan=".7").vlan == domain.Vlan(tags=tags(7))


NETWORKS = [
    ({"br0": "lan"}, "", {"network": "lan"}),
    ({"br0": "lan"}, ".7", {"network": "lan", "vlan": domain.Vlan(tags=tags(7))}),
    ({"br0.7": "lan7", "br0": "lan"}, ".7", {"network": "lan7"}),
    ({"br0.7": "lan7"}, "", {"network": None}),
]


@pytest.mark.parametrize(("networks", "vlan", "expected"), NETWORKS)
def test_the_map_may_name_a_libvirt_network(
    networks: dict[str, str], vlan: str, expected: dict[str, Any]
) -> None:
    context = Context(metadata=False, renames=Renames({"networks": networks}))
    found = interface(context, vlan=vlan)
    assert {name: getattr(found, name) for name in expected} == expected
    assert found.type == ("network" if found.network else "bridge")


def test_a_libvirt_network_comes_back_by_its_old_name_and_is_reported() -> None:
    context = Context(metadata=False, renames=Renames({"networks": {"br0": "lan"}}))
    found = there(instance(nics=(nic(),)), context)
    assert (back(found, context).nics[0].mode, back(found, context).nics[0].link) == ("bridged", "br0")
    assert back(found).nics[0].link == "lan"
    assert {"nics[0].mode", "nics[0].link", "nics[0].vlan"} <= paths_lost_back(found)


@pytest.mark.parametrize(("table", "mode"), [("bridges", "bridged"), ("switches", "openvswitch")])
def test_the_map_renames_bridges_and_switches_apart(table: str, mode: str) -> None:
    context = Context(metadata=False, renames=Renames({table: {"br0": "lan"}}))
    found = there(instance(nics=(nic(mode=mode),)), context)
    assert found.devices.interfaces[0].bridge == "lan"
    assert back(found, context).nics[0].link == "br0"


def test_two_bridges_that_became_one_cannot_be_told_apart() -> None:
    context = Context(metadata=False, renames=Renames({"bridges": {"br0": "lan", "br1": "lan"}}))
    found = there(instance(nics=(nic(),)), context)
    with pytest.raises(MapError) as caught:
        back(found, context)
    assert str(caught.value) == "bridges: ambiguous: 'br0' and 'br1' became 'lan'"


QUEUES: list[tuple[dict[str, Any], tuple[str | None, int | None]]] = [
    ({}, ("vhost", None)),
    ({"vhost_net": False}, ("qemu", None)),
    ({"virtio_net_queues": 4}, ("vhost", 4)),
    ({"virtio_net_queues": 4, "vhost_net": False}, ("qemu", None)),
    ({"virtio_net_queues": "auto", "be": {"vcpus": 1}}, ("vhost", None)),
    ({"virtio_net_queues": "auto", "be": {"vcpus": 3}}, ("vhost", 3)),
    ({"virtio_net_queues": "auto", "be": {"vcpus": 16}}, ("vhost", 8)),
    ({"virtio_net_queues": 4, "nic_type": "e1000"}, (None, None)),
]


@pytest.mark.parametrize(("params", "expected"), QUEUES)
def test_vhost_and_queues_go_there(params: dict[str, Any], expected: tuple[str | None, int | None]) -> None:
    found = there(instance(nics=(nic(),), **params)).devices.interfaces[0]
    assert (found.driver, found.queues) == expected


@pytest.mark.parametrize(("params", "expected"), QUEUES)
def test_vhost_and_queues_come_back_or_are_reported(
    params: dict[str, Any], expected: tuple[str | None, int | None]
) -> None:
    found = there(instance(nics=(nic(),), **params))
    again, lost = back(found).hvparams, paths_lost_back(found)
    assert "hvparams.virtio_net_queues" in lost
    assert "hvparams.vhost_net" in lost or again.vhost_net == params.get("vhost_net", True)
    assert again.virtio_net_queues == (expected[1] or 1)


def test_queues_without_vhost_are_reported_once() -> None:
    losses = losses_there(instance(nics=(nic(0), nic(1)), vhost_net=False, virtio_net_queues=2))
    assert [(loss.path, loss.value, loss.reason) for loss in losses] == [
        ("hvparams.virtio_net_queues", 2, "Ganeti ignores it without vhost_net")
    ]


def test_queues_are_a_number_or_auto() -> None:
    with pytest.raises(GanetiDataError) as caught:
        interface(hv={"virtio_net_queues": "many"})
    assert str(caught.value) == "hvparams.virtio_net_queues: expected a number or 'auto', found 'many'"


REFUSED = [
    (
        {"nic_type": "ne2k_isa"},
        (
            "hvparams.nic_type: 'ne2k_isa': an ISA card cannot stand in a PCI slot: QEMU refuses it, "
            "under Ganeti as under libvirt"
        ),
    ),
    (
        {"nic_type": "igb"},
        (
            "hvparams.nic_type: 'igb' has no equal (these have: 'paravirtual', 'e1000', 'i82551', 'i82557b', "
            "'i82559er', 'ne2k_pci', 'pcnet', 'rtl8139')"
        ),
    ),
]


@pytest.mark.parametrize(("hvparams", "message"), REFUSED)
def test_what_no_domain_can_have_is_refused(hvparams: dict[str, Any], message: str) -> None:
    assert refusal(instance(nics=(nic(),), **hvparams)) == message


def test_an_unknown_mode_is_refused() -> None:
    assert refusal(instance(nics=(nic(mode="macvtap"),))) == (
        "nics[0].mode: 'macvtap' has no equal (these have: 'bridged', 'openvswitch', 'routed', 'ext')"
    )


@pytest.mark.parametrize(
    "hvinfo", [None, HvInfo(driver="x", id="nic-1", bus="scsi.0", channel=0, scsi_id=1, lun=0)]
)
def test_a_nic_that_was_not_placed_is_a_bug_of_the_caller(hvinfo: HvInfo | None) -> None:
    with pytest.raises(GanetiDataError) as caught:
        nics.to_domain(instance(nics=(nic(hvinfo=hvinfo),)), 0, Context(), Report())
    assert str(caught.value) == "nics[0].hvinfo: expected a placed NIC"


FOUND = domain.Interface(
    type="bridge", mac="aa:00:00:00:00:01", bridge="br0", model="virtio", driver="vhost", alias="ua-nic-1"
)
ON_PCI = replace(FOUND, address=domain.PciAddress(slot=5))


def of_interfaces(*found: domain.Interface) -> domain.Domain:
    return domain.Domain(
        type="kvm",
        name="a",
        memory=domain.Memory(value=1024),
        os=domain.Os(),
        devices=domain.Devices(interfaces=found),
    )


def test_an_address_and_an_alias_make_hvinfo() -> None:
    assert back(of_interfaces(ON_PCI)).nics[0].hvinfo == HvInfo(
        driver="virtio-net-pci", id="nic-1", bus="pci.0", addr="0x5"
    )


FOREIGN = [
    (FOUND, "nics[0].hvinfo"),
    (replace(ON_PCI, alias=None), "nics[0].hvinfo"),
    (replace(ON_PCI, alias="net0"), "nics[0].hvinfo"),
    (replace(ON_PCI, address=domain.PciAddress(bus=1, slot=5)), "nics[0].hvinfo"),
    (replace(ON_PCI, address=domain.DriveAddress()), "nics[0].hvinfo"),
    (replace(ON_PCI, driver=None), "hvparams.vhost_net"),
    (replace(ON_PCI, model="e1000"), "hvparams.virtio_net_queues"),
]


@pytest.mark.parametrize(("found", "path"), FOREIGN)
def test_what_a_foreign_interface_does_not_tell_is_reported(found: domain.Interface, path: str) -> None:
    assert path in paths_lost_back(of_interfaces(found))


REFUSED_BACK = [
    (replace(FOUND, mac=None), "nics[0].mac: Ganeti knows no NIC without a MAC"),
    (
        replace(FOUND, type="user"),
        (
            "nics[0].mode: ('user', None) has no equal "
            "(these have: ('bridge', None), ('bridge', 'openvswitch'), ('ethernet', None))"
        ),
    ),
    (
        replace(FOUND, virtualport=domain.VirtualPort(type="midonet")),
        (
            "nics[0].mode: ('bridge', 'midonet') has no equal "
            "(these have: ('bridge', None), ('bridge', 'openvswitch'), ('ethernet', None))"
        ),
    ),
    (
        replace(FOUND, model="vmxnet3"),
        (
            "hvparams.nic_type: 'vmxnet3' has no equal (these have: 'virtio', 'e1000', 'i82551', 'i82557b', "
            "'i82559er', 'ne2k_pci', 'pcnet', 'rtl8139')"
        ),
    ),
    (
        replace(ON_PCI, model=None),
        (
            "nics[0].model: None has no equal (these have: 'virtio', 'e1000', 'i82551', 'i82557b', "
            "'i82559er', 'ne2k_pci', 'pcnet', 'rtl8139')"
        ),
    ),
]


@pytest.mark.parametrize(("found", "message"), REFUSED_BACK)
def test_what_no_instance_can_have_is_refused(found: domain.Interface, message: str) -> None:
    with pytest.raises(UnsupportedError) as caught:
        back(of_interfaces(found))
    assert str(caught.value) == message


def test_interfaces_that_disagree_are_reported_and_the_first_speaks() -> None:
    report = Report()
    other = replace(FOUND, model="e1000", mac="aa:00:00:00:00:02")
    assert back(of_interfaces(FOUND, other), report=report).hvparams.nic_type == "paravirtual"
    assert ("hvparams.nic_type", "paravirtual, e1000") in [(loss.path, loss.value) for loss in report.losses]


def test_absent_in_nothing_out() -> None:
    found = there(instance())
    assert found.devices.interfaces == ()
    assert back(found).nics == ()
    assert {f"hvparams.{name}" for name in ("nic_type", "vhost_net", "virtio_net_queues")} <= (
        paths_lost_back(found)
    )
