"""What is done in which order: one table, by which the engine works and by which its safety is proved.

Each action names the states in which it may be done. Between any two, and inside each, everything may die.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from virtxlate.errors import TableError
from virtxlate.handover.states import Decision, Source, Target

_ANY_SOURCE = frozenset(Source)
_ANY_TARGET = frozenset(Target)
_STILL = frozenset({Source.STOPPED, Source.GONE})


class Name(StrEnum):
    """An action."""

    DISPLAY = "display"
    DEFINE = "define"
    TRANSFER = "transfer"
    SETTLE = "settle"
    COMPARE = "compare"
    GO_FORWARD = "go-forward"
    GO_COLD = "go-cold"
    RUN = "run"
    RAN = "ran"
    VERIFY = "verify"
    QUIT = "quit"
    CONNECT = "connect"
    START = "start"
    RELEASE = "release"
    GO_BACK = "go-back"
    END_TARGET = "end-target"
    WAKE = "wake"
    UNDO = "undo"
    TIDY = "tidy"


class Action(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the table."""

    does: str
    undo: str = ""
    """What ``undo`` does about it; empty where nothing is left."""
    source: frozenset[Source] = _ANY_SOURCE
    target: frozenset[Target] = _ANY_TARGET
    """Looked at right before it is done; elsewhere it is an error."""
    decides: Decision | None = None
    """What it writes into the journal, and does nothing else."""


ACTIONS: Mapping[Name, Action] = {
    Name.DISPLAY: Action(
        does="let the old QEMU's VNC listen nowhere: the new one wants its port",
        undo="let it listen where it did",
        source=frozenset({Source.RUNS}),
        target=frozenset({Target.ABSENT}),
    ),
    Name.DEFINE: Action(
        does="define the domain",
        undo="undefine it, or define it as it was",
        source=frozenset({Source.RUNS}),
        target=frozenset({Target.ABSENT}),
    ),
    Name.TRANSFER: Action(
        does="send the guest's state into libvirt's QEMU, which stays paused",
        undo="let the old QEMU send as it did before",
        source=frozenset({Source.RUNS}),
        target=frozenset({Target.ABSENT}),
    ),
    Name.SETTLE: Action(does="wait until nothing is on its way any more"),
    Name.COMPARE: Action(
        does="compare the devices of both QEMUs", source=_STILL, target=frozenset({Target.PAUSED})
    ),
    Name.GO_FORWARD: Action(
        does="write into the journal that the guest may run under libvirt from now on",
        source=_STILL,
        target=frozenset({Target.PAUSED}),
        decides=Decision.FORWARD,
    ),
    Name.GO_COLD: Action(
        does="write into the journal that the domain may start from its disks from now on",
        source=_STILL,
        target=frozenset({Target.ABSENT}),
        decides=Decision.FORWARD,
    ),
    Name.RUN: Action(
        does="let the guest run under libvirt", source=_STILL, target=frozenset({Target.PAUSED})
    ),
    Name.RAN: Action(
        does="write into the journal that it runs",
        source=_STILL,
        target=frozenset({Target.RUNS}),
        decides=Decision.RAN,
    ),
    Name.VERIFY: Action(does="compare the live XML with what was asked for"),
    Name.QUIT: Action(does="end the old QEMU", source=_STILL),
    Name.CONNECT: Action(
        does="let Ganeti's script connect the taps that libvirt does not: the old ones are gone now",
        source=frozenset({Source.GONE}),
    ),
    Name.START: Action(
        does="start the domain from its disks",
        source=frozenset({Source.GONE}),
        target=frozenset({Target.ABSENT}),
    ),
    Name.RELEASE: Action(does="put Ganeti's pid, runtime and NIC files away, where that is wanted"),
    Name.GO_BACK: Action(
        does="write into the journal that the guest stays under Ganeti",
        target=_ANY_TARGET - {Target.RUNS},
        decides=Decision.BACK,
    ),
    Name.END_TARGET: Action(
        does="end libvirt's QEMU, and with it whatever is on its way", target=_ANY_TARGET - {Target.RUNS}
    ),
    Name.WAKE: Action(
        does="let the guest go on under Ganeti",
        source=frozenset({Source.RUNS, Source.STOPPED, Source.GONE, Source.REPLACED}),
        target=frozenset({Target.ABSENT}),
    ),
    Name.UNDO: Action(does="take back what was made, last first", target=frozenset({Target.ABSENT})),
    Name.TIDY: Action(does="remove the journal"),
}


class Way(StrEnum):
    """A sequence of actions."""

    HANDOVER = "handover"
    FORWARD = "forward"
    FINISH = "finish"
    COLD = "cold"
    BACK = "back"
    WAIT = "wait"


_LAST = (Name.VERIFY, Name.QUIT, Name.CONNECT, Name.RELEASE, Name.TIDY)
_OVER = (Name.COMPARE, Name.GO_FORWARD, Name.RUN, Name.RAN, *_LAST)

WAYS: Mapping[Way, tuple[Name, ...]] = {
    Way.HANDOVER: (Name.DISPLAY, Name.DEFINE, Name.TRANSFER, Name.SETTLE, *_OVER),
    Way.FORWARD: _OVER,
    Way.FINISH: (Name.RAN, *_LAST),
    Way.COLD: (Name.GO_COLD, Name.QUIT, Name.START, Name.RAN, *_LAST),
    Way.BACK: (Name.GO_BACK, Name.END_TARGET, Name.WAKE, Name.UNDO, Name.TIDY),
    Way.WAIT: (Name.SETTLE,),
}

UNDONE = tuple(name for name in reversed(WAYS[Way.HANDOVER]) if ACTIONS[name].undo)
"""In the order in which they are taken back."""

if set(ACTIONS) != {name for way in WAYS.values() for name in way} or set(ACTIONS) != set(Name):
    raise TableError("handover: an action that is on no way, or has no row")
