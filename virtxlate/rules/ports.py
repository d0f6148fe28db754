"""Ports of virtio-serial controllers, smart card readers, and the serial and parallel ports of a PC."""

from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

from virtxlate.rules.identity import twins
from virtxlate.rules.rule import Document, Fault, Rule, child, number

Element = etree._Element
_SERIAL_PORTS = 31
_ISA_PORTS, _PARALLEL_PORTS = 4, 3
_SPICE_NAME = "com.redhat.spice.0"


def _virtio_ports(document: Document) -> Iterator[tuple[Element, Element, int, int]]:
    """Give each device with an address on virtio-serial, the address, and its controller and port."""
    for tag in ("channel", "console"):
        for device in document.of(tag):
            address = device.find("address[@type='virtio-serial']")
            if address is not None:
                controller, port = number(address.get("controller", "0")), number(address.get("port", "0"))
                if controller is not None and port:
                    yield device, address, controller, port


def _virtio_port(document: Document) -> Iterator[Fault]:
    for address, first in twins(
        ((controller, port), address) for _device, address, controller, port in _virtio_ports(document)
    ):
        says = f"the port is that of {document.path(first)} too"
        yield Fault(address, "/@port", address.get("port"), (), says)


def _virtio_count(document: Document) -> Iterator[Fault]:
    counts = {
        number(each.get("index", "0")): number(each.get("ports"))
        for each in document.controllers("virtio-serial")
    }
    for _device, address, controller, port in _virtio_ports(document):
        count = counts.get(controller) or _SERIAL_PORTS
        if port >= count:
            says = f"virtio-serial controller {controller} has ports 0 to {count - 1}; found {port}"
            yield Fault(address, "/@port", str(port), (), says)


def _virtio_zero(document: Document) -> Iterator[Fault]:
    for channel in document.of("channel"):
        address = channel.find("address[@type='virtio-serial']")
        if address is not None and number(address.get("port")) == 0:
            yield Fault(address, "/@port", "0")


def _virtio_bus(document: Document) -> Iterator[Fault]:
    for device in (*document.of("channel"), *document.of("console")):
        address = device.find("address[@type='virtio-serial']")
        if address is not None and number(address.get("bus")):
            yield Fault(address, "/@bus", address.get("bus"), ("0",))


def _channels(document: Document) -> Iterator[tuple[str, Element]]:
    for channel in document.of("channel"):
        target = channel.find("target[@type='virtio']")
        if target is not None and target.get("name"):
            yield target.get("name", ""), target


def _channel_name(document: Document) -> Iterator[Fault]:
    for target, first in twins(_channels(document)):
        name = target.get("name", "")
        yield Fault(target, "/@name", name, (), f"the name {name} is that of {document.path(first)} too")


def _spicevmc(document: Document) -> Iterator[Fault]:
    for channel in document.of("channel"):
        target = channel.find("target[@type='virtio']")
        found = None if target is None else target.get("name", _SPICE_NAME)
        if target is not None and channel.get("type") == "spicevmc" and found != _SPICE_NAME:
            yield Fault(target, "/@name", found, (_SPICE_NAME,))


def _smartcard(document: Document) -> Iterator[Fault]:
    for place, card in enumerate(document.of("smartcard")):
        address = child(card, "address")
        if place:
            yield Fault(card)
        for name in ("controller", "slot") if address is not None else ():
            if address is not None and number(address.get(name, "0")):
                yield Fault(address, f"/@{name}", address.get(name), ("0",))


def _isa_ports(document: Document) -> Iterator[tuple[Element, int | None]]:
    for serial in document.of("serial"):
        target = child(serial, "target")
        kind = "isa-serial" if target is None else target.get("type", "isa-serial")
        if kind == "isa-serial" and document.is_pc:
            yield serial, None if target is None else number(target.get("port"))


def _serial(document: Document) -> Iterator[Fault]:
    for place, (serial, port) in enumerate(_isa_ports(document)):
        if port is not None and port >= _ISA_PORTS:
            yield Fault(serial, "/target/@port", str(port))
        elif place >= _ISA_PORTS:
            yield Fault(serial)


def _serial_twice(document: Document) -> Iterator[Fault]:
    told = ((port, serial) for serial, port in _isa_ports(document) if port is not None)
    for serial, first in twins(told):
        says = f"the port is that of {document.path(first)} too"
        yield Fault(serial, "/target/@port", None, (), says)


def _parallel(document: Document) -> Iterator[Fault]:
    for parallel in document.of("parallel")[_PARALLEL_PORTS:]:
        yield Fault(parallel)


RULES: tuple[Rule, ...] = (
    Rule(
        id="virtio-serial-port-unique",
        says="every channel has a port of its own",
        why="Consoles of type virtio are on the same ports.",
        source="libvirt 9.0.0, src/conf/domain_addr.c, virDomainVirtioSerialAddrReserve",
        hint="use a free port, or leave the address out",
        about=("channel", "console"),
        libvirt="refused",
        check=_virtio_port,
    ),
    Rule(
        id="virtio-serial-port",
        says="the port is one that the virtio-serial controller has",
        why="It has 31, 0 to 30, where it does not say how many; libvirt adds a controller that is missing.",
        source="libvirt 9.0.0, src/conf/domain_addr.c, virDomainVirtioSerialAddrReserve",
        hint="use a lower port, another controller, or leave the address out",
        about=("channel", "console"),
        libvirt="refused",
        check=_virtio_count,
    ),
    Rule(
        id="virtio-serial-port-zero",
        says="port 0 of a virtio-serial controller is for a console",
        why="libvirt takes port 0 of a channel for none, and chooses another.",
        source="libvirt 9.0.0, src/conf/domain_addr.c, virDomainVirtioSerialAddrNext",
        hint="use port 1 or higher, or leave port out",
        about=("channel",),
        libvirt="accepted",
        check=_virtio_zero,
        severity="warning",
    ),
    Rule(
        id="virtio-serial-bus",
        says="a virtio-serial controller has one bus, 0",
        why="libvirt does not look at it; QEMU finds no such bus, and does not start.",
        source="QEMU 7.2, softmmu/qdev-monitor.c, qbus_find",
        hint="write bus='0'",
        about=("channel", "console"),
        libvirt="not started",
        check=_virtio_bus,
    ),
    Rule(
        id="channel-name-unique",
        says="every virtio channel of a guest has a name of its own",
        why="libvirt does not compare them; QEMU refuses the second, even on another controller.",
        source="QEMU 7.2, hw/char/virtio-serial-bus.c, virtser_port_device_realize",
        hint="give the channel another name, or leave the second one out",
        about=("channel",),
        libvirt="not started",
        check=_channel_name,
    ),
    Rule(
        id="channel-spicevmc",
        says="the channel of SPICE's agent has the name com.redhat.spice.0",
        why="QEMU's spicevmc knows no other; so there is one such channel.",
        source="libvirt 9.0.0, src/qemu/qemu_command.c, qemuBuildVirtioSerialPortDevProps",
        hint="leave the name out, or the second channel",
        about=("channel",),
        libvirt="not started",
        check=_spicevmc,
    ),
    Rule(
        id="smartcard-one",
        says="there is one smart card, at controller 0 and slot 0",
        why="QEMU's reader has one slot.",
        source="libvirt 9.0.0, src/qemu/qemu_validate.c, qemuValidateDomainSmartcardDef",
        hint="leave the second one and the address out",
        about=("smartcard",),
        libvirt="refused",
        check=_smartcard,
    ),
    Rule(
        id="serial-port",
        says="a PC has four serial ports, 0 to 3",
        why="They are where they always were on ISA. libvirt counts them when the domain starts.",
        source="libvirt 9.0.0, src/conf/domain_postparse.c, virDomainChrIsaSerialDefPostParse",
        hint="use fewer, or <target type='pci-serial'/> or 'usb-serial'",
        about=("serial",),
        libvirt="not started",
        check=_serial,
    ),
    Rule(
        id="serial-port-unique",
        says="every serial port has a number of its own",
        why="The number decides on its place on ISA. libvirt compares them when the domain starts.",
        source="libvirt 9.0.0, src/conf/domain_postparse.c, virDomainChrIsaSerialDefPostParse",
        hint="use a free port, or leave <target> out",
        about=("serial",),
        libvirt="not started",
        check=_serial_twice,
    ),
    Rule(
        id="parallel-port",
        says="a PC has three parallel ports",
        why="libvirt does not count them; QEMU does not start.",
        source="QEMU 7.2, hw/char/parallel.c, parallel_isa_realizefn",
        hint="leave the others out",
        about=("parallel",),
        libvirt="not started",
        check=_parallel,
    ),
)
