"""From arguments to a running instance: which QEMU, how it is asked, and what Ganeti's files know of it."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from virtxlate.cli.inputs import named, parse_ganeti_version, read_bytes, runtime_path
from virtxlate.errors import GanetiDataError, UsageError
from virtxlate.ganeti.model import Instance
from virtxlate.ganeti.source import open_source
from virtxlate.handover.facts import running
from virtxlate.hardware.describe import Ask
from virtxlate.hardware.facts import Facts
from virtxlate.hardware.inspect import inspect
from virtxlate.live.process import GanetiFiles, command_of, files_of, name_of, qmp_socket_of, taps_of
from virtxlate.live.qmp import open_qmp
from virtxlate.report import Report
from virtxlate.translate.running.facts import Running


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where a running QEMU is: its QMP socket, and what was found on the way there."""

    socket: Path
    pid: int | None = None
    files: GanetiFiles | None = None


def find_place(process: str | None, *, qmp: str | None, ctrl_dir: str) -> Place:
    """Give the place of a process (a number), an instance (any other word), or a QMP socket.

    Raises UsageError, InputError for a process that is no QEMU with a QMP socket.
    """
    root = Path(ctrl_dir)
    if process is None:
        if qmp is None:
            raise UsageError("expected a process, an instance, or --qmp SOCKET")
        return Place(socket=Path(qmp))
    if process.isascii() and process.isdecimal():
        pid = int(process)
        words = command_of(pid)
        name = name_of(words)
        files = None if name is None else files_of(name, root)
        return Place(socket=Path(qmp) if qmp else qmp_socket_of(words, process), pid=pid, files=files)
    files = files_of(process, root)
    return Place(socket=Path(qmp) if qmp else files.qmp, files=files)


@contextmanager
def conversation(place: Place) -> Iterator[tuple[Ask, int | None]]:
    """Give a way to ask the QEMU, and its process; held for the time of a ``with``. Raises LiveError."""
    with open_qmp(place.socket) as qmp:
        yield qmp, place.pid or qmp.pid


def read_running(
    place: Place,
    ask: Ask,
    pid: int | None,
    report: Report,
    *,
    runtime: str | None = None,
    source: str | None = None,
    version: int | None = None,
    facts: Facts | None = None,
) -> Running:
    """Give all that is known of the running instance at a place.

    Raises LiveError, InputError, GanetiDataError whose path starts with the runtime file.
    """
    facts = inspect(ask) if facts is None else facts
    path = Path(runtime) if runtime else None
    if path is None and place.files is not None and place.files.runtime.exists():
        path = place.files.runtime
    told = None if source is None else _instance(source, facts.name, version, report)
    try:
        return running(
            facts,
            taps=taps_of(pid, facts.nets, place.files),
            command=_command(pid),
            runtime=None if path is None else path.read_bytes(),
            instance=told,
            version=version,
            report=report,
        )
    except GanetiDataError as exc:
        raise exc if path is None else named(exc, str(path)) from None


def _instance(source: str, name: str, version: int | None, report: Report) -> Instance:
    """Give the instance of that name in the cluster's data. Raises GanetiDataError, which names the file."""
    try:
        return open_source(read_bytes(source), None, version).instance(name, report)
    except GanetiDataError as exc:
        raise named(exc, source) from None


def _command(pid: int | None) -> tuple[str, ...]:
    """Give the words of the process, () where it may not be looked at."""
    try:
        return () if pid is None else command_of(pid)
    except ValueError:
        return ()


def at_socket(args: argparse.Namespace, report: Report) -> Running:
    """Give the running instance of ``translate --from qmp SOCKET``."""
    place = Place(socket=Path(args.source))
    version = parse_ganeti_version(args.ganeti_version)
    with conversation(place) as (ask, pid):
        facts = inspect(ask)
        path = runtime_path(args.runtime, facts.name)
        return read_running(
            place, ask, pid, report, runtime=None if path is None else str(path), version=version, facts=facts
        )


def of_arguments(args: argparse.Namespace, report: Report) -> Running:
    """Give the running instance that the options of ``running_options`` name."""
    place = find_place(args.process, qmp=args.qmp, ctrl_dir=args.ctrl_dir)
    with conversation(place) as (ask, pid):
        return read_running(place, ask, pid, report, runtime=args.runtime, source=args.source)
