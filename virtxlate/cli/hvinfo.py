"""``virtxlate hvinfo``: where QEMU has every disk and NIC, from the live XML alone."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from virtxlate.cli import complain
from virtxlate.cli.inputs import STDIO, parse_libvirt_version, read_bytes
from virtxlate.domain.live import LiveDomain, parse_live
from virtxlate.errors import DomainNotFoundError, DomainXmlError, LibvirtMissingError
from virtxlate.translate.dialect import to_ganeti_dialect
from virtxlate.translate.hvinfo import DeviceInfo, derive
from virtxlate.translate.occupancy import Occupancy, occupancy


def run(args: argparse.Namespace) -> int:
    """Print the devices, and give the exit code."""
    text, version = read_domain(args.domain, args.connect)
    try:
        live = parse_live(text)
    except DomainXmlError as exc:
        raise exc.under("stdin" if args.domain == STDIO else args.domain) from None
    devices = derive(live, libvirt_version=version or parse_libvirt_version(args.libvirt_version))
    if args.dialect == "ganeti" or args.format == "runtime":
        devices = tuple(to_ganeti_dialect(device) for device in devices)
    if args.format == "table":
        _print_table(live, devices)
    else:
        _print_json(devices, runtime=args.format == "runtime")
    for device in devices:
        if device.note:
            complain(f"{device.path}: {device.note}")
    return 0


def read_domain(name: str, uri: str | None) -> tuple[bytes | str, int | None]:
    """Give the XML that ``name`` stands for, and the libvirt version of a domain: stdin, file or domain.

    Raises OSError, LiveError.
    """
    if name == STDIO or (uri is None and Path(name).exists()):
        return read_bytes(name), None
    try:
        from virtxlate.live.connection import connected  # noqa: PLC0415 - a file needs no libvirt
    except ImportError as exc:
        raise LibvirtMissingError(f"libvirt-python is not installed: {exc}") from exc
    with connected(uri) as host:
        domain = host.find(name, name) if len(name) == _UUID_LENGTH else host.find("", name)
        if domain is None:
            raise DomainNotFoundError(f"no domain {name!r}, and no such file", call="lookup")
        return domain.live_xml(), parse_libvirt_version(host.version())


_UUID_LENGTH = 36


def _print_json(devices: tuple[DeviceInfo, ...], *, runtime: bool) -> None:
    shown: Any = [device.to_dict() for device in devices]
    if runtime:
        shown = {
            "nics": [each for each in shown if each["kind"] == "nic"],
            "disks": [each for each in shown if each["kind"] != "nic"],
        }
    sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(shown), indent=2) + b"\n")


def _print_table(live: LiveDomain, devices: tuple[DeviceInfo, ...]) -> None:
    rows = [("KIND", "NAME", "DRIVER", "ID", "BUS", "PLACE", "BACKEND"), *map(_row, devices)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    for line in _occupancy_lines(occupancy(live)):
        print(line)


def _row(device: DeviceInfo) -> tuple[str, ...]:
    info = device.hvinfo
    name = device.target or device.mac or ""
    if info is None:
        return device.kind, name, "-", device.alias or "-", "-", device.note or "", ""
    return (
        device.kind,
        name,
        info.driver,
        info.id or "-",
        info.bus or "-",
        _place(info),
        info.drive or info.netdev or "",
    )


def _place(info: Any) -> str:
    """Give the place on the bus as QEMU's own options."""
    names = (
        ("addr", "addr"),
        ("devno", "devno"),
        ("channel", "channel"),
        ("scsi-id", "scsi_id"),
        ("lun", "lun"),
    )
    more = (("unit", "unit"), ("port", "port"))
    pairs = [(shown, getattr(info, name, None)) for shown, name in (*names, *more)]
    return ",".join(f"{shown}={value}" for shown, value in pairs if value is not None)


def _occupancy_lines(found: Occupancy) -> Iterator[str]:
    yield ""
    for bus, slots in found.pci.items():
        yield f"PCI bus {bus}: in use {_numbers(slots, hex)}; free {_numbers(found.free_slots(bus), hex)}"
    for index, targets in found.scsi.items():
        free = _numbers(found.free_targets(index), str)
        yield f"SCSI controller {index}: in use {_numbers(targets, str)}; free {free}"
    if found.ganeti_slots:
        yield f"Ganeti would use slot {found.ganeti_slots[0]:#x} next, of {_numbers(found.ganeti_slots, hex)}"


def _numbers(numbers: Any, shown: Any) -> str:
    """Give numbers as ranges: 0x2-0x4,0xc."""
    ranges: list[list[int]] = []
    for number in sorted(numbers):
        if ranges and number == ranges[-1][1] + 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    return ",".join(shown(a) if a == b else f"{shown(a)}-{shown(b)}" for a, b in ranges) or "none"
