"""Where the lab keeps what is slow to make, and how a finished thing gets there whole."""

from __future__ import annotations

import fcntl
import os
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def lab_cache() -> Path:
    """Give the lab's cache directory, made when absent: `${XDG_CACHE_HOME:-~/.cache}/virtxlate/lab`."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    home = Path(base) / "virtxlate" / "lab"
    home.mkdir(parents=True, exist_ok=True)
    return home


@contextmanager
def only_one(name: str) -> Iterator[None]:
    """Hold the cache's lock called `name`; a second process waits here until the first is done."""
    with (lab_cache() / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def publish(target: Path, fill: Callable[[Path], None]) -> Path:
    """Give `target`, a directory that `fill` has filled: absent or whole, never half.

    `fill` gets an empty directory beside the target, which then takes the target's name.
    """
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".making-") as making:
        content = Path(making) / "content"
        content.mkdir()
        fill(content)
        content.rename(target)
    return target
