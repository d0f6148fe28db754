"""What virtxlate asks of a libvirt host: anything of this shape will do, a fake in a test too."""

from __future__ import annotations

from typing import Protocol


class DomainPort(Protocol):
    """One domain of a host."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def uuid(self) -> str:
        """Its UUID, in lower case."""

    def is_active(self) -> bool:
        """Tell whether it runs."""

    def inactive_xml(self) -> str:
        """Give the XML that the next start will use. Raises LiveError."""

    def live_xml(self) -> str:
        """Give the XML of the running guest. Raises LiveError."""

    def start(self, *, paused: bool = False) -> None:
        """Start it. Raises LiveError."""


class HostPort(Protocol):
    """A connection to one host."""

    def find(self, uuid: str, name: str) -> DomainPort | None:
        """Give the domain of that UUID, else of that name, else None. Raises LiveError."""

    def define(self, xml: str) -> DomainPort:
        """Define a domain, or define it anew. Raises LiveError."""

    def version(self) -> str:
        """Give the libvirt version of the host, such as 9.0.0. Raises LiveError."""

    def emulator_version(self) -> int:
        """Give the version of the host's QEMU: 7002022 is 7.2.22. Raises LiveError."""
