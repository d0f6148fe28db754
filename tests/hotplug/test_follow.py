"""Metadata and runtime file follow the live XML, written last, whoever else writes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import pytest

from tests.hotplug.domains import DISK_IDS, DISKS, NIC_IDS, NICS, aliases, domain_of, ganeti, hotplug, kept
from tests.hotplug.fake_document import INTERNAL, refusal
from tests.hotplug.fake_domain import FakeDomain, Fault
from tests.hotplug.happenings import Happening, all_of, failing, losing
from virtxlate import Context
from virtxlate.errors import (
    ConnectionFailedError,
    GanetiDataError,
    LiveError,
    OperationRefusedError,
    VerificationError,
    VirtxlateError,
)
from virtxlate.ganeti.hvinfo import HvInfo
from virtxlate.ganeti.model import Disk
from virtxlate.hotplug.session import Hotplug
from virtxlate.translate import metadata

NEW = DISK_IDS[1]
BOTH = {"live": True, "config": True}


def written(domain: FakeDomain, *disks: Disk) -> None:
    """Let somebody write metadata with these disks."""
    assert domain.live is not None
    instance = msgspec.structs.replace(kept(domain), disks=disks)
    domain.live.set_metadata(metadata.to_text(instance, Context()))


def somebody_writes(*disks: Disk) -> Happening:
    return lambda domain: written(domain, *disks)


def uuids(domain: FakeDomain, *, live: bool = True) -> list[str]:
    return [each.uuid for each in kept(domain, live=live).disks]


def test_what_somebody_else_writes_meanwhile_is_kept() -> None:
    found = domain_of(ganeti(1, 1))
    found.let("metadata", Fault(after=somebody_writes(DISKS[0], DISKS[7])))
    hotplug(found).add_disk(DISKS[1])
    assert uuids(found) == [DISKS[number].uuid for number in (0, 7, 1)]
    assert found.calls == [f"attach {NEW} live", "metadata live", "metadata live"]


def test_what_somebody_else_takes_away_meanwhile_is_gone() -> None:
    found = domain_of(ganeti(3, 1))
    found.let("metadata", Fault(after=somebody_writes(DISKS[0], DISKS[1])))
    hotplug(found).remove("disk", "1")
    assert uuids(found) == [DISKS[0].uuid]


@pytest.mark.parametrize("attempts", [1, 4])
def test_somebody_who_keeps_changing_it_is_named(attempts: int) -> None:
    found = domain_of(ganeti(1, 1))
    found.let("metadata", Fault(after=somebody_writes(DISKS[0])), 99)
    with pytest.raises(VerificationError) as caught:
        hotplug(found, attempts=attempts).add_disk(DISKS[1])
    assert str(caught.value) == "the devices are as asked, but somebody else keeps changing the metadata"
    assert found.calls.count("metadata live") == attempts
    assert NEW in aliases(found)


WRONG: dict[str, tuple[dict[str, Any], Fault, type[VirtxlateError], str]] = {
    "libvirt refuses": (
        {},
        Fault(before=failing(refusal(INTERNAL, "setMetadata", "no space left"))),
        LiveError,
        (
            "setMetadata: the devices are as asked, but the metadata does not tell it yet: "
            "no space left (libvirt error 1)"
        ),
    ),
    "the connection breaks for good": (
        {},
        Fault(after=losing()),
        ConnectionFailedError,
        (
            "XMLDesc: the devices are as asked, but the metadata does not tell it yet: "
            "Failed to connect socket (libvirt error 38)"
        ),
    ),
    "the domain stops": (
        {},
        Fault(before=FakeDomain.stop),
        OperationRefusedError,
        (
            "metadata: the devices are as asked, but the metadata does not tell it yet: "
            "Requested operation is not valid: domain is not running (libvirt error 55)"
        ),
    ),
    "libvirt says yes and does nothing": (
        {},
        Fault(skips=True),
        VerificationError,
        "the devices are as asked, but somebody else keeps changing the metadata",
    ),
}


@pytest.mark.parametrize(("options", "fault", "kind", "message"), WRONG.values(), ids=WRONG)
def test_metadata_that_could_not_be_written_is_named(
    options: dict[str, Any], fault: Fault, kind: type[VirtxlateError], message: str
) -> None:
    found = domain_of(ganeti(1, 1))
    found.let("metadata", fault, 10)
    with pytest.raises(VirtxlateError) as caught:
        hotplug(found, **options).add_disk(DISKS[1])
    assert (type(caught.value), str(caught.value)) == (kind, message)


@pytest.mark.parametrize("fault", [Fault(before=losing(0)), Fault(after=losing(0))], ids=["not done", "done"])
def test_a_connection_that_breaks_then_leaves_nothing_unwritten(fault: Fault) -> None:
    found = domain_of(ganeti(1, 1))
    found.let("metadata", fault)
    hotplug(found).add_disk(DISKS[1])
    assert uuids(found) == [DISKS[0].uuid, DISKS[1].uuid]


def test_an_operation_that_is_repeated_writes_what_was_missing() -> None:
    found = domain_of(ganeti(2, 1))
    found.let("metadata", Fault(before=failing(refusal(INTERNAL, "setMetadata", "no"))))
    operations = hotplug(found)
    with pytest.raises(LiveError):
        operations.remove("disk", NEW)
    assert uuids(found) == [DISKS[0].uuid, DISKS[1].uuid]
    assert operations.remove("disk", NEW).notes == ("it had left the guest already",)
    assert uuids(found) == [DISKS[0].uuid]


FOREIGN = ["", "no JSON", '{"format":2,"instance":{"name":"a","uuid":"b"}}', '{"format":1}']


@pytest.mark.parametrize("text", FOREIGN)
def test_metadata_that_is_not_virtxlates_is_left_alone(text: str) -> None:
    found = domain_of(ganeti(1, 1))
    assert found.live is not None
    found.live.set_metadata(text)
    done = hotplug(found).add_disk(DISKS[1])
    assert done.hvinfo == HvInfo(driver="virtio-blk-pci", id=NEW[3:], bus="pci.0", addr="0xe")
    assert found.calls == [f"attach {NEW} live"]
    assert (found.live.metadata() or "") == text


def test_nobody_writes_without_the_lock() -> None:
    found = domain_of(ganeti(1, 1))
    story: list[str] = []

    @contextmanager
    def lock(uuid: str, *, patience: float = 30.0) -> Iterator[None]:
        del patience
        story.append(f"lock {uuid}")
        yield
        story.append("unlock")

    def tell(what: str) -> Fault:
        return Fault(before=lambda _domain: story.append(what))

    found.let("metadata", tell("write"), 2)
    found.let("attach", tell("attach"))
    hotplug(found, lock=lock, follower=lambda _xml: story.append("follow"), **BOTH).add_disk(DISKS[1])
    assert story == ["attach", f"lock {found.uuid}", "write", "write", "follow", "unlock"]


@pytest.mark.parametrize(
    "operation", [lambda each: each.add_disk(DISKS[2]), lambda each: each.remove("disk", "1")]
)
def test_what_was_read_under_the_lock_is_not_read_again(operation: Callable[[Hotplug], object]) -> None:
    found = domain_of(ganeti(2, 1))
    read: list[int] = []
    found.let("XMLDesc", Fault(before=lambda domain: read.append(len(domain.calls))), 99)
    operation(hotplug(found))
    assert read == [0, 1, 2]


def test_who_finds_the_lock_taken_reads_again_once_it_is_free() -> None:
    found = domain_of(ganeti(1, 1))

    @contextmanager
    def lock(uuid: str, /, *, patience: float = 30.0) -> Iterator[None]:
        if not patience:
            raise LiveError(f"another process holds the lock of domain {uuid}", call="lock")
        written(found, DISKS[0], DISKS[7])
        yield

    hotplug(found, lock=lock).add_disk(DISKS[1])
    assert uuids(found) == [DISKS[number].uuid for number in (0, 7, 1)]


def test_the_lock_is_free_while_libvirt_does_the_next_step() -> None:
    found = domain_of(ganeti(1, 1))
    story: list[str] = []

    @contextmanager
    def lock(_uuid: str, /, *, patience: float = 30.0) -> Iterator[None]:
        story.append(f"lock {patience:g}")
        yield
        story.append("unlock")

    found.let("attach", Fault(before=lambda domain: story.append(domain.calls[-1])), 2)
    found.let("metadata", Fault(before=lambda domain: story.append(domain.calls[-1])))
    on_scsi = {"disk_type": "scsi-hd", "scsi_controller_type": "virtio-scsi-pci"}
    hotplug(found, lock=lock, hvparams=on_scsi).add_disk(DISKS[1])
    assert story == [
        "attach scsi-controller-0 live",
        "lock 0",
        "unlock",
        f"attach {NEW} live",
        "lock 0",
        "metadata live",
        "unlock",
    ]


def test_a_guest_that_takes_its_time_keeps_nobody_from_the_lock() -> None:
    found = domain_of(ganeti(2, 1))
    story: list[tuple[str, float]] = []

    @contextmanager
    def lock(_uuid: str, *, patience: float = 30.0) -> Iterator[None]:
        del patience
        story.append(("lock", found.clock()))
        yield

    hotplug(found, lock=lock).remove("disk", "1")
    assert story == [("lock", 0.1)]


def test_who_follows_the_guest_does_not_hear_of_the_definition() -> None:
    found = domain_of(ganeti(1, 1))
    heard: list[str] = []
    hotplug(found, follower=heard.append, config=True).add_disk(DISKS[1])
    assert heard == []


def test_a_follower_that_fails_fails_the_operation_when_all_else_is_written() -> None:
    found = domain_of(ganeti(1, 1))

    def follow(_xml: str) -> None:
        raise GanetiDataError("no room on the disk", at="runtime")

    with pytest.raises(GanetiDataError, match=r"^runtime: no room on the disk$"):
        hotplug(found, follower=follow).add_disk(DISKS[1])
    assert uuids(found) == [DISKS[0].uuid, DISKS[1].uuid]


def test_an_operation_with_nothing_to_do_still_lets_metadata_follow() -> None:
    found = domain_of(ganeti(2, 1))
    hotplug(found).modify_disk("0", name="root")
    assert found.calls == ["metadata live"]
    assert kept(found).disks[0].name == "root"
    found.calls.clear()
    hotplug(found).modify_disk("0", name="root")
    assert found.calls == []


def test_both_documents_keep_what_each_of_them_has() -> None:
    found = domain_of(ganeti(1, 1))
    hotplug(found, config=True).add_disk(DISKS[2])
    hotplug(found, **BOTH).add_nic(NICS[1])
    assert (uuids(found), uuids(found, live=False)) == (
        [DISKS[0].uuid],
        [DISKS[0].uuid, DISKS[2].uuid],
    )
    assert (NIC_IDS[1] in aliases(found), NIC_IDS[1] in aliases(found, live=False)) == (True, True)


def test_nobodys_faults_add_up() -> None:
    found = domain_of(ganeti(1, 1))
    found.let("metadata", Fault(after=all_of(somebody_writes(DISKS[0], DISKS[7]), losing(0))))
    hotplug(found).add_disk(DISKS[1])
    assert uuids(found) == [DISKS[number].uuid for number in (0, 7, 1)]
