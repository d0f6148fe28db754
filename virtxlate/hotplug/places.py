"""Which places of a domain are free for new devices: in the guest, and in its definition if that counts.

On pc that is a slot of pci.0 above Ganeti's reservations; on q35 a root port, or a slot of a conventional
bridge; on SCSI the lowest free target of a controller of the wanted model.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from virtxlate.domain import model as domain
from virtxlate.domain.live import read_number
from virtxlate.errors import PlacementError, UnsupportedError
from virtxlate.ganeti.q35 import DISK_PORTS, NIC_PORTS
from virtxlate.ganeti.words import PCI_BUS, PCI_SLOTS
from virtxlate.placement import Numbers
from virtxlate.tables.controller import ScsiController
from virtxlate.tables.hotplug import CONVENTIONAL_BRIDGES
from virtxlate.tables.q35 import FIRST_PORT_INDEX
from virtxlate.tables.qemu import BOARD_SLOTS, PCI_PORTS
from virtxlate.translate.buses import Buses
from virtxlate.translate.disk import target_name
from virtxlate.translate.occupancy import BusUse, occupancy
from virtxlate.translate.runtime import LiveView

_OFF = "off"
_FIRST_PORT = NIC_PORTS.start - FIRST_PORT_INDEX
"""What a root port's index is short of its slot, where Ganeti laid out the board."""


class Places:
    """The free places of one domain; what is taken stays taken."""

    def __init__(self, views: Sequence[LiveView], reservations: int, *, running: bool = True) -> None:
        self._views = views
        self._live = views[0].live
        self._reservations = reservations
        self._running = running
        self._is_q35 = Buses(self._live).is_q35
        self._uses = [occupancy(view.live) for view in views]
        self._slots: dict[int, Numbers] = {}
        self._targets: dict[int, Numbers] = {}
        self._new_controllers: dict[int, str] = {}
        disks = (each for view in views for each in view.live.devices if each.tag == "disk")
        self._names = {str(each.part("target").get("dev")) for each in disks}

    def target(self, prefix: str) -> str:
        """Give the target name after the last one of that prefix, so that libvirt's order is Ganeti's."""
        count = max(
            (index + 1 for name in self._names if (index := _index(prefix, name)) is not None), default=0
        )
        name = target_name(prefix, count)
        self._names.add(name)
        return name

    def pci(
        self, at: str, *, express: bool, reserved: bool = False, known: int | None = None
    ) -> domain.PciAddress:
        """Give a free place on PCI; ``reserved`` for what Ganeti leaves to QEMU, such as a controller.

        ``known`` is the slot on pc that Ganeti has it in; it is given where it is free.

        Raises PlacementError when there is none, UnsupportedError for a board that has no hot-plug.
        """
        if self._is_q35:
            return self._on_q35(at, express=express)
        if self._running and not self._views[0].domain.acpi:
            raise UnsupportedError(
                "a pc guest without <features><acpi/></features> has no PCI hot-plug: it can be had after a "
                "cold start with ACPI only",
                at=at,
            )
        return domain.PciAddress(slot=self._on_pc(at, reserved=reserved, known=known))

    def _on_pc(self, at: str, *, reserved: bool, known: int | None) -> int:
        slots = self._bus(0, PCI_BUS, first=0)
        free = slots.free()
        wanted = [slot for slot in free if reserved or slot >= self._reservations]
        if not wanted:
            left = f", and Ganeti reserves the free {', '.join(map(str, free))}" if free else ""
            raise PlacementError(
                f"no room on {PCI_BUS}: {_holders(slots.held, self._reservations)}{left}", bus=PCI_BUS, at=at
            )
        slot = known if known is not None and known in free else wanted[0]
        slots.claim(slot, at)
        return slot

    def _on_q35(self, at: str, *, express: bool) -> domain.PciAddress:
        buses = self._shared(is_scsi=False)
        if express:
            ports = [use for use in buses if use.model in PCI_PORTS and self._takes_hotplug(use.index)]
            own = NIC_PORTS if at.startswith("nics") else DISK_PORTS
            for use in sorted(ports, key=lambda port: (port.index + _FIRST_PORT not in own, port.index)):
                if (slots := self._bus(use.index, use.bus, first=0, last=0)).free():
                    return domain.PciAddress(bus=use.index, slot=slots.take(at))
            raise PlacementError(
                f"no free PCIe root port: the domain has {len(ports)}, all in use; add "
                "<controller type='pci' model='pcie-root-port'/> to its definition, and start it anew",
                bus="pcie-root-port",
                at=at,
            )
        for use in buses:
            if use.model in CONVENTIONAL_BRIDGES:
                slots = self._bus(use.index, use.bus, first=1)
                if slots.free():
                    return domain.PciAddress(bus=use.index, slot=slots.take(at))
        raise PlacementError(
            "a conventional PCI device needs a free slot on a pcie-to-pci-bridge, and there is none; add "
            "<controller type='pci' model='pcie-to-pci-bridge'/> to its definition and start it anew",
            bus="pcie-to-pci-bridge",
            at=at,
        )

    def _takes_hotplug(self, index: int) -> bool:
        controller = self._live.controllers_by_index().get(("pci", index))
        return controller is not None and controller.part("target").get("hotplug") != _OFF

    def _shared(self, *, is_scsi: bool) -> list[BusUse]:
        """Give the buses that every document has, by index."""
        others = [{use.index for use in uses if use.is_scsi == is_scsi} for uses in self._uses[1:]]
        return [
            use
            for use in self._uses[0]
            if use.is_scsi == is_scsi and all(use.index in known for known in others)
        ]

    def _bus(self, index: int, name: str, *, first: int, last: int = PCI_SLOTS - 1) -> Numbers:
        if index not in self._slots:
            used = dict.fromkeys(BOARD_SLOTS["pc"], "the board") if name == PCI_BUS else {}
            for view in self._views:
                used |= _owners(view, index)
            self._slots[index] = Numbers(name, first=first, last=last, used=used)
        return self._slots[index]

    def scsi(
        self, at: str, row: ScsiController, size: int, *, known: tuple[int, int] | None = None
    ) -> tuple[domain.DriveAddress, int | None]:
        """Give the lowest free target on a controller of this model, of ``size`` targets that Ganeti counts.

        ``known`` is where Ganeti has it: at which of these controllers, counted from 0, and its target
        there; that is given where it is free. The second value is the index of a controller that must be
        added first, else None.
        """
        there = [use.index for use in self._shared(is_scsi=True) if use.model == row.libvirt]
        if known is not None and known[0] < len(there):
            numbers = self._ids(there[known[0]], row, size)
            if known[1] in numbers.free():
                numbers.claim(known[1], at)
                return _drive(row, there[known[0]], known[1]), None
        for index in there:
            if (numbers := self._ids(index, row, size)).free():
                return _drive(row, index, numbers.take(at)), None
        for index in self._new_controllers:
            if self._new_controllers[index] == row.libvirt and (numbers := self._targets[index]).free():
                return _drive(row, index, numbers.take(at)), None
        index = self._next_controller()
        self._new_controllers[index] = row.libvirt
        return _drive(row, index, self._ids(index, row, size).take(at)), index

    def _next_controller(self) -> int:
        known = (key for view in self._views for key in view.live.controllers_by_index())
        numbers = [*(number for kind, number in known if kind == "scsi"), *self._new_controllers]
        return max(numbers, default=-1) + 1

    def _ids(self, index: int, row: ScsiController, size: int) -> Numbers:
        if index not in self._targets:
            used = {
                number: "a device"
                for uses in self._uses
                for use in uses
                if use.is_scsi and use.index == index
                for number in use.used
            }
            last = min(size - 1, row.max_scsi_id)
            self._targets[index] = Numbers(
                f"scsi controller {index}",
                first=0,
                last=last,
                used={number: owner for number, owner in used.items() if number <= last},
                skip=() if row.initiator_id is None else (row.initiator_id,),
            )
        return self._targets[index]


def _drive(row: ScsiController, controller: int, number: int) -> domain.DriveAddress:
    if row.scsi_id_in == "unit":
        return domain.DriveAddress(controller=controller, unit=number)
    return domain.DriveAddress(controller=controller, target=number)


def _index(prefix: str, name: str) -> int | None:
    """Give the place of a target name among those of its prefix: vda is 0, vdaa 26; None for another."""
    letters = name.removeprefix(prefix)
    if letters == name or not letters.isascii() or not letters.isalpha() or not letters.islower():
        return None
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("a") + 1
    return number - 1


def _owners(view: LiveView, bus: int) -> dict[int, str]:
    """Give who holds each slot of a PCI bus, by the numbers that can be read."""
    found: dict[int, str] = {}
    for path, address in view.live.addresses():
        try:
            place = [read_number(address.get(name)) for name in ("domain", "bus", "slot")]
        except ValueError:
            continue
        if address.get("type") == "pci" and place[:2] == [0, bus] and 0 <= place[2] < PCI_SLOTS:
            found.setdefault(place[2], path.removeprefix("/domain/devices/"))
    return found


def _holders(held: dict[int, str], first: int) -> str:
    named: Iterable[str] = (f"{slot:#x} {owner}" for slot, owner in held.items() if slot >= first)
    return f"slots from {first:#x} are held by {', '.join(named)}"
