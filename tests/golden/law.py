"""The law of losses: what a way there and back changes was reported."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from virtxlate import Loss


def differences(a: Any, b: Any) -> list[str]:
    """Give the paths at which two records differ, in the spelling of losses: ``disks[0].logical_id``.

    Tuples of records are compared item by item, and as a whole where their lengths differ; other tuples and
    dicts are one value.
    """
    return list(_differences(a, b, ""))


def _differences(a: Any, b: Any, at: str) -> Iterator[str]:
    if isinstance(a, msgspec.Struct) and type(a) is type(b):
        for name in a.__struct_fields__:
            yield from _differences(getattr(a, name), getattr(b, name), f"{at}.{name}" if at else name)
    elif _are_records(a) and _are_records(b) and len(a) == len(b):
        for index, (one, other) in enumerate(zip(a, b, strict=True)):
            yield from _differences(one, other, f"{at}[{index}]")
    elif a != b or type(a) is not type(b):
        yield at


def _are_records(value: Any) -> bool:
    return isinstance(value, tuple) and all(isinstance(item, msgspec.Struct) for item in value)


def uncovered(paths: Iterable[str], losses: Iterable[Loss]) -> list[str]:
    """Give the paths that no loss names, neither itself nor something that it is a part of."""
    named = {loss.path for loss in losses}
    return [path for path in paths if not any(_is_part(path, whole) for whole in named)]


def _is_part(path: str, whole: str) -> bool:
    return path == whole or path.startswith((f"{whole}.", f"{whole}["))
