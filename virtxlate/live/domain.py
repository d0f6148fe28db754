"""One domain of a libvirt host."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

import msgspec

from virtxlate.domain.words import METADATA_NAMESPACE, METADATA_PREFIX, METADATA_TAG
from virtxlate.errors import (
    ConnectionFailedError,
    OperationRefusedError,
)
from virtxlate.live.binding import ask_qemu, libvirt
from virtxlate.live.failures import libvirt_errors
from virtxlate.live.port import DomainState
from virtxlate.live.qmp import returned
from virtxlate.live.waiters import Waiter
from virtxlate.translate.hvinfo import DeviceInfo, derive_hvinfo
from virtxlate.xmlmap.escaping import escape_text

if TYPE_CHECKING:
    from virtxlate.live.connection import LibvirtHost

_JOBS = {
    libvirt.VIR_DOMAIN_JOB_OPERATION_MIGRATION_IN: "migration",
    libvirt.VIR_DOMAIN_JOB_OPERATION_MIGRATION_OUT: "migration",
    libvirt.VIR_DOMAIN_JOB_OPERATION_SAVE: "save",
    libvirt.VIR_DOMAIN_JOB_OPERATION_RESTORE: "restore",
    libvirt.VIR_DOMAIN_JOB_OPERATION_SNAPSHOT: "snapshot",
    libvirt.VIR_DOMAIN_JOB_OPERATION_SNAPSHOT_REVERT: "snapshot revert",
    libvirt.VIR_DOMAIN_JOB_OPERATION_DUMP: "dump",
    libvirt.VIR_DOMAIN_JOB_OPERATION_BACKUP: "backup",
}


def _affect(*, live: bool, config: bool) -> int:
    flags: int = libvirt.VIR_DOMAIN_AFFECT_LIVE if live else 0
    return flags | (libvirt.VIR_DOMAIN_AFFECT_CONFIG if config else 0)


class LibvirtDomain:
    """One domain; see port.HotplugPort."""

    def __init__(self, domain: Any, host: LibvirtHost | None = None) -> None:
        if host is None:
            from virtxlate.live.connection import LibvirtHost  # noqa: PLC0415 - each knows the other

            host = LibvirtHost(domain.connect())
        self._domain, self._host = domain, host
        self._generation = self._host.generation

    @property
    def name(self) -> str:
        """Its name."""
        return str(self._domain.name())

    @property
    def uuid(self) -> str:
        """Its UUID, in lower case."""
        return str(self._domain.UUIDString())

    def _change(self, name: str, *args: Any) -> None:
        """Call what changes something: never twice, because nobody knows what the first call did."""
        self._follow()
        with libvirt_errors(name, self._host.is_alive):
            getattr(self._domain, name)(*args)

    def _ask(self, name: str, *args: Any) -> Any:
        """Call what only asks; a connection that broke is made anew once."""
        self._follow()
        try:
            with libvirt_errors(name, self._host.is_alive):
                return getattr(self._domain, name)(*args)
        except ConnectionFailedError:
            self._host.reopen()
            self._follow()
            with libvirt_errors(name, self._host.is_alive):
                return getattr(self._domain, name)(*args)

    def _follow(self) -> None:
        """Find the domain again on a connection that was made anew."""
        if self._generation != self._host.generation:
            self._generation, self._domain = self._host.lookup(self.uuid)

    def is_active(self) -> bool:
        """Tell whether it runs."""
        return bool(self._ask("isActive"))

    def inactive_xml(self) -> str:
        """Give the XML that the next start will use."""
        return str(self._ask("XMLDesc", libvirt.VIR_DOMAIN_XML_INACTIVE))

    def secure_xml(self) -> str:
        """Give the XML that the next start will use, with the passwords in it."""
        return str(self._ask("XMLDesc", libvirt.VIR_DOMAIN_XML_INACTIVE | libvirt.VIR_DOMAIN_XML_SECURE))

    def live_xml(self) -> str:
        """Give the XML of the running guest."""
        return str(self._ask("XMLDesc"))

    def libvirt_version(self) -> int:
        """Give the version of the host's libvirt as a number."""
        return self._host.libvirt_version()

    def hvinfo(self) -> tuple[DeviceInfo, ...]:
        """Give where QEMU has every disk and NIC, from the live XML; see translate.hvinfo.derive_hvinfo."""
        return derive_hvinfo(self.live_xml(), libvirt_version=self.libvirt_version())

    def start(self, *, paused: bool = False) -> None:
        """Start it."""
        self._follow()
        with libvirt_errors("create", self._host.is_alive):
            self._domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED if paused else 0)

    def resume(self) -> None:
        """Let its guest run."""
        self._change("resume")

    def destroy(self) -> None:
        """End its QEMU at once."""
        self._change("destroy")

    def undefine(self) -> None:
        """Forget its definition."""
        self._change("undefine")

    def ask(self, command: str, /, **arguments: Any) -> Any:
        """Give what a QMP command of its QEMU returns; see port.HandoverDomain."""
        self._follow()
        question = msgspec.json.encode({"execute": command, "arguments": arguments}).decode()
        with libvirt_errors(command, self._host.is_alive):
            answer = ask_qemu(self._domain, question)
        return returned(msgspec.json.decode(answer), command)

    def state(self) -> DomainState:
        """Give what the domain is doing."""
        found, reason = self._ask("state")
        paused = found == libvirt.VIR_DOMAIN_PAUSED
        return DomainState(
            active=found != libvirt.VIR_DOMAIN_SHUTOFF,
            paused=paused,
            starting=paused and reason == libvirt.VIR_DOMAIN_PAUSED_STARTING_UP,
        )

    def is_persistent(self) -> bool:
        """Tell whether it has a definition."""
        return bool(self._ask("isPersistent"))

    def job(self) -> str | None:
        """Give what libvirt is doing with the whole domain."""
        try:
            stats = self._ask("jobStats")
        except OperationRefusedError:
            return None  # a driver without jobs
        if stats.get("type", libvirt.VIR_DOMAIN_JOB_NONE) == libvirt.VIR_DOMAIN_JOB_NONE:
            return None
        return _JOBS.get(stats.get("operation"), "a job")

    def attach(self, xml: str, *, live: bool, config: bool) -> None:
        """Attach a device."""
        self._change("attachDeviceFlags", xml, _affect(live=live, config=config))

    def detach(self, xml: str, *, live: bool, config: bool) -> None:
        """Detach a device; libvirt waits some seconds for a guest."""
        self._change("detachDeviceFlags", xml, _affect(live=live, config=config))

    def detach_alias(self, alias: str) -> None:
        """Ask the guest to release a device, and return at once."""
        self._change("detachDeviceAlias", alias, libvirt.VIR_DOMAIN_AFFECT_LIVE)

    def update(self, xml: str, *, live: bool, config: bool) -> None:
        """Change a device in place."""
        self._change("updateDeviceFlags", xml, _affect(live=live, config=config))

    def resize(self, target: str, size: int) -> None:
        """Tell the guest a disk's size in bytes."""
        self._change("blockResize", target, size, libvirt.VIR_DOMAIN_BLOCK_RESIZE_BYTES)

    def disk_size(self, target: str) -> int:
        """Give a disk's size in bytes."""
        return int(self._ask("blockInfo", target)[0])

    def set_metadata(self, text: str | None, *, live: bool, config: bool) -> None:
        """Replace the text of virtxlate's own metadata element."""
        element = None if text is None else f"<{METADATA_TAG}>{escape_text(text)}</{METADATA_TAG}>"
        self._change(
            "setMetadata",
            libvirt.VIR_DOMAIN_METADATA_ELEMENT,
            element,
            METADATA_PREFIX,
            METADATA_NAMESPACE,
            _affect(live=live, config=config),
        )

    def removal(self, alias: str) -> AbstractContextManager[Waiter]:
        """Hear of the removal of a device."""
        self._follow()
        self._host.listen()
        return self._host.waiters.waiting(self.uuid, alias)
