"""What holds for any devices and any row of operations."""

from __future__ import annotations

from collections import Counter
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from tests.hotplug.domains import (
    DISK_IDS,
    DISKS,
    NIC_IDS,
    NICS,
    aliases,
    domain_of,
    ganeti,
    hotplug,
    kept,
    places,
    q35,
)
from tests.hotplug.fake_document import Document, attribute
from tests.hotplug.fake_domain import NEVER, PROMPT, REFUSES, Answer, FakeDomain
from tests.hotplug.test_attach_faults import theirs
from tests.strategies import patient
from virtxlate.errors import RemovalError, VirtxlateError
from virtxlate.ganeti.model import Instance, template_of
from virtxlate.hotplug.whole import WholePlan
from virtxlate.translate.hvinfo import derive
from virtxlate.translate.runtime import ganeti_hvinfo, read_view

BOTH = {"live": True, "config": True}
numbers = st.lists(st.integers(0, 6), unique=True, max_size=6)
hardware = st.sampled_from(
    [
        {"disk_type": "paravirtual"},
        {"disk_type": "paravirtual", "nic_type": "e1000", "kvm_pci_reservations": 5},
        {"disk_type": "scsi-hd", "scsi_controller_type": "lsi"},
        {"disk_type": "scsi-hd", "scsi_controller_type": "virtio-scsi-pci"},
        {"disk_type": "scsi-hd", "scsi_controller_type": "megasas"},
    ]
)
options = st.sampled_from([{}, BOTH])
answers = st.sampled_from([PROMPT, Answer(after=0), Answer(after=3), Answer(silently=True)])


def wanted(one: Instance, disks: list[int], nics: list[int], links: list[str]) -> Instance:
    """Give the instance with these devices, some of them changed."""
    chosen = tuple(DISKS[number] for number in disks)
    plugged = tuple(msgspec.structs.replace(NICS[number], link=links[number % len(links)]) for number in nics)
    return msgspec.structs.replace(one, disks=chosen, nics=plugged, disk_template=template_of(chosen))


def _place(address: etree._Element) -> tuple[object, ...]:
    """Give what nobody else may hold: a slot, or a place on one kind of drive bus."""
    device = address.getparent()
    assert device is not None
    bus = attribute(device, "target/@bus") if address.get("type") == "drive" else None
    return (address.get("type"), bus, *Document.place(address))


def check(found: FakeDomain, *, both: bool, with_metadata: bool = True) -> None:
    """Check what must always hold: nobody waits, no place is held twice, and everybody tells the same."""
    assert len(found.waiters) == 0
    for document in (found.live, found.config):
        assert document is not None
        held = Counter(_place(address) for address in document.root.iterfind("devices/*/address"))
        assert [place for place, count in held.items() if count > 1] == []
        names = Counter(target.get("dev") for target in document.root.iterfind("devices/disk/target"))
        assert [name for name, count in names.items() if count > 1] == []
    if both:
        assert places(found) == places(found, live=False)
    for live in (True, False) if both and with_metadata else (True,) if with_metadata else ():
        one = kept(found, live=live)
        document = found.live if live else found.config
        assert document is not None
        view = read_view(document.text())
        told = {
            info.alias: ganeti_hvinfo(info, view.scsi_bus)
            for info in derive(view.live)
            if (info.alias or "").startswith(("ua-disk-", "ua-nic-"))
        }
        said = {f"ua-{each.hvinfo.id}": each.hvinfo for each in one.disks if each.hvinfo}
        said |= {f"ua-{each.hvinfo.id}": each.hvinfo for each in one.nics if each.hvinfo}
        assert said == told


@settings(patient, max_examples=30)
@given(
    hardware,
    numbers,
    numbers,
    numbers,
    numbers,
    st.lists(st.sampled_from(["br0", "br9"]), min_size=1),
    options,
    answers,
)
def test_after_apply_the_plan_is_empty(
    hvparams: dict[str, Any],
    disks: list[int],
    nics: list[int],
    more_disks: list[int],
    more_nics: list[int],
    links: list[str],
    how: dict[str, Any],
    answer: Answer,
) -> None:
    first = ganeti([DISKS[number] for number in disks], [NICS[number] for number in nics], **hvparams)
    found = domain_of(first)
    found.somebody_else_attaches(theirs(0x1E), config=True)
    found.answer = answer
    second = wanted(first, more_disks, more_nics, links)
    operations = hotplug(found, force=True, **how)
    operations.apply(second)
    note = "virtio-disk23 is not Ganeti's, and is left alone"
    assert operations.plan(second) == WholePlan(groups=(), notes=(note,))
    check(found, both=bool(how))
    assert [each.uuid for each in kept(found).disks] == [each.uuid for each in second.disks]
    assert [each.uuid for each in kept(found).nics] == [each.uuid for each in second.nics]
    operations.apply(first)
    assert operations.plan(first).steps == ()
    check(found, both=bool(how))


@settings(patient, max_examples=30)
@given(numbers, numbers, numbers, numbers, st.booleans(), options)
def test_after_apply_the_plan_is_empty_on_q35_too(
    disks: list[int],
    nics: list[int],
    more_disks: list[int],
    more_nics: list[int],
    scsi: bool,
    how: dict[str, Any],
) -> None:
    found = q35(13)
    hvparams = {"disk_type": "scsi-hd", "scsi_controller_type": "virtio-scsi-pci"} if scsi else {}
    none = ganeti(0, 0, **hvparams)
    operations = hotplug(found, force=True, hvparams=hvparams, **how)
    for each in (wanted(none, disks, nics, ["br0"]), wanted(none, more_disks, more_nics, ["br9"])):
        operations.apply(each)
        assert operations.plan(each) == WholePlan(groups=())
        check(found, both=bool(how), with_metadata=False)
        assert aliases(found) == sorted(
            [DISK_IDS[int(one.uuid[:8])] for one in each.disks]
            + [NIC_IDS[int(one.uuid[:8])] for one in each.nics]
        )


# Rows of operations

operation = st.one_of(
    st.tuples(st.sampled_from(["add disk", "remove disk", "mode", "size"]), st.integers(0, 3)),
    st.tuples(st.sampled_from(["add nic", "remove nic", "mac", "bridge", "cable"]), st.integers(0, 3)),
    st.tuples(st.just("somebody"), st.integers(0x18, 0x1F)),
)


def do(found: FakeDomain, how: dict[str, Any], name: str, number: int) -> None:
    operations = hotplug(found, force=True, **how)
    if name == "add disk":
        operations.add_disk(DISKS[number])
    elif name == "add nic":
        operations.add_nic(NICS[number])
    elif name == "remove disk":
        operations.remove("disk", DISKS[number].uuid)
    elif name == "remove nic":
        operations.remove("nic", NICS[number].uuid)
    elif name == "mac":
        operations.modify_nic(NICS[number].uuid, mac=f"aa:00:00:00:01:{number:02x}")
    elif name == "bridge":
        operations.modify_nic(NICS[number].uuid, link="br9", state="down")
    elif name == "cable":
        operations.modify_nic(NICS[number].uuid, state="up")
    elif name == "mode":
        operations.modify_disk(DISKS[number].uuid, mode="ro")
    elif name == "size":
        operations.modify_disk(DISKS[number].uuid, size_mib=2048)
    else:
        found.somebody_else_attaches(theirs(number, f"vd{chr(ord('a') + number - 6)}"), config=True)


@patient
@given(
    hardware,
    options,
    st.lists(st.tuples(operation, st.sampled_from([PROMPT, PROMPT, PROMPT, NEVER, REFUSES])), max_size=12),
)
def test_guest_definition_and_metadata_agree_after_any_row_of_operations(
    hvparams: dict[str, Any], how: dict[str, Any], row: list[tuple[tuple[str, int], Answer]]
) -> None:
    found = domain_of(ganeti(2, 2, **hvparams))
    for (name, number), answer in row:
        found.answer = answer
        try:
            do(found, how, name, number)
        except RemovalError as exc:
            assert (answer is PROMPT, exc.alias in aliases(found)) == (False, True)  # noqa: PT017 - both
        except VirtxlateError:
            pass
        check(found, both=bool(how))
        assert len(aliases(found)) == len(kept(found).disks) + len(kept(found).nics)


@pytest.mark.parametrize("how", [{}, BOTH])
def test_a_hundred_cycles_leave_the_domain_as_it_was(how: dict[str, Any]) -> None:
    found = domain_of(ganeti(1, 1))
    assert found.live is not None
    before = (found.live.text(), kept(found), found.config and found.config.text())
    operations = hotplug(found, **how)
    for _cycle in range(100):
        operations.add_disk(DISKS[1])
        operations.add_nic(NICS[1])
        operations.remove("nic", NIC_IDS[1])
        operations.remove("disk", DISK_IDS[1])
        assert len(found.waiters) == 0
    assert (found.live.text(), kept(found), found.config and found.config.text()) == before
