"""Disks on neither SCSI nor virtio: where IDE, SATA and floppy disks may stand, and on which board."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from lxml import etree

from virtxlate.rules.identity import twins
from virtxlate.rules.rule import Document, Fault, Place, Rule, bus_of, child, listed, number, place_of

_TYPES = {
    "ide": ("drive",),
    "sata": ("drive",),
    "fdc": ("drive",),
    "usb": ("usb",),
    "virtio": ("pci", "ccw", "virtio-mmio"),
}
_OTHERS = ("pci", "drive", "usb", "virtio-serial", "ccid", "isa", "dimm", "spapr-vio")
_ABSENT = ("sd", "xen", "uml")
_NOT_EJECTABLE = ("virtio", "sd")
_NOT_READ_ONLY = ("ide", "sata")


class _Shape(NamedTuple):
    """The places of a bus."""

    controllers: int | None
    """How many there can be; None where more can be added."""
    buses: int
    units: int

    def most(self, name: str) -> int | None:
        """Give the highest number of a part of the address."""
        counts = {"controller": self.controllers, "bus": self.buses, "target": 1, "unit": self.units}
        count = counts[name]
        return None if count is None else count - 1


_SHAPES = {"ide": _Shape(1, 2, 2), "fdc": _Shape(1, 1, 2), "sata": _Shape(None, 1, 6)}
_PER_CONTROLLER = {"ide": 4, "fdc": 2, "sata": 6, "scsi": 7}
"""How many names libvirt counts for a controller, where it makes the address of the name."""


def _index_of(name: str) -> int | None:
    """Give the number of a disk's name: sda is 0, sdaa 26."""
    letters = name.removeprefix("ioemu:").removeprefix("x")[2:]
    index = 0
    for letter in letters:
        if not "a" <= letter <= "z":
            return None
        index = index * 26 + ord(letter) - ord("a") + 1
    return index - 1 if index else None


def _own(disk: etree._Element, bus: str) -> Place | None:
    """Give the place that libvirt makes of the name of a disk without an address."""
    target = child(disk, "target")
    index = None if target is None else _index_of(target.get("dev", ""))
    if index is None or child(disk, "address") is not None:
        return None
    controller, rest = divmod(index, _PER_CONTROLLER[bus])
    return Place(controller, *((rest // 2, 0, rest % 2) if bus == "ide" else (0, 0, rest)))


@listed
def _placed(document: Document) -> Iterator[tuple[etree._Element, str, Place, bool]]:
    """Give each disk with a drive address, its bus and place, and whether the document says where."""
    for disk in document.disks:
        bus = bus_of(disk)
        if bus in _PER_CONTROLLER:
            told = place_of(disk)
            place = told or _own(disk, bus)
            if place is not None:
                yield disk, bus, place, told is not None


def _type(document: Document) -> Iterator[Fault]:
    for disk in document.disks:
        address, known = child(disk, "address"), _TYPES.get(bus_of(disk))
        if address is None or known is None:
            continue
        if address.get("type") in _OTHERS and address.get("type") not in known:
            says = f"a disk on {bus_of(disk)} has an address of type {' or '.join(known)}"
            yield Fault(
                address, "/@type", address.get("type"), known, f"{says}; found {address.get('type')!r}"
            )


def _beyond(document: Document, names: tuple[str, ...], *, refused: bool) -> Iterator[Fault]:
    for disk, bus, place, told in _placed(document):
        shape = _SHAPES.get(bus)
        for name in names if shape is not None else ():
            most, found = shape.most(name) if shape is not None else None, getattr(place, name)
            if most is not None and found > most and (not most) is refused:
                last = f"has {name} 0 to {most}" if most else f"has only {name} 0"
                if told:
                    yield Fault(disk, f"/address/@{name}", str(found), (), f"{bus} {last}; found {found}")
                else:
                    says = f"{bus} {last}; libvirt makes {name} {found} of the disk's name"
                    yield Fault(disk, "/target/@dev", str(found), (), says)


def _address(document: Document) -> Iterator[Fault]:
    return _beyond(document, Place._fields, refused=True)


def _place(document: Document) -> Iterator[Fault]:
    return _beyond(document, Place._fields, refused=False)


def _twice(document: Document) -> Iterator[Fault]:
    placed = _placed(document)
    told = {disk for disk, _bus, _place, is_told in placed if is_told}
    for disk, first in twins(((bus, place), disk) for disk, bus, place, _told in placed):
        if disk in told and first in told and bus_of(disk) == "scsi":
            continue  # which has a rule of its own, by the model of the controller
        says = f"the place on {bus_of(disk)} is that of {document.path(first)} too"
        if disk in told and first in told:
            yield Fault(disk, "/address", None, (), says)
        else:
            yield Fault(disk, "/target/@dev", None, (), f"{says}: libvirt makes one of the names of disks")


def _ide_board(document: Document) -> Iterator[Fault]:
    if document.board == "q35":
        for disk in document.disks:
            if bus_of(disk) == "ide":
                yield Fault(disk, "/target/@bus", "ide", ("sata", "virtio", "scsi", "usb"))
        for controller in document.controllers("ide"):
            yield Fault(controller, "/@type", "ide", ("sata",))


def _ide_count(document: Document) -> Iterator[Fault]:
    for controller in document.controllers("ide"):
        index = number(controller.get("index"))
        if document.board == "i440fx" and index:
            yield Fault(controller, "/@index", str(index), ("0",))


def _floppy(document: Document) -> Iterator[Fault]:
    for disk in document.disks:
        bus, is_floppy = bus_of(disk), disk.get("device") == "floppy"
        if is_floppy and bus not in {"fdc", ""} and _says_bus(disk):
            yield Fault(disk, "/target/@bus", bus, ("fdc",))
        elif bus == "fdc" and not is_floppy:
            yield Fault(disk, "/@device", disk.get("device", "disk"), ("floppy",))


def _says_bus(disk: etree._Element) -> bool:
    return disk.find("target[@bus]") is not None


def _cdrom(document: Document) -> Iterator[Fault]:
    for disk in document.disks:
        if disk.get("device") == "cdrom" and bus_of(disk) in _NOT_EJECTABLE:
            yield Fault(disk, "/target/@bus", bus_of(disk), ("sata", "ide", "scsi", "usb"))


def _bus(document: Document) -> Iterator[Fault]:
    for disk in document.disks:
        if document.is_pc and bus_of(disk) in _ABSENT:
            yield Fault(disk, "/target/@bus", bus_of(disk), ("virtio", "scsi", "sata", "ide", "usb"))


def _read_only(document: Document) -> Iterator[Fault]:
    for disk in document.disks:
        if disk.get("device", "disk") == "disk" and bus_of(disk) in _NOT_READ_ONLY:
            for element in disk.iterchildren("readonly"):
                yield Fault(element)


RULES: tuple[Rule, ...] = (
    Rule(
        id="disk-address-type",
        says="the address of a disk is of the type of its bus",
        why="virtio disks stand on PCI, IDE, SATA and floppy disks on a drive's place, USB disks on a port.",
        source="libvirt 9.0.0, src/conf/domain_validate.c, virDomainDiskAddressDiskBusCompatibility",
        hint="correct the type, or leave the address out",
        libvirt="refused",
        check=_type,
    ),
    Rule(
        id="drive-address",
        says="what an IDE, SATA or floppy controller has only one of is 0 in the address",
        why="There is one IDE and one floppy controller, no target on either, and no bus on SATA. libvirt "
        "makes an address of the name where there is none: hde is on a second IDE controller.",
        source="libvirt 9.0.0, src/qemu/qemu_validate.c, qemuValidateDomainDeviceDefAddressDrive",
        hint="write 0, use one of hda to hdd, or another bus",
        libvirt="refused",
        check=_address,
    ),
    Rule(
        id="drive-place",
        says="the bus and unit of a drive are some that its controller has",
        why="libvirt does not compare them with the controller: IDE has two buses of two units, a floppy "
        "controller two units, AHCI six ports. The domain is defined, and QEMU does not start.",
        source="QEMU 7.2, hw/ide/qdev.c, ide_qdev_realize; hw/block/fdc.c, floppy_drive_realize",
        hint="use a free unit, or another <controller type='sata'>",
        libvirt="not started",
        check=_place,
    ),
    Rule(
        id="drive-address-unique",
        says="every disk has a place of its own",
        why="libvirt makes the address of a disk without one of its name alone, and does not look for a free "
        "place: sdb is unit 1, whoever has it.",
        source="libvirt 9.0.0, src/conf/domain_validate.c, virDomainDefDuplicateDriveAddressesValidate",
        hint="write an address at every disk, or at none",
        libvirt="refused",
        check=_twice,
    ),
    Rule(
        id="ide-board",
        says="q35 has no IDE",
        why="Its chipset has SATA, and QEMU has no IDE controller that can be added.",
        source="libvirt 9.0.0, src/qemu/qemu_validate.c, qemuValidateDomainDeviceDefControllerIDE",
        hint="use bus='sata', with a name like sda",
        libvirt="refused",
        check=_ide_board,
    ),
    Rule(
        id="ide-controller",
        says="i440fx has one IDE controller",
        why="It is part of the chipset; QEMU has none that can be added.",
        source="libvirt 9.0.0, src/qemu/qemu_validate.c, qemuValidateDomainDeviceDefControllerIDE",
        hint="put more disks on SATA, SCSI or virtio",
        libvirt="refused",
        check=_ide_count,
    ),
    Rule(
        id="disk-floppy",
        says="floppies stand on the floppy controller, and nothing else does",
        why="device='floppy' and bus='fdc' go together.",
        source="libvirt 9.0.0, src/conf/domain_validate.c, virDomainDiskDefValidate",
        hint="correct the device, or the bus",
        libvirt="refused",
        check=_floppy,
    ),
    Rule(
        id="disk-cdrom-bus",
        says="a CD-ROM drive is on a bus with media that can be ejected",
        why="virtio has no such device; Ganeti's paravirtual CD-ROM is a read-only disk.",
        source="libvirt 9.0.0, src/qemu/qemu_validate.c, qemuValidateDomainDeviceDefDiskFrontend",
        hint="use sata, ide, scsi or usb; or device='disk' with <readonly/>",
        libvirt="refused",
        check=_cdrom,
    ),
    Rule(
        id="disk-bus",
        says="the bus is one that a PC under QEMU has",
        why="sd is for boards with a card reader, xen and uml for other hypervisors; libvirt defines them.",
        source="libvirt 9.0.0, src/qemu/qemu_command.c, qemuBuildDiskDeviceProps",
        hint="use virtio, scsi, sata, ide on i440fx, or usb",
        libvirt="not started",
        check=_bus,
    ),
    Rule(
        id="disk-readonly",
        says="a disk on IDE or SATA can be written to",
        why="There are no read-only ATA disks.",
        source="libvirt 9.0.0, src/qemu/qemu_validate.c, qemuValidateDomainDeviceDefDiskFrontend",
        hint="use virtio or scsi, or device='cdrom'",
        about=("readonly",),
        libvirt="refused",
        check=_read_only,
    ),
)
