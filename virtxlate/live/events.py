"""libvirt's event loop: the embedded QEMU driver refuses to open without one."""

from __future__ import annotations

import threading

import libvirt

_started = threading.Lock()


def start_event_loop() -> None:
    """Run libvirt's default event loop in a thread of this process; a second call does nothing."""
    if not _started.acquire(blocking=False):
        return
    libvirt.virEventRegisterDefaultImpl()
    threading.Thread(target=_run, name="libvirt events", daemon=True).start()


def _run() -> None:
    while True:
        libvirt.virEventRunDefaultImpl()
