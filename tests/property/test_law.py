"""The law: there and back is the identity with metadata, and without it nothing changes in silence."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from tests.golden.law import differences, uncovered
from tests.strategies import ODD_VLANS, SCSI_DEVICES, partly_placed, patient
from virtxlate import Context, Renames, Report, format_domain, parse_domain, place, to_domain, to_ganeti
from virtxlate.domain import model as domain
from virtxlate.ganeti.model import Instance

SECRET = "11111111-2222-4333-8444-555555555555"
INITIATORS = {"iqn.2026-01.com.example:san": "iqn.2026-01.com.example:vm1"}
MAP = {"secrets": {"ceph-user": SECRET, "chap": SECRET}}
contexts = st.builds(
    Context,
    domain_type=st.sampled_from(["kvm", "qemu"]),
    disk_paths=st.sampled_from(["device", "link"]),
    libvirt_version=st.just(11_000_000),
    renames=st.builds(Renames, st.sampled_from([MAP, {**MAP, "initiators": INITIATORS}])),
    scsi=st.just(SCSI_DEVICES),
    stable_names=st.booleans(),
)


def through_text(instance: Instance, context: Context, report: Report) -> domain.Domain:
    return parse_domain(format_domain(to_domain(instance, context, report)))


@patient
@given(partly_placed(), contexts)
def test_with_metadata_an_instance_comes_back_whole(instance: Instance, context: Context) -> None:
    report = Report()
    assert to_ganeti(through_text(instance, context, Report()), context, report) == place(instance)
    assert report.losses == ()


@patient
@given(partly_placed(), contexts)
def test_the_way_back_needs_no_map_and_no_version(instance: Instance, context: Context) -> None:
    report = Report()
    assert to_ganeti(through_text(instance, context, Report()), Context(), report) == place(instance)
    assert report.losses == ()


def bare(context: Context) -> Context:
    return msgspec.structs.replace(context, metadata=False)


@patient
@given(partly_placed(), contexts)
def test_without_metadata_every_difference_is_reported(instance: Instance, context: Context) -> None:
    report = Report()
    back = to_ganeti(through_text(instance, bare(context), report), context, report)
    assert uncovered(differences(place(instance), back), report.losses) == []


_HVPARAMS = ("acpi", "kernel_path", "kvm_path", "reboot_behavior", "serial_console", "use_localtime")


def always_told(instance: Instance) -> Iterator[str]:
    """Name the fields that a document tells, whatever the instance is."""
    yield from ("name", "uuid", "beparams.maxmem", "beparams.vcpus")
    yield from (f"hvparams.{name}" for name in _HVPARAMS)
    if instance.nics:
        yield "hvparams.nic_type"
    for index, nic in enumerate(instance.nics):
        yield f"nics[{index}].mac"
        if nic.mode in {"bridged", "openvswitch"}:
            yield from (f"nics[{index}].{name}" for name in ("mode", "link"))
            if nic.vlan not in ODD_VLANS:
                yield f"nics[{index}].vlan"
        if nic.uuid:
            yield f"nics[{index}].hvinfo"
    for index, disk in enumerate(instance.disks):
        if instance.hvparams.disk_type != "scsi-cd":
            yield f"disks[{index}].mode"
        if instance.hvparams.disk_type != "ide" and disk.uuid:
            yield f"disks[{index}].hvinfo"
    if instance.hvparams.disk_type.startswith("scsi") and instance.disks:
        yield "hvparams.scsi_controller_type"


@patient
@given(partly_placed(), contexts)
def test_what_a_document_tells_is_neither_lost_nor_changed(instance: Instance, context: Context) -> None:
    report = Report()
    found = through_text(instance, bare(context), Report())
    changed = differences(place(instance), to_ganeti(found, context, report))
    told = list(always_told(instance))
    assert uncovered(told, report.losses) == told
    assert [path for path in changed if any(path.startswith(name) for name in told)] == []


@patient
@given(partly_placed(), contexts)
def test_disks_and_nics_keep_their_order(instance: Instance, context: Context) -> None:
    found = through_text(instance, bare(context), Report())
    back = to_ganeti(found, context, Report())
    assert [nic.mac for nic in back.nics] == [nic.mac for nic in instance.nics]
    paths = [disk.source and (disk.source.dev or disk.source.file) for disk in found.devices.disks]
    for disk, path in zip(instance.disks, paths, strict=False):
        if disk.template == "plain" and context.disk_paths == "device":
            assert path == f"/dev/{disk.logical_id[0]}/{disk.logical_id[1]}"


@patient
@given(partly_placed(), contexts)
def test_the_same_input_gives_the_same_bytes_and_the_same_losses(
    instance: Instance, context: Context
) -> None:
    one, other = Report(), Report()
    first = format_domain(to_domain(instance, context, one))
    assert format_domain(to_domain(instance, context, other)) == first
    to_ganeti(parse_domain(first), context, one)
    to_ganeti(parse_domain(first), context, other)
    assert one.losses == other.losses
