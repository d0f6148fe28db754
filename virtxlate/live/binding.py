"""The one module that imports libvirt's binding; the others of this package take it from here."""

from __future__ import annotations

from typing import Any

import libvirt

__all__ = ["ask_qemu", "libvirt"]


def ask_qemu(domain: Any, command: str) -> str:
    """Give the answer of a domain's QEMU to a QMP command, both as JSON. Raises libvirt.libvirtError."""
    import libvirt_qemu  # noqa: PLC0415 - few ask QEMU itself

    return str(libvirt_qemu.qemuMonitorCommand(domain, command, 0))
