"""In no order of steps, crashes and recoveries do both QEMUs run the guest; one command ends it well."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from functools import cache

import msgspec
import pytest

from tests.handover import world as world_of
from tests.handover.world import World, begun, called, moves
from virtxlate.handover.states import Decision, Seen, Source, Target, Wish
from virtxlate.handover.steps import ACTIONS, WAYS, Name, Way
from virtxlate.handover.verdicts import Verdict, verdict


@cache
def reachable() -> dict[World, World | None]:
    """Every world that a handover may lead to, and one from which it comes."""
    return explored(begun())


def explored(start: World) -> dict[World, World | None]:
    found: dict[World, World | None] = {start: None}
    todo = deque([start])
    while todo:
        world = todo.popleft()
        for after in moves(world):
            if after not in found:
                found[after] = world
                todo.append(after)
    return found


def path_to(world: World | None) -> list[World]:
    path = []
    while world is not None:
        path.append(world)
        world = reachable()[world]
    return path[::-1]


def shown(worlds: Iterable[World]) -> str:
    return "\n".join(
        f"{w.name or '-':10} {w.source:8} {w.target:8} {w.decision:8} "
        f"daemon={w.daemon:d} ran={w.has_run:d} {set(w.pending) or ''}"
        for w in worlds
    )


def test_both_never_run() -> None:
    bad = next((each for each in reachable() if each.both_run()), None)
    assert bad is None, shown(path_to(bad))


def test_the_old_guest_never_runs_on_disks_that_the_new_one_may_have_written() -> None:
    bad = next((each for each in reachable() if each.old_runs_after_new()), None)
    assert bad is None, shown(path_to(bad))


def ends_of(world: World) -> set[World]:
    """Where a call ends when nothing more is killed."""
    seen, todo, ends = {world}, deque([world]), set()
    while todo:
        each = todo.popleft()
        if each.way is None:
            ends.add(each)
            continue
        for after in moves(each, faults=False):
            if after not in seen:
                seen.add(after)
                todo.append(after)
    return ends


def cut_short() -> list[World]:
    """Where nobody works, libvirtd has answered the calls of the dead, and the journal is still there."""
    return [w for w in reachable() if w.way is None and w.journal and w.daemon and not w.pending]


def is_well(world: World) -> bool:
    """Whether the guest runs on one side, or its owner has stopped it since; nothing is left to do."""
    if world.journal:
        return False
    return (world.source is Source.RUNS) != (world.target is Target.RUNS) or world.decision is Decision.RAN


def test_one_command_ends_it_well_wherever_it_was_cut() -> None:
    assert cut_short()
    for world in cut_short():
        (begin,) = called(world, Wish.RESUME)
        for end in ends_of(begin):
            assert is_well(end), shown([*path_to(world), begin, end])


def test_an_abort_ends_under_ganeti_or_says_that_it_cannot() -> None:
    for world in cut_short():
        for begin in called(world, Wish.ABORT):
            for end in ends_of(begin):
                only_there = end.source is Source.GONE and end.target is Target.PAUSED
                assert end.journal is only_there, shown([*path_to(world), begin, end])
                assert only_there or end.target is Target.ABSENT
                assert end.source in {Source.RUNS, Source.GONE}


WRONG_WAYS: dict[str, tuple[Way, tuple[Name, ...]]] = {
    "runs before the journal says so": (
        Way.HANDOVER,
        (
            Name.DISPLAY,
            Name.DEFINE,
            Name.TRANSFER,
            Name.SETTLE,
            Name.RUN,
            Name.GO_FORWARD,
            Name.RAN,
        ),
    ),
    "starts before the old QEMU has ended": (Way.COLD, (Name.GO_COLD, Name.START, Name.QUIT, Name.TIDY)),
}


@pytest.mark.parametrize("name", WRONG_WAYS)
def test_a_wrong_order_is_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What makes the proof one that can fail."""
    way, actions = WRONG_WAYS[name]
    monkeypatch.setattr(world_of, "WAYS", {**WAYS, way: actions})
    if way is Way.COLD:
        anywhere = {
            each: msgspec.structs.replace(row, source=frozenset(Source)) for each, row in ACTIONS.items()
        }
        monkeypatch.setattr(world_of, "ACTIONS", anywhere)
    found = explored(begun())
    assert any(each.both_run() or each.old_runs_after_new() for each in found)


def test_a_way_back_after_the_way_forward_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def careless(decision: Decision, wish: Wish, seen: Seen) -> Verdict:
        return Verdict(Way.BACK) if wish is Wish.ABORT else verdict(decision, wish, seen)

    monkeypatch.setattr(world_of, "verdict", careless)
    found = explored(begun())
    assert any(each.old_runs_after_new() for each in found)


def test_the_search_has_met_what_matters() -> None:
    met = reachable()
    assert len(met) > 1000
    for source in set(Source) - {Source.UNKNOWN, Source.REPLACED}:
        for target in set(Target) - {Target.UNKNOWN}:
            expected = (source, target) not in {
                (Source.RUNS, Target.RUNS),
                (Source.MOVING, Target.RUNS),
            }
            assert any((w.source, w.target) == (source, target) for w in met) is expected
    assert {w.decision for w in met} == set(Decision)
