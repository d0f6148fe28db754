"""Which place on a bus a device gets: pure bookkeeping over numbers, from the addresses in use.

Rule: the lowest free number, never one twice, and a full bus is an error that says who holds it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from virtxlate.errors import PlacementError


class Numbers:
    """The numbers of one bus, ``first`` to ``last``, and who holds each; ``skip`` are claimed, never taken.

    >>> slots = Numbers("pci.0", first=12, last=31, used={12: "disks[0]"})
    >>> slots.take("nics[0]")
    13
    """

    __slots__ = ("_held", "bus", "first", "last", "skip")

    def __init__(
        self,
        bus: str,
        *,
        first: int,
        last: int,
        used: Mapping[int, str] | None = None,
        skip: Collection[int] = (),
    ) -> None:
        self.bus = bus
        self.skip = skip
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
        numbers = range(self.first, self.last + 1)
        return tuple(n for n in numbers if n not in self._held and n not in self.skip)

    def take(self, owner: str) -> int:
        """Give the lowest free number to ``owner``. Raises PlacementError when there is none."""
        for number in range(self.first, self.last + 1):
            if number not in self._held and number not in self.skip:
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


class Controllers:
    """The places of controllers that are alike: the first one with room gives its lowest free number.

    ``make`` gives the numbers of the controller with an index; the next one is made when all are full, up to
    ``most`` of them.
    """

    __slots__ = ("_made", "make", "most")

    def __init__(self, make: Callable[[int], Numbers], *, most: int) -> None:
        self.make = make
        self.most = most
        self._made: list[Numbers] = [make(0)]

    def __len__(self) -> int:
        """Give how many controllers it takes."""
        return len(self._made)

    def take(self, owner: str) -> tuple[int, int]:
        """Give index of the controller and number. Raises PlacementError when the last controller is full."""
        for index in range(self.most):
            numbers = self._at(index)
            if numbers.free():
                return index, numbers.take(owner)
        return self.most - 1, self._made[-1].take(owner)

    def claim(self, index: int, number: int, owner: str) -> None:
        """Give a certain number of a certain controller to ``owner``.

        Raises PlacementError when it is taken, or not one of the controller's.
        """
        self._at(index).claim(number, owner)

    def release(self, index: int, number: int) -> None:
        """Make a number free again. Raises PlacementError when nobody holds it."""
        self._at(index).release(number)

    def _at(self, index: int) -> Numbers:
        while len(self._made) <= index:
            self._made.append(self.make(len(self._made)))
        return self._made[index]
