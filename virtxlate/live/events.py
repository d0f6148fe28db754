"""libvirt's event loop: the embedded QEMU driver refuses to open without one."""

from __future__ import annotations

import threading

import libvirt

_starting = threading.Lock()
_threads: list[threading.Thread] = []


def start_event_loop() -> None:
    """Run libvirt's default event loop in a thread of this process; a second call does nothing."""
    with _starting:
        if _threads:
            return
        libvirt.virEventRegisterDefaultImpl()
        _threads.append(threading.Thread(target=_run, name="libvirt events", daemon=True))
        _threads[0].start()


def _run() -> None:
    while True:
        libvirt.virEventRunDefaultImpl()
