"""A running instance as a whole domain: made of what QEMU says, with what only Ganeti's data knows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import msgspec

from virtxlate.domain import model as domain
from virtxlate.domain import settings
from virtxlate.ganeti.model import Instance
from virtxlate.ganeti.wire import check_name
from virtxlate.hardware.facts import Facts
from virtxlate.report import Report, Severity
from virtxlate.tables.cpu import CPU_FEATURES, CPU_MODELS, CPU_MODES, CPU_POLICIES, DEFAULT_CPU
from virtxlate.tables.machine import CLOCKS, REBOOT_BEHAVIORS
from virtxlate.tables.running import EMPTY_FLOPPY, FLOPPIES
from virtxlate.translate import cpu
from virtxlate.translate import instance as instances
from virtxlate.translate.context import Context
from virtxlate.translate.cpu import CPU_OPTION
from virtxlate.translate.machine import SYSINFO
from virtxlate.translate.running import devices, disks, interfaces
from virtxlate.translate.running.facts import Running, machine_word, of_kind
from virtxlate.translate.running.words import smbios, smbios_of, sysinfo, unsaid

_KIB = 1024
_LOCALTIME, _NO_REBOOT = "base=localtime", "-no-reboot"
_ARCH = "x86_64"
_JSON_DRIVER = re.compile(r'"driver"\s*:\s*"([^"]+)"')


def to_domain(running: Running, context: Context, report: Report) -> domain.Domain:
    """Give the domain that reproduces a running QEMU; what it cannot carry is reported.

    Places, media, memory and CPU are those of QEMU; networks, pinning and what the next start needs are those
    of Ganeti's data, where there is any.

    Raises GanetiDataError, UnsupportedError, PlacementError, MapError; each says where.
    """
    facts = running.facts
    word = machine_word(facts)
    context = msgspec.structs.replace(context, domain_type="kvm" if facts.kvm else "qemu")
    base = _base(running, context, report)
    made = msgspec.structs.replace(
        base,
        name=check_name(facts.name),
        uuid=facts.machine.uuid,
        memory=domain.Memory(value=facts.machine.memory // _KIB, unit="KiB"),
        current_memory=domain.Memory(value=facts.machine.memory // _KIB, unit="KiB"),
        vcpus=facts.machine.topology.get("cpus", len(facts.machine.cpus)),
        os=_os(facts, base, word),
        acpi=facts.machine.properties.get("acpi") != "off",
        cpu=_cpu(running, base, report),
        devices=_devices(running, base, context, report),
    )
    _report_unsaid(running, base, report)
    return msgspec.structs.replace(made, qemu_override=_overrides(running, made.devices))


def _base(running: Running, context: Context, report: Report) -> domain.Domain:
    """Give what Ganeti's data alone would make of it, or a domain of nothing."""
    if running.instance is not None:
        return instances.to_domain(_with_port(running.instance, running.facts), context, report)
    command = running.command
    if not command:
        for path in ("clock", "on_reboot"):
            report.lose(path, None, "QMP does not tell it: the usual is taken")
    told = sysinfo(command)
    return domain.Domain(
        type=context.domain_type,
        name="",
        memory=domain.Memory(value=0),
        os=domain.Os(smbios_mode=None if told is None else SYSINFO),
        sysinfo=told,
        clock_offset=CLOCKS.right(_LOCALTIME in command),
        on_poweroff="destroy",
        on_reboot=REBOOT_BEHAVIORS.right("exit" if _NO_REBOOT in command else "reboot"),
        on_crash="destroy",
    )


def _with_port(instance: Instance, facts: Facts) -> Instance:
    """Give the instance with the port at which its display listens, which a runtime file does not tell."""
    ports = (each.port or each.tls_port for each in facts.displays)
    port = next((port for port in ports if port), None)
    if port is None:
        return instance
    found: Instance = msgspec.structs.replace(instance, network_port=port)
    return found


def _os(facts: Facts, base: domain.Domain, word: str) -> domain.Os:
    """Give the machine, and the kernel that it was given; QEMU still reads it at a reset."""
    own = facts.machine.properties
    kernel: dict[str, Any] = {
        "kernel": own.get("kernel") or None,
        "initrd": own.get("initrd") or None,
        "cmdline": own.get("append") or None,
    }
    if base.os.kernel is not None and kernel["kernel"]:
        kernel = {name: getattr(base.os, name) for name in kernel}
    whole: domain.Os = msgspec.structs.replace(base.os, arch=_ARCH, machine=word, **kernel)
    return whole


def _cpu(running: Running, base: domain.Domain, report: Report) -> domain.Cpu:
    """Give the model and topology that QEMU has in force; where nobody tells its flags, every feature."""
    facts = running.facts
    told = facts.machine.topology
    topology: dict[str, Any] = {
        "sockets": told.get("sockets", 1),
        "dies": told.get("dies", 1),
        "cores": told.get("cores", 1),
        "threads": told.get("threads", 1),
    }
    words = [each.value for each in base.qemu_command_line.arguments] if base.qemu_command_line else []
    if base.cpu is not None and (CPU_OPTION in words or _same_model(facts, base.cpu)):
        kept: domain.Cpu = msgspec.structs.replace(base.cpu, **topology)
        return kept
    told_cpu = _of_command(running.command, facts, topology)
    if told_cpu is not None:
        return told_cpu
    if CPU_MODES.knows_left(facts.cpu_model):
        return domain.Cpu(check="none", mode=CPU_MODES.right(facts.cpu_model), **topology)
    features = tuple(
        settings.CpuFeature(policy=CPU_POLICIES.right("+" if is_on else "-"), name=name)
        for name, is_on in sorted(facts.cpu_features.items())
        if name in CPU_FEATURES
    )
    if facts.cpu_model not in CPU_MODELS:
        reason = "libvirt does not know this model: give the runtime file too"
        report.lose("cpu.model", facts.cpu_model, reason, Severity.GUEST_VISIBLE)
    return domain.Cpu(
        mode="custom",
        match="exact",
        check="none",
        model=facts.cpu_model,
        fallback="forbid",
        features=features,
        **topology,
    )


def _of_command(command: tuple[str, ...], facts: Facts, topology: dict[str, Any]) -> domain.Cpu | None:
    """Give the CPU in the words that QEMU was started with; None where nobody knows."""
    if not command:
        return None
    words = dict(pairwise(command))
    word = words.get(CPU_OPTION, DEFAULT_CPU)
    found = cpu.known(domain.Cpu(check="none", **topology), word)
    return found if found is not None and _same_model(facts, found) else None


def _same_model(facts: Facts, found: domain.Cpu) -> bool:
    if found.mode is not None and CPU_MODES.knows_right(found.mode):
        return facts.cpu_model in {CPU_MODES.left(found.mode), "max"}
    return found.model == facts.cpu_model


def _devices(running: Running, base: domain.Domain, context: Context, report: Report) -> domain.Devices:
    given = base.devices
    devices.report_unknown(running, _told(base), report)
    return domain.Devices(
        emulator=given.emulator,
        disks=disks.to_domain(running, given.disks, context, report),
        controllers=devices.controllers(running),
        interfaces=interfaces.to_domain(running, given.interfaces, context, report),
        hostdevs=given.hostdevs,
        serials=devices.serials(running, report),
        parallels=devices.parallels(running),
        consoles=devices.consoles(running),
        channels=devices.channels(running, report),
        inputs=devices.inputs(running),
        graphics=devices.graphics(running, given.graphics, report),
        sounds=devices.sounds(running),
        videos=devices.videos(running),
        hubs=devices.hubs(running),
        memballoon=devices.memballoon(running),
        rngs=devices.rngs(running, given.rngs, report),
        watchdogs=devices.watchdogs(running, given.watchdogs, report),
    )


def _told(base: domain.Domain) -> dict[str, str]:
    """Give the drivers that are asked for by words for QEMU, JSON or not."""
    words = [each.value for each in base.qemu_command_line.arguments] if base.qemu_command_line else []
    drivers = ((_JSON_DRIVER.search(word), word) for word in words)
    return {found[1] if found else word.partition(",")[0]: word for found, word in drivers}


def _report_unsaid(running: Running, base: domain.Domain, report: Report) -> None:
    """Report what the running QEMU has and a domain of Ganeti's never has."""
    for each in unsaid(running.command, base):
        reason = "QMP does not tell what this option of the running QEMU does: the domain is without it"
        report.lose("command", each, reason, Severity.GUEST_VISIBLE)
    if running.command and smbios(running.command) != smbios_of(base):
        reason = "the words for SMBIOS of the running QEMU are not those of Ganeti's data: these are taken"
        report.lose("sysinfo", None, reason, Severity.GUEST_VISIBLE)
    if running.facts.plugged_memory:
        reason = "memory that was plugged in while the guest ran has no element here"
        report.lose("memory.plugged", running.facts.plugged_memory, reason, Severity.GUEST_VISIBLE)


_SCSI_ALIAS = "scsi{0.controller}-{0.bus}-{0.target}-{0.unit}"


def _overrides(running: Running, made: domain.Devices) -> settings.QemuOverride | None:
    """Give the properties that QEMU has otherwise than libvirt would make them."""
    found = (
        *_of_scsi_disks(running, made),
        *_of_floppies(running, made),
        *_of_video(running),
        *_of_scsi_controllers(running),
    )
    return settings.QemuOverride(devices=found) if found else None


def _of_scsi_disks(running: Running, made: domain.Devices) -> Iterator[settings.DeviceOverride]:
    addresses = {each.address: each for each in made.disks if each.bus == "scsi" and each.device != "lun"}
    for device, row in of_kind(running.facts, "disk"):
        if row.bus != "scsi" or row.model == "lun":
            continue
        address = disks.scsi_address(running, device)
        disk = addresses.get(address)
        if disk is None:
            continue
        alias = disk.alias or _SCSI_ALIAS.format(address)
        name = device.properties.get("device_id", "")
        kind, value = ("string", name) if name else ("remove", None)
        yield settings.DeviceOverride(alias=alias, name="device_id", type=kind, value=value)


def _of_floppies(running: Running, made: domain.Devices) -> Iterator[settings.DeviceOverride]:
    """Give the type of a floppy drive that QEMU would not choose again: it goes by its disk at the start."""
    drives = {each.address: each for each in made.disks if each.bus == "fdc"}
    held = disks.media(running)
    for device, row in of_kind(running.facts, "disk"):
        found = device.properties.get("drive-type")
        address = disks.floppy_address(device) if row.bus == "fdc" else None
        if found is None or address is None or address not in drives:
            continue
        medium = held[row.bus, address]
        if found != (EMPTY_FLOPPY if medium is None else FLOPPIES.get(medium.size)):
            alias = drives[address].alias or f"fdc0-0-{address.unit}"
            yield settings.DeviceOverride(alias=alias, name="drive-type", type="string", value=found)


def _of_video(running: Running) -> Iterator[settings.DeviceOverride]:
    for device, row in of_kind(running.facts, "video"):
        if row.model != "qxl":
            continue
        outputs = device.properties.get("max_outputs", "0")
        yield settings.DeviceOverride(alias="video0", name="max_outputs", type="unsigned", value=outputs)
        size = device.properties.get("vram64_size_mb", "")
        kind, value = ("unsigned", size) if size.isdecimal() and size != _NO_SIZE else ("remove", None)
        yield settings.DeviceOverride(alias="video0", name="vram64_size_mb", type=kind, value=value)


_NO_SIZE = str(0xFFFFFFFF)


def _of_scsi_controllers(running: Running) -> Iterator[settings.DeviceOverride]:
    for index, device in enumerate(disks.scsi_controllers(running)):
        if device.driver == "dc390":
            yield settings.DeviceOverride(alias=f"scsi{index}", name="driver", type="string", value="dc390")
