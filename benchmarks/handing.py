"""A guest under Ganeti's QEMU that keeps writing its memory, handed over once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from msgspec import structs

from lab.counting import STEADY, counting
from lab.embedded import embedded_libvirt
from lab.guest import build_guest
from lab.network import bridge
from lab.twins import Twins, instance_of
from virtxlate.handover.differences import fatal
from virtxlate.handover.engine import Engine, Tools
from virtxlate.handover.journal import Journal, Record
from virtxlate.handover.source import Old
from virtxlate.live.connection import LibvirtHost
from virtxlate.live.qmp import open_qmp

if TYPE_CHECKING:
    from virtxlate.handover.transfer import Method

_FILLED, _LEFT_MIB = 0.7, 60
"""How much of the guest's memory is filled, less what its system takes."""
_LOOP_MIB = 20
_BUSY = (
    "yes 0123456789 | head -c {loop}m >/tmp/seed;"
    "i=0; while [ $i -lt {times} ]; do cat /tmp/seed >>/tmp/fill; i=$((i+1)); done;"
    "(while :; do cat /tmp/seed >/tmp/loop; done) </dev/null >/dev/null 2>&1 &"
)
_FILLED_S = 120.0


@contextmanager
def handed_over(memory_mib: int) -> Iterator[Callable[[Method], tuple[float, float]]]:
    """Give what boots a guest of that size, hands it over, and gives pause and whole in seconds."""
    files = build_guest("cloud")
    with (
        embedded_libvirt() as host,
        bridge() as link,
        TemporaryDirectory(prefix="vxb-", dir="/tmp") as folder,  # a socket's path is short
    ):
        twins = Twins(host=host, bridge=link, folder=Path(folder), kernel=files.kernel)

        def once(method: Method) -> tuple[float, float]:
            with counting(twins, files, instance_of({}), memory_mib=memory_mib) as guest:
                times = int(memory_mib * _FILLED - _LEFT_MIB) // _LOOP_MIB
                guest.line.run(_BUSY.format(times=times, loop=_LOOP_MIB), timeout_s=_FILLED_S)
                name = guest.instance.name
                record = Record(
                    instance=name, uuid=guest.instance.uuid, xml=guest.xml, qmp=str(guest.qemu.qmp)
                )
                journal = Journal(Path(folder) / "state", name)
                tools = Tools(limits=structs.replace(STEADY, method=method), judge=fatal)
                with Old(guest.qemu.qmp, open_qmp) as old:
                    done = Engine(LibvirtHost(host.connection), old, journal, record, tools).hand_over()
                guest.connected()
                host.destroy_all()
                return (done.pause_ms or 0.0) / 1000, done.seconds

        yield once
