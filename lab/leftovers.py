"""What a lab leaves when its process is killed, QEMU processes and root directories: swept by the next lab.

A living lab holds a lock on its root; the kernel drops the lock with the process, however that ends.
"""

from __future__ import annotations

import fcntl
import os
import select
import shutil
import signal
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def claimed(root: Path) -> Iterator[None]:
    """Mark `root` as lived in for the length of a `with`; BlockingIOError when somebody else lives there."""
    lock = os.open(root, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(lock)


def sweep(folder: Path, prefix: str) -> None:
    """End the QEMU processes of roots in `folder` that nobody lives in any more, and remove those roots."""
    for root in folder.glob(f"{prefix}*/etc/qemu.conf"):
        _sweep_root(root.parent.parent)


def end_processes(root: Path) -> None:
    """Kill the daemon of this root, if it has one, and then its QEMU processes; return when they are gone."""
    for pidfile in (*root.glob("run/libvirtd.pid"), *root.glob("run/qemu/*.pid")):
        _end(int(pidfile.read_text(encoding="ascii")), root)


def _sweep_root(root: Path) -> None:
    try:
        with claimed(root):
            end_processes(root)
            shutil.rmtree(root, ignore_errors=True)
    except (BlockingIOError, FileNotFoundError):  # lived in, or swept by somebody else just now
        return


def _end(pid: int, root: Path) -> None:
    """Kill process `pid` and wait until it is gone, if it still belongs to this root."""
    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        if belongs(Path(f"/proc/{pid}"), root):
            signal.pidfd_send_signal(process, signal.SIGKILL)
            select.select([process], [], [], 10)
    except OSError:  # gone, or a zombie, which has no mounts to read
        pass
    finally:
        os.close(process)


def belongs(process: Path, root: Path) -> bool:
    """Tell by its command line, or by its mounts: a private daemon's QEMU knows the root by other names.

    Source: proc(5) on mountinfo, whose fourth field is the mounted directory within its own file system.
    """
    if os.fsencode(root) in (process / "cmdline").read_bytes():
        return True
    mounted = (line.split()[3].split(b"/") for line in (process / "mountinfo").read_bytes().splitlines())
    return any(os.fsencode(root.name) in parts for parts in mounted)
