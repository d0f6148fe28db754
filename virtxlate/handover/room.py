"""A domain that can start while the old QEMU is still there: what both want is given up by one of them.

The old VNC is moved away when it comes to it, by a QEMU that can. Nothing moves the old SPICE, nor the VNC of
an older QEMU, so the new one takes another port. Source: QEMU 7.1, qapi/ui.json: display-update.
"""

from __future__ import annotations

import msgspec

from virtxlate.domain.model import Domain
from virtxlate.report import Report, Severity

VNC_MOVES_SINCE = (7, 1, 0)
"""QEMU's version."""
_VNC, _SPICE = "vnc", "spice"


def with_room(domain: Domain, report: Report, version: tuple[int, int, int] = VNC_MOVES_SINCE) -> Domain:
    """Give the domain with ports of libvirt's choice where the old ones stay taken; the report says so.

    ``version`` is that of the old QEMU.
    """
    stay = {_SPICE} if version >= VNC_MOVES_SINCE else {_SPICE, _VNC}
    graphics = []
    for index, each in enumerate(domain.devices.graphics):
        if each.type not in stay or each.port in {None, -1}:
            graphics.append(each)
            continue
        reason = "the old QEMU listens there until the end: libvirt chooses another port"
        report.lose(f"graphics[{index}].port", each.port, reason, Severity.HOST_ONLY)
        graphics.append(msgspec.structs.replace(each, port=None, tls_port=None, autoport=True))
    return msgspec.structs.replace(
        domain, devices=msgspec.structs.replace(domain.devices, graphics=tuple(graphics))
    )
