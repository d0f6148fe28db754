"""Files are written whole: to a temporary name beside the final one, then renamed."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path


def write_whole(path: str | Path, data: bytes, *, mode: int = 0o644, sync: bool = True) -> None:
    """Write ``data`` to ``path`` so that no reader ever sees half of it.

    ``sync`` also waits for the disk, so that a crash leaves the old file or the new one. Raises OSError that
    names ``path``.
    """
    temporary = f"{path}.{os.getpid()}.tmp"
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode)
        try:
            with os.fdopen(descriptor, "wb", closefd=False) as stream:
                stream.write(data)
            if sync:
                os.fsync(descriptor)
        finally:
            os.close(descriptor)
        os.replace(temporary, path)  # noqa: PTH105 - both are plain names
    except OSError as exc:
        with contextlib.suppress(OSError):
            os.unlink(temporary)  # noqa: PTH108 - the same plain name
        raise OSError(exc.errno, exc.strerror, str(path)) from None
