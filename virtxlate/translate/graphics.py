"""VNC and SPICE, there and back. No password is ever read or written here.

Source: Ganeti 3.2 alpha (c35736d8a), lib/hypervisor/hv_kvm/__init__.py:1401-1546; libvirt formatdomain.rst.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from virtxlate.domain import model as domain
from virtxlate.domain import settings
from virtxlate.errors import UnsupportedError
from virtxlate.ganeti.model import Instance
from virtxlate.ganeti.params import HvParams
from virtxlate.report import Report, Severity
from virtxlate.tables.display import SPICE_CIPHERS, SPICE_OPTIONS, VNC_BASE_PORT, SpiceOption
from virtxlate.translate.context import Context

_ADDRESS = re.compile(r"[0-9]+(?:\.[0-9]+){3}|[0-9A-Fa-f]*:[0-9A-Fa-f:.]*", re.ASCII)
_LOOPBACK = "127.0.0.1"
_DISPLAYS = ("vnc", "spice")
SPICE_OPTION = "-spice"
_PAIR = 2
_UNTOLD_CIPHERS = frozenset({"", HvParams().spice_tls_ciphers})
_SPICE_TLS = (
    'in /etc/libvirt/qemu.conf: spice_tls = 1, spice_tls_x509_cert_dir = "DIRECTORY" with ca-cert.pem, '
    "server-cert.pem and server-key.pem (Ganeti's: /var/lib/ganeti/spice-ca.pem and twice spice.pem)"
)


def to_domain(instance: Instance, context: Context, report: Report) -> tuple[settings.Graphics, ...]:
    """Give the display, or none. Raises UnsupportedError for VNC and SPICE together, as Ganeti does."""
    hvparams = instance.hvparams
    if hvparams.vnc_bind_address and hvparams.spice_bind:
        raise UnsupportedError("VNC and SPICE together: Ganeti refuses that", at="hvparams.spice_bind")
    found: tuple[settings.Graphics, ...] = ()
    if hvparams.vnc_bind_address:
        found = _vnc(instance, context, report)
    elif hvparams.spice_bind:
        found = (_spice(instance, context, report),)
    if hvparams.keymap and not found:
        report.lose("hvparams.keymap", hvparams.keymap, "there is no display that needs it")
    return found


def _vnc(instance: Instance, context: Context, report: Report) -> tuple[settings.Graphics, ...]:
    hvparams, port = instance.hvparams, instance.network_port
    bind = hvparams.vnc_bind_address
    keymap = hvparams.keymap or None
    if bind.startswith("/"):
        if hvparams.vnc_password_file:
            reason = "Ganeti gives a VNC socket no password"
            report.lose("hvparams.vnc_password_file", hvparams.vnc_password_file, reason)
        socket = settings.Listen(type="socket", socket=posixpath.join(bind, f"{instance.name}.vnc"))
        return (settings.Graphics(type="vnc", keymap=keymap, listens=(socket,)),)
    if port is not None and port <= VNC_BASE_PORT:
        reason = "a network_port up to 5900 is no VNC display: Ganeti shows none"
        report.lose("hvparams.vnc_bind_address", bind, reason)
        return ()
    listen = _listen(bind, "hvparams.vnc_bind_address", context, report)
    password = _password(hvparams.vnc_password_file, "hvparams.vnc_password_file", context, report)
    ports = _ports(port, report)
    return (settings.Graphics(type="vnc", keymap=keymap, password=password, listens=(listen,), **ports),)


def _ports(port: int | None, report: Report) -> dict[str, Any]:
    if port is not None:
        return {"port": port, "autoport": False}
    report.lose("network_port", None, "the data does not tell it: libvirt chooses a port")
    return {"autoport": True}


def _password(path: str, at: str, context: Context, report: Report) -> str | None:
    """Give the empty password, with which nobody can connect, where Ganeti asks for one."""
    if not path:
        return None
    if not context.password_follows:
        reason = "no password is written: nobody can connect until one is set"
        report.lose(at, path, reason, remedy="virtxlate define, start: they set the one in the file")
    return ""


def _listen(bind: str, at: str, context: Context, report: Report) -> settings.Listen:
    """Give where to listen; an interface's name stands for an address that only its host knows."""
    if _ADDRESS.fullmatch(bind):
        return settings.Listen(type="address", address=bind)
    address = context.renames.find("addresses", bind)
    if address is None:
        reason = "no address for this interface in the map: only the host itself may connect"
        report.lose(at, bind, reason, remedy=f'in the map: [addresses] "{bind}" = "ADDRESS"')
    return settings.Listen(type="address", address=address or _LOOPBACK)


def _spice(instance: Instance, context: Context, report: Report) -> settings.Graphics:
    hvparams, port = instance.hvparams, instance.network_port
    options: dict[str, Any] = {
        row.libvirt: _option(row, getattr(hvparams, row.ganeti)) for row in SPICE_OPTIONS
    }
    ports: dict[str, Any]
    if hvparams.spice_use_tls:
        reason = "libvirt starts it only where SPICE has certificates on the host, for all its guests"
        report.lose("hvparams.spice_use_tls", True, reason, remedy=_SPICE_TLS)
    if hvparams.spice_use_tls and port is not None:
        ports = {"tls_port": port, "autoport": False, "default_mode": "secure"}
    else:
        ports = _ports(port, report)
        ports["default_mode"] = "secure" if hvparams.spice_use_tls else None
    return settings.Graphics(
        type="spice",
        keymap=hvparams.keymap or None,
        password=_password(hvparams.spice_password_file, "hvparams.spice_password_file", context, report),
        listens=(_listen(hvparams.spice_bind, "hvparams.spice_bind", context, report),),
        playback_compression=None if hvparams.spice_playback_compression else False,
        mouse_mode=None if hvparams.spice_use_vdagent else "server",
        **options,
        **ports,
    )


def ciphers(instance: Instance, context: Context, report: Report) -> tuple[str, ...]:
    """Give words for QEMU where SPICE has TLS with other ciphers than Ganeti's default."""
    hvparams = instance.hvparams
    word = hvparams.spice_tls_ciphers
    if not hvparams.spice_bind or not hvparams.spice_use_tls or word in _UNTOLD_CIPHERS:
        return ()
    if context.untainted:
        reason = "libvirt has no word for it, and QEMU is not told: the TLS library of the host chooses"
        report.lose("hvparams.spice_tls_ciphers", word, reason)
        return ()
    reason = "libvirt has no word for ciphers: QEMU is told by its own option, which taints the domain"
    report.lose("hvparams.spice_tls_ciphers", word, reason)
    return (SPICE_OPTION, SPICE_CIPHERS + word.replace(",", ",,"))


def _ciphers_to_ganeti(found: domain.Domain, report: Report) -> dict[str, Any]:
    raw = [each.value for each in found.qemu_command_line.arguments] if found.qemu_command_line else []
    for option, value in pairwise(raw):
        if is_ciphers((option, value)):
            return {"spice_tls_ciphers": value.removeprefix(SPICE_CIPHERS).replace(",,", ",")}
    report.lose("hvparams.spice_tls_ciphers", None, "a domain tells them only where they are no default")
    return {}


def is_ciphers(words: Sequence[str]) -> bool:
    """Tell whether words for QEMU are the ciphers of SPICE, and nothing else."""
    if len(words) != _PAIR or words[0] != SPICE_OPTION or not words[1].startswith(SPICE_CIPHERS):
        return False
    return "," not in words[1].replace(",,", "")


def _option(row: SpiceOption, word: str) -> str | None:
    """Give libvirt's word for an option of SPICE. Raises UnsupportedError for one that is none."""
    if word and word not in row.words:
        known = ", ".join(row.words)
        raise UnsupportedError(f"expected one of {known}, found {word!r}", at=f"hvparams.{row.ganeti}")
    return word or None


def to_ganeti(found: domain.Domain, context: Context, report: Report) -> dict[str, Any]:
    """Give the hvparams that the displays of a domain tell."""
    known = [each for each in found.devices.graphics if each.type in _DISPLAYS]
    for each in (*known[1:], *(each for each in found.devices.graphics if each.type not in _DISPLAYS)):
        reason = "Ganeti gives an instance one display, VNC or SPICE"
        report.lose("graphics", each.type, reason, Severity.GUEST_VISIBLE)
    values: dict[str, Any] = {"vnc_bind_address": "", "spice_bind": "", **_ciphers_to_ganeti(found, report)}
    if not known:
        for name in ("vnc_bind_address", "keymap", "vnc_password_file"):
            report.lose(f"hvparams.{name}", None, "there is no display to tell it by")
        return values
    display = known[0]
    listen = display.listens[0] if display.listens else settings.Listen(type="address", address=_LOOPBACK)
    values["keymap"] = display.keymap or ""
    for name in ("vnc_password_file", "spice_password_file"):
        report.lose(f"hvparams.{name}", None, "a domain does not tell from which file a password came")
    if display.type == "vnc":
        return values | {"vnc_bind_address": _bind(found, listen, "vnc_bind_address", context, report)}
    return values | _spice_to_ganeti(found, display, listen, context, report)


def _spice_to_ganeti(
    found: domain.Domain,
    display: settings.Graphics,
    listen: settings.Listen,
    context: Context,
    report: Report,
) -> dict[str, Any]:
    return {
        "spice_bind": _bind(found, listen, "spice_bind", context, report),
        "spice_use_tls": display.tls_port is not None or display.default_mode == "secure",
        "spice_playback_compression": display.playback_compression is not False,
        **{row.ganeti: getattr(display, row.libvirt) or "" for row in SPICE_OPTIONS},
    }


def _bind(found: domain.Domain, listen: settings.Listen, name: str, context: Context, report: Report) -> str:
    """Give the bind address; one of the map's addresses is its interface again."""
    if listen.socket is not None:
        folder, _slash, file = listen.socket.rpartition("/")
        if file != f"{found.name}.vnc":
            report.lose(f"hvparams.{name}", listen.socket, "Ganeti's socket has the name of the instance")
        else:
            report.lose(f"hvparams.{name}", None, "the spelling of a directory is not kept")
        return folder or "/"
    if listen.address is None:
        report.lose(f"hvparams.{name}", listen.type, "Ganeti listens on an address or a socket")
        return _LOOPBACK
    if listen.address == _LOOPBACK:
        report.lose(f"hvparams.{name}", _LOOPBACK, "an interface without an address in the map became it")
    return context.renames.back("addresses", listen.address)


def network_port(devices: domain.Devices) -> int | None:
    """Give the port of the first display, where it has one of its own."""
    known = (each for each in devices.graphics if each.type in _DISPLAYS and not each.autoport)
    return next((each.tls_port or each.port for each in known), None)
