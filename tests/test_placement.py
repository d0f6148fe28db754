"""Numbers of a bus: lowest first, none twice, clear words when there is none."""

from __future__ import annotations

import pytest

from virtxlate.errors import PlacementError
from virtxlate.placement import Controllers, Numbers


def test_the_lowest_free_number_is_handed_out() -> None:
    slots = Numbers("pci.0", first=12, last=15, used={12: "disks[0]", 14: "nics[0]"})
    assert [slots.take("a"), slots.take("b")] == [13, 15]
    assert slots.held == {12: "disks[0]", 13: "a", 14: "nics[0]", 15: "b"}
    assert slots.free() == ()


def test_a_number_below_the_first_can_be_claimed_but_is_not_handed_out() -> None:
    slots = Numbers("pci.0", first=2, last=3)
    slots.claim(0, "host bridge")
    assert slots.free() == (2, 3)
    assert slots.take("a") == 2
    assert list(slots.held) == [0, 2]


def test_a_released_number_is_handed_out_again() -> None:
    slots = Numbers("pci.0", first=0, last=3)
    assert [slots.take(owner) for owner in "abc"] == [0, 1, 2]
    slots.release(1)
    slots.release(0)
    assert [slots.take("d"), slots.take("e"), slots.take("f")] == [0, 1, 3]


def test_a_full_bus_says_how_full_it_is() -> None:
    slots = Numbers("pci.0", first=12, last=13, used={12: "a", 13: "b"})
    with pytest.raises(PlacementError) as caught:
        slots.take("nics[3]")
    assert str(caught.value) == "nics[3]: no room on pci.0: all 2 places from 12 to 13 are taken"
    assert (caught.value.bus, caught.value.wanted, caught.value.at) == ("pci.0", "", "nics[3]")


def test_a_bus_without_places_is_full() -> None:
    with pytest.raises(PlacementError) as caught:
        Numbers("pci.0", first=32, last=31).take("disks[0]")
    assert str(caught.value) == "disks[0]: no room on pci.0: all 0 places from 32 to 31 are taken"


def test_a_taken_number_names_its_holder() -> None:
    slots = Numbers("scsi.0", first=0, last=15, used={3: "disks[0]"})
    with pytest.raises(PlacementError) as caught:
        slots.claim(3, "disks[1]")
    assert str(caught.value) == "disks[1]: 3 on scsi.0 is taken by disks[0]"
    assert (caught.value.bus, caught.value.wanted) == ("scsi.0", "3")


@pytest.mark.parametrize("number", [-1, 16, 10**30])
def test_a_number_past_the_bus_is_refused(number: int) -> None:
    with pytest.raises(PlacementError) as caught:
        Numbers("scsi.0", first=0, last=15).claim(number, "disks[1]")
    assert str(caught.value) == f"disks[1]: {number} is not on scsi.0, which ends at 15"
    assert caught.value.wanted == str(number)


def test_what_nobody_holds_cannot_be_released() -> None:
    with pytest.raises(PlacementError) as caught:
        Numbers("scsi.0", first=0, last=15).release(4)
    assert str(caught.value) == "nobody holds 4 on scsi.0"


def test_what_is_held_cannot_be_changed_from_outside() -> None:
    slots = Numbers("scsi.0", first=0, last=15, used={3: "disks[0]"})
    slots.held.clear()
    assert slots.held == {3: "disks[0]"}


def parallel(most: int = 3) -> Controllers:
    """Controllers with ids 0 to 2, of which 2 is their own."""
    return Controllers(lambda index: Numbers(f"scsi{index}", first=0, last=2, skip=(2,)), most=most)


def test_a_number_to_skip_is_claimed_but_not_handed_out() -> None:
    numbers = Numbers("scsi.0", first=0, last=2, skip=(1,))
    assert (numbers.free(), [numbers.take("a"), numbers.take("b")]) == ((0, 2), [0, 2])
    numbers.claim(1, "c")
    assert numbers.held == {0: "a", 1: "c", 2: "b"}


def test_a_full_controller_is_followed_by_the_next() -> None:
    places = parallel()
    assert len(places) == 1
    assert [places.take(owner) for owner in "abc"] == [(0, 0), (0, 1), (1, 0)]
    assert len(places) == 2


def test_a_place_that_was_left_is_the_next_one_given() -> None:
    places = parallel()
    taken = [places.take(owner) for owner in "abc"]
    places.release(*taken[1])
    assert [places.take("d"), places.take("e")] == [(0, 1), (1, 1)]


def test_a_claim_on_a_later_controller_makes_those_before_it() -> None:
    places = parallel()
    places.claim(2, 2, "a")
    assert (len(places), places.take("b")) == (3, (0, 0))
    with pytest.raises(PlacementError, match=r"^b: 2 on scsi2 is taken by a$"):
        places.claim(2, 2, "b")


def test_the_last_controller_says_that_it_is_full() -> None:
    places = parallel(most=1)
    assert [places.take(owner) for owner in "ab"] == [(0, 0), (0, 1)]
    with pytest.raises(PlacementError, match=r"^c: no room on scsi0: "):
        places.take("c")
