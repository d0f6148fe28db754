"""PCI rules: a way to break each, and the same done right."""

from __future__ import annotations

from tests.rules.cases import Case

Q35 = "q35"


def at(slot: int, function: int = 0, bus: int = 0, *, domain: int = 0, more: str = "") -> str:
    return (
        f"<address type='pci' domain='0x{domain:04x}' bus='0x{bus:02x}' slot='0x{slot:02x}' "
        f"function='0x{function:x}' {more}/>"
    )


def rng(address: str = "") -> str:
    return f"<rng model='virtio'><backend model='random'>/dev/urandom</backend>{address}</rng>"


def bus(model: str, index: int, inside: str = "", address: str = "") -> str:
    return f"<controller type='pci' index='{index}' model='{model}'>{inside}{address}</controller>"


def on_q35(rule: str, broken: str, right: str) -> Case:
    return Case(rule, broken, right, machine=Q35, machine_right=Q35)


PCI_ROOT, PCIE_ROOT = bus("pci-root", 0), bus("pcie-root", 0)
PORT = bus("pcie-root-port", 1)
_DECIMAL = "<address type='pci' bus='0' slot='10'/>"
_PIIX3 = "<controller type='usb' index='0' model='piix3-uhci'>{}</controller>"
_EXPANDER = bus("pci-expander-bus", 1, "<target busNr='200'/>")
_PCIE_EXPANDER = bus("pcie-expander-bus", 1, "<target busNr='200'/>")
_UPSTREAM = bus("pcie-switch-upstream-port", 2, address=at(0, bus=1))

CASES: tuple[Case, ...] = (
    Case("pci-address-unique", rng(at(10)) + rng(_DECIMAL), rng(at(10)) + rng(_DECIMAL.replace("10", "11"))),
    Case("pci-domain", rng(at(10, domain=1)), rng(at(10))),
    Case("pci-slot", PCI_ROOT + bus("pci-bridge", 1) + rng(at(0, bus=1)), rng(at(31))),
    Case("pci-slot", rng(at(0, bus=1)), rng(at(3, bus=1))),
    on_q35("pci-slot", PCIE_ROOT + PORT + rng(at(1, bus=1)), PCIE_ROOT + PORT + rng(at(0, bus=1))),
    on_q35("pci-slot", rng(at(1, bus=1)), rng(at(0, bus=1))),
    on_q35(
        "pci-slot",
        PCIE_ROOT + PORT + bus("pcie-to-pci-bridge", 2) + rng(at(0, bus=2)),
        PCIE_ROOT + bus("dmi-to-pci-bridge", 1) + rng(at(0, bus=1)),
    ),
    on_q35(
        "pci-bus",
        PCIE_ROOT + PORT + _UPSTREAM + rng(at(0, bus=2)),
        PCIE_ROOT + PORT + _UPSTREAM + bus("pcie-switch-downstream-port", 3, address=at(0, bus=2)),
    ),
    on_q35("pci-bus", PCIE_ROOT + _PCIE_EXPANDER + rng(at(0, bus=1)), PCIE_ROOT + _PCIE_EXPANDER),
    on_q35(
        "pci-bus",
        PCIE_ROOT + PORT + bus("pcie-root-port", 2, address=at(0, bus=1)),
        PCIE_ROOT + PORT + bus("pcie-root-port", 2, address=at(5)),
    ),
    on_q35(
        "pci-bus",
        PCIE_ROOT + bus("pcie-to-pci-bridge", 1, address=at(5)),
        PCIE_ROOT + bus("pci-bridge", 1, address=at(5)),
    ),
    Case("pci-reserved", rng(at(1)), rng(at(1, 4))),
    Case("pci-reserved", rng(at(1, 1)), rng(at(1, 2)), libvirt="not started"),
    Case("pci-reserved", _PIIX3.format("") + rng(at(1, 2)), _PIIX3.format("") + rng(at(2))),
    Case("pci-reserved", rng(at(1, 3)), _PIIX3.format(at(1, 2))),
    on_q35("pci-reserved", rng(at(0x1F)), rng(at(0x1F, 1))),
    on_q35("pci-reserved", rng(at(0x1F, 2)), rng(at(0x1E))),
    on_q35("pci-reserved", rng(at(0x1F, 3)), rng(at(0x1F, 4))),
    Case(
        "pci-chipset",
        f"<controller type='ide' index='0'>{at(5)}</controller>",
        f"<controller type='ide' index='0'>{at(1, 1)}</controller>",
    ),
    Case("pci-chipset", _PIIX3.format(at(5)), _PIIX3.format(at(1, 2))),
    on_q35(
        "pci-chipset",
        f"<controller type='sata' index='0'>{at(5)}</controller>",
        f"<controller type='sata' index='0'>{at(0x1F, 2)}</controller>",
    ),
    Case(
        "pci-multifunction",
        rng(at(10, more="multifunction='off'")) + rng(at(10, 1)),
        rng(at(10)) + rng(at(10, 1)),
    ),
    Case("pci-function-zero", rng(at(10, 1)), rng(at(10)) + rng(at(10, 1))),
    Case("pci-root", PCIE_ROOT, PCI_ROOT),
    on_q35("pci-root", PCI_ROOT, PCIE_ROOT),
    Case("pci-board", PCI_ROOT + PORT, PCI_ROOT + _EXPANDER),
    Case("pci-board", PCI_ROOT + bus("dmi-to-pci-bridge", 1), PCI_ROOT + bus("pci-bridge", 1)),
    on_q35("pci-board", PCIE_ROOT + _EXPANDER, PCIE_ROOT + _PCIE_EXPANDER),
    Case("pci-root-address", bus("pci-root", 0, address=at(5)), PCI_ROOT),
    Case("pci-index", PCI_ROOT.replace("'0'", "'1'"), PCI_ROOT),
    Case("pci-index", bus("pci-bridge", 300), bus("pci-bridge", 1)),
    Case(
        "pci-index-order",
        PCI_ROOT + bus("pci-bridge", 1, address=at(3, bus=2)) + bus("pci-bridge", 2),
        PCI_ROOT + bus("pci-bridge", 1) + bus("pci-bridge", 2, address=at(3, bus=1)),
    ),
    on_q35(
        "pci-bridge",
        PCIE_ROOT + bus("pci-bridge", 1),
        PCIE_ROOT + PORT + bus("pcie-to-pci-bridge", 2) + bus("pci-bridge", 3),
    ),
    on_q35(
        "pci-chassis",
        PCIE_ROOT
        + bus("pcie-root-port", 1, "<target chassis='1' port='0x8'/>")
        + bus("pcie-root-port", 2, "<target chassis='1' port='0x9'/>"),
        PCIE_ROOT
        + bus("pcie-root-port", 1, "<target chassis='1' port='0x8'/>")
        + bus("pcie-root-port", 2, "<target chassis='2' port='0x8'/>"),
    ),
    Case(
        "pci-target",
        bus("pci-root", 0, "<target chassis='1'/>"),
        PCI_ROOT + bus("pci-bridge", 1, "<target chassisNr='3'/>"),
    ),
    Case(
        "pci-target",
        PCI_ROOT + bus("pci-bridge", 1, "<target hotplug='off'/>"),
        bus("pci-root", 0, "<target hotplug='off'/>"),
    ),
)
