"""What was found out in one context, and may be lost at any time: another one, or too much, begins anew."""

from __future__ import annotations

from collections.abc import Callable, Sized
from typing import Generic, TypeVar

from virtxlate.translate.context import Context

T = TypeVar("T", bound=Sized)


class Memory(Generic[T]):
    """What ``make`` begins with, for the last context that was asked for."""

    def __init__(self, make: Callable[[], T], most: int) -> None:
        self._make, self._most = make, most
        # One reference to both, so that another thread sees what belongs together.
        self._last: tuple[Context | None, T] = (None, make())

    def of(self, context: Context) -> T:
        """Give what is remembered of a context: the very one, not one that is equal."""
        known, kept = self._last
        if known is not context or len(kept) > self._most:
            kept = self._make()
            self._last = (context, kept)
        return kept
