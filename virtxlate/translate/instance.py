"""A whole instance as a whole domain, and back. The order of the steps is the order of the document."""

from __future__ import annotations

import sys
from typing import Any

import msgspec

from virtxlate.domain import model as domain
from virtxlate.domain import settings
from virtxlate.errors import GanetiDataError
from virtxlate.ganeti.model import Disk, Instance, Nic, template_of
from virtxlate.ganeti.wire import check_name
from virtxlate.report import Loss, Report
from virtxlate.scsi import Asked
from virtxlate.tables.params import UNTRANSLATED
from virtxlate.translate import (
    alike,
    board,
    boot,
    disk,
    extra,
    fixed,
    graphics,
    hostdev,
    iothreads,
    machine,
    metadata,
    nic,
    obeys,
    override,
    peripherals,
    removable,
    security,
    usb,
)
from virtxlate.translate.context import Context
from virtxlate.translate.placing import place
from virtxlate.translate.untranslated import report_untranslated


def to_domain(instance: Instance, context: Context, report: Report) -> domain.Domain:
    """Give the libvirt domain of a Ganeti KVM instance; what it cannot carry is reported.

    Addresses that the instance already has (hvinfo) are kept, the rest is placed as Ganeti would.

    Raises GanetiDataError, UnsupportedError, PlacementError, MapError; each says where.
    """
    check_name(instance.name)
    disk.check_type(instance)
    nic.check_type(instance)
    removable.check_type(instance)
    board.check(instance)
    placed = place(instance)
    _check_aliases(placed)
    report_untranslated(placed, context, report)
    known = context
    context, asked = _listening(context)
    boot.report_boot(placed, report)
    iothreads.report_spread(placed, report)
    above = machine.to_domain(placed, context, report)
    shared = alike.common(placed, context, report)
    devices = _devices(placed, shared.fixed, context, report)
    ciphers = graphics.ciphers(placed, context, report)
    made = domain.Domain(
        type=context.domain_type,
        name=placed.name,
        uuid=placed.uuid or None,
        metadata=metadata.to_text(placed, context, asked.known) if context.metadata else None,
        **above,
        iothreads=iothreads.count(placed) or None,
        os=machine.operating_system(placed, shared.fixed.extra, report),
        sysinfo=shared.fixed.extra.sysinfo,
        cpu=shared.cpu,
        devices=devices,
        seclabels=security.to_domain(placed, context, report),
        qemu_command_line=_command_line((*shared.cpu_words, *ciphers, *shared.fixed.command_line)),
        qemu_override=override.to_domain(devices, placed, context, report),
    )
    obeys.check(made, placed, known, report)
    return made


def _disks(
    placed: Instance, context: Context, report: Report
) -> tuple[tuple[domain.Disk, ...], tuple[domain.Hostdev, ...]]:
    """Give the disks of an instance: all of them are disks of libvirt, or host devices."""
    indices = range(len(placed.disks))
    if not hostdev.is_hostdev(placed):
        return tuple(disk.to_domain(placed, i, context, report) for i in indices), ()
    hostdev.report_unsaid(placed, report)
    return (), tuple(hostdev.to_domain(placed, i, context, report) for i in indices)


def _listening(context: Context) -> tuple[Context, Asked]:
    """Give the context with a resolver that remembers which devices it was asked for."""
    asked = Asked(context.scsi)
    return (context if context.scsi is None else msgspec.structs.replace(context, scsi=asked)), asked


def _devices(
    placed: Instance, devices: fixed.FixedDevices, context: Context, report: Report
) -> domain.Devices:
    """Give all devices: disks and NICs, and those that do not depend on them."""
    disks, hostdevs = _disks(placed, context, report)
    return domain.Devices(
        emulator=machine.emulator(placed),
        disks=(*disks, *devices.disks),
        controllers=devices.controllers,
        interfaces=tuple(nic.to_domain(placed, i, context, report) for i in range(len(placed.nics))),
        hostdevs=hostdevs,
        serials=machine.serials(placed),
        parallels=devices.parallels,
        consoles=machine.consoles(placed),
        channels=devices.channels,
        inputs=devices.inputs,
        graphics=graphics.to_domain(placed, context, report),
        sounds=devices.sounds,
        videos=devices.videos,
        hubs=devices.hubs,
        memballoon=devices.memballoon,
        rngs=devices.extra.rngs,
        watchdogs=devices.extra.watchdogs,
    )


def _command_line(words: tuple[str, ...]) -> settings.QemuCommandLine | None:
    arguments = tuple(settings.QemuArgument(value=word) for word in words)
    return settings.QemuCommandLine(arguments=arguments) if arguments else None


def _check_aliases(instance: Instance) -> None:
    """Raise GanetiDataError when two devices share an id: three groups of a UUID are not always unique."""
    seen: dict[str, str] = {}
    disks = ((f"disks[{i}]", d.uuid, d.hvinfo) for i, d in enumerate(instance.disks))
    nics = ((f"nics[{i}]", n.uuid, n.hvinfo) for i, n in enumerate(instance.nics))
    for at, uuid, hvinfo in (*disks, *nics):
        if hvinfo is None or not uuid:
            continue
        if hvinfo.id in seen:
            raise GanetiDataError(f"id {hvinfo.id!r} is that of {seen[hvinfo.id]} too", at=at)
        seen[hvinfo.id] = at


def to_ganeti(found: domain.Domain, context: Context, report: Report) -> Instance:
    """Give the Ganeti instance of a libvirt domain.

    With the project's metadata in the domain, everything that the document still says as it was written comes
    back whole, and what an edit of the document brought along is reported; without, what only the metadata
    carried is reported.

    Raises GanetiDataError, UnsupportedError.
    """
    if found.metadata is None:
        return derive(found, context, report)
    payload = metadata.from_text(found.metadata)
    kept, known = payload.instance, _as_written(found, context, payload)
    now, then = Report(), Report()
    told = derive(found, known, now, kept)
    expected = derive(to_domain(kept, known, Report()), known, then, kept)
    disks = metadata.match_devices(told.disks, expected.disks, _disk_key)
    nics = metadata.match_devices(told.nics, expected.nics, _nic_key)
    report.extend(_new_losses(now, then, {"disks": disks, "nics": nics}))
    return _merge(kept, told, expected, disks, nics)


_ANY_VERSION = sys.maxsize


def _as_written(found: domain.Domain, context: Context, payload: metadata.Payload) -> Context:
    """Give the context in which the document was written: it exists, so its libvirt could have it."""
    return msgspec.structs.replace(
        context,
        domain_type="qemu" if found.type == "qemu" else "kvm",
        disk_paths=payload.disk_paths,
        stable_names=payload.stable_names is True,
        untainted=payload.untainted is True,
        scsi=Asked(context.scsi, payload.scsi or ()),
        libvirt_version=_ANY_VERSION,
        renames=context.renames.with_any_secret(),
    )


def _disk_key(one: Disk) -> tuple[Any, ...]:
    return one.template, one.logical_id, one.minor, one.link


def _nic_key(one: Nic) -> str:
    return one.mac


Matches = tuple[int | None, ...]


def _merge(kept: Instance, told: Instance, expected: Instance, disks: Matches, nics: Matches) -> Instance:
    """Give the kept instance with what the document changed, added and took away."""

    def devices(name: str, matches: Matches) -> tuple[Any, ...]:
        before, now, then = (getattr(each, name) for each in (kept, told, expected))
        return tuple(
            device if at is None else metadata.merge(before[at], device, then[at])
            for device, at in zip(now, matches, strict=True)
        )

    merged: Instance = metadata.merge(kept, _without_devices(told), _without_devices(expected))
    own_disks = devices("disks", disks)
    return msgspec.structs.replace(
        merged,
        disks=own_disks,
        nics=devices("nics", nics),
        disk_template=kept.disk_template if own_disks == kept.disks else template_of(own_disks),
    )


def _without_devices(instance: Instance) -> Instance:
    return msgspec.structs.replace(instance, disks=(), nics=(), disk_template="")


def _new_losses(now: Report, then: Report, matches: dict[str, Matches]) -> tuple[Loss, ...]:
    """Give what is lost now, but was not when the document was written: what an edit brought along."""
    known = {(loss.path, loss.reason) for loss in then.losses}
    before = {
        f"{word}[{index}]": f"{word}[{at}]"
        for word, found in matches.items()
        for index, at in enumerate(found)
    }

    def path_then(path: str) -> str:
        head, dot, rest = path.partition(".")
        return before.get(head, head) + dot + rest

    return tuple(loss for loss in now.losses if (path_then(loss.path), loss.reason) not in known)


_NOTHING_KEPT = Instance(name="", uuid="")


def derive(
    found: domain.Domain, context: Context, report: Report, kept: Instance = _NOTHING_KEPT
) -> Instance:
    """Give what the document alone tells; parameters that it does not tell are those of ``kept``.

    Raises UnsupportedError.
    """
    models = fixed.scsi_models(found.devices)
    own = tuple(d for d in found.devices.disks if not fixed.is_fixed(d))
    passed = tuple(each for each in found.devices.hostdevs if hostdev.is_disk(each))
    hostdev.report_others(found.devices.hostdevs, report)
    disks = (
        *(disk.to_ganeti(each, f"disks[{i}]", models, context, report) for i, each in enumerate(own)),
        *(
            hostdev.to_ganeti(each, f"disks[{i}]", models, context, report)
            for i, each in enumerate(passed, len(own))
        ),
    )
    nics = tuple(
        nic.to_ganeti(each, f"nics[{index}]", context, report)
        for index, each in enumerate(found.devices.interfaces)
    )
    hvparams, beparams = machine.to_ganeti(found, kept.beparams, report, cpu_type=kept.hvparams.cpu_type)
    hvparams |= _settings(found, context, report)
    hvparams |= disk.hvparams_to_ganeti(own, disks[: len(own)], passed, report)
    hvparams |= nic.hvparams_to_ganeti(found.devices.interfaces, report)
    override.report_foreign(found, report)
    _report_unknown(report)
    return Instance(
        name=found.name,
        uuid=found.uuid or "",
        hvparams=msgspec.structs.replace(kept.hvparams, **hvparams),
        beparams=beparams,
        oper_ram_mib=machine.oper_ram(found),
        network_port=graphics.network_port(found.devices),
        disks=disks,
        nics=nics,
        disk_template=template_of(disks),
    )


def _settings(found: domain.Domain, context: Context, report: Report) -> dict[str, Any]:
    """Give the hvparams that neither disks nor NICs tell."""
    return {
        **boot.to_ganeti(found, report),
        **fixed.hvparams_to_ganeti(found, report),
        **security.to_ganeti(found, context, report),
        **graphics.to_ganeti(found, context, report),
        **extra.to_ganeti(found, report),
        **iothreads.to_ganeti(found, report),
        **peripherals.to_ganeti(found, report),
        **usb.to_ganeti(found, report),
        **removable.hvparams_to_ganeti(found.devices.disks, context, report),
    }


_METADATA_ONLY = (
    "os",
    "primary_node",
    "admin_state",
    "balloon_first",
    "disk_template",
    "own_hvparams",
    "unknown_hvparams",
    "own_beparams",
    "osparams",
    "network_port",
    "tags",
    "storage_dirs",
    "version",
)
"""Fields of an instance that no libvirt element stands for."""


def _report_unknown(report: Report) -> None:
    """Report what nothing in a document but the metadata tells."""
    for name in _METADATA_ONLY:
        report.lose(name, None, "only the metadata of virtxlate carries it")
    report.lose("hvparams.kvm_pci_reservations", None, "only the metadata of virtxlate carries it")
    for row in UNTRANSLATED:
        report.lose(f"hvparams.{row.name}", None, "only the metadata of virtxlate carries it")
