"""What is known of one running instance: what its QEMU says, and what Ganeti's files and the host add."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import msgspec

from virtxlate.domain.model import PciAddress
from virtxlate.errors import UnsupportedError
from virtxlate.ganeti.model import Instance
from virtxlate.hardware.facts import Facts, Tap
from virtxlate.hardware.model import Device
from virtxlate.tables.running import BY_DRIVER, RunningDevice

_ON_ROOT = re.compile(r"PCI ([0-9a-f]{2})\.([0-7])", re.ASCII)
_PC = re.compile(r"pc-(?:[0-9]|i440fx-[0-9a-z]).*", re.ASCII)
"""Distributions name theirs by release: ``pc-i440fx-jammy``, ``pc-i440fx-rhel7.6.0``."""
_MACHINE = "-machine"


class Running(msgspec.Struct, frozen=True, kw_only=True):
    """One running instance; what nobody told is empty."""

    facts: Facts
    instance: Instance | None = None
    """Of the runtime file, or of the cluster's data with what the runtime file knows better."""
    taps: Mapping[str, Tap] = {}
    """By the word that a NIC has as its ``netdev``."""
    command: tuple[str, ...] = ()
    """QEMU's words, or the part of them that Ganeti keeps; () where nobody told them."""


def machine_word(facts: Facts) -> str:
    """Give the machine type. Raises UnsupportedError for one whose places are not read back yet."""
    word = facts.machine.type.removesuffix(_MACHINE)
    if not _PC.fullmatch(word):
        reason = f"expected a machine such as 'pc-i440fx-7.2', found {word!r}: its places are not read back"
        raise UnsupportedError(reason, at="machine.type")
    return word


def of_kind(facts: Facts, *kinds: str) -> Iterator[tuple[Device, RunningDevice]]:
    """Give the devices of some kinds, each with the row of its driver, by place."""
    for each in facts.machine.devices:
        row = BY_DRIVER.get(each.driver)
        if row is not None and row.kind in kinds:
            yield each, row


def part(facts: Facts, device: Device, driver: str) -> Device:
    """Give the part of a device that has the properties: a virtio device is in two parts."""
    below = f"{device.path}/"
    return next(
        (each for each in facts.machine.devices if each.path.startswith(below) and each.driver == driver),
        device,
    )


def owner(facts: Facts, device: Device) -> Device | None:
    """Give the device that another one is plugged into; None for one on the root."""
    path = device.path.rpartition("/")[0]
    return next((each for each in facts.machine.devices if each.path == path), None)


def pci_address(device: Device) -> PciAddress | None:
    """Give libvirt's address of a device on the root bus, None off PCI."""
    found = _ON_ROOT.fullmatch(device.path)
    if found is None:
        return None
    multifunction = True if device.properties.get("multifunction") == "true" else None
    return PciAddress(slot=int(found[1], 16), function=int(found[2]), multifunction=multifunction)
