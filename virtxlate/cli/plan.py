"""``virtxlate plan`` and ``apply``: a domain's disks and NICs become those of its instance."""

from __future__ import annotations

import argparse
from typing import Any

import msgspec

from virtxlate.cli import show
from virtxlate.cli.domain import Stage, connected, find_domain, is_only_shown, read_hvparams, read_options
from virtxlate.cli.hotplug import show_only
from virtxlate.cli.inputs import read_context, read_instance, read_source, runtime_path
from virtxlate.cli.results import Result, print_json, print_losses, print_result, result_of
from virtxlate.errors import DomainNotFoundError
from virtxlate.ganeti.model import Instance
from virtxlate.hotplug.engine import Done
from virtxlate.hotplug.session import Hotplug
from virtxlate.hotplug.steps import to_dict
from virtxlate.hotplug.whole import Group, WholePlan
from virtxlate.live.port import HotplugHost, HotplugPort
from virtxlate.report import Report


def run(args: argparse.Namespace) -> int:
    """Plan or apply, and give the exit code."""
    hvparams, report = read_hvparams(args), Report()
    read_options(args)
    instance = read_instance(read_source(args), args.instance, args, report)
    if hvparams:
        changed = msgspec.structs.replace(instance.hvparams, **hvparams)
        instance = msgspec.structs.replace(instance, hvparams=changed)
    with connected(args.connect, read_only=args.verb == "plan" or is_only_shown(args)) as host:
        if args.libvirt_version is None:
            args.libvirt_version = host.version()
        port = _find(host, instance)
        if args.verb == "plan":
            return _plan(args, port, instance)
        return _apply(args, port, instance, report)


def _find(host: HotplugHost, instance: Instance) -> HotplugPort:
    try:
        return find_domain(host, instance.uuid)
    except DomainNotFoundError:
        return find_domain(host, instance.name)


def _plan(args: argparse.Namespace, port: HotplugPort, instance: Instance) -> int:
    hotplug = Hotplug(port, context=read_context(args), options=read_options(args))
    whole = _checked(args, hotplug.plan(instance, prune=args.prune))
    print_losses(whole.losses, port.name)
    if args.json:
        print_json(
            {
                "domain": port.name,
                "steps": [to_dict(step) for step in whole.steps],
                "notes": whole.notes,
                "losses": whole.losses,
            }
        )
    else:
        for number, step in enumerate(whole.steps, start=1):
            show(f"{number}. {to_dict(step)['line']}")
        for note in whole.notes:
            show(f"note: {note}")
        show(f"{port.name}: {len(whole.steps)} steps" if whole.steps else f"{port.name}: nothing to do")
    return 1 if whole.groups else 0


def _checked(args: argparse.Namespace, whole: WholePlan) -> WholePlan:
    """Give the plan, unless a loss is to be an error. Raises UnsupportedError."""
    report = Report()
    report.extend(whole.losses)
    report.raise_if(strict=args.strict)
    return whole


def _apply(args: argparse.Namespace, port: HotplugPort, instance: Instance, report: Report) -> int:
    path = runtime_path(args.runtime, instance.name)
    runtime = None if path is None else str(path)
    stage = Stage(args, port, read_context(args), hvparams={}, runtime=runtime)
    _checked(args, stage.rehearsal.plan(instance, prune=args.prune))
    rehearsed: list[tuple[Done, Result]] = []
    on_paper = stage.rehearsal.apply(
        instance, prune=args.prune, heard=lambda group, done: rehearsed.append((done, _result(group, done)))
    )
    print_losses((*report.losses, *on_paper.losses), port.name)
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
        _print_end(done, port.name)
    return 0


def _result(group: Group, done: Done) -> Result:
    words: dict[Any, str] = {True: "remove", False: "add"}
    action = words[group.wanted is None]
    if group.wanted is not None and not _comes_only(done):
        action = "modify"
    return result_of(action, group.kind, done, {})


def _comes_only(done: Done) -> bool:
    """Tell whether a device came that was not there."""
    actions = {to_dict(step)["action"] for step in done.steps}
    return "attach" in actions and "detach" not in actions


def _print_end(done: Done, name: str) -> None:
    for note in done.notes:
        show(f"note: {note}")
    if not done.steps:
        show(f"{name}: nothing to do")
