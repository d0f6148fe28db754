"""Whether a document has a device, and whether it has it as it should: pure looking."""

from __future__ import annotations

from collections.abc import Callable

from virtxlate.domain import model as domain
from virtxlate.domain.live import LiveDevice, LiveDomain
from virtxlate.translate.disk import ganeti_id
from virtxlate.translate.hvinfo import DeviceInfo
from virtxlate.translate.runtime import LiveView

Device = domain.Disk | domain.Interface | domain.Controller


def is_there(live: LiveDomain, info: DeviceInfo) -> bool:
    """Tell whether the running guest still has the very device: its alias is its name for life."""
    if info.alias is not None:
        return any(device.part("alias")("name") == info.alias for device in live.devices)
    return twin(live, info) is not None


def twin(live: LiveDomain, info: DeviceInfo) -> LiveDevice | None:
    """Give the same device in another document of the domain: by user alias, else by MAC or target.

    An alias that libvirt made is not the same in two documents. None where there is none, or more than one.
    """
    if ganeti_id(info.alias) is not None:
        for device in live.devices:
            if device.part("alias")("name") == info.alias:
                return device
    if info.mac is not None:
        found = [d for d in live.devices if (d.part("mac")("address") or "").lower() == info.mac.lower()]
    elif info.target is not None:
        found = [d for d in live.devices if d.tag == "disk" and d.part("target")("dev") == info.target]
    else:
        found = []
    return found[0] if len(found) == 1 else None


def same(view: LiveView, device: Device) -> Device | None:
    """Give what became of a device that was asked for: by alias, index, MAC or target; None: nothing."""
    devices = view.domain.devices
    every: tuple[Device, ...] = (*devices.disks, *devices.interfaces, *devices.controllers)
    wanted = _identity(device)
    for each in every:
        if isinstance(each, type(device)) and (
            _identity(each) == wanted or _identity(each, by_alias=False) == wanted
        ):
            return each
    return None


def _identity(device: Device, *, by_alias: bool = True) -> tuple[object, ...]:
    if isinstance(device, domain.Controller):
        return "controller", device.type, device.index
    if by_alias and device.alias is not None:
        return "alias", device.alias
    if isinstance(device, domain.Disk):
        return "target", device.target
    return "mac", (device.mac or "").lower()


def is_taken(view: LiveView, device: Device) -> bool:
    """Tell whether somebody else has the address, target or index that ``device`` was to have."""
    devices = view.domain.devices
    if isinstance(device, domain.Controller):
        known = {(each.type, each.index) for each in devices.controllers}
        return (device.type, device.index) in known or _is_slot_taken(view, device.address)
    if isinstance(device, domain.Disk):
        others = [each for each in devices.disks if each.alias != device.alias or each.alias is None]
        if any(each.target == device.target for each in others):
            return True
        if isinstance(device.address, domain.DriveAddress):
            return any(each.address == device.address and each.bus == device.bus for each in others)
    return _is_slot_taken(view, device.address)


def _is_slot_taken(view: LiveView, address: domain.Address | None) -> bool:
    if not isinstance(address, domain.PciAddress):
        return False
    wanted = (address.domain, address.bus, address.slot)
    return any(_slot(get) == wanted for _path, get in view.live.addresses())


def _slot(get: Callable[..., str | None]) -> tuple[int, int, int] | None:
    if get("type") != "pci":
        return None
    try:
        domain_number, bus, slot = (int(get(name) or "0", 0) for name in ("domain", "bus", "slot"))
    except ValueError:
        return None
    return domain_number, bus, slot


def value_at(device: LiveDevice, path: str) -> str | None:
    """Give the attribute at a path such as ``source/@bridge``; None where there is none."""
    parent, _, name = path.rpartition("/@")
    element = device.element.find(parent)
    return None if element is None else element.get(name)
