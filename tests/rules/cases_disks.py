"""Rules of names, places and buses of disks: a way to break each, and the same done right."""

from __future__ import annotations

from tests.rules.cases import Case

FOLDER = "/srv/judged"
XHCI = "<controller type='usb' index='0' model='qemu-xhci'/>"
VIRTIO_SCSI = "<controller type='scsi' index='0' model='virtio-scsi'/>"


def disk(
    name: str = "vda",
    bus: str = "virtio",
    inside: str = "",
    *,
    image: str = "a",
    device: str = "disk",
    attributes: str = "",
    driver: str = "type='raw'",
    target: str = "",
    source: str = "",
) -> str:
    return (
        f"<disk type='file' device='{device}' {attributes}><driver name='qemu' {driver}/>"
        f"<source file='{FOLDER}/{image}.img'>{source}</source><target dev='{name}' bus='{bus}' {target}/>"
        f"{inside}</disk>"
    )


def second(name: str = "vdb", bus: str = "virtio", inside: str = "", **more: str) -> str:
    return disk(name, bus, inside, image="b", **more)


def at(controller: int = 0, bus: int = 0, target: int = 0, unit: int = 0) -> str:
    return f"<address type='drive' controller='{controller}' bus='{bus}' target='{target}' unit='{unit}'/>"


def alias(name: str) -> str:
    return f"<alias name='{name}'/>"


_PCI = "<address type='pci' slot='0x05'/>"
_HOST_PCI = (
    "<hostdev mode='subsystem' type='pci' managed='no'><source><address domain='0' bus='{0}' slot='0' "
    "function='0'/></source></hostdev>"
)
_HOST_USB = (
    "<hostdev mode='subsystem' type='usb'><source><vendor id='0x1234'/><product id='{0}'/></source></hostdev>"
)
_ORDER = "<boot order='{0}'/>"
_FIRST = _ORDER.format(1)

CASES: tuple[Case, ...] = (
    Case("disk-target-unique", disk() + second("vda"), disk() + second()),
    Case(
        "disk-target-unique",
        disk("sda", "sata") + second("sda", "scsi"),
        disk("sda", "sata") + VIRTIO_SCSI + second("sdb", "scsi"),
    ),
    Case("disk-target-name", disk("vda1"), disk("vdaa")),
    Case("disk-target-name", disk("hd1", "ide"), disk("hdd", "ide")),
    Case("disk-target-name", disk("sda", "fdc", device="floppy"), disk("fda", "fdc", device="floppy")),
    Case(
        "alias-unique",
        disk(inside=alias("ua-root")) + second(inside=alias("ua-root")),
        disk(inside=alias("ua-root")) + second(inside=alias("ua-data")),
    ),
    Case("alias-kept", disk(inside=alias("root")), disk(inside=alias("ua-root"))),
    Case("alias-kept", disk(inside=alias("ua-root.1")), disk(inside=alias("ua-root_1"))),
    Case(
        "boot-order-unique",
        disk(inside=_FIRST) + second(inside=_ORDER.format("01")),
        disk(inside=_FIRST) + second(inside=_ORDER.format(2)),
    ),
    Case("boot-order-os", disk(inside=_FIRST), disk(inside=_FIRST), os="<boot dev='hd'/>"),
    Case(
        "controller-index-unique",
        "<controller type='virtio-serial' index='0'/>" * 2,
        "<controller type='virtio-serial' index='0'/><controller type='sata' index='0'/>",
    ),
    Case("disk-source-unique", disk() + disk("vdb"), disk() + second()),
    Case(
        "disk-source-unique",
        disk() + disk("vdb", inside="<readonly/>"),
        disk(inside="<readonly/>") + disk("vdb", inside="<readonly/>"),
    ),
    Case(
        "disk-source-unique",
        disk(inside="<shareable/>") + disk("vdb"),
        disk(inside="<shareable/>") + disk("vdb", inside="<shareable/>"),
    ),
    Case("hostdev-unique", _HOST_PCI.format("5") + _HOST_PCI.format("0x05"), _HOST_PCI.format("5")),
    Case(
        "hostdev-unique",
        XHCI + _HOST_USB.format("0x5678") * 2,
        XHCI + _HOST_USB.format("0x5678") + _HOST_USB.format("0x5679"),
    ),
    Case("disk-address-type", disk("hda", "ide", _PCI), disk("hda", "ide", at())),
    Case("disk-address-type", disk(inside=at()), disk(inside=_PCI)),
    Case("disk-address-type", XHCI + disk("sda", "usb", at()), XHCI + disk("sda", "usb")),
    Case("drive-address", disk("hda", "ide", at(1)), disk("hda", "ide", at(bus=1))),
    Case("drive-address", disk("hda", "ide", at(target=1)), disk("hda", "ide", at(unit=1))),
    Case("drive-address", disk("hde", "ide"), disk("hdd", "ide")),
    Case(
        "drive-address",
        disk("fda", "fdc", at(bus=1), device="floppy"),
        disk("fda", "fdc", at(unit=1), device="floppy"),
    ),
    Case("drive-address", disk("sda", "sata", at(bus=1)), disk("sda", "sata", at(1))),
    Case("drive-place", disk("hda", "ide", at(bus=2)), disk("hda", "ide", at(bus=1))),
    Case("drive-place", disk("hda", "ide", at(unit=2)), disk("hda", "ide", at(unit=1))),
    Case(
        "drive-place",
        disk("fda", "fdc", at(unit=2), device="floppy"),
        disk("fda", "fdc", at(unit=1), device="floppy"),
    ),
    Case("drive-place", disk("sda", "sata", at(unit=6)), disk("sda", "sata", at(unit=5))),
    Case(
        "drive-address-unique",
        disk("sda", "sata", at(unit=1)) + second("sdc", "sata", at(unit=1)),
        disk("sda", "sata", at(unit=1)) + second("sdc", "sata", at(unit=2)),
    ),
    Case(
        "drive-address-unique",
        disk("sda", "sata", at(unit=1)) + second("sdb", "sata"),
        disk("sda", "sata", at(unit=1)) + second("sdc", "sata"),
    ),
    Case(
        "drive-address-unique",
        disk("sda", "scsi", at(unit=1)) + VIRTIO_SCSI + second("sdb", "scsi"),
        disk("sda", "scsi", at(target=1)) + VIRTIO_SCSI + second("sdb", "scsi"),
    ),
    Case("ide-board", disk("hda", "ide"), disk("sda", "sata"), machine="q35", machine_right="q35"),
    Case(
        "ide-board",
        "<controller type='ide' index='0'/>",
        "<controller type='sata' index='1'/>",
        machine="q35",
        machine_right="q35",
    ),
    Case("ide-controller", "<controller type='ide' index='1'/>", "<controller type='ide' index='0'/>"),
    Case("disk-floppy", disk("fda", "ide", device="floppy"), disk("fda", "fdc", device="floppy")),
    Case(
        "disk-floppy",
        disk("sda", "fdc"),
        disk("fdb", "fdc", device="floppy"),
        machine_right="q35",
    ),
    Case("disk-cdrom-bus", disk(device="cdrom"), disk("sda", "sata", device="cdrom")),
    Case("disk-cdrom-bus", disk(device="cdrom"), XHCI + disk("sda", "usb", device="cdrom")),
    Case("disk-bus", disk("sda", "sd"), disk("sda", "sata")),
    Case("disk-bus", disk("xvda", "xen"), disk("xvda", "virtio")),
    Case("disk-readonly", disk("sda", "sata", "<readonly/>"), disk(inside="<readonly/>")),
)
