"""Domains that somebody else made: no metadata, libvirt's own aliases, a q35 board and its root ports."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lab.bootable import context_for
from lab.devices import disk_xml, drive_xml, nic_xml, pci_xml, scsi_xml
from lab.running import running_guest, with_guest
from tests.live.plugged import (
    INSTANCE,
    NAME,
    Plugged,
    Seen,
    SeenDisk,
    SeenNic,
    disk,
    lines,
    nic,
    opened,
)
from virtxlate.errors import PlacementError
from virtxlate.ganeti.hvinfo import HvInfo
from virtxlate.hotplug.session import Hotplug
from virtxlate.translate.device_info import QemuInfo

if TYPE_CHECKING:
    from lab.embedded import EmbeddedLibvirt
    from lab.guest import GuestFiles

pytestmark = pytest.mark.live

MIB = 1 << 20
FOREIGN_MAC = "52:54:00:00:00:01"


def foreign_xml(machine: str, devices: str) -> str:
    return f"""<domain type='qemu'><name>{NAME}</name><memory unit='MiB'>256</memory>
      <os><type arch='x86_64' machine='{machine}'>hvm</type></os><features><acpi/></features>
      <devices>{devices}<memballoon model='none'/></devices></domain>"""


@contextmanager
def foreign(
    host: EmbeddedLibvirt, guest: GuestFiles, folder: Path, bridge: str, xml: str
) -> Iterator[Plugged]:
    context = context_for(folder, {"br0": bridge})
    with running_guest(host, with_guest(xml, guest)) as running, opened(host) as port:
        yield Plugged(guest=running, port=port, instance=INSTANCE, context=context, folder=folder)


def test_devices_come_and_go_beside_those_of_somebody_else(
    libvirt_host: EmbeddedLibvirt, guest_files: GuestFiles, bridge_name: str, tmp_path: Path
) -> None:
    devices = [
        scsi_xml("virtio-scsi", 0x05),
        disk_xml(tmp_path, "vda", 2 * MIB, pci_xml(0x0C)),
        disk_xml(tmp_path, "vdb", 3 * MIB, pci_xml(0x0E)),
        disk_xml(tmp_path, "sda", 4 * MIB, drive_xml(target=1)),
        nic_xml("bridge", f"<source bridge='{bridge_name}'/>", FOREIGN_MAC, pci_xml(0x10)),
    ]
    first = Seen(
        frozenset({SeenDisk("0c.0", None, 2), SeenDisk("0e.0", None, 3), SeenDisk("05.0", "0:1:0", 4)}),
        frozenset({SeenNic("10.0", FOREIGN_MAC, "virtio_net")}),
    )
    xml = foreign_xml("pc", "".join(devices))
    with foreign(libvirt_host, guest_files, tmp_path, bridge_name, xml) as plug:
        hotplug = plug.hotplug()
        assert {each.info.alias for each in hotplug.read().disks} == {
            "virtio-disk0",
            "virtio-disk1",
            "scsi0-0-1-0",
        }
        plug.write_images(disk(1), disk(2))
        on_virtio = Hotplug(plug.port, context=plug.context, hvparams={"disk_type": "paravirtual"})
        assert on_virtio.add_disk(disk(1)).hvinfo == HvInfo(
            driver="virtio-blk-pci", id="disk-00000001-d15c-4000", bus="pci.0", addr="0xd"
        )
        scsi = {"disk_type": "scsi-hd", "scsi_controller_type": "virtio-scsi-pci"}
        on_scsi = Hotplug(plug.port, context=plug.context, hvparams=scsi)
        assert on_scsi.add_disk(disk(2)).hvinfo == HvInfo(
            driver="scsi-hd", id="disk-00000002-d15c-4000", bus="scsi.0", channel=0, scsi_id=0, lun=0
        )
        assert hotplug.add_nic(nic(1)).hvinfo == HvInfo(
            driver="virtio-net-pci", id="nic-00000001-0000-4000", bus="pci.0", addr="0xf"
        )
        plug.see(
            first.and_disks(SeenDisk("0d.0", None, 1), SeenDisk("05.0", "0:0:0", 1)).and_nics(
                SeenNic("0f.0", nic(1).mac, "virtio_net")
            )
        )
        for kind, which, said, freed in (
            ("disk", "vdb", "detach disk virtio-disk1", f"{tmp_path}/vdb.raw"),
            ("disk", f"{tmp_path}/sda.raw", "detach disk scsi0-0-1-0", f"{tmp_path}/sda.raw"),
            ("nic", FOREIGN_MAC, "detach nic net0", "vnet0"),
        ):
            done = hotplug.remove(kind, which)
            assert lines(done) == [said]
            if kind == "disk":
                assert done.freed == (freed,)
        hotplug.remove("disk", disk(1).uuid)
        hotplug.remove("disk", "ua-disk-00000002-d15c-4000")
        hotplug.remove("nic", nic(1).mac)
        plug.see(Seen(frozenset({SeenDisk("0c.0", None, 2)}), frozenset()))
        assert "<metadata>" not in plug.guest.domain.XMLDesc(0)


def ports(count: int, *more: str) -> str:
    """A q35 board's own controllers, so that libvirt adds no port by itself."""
    numbers = range(1, count + 1)
    found = [
        "<controller type='usb' model='none'/>",
        *(f"<controller type='pci' index='{n}' model='pcie-root-port'/>" for n in numbers),
        *more,
    ]
    return "".join(found)


def test_a_q35_domain_takes_devices_until_its_root_ports_are_used(
    libvirt_host: EmbeddedLibvirt, guest_files: GuestFiles, bridge_name: str, tmp_path: Path
) -> None:
    devices = [
        ports(4),
        disk_xml(tmp_path, "vda", 2 * MIB, pci_xml(0, bus=1)),
        nic_xml("bridge", f"<source bridge='{bridge_name}'/>", FOREIGN_MAC, pci_xml(0, bus=2)),
    ]
    xml = foreign_xml("q35", "".join(devices))
    with foreign(libvirt_host, guest_files, tmp_path, bridge_name, xml) as plug:
        hotplug = plug.hotplug()
        first = Seen(
            frozenset({SeenDisk("00.0", None, 2)}),
            frozenset({SeenNic("00.0", FOREIGN_MAC, "virtio_net")}),
        )
        plug.see(first)
        plug.write_images(disk(1), disk(2))
        done = hotplug.add_disk(disk(1))
        assert lines(done) == ["attach disk ua-disk-00000001-d15c-4000 (vdb) at PCI bus 3 slot 0x0"]
        assert done.hvinfo == HvInfo(
            driver="virtio-blk-pci", id="disk-00000001-d15c-4000", bus="rp5", addr="0x0"
        )
        assert done.device is not None
        assert done.device.hvinfo == QemuInfo(
            driver="virtio-blk-pci",
            id="ua-disk-00000001-d15c-4000",
            bus="pci.3",
            addr="0x0",
            drive="libvirt-2-format",
        )
        assert lines(hotplug.add_nic(nic(1))) == [
            f"attach nic ua-nic-00000001-0000-4000 ({nic(1).mac}) at PCI bus 4 slot 0x0"
        ]
        all_ports = first.and_disks(SeenDisk("00.0", None, 1)).and_nics(
            SeenNic("00.0", nic(1).mac, "virtio_net")
        )
        plug.see(all_ports)
        before = plug.guest.domain.XMLDesc(0)
        with pytest.raises(PlacementError) as caught:
            hotplug.add_disk(disk(2))
        assert str(caught.value) == (
            "disks[2]: no free PCIe root port: the domain has 4, all in use; add "
            "<controller type='pci' model='pcie-root-port'/> to its definition, and start it anew"
        )
        assert caught.value.exit_code == 4
        with pytest.raises(PlacementError) as caught:
            Hotplug(plug.port, context=plug.context, hvparams={"nic_type": "e1000"}).add_nic(nic(2))
        conventional = (
            "a conventional PCI device needs a free slot on a pcie-to-pci-bridge, and there is none"
        )
        assert str(caught.value) == (
            f"nics[2]: {conventional}; add <controller type='pci' model='pcie-to-pci-bridge'/> "
            "to its definition and start it anew"
        )
        assert plug.guest.domain.XMLDesc(0) == before
        hotplug.remove("disk", disk(1).uuid)
        assert lines(hotplug.add_disk(disk(2))) == [
            "attach disk ua-disk-00000002-d15c-4000 (vdb) at PCI bus 3 slot 0x0"
        ]
        hotplug.remove("disk", disk(2).uuid)
        hotplug.remove("nic", nic(1).uuid)
        plug.see(first)


def test_a_conventional_nic_goes_behind_the_bridge_of_q35(
    libvirt_host: EmbeddedLibvirt, generic_guest_files: GuestFiles, bridge_name: str, tmp_path: Path
) -> None:
    bridge = "<controller type='pci' index='2' model='pcie-to-pci-bridge'/>"
    xml = foreign_xml("q35", ports(1, bridge))
    with foreign(libvirt_host, generic_guest_files, tmp_path, bridge_name, xml) as plug:
        session = Hotplug(plug.port, context=plug.context, hvparams={"nic_type": "e1000"})
        done = session.add_nic(nic(1))
        assert lines(done) == [f"attach nic ua-nic-00000001-0000-4000 ({nic(1).mac}) at PCI bus 2 slot 0x1"]
        plug.see(Seen(frozenset(), frozenset({SeenNic("01.0", nic(1).mac, "e1000")})))
        session.remove("nic", nic(1).mac)
        plug.see(Seen(frozenset(), frozenset()))
