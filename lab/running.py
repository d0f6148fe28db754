"""A domain that runs the tiny guest, with a line to it, for the length of a `with`."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import libvirt
from lxml import etree

from lab.console import BOOT_S, GuestConsole, console_path
from lab.devices import PTY_SERIAL
from lab.embedded import remove_domain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.guest import GuestFiles

KERNEL_ARGUMENTS = "root=/dev/vda1 ro console=ttyS0,38400"
"""As Ganeti writes them: a root that the tiny guest lacks, a console with a speed."""


class Host(Protocol):
    """An embedded libvirt, or a private daemon."""

    @property
    def connection(self) -> Any:
        """Give the libvirt.virConnect of now."""


@dataclass(frozen=True, kw_only=True)
class RunningGuest:
    """A guest that has booted."""

    domain: Any
    """libvirt.virDomain; its Python binding carries no types."""
    console: GuestConsole


@contextmanager
def started(host: Host, xml: str, *, persistent: bool = False) -> Iterator[Any]:
    """Give a new domain that runs, a libvirt.virDomain; it is gone at the end, its definition too.

    Raises libvirt.libvirtError.
    """
    domain = host.connection.defineXML(xml) if persistent else host.connection.createXML(xml, 0)
    name = domain.name()
    try:
        if persistent:
            domain.create()
        yield domain
    finally:
        with suppress(libvirt.libvirtError):  # a test may have ended the domain, or its daemon
            remove_domain(host.connection.lookupByName(name))


@contextmanager
def running_guest(
    host: Host, xml: str, *, persistent: bool = False, timeout_s: float = BOOT_S
) -> Iterator[RunningGuest]:
    """Give the guest of a new domain once its shell answers; the domain is gone at the end.

    The XML boots a kernel and initrd of `lab.guest` and has a serial port 0 of type pty or unix; any other
    XML does after `with_guest`. Raises libvirt.libvirtError, and what `GuestConsole.wait_ready` raises.
    """
    with (
        started(host, xml, persistent=persistent) as domain,
        GuestConsole(console_path(domain.XMLDesc(0))) as console,
    ):
        console.wait_ready(timeout_s)
        yield RunningGuest(domain=domain, console=console)


def with_guest(xml: str, guest: GuestFiles) -> str:
    """Give anybody's domain XML as this lab can boot it: under TCG, with the guest's kernel and a console.

    Machine, firmware, devices and their addresses stay as they are; so the files and bridges must be there.
    """
    domain = etree.fromstring(xml.encode())
    domain.set("type", "qemu")
    os_element = _only(domain, "os")
    for name in ("boot", "kernel", "initrd", "cmdline"):
        for old in os_element.findall(name):
            os_element.remove(old)
    boot = {"kernel": str(guest.kernel), "initrd": str(guest.initrd), "cmdline": KERNEL_ARGUMENTS}
    for name, text in boot.items():
        etree.SubElement(os_element, name).text = text
    devices = _only(domain, "devices")
    for port in (*devices.findall("serial"), *devices.findall("console")):
        devices.remove(port)
    devices.append(etree.fromstring(PTY_SERIAL))
    return etree.tostring(domain, encoding="unicode")


def _only(parent: etree._Element, name: str) -> etree._Element:
    found = parent.find(name)
    return etree.SubElement(parent, name) if found is None else found
