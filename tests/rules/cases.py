"""The table of accepted and refused documents: for each rule a way to break it, and the same done right.

``DISK`` and ``LUN`` stand for the inside of a disk whose source is a block device; every case is the devices
of one domain. The verdict of libvirt beside ours is judged in tests/live.
"""

from __future__ import annotations

from typing import NamedTuple

from tests.rules.choices import BROKEN as CHOICES
from virtxlate.rules.rule import Verdict

BLOCK = "<source dev='/dev/disk/by-id/wwn-0x5000c500a1b2c3d4'/>"
VIRTIO_SCSI = "<controller type='scsi' index='0' model='virtio-scsi'/>"
LSI = "<controller type='scsi' index='0' model='lsilogic'/>"
HOST = "<host name='192.0.2.9' port='3260'/>"
HOST_DEVICE = "<adapter name='scsi_host2'/><address bus='0' target='1' unit='0'/>"

OTHER_DEVICE = "<adapter name='scsi_host2'/><address bus='0' target='2' unit='0'/>"


class Case(NamedTuple):
    """One rule, the devices that break it, and those that do not."""

    rule: str
    broken: str
    right: str
    outside: str = ""
    """Beside the devices, of the broken one."""
    outside_right: str = ""
    machine: str = "pc"
    libvirt: Verdict | None = None
    """Of this case, where it is not the rule's."""
    machine_right: str = "pc"
    os: str = ""
    """In ``<os>``, of the broken one."""
    os_right: str = ""
    beside: tuple[str, ...] = ()
    """What else is said of the same fault."""
    name: str = "judged"
    """Of the broken domain."""

    def broken_document(self) -> str:
        """Give the whole domain that breaks the rule."""
        return document(self.broken, self.outside, self.machine, self.os, self.name)

    def right_document(self) -> str:
        """Give the whole domain that does not."""
        return document(self.right, self.outside_right, self.machine_right, self.os_right)


def at(target: int = 0, unit: int = 0, controller: int = 0, bus: int = 0) -> str:
    return f"<address type='drive' controller='{controller}' bus='{bus}' target='{target}' unit='{unit}'/>"


def lun(
    inside: str = "",
    *,
    attributes: str = "type='block'",
    driver: str = "type='raw'",
    source: str = BLOCK,
    target: str = "dev='sda' bus='scsi'",
    address: str = at(),
) -> str:
    return (
        f"<disk {attributes} device='lun'><driver name='qemu' {driver}/>{source}<target {target}/>"
        f"{inside}{address}</disk>"
    )


def disk(address: str = at(), *, attributes: str = "", name: str = "sda", inside: str = "") -> str:
    return (
        f"<disk type='block' device='disk' {attributes}><driver name='qemu' type='raw'/>"
        f"<source dev='/dev/disk/by-id/scsi-{name}'>{inside}</source>"
        f"<target dev='{name}' bus='scsi'/>{address}</disk>"
    )


def hostdev(source: str, *, attributes: str = "", inside: str = "", address: str = at()) -> str:
    return f"<hostdev mode='subsystem' type='scsi' {attributes}>{source}{inside}{address}</hostdev>"


def model(word: str, inside: str = "") -> str:
    return f"<controller type='scsi' index='0' model='{word}'>{inside}</controller>"


def iscsi(inside: str = HOST, name: str = "iqn.2026-01.com.example:san/1") -> str:
    return f"<source protocol='iscsi' name='{name}'>{inside}</source>"


def vhost(source: str = "<source protocol='vhost' wwpn='naa.5123456789abcde0'/>", inside: str = "") -> str:
    return f"<hostdev mode='subsystem' type='scsi_host'>{source}{inside}</hostdev>"


_LUN = VIRTIO_SCSI + lun()
_DISK = VIRTIO_SCSI + disk()
_HOSTDEV = VIRTIO_SCSI + hostdev(f"<source>{HOST_DEVICE}</source>")
_AUTH = "<host name='192.0.2.9' port='3260'/><auth username='vm1'>{}</auth>"
_HELPER = "<source type='unix' path='/run/qemu-pr-helper.sock' mode='client'/>"


def _reserved(inside: str) -> str:
    source = f"<source dev='/dev/disk/by-id/wwn-0x5000c500a1b2c3d4'>{inside}</source>"
    return VIRTIO_SCSI + lun(source=source)


CASES: tuple[Case, ...] = (
    Case(
        "lun-source",
        VIRTIO_SCSI + lun(attributes="type='file'", source="<source file='/srv/a.img'/>"),
        VIRTIO_SCSI + lun(attributes="type='network'", source=iscsi()),
    ),
    Case("lun-source", VIRTIO_SCSI + lun(source=""), _LUN),
    Case(
        "lun-source",
        VIRTIO_SCSI
        + lun(
            attributes="type='network'",
            source="<source protocol='nbd'><host name='h' port='10809'/></source>",
        ),
        _LUN,
    ),
    Case("lun-device", VIRTIO_SCSI + lun(source="<source dev='/dev/loop0'/>"), _LUN),
    Case("lun-format", VIRTIO_SCSI + lun(driver="type='qcow2'"), _LUN),
    Case("lun-bus", lun(target="dev='vda' bus='virtio'", address=""), _LUN),
    Case("lun-bus", lun(target="dev='vda'", address=""), _LUN, machine="pc-i440fx-7.2"),
    Case(
        "lun-virtio-old-machine",
        lun(target="dev='vda' bus='virtio'", address=""),
        _LUN,
        machine="pc-i440fx-2.6",
    ),
    Case("lun-serial", VIRTIO_SCSI + lun("<serial>A1</serial>"), _LUN),
    Case("lun-wwn", VIRTIO_SCSI + lun("<wwn>5000c50015ea71ad</wwn>"), _LUN),
    Case("lun-vendor", VIRTIO_SCSI + lun("<vendor>SEAGATE</vendor>"), _LUN),
    Case("lun-product", VIRTIO_SCSI + lun("<product>ST3146707LC</product>"), _LUN),
    Case("lun-blockio", VIRTIO_SCSI + lun("<blockio logical_block_size='4096'/>"), _LUN),
    Case("lun-geometry", VIRTIO_SCSI + lun("<geometry cyls='16383' heads='16' secs='63'/>"), _LUN),
    Case(
        "lun-iotune",
        VIRTIO_SCSI + lun("<iotune><total_iops_sec>1000</total_iops_sec></iotune>"),
        _LUN,
    ),
    Case(
        "lun-encryption",
        VIRTIO_SCSI
        + lun(
            "<encryption format='luks'>"
            "<secret type='passphrase' uuid='0a81f5b2-8403-7b23-c8d6-21ccc2f80d6f'/></encryption>"
        ),
        _LUN,
    ),
    Case(
        "lun-source-encryption",
        _reserved(
            "<encryption format='luks'>"
            "<secret type='passphrase' uuid='0a81f5b2-8403-7b23-c8d6-21ccc2f80d6f'/></encryption>"
        ),
        _LUN,
    ),
    Case("lun-slices", _reserved("<slices><slice type='storage' offset='0' size='4096'/></slices>"), _LUN),
    Case("lun-copy-on-read", VIRTIO_SCSI + lun(driver="type='raw' copy_on_read='on'"), _LUN),
    Case(
        "lun-iothread",
        VIRTIO_SCSI + lun(driver="type='raw' iothread='1'"),
        model("virtio-scsi", "<driver iothread='1'/>") + lun(),
        "<iothreads>1</iothreads>",
        "<iothreads>1</iothreads>",
    ),
    Case(
        "lun-queues",
        VIRTIO_SCSI + lun(driver="type='raw' queues='2'"),
        model("virtio-scsi", "<driver queues='2'/>") + lun(),
    ),
    Case("lun-transient", VIRTIO_SCSI + lun("<transient/>"), _LUN),
    Case(
        "lun-throttlefilters",
        VIRTIO_SCSI + lun("<throttlefilters><throttlefilter group='slow'/></throttlefilters>"),
        _LUN,
    ),
    Case(
        "lun-backing-store",
        VIRTIO_SCSI
        + lun("<backingStore type='file'><format type='raw'/><source file='/srv/base.img'/></backingStore>"),
        VIRTIO_SCSI + lun("<backingStore/>"),
    ),
    Case("lun-readonly", VIRTIO_SCSI + lun("<readonly/>"), VIRTIO_SCSI + lun("<shareable/>")),
    Case(
        "lun-cache",
        VIRTIO_SCSI + lun(driver="type='raw' cache='writeback'"),
        VIRTIO_SCSI + lun(driver="type='raw' cache='none' io='native' discard='unmap' error_policy='stop'"),
    ),
    Case(
        "lun-reservations",
        _reserved("<reservations managed='no'/>"),
        _reserved("<reservations managed='yes'/>"),
    ),
    Case(
        "lun-reservations",
        _reserved("<reservations managed='no'><source type='unix' mode='client'/></reservations>"),
        _reserved(f"<reservations managed='no'>{_HELPER}</reservations>"),
    ),
    Case(
        "lun-reservations",
        _reserved(f"<reservations managed='yes'>{_HELPER.replace('client', 'server')}</reservations>"),
        _reserved(f"<reservations managed='yes'>{_HELPER}</reservations>"),
    ),
    Case("lun-reservations", _reserved("<reservations/>"), _reserved("<reservations managed='yes'/>")),
    Case(
        "rawio-lun",
        VIRTIO_SCSI + disk(attributes="rawio='yes'"),
        VIRTIO_SCSI + lun(attributes="type='block' rawio='yes'"),
    ),
    Case(
        "sgio-lun",
        VIRTIO_SCSI + disk(attributes="sgio='filtered'"),
        VIRTIO_SCSI + lun(attributes="type='block' sgio='filtered'"),
    ),
    Case(
        "sgio-unfiltered",
        VIRTIO_SCSI + lun(attributes="type='block' sgio='unfiltered'"),
        VIRTIO_SCSI + lun(attributes="type='block' rawio='yes'"),
    ),
    Case(
        "reservations-lun",
        VIRTIO_SCSI + disk(inside="<reservations managed='yes'/>"),
        _reserved("<reservations managed='yes'/>"),
    ),
    Case(
        "reservations-block",
        VIRTIO_SCSI + lun(attributes="type='network'", source=iscsi(f"{HOST}<reservations managed='yes'/>")),
        VIRTIO_SCSI + lun(attributes="type='network'", source=iscsi()),
    ),
    Case("scsi-address-type", VIRTIO_SCSI + disk("<address type='pci' bus='0' slot='9'/>"), _DISK),
    Case("scsi-channel", VIRTIO_SCSI + disk(at(bus=1)), _DISK),
    Case("scsi-target", LSI + disk(at(target=1)), LSI + disk(at(unit=1))),
    Case(
        "scsi-target",
        model("am53c974") + disk(at(target=1)),
        model("am53c974") + disk(at(unit=1)),
        libvirt="accepted",
    ),
    Case("scsi-id-limit", LSI + disk(at(unit=8)), VIRTIO_SCSI + disk(at(target=8))),
    Case(
        "scsi-id-limit", model("lsisas1078") + disk(at(target=65)), model("lsisas1078") + disk(at(target=64))
    ),
    Case("scsi-id-limit", model("am53c974") + disk(at(unit=8)), model("am53c974") + disk(at(unit=6))),
    Case("scsi-lun-limit", model("vmpvscsi") + disk(at(unit=1)), model("vmpvscsi") + disk(at(target=1))),
    Case("scsi-lun-limit", model("lsisas1068") + disk(at(unit=2)), model("lsisas1068") + disk(at(unit=1))),
    Case("scsi-lun-limit", VIRTIO_SCSI + disk(at(unit=16384)), VIRTIO_SCSI + disk(at(unit=16383))),
    Case("scsi-initiator", LSI + disk(at(unit=7)), LSI + disk(at(unit=6))),
    Case(
        "scsi-address-unique",
        VIRTIO_SCSI + disk(at(3)) + disk(at(3), name="sdb"),
        VIRTIO_SCSI + disk(at(3)) + disk(at(3, 1), name="sdb"),
    ),
    Case(
        "scsi-address-unique",
        VIRTIO_SCSI + disk(at(3)) + hostdev(f"<source>{HOST_DEVICE}</source>", address=at(3)),
        VIRTIO_SCSI + disk(at(3)) + hostdev(f"<source>{HOST_DEVICE}</source>", address=at(2)),
    ),
    Case("scsi-controller-declared", disk(), _DISK),
    Case("scsi-address-digits", VIRTIO_SCSI + disk(at(100)), VIRTIO_SCSI + disk(at(99))),
    Case("scsi-model", model("buslogic") + disk(), model("lsisas1078") + disk()),
    Case("scsi-model-dc390", model("dc390") + disk(), model("am53c974") + disk()),
    Case("scsi-model-board", model("ibmvscsi") + disk(), model("vmpvscsi") + disk(), libvirt="not started"),
    Case("scsi-model-board", model("ncr53c90") + disk(), model("vmpvscsi") + disk()),
    Case(
        "scsi-driver",
        model("lsilogic", "<driver queues='4'/>") + disk(),
        model("virtio-scsi", "<driver queues='4' cmd_per_lun='64' max_sectors='512' ioeventfd='on'/>")
        + disk(),
    ),
    Case(
        "scsi-driver",
        model("lsisas1078", "<driver iothread='1'/>") + disk(),
        model("virtio-scsi", "<driver iothread='1'/>") + disk(),
        "<iothreads>1</iothreads>",
        "<iothreads>1</iothreads>",
    ),
    Case(
        "scsi-iothread",
        model("virtio-scsi", "<driver iothread='3'/>") + disk(),
        model("virtio-scsi", "<driver iothread='3'/>") + disk(),
        "<iothreads>2</iothreads>",
        "<iothreads>2</iothreads><iothreadids><iothread id='3'/></iothreadids>",
    ),
    Case("scsi-controller-index", VIRTIO_SCSI + LSI, VIRTIO_SCSI + LSI.replace("index='0'", "index='1'")),
    Case("hostdev-scsi-source", VIRTIO_SCSI + hostdev("<source/>"), _HOSTDEV),
    Case(
        "hostdev-scsi-adapter",
        VIRTIO_SCSI
        + hostdev("<source><adapter name='host2'/><address bus='0' target='1' unit='0'/></source>"),
        _HOSTDEV,
    ),
    Case(
        "hostdev-scsi-address",
        VIRTIO_SCSI + hostdev("<source><adapter name='scsi_host2'/></source>"),
        _HOSTDEV,
    ),
    Case("hostdev-scsi-iscsi", VIRTIO_SCSI + hostdev(iscsi("")), VIRTIO_SCSI + hostdev(iscsi())),
    Case(
        "iscsi-secret",
        VIRTIO_SCSI + hostdev(iscsi(_AUTH.format(""))),
        VIRTIO_SCSI
        + hostdev(iscsi(_AUTH.format("<secret type='iscsi' uuid='0a81f5b2-8403-7b23-c8d6-21ccc2f80d6f'/>"))),
    ),
    Case(
        "iscsi-secret",
        VIRTIO_SCSI
        + lun(attributes="type='network'", source=iscsi(_AUTH.format("<secret type='ceph' usage='a'/>"))),
        VIRTIO_SCSI
        + lun(attributes="type='network'", source=iscsi(_AUTH.format("<secret type='iscsi' usage='a'/>"))),
    ),
    Case(
        "scsi-model-firmware",
        "<controller type='scsi' index='0' model='am53c974'/>" + lun(address=at(unit=3)),
        "<controller type='scsi' index='0' model='am53c974'/>" + disk(at(unit=3)),
    ),
    Case(
        "hostdev-scsi-twice",
        _HOSTDEV + hostdev(f"<source>{HOST_DEVICE}</source>", address=at(1)),
        _HOSTDEV + hostdev(f"<source>{OTHER_DEVICE}</source>", address=at(1)),
    ),
    Case(
        "hostdev-scsi-twice",
        VIRTIO_SCSI + hostdev(iscsi()) + hostdev(iscsi(), address=at(1)),
        VIRTIO_SCSI + hostdev(iscsi()),
    ),
    Case("hostdev-scsi-twice", vhost() * 2, vhost()),
    Case(
        "hostdev-scsi-managed",
        VIRTIO_SCSI + hostdev(f"<source>{HOST_DEVICE}</source>", attributes="managed='yes'"),
        VIRTIO_SCSI + hostdev(f"<source>{HOST_DEVICE}</source>", attributes="managed='no'"),
    ),
    Case("scsi-host-source", vhost("<source protocol='vhost' wwpn='5123456789abcde0'/>"), vhost()),
    Case("scsi-host-source", vhost("<source protocol='vhost' wwpn='naa.512345678'/>"), vhost()),
    Case("scsi-host-source", "<hostdev mode='subsystem' type='scsi_host'/>", vhost()),
    Case("hostdev-scsi-source", VIRTIO_SCSI + hostdev(""), _HOSTDEV),
    Case(
        "hostdev-scsi-source",
        VIRTIO_SCSI + hostdev("<source protocol='vhost' wwpn='naa.5123456789abcde0'/>"),
        _HOSTDEV,
    ),
    Case(
        "hostdev-scsi-address",
        VIRTIO_SCSI + hostdev("<source><adapter name='scsi_host2'/><address bus='0' target='1'/></source>"),
        _HOSTDEV,
    ),
    Case(
        "hostdev-scsi-address",
        VIRTIO_SCSI
        + hostdev("<source><adapter name='scsi_host2'/><address bus='0x00' target='1' unit='0'/></source>"),
        _HOSTDEV,
    ),
    Case(
        "hostdev-scsi-iscsi",
        VIRTIO_SCSI + hostdev(f"<source protocol='iscsi'>{HOST}</source>"),
        VIRTIO_SCSI + hostdev(iscsi()),
    ),
    Case(
        "scsi-host-address",
        VIRTIO_SCSI + vhost(inside=at(3)),
        vhost(inside="<address type='pci' domain='0x0000' bus='0x00' slot='0x09' function='0x0'/>"),
    ),
    Case("scsi-host-boot", vhost(inside="<boot order='1'/>"), vhost()),
    *(Case(*each) for each in CHOICES),
)


_MEMORY = "<memory unit='KiB'>65536</memory>"
_USB = "<controller type='usb' model='none'/>"
_BALLOON = "<memballoon model='none'/>"


def document(devices: str, outside: str = "", machine: str = "pc", os: str = "", name: str = "judged") -> str:
    """Give a whole domain; what libvirt would add by itself is not wanted where a case does not name it."""
    memory = "" if "<memory " in outside else _MEMORY
    usb = "" if "type='usb'" in devices and "<controller" in devices else _USB
    balloon = "" if "<memballoon" in devices else _BALLOON
    return (
        f"<domain type='qemu'><name>{name}</name>{memory}"
        f"{outside}<os><type arch='x86_64' machine='{machine}'>hvm</type>{os}</os>"
        f"<devices>{devices}{usb}{balloon}</devices>"
        "</domain>"
    )
