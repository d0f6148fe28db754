"""A domain that can start while the old QEMU is still there: what both want is given up by one of them.

The old VNC is moved away when it comes to it. Nothing moves the old SPICE, so the new one takes another port.
"""

from __future__ import annotations

import msgspec

from virtxlate.domain.model import Domain
from virtxlate.report import Report, Severity

_SPICE = "spice"


def with_room(domain: Domain, report: Report) -> Domain:
    """Give the domain with a SPICE port of libvirt's choice; the report says so."""
    graphics = []
    for index, each in enumerate(domain.devices.graphics):
        if each.type != _SPICE or each.port in {None, -1}:
            graphics.append(each)
            continue
        reason = "the old QEMU listens there until the end: libvirt chooses another port"
        report.lose(f"graphics[{index}].port", each.port, reason, Severity.HOST_ONLY)
        graphics.append(msgspec.structs.replace(each, port=None, tls_port=None, autoport=True))
    return msgspec.structs.replace(
        domain, devices=msgspec.structs.replace(domain.devices, graphics=tuple(graphics))
    )
