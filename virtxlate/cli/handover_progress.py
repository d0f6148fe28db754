"""A bar that fills while a guest's memory is sent, on a terminal and where rich is installed."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from virtxlate.handover.transfer import Heard, Progress

_MIB = 1 << 20


@contextmanager
def shown_progress(name: str) -> Iterator[Heard]:
    """Give what is to be told how far the memory is, for the time of a ``with``."""
    if not sys.stderr.isatty():
        yield lambda _progress: None
        return
    try:
        from rich.console import Console  # noqa: PLC0415 - slow to import, seldom used
        from rich.progress import BarColumn, TextColumn, TimeElapsedColumn  # noqa: PLC0415
        from rich.progress import Progress as Bar  # noqa: PLC0415
    except ImportError:
        yield lambda _progress: None
        return
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.fields[left]} MiB left", markup=False),
        TimeElapsedColumn(),
    )
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(name, total=None, left="?")

        def heard(progress: Progress) -> None:
            sent = progress.total - progress.left
            bar.update(task, total=progress.total or None, completed=sent, left=progress.left // _MIB)

        yield heard
