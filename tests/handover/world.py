"""A small world in which a handover happens: two QEMUs, a journal, a libvirtd, and who works by the table.

Everything that may happen at a moment is given, so that a search meets every order of everything. Who works
reads the table of the engine itself; only what an action does to the two QEMUs is told here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from virtxlate.handover.states import Decision, Seen, Source, Target, Wish
from virtxlate.handover.steps import ACTIONS, WAYS, Name, Way
from virtxlate.handover.verdicts import verdict


class World(NamedTuple):
    """One moment."""

    source: Source = Source.RUNS
    target: Target = Target.ABSENT
    decision: Decision = Decision.OPEN
    journal: bool = False
    daemon: bool = True
    pending: frozenset[str] = frozenset()
    """Calls that libvirtd has heard of a caller who is dead, and may still obey or drop."""
    has_run: bool = False
    """The new guest, ever."""
    way: Way | None = None
    """On which somebody works; None: nobody does."""
    at: int = 0
    wish: Wish | None = None
    """Of whoever works; None: the first call."""
    wrote: bool = False
    """Whether whoever works wrote *forward* himself, so that nobody else's call to run is on its way."""
    first: bool = False
    """Whether whoever works began it, and nobody else has ever worked."""

    @property
    def seen(self) -> Seen:
        """What an observer sees."""
        return Seen(self.source, self.target if self.daemon else Target.UNKNOWN)

    @property
    def name(self) -> Name | None:
        """The next action."""
        return None if self.way is None else WAYS[self.way][self.at]

    def both_run(self) -> bool:
        """Whether the guest may run twice at this moment."""
        return self.source in {Source.RUNS, Source.MOVING} and self.target is Target.RUNS

    def old_runs_after_new(self) -> bool:
        """Whether the old guest runs on disks that the new one may have written to."""
        return self.source is Source.RUNS and self.has_run


def begun() -> World:
    """Give the world right after somebody called ``handover``."""
    return World(journal=True, way=Way.HANDOVER, first=True)


def moves(world: World, *, faults: bool = True) -> Iterator[World]:
    """Give every world that may come next; without ``faults`` nobody is killed, and the daemon lives."""
    yield from _by_itself(world)
    if world.way is not None:
        yield from _worked(world, faults=faults)
    if faults:
        yield from _faults(world)
        if world.way is None and world.journal:
            for wish in Wish:
                yield from called(world, wish)


def called(world: World, wish: Wish) -> Iterator[World]:
    """Give what follows when somebody calls ``--resume`` or ``--abort``; nothing where that is refused."""
    way = verdict(world.decision, wish, world.seen).way
    if way is not None:
        yield world._replace(way=way, at=0, wish=wish)


def _by_itself(world: World) -> Iterator[World]:
    """What QEMU and libvirtd do without being told."""
    here = world._replace
    if world.source is Source.MOVING:
        yield here(source=Source.STOPPED)  # all was sent
        yield here(source=Source.RUNS)  # it could not be sent
    if world.target is Target.LOADING:
        yield here(target=Target.ABSENT)  # what came was not that of its machine, or ended too early
        if world.source in {Source.MOVING, Source.STOPPED, Source.GONE}:
            yield here(target=Target.PAUSED)
    if world.daemon:
        for call in world.pending:
            rest = world.pending - {call}
            yield here(pending=rest)
            yield from _obeyed(world._replace(pending=rest), call)


def _obeyed(world: World, call: str) -> Iterator[World]:
    """What a call of libvirt does when it is heard at last."""
    here = world._replace
    if call == "restore" and world.target is Target.ABSENT:
        yield here(target=Target.LOADING)
    elif call == "resume" and world.target is Target.PAUSED:
        yield here(target=Target.RUNS, has_run=True)
    elif call == "destroy":
        yield here(target=Target.ABSENT)
    elif call == "start" and world.target is Target.ABSENT:
        yield here(target=Target.RUNS, has_run=True)


def _faults(world: World) -> Iterator[World]:
    """What may be killed at any moment."""
    here = world._replace
    if world.source is not Source.GONE:
        yield here(source=Source.GONE)
    if world.target is not Target.ABSENT:
        yield here(target=Target.ABSENT)
    if world.daemon:
        # A daemon that starts again ends what it finds half started.
        lost = Target.ABSENT if world.target is Target.LOADING else world.target
        yield here(daemon=False, pending=frozenset())
        yield here(target=lost, pending=frozenset())
    else:
        yield here(daemon=True, target=Target.ABSENT if world.target is Target.LOADING else world.target)
    if world.way is not None:
        yield here(way=None, at=0, wish=None, wrote=False, first=False)
        if world.daemon and world.name in _CALLS and _may(world):
            yield here(
                way=None,
                at=0,
                wish=None,
                wrote=False,
                first=False,
                pending=world.pending | {_CALLS[world.name]},
            )


_CALLS = {Name.TRANSFER: "restore", Name.RUN: "resume", Name.END_TARGET: "destroy", Name.START: "start"}
"""Actions that are calls of libvirt: whoever makes one may die while it is on its way."""


def _may(world: World) -> bool:
    row = ACTIONS[world.name] if world.name is not None else None
    return row is not None and world.seen.source in row.source and world.seen.target in row.target


def _next(world: World) -> World:
    assert world.way is not None
    if world.at + 1 < len(WAYS[world.way]):
        return world._replace(at=world.at + 1)
    if world.way is Way.WAIT and world.wish is not None:
        return next(called(world, world.wish), _given_up(world))
    return _given_up(world)


def _given_up(world: World) -> World:
    return world._replace(way=None, at=0, wish=None, wrote=False, first=False)


def _failed(world: World) -> World:
    """After an error whoever works looks what there is, and goes back if that is still possible."""
    if world.way in {Way.BACK, Way.WAIT} or world.decision is not Decision.OPEN:
        return _given_up(world)
    return next(called(world, Wish.ABORT), _given_up(world))


def _worked(world: World, *, faults: bool) -> Iterator[World]:
    """What the next action does, and what follows where it cannot be done."""
    name = world.name
    assert name is not None
    row = ACTIONS[name]
    if row.decides is not None and row.decides is world.decision:
        yield _next(world)
        return
    if not _may(world):
        yield _failed(world)
        return
    if row.decides is not None:
        yield _next(world._replace(decision=row.decides, wrote=row.decides is Decision.FORWARD))
        if faults and row.decides is Decision.BACK and world.first:
            yield _next(world)  # the disk takes nothing, and says *open*
        elif faults:
            yield _failed(world)
        return
    yield from _done(world, name)
    if faults:
        yield from _refused(world, name)


def _done(world: World, name: Name) -> Iterator[World]:  # noqa: C901, PLR0912 - a branch an action
    here = world._replace
    if name is Name.TRANSFER:
        yield _failed(world)  # libvirt refuses before anything was sent
        yield _next(here(source=Source.MOVING, target=Target.LOADING))
        yield _next(here(source=Source.MOVING, target=Target.ABSENT))  # sent into a file
        yield _next(here(source=Source.STOPPED, target=Target.LOADING))
    elif name is Name.SETTLE:
        if world.source is not Source.MOVING and world.target is not Target.LOADING:
            yield _next(world)
    elif name is Name.COMPARE:
        yield _next(world)
        if world.source is Source.STOPPED and world.decision is Decision.OPEN:
            yield _failed(world)  # with the old one gone there is nothing to go back to
    elif name is Name.RUN:
        yield _next(here(target=Target.RUNS, has_run=True))
    elif name is Name.QUIT:
        yield _next(here(source=Source.GONE))
    elif name is Name.START:
        yield _next(here(target=Target.RUNS, has_run=True))
    elif name is Name.END_TARGET:
        moving = world.source is Source.MOVING
        yield _next(
            here(
                target=Target.ABSENT,
                source=Source.RUNS if moving else world.source,
                pending=world.pending - {"restore"},
            )
        )
        if moving:
            yield _next(
                here(target=Target.ABSENT, source=Source.STOPPED, pending=world.pending - {"restore"})
            )
    elif name is Name.WAKE:
        yield _next(here(source=Source.RUNS if world.source is Source.STOPPED else world.source))
    elif name is Name.TIDY:
        yield _next(here(journal=False))
        if world.decision is Decision.OPEN:
            yield _given_up(world)  # what could not be written cannot be removed
    else:
        yield _next(world)


def _refused(world: World, name: Name) -> Iterator[World]:
    """What follows when libvirt answers no, and has done nothing."""
    if name is Name.RUN:
        # The way back is open again, unless the call of somebody who died may still be on its way.
        yield _failed(world._replace(decision=Decision.OPEN) if world.wrote else world)
    elif name in {Name.DEFINE, Name.START, Name.END_TARGET, Name.WAKE, Name.UNDO, Name.QUIT}:
        yield _failed(world)
