"""The CPU: its model and flags, how vcpus are grouped, and where they run on the host; both directions.

Source: Ganeti 3.2 alpha (c35736d8a), lib/hypervisor/hv_kvm/__init__.py:855-921, 1577; QEMU 7.2 ``-cpu``.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from virtxlate.domain import model as domain
from virtxlate.domain import settings
from virtxlate.errors import UnsupportedError
from virtxlate.ganeti.model import Instance
from virtxlate.report import Report, Severity
from virtxlate.tables.cpu import CPU_FEATURES, CPU_MODELS, CPU_MODES, CPU_POLICIES, DEFAULT_CPU
from virtxlate.translate.context import Context

CPU_OPTION = "-cpu"
_ALL = "all"
_RANGE = r"[0-9]{1,9}(?:-[0-9]{1,9})?"
_CPUS = re.compile(rf"{_RANGE}(?:,{_RANGE})*", re.ASCII)
_STATES = {"on": "+", "true": "+", "yes": "+", "off": "-", "false": "-", "no": "-"}
_EMULATOR = "qemu"
"""libvirt's domain type without KVM."""


def to_domain(
    instance: Instance, topology: tuple[int, int, int], context: Context, report: Report
) -> tuple[domain.Cpu, tuple[str, ...]]:
    """Give the CPU, and words for QEMU where libvirt does not know a model or a flag."""
    word = instance.hvparams.cpu_type
    sockets, cores, threads = topology
    base = domain.Cpu(check="none", sockets=sockets, dies=1, cores=cores, threads=threads)
    found = known(base, word or DEFAULT_CPU)
    if found is not None and found.mode == CPU_MODES.right("host") and context.domain_type == _EMULATOR:
        reason = "the host's CPU needs KVM: the guest gets all that the emulator can"
        report.lose("hvparams.cpu_type", word, reason, Severity.GUEST_VISIBLE)
        return msgspec.structs.replace(found, mode=CPU_MODES.right("max")), ()
    if found is not None:
        return found, ()
    if context.untainted:
        reason = "libvirt does not know a word of it, and QEMU is not told by its own option: it is left out"
        report.lose("hvparams.cpu_type", word, reason, Severity.GUEST_VISIBLE)
        return _nearest(base, word), ()
    reason = "libvirt does not know a word of it: QEMU is told by its own option, which taints the domain"
    report.lose("hvparams.cpu_type", word, reason)
    return _model(base, DEFAULT_CPU, ()), (CPU_OPTION, word)


def _nearest(base: domain.Cpu, text: str) -> domain.Cpu:
    """Give the CPU for the words of a cpu_type that libvirt knows; of a flag that comes twice, the last."""
    first, *flags = text.split(",")
    told = {each.name: each for each in map(_feature, flags) if each is not None}
    words = tuple(told.values())
    if CPU_MODES.knows_left(first):
        return msgspec.structs.replace(base, mode=CPU_MODES.right(first), features=words)
    return _model(base, first if first in CPU_MODELS else DEFAULT_CPU, words)


def known(base: domain.Cpu, text: str) -> domain.Cpu | None:
    """Give the CPU for a cpu_type in words that libvirt knows, else None."""
    first, *flags = text.split(",")
    features = tuple(_feature(flag) for flag in flags)
    told = tuple(each for each in features if each is not None)
    if len(told) != len(features) or len({each.name for each in told}) != len(told):
        return None
    if CPU_MODES.knows_left(first):
        return msgspec.structs.replace(base, mode=CPU_MODES.right(first), features=told)
    return _model(base, first, told) if first in CPU_MODELS else None


def _model(base: domain.Cpu, model: str, features: tuple[settings.CpuFeature, ...]) -> domain.Cpu:
    told = {"mode": "custom", "match": "exact", "fallback": "forbid", "model": model, "features": features}
    whole: domain.Cpu = msgspec.structs.replace(base, **told)
    return whole


def _feature(flag: str) -> settings.CpuFeature | None:
    """Give the feature for ``+pcid``, ``-hle`` or ``pcid=on``; QEMU takes ``_`` for ``-``."""
    sign, name = flag[:1], flag[1:]
    if not CPU_POLICIES.knows_left(sign):
        name, equals, state = flag.partition("=")
        sign = _STATES.get(state, "") if equals else "+"
    known = [each for each in (name, name.replace("_", "-"), name.replace("-", "_")) if each in CPU_FEATURES]
    if not sign or not known:
        return None
    return settings.CpuFeature(policy=CPU_POLICIES.right(sign), name=known[0])


def pinning(instance: Instance) -> tuple[str | None, settings.CpuTune | None]:
    """Give the host CPUs of the whole guest, or of each vcpu.

    Raises UnsupportedError for a mask that Ganeti itself refuses.
    """
    mask, at = instance.hvparams.cpu_mask or _ALL, "hvparams.cpu_mask"
    groups = [group.replace(" ", "") for group in mask.split(":")]
    for group in groups:
        if group != _ALL and not _is_list(group):
            raise UnsupportedError(f"expected 'all' or CPUs such as '0-3,5', found {group!r}", at=at)
    if len(groups) == 1:
        return (None if groups[0] == _ALL else groups[0]), None
    if len(groups) != instance.beparams.vcpus:
        raise UnsupportedError(f"{len(groups)} groups for {instance.beparams.vcpus} vcpus", at=at)
    pins = tuple(
        settings.VcpuPin(vcpu=number, cpuset=group) for number, group in enumerate(groups) if group != _ALL
    )
    return None, settings.CpuTune(pins=pins) if pins else None


def _is_list(text: str) -> bool:
    """Tell whether a text is a list of CPUs; a range that runs backwards is none to Ganeti and libvirt."""
    if not _CPUS.fullmatch(text):
        return False
    ranges = (part.partition("-") for part in text.split(","))
    return all(not dash or int(first) <= int(last) for first, dash, last in ranges)


def to_ganeti(found: domain.Domain, kept: str, report: Report) -> dict[str, Any]:
    """Give the hvparams that the CPU of a domain tells; ``kept`` is the cpu_type that is known of it.

    A running domain has in its XML every flag that its CPU turned out to have, whoever asked for it: where
    the model is that of ``kept``, that is what was asked.
    """
    report.lose("hvparams.cpu_type", None, "the spelling of a CPU and its flags is not kept")
    report.lose("hvparams.cpu_mask", None, "the spelling of a CPU list is not kept")
    return {"cpu_type": _type(found, kept), "cpu_mask": _mask(found)}


_ALL_FLAGS = "full"
"""What libvirt calls a CPU that it has compared with the running one, and completed."""


def _type(found: domain.Domain, kept: str) -> str:
    words = [each.value for each in found.qemu_command_line.arguments] if found.qemu_command_line else []
    if CPU_OPTION in words[:-1]:
        return words[words.index(CPU_OPTION) + 1]
    cpu = found.cpu
    if cpu is None:
        return ""
    mode = cpu.mode or ""
    first = CPU_MODES.left(mode) if CPU_MODES.knows_right(mode) else cpu.model or DEFAULT_CPU
    if cpu.check == _ALL_FLAGS:
        asked = kept.partition(",")[0] or DEFAULT_CPU
        return kept if first == asked else "" if first == DEFAULT_CPU else first
    flags = [CPU_POLICIES.left(each.policy or "require") + each.name for each in cpu.features]
    return "" if first == DEFAULT_CPU and not flags else ",".join((first, *flags))


def _mask(found: domain.Domain) -> str:
    whole = found.vcpu_cpuset or _ALL
    pins = {each.vcpu: each.cpuset for each in found.cputune.pins} if found.cputune else {}
    if not pins:
        return whole
    return ":".join(pins.get(number, whole) for number in range(found.vcpus))
