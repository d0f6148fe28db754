"""An edit of a document that carries metadata: just that change comes back, and nothing else."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.strategies import SCSI_DEVICES, macs, partly_placed, patient, tokens
from virtxlate import Context, Renames, Report, format_domain, parse_domain, place, to_domain, to_ganeti
from virtxlate.domain import model as domain
from virtxlate.ganeti.model import Instance, Nic, template_of
from virtxlate.ganeti.words import UNCACHED_TEMPLATES
from virtxlate.translate.fixed import is_fixed

SECRET = "11111111-2222-4333-8444-555555555555"
SECRETS = {"secrets": {"ceph-user": SECRET, "chap": SECRET}}
CONTEXT = Context(libvirt_version=11_000_000, renames=Renames(SECRETS), scsi=SCSI_DEVICES)
quick = settings(patient, max_examples=60)
replace = msgspec.structs.replace
known_instances = partly_placed(known_devices=True)


def written(instance: Instance) -> domain.Domain:
    return parse_domain(format_domain(to_domain(instance, CONTEXT, Report())))


def read_again(found: domain.Domain, report: Report | None = None) -> Instance:
    return to_ganeti(parse_domain(format_domain(found)), Context(), Report() if report is None else report)


def with_devices(found: domain.Domain, **devices: Any) -> domain.Domain:
    return replace(found, devices=replace(found.devices, **devices))


def changed(items: tuple[Any, ...], index: int, **fields: Any) -> tuple[Any, ...]:
    return (*items[:index], replace(items[index], **fields), *items[index + 1 :])


def with_hvparam(instance: Instance, **fields: Any) -> Instance:
    return replace(instance, hvparams=replace(instance.hvparams, **fields))


@quick
@given(known_instances, st.integers(1, 2**20))
def test_memory(instance: Instance, memory_mib: int) -> None:
    memory = domain.Memory(value=memory_mib, unit="MiB")
    before = place(instance)
    together = before.beparams.minmem == before.beparams.maxmem
    minmem = memory_mib if together else min(before.beparams.minmem, memory_mib)
    expected = replace(
        before, beparams=replace(before.beparams, maxmem=memory_mib, minmem=minmem), oper_ram_mib=None
    )
    report = Report()
    edited = replace(written(instance), memory=memory, current_memory=memory)
    assert read_again(edited, report) == expected
    assert report.losses == ()


@quick
@given(known_instances, st.integers(1, 64))
def test_vcpus(instance: Instance, vcpus: int) -> None:
    before = place(instance)
    expected = replace(before, beparams=replace(before.beparams, vcpus=vcpus))
    assert read_again(replace(written(instance), vcpus=vcpus)) == expected


@quick
@given(known_instances, st.sampled_from([("default", "writeback"), ("writethrough", "writethrough")]))
def test_cache(instance: Instance, words: tuple[str, str]) -> None:
    # A host device has no cache.
    assume(instance.disks and instance.hvparams.disk_type != "scsi-generic")
    found = written(instance)
    disks = tuple(disk if is_fixed(disk) else replace(disk, cache=words[1]) for disk in found.devices.disks)
    back = read_again(with_devices(found, disks=disks))
    # Ganeti's writeback is its default.
    meant = "default" if back.hvparams.disk_cache == "writeback" else back.hvparams.disk_cache
    assert with_hvparam(back, disk_cache=meant) == with_hvparam(place(instance), disk_cache=words[0])


@quick
@given(known_instances, macs, st.data())
def test_mac(instance: Instance, mac: str, data: st.DataObject) -> None:
    assume(instance.nics)
    index = data.draw(st.integers(0, len(instance.nics) - 1))
    found = written(instance)
    before = place(instance)
    expected = replace(before, nics=changed(before.nics, index, mac=mac))
    assert (
        read_again(with_devices(found, interfaces=changed(found.devices.interfaces, index, mac=mac)))
        == expected
    )


@quick
@given(known_instances, tokens, st.data())
def test_bridge(instance: Instance, bridge: str, data: st.DataObject) -> None:
    bridged = [index for index, nic in enumerate(instance.nics) if nic.mode in {"bridged", "openvswitch"}]
    assume(bridged)
    index = data.draw(st.sampled_from(bridged))
    found = written(instance)
    before = place(instance)
    expected = replace(before, nics=changed(before.nics, index, link=bridge))
    interfaces = changed(found.devices.interfaces, index, bridge=bridge)
    assert read_again(with_devices(found, interfaces=interfaces)) == expected


NEW_MAC = "02:00:00:00:00:01"


@quick
@given(known_instances)
def test_a_new_interface_is_what_the_document_tells_of_it(instance: Instance) -> None:
    assume(instance.nics)
    found, before, report = written(instance), place(instance), Report()
    new = replace(
        found.devices.interfaces[0],
        type="bridge",
        mac=NEW_MAC,
        bridge="lan",
        virtualport=None,
        vlan=None,
        script=None,
        boot_order=None,
        alias=None,
        address=None,
    )
    back = read_again(with_devices(found, interfaces=(*found.devices.interfaces, new)), report)
    assert back == replace(before, nics=(*before.nics, Nic(mac=NEW_MAC, mode="bridged", link="lan")))
    at = f"nics[{len(before.nics)}]"
    assert {loss.path for loss in report.losses} == {
        f"{at}.{name}" for name in ("uuid", "name", "ip", "network", "netinfo", "hvinfo")
    }


@quick
@given(known_instances, st.data())
def test_an_interface_that_is_gone_is_gone(instance: Instance, data: st.DataObject) -> None:
    assume(instance.nics)
    index = data.draw(st.integers(0, len(instance.nics) - 1))
    found, before = written(instance), place(instance)
    kept = (*found.devices.interfaces[:index], *found.devices.interfaces[index + 1 :])
    expected = replace(before, nics=(*before.nics[:index], *before.nics[index + 1 :]))
    report = Report()
    assert read_again(with_devices(found, interfaces=kept), report) == expected


@quick
@given(known_instances, st.data())
def test_a_disk_that_is_gone_is_gone(instance: Instance, data: st.DataObject) -> None:
    # Where cached and uncached templates are mixed, the disk that tells disk_cache may be the one that goes.
    assume(len({disk.template in UNCACHED_TEMPLATES for disk in instance.disks}) == 1)
    # An IDE disk has no id, and two of one source cannot be told apart.
    assume(instance.hvparams.disk_type != "ide")
    index = data.draw(st.integers(0, len(instance.disks) - 1))
    found, before = written(instance), place(instance)
    disks = (*before.disks[:index], *before.disks[index + 1 :])
    expected = replace(before, disks=disks, disk_template=template_of(disks))
    word = "hostdevs" if instance.hvparams.disk_type == "scsi-generic" else "disks"
    there = getattr(found.devices, word)
    kept = (*there[:index], *there[index + 1 :])
    assert read_again(with_devices(found, **{word: kept})) == expected


@quick
@given(known_instances)
def test_devices_in_another_order_are_the_same_devices(instance: Instance) -> None:
    found, before = written(instance), place(instance)
    interfaces = found.devices.interfaces[::-1]
    back = read_again(with_devices(found, interfaces=interfaces))
    assert back == replace(before, nics=before.nics[::-1])
