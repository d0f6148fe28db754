"""What the lab's domains do when devices come and go: one has a Linux that answers, one has nobody."""

from __future__ import annotations

import queue
from pathlib import Path
from typing import TYPE_CHECKING, Any

import libvirt
import pytest
from lxml import etree

from lab.console import GuestConsole
from lab.daemon import private_libvirtd
from lab.devices import disk_xml, drive_xml, nic_xml, pci_xml, scsi_xml
from lab.no_os import guestless_domain
from lab.running import KERNEL_ARGUMENTS, Host, RunningGuest, running_guest, with_guest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.embedded import EmbeddedLibvirt
    from lab.guest import GuestFiles

pytestmark = pytest.mark.live

MIB = 1024 * 1024
MAC = "aa:00:00:00:00:21"
ANSWERS_WITHIN_S = 10.0
NEVER_S = 1.0
"""Five times what a guest that answers takes."""

Seen = set[tuple[str | None, ...]]
Removed = queue.Queue[str]


@pytest.fixture(scope="module")
def listener(libvirt_host: EmbeddedLibvirt) -> Iterator[Any]:
    """A connection that nobody else hears events on: the embedded driver takes one listener on each."""
    connection = libvirt.open(libvirt_host.uri)
    yield connection
    connection.close()


@pytest.fixture
def removed(listener: Any) -> Iterator[Removed]:
    """The aliases of devices that QEMU has let go, as they go."""
    aliases: Removed = queue.Queue()
    event = listener.domainEventRegisterAny(
        None, libvirt.VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED, lambda *said: aliases.put(said[2]), None
    )
    yield aliases
    listener.domainEventDeregisterAny(event)


@pytest.fixture(scope="module")
def guest(libvirt_host: EmbeddedLibvirt, generic_guest_files: GuestFiles) -> Iterator[RunningGuest]:
    xml = with_guest(foreign_xml("hotplug", "pc", scsi_xml("virtio-scsi", 0x05)), generic_guest_files)
    with running_guest(libvirt_host, xml) as running:
        yield running


def foreign_xml(name: str, machine: str, devices: str) -> str:
    return f"""<domain type='kvm'><name>{name}</name><memory unit='MiB'>256</memory>
      <os><type arch='x86_64' machine='{machine}'>hvm</type><boot dev='hd'/></os><features><acpi/></features>
      <devices>{devices}</devices></domain>"""


def seen(console: GuestConsole) -> Seen:
    """Disks by slot and channel:target:lun, interfaces by MAC, slot and driver."""
    disks = {
        (disk.pci_slot, disk.scsi_address and disk.scsi_address.partition(":")[2]) for disk in console.disks()
    }
    return {*disks, *((nic.mac, nic.pci_slot, nic.driver) for nic in console.nics())}


def disk_at(folder: Path, dev: str, address: str) -> str:
    return disk_xml(folder, dev, MIB, address)


NICS = {
    "virtio": "virtio_net",
    "e1000": "e1000",
    "e1000e": "e1000e",
    "rtl8139": "8139cp",
    "pcnet": "pcnet32",
    "ne2k_pci": "ne2k-pci",
    "vmxnet3": "vmxnet3",
}


def plug_and_unplug(guest: RunningGuest, removed: Removed, xml: str, view: tuple[str | None, ...]) -> None:
    before = seen(guest.console)
    guest.domain.attachDevice(xml)
    guest.console.wait_for(lambda: seen(guest.console), {*before, view}.__eq__)
    guest.domain.detachDevice(xml)
    removed.get(timeout=ANSWERS_WITHIN_S)
    guest.console.wait_for(lambda: seen(guest.console), before.__eq__)


@pytest.mark.parametrize(("model", "driver"), NICS.items(), ids=NICS)
def test_guest_lets_an_interface_go(guest: RunningGuest, removed: Removed, model: str, driver: str) -> None:
    xml = nic_xml("user", "", MAC, pci_xml(0x11), model)
    plug_and_unplug(guest, removed, xml, (MAC, "0000:00:11.0", driver))


def test_guest_lets_a_virtio_disk_go(guest: RunningGuest, removed: Removed, tmp_path: Path) -> None:
    plug_and_unplug(guest, removed, disk_at(tmp_path, "vdc", pci_xml(0x0E)), ("0000:00:0e.0", None))


def test_guest_lets_a_scsi_disk_go(guest: RunningGuest, removed: Removed, tmp_path: Path) -> None:
    xml = disk_at(tmp_path, "sdb", drive_xml(target=4))
    plug_and_unplug(guest, removed, xml, ("0000:00:05.0", "0:4:0"))


ADAPTERS = [
    ("virtio-scsi", "virtio-pci", {"target": 2}, "0:2:0"),
    ("vmpvscsi", "vmw_pvscsi", {"target": 2}, "0:2:0"),
    ("lsilogic", "sym53c8xx", {"unit": 2}, "0:2:0"),
    ("lsisas1078", "megaraid_sas", {"target": 2}, "2:2:0"),
    ("am53c974", "am53c974", {"unit": 2}, "0:2:0"),
]


@pytest.mark.parametrize(("model", "driver", "drive", "address"), ADAPTERS, ids=[row[0] for row in ADAPTERS])
def test_guest_takes_and_returns_an_adapter(
    guest: RunningGuest,
    removed: Removed,
    tmp_path: Path,
    model: str,
    driver: str,
    drive: dict[str, int],
    address: str,
) -> None:
    slot, adapter = "0000:00:15.0", scsi_xml(model, 0x15, index=1)
    disk = disk_at(tmp_path, "sdc", drive_xml(controller=1, **drive))
    before = seen(guest.console)
    guest.domain.attachDevice(adapter)
    guest.console.wait_for(lambda: drivers_at(guest.console, slot), [driver].__eq__)
    guest.domain.attachDevice(disk)
    guest.console.rescan_scsi()
    guest.console.wait_for(lambda: seen(guest.console), {*before, (slot, address)}.__eq__)
    for xml in (disk, adapter):
        guest.domain.detachDevice(xml)
        removed.get(timeout=ANSWERS_WITHIN_S)
    guest.console.wait_for(lambda: drivers_at(guest.console, slot), [].__eq__)
    guest.console.wait_for(lambda: seen(guest.console), before.__eq__)


def drivers_at(console: GuestConsole, slot: str) -> list[str]:
    return [device.driver for device in console.pci_devices() if device.slot == slot]


@pytest.fixture(scope="module")
def no_os(libvirt_host: EmbeddedLibvirt, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with guestless_domain(libvirt_host, tmp_path_factory.mktemp("no-os")) as domain:
        yield domain


@pytest.mark.parametrize("alias", ["virtio-disk0", "net0"])
def test_nobody_lets_a_pci_device_go(no_os: Any, removed: Removed, alias: str) -> None:
    no_os.detachDeviceAlias(alias)
    with pytest.raises(queue.Empty):
        removed.get(timeout=NEVER_S)
    assert alias in aliases(no_os)


def test_a_scsi_disk_goes_without_a_guest(no_os: Any, removed: Removed) -> None:
    assert "scsi0-0-3-0" in aliases(no_os)
    no_os.detachDeviceAlias("scsi0-0-3-0")
    assert removed.get(timeout=ANSWERS_WITHIN_S) == "scsi0-0-3-0"
    assert "scsi0-0-3-0" not in aliases(no_os)


def test_a_pci_device_can_come_where_nobody_looks(no_os: Any, tmp_path: Path) -> None:
    no_os.attachDevice(disk_at(tmp_path, "vdb", pci_xml(0x0D)))
    assert "virtio-disk1" in aliases(no_os)


def aliases(domain: Any) -> list[str]:
    names = etree.fromstring(domain.XMLDesc(0).encode()).xpath("/domain/devices/*/alias/@name")
    return [str(name) for name in names]


def test_guest_outlives_its_daemon_and_takes_a_disk_from_the_next(
    guest_files: GuestFiles, tmp_path: Path
) -> None:
    port = "<controller type='pci' model='pcie-root-port'/>"
    ports = f"<controller type='pci' index='0' model='pcie-root'/>{port * 3}"
    xml = with_guest(foreign_xml("q", "q35", ports), guest_files)
    with private_libvirtd() as daemon, running_guest(daemon, xml, persistent=True) as running:
        before = running.console.run("echo kept >/tmp/word; cat /tmp/word")
        daemon.kill()
        assert running.console.run("cat /tmp/word") == before == "kept\n"
        daemon.start()
        attach(daemon, "q", disk_at(tmp_path, "vda", ""))
        running.console.wait_for(running.console.disks, lambda disks: len(disks) == 1)


def attach(host: Host, name: str, xml: str) -> None:
    host.connection.lookupByName(name).attachDevice(xml)


WITHOUT_BOOT = """<domain type="kvm"><name>n</name><os firmware="efi"><type machine="q35">hvm</type>
<boot dev="cdrom"/></os><devices><serial type="tcp"/><console type="pty"/><rng/></devices></domain>"""
WITH_BOOT = """<domain type="qemu"><name>n</name><os firmware="efi"><type machine="q35">hvm</type>
<kernel>{kernel}</kernel><initrd>{initrd}</initrd><cmdline>{arguments}</cmdline></os>\
<devices><rng/><serial type="pty"><target port="0"/></serial></devices></domain>"""


def test_with_guest_changes_boot_and_console_only(guest_files: GuestFiles) -> None:
    wanted = WITH_BOOT.format(
        kernel=guest_files.kernel, initrd=guest_files.initrd, arguments=KERNEL_ARGUMENTS
    )
    assert with_guest(WITHOUT_BOOT, guest_files) == wanted
