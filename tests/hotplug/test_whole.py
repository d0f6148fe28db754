"""Ganeti's wanted devices beside those of a domain: what is planned, done, and left alone."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tests.hotplug.domains import (
    DISK_IDS,
    DISKS,
    NIC_IDS,
    NICS,
    UUID,
    aliases,
    domain_of,
    ganeti,
    hotplug,
    kept,
    places,
)
from tests.hotplug.fake_document import INTERNAL, attribute, refusal
from tests.hotplug.fake_domain import GIB, NEVER, FakeDomain, Fault
from tests.hotplug.happenings import failing, somebody_attaches
from tests.hotplug.test_attach_faults import theirs
from tests.translate.building import disk, nic
from virtxlate.errors import (
    GanetiDataError,
    LiveError,
    OperationRefusedError,
    RemovalPendingError,
    UnsupportedError,
)
from virtxlate.ganeti.model import Instance, template_of
from virtxlate.hotplug.steps import line
from virtxlate.hotplug.whole import WholePlan

BOTH = {"live": True, "config": True}
SCSI = {"disk_type": "scsi-hd", "scsi_controller_type": "virtio-scsi-pci"}


def with_devices(one: Instance, disks: Any = None, nics: Any = None) -> Instance:
    disks = one.disks if disks is None else tuple(disks)
    nics = one.nics if nics is None else tuple(nics)
    return msgspec.structs.replace(one, disks=disks, nics=nics, disk_template=template_of(disks))


def lines(found: Any) -> list[str]:
    return [line(step) for step in found.steps]


# The wanted devices beside two disks and two NICs, and the steps

PLANS: dict[str, tuple[list[Any], list[Any], list[str]]] = {
    "the same": ([0, 1], [0, 1], []),
    "one more of each": (
        [0, 1, 2],
        [0, 1, 2],
        [
            f"attach disk {DISK_IDS[2]} (vdc) at PCI bus 0 slot 0x10",
            f"attach nic {NIC_IDS[2]} (aa:00:00:00:00:02) at PCI bus 0 slot 0x11",
        ],
    ),
    "one less of each": ([0], [1], [f"detach disk {DISK_IDS[1]}", f"detach nic {NIC_IDS[0]}"]),
    "another in its place": (
        [0, 5],
        [0, 5],
        [
            f"detach disk {DISK_IDS[1]}",
            f"detach nic {NIC_IDS[1]}",
            f"attach disk {DISK_IDS[5]} (vdb) at PCI bus 0 slot 0xd",
            f"attach nic {NIC_IDS[5]} (aa:00:00:00:00:05) at PCI bus 0 slot 0xf",
        ],
    ),
    "another bridge": ([0, 1], [0, nic(1, link="br9")], [f"update nic {NIC_IDS[1]}: bridge"]),
    "another MAC": (
        [0, 1],
        [0, nic(1, mac="aa:00:00:00:00:99")],
        [
            f"detach nic {NIC_IDS[1]}",
            f"attach nic {NIC_IDS[1]} (aa:00:00:00:00:99) at PCI bus 0 slot 0xf",
        ],
    ),
    "read-only": (
        [0, disk(1, mode="ro", size_mib=1024)],
        [0, 1],
        [f"detach disk {DISK_IDS[1]}", f"attach disk {DISK_IDS[1]} (vdb) at PCI bus 0 slot 0xd"],
    ),
    "bigger": ([0, disk(1, size_mib=2048)], [0, 1], [f"resize disk {DISK_IDS[1]} to 2147483648 bytes"]),
    "smaller": ([0, disk(1, size_mib=512)], [0, 1], []),
    "what leaves, what changes, what comes": (
        [0, 2],
        [nic(0, link="br9"), 2],
        [
            f"detach disk {DISK_IDS[1]}",
            f"detach nic {NIC_IDS[1]}",
            f"update nic {NIC_IDS[0]}: bridge",
            f"attach disk {DISK_IDS[2]} (vdb) at PCI bus 0 slot 0xd",
            f"attach nic {NIC_IDS[2]} (aa:00:00:00:00:02) at PCI bus 0 slot 0xf",
        ],
    ),
}


@pytest.mark.parametrize(("disks", "nics", "steps"), PLANS.values(), ids=PLANS)
@pytest.mark.parametrize("options", [{}, BOTH], ids=["live", "both"])
def test_a_plan_is_done_and_then_empty(
    disks: list[Any], nics: list[Any], steps: list[str], options: dict[str, Any]
) -> None:
    one = ganeti(2, 2)
    found = domain_of(one)
    wanted = with_devices(
        one,
        [DISKS[each] if isinstance(each, int) else each for each in disks],
        [NICS[each] if isinstance(each, int) else each for each in nics],
    )
    operations = hotplug(found, **options)
    planned = operations.plan(wanted)
    assert (lines(planned), planned.notes, planned.losses) == (steps, (), ())
    assert found.calls == []
    done = operations.apply(wanted)
    assert lines(done) == steps
    assert operations.plan(wanted) == WholePlan(groups=())
    for live in (True, False) if options else (True,):
        assert [each.uuid for each in kept(found, live=live).disks] == [each.uuid for each in wanted.disks]
        assert [each.uuid for each in kept(found, live=live).nics] == [each.uuid for each in wanted.nics]
        one = kept(found, live=live)
        told = [each.hvinfo for each in one.disks] + [each.hvinfo for each in one.nics]
        assert aliases(found, live=live) == sorted(f"ua-{each.id}" for each in told if each is not None)
    if options:
        assert places(found) == places(found, live=False)


@pytest.mark.parametrize("options", [{}, BOTH], ids=["live", "both"])
def test_on_a_full_bus_what_comes_gets_the_place_of_what_leaves(options: dict[str, Any]) -> None:
    disks = [
        disk(0, uuid=f"{n:08x}-9999-4222-8333-444444444444", logical_id=("xenvg", f"v{n}")) for n in range(14)
    ]
    found = domain_of(ganeti(disks[:13], 7))
    wanted = ganeti([*disks[:12], disks[13]], 7)
    steps = [
        "detach disk ua-disk-0000000c-9999-4222",
        "attach disk ua-disk-0000000d-9999-4222 (vdm) at PCI bus 0 slot 0x18",
    ]
    assert lines(hotplug(found, **options).plan(wanted)) == steps
    assert lines(hotplug(found, **options).apply(wanted)) == steps


def test_storage_of_what_left_is_free() -> None:
    found = domain_of(ganeti(2, 1))
    done = hotplug(found).apply(ganeti(1, 0))
    assert done.freed == ("/dev/xenvg/a.disk1", "vnet0")


def test_the_order_in_ganetis_list_follows() -> None:
    one = ganeti(3, 2)
    found = domain_of(one)
    wanted = with_devices(one, reversed(one.disks), reversed(one.nics))
    assert hotplug(found).plan(wanted).steps == ()
    hotplug(found).apply(wanted)
    assert [each.uuid for each in kept(found).disks] == [each.uuid for each in wanted.disks]
    assert found.calls == ["metadata live"]


def test_a_disk_and_its_controller_come_in_order_and_the_second_uses_it() -> None:
    one = ganeti(0, 0, **SCSI)
    found = domain_of(one)
    assert found.live is not None
    found.live.take_out(found.live.devices.find("controller[@type='scsi']"))  # type: ignore[arg-type]
    wanted = with_devices(one, DISKS[:2])
    steps = [
        "add scsi controller 0 (virtio-scsi) at PCI bus 0 slot 0x3",
        f"attach disk {DISK_IDS[0]} (sda) at controller 0 bus 0 target 0 unit 0",
        f"attach disk {DISK_IDS[1]} (sdb) at controller 0 bus 0 target 1 unit 0",
    ]
    assert lines(hotplug(found).plan(wanted)) == steps
    assert lines(hotplug(found).apply(wanted)) == steps


def test_a_place_that_ganeti_already_gave_is_taken() -> None:
    found = domain_of(ganeti(1, 1))
    donor = kept(domain_of(ganeti(5, 5)))
    wanted = with_devices(ganeti(1, 1), (*kept(found).disks, donor.disks[4]), kept(found).nics)
    assert lines(hotplug(found).plan(wanted)) == [f"attach disk {DISK_IDS[4]} (vdb) at PCI bus 0 slot 0x10"]


def test_a_domain_without_metadata_is_matched_by_what_its_devices_tell() -> None:
    one = ganeti(2, 2)
    found = domain_of(one, with_metadata=False)
    assert hotplug(found).plan(one).steps == ()
    hotplug(found).apply(with_devices(one, [*one.disks, DISKS[4]], one.nics[:1]))
    assert aliases(found) == sorted([*DISK_IDS[:2], DISK_IDS[4], NIC_IDS[0]])
    assert not [call for call in found.calls if "metadata" in call]


# What is nobody's, and what waits


def test_what_is_not_ganetis_is_left_alone_and_noted_unless_it_is_to_go() -> None:
    one = ganeti(1, 1)
    found = domain_of(one)
    found.somebody_else_attaches(theirs(0x11))
    planned = hotplug(found).plan(one)
    assert planned == WholePlan(groups=(), notes=("virtio-disk23 is not Ganeti's, and is left alone",))
    assert hotplug(found).apply(one).notes == planned.notes
    assert lines(hotplug(found).plan(one, prune=True)) == ["detach disk virtio-disk23"]
    assert hotplug(found).apply(one, prune=True).freed == ("/vdx.img",)
    assert hotplug(found).plan(one, prune=True) == WholePlan(groups=())


def test_a_foreign_disk_is_never_taken_for_a_new_one_of_ganetis() -> None:
    found = domain_of(ganeti(1, 0))
    found.somebody_else_attaches(theirs(0x11))
    done = hotplug(found).apply(ganeti(2, 0))
    assert lines(done) == [f"attach disk {DISK_IDS[1]} (vdy) at PCI bus 0 slot 0xd"]
    assert done.notes == ("virtio-disk23 is not Ganeti's, and is left alone",)


def test_a_disk_that_only_order_shows_to_be_ganetis_is_not_replaced() -> None:
    one = ganeti(1, 0)
    found = domain_of(one, with_metadata=False)
    assert found.live is not None
    element = found.live.by_alias(DISK_IDS[0])
    assert element is not None
    element.find("alias").set("name", "virtio-disk0")  # type: ignore[union-attr]
    element.find("source").set("dev", "/dev/dm-3")  # type: ignore[union-attr]
    with pytest.raises(GanetiDataError) as caught:
        hotplug(found, force=True).plan(one)
    assert str(caught.value) == "disks[0]: nothing but order shows that it is virtio-disk0"


def test_a_disk_that_was_grown_by_somebody_else_is_not_shrunk() -> None:
    found = domain_of(ganeti(1, 0))
    found.sizes["vda"] = 4 * GIB
    with pytest.raises(OperationRefusedError) as caught:
        hotplug(found).apply(ganeti([disk(0, size_mib=2048)], 0))
    assert str(caught.value) == (
        "resize: disks[0]: it has 4294967296 bytes, and 2147483648 are less: the rest would be lost "
        "(to be forced with --force)"
    )
    assert (found.calls, found.sizes) == ([], {"vda": 4 * GIB})


def test_what_bears_ganetis_id_and_is_not_in_its_list_leaves() -> None:
    one = ganeti(1, 1)
    found = domain_of(one)
    alias = "<alias name='ua-hotdisk-12345678-pci-4'/>"
    found.somebody_else_attaches(theirs(0x11, alias=alias))
    assert lines(hotplug(found).plan(one)) == ["detach disk ua-hotdisk-12345678-pci-4"]


def test_what_comes_from_hvparams_waits_for_the_next_start() -> None:
    found = domain_of(ganeti(1, 1))
    planned = hotplug(found).plan(ganeti(1, 1, disk_cache="none", nic_type="e1000"))
    assert planned.steps == ()
    assert planned.notes == (
        "disks[0]: cache is 'writeback', Ganeti says 'none': that waits for the next start",
        "nics[0]: model is 'virtio', Ganeti says 'e1000': that waits for the next start",
    )


def test_a_link_of_ganetis_and_its_device_are_the_same_disk() -> None:
    found = domain_of(ganeti(1, 0))
    assert found.live is not None
    source = found.live.devices.find("disk/source")
    assert source is not None
    source.set("dev", "/var/run/ganeti/instance-disks/web1.example.com:0")
    assert hotplug(found).plan(ganeti(1, 0)).steps == ()


# Refused, before any call


def test_another_instances_data_is_refused() -> None:
    found = domain_of(ganeti(1, 1))
    other = msgspec.structs.replace(ganeti(1, 1), uuid="11111111-2222-4333-8444-555555555555")
    with pytest.raises(GanetiDataError) as caught:
        hotplug(found).apply(other)
    assert str(caught.value) == f"uuid: expected the data of {UUID}, found that of {other.uuid}"
    assert found.calls == []


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        (ganeti(2, 0), ganeti(0, 0), OperationRefusedError),
        (ganeti(1, 0, disk_type="ide"), ganeti(2, 0, disk_type="ide"), UnsupportedError),
        (ganeti(2, 0, disk_type="ide"), ganeti(1, 0, disk_type="ide"), UnsupportedError),
    ],
)
def test_what_cannot_be_done_to_the_last_step_is_not_begun(
    before: Instance, after: Instance, kind: type[Exception]
) -> None:
    found = domain_of(before)
    with pytest.raises(kind):
        hotplug(found).apply(after)
    assert found.calls == []


# What goes wrong on the way


def test_what_was_done_before_an_error_stays_done_and_the_metadata_tells() -> None:
    one = ganeti(1, 1)
    found = domain_of(one)
    found.let("attach", Fault())
    error = refusal(INTERNAL, "attachDeviceFlags", "no such image")
    found.let("attach", Fault(before=failing(error)))
    wanted = with_devices(one, DISKS[:3], NICS[:2])
    with pytest.raises(LiveError) as caught:
        hotplug(found).apply(wanted)
    assert str(caught.value) == str(error)
    assert aliases(found) == [DISK_IDS[0], DISK_IDS[1], NIC_IDS[0]]
    assert [each.uuid for each in kept(found).disks] == [DISKS[0].uuid, DISKS[1].uuid]
    assert lines(hotplug(found).plan(wanted)) == [
        f"attach disk {DISK_IDS[2]} (vdc) at PCI bus 0 slot 0xf",
        f"attach nic {NIC_IDS[1]} (aa:00:00:00:00:01) at PCI bus 0 slot 0x10",
    ]
    hotplug(found).apply(wanted)
    assert hotplug(found).plan(wanted).steps == ()


def test_a_guest_that_keeps_a_device_stops_the_plan_there() -> None:
    found = domain_of(ganeti(3, 1))
    found.answers[DISK_IDS[2]].extend([NEVER, NEVER, NEVER])
    wanted = ganeti([DISKS[0], DISKS[5]], 1)
    with pytest.raises(RemovalPendingError):
        hotplug(found).apply(wanted)
    assert aliases(found) == [DISK_IDS[0], DISK_IDS[2], NIC_IDS[0]]
    assert [each.uuid for each in kept(found).disks] == [DISKS[0].uuid, DISKS[2].uuid]
    assert found.live is not None
    found.release(DISK_IDS[2])
    hotplug(found).apply(wanted)
    assert hotplug(found).plan(wanted).steps == ()
    assert [each.uuid for each in kept(found).disks] == [DISKS[0].uuid, DISKS[5].uuid]


def test_somebody_who_does_the_same_meanwhile_leaves_nothing_to_do() -> None:
    one = ganeti(1, 0)
    found = domain_of(one)
    wanted = with_devices(one, DISKS[:3])

    def somebody(_domain: FakeDomain) -> None:
        hotplug(found).add_disk(DISKS[2])

    found.let("metadata", Fault(before=somebody))
    hotplug(found).apply(wanted)
    assert sorted(aliases(found)) == list(DISK_IDS[:3])
    assert [each.uuid for each in kept(found).disks] == [each.uuid for each in wanted.disks]


def test_a_slot_that_is_lost_meanwhile_is_found_anew() -> None:
    one = ganeti(1, 0)
    found = domain_of(one)
    found.let("attach", Fault(before=somebody_attaches(theirs(0xD))))
    hotplug(found).apply(with_devices(one, DISKS[:3]))
    assert places(found) == {DISK_IDS[0]: "0:0x0c", DISK_IDS[1]: "0:0x0e", DISK_IDS[2]: "0:0x0f"}


def test_every_device_is_told_when_it_is_done() -> None:
    one = ganeti(2, 1)
    found = domain_of(one)
    heard: list[tuple[str, str, int]] = []
    hotplug(found).apply(
        ganeti([DISKS[0], DISKS[5]], 2),
        heard=lambda group, done: heard.append((group.kind, group.at, len(done.steps))),
    )
    assert heard == [("disk", DISK_IDS[1], 1), ("disk", "disks[1]", 1), ("nic", "nics[1]", 1)]


def test_a_stopped_domain_is_changed_in_its_definition() -> None:
    found = domain_of(ganeti(2, 1, disk_type="ide"), running=False)
    wanted = ganeti(1, 2, disk_type="ide")
    hotplug(found).apply(wanted)
    assert hotplug(found).plan(wanted).steps == ()
    assert {call.rpartition(" ")[2] for call in found.calls} == {"config"}


def test_a_stopped_domains_disk_that_grew_is_known_to_the_metadata_only() -> None:
    found = domain_of(ganeti(1, 0), running=False)
    hotplug(found).apply(ganeti([disk(0, size_mib=2048)], 0))
    assert (found.calls, found.sizes) == (["metadata config"], {})
    assert kept(found, live=False).disks[0].size_mib == 2048


def test_a_grown_disk_is_as_big_as_ganeti_says() -> None:
    found = domain_of(ganeti(1, 0))
    hotplug(found).apply(ganeti([disk(0, size_mib=2048)], 0))
    assert found.sizes == {"vda": 2 * GIB}


def test_names_in_one_document_are_not_those_of_the_other() -> None:
    """Guest and definition disagree on who is vdb: each loses its own, and no other."""
    found = domain_of(ganeti(1, 0))
    hotplug(found).add_disk(DISKS[1])
    hotplug(found, config=True).add_disk(DISKS[2])
    assert found.live is not None
    assert found.config is not None
    assert attribute(found.live.by_alias(DISK_IDS[1]), "target/@dev") == "vdb"  # type: ignore[arg-type]
    assert attribute(found.config.by_alias(DISK_IDS[2]), "target/@dev") == "vdb"  # type: ignore[arg-type]
    hotplug(found, **BOTH).remove("disk", DISK_IDS[1])
    assert aliases(found) == [DISK_IDS[0]]
    assert aliases(found, live=False) == [DISK_IDS[0], DISK_IDS[2]]
