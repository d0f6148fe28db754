"""The lab itself: a guest sees the hardware that a hand-written domain asks for, and tells of it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lab.console import GuestConsole, GuestGoneError, GuestSilentError, console_path
from lab.devices import PTY_SERIAL, disk_xml, drive_xml, nic_xml, pci_xml, scsi_xml
from lab.embedded import ROOT_PREFIX, ROOTS
from lab.leftovers import sweep
from lab.running import RunningGuest, running_guest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.embedded import EmbeddedLibvirt
    from lab.guest import GuestFiles

pytestmark = pytest.mark.live

MIB = 1024 * 1024

SEEN_DISKS = {
    ("0000:00:05.0", "0:3:0", 3 * MIB),
    ("0000:00:0c.0", None, MIB),
    ("0000:00:0d.0", None, 2 * MIB),
}
SEEN_NICS = {
    ("aa:00:00:00:00:01", "0000:00:10.0", "virtio_net"),
    ("aa:00:00:00:00:02", "0000:00:11.0", "virtio_net"),
    ("aa:00:00:00:00:03", "0000:00:12.0", "virtio_net"),
}


def domain_xml(name: str, guest: GuestFiles, devices: str, serial: str = PTY_SERIAL) -> str:
    """Kernel arguments as Ganeti writes them: a root that this guest lacks, a console with a speed."""
    return f"""<domain type='qemu'>
      <name>{name}</name><memory unit='MiB'>256</memory><vcpu>1</vcpu>
      <os><type arch='x86_64' machine='pc'>hvm</type>
        <kernel>{guest.kernel}</kernel><initrd>{guest.initrd}</initrd>
        <cmdline>root=/dev/vda1 ro console=ttyS0,38400</cmdline></os>
      <features><acpi/></features>
      <devices>{serial}{devices}</devices>
    </domain>"""


def seen_disks(console: GuestConsole) -> set[tuple[str | None, str | None, int]]:
    """Slot, channel:target:lun and size; the host number before them is the guest's own count."""
    return {
        (disk.pci_slot, disk.scsi_address and disk.scsi_address.partition(":")[2], disk.size_bytes)
        for disk in console.disks()
    }


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("images")


@pytest.fixture(scope="module")
def guest(
    libvirt_host: EmbeddedLibvirt, guest_files: GuestFiles, bridge_name: str, images: Path
) -> Iterator[RunningGuest]:
    devices = [
        scsi_xml("virtio-scsi", 0x05),
        disk_xml(images, "vda", MIB, pci_xml(0x0C)),
        disk_xml(images, "vdb", 2 * MIB, pci_xml(0x0D)),
        disk_xml(images, "sda", 3 * MIB, drive_xml(target=3)),
        nic_xml("user", "", "aa:00:00:00:00:01", pci_xml(0x10)),
        nic_xml("bridge", f"<source bridge='{bridge_name}'/>", "aa:00:00:00:00:02", pci_xml(0x11)),
        nic_xml("ethernet", "", "aa:00:00:00:00:03", pci_xml(0x12)),
    ]
    with running_guest(libvirt_host, domain_xml("lab", guest_files, "".join(devices))) as running:
        yield running


def test_guest_sees_disks_at_their_slots_and_targets(guest: RunningGuest) -> None:
    assert seen_disks(guest.console) == SEEN_DISKS


def test_guest_sees_interfaces_of_every_kind_with_their_macs(guest: RunningGuest) -> None:
    assert {(nic.mac, nic.pci_slot, nic.driver) for nic in guest.console.nics()} == SEEN_NICS


def test_guest_lists_pci_functions(guest: RunningGuest) -> None:
    drivers = {device.slot: device.driver for device in guest.console.pci_devices()}
    assert drivers["0000:00:0c.0"] == "virtio-pci"
    assert drivers["0000:00:01.1"] == "ata_piix"


def test_hotplugged_disk_comes_and_goes(guest: RunningGuest, images: Path) -> None:
    xml = disk_xml(images, "vdc", 4 * MIB, pci_xml(0x0E))
    after = {*SEEN_DISKS, ("0000:00:0e.0", None, 4 * MIB)}
    guest.domain.attachDevice(xml)
    guest.console.wait_for(lambda: seen_disks(guest.console), after.__eq__)
    guest.domain.detachDevice(xml)
    guest.console.wait_for(lambda: seen_disks(guest.console), SEEN_DISKS.__eq__)


ANSWERS = [
    ("echo 'a \"b\"'; echo $((6 * 7))", 'a "b"\n42\n', 0),
    ("printf 'a\\r\\nb\\t\\n\\n'", "a\r\nb\t\n\n", 0),
    ("exit 7", "", 7),
    ("cat; true", "", 0),
    ("head -c 100000 /dev/zero | tr '\\0' x", "x" * 100000, 0),
]


@pytest.mark.parametrize(("command", "output", "status"), ANSWERS)
def test_answer_is_exact(guest: RunningGuest, command: str, output: str, status: int) -> None:
    answer = guest.console.ask(command)
    assert (answer.output, answer.status) == (output, status)


def test_broken_script_leaves_the_shell_alive(guest: RunningGuest) -> None:
    with pytest.raises(RuntimeError, match="syntax error"):
        guest.console.run("if (")
    assert guest.console.run("echo alive") == "alive\n"


def test_late_answer_is_not_taken_for_the_next(guest: RunningGuest) -> None:
    with pytest.raises(GuestSilentError):
        guest.console.ask("sleep 0.3; echo late", timeout_s=0.1)
    assert guest.console.run("echo next") == "next\n"


def test_console_can_be_closed_and_opened_again(guest: RunningGuest) -> None:
    with GuestConsole(console_path(guest.domain.XMLDesc(0))) as console:
        console.wait_ready(timeout_s=10)
        assert console.run("echo again") == "again\n"


def test_unix_serial_and_the_end_of_the_line(
    libvirt_host: EmbeddedLibvirt, guest_files: GuestFiles, tmp_path: Path
) -> None:
    serial = f"<serial type='unix'><source mode='bind' path='{tmp_path}/s'/><target port='0'/></serial>"
    with running_guest(libvirt_host, domain_xml("lab-unix", guest_files, "", serial)) as running:
        assert running.console.disks() == ()
        running.domain.destroy()
        with pytest.raises(GuestGoneError):
            running.console.run("true")


def test_guest_sees_lsilogic_unit_as_scsi_id(
    libvirt_host: EmbeddedLibvirt, generic_guest_files: GuestFiles, images: Path
) -> None:
    address = drive_xml(unit=3)
    devices = scsi_xml("lsilogic", 0x06) + disk_xml(images, "sdb", MIB, address)
    with running_guest(libvirt_host, domain_xml("lab-lsi", generic_guest_files, devices)) as running:
        assert seen_disks(running.console) == {("0000:00:06.0", "0:3:0", MIB)}


def is_running(pid: str) -> bool:
    """A zombie, whose command line is empty, does not run: it waits for an init that reaps late."""
    try:
        return bool(Path(f"/proc/{pid}/cmdline").read_bytes())
    except FileNotFoundError:
        return False


KILLED_LAB = """
import os, sys
from lab.embedded import embedded_libvirt
with embedded_libvirt() as host:
    host.connection.createXML("<domain type='qemu'><name>left</name><memory unit='MiB'>16</memory>"
                              "<os><type machine='pc'>hvm</type></os></domain>", 0)
    print(host.root, (host.root / "run" / "qemu" / "left.pid").read_text(), flush=True)
    os.kill(os.getpid(), 9)
"""


def test_what_a_killed_lab_left_is_swept() -> None:
    killed = subprocess.run(
        [sys.executable, "-c", KILLED_LAB], stdout=subprocess.PIPE, text=True, check=False
    )
    root, pid = killed.stdout.split()
    assert Path(root).exists()
    assert is_running(pid)
    sweep(ROOTS, ROOT_PREFIX)
    assert not Path(root).exists()
    assert not is_running(pid)
