"""The calls that Ganeti's hypervisor interface names, over Hotplug: its arguments and answers, one exception.

Source: Ganeti 3.2 alpha (c35736d8a), lib/rpc_defs.py:299-312, lib/hypervisor/hv_kvm/__init__.py:2114-2367.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import msgspec

from virtxlate.errors import DeviceNotFoundError, GanetiDataError, HotplugError, VirtxlateError
from virtxlate.ganeti.decode import convert
from virtxlate.ganeti.hvinfo import HvInfo
from virtxlate.ganeti.model import Disk, Nic
from virtxlate.ganeti.objects import read_disk, read_nic
from virtxlate.hotplug.engine import Done
from virtxlate.hotplug.plan import check_hot_pluggable
from virtxlate.hotplug.session import Hotplug
from virtxlate.live.port import HotplugPort

ADD, REMOVE, MODIFY = "hotadd", "hotremove", "hotmod"
ACTIONS = (ADD, REMOVE, MODIFY)
DEVICES = ("disk", "nic")


def hotplug_device(
    domain: HotplugPort | Hotplug,
    action: str,
    dev_type: str,
    device: Disk | Nic | Mapping[str, Any],
    extra: Sequence[str | None] | None = None,
    seq: int | None = None,
) -> HvInfo | None:
    """Do what Ganeti's RPC of this name does, and give the hvinfo: of where the device is, or was.

    ``action`` is hotadd, hotremove or hotmod, ``dev_type`` disk or nic; ``device`` is found by its uuid.
    ``extra`` is ``(link, uri)`` for a disk that is added, as Ganeti's node makes them; ``seq`` the index in
    the master's list.

    Raises HotplugError for everything that goes wrong; its cause is the exact one.
    """
    try:
        _check(action, ACTIONS, "action")
        _check(dev_type, DEVICES, "dev_type")
        session = domain if isinstance(domain, Hotplug) else Hotplug(domain)
        known = _object(dev_type, device)
        if action == ADD:
            return _add(session, known, extra, seq).hvinfo
        if action == REMOVE:
            return _remove(session, dev_type, known)
        return _modify(session, known).hvinfo
    except VirtxlateError as exc:
        raise HotplugError(f"Cannot {action} {dev_type}: {exc}") from exc


def hotplug_supported(domain: HotplugPort | Hotplug) -> None:
    """Return when devices of the domain can come and go at all. Raises HotplugError."""
    try:
        session = domain if isinstance(domain, Hotplug) else Hotplug(domain)
        snapshot = session.read()
        running = snapshot.view.live.root.get("id") is not None
        acpi = snapshot.view.domain.acpi
    except VirtxlateError as exc:
        raise HotplugError(f"Hotplug is not supported: {exc}") from exc
    if not running:
        raise HotplugError("Hotplug is not supported: Instance is probably down")
    if not acpi:
        raise HotplugError("Hotplug is not supported: the domain has no ACPI, so no PCI hot-plug")


def verify_hotplug_support(domain: HotplugPort | Hotplug, action: str, dev_type: str) -> None:
    """Return when this action can be done to disks, or NICs, of the domain. Raises HotplugError."""
    hotplug_supported(domain)
    try:
        _check(action, ACTIONS, "action")
        _check(dev_type, DEVICES, "dev_type")
        session = domain if isinstance(domain, Hotplug) else Hotplug(domain)
        check_hot_pluggable(session.read().instance, dev_type)
    except VirtxlateError as exc:
        raise HotplugError(f"Hotplug is not supported: {exc}") from exc


def _check(word: str, known: Sequence[str], at: str) -> None:
    if word not in known:
        raise GanetiDataError(f"expected one of {', '.join(known)}, found {word!r}", at=at)


def _object(dev_type: str, device: Disk | Nic | Mapping[str, Any]) -> Disk | Nic:
    if isinstance(device, Disk | Nic):
        found: Disk | Nic = device
    elif dev_type == "disk":
        found = read_disk(device)
    else:
        found = read_nic(device)
    if isinstance(found, Nic) != (dev_type == "nic"):
        raise GanetiDataError(f"expected a {dev_type}, found a {type(found).__name__}", at="device")
    return found


def _add(session: Hotplug, device: Disk | Nic, extra: Sequence[str | None] | None, seq: int | None) -> Done:
    if isinstance(device, Nic):
        return session.add_nic(device, index=seq)
    if extra is not None:
        link, uri = convert(tuple(extra), tuple[str | None, str | None], "extra")
        device = msgspec.structs.replace(device, link=link or device.link, uri=uri or device.uri)
    return session.add_disk(device, index=seq)


def _remove(session: Hotplug, dev_type: str, device: Disk | Nic) -> HvInfo | None:
    before = None
    with suppress(DeviceNotFoundError):  # it may have left after an earlier call had given up
        before = session.hvinfo(dev_type, device.uuid)
    session.remove(dev_type, device.uuid)
    return before


def _modify(session: Hotplug, device: Disk | Nic) -> Done:
    if isinstance(device, Nic):
        return session.become_nic(device)
    return session.become_disk(device)
