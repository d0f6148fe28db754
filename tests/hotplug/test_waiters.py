"""Who waits for which device: fed by any thread, asked by any other."""

from __future__ import annotations

import threading

import pytest

from virtxlate.live.port import Outcome
from virtxlate.live.waiters import Waiters

ONE, OTHER = "11111111-2222-4333-8444-555555555555", "99999999-2222-4333-8444-555555555555"


def test_a_waiter_hears_what_came_before_it_was_asked_in_order_and_once() -> None:
    waiters = Waiters()
    with waiters.waiting(ONE, "a") as waiter:
        waiters.device(ONE, "a", Outcome.REFUSED)
        waiters.device(ONE, "a", Outcome.REMOVED)
        assert [waiter.wait(0) for _each in range(3)] == [Outcome.REFUSED, Outcome.REMOVED, None]


def test_nobody_hears_what_came_before_he_waited() -> None:
    waiters = Waiters()
    waiters.device(ONE, "a", Outcome.REMOVED)
    with waiters.waiting(ONE, "a") as waiter:
        assert waiter.wait(0) is None


def test_everybody_hears_what_is_meant_for_him() -> None:
    waiters = Waiters()
    with (
        waiters.waiting(ONE, "a") as first,
        waiters.waiting(ONE, "a") as same,
        waiters.waiting(ONE, "b") as second,
        waiters.waiting(OTHER, "a") as third,
    ):
        everybody = (first, same, second, third)
        assert len(waiters) == 4
        waiters.device(ONE, "a", Outcome.REMOVED)
        assert [each.wait(0) for each in everybody] == [Outcome.REMOVED, Outcome.REMOVED, None, None]
        waiters.domain(ONE, Outcome.STOPPED)
        assert [each.wait(0) for each in everybody] == [Outcome.STOPPED] * 3 + [None]
        waiters.everybody(Outcome.DISCONNECTED)
        assert [each.wait(0) for each in everybody] == [Outcome.DISCONNECTED] * 4
    assert len(waiters) == 0


def test_who_leaves_by_an_error_waits_no_more() -> None:
    waiters = Waiters()
    with pytest.raises(KeyError), waiters.waiting(ONE, "a"), waiters.waiting(ONE, "a"):
        raise KeyError
    assert (len(waiters), waiters._by_key) == (0, {})


def test_who_sleeps_is_woken_from_another_thread() -> None:
    waiters, heard = Waiters(), []
    with waiters.waiting(ONE, "a") as waiter:
        asleep = threading.Thread(target=lambda: heard.append(waiter.wait(30)))
        asleep.start()
        waiters.device(ONE, "a", Outcome.REMOVED)
        asleep.join(30)
    assert heard == [Outcome.REMOVED]


def test_a_waiter_gives_up_in_time() -> None:
    waiters = Waiters()
    with waiters.waiting(ONE, "a") as waiter:
        assert waiter.wait(0.001) is None


def test_threads_that_come_and_go_lose_nothing() -> None:
    waiters, start, missed = Waiters(), threading.Barrier(8), []

    def come_and_go(number: int) -> None:
        start.wait(30)
        for turn in range(200):
            alias = f"{number}-{turn % 3}"
            with waiters.waiting(ONE, alias) as waiter:
                waiters.device(ONE, alias, Outcome.REMOVED)
                if waiter.wait(0) is not Outcome.REMOVED:
                    missed.append(alias)

    threads = [threading.Thread(target=come_and_go, args=[number]) for number in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60)
    assert (missed, len(waiters), waiters._by_key) == ([], 0, {})
