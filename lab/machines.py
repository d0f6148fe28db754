"""The QEMU of a libvirt domain that has not run yet, and a way to ask it."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import libvirt
import libvirt_qemu

from virtxlate.errors import LiveError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.embedded import EmbeddedLibvirt
    from virtxlate.hardware.describe import Ask


def ask_through_libvirt(domain: Any) -> Ask:
    """Give a way to the QEMU of a running libvirt.virDomain; libvirt holds its only QMP socket."""

    def ask(command: str, /, **arguments: Any) -> Any:
        question = json.dumps({"execute": command, "arguments": arguments})
        try:
            answer = json.loads(libvirt_qemu.qemuMonitorCommand(domain, question, 0))
        except libvirt.libvirtError as exc:
            raise LiveError(exc.get_error_message() or str(exc), call=command) from None
        if "error" in answer:
            raise LiveError(answer["error"]["desc"], call=command)
        return answer["return"]

    return ask


@contextmanager
def paused_domain(host: EmbeddedLibvirt, xml: str) -> Iterator[Any]:
    """Give a transient domain that has not run yet, for a `with`. Raises libvirt.libvirtError."""
    domain = host.connection.createXML(xml, libvirt.VIR_DOMAIN_START_PAUSED)
    try:
        yield domain
    finally:
        domain.destroy()
