"""A table's answer, or an error that says where the word stood."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from virtxlate.errors import UnknownTermError, UnsupportedError

T = TypeVar("T")


def carry(lookup: Callable[[Any], T], word: Any, at: str) -> T:
    """Give ``lookup(word)``. Raises UnsupportedError with the known words and the path ``at``."""
    try:
        return lookup(word)
    except UnknownTermError as exc:
        known = ", ".join(repr(term) for term in exc.known)
        raise UnsupportedError(f"{word!r} has no equal (these have: {known})", at=at) from None


def refuse(reasons: Mapping[str, str], word: str, at: str) -> None:
    """Raise UnsupportedError when ``word`` is one that is known not to work."""
    if word in reasons:
        raise UnsupportedError(f"{word!r}: {reasons[word]}", at=at)
