"""What a lab starts in the shape of Ganeti 3.2: its command line, with a QMP socket, and no runtime file."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from lab.newer_ganeti import command_of

if TYPE_CHECKING:
    from virtxlate.ganeti.model import Instance

_CTRL = "/var/run/ganeti/kvm-hypervisor/ctrl"


def newer_start(instance: Instance) -> Any:
    """Give what `ganeti_qemu` takes, for disks in files and bridged NICs; there is no runtime file."""
    qmp = ("-qmp", f"unix:{_CTRL}/{instance.name}.qmp,server,nowait")
    return SimpleNamespace(name=instance.name, cmd=(*command_of(instance), *qmp), runtime=None)
