"""Which PCI slots and SCSI targets of a domain are in use, and which are free, for Ganeti too."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from lxml import etree

from virtxlate.domain.live import LiveDevice, LiveDomain, read_number
from virtxlate.ganeti.params import HvParams
from virtxlate.ganeti.words import PCI_BUS, PCI_SLOTS, SCSI_TARGETS
from virtxlate.tables.controller import SCSI_CONTROLLERS
from virtxlate.tables.qemu import BOARD_SLOTS, PCI_PORTS, SCSI_BY_MODEL
from virtxlate.translate.buses import Buses, NotPlacedError
from virtxlate.translate.dialect import ganeti_scsi_bus

_RESERVED = HvParams().kvm_pci_reservations
_BRIDGE_ITSELF = frozenset({0})
_OF_GANETI = frozenset(row.libvirt for row in SCSI_CONTROLLERS)


class BusUse(msgspec.Struct, frozen=True, kw_only=True):
    """Numbers on one bus: PCI slots, or SCSI ids as far as Ganeti counts."""

    bus: str
    """QEMU's name."""
    model: str
    """libvirt's word for what makes the bus: pci-root, virtio-scsi."""
    index: int = 0
    """Of the controller that makes it."""
    used: tuple[int, ...]
    free: tuple[int, ...]
    """Not the id of a SCSI controller itself, which QEMU would take: a guest does not look there."""
    ganeti: tuple[int, ...] = ()
    """The free ones that Ganeti would hand out, the next one first."""
    is_scsi: bool = False


def occupancy(live: LiveDomain) -> tuple[BusUse, ...]:
    """Give the PCI buses, then the SCSI controllers, each by number; what no table knows is left out.

    Addresses that are no numbers are passed over.
    """
    buses, controllers = Buses(live), live.controllers_by_index()
    pci = {index: each for (kind, index), each in sorted(controllers.items(), key=_order) if kind == "pci"}
    scsi = {index: each for (kind, index), each in sorted(controllers.items(), key=_order) if kind == "scsi"}
    return (*_pci(live, buses, pci), *_scsi(live, buses, scsi))


def _order(item: tuple[tuple[str | None, int], LiveDevice]) -> int:
    return item[0][1]


def _pci(live: LiveDomain, buses: Buses, controllers: dict[int, LiveDevice]) -> Iterator[BusUse]:
    used = _slots(live)
    for index, controller in controllers.items():
        model = controller.get("model") or ""
        is_port = model in PCI_PORTS
        try:
            name = buses.pci(index)
        except NotPlacedError:
            continue
        own = frozenset() if is_port else _BRIDGE_ITSELF if index else BOARD_SLOTS.get(_board(buses), {0})
        held = used.get(index, set()) | own
        free = tuple(slot for slot in range(1 if is_port else PCI_SLOTS) if slot not in held)
        ganeti = tuple(slot for slot in free if slot >= _RESERVED) if name == PCI_BUS else ()
        yield BusUse(bus=name, model=model, index=index, used=tuple(sorted(held)), free=free, ganeti=ganeti)


def _board(buses: Buses) -> str:
    if buses.is_q35:
        return "q35"
    return "pc" if buses.machine == "pc" or buses.machine.startswith("pc-i440fx-") else ""


def _slots(live: LiveDomain) -> dict[int, set[int]]:
    """Give the slots in use by bus, of devices of every kind."""
    used: dict[int, set[int]] = {}
    for _path, address in live.addresses():
        place = _numbers(address, "bus", "slot") if address.get("type") == "pci" else None
        if place is not None:
            used.setdefault(place[0], set()).add(place[1])
    return used


def _scsi(live: LiveDomain, buses: Buses, controllers: dict[int, LiveDevice]) -> Iterator[BusUse]:
    used = _targets(live, controllers)
    first = ganeti_scsi_bus(live)
    for index, controller in controllers.items():
        try:
            name = f"{buses.scsi(index)[0]}.0"
        except NotPlacedError:
            continue
        model, held = controller.get("model") or "", used.get(index, set())
        row = SCSI_BY_MODEL[model]
        size = SCSI_TARGETS if row.max_scsi_id is None else min(SCSI_TARGETS, row.max_scsi_id + 1)
        free = tuple(each for each in range(size) if each not in held and each != row.initiator_id)
        ganeti = free if name == first and model in _OF_GANETI else ()
        yield BusUse(
            bus=name,
            model=model,
            index=index,
            used=tuple(sorted(held)),
            free=free,
            ganeti=ganeti,
            is_scsi=True,
        )


def _targets(live: LiveDomain, controllers: dict[int, LiveDevice]) -> dict[int, set[int]]:
    """Give the SCSI ids in use by controller."""
    used: dict[int, set[int]] = {}
    for device in live.devices:
        address = device.part("address")
        if address.get("type") != "drive" or not (
            device.part("target").get("bus") == "scsi" or device.tag == "hostdev"
        ):
            continue
        place = _numbers(address, "controller", "unit", "target")
        controller = controllers.get(place[0]) if place is not None else None
        row = SCSI_BY_MODEL.get(controller.get("model") or "") if controller is not None else None
        if place is not None and row is not None:
            used.setdefault(place[0], set()).add(place[1 if row.scsi_id_in == "unit" else 2])
    return used


def _numbers(address: etree._Element, *names: str) -> list[int] | None:
    try:
        return [read_number(address.get(name)) for name in names]
    except ValueError:
        return None
