"""Would a handover be safe? Reads, rehearses, compares, and changes nothing.

Each finding says what it means for the guest, and why. Source of what QEMU refuses, and of what it does not:
measured on QEMU 7.2 and libvirt 9.0.0.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import msgspec

from virtxlate.domain.document import parse_domain
from virtxlate.errors import LiveError, VirtxlateError
from virtxlate.handover import look_host
from virtxlate.handover.differences import Judged, Meaning, judge
from virtxlate.handover.finding import Finding, fatal, harmless
from virtxlate.handover.rehearsal import RehearsalHost, machine_of, prepare
from virtxlate.handover.steps import ACTIONS, WAYS, Way
from virtxlate.hardware.inspect import is_migrating
from virtxlate.live.port import DomainPort
from virtxlate.translate.running.facts import Running

_RUNS = "running"


class CheckHost(RehearsalHost, Protocol):
    """What is asked of libvirt for a check."""

    def find(self, uuid: str, name: str) -> DomainPort | None:
        """Give the domain of that UUID, else of that name, else None. Raises LiveError."""


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """What a check found, and what a handover would do."""

    instance: str
    findings: tuple[Finding, ...]
    differences: tuple[Judged, ...]
    steps: tuple[str, ...]
    rehearsed: bool
    """Whether libvirt started the domain, so that the machines were compared."""

    @property
    def is_safe(self) -> bool:
        """Whether nothing that was found is fatal, and the machines were compared."""
        return self.rehearsed and not any(each.meaning is Meaning.FATAL for each in self.findings)


def check(
    running: Running, text: str, host: CheckHost, *, scratch: Path, uuid: str, surroundings: look_host.Look
) -> Checked:
    """Give what a handover of a running instance into a domain document would meet.

    ``uuid`` is that of the rehearsal, ``scratch`` an empty directory that libvirt's QEMU may read.
    Raises DomainXmlError, UnsupportedError for a document or a drive that cannot be read.
    """
    asked = parse_domain(text, [])
    findings = [
        *_of_qemu(running),
        *(_of_emulation(running) if surroundings.live else ()),
        *_of_libvirt(running, asked.name, asked.uuid or "", host),
        *look_host.findings(running, asked, surroundings),
    ]
    rehearsal = prepare(text, running, uuid=uuid, scratch=scratch)
    findings += [
        fatal("rehearsal", each, "it opens what only one QEMU may have: not rehearsed, and never tried")
        for each in (*rehearsal.left_out, *rehearsal.opens)
    ]
    differences: tuple[Judged, ...] = ()
    rehearsed = False
    try:
        if not rehearsal.opens:
            after, version = machine_of(host, rehearsal, scratch, asked.uuid)
            differences, rehearsed = judge(running.facts.machine, after), True
            findings += _of_version(running.facts.version, version)
    except LiveError as exc:
        findings.append(fatal("rehearsal", asked.name, f"libvirt refuses it: {exc}"))
    findings += [_of_difference(each) for each in differences]
    return Checked(
        instance=running.facts.name,
        findings=tuple(sorted(findings, key=lambda each: _ORDER.index(each.meaning))),
        differences=differences,
        steps=tuple(ACTIONS[name].does for name in WAYS[Way.HANDOVER]),
        rehearsed=rehearsed,
    )


_ORDER = (Meaning.FATAL, Meaning.HARMLESS, Meaning.INVISIBLE)


def _of_difference(judged: Judged) -> Finding:
    silent = "; QEMU itself says nothing" if judged.silent else ""
    return Finding(
        about="difference",
        at=str(judged.difference),
        meaning=judged.meaning,
        reason=f"{judged.reason}{silent}",
    )


def _of_qemu(running: Running) -> Iterator[Finding]:
    """Give what the running QEMU itself has against it."""
    facts = running.facts
    if facts.status != _RUNS:
        yield fatal("status", facts.status, "expected a guest that runs: one that stands still is not moved")
    if is_migrating(facts):
        yield fatal("migration", facts.busy.migration, "a migration is going on")
    for each in facts.busy.blockers:
        yield fatal("migration blocker", each, "QEMU itself refuses to migrate")
    for each in facts.busy.jobs:
        yield fatal("job", each, "it would be lost: let it end, or end it")
    if facts.plugged_memory:
        yield fatal("memory", f"{facts.plugged_memory} bytes", "memory was plugged in: no element has it")
    if facts.balloon is not None and facts.balloon != facts.machine.memory:
        yield harmless(
            "balloon",
            f"{facts.balloon} of {facts.machine.memory} bytes",
            "the balloon stays as it is: libvirt's current memory follows it",
        )
    if facts.kvm:
        yield harmless("kvm", facts.name, "handover under KVM was never tried by us")


def _of_emulation(running: Running) -> Iterator[Finding]:
    """Give what is against sending the memory of a guest that runs: see transfer.expect_whole."""
    cpus = len(running.facts.machine.cpus)
    if running.facts.kvm:
        return
    if cpus > 1:
        reason = "without KVM, QEMU may lose what several CPUs write while it sends: use --method stop"
        yield fatal("method", f"{cpus} CPUs", reason)
    else:
        reason = "without KVM, a guest that needs a second round stays as it is: --downtime-limit 0 has one"
        yield harmless("method", "1 CPU", reason)


def _of_libvirt(running: Running, name: str, uuid: str, host: CheckHost) -> Iterator[Finding]:
    """Give what libvirt has against it."""
    facts = running.facts
    if name != facts.name:
        yield fatal("name", name, f"the running instance is {facts.name!r}")
    if uuid.lower() != facts.machine.uuid:
        yield fatal("uuid", uuid, f"the guest knows its machine as {facts.machine.uuid}")
    try:
        found = host.find(uuid, name)
    except VirtxlateError as exc:
        yield fatal("libvirt", name, str(exc))
        return
    if found is not None and found.is_active():
        yield fatal("domain", found.name, "a domain of that name or UUID runs already")
    elif found is not None and (found.name != name or found.uuid != uuid.lower()):
        yield fatal("domain", found.name, f"it has the name or the UUID, but not both: {found.uuid}")
    elif found is not None:
        yield harmless("domain", found.name, "it is defined already, and would be defined anew")


def _of_version(old: tuple[int, int, int], new: tuple[int, int, int]) -> Iterator[Finding]:
    """Give what the QEMU that libvirt started has against it: a document may name its own."""
    at, before = (".".join(map(str, each)) for each in (new, old))
    if new < old:
        yield fatal("qemu", at, f"older than the running one, {before}: it may not know its state")
    elif new > old:
        reason = f"newer than the running one, {before}: the machine type keeps what the guest sees"
        yield harmless("qemu", at, reason)
