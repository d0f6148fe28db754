"""A libvirt host made of nothing, that can misbehave."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from virtxlate import parse_domain
from virtxlate.errors import ConnectionFailedError, OperationRefusedError


def as_is(xml: str) -> str:
    return xml


class FakeDomain:
    """One domain; ``live`` is what its XML becomes when it runs."""

    def __init__(self, host: FakeHost, xml: str) -> None:
        self._host, self.xml, self.active = host, xml, False
        domain = parse_domain(xml, [])
        self.name, self.uuid = domain.name, (domain.uuid or "").lower()

    def is_active(self) -> bool:
        return self.active

    def inactive_xml(self) -> str:
        return self._host.stored(self.xml)

    def secure_xml(self) -> str:
        return self._host.secure(self.xml)

    def live_xml(self) -> str:
        return self._host.live(self._host.stored(self.xml))

    def start(self, *, paused: bool = False) -> None:
        self._host.calls.append("start paused" if paused else "start")
        if self._host.refuses_start:
            raise OperationRefusedError("no such disk", call="create", code=55)
        self.active = True


class FakeHost:
    """One connection; ``stored`` and ``live`` are what it makes of the XML that it is given."""

    def __init__(self) -> None:
        self.domains: list[FakeDomain] = []
        self.calls: list[str] = []
        self.stored: Callable[[str], str] = as_is
        self.live: Callable[[str], str] = as_is
        self.secure: Callable[[str], str] = as_is
        self.refuses_start = self.forgets = False
        self.libvirt_version = "9.0.0"
        self.local = False
        self.qemu_version = 7_002_000

    def find(self, uuid: str, name: str) -> FakeDomain | None:
        by_uuid = [each for each in self.domains if each.uuid == uuid.lower()]
        by_name = [each for each in self.domains if each.name == name]
        return (*by_uuid, *by_name, None)[0]

    def define(self, xml: str) -> FakeDomain:
        self.calls.append("define")
        domain = FakeDomain(self, xml)
        before = self.find(domain.uuid, domain.name)
        if before is not None:
            domain.active = before.active
            self.domains.remove(before)
        if not self.forgets:
            self.domains.append(domain)
        return domain

    def is_local(self) -> bool:
        return self.local

    def version(self) -> str:
        return self.libvirt_version

    def emulator_version(self) -> int:
        return self.qemu_version


def door(host: Any, asked: list[tuple[str | None, bool]]) -> ModuleType:
    """Give what stands in for virtxlate.live.connection; ``asked`` collects the connections asked for."""

    @contextmanager
    def connect(uri: str | None, *, read_only: bool = False) -> Iterator[Any]:
        asked.append((uri, read_only))
        if uri == "down:///":
            raise ConnectionFailedError("nobody there", call="open", code=38)
        yield host

    module = ModuleType("virtxlate.live.connection")
    vars(module)["connect"] = connect
    return module
