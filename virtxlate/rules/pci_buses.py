"""The buses of a PC: what each model takes, and what the chipset has already taken."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from lxml import etree

from virtxlate.rules.rule import Document, child, listed, number, once

ENDPOINT = "devices"
"""Everything that is no PCI controller."""
_LAST = 31


class Bus(NamedTuple):
    """A model of PCI controller, seen from below."""

    model: str
    first: int
    last: int
    takes: tuple[str, ...]
    """What an address may put there."""
    adds: tuple[str, ...] = ()
    """Of that, the bridges that libvirt puts there by itself."""


_CONVENTIONAL = (ENDPOINT, "pci-bridge")
_PORT = (ENDPOINT, "pci-bridge", "pcie-switch-upstream-port", "pcie-to-pci-bridge")
_ON_ROOT = ("pcie-root-port", "dmi-to-pci-bridge")
BUSES = {
    bus.model: bus
    for bus in (
        Bus("pci-root", 1, _LAST, (*_CONVENTIONAL, "pci-expander-bus"), ("pci-bridge",)),
        Bus("pci-bridge", 1, _LAST, _CONVENTIONAL, ("pci-bridge",)),
        Bus("pci-expander-bus", 0, _LAST, _CONVENTIONAL, ("pci-bridge",)),
        Bus("dmi-to-pci-bridge", 0, _LAST, _CONVENTIONAL, ("pci-bridge",)),
        Bus("pcie-to-pci-bridge", 1, _LAST, _CONVENTIONAL, ("pci-bridge",)),
        Bus("pcie-root", 1, _LAST, (*_CONVENTIONAL, *_ON_ROOT, "pcie-expander-bus")),
        Bus("pcie-root-port", 0, 0, _PORT),
        Bus("pcie-switch-downstream-port", 0, 0, _PORT),
        Bus("pcie-switch-upstream-port", 0, _LAST, ("pcie-switch-downstream-port",)),
        Bus("pcie-expander-bus", 0, _LAST, _ON_ROOT),
    )
}
"""By model. An address that a person wrote may put a conventional device on a PCI Express bus."""
_ADDED = {"pci-root": "pci-bridge", "pcie-root": "pcie-root-port"}
"""What libvirt makes of a bus that an address names and no controller has, by the root."""
_ROOTS = {"i440fx": "pci-root", "q35": "pcie-root"}


class PciPlace(NamedTuple):
    """A PCI address."""

    domain: int
    bus: int
    slot: int
    function: int

    def __str__(self) -> str:
        """Give it as lspci does."""
        return f"{self.domain:04x}:{self.bus:02x}:{self.slot:02x}.{self.function:x}"


def pci_place(device: etree._Element) -> PciPlace | None:
    """Give the PCI address of a device; None where libvirt chooses it, as it does for slot 0 of bus 0."""
    address = child(device, "address")
    return None if address is None else _pci_place(address)


def _pci_place(address: etree._Element) -> PciPlace | None:
    if address.get("type") != "pci":
        return None
    domain, bus, slot, function = (number(address.get(name, "0")) for name in PciPlace._fields)
    if domain is None or bus is None or slot is None or function is None or not (domain or bus or slot):
        return None
    return PciPlace(domain, bus, slot, function)


@listed
def places(document: Document) -> Iterator[tuple[etree._Element, PciPlace]]:
    """Give every device that says where on PCI it stands; a console is a serial port told again."""
    for device, address in document.addresses:
        place = _pci_place(address) if device.tag != "console" else None
        if place is not None:
            yield device, place


def kind_of(device: etree._Element) -> str:
    """Give the model of a PCI controller, ENDPOINT for anything else."""
    is_bus = device.tag == "controller" and device.get("type") == "pci"
    return device.get("model", ENDPOINT) if is_bus else ENDPOINT


def root_of_board(document: Document) -> str:
    """Give the model of the root bus, "" where the board is not known."""
    return _ROOTS.get(document.board, "")


@once
def buses(document: Document) -> dict[int, Bus]:
    """Give the bus behind each number that an address names, where that can be known."""
    models: dict[int, str] = {}
    free = 0
    for each in document.controllers("pci"):
        index = number(each.get("index"))
        if index is None:
            while free in models:  # as libvirt counts
                free += 1
            index = free
        models[index] = each.get("model", "")
    root = models.get(0) or root_of_board(document)
    models.setdefault(0, root)
    added = _ADDED.get(root, "") if document.board else ""
    named = {place.bus for _device, place in places(document)}
    return {each: BUSES[model] for each in named if (model := models.get(each, added)) in BUSES}


_IDE, _PIIX3_USB = PciPlace(0, 0, 1, 1), PciPlace(0, 0, 1, 2)
_SATA = PciPlace(0, 0, 0x1F, 2)
_CHIPSET = {
    "i440fx": {
        PciPlace(0, 0, 1, 0): "the ISA bridge",
        _IDE: "the IDE controller of the board",
        PciPlace(0, 0, 1, 3): "power management",
    },
    "q35": {
        PciPlace(0, 0, 0x1F, 0): "the LPC bridge",
        _SATA: "the SATA controller of the board",
        PciPlace(0, 0, 0x1F, 3): "the SMBus",
    },
}
_PIIX3 = ("piix3-uhci", "")


def _first(controller: etree._Element) -> bool:
    return number(controller.get("index", "0")) == 0


@once
def reserved(document: Document) -> dict[PciPlace, str]:
    """Give the places of the chipset, and who stands there."""
    taken = dict(_CHIPSET.get(document.board, {}))
    usb = document.controllers("usb")
    if document.board == "i440fx" and (not usb or any(_is_piix3(each) for each in usb)):
        taken[_PIIX3_USB] = "the USB controller of the board"
    return taken


def _is_piix3(controller: etree._Element) -> bool:
    return _first(controller) and controller.get("model", "") in _PIIX3


def built_in(document: Document, device: etree._Element) -> PciPlace | None:
    """Give the place of a controller that the chipset has, None for any other device."""
    if device.tag != "controller" or not _first(device):
        return None
    kind = device.get("type")
    if document.board == "q35":
        return _SATA if kind == "sata" else None
    if document.board == "i440fx":
        if kind == "ide":
            return _IDE
        return _PIIX3_USB if kind == "usb" and _is_piix3(device) else None
    return None
