"""Rules of ports: a way to break each, and the same done right."""

from __future__ import annotations

from tests.rules.cases import Case
from tests.rules.cases_disks import XHCI, disk

_AGENT = "org.qemu.guest_agent.0"


def channel(name: str = _AGENT, inside: str = "", kind: str = "unix") -> str:
    return f"<channel type='{kind}'><target type='virtio' name='{name}'/>{inside}</channel>"


def port(number: int = 1, controller: int = 0, bus: int = 0) -> str:
    return f"<address type='virtio-serial' controller='{controller}' bus='{bus}' port='{number}'/>"


def usb(at: str = "1", bus: int = 0) -> str:
    return f"<address type='usb' bus='{bus}' port='{at}'/>"


def tablet(inside: str = "") -> str:
    return f"<input type='tablet' bus='usb'>{inside}</input>"


def serial(number: int) -> str:
    return f"<serial type='pty'><target port='{number}'/></serial>"


_TWO_PORTS = "<controller type='virtio-serial' index='0' ports='2'/>"
_HUB = f"<hub type='usb'>{usb()}</hub>"
_SPICE = "<graphics type='spice' autoport='yes'/>"
_UHCI = "<controller type='usb' index='0' model='ich9-uhci1'><master startport='0'/></controller>"
_EHCI = "<controller type='usb' index='0' model='ich9-ehci1'/>"
_NONE = "<controller type='usb' model='none'/>"
_CARD = "<smartcard mode='passthrough' type='unix'><source mode='bind' path='/tmp/card{0}'/>{1}</smartcard>"
_SLOT = "<address type='ccid' controller='0' slot='{0}'/>"

CASES: tuple[Case, ...] = (
    Case(
        "virtio-serial-port-unique",
        channel(inside=port()) + channel("org.b", port()),
        channel(inside=port()) + channel("org.b", port(2)),
    ),
    Case("virtio-serial-port", channel(inside=port(31)), channel(inside=port(30))),
    Case("virtio-serial-port", _TWO_PORTS + channel(inside=port(2)), _TWO_PORTS + channel(inside=port(1))),
    Case("virtio-serial-port-zero", channel(inside=port(0)), channel(inside=port(2, controller=2))),
    Case("virtio-serial-bus", channel(inside=port(bus=1)), channel(inside=port())),
    Case("channel-name-unique", channel() * 2, channel() + channel("org.b")),
    Case(
        "channel-name-unique",
        channel(inside=port()) + channel(inside=port(controller=1)),
        channel(inside=port()) + channel("org.b", port(controller=1)),
    ),
    Case(
        "channel-spicevmc",
        _SPICE + channel("com.redhat.spice.1", kind="spicevmc"),
        _SPICE + channel("com.redhat.spice.0", kind="spicevmc"),
    ),
    Case("usb-port-unique", XHCI + tablet(usb()) * 2, XHCI + tablet(usb()) + tablet(usb("2"))),
    Case("usb-port", XHCI + tablet(usb(bus=1)), XHCI + tablet(usb("4"))),
    Case("usb-port", XHCI + tablet(usb("5")), _EHCI + tablet(usb("5"))),
    Case("usb-port", XHCI + tablet(usb("1.1")), XHCI + _HUB + tablet(usb("1.1"))),
    Case("usb-port", XHCI + _HUB + tablet(usb("1.9")), XHCI + _HUB + tablet(usb("1.8"))),
    Case("usb-off", tablet() + _NONE, XHCI + tablet()),
    Case("usb-off", disk("sda", "usb"), XHCI + disk("sda", "usb")),
    Case("usb-off", "<hub type='usb'/>", XHCI + "<hub type='usb'/>"),
    Case("usb-off", XHCI.replace("'0'", "'1'") + _NONE, XHCI),
    Case("usb-companion", _UHCI, _UHCI + _EHCI),
    Case("usb-controller-index", XHCI + _EHCI, XHCI + _EHCI.replace("'0'", "'1'")),
    Case("usb-controller-model", XHCI.replace("/>", " ports='16'/>"), XHCI.replace("/>", " ports='15'/>")),
    Case("usb-controller-model", XHCI.replace("qemu-xhci", "qusb2"), XHCI.replace("qemu-xhci", "nec-xhci")),
    Case("smartcard-one", XHCI + _CARD.format(1, "") + _CARD.format(2, ""), XHCI + _CARD.format(1, "")),
    Case(
        "smartcard-one",
        XHCI + _CARD.format(1, _SLOT.format(1)),
        XHCI + _CARD.format(1, _SLOT.format(0)),
    ),
    Case("serial-port", serial(4), serial(3)),
    Case("serial-port", "<serial type='pty'/>" * 5, "<serial type='pty'/>" * 4),
    Case("serial-port-unique", serial(1) * 2, serial(1) + serial(2)),
    Case("parallel-port", "<parallel type='pty'/>" * 4, "<parallel type='pty'/>" * 3),
)
