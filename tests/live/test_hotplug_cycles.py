"""Devices come and go a thousand times on one domain, and nothing is left behind."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from lab.qemu import process_id
from tests.live.plugged import Plugged, Seen, SeenDisk, SeenNic, disk, nic, plugged
from virtxlate.ganeti.hvinfo import HvInfo
from virtxlate.hotplug.session import Hotplug

if TYPE_CHECKING:
    from lab.embedded import EmbeddedLibvirt
    from lab.guest import GuestFiles

pytestmark = [pytest.mark.live, pytest.mark.timeout(600)]

CYCLES = int(os.environ.get("VIRTXLATE_CYCLES", "1000"))
ON_PCI = CYCLES // 10
"""A guest's release of a PCI device takes a fourth of a second of its own."""
FIRST = Seen(
    frozenset({SeenDisk("03.0", "0:0:0", 16)}),
    frozenset({SeenNic("0c.0", "aa:00:00:00:00:00", "virtio_net")}),
)


class Held(NamedTuple):
    """What a leak would make more of."""

    descriptors: int
    of_qemu: int
    threads: list[str]
    tasks: int
    waiters: int
    taps: list[str]
    """On this test's bridge."""
    xml: str
    """Live XML: slots, targets and the metadata."""


def held(plug: Plugged, pid: int, bridge: str) -> Held:
    return Held(
        descriptors=len(list(Path("/proc/self/fd").iterdir())),
        of_qemu=len(list(Path(f"/proc/{pid}/fd").iterdir())),
        threads=sorted(each.name for each in threading.enumerate()),
        tasks=len(list(Path("/proc/self/task").iterdir())),
        waiters=len(plug.port._host.waiters),
        taps=sorted(each.name for each in Path(f"/sys/class/net/{bridge}/brif").iterdir()),
        xml=plug.guest.domain.XMLDesc(0),
    )


def cycle(hotplug: Hotplug, kind: str, device: Any) -> HvInfo | None:
    done = hotplug.add_disk(device) if kind == "disk" else hotplug.add_nic(device)
    hotplug.remove(kind, device.uuid)
    return done.hvinfo


def test_nothing_is_left_of_devices_that_came_and_went(
    libvirt_host: EmbeddedLibvirt, guest_files: GuestFiles, bridge_name: str, tmp_path: Path
) -> None:
    hvparams = {"disk_type": "scsi-hd", "scsi_controller_type": "virtio-scsi-pci"}
    with plugged(libvirt_host, guest_files, tmp_path, {"br0": bridge_name}, hvparams=hvparams) as plug:
        plug.write_images(disk(1), disk(2))
        on_scsi = plug.hotplug()
        on_pci = Hotplug(plug.port, context=plug.context, hvparams={"disk_type": "paravirtual"})
        rounds = [
            (
                CYCLES,
                on_scsi,
                "disk",
                disk(1),
                HvInfo(
                    driver="scsi-hd", id="disk-00000001-d15c-4000", bus="scsi.0", channel=0, scsi_id=1, lun=0
                ),
            ),
            (
                ON_PCI,
                on_pci,
                "disk",
                disk(2),
                HvInfo(driver="virtio-blk-pci", id="disk-00000002-d15c-4000", bus="pci.0", addr="0xd"),
            ),
            (
                ON_PCI,
                on_pci,
                "nic",
                nic(1),
                HvInfo(driver="virtio-net-pci", id="nic-00000001-0000-4000", bus="pci.0", addr="0xd"),
            ),
        ]
        for _count, hotplug, kind, device, _hvinfo in rounds:  # what libvirt keeps of a first time, it keeps
            cycle(hotplug, kind, device)
        pid = process_id(libvirt_host.root, plug.instance.name)
        before = held(plug, pid, bridge_name)
        for count, hotplug, kind, device, hvinfo in rounds:
            assert {cycle(hotplug, kind, device) for _cycle in range(count)} == {hvinfo}
            assert held(plug, pid, bridge_name) == before
        plug.see(FIRST)
        assert plug.kept() == plug.instance
