"""A handover in a process of its own, which kills itself at a moment: ``python -m lab.handover_child``.

Arguments: URI of libvirt, QMP socket, directory of journals, file with the XML, moment, method.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import structs

from lab.counting import STEADY
from virtxlate import parse_domain
from virtxlate.handover.engine import Engine, Tools
from virtxlate.handover.journal import Journal, Record
from virtxlate.handover.source import Old
from virtxlate.live.connection import connect
from virtxlate.live.qmp import open_qmp

if TYPE_CHECKING:
    from virtxlate.handover.transfer import Method

_METHODS: dict[str, Method] = {"live": "live", "stop": "stop"}


def main(uri: str, qmp: str, state: str, xml: str, moment: str, method: str) -> None:
    """Hand over, or die at the moment."""

    def die(name: str) -> None:
        if name == moment:
            os.kill(os.getpid(), signal.SIGKILL)

    text = Path(xml).read_text(encoding="utf-8")
    domain = parse_domain(text)
    record = Record(instance=domain.name, uuid=domain.uuid or "", xml=text, qmp=qmp)
    tools = Tools(limits=structs.replace(STEADY, method=_METHODS[method]), moment=die)
    with connect(uri) as host, Old(Path(qmp), open_qmp) as old:
        Engine(host, old, Journal(Path(state), domain.name), record, tools).hand_over()


if __name__ == "__main__":
    main(*sys.argv[1:])
