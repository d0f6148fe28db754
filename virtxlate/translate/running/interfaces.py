"""The NICs of a running QEMU as interfaces: card, MAC and place of QEMU, network of Ganeti or the tap."""

from __future__ import annotations

import msgspec

from virtxlate.domain import model as domain
from virtxlate.domain.words import USER_ALIAS_PREFIX
from virtxlate.errors import UnsupportedError
from virtxlate.hardware.facts import Tap
from virtxlate.hardware.model import Device
from virtxlate.report import Report, Severity
from virtxlate.tables.nic import OFFLOADS_WITHOUT_HEADER, VHOST_DRIVERS
from virtxlate.tables.running import RunningDevice
from virtxlate.translate.context import Context
from virtxlate.translate.running.disks import report_absent
from virtxlate.translate.running.facts import Running, of_kind, part, pci_address
from virtxlate.translate.running.words import vhost

_VECTORS_BESIDE_QUEUES = 2
"""Of a virtio NIC with many queues: one for its settings, one for its control queue."""


def to_domain(
    running: Running, base: tuple[domain.Interface, ...], context: Context, report: Report
) -> tuple[domain.Interface, ...]:
    """Give the interfaces, those of ``base`` in its order, then the rest. Raises UnsupportedError."""
    found: list[tuple[int, domain.Interface]] = []
    left = list(base)
    for at, (device, row) in enumerate(of_kind(running.facts, "interface")):
        card = part(running.facts, device, "virtio-net-device")
        mac = card.properties.get("mac", "").lower()
        known = _known(left, device, mac)
        if known is not None:
            left.remove(known)
        order = len(base) + at if known is None else base.index(known)
        found.append((order, _interface(running, (device, card, row), known, context, report)))
    report_absent("nics", (each.alias for each in left), report)
    return tuple(each for _order, each in sorted(found, key=lambda pair: pair[0]))


def _known(base: list[domain.Interface], device: Device, mac: str) -> domain.Interface | None:
    alias = f"{USER_ALIAS_PREFIX}{device.id}"
    same = [each for each in base if each.alias == alias]
    same += [each for each in base if (each.mac or "").lower() == mac]
    return same[0] if same else None


def _interface(
    running: Running,
    found: tuple[Device, Device, RunningDevice],
    known: domain.Interface | None,
    context: Context,
    report: Report,
) -> domain.Interface:
    device, card, row = found
    at = f"devices[{device.path}]"
    address = pci_address(device)
    if address is None:
        raise UnsupportedError(f"a {device.driver} in a place that libvirt has no word for", at=at)
    netdev = card.properties.get("netdev", "")
    tap = running.taps.get(netdev)
    start = known
    if start is None:
        start = _attached(tap, at, context, report)
        if row.model == "virtio":
            start = msgspec.structs.replace(start, driver=_driver(running.command, netdev, at, report))
    queues = _queues(card, device)
    return msgspec.structs.replace(
        start,
        mac=card.properties.get("mac"),
        model=row.model,
        driver=start.driver if row.model == "virtio" else None,
        queues=queues,
        **_offloads(tap, start, row.model),
        alias=f"{USER_ALIAS_PREFIX}{device.id}" if device.id else start.alias,
        acpi_index=_index(device, "acpi-index"),
        boot_order=_index(device, "bootindex") or start.boot_order,
        address=address,
    )


def _driver(command: tuple[str, ...], netdev: str, at: str, report: Report) -> str:
    told = vhost(command, netdev)
    if told is None:
        report.lose(f"{at}.vhost", None, "QMP does not tell whether the host's kernel moves the packets")
    return VHOST_DRIVERS.right(bool(told))


def _index(device: Device, name: str) -> int | None:
    told = device.properties.get(name, "")
    return int(told) or None if told.isdecimal() else None


def _queues(card: Device, device: Device) -> int | None:
    vectors = device.properties.get("vectors", "")
    if card.properties.get("mq") != "true" or not vectors.isdecimal():
        return None
    return max(1, (int(vectors) - _VECTORS_BESIDE_QUEUES) // 2)


def _offloads(tap: Tap | None, start: domain.Interface, model: str) -> dict[str, bool | None]:
    """Give the offloads, all off where the tap has no header for them."""
    if tap is None or tap.vnet_hdr is None or model != "virtio":
        return {name: getattr(start, name) for name in OFFLOADS_WITHOUT_HEADER}
    return dict.fromkeys(OFFLOADS_WITHOUT_HEADER, None if tap.vnet_hdr else False)


def _attached(tap: Tap | None, at: str, context: Context, report: Report) -> domain.Interface:
    """Give the network that the tap is in, where no data of Ganeti tells it."""
    if tap is not None and tap.bridge:
        return domain.Interface(type="bridge", bridge=context.renames.rename("bridges", tap.bridge))
    reason = "nothing tells its network: give the runtime file too, else the host does not connect the tap"
    report.lose(f"{at}.network", None if tap is None else tap.name, reason, Severity.GUEST_VISIBLE)
    return domain.Interface(type="ethernet")
