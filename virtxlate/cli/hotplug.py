"""``virtxlate hotplug``: disks and NICs of a domain come, go and change."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

import msgspec

from virtxlate.cli import show
from virtxlate.cli.changes import RANDOM, Change, Makers, read_changes
from virtxlate.cli.connecting import connected
from virtxlate.cli.domain import (
    Stage,
    find_domain,
    is_only_shown,
    read_hvparams,
    read_options,
)
from virtxlate.cli.inputs import STDIO, read_renames, read_scsi, take_own_scsi
from virtxlate.cli.results import (
    Result,
    diff_lines,
    print_json,
    print_losses,
    print_result,
    print_xml,
    result_of,
)
from virtxlate.cli.sizes import parse_size
from virtxlate.domain.model import Disk as DomainDisk
from virtxlate.domain.model import DiskSource
from virtxlate.errors import GanetiDataError, UnsupportedError, UsageError
from virtxlate.ganeti.model import Disk, Nic
from virtxlate.hotplug.engine import Done
from virtxlate.hotplug.session import Hotplug
from virtxlate.hotplug.snapshot import find
from virtxlate.live.port import HotplugPort
from virtxlate.report import Report
from virtxlate.translate.context import Context, Renames

Act = Callable[[Hotplug, HotplugPort], Done]


class Job:
    """One change, and how it is made."""

    def __init__(
        self, action: str, kind: str, which: str, act: Act, made: dict[str, str] | None = None
    ) -> None:
        self.action, self.kind, self.which, self.act, self.made = action, kind, which, act, made

    def run(self, hotplug: Hotplug, port: HotplugPort) -> tuple[Done, Result]:
        """Make it. Raises what Hotplug raises."""
        done = self.act(hotplug, port)
        return done, result_of(self.action, self.kind, done, made=self.made, which=self.which)


def run(args: argparse.Namespace, makers: Makers = RANDOM) -> int:
    """Make the changes, and give the exit code."""
    known = Context(renames=read_renames(args.map) if args.map else Renames())
    hvparams, report = read_hvparams(args), Report()
    read_options(args)  # what is contradictory is told before libvirt is asked
    if args.runtime == STDIO:
        raise UsageError("--runtime: expected a file that can be rewritten, found -")
    jobs = _jobs(args, known, report, makers)
    with connected(args.connect, read_only=is_only_shown(args)) as host:
        port = find_domain(host, args.domain)
        print_losses(report.losses, port.name)
        take_own_scsi(args, host)
        scsi = read_scsi(args.scsi_map) if args.scsi_map else None
        context = msgspec.structs.replace(
            known, libvirt_version=port.libvirt_version(), scsi=scsi, stable_names=args.stable_names
        )
        stage = Stage(args, port, context, hvparams=hvparams, runtime=args.runtime)
        rehearsed = [job.run(stage.rehearsal, stage.paper) for job in jobs]
        if is_only_shown(args):
            show_only(args, stage, rehearsed)
        else:
            _work(args, stage.hotplug, port, jobs)
    return 0


def _jobs(args: argparse.Namespace, context: Context, report: Report, makers: Makers) -> tuple[Job, ...]:
    if args.hotplug_verb == "resize":
        return (_resize(args),)
    if args.hotplug_verb == "media":
        return (_media(args),)
    changes = read_changes(args.changes, args.hotplug_verb, context, report, makers)
    return tuple(Job(each.action, each.kind, each.which, _act(each), each.made) for each in changes)


def _work(args: argparse.Namespace, hotplug: Hotplug, port: HotplugPort, jobs: tuple[Job, ...]) -> None:
    """Make the changes, and print each when it is made; an error leaves those before it made and printed."""
    results: list[Result] = []
    try:
        for job in jobs:
            _done, result = job.run(hotplug, port)
            results.append(result)
            if args.json:
                print_losses(result.losses, port.name)
            else:
                print_result(result, port.name)
    finally:
        if args.json:
            print_json(results)


def show_only(args: argparse.Namespace, stage: Stage, rehearsed: list[tuple[Done, Result]]) -> None:
    """Print what would be done, in the form that was asked for."""
    if args.print_xml or args.print_diff or args.json:
        print_losses((loss for _done, result in rehearsed for loss in result.losses), stage.paper.name)
    if args.print_xml:
        print_xml(step for done, _result in rehearsed for step in done.steps)
    elif args.print_diff:
        lines = diff_lines(stage.before, stage.paper.documents())
        sys.stdout.buffer.write("".join(lines).encode())
    elif args.json:
        print_json([result for _done, result in rehearsed])
    else:
        for _done, result in rehearsed:
            print_result(result, stage.paper.name)
        show("nothing was changed")


def _act(change: Change) -> Act:
    """Give what makes a change."""
    device, values, to = change.device, dict(change.values), change.to
    if change.action == "remove":
        return lambda hotplug, _port: hotplug.remove(change.kind, change.which)
    if change.action == "add" and device is not None:
        return lambda hotplug, _port: _add(hotplug, device, change.index)
    if isinstance(device, Disk):
        return lambda hotplug, _port: hotplug.become_disk(device)
    if isinstance(device, Nic):
        return lambda hotplug, _port: hotplug.become_nic(device)
    if change.kind == "disk":
        return lambda hotplug, _port: (
            hotplug.modify_disk(change.which, **values) if to is None else hotplug.switch(change.which, to)
        )
    return lambda hotplug, _port: hotplug.modify_nic(change.which, **values)


def _add(hotplug: Hotplug, device: Disk | Nic, index: int | None) -> Done:
    """Add a device. Raises GanetiDataError for a place behind the end of Ganeti's list."""
    word = "disks" if isinstance(device, Disk) else "nics"
    count = len(getattr(hotplug.read(), word))
    if index is not None and index > count:
        raise GanetiDataError(f"expected a place from 0 to {count}, found {index}", at=word)
    if isinstance(device, Disk):
        return hotplug.add_disk(device, index=index)
    return hotplug.add_nic(device, index=index)


def _resize(args: argparse.Namespace) -> Job:
    size = parse_size(args.size.removeprefix("+"), "SIZE")
    is_added = args.size.startswith("+")

    def act(hotplug: Hotplug, port: HotplugPort) -> Done:
        return hotplug.resize(args.disk, size + (_size_now(hotplug, port, args.disk) if is_added else 0))

    return Job("resize", "disk", args.disk, act)


def _size_now(hotplug: Hotplug, port: HotplugPort, which: str) -> int:
    entry = find(hotplug.read(), "disk", which)
    if entry.info.target is None:
        raise UnsupportedError("only a disk with a target can be resized", at=entry.at)
    return port.disk_size(entry.info.target)


def _media(args: argparse.Namespace) -> Job:
    if bool(args.file) == args.eject:
        raise UsageError("expected either FILE or --eject")
    medium = None if args.eject else _medium(args.target, args.file)
    return Job(
        "media", "disk", args.target, lambda hotplug, _port: hotplug.change_medium(args.target, medium)
    )


def _medium(target: str, path: str) -> DomainDisk:
    """Give a medium in a drive; a device of the host starts with /dev/. Raises UsageError."""
    if not path.startswith("/"):
        raise UsageError(f"FILE: expected an absolute path on the domain's host, found {path!r}")
    kind, source = (
        ("block", DiskSource(dev=path)) if path.startswith("/dev/") else ("file", DiskSource(file=path))
    )
    return DomainDisk(type=kind, driver_name="qemu", driver_type="raw", source=source, target=target)
