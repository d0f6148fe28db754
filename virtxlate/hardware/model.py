"""A machine as QEMU describes it, as frozen records."""

from __future__ import annotations

import msgspec


class Device(msgspec.Struct, frozen=True, kw_only=True):
    """One device; ``path`` is its place, so that two machines agree on it whatever their ids are.

    Shape of ``path``: ``PCI 01.1/IDE 0/unit 0``, ``PCI 03.0/SCSI 0:1:0``, ``ISA isa-fdc@0x3f0``.
    """

    path: str
    bus: str
    """Type of the bus it is on, QEMU's word: PCI, ISA, IDE, SCSI, usb-bus, virtio-pci-bus."""
    driver: str
    id: str = ""
    pci: str = ""
    """``1af4:1001 1af4:0002``: vendor and device, then those of the subsystem; empty off PCI."""
    bars: dict[str, str] = {}
    """``{"bar 0": "i/o 64"}``: kind, and size in bytes; where the guest's firmware put it is not kept."""
    properties: dict[str, str] = {}


class Cpu(msgspec.Struct, frozen=True, kw_only=True):
    """The first CPU; all others of a PC are equal."""

    type: str
    """``qemu64-x86_64-cpu``."""
    properties: dict[str, str] = {}
    """Family, model, stepping, levels and vendor."""
    words: dict[str, int] = {}
    """CPUID: ``{"1/EDX": 126614525, "7.0/EBX": 0}``, leaf, subleaf and register to what the guest reads."""


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """All that a guest sees of one QEMU, which may be paused or running."""

    type: str
    """``pc-i440fx-7.2-machine``: aliases such as ``pc`` are resolved."""
    uuid: str
    memory: int
    """Bytes at the start, without what was plugged in later."""
    topology: dict[str, int]
    """``{"cpus": 2, "sockets": 1, "cores": 2, "threads": 1}``."""
    boot: dict[str, str]
    """``{"order": "cad", "strict": "True"}``, as the firmware is told."""
    properties: dict[str, str]
    """Of the machine itself: acpi, hpet, usb, ..."""
    cpu: Cpu
    cpus: tuple[str, ...]
    """Sockets, dies, cores and threads of the CPUs that are there: ``("socket-id=0 core-id=0 ...",)``."""
    devices: tuple[Device, ...]
    """Sorted by path."""
    isa_order: tuple[str, ...]
    """Paths of the devices on ISA, the newest first: the order in which ACPI's DSDT has them."""
    memories: dict[str, int]
    """RAM blocks and ROMs by QEMU's name, in bytes: ``{"0000:00:02.0/vga.vram": 16777216}``."""
