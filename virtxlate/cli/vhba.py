"""``virtxlate vhba``: virtual Fibre Channel adapters, described, listed, made and removed, and their LUNs."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec

from virtxlate import npiv
from virtxlate.cli import complain, show
from virtxlate.cli.connecting import connected
from virtxlate.cli.inputs import STDIO, read_bytes
from virtxlate.domain.elements import DISK
from virtxlate.domain.nodedev import format_scsi_pool, parse_wwn
from virtxlate.domain.vhba import Vhba, pool_of, read_vhba, vhba_xml
from virtxlate.errors import InputError, OperationRefusedError, UsageError
from virtxlate.live.port import NodeDevicePort
from virtxlate.translate.disk import target_name

_OPTIONS = ("parent", "parent_wwnn", "parent_wwpn", "parent_fabric_wwn", "wwnn", "wwpn")


def run(args: argparse.Namespace) -> int:
    """Do what the inner verb says, and give the exit code."""
    _VERBS[args.vhba_verb](args)
    return 0


def _xml(args: argparse.Namespace) -> None:
    sys.stdout.write(vhba_xml(_asked(args)))


def _pool(args: argparse.Namespace) -> None:
    sys.stdout.write(format_scsi_pool(pool_of(_asked(args), args.name)))


def _asked(args: argparse.Namespace) -> Vhba:
    """Give the adapter that the options describe. Raises UsageError."""
    values = {name: getattr(args, name) for name in _OPTIONS}
    for name, value in values.items():
        if value is not None and name != "parent":
            try:
                values[name] = parse_wwn(value)
            except ValueError as exc:
                raise UsageError(f"--{name.replace('_', '-')}: {exc}") from None
    return Vhba(**values)


def _list(args: argparse.Namespace) -> None:
    with _host(args, read_only=True) as host:
        found = npiv.adapters(host)
    if args.format == "json":
        _print_json(found)
        return
    rows: list[tuple[str, ...]] = [("NAME", "KIND", "PARENT", "WWNN", "WWPN", "FABRIC", "VPORTS")]
    for each in found:
        names = (each.name, "virtual" if each.virtual else "physical", each.parent or "-")
        rows.append((*names, each.wwnn or "-", each.wwpn or "-", each.fabric_wwn or "-", _room(each)))
    _print_columns(rows)


def _room(adapter: npiv.Adapter) -> str:
    if not adapter.takes_vports:
        return "-"
    return "not known" if adapter.max_vports is None else f"{adapter.vports or 0} of {adapter.max_vports}"


def _create(args: argparse.Namespace) -> None:
    try:
        vhba = read_vhba(read_bytes(args.file))
    except InputError as exc:
        raise InputError(str(exc), at="stdin" if args.file == STDIO else args.file) from None
    with _host(args, read_only=args.dry_run) as host:
        there = npiv.plan(vhba, npiv.adapters(host))
        if there is not None:
            show(f"{there.name} is there already, on {there.parent}")
        elif args.dry_run:
            show("would be made")
        else:
            made = npiv.create(host, vhba)
            show(f"{made.name} made, on {made.parent}, wwnn {made.wwnn}, wwpn {made.wwpn}")


def _destroy(args: argparse.Namespace) -> None:
    with _host(args, read_only=args.dry_run) as host:
        if args.dry_run:
            npiv.removable(host, args.adapter)
            show(f"{args.adapter} would be removed")
        else:
            npiv.destroy(host, args.adapter)
            show(f"{args.adapter} removed")


def _luns(args: argparse.Namespace) -> None:
    with _host(args, read_only=True) as host:
        found = npiv.luns(host, args.adapter)
    if args.format == "json":
        _print_json(found)
    elif args.format == "xml":
        _print_disks(found)
    else:
        rows: list[tuple[str, ...]] = [
            ("ADDRESS", "TYPE", "BLOCK", "VENDOR", "MODEL", "BYTES", "STABLE NAME")
        ]
        for lun in found:
            cells = (str(lun.address), lun.type, lun.block, lun.vendor, lun.model, lun.size, lun.stable)
            rows.append(tuple("-" if cell is None else str(cell) for cell in cells))
        _print_columns(rows)


def _print_disks(found: tuple[npiv.Lun, ...]) -> None:
    """Print the disks; what is no block device, such as an enclosure, is named instead."""
    index = 0
    for lun in found:
        try:
            disk = npiv.lun_disk(lun, target_name("sd", index))
        except OperationRefusedError as exc:
            complain(str(exc))
            continue
        index += 1
        sys.stdout.write(DISK.format_text(disk))


_VERBS: dict[str, Callable[[argparse.Namespace], None]] = {
    "xml": _xml,
    "pool": _pool,
    "list": _list,
    "create": _create,
    "destroy": _destroy,
    "luns": _luns,
}


@contextmanager
def _host(args: argparse.Namespace, *, read_only: bool) -> Iterator[NodeDevicePort]:
    """Give the devices of the host that the arguments name."""
    with connected(args.connect, read_only=read_only) as host:
        yield host.host_devices()


def _print_json(records: Sequence[msgspec.Struct]) -> None:
    text = msgspec.json.encode([_plain(record) for record in records])
    sys.stdout.buffer.write(msgspec.json.format(text, indent=2) + b"\n")


def _plain(record: msgspec.Struct) -> dict[str, Any]:
    """Give what is known of a record; a SCSI address as it is written everywhere."""
    known = {name: value for name, value in msgspec.structs.asdict(record).items() if value is not None}
    return {name: str(value) if name == "address" else value for name, value in known.items()}


def _print_columns(rows: Sequence[tuple[str, ...]]) -> None:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        show("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
