"""What an error says besides: what became of the guest, and what is to be done."""

from __future__ import annotations

from virtxlate.errors import LiveError, VerificationError
from virtxlate.handover.states import Decision

FAILED = "failed"
"""The moment from which a handover goes back."""
_ENDS = {
    Decision.OPEN: "--resume or --abort",
    Decision.FORWARD: "--resume",
    Decision.RAN: "--resume",
    Decision.BACK: "--abort",
}


def kept(decision: Decision) -> str:
    """Give what ends a handover of which this is decided."""
    return f"the journal is kept: end it with {_ENDS[decision]}"


def left(why: OSError | None) -> str:
    """Give what is to be done about a journal that could be neither written nor removed; None: it was."""
    if why is None:
        return ""
    return (
        f"; the journal could not be written ({why.strerror or why}): once it can be, remove it with --abort"
    )


def raise_with_more(error: BaseException, more: str) -> None:
    """Raise the same error with more to say; one that is not ours gets a note, for its caller to raise."""
    if isinstance(error, LiveError):
        raise type(error)(f"{error.message}; {more}", call=error.call, code=error.code) from error
    if isinstance(error, OSError):
        said = ": ".join(str(word) for word in (error.strerror, error.filename) if word)
        raise LiveError(f"{said or error}; {more}", call="journal") from error
    if isinstance(error, VerificationError):
        raise VerificationError(more, differences=error.differences or (str(error),)) from error
    error.add_note(more)
