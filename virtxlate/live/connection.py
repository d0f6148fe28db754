"""A connection to libvirt, its errors made ours. This and events.py are the only modules that import it."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Any, Self, TypeVar
from urllib.parse import urlsplit

import libvirt
import msgspec

from virtxlate.domain.words import METADATA_NAMESPACE, METADATA_PREFIX, METADATA_TAG
from virtxlate.errors import (
    ConnectionFailedError,
    DeviceNotFoundError,
    DomainNotFoundError,
    LiveError,
    NodeDeviceNotFoundError,
    OperationRefusedError,
)
from virtxlate.ganeti.words import UUID_PATTERN
from virtxlate.live.events import hear_of_removals, start_event_loop, stop_hearing
from virtxlate.live.host_devices import LibvirtHostDevices
from virtxlate.live.port import DomainState, Outcome
from virtxlate.live.qmp import returned
from virtxlate.live.trials import LibvirtTrials
from virtxlate.live.waiters import Waiter, Waiters
from virtxlate.translate.hvinfo import DeviceInfo, derive_hvinfo
from virtxlate.xmlmap.escaping import escape_text

T = TypeVar("T")

_ERRORS: dict[int, type[LiveError]] = {
    libvirt.VIR_ERR_NO_CONNECT: ConnectionFailedError,
    libvirt.VIR_ERR_INVALID_CONN: ConnectionFailedError,
    libvirt.VIR_ERR_AUTH_FAILED: ConnectionFailedError,
    libvirt.VIR_ERR_RPC: ConnectionFailedError,
    libvirt.VIR_ERR_NO_DOMAIN: DomainNotFoundError,
    libvirt.VIR_ERR_NO_NODE_DEVICE: NodeDeviceNotFoundError,
    libvirt.VIR_ERR_DEVICE_MISSING: DeviceNotFoundError,
    libvirt.VIR_ERR_OPERATION_INVALID: OperationRefusedError,
    libvirt.VIR_ERR_OPERATION_DENIED: OperationRefusedError,
    libvirt.VIR_ERR_OPERATION_UNSUPPORTED: OperationRefusedError,
    libvirt.VIR_ERR_NO_SUPPORT: OperationRefusedError,
    libvirt.VIR_ERR_DOM_EXIST: OperationRefusedError,
}
"""By libvirt's error number; every other number is a plain LiveError."""

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
_KEEPALIVE_SECONDS, _KEEPALIVE_COUNT = 5, 3
_MAX_ID = 2**31 - 1
_UUID = re.compile(UUID_PATTERN)


@contextmanager
def libvirt_errors(call: str, is_alive: Callable[[], bool] = lambda: True) -> Iterator[None]:
    """Turn libvirt's error into ours; the one place where it is caught."""
    try:
        yield
    except libvirt.libvirtError as exc:
        code = exc.get_error_code() or 0
        message = " ".join((exc.get_error_message() or str(exc)).split())
        kind = _ERRORS.get(code, LiveError) if is_alive() else ConnectionFailedError
        raise kind(f"{message} (libvirt error {code})", call=call, code=code) from exc


def _affect(*, live: bool, config: bool) -> int:
    flags: int = libvirt.VIR_DOMAIN_AFFECT_LIVE if live else 0
    return flags | (libvirt.VIR_DOMAIN_AFFECT_CONFIG if config else 0)


class LibvirtDomain:
    """One domain; see port.HotplugPort."""

    def __init__(self, domain: Any, host: LibvirtHost | None = None) -> None:
        self._domain = domain
        self._host = LibvirtHost(domain.connect()) if host is None else host
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
        import libvirt_qemu  # noqa: PLC0415 - few ask QEMU itself

        self._follow()
        question = msgspec.json.encode({"execute": command, "arguments": arguments}).decode()
        with libvirt_errors(command, self._host.is_alive):
            answer = libvirt_qemu.qemuMonitorCommand(self._domain, question, 0)
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


class LibvirtHost:
    """One connection; see port.HostPort. Safe to use from several threads."""

    def __init__(self, connection: Any, reopen: Callable[[], Any] | None = None) -> None:
        self._connection = connection
        self._reopen = reopen
        self._lock = threading.RLock()
        self._callbacks: list[int] = []
        self._listening = False
        self.generation = 0
        """Counts the connections that were made; a domain object belongs to one of them."""
        self.waiters = Waiters()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection for good; whoever still waits is told."""
        with self._lock:
            self._reopen, self._listening = None, False
            self._let_go()
        self.waiters.everybody(Outcome.DISCONNECTED)

    def is_alive(self) -> bool:
        """Tell whether the connection still stands."""
        try:
            return bool(self._connection.isAlive())
        except libvirt.libvirtError:
            return False

    def reopen(self) -> None:
        """Make a connection that broke anew, and listen again. Raises ConnectionFailedError."""
        with self._lock:
            if self.is_alive():
                return
            if self._reopen is None:
                raise ConnectionFailedError(
                    "the connection is closed, or broke and is not ours to make anew", call="open"
                )
            self._let_go()
            self._connection = self._reopen()
            self.generation += 1
            if self._listening:
                self.listen()

    def lookup(self, uuid: str) -> tuple[int, Any]:
        """Give the number of the connection, and the domain on it. Raises DomainNotFoundError."""
        with self._lock, libvirt_errors("lookupByUUIDString", self.is_alive):
            return self.generation, self._connection.lookupByUUIDString(uuid)

    def listen(self) -> None:
        """Hear of removals from now on; once a connection is enough."""
        with self._lock:
            self._listening = True
            if self._callbacks:
                return
            with libvirt_errors("domainEventRegisterAny", self.is_alive):
                self._callbacks += hear_of_removals(self._connection, self.waiters)

    def _let_go(self) -> None:
        """Close the connection; a callback that stayed registered would keep it in memory, dead or alive."""
        stop_hearing(self._connection, self._callbacks)
        self._callbacks.clear()
        with suppress(libvirt.libvirtError):
            self._connection.close()

    def find(self, uuid: str, name: str) -> LibvirtDomain | None:
        """Give the domain of that UUID, else of that name, else None."""
        for lookup, key in (("lookupByUUIDString", uuid), ("lookupByName", name)):
            if not key:
                continue
            with suppress(DomainNotFoundError):
                return LibvirtDomain(self._ask(lookup, key), self)
        return None

    def domain(self, which: str) -> LibvirtDomain | None:
        """Give the domain of that id, else UUID, else name, as virsh looks for it; else None."""
        if which.isascii() and which.isdecimal() and int(which) <= _MAX_ID:
            with suppress(DomainNotFoundError):
                return LibvirtDomain(self._ask("lookupByID", int(which)), self)
        return self.find(which if _UUID.fullmatch(which) else "", which)

    def _ask(self, name: str, *args: Any) -> Any:
        """Call what only asks; a connection that broke is made anew once."""
        try:
            with libvirt_errors(name, self.is_alive):
                return getattr(self._connection, name)(*args)
        except ConnectionFailedError:
            self.reopen()
            with libvirt_errors(name, self.is_alive):
                return getattr(self._connection, name)(*args)

    def define(self, xml: str) -> LibvirtDomain:
        """Define a domain, or define it anew."""
        with libvirt_errors("defineXMLFlags", self.is_alive):
            return LibvirtDomain(
                self._connection.defineXMLFlags(xml, libvirt.VIR_DOMAIN_DEFINE_VALIDATE), self
            )

    def restore(self, path: str) -> None:
        """Load a saved guest, and leave it paused; see port.HandoverHost."""
        with libvirt_errors("restoreFlags", self.is_alive):
            self._connection.restoreFlags(path, None, libvirt.VIR_DOMAIN_SAVE_PAUSED)

    def start_paused(self, xml: str) -> LibvirtDomain:
        """Start a domain that has no definition, and leave it paused; it is gone with its QEMU."""
        with libvirt_errors("createXML", self.is_alive):
            return LibvirtDomain(self._connection.createXML(xml, libvirt.VIR_DOMAIN_START_PAUSED), self)

    def libvirt_version(self) -> int:
        """Give the version of the host's libvirt as a number: 9000000 is 9.0.0."""
        return int(self._ask("getLibVersion"))

    def version(self) -> str:
        """Give the libvirt version of the host, such as 9.0.0."""
        number = self.libvirt_version()
        return f"{number // 1_000_000}.{number // 1_000 % 1_000}.{number % 1_000}"

    def is_local(self) -> bool:
        """Tell whether libvirt runs on this machine: its URI names no other."""
        with libvirt_errors("getURI"):
            return not urlsplit(str(self._connection.getURI())).netloc

    def emulator_version(self) -> int:
        """Give the version of the host's QEMU as libvirt counts it: 7002022 is 7.2.22."""
        with libvirt_errors("getVersion", self.is_alive):
            return int(self._connection.getVersion())

    def host_devices(self) -> LibvirtHostDevices:
        """Give the devices of the host; see port.NodeDevicePort."""
        return LibvirtHostDevices(self._connection, libvirt_errors)

    def trials(self) -> LibvirtTrials:
        """Give what asks about documents; see port.TrialPort."""
        return LibvirtTrials(self._connection, libvirt_errors)


def connect(uri: str | None = None, *, read_only: bool = False, event_loop: bool = True) -> LibvirtHost:
    """Connect; None leaves the choice to LIBVIRT_DEFAULT_URI and libvirt. Close it, or use it in a ``with``.

    ``read_only`` is enough to look, and asks for less. libvirt has one event loop a process: with
    ``event_loop`` it runs in a thread of virtxlate's; without, the caller has registered one and runs it.

    Raises ConnectionFailedError.
    """
    libvirt.registerErrorHandler(lambda _context, _error: None, None)
    if event_loop:
        start_event_loop()

    def open_again() -> Any:
        return _open(uri, read_only=read_only)

    return LibvirtHost(open_again(), open_again)


def _open(uri: str | None, *, read_only: bool) -> Any:
    try:
        with libvirt_errors("open"):
            connection = libvirt.openReadOnly(uri) if read_only else libvirt.open(uri)
    except ConnectionFailedError:
        raise
    except LiveError as exc:
        raise ConnectionFailedError(exc.message, call=exc.call, code=exc.code) from exc
    with suppress(libvirt.libvirtError):  # a driver inside this process needs no sign of life
        connection.setKeepAlive(_KEEPALIVE_SECONDS, _KEEPALIVE_COUNT)
    return connection
