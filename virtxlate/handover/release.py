"""What Ganeti keeps of an instance on its node: put away when the guest is no longer Ganeti's."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path


def remove_files(paths: Iterable[str], kept: Path) -> tuple[str, ...]:
    """Give the files that were there and are removed; a copy of each stays below ``kept``, under its path."""
    removed = []
    for path in map(Path, paths):
        if not path.is_file():
            continue
        kept.mkdir(mode=0o700, parents=True, exist_ok=True)
        copy = kept / path.relative_to(path.anchor)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
        os.chmod(copy, 0o600)  # noqa: PTH101 - a runtime file may hold more than others may read
        path.unlink()
        removed.append(str(path))
    return tuple(removed)
