"""Who waits for which device of which domain to go: fed by events of any thread, asked by any other.

A waiter hears everything from the moment that it was made, so that an event which comes before the call that
causes it returns is not lost.
"""

from __future__ import annotations

import threading
from collections import defaultdict, deque
from collections.abc import Iterator
from contextlib import contextmanager

from virtxlate.live.port import Outcome

_Key = tuple[str, str]
"""UUID of the domain, and alias."""


class Waiter:
    """Outcomes of one device, in the order in which they came; see port.RemovalWaiter."""

    __slots__ = ("_condition", "_outcomes")

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._outcomes: deque[Outcome] = deque()

    def deliver(self, outcome: Outcome) -> None:
        """Tell the waiter."""
        with self._condition:
            self._outcomes.append(outcome)
            self._condition.notify_all()

    def wait(self, timeout: float) -> Outcome | None:
        """Give the next outcome that was not given yet; None when ``timeout`` seconds bring none."""
        with self._condition:
            self._condition.wait_for(lambda: bool(self._outcomes), timeout)
            return self._outcomes.popleft() if self._outcomes else None


class Waiters:
    """All waiters of one connection."""

    __slots__ = ("__weakref__", "_by_key", "_lock")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_key: defaultdict[_Key, list[Waiter]] = defaultdict(list)

    def __len__(self) -> int:
        with self._lock:
            return sum(len(each) for each in self._by_key.values())

    @contextmanager
    def waiting(self, uuid: str, alias: str) -> Iterator[Waiter]:
        """Give a waiter for the time of a ``with``."""
        waiter, key = Waiter(), (uuid, alias)
        with self._lock:
            self._by_key[key].append(waiter)
        try:
            yield waiter
        finally:
            with self._lock:
                self._by_key[key].remove(waiter)
                if not self._by_key[key]:
                    del self._by_key[key]

    def device(self, uuid: str, alias: str, outcome: Outcome) -> None:
        """Tell those who wait for a device."""
        self._tell([key for key in self._keys() if key == (uuid, alias)], outcome)

    def domain(self, uuid: str, outcome: Outcome) -> None:
        """Tell those who wait for any device of a domain."""
        self._tell([key for key in self._keys() if key[0] == uuid], outcome)

    def everybody(self, outcome: Outcome) -> None:
        """Tell all."""
        self._tell(self._keys(), outcome)

    def _keys(self) -> list[_Key]:
        with self._lock:
            return list(self._by_key)

    def _tell(self, keys: list[_Key], outcome: Outcome) -> None:
        with self._lock:
            waiters = [waiter for key in keys for waiter in self._by_key.get(key, ())]
        for waiter in waiters:
            waiter.deliver(outcome)
