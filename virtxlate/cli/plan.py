"""``virtxlate plan`` and ``apply``: a domain's disks and NICs become those of its instance."""

from __future__ import annotations

import argparse
from typing import Any

import msgspec

from virtxlate.cli import show
from virtxlate.cli.connecting import connected
from virtxlate.cli.domain import (
    Stage,
    find_domain,
    is_only_shown,
    on_paper,
    read_hvparams,
    read_options,
)
from virtxlate.cli.hotplug import show_only
from virtxlate.cli.inputs import read_context, read_instance, read_source, runtime_path, take_own_scsi
from virtxlate.cli.results import Result, print_json, print_losses, print_result, result_of
from virtxlate.cli.translate import check_map
from virtxlate.errors import DomainNotFoundError
from virtxlate.ganeti.model import Instance
from virtxlate.hotplug.engine import Done
from virtxlate.hotplug.rehearsal import Rehearsal
from virtxlate.hotplug.steps import to_dict
from virtxlate.hotplug.whole import Group
from virtxlate.live.port import HotplugHost, HotplugPort
from virtxlate.report import Loss, Report
from virtxlate.translate.context import Context


def run(args: argparse.Namespace) -> int:
    """Plan or apply, and give the exit code."""
    hvparams, report = read_hvparams(args), Report()
    read_options(args)
    source = read_source(args)
    instance = read_instance(source, args.instance, args, report)
    if hvparams:
        changed = msgspec.structs.replace(instance.hvparams, **hvparams)
        instance = msgspec.structs.replace(instance, hvparams=changed)
    with connected(args.connect, read_only=args.verb == "plan" or is_only_shown(args)) as host:
        if args.libvirt_version is None:
            args.libvirt_version = host.version()
        take_own_scsi(args, host)
        context = read_context(args)
        check_map(args, context, source)
        port = _find(host, instance)
        if args.verb == "plan":
            return _plan(args, port, instance, context)
        return _apply(args, port, instance, context, report)


def _find(host: HotplugHost, instance: Instance) -> HotplugPort:
    try:
        return find_domain(host, instance.uuid)
    except DomainNotFoundError:
        return find_domain(host, instance.name)


def _plan(args: argparse.Namespace, port: HotplugPort, instance: Instance, context: Context) -> int:
    """Print what ``apply`` would do, step by step: it is done on paper, and each step frees places."""
    forced = msgspec.structs.replace(read_options(args), force=True)
    hotplug = on_paper(Rehearsal(port), context, forced)
    done = hotplug.apply(instance, prune=args.prune)
    check_losses(args, done.losses)
    print_losses(done.losses, port.name)
    steps = [to_dict(step) for step in done.steps]
    if args.json:
        print_json({"domain": port.name, "steps": steps, "notes": done.notes, "losses": done.losses})
    else:
        for number, step in enumerate(steps, start=1):
            show(f"{number}. {step['line']}")
        for note in done.notes:
            show(f"note: {note}")
        count = f"{len(steps)} step{'s' if len(steps) > 1 else ''}"
        show(f"{port.name}: {count if steps else 'nothing to do'}")
    return 1 if steps else 0


def check_losses(args: argparse.Namespace, losses: tuple[Loss, ...]) -> None:
    """Raise UnsupportedError where a loss is to be an error."""
    report = Report()
    report.extend(losses)
    report.raise_if(strict=args.strict)


def _apply(
    args: argparse.Namespace, port: HotplugPort, instance: Instance, context: Context, report: Report
) -> int:
    path = runtime_path(args.runtime, instance.name)
    runtime = None if path is None else str(path)
    stage = Stage(args, port, context, hvparams={}, runtime=runtime)
    rehearsed: list[tuple[Done, Result]] = []
    tried = stage.rehearsal.apply(
        instance, prune=args.prune, heard=lambda group, done: rehearsed.append((done, _result(group, done)))
    )
    check_losses(args, tried.losses)
    print_losses((*report.losses, *tried.losses), port.name)
    if is_only_shown(args):
        show_only(args, stage, rehearsed)
        return 0
    results: list[Result] = []

    def heard(group: Group, done: Done) -> None:
        results.append(_result(group, done))
        if not args.json:
            print_result(results[-1], port.name)

    try:
        done = stage.hotplug.apply(instance, prune=args.prune, heard=heard)
    finally:
        if args.json:
            print_json(results)
    if not args.json:
        _print_end(done, port.name, {note for each in results for note in each.notes})
    return 0


def _result(group: Group, done: Done) -> Result:
    words: dict[Any, str] = {True: "remove", False: "add"}
    action = words[group.wanted is None]
    if group.wanted is not None and not _comes_only(done):
        action = "modify"
    return result_of(action, group.kind, done, which=group.at)


def _comes_only(done: Done) -> bool:
    """Tell whether a device came that was not there."""
    actions = {to_dict(step)["action"] for step in done.steps}
    return "attach" in actions and "detach" not in actions


def _print_end(done: Done, name: str, shown: set[str]) -> None:
    for note in done.notes:
        if note not in shown:
            show(f"note: {note}")
    if not done.steps:
        show(f"{name}: nothing to do")
