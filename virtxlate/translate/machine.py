"""The machine: memory, vcpus, what boots, consoles, clock, power; both directions.

Source: Ganeti 3.2 alpha (c35736d8a), lib/hypervisor/hv_kvm/__init__.py:1277-1400, 1573-1577.
"""

from __future__ import annotations

import math
import re
from typing import Any

import msgspec

from virtxlate.domain import model as domain
from virtxlate.errors import DomainXmlError, UnsupportedError
from virtxlate.ganeti.machines import ALIASES, is_pc, qemu_of
from virtxlate.ganeti.model import Instance
from virtxlate.ganeti.params import BeParams
from virtxlate.report import Report, Severity
from virtxlate.tables.machine import (
    ACPI,
    CLOCKS,
    DEFAULT_EMULATOR,
    HOST_EMULATORS,
    HUGE_PAGES_PATH,
    REBOOT_BEHAVIORS,
    SMP_PREFERS_CORES_SINCE,
)
from virtxlate.tables.q35 import WATCHDOG_OF_ITSELF_SINCE, WATCHDOG_SINCE
from virtxlate.translate import cpu
from virtxlate.translate.board import is_q35
from virtxlate.translate.context import Context
from virtxlate.translate.extra import Extra
from virtxlate.translate.terms import carry
from virtxlate.units import KIB_PER_MIB, mib_to_kib, to_kib

_ARCH = "x86_64"
SYSINFO = "sysinfo"
_DEFAULT_MACHINE = "pc"
_OLDEST = (0, 0)
_ROOT = re.compile(r"root=([^ ]*)(?: |\Z)")
_KERNEL_CONSOLE = re.compile(r" console=ttyS0,([0-9]+)\Z", re.ASCII)
SERIAL = domain.Character(type="pty", target_type="isa-serial", target_port=0, target_model="isa-serial")
CONSOLE = domain.Character(type="pty", target_type="serial", target_port=0)


def to_domain(instance: Instance, context: Context, report: Report) -> dict[str, Any]:
    """Give the fields of the domain above its devices. Raises UnsupportedError."""
    hvparams, beparams = instance.hvparams, instance.beparams
    _report_watchdog(instance, context, report)
    if beparams.minmem != beparams.maxmem:
        reason = (
            "libvirt has no lower bound for the balloon, which Ganeti moves where a node is short of memory"
        )
        remedy = f"virsh setmem {instance.name} {beparams.minmem}MiB --live"
        report.lose("beparams.minmem", beparams.minmem, reason, remedy=remedy)
    memory = domain.Memory(value=mib_to_kib(beparams.maxmem), unit="KiB")
    left = min(max(instance.oper_ram_mib or beparams.maxmem, beparams.minmem), beparams.maxmem)
    cpuset, cputune = cpu.pinning(instance)
    return {
        "huge_pages": bool(_mem_path(instance, report)),
        "vcpu_cpuset": cpuset,
        "cputune": cputune,
        "memory": memory,
        "current_memory": domain.Memory(value=mib_to_kib(left), unit="KiB"),
        "vcpus": beparams.vcpus,
        "acpi": ACPI.right(hvparams.acpi),
        "clock_offset": CLOCKS.right(hvparams.use_localtime),
        "on_poweroff": "destroy",
        "on_reboot": carry(REBOOT_BEHAVIORS.right, hvparams.reboot_behavior, "hvparams.reboot_behavior"),
        "on_crash": "destroy",
    }


def _mem_path(instance: Instance, report: Report) -> str:
    path = instance.hvparams.mem_path
    if path not in {"", HUGE_PAGES_PATH}:
        reason = "libvirt takes huge pages from hugetlbfs_mount in qemu.conf, whatever the path"
        remedy = f'in /etc/libvirt/qemu.conf: hugetlbfs_mount = "{path}"'
        report.lose("hvparams.mem_path", path, reason, remedy=remedy)
    return path


def emulator(instance: Instance) -> str | None:
    """Give the emulator when it is a particular one; libvirt chooses the host's own otherwise."""
    path = instance.hvparams.kvm_path
    return None if path == DEFAULT_EMULATOR else path


def serials(instance: Instance) -> tuple[domain.Character, ...]:
    """Give the serial port."""
    return (SERIAL,) if instance.hvparams.serial_console else ()


def consoles(instance: Instance) -> tuple[domain.Character, ...]:
    """Give the console that ``virsh console`` opens: the same serial port."""
    return (CONSOLE,) if instance.hvparams.serial_console else ()


def machine(instance: Instance) -> str:
    """Give the machine type. Raises UnsupportedError for one of which is not known what it has unasked."""
    word = instance.hvparams.machine_version or _DEFAULT_MACHINE
    if not is_pc(word):
        raise UnsupportedError(
            "expected 'pc', 'q35', or a type of a QEMU or an Ubuntu, such as 'pc-i440fx-7.2' and "
            f"'pc-q35-jammy', found {word!r}",
            at="hvparams.machine_version",
        )
    return word


def _report_watchdog(instance: Instance, context: Context, report: Report) -> None:
    """Report that the watchdog on the board of an older q35 is there for a newer libvirt."""
    word = instance.hvparams.machine_version
    older = is_q35(instance) and not is_since(word, WATCHDOG_OF_ITSELF_SINCE)
    if older and context.libvirt_version >= WATCHDOG_SINCE:
        reason = (
            "libvirt since 9.1 has the watchdog on a q35's board reset the guest: under Ganeti nothing "
            "happens where a guest starts it and feeds it no more"
        )
        report.lose("hvparams.machine_version", word, reason, Severity.GUEST_VISIBLE)


def operating_system(instance: Instance, free: Extra, report: Report) -> domain.Os:
    """Give what boots. Raises UnsupportedError for a machine that is not translated."""
    hvparams = instance.hvparams
    told = domain.Os(
        arch=_ARCH,
        machine=machine(instance),
        boot_menu=free.boot_menu,
        smbios_mode=None if free.sysinfo is None else SYSINFO,
    )
    if not hvparams.kernel_path:
        _report_unused_kernel(instance, report)
        return told
    if " " in (hvparams.root_path or ""):
        for field in ("root_path", "kernel_args"):
            reason = "a root_path of two words is one with the arguments behind it"
            report.lose(f"hvparams.{field}", getattr(hvparams, field), reason)
    initrd = hvparams.initrd_path or None
    kernel = {"kernel": hvparams.kernel_path, "initrd": initrd, "cmdline": command_line(instance)}
    whole: domain.Os = msgspec.structs.replace(told, **kernel)
    return whole


def _report_unused_kernel(instance: Instance, report: Report) -> None:
    """Report what only a direct kernel boot would use, where it is set all the same."""
    hvparams = instance.hvparams
    if hvparams.initrd_path:
        report.lose("hvparams.initrd_path", hvparams.initrd_path, "Ganeti ignores it without kernel_path")


def command_line(instance: Instance) -> str:
    """Give the kernel's arguments in Ganeti's order: root, kernel_args, console."""
    hvparams = instance.hvparams
    words = [f"root={hvparams.root_path or ''}", hvparams.kernel_args]
    if hvparams.serial_console:
        words.append(f"console=ttyS0,{hvparams.serial_speed}")
    return " ".join(words)


def topology(instance: Instance) -> tuple[int, int, int]:
    """Give sockets, cores and threads as QEMU completes ``-smp``: one is computed, the others default to 1.

    Raises UnsupportedError when their product is not the number of vcpus: QEMU refuses that too.
    """
    hvparams, vcpus = instance.hvparams, instance.beparams.vcpus
    given = {"sockets": hvparams.cpu_sockets, "cores": hvparams.cpu_cores, "threads": hvparams.cpu_threads}
    cores_first = is_since(machine(instance), SMP_PREFERS_CORES_SINCE)
    first, second = ("cores", "sockets") if cores_first else ("sockets", "cores")
    computed = first if not given[first] else second if not given[second] else "threads"
    given = {name: n if n or name == computed else 1 for name, n in given.items()}
    if not given[computed]:
        given[computed] = vcpus // math.prod(n for name, n in given.items() if name != computed)
    sockets, cores, threads = given["sockets"], given["cores"], given["threads"]
    if sockets * cores * threads != vcpus:
        raise UnsupportedError(
            f"{sockets} sockets x {cores} cores x {threads} threads are not {vcpus} vcpus: QEMU refuses that",
            at="beparams.vcpus",
        )
    return sockets, cores, threads


def is_since(word: str, version: tuple[int, int]) -> bool:
    """Tell whether a machine type is of that QEMU or a newer one; ``pc`` and ``q35`` are the newest."""
    return word in ALIASES or (qemu_of(word) or _OLDEST) >= version


def to_ganeti(
    found: domain.Domain, kept: BeParams, report: Report, *, cpu_type: str = ""
) -> tuple[dict[str, Any], BeParams]:
    """Give the hvparams and beparams that the domain tells above its disks and NICs.

    What it does not tell stays as in ``kept``, and ``cpu_type`` where it may be. Raises UnsupportedError.
    """
    values: dict[str, Any] = {
        "acpi": ACPI.left(found.acpi),
        "machine_version": found.os.machine or "",
        "serial_console": bool(found.devices.serials),
        "use_localtime": carry(CLOCKS.left, found.clock_offset or "utc", "hvparams.use_localtime"),
        "reboot_behavior": carry(
            REBOOT_BEHAVIORS.left, found.on_reboot or "restart", "hvparams.reboot_behavior"
        ),
        "kvm_path": _kvm_path(found, report),
        **_kernel_to_ganeti(found, report),
        **cpu.to_ganeti(found, cpu_type, report),
        "mem_path": HUGE_PAGES_PATH if found.huge_pages else "",
    }
    if found.huge_pages:
        report.lose("hvparams.mem_path", None, "huge pages do not tell the path")
    if found.os.machine == _DEFAULT_MACHINE:
        report.lose("hvparams.machine_version", "pc", "'' and 'pc' mean the same to libvirt")
    for name in ("cpu_sockets", "cpu_cores", "cpu_threads"):
        report.lose(f"hvparams.{name}", None, "a topology does not tell which part of it was set")
    if found.cpu is not None:
        values |= {
            name: getattr(found.cpu, name[4:]) or 0 for name in ("cpu_sockets", "cpu_cores", "cpu_threads")
        }
    return values, _beparams(found, kept, report)


def _kvm_path(found: domain.Domain, report: Report) -> str:
    """Give a particular emulator; libvirt writes the host's own into every domain."""
    path = found.devices.emulator
    if path is not None and path not in HOST_EMULATORS:
        return path
    if path not in {None, DEFAULT_EMULATOR}:
        report.lose("hvparams.kvm_path", path, "libvirt writes it where no emulator was asked for, too")
    return DEFAULT_EMULATOR


def _kernel_to_ganeti(found: domain.Domain, report: Report) -> dict[str, Any]:
    reason = "only a kernel given directly tells it"
    if found.os.kernel is None:
        for name in ("initrd_path", "kernel_args", "root_path", "serial_speed"):
            report.lose(f"hvparams.{name}", None, reason)
        return {"kernel_path": ""}
    cmdline = found.os.cmdline or ""
    values: dict[str, Any] = {"kernel_path": found.os.kernel, "initrd_path": found.os.initrd or ""}
    if found.devices.serials and (match := _KERNEL_CONSOLE.search(cmdline)):
        values["serial_speed"] = int(match[1])
        cmdline = cmdline[: match.start()]
    else:
        report.lose("hvparams.serial_speed", None, "the kernel's arguments name no console")
    if match := _ROOT.match(cmdline):
        values["root_path"] = match[1]
        if not match[1]:
            report.lose("hvparams.root_path", "", "an empty text and null mean the same to the kernel")
        cmdline = cmdline[match.end() :]
    else:
        report.lose("hvparams.root_path", None, "the kernel's arguments do not begin with root=")
    values["kernel_args"] = cmdline
    return values


def oper_ram(found: domain.Domain) -> int | None:
    """Give what the balloon leaves the guest in MiB, None where that is all. Raises DomainXmlError."""
    if found.current_memory is None:
        return None
    left, whole = (_mib(each) for each in (found.current_memory, found.memory))
    return left if 0 < left < whole else None


def _mib(memory: domain.Memory) -> int:
    return -(-_kib(memory) // KIB_PER_MIB)


def _kib(memory: domain.Memory) -> int:
    try:
        return to_kib(memory.value, memory.unit or "KiB")
    except ValueError as exc:
        raise DomainXmlError(str(exc), at="/domain/memory/@unit") from None


def _beparams(found: domain.Domain, kept: BeParams, report: Report) -> BeParams:
    """Give the beparams; minmem stays where it was apart from maxmem, as far as the memory now allows."""
    memory_mib = _mib(found.memory)
    if _kib(found.memory) % KIB_PER_MIB:
        at = "beparams.maxmem"
        report.lose(at, _kib(found.memory), "Ganeti counts whole MiB", Severity.GUEST_VISIBLE)
    for name in ("minmem", "always_failover", "auto_balance", "spindle_use"):
        report.lose(f"beparams.{name}", None, "a domain does not tell it")
    for name, value in (("maxmem", memory_mib), ("vcpus", found.vcpus)):
        if value < 1:
            raise UnsupportedError(f"Ganeti knows no instance with {name} {value}", at=f"beparams.{name}")
    minmem = memory_mib if kept.minmem == kept.maxmem else min(kept.minmem, memory_mib)
    least = max(1, min(minmem, oper_ram(found) or minmem))
    return msgspec.structs.replace(kept, maxmem=memory_mib, minmem=least, vcpus=found.vcpus)
