"""^C, an end that is asked for, and a terminal that is lost: the guest goes back where that is still open.

Where the way is decided, forward or back, it is gone to its end first: it is a matter of moments, and in the
middle the guest would stand still on both sides until somebody comes.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from virtxlate.handover.ended import FAILED
from virtxlate.handover.steps import Name

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_DECIDED = {FAILED} | frozenset(
    f"before {name}"
    for name in (
        Name.GO_FORWARD,
        Name.GO_COLD,
        Name.GO_BACK,
        Name.RUN,
        Name.QUIT,
        Name.START,
        Name.END_TARGET,
        Name.TIDY,
    )
)
EXIT_CODE = 128
"""And the number of the signal, as a shell tells it."""


class Interruptions:
    """What was heard."""

    def __init__(self) -> None:
        self.number: int | None = None
        """Of the first signal; None: there was none."""
        self.is_begun = self._decided = False

    @property
    def name(self) -> str:
        """Its name."""
        return "" if self.number is None else signal.Signals(self.number).name

    def begin(self) -> None:
        """Another instance: nothing is begun or decided."""
        self.is_begun = self._decided = False

    def moment(self, name: str) -> None:
        """Be told how far it is."""
        self.is_begun = True
        self._decided = self._decided or name in _DECIDED

    def hear(self, number: int, _frame: FrameType | None) -> None:
        """Raise KeyboardInterrupt, once, and not where the way is decided."""
        first, self.number = self.number is None, self.number or number
        if first and not self._decided:
            raise KeyboardInterrupt


@contextmanager
def interruptions() -> Iterator[Interruptions]:
    """Give what hears the signals for the time of a ``with``; one that was to be ignored stays so."""
    heard = Interruptions()
    before = {each: signal.getsignal(each) for each in _SIGNALS}
    taken = [each for each in _SIGNALS if before[each] not in {signal.SIG_IGN, None}]
    try:
        for each in taken:
            signal.signal(each, heard.hear)
        yield heard
    finally:
        for each in taken:
            signal.signal(each, before[each])
