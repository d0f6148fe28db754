"""The far end of child.py: calls that a parent asks to show what they give, or to time themselves.

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


def serve(
    calls: Mapping[str, Callable[[], object]],
    versions: Mapping[str, str],
    shows: Mapping[str, Callable[[], str]] | None = None,
) -> None:
    """Answer the parent until it closes the pipe; says first what there is.

    ``shows`` has what is shown of a call that gives no text.
    """
    _say({"calls": sorted(calls), "versions": {**versions, "python": sys.version.split()[0]}})
    batches = {name: _batch(call) for name, call in calls.items()}
    shown = {**calls, **(shows or {})}
    for line in sys.stdin:
        order = json.loads(line)
        if "show" in order:
            _say({"text": shown[order["show"]]()})
        else:
            name = order["time"]
            _say({"seconds": _time(calls[name], batches[name])})


def _batch(call: Callable[[], object]) -> int:
    """Give how many calls make a batch; their first calls also fill every cache."""
    calls, seconds = timeit.Timer(call).autorange()
    return max(1, round(calls * _BATCH_S / seconds))


def _time(call: Callable[[], object], calls: int) -> float:
    # timeit switches the collector off; users run with it on.
    return timeit.Timer(call, setup=gc.enable).timeit(calls) / calls


def _say(answer: dict[str, Any]) -> None:
    print(json.dumps(answer), flush=True)
