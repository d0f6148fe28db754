"""PCI: which addresses there are, who may stand at them, and which controllers a board can have."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from lxml import etree

from virtxlate.rules.pci_buses import (
    BUSES,
    ENDPOINT,
    PciPlace,
    built_in,
    buses,
    kind_of,
    pci_place,
    places,
    reserved,
    root_of_board,
)
from virtxlate.rules.rule import Document, Fault, Rule, child, listed, number, once

_MOST_CONTROLLERS = 255
_BRIDGED = tuple(model for model, bus in BUSES.items() if "pci-bridge" in bus.adds)
_ROOTS = ("pci-root", "pcie-root")
_PLUGGED = (ENDPOINT, *(model for model in BUSES if model not in _ROOTS))
_WITH_CHASSIS = ("pcie-root-port", "pcie-switch-downstream-port")
_EXPANDERS = ("pci-expander-bus", "pcie-expander-bus")
_TARGET = {
    "chassisNr": ("pci-bridge",),
    "chassis": _WITH_CHASSIS,
    "port": _WITH_CHASSIS,
    "busNr": _EXPANDERS,
    "hotplug": (*_WITH_CHASSIS, "pci-root"),
}
_NOT_ON = {
    "i440fx": tuple(model for model in BUSES if model.startswith("pcie") or model == "dmi-to-pci-bridge"),
    "q35": ("pci-root", "pci-expander-bus"),
}


def _twice(document: Document) -> Iterator[Fault]:
    seen: dict[PciPlace, etree._Element] = {}
    for device, place in places(document):
        first = seen.setdefault(place, device)
        if first is not device:
            says = f"PCI address {place} is that of {document.path(first)} too"
            yield Fault(device, "/address", str(place), (), says)


def _domain(document: Document) -> Iterator[Fault]:
    for device, place in places(document):
        if place.domain and document.is_pc:
            yield Fault(device, "/address/@domain", str(place.domain), ("0",))


def _slot(document: Document) -> Iterator[Fault]:
    known = buses(document)
    for device, place in places(document):
        bus = known.get(place.bus)
        if bus is not None and not bus.first <= place.slot <= bus.last:
            slots = f"slots {bus.first} to {bus.last}" if bus.last else "only slot 0"
            says = f"bus {place.bus} is a {bus.model} and has {slots}; found {place.slot}"
            yield Fault(device, "/address/@slot", str(place.slot), (), says)


def _takes(document: Document) -> Iterator[Fault]:
    known = buses(document)
    for device, place in places(document):
        bus, kind = known.get(place.bus), kind_of(device)
        if bus is not None and kind not in bus.takes and kind in _PLUGGED:
            says = f"bus {place.bus} is a {bus.model} and takes {', '.join(bus.takes)}; found {kind}"
            yield Fault(device, "/address/@bus", str(place.bus), (), says)


def _reserved(document: Document) -> Iterator[Fault]:
    taken = reserved(document)
    for device, place in places(document):
        owner = taken.get(place)
        if owner is not None and built_in(document, device) != place:
            yield Fault(device, "/address", str(place), (), f"{place} is that of {owner}")


def _moved(document: Document) -> Iterator[Fault]:
    for device, place in places(document):
        home = built_in(document, device)
        if home is not None and home != place:
            says = f"the controller is part of the board's chipset, at {home}; found {place}"
            yield Fault(device, "/address", str(place), (str(home),), says)


@once
def _functions(document: Document) -> dict[PciPlace, dict[int, etree._Element]]:
    slots: dict[PciPlace, dict[int, etree._Element]] = defaultdict(dict)
    for device, place in places(document):
        slots[place._replace(function=0)].setdefault(place.function, device)
    return slots


def _multifunction(document: Document) -> Iterator[Fault]:
    for functions in _functions(document).values():
        first = functions.get(0)
        address = None if first is None or len(functions) == 1 else child(first, "address")
        if address is not None and address.get("multifunction") == "off":
            yield Fault(address, "/@multifunction", "off", ("on",))


def _lonely(document: Document) -> Iterator[Fault]:
    if not document.is_pc or not any(place.function for _device, place in places(document)):
        return
    chipset = {place._replace(function=0) for place in reserved(document)}
    for slot, functions in _functions(document).items():
        if 0 not in functions and slot not in chipset:
            for function, device in functions.items():
                yield Fault(device, "/address/@function", str(function))


@listed
def _controllers(document: Document) -> Iterator[tuple[etree._Element, str]]:
    for controller in document.controllers("pci"):
        yield controller, controller.get("model", "")


def _root(document: Document) -> Iterator[Fault]:
    root = root_of_board(document)
    for controller, model in _controllers(document):
        if root and model and number(controller.get("index")) == 0 and model != root:
            yield Fault(controller, "/@model", model, (root,))


def _board(document: Document) -> Iterator[Fault]:
    absent = _NOT_ON.get(document.board, ())
    for controller, model in _controllers(document):
        if model in absent and number(controller.get("index")) != 0:
            says = f"a {document.board} board cannot have a {model}"
            yield Fault(controller, "/@model", model, (), says)


def _root_address(document: Document) -> Iterator[Fault]:
    for controller, model in _controllers(document):
        address = child(controller, "address")
        if model in _ROOTS and address is not None:
            yield Fault(address)


def _index(document: Document) -> Iterator[Fault]:
    for controller, model in _controllers(document):
        index = number(controller.get("index"))
        if index is None or not model:
            continue
        if document.is_pc and model in _ROOTS:
            if index:
                yield Fault(controller, "/@index", str(index), ("0",), f"the index of {model} is 0")
        elif not 0 < index <= _MOST_CONTROLLERS and model not in _ROOTS:
            says = f"the index of a {model} is 1 to {_MOST_CONTROLLERS}; found {index}"
            yield Fault(controller, "/@index", str(index), (), says)


def _order(document: Document) -> Iterator[Fault]:
    for controller, _model in _controllers(document):
        index, place = number(controller.get("index")), pci_place(controller)
        if index and place is not None and place.bus >= index:
            says = f"controller {index} stands on bus {place.bus}, which is not below it"
            yield Fault(controller, "/address/@bus", str(place.bus), (), says)


def _bridge(document: Document) -> Iterator[Fault]:
    if document.board != "q35":
        return
    indices = {number(each.get("index")): model for each, model in _controllers(document)}
    if None in indices:
        return
    lowest = min((index for index, model in indices.items() if index and model in _BRIDGED), default=None)
    for controller, model in _controllers(document):
        if (
            model == "pci-bridge"
            and number(controller.get("index")) == lowest
            and pci_place(controller) is None
        ):
            yield Fault(controller, "/@model", model)


def _chassis(document: Document) -> Iterator[Fault]:
    seen: dict[int, etree._Element] = {}
    for controller, model in _controllers(document):
        target = child(controller, "target")
        chassis = None if target is None else number(target.get("chassis"))
        if model not in _WITH_CHASSIS or target is None or chassis is None:
            continue
        first = seen.setdefault(chassis, controller)
        if first is not controller:
            says = f"chassis {chassis} is that of {document.path(first)} too"
            yield Fault(target, "/@chassis", str(chassis), (), says)


def _target(document: Document) -> Iterator[Fault]:
    for controller, model in _controllers(document):
        target = child(controller, "target")
        if target is None or not model:
            continue
        for name, models in _TARGET.items():
            if name in target.attrib and model not in models:
                says = (
                    f"a {model} has no {name}; {' and '.join(models)} {'have' if len(models) > 1 else 'has'}"
                )
                yield Fault(target, f"/@{name}", target.get(name), (), says)


RULES: tuple[Rule, ...] = (
    Rule(
        id="pci-address-unique",
        says="every device has a PCI address of its own",
        why="0x0a and 10 are one number, and a number that is not written is 0; a schema compares words.",
        source="libvirt 9.0.0, src/conf/domain_addr.c, virDomainPCIAddressReserveAddrInternal",
        hint="use a free slot, or leave the address out and let libvirt choose",
        libvirt="refused",
        check=_twice,
    ),
    Rule(
        id="pci-domain",
        says="a PC has one PCI domain, 0",
        why="QEMU's PC boards have one host bridge.",
        source="libvirt 9.0.0, src/conf/domain_addr.c, virDomainPCIAddressValidate",
        hint="leave domain out, or write 0x0000",
        libvirt="refused",
        check=_domain,
    ),
    Rule(
        id="pci-slot",
        says="the slot is one that the bus has",
        why="A root port has one slot, 0; slot 0 of a root bus is the host bridge, and that of a bridge its "
        "hotplug controller. A bus that is not declared becomes a pci-bridge on i440fx, a root port on q35.",
        source="libvirt 9.0.0, src/conf/domain_addr.c, virDomainPCIAddressValidate",
        hint="use slot 0x00 on a root port, 0x01 to 0x1f on a root bus or a bridge",
        libvirt="refused",
        check=_slot,
    ),
    Rule(
        id="pci-bus",
        says="the bus is one that such a device can be plugged into",
        why="A switch's upstream port takes only downstream ports, an expander bus of PCI Express only root "
        "ports, and a root port no other root port.",
        source="libvirt 9.0.0, src/conf/domain_addr.c, virDomainPCIAddressFlagsCompatible",
        hint="put the device on a bus that takes it, or leave the address out",
        libvirt="refused",
        check=_takes,
    ),
    Rule(
        id="pci-reserved",
        says="no device stands where the board's chipset does",
        why="i440fx has its ISA bridge at 01.0, IDE at 01.1, USB at 01.2 where it is piix3-uhci, power "
        "management at 01.3; q35 has its LPC bridge at 1f.0, SATA at 1f.2, SMBus at 1f.3. libvirt does not "
        "see IDE at 01.1 where the document has none: there QEMU refuses.",
        source="libvirt 9.0.0, src/qemu/qemu_domain_address.c, qemuDomainValidateDevicePCISlotsPIIX3 "
        "and qemuDomainValidateDevicePCISlotsQ35",
        hint="use another slot, or leave the address out",
        libvirt="refused",
        check=_reserved,
    ),
    Rule(
        id="pci-chipset",
        says="a controller of the chipset stays at its place",
        why="IDE of i440fx is at 00:01.1, its USB at 00:01.2, and SATA of q35 at 00:1f.2.",
        source="libvirt 9.0.0, src/qemu/qemu_domain_address.c, qemuDomainValidateDevicePCISlotsPIIX3 "
        "and qemuDomainValidateDevicePCISlotsQ35",
        hint="leave the address out, or give another controller the next index",
        libvirt="refused",
        check=_moved,
    ),
    Rule(
        id="pci-multifunction",
        says="function 0 of a slot with more functions is multifunction",
        why="libvirt turns it on where nothing is said; told otherwise, it defines a domain that QEMU does "
        "not start.",
        source="QEMU 7.2, hw/pci/pci.c, pci_init_multifunction",
        hint="leave multifunction out, or write multifunction='on' at function 0",
        about=("@multifunction",),
        libvirt="not started",
        check=_multifunction,
    ),
    Rule(
        id="pci-function-zero",
        says="a slot with a device has one at function 0",
        why="A guest looks at function 0 first, and where nothing is there it does not look further.",
        source="PCI Local Bus 3.0, section 3.2.2.3.4 (function 0 is required)",
        hint="put the device, or another, at function='0x0' of that slot",
        about=("@function",),
        libvirt="accepted",
        check=_lonely,
        severity="warning",
    ),
    Rule(
        id="pci-root",
        says="the first PCI controller is the root bus of the board",
        why="i440fx has pci-root, q35 pcie-root.",
        source="libvirt 9.0.0, src/qemu/qemu_domain.c, qemuDomainDefAddDefaultDevices",
        hint="correct the model, or the machine type",
        libvirt="refused",
        check=_root,
    ),
    Rule(
        id="pci-board",
        says="the model of a PCI controller is one that the board can have",
        why="i440fx has no PCI Express, so no root ports and nothing that stands on one; pci-expander-bus is "
        "for i440fx alone.",
        source="libvirt 9.0.0, src/qemu/qemu_domain.c, qemuDomainControllerDefPostParse",
        hint="use pci-bridge on i440fx, pcie-root-port and pcie-to-pci-bridge on q35",
        libvirt="refused",
        check=_board,
    ),
    Rule(
        id="pci-root-address",
        says="a root bus has no address",
        why="It is the board itself, and stands on no other bus.",
        source="libvirt 9.0.0, src/conf/domain_validate.c, virDomainControllerDefValidate",
        hint="leave the address out",
        libvirt="refused",
        check=_root_address,
    ),
    Rule(
        id="pci-index",
        says="a root bus has index 0, and every other PCI controller an index from 1 to 255",
        why="The index is the number of the bus that the controller makes.",
        source="libvirt 9.0.0, src/qemu/qemu_validate.c, qemuValidateDomainDeviceDefControllerPCI; "
        "src/conf/domain_validate.c, virDomainControllerDefValidate",
        hint="give the controller a free index",
        libvirt="refused",
        check=_index,
    ),
    Rule(
        id="pci-index-order",
        says="a PCI controller stands on a bus of a lower number than its own",
        why="QEMU makes them in that order.",
        source="libvirt 9.0.0, src/qemu/qemu_domain_address.c, qemuDomainAssignPCIAddresses",
        hint="give the controller an index above the bus that it stands on",
        libvirt="refused",
        check=_order,
    ),
    Rule(
        id="pci-bridge",
        says="a pci-bridge on q35 has a bus of conventional PCI below it",
        why="libvirt would add a pcie-to-pci-bridge for it, and gives that an index above the bridge's own, "
        "which it then refuses.",
        source="libvirt 9.0.0, src/qemu/qemu_domain_address.c, qemuDomainAssignPCIAddresses",
        hint="put <controller type='pci' model='pcie-to-pci-bridge'/> before it; a device rarely needs both",
        libvirt="refused",
        check=_bridge,
    ),
    Rule(
        id="pci-chassis",
        says="every root port has a chassis of its own",
        why="libvirt does not compare them; QEMU does not start.",
        source="QEMU 7.2, hw/pci/pcie_port.c, pcie_chassis_add_slot",
        hint="leave chassis and port out: libvirt numbers them",
        about=("@chassis",),
        libvirt="not started",
        check=_chassis,
    ),
    Rule(
        id="pci-target",
        says="the options of a PCI controller are those of its model",
        why="Each is a property of one device of QEMU's.",
        source="libvirt 9.0.0, src/qemu/qemu_validate.c, qemuValidateDomainDeviceDefControllerPCI",
        hint="leave the option out",
        libvirt="refused",
        check=_target,
    ),
)
