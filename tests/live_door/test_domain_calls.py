"""virtxlate.live.domain.LibvirtDomain: which call is made, with which flags, and what is made of it."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from tests.live_door.fake_libvirt import JOBS, FakeLibvirt, FakeVirDomain, libvirtError
from virtxlate.errors import ConnectionFailedError, LiveError
from virtxlate.live.port import DomainState, HotplugPort

UUID, NAME = "11111111-2222-4333-8444-555555555555", "web1.example.com"
LIVE, CONFIG = 1, 2
XMLNS, PREFIX = "urn:x-virtxlate:instance:1", "virtxlate"


@pytest.fixture
def facts() -> dict[str, Any]:
    """What the domain says of itself."""
    return {}


@pytest.fixture
def domain(connection: ModuleType, libvirt: FakeLibvirt, facts: dict[str, Any]) -> HotplugPort:
    libvirt.domains = [FakeVirDomain(libvirt, NAME, UUID, None, facts)]
    found: HotplugPort = connection.connect("qemu:///system").find(UUID, NAME)
    libvirt.calls.clear()
    return found


CHANGES: list[tuple[Callable[[HotplugPort], None], tuple[Any, ...]]] = [
    (lambda d: d.attach("<x/>", live=True, config=False), ("attachDeviceFlags", "<x/>", LIVE)),
    (lambda d: d.attach("<x/>", live=False, config=True), ("attachDeviceFlags", "<x/>", CONFIG)),
    (lambda d: d.attach("<x/>", live=True, config=True), ("attachDeviceFlags", "<x/>", LIVE | CONFIG)),
    (lambda d: d.detach("<x/>", live=True, config=False), ("detachDeviceFlags", "<x/>", LIVE)),
    (lambda d: d.detach("<x/>", live=False, config=True), ("detachDeviceFlags", "<x/>", CONFIG)),
    (lambda d: d.update("<x/>", live=True, config=False), ("updateDeviceFlags", "<x/>", LIVE)),
    (lambda d: d.update("<x/>", live=False, config=True), ("updateDeviceFlags", "<x/>", CONFIG)),
    (lambda d: d.detach_alias("ua-disk-1"), ("detachDeviceAlias", "ua-disk-1", LIVE)),
    (lambda d: d.resize("vda", 3 << 30), ("blockResize", "vda", 3 << 30, 1)),
    (
        lambda d: d.set_metadata("{}", live=True, config=False),
        ("setMetadata", 2, "<instance>{}</instance>", PREFIX, XMLNS, LIVE),
    ),
    (
        lambda d: d.set_metadata('{"a":"<&"}', live=False, config=True),
        ("setMetadata", 2, '<instance>{"a":"&lt;&amp;"}</instance>', PREFIX, XMLNS, CONFIG),
    ),
    (
        lambda d: d.set_metadata(None, live=True, config=True),
        ("setMetadata", 2, None, PREFIX, XMLNS, LIVE | CONFIG),
    ),
]
CHANGE_IDS = [f"{call[0]}-{number}" for number, (_ask, call) in enumerate(CHANGES)]


@pytest.mark.parametrize(("ask", "call"), CHANGES, ids=CHANGE_IDS)
def test_each_change_is_one_call_whose_flags_say_what_is_changed(
    domain: HotplugPort, libvirt: FakeLibvirt, ask: Callable[[HotplugPort], None], call: tuple[Any, ...]
) -> None:
    ask(domain)
    assert libvirt.calls == [call]


@pytest.mark.parametrize(("ask", "call"), CHANGES, ids=CHANGE_IDS)
def test_a_change_that_met_a_broken_connection_is_never_made_twice(
    domain: HotplugPort, libvirt: FakeLibvirt, ask: Callable[[HotplugPort], None], call: tuple[Any, ...]
) -> None:
    libvirt.breaks_at = call[0]
    with pytest.raises(ConnectionFailedError) as caught:
        ask(domain)
    assert libvirt.calls == [call]
    assert str(caught.value) == (
        f"{call[0]}: End of file while reading data: Input/output error (libvirt error 38)"
    )


@pytest.mark.parametrize(("ask", "call"), CHANGES, ids=CHANGE_IDS)
def test_a_refused_change_names_its_call(
    domain: HotplugPort, libvirt: FakeLibvirt, ask: Callable[[HotplugPort], None], call: tuple[Any, ...]
) -> None:
    libvirt.fails[call[0]] = libvirtError(1, "unable to execute QEMU command 'device_add'")
    with pytest.raises(LiveError) as caught:
        ask(domain)
    assert type(caught.value) is LiveError
    assert str(caught.value) == f"{call[0]}: unable to execute QEMU command 'device_add' (libvirt error 1)"


# Questions

QUESTIONS: list[tuple[Callable[[Any], Any], str, Any]] = [
    (lambda d: d.is_active(), "isActive", True),
    (lambda d: d.inactive_xml(), "XMLDesc", "<inactive/>"),
    (lambda d: d.live_xml(), "XMLDesc", "<live/>"),
    (lambda d: d.libvirt_version(), "getLibVersion", 9_012_003),
    (lambda d: d.state(), "state", DomainState()),
]


@pytest.mark.parametrize(("ask", "call", "answer"), QUESTIONS, ids=[row[1] for row in QUESTIONS])
def test_a_question_that_met_a_broken_connection_is_asked_again_on_a_new_one(
    domain: HotplugPort, libvirt: FakeLibvirt, ask: Callable[[Any], Any], call: str, answer: Any
) -> None:
    libvirt.breaks_at = call
    assert ask(domain) == answer
    assert [each[0] for each in libvirt.calls].count("open") == 1
    old, new = libvirt.connections
    assert (old.is_closed, new.alive) == (True, True)
    assert ask(domain) == answer
    assert len(libvirt.connections) == 2


def test_a_change_after_a_connection_was_made_anew_goes_to_that(
    domain: HotplugPort, libvirt: FakeLibvirt
) -> None:
    libvirt.breaks_at = "isActive"
    assert domain.is_active()
    libvirt.calls.clear()
    domain.detach_alias("a")
    assert libvirt.calls == [("detachDeviceAlias", "a", LIVE)]


def test_a_libvirt_that_does_not_come_back_is_a_failed_connection(
    domain: HotplugPort, libvirt: FakeLibvirt
) -> None:
    libvirt.breaks_at = "XMLDesc"
    libvirt.fails["open"] = libvirtError(38, "Failed to connect socket")
    with pytest.raises(ConnectionFailedError, match=r"^open: Failed to connect socket") as caught:
        domain.live_xml()
    assert isinstance(caught.value.__context__, (ConnectionFailedError, LiveError))
    del libvirt.fails["open"]
    assert domain.live_xml() == "<live/>"


def test_a_domain_that_did_not_come_back_is_not_found(domain: HotplugPort, libvirt: FakeLibvirt) -> None:
    libvirt.breaks_at = "XMLDesc"
    libvirt.domains.clear()
    with pytest.raises(LiveError, match=r"^lookupByUUIDString: no domain matching"):
        domain.live_xml()


def test_the_size_of_a_disk_is_what_the_guest_sees(domain: HotplugPort, libvirt: FakeLibvirt) -> None:
    assert domain.disk_size("vda") == 3 << 30
    assert libvirt.calls == [("blockInfo", "vda", 0)]


STATES = [
    ([1, 1], DomainState()),
    ([3, 1], DomainState(paused=True)),
    ([3, 11], DomainState(paused=True, starting=True)),
    ([4, 0], DomainState()),
    ([5, 1], DomainState(active=False)),
    ([6, 1], DomainState()),
]
"""libvirt's numbers; a crashed domain that was kept (6) still has its QEMU."""


@pytest.mark.parametrize(("said", "state"), STATES)
def test_the_state_is_what_libvirt_says_in_one_call(
    domain: HotplugPort, libvirt: FakeLibvirt, facts: dict[str, Any], said: list[int], state: DomainState
) -> None:
    facts["state"] = said
    assert domain.state() == state
    assert [call[0] for call in libvirt.calls] == ["state"]


@pytest.mark.parametrize("said", [0, 1])
def test_a_domain_is_persistent_when_libvirt_says_so(
    domain: HotplugPort, facts: dict[str, Any], said: int
) -> None:
    facts["isPersistent"] = said
    assert domain.is_persistent() is bool(said)


JOB_STATS = [
    ({"type": 0, "operation": 5}, None),
    ({"type": 2, "operation": 0}, "a job"),
    ({"type": 2}, "a job"),
    ({}, None),
]


@pytest.mark.parametrize(("said", "job"), JOB_STATS)
def test_a_job_is_what_libvirt_does_with_the_domain(
    domain: HotplugPort, facts: dict[str, Any], said: dict[str, int], job: str | None
) -> None:
    facts["jobStats"] = said
    assert domain.job() == job


WORDS = {
    "MIGRATION_IN": "migration",
    "MIGRATION_OUT": "migration",
    "SAVE": "save",
    "RESTORE": "restore",
    "SNAPSHOT": "snapshot",
    "SNAPSHOT_REVERT": "snapshot revert",
    "DUMP": "dump",
    "BACKUP": "backup",
}


def test_every_job_has_its_word(domain: HotplugPort, facts: dict[str, Any]) -> None:
    found = {}
    for name, number in JOBS.items():
        facts["jobStats"] = {"type": 1, "operation": number}
        found[name.removeprefix("VIR_DOMAIN_JOB_OPERATION_")] = domain.job()
    assert found == WORDS


@pytest.mark.parametrize("code", [3, 84])
def test_a_driver_without_jobs_has_none(domain: HotplugPort, libvirt: FakeLibvirt, code: int) -> None:
    libvirt.fails["jobStats"] = libvirtError(code, "this function is not supported")
    assert domain.job() is None


def test_a_domain_is_wrapped_without_a_host_of_its_own(connection: ModuleType, libvirt: FakeLibvirt) -> None:
    theirs = libvirt.open(None)
    domain = connection.LibvirtDomain(FakeVirDomain(libvirt, NAME, UUID, theirs))
    assert (domain.name, domain.uuid, domain.live_xml()) == (NAME, UUID, "<live/>")
    theirs.lose()
    with pytest.raises(ConnectionFailedError) as caught:
        domain.live_xml()
    assert str(caught.value) == "open: the connection is closed, or broke and is not ours to make anew"
    assert libvirt.names().count("open") == 1
