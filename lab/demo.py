"""``make demo``: a cluster becomes domains, and one of them runs, changes, and says where everything is.

Everything shown is asked of the thing itself: losses of the translation, hardware of the guest's own shell,
hvinfo of the live XML.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from lab.bootable import STORAGE, bootable, context_for, make_images
from lab.console import GuestConsole
from lab.embedded import embedded_libvirt
from lab.guest import build_guest
from lab.network import bridge
from lab.running import running_guest
from virtxlate import (
    Context,
    Hotplug,
    Report,
    format_domain,
    open_source,
    parse_domain,
    place,
    to_domain,
    to_ganeti,
    validate,
)
from virtxlate.ganeti.model import Disk, Instance, Nic
from virtxlate.ganeti.source import Source
from virtxlate.hotplug.steps import line
from virtxlate.live.domain import LibvirtDomain

CLUSTER = Path(__file__).parent.parent / "fixtures" / "ganeti" / "cluster.json"
INSTANCE = "web1.example.com"
ADDED_DISK = Disk(
    uuid="5e1ec7ed-0000-4000-8000-00000000d15c",
    template="file",
    size_mib=16,
    logical_id=("loop", f"{STORAGE}/{INSTANCE}/added.file.disk1"),
    iv_name="disk/1",
)
ADDED_NIC = Nic(
    uuid="5e1ec7ed-0000-4000-8000-0000000000c1", mac="aa:00:00:0a:dd:ed", mode="bridged", link="br0"
)


def main() -> int:
    """Run the demonstration and give its exit code; it raises where something is not as it should be."""
    source = open_source(CLUSTER.read_bytes())
    with step(f"translate the cluster in fixtures/ganeti/{CLUSTER.name}"):
        show_cluster(source)
    guest = build_guest("cloud")
    with tempfile.TemporaryDirectory(prefix="vx-demo-") as name, bridge() as link, embedded_libvirt() as host:
        folder = Path(name)
        context = context_for(folder, {"br0": link})
        instance = place(bootable(source.instance(INSTANCE, Report()), guest))
        make_images(instance, folder)
        with step(f"boot {INSTANCE} under a real libvirt, QEMU without KVM"):
            xml = format_domain(to_domain(instance, context, Report()))
            running = running_guest(host, xml)
            with running as live:
                show_guest(live.console)
                hotplug = Hotplug(LibvirtDomain(live.domain), context=context)
                with step("hot-plug a disk and a NIC, each into the slot that Ganeti would give it"):
                    instance = add_devices(hotplug, live.console, instance, folder)
                    show_guest(live.console)
                with step("hvinfo, derived from the live XML"):
                    show_hvinfo(live.domain.XMLDesc(0), instance, context)
                with step("hot-unplug the disk, done when the guest has released it"):
                    remove_disk(hotplug)
                    show_guest(live.console)
    print("\nThe guest was stopped, and everything that was made is gone again.")
    return 0


@contextmanager
def step(title: str) -> Iterator[None]:
    """Print what is done, and how long it took."""
    print(f"\n== {title}")
    begin = time.monotonic()
    yield
    print(f"   ({time.monotonic() - begin:.1f} s: {title.partition(',')[0]})")


def show_cluster(source: Source) -> None:
    """Print one line for each instance, and every loss below it."""
    for name in source.names():
        report = Report()
        text = format_domain(to_domain(source.instance(name, report), Context(), report))
        valid = "valid" if not validate(text) else "NOT VALID"
        print(f"   {name:22} {len(text.splitlines()):3} lines of domain XML, {valid}, {len(report)} losses")
        for loss in report.losses:
            print(f"      lost: {loss}")
    for name, reason in source.skipped.items():
        print(f"   {name:22} skipped: {reason}")


def show_guest(console: GuestConsole) -> None:
    """Print the guest's own answer to where its disks and NICs are."""
    for disk in console.disks():
        if disk.scsi_address is None and disk.pci_slot is not None:
            print(f"   guest sees disk {disk.name} at {disk.pci_slot}, {disk.size_bytes >> 20} MiB")
    for nic in console.nics():
        print(f"   guest sees NIC {nic.name} at {nic.pci_slot}, {nic.mac}, {nic.driver}")


def add_devices(hotplug: Hotplug, console: GuestConsole, instance: Instance, folder: Path) -> Instance:
    """Add the disk and the NIC, each in a step; print where they are, and give the instance as it is now."""
    wanted = place(
        msgspec.structs.replace(
            instance, disks=(*instance.disks, ADDED_DISK), nics=(*instance.nics, ADDED_NIC)
        )
    )
    make_images(msgspec.structs.replace(wanted, disks=wanted.disks[-1:]), folder)
    for done in (hotplug.add_disk(ADDED_DISK), hotplug.add_nic(ADDED_NIC)):
        for each in done.steps:
            print(f"   {line(each)}")
    console.wait_for(console.nics, lambda nics: any(nic.mac == ADDED_NIC.mac for nic in nics))
    return wanted


def remove_disk(hotplug: Hotplug) -> None:
    """Remove the disk again, and print what nobody uses any more."""
    done = hotplug.remove("disk", ADDED_DISK.uuid)
    for each in done.steps:
        print(f"   {line(each)}")
    print(f"   free now: {', '.join(Path(each).name for each in done.freed)}")


def show_hvinfo(xml: str, wanted: Instance, context: Context) -> None:
    """Print the hvinfo that the live XML tells; it must be what the instance was placed at."""
    found = to_ganeti(parse_domain(xml, []), context, Report())
    for kind in ("disks", "nics"):
        for told, asked in zip(getattr(found, kind), getattr(wanted, kind), strict=True):
            print(f"   {msgspec.json.encode(told.hvinfo).decode()}")
            if told.hvinfo != asked.hvinfo:
                raise RuntimeError(
                    f"{asked.uuid}: placed at {asked.hvinfo}, the live XML tells {told.hvinfo}"
                )


if __name__ == "__main__":
    sys.exit(main())
