"""``virtxlate hvinfo``: where QEMU has every disk and NIC, from the live XML alone."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from virtxlate.cli import complain, show
from virtxlate.cli.connecting import connected
from virtxlate.cli.inputs import STDIO, parse_libvirt_version, read_bytes
from virtxlate.domain.live import LiveDomain, parse_live
from virtxlate.errors import (
    ConnectionFailedError,
    DomainNotFoundError,
    DomainXmlError,
    GanetiDataError,
    LibvirtMissingError,
)
from virtxlate.tables.qemu import PCI_PORTS
from virtxlate.translate.device_info import DeviceInfo, QemuInfo
from virtxlate.translate.dialect import ganeti_scsi_bus, to_ganeti_dialect
from virtxlate.translate.hvinfo import derive
from virtxlate.translate.matching import with_uuids
from virtxlate.translate.occupancy import BusUse, occupancy


def run(args: argparse.Namespace) -> int:
    """Print the devices, and give the exit code."""
    text, version = read_domain(args.domain, args.connect)
    try:
        live = parse_live(text)
    except DomainXmlError as exc:
        raise exc.under("stdin" if args.domain == STDIO else args.domain) from None
    given = parse_libvirt_version(args.libvirt_version) if args.libvirt_version else version
    devices = _with_uuids(live, derive(live, libvirt_version=given))
    if args.dialect == "ganeti" or args.format == "runtime":
        bus = ganeti_scsi_bus(live)
        devices = tuple(to_ganeti_dialect(device, bus) for device in devices)
    if args.format == "table":
        _print_table(live, devices)
    else:
        _print_json(devices, runtime=args.format == "runtime")
    for device in devices:
        if device.note:
            complain(f"{device.path}: {device.note}")
    return 0


def _with_uuids(live: LiveDomain, devices: tuple[DeviceInfo, ...]) -> tuple[DeviceInfo, ...]:
    """Give the devices with Ganeti's uuids; metadata of another format stops nobody."""
    try:
        return with_uuids(live, devices)
    except GanetiDataError as exc:
        complain(f"no uuids: {exc}")
        return devices


def read_domain(name: str, uri: str | None) -> tuple[bytes | str, int | None]:
    """Give the XML that ``name`` stands for, and the libvirt version of a domain: stdin, file or domain.

    Raises OSError, LiveError.
    """
    if name == STDIO or (uri is None and Path(name).exists()):
        return read_bytes(name), None
    try:
        return _read_live(name, uri)
    except (ConnectionFailedError, LibvirtMissingError) as exc:
        if uri is not None:
            raise
        raise type(exc)(f"{name}: no such file, and no libvirt that knows such a domain: {exc}") from exc


def _read_live(name: str, uri: str | None) -> tuple[bytes | str, int]:
    with connected(uri, read_only=True) as host:
        domain = host.find(name, name) if len(name) == _UUID_LENGTH else host.find("", name)
        if domain is None:
            raise DomainNotFoundError(f"no domain {name!r}, and no such file", call="lookup")
        return domain.live_xml(), parse_libvirt_version(host.version())


_UUID_LENGTH = 36
_MAX_CELL = 120


def _print_json(devices: tuple[DeviceInfo, ...], *, runtime: bool) -> None:
    shown: Any = [device.to_dict() for device in devices]
    if runtime:
        shown = {
            "nics": [each for each in shown if each["kind"] == "nic"],
            "disks": [each for each in shown if each["kind"] != "nic"],
        }
    sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(shown), indent=2) + b"\n")


def _print_table(live: LiveDomain, devices: tuple[DeviceInfo, ...]) -> None:
    _print_columns([("KIND", "NAME", "DRIVER", "ID", "BUS", "PLACE", "BACKEND"), *map(_row, devices)])
    uses = occupancy(live)
    if uses:
        show("")
        _print_columns([("BUS", "MODEL", "IN USE", "FREE", "FREE FOR GANETI"), *_use_rows(uses)])


def _print_columns(rows: list[tuple[str, ...]]) -> None:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        show("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _row(device: DeviceInfo) -> tuple[str, ...]:
    info = device.hvinfo
    name = _shown(device.target or device.mac or "-")
    if info is None:
        return _shown(device.kind), name, "-", _shown(device.alias or "-"), "-", "not known: see below", ""
    cells = (info.driver, info.id or "-", info.bus or "-", _place(info) or "-")
    return _shown(device.kind), name, *map(_shown, cells), _shown(info.drive or info.netdev or "-")


def _shown(text: str) -> str:
    """Give what a cell can hold: no control characters, and not megabytes of an alias."""
    plain = "".join(char if char.isprintable() else "?" for char in text[:_MAX_CELL])
    return plain if len(text) <= _MAX_CELL else f"{plain}..."


def _place(info: QemuInfo) -> str:
    """Give the place on the bus as QEMU's own options."""
    pairs = (
        ("addr", info.addr),
        ("devno", info.devno),
        ("channel", info.channel),
        ("scsi-id", info.scsi_id),
        ("lun", info.lun),
        ("unit", info.unit),
        ("port", info.port),
    )
    return ",".join(f"{name}={value}" for name, value in pairs if value is not None)


def _use_rows(uses: tuple[BusUse, ...]) -> Iterator[tuple[str, ...]]:
    """Give a line for each bus; ports have one slot each, and share a line that names them."""
    ports = [use for use in uses if use.model in PCI_PORTS]
    for use in uses:
        if use in ports:
            continue
        shown = str if use.is_scsi else hex
        numbers = [_ranges(each, shown) for each in (use.used, use.free, use.ganeti)]
        yield _shown(use.bus), _shown(use.model or "-"), *numbers
    if ports:
        taken, empty = ([_shown(p.bus) for p in ports if bool(p.used) is used] for used in (True, False))
        yield "ports", "one slot each", ",".join(taken) or "-", ",".join(empty) or "-", "-"


def _ranges(numbers: tuple[int, ...], shown: Callable[[int], str]) -> str:
    """Give numbers as ranges: 0x2-0x4,0xc."""
    ranges: list[list[int]] = []
    for number in numbers:
        if ranges and number == ranges[-1][1] + 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    return ",".join(shown(a) if a == b else f"{shown(a)}-{shown(b)}" for a, b in ranges) or "-"
