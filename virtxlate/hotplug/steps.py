"""What a plan is made of: each step is one call to libvirt, with what must be true after it."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from virtxlate.domain import model as domain
from virtxlate.translate.device_info import DeviceInfo

Kind = Literal["disk", "nic", "hostdev"]
Device = domain.Disk | domain.Interface | domain.Hostdev


class _Step(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="action"):
    """Base of all; ``at`` is Ganeti's path of the device: disks[1]."""

    at: str
    xml: str
    """For the running guest, or for the definition where nothing runs."""


class AddController(_Step, frozen=True, kw_only=True, tag="add-controller"):
    """Add a SCSI controller that a disk needs."""

    controller: domain.Controller


class Attach(_Step, frozen=True, kw_only=True, tag="attach"):
    """Attach a device at a place that is free."""

    kind: Kind
    device: Device
    alias: str
    place: str


class Detach(_Step, frozen=True, kw_only=True, tag="detach"):
    """Ask the guest to release a device, and wait until it has."""

    kind: Kind
    info: DeviceInfo
    is_boot: bool = False
    config_xml: str | None = None
    """The same device in the definition; None where that does not have it."""
    frees: tuple[str, ...] = ()
    """What nobody uses any more afterwards: storage, tap."""


class Update(_Step, frozen=True, kw_only=True, tag="update"):
    """Change a device in place."""

    kind: Kind
    info: DeviceInfo
    changes: tuple[str, ...]
    config_xml: str | None = None
    expect: dict[str, str | None]
    """Path below the device's element to the text that it must have then; None: it must not be there."""


class Resize(_Step, frozen=True, kw_only=True, tag="resize"):
    """Tell the guest the new size of a disk, in bytes."""

    info: DeviceInfo
    target: str
    size: int


Step = AddController | Attach | Detach | Update | Resize


def name_of(info: DeviceInfo) -> str:
    """Give what a person knows a device by: alias, else MAC or target."""
    return info.alias or info.mac or info.target or info.path


def line(step: Step) -> str:
    """Give a step as one line for people: ``attach disk ua-disk-9e7c85f6-b6e5-4243 (vdb) at pci.0 0xd``."""
    match step:
        case AddController():
            made = step.controller
            return f"add {made.type} controller {made.index} ({made.model}) at {place_text(made.address)}"
        case Attach():
            return f"attach {step.kind} {step.alias} ({_label(step.device)}) at {step.place}"
        case Detach():
            return f"detach {step.info.kind} {name_of(step.info)}"
        case Update():
            return f"update {step.info.kind} {name_of(step.info)}: {', '.join(step.changes)}"
        case Resize():
            return f"resize disk {name_of(step.info)} to {step.size} bytes"


def _label(device: Device) -> str:
    if isinstance(device, domain.Hostdev):
        source = device.source or domain.HostdevSource()
        return source.name or f"{source.adapter} {source.bus}:{source.target}:{source.unit}"
    return device.target if isinstance(device, domain.Disk) else device.mac or device.type


def place_text(address: domain.Address | None) -> str:
    """Give an address for people: ``pci.0 0xc``, ``scsi 0:0:3:0``."""
    if isinstance(address, domain.PciAddress):
        part = f".{address.function}" if address.function else ""
        return f"PCI bus {address.bus} slot {address.slot:#x}{part}"
    if isinstance(address, domain.DriveAddress):
        return (
            f"controller {address.controller} bus {address.bus} target {address.target} unit {address.unit}"
        )
    return "a place of libvirt's choice"


def to_dict(step: Step) -> dict[str, Any]:
    """Give the JSON object of a step: ``{"action": "attach", "at": "disks[1]", "kind": "disk", ...}``."""
    return {**msgspec.to_builtins(step), "line": line(step)}
