"""The record of a handover and its journal: what is decided, also where the disk takes nothing more."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import msgspec

from virtxlate.errors import VirtxlateError
from virtxlate.handover.journal import Journal, Record
from virtxlate.handover.states import Decision


class Book:
    """One caller's record, and the journal in which it stands."""

    def __init__(self, journal: Journal, record: Record) -> None:
        self.journal, self.record = journal, record
        self.is_first = False
        """Whether this caller began it, so that no call of another's can be on its way."""
        self.wrote_forward = False
        self.unwritable: OSError | None = None
        """Why the journal takes nothing more: it says *open* still, and the old guest goes on."""
        self._tried_forward = False

    def begin(self, **fields: Any) -> None:
        """Write the first record, with those fields. Raises what Journal.begin raises."""
        self.record = msgspec.structs.replace(self.record, **fields)
        self.journal.begin(self.record)
        self.is_first = True

    def write(self, **fields: Any) -> None:
        """Change the record; it is on the disk then. Raises OSError, and has changed nothing."""
        record = msgspec.structs.replace(self.record, **fields)
        if self.unwritable is None:
            self.journal.write(record)
        self.record = record

    def decide(self, decision: Decision) -> None:
        """Write a decision. Raises OSError; not for *back*, where the journal can only say *open*."""
        self._tried_forward |= decision is Decision.FORWARD
        try:
            self.write(decision=decision)
        except OSError as exc:
            if decision is not Decision.BACK or not self._says_open():
                raise
            self.unwritable = exc
        self.wrote_forward = decision is Decision.FORWARD

    def _says_open(self) -> bool:
        """Tell whether whoever ends it later can only find *open* in it."""
        if not self.is_first or not self._tried_forward:
            return self.is_first
        with suppress(VirtxlateError, OSError):
            return self.journal.read().decision is Decision.OPEN
        return False

    def clear(self) -> None:
        """Remove what a transfer has left. Raises OSError where the journal could be written."""
        try:
            self.journal.clear()
        except OSError:
            if self.unwritable is None:
                raise

    def end(self) -> None:
        """Remove the journal. Raises OSError where it could be written."""
        try:
            self.journal.end()
        except OSError:
            if self.unwritable is None:
                raise
        else:
            self.unwritable = None
