"""libvirt's QEMU driver inside this process: a private root directory, no daemon, no service.

Domains run as real QEMU processes and end with the context. Source: libvirt docs/drvqemu.rst.
"""

from __future__ import annotations

import atexit
import functools
import shutil
import tempfile
import threading
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import libvirt

from lab.cache import lab_cache
from lab.leftovers import claimed, sweep

if TYPE_CHECKING:
    from collections.abc import Iterator

QEMU_CONF = """\
stdio_handler = "file"
user = "root"
group = "root"
security_driver = "none"
remember_owner = 0
namespaces = []
cgroup_controllers = []
"""
"""Each line keeps the driver from what only a whole host has: virtlogd, a QEMU user, AppArmor, cgroups."""

# Not $TMPDIR: a unix socket's path holds 107 bytes, and QEMU's take 60 of them below the root.
ROOTS = Path("/tmp")  # noqa: S108
ROOT_PREFIX = "vx-"


@dataclass(frozen=True, kw_only=True)
class EmbeddedLibvirt:
    """A libvirt host inside this process."""

    root: Path
    uri: str
    """What a second connection from the same process opens; no other process can."""
    connection: Any
    """libvirt.virConnect; its Python binding carries no types."""

    def destroy_all(self) -> None:
        """Stop every domain that runs, and forget those that are defined."""
        for domain in self.connection.listAllDomains():
            remove_domain(domain)


def remove_domain(domain: Any) -> None:
    """Stop a libvirt.virDomain if it runs, and forget it if it is defined."""
    persistent = domain.isPersistent()
    if domain.isActive():
        domain.destroy()  # a transient domain is gone with this
    if persistent:
        domain.undefineFlags(libvirt.VIR_DOMAIN_UNDEFINE_MANAGED_SAVE | libvirt.VIR_DOMAIN_UNDEFINE_NVRAM)


@contextmanager
def embedded_libvirt() -> Iterator[EmbeddedLibvirt]:
    """Give a libvirt host for the length of a `with`; its domains end there, its directory with the process.

    The process must be root's. libvirt keeps one embedded root in a process, so a second `with` gets it too.
    Raises libvirt.libvirtError without the driver or its account `libvirt-qemu`: run `lab/setup`.
    Under an init that reaps late, stopping a domain takes longer; `tini -s` before the command helps.
    """
    root = process_root()
    run_event_loop()
    silence_errors()
    uri = f"qemu:///embed?root={root}"
    host = EmbeddedLibvirt(root=root, uri=uri, connection=libvirt.open(uri))
    try:
        yield host
    finally:
        host.destroy_all()
        host.connection.close()


@functools.cache
def process_root() -> Path:
    """Give this process's root directory, made at the first call and removed when the process ends."""
    sweep(ROOTS, ROOT_PREFIX)
    root = Path(tempfile.mkdtemp(prefix=ROOT_PREFIX, dir=ROOTS))
    at_exit = ExitStack()
    at_exit.enter_context(claimed(root))
    at_exit.callback(shutil.rmtree, root)
    atexit.register(at_exit.close)
    _furnish(root)
    return root


def silence_errors() -> None:
    """Replace libvirt's own error handler, which prints to stderr what is raised anyway."""
    libvirt.registerErrorHandler(_raised_anyway, None)


def _raised_anyway(_context: object, _error: object) -> None:
    """Nothing more to do."""


def _furnish(root: Path) -> None:
    """Write the driver's configuration, and lend it what earlier labs learnt about this machine's QEMU."""
    (root / "etc").mkdir()
    (root / "etc" / "qemu.conf").write_text(QEMU_CONF, encoding="utf-8")
    learnt = lab_cache() / "libvirt"
    learnt.mkdir(exist_ok=True)
    (root / "cache").symlink_to(learnt, target_is_directory=True)


@functools.cache
def run_event_loop() -> threading.Thread:
    """Give the one thread of this process that runs libvirt's event loop; it must turn before `open`."""
    libvirt.virEventRegisterDefaultImpl()
    thread = threading.Thread(target=_turn, name="libvirt-events", daemon=True)
    thread.start()
    return thread


def _turn() -> None:
    while True:
        libvirt.virEventRunDefaultImpl()
