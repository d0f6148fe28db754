"""What to do with a handover that was cut short: one answer for everything that can be found.

The rule behind the table: once the journal says *forward*, the old guest never goes on; once it says *back*,
the new one never runs, unless the old process has ended and cannot go on either.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product

import msgspec

from virtxlate.errors import TableError
from virtxlate.handover.states import Decision, Seen, Source, Target, Wish
from virtxlate.handover.steps import Way


class Verdict(msgspec.Struct, frozen=True):
    """The way to go; None: none, and ``reason`` says why and what to do."""

    way: Way | None
    reason: str = ""


class _Row(msgspec.Struct, frozen=True):
    """An empty set stands for everything."""

    verdict: Verdict
    decisions: frozenset[Decision]
    wishes: frozenset[Wish]
    sources: frozenset[Source]
    targets: frozenset[Target]

    def fits(self, decision: Decision, wish: Wish, seen: Seen) -> bool:
        """Tell whether it is about this."""
        return (
            (not self.decisions or decision in self.decisions)
            and (not self.wishes or wish in self.wishes)
            and (not self.sources or seen.source in self.sources)
            and (not self.targets or seen.target in self.targets)
        )


def _row(
    way: Way | None,
    reason: str = "",
    *,
    decision: Iterable[Decision] = (),
    wish: Iterable[Wish] = (),
    source: Iterable[Source] = (),
    target: Iterable[Target] = (),
) -> _Row:
    return _Row(
        Verdict(way, reason), frozenset(decision), frozenset(wish), frozenset(source), frozenset(target)
    )


_BEFORE = (Decision.OPEN, Decision.BACK)
_AFTER = (Decision.FORWARD, Decision.RAN)
_STILL = (Source.STOPPED, Source.GONE)
_AWAKE = (Source.RUNS, Source.MOVING)
_LATE = "the guest runs, or has run, under libvirt: there is no way back; use --resume"

ROWS: tuple[_Row, ...] = (
    _row(
        None,
        "libvirt does not say what its domain does: start libvirtd, then use --resume or --abort",
        target=[Target.UNKNOWN],
    ),
    _row(
        None,
        "the old QEMU is there, but does not answer: free its QMP socket, then use --resume or --abort",
        source=[Source.UNKNOWN],
    ),
    _row(
        None,
        "both QEMUs let the guest run, which no step of this program does: end one of them at once",
        source=(*_AWAKE, Source.REPLACED),
        target=[Target.RUNS],
    ),
    _row(Way.BACK, decision=_BEFORE, source=[Source.REPLACED]),
    _row(
        None,
        "Ganeti has started the instance anew, after the guest may have run under libvirt: look at both",
        decision=_AFTER,
        source=[Source.REPLACED],
    ),
    _row(Way.FINISH, wish=[Wish.RESUME], source=_STILL, target=[Target.RUNS]),
    _row(None, _LATE, wish=[Wish.ABORT], target=[Target.RUNS]),
    # It was seen to run: whatever its owner has done with it since, it is libvirt's.
    _row(Way.FINISH, decision=[Decision.RAN], wish=[Wish.RESUME], source=_STILL),
    _row(None, _LATE, decision=_AFTER, wish=[Wish.ABORT], source=_STILL),
    _row(
        None,
        "the old guest was let go on after the new one may have run: look at both before anything else",
        decision=_AFTER,
        source=_AWAKE,
    ),
    _row(Way.WAIT, decision=[Decision.FORWARD], target=[Target.LOADING]),
    _row(Way.FORWARD, decision=[Decision.FORWARD], target=[Target.PAUSED]),
    _row(Way.COLD, decision=[Decision.FORWARD], target=[Target.ABSENT]),
    # From here on: open, or back.
    _row(Way.BACK, decision=_BEFORE, source=[Source.RUNS]),
    _row(Way.WAIT, decision=[Decision.OPEN], wish=[Wish.RESUME], source=[Source.MOVING]),
    _row(Way.BACK, decision=_BEFORE, source=[Source.MOVING]),
    _row(
        Way.WAIT,
        decision=[Decision.OPEN],
        wish=[Wish.RESUME],
        source=[Source.STOPPED],
        target=[Target.LOADING],
    ),
    _row(
        Way.FORWARD,
        decision=[Decision.OPEN],
        wish=[Wish.RESUME],
        source=[Source.STOPPED],
        target=[Target.PAUSED],
    ),
    _row(Way.BACK, decision=_BEFORE, source=[Source.STOPPED]),
    _row(Way.WAIT, decision=_BEFORE, source=[Source.GONE], target=[Target.LOADING]),
    _row(Way.FORWARD, decision=_BEFORE, wish=[Wish.RESUME], source=[Source.GONE], target=[Target.PAUSED]),
    _row(
        None,
        "the old QEMU has ended, and only libvirt's has the guest: use --resume",
        decision=_BEFORE,
        wish=[Wish.ABORT],
        source=[Source.GONE],
        target=[Target.PAUSED],
    ),
    _row(Way.COLD, decision=_BEFORE, wish=[Wish.RESUME], source=[Source.GONE], target=[Target.ABSENT]),
    _row(Way.BACK, decision=_BEFORE, wish=[Wish.ABORT], source=[Source.GONE], target=[Target.ABSENT]),
)
"""The first that fits holds."""


def verdict(decision: Decision, wish: Wish, seen: Seen) -> Verdict:
    """Give what is to be done."""
    return next(row.verdict for row in ROWS if row.fits(decision, wish, seen))


def _check() -> None:
    for decision, wish, source, target in product(Decision, Wish, Source, Target):
        if not any(row.fits(decision, wish, Seen(source, target)) for row in ROWS):
            raise TableError(f"handover: no row for {decision}, {wish}, {source}, {target}")


_check()
