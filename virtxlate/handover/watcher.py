"""Ganeti's watcher: whether it would start an instance again whose QEMU has ended because it runs elsewhere.

On every node a file says until when it is paused, and `gnt-cluster watcher pause` writes it on all of them.
Source: Ganeti 3.0.2, lib/pathutils.py (DATA_DIR, WATCHER_PAUSEFILE), lib/utils/io.py:935
(ReadWatcherPauseFile), lib/watcher/__init__.py:246 (an instance that should run and does not is started).
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from virtxlate.handover.finding import Finding, fatal, harmless

_DATA = Path("var/lib/ganeti")
_PAUSE = "watcher.pause"
_SECONDS = re.compile(r"\s*[0-9]{1,15}\s*", re.ASCII)
_MOST_BYTES = 64
_SOON_S = 15 * 60
"""A handover must end, and Ganeti be told of it, before the watcher looks again."""
_PAUSED = "; gnt-cluster watcher pause 2h"


def findings(root: Path, now: float | None = None) -> Iterator[Finding]:
    """Give what the watcher of this node has against a handover; nothing where Ganeti has no data.

    ``root`` is the file system to look in; ``now`` is in seconds since 1970.
    """
    data, file = root / _DATA, root / _DATA / _PAUSE
    at = f"/{_DATA / _PAUSE}"
    if not data.is_dir():
        return
    try:
        with file.open(encoding="ascii") as stream:
            text = stream.read(_MOST_BYTES)
    except FileNotFoundError:
        yield fatal(
            "watcher", at, f"the watcher is not paused: it would start the instance a second time{_PAUSED}"
        )
        return
    except (OSError, UnicodeDecodeError) as exc:
        yield fatal("watcher", at, f"whether the watcher is paused cannot be read: {exc}{_PAUSED}")
        return
    if not _SECONDS.fullmatch(text):
        yield fatal(
            "watcher",
            at,
            f"expected seconds since 1970, found {text!r}: the watcher takes no notice of it{_PAUSED}",
        )
        return
    left = int(text) - (time.time() if now is None else now)
    if left < _SOON_S:
        told = f"for {max(0, int(left))} seconds more" if left > 0 else "no more"
        yield fatal(
            "watcher", at, f"the watcher is paused {told}: it would start the instance a second time{_PAUSED}"
        )
        return
    until = datetime.fromtimestamp(int(text), UTC) if int(text) < _LAST else None
    shown = f"until {until:%Y-%m-%d %H:%M:%S} UTC" if until else "for ever"
    reason = f"the watcher is paused {shown}: by then Ganeti must know that the instance is not its to start"
    yield harmless("watcher", at, reason)


_LAST = 253_402_300_800
"""The year 10000."""
