"""One thing that a check found."""

from __future__ import annotations

import msgspec

from virtxlate.handover.differences import Meaning


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What it is about, where, what it means for the guest, and why."""

    about: str
    """difference, tap, display, disk, memory, job ..."""
    at: str
    meaning: Meaning
    reason: str

    def __str__(self) -> str:
        return f"{self.meaning}: {self.about}: {self.at}: {self.reason}"


def fatal(about: str, at: str, reason: str) -> Finding:
    """Give a finding with which a handover would not be safe."""
    return Finding(about=about, at=at, meaning=Meaning.FATAL, reason=reason)


def harmless(about: str, at: str, reason: str) -> Finding:
    """Give a finding that somebody should know of."""
    return Finding(about=about, at=at, meaning=Meaning.HARMLESS, reason=reason)
