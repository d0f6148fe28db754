"""Whether a document has a device, and whether it has it as it should: pure looking."""

from __future__ import annotations

from typing import Any

from lxml import etree

from virtxlate.domain import model as domain
from virtxlate.domain.elements import CONTROLLER, DISK, HOSTDEV, INTERFACE
from virtxlate.domain.live import LiveDevice, LiveDomain, read_number
from virtxlate.translate.disk import ganeti_id
from virtxlate.translate.hvinfo import DeviceInfo
from virtxlate.xmlmap import Element

Device = domain.Disk | domain.Interface | domain.Hostdev | domain.Controller


def is_there(live: LiveDomain, info: DeviceInfo) -> bool:
    """Tell whether the running guest still has the very device: its alias is its name for life."""
    if info.alias is not None:
        return any(device.part("alias").get("name") == info.alias for device in live.devices)
    return twin(live, info) is not None


def twin(live: LiveDomain, info: DeviceInfo) -> LiveDevice | None:
    """Give the same device in another document of the domain: by user alias, else by MAC or target.

    An alias that libvirt made is not the same in two documents. None where there is none, or more than one.
    """
    if ganeti_id(info.alias) is not None:
        for device in live.devices:
            if device.part("alias").get("name") == info.alias:
                return device
    if info.mac is not None:
        found = [each for each in live.devices if _mac(each) == info.mac.lower()]
    elif info.target is not None:
        found = [each for each in live.devices if each.tag == "disk" and _target(each) == info.target]
    else:
        found = []
    return found[0] if len(found) == 1 and not _is_another(found[0], info) else None


def _is_another(device: LiveDevice, info: DeviceInfo) -> bool:
    """Tell whether both have user aliases, and not the same: two documents may disagree on who is vdb."""
    return None not in {ganeti_id(device.part("alias").get("name")), ganeti_id(info.alias)}


def same(live: LiveDomain, device: Device) -> Device | None:
    """Give what became of a device that was asked for; None: nothing.

    A user alias is kept as it was asked; a device without one is found by index, MAC or target.
    """
    return read_device(found) if (found := _find(live, device)) is not None else None


def _find(live: LiveDomain, device: Device) -> LiveDevice | None:
    if isinstance(device, domain.Controller):
        return live.controllers_by_index().get((device.type, device.index or 0))
    if ganeti_id(device.alias) is not None:
        aliases = ((each.part("alias").get("name"), each) for each in live.devices)
        return next((each for alias, each in aliases if alias == device.alias), None)
    if isinstance(device, domain.Disk):
        return next((d for d in live.devices if d.tag == "disk" and _target(d) == device.target), None)
    if isinstance(device, domain.Hostdev):
        return None
    wanted = (device.mac or "").lower()
    return next((d for d in live.devices if d.tag == "interface" and _mac(d) == wanted), None)


def read_device(device: LiveDevice) -> Device:
    """Give a device of a document as a record. Raises DomainXmlError."""
    elements: dict[str, Element[Any]] = {each.tag: each for each in (DISK, INTERFACE, HOSTDEV, CONTROLLER)}
    found: Device = elements[device.tag].parse(device.element, [])
    return found


def _target(device: LiveDevice) -> str | None:
    return device.part("target").get("dev")


def _mac(device: LiveDevice) -> str:
    return (device.part("mac").get("address") or "").lower()


def is_taken(live: LiveDomain, device: Device) -> bool:
    """Tell whether somebody else has the address, target or index that ``device`` was to have."""
    if isinstance(device, domain.Controller):
        known = live.controllers_by_index()
        return (device.type, device.index) in known or _is_slot_taken(live, device.address)
    if isinstance(device, domain.Disk | domain.Hostdev):
        others = [
            each
            for each in live.devices
            if device.alias is None or each.part("alias").get("name") != device.alias
        ]
        if isinstance(device, domain.Disk) and any(
            each.tag == "disk" and _target(each) == device.target for each in others
        ):
            return True
        if isinstance(device.address, domain.DriveAddress):
            bus = device.bus if isinstance(device, domain.Disk) else device.type
            same_bus = [each for each in others if _bus(each) == bus]
            return any(_drive(each.part("address")) == device.address for each in same_bus)
    return _is_slot_taken(live, device.address)


def _bus(device: LiveDevice) -> str | None:
    """Give the kind of bus that a disk, or a host device, with a drive address is on."""
    if device.tag == "hostdev":
        return device.get("type")
    return device.part("target").get("bus") if device.tag == "disk" else None


def _drive(address: etree._Element) -> domain.DriveAddress | None:
    try:
        controller, bus, target, unit = (
            read_number(address.get(name)) for name in ("controller", "bus", "target", "unit")
        )
    except ValueError:
        return None
    return domain.DriveAddress(controller=controller, bus=bus, target=target, unit=unit)


def _is_slot_taken(live: LiveDomain, address: domain.Address | None) -> bool:
    if not isinstance(address, domain.PciAddress):
        return False
    wanted = (address.domain, address.bus, address.slot)
    return any(_slot(each) == wanted for _path, each in live.addresses())


def _slot(address: etree._Element) -> tuple[int, int, int] | None:
    if address.get("type") != "pci":
        return None
    try:
        domain_number, bus, slot = (read_number(address.get(name)) for name in ("domain", "bus", "slot"))
    except ValueError:
        return None
    return domain_number, bus, slot


def value_at(device: LiveDevice, path: str) -> str | None:
    """Give the attribute at a path such as ``source/@bridge``; None where there is none."""
    parent, _, name = path.rpartition("/@")
    element = device.element.find(parent)
    return None if element is None else element.get(name)
