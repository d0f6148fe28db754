"""A domain that runs the tiny guest, with a line to it, for the length of a `with`."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import libvirt

from lab.console import GuestConsole, console_path

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.embedded import EmbeddedLibvirt


@dataclass(frozen=True, kw_only=True)
class RunningGuest:
    """A guest that has booted."""

    domain: Any
    """libvirt.virDomain; its Python binding carries no types."""
    console: GuestConsole


@contextmanager
def running_guest(host: EmbeddedLibvirt, xml: str, *, timeout_s: float = 60.0) -> Iterator[RunningGuest]:
    """Give the guest of a new transient domain once its shell answers; the domain is destroyed at the end.

    The XML boots a kernel and initrd of `lab.guest` and has a serial port 0 of type pty or unix.
    Raises libvirt.libvirtError, and what `GuestConsole.wait_ready` raises.
    """
    domain = host.connection.createXML(xml, 0)
    try:
        with GuestConsole(console_path(domain.XMLDesc(0))) as console:
            console.wait_ready(timeout_s)
            yield RunningGuest(domain=domain, console=console)
    finally:
        with suppress(libvirt.libvirtError):  # a guest that was stopped meanwhile is unknown by now
            domain.destroy()
