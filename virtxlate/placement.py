"""Which place on a bus a device gets: pure bookkeeping over numbers, from the addresses in use.

Rule: the lowest free number, never one twice, and a full bus is an error that says who holds it.
"""

from __future__ import annotations

from collections.abc import Mapping

from virtxlate.errors import PlacementError


class Numbers:
    """The numbers of one bus, ``first`` to ``last``, and who holds each.

    >>> slots = Numbers("pci.0", first=12, last=31, used={12: "disks[0]"})
    >>> slots.take("nics[0]")
    13
    """

    __slots__ = ("_held", "bus", "first", "last")

    def __init__(self, bus: str, *, first: int, last: int, used: Mapping[int, str] | None = None) -> None:
        self.bus = bus
        self.first = first
        self.last = last
        self._held: dict[int, str] = {}
        for number, owner in (used or {}).items():
            self.claim(number, owner)

    @property
    def held(self) -> dict[int, str]:
        """Owner by number, lowest first."""
        return dict(sorted(self._held.items()))

    def free(self) -> tuple[int, ...]:
        """Give the numbers that ``take`` can still hand out."""
        return tuple(n for n in range(self.first, self.last + 1) if n not in self._held)

    def take(self, owner: str) -> int:
        """Give the lowest free number to ``owner``. Raises PlacementError when there is none."""
        for number in range(self.first, self.last + 1):
            if number not in self._held:
                self._held[number] = owner
                return number
        raise PlacementError(
            f"no room on {self.bus}: all {max(0, self.last - self.first + 1)} places from "
            f"{self.first} to {self.last} are taken",
            bus=self.bus,
            at=owner,
        )

    def claim(self, number: int, owner: str) -> None:
        """Give a certain number to ``owner``; one below ``first`` is allowed.

        Raises PlacementError when it is taken, or lies past the bus.
        """
        if not 0 <= number <= self.last:
            raise PlacementError(
                f"{number} is not on {self.bus}, which ends at {self.last}",
                bus=self.bus,
                wanted=str(number),
                at=owner,
            )
        if number in self._held:
            raise PlacementError(
                f"{number} on {self.bus} is taken by {self._held[number]}",
                bus=self.bus,
                wanted=str(number),
                at=owner,
            )
        self._held[number] = owner

    def release(self, number: int) -> None:
        """Make a number free again. Raises PlacementError when nobody holds it."""
        if self._held.pop(number, None) is None:
            raise PlacementError(f"nobody holds {number} on {self.bus}", bus=self.bus, wanted=str(number))
