"""Which PCI slots and SCSI targets of a domain are in use, and which are free for Ganeti."""

from __future__ import annotations

import msgspec

from virtxlate.domain.live import LiveDomain
from virtxlate.ganeti.params import HvParams
from virtxlate.ganeti.words import PCI_SLOTS, SCSI_TARGETS
from virtxlate.tables.controller import SCSI_CONTROLLERS
from virtxlate.tables.qemu import PCI_PORTS, SCSI_BY_MODEL

_RESERVED = HvParams().kvm_pci_reservations


class Occupancy(msgspec.Struct, frozen=True, kw_only=True):
    """Numbers in use by bus. Slot 0 of a bus that is no port is never free: it is a bridge's own."""

    pci: dict[int, frozenset[int]]
    sizes: dict[int, int]
    """Number of slots by bus, where it is not 32: a root port has one."""
    scsi: dict[int, frozenset[int]]
    limits: dict[int, int]
    """Number of SCSI ids by controller."""
    is_pcie: bool
    """Whether bus 0 is a PCIe root, which takes no hot-plugged device itself."""

    def free_slots(self, bus: int) -> tuple[int, ...]:
        """Give the free slots of a PCI bus."""
        return tuple(slot for slot in range(self.sizes.get(bus, PCI_SLOTS)) if slot not in self.pci[bus])

    def free_targets(self, index: int) -> tuple[int, ...]:
        """Give the free SCSI ids of a controller, as far as Ganeti counts."""
        return tuple(n for n in range(self.limits[index]) if n not in self.scsi[index])

    @property
    def ganeti_slots(self) -> tuple[int, ...]:
        """The slots that Ganeti would hand out: free ones from its reservations on."""
        if 0 not in self.pci or self.is_pcie:
            return ()
        return tuple(slot for slot in self.free_slots(0) if slot >= _RESERVED)


def occupancy(live: LiveDomain) -> Occupancy:
    """Give what is in use. Addresses that are no numbers are passed over."""
    roots = {
        _number(each.get("index")): each.get("model")
        for each in live.controllers
        if each.get("type") == "pci"
    }
    sizes = {index: 1 for index, model in roots.items() if model in PCI_PORTS}
    pci: dict[int, set[int]] = {index: set() for index in sizes}
    for _path, address in live.addresses():
        if address("type") == "pci":
            bus, slot = _number(address("bus")), _number(address("slot"))
            pci.setdefault(bus, set() if bus in sizes else {0}).add(slot)
    models = {
        _number(each.get("index")): each.get("model")
        for each in live.controllers
        if each.get("type") == "scsi"
    }
    scsi: dict[int, set[int]] = {index: set() for index in models}
    for device in live.devices:
        address = device.part("address")
        if address("type") == "drive" and (device.part("target")("bus") == "scsi" or device.tag == "hostdev"):
            index = _number(address("controller"))
            row = SCSI_BY_MODEL.get(models.get(index) or "")
            if row is not None:
                scsi[index].add(_number(address(row.scsi_id_in)))
    return Occupancy(
        pci={bus: frozenset(slots) for bus, slots in sorted(pci.items())},
        sizes=sizes,
        is_pcie=roots.get(0) == "pcie-root",
        scsi={index: frozenset(targets) for index, targets in sorted(scsi.items())},
        limits={index: _limit(model) for index, model in models.items()},
    )


def _limit(model: str | None) -> int:
    """Give how many ids Ganeti could use on a controller of that model."""
    known = [row.max_scsi_id for row in SCSI_CONTROLLERS if row.libvirt == model]
    return min(SCSI_TARGETS, known[0] + 1) if known else SCSI_TARGETS


def _number(text: str | None) -> int:
    """Give the number in an address, 0 where there is none; a number that is not one counts as 0 too."""
    try:
        return int(text or "0", 0)
    except ValueError:
        return 0
