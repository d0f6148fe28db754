"""Rules of interfaces: a way to break each, and the same done right."""

from __future__ import annotations

from tests.rules.cases import Case

MAC = "52:54:00:00:00:01"
OTHER_MAC = "52:54:00:00:00:02"


def nic(
    inside: str = "", *, kind: str = "user", mac: str = MAC, model: str = "virtio", more: str = ""
) -> str:
    return f"<interface type='{kind}'><mac address='{mac}'/>{inside}<model type='{model}'/>{more}</interface>"


def tap(inside: str = "", **more: str) -> str:
    return nic(inside, kind="ethernet", **more)


def driver(options: str) -> str:
    return f"<driver {options}/>"


def ring(way: str, length: int) -> str:
    return nic(more=driver(f"{way}_queue_size='{length}'"))


_VLAN = "<vlan><tag id='5'/></vlan>"
_SCRIPT = "<script path='/bin/true'/>"
_NAME = "<target dev='{}'/>"
_IP = "<ip address='{}' prefix='24'/>"
_VHOSTUSER = (
    "<interface type='vhostuser'><source type='unix' path='/tmp/judged.sock' mode='client'/>"
    "<model type='{}'/></interface>"
)
_BRIDGED = "<source bridge='judged0'/>"
_SHARED = "<memoryBacking><access mode='shared'/></memoryBacking>"

CASES: tuple[Case, ...] = (
    Case("interface-mac-unique", nic() + nic(), nic() + nic(mac=OTHER_MAC)),
    Case("interface-mac-zero", nic(mac="00:00:00:00:00:00"), nic()),
    Case("interface-model", nic(model="foo"), nic(model="vmxnet3")),
    Case("interface-model", nic(model="lan9118"), nic(model="i82559er")),
    Case("interface-mtu", nic("<mtu size='9000'/>"), tap("<mtu size='9000'/>")),
    Case("interface-vlan", nic(_VLAN), nic()),
    Case("interface-vlan", tap(_VLAN), tap()),
    Case("interface-script", nic(_SCRIPT), tap(_SCRIPT)),
    Case("interface-managed", nic("<target dev='judged1' managed='no'/>"), nic("<target dev='judged1'/>")),
    Case(
        "interface-target-unique",
        tap(_NAME.format("judged1")) + tap(_NAME.format("judged1"), mac=OTHER_MAC),
        tap(_NAME.format("judged1")) + tap(_NAME.format("judged2"), mac=OTHER_MAC),
    ),
    Case(
        "interface-target-length",
        tap(_NAME.format("a-name-of-sixtee")),
        tap(_NAME.format("name-of-fifteen")),
    ),
    Case("interface-queues", nic(more=driver("queues='2'")), tap(more=driver("queues='2'"))),
    Case(
        "interface-queue-size",
        nic(more=driver("rx_queue_size='300'")),
        nic(more=driver("rx_queue_size='512'")),
    ),
    Case(
        "interface-queue-range",
        nic(more=driver("rx_queue_size='128'")),
        nic(more=driver("rx_queue_size='256'")),
    ),
    Case(
        "interface-queue-range",
        nic(more=driver("tx_queue_size='2048'")),
        nic(more=driver("tx_queue_size='1024'")),
    ),
    Case(
        "interface-virtio-options",
        nic(model="e1000", more=driver("packed='on'")),
        nic(more=driver("packed='on'")),
    ),
    Case(
        "interface-vhostuser-model",
        _VHOSTUSER.format("e1000"),
        _VHOSTUSER.format("virtio"),
        outside=_SHARED,
        outside_right=_SHARED,
    ),
    Case(
        "interface-isolated",
        nic("<port isolated='yes'/>"),
        nic(_BRIDGED + "<port isolated='yes'/>", kind="bridge"),
    ),
    Case(
        "interface-isolated",
        nic(_BRIDGED + "<virtualport type='openvswitch'/><port isolated='yes'/>", kind="bridge"),
        nic(_BRIDGED + "<virtualport type='openvswitch'/>", kind="bridge"),
    ),
    Case(
        "interface-coalesce",
        nic("<coalesce><rx><frames max='7'/></rx></coalesce>"),
        nic(_BRIDGED + "<coalesce><rx><frames max='7'/></rx></coalesce>", kind="bridge"),
    ),
    Case("interface-guest-address", tap(_IP.format("10.0.0.2")), nic(_IP.format("10.0.0.2"))),
    Case(
        "interface-guest-address",
        nic(_IP.format("10.0.0.2") + _IP.format("10.0.1.2")),
        nic(_IP.format("10.0.0.2") + "<ip family='ipv6' address='2001:db8::2' prefix='64'/>"),
    ),
    Case(
        "interface-team",
        nic("<teaming type='persistent'/>", model="e1000"),
        nic("<teaming type='persistent'/>"),
    ),
)
