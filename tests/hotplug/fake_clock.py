"""Time that passes only when somebody waits."""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable
from itertools import count

from virtxlate.live.port import Outcome
from virtxlate.live.waiters import Waiter

Action = Callable[[], None]


class FakeClock:
    """Seconds since the test began, and what happens later."""

    def __init__(self) -> None:
        self.now = 0.0
        self._later: list[tuple[float, int, Action]] = []
        self._numbers = count()

    def __call__(self) -> float:
        return self.now

    def later(self, seconds: float, action: Action) -> None:
        """Let something happen in so many seconds."""
        heapq.heappush(self._later, (self.now + seconds, next(self._numbers), action))

    def advance(self, seconds: float) -> None:
        """Let time pass, and what was to happen in it happen."""
        end = self.now + seconds
        while self._step(end):
            pass
        self.now = end

    def _step(self, end: float) -> bool:
        if not self._later or self._later[0][0] > end:
            return False
        when, _number, action = heapq.heappop(self._later)
        self.now = max(self.now, when)
        action()
        return True

    def wait(self, waiter: Waiter, timeout: float) -> Outcome | None:
        """Give what the waiter hears while so much time passes."""
        end = self.now + timeout
        while (heard := waiter.wait(0)) is None and self._step(end):
            pass
        if heard is None:
            self.now = end
        return heard


def in_another_thread(action: Action) -> None:
    """Do it as libvirt's event loop does: in a thread of its own."""
    thread = threading.Thread(target=action)
    thread.start()
    thread.join()
