"""A whole instance as a whole domain, and back. The order of the steps is the order of the document."""

from __future__ import annotations

from typing import Any

import msgspec

from virtxlate.domain import model as domain
from virtxlate.errors import GanetiDataError
from virtxlate.ganeti.model import Instance, template_of
from virtxlate.ganeti.params import HvParams
from virtxlate.ganeti.wire import check_name
from virtxlate.report import Report, Severity
from virtxlate.tables.params import UNTRANSLATED
from virtxlate.translate import disk, fixed, machine, metadata, nic
from virtxlate.translate.context import Context
from virtxlate.translate.placing import place

_DEFAULT_HVPARAMS = HvParams()


def to_domain(instance: Instance, context: Context, report: Report) -> domain.Domain:
    """Give the libvirt domain of a Ganeti KVM instance; what it cannot carry is reported.

    Addresses that the instance already has (hvinfo) are kept, the rest is placed as Ganeti would.

    Raises GanetiDataError, UnsupportedError, PlacementError, MapError; each says where.
    """
    check_name(instance.name)
    disk.check_type(instance)
    nic.check_type(instance)
    placed = place(instance)
    _check_aliases(placed)
    report_untranslated(placed, report)
    devices = fixed.to_domain(placed, report)
    return domain.Domain(
        type=context.domain_type,
        name=placed.name,
        uuid=placed.uuid or None,
        metadata=metadata.to_text(placed, context) if context.metadata else None,
        **machine.to_domain(placed, report),
        devices=domain.Devices(
            emulator=machine.emulator(placed),
            disks=(
                *(disk.to_domain(placed, i, context, report) for i in range(len(placed.disks))),
                *devices.disks,
            ),
            controllers=devices.controllers,
            interfaces=tuple(nic.to_domain(placed, i, context, report) for i in range(len(placed.nics))),
            serials=machine.serials(placed),
            parallels=devices.parallels,
            consoles=machine.consoles(placed),
            videos=devices.videos,
            memballoon=devices.memballoon,
        ),
    )


def report_untranslated(instance: Instance, report: Report) -> None:
    """Report every hvparam that is set and has no place in the XML."""
    hvparams = instance.hvparams
    if hvparams is _DEFAULT_HVPARAMS:
        return
    for row in UNTRANSLATED:
        value = getattr(hvparams, row.name)
        used = not row.needs or getattr(hvparams, row.needs)
        if used and value != getattr(_DEFAULT_HVPARAMS, row.name):
            report.lose(f"hvparams.{row.name}", value, row.reason, row.severity)
    for name, value in instance.unknown_hvparams.items():
        report.lose(
            f"hvparams.{name}", value, "not a KVM hypervisor parameter that is known", Severity.GUEST_VISIBLE
        )


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
    back whole; without, what only the metadata carried is reported.

    Raises GanetiDataError, UnsupportedError.
    """
    if found.metadata is None:
        return derive(found, context, report)
    payload = metadata.from_text(found.metadata)
    as_written = msgspec.structs.replace(context, disk_paths=payload.disk_paths)
    told = derive(found, as_written, Report())
    expected = derive(to_domain(payload.instance, as_written, Report()), as_written, Report())
    merged = metadata.merge(payload.instance, _without_devices(told), _without_devices(expected))
    return _with_devices(
        merged,
        metadata.merge_devices(payload.instance.disks, told.disks, expected.disks),
        metadata.merge_devices(payload.instance.nics, told.nics, expected.nics),
    )


def _without_devices(instance: Instance) -> Instance:
    return msgspec.structs.replace(instance, disks=(), nics=(), disk_template="")


def _with_devices(instance: Instance, disks: tuple[Any, ...], nics: tuple[Any, ...]) -> Instance:
    return msgspec.structs.replace(instance, disks=disks, nics=nics, disk_template=template_of(disks))


def derive(found: domain.Domain, context: Context, report: Report) -> Instance:
    """Give what the document alone tells, without any metadata. Raises UnsupportedError."""
    models = fixed.scsi_models(found.devices)
    own = tuple(d for d in found.devices.disks if not fixed.is_fixed(d))
    disks = tuple(
        disk.to_ganeti(each, f"disks[{index}]", models, context, report) for index, each in enumerate(own)
    )
    nics = tuple(
        nic.to_ganeti(each, f"nics[{index}]", context, report)
        for index, each in enumerate(found.devices.interfaces)
    )
    hvparams, beparams = machine.to_ganeti(found, report)
    hvparams |= fixed.hvparams_to_ganeti(found.devices, report)
    hvparams |= disk.hvparams_to_ganeti(own, disks, report)
    hvparams |= nic.hvparams_to_ganeti(found.devices.interfaces, report)
    _report_unknown(report)
    return Instance(
        name=found.name,
        uuid=found.uuid or "",
        hvparams=HvParams(**hvparams),
        beparams=beparams,
        disks=disks,
        nics=nics,
        disk_template=template_of(disks),
    )


_METADATA_ONLY = (
    "os",
    "primary_node",
    "admin_state",
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
