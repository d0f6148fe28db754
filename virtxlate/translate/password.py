"""The password of a display: which file it comes from, what it may be, and into a domain with it.

A domain with a password in it is for libvirt alone: nothing here prints, reports or names a password.
Source: Ganeti 3.2 alpha (c35736d8a), lib/hypervisor/hv_kvm/__init__.py:1445, 1922, 2035-2043.
"""

from __future__ import annotations

import msgspec

from virtxlate.domain.document import parse_domain
from virtxlate.domain.model import Domain
from virtxlate.errors import InputError
from virtxlate.ganeti.model import Instance
from virtxlate.tables.display import PASSWORD_BYTES, VNC_BASE_PORT


class PasswordFile(msgspec.Struct, frozen=True, kw_only=True):
    """Where Ganeti takes the password of an instance's display from."""

    field: str
    """The hvparam."""
    path: str
    display: str
    """vnc or spice."""


def password_file(instance: Instance) -> PasswordFile | None:
    """Give the file of the display that has a password, None where none has: a socket of VNC never has."""
    hvparams, port = instance.hvparams, instance.network_port
    if hvparams.vnc_bind_address:
        shown = not hvparams.vnc_bind_address.startswith("/") and (port is None or port > VNC_BASE_PORT)
        name, display = "vnc_password_file", "vnc"
    else:
        shown, name, display = bool(hvparams.spice_bind), "spice_password_file", "spice"
    path = getattr(hvparams, name) if shown else ""
    return PasswordFile(field=f"hvparams.{name}", path=path, display=display) if path else None


def parse_password(data: bytes, display: str, at: str) -> str:
    """Give the password in the bytes of a file: its only line that is not empty, as Ganeti reads it.

    Raises InputError, which never shows it.
    """
    lines = [line for line in data.splitlines() if line]
    if not lines:
        raise InputError("expected a password, found none", at=at)
    if len(lines) > 1:
        raise InputError(f"expected a password in one line, found {len(lines)} lines", at=at)
    try:
        password = lines[0].decode("utf-8")
    except UnicodeDecodeError:
        raise InputError("expected a password of UTF-8 text", at=at) from None
    if not password.isprintable():
        raise InputError("expected a password of printable characters", at=at)
    most = PASSWORD_BYTES[display]
    if len(lines[0]) > most:
        hint = "; VNC looks at no more: keep those" if display == "vnc" else ""
        found = f"found {len(lines[0])}{hint}"
        raise InputError(f"expected a password of at most {most} bytes for {display}, {found}", at=at)
    return password


def with_password(document: Domain, password: str) -> Domain:
    """Give the domain with the password on its display that is locked, for libvirt's eyes only."""
    displays = tuple(
        each if each.password is None else msgspec.structs.replace(each, password=password)
        for each in document.devices.graphics
    )
    devices = msgspec.structs.replace(document.devices, graphics=displays)
    return msgspec.structs.replace(document, devices=devices)


def has_password(xml: str, password: str) -> bool:
    """Tell whether a document with secrets in it, as libvirt gives it on request, has this password."""
    return password in {each.password for each in parse_domain(xml, []).devices.graphics}
