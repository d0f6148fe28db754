"""What virtxlate asks of a libvirt host: anything of this shape will do, a fake in a test too."""

from __future__ import annotations

from contextlib import AbstractContextManager
from enum import StrEnum
from typing import Any, Protocol

import msgspec


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


class DefinedPort(DomainPort, Protocol):
    """A domain that was defined, for whoever defined it."""

    def secure_xml(self) -> str:
        """Give the XML that the next start will use, with the passwords in it. Raises LiveError."""


class DomainState(msgspec.Struct, frozen=True, kw_only=True):
    """What a domain is doing."""

    active: bool = True
    paused: bool = False
    """Its processors stand still, whoever stopped them."""
    starting: bool = False
    """libvirt is still starting it, or loading its state."""


class Outcome(StrEnum):
    """What became of a device that was asked to go."""

    REMOVED = "removed"
    """QEMU has released it."""
    REFUSED = "refused"
    """The guest said no."""
    STOPPED = "stopped"
    """The domain stopped."""
    DISCONNECTED = "disconnected"
    """The connection broke: nothing more will be heard on it."""


class RemovalWaiter(Protocol):
    """Hears of one device's removal from the moment that it was made; see HotplugPort.removal."""

    def wait(self, timeout: float) -> Outcome | None:
        """Give the next outcome that was not given yet; None when ``timeout`` seconds bring none."""


class HotplugPort(DomainPort, Protocol):
    """A domain whose devices can come and go.

    Every call that changes something names what it changes: ``live`` the running guest, ``config`` the next
    start. Each raises LiveError, ConnectionFailedError where it is not known whether libvirt did it.
    """

    def state(self) -> DomainState:
        """Give what the domain is doing. Raises DomainNotFoundError, LiveError."""

    def is_persistent(self) -> bool:
        """Tell whether it has a definition. Raises LiveError."""

    def job(self) -> str | None:
        """Give what libvirt is doing with the whole domain: migration, save, dump ...; None for nothing."""

    def libvirt_version(self) -> int:
        """Give major * 1000000 + minor * 1000 + release of the libvirt that has the domain."""

    def attach(self, xml: str, *, live: bool, config: bool) -> None:
        """Attach the device that ``xml`` describes."""

    def detach(self, xml: str, *, live: bool, config: bool) -> None:
        """Detach the device that ``xml`` describes; from a running guest libvirt waits some seconds."""

    def detach_alias(self, alias: str) -> None:
        """Ask the running guest to release a device, and return at once."""

    def update(self, xml: str, *, live: bool, config: bool) -> None:
        """Change the device that ``xml`` describes, in place."""

    def resize(self, target: str, size: int) -> None:
        """Tell the running guest that a disk now has ``size`` bytes."""

    def disk_size(self, target: str) -> int:
        """Give the size in bytes that a disk of the running guest has."""

    def set_metadata(self, text: str | None, *, live: bool, config: bool) -> None:
        """Replace the text of virtxlate's own metadata element; None takes the element away."""

    def removal(self, alias: str) -> AbstractContextManager[RemovalWaiter]:
        """Hear of the removal of a device for the time of a ``with``, from before its body runs."""


class HotplugHost(Protocol):
    """A connection whose domains' devices can come and go."""

    def domain(self, which: str) -> HotplugPort | None:
        """Give the domain of that id, else UUID, else name, else None. Raises LiveError."""

    def version(self) -> str:
        """Give the libvirt version of the host, such as 9.0.0. Raises LiveError."""

    def is_local(self) -> bool:
        """Tell whether libvirt runs on this machine. Raises LiveError."""


class HandoverDomain(DomainPort, Protocol):
    """A domain that takes over a running guest."""

    def state(self) -> DomainState:
        """Give what the domain is doing. Raises DomainNotFoundError, LiveError."""

    def job(self) -> str | None:
        """Give what libvirt is doing with the whole domain; None for nothing. Raises LiveError."""

    def resume(self) -> None:
        """Let its guest run. Raises LiveError."""

    def destroy(self) -> None:
        """End its QEMU at once. Raises LiveError."""

    def undefine(self) -> None:
        """Forget its definition. Raises LiveError."""

    def secure_xml(self) -> str:
        """Give the XML that the next start will use, with the passwords in it. Raises LiveError."""

    def ask(self, command: str, /, **arguments: Any) -> Any:
        """Give what a QMP command of its QEMU returns. Raises LiveError with QEMU's own words."""


class HandoverHost(Protocol):
    """A connection to the host whose libvirt takes over a running guest."""

    def find(self, uuid: str, name: str) -> HandoverDomain | None:
        """Give the domain of that UUID, else of that name, else None. Raises LiveError."""

    def define(self, xml: str) -> HandoverDomain:
        """Define a domain, or define it anew. Raises LiveError."""

    def uri(self) -> str:
        """Give what names this libvirt. Raises LiveError."""

    def restore(self, path: str) -> None:
        """Load the guest that a save image or FIFO holds, and leave it paused; returns when it is loaded.

        Raises LiveError; ConnectionFailedError where it is not known what became of it.
        """


class HostPort(Protocol):
    """A connection to one host."""

    def find(self, uuid: str, name: str) -> DomainPort | None:
        """Give the domain of that UUID, else of that name, else None. Raises LiveError."""

    def define(self, xml: str) -> DefinedPort:
        """Define a domain, or define it anew. Raises LiveError."""

    def version(self) -> str:
        """Give the libvirt version of the host, such as 9.0.0. Raises LiveError."""

    def is_local(self) -> bool:
        """Tell whether libvirt runs on this machine. Raises LiveError."""

    def emulator_version(self) -> int:
        """Give the version of the host's QEMU: 7002022 is 7.2.22. Raises LiveError."""


class TrialPort(Protocol):
    """What is asked of a libvirt host about a document, without a trace."""

    def define(self, xml: str, *, validate: bool) -> None:
        """Define a domain and undefine it at once. Raises LiveError where libvirt refuses."""

    def command(self, xml: str) -> None:
        """Let libvirt make QEMU's command line. Raises LiveError where it refuses."""


class NodeDevicePort(Protocol):
    """The devices of one host, as XML; a connection is one."""

    def node_devices(self, capability: str) -> tuple[str, ...]:
        """Give the XML of each device that is ``fc_host``, ``scsi`` or ``storage``. Raises LiveError."""

    def create_node_device(self, xml: str) -> str:
        """Make a device, and give its name. Raises LiveError."""

    def destroy_node_device(self, name: str) -> None:
        """Remove a device that was made. Raises LiveError, NodeDeviceNotFoundError."""
