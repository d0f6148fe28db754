"""Several domains at once on one connection, several writers of one domain, and asyncio."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import pytest

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
)
from tests.hotplug.fake_clock import in_another_thread
from tests.hotplug.fake_domain import NEVER, FakeDomain
from tests.translate.building import disk
from virtxlate.errors import RemovalPendingError
from virtxlate.hotplug import lock
from virtxlate.live.port import Outcome
from virtxlate.live.waiters import Waiters

SLEEP = time.sleep


def many(count: int, waiters: Waiters) -> list[FakeDomain]:
    """Give domains that share the waiters of one connection, and bear the same aliases."""
    found = []
    for number in range(count):
        uuid = f"{number:08x}-2222-4333-8444-555555555555"
        one = msgspec.structs.replace(ganeti(1, 1), uuid=uuid, name=f"web{number}.example.com")
        found.append(domain_of(one, waiters=waiters, deliver=in_another_thread))
    return found


def test_many_domains_at_once_hear_each_of_its_own() -> None:
    waiters = Waiters()
    domains = many(8, waiters)
    domains[3].answer = NEVER
    start = threading.Barrier(len(domains))

    def cycle(found: FakeDomain) -> str:
        start.wait(30)
        operations = hotplug(found)
        for _turn in range(10):
            operations.add_disk(DISKS[1])
            operations.add_nic(NICS[1])
            try:
                operations.remove("disk", DISK_IDS[1])
            except RemovalPendingError:
                return "pending"
            operations.remove("nic", NIC_IDS[1])
        return "done"

    with ThreadPoolExecutor(len(domains)) as pool:
        results = list(pool.map(cycle, domains))
    assert results == ["pending" if number == 3 else "done" for number in range(8)]
    assert len(waiters) == 0
    for number, found in enumerate(domains):
        more = [DISK_IDS[1], NIC_IDS[1]] if number == 3 else []
        assert aliases(found) == sorted([DISK_IDS[0], NIC_IDS[0], *more])
        assert len(kept(found).disks) == (2 if number == 3 else 1)


def test_a_connection_that_breaks_wakes_all_of_its_domains() -> None:
    waiters = Waiters()
    domains = many(3, waiters)
    with waiters.waiting(domains[0].uuid, "a") as one, waiters.waiting(domains[2].uuid, "b") as other:
        domains[1].break_connection(0)
        assert (one.wait(0), other.wait(0)) == (Outcome.DISCONNECTED, Outcome.DISCONNECTED)


def test_writers_of_one_domain_lose_nothing_and_double_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "sleep", SLEEP)  # a lock that somebody else holds is waited for
    found = domain_of(ganeti(0, 0))
    start = threading.Barrier(4)

    def add(writer: int) -> None:
        start.wait(30)
        for number in range(4):
            each = disk(
                0,
                uuid=f"{writer}{number}000000-1111-4222-8333-444444444444",
                logical_id=("xenvg", f"{writer}{number}"),
            )
            hotplug(found, lock=lock.domain_lock, live=True, config=True, attempts=50).add_disk(each)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(add, range(4)))
    wanted = sorted(f"ua-disk-{writer}{number}000000-1111-4222" for writer in range(4) for number in range(4))
    assert aliases(found) == aliases(found, live=False) == wanted
    assert sorted(f"ua-{each.hvinfo.id}" for each in kept(found).disks if each.hvinfo) == wanted
    assert sorted(kept(found).disks, key=lambda each: each.uuid) == sorted(
        kept(found, live=False).disks, key=lambda each: each.uuid
    )
    assert len(set(places(found).values())) == 16
    assert places(found) == places(found, live=False)


def test_from_asyncio_it_is_a_thread_of_its_own() -> None:
    waiters = Waiters()
    domains = many(3, waiters)

    async def all_of_them() -> list[Any]:
        calls: list[Callable[..., Any]] = [hotplug(each).add_disk for each in domains]
        return await asyncio.gather(*(asyncio.to_thread(call, DISKS[1]) for call in calls))

    found = asyncio.run(all_of_them())
    assert [done.hvinfo.addr for done in found] == ["0xe"] * 3
