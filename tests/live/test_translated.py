"""A translated instance runs: the guest itself says where its disks and NICs are."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import pytest

from lab.bootable import DISK_MIB, STORAGE, bootable, context_for, make_images
from lab.running import running_guest
from tests.golden.law import differences
from virtxlate import Report, format_domain, parse_domain, place, to_domain, to_ganeti
from virtxlate.ganeti.model import Disk, Instance, Nic
from virtxlate.ganeti.params import HvParams

if TYPE_CHECKING:
    from lab.console import GuestConsole
    from lab.embedded import EmbeddedLibvirt
    from lab.guest import GuestFiles

pytestmark = pytest.mark.live

NAME = "web1.example.com"
DISKS = tuple(
    Disk(
        uuid=f"0000000{n}-d15c-4000-8000-000000000000",
        template="file",
        size_mib=DISK_MIB,
        logical_id=("loop", f"{STORAGE}/{NAME}/disk{n}"),
    )
    for n in range(2)
)
NICS = tuple(
    Nic(
        uuid=f"0000000{n}-0000-4000-8000-000000000000", mac=f"aa:00:00:00:00:0{n}", mode="bridged", link="br0"
    )
    for n in range(2)
)
INSTANCE = Instance(
    name=NAME,
    uuid="11111111-2222-4333-8444-555555555555",
    disks=DISKS,
    nics=NICS,
    disk_template="file",
    hvparams=HvParams(machine_version="pc-i440fx-7.2"),
)


class Seen(NamedTuple):
    """A disk as the guest sees it: PCI slot, then channel, target and LUN where there is a SCSI bus."""

    slot: str
    scsi: str | None = None


class Case(NamedTuple):
    hvparams: dict[str, str]
    disks: tuple[Seen, Seen]
    nic_slots: tuple[str, str]
    nic_driver: str


# Slots are Ganeti's: 12 kept, disks before NICs; a SCSI controller is QEMU's first free slot, 3.
CASES = {
    "virtio": Case({}, (Seen("0c.0"), Seen("0d.0")), ("0e.0", "0f.0"), "virtio_net"),
    "lsi, e1000": Case(
        {"disk_type": "scsi-hd", "scsi_controller_type": "lsi", "nic_type": "e1000"},
        (Seen("03.0", "0:0:0"), Seen("03.0", "0:1:0")),
        ("0c.0", "0d.0"),
        "e1000",
    ),
    "megasas, pcnet": Case(
        {"disk_type": "scsi-hd", "scsi_controller_type": "megasas", "nic_type": "pcnet"},
        # Linux shows the logical drives of a MegaRAID on a channel of its own.
        (Seen("03.0", "2:0:0"), Seen("03.0", "2:1:0")),
        ("0c.0", "0d.0"),
        "pcnet32",
    ),
    "virtio-scsi, rtl8139": Case(
        {"disk_type": "scsi-hd", "scsi_controller_type": "virtio-scsi-pci", "nic_type": "rtl8139"},
        (Seen("03.0", "0:0:0"), Seen("03.0", "0:1:0")),
        ("0c.0", "0d.0"),
        "8139cp",
    ),
    "dc390 as am53c974, CD-ROMs": Case(
        {"disk_type": "scsi-cd", "scsi_controller_type": "dc390"},
        (Seen("03.0", "0:0:0"), Seen("03.0", "0:1:0")),
        ("0c.0", "0d.0"),
        "virtio_net",
    ),
    # IDE disks take slots in Ganeti's books only; they are the two of the secondary channel.
    "ide, ne2k_pci": Case(
        {"disk_type": "ide", "nic_type": "ne2k_pci"},
        (Seen("01.1", "0:0:0"), Seen("01.1", "0:1:0")),
        ("0e.0", "0f.0"),
        "ne2k-pci",
    ),
}


def seen_disks(console: GuestConsole) -> set[Seen]:
    """The disks of the size that the test gave its images; the drives that QEMU adds have no such medium."""
    return {
        Seen(str(disk.pci_slot)[-4:], disk.scsi_address.partition(":")[2] if disk.scsi_address else None)
        for disk in console.disks()
        if disk.size_bytes == DISK_MIB << 20
    }


@pytest.mark.parametrize("name", CASES)
def test_the_guest_sees_what_ganeti_would_have_given_it(
    name: str,
    libvirt_host: EmbeddedLibvirt,
    guest_files: GuestFiles,
    generic_guest_files: GuestFiles,
    bridge_name: str,
    tmp_path: Path,
) -> None:
    case = CASES[name]
    files = guest_files if name == "virtio" else generic_guest_files
    instance = place(bootable(INSTANCE, files, **case.hvparams))
    make_images(instance, tmp_path)
    context = context_for(tmp_path, {"br0": bridge_name})
    xml = format_domain(to_domain(instance, context, Report()))
    with running_guest(libvirt_host, xml) as guest:
        assert seen_disks(guest.console) == set(case.disks)
        assert {(nic.mac, str(nic.pci_slot)[-4:], nic.driver) for nic in guest.console.nics()} == {
            (nic.mac, slot, case.nic_driver) for nic, slot in zip(NICS, case.nic_slots, strict=True)
        }
        found = to_ganeti(parse_domain(guest.domain.XMLDesc(0), []), context, Report())
    assert differences(instance, found) == []


def test_the_guest_sees_the_machine_that_ganetis_qemu_gives_it(
    libvirt_host: EmbeddedLibvirt, guest_files: GuestFiles, bridge_name: str, tmp_path: Path
) -> None:
    instance = bootable(INSTANCE, guest_files)
    make_images(instance, tmp_path)
    xml = format_domain(to_domain(instance, context_for(tmp_path, {"br0": bridge_name}), Report()))
    with running_guest(libvirt_host, xml) as guest:
        pci = {device.slot[-4:]: (device.vendor, device.device) for device in guest.console.pci_devices()}
        cmdline = guest.console.run("cat /proc/cmdline").strip()
        uuid = guest.console.run("cat /sys/class/dmi/id/product_uuid").strip()
    # query-pci of QEMU 7.2 started with Ganeti's own command line for the same instance.
    assert pci == {
        "00.0": ("0x8086", "0x1237"),
        "01.0": ("0x8086", "0x7000"),
        "01.1": ("0x8086", "0x7010"),
        "01.2": ("0x8086", "0x7020"),
        "01.3": ("0x8086", "0x7113"),
        "02.0": ("0x1234", "0x1111"),
        "03.0": ("0x1af4", "0x1002"),
        "0c.0": ("0x1af4", "0x1001"),
        "0d.0": ("0x1af4", "0x1001"),
        "0e.0": ("0x1af4", "0x1000"),
        "0f.0": ("0x1af4", "0x1000"),
    }
    assert cmdline == "root=/dev/vda1 ro console=ttyS0,38400"
    assert uuid.lower() == INSTANCE.uuid


def test_addresses_of_a_runtime_file_are_what_the_guest_keeps(
    libvirt_host: EmbeddedLibvirt, guest_files: GuestFiles, bridge_name: str, tmp_path: Path
) -> None:
    moved: dict[str, Any] = {"addr": "0x15", "id": "hotdisk-00000000-pci-21"}
    placed = place(bootable(INSTANCE, guest_files))
    first = placed.disks[0]
    assert first.hvinfo is not None
    kept = msgspec.structs.replace(first, hvinfo=msgspec.structs.replace(first.hvinfo, **moved))
    instance = msgspec.structs.replace(placed, disks=(kept, placed.disks[1]))
    make_images(instance, tmp_path)
    xml = format_domain(to_domain(instance, context_for(tmp_path, {"br0": bridge_name}), Report()))
    with running_guest(libvirt_host, xml) as guest:
        assert seen_disks(guest.console) == {Seen("15.0"), Seen("0d.0")}
        assert "ua-hotdisk-00000000-pci-21" in guest.domain.XMLDesc(0)


def test_an_open_domain_tells_its_hvinfo(
    libvirt_host: EmbeddedLibvirt, guest_files: GuestFiles, bridge_name: str, tmp_path: Path
) -> None:
    from virtxlate.live.domain import LibvirtDomain  # noqa: PLC0415 - needs the binding

    instance = place(bootable(INSTANCE, guest_files))
    make_images(instance, tmp_path)
    xml = format_domain(to_domain(instance, context_for(tmp_path, {"br0": bridge_name}), Report()))
    with running_guest(libvirt_host, xml) as guest:
        found = LibvirtDomain(guest.domain).hvinfo()
    placed = {each.alias: (each.hvinfo.bus, each.hvinfo.addr) for each in found if each.hvinfo is not None}
    hvinfos = [disk.hvinfo for disk in instance.disks] + [nic.hvinfo for nic in instance.nics]
    wanted = {f"ua-{each.id}": (each.bus, each.addr) for each in hvinfos if each is not None}
    assert {alias: place for alias, place in placed.items() if alias in wanted} == wanted
