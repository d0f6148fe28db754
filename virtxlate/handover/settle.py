"""Waits until nothing is on its way any more, from one QEMU to the other."""

from __future__ import annotations

import threading
import time
from pathlib import Path

from virtxlate.errors import LiveError
from virtxlate.handover.source import Old
from virtxlate.handover.states import Source, Target
from virtxlate.handover.target import New, is_dry

_TURN_S = 0.005
_PATIENCE_S = 600.0
_DRY_S = 30.0
"""After which a QEMU that has taken all there is, and whose writer has ended, is one that waits for ever."""


def settle(old: Old, new: New, fifo: Path) -> None:
    """Return when the state has arrived or is lost. Raises LiveError where neither happens.

    libvirt's QEMU is ended where it waits for what nobody will write any more: it looks for bytes, and the
    end of a FIFO is none.
    """
    turn = threading.Event()
    flowed = began = time.monotonic()
    while True:
        source, target, now = old.state(), new.state(), time.monotonic()
        if source is not Source.MOVING and target is not Target.LOADING:
            return
        if source is not Source.GONE or not is_dry(fifo):
            flowed = now
        if now - flowed > _DRY_S:
            new.end((fifo,))
        elif now - began > _PATIENCE_S:
            raise LiveError("the state is still on its way", call="settle")
        turn.wait(_TURN_S)
