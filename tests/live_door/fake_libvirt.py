"""What virtxlate uses of libvirt-python, made of nothing; names and numbers are libvirt's own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import ModuleType
from typing import Any

ERRORS = {
    "VIR_ERR_NO_SUPPORT": 3,
    "VIR_ERR_NO_CONNECT": 5,
    "VIR_ERR_INVALID_CONN": 6,
    "VIR_ERR_OPERATION_DENIED": 29,
    "VIR_ERR_DOM_EXIST": 35,
    "VIR_ERR_RPC": 39,
    "VIR_ERR_NO_DOMAIN": 42,
    "VIR_ERR_AUTH_FAILED": 45,
    "VIR_ERR_NO_NODE_DEVICE": 53,
    "VIR_ERR_OPERATION_INVALID": 55,
    "VIR_ERR_OPERATION_UNSUPPORTED": 84,
    "VIR_ERR_DEVICE_MISSING": 99,
}
FLAGS = {
    "VIR_DOMAIN_XML_SECURE": 1,
    "VIR_DOMAIN_XML_INACTIVE": 2,
    "VIR_DOMAIN_START_PAUSED": 1,
    "VIR_DOMAIN_DEFINE_VALIDATE": 1,
    "VIR_DOMAIN_AFFECT_LIVE": 1,
    "VIR_DOMAIN_AFFECT_CONFIG": 2,
    "VIR_DOMAIN_BLOCK_RESIZE_BYTES": 1,
    "VIR_DOMAIN_METADATA_ELEMENT": 2,
    "VIR_DOMAIN_RUNNING": 1,
    "VIR_DOMAIN_PAUSED": 3,
    "VIR_DOMAIN_SHUTOFF": 5,
    "VIR_DOMAIN_PAUSED_STARTING_UP": 11,
    "VIR_DOMAIN_JOB_NONE": 0,
}
JOBS = {
    "VIR_DOMAIN_JOB_OPERATION_SAVE": 2,
    "VIR_DOMAIN_JOB_OPERATION_RESTORE": 3,
    "VIR_DOMAIN_JOB_OPERATION_MIGRATION_IN": 4,
    "VIR_DOMAIN_JOB_OPERATION_MIGRATION_OUT": 5,
    "VIR_DOMAIN_JOB_OPERATION_SNAPSHOT": 6,
    "VIR_DOMAIN_JOB_OPERATION_SNAPSHOT_REVERT": 7,
    "VIR_DOMAIN_JOB_OPERATION_DUMP": 8,
    "VIR_DOMAIN_JOB_OPERATION_BACKUP": 9,
}
EVENTS = {
    "VIR_DOMAIN_EVENT_ID_LIFECYCLE": 0,
    "VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED": 15,
    "VIR_DOMAIN_EVENT_ID_DEVICE_REMOVAL_FAILED": 22,
    "VIR_DOMAIN_EVENT_DEFINED": 0,
    "VIR_DOMAIN_EVENT_UNDEFINED": 1,
    "VIR_DOMAIN_EVENT_STARTED": 2,
    "VIR_DOMAIN_EVENT_STOPPED": 5,
}
LOST = (38, "End of file while reading data: Input/output error")
CLOSED = (1, "internal error: client socket is closed")


class libvirtError(Exception):  # noqa: N801 - libvirt's own name
    def __init__(self, code: int | None, message: str | None) -> None:
        super().__init__(message or "unknown")
        self._code, self._message = code, message

    def get_error_code(self) -> int | None:
        return self._code

    def get_error_message(self) -> str | None:
        return self._message


class FakeLibvirt(ModuleType):
    """The module; ``fails`` is what a call raises, ``calls`` what was called.

    At ``breaks_at`` (a call's name) the connection that makes the call is lost, once.
    """

    def __init__(self) -> None:
        super().__init__("libvirt")
        vars(self).update(ERRORS, **FLAGS, **JOBS, **EVENTS, libvirtError=libvirtError)
        self.calls: list[tuple[Any, ...]] = []
        self.fails: dict[str, libvirtError] = {}
        self.breaks_at: str | None = None
        self.connections: list[FakeConnection] = []
        self.domains: list[FakeVirDomain] = []
        self.node_devices: dict[str, str] = {}
        self.uri = "qemu:///system"
        self.turns = threading.Semaphore(0)
        self.turned = threading.Semaphore(0)

    def called(self, *call: Any) -> None:
        self.calls.append(call)
        if call[0] in self.fails:
            raise self.fails[call[0]]

    def names(self) -> list[str]:
        return [call[0] for call in self.calls]

    def registerErrorHandler(self, handler: Callable[..., Any], context: Any) -> None:  # noqa: N802
        handler(context, ("libvirt would print this",))
        self.called("registerErrorHandler")

    def virEventRegisterDefaultImpl(self) -> None:  # noqa: N802
        self.called("virEventRegisterDefaultImpl")

    def virEventRunDefaultImpl(self) -> None:  # noqa: N802
        self.turns.acquire()
        self.turned.release()

    def open(self, uri: str | None) -> FakeConnection:
        self.called("open", uri)
        return FakeConnection(self)

    def openReadOnly(self, uri: str | None) -> FakeConnection:  # noqa: N802
        self.called("openReadOnly", uri)
        return FakeConnection(self)


Callback = Callable[..., None]


class FakeConnection:
    """One connection; ``callbacks`` are its event, function and opaque by number."""

    def __init__(self, libvirt: FakeLibvirt) -> None:
        self._libvirt = libvirt
        self.alive, self.is_closed = True, False
        self.callbacks: dict[int, tuple[int, Callback, Any]] = {}
        self.close_callback: tuple[Callback, Any] | None = None
        libvirt.connections.append(self)

    def called(self, *call: Any) -> None:
        if not self.alive:
            self._libvirt.calls.append(call)
            raise libvirtError(*CLOSED)
        if call[0] == self._libvirt.breaks_at:
            self._libvirt.breaks_at = None
            self._libvirt.calls.append(call)
            self.lose()
            raise libvirtError(*LOST)
        self._libvirt.called(*call)

    def lose(self) -> None:
        """Lose the connection, as when the daemon goes away."""
        self.alive = False
        if self.close_callback is not None:
            function, opaque = self.close_callback
            function(self, 1, opaque)

    def happens(self, event: str, domain: FakeVirDomain, *details: Any) -> None:
        """Tell everybody who registered for an event, from another thread, as the event loop does."""
        told = [each for each in self.callbacks.values() if each[0] == EVENTS[event]]

        def tell() -> None:
            for _event, function, opaque in told:
                function(self, domain, *details, opaque)

        thread = threading.Thread(target=tell)
        thread.start()
        thread.join()

    def isAlive(self) -> int:  # noqa: N802
        if self.is_closed:
            raise libvirtError(6, "invalid connection pointer")
        return int(self.alive)

    def setKeepAlive(self, interval: int, count: int) -> None:  # noqa: N802
        self.called("setKeepAlive", interval, count)

    def domainEventRegisterAny(  # noqa: N802
        self, domain: None, event: int, callback: Callback, opaque: Any
    ) -> int:
        self.called("domainEventRegisterAny", domain, event)
        if event in {each[0] for each in self.callbacks.values()}:  # the embedded driver takes one of each
            raise libvirtError(1, "event callback already tracked")
        number = len(self._libvirt.calls)
        self.callbacks[number] = (event, callback, opaque)
        return number

    def domainEventDeregisterAny(self, number: int) -> None:  # noqa: N802
        self.callbacks.pop(number)
        self.called("domainEventDeregisterAny", number)

    def registerCloseCallback(self, callback: Callback, opaque: Any) -> None:  # noqa: N802
        self.called("registerCloseCallback")
        if self.close_callback is not None:
            raise libvirtError(55, "A close callback is already registered")
        self.close_callback = (callback, opaque)

    def unregisterCloseCallback(self) -> None:  # noqa: N802
        self.close_callback = None
        self.called("unregisterCloseCallback")

    def _look_up(self, wanted: str) -> FakeVirDomain:
        for domain in self._libvirt.domains:
            if wanted in {domain.name(), domain.UUIDString()}:
                return FakeVirDomain(self._libvirt, domain.name(), domain.UUIDString(), self, domain.facts)
        raise libvirtError(ERRORS["VIR_ERR_NO_DOMAIN"], f"no domain matching {wanted}")

    def lookupByID(self, number: int) -> FakeVirDomain:  # noqa: N802
        self.called("lookupByID", number)
        if 0 < number <= len(self._libvirt.domains):
            return self._look_up(self._libvirt.domains[number - 1].UUIDString())
        raise libvirtError(ERRORS["VIR_ERR_NO_DOMAIN"], f"no domain with matching id {number}")

    def lookupByUUIDString(self, uuid: str) -> FakeVirDomain:  # noqa: N802
        self.called("lookupByUUIDString", uuid)
        return self._look_up(uuid)

    def lookupByName(self, name: str) -> FakeVirDomain:  # noqa: N802
        self.called("lookupByName", name)
        return self._look_up(name)

    def defineXMLFlags(self, xml: str, flags: int) -> FakeVirDomain:  # noqa: N802
        self.called("defineXMLFlags", xml, flags)
        return FakeVirDomain(self._libvirt, "a", "u", self)

    def listDevices(self, capability: str, flags: int) -> list[str]:  # noqa: N802
        self._libvirt.called("listDevices", capability, flags)
        return [*self._libvirt.node_devices, "gone"]

    def nodeDeviceLookupByName(self, name: str) -> FakeNodeDevice:  # noqa: N802
        self._libvirt.called("nodeDeviceLookupByName", name)
        if name not in self._libvirt.node_devices:
            raise libvirtError(ERRORS["VIR_ERR_NO_NODE_DEVICE"], f"no node device {name}")
        return FakeNodeDevice(self._libvirt, name)

    def nodeDeviceCreateXML(self, xml: str, flags: int) -> FakeNodeDevice:  # noqa: N802
        self._libvirt.called("nodeDeviceCreateXML", xml, flags)
        return FakeNodeDevice(self._libvirt, "scsi_host12")

    def getURI(self) -> str:  # noqa: N802
        self._libvirt.called("getURI")
        return self._libvirt.uri

    def getLibVersion(self) -> int:  # noqa: N802
        self.called("getLibVersion")
        return 9_012_003

    def getVersion(self) -> int:  # noqa: N802
        self._libvirt.called("getVersion")
        return 7_002_022

    def close(self) -> None:
        self._libvirt.called("close")
        self.alive, self.is_closed = False, True


class FakeNodeDevice:
    def __init__(self, libvirt: FakeLibvirt, name: str) -> None:
        self._libvirt, self._name = libvirt, name

    def name(self) -> str:
        return self._name

    def XMLDesc(self, flags: int) -> str:  # noqa: N802
        self._libvirt.called("XMLDesc", flags)
        return self._libvirt.node_devices[self._name]

    def destroy(self) -> None:
        self._libvirt.called("destroy", self._name)


class FakeVirDomain:
    """One domain; ``facts`` overrule what isActive, isPersistent, state and jobStats say."""

    def __init__(
        self,
        libvirt: FakeLibvirt,
        name: str,
        uuid: str,
        connection: FakeConnection | None = None,
        facts: dict[str, Any] | None = None,
    ) -> None:
        self._libvirt, self._name, self._uuid, self._connection = libvirt, name, uuid, connection
        self.facts = {} if facts is None else facts

    def _called(self, *call: Any) -> Any:
        (self._libvirt if self._connection is None else self._connection).called(*call)
        return self.facts.get(call[0])

    def name(self) -> str:
        return self._name

    def UUIDString(self) -> str:  # noqa: N802
        return self._uuid

    def connect(self) -> FakeConnection | None:
        return self._connection

    def isActive(self) -> int:  # noqa: N802
        found = self._called("isActive")
        return 1 if found is None else int(found)

    def isPersistent(self) -> int:  # noqa: N802
        found = self._called("isPersistent")
        return 1 if found is None else int(found)

    def state(self) -> list[int]:
        return list(self._called("state") or (1, 1))

    def jobStats(self, flags: int = 0) -> dict[str, int]:  # noqa: N802
        return dict(self._called("jobStats", flags) or {"type": 0})

    def XMLDesc(self, flags: int = 0) -> str:  # noqa: N802
        self._called("XMLDesc", flags)
        return "<inactive/>" if flags & 2 else "<live/>"

    def createWithFlags(self, flags: int) -> None:  # noqa: N802
        self._called("createWithFlags", flags)

    def attachDeviceFlags(self, xml: str, flags: int) -> None:  # noqa: N802
        self._called("attachDeviceFlags", xml, flags)

    def detachDeviceFlags(self, xml: str, flags: int) -> None:  # noqa: N802
        self._called("detachDeviceFlags", xml, flags)

    def detachDeviceAlias(self, alias: str, flags: int) -> None:  # noqa: N802
        self._called("detachDeviceAlias", alias, flags)

    def updateDeviceFlags(self, xml: str, flags: int) -> None:  # noqa: N802
        self._called("updateDeviceFlags", xml, flags)

    def blockResize(self, target: str, size: int, flags: int) -> None:  # noqa: N802
        self._called("blockResize", target, size, flags)

    def blockInfo(self, target: str, flags: int = 0) -> list[int]:  # noqa: N802
        self._called("blockInfo", target, flags)
        return [3 << 30, 2 << 30, 4 << 30]

    def setMetadata(self, kind: int, text: str | None, key: str, uri: str, flags: int) -> None:  # noqa: N802
        self._called("setMetadata", kind, text, key, uri, flags)
