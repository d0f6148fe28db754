"""USB: which ports there are, and which controllers go together."""

from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

from virtxlate.rules.identity import twins
from virtxlate.rules.rule import Document, Fault, Rule, bus_of, number, once

Element = etree._Element
_HUB_PORTS = 8
_XHCI_PORTS = 15
_XHCI = ("qemu-xhci", "nec-xhci")
_USB_PORTS = {
    **dict.fromkeys(("", "piix3-uhci", "piix4-uhci", "vt82c686b-uhci"), 2),
    **dict.fromkeys(("ehci", "ich9-ehci1"), 6),
    "pci-ohci": 3,
    **dict.fromkeys(_XHCI, 4),
}
"""Of each model, where the controller does not say."""
_COMPANION = "ich9-uhci"
_NOT_OF_QEMU = ("qusb1", "qusb2")


@once
def _usb_addresses(document: Document) -> dict[Element, tuple[Element, int, tuple[int, ...]]]:
    """Give the USB address of each device: its bus, and the port at each hub on the way."""
    found = ((device, _usb_address(address)) for device, address in document.addresses)
    return {device: place for device, place in found if place is not None}


def _usb_address(address: Element) -> tuple[Element, int, tuple[int, ...]] | None:
    bus = number(address.get("bus", "0")) if address.get("type") == "usb" else None
    if bus is None:
        return None
    path = tuple(number(step) for step in address.get("port", "").split("."))
    numbers = tuple(step for step in path if step)
    return (address, bus, numbers) if numbers and len(numbers) == len(path) else None


def _usb_hubs(document: Document) -> dict[tuple[int, ...], int] | None:
    """Give the ports of each bus, and of each hub by bus and ports; None where no controller is told."""
    found: dict[tuple[int, ...], int] = {}
    for controller in document.controllers("usb"):
        index, model = number(controller.get("index", "0")), controller.get("model", "")
        count = number(controller.get("ports")) if model in _XHCI else None
        if index is not None and model in _USB_PORTS:
            found[index,] = count or _USB_PORTS[model]
        elif model.startswith(_COMPANION) and index is not None:
            found.setdefault((index,), _USB_PORTS["ich9-ehci1"])
        else:
            return None
    placed = _usb_addresses(document)
    hubs = (placed[hub] for hub in document.of("hub") if hub in placed)
    found.update({(bus, *ports): _HUB_PORTS for _address, bus, ports in hubs})
    return found if document.controllers("usb") else None


def _usb_port(document: Document) -> Iterator[Fault]:
    hubs = _usb_hubs(document)
    if hubs is None:
        return
    for address, bus, ports in _usb_addresses(document).values():
        if (bus,) not in hubs:
            says = f"there is no USB controller {bus}"
            yield Fault(address, "/@bus", str(bus), (), says)
            continue
        above = (bus, *ports[:-1])
        if above not in hubs:
            yield Fault(
                address, "/@port", address.get("port"), (), f"there is no hub at port {_dotted(above)}"
            )
        elif ports[-1] > hubs[above]:
            says = f"{'the hub' if len(above) > 1 else f'USB controller {bus}'} has ports 1 to {hubs[above]}"
            yield Fault(address, "/@port", address.get("port"), (), f"{says}; found {ports[-1]}")


def _dotted(place: tuple[int, ...]) -> str:
    return f"{'.'.join(map(str, place[1:]))} of USB controller {place[0]}"


def _usb_twice(document: Document) -> Iterator[Fault]:
    used = _usb_addresses(document).values()
    for address, first in twins(((bus, ports), address) for address, bus, ports in used):
        yield Fault(
            address, "/@port", address.get("port"), (), f"the port is that of {document.path(first)} too"
        )


def _on_usb(document: Document) -> Iterator[tuple[Element, str]]:
    yield from ((disk, "/target/@bus") for disk in document.disks if bus_of(disk) == "usb")
    yield from ((each, "/@bus") for each in document.of("input") if each.get("bus") == "usb")
    yield from ((each, "/@bus") for each in document.of("redirdev") if each.get("bus", "usb") == "usb")
    yield from ((each, "/@type") for each in document.hostdevs("usb"))
    yield from ((each, "/@model") for each in document.of("sound") if each.get("model") == "usb")
    yield from ((each, "/@type") for each in document.of("hub") if each.get("type") == "usb")


def _usb_off(document: Document) -> Iterator[Fault]:
    controllers = document.controllers("usb")
    if not any(each.get("model") == "none" for each in controllers):
        return
    for device, below in _on_usb(document):
        yield Fault(device, below, "none")
    for controller in controllers:
        if controller.get("model") != "none":
            says = "there is a USB controller beside <controller type='usb' model='none'/>"
            yield Fault(controller, "/@model", controller.get("model"), (), says)


def _usb_master(document: Document) -> Iterator[Fault]:
    masters = {
        number(each.get("index", "0"))
        for each in document.controllers("usb")
        if not each.get("model", "").startswith(_COMPANION)
    }
    for controller in document.controllers("usb"):
        model = controller.get("model", "")
        if model.startswith(_COMPANION) and number(controller.get("index", "0")) not in masters:
            yield Fault(controller, "/@model", model)


def _usb_index(document: Document) -> Iterator[Fault]:
    masters = (
        (number(each.get("index")), each)
        for each in document.controllers("usb")
        if each.get("index") is not None and not each.get("model", "").startswith(_COMPANION)
    )
    for controller, first in twins(masters):
        index = controller.get("index", "")
        says = f"USB controller {index} is {document.path(first)} too"
        yield Fault(controller, "/@index", index, (), says)


def _usb_model(document: Document) -> Iterator[Fault]:
    for controller in document.controllers("usb"):
        model, ports = controller.get("model", ""), number(controller.get("ports"))
        if model in _NOT_OF_QEMU:
            yield Fault(controller, "/@model", model, (*_XHCI, "ich9-ehci1", "piix3-uhci"))
        elif model in _XHCI and ports is not None and ports > _XHCI_PORTS:
            says = f"an xHCI controller has {_XHCI_PORTS} ports at most; found {ports}"
            yield Fault(controller, "/@ports", str(ports), (), says)


RULES: tuple[Rule, ...] = (
    Rule(
        id="usb-port-unique",
        says="every USB device has a port of its own",
        why="A hub stands on a port, too.",
        source="libvirt 9.0.0, src/conf/domain_addr.c, virDomainUSBAddressReserve",
        hint="use a free port, or leave the address out",
        about=("@port",),
        libvirt="refused",
        check=_usb_twice,
    ),
    Rule(
        id="usb-port",
        says="the USB port is one that there is",
        why="piix3-uhci has 2 ports, ich9-ehci1 6, xHCI 4 or as many as it says up to 15, a hub 8; a port "
        "behind a hub needs the hub.",
        source="libvirt 9.0.0, src/conf/domain_addr.c, virDomainUSBAddressFindPort",
        hint="use a free port, add <hub type='usb'/>, or leave the address out",
        about=("@port",),
        libvirt="refused",
        check=_usb_port,
    ),
    Rule(
        id="usb-off",
        says="a domain without USB has no USB devices",
        why="<controller type='usb' model='none'/> says that there is no USB at all.",
        source="libvirt 9.0.0, src/qemu/qemu_domain_address.c, qemuDomainUSBAddressAddHubs",
        hint="use another bus, or a controller such as model='qemu-xhci' in its place",
        libvirt="refused",
        check=_usb_off,
    ),
    Rule(
        id="usb-companion",
        says="a companion controller stands beside its master",
        why="ich9-uhci1 to 3 serve the slow devices on the ports of ich9-ehci1, which has the same index.",
        source="libvirt 9.0.0, src/conf/domain_postparse.c, virDomainDefRejectDuplicateControllers",
        hint="add <controller type='usb' model='ich9-ehci1'/> with that index",
        libvirt="refused",
        check=_usb_master,
    ),
    Rule(
        id="usb-controller-index",
        says="every USB controller has an index of its own, but for companions",
        why="An address finds its controller by the index.",
        source="libvirt 9.0.0, src/conf/domain_postparse.c, virDomainDefRejectDuplicateControllers",
        hint="give the second one the next free index",
        libvirt="refused",
        check=_usb_index,
    ),
    Rule(
        id="usb-controller-model",
        says="the USB controller is one that QEMU has, with ports that it can have",
        why="qusb1 and qusb2 are Xen's; xHCI has 15 ports at most.",
        source="libvirt 9.0.0, src/qemu/qemu_domain.c, qemuDomainControllerDefPostParse",
        hint="use qemu-xhci, with 15 ports or fewer",
        libvirt="refused",
        check=_usb_model,
    ),
)
