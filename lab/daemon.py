"""A libvirtd of one's own: a child process that no other libvirtd, and no service manager, ever meets.

It runs in its own mount namespace, in which the daemon's fixed directories are those of a private root; so it
is `qemu:///system` in all but its socket. It can be killed and started again while its domains run on.
"""

from __future__ import annotations

import os
import select
import shutil
import socket
import subprocess
import tempfile
import time
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import libvirt

from lab.cache import lab_cache
from lab.embedded import QEMU_CONF, ROOT_PREFIX, ROOTS, run_event_loop, silence_errors
from lab.leftovers import claimed, end_processes, sweep

if TYPE_CHECKING:
    from collections.abc import Iterator

LIBVIRTD_CONF = """\
auth_unix_rw = "none"
auth_unix_ro = "none"
unix_sock_ro_perms = "0700"
unix_sock_rw_perms = "0700"
log_outputs = "3:stderr"
"""
"""No polkit; and a root that only root enters."""

PRIVATE = {
    "etc": "/etc/libvirt",
    "run": "/run/libvirt",
    "lib": "/var/lib/libvirt",
    "cache": "/var/cache/libvirt",
    "log": "/var/log/libvirt",
}
"""Each directory of the root, and where the daemon looks for it. Debian compiles these in."""

START_S = 60.0
"""The first daemon of a machine asks each QEMU binary for its capabilities; later ones have them cached."""


class PrivateLibvirtd:
    """A libvirtd of one's own, running or killed."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.uri = f"qemu+unix:///system?socket={root}/run/libvirt-sock"
        """What any process of root's opens while the daemon runs, this one and a command line under test."""
        self.connection: Any = None
        """libvirt.virConnect to the daemon last started; its Python binding carries no types."""
        self._daemon: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Give the running daemon's process id; RuntimeError while there is none."""
        return self._running().pid

    @property
    def log(self) -> str:
        """Give what all daemons of this root have complained about."""
        return (self.root / "daemon.log").read_text(encoding="utf-8", errors="replace")

    def start(self) -> Self:
        """Start the daemon and connect; return once it has taken over the domains that run.

        Raises RuntimeError with the daemon's last words when it ends or is not ready within 60 s, and where
        one runs already.
        """
        if self._daemon:
            raise RuntimeError(f"libvirtd: one is running already, as process {self._daemon.pid}")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ready:
            # libvirtd tells a service manager when its drivers are up; for this one daemon, that is us.
            address = self.root / "ready"
            address.unlink(missing_ok=True)
            ready.bind(str(address))
            self._daemon = self._launched(address)
            try:
                self._await_ready(ready)
            except BaseException:
                self.kill()
                raise
        self.connection = libvirt.open(self.uri)
        _await_domains(self.connection)
        return self

    def kill(self) -> None:
        """End the daemon by SIGKILL, as a crash would; its QEMU processes run on."""
        daemon = self._running()
        daemon.kill()
        daemon.wait()
        self._daemon = None

    def stop(self) -> None:
        """End the daemon if one runs, and every QEMU that any daemon of this root has left running."""
        if self.connection:
            with suppress(libvirt.libvirtError):  # the line to a killed daemon is broken
                self.connection.close()
            self.connection = None
        if self._daemon:
            self.kill()
        end_processes(self.root)

    def _last_words(self) -> str:
        return self.log.rstrip().rpartition("\n")[2]

    def _running(self) -> subprocess.Popen[bytes]:
        if not self._daemon:
            raise RuntimeError("libvirtd: none is running; start() it")
        return self._daemon

    def _launched(self, ready: Path) -> subprocess.Popen[bytes]:
        binds = " && ".join(f"mount --bind {self.root}/{own} {fixed}" for own, fixed in PRIVATE.items())
        files = f"--config {self.root}/etc/libvirtd.conf --pid-file {self.root}/run/libvirtd.pid"
        with (self.root / "daemon.log").open("ab") as log:
            return subprocess.Popen(
                [
                    "unshare",
                    "--mount",
                    "--propagation",
                    "private",
                    "sh",
                    "-c",
                    f"{binds} && exec libvirtd {files}",
                ],
                env={**os.environ, "NOTIFY_SOCKET": str(ready), "PATH": f"{os.environ['PATH']}:/usr/sbin"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def _await_ready(self, ready: socket.socket) -> None:
        deadline = time.monotonic() + START_S
        process = os.pidfd_open(self._running().pid)
        try:
            while True:
                left = max(0.0, deadline - time.monotonic())
                said, _, _ = select.select([ready.fileno(), process], [], [], left)
                if ready.fileno() in said and b"READY=1" in ready.recv(4096).split(b"\n"):
                    return
                if not said or process in said:
                    what = "ended" if said else f"not ready after {START_S} s"
                    raise RuntimeError(f"libvirtd: {what}: {self._last_words()}")
        finally:
            os.close(process)


@contextmanager
def private_libvirtd() -> Iterator[PrivateLibvirtd]:
    """Give a running libvirtd for the length of a `with`; daemon, domains and directory end there.

    The process must be root's. A daemon starts in 0.1 s where `lab_cache` has what this machine's QEMU can.
    Empty directories such as /var/lib/libvirt are made where libvirt's own packages have not made them.
    Raises what `PrivateLibvirtd.start` raises.
    """
    sweep(ROOTS, ROOT_PREFIX)
    run_event_loop()
    silence_errors()
    with ExitStack() as undo:
        root = Path(tempfile.mkdtemp(prefix=ROOT_PREFIX, dir=ROOTS))
        undo.enter_context(claimed(root))
        undo.callback(shutil.rmtree, root)
        _furnish(root)
        daemon = PrivateLibvirtd(root)
        undo.callback(daemon.stop)
        yield daemon.start()


def _await_domains(connection: Any) -> None:
    """Return once QEMU of each running domain has answered a question.

    A started daemon takes them over in threads of its own, each in a job. What needs no job is answered at
    once, and a domain destroyed meanwhile counts as lost; a question to QEMU waits for the end of the job.
    """
    for domain in connection.listAllDomains(libvirt.VIR_CONNECT_LIST_DOMAINS_ACTIVE):
        with suppress(libvirt.libvirtError):  # it may end just now
            domain.memoryStats()


def _furnish(root: Path) -> None:
    """Fill the root: configuration, and what earlier labs learnt about this machine's QEMU."""
    for own, fixed in PRIVATE.items():
        (root / own).mkdir()
        Path(fixed).mkdir(parents=True, exist_ok=True)
    (root / "etc" / "qemu.conf").write_text(QEMU_CONF, encoding="utf-8")
    (root / "etc" / "libvirtd.conf").write_text(LIBVIRTD_CONF, encoding="utf-8")
    learnt = lab_cache() / "libvirt"
    learnt.mkdir(exist_ok=True)
    (root / "cache" / "qemu").symlink_to(learnt, target_is_directory=True)
