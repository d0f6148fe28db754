"""Devices go: what a guest, QEMU and libvirt answer, and what is believed of it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.hotplug.domains import DISK_IDS, DISKS, NIC_IDS, aliases, domain_of, ganeti, hotplug, kept
from tests.hotplug.fake_clock import in_another_thread
from tests.hotplug.fake_document import INTERNAL, MISSING, refusal
from tests.hotplug.fake_domain import AT_ONCE, EVENT_LOST, NEVER, REFUSES, Answer, FakeDomain, Fault
from tests.hotplug.happenings import (
    Happening,
    all_of,
    answering,
    asked_before,
    at_call,
    breaking,
    failing,
    having,
    in_seconds,
    losing,
    nothing,
    releasing,
)
from virtxlate.errors import (
    ConnectionFailedError,
    DeviceNotFoundError,
    DomainStoppedError,
    LiveError,
    OperationRefusedError,
    RemovalPendingError,
    RemovalRefusedError,
    UnsupportedError,
    VerificationError,
    VirtxlateError,
)
from virtxlate.hotplug.engine import Done
from virtxlate.hotplug.steps import Detach, line

ALIAS = DISK_IDS[1]
ASK, FORGET = f"detachAlias {ALIAS} live", "metadata live"
IS_MISSING = refusal(MISSING, "detachDeviceAlias", "device not found")
WILL_NOT = refusal(INTERNAL, "detachDeviceAlias", "it will not")
LOOK = 0.25
"""Seconds after a broken connection came back until it is looked."""


def two_disks(**fields: Any) -> FakeDomain:
    return domain_of(ganeti(2, 1), **fields)


def test_a_disk_that_went_is_gone_everywhere_and_its_storage_is_free() -> None:
    found = two_disks()
    done = hotplug(found).remove("disk", "1")
    (step,) = done.steps
    assert isinstance(step, Detach)
    assert done == Done(steps=(step,), freed=("/dev/xenvg/a.disk1",))
    assert (step.at, step.kind, step.is_boot, step.config_xml) == ("disks[1]", "disk", False, None)
    assert line(step) == f"detach disk {ALIAS}"
    assert found.calls == [ASK, FORGET]
    assert aliases(found) == [DISK_IDS[0], NIC_IDS[0]]
    assert [each.uuid for each in kept(found).disks] == [DISKS[0].uuid]
    assert aliases(found, live=False) == [DISK_IDS[0], ALIAS, NIC_IDS[0]]


def test_a_nic_that_went_leaves_its_tap() -> None:
    found = two_disks()
    done = hotplug(found).remove("nic", "0")
    assert (done.freed, kept(found).nics, found.calls) == (
        ("vnet0",),
        (),
        [f"detachAlias {NIC_IDS[0]} live", FORGET],
    )


# How it may go well: what happens, the calls, and the seconds that it takes.

WELL: dict[str, tuple[Happening, dict[str, Any], list[str], float]] = {
    "the guest answers soon": (nothing, {}, [ASK], 0.1),
    "the event comes before the call returns": (having(answer=AT_ONCE), {}, [ASK], 0),
    "the event is lost": (having(answer=EVENT_LOST), {}, [ASK], 0.25),
    "the guest answers late": (answering(ALIAS, Answer(after=7.5)), {}, [ASK], 7.5),
    "the guest answers the first question after the second": (
        answering(ALIAS, Answer(after=15), NEVER),
        {},
        [ASK, ASK],
        15,
    ),
    "the guest answers the third question only": (
        answering(ALIAS, NEVER, NEVER),
        {},
        [ASK, ASK, ASK],
        20.1,
    ),
    "it is in the process of unplug already": (
        all_of(asked_before(ALIAS), in_seconds(3, releasing(ALIAS))),
        {},
        [ASK],
        3,
    ),
    "it is in the process of unplug when asked again": (
        all_of(having(says_unplugging=True), answering(ALIAS, Answer(after=25))),
        {},
        [ASK, ASK, ASK],
        25,
    ),
    "it went before it was asked": (at_call("detachAlias", Fault(before=releasing(ALIAS))), {}, [ASK], 0),
    "libvirt says that it is missing": (
        at_call("detachAlias", Fault(before=all_of(releasing(ALIAS), failing(IS_MISSING)))),
        {},
        [ASK],
        0,
    ),
    "the call fails, and yet it went": (
        at_call("detachAlias", Fault(after=all_of(releasing(ALIAS), failing(WILL_NOT)))),
        {},
        [ASK],
        0,
    ),
    "the connection breaks before libvirt hears the question": (
        at_call("detachAlias", Fault(before=losing(1))),
        {},
        [ASK, ASK],
        10.1,
    ),
    "the connection breaks before libvirt answers the question": (
        at_call("detachAlias", Fault(after=losing(1))),
        {},
        [ASK],
        1.0,
    ),
    "the connection breaks while the guest answers": (
        all_of(answering(ALIAS, Answer(after=1)), in_seconds(0.5, breaking(2))),
        {},
        [ASK],
        2.5,
    ),
    "libvirt is away when it is to be asked again": (
        all_of(answering(ALIAS, NEVER), in_seconds(9, breaking(2))),
        {},
        [ASK, ASK],
        20.1,
    ),
    "its definition is taken away meanwhile": (in_seconds(0.05, having(config=None)), {}, [ASK], 0.1),
    "the domain is transient": (having(config=None), {}, [ASK], 0.1),
    "the guest is paused, but force is used": (having(paused=True), {"force": True}, [ASK], 0.1),
    "a job runs, but force is used": (having(busy="migration"), {"force": True}, [ASK], 0.1),
}


@pytest.mark.parametrize(("happening", "options", "calls", "seconds"), WELL.values(), ids=WELL)
@pytest.mark.parametrize(
    "deliver", [lambda tell: tell(), in_another_thread], ids=["same thread", "other thread"]
)
def test_it_is_gone_when_the_live_xml_says_so(
    happening: Happening, options: dict[str, Any], calls: list[str], seconds: float, deliver: Any
) -> None:
    found = two_disks(deliver=deliver)
    happening(found)
    done = hotplug(found, **options).remove("disk", "1")
    assert done.freed == ("/dev/xenvg/a.disk1",)
    assert aliases(found) == [DISK_IDS[0], NIC_IDS[0]]
    assert [each.uuid for each in kept(found).disks] == [DISKS[0].uuid]
    assert found.calls == [*calls, FORGET]
    assert seconds <= found.clock() <= seconds + LOOK


# How it may go wrong: what happens, the class, exit code and message of the error, and the seconds it takes.

PENDING = (
    f"{ALIAS}: the guest has not released it after 30 s; the request stands, and the device is still in use: "
    "see virtxlate hvinfo web1.example.com, and remove it again to finish"
)
SAID_NO = f"{ALIAS}: the guest refused to release it"
STOPPED = f"detach: domain 'web1.example.com' stopped while {ALIAS} was leaving it"
NOT_KNOWN = (
    f"XMLDesc: the connection was lost while {ALIAS} was leaving domain 'web1.example.com', and it is not "
    "known whether it did: Failed to connect socket (libvirt error 38)"
)
REJECTED = refusal(9, "detachDeviceAlias", "unplug of device was rejected by the guest")
WRONG: dict[str, tuple[Happening, type[VirtxlateError], int, str, float]] = {
    "the guest never answers": (having(answer=NEVER), RemovalPendingError, 7, PENDING, 30),
    "the guest refuses": (having(answer=REFUSES), RemovalRefusedError, 7, SAID_NO, 0.1),
    "the guest refuses before the call returns": (
        having(answer=Answer(after=0, refuses=True)),
        RemovalRefusedError,
        7,
        SAID_NO,
        0,
    ),
    "the guest refuses at last": (
        answering(ALIAS, NEVER, NEVER, REFUSES),
        RemovalRefusedError,
        7,
        SAID_NO,
        20.1,
    ),
    "the guest refuses, and that is lost": (
        having(answer=Answer(refuses=True, silently=True)),
        RemovalPendingError,
        7,
        PENDING,
        30,
    ),
    "libvirt says that the guest refused": (
        at_call("detachAlias", Fault(before=failing(REJECTED))),
        RemovalRefusedError,
        7,
        SAID_NO,
        0,
    ),
    "it is in the process of unplug, and stays so": (
        having(says_unplugging=True, answer=NEVER),
        RemovalPendingError,
        7,
        PENDING,
        30,
    ),
    "libvirt says that it is missing, and yet it is there": (
        at_call("detachAlias", Fault(before=failing(IS_MISSING)), 3),
        RemovalPendingError,
        7,
        PENDING,
        30,
    ),
    "libvirt refuses": (
        at_call("detachAlias", Fault(before=failing(WILL_NOT))),
        LiveError,
        5,
        "detachDeviceAlias: it will not (libvirt error 1)",
        0,
    ),
    "libvirt says yes and does nothing": (
        at_call("detachAlias", Fault(skips=True), 3),
        RemovalPendingError,
        7,
        PENDING,
        30,
    ),
    "the domain stops": (
        all_of(having(answer=NEVER), in_seconds(4, FakeDomain.stop)),
        DomainStoppedError,
        5,
        STOPPED,
        4,
    ),
    "the domain stops, and that is lost": (
        all_of(having(answer=NEVER), in_seconds(4, having(live=None))),
        DomainStoppedError,
        5,
        STOPPED,
        5.75,
    ),
    "the domain is started again": (
        all_of(having(answer=NEVER), in_seconds(4, FakeDomain.restart)),
        DomainStoppedError,
        5,
        STOPPED,
        4,
    ),
    "the domain is started again, and that is lost": (
        all_of(having(answer=NEVER), in_seconds(4, FakeDomain.start)),
        DomainStoppedError,
        5,
        STOPPED,
        5.75,
    ),
    "the domain disappears": (
        all_of(having(answer=NEVER), in_seconds(4, FakeDomain.disappear)),
        DomainStoppedError,
        5,
        STOPPED,
        4,
    ),
    "the domain stops before it is asked": (
        at_call("detachAlias", Fault(before=FakeDomain.stop)),
        DomainStoppedError,
        5,
        STOPPED,
        0,
    ),
    "the domain disappears before it is asked": (
        at_call("detachAlias", Fault(before=FakeDomain.disappear)),
        DomainStoppedError,
        5,
        STOPPED,
        0,
    ),
    "the connection breaks, and libvirt does not come back": (
        at_call("detachAlias", Fault(after=losing())),
        ConnectionFailedError,
        5,
        NOT_KNOWN,
        30,
    ),
}


@pytest.mark.parametrize(("happening", "kind", "code", "message", "seconds"), WRONG.values(), ids=WRONG)
def test_a_device_that_may_be_there_is_never_said_to_be_gone(
    happening: Happening, kind: type[VirtxlateError], code: int, message: str, seconds: float
) -> None:
    found = two_disks()
    before = kept(found)
    happening(found)
    with pytest.raises(VirtxlateError) as caught:
        hotplug(found).remove("disk", "1")
    error = caught.value
    assert (type(error), error.exit_code, str(error)) == (kind, code, message)
    assert found.clock() == pytest.approx(seconds)
    assert FORGET not in found.calls
    if found.config is not None:
        assert kept(found, live=False) == before
        assert ALIAS in aliases(found, live=False)


TIMES = [(30, 3, [0, 10, 20]), (1, 1, [0]), (0.5, 5, [0, 0.1, 0.2, 0.3, 0.4]), (60, 2, [0, 30]), (8, 0, [0])]


@pytest.mark.parametrize(("timeout", "asks", "when"), TIMES)
def test_a_guest_is_asked_as_often_as_was_said_and_waited_for_as_long(
    timeout: float, asks: int, when: list[float]
) -> None:
    found, asked = two_disks(), []
    found.answer = NEVER
    found.let("detachAlias", Fault(after=lambda d: asked.append(d.clock())), 9)
    with pytest.raises(RemovalPendingError) as caught:
        hotplug(found, timeout=timeout, asks=asks).remove("disk", "1")
    assert str(caught.value).startswith(f"{ALIAS}: the guest has not released it after {timeout:g} s;")
    assert asked == pytest.approx(when)
    assert found.clock() == pytest.approx(timeout)


# Afterwards


@pytest.mark.parametrize("which", ["1", DISKS[1].uuid, ALIAS, ALIAS[3:]])
def test_a_device_that_left_after_all_is_noticed_later(which: str) -> None:
    found = two_disks()
    found.answer = NEVER
    operations = hotplug(found, live=True, config=True)
    with pytest.raises(RemovalPendingError):
        operations.remove("disk", which)
    assert (aliases(found), aliases(found, live=False)) == ([DISK_IDS[0], ALIAS, NIC_IDS[0]],) * 2
    found.release(ALIAS)
    found.calls.clear()
    if which == "1":
        with pytest.raises(DeviceNotFoundError) as caught:
            operations.remove("disk", which)
        assert str(caught.value) == (
            f"domain 'web1.example.com' has no disk '1' (it has disks[0] {DISK_IDS[0]})"
        )
        assert found.calls == []
        return
    assert operations.remove("disk", which) == Done(
        notes=("it had left the guest already",), freed=("/dev/xenvg/a.disk1",)
    )
    assert found.calls == [f"detach {ALIAS} config", FORGET, "metadata config"]
    assert (aliases(found), aliases(found, live=False)) == ([DISK_IDS[0], NIC_IDS[0]],) * 2
    assert kept(found) == kept(found, live=False)
    assert len(kept(found).disks) == 1
    with pytest.raises(DeviceNotFoundError):
        operations.remove("disk", which)


def test_a_pending_removal_is_finished_by_asking_again() -> None:
    found = two_disks()
    found.answers[ALIAS].extend([NEVER, NEVER, NEVER])
    operations = hotplug(found)
    with pytest.raises(RemovalPendingError):
        operations.remove("disk", "1")
    assert operations.remove("disk", "1").freed == ("/dev/xenvg/a.disk1",)


# The definition


def test_the_definition_follows_when_the_guest_has_released_it() -> None:
    found = two_disks()
    found.let("detach", Fault(before=lambda d: seen.append(ALIAS in aliases(d))))
    seen: list[bool] = []
    hotplug(found, live=True, config=True).remove("disk", "1")
    assert found.calls == [ASK, f"detach {ALIAS} config", FORGET, "metadata config"]
    assert seen == [False]
    assert kept(found) == kept(found, live=False)


def test_the_definition_alone_may_lose_a_device() -> None:
    found = two_disks()
    hotplug(found, config=True).remove("disk", "1")
    assert found.calls == [f"detach {ALIAS} config", "metadata config"]
    assert (aliases(found), aliases(found, live=False)) == (
        [DISK_IDS[0], ALIAS, NIC_IDS[0]],
        [DISK_IDS[0], NIC_IDS[0]],
    )


def test_a_definition_that_never_had_it_is_left_alone() -> None:
    found = two_disks()
    hotplug(found, config=True).remove("disk", "1")
    found.calls.clear()
    hotplug(found, live=True, config=True).remove("disk", "1")
    assert found.calls == [ASK, FORGET]


def test_what_only_the_definition_has_is_removed_from_it() -> None:
    found = two_disks()
    hotplug(found).remove("disk", "1")
    found.calls.clear()
    done = hotplug(found, live=True, config=True).remove("disk", ALIAS)
    assert done.notes == ("the running guest did not have it",)
    assert found.calls == [f"detach {ALIAS} config", "metadata config"]
    assert kept(found).disks == kept(found, live=False).disks


CONFIG_FAILS = {
    "libvirt refuses": (
        Fault(before=failing(refusal(INTERNAL, "detachDeviceFlags", "no space left on device"))),
        LiveError,
        5,
        (
            f"detachDeviceFlags: {ALIAS}: the guest has released it, but the definition still has it: "
            "no space left on device (libvirt error 1)"
        ),
    ),
    "the connection breaks": (
        Fault(before=losing(0.1, "detachDeviceFlags")),
        ConnectionFailedError,
        5,
        (
            f"detachDeviceFlags: {ALIAS}: the guest has released it, but the definition still has it: "
            "End of file while reading data (libvirt error 38)"
        ),
    ),
    "libvirt says yes and does nothing": (
        Fault(skips=True),
        VerificationError,
        6,
        f"{ALIAS}: libvirt removed it, but its definition has it",
    ),
}


@pytest.mark.parametrize(("fault", "kind", "code", "message"), CONFIG_FAILS.values(), ids=CONFIG_FAILS)
def test_a_definition_that_kept_it_is_named_and_asking_again_finishes(
    fault: Fault, kind: type[VirtxlateError], code: int, message: str
) -> None:
    found = two_disks()
    found.let("detach", fault)
    operations = hotplug(found, live=True, config=True)
    with pytest.raises(VirtxlateError) as caught:
        operations.remove("disk", ALIAS)
    assert (type(caught.value), caught.value.exit_code, str(caught.value)) == (kind, code, message)
    assert (ALIAS in aliases(found), ALIAS in aliases(found, live=False)) == (False, True)
    found.clock.advance(1)
    operations.remove("disk", ALIAS)
    assert ALIAS not in aliases(found, live=False)
    assert kept(found) == kept(found, live=False)
    assert len(kept(found).disks) == 1


def test_a_call_whose_answer_was_lost_is_believed_when_the_definition_shows_it() -> None:
    found = two_disks()
    found.let("detach", Fault(after=losing(0, "detachDeviceFlags")))
    operations = hotplug(found, live=True, config=True)
    operations.remove("disk", ALIAS)
    assert (aliases(found), aliases(found, live=False)) == ([DISK_IDS[0], NIC_IDS[0]],) * 2


# Refused at once

FORCED = "(to be forced with --force)"
REFUSED: dict[str, tuple[Happening, str, str]] = {
    "the boot disk": (nothing, "0", f"detach: {DISK_IDS[0]} stays: the guest boots from it {FORCED}"),
    "of a paused guest": (
        having(paused=True),
        "1",
        f"detach: {ALIAS} stays: the guest is paused, and cannot answer {FORCED}",
    ),
    "during a migration": (
        having(busy="migration"),
        "1",
        f"detach: {ALIAS} stays: libvirt is busy with the domain (migration) {FORCED}",
    ),
}


@pytest.mark.parametrize(("happening", "which", "message"), REFUSED.values(), ids=REFUSED)
def test_what_would_harm_is_refused_before_any_call_unless_forced(
    happening: Happening, which: str, message: str
) -> None:
    found = two_disks()
    happening(found)
    with pytest.raises(OperationRefusedError) as caught:
        hotplug(found).remove("disk", which)
    assert (str(caught.value), found.calls) == (message, [])
    assert hotplug(found, force=True).remove("disk", which).freed == (f"/dev/xenvg/a.disk{which}",)


@pytest.mark.parametrize(
    ("root", "which", "is_refused"),
    [("/dev/vda1", "0", True), ("/dev/vda1", "1", False), ("UUID=1", "0", True), ("", "0", False)],
)
def test_a_kernel_that_is_told_of_a_root_keeps_the_first_disk(
    root: str, which: str, is_refused: bool
) -> None:
    found = domain_of(ganeti(2, 1, kernel_path="/boot/vmlinuz", root_path=root, kernel_args="ro"))
    if is_refused:
        with pytest.raises(OperationRefusedError, match="the guest boots from it"):
            hotplug(found).remove("disk", which)
    else:
        assert hotplug(found).remove("disk", which).freed == (f"/dev/xenvg/a.disk{which}",)


def test_a_boot_disk_may_leave_the_definition() -> None:
    found = two_disks()
    hotplug(found, config=True).remove("disk", "0")
    assert found.calls == [f"detach {DISK_IDS[0]} config", "metadata config"]


def test_what_another_disk_opens_too_is_not_free() -> None:
    found = two_disks()
    for document in (found.live, found.config):
        assert document is not None
        one = document.by_alias(ALIAS)
        assert one is not None
        one.append(document.parsed("<shareable/>"))
    found.somebody_else_attaches(
        "<disk type='block' device='disk'><driver name='qemu' type='raw'/><source dev='/dev/xenvg/a.disk1'/>"
        "<target dev='vdx' bus='virtio'/><shareable/>"
        "<address type='pci' domain='0x0000' bus='0x00' slot='0x19' function='0x0'/></disk>"
    )
    operations = hotplug(found)
    assert operations.remove("disk", "1").freed == ()
    assert operations.remove("disk", "vdx").freed == ("/dev/xenvg/a.disk1",)


def test_an_ide_disk_leaves_no_running_guest() -> None:
    found = domain_of(ganeti(2, 0, disk_type="ide"))
    with pytest.raises(UnsupportedError) as caught:
        hotplug(found).remove("disk", "1")
    assert (str(caught.value), found.calls) == (
        "disks[1]: an IDE bus has no hot-plug; stop the guest first, or change its definition (--config)",
        [],
    )


# Devices that are not Ganeti's

FOREIGN = (
    "<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='/a.img'/>"
    "<target dev='vdx' bus='virtio'/></disk>"
)


@pytest.mark.parametrize("which", ["virtio-disk23", "vdx", "/a.img", "2", "-1"])
def test_a_device_with_an_alias_of_libvirts_goes_by_that(which: str) -> None:
    found = two_disks()
    found.somebody_else_attaches(FOREIGN)
    before = kept(found)
    done = hotplug(found).remove("disk", which)
    assert done.freed == ("/a.img",)
    assert found.calls == ["detachAlias virtio-disk23 live"]
    assert kept(found) == before


def test_a_device_without_any_alias_goes_by_its_description() -> None:
    found = two_disks()
    assert found.live is not None
    element = found.live.by_alias(ALIAS)
    assert element is not None
    alias = element.find("alias")
    assert alias is not None
    element.remove(alias)
    done = hotplug(found).remove("disk", "vdb")
    assert done.freed == ("/dev/xenvg/a.disk1",)
    assert found.calls[0] == "detach vdb live"


def test_a_device_without_any_alias_that_went_first_is_gone() -> None:
    found = two_disks()
    assert found.live is not None
    element = found.live.by_alias(ALIAS)
    assert element is not None
    element.remove(element.find("alias"))  # type: ignore[arg-type]
    found.let("detach", Fault(before=lambda _domain: element.getparent().remove(element)))  # type: ignore[union-attr]
    assert hotplug(found).remove("disk", "vdb").freed == ("/dev/xenvg/a.disk1",)


def test_a_device_without_any_alias_that_stays_is_pending() -> None:
    found = two_disks()
    found.answer = NEVER
    assert found.live is not None
    element = found.live.by_alias(ALIAS)
    assert element is not None
    alias = element.find("alias")
    assert alias is not None
    element.remove(alias)
    with pytest.raises(RemovalPendingError) as caught:
        hotplug(found).remove("disk", "vdb")
    assert str(caught.value).startswith("vdb: the guest has not released it while libvirt waited for it; ")


def test_a_host_device_goes_by_its_alias() -> None:
    found = two_disks()
    found.somebody_else_attaches(
        "<hostdev mode='subsystem' type='scsi'><source><adapter name='scsi_host0'/>"
        "<address bus='0' target='0' unit='1'/></source><alias name='hostdev0'/></hostdev>"
    )
    assert found.live is not None
    (alias,) = (str(each.get("name")) for each in found.live.root.iterfind("devices/hostdev/alias"))
    hotplug(found).remove("disk", alias)
    assert found.calls[0] == f"detachAlias {alias} live"


NOBODY = [
    ("disk", "vdz", f"disk 'vdz' (it has disks[0] {DISK_IDS[0]}, disks[1] {ALIAS}"),
    ("disk", "2", f"disk '2' (it has disks[0] {DISK_IDS[0]}, disks[1] {ALIAS})"),
    ("disk", "-3", f"disk '-3' (it has disks[0] {DISK_IDS[0]}, disks[1] {ALIAS})"),
    ("nic", "aa:00:00:00:00:09", f"nic 'aa:00:00:00:00:09' (it has nics[0] {NIC_IDS[0]})"),
    ("nic", ALIAS, f"nic '{ALIAS}' (it has nics[0] {NIC_IDS[0]})"),
]


@pytest.mark.parametrize(("kind", "which", "message"), NOBODY)
def test_a_device_that_is_not_there_is_an_error_that_tells_what_is(
    kind: str, which: str, message: str
) -> None:
    found = two_disks()
    with pytest.raises(DeviceNotFoundError) as caught:
        hotplug(found).remove(kind, which)
    assert str(caught.value).startswith(f"domain 'web1.example.com' has no {message}")
    assert (caught.value.exit_code, found.calls) == (5, [])
