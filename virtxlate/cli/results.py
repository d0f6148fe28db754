"""What became of each change: lines for people, objects for programs."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from virtxlate.cli import complain, show
from virtxlate.ganeti.hvinfo import HvInfo
from virtxlate.hotplug.engine import Done
from virtxlate.hotplug.steps import Step, to_dict
from virtxlate.report import Loss
from virtxlate.translate.device_info import DeviceInfo, QemuInfo


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What one change did; the shape of the JSON."""

    action: str
    kind: str
    alias: str | None = None
    uuid: str | None = None
    target: str | None = None
    mac: str | None = None
    hvinfo: HvInfo | None = None
    """In Ganeti's words; null for a device that is gone, or at a place that Ganeti has no word for."""
    qemu: QemuInfo | None = None
    """In QEMU's own."""
    made: dict[str, str] = {}
    """What was not given of a new device."""
    steps: tuple[dict[str, Any], ...] = ()
    freed: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    losses: tuple[Loss, ...] = ()


def result_of(
    action: str, kind: str, done: Done, *, made: Mapping[str, str] | None = None, which: str | None = None
) -> Result:
    """Give the result of one change; ``which`` is what the device was called, where nothing is told of it."""
    made = made or {}
    told = done.device or next(filter(None, map(_info_of, done.steps)), None)
    info = told or DeviceInfo(kind, target=which)
    gone = done.device is None
    return Result(
        action=action,
        kind=kind,
        alias=info.alias,
        uuid=info.uuid or made.get("uuid"),
        target=info.target,
        mac=info.mac,
        hvinfo=done.hvinfo,
        qemu=None if gone else info.hvinfo,
        made=dict(made),
        steps=tuple(map(to_dict, done.steps)),
        freed=done.freed,
        notes=done.notes,
        losses=done.losses,
    )


def _info_of(step: Step) -> DeviceInfo | None:
    return getattr(step, "info", None)


def print_result(result: Result, name: str) -> None:
    """Print a result for people: what was done, where it is, what is free now; losses to stderr."""
    for step in result.steps:
        show(step["line"])
    if not result.steps and not result.notes:
        show(f"{result.kind} {result.alias or result.target or result.mac}: nothing changes in the guest")
    for word, value in result.made.items():
        show(f"  {word:7} {value}")
    place = result.hvinfo or result.qemu
    if place is not None:
        show(f"  hvinfo  {place_text(place)}")
    for each in result.freed:
        show(f"  free    {each}")
    for note in result.notes:
        show(f"  note    {note}")
    print_losses(result.losses, name)


def print_losses(losses: Iterable[Loss], name: str) -> None:
    """Print losses to stderr."""
    for loss in losses:
        complain(f"loss: {name}: {loss}")


def place_text(place: HvInfo | QemuInfo) -> str:
    """Give ``driver=virtio-blk-pci,id=disk-932df160-7a22-4067,bus=pci.0,addr=0xd``."""
    return ",".join(f"{name}={value}" for name, value in msgspec.to_builtins(place).items())


def print_json(value: Any) -> None:
    """Print JSON to stdout."""
    sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n")


def print_xml(steps: Iterable[Step]) -> None:
    """Print the device XML of each step that has one."""
    sys.stdout.buffer.write("".join(step.xml for step in steps).encode())


def diff_lines(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[str]:
    """Give the lines of a unified diff, document by document."""
    for name, text in before.items():
        lines = (text.splitlines(keepends=True), after[name].splitlines(keepends=True))
        yield from difflib.unified_diff(*lines, f"Original {name}", f"Altered {name}")
