"""The declared elements of domain XML: samples as libvirt writes them, each read and written."""

from __future__ import annotations

from typing import Any

import pytest
from lxml import etree

from tests.domain.more_samples import DECLARED as MORE_DECLARED
from tests.domain.more_samples import MORE
from virtxlate.domain import elements as e
from virtxlate.domain import model as m
from virtxlate.domain import settings, words
from virtxlate.errors import DomainXmlError
from virtxlate.xmlmap import Leftover

CASES: list[tuple[Any, Any, str]] = [
    (
        e.DISK,
        m.Disk(
            type="block",
            driver_name="qemu",
            driver_type="raw",
            cache="none",
            io="native",
            iothread=1,
            discard="unmap",
            source=m.DiskSource(dev="/dev/xenvg/a.disk0"),
            target="vda",
            bus="virtio",
            boot_order=1,
            alias="ua-disk-9e7c85f6-b6e5-4243",
            address=m.PciAddress(slot=12),
        ),
        (
            "<disk type='block' device='disk'>"
            "<driver name='qemu' type='raw' cache='none' io='native' discard='unmap' iothread='1'/>"
            "<source dev='/dev/xenvg/a.disk0'/><target dev='vda' bus='virtio'/><boot order='1'/>"
            "<alias name='ua-disk-9e7c85f6-b6e5-4243'/>"
            "<address type='pci' domain='0x0000' bus='0x00' slot='0x0c' function='0x0'/></disk>"
        ),
    ),
    (
        e.DISK,
        m.Disk(
            type="network",
            source=m.DiskSource(
                protocol="rbd",
                name="rbd/a.disk0",
                hosts=(
                    m.SourceHost(name="mon1", port=6789),
                    m.SourceHost(transport="unix", socket="/run/mon2"),
                ),
                auth=m.SourceAuth(username="admin", secret_type="ceph", secret_uuid="b3d0"),
            ),
            target="sda",
            bus="scsi",
            readonly=True,
            address=m.DriveAddress(unit=3),
        ),
        (
            "<disk type='network' device='disk'><source protocol='rbd' name='rbd/a.disk0'>"
            "<host name='mon1' port='6789'/><host transport='unix' socket='/run/mon2'/>"
            "<auth username='admin'><secret type='ceph' uuid='b3d0'/></auth></source>"
            "<target dev='sda' bus='scsi'/><readonly/>"
            "<address type='drive' controller='0' bus='0' target='0' unit='3'/></disk>"
        ),
    ),
    (
        e.DISK,
        m.Disk(type="file", device="cdrom", target="hdc", bus="ide", readonly=True),
        "<disk type='file' device='cdrom'><target dev='hdc' bus='ide'/><readonly/></disk>",
    ),
    (
        e.DISK,
        m.Disk(
            type="volume",
            source=m.DiskSource(
                file="/f", pool="p", volume="v", auth=m.SourceAuth(username="u", secret_usage="s")
            ),
            target="vdb",
        ),
        (
            "<disk type='volume' device='disk'><source file='/f' pool='p' volume='v'><auth username='u'>"
            "<secret usage='s'/></auth></source><target dev='vdb'/></disk>"
        ),
    ),
    (
        e.DISK,
        m.Disk(
            type="block",
            device="lun",
            rawio=True,
            sgio="filtered",
            source=m.DiskSource(
                dev="/dev/sdb",
                reservations=m.Reservations(
                    managed=False, socket="/run/pr.sock", socket_type="unix", socket_mode="client"
                ),
            ),
            target="sda",
            bus="scsi",
            shareable=True,
        ),
        (
            "<disk type='block' device='lun' rawio='yes' sgio='filtered'><source dev='/dev/sdb'>"
            "<reservations managed='no'><source type='unix' path='/run/pr.sock' mode='client'/>"
            "</reservations></source><target dev='sda' bus='scsi'/><shareable/></disk>"
        ),
    ),
    (
        e.DISK,
        m.Disk(
            type="network",
            device="lun",
            source=m.DiskSource(
                protocol="iscsi",
                name="iqn.2026-01.com.example:san/1",
                hosts=(m.SourceHost(name="192.0.2.9"),),
                initiator="iqn.2026-01.com.example:vm1",
            ),
            target="sda",
        ),
        (
            "<disk type='network' device='lun'>"
            "<source protocol='iscsi' name='iqn.2026-01.com.example:san/1'><host name='192.0.2.9'/>"
            "<initiator><iqn name='iqn.2026-01.com.example:vm1'/></initiator></source>"
            "<target dev='sda'/></disk>"
        ),
    ),
    (
        e.CONTROLLER,
        m.Controller(
            type="scsi",
            index=0,
            model="lsilogic",
            queues=4,
            iothread=1,
            alias="ua-x",
            address=m.PciAddress(slot=3, multifunction=True),
        ),
        (
            "<controller type='scsi' index='0' model='lsilogic'><driver queues='4' iothread='1'/>"
            "<alias name='ua-x'/>"
            "<address type='pci' domain='0x0000' bus='0x00' slot='0x03' function='0x0' multifunction='on'/>"
            "</controller>"
        ),
    ),
    (
        e.HOSTDEV,
        m.Hostdev(
            type="scsi",
            managed=False,
            rawio=True,
            sgio="filtered",
            source=m.HostdevSource(adapter="scsi_host2", bus="0", target="1", unit="4"),
            readonly=True,
            shareable=True,
            boot_order=2,
            alias="ua-disk-1",
            address=m.DriveAddress(target=3),
        ),
        (
            "<hostdev mode='subsystem' type='scsi' managed='no' rawio='yes' sgio='filtered'>"
            "<source><adapter name='scsi_host2'/><address bus='0' target='1' unit='4'/></source>"
            "<readonly/><shareable/><boot order='2'/><alias name='ua-disk-1'/>"
            "<address type='drive' controller='0' bus='0' target='3' unit='0'/></hostdev>"
        ),
    ),
    (
        e.HOSTDEV,
        m.Hostdev(
            type="scsi",
            source=m.HostdevSource(
                protocol="iscsi",
                name="iqn.2026-01.com.example:san/1",
                hosts=(
                    m.SourceHost(name="192.0.2.9", port=3260),
                    m.SourceHost(transport="unix", socket="/run/a"),
                ),
                initiator="iqn.2026-01.com.example:vm1",
                auth=m.SourceAuth(username="vm1", secret_type="iscsi", secret_usage="a", secret_uuid="b"),
            ),
        ),
        (
            "<hostdev mode='subsystem' type='scsi'>"
            "<source protocol='iscsi' name='iqn.2026-01.com.example:san/1'>"
            "<host name='192.0.2.9' port='3260'/><host transport='unix' socket='/run/a'/>"
            "<initiator><iqn name='iqn.2026-01.com.example:vm1'/></initiator>"
            "<auth username='vm1'><secret type='iscsi' usage='a' uuid='b'/></auth></source></hostdev>"
        ),
    ),
    (
        e.HOSTDEV,
        m.Hostdev(
            type="scsi_host",
            model="virtio-transitional",
            source=m.HostdevSource(protocol="vhost", wwpn="naa.5123456789abcde0"),
            address=m.PciAddress(slot=5),
        ),
        (
            "<hostdev mode='subsystem' type='scsi_host' model='virtio-transitional'>"
            "<source protocol='vhost' wwpn='naa.5123456789abcde0'/>"
            "<address type='pci' domain='0x0000' bus='0x00' slot='0x05' function='0x0'/></hostdev>"
        ),
    ),
    (
        e.CONTROLLER,
        m.Controller(type="usb", address=m.UsbAddress(bus=1, port="1.2")),
        "<controller type='usb'><address type='usb' bus='1' port='1.2'/></controller>",
    ),
    (
        e.INTERFACE,
        m.Interface(
            type="bridge",
            mac="aa:00:00:00:00:01",
            bridge="ovs0",
            virtualport=m.VirtualPort(type="openvswitch", interface_id="09b11c53"),
            vlan=m.Vlan(trunk=True, tags=(m.VlanTag(id=5, native_mode="untagged"), m.VlanTag(id=10))),
            model="virtio",
            driver="vhost",
            queues=4,
            boot_order=1,
            alias="ua-nic-1",
            address=m.PciAddress(slot=13),
        ),
        (
            "<interface type='bridge'><mac address='aa:00:00:00:00:01'/><source bridge='ovs0'/>"
            "<virtualport type='openvswitch'><parameters interfaceid='09b11c53'/></virtualport>"
            "<vlan trunk='yes'><tag id='5' nativeMode='untagged'/><tag id='10'/></vlan>"
            "<model type='virtio'/><driver name='vhost' queues='4'/><boot order='1'/><alias name='ua-nic-1'/>"
            "<address type='pci' domain='0x0000' bus='0x00' slot='0x0d' function='0x0'/></interface>"
        ),
    ),
    (
        e.INTERFACE,
        m.Interface(type="ethernet", script="/etc/ganeti/kvm-ifup"),
        "<interface type='ethernet'><script path='/etc/ganeti/kvm-ifup'/></interface>",
    ),
    (
        e.INTERFACE,
        m.Interface(type="network", network="lan"),
        "<interface type='network'><source network='lan'/></interface>",
    ),
    (
        e.SERIAL,
        m.Character(
            type="pty",
            source_path="/dev/pts/3",
            target_type="isa-serial",
            target_port=0,
            target_model="isa-serial",
        ),
        (
            "<serial type='pty'><source path='/dev/pts/3'/><target type='isa-serial' port='0'>"
            "<model name='isa-serial'/></target></serial>"
        ),
    ),
    (
        e.PARALLEL,
        m.Character(type="null", target_port=0),
        "<parallel type='null'><target port='0'/></parallel>",
    ),
    (
        e.CONSOLE,
        m.Character(type="pty", target_type="serial"),
        "<console type='pty'><target type='serial'/></console>",
    ),
    (
        e.VIDEO,
        m.Video(type="vga", vram_kib=16384, heads=1, address=m.PciAddress(slot=2)),
        (
            "<video><model type='vga' vram='16384' heads='1'/>"
            "<address type='pci' domain='0x0000' bus='0x00' slot='0x02' function='0x0'/></video>"
        ),
    ),
    (e.MEMBALLOON, m.MemBalloon(model="none"), "<memballoon model='none'/>"),
    (
        e.DOMAIN,
        m.Domain(
            type="kvm",
            name="a",
            uuid="b",
            metadata="{}",
            memory=m.Memory(value=1024, unit="KiB"),
            current_memory=m.Memory(value=512, unit="MiB"),
            vcpus=2,
            iothreads=1,
            os=m.Os(
                arch="x86_64",
                machine="pc",
                kernel="/k",
                initrd="/i",
                cmdline="ro",
                boots=(m.BootDevice(dev="hd"), m.BootDevice(dev="network")),
            ),
            acpi=True,
            cpu=m.Cpu(
                mode="custom",
                match="exact",
                check="none",
                model="qemu64",
                fallback="forbid",
                sockets=1,
                dies=1,
                cores=2,
                threads=1,
            ),
            clock_offset="utc",
            on_poweroff="destroy",
            on_reboot="restart",
            on_crash="preserve",
            devices=m.Devices(emulator="/usr/bin/qemu"),
            qemu_override=settings.QemuOverride(
                devices=(
                    settings.DeviceOverride(alias="scsi0", name="driver", type="string", value="dc390"),
                    settings.DeviceOverride(alias="ua-disk-1", name="device_id", type="remove"),
                )
            ),
        ),
        (
            "<domain type='kvm'><name>a</name><uuid>b</uuid>"
            "<metadata><virtxlate:instance xmlns:virtxlate='urn:x-virtxlate:instance:1'>{}"
            "</virtxlate:instance>"
            "</metadata><memory unit='KiB'>1024</memory><currentMemory unit='MiB'>512</currentMemory>"
            "<vcpu>2</vcpu><iothreads>1</iothreads>"
            "<os><type arch='x86_64' machine='pc'>hvm</type><kernel>/k</kernel><initrd>/i</initrd>"
            "<cmdline>ro</cmdline><boot dev='hd'/><boot dev='network'/></os><features><acpi/></features>"
            "<cpu mode='custom' match='exact' check='none'><model fallback='forbid'>qemu64</model>"
            "<topology sockets='1' dies='1' cores='2' threads='1'/></cpu><clock offset='utc'/>"
            "<on_poweroff>destroy</on_poweroff><on_reboot>restart</on_reboot><on_crash>preserve</on_crash>"
            "<devices><emulator>/usr/bin/qemu</emulator></devices>"
            "<qemu:override xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>"
            "<qemu:device alias='scsi0'><qemu:frontend>"
            "<qemu:property name='driver' type='string' value='dc390'/></qemu:frontend></qemu:device>"
            "<qemu:device alias='ua-disk-1'><qemu:frontend>"
            "<qemu:property name='device_id' type='remove'/></qemu:frontend></qemu:device>"
            "</qemu:override></domain>"
        ),
    ),
    (
        e.DOMAIN,
        m.Domain(type="kvm", name="a", memory=m.Memory(value=1), os=m.Os()),
        (
            "<domain type='kvm'><name>a</name><memory>1</memory><vcpu>1</vcpu><os><type>hvm</type></os>"
            "<devices/>"
            "</domain>"
        ),
    ),
    *MORE,
]
IDS = [f"{case[0].tag}-{index}" for index, case in enumerate(CASES)]


@pytest.mark.parametrize(("element", "record", "xml"), CASES, ids=IDS)
def test_a_record_is_written(element: Any, record: Any, xml: str) -> None:
    expected = etree.fromstring(xml)
    assert etree.tostring(element.format(record), method="c14n") == etree.tostring(expected, method="c14n")


@pytest.mark.parametrize(("element", "record", "xml"), CASES, ids=IDS)
def test_a_sample_is_read(element: Any, record: Any, xml: str) -> None:
    leftovers: list[Leftover] = []
    assert element.parse(etree.fromstring(xml), leftovers) == record
    assert leftovers == []


DECLARED: list[Any] = [
    e.DISK,
    e.CONTROLLER,
    e.INTERFACE,
    e.HOSTDEV,
    e.SERIAL,
    e.VIDEO,
    e.MEMBALLOON,
    e.DOMAIN,
    *MORE_DECLARED,
]


def paths_in(element: etree._Element, prefix: str = "") -> set[str]:
    """Name every attribute and element of a sample, in the way of Element.paths."""
    found = {f"{prefix}@{key}" for key in element.attrib}
    for child in element:
        found |= {f"{prefix}{child.tag!s}", f"{prefix}{child.tag!s}/."}
        found |= paths_in(child, f"{prefix}{child.tag!s}/")
    return found


def samples_of(tag: str) -> set[str]:
    samples = [etree.fromstring(xml) for declared, _record, xml in CASES if declared.tag == tag]
    return set().union(*(paths_in(sample) for sample in samples))


@pytest.mark.parametrize("element", DECLARED, ids=lambda element: element.tag)
def test_every_declared_path_stands_in_a_sample(element: Any) -> None:
    # Devices and addresses have samples of their own.
    declared = {path for path in element.paths() if path == "devices/emulator" or "devices/" not in path}
    assert {path for path in declared - samples_of(element.tag) if "address/" not in path} == set()


def test_every_declared_path_of_an_address_stands_in_a_sample() -> None:
    seen = set().union(*(samples_of(element.tag) for element in DECLARED))
    assert {f"address/{path}" for path in e.ADDRESS.paths()} <= seen


DOMAIN = "<domain type='kvm'><name>a</name><memory>1</memory><os><type>hvm</type></os>{}</domain>"
REFUSED = [
    ("<domain type='kvm'/>", "/domain (line 1): expected name, found none"),
    ("<domain><name>a</name></domain>", "/domain (line 1): expected @type, found none"),
    (
        DOMAIN.format("<devices><disk type='block'/></devices>"),
        "/domain/devices/disk (line 1): expected target/@dev, found none",
    ),
    (
        DOMAIN.format("<devices><disk type='tape'/></devices>"),
        (
            "/domain/devices/disk/@type (line 1): expected disk type, one of "
            f"{', '.join(map(repr, words.DISK_TYPES))}, found 'tape'"
        ),
    ),
    (
        DOMAIN.format("<devices><memballoon model='none'/><memballoon model='none'/></devices>"),
        "/domain/devices/memballoon[2] (line 1): expected one <memballoon>, found another",
    ),
    (DOMAIN.format("<vcpu>many</vcpu>"), "/domain/vcpu (line 1): expected a whole number, found 'many'"),
]


@pytest.mark.parametrize(("xml", "message"), REFUSED)
def test_what_is_no_domain_is_refused_with_path_and_line(xml: str, message: str) -> None:
    with pytest.raises(DomainXmlError) as caught:
        e.DOMAIN.parse(etree.fromstring(xml))
    assert str(caught.value) == message


@pytest.mark.parametrize("part", ["memory", "os"])
def test_a_domain_without_memory_or_os_is_refused(part: str) -> None:
    root = etree.fromstring(DOMAIN.format(""))
    root.remove(root.findall(part)[0])
    with pytest.raises(DomainXmlError) as caught:
        e.DOMAIN.parse(root)
    assert str(caught.value) == f"/domain (line 1): expected {part}, found none"
