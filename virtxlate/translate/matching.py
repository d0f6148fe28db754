"""Which Ganeti disk or NIC a device of a domain is: by alias, else by MAC, source, target and order.

Two answers are an error that names them; nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Sequence

from virtxlate.domain.words import USER_ALIAS_PREFIX
from virtxlate.errors import GanetiDataError
from virtxlate.ganeti.hvinfo import kvm_id
from virtxlate.ganeti.model import Disk, Instance, Nic
from virtxlate.translate.hvinfo import DeviceInfo

_DISK_KINDS = frozenset({"disk", "lun", "hostdev", "cdrom"})


def match(instance: Instance, devices: Sequence[DeviceInfo]) -> dict[str, DeviceInfo]:
    """Give the device of each disk and NIC that has one, by ``disks[0]``, ``nics[0]``.

    Raises GanetiDataError when more than one device could be the one, naming them.
    """
    found: dict[str, DeviceInfo] = {}
    nics = [device for device in devices if device.kind == "nic"]
    disks = [device for device in devices if device.kind in _DISK_KINDS]
    for index, nic in enumerate(instance.nics):
        _take(found, f"nics[{index}]", _by_alias("nic", nic, nics) or _by_mac(nic, nics))
    left = {f"disks[{index}]": disk for index, disk in enumerate(instance.disks)}
    for at, disk in tuple(left.items()):
        if _take(found, at, _by_alias("disk", disk, disks)):
            del left[at]
    _by_order(found, left, disks)
    return found


def _take(found: dict[str, DeviceInfo], at: str, candidates: list[DeviceInfo]) -> bool:
    if len(candidates) > 1:
        raise GanetiDataError(f"more than one device could be it: {_named(candidates)}", at=at)
    if candidates:
        found[at] = candidates[0]
    return bool(candidates)


def _named(devices: Sequence[DeviceInfo]) -> str:
    return ", ".join(f"{each.path} ({each.alias or each.target or each.mac})" for each in devices)


def _by_alias(kind: str, device: Disk | Nic, devices: list[DeviceInfo]) -> list[DeviceInfo]:
    """Give the devices whose user alias is Ganeti's id: the one in hvinfo, or the one of the uuid."""
    wanted = {USER_ALIAS_PREFIX + device.hvinfo.id} if device.hvinfo is not None else set()
    if device.uuid:
        wanted.add(USER_ALIAS_PREFIX + kvm_id(kind, device.uuid))
    return [each for each in devices if each.alias in wanted]


def _by_mac(nic: Nic, devices: list[DeviceInfo]) -> list[DeviceInfo]:
    return [each for each in devices if (each.mac or "").lower() == nic.mac]


def _by_order(found: dict[str, DeviceInfo], left: dict[str, Disk], disks: list[DeviceInfo]) -> None:
    """Match what has no alias by its order, if there are just as many on both sides; else it is ambiguous."""
    if not left:
        return
    taken = {id(device) for device in found.values()}
    free = [each for each in disks if id(each) not in taken and not _is_empty_drive(each)]
    if not free:
        return
    if len(free) != len(left):
        raise GanetiDataError(
            f"{len(free)} devices could be one of {len(left)} disks: {_named(free)}", at=next(iter(left))
        )
    found.update(zip(left, sorted(free, key=_target_order), strict=True))


def _target_order(device: DeviceInfo) -> tuple[int, str]:
    """Order of target names: vdb, vdz, vdaa."""
    return len(device.target or ""), device.target or ""


def _is_empty_drive(device: DeviceInfo) -> bool:
    return device.kind == "cdrom" and (device.hvinfo is None or device.hvinfo.drive is None)
