"""The q35 machine as Ganeti newer than 3.2 alpha lays it out: root ports, and one slot for the rest.

A disk or NIC is behind a root port, which is there whether anything is behind it or not; what is never
plugged is a function of one slot.
Source: Ganeti (f4cb0f63f, May 2026), lib/hypervisor/hv_kvm/bus_manager.py, __init__.py;
doc/design-q35.rst.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

Q35 = "q35"
"""A machine_version with this word in it is one."""

NIC_PORTS = range(0x03, 0x0B)
"""Slots of pcie.0 that hold the root ports of NICs; the first one's NIC has ACPI index 1."""

DISK_PORTS = range(0x0B, 0x1B)
"""Slots of pcie.0 that hold the root ports of disks."""

ROOT_PORT_PREFIX = "rp"
"""Before the slot in Ganeti's name of a root port, which is the bus in hvinfo."""

STATIC_SLOT = 0x02
STATIC_FUNCTIONS = {
    "memory balloon": 0,
    "hvparams.scsi_controller_type": 1,
    "hvparams.usb_devices": 2,
    "hvparams.spice_use_vdagent": 3,
    "hvparams.use_guest_agent": 4,
    "hvparams.soundhw": 5,
}
"""Functions of the one slot that holds what is never plugged, by what asks for the device."""

_ROOT_BUS = "pcie.0"
_PORT = re.compile(rf"{ROOT_PORT_PREFIX}([0-9]{{1,2}})", re.ASCII)


def port_of(bus: str) -> int | None:
    """Give the slot of the root port that a bus in hvinfo is, None for another bus."""
    found = _PORT.fullmatch(bus)
    return int(found[1]) if found else None


def port_number(slot: int) -> int:
    """Give the number of the root port in a slot of pcie.0, as chassis and as port: the guest reads both."""
    return slot


def nic_index(slot: int) -> int:
    """Give the ACPI index of the NIC behind the root port in a slot: systemd calls it eno1, eno2 ..."""
    return slot - NIC_PORTS.start + 1


def root_port_words() -> Iterator[str]:
    """Give Ganeti's words for QEMU that make the root ports."""
    for slot in (*NIC_PORTS, *DISK_PORTS):
        number = port_number(slot)
        place = f"bus={_ROOT_BUS},addr={slot:#x},chassis={number},port={number}"
        yield from ("-device", f"pcie-root-port,id={ROOT_PORT_PREFIX}{slot},{place}")


def static_place(owner: str) -> str:
    """Give the end of a -device that stands in the one slot, by what asks for it."""
    function = STATIC_FUNCTIONS[owner]
    more = "" if function else ",multifunction=on"
    return f",bus={_ROOT_BUS},addr={STATIC_SLOT:#x}.{function}{more}"
