"""A fixture with one thing changed, for tables of what a reader must refuse or bear."""

from __future__ import annotations

import json
from typing import Any

from tests.golden.cases import GANETI
from virtxlate import Report, open_source
from virtxlate.ganeti.model import Instance
from virtxlate.ganeti.source import Source

GONE = object()
"""Stands for a key that is removed."""
NAME = "inst1.example.com"

Path = tuple[str | int, ...]


def changed(case: str, path: Path, value: Any) -> Any:
    """Give a fixture's JSON with ``value`` at ``path``; ``*`` is the first key of an object."""
    data = json.loads((GANETI / f"{case}.json").read_text())
    place = data
    for step in path[:-1]:
        place = place[_key(place, step)]
    last = _key(place, path[-1])
    if value is GONE:
        del place[last]
    else:
        place[last] = value
    return data


def _key(place: Any, step: str | int) -> Any:
    return next(iter(place)) if step == "*" else step


def source(data: Any) -> Source:
    return open_source(json.dumps(data).encode())


def read(case: str, path: Path, value: Any, name: str = NAME) -> Instance:
    """Give the instance that a changed fixture holds."""
    return source(changed(case, path, value)).instance(name, Report())
