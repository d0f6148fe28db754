"""The far end of child.py: builders that a parent asks to show their text, or to time themselves.

One JSON object a line: ``{"show": "floor"}`` is answered by ``{"text": "..."}``, ``{"time": "floor"}`` by
``{"seconds": 0.000123}``, which is the mean of one batch of calls. Standard library only: peers run it too.
"""

from __future__ import annotations

import gc
import json
import sys
import timeit
from collections.abc import Callable, Mapping
from typing import Any

_BATCH_S = 0.1
"""Length of one batch: long beside the clock, short beside the changes of a machine's load."""


def serve(builders: Mapping[str, Callable[[], str]], versions: Mapping[str, str]) -> None:
    """Answer the parent until it closes the pipe; says first what there is."""
    _say({"builders": sorted(builders), "versions": {**versions, "python": sys.version.split()[0]}})
    batches = {name: _batch(build) for name, build in builders.items()}
    for line in sys.stdin:
        order = json.loads(line)
        if "show" in order:
            _say({"text": builders[order["show"]]()})
        else:
            name = order["time"]
            _say({"seconds": _time(builders[name], batches[name])})


def _batch(build: Callable[[], str]) -> int:
    """Give how many calls make a batch; their first calls also fill every cache."""
    _calls, seconds = timeit.Timer(build).autorange()
    return max(1, round(_calls * _BATCH_S / seconds))


def _time(build: Callable[[], str], calls: int) -> float:
    # timeit switches the collector off; users run with it on.
    return timeit.Timer(build, setup=gc.enable).timeit(calls) / calls


def _say(answer: dict[str, Any]) -> None:
    print(json.dumps(answer), flush=True)
