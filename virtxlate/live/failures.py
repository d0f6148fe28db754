"""libvirt's errors made ours: the one place where they are caught."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from virtxlate.errors import (
    ConnectionFailedError,
    DeviceNotFoundError,
    DomainNotFoundError,
    LiveError,
    NodeDeviceNotFoundError,
    OperationRefusedError,
)
from virtxlate.live.binding import libvirt

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
