"""Places on a bus: none twice, lowest first, known ones stay."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.strategies import partly_placed, patient
from virtxlate.errors import PlacementError
from virtxlate.ganeti.hvinfo import HvInfo
from virtxlate.ganeti.model import Disk, Instance, Nic
from virtxlate.placement import Numbers
from virtxlate.translate.placing import place

FIRST, LAST = 2, 6


class Bus(RuleBasedStateMachine):
    """A small bus, beside a set that does the same bookkeeping."""

    def __init__(self) -> None:
        super().__init__()
        self.numbers = Numbers("bus", first=FIRST, last=LAST)
        self.used: dict[int, str] = {}

    def free(self) -> list[int]:
        return [number for number in range(FIRST, LAST + 1) if number not in self.used]

    @precondition(lambda self: self.free())
    @rule(owner=st.text(max_size=3))
    def take(self, owner: str) -> None:
        lowest = self.free()[0]
        assert self.numbers.take(owner) == lowest
        self.used[lowest] = owner

    @precondition(lambda self: not self.free())
    @rule(owner=st.text(max_size=3))
    def take_from_a_full_bus(self, owner: str) -> None:
        with pytest.raises(PlacementError, match="no room on bus: all 5 places from 2 to 6 are taken"):
            self.numbers.take(owner)

    @rule(number=st.integers(-2, LAST + 2), owner=st.text(max_size=3))
    def claim(self, number: int, owner: str) -> None:
        if 0 <= number <= LAST and number not in self.used:
            self.numbers.claim(number, owner)
            self.used[number] = owner
        else:
            with pytest.raises(PlacementError, match=f"{number} (is not )?on bus"):
                self.numbers.claim(number, owner)

    @rule(number=st.integers(-2, LAST + 2))
    def release(self, number: int) -> None:
        if number in self.used:
            self.numbers.release(number)
            del self.used[number]
        else:
            with pytest.raises(PlacementError, match=f"nobody holds {number} on bus"):
                self.numbers.release(number)

    @invariant()
    def both_books_agree(self) -> None:
        assert self.numbers.held == self.used
        assert list(self.numbers.held) == sorted(self.used)
        assert list(self.numbers.free()) == self.free()


TestBus = Bus.TestCase


def places(instance: Instance) -> list[tuple[str, Any]]:
    devices: list[Disk | Nic] = [*instance.disks, *instance.nics]
    infos = [device.hvinfo for device in devices]
    assert all(isinstance(info, HvInfo) for info in infos)
    return [(info.bus, info.slot if info.scsi_id is None else info.scsi_id) for info in infos if info]


@patient
@given(partly_placed())
def test_known_places_stay_and_the_rest_gets_the_lowest_free_one(instance: Instance) -> None:
    placed = place(instance)
    devices: list[Disk | Nic] = [*instance.disks, *instance.nics]
    after_all: list[Disk | Nic] = [*placed.disks, *placed.nics]
    found = places(placed)
    used = {place_of for place_of, device in zip(found, devices, strict=True) if device.hvinfo is not None}
    for place_of, before, after in zip(found, devices, after_all, strict=True):
        if before.hvinfo is not None:
            assert after == before
            continue
        first = instance.hvparams.kvm_pci_reservations if place_of[0] == "pci.0" else 0
        assert place_of[1] == next(n for n in range(first, 32) if (place_of[0], n) not in used)
        used.add(place_of)


@patient
@given(partly_placed())
def test_no_two_devices_share_a_place(instance: Instance) -> None:
    found = places(place(instance))
    assert len(set(found)) == len(found)


@patient
@given(partly_placed())
def test_placing_a_placed_instance_changes_nothing(instance: Instance) -> None:
    placed = place(instance)
    assert place(placed) == placed
