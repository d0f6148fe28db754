"""From arguments to a domain of a connection, and to how its devices are changed."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from virtxlate.cli import complain
from virtxlate.cli.device_words import parse_pairs
from virtxlate.cli.inputs import named
from virtxlate.cli.runtime import read_tree, write_tree
from virtxlate.errors import DomainNotFoundError, GanetiDataError, UsageError
from virtxlate.ganeti.decode import split_message
from virtxlate.ganeti.params import HvParams
from virtxlate.hotplug.engine import Follower, Options
from virtxlate.hotplug.rehearsal import Rehearsal
from virtxlate.hotplug.session import Hotplug
from virtxlate.live.port import HotplugHost, HotplugPort
from virtxlate.report import Loss, Report
from virtxlate.translate.context import Context
from virtxlate.translate.runtime import live_runtime

if TYPE_CHECKING:
    from virtxlate.ganeti.runtime_tree import RuntimeTree

_HVPARAMS = "-H"


def find_domain(host: HotplugHost, which: str) -> HotplugPort:
    """Give the domain of that id, uuid or name. Raises DomainNotFoundError, LiveError."""
    found = host.domain(which)
    if found is None:
        raise DomainNotFoundError(f"no domain {which!r} on this connection", call="lookup")
    return found


def is_only_shown(args: argparse.Namespace) -> bool:
    """Tell whether nothing is to be changed."""
    return bool(args.dry_run or args.print_xml or args.print_diff)


def read_options(args: argparse.Namespace) -> Options:
    """Give how changes are made. Raises UsageError."""
    if args.current and (args.live or args.config):
        raise UsageError("--current: it is --live or --config, as the domain is: give it alone")
    live = True if args.live else None
    if "timeout" not in args:
        return Options(live=live, config=args.config)
    return Options(live=live, config=args.config, timeout=args.timeout, force=args.force, uri=args.connect)


def read_hvparams(args: argparse.Namespace) -> dict[str, Any]:
    """Give the hvparams of ``-H``, typed. Raises UsageError."""
    kinds = {field.name: field.type for field in msgspec.structs.fields(HvParams)}
    values: dict[str, Any] = {}
    for name, text in parse_pairs(args.hypervisor_parameters, _HVPARAMS).items():
        if name not in kinds:
            raise UsageError(f"{_HVPARAMS}: no hypervisor parameter is called {name!r}")
        try:
            values[name] = msgspec.convert(text, kinds[name], strict=False)
        except msgspec.ValidationError as exc:
            message = split_message(str(exc))[0].partition(", got")[0]
            raise UsageError(f"{_HVPARAMS}: {name}: {message}, found {text!r}") from None
    return values


def on_paper(
    paper: Rehearsal,
    context: Context,
    options: Options,
    hvparams: Mapping[str, Any] | None = None,
    follower: Follower | None = None,
) -> Hotplug:
    """Give what changes a domain on paper: it locks nobody out."""
    return Hotplug(
        paper,
        context=context,
        options=options,
        hvparams=hvparams,
        lock=lambda _uuid, **_patience: nullcontext(),
        follower=follower,
    )


class Stage:
    """A domain, tried on paper first: what cannot be done is told before anything is."""

    def __init__(
        self,
        args: argparse.Namespace,
        port: HotplugPort,
        context: Context,
        *,
        hvparams: Mapping[str, Any],
        runtime: str | None,
    ) -> None:
        self.paper = Rehearsal(port)
        self.before = self.paper.documents()
        options = read_options(args)
        self._runtime, self._context = runtime, context
        self._told: list[Loss] = []
        self.rehearsal = on_paper(
            self.paper, context, options, hvparams, None if runtime is None else self._try_runtime
        )
        self.hotplug = Hotplug(
            port,
            context=context,
            options=options,
            hvparams=hvparams,
            follower=None if runtime is None else self._write_runtime,
        )

    def _try_runtime(self, xml: str) -> None:
        self._tree(xml, Report())

    def _write_runtime(self, xml: str) -> None:
        report = Report()
        write_tree(self._runtime, self._tree(xml, report), keep=True)
        for loss in dict.fromkeys(report.losses):
            if loss not in self._told:
                complain(f"loss: {self._runtime}: {loss}")
                self._told.append(loss)

    def _tree(self, xml: str, report: Report) -> RuntimeTree:
        """Give the runtime file of a live domain. Raises GanetiDataError, UnsupportedError."""
        path = str(self._runtime)
        base = read_tree(path) if Path(path).exists() else None
        try:
            return live_runtime(xml, self._context, report, base=base)
        except GanetiDataError as exc:
            raise named(exc, path) from None
