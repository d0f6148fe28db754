"""Where an instance's disks and NICs stand: known addresses are kept, the rest placed as Ganeti does.

Source: Ganeti 3.2 alpha (c35736d8a), lib/hypervisor/hv_kvm/__init__.py:1613-1630, 2159-2183, bus_manager.py.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from virtxlate.errors import GanetiDataError, UnsupportedError
from virtxlate.ganeti.hvinfo import HvInfo, kvm_id
from virtxlate.ganeti.model import Disk, Instance, Nic
from virtxlate.ganeti.q35 import DISK_PORTS, NIC_PORTS, ROOT_PORT_PREFIX, port_of
from virtxlate.ganeti.words import (
    DISK_DRIVERS,
    NIC_DRIVERS,
    PCI_BUS,
    PCI_SLOTS,
    SCSI_BUS,
    SCSI_DISK_TYPES,
    SCSI_TARGETS,
)
from virtxlate.placement import Controllers, Numbers
from virtxlate.tables.controller import ScsiController, by_ganeti
from virtxlate.tables.disk import DISK_TYPE_ALIASES
from virtxlate.translate.board import is_q35
from virtxlate.translate.extra import held_slots
from virtxlate.translate.terms import carry

_SCSI_BUS = re.compile(rf"{re.escape(SCSI_BUS)}|scsi([1-9]|1[0-5])\.0", re.ASCII)
_MOST_CONTROLLERS = 16
"""One a disk."""


def disk_type(instance: Instance) -> str:
    """Give the disk_type, in today's word."""
    word = instance.hvparams.disk_type
    return DISK_TYPE_ALIASES.get(word, word)


def scsi_controller(instance: Instance) -> ScsiController:
    """Give the row of the instance's SCSI controller. Raises UnsupportedError."""
    return carry(by_ganeti, instance.hvparams.scsi_controller_type, "hvparams.scsi_controller_type")


def scsi_bus(index: int) -> str:
    """Give the bus of a SCSI controller: Ganeti's word for the first, QEMU's for those that it has not."""
    return f"scsi{index}.0" if index else SCSI_BUS


def scsi_index(bus: str) -> int:
    """Give the index of the controller that a SCSI bus is of. Raises UnsupportedError."""
    match = _SCSI_BUS.fullmatch(bus)
    if match is None:
        raise UnsupportedError(f"expected a bus such as {SCSI_BUS!r}, found {bus!r}")
    return int(match[1] or 0)


def scsi_places(instance: Instance) -> Controllers:
    """Give the SCSI controllers of an instance, with the places that its disks have already.

    A disk with a place keeps it; whatever else stands on SCSI, such as a CD-ROM, takes the next free one, so
    that nothing meets a disk. Raises PlacementError, UnsupportedError.
    """
    places = _controllers(scsi_controller(instance))
    for index, disk in enumerate(instance.disks):
        hvinfo = disk.hvinfo
        if hvinfo is not None and hvinfo.scsi_id is not None:
            places.claim(scsi_index(hvinfo.bus), hvinfo.scsi_id, f"disks[{index}]")
    return places


def _controllers(row: ScsiController) -> Controllers:
    """Give the controllers of one model: as many disks on each as it has ids, but for its own id."""
    last = min(SCSI_TARGETS - 1, row.max_scsi_id)
    skip = () if row.initiator_id is None else (row.initiator_id,)
    return Controllers(
        lambda index: Numbers(scsi_bus(index), first=0, last=last, skip=skip), most=_MOST_CONTROLLERS
    )


class _Pools:
    """Ganeti's two pools of one instance, with what is in use already claimed."""

    __slots__ = ("disks", "nics", "q35", "scsi", "targets")

    def __init__(self, instance: Instance) -> None:
        self.scsi = disk_type(instance) in SCSI_DISK_TYPES
        self.q35 = is_q35(instance)
        self.disks = self.nics = self._slots(instance)
        if self.q35:
            self.disks = Numbers("rp", first=DISK_PORTS.start, last=DISK_PORTS.stop - 1)
            self.nics = Numbers("rp", first=NIC_PORTS.start, last=NIC_PORTS.stop - 1)
        self.targets = _controllers(scsi_controller(instance)) if self.scsi else None
        for index, disk in enumerate(instance.disks):
            self._claim(disk.hvinfo, f"disks[{index}]", scsi=self.scsi)
        for index, nic in enumerate(instance.nics):
            self._claim(nic.hvinfo, f"nics[{index}]", scsi=False)

    @staticmethod
    def _slots(instance: Instance) -> Numbers:
        first = instance.hvparams.kvm_pci_reservations
        slots = Numbers(PCI_BUS, first=first, last=PCI_SLOTS - 1)
        for slot, owner in held_slots(instance).items():
            slots.claim(slot, owner)
        return slots

    def _claim(self, hvinfo: HvInfo | None, at: str, *, scsi: bool) -> None:
        if hvinfo is None:
            return
        bus = SCSI_BUS if scsi else PCI_BUS
        if (hvinfo.scsi_id is not None) != scsi:
            raise GanetiDataError(
                f"expected an address on {bus}, found one on {hvinfo.bus!r}", at=f"{at}.hvinfo"
            )
        port = port_of(hvinfo.bus) if self.q35 and not scsi else None
        if hvinfo.bus != bus and port is None and not (scsi and _SCSI_BUS.fullmatch(hvinfo.bus)):
            raise UnsupportedError(f"expected bus {bus}, found {hvinfo.bus!r}", at=f"{at}.hvinfo.bus")
        if hvinfo.scsi_id is not None and self.targets is not None:
            self.targets.claim(scsi_index(hvinfo.bus), hvinfo.scsi_id, at)
        elif hvinfo.slot is not None:
            pool = self.disks if at.startswith("disks") else self.nics
            pool.claim(hvinfo.slot if port is None else port, at)
        else:
            raise GanetiDataError("expected either addr, or channel, scsi-id and lun", at=f"{at}.hvinfo")

    def _place(self, pool: Numbers, at: str) -> dict[str, Any]:
        number = pool.take(at)
        if self.q35:
            return {"bus": f"{ROOT_PORT_PREFIX}{number}", "addr": hex(0)}
        return {"bus": PCI_BUS, "addr": hex(number)}

    def place_disk(self, instance: Instance, disk: Disk, at: str) -> Disk:
        """Give the disk with hvinfo."""
        if disk.hvinfo is not None:
            return disk
        word = disk_type(instance)
        driver, device_id = DISK_DRIVERS[word], kvm_id("disk", disk.uuid)
        if self.targets is not None:
            index, target = self.targets.take(at)
            hvinfo = HvInfo(
                driver=driver, id=device_id, bus=scsi_bus(index), channel=0, scsi_id=target, lun=0
            )
        else:
            hvinfo = HvInfo(driver=driver, id=device_id, **self._place(self.disks, at))
        return msgspec.structs.replace(disk, hvinfo=hvinfo)

    def place_nic(self, instance: Instance, nic: Nic, at: str) -> Nic:
        """Give the NIC with hvinfo."""
        if nic.hvinfo is not None:
            return nic
        driver = NIC_DRIVERS[instance.hvparams.nic_type]
        hvinfo = HvInfo(driver=driver, id=kvm_id("nic", nic.uuid), **self._place(self.nics, at))
        return msgspec.structs.replace(nic, hvinfo=hvinfo)


def place(instance: Instance) -> Instance:
    """Give the instance with hvinfo on every disk and NIC: disks before NICs, lowest free place.

    The disk_type and nic_type must be known ones. Raises PlacementError when a bus is full or an address is
    held twice, GanetiDataError for an address that does not fit the disk_type, UnsupportedError for a bus
    that a pc machine does not have.
    """
    pools = _Pools(instance)
    disks = tuple(pools.place_disk(instance, disk, f"disks[{i}]") for i, disk in enumerate(instance.disks))
    nics = tuple(pools.place_nic(instance, nic, f"nics[{i}]") for i, nic in enumerate(instance.nics))
    return msgspec.structs.replace(instance, disks=disks, nics=nics)
