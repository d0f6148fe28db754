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
    "VIR_ERR_OPERATION_INVALID": 55,
    "VIR_ERR_OPERATION_UNSUPPORTED": 84,
}
FLAGS = {"VIR_DOMAIN_XML_INACTIVE": 2, "VIR_DOMAIN_START_PAUSED": 1, "VIR_DOMAIN_DEFINE_VALIDATE": 1}


class libvirtError(Exception):  # noqa: N801 - libvirt's own name
    def __init__(self, code: int | None, message: str | None) -> None:
        super().__init__(message or "unknown")
        self._code, self._message = code, message

    def get_error_code(self) -> int | None:
        return self._code

    def get_error_message(self) -> str | None:
        return self._message


class FakeLibvirt(ModuleType):
    """The module; ``fails`` is what a call raises, ``calls`` what was called."""

    def __init__(self) -> None:
        super().__init__("libvirt")
        vars(self).update(ERRORS, **FLAGS, libvirtError=libvirtError)
        self.calls: list[tuple[Any, ...]] = []
        self.fails: dict[str, libvirtError] = {}
        self.domains: list[FakeVirDomain] = []
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


class FakeConnection:
    def __init__(self, libvirt: FakeLibvirt) -> None:
        self._libvirt = libvirt

    def _look_up(self, wanted: str) -> FakeVirDomain:
        for domain in self._libvirt.domains:
            if wanted in {domain.name(), domain.UUIDString()}:
                return domain
        raise libvirtError(ERRORS["VIR_ERR_NO_DOMAIN"], f"no domain matching {wanted}")

    def lookupByUUIDString(self, uuid: str) -> FakeVirDomain:  # noqa: N802
        self._libvirt.called("lookupByUUIDString", uuid)
        return self._look_up(uuid)

    def lookupByName(self, name: str) -> FakeVirDomain:  # noqa: N802
        self._libvirt.called("lookupByName", name)
        return self._look_up(name)

    def defineXMLFlags(self, xml: str, flags: int) -> FakeVirDomain:  # noqa: N802
        self._libvirt.called("defineXMLFlags", xml, flags)
        return FakeVirDomain(self._libvirt, "a", "u")

    def getLibVersion(self) -> int:  # noqa: N802
        self._libvirt.called("getLibVersion")
        return 9_012_003

    def getVersion(self) -> int:  # noqa: N802
        self._libvirt.called("getVersion")
        return 7_002_022

    def close(self) -> None:
        self._libvirt.called("close")


class FakeVirDomain:
    def __init__(self, libvirt: FakeLibvirt, name: str, uuid: str) -> None:
        self._libvirt, self._name, self._uuid = libvirt, name, uuid

    def name(self) -> str:
        return self._name

    def UUIDString(self) -> str:  # noqa: N802
        return self._uuid

    def isActive(self) -> int:  # noqa: N802
        self._libvirt.called("isActive")
        return 1

    def XMLDesc(self, flags: int = 0) -> str:  # noqa: N802
        self._libvirt.called("XMLDesc", flags)
        return "<inactive/>" if flags & 2 else "<live/>"

    def createWithFlags(self, flags: int) -> None:  # noqa: N802
        self._libvirt.called("createWithFlags", flags)
