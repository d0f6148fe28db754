"""virtxlate.live.connection: who hears of removals, before and after the connection breaks."""

from __future__ import annotations

import gc
import sys
import threading
import weakref
from types import ModuleType
from typing import Any

import pytest

from tests.live_door.fake_libvirt import EVENTS, FakeLibvirt, FakeVirDomain, libvirtError
from virtxlate.errors import ConnectionFailedError, LiveError
from virtxlate.live.port import Outcome

UUID, OTHER = "11111111-2222-4333-8444-555555555555", "99999999-2222-4333-8444-555555555555"
REGISTERED = [("domainEventRegisterAny", None, number) for number in (15, 22, 0)]


@pytest.fixture
def host(connection: ModuleType, libvirt: FakeLibvirt) -> Any:
    libvirt.domains = [FakeVirDomain(libvirt, "web1", UUID), FakeVirDomain(libvirt, "db1", OTHER)]
    found = connection.connect("qemu:///system")
    libvirt.calls.clear()
    return found


def registrations(libvirt: FakeLibvirt) -> list[tuple[Any, ...]]:
    return [call for call in libvirt.calls if call[0] == "domainEventRegisterAny"]


def test_nobody_listens_before_somebody_waits(host: Any, libvirt: FakeLibvirt) -> None:
    host.find(UUID, "").live_xml()
    assert registrations(libvirt) == []


def test_a_connection_listens_once_for_all_who_wait(host: Any, libvirt: FakeLibvirt) -> None:
    domain = host.find(UUID, "")
    with domain.removal("a"), domain.removal("b"), host.find(OTHER, "").removal("a"):
        assert len(host.waiters) == 3
    assert registrations(libvirt) == REGISTERED
    assert libvirt.names().count("registerCloseCallback") == 1
    assert len(host.waiters) == 0


HEARD = [
    ("VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED", UUID, ("a",), Outcome.REMOVED),
    ("VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED", UUID, ("b",), None),
    ("VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED", OTHER, ("a",), None),
    ("VIR_DOMAIN_EVENT_ID_DEVICE_REMOVAL_FAILED", UUID, ("a",), Outcome.REFUSED),
    ("VIR_DOMAIN_EVENT_ID_DEVICE_REMOVAL_FAILED", OTHER, ("a",), None),
    ("VIR_DOMAIN_EVENT_ID_LIFECYCLE", UUID, (EVENTS["VIR_DOMAIN_EVENT_STOPPED"], 0), Outcome.STOPPED),
    ("VIR_DOMAIN_EVENT_ID_LIFECYCLE", OTHER, (EVENTS["VIR_DOMAIN_EVENT_STOPPED"], 0), None),
    ("VIR_DOMAIN_EVENT_ID_LIFECYCLE", UUID, (EVENTS["VIR_DOMAIN_EVENT_STARTED"], 0), None),
    # A running domain whose definition is taken away runs on, as a transient one.
    ("VIR_DOMAIN_EVENT_ID_LIFECYCLE", UUID, (EVENTS["VIR_DOMAIN_EVENT_UNDEFINED"], 0), None),
]


@pytest.mark.parametrize(("event", "uuid", "details", "outcome"), HEARD)
def test_who_waits_hears_what_is_meant_for_him(
    host: Any, libvirt: FakeLibvirt, event: str, uuid: str, details: tuple[Any, ...], outcome: Outcome | None
) -> None:
    with host.find(UUID, "").removal("a") as waiter:
        libvirt.connections[-1].happens(event, FakeVirDomain(libvirt, "x", uuid), *details)
        assert waiter.wait(0) is outcome
        assert waiter.wait(0) is None


def test_a_waiter_sleeps_until_it_is_told(host: Any, libvirt: FakeLibvirt) -> None:
    heard: list[Outcome | None] = []
    with host.find(UUID, "").removal("a") as waiter:
        thread = threading.Thread(target=lambda: heard.append(waiter.wait(30)))
        thread.start()
        libvirt.connections[-1].happens(HEARD[0][0], FakeVirDomain(libvirt, "x", UUID), "a")
        thread.join(30)
    assert heard == [Outcome.REMOVED]


def test_a_lost_connection_is_told_to_all_who_wait(host: Any, libvirt: FakeLibvirt) -> None:
    with host.find(UUID, "").removal("a") as one, host.find(OTHER, "").removal("b") as other:
        libvirt.connections[-1].lose()
        assert (one.wait(0), other.wait(0)) == (Outcome.DISCONNECTED, Outcome.DISCONNECTED)


def test_a_closed_connection_is_told_to_all_who_wait(host: Any) -> None:
    with host.find(UUID, "").removal("a") as waiter:
        host.close()
        assert waiter.wait(0) is Outcome.DISCONNECTED


def test_closing_takes_back_every_registration(host: Any, libvirt: FakeLibvirt) -> None:
    with host.find(UUID, "").removal("a"):
        pass
    (connection,) = libvirt.connections
    assert len(connection.callbacks) == 3
    host.close()
    assert (connection.callbacks, connection.close_callback) == ({}, None)
    assert libvirt.names()[-5:] == [*["domainEventDeregisterAny"] * 3, "unregisterCloseCallback", "close"]
    host.close()
    assert libvirt.names()[-1] == "close"


def test_a_connection_that_listened_listens_again_when_it_was_made_anew(
    host: Any, libvirt: FakeLibvirt
) -> None:
    domain = host.find(UUID, "")
    with domain.removal("a") as waiter:
        libvirt.connections[-1].lose()
        assert waiter.wait(0) is Outcome.DISCONNECTED
        assert domain.live_xml() == "<live/>"
        old, new = libvirt.connections
        assert (old.callbacks, old.close_callback, old.is_closed) == ({}, None, True)
        assert [event for event, _function, _opaque in new.callbacks.values()] == [15, 22, 0]
        new.happens(HEARD[0][0], FakeVirDomain(libvirt, "x", UUID), "a")
        assert waiter.wait(0) is Outcome.REMOVED


def test_it_listens_again_though_libvirt_was_away_for_longer(host: Any, libvirt: FakeLibvirt) -> None:
    domain = host.find(UUID, "")
    with domain.removal("a") as waiter:
        libvirt.connections[-1].lose()
        assert waiter.wait(0) is Outcome.DISCONNECTED
        libvirt.fails["open"] = libvirtError(38, "Failed to connect socket")
        for _again in range(3):
            with pytest.raises(ConnectionFailedError, match=r"^open: Failed to connect socket"):
                domain.live_xml()
        del libvirt.fails["open"]
        assert domain.live_xml() == "<live/>"
        libvirt.connections[-1].happens(HEARD[0][0], FakeVirDomain(libvirt, "x", UUID), "a")
        assert waiter.wait(0) is Outcome.REMOVED


def test_one_that_nobody_listened_on_stays_quiet_when_it_was_made_anew(
    host: Any, libvirt: FakeLibvirt
) -> None:
    domain = host.find(UUID, "")
    libvirt.connections[-1].lose()
    assert domain.live_xml() == "<live/>"
    assert registrations(libvirt) == []


def test_a_connection_closed_by_its_owner_is_not_made_anew(host: Any, libvirt: FakeLibvirt) -> None:
    domain = host.find(UUID, "")
    host.close()
    with pytest.raises(ConnectionFailedError) as caught:
        domain.live_xml()
    assert str(caught.value) == "open: the connection is closed, or broke and is not ours to make anew"
    assert len(libvirt.connections) == 1


def test_a_driver_inside_this_process_has_no_connection_to_lose(host: Any, libvirt: FakeLibvirt) -> None:
    libvirt.fails["registerCloseCallback"] = libvirtError(3, "not supported")
    with host.find(UUID, "").removal("a") as waiter:
        libvirt.connections[-1].happens(HEARD[0][0], FakeVirDomain(libvirt, "x", UUID), "a")
        assert waiter.wait(0) is Outcome.REMOVED


def test_a_host_is_found_again_too(host: Any, libvirt: FakeLibvirt) -> None:
    libvirt.breaks_at = "lookupByName"
    assert host.find("", "db1").uuid == OTHER
    libvirt.breaks_at = "getLibVersion"
    assert host.version() == "9.12.3"
    assert len(libvirt.connections) == 3


def test_many_threads_make_a_broken_connection_anew_once(host: Any, libvirt: FakeLibvirt) -> None:
    domains = [host.find(UUID, "") for _each in range(8)]
    libvirt.connections[-1].lose()
    start, answers = threading.Barrier(len(domains)), []

    def ask(domain: Any) -> None:
        start.wait(30)
        answers.append(domain.live_xml())

    threads = [threading.Thread(target=ask, args=[each]) for each in domains]
    for each in threads:
        each.start()
    for each in threads:
        each.join(30)
    assert answers == ["<live/>"] * len(domains)
    assert len(libvirt.connections) == 2


# Several hosts on one connection: each LibvirtDomain of a domain that somebody else found has its own.


def pair(connection: ModuleType, libvirt: FakeLibvirt) -> tuple[Any, Any]:
    libvirt.domains = [FakeVirDomain(libvirt, "web1", UUID)]
    opened = libvirt.open(None)
    return connection.LibvirtHost(opened), connection.LibvirtHost(opened)


def test_two_on_one_connection_hear_the_same(connection: ModuleType, libvirt: FakeLibvirt) -> None:
    one, other = pair(connection, libvirt)
    with one.find(UUID, "").removal("a") as first, other.find(UUID, "").removal("a") as second:
        libvirt.connections[-1].happens(HEARD[0][0], FakeVirDomain(libvirt, "x", UUID), "a")
        assert (first.wait(0), second.wait(0)) == (Outcome.REMOVED, Outcome.REMOVED)
        libvirt.connections[-1].lose()
        assert (first.wait(0), second.wait(0)) == (Outcome.DISCONNECTED, Outcome.DISCONNECTED)
    assert registrations(libvirt) == REGISTERED


def test_what_is_registered_stays_for_as_long_as_one_hears(
    connection: ModuleType, libvirt: FakeLibvirt
) -> None:
    events = sys.modules[connection.hear_of_removals.__module__]
    one, other = pair(connection, libvirt)
    opened = libvirt.connections[-1]
    one.listen()
    other.listen()
    events.stop_hearing(opened, one.waiters)
    with one.waiters.waiting(UUID, "a") as gone, other.find(UUID, "").removal("a") as stays:
        opened.happens(HEARD[0][0], FakeVirDomain(libvirt, "x", UUID), "a")
        assert (gone.wait(0), stays.wait(0)) == (None, Outcome.REMOVED)
    events.stop_hearing(opened, other.waiters)
    assert (opened.callbacks, opened.close_callback) == ({}, None)


def test_one_that_nobody_has_any_more_is_forgotten(connection: ModuleType, libvirt: FakeLibvirt) -> None:
    one, other = pair(connection, libvirt)
    one.listen()
    other.listen()
    left = weakref.ref(one.waiters)
    del one
    gc.collect()
    assert left() is None
    with other.find(UUID, "").removal("a") as stays:
        libvirt.connections[-1].happens(HEARD[0][0], FakeVirDomain(libvirt, "x", UUID), "a")
        assert stays.wait(0) is Outcome.REMOVED


def test_a_registration_that_failed_is_made_the_next_time(
    connection: ModuleType, libvirt: FakeLibvirt
) -> None:
    host, _other = pair(connection, libvirt)
    libvirt.fails["domainEventRegisterAny"] = libvirtError(1, "not now")
    with pytest.raises(LiveError, match=r"^domainEventRegisterAny: not now"):
        host.listen()
    del libvirt.fails["domainEventRegisterAny"]
    with host.find(UUID, "").removal("a") as waiter:
        libvirt.connections[-1].happens(HEARD[0][0], FakeVirDomain(libvirt, "x", UUID), "a")
        assert waiter.wait(0) is Outcome.REMOVED
