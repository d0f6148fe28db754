"""Two processes add to one domain at the same time: nothing is lost, and no place is given twice."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from lxml import etree

from lab.bootable import context_for
from lab.daemon import private_libvirtd
from lab.embedded import remove_domain
from tests.live.plugged import INSTANCE, disk, nic, opened, told, write_images
from virtxlate import Report, format_domain, place, to_domain
from virtxlate.hotplug.session import Hotplug

if TYPE_CHECKING:
    from collections.abc import Iterable

pytestmark = pytest.mark.live

ROOT = Path(__file__).parents[2]
PROCESSES = 2
ON_PCI, ON_SCSI, NICS = 3, 4, 3
"""Of each process. Ganeti allows 16 disks and 8 NICs in all."""
ON_VIRTIO_SCSI = {"disk_type": "scsi-hd", "scsi_controller_type": "virtio-scsi-pci"}

PROGRAM = f"""
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from lab.bootable import context_for
from lab.embedded import run_event_loop
from tests.live.plugged import NAME, disk, nic
from virtxlate.hotplug.session import Hotplug, Options
from virtxlate.live.connection import connect

uri, folder, bridge, first = sys.argv[1:]
numbers = iter(range(int(first), int(first) + 100))
with connect(uri) as host:
    options = Options(live=True, config=True, force=True)
    port, context = host.find("", NAME), context_for(Path(folder), {{"br0": bridge}})
    on_pci = Hotplug(port, context=context, options=options)
    on_scsi = Hotplug(port, context=context, options=options, hvparams={ON_VIRTIO_SCSI!r})
    disks = [disk(next(numbers)) for _ in range({ON_PCI})]
    scsi_disks = [disk(next(numbers)) for _ in range({ON_SCSI})]
    nics = [nic(next(numbers)) for _ in range({NICS})]
    print("ready", flush=True)
    sys.stdin.readline()
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda add: add(), [
            lambda: [on_pci.add_disk(each) for each in disks],
            lambda: [on_scsi.add_disk(each) for each in scsi_disks],
            lambda: [on_pci.add_nic(each) for each in nics],
        ]))
    on_scsi.remove("disk", scsi_disks[0].uuid)
"""


def test_nothing_is_lost_and_no_place_is_given_twice(bridge_name: str, tmp_path: Path) -> None:
    context = context_for(tmp_path, {"br0": bridge_name})
    instance = place(INSTANCE)
    firsts = [100 * (number + 1) for number in range(PROCESSES)]
    for number in (0, *(first + each for first in firsts for each in range(ON_PCI + ON_SCSI))):
        write_images(tmp_path, disk(number))
    with private_libvirtd() as daemon:
        running = daemon.connection.defineXML(format_domain(to_domain(instance, context, Report())))
        try:
            running.createWithFlags(1)  # VIR_DOMAIN_START_PAUSED: nothing inside is asked anything here
            add_from_processes([daemon.uri, str(tmp_path), bridge_name], firsts)
            live, config = told(running.XMLDesc(0)), told(running.XMLDesc(2))
            assert live == config
            kept_disks = [
                disk(first + each)
                for first in firsts
                for each in range(ON_PCI + ON_SCSI)
                if each != ON_PCI  # the one that was removed again
            ]
            kept_nics = [
                nic(first + each)
                for first in firsts
                for each in range(ON_PCI + ON_SCSI, ON_PCI + ON_SCSI + NICS)
            ]
            assert set(live.disks) == aliases("disk", [disk(0), *kept_disks])
            assert set(live.nics) == aliases("nic", [nic(0), *kept_nics])
            for flags in (0, 2):
                assert doubled(running.XMLDesc(flags)) == []
            with opened(daemon) as port:
                snapshot = Hotplug(port, context=context).read()
                told_places = {
                    entry.info.uuid: Hotplug(port, context=context).hvinfo("disk", entry.info.uuid or "")
                    for entry in snapshot.disks
                }
            kept = snapshot.instance
            assert {each.uuid for each in kept.disks} == {each.uuid for each in [disk(0), *kept_disks]}
            assert {each.uuid for each in kept.nics} == {each.uuid for each in [nic(0), *kept_nics]}
            assert {each.uuid: each.hvinfo for each in kept.disks} == told_places
        finally:
            remove_domain(running)


def add_from_processes(arguments: list[str], firsts: list[int]) -> None:
    """Start the processes, let them go at once, and wait for them."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", PROGRAM, *arguments, str(first)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        )
        for first in firsts
    ]
    try:
        for each in processes:
            assert each.stdout is not None
            each.stdout.readline()
        outcomes = []
        for each in processes:
            assert each.stdin is not None
            each.stdin.write("go\n")
            each.stdin.flush()
        for each in processes:
            _out, err = each.communicate(timeout=120)
            outcomes.append((each.returncode, err[-2000:]))
        assert outcomes == [(0, "")] * len(firsts)
    finally:
        for each in processes:
            each.kill()
            each.wait()


def aliases(kind: str, devices: Iterable[Any]) -> set[str]:
    return {f"ua-{kind}-{each.uuid[:18]}" for each in devices}


def doubled(xml: str) -> list[tuple[str, ...]]:
    """Give addresses, target names and MACs that two devices have."""
    devices = etree.fromstring(xml.encode()).find("devices")
    assert devices is not None
    found: Counter[tuple[str, ...]] = Counter()
    for each in devices:
        address = each.find("address")
        if address is not None and address.get("function", "0x0") == "0x0":
            bus = "" if address.get("type") == "pci" else attribute(each, "target", "bus")
            found[(bus, *(f"{key}={value}" for key, value in sorted(address.attrib.items())))] += 1
        if each.tag == "disk":
            found["target", attribute(each, "target", "dev")] += 1
        if each.tag == "interface":
            found["mac", attribute(each, "mac", "address")] += 1
    return [key for key, count in found.items() if count > 1]


def attribute(element: etree._Element, child: str, name: str) -> str:
    found = element.find(child)
    return "" if found is None else found.get(name) or ""
