"""A guest that runs in Ganeti's own QEMU goes on in libvirt's, and notices nothing."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest

from lab.counting import Counting, counting
from lab.twins import Twins, instance_of
from virtxlate.handover.engine import Engine, Tools
from virtxlate.handover.journal import Journal, Record
from virtxlate.handover.source import Old
from virtxlate.live.connection import LibvirtHost
from virtxlate.live.qmp import open_qmp

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.embedded import EmbeddedLibvirt
    from lab.guest import GuestFiles

pytestmark = [pytest.mark.live, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def twins(libvirt_host: EmbeddedLibvirt, bridge_name: str, guest_files: GuestFiles) -> Iterator[Twins]:
    # a short path: it is part of those of sockets
    with TemporaryDirectory(prefix="vxt-", dir="/tmp") as folder:
        yield Twins(host=libvirt_host, bridge=bridge_name, folder=Path(folder), kernel=guest_files.kernel)


def engine_of(twins: Twins, guest: Counting, old: Old, tools: Tools | None = None) -> Engine:
    record = Record(
        instance=guest.instance.name, uuid=guest.instance.uuid, xml=guest.xml, qmp=str(guest.qemu.qmp)
    )
    journal = Journal(twins.folder / "state", guest.instance.name)
    return Engine(LibvirtHost(twins.host.connection), old, journal, record, tools or Tools())


def test_a_running_guest_goes_on_under_libvirt(twins: Twins, guest_files: GuestFiles) -> None:
    with counting(twins, guest_files, instance_of({}, disks=1, nics=1)) as guest:
        guest.listen(20)
        with Old(guest.qemu.qmp, open_qmp) as old:
            done = engine_of(twins, guest, old).hand_over()
        print(done)
        guest.connected()
        heard = guest.listen(50)
        assert heard == list(range(1, len(heard) + 1))
        assert (done.runs, done.differences) == ("libvirt", ())
        assert done.pause_ms is not None
        assert done.pause_ms < 1000
        twins.host.destroy_all()
