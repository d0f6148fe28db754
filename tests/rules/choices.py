"""For each row of each choice: a device that is told as the row wants it, and which libvirt takes."""

from __future__ import annotations

from typing import NamedTuple

from virtxlate.rules import address_choice, network_choice, storage_choice
from virtxlate.rules.choice import Choice

_UUID = "c2177883-f1bb-47f0-914d-32a22e3a8804"
_HOST = "<host name='192.0.2.9'/>"
_USB = "<vendor id='0x1234'/><product id='0xbeef'/>"
_PCI = "<address domain='0x0000' bus='0x01' slot='0x02' function='0x0'/>"
_TYPED_PCI = _PCI.replace("domain", "type='pci' domain", 1)


class Told(NamedTuple):
    """A choice by the id of its rule, and a device for each word."""

    rule: str
    choice: Choice
    devices: dict[str, str]


def _disk(kind: str, source: str) -> str:
    return f"<disk type='{kind}'>{source}<target dev='vda' bus='virtio'/></disk>"


def _over(protocol: str, inside: str = _HOST, name: str = "name='a/b'") -> str:
    return _disk("network", f"<source protocol='{protocol}' {name}>{inside}</source>")


def _addressed(kind: str, numbers: str = "") -> str:
    device = "panic model='isa'" if kind == "isa" else "rng model='virtio'"
    inside = "" if kind == "isa" else "<backend model='random'/>"
    return f"<{device}>{inside}<address type='{kind}' {numbers}/></{device.split(maxsplit=1)[0]}>"


def _interface(kind: str, source: str) -> str:
    return f"<interface type='{kind}'>{source}</interface>"


def _hostdev(kind: str, source: str, attributes: str = "mode='subsystem'") -> str:
    return f"<hostdev {attributes} type='{kind}'><source{source}</source></hostdev>"


DISKS = {
    "file": _disk("file", "<source file='/a'/>"),
    "block": _disk("block", "<source dev='/dev/a'/>"),
    "dir": _disk("dir", "<source dir='/a'/>"),
    "network": _over("nbd"),
    "volume": _disk("volume", "<source pool='a' volume='b'/>"),
    "nvme": _disk("nvme", f"<source type='pci' managed='yes' namespace='1'>{_PCI}</source>"),
    "vhostuser": _disk("vhostuser", "<source type='unix' path='/a'/>"),
}
PROTOCOLS = {
    "nbd": _over("nbd", name=""),
    "gluster": _over("gluster"),
    "rbd": _over("rbd"),
    "iscsi": _over("iscsi"),
    "http": _over("http"),
    "https": _over("https"),
    "ftp": _over("ftp"),
    "ftps": _over("ftps"),
    "tftp": _over("tftp"),
    "sheepdog": _over("sheepdog"),
    "nfs": _over("nfs", _HOST + "<identity user='a' group='b'/>"),
    "vxhs": _over("vxhs"),
}
ADDRESSES = {
    "pci": _addressed("pci", "domain='0x0000' bus='0x00' slot='0x0c' function='0x0'"),
    "drive": _addressed("drive", "controller='0' bus='0' target='0' unit='0'"),
    "virtio-serial": _addressed("virtio-serial", "controller='0' bus='0' port='1'"),
    "ccid": _addressed("ccid", "controller='0' slot='0'"),
    "usb": _addressed("usb", "bus='0' port='1'"),
    "isa": _addressed("isa", "iobase='0x505'"),
    "spapr-vio": _addressed("spapr-vio", "reg='0x1000'"),
    "ccw": _addressed("ccw", "cssid='0xfe' ssid='0x0' devno='0x0001'"),
    "dimm": _addressed("dimm", "slot='0' base='0x100000000'"),
    "virtio-mmio": _addressed("virtio-mmio"),
    "unassigned": _addressed("unassigned"),
}
CONTROLLERS = {
    "scsi": "<controller type='scsi' index='0' model='virtio-scsi'/>",
    "ide": "<controller type='ide' index='0' model='piix3'/>",
    "sata": "<controller type='sata' index='0'/>",
    "fdc": "<controller type='fdc' index='0'/>",
    "ccid": "<controller type='ccid' index='0'/>",
    "isa": "<controller type='isa' index='0'/>",
    "nvme": "<controller type='nvme' index='0'><serial>a</serial></controller>",
    "usb": "<controller type='usb' index='0' model='qemu-xhci' ports='8'/>",
    "virtio-serial": "<controller type='virtio-serial' index='0' ports='16' vectors='4'/>",
    "xenbus": "<controller type='xenbus' index='0' maxGrantFrames='64'/>",
    "pci": "<controller type='pci' index='0' model='pci-root'><pcihole64>1</pcihole64></controller>",
}
GRAPHICS = {
    "vnc": "<graphics type='vnc' port='5901' autoport='no' websocket='-1' sharePolicy='ignore'/>",
    "spice": "<graphics type='spice' port='5901' tlsPort='5902'><image compression='off'/></graphics>",
    "rdp": "<graphics type='rdp' port='5901' multiUser='yes'/>",
    "sdl": "<graphics type='sdl' display=':0' fullscreen='no'/>",
    "desktop": "<graphics type='desktop' display=':0'/>",
    "egl-headless": "<graphics type='egl-headless'><gl rendernode='/dev/dri/a'/></graphics>",
    "dbus": "<graphics type='dbus' p2p='yes'/>",
}
LISTENS = {
    word: f"<graphics type='vnc' port='5901'><listen type='{word}' {rest}/></graphics>"
    for word, rest in {
        "address": "address='127.0.0.1'",
        "network": "network='default'",
        "socket": "socket='/a'",
        "none": "",
    }.items()
}
INTERFACES = {
    "bridge": _interface("bridge", "<source bridge='br0'/>"),
    "network": _interface("network", "<source network='default'/>"),
    "direct": _interface("direct", "<source dev='eth0' mode='bridge'/>"),
    "ethernet": _interface("ethernet", "<source><ip address='192.0.2.1'/></source>"),
    "vhostuser": _interface("vhostuser", "<source type='unix' path='/a' mode='client'/>"),
    "user": _interface("user", "<source dev='eth0'/>"),
    "internal": _interface("internal", "<source name='a'/>"),
    "client": _interface("client", "<source address='192.0.2.1' port='5558'/>"),
    "server": _interface("server", "<source port='5558'/>"),
    "mcast": _interface("mcast", "<source address='230.0.0.1' port='5558'/>"),
    "udp": _interface(
        "udp", "<source address='192.0.2.1' port='5558'><local address='192.0.2.2' port='5559'/></source>"
    ),
    "hostdev": _interface("hostdev", f"<source>{_TYPED_PCI}</source>"),
    "vdpa": _interface("vdpa", "<source dev='/dev/vhost-vdpa-0'/>"),
    "vds": _interface("vds", f"<source switchid='{_UUID}' portid='1' portgroupid='a' connectionid='1'/>"),
}
_CAPABILITY = "mode='capabilities'"
HOSTDEVS = {
    "usb": _hostdev("usb", f" startupPolicy='optional'>{_USB}"),
    "pci": _hostdev("pci", f">{_PCI}"),
    "scsi": _hostdev("scsi", "><adapter name='scsi_host0'/><address bus='0' target='0' unit='0'/>"),
    "scsi_host": _hostdev("scsi_host", " protocol='vhost' wwpn='naa.5123456789abcde0'>"),
    "mdev": _hostdev("mdev", f"><address uuid='{_UUID}'/>", "mode='subsystem' model='vfio-pci'"),
    "storage": _hostdev("storage", "><block>/dev/sdb</block>", _CAPABILITY),
    "misc": _hostdev("misc", "><char>/dev/input/event3</char>", _CAPABILITY),
    "net": _hostdev("net", "><interface>eth0</interface>", _CAPABILITY),
}
HOST_ADDRESSES = {
    **{word: HOSTDEVS[word] for word in ("pci", "scsi", "mdev")},
    "usb": _hostdev("usb", "><address bus='1' device='2'/>"),
}

TOLD = (
    Told("disk-source", storage_choice.DISK_SOURCE, DISKS),
    Told(
        "disk-source-missing", storage_choice.DISK, {word: DISKS[word] for word in ("network", "vhostuser")}
    ),
    Told("disk-protocol", storage_choice.PROTOCOL, PROTOCOLS),
    Told("address-fields", address_choice.ADDRESS, ADDRESSES),
    Told("controller-options", address_choice.CONTROLLER, CONTROLLERS),
    Told("graphics-options", address_choice.GRAPHICS, GRAPHICS),
    Told("graphics-listen", address_choice.LISTEN, LISTENS),
    Told("interface-source", network_choice.INTERFACE_SOURCE, INTERFACES),
    Told(
        "interface-source-missing",
        network_choice.INTERFACE,
        {word: INTERFACES[word] for word in network_choice.INTERFACE.rows},
    ),
    Told("hostdev-source", network_choice.HOSTDEV_SOURCE, HOSTDEVS),
    Told("hostdev-address", network_choice.HOST_ADDRESS, HOST_ADDRESSES),
    Told("hostdev-options", network_choice.HOSTDEV, HOSTDEVS),
)

NEWER = {("controller-options", "nvme")}
"""Rule and word: what libvirt 9.0.0 does not know at all."""
_VNC = "<graphics type='vnc' port='-1' autoport='yes' {}/>"
_RIGHT_HOSTDEV = "<controller type='scsi' index='0' model='virtio-scsi'/>" + _hostdev(
    "scsi", " protocol='iscsi' name='iqn.2026-01.com.example:san/1'><host name='192.0.2.9' port='3260'/>"
)
BROKEN = (
    (
        "disk-source",
        _disk("block", "<source file='/a'/>"),
        "<disk type='file' device='cdrom'><target dev='sda' bus='scsi'/></disk>",
    ),
    (
        "disk-source-missing",
        _disk("network", ""),
        "<disk device='cdrom'><target dev='hda' bus='ide'/></disk>",
    ),
    (
        "disk-protocol",
        _over("nbd", f"{_HOST}<cookies><cookie name='a'>b</cookie></cookies>", ""),
        "<disk device='cdrom'><target dev='hda' bus='ide'/></disk>",
    ),
    (
        "address-fields",
        _addressed("pci", "slot='0x0c' target='0'"),
        _addressed("pci", "slot='0x0c'"),
    ),
    (
        "controller-options",
        "<controller type='ide' index='0' ports='2'/>",
        "<controller type='ide' index='0'/>",
    ),
    (
        "controller-model",
        "<controller type='ide' index='0' model='ich9-uhci1'/>",
        "<controller type='ide' index='0'/>",
    ),
    (
        "controller-pcihole64",
        "<controller type='pci' index='1' model='pci-bridge'><pcihole64>1</pcihole64></controller>",
        "<controller type='pci' index='1' model='pci-bridge'/>",
    ),
    ("graphics-options", _VNC.format("tlsPort='-1'"), _VNC.format("")),
    ("graphics-socket", _VNC.format("socket='/a'"), _VNC.format("")),
    ("graphics-connected", _VNC.format("connected='fail'"), _VNC.format("connected='keep'")),
    (
        "graphics-listen",
        "<graphics type='vnc'><listen type='none' socket='/a'/></graphics>",
        "<graphics type='vnc'><listen type='none'/></graphics>",
    ),
    ("interface-source", INTERFACES["bridge"].replace("bridge=", "network="), "<interface type='user'/>"),
    ("interface-source-missing", _interface("network", ""), "<interface type='user'/>"),
    ("hostdev-source", _hostdev("pci", "><block>/a</block>"), _RIGHT_HOSTDEV),
    ("hostdev-address", _hostdev("pci", "><address bus='1' device='2'/>"), _RIGHT_HOSTDEV),
    ("hostdev-options", HOSTDEVS["pci"].replace("mode=", "display='on' mode="), _RIGHT_HOSTDEV),
)
"""A rule, devices that break it, and devices that do not and that start on any host."""
