"""Files are written whole: to a temporary name beside the final one, then renamed."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path

_STDOUT = frozenset({"-", "/dev/stdout"})


def write_output(path: str, data: bytes) -> None:
    """Write to the file that a user named, whole where it is a regular one; ``-`` is stdout.

    What is no regular file, such as /dev/null, must stay what it is; a link keeps leading where it led.
    Raises OSError.
    """
    if path in _STDOUT:
        sys.stdout.buffer.write(data)
    elif os.path.exists(path) and not os.path.isfile(path):  # noqa: PTH110, PTH113 - plain names here
        _overwrite(path, data)
    else:
        write_whole(os.path.realpath(path), data)


def _overwrite(path: str, data: bytes) -> None:
    try:
        Path(path).write_bytes(data)
    except OSError as exc:  # of a write that fails, Python does not say which file's it was
        raise OSError(exc.errno, exc.strerror, path) from None


def write_whole(path: str | Path, data: bytes, *, mode: int = 0o644, sync: bool = True) -> None:
    """Write ``data`` to ``path`` so that no reader ever sees half of it.

    ``sync`` also waits for the disk, so that a crash leaves the old file or the new one. Raises OSError that
    names ``path``.
    """
    # Not made of the final name: that one may be as long as a file system allows.
    name = f".virtxlate-{os.getpid()}-{os.urandom(4).hex()}.tmp"
    temporary = os.path.join(os.path.dirname(path), name)  # noqa: PTH118, PTH120 - one a file, thousands a run
    try:
        _write(temporary, data, mode=mode, sync=sync)
        os.replace(temporary, path)  # noqa: PTH105 - both are plain names
    except BaseException as exc:
        with contextlib.suppress(OSError):
            os.unlink(temporary)  # noqa: PTH108 - the same plain name
        if isinstance(exc, OSError):
            raise OSError(exc.errno, exc.strerror, str(path)) from None
        raise


def _write(path: str, data: bytes, *, mode: int, sync: bool) -> None:
    """Write a new file."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        if sync:
            file.flush()
            os.fsync(descriptor)
