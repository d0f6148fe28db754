"""What a handover tells Ganeti's network script is what Ganeti tells it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from lab.ganeti_judge import prepare
from virtxlate.ganeti.model import Instance, Network, Nic
from virtxlate.handover.networks import environment

pytestmark = pytest.mark.oracle

UUID = "11111111-2222-4333-8444-555555555555"
NETWORK = Network(
    name="net1",
    uuid="33333333-2222-4333-8444-555555555555",
    network="10.0.0.0/24",
    gateway="10.0.0.1",
    network6="2001:db8::/64",
    gateway6="2001:db8::1",
    mac_prefix="aa:00:00",
    tags=("x",),
)
NICS = (
    Nic(
        uuid=UUID.replace("1", "4"),
        mac="aa:00:00:00:00:01",
        ip="192.0.2.9",
        name="up",
        mode="routed",
        link="100",
    ),
    Nic(uuid=UUID.replace("1", "5"), mac="aa:00:00:00:00:02", mode="bridged", link="br0"),
    Nic(
        uuid=UUID.replace("1", "6"),
        mac="aa:00:00:00:00:03",
        mode="openvswitch",
        link="sw",
        vlan=".5:6",
        network=NETWORK.uuid,
        netinfo=NETWORK,
    ),
)


def wire(nic: Nic) -> dict[str, Any]:
    """Give a NIC as Ganeti keeps it."""
    own = {"mac": nic.mac, "uuid": nic.uuid, "ip": nic.ip, "name": nic.name, "network": nic.network}
    params = {"mode": nic.mode, "link": nic.link, "vlan": nic.vlan}
    network = {} if nic.netinfo is None else {"netinfo": msgspec.to_builtins(nic.netinfo)}
    return {**own, "nicparams": params, **network}


def test_the_script_is_told_the_same() -> None:
    name = "inst1.example.com"
    request = {
        "name": name,
        "uuid": UUID,
        "tags": ["a"],
        "hvparams": {"kernel_path": ""},
        "nics": [wire(nic) for nic in NICS],
    }
    (verdict,) = prepare().run([request])
    assert verdict.error is None
    ours = Instance(name=name, uuid=UUID, nics=NICS, tags=("a",))
    for index, theirs in enumerate(verdict.nic_setup):
        assert environment(ours, index) == {k: v for k, v in theirs.items() if k != "INTERFACE"}
