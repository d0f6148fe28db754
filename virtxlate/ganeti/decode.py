"""JSON into records: the one place where msgspec's errors become ours, with a path.

Rule: whatever the bytes are, the caller gets a record or a GanetiDataError, never another exception.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from virtxlate.errors import GanetiDataError
from virtxlate.ganeti.params import Scalar
from virtxlate.ganeti.words import PATTERNS

T = TypeVar("T")

_AT = re.compile(r"^(?P<message>.*) - at `(?P<path>.*)`$", re.DOTALL)
_PATTERN = re.compile(r"`?str`? matching regex '(.*)'")
_NAMES_OF_PATTERNS = {pattern.replace("\\", "\\\\"): name for name, pattern in PATTERNS.items()}
"""msgspec shows a pattern as Python would write it."""
_MAX_SHOWN = 200
_PARAMS = msgspec.json.Decoder(dict[str, Scalar])
_ANY_PARAMS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_PARAM: msgspec.json.Decoder[Scalar] = msgspec.json.Decoder(Scalar)


def decode(
    decoder: msgspec.json.Decoder[T], data: bytes | bytearray | memoryview | msgspec.Raw | str, at: str = ""
) -> T:
    """Give the record in ``data``. Raises GanetiDataError whose path starts with ``at``."""
    return _typed(lambda: decoder.decode(data), at)


def decode_params(data: bytes | msgspec.Raw, at: str) -> dict[str, Scalar]:
    """Give the parameters in ``data``. Raises GanetiDataError with the name of the one that is none."""
    try:
        return decode(_PARAMS, data, at)
    except GanetiDataError:
        for name, raw in decode(_ANY_PARAMS, data, at).items():
            decode(_PARAM, raw, f"{at}.{name}" if name.isidentifier() else f"{at}[{name[:_MAX_SHOWN]!r}]")
        raise


def convert(value: Any, kind: type[T], at: str = "") -> T:
    """Give the record that plain dicts and lists describe. Raises GanetiDataError as decode does."""
    return _typed(lambda: msgspec.convert(value, kind), at)


def _typed(make: Callable[[], T], at: str) -> T:
    try:
        return make()
    except msgspec.ValidationError as exc:
        message, path = split_message(str(exc))
        raise GanetiDataError(message, at=path).under(at) from None
    except (msgspec.MsgspecError, UnicodeError, ValueError) as exc:
        raise GanetiDataError(f"not JSON: {exc}", at=at) from None
    except RecursionError:
        raise GanetiDataError("nested too deep", at=at) from None


def split_message(text: str) -> tuple[str, str]:
    """Give message and dotted path of a msgspec error: ``$.disks[0].size`` becomes disks[0].size."""
    match = _AT.match(text)
    if match is None:
        return _plain(text), ""
    path = match["path"].removeprefix("key in ").removeprefix("$").removeprefix(".")
    return _plain(match["message"]), path


def _plain(message: str) -> str:
    """Make msgspec's message ours: lower case first letter, no back-quotes, patterns by name, bounded."""
    shown = _PATTERN.sub(lambda match: _NAMES_OF_PATTERNS[match[1]], message).replace("`", "")[:_MAX_SHOWN]
    return shown[:1].lower() + shown[1:]
