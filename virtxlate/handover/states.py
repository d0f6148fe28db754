"""What the two QEMUs and the journal can be, as few words: what decisions are made of."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Source(StrEnum):
    """The old QEMU, which Ganeti started."""

    RUNS = "runs"
    MOVING = "moving"
    """Its state is on its way out: its guest may run or stand still, and it may come back by itself."""
    STOPPED = "stopped"
    """Its guest stands still, and nothing but a command lets it go on."""
    GONE = "gone"
    """The process has ended."""
    REPLACED = "replaced"
    """The process has ended, and somebody has started another QEMU in its place."""
    UNKNOWN = "unknown"


class Target(StrEnum):
    """The new QEMU, which libvirt started."""

    ABSENT = "absent"
    LOADING = "loading"
    PAUSED = "paused"
    """It has the guest's state, and stands still."""
    RUNS = "runs"
    UNKNOWN = "unknown"


class Decision(StrEnum):
    """What the journal says about the way: once it is forward or back, the other way is closed."""

    OPEN = "open"
    FORWARD = "forward"
    """The new QEMU may have been told to run."""
    RAN = "ran"
    """It has been seen to run."""
    BACK = "back"
    """The old QEMU may have been told to go on."""


class Wish(StrEnum):
    """What whoever called wants."""

    RESUME = "resume"
    ABORT = "abort"


class Seen(msgspec.Struct, frozen=True):
    """Both, at one moment."""

    source: Source
    target: Target
