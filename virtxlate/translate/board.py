"""Where hvinfo points on each board: slots of pci.0 on a pc, root ports on a q35."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from virtxlate.domain import model as domain
from virtxlate.errors import UnsupportedError
from virtxlate.ganeti.hvinfo import HvInfo
from virtxlate.ganeti.model import Instance
from virtxlate.ganeti.q35 import (
    DISK_PORTS,
    NIC_PORTS,
    Q35,
    ROOT_PORT_PREFIX,
    STATIC_FUNCTIONS,
    STATIC_SLOT,
    nic_index,
    port_number,
    port_of,
)
from virtxlate.ganeti.words import PCI_BUS, PCI_SLOTS
from virtxlate.placement import Numbers
from virtxlate.tables.q35 import FIRST_PORT_INDEX, FREE_SLOTS, Q35_SOUND_CARDS, VIDEO_SLOT


def is_q35(instance: Instance) -> bool:
    """Tell whether the instance's machine is a q35; Ganeti looks for the word, too."""
    return Q35 in instance.hvparams.machine_version


def pci_address(hvinfo: HvInfo) -> domain.PciAddress:
    """Give libvirt's address for a device on PCI."""
    port = port_of(hvinfo.bus)
    if port is None:
        return domain.PciAddress(slot=hvinfo.slot or 0)
    return domain.PciAddress(bus=port - NIC_PORTS.start + FIRST_PORT_INDEX, slot=hvinfo.slot or 0)


def acpi_index(hvinfo: HvInfo) -> int | None:
    """Give the number of a NIC behind a root port, by which the guest names it."""
    port = port_of(hvinfo.bus)
    return None if port is None or port not in NIC_PORTS else nic_index(port)


def pci_place(address: domain.PciAddress) -> dict[str, Any] | None:
    """Give bus and addr of hvinfo for libvirt's address, None where Ganeti has no such place."""
    if address.domain or address.function:
        return None
    if not address.bus:
        return {"bus": PCI_BUS, "addr": hex(address.slot)}
    port = address.bus - FIRST_PORT_INDEX + NIC_PORTS.start
    if port not in {*NIC_PORTS, *DISK_PORTS} or address.slot:
        return None
    return {"bus": f"{ROOT_PORT_PREFIX}{port}", "addr": hex(0)}


def check(instance: Instance) -> None:
    """Raise UnsupportedError for what Ganeti refuses on a q35."""
    if not is_q35(instance):
        return
    hvparams = instance.hvparams
    sound = next((word for word in hvparams.soundhw.split(",") if word and word not in Q35_SOUND_CARDS), "")
    for name, wrong in (
        ("disk_type", hvparams.disk_type == "ide"),
        ("cdrom_disk_type", hvparams.cdrom_disk_type == "paravirtual"),
        ("floppy_image_path", bool(hvparams.floppy_image_path)),
        ("soundhw", bool(sound)),
    ):
        if wrong:
            value = getattr(hvparams, name)
            raise UnsupportedError(f"{value!r}: Ganeti refuses it on a q35 machine", at=f"hvparams.{name}")


class Places:
    """Where devices go that Ganeti gives no address: on a pc the lowest free slot in command line order.

    On a q35 each has its function of one slot.
    """

    __slots__ = ("_functions", "_slots")

    def __init__(self, instance: Instance, used: Mapping[int, str]) -> None:
        self._functions: Mapping[str, domain.PciAddress] = {}
        free = range(_FIRST_FREE_SLOT, PCI_SLOTS)
        skip: tuple[int, ...] = ()
        if is_q35(instance):
            self._functions = _FUNCTIONS
            free = range(VIDEO_SLOT, FREE_SLOTS.stop)
            first = VIDEO_SLOT + 1 if instance.hvparams.vga == _NO_VIDEO else VIDEO_SLOT
            skip = tuple(range(first, FREE_SLOTS.start))
            used = {slot: owner for slot, owner in used.items() if slot in free and slot not in skip}
        self._slots = Numbers(PCI_BUS, first=free.start, last=free.stop - 1, used=used, skip=skip)

    def place(self, owner: str) -> domain.PciAddress:
        """Give the address for what ``owner`` asks for. Raises PlacementError where there is no room."""
        return self._functions.get(owner) or domain.PciAddress(slot=self._slots.take(owner))


_FIRST_FREE_SLOT = 2
"""Slot 0 is the host bridge, 1 the PIIX3 with IDE, USB and ACPI."""
_FUNCTIONS = {
    "hvparams.vga": domain.PciAddress(slot=VIDEO_SLOT),
    **{
        owner: domain.PciAddress(
            slot=STATIC_SLOT, function=function, multifunction=True if function == 0 else None
        )
        for owner, function in STATIC_FUNCTIONS.items()
    },
}


def root_ports() -> tuple[domain.Controller, ...]:
    """Give the root and all root ports of a q35: each has room for a device to be plugged."""
    ports = (
        domain.Controller(
            type="pci",
            index=number,
            model=_ROOT_PORT,
            address=domain.PciAddress(slot=slot),
            chassis=port_number(slot),
            port=port_number(slot),
        )
        for number, slot in enumerate((*NIC_PORTS, *DISK_PORTS), FIRST_PORT_INDEX)
    )
    return (domain.Controller(type="pci", index=0, model=_ROOT), *ports)


_NO_VIDEO = "none"
"""A vga for which QEMU leaves the slot of the video to whatever comes first."""
_ROOT, _ROOT_PORT = "pcie-root", "pcie-root-port"
