"""The command line's way to a libvirt host: libvirt-python is imported when a host is wanted, not before."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from virtxlate.errors import LibvirtMissingError

if TYPE_CHECKING:
    from virtxlate.live.connection import LibvirtHost


@contextmanager
def connected(uri: str | None, *, read_only: bool) -> Iterator[LibvirtHost]:
    """Give a connection for the time of a ``with``. Raises LibvirtMissingError, ConnectionFailedError."""
    try:
        from virtxlate.live.connection import connect  # noqa: PLC0415 - bad arguments are told without it
    except ImportError as exc:
        raise LibvirtMissingError(
            f"libvirt-python is missing ({exc}): install python3-libvirt, or virtxlate[libvirt]"
        ) from exc
    with connect(uri, read_only=read_only) as host:
        yield host
