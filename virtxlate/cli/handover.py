"""``virtxlate handover``: guests that run in Ganeti's QEMU go on as libvirt domains."""

from __future__ import annotations

import argparse
import signal
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from virtxlate.cli import complain, describe, show
from virtxlate.cli.connecting import connected
from virtxlate.cli.handover_progress import shown_progress
from virtxlate.cli.handover_signals import EXIT_CODE, Interruptions, interruptions
from virtxlate.cli.inputs import read_context, take_own_scsi
from virtxlate.cli.results import print_json, print_losses
from virtxlate.cli.running import Place, find_place, read_running
from virtxlate.domain.document import format_domain, parse_domain
from virtxlate.errors import DomainNotFoundError, InputError, OperationRefusedError, UsageError
from virtxlate.ganeti.runtime import read_runtime
from virtxlate.handover.back import steps_back
from virtxlate.handover.check import Checked, check
from virtxlate.handover.differences import Meaning, fatal, fatal_besides
from virtxlate.handover.ended import kept
from virtxlate.handover.engine import Done, Engine, Tools
from virtxlate.handover.journal import Journal, Record
from virtxlate.handover.look_host import Look
from virtxlate.handover.networks import Connection, connections
from virtxlate.handover.room import with_room
from virtxlate.handover.source import Old
from virtxlate.handover.states import Decision, Wish
from virtxlate.handover.transfer import Limits
from virtxlate.live.process import GanetiFiles, files_of
from virtxlate.live.qmp import open_qmp
from virtxlate.report import Loss, Report
from virtxlate.translate.running.facts import Running
from virtxlate.translate.running.whole import to_domain
from virtxlate.translate.runtime import live_runtime
from virtxlate.translate.runtime_check import compare_runtime

if TYPE_CHECKING:
    from virtxlate.live.connection import LibvirtHost

_MIB = 1 << 20
_DIFFERENCES = 1
_WATCHER = (
    "Ganeti's watcher must leave it alone now: it starts what it finds down (gnt-cluster watcher pause)"
)


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one instance; the shape of the JSON."""

    instance: str
    done: Done | None = None
    checked: Checked | None = None
    steps: tuple[str, ...] = ()
    """Of the way back."""
    losses: tuple[Loss, ...] = ()
    error: str | None = None
    code: int = 0


def run(args: argparse.Namespace) -> int:
    """Hand over, one instance after the other, and give the exit code."""
    names = list(dict.fromkeys(args.instances))
    if args.qmp and len(names) > 1:
        raise UsageError("--qmp: one socket is one instance's")
    if args.runtime and len(names) > 1:
        raise UsageError("--runtime: one file is one instance's")
    if (args.resume or args.abort) and (args.release or args.ifup):
        raise UsageError("--release, --ifup: what the first call was told holds; leave them out")
    results: list[Result] = []
    with connected(args.connect, read_only=False) as host, interruptions() as heard:
        if not (args.to_ganeti or host.is_local()):
            message = f"expected the libvirt of this host, where the guest runs, found {host.uri()}"
            raise UsageError(f"--connect: {message}: give a URI without a host, such as qemu:///system")
        if args.libvirt_version is None:
            args.libvirt_version = host.version()
        take_own_scsi(args, host)
        args.qemu_version = host.emulator_version()
        for name in names:
            results.append(_one(args, host, name, heard))
            if heard.number is not None or (results[-1].code and not args.keep_going):
                break
    _tell(args, names, results)
    if heard.number is not None:
        return EXIT_CODE + heard.number
    return next((each.code for each in results if each.code), 0)


def _one(args: argparse.Namespace, host: LibvirtHost, name: str, heard: Interruptions) -> Result:
    """Give what became of an instance; an error is told at once."""
    heard.begin()
    try:
        if args.to_ganeti:
            result = _way_back(args, host, name)
        elif args.resume or args.abort:
            result = _ended(args, host, name, heard)
        else:
            result = _handed_over(args, host, name, heard)
    except KeyboardInterrupt as exc:
        return _interrupted(name, heard, exc)
    except Exception as exc:  # noqa: BLE001 - the next instance must not suffer from it
        reason, code = describe(exc, traceback=args.traceback)
        reason = "; ".join((reason, *getattr(exc, "__notes__", ())))
        complain(f"error: {name}: {reason}")
        return Result(instance=name, error=reason, code=code)
    if not args.json:
        _show(args, result)
    return result


def _interrupted(name: str, heard: Interruptions, error: KeyboardInterrupt) -> Result:
    """Give what became of an instance, and tell it where somebody may still hear it."""
    notes = getattr(error, "__notes__", None) or (
        kept(Decision.OPEN) if heard.is_begun else "nothing was changed",
    )
    reason = "; ".join((f"interrupted ({heard.name})", *notes))
    with suppress(OSError):  # the terminal may be what was lost
        complain(f"error: {name}: {reason}")
    return Result(instance=name, error=reason, code=EXIT_CODE + (heard.number or signal.SIGINT))


def _way_back(args: argparse.Namespace, host: LibvirtHost, name: str) -> Result:
    """Give the plan of the way back, if Ganeti's files can tell the domain. Raises DomainNotFoundError."""
    domain, report = host.domain(name), Report()
    if domain is None:
        raise DomainNotFoundError(f"there is no domain {name!r}", call="lookup")
    live_runtime(domain.live_xml(), read_context(args), report)
    print_losses(report.losses, domain.name)
    return Result(instance=domain.name, steps=steps_back(domain.name), losses=report.losses)


def _ended(args: argparse.Namespace, host: LibvirtHost, name: str, heard: Interruptions) -> Result:
    """End what was cut short. Raises what Engine.finish raises."""
    journal = Journal(Path(args.state_dir), name)
    record = journal.read()
    files = files_of(name, Path(args.ctrl_dir))
    with Old(Path(record.qmp), open_qmp, record.process) as old:
        tools = Tools(judge=fatal, verify=_verifier(args, files), moment=heard.moment)
        done = Engine(host, old, journal, record, tools).finish(Wish.RESUME if args.resume else Wish.ABORT)
    return _result(done)


def _result(done: Done, losses: tuple[Loss, ...] = ()) -> Result:
    """Give what became of it; somebody must look at what is otherwise than it should be."""
    return Result(
        instance=done.instance, done=done, losses=losses, code=_DIFFERENCES if done.differences else 0
    )


def _handed_over(args: argparse.Namespace, host: LibvirtHost, name: str, heard: Interruptions) -> Result:
    """Check, and hand over if that is wanted and safe. Raises what Engine.hand_over raises."""
    place, report = find_place(name, qmp=args.qmp, ctrl_dir=args.ctrl_dir), Report()
    if place.files is not None:
        Journal(Path(args.state_dir), place.files.name).expect_none()
    with Old(place.socket, open_qmp) as old:
        text, running, checked = _checked(args, host, old, place, report)
        print_losses(report.losses, checked.instance)
        if args.check or args.dry_run:
            code = 0 if checked.is_safe else _DIFFERENCES
            return Result(instance=checked.instance, checked=checked, losses=report.losses, code=code)
        if not checked.is_safe:
            found = "; ".join(str(each) for each in checked.findings if each.meaning is Meaning.FATAL)
            raise OperationRefusedError(f"it would not be safe; nothing was changed: {found}", call="check")
        files = place.files.all() if args.release and place.files is not None else ()
        record = Record(
            instance=checked.instance,
            uuid=running.facts.machine.uuid,
            xml=text,
            qmp=str(place.socket),
            files=tuple(map(str, files)),
            connections=_connections(args, running, text),
        )
        with shown_progress(checked.instance) as shown:
            tools = Tools(
                limits=_limits(args),
                heard=shown,
                judge=fatal_besides(checked.differences),
                verify=_verifier(args, place.files),
                moment=heard.moment,
            )
            journal = Journal(Path(args.state_dir), checked.instance)
            done = Engine(host, old, journal, record, tools).hand_over()
    return _result(done, report.losses)


def _checked(
    args: argparse.Namespace, host: LibvirtHost, old: Old, place: Place, report: Report
) -> tuple[str, Running, Checked]:
    """Give the domain's XML, and what a check says about it."""
    old("query-status")  # the conversation begins here, and tells whose process it is
    pid = place.pid or (old.process.pid if old.process is not None else None)
    running = read_running(place, old, pid, report, runtime=args.runtime, source=args.source)
    if place.files is not None and place.files.name != running.facts.name:
        message = f"expected the QEMU of {place.files.name}, found that of {running.facts.name}"
        raise InputError(message, at=str(place.socket))
    domain = with_room(to_domain(running, read_context(args), report), report, running.facts.version)
    report.raise_if(strict=args.strict)
    text = format_domain(domain)
    with _scratch() as scratch:
        checked = check(
            running,
            text,
            host,
            scratch=scratch,
            uuid=str(uuid.uuid4()),
            surroundings=Look(
                pid=pid,
                ifup=args.ifup,
                live=args.method == "live",
                journal=Journal(Path(args.state_dir), domain.name).trouble(len(text)),
                image=Path(args.state_dir) if args.method == "stop" else None,
            ),
        )
    return text, running, checked


def _verifier(args: argparse.Namespace, files: GanetiFiles | None) -> Callable[[str], tuple[str, ...]]:
    """Give what compares the live XML, hvinfo and all, with the runtime file where there is one.

    The file is read when it comes to it: one that cannot be read must not stand in the way of an end.
    """
    path = Path(args.runtime) if args.runtime else None
    if path is None and files is not None:
        path = files.runtime

    def verify(xml: str) -> tuple[str, ...]:
        if path is None or not path.exists():
            return ()
        runtime = read_runtime(path.read_bytes(), Report())
        return tuple(map(str, compare_runtime(runtime, xml, read_context(args))))

    return verify


def _connections(args: argparse.Namespace, running: Running, text: str) -> tuple[Connection, ...]:
    """Give what connects the taps that libvirt does not. Raises UsageError where nobody can tell it."""
    if args.ifup is None:
        return ()
    if running.instance is None:
        raise UsageError("--ifup: only a runtime file tells the script what it must know; give --runtime")
    return connections(running.instance, parse_domain(text), args.ifup)


@contextmanager
def _scratch() -> Iterator[Path]:
    """Give an empty directory that any QEMU may read, for the throw-away disks of a rehearsal."""
    with tempfile.TemporaryDirectory(prefix="virtxlate-") as folder:
        path = Path(folder)
        path.chmod(0o755)
        yield path


def _limits(args: argparse.Namespace) -> Limits:
    return Limits(
        method=args.method,
        downtime_ms=args.downtime_limit,
        bandwidth=None if args.bandwidth is None else args.bandwidth * _MIB,
        patience_s=float(args.timeout),
    )


def _show(args: argparse.Namespace, result: Result) -> None:
    """Print a result for people."""
    if result.checked is not None:
        _show_check(result.checked)
    for number, step in enumerate(result.steps, 1):
        show(f"{number}. {step}")
    if result.done is None:
        return
    done = result.done
    where = {"libvirt": "runs under libvirt", "ganeti": "runs under Ganeti", "nowhere": "does not run"}
    pause = "" if done.pause_ms is None else f", it stood still for {done.pause_ms:g} ms"
    show(f"{done.instance}: the guest {where[done.runs]} (took {done.seconds:.1f} s{pause})")
    for each in done.differences:
        show(f"  differs {each}")
    for each in done.removed:
        show(f"  removed {each} (a copy is in {args.state_dir})")
    if done.runs == "libvirt":
        show(f"  note    {_WATCHER}")


def _show_check(checked: Checked) -> None:
    for finding in checked.findings:
        show(f"  {finding}")
    if checked.is_safe:
        for step in checked.steps:
            show(f"  would {step}")
    show(f"{checked.instance}: {'it would be safe' if checked.is_safe else 'it would not be safe'}")


def _tell(args: argparse.Namespace, names: list[str], results: list[Result]) -> None:
    """Print the JSON, or for several instances a last line."""
    if args.json:
        print_json(results)
    elif len(names) > 1:
        failed = sum(1 for each in results if each.code)
        left = len(names) - len(results)
        show(f"{len(results) - failed} done, {failed} failed, {left} not tried")
