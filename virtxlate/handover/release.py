"""What Ganeti keeps of an instance on its node: removed when the guest is no longer Ganeti's."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path


def remove_files(paths: Iterable[str]) -> tuple[str, ...]:
    """Give the files that were there and are removed."""
    removed = []
    for path in map(Path, paths):
        if path.is_file() or path.is_symlink():
            path.unlink()
            removed.append(str(path))
    return tuple(removed)
