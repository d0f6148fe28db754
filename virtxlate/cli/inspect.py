"""``virtxlate inspect``: what a running QEMU of Ganeti says about itself."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from itertools import pairwise

import msgspec

from virtxlate.cli import show
from virtxlate.cli.running import of_arguments
from virtxlate.hardware.facts import Display, Facts, Medium
from virtxlate.hardware.model import Device
from virtxlate.report import Report
from virtxlate.tables.running import BY_DRIVER, DEFAULT_DEVICES
from virtxlate.translate.running.facts import Running, part

_MIB = 1 << 20
_HIDDEN = frozenset({"board", "part"})
_MAX_CELL = 120


def run(args: argparse.Namespace) -> int:
    """Print the facts, and give the exit code."""
    found = of_arguments(args, Report())
    if args.json:
        sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(whole(found)), indent=2) + b"\n")
        return 0
    for line in lines(found):
        show(line)
    return 0


def whole(running: Running) -> dict[str, object]:
    """Give all facts as what JSON can say; no password is in them."""
    return {
        "facts": running.facts,
        "taps": running.taps,
        "instance": None if running.instance is None else running.instance.name,
        "defaults": [each.path for each in running.facts.machine.devices if is_default(running.facts, each)],
    }


def lines(running: Running) -> Iterator[str]:
    """Give what is shown of a running instance, line by line."""
    facts = running.facts
    machine, topology = facts.machine, facts.machine.topology
    yield f"name      {facts.name}"
    yield f"uuid      {machine.uuid}"
    how = "KVM" if facts.kvm else "emulated"
    yield f"qemu      {'.'.join(map(str, facts.version))}, {how}, {facts.status}"
    yield f"machine   {machine.type.removesuffix('-machine')}"
    balloon = "no balloon" if facts.balloon is None else f"balloon at {facts.balloon // _MIB} MiB"
    yield f"memory    {machine.memory // _MIB} MiB, {balloon}"
    yield f"cpu       {dict(pairwise(running.command)).get('-cpu', facts.cpu_model)}"
    parts = " x ".join(f"{topology.get(name, 1)} {name}" for name in ("sockets", "dies", "cores", "threads"))
    yield f"vcpus     {topology.get('cpus', len(machine.cpus))} ({parts})"
    for display in facts.displays:
        yield f"display   {_display(display)}"
    for problem in (*facts.busy.blockers, *facts.busy.jobs):
        yield f"blocked   {problem}"
    if facts.busy.migration:
        yield f"migration {facts.busy.migration}"
    yield ""
    yield from _columns([("DRIVER", "ID", "BUS", "PLACE", "BACKEND", ""), *_rows(running)])


def _display(display: Display) -> str:
    if display.socket:
        where = f"at {display.socket}"
    else:
        tls = f", TLS port {display.tls_port}" if display.tls_port else ""
        where = f"{display.host or '*'} port {display.port or '-'}{tls}"
    return f"{display.type} {where}, {'no password' if display.auth == 'none' else display.auth}"


def is_default(facts: Facts, device: Device) -> bool:
    """Tell whether an instance has a device without asking: Ganeti always says it, or QEMU adds it."""
    if device.driver not in DEFAULT_DEVICES or device.id:
        return False
    return device.driver not in {"ide-cd", "floppy"} or facts.drives.get(_drive(facts, device)) is None


def _drive(facts: Facts, device: Device) -> str:
    return part(facts, device, "virtio-blk-device").properties.get("drive", "")


def _rows(running: Running) -> Iterator[tuple[str, ...]]:
    facts = running.facts
    for each in facts.machine.devices:
        row = BY_DRIVER.get(each.driver)
        if (row is not None and row.kind in _HIDDEN) or (row is None and each.bus in {"System", "ICC"}):
            continue
        bus, _slash, place = each.path.rpartition("/")
        note = "default" if is_default(facts, each) else ""
        cells = (each.driver, each.id or "-", bus or "-", place, _backend(running, each) or "-", note)
        yield tuple(cell[:_MAX_CELL] for cell in cells)


def _backend(running: Running, device: Device) -> str:
    facts = running.facts
    drive = _drive(facts, device)
    if drive:
        medium = facts.drives.get(drive)
        return "no medium" if medium is None else _medium(medium)
    card = part(facts, device, "virtio-net-device").properties
    if "netdev" in card:
        return ", ".join(word for word in (_network(running, card["netdev"]), card.get("mac", "")) if word)
    return device.properties.get("name", "") if device.driver == "virtserialport" else ""


def _medium(medium: Medium) -> str:
    return f"{medium.filename}{' (read-only)' if medium.read_only else ''}"


def _network(running: Running, net: str) -> str:
    tap = running.taps.get(net)
    if tap is None:
        return running.facts.nets[net].type if net in running.facts.nets else net
    bridge = f" in {tap.bridge}" if tap.bridge else ""
    header = "" if tap.vnet_hdr is None else " with vnet_hdr" if tap.vnet_hdr else " without vnet_hdr"
    return f"{tap.name}{bridge}{header}"


def _columns(rows: list[tuple[str, ...]]) -> Iterator[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
