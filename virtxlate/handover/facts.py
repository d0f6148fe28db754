"""One running instance, read: what its QEMU says, its taps, and what Ganeti's files know of it."""

from __future__ import annotations

from collections.abc import Mapping

from virtxlate.errors import GanetiDataError
from virtxlate.ganeti.command import V3_0, V3_1, V3_2
from virtxlate.ganeti.model import Instance
from virtxlate.ganeti.runtime import Runtime, read_runtime, runtime_instance, with_runtime
from virtxlate.hardware.facts import Facts, Tap
from virtxlate.report import Report
from virtxlate.translate.running.facts import Running


def running(
    facts: Facts,
    *,
    taps: Mapping[str, Tap] | None = None,
    command: tuple[str, ...] = (),
    runtime: bytes | None = None,
    instance: Instance | None = None,
    version: int | None = None,
    report: Report | None = None,
) -> Running:
    """Give all that is known of a running instance.

    ``runtime`` is the runtime file, ``instance`` what the cluster's data says, ``version`` that of the Ganeti
    which started it (default: what its command line looks like). Raises GanetiDataError, also for the runtime
    file of another instance.
    """
    losses = Report() if report is None else report
    whole = instance
    if runtime is not None:
        command = command or tuple(str(word) for word in read_runtime(runtime, Report()).command)
        number = version or (ganeti_version(command) if instance is None else instance.version)
        read = read_runtime(runtime, losses, number)
        _check(read, facts)
        whole = runtime_instance(read, losses, number) if instance is None else with_runtime(instance, read)
    return Running(facts=facts, instance=whole, taps=taps or {}, command=command)


def _check(runtime: Runtime, facts: Facts) -> None:
    """Raise GanetiDataError where the runtime file is not that of this QEMU."""
    told = runtime.option("-uuid")
    if told is not None and told.lower() != facts.machine.uuid:
        raise GanetiDataError(f"expected the runtime file of {facts.machine.uuid}, found that of {told}")


def ganeti_version(command: tuple[str, ...]) -> int:
    """Give the version of the Ganeti that made a command line, as far as it shows: 3.1 where it does not."""
    if any(word.endswith(_DEBUG_THREADS) for word in command):
        return V3_2
    return V3_0 if _DRIVE in command and _NODE not in command else V3_1


_DRIVE, _NODE, _DEBUG_THREADS = "-drive", "-blockdev", ",debug-threads=on"
