"""A connection to libvirt, its errors made ours. This and events.py are the only modules that import it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import libvirt

from virtxlate.errors import ConnectionFailedError, DomainNotFoundError, LiveError, OperationRefusedError
from virtxlate.live.events import start_event_loop
from virtxlate.translate.hvinfo import DeviceInfo, derive_hvinfo

_ERRORS: dict[int, type[LiveError]] = {
    libvirt.VIR_ERR_NO_CONNECT: ConnectionFailedError,
    libvirt.VIR_ERR_INVALID_CONN: ConnectionFailedError,
    libvirt.VIR_ERR_AUTH_FAILED: ConnectionFailedError,
    libvirt.VIR_ERR_RPC: ConnectionFailedError,
    libvirt.VIR_ERR_NO_DOMAIN: DomainNotFoundError,
    libvirt.VIR_ERR_OPERATION_INVALID: OperationRefusedError,
    libvirt.VIR_ERR_OPERATION_DENIED: OperationRefusedError,
    libvirt.VIR_ERR_OPERATION_UNSUPPORTED: OperationRefusedError,
    libvirt.VIR_ERR_NO_SUPPORT: OperationRefusedError,
    libvirt.VIR_ERR_DOM_EXIST: OperationRefusedError,
}
"""By libvirt's error number; every other number is a plain LiveError."""


@contextmanager
def libvirt_errors(call: str) -> Iterator[None]:
    """Turn libvirt's error into ours; the one place where it is caught."""
    try:
        yield
    except libvirt.libvirtError as exc:
        code = exc.get_error_code() or 0
        message = exc.get_error_message() or str(exc)
        raise _ERRORS.get(code, LiveError)(f"{message} (libvirt error {code})", call=call, code=code) from exc


class LibvirtDomain:
    """One domain; see port.DomainPort."""

    def __init__(self, domain: Any) -> None:
        self._domain = domain

    @property
    def name(self) -> str:
        """Its name."""
        return str(self._domain.name())

    @property
    def uuid(self) -> str:
        """Its UUID, in lower case."""
        return str(self._domain.UUIDString())

    def is_active(self) -> bool:
        """Tell whether it runs."""
        with libvirt_errors("isActive"):
            return bool(self._domain.isActive())

    def inactive_xml(self) -> str:
        """Give the XML that the next start will use."""
        with libvirt_errors("XMLDesc"):
            return str(self._domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE))

    def live_xml(self) -> str:
        """Give the XML of the running guest."""
        with libvirt_errors("XMLDesc"):
            return str(self._domain.XMLDesc())

    def hvinfo(self) -> tuple[DeviceInfo, ...]:
        """Give where QEMU has every disk and NIC, from the live XML; see translate.hvinfo.derive_hvinfo."""
        with libvirt_errors("getLibVersion"):
            version = int(self._domain.connect().getLibVersion())
        return derive_hvinfo(self.live_xml(), libvirt_version=version)

    def start(self, *, paused: bool = False) -> None:
        """Start it."""
        with libvirt_errors("create"):
            self._domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED if paused else 0)


class LibvirtHost:
    """One connection; see port.HostPort."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def find(self, uuid: str, name: str) -> LibvirtDomain | None:
        """Give the domain of that UUID, else of that name, else None."""
        for lookup, key in (
            (self._connection.lookupByUUIDString, uuid),
            (self._connection.lookupByName, name),
        ):
            if not key:
                continue
            try:
                with libvirt_errors(lookup.__name__):
                    return LibvirtDomain(lookup(key))
            except DomainNotFoundError:
                continue
        return None

    def define(self, xml: str) -> LibvirtDomain:
        """Define a domain, or define it anew."""
        with libvirt_errors("defineXMLFlags"):
            return LibvirtDomain(self._connection.defineXMLFlags(xml, libvirt.VIR_DOMAIN_DEFINE_VALIDATE))

    def version(self) -> str:
        """Give the libvirt version of the host, such as 9.0.0."""
        with libvirt_errors("getLibVersion"):
            number = int(self._connection.getLibVersion())
        return f"{number // 1_000_000}.{number // 1_000 % 1_000}.{number % 1_000}"

    def emulator_version(self) -> int:
        """Give the version of the host's QEMU as libvirt counts it: 7002022 is 7.2.22."""
        with libvirt_errors("getVersion"):
            return int(self._connection.getVersion())


@contextmanager
def connected(uri: str | None, *, read_only: bool = False) -> Iterator[LibvirtHost]:
    """Connect for the time of a ``with``; None leaves the choice to LIBVIRT_DEFAULT_URI and libvirt.

    ``read_only`` is enough to look, and asks for less.

    Raises ConnectionFailedError.
    """
    libvirt.registerErrorHandler(lambda _context, _error: None, None)
    start_event_loop()
    try:
        with libvirt_errors("open"):
            connection = libvirt.openReadOnly(uri) if read_only else libvirt.open(uri)
    except ConnectionFailedError:
        raise
    except LiveError as exc:
        raise ConnectionFailedError(exc.message, call=exc.call, code=exc.code) from exc
    try:
        yield LibvirtHost(connection)
    finally:
        connection.close()
