"""What must be there only once: names, aliases, places in the boot order, sources."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Iterator

from lxml import etree

from virtxlate.rules.rule import Document, Fault, Rule, bus_of, child, listed, number

Element = etree._Element
_USER = re.compile(r"ua-[a-zA-Z0-9_-]+", re.ASCII)
_WINDOW = re.compile(r"(?:ioemu:)?(?:hd|sd|vd|xvd|ubd)[a-z]+", re.ASCII)
_FLOPPY = re.compile(r"(?:ioemu:)?fd[a-z]+", re.ASCII)
_OTHER_NAMES = ("nvme",)
_COUNTED_ELSEWHERE = ("scsi", "usb")
_LOCKED = ("file", "block")


def twins(found: Iterable[tuple[Hashable, Element]]) -> Iterator[tuple[Element, Element]]:
    """Give each element whose key an earlier one has, and that one."""
    seen: dict[Hashable, Element] = {}
    for key, element in found:
        first = seen.setdefault(key, element)
        if first is not element:
            yield element, first


@listed
def _targets(document: Document) -> Iterator[tuple[str, Element]]:
    for disk in document.disks:
        target = child(disk, "target")
        if target is not None and target.get("dev"):
            yield target.get("dev", ""), target


def _target(document: Document) -> Iterator[Fault]:
    for target, first in twins(_targets(document)):
        name = target.get("dev", "")
        yield Fault(target, "/@dev", name, (), f"the name {name} is that of {document.path(first)} too")


def _target_name(document: Document) -> Iterator[Fault]:
    for name, target in _targets(document):
        disk = target.getparent()
        if disk is None or bus_of(disk) in _OTHER_NAMES:
            continue
        device = disk.get("device", "disk")
        fits = _FLOPPY.fullmatch(name) if device not in {"disk", "lun"} else None
        if fits is None and (device == "floppy" or not _WINDOW.fullmatch(name)):
            yield Fault(target, "/@dev", name)


@listed
def _aliases(document: Document) -> Iterator[tuple[str, Element]]:
    for device in document.devices:
        alias = child(device, "alias")
        if alias is not None and device.tag != "console":  # which is a serial port told again
            yield alias.get("name", ""), alias


def _alias(document: Document) -> Iterator[Fault]:
    named = ((name, alias) for name, alias in _aliases(document) if _USER.fullmatch(name))
    for alias, first in twins(named):
        name = alias.get("name", "")
        yield Fault(alias, "/@name", name, (), f"the alias {name} is that of {document.path(first)} too")


def _alias_kept(document: Document) -> Iterator[Fault]:
    if not document.is_domain or document.root.get("id") is not None:
        return  # a running domain shows libvirt's own aliases
    for name, alias in _aliases(document):
        if not _USER.fullmatch(name):
            yield Fault(alias, "/@name", name)


@listed
def _orders(document: Document) -> Iterator[tuple[int, Element]]:
    for device in document.devices:
        boot = child(device, "boot")
        order = None if boot is None else number(boot.get("order"))
        if boot is not None and order:
            yield order, boot


def _order(document: Document) -> Iterator[Fault]:
    for boot, first in twins(_orders(document)):
        order = boot.get("order", "")
        yield Fault(boot, "/@order", order, (), f"boot order {order} is that of {document.path(first)} too")


def _order_and_os(document: Document) -> Iterator[Fault]:
    if document.root.find("os/boot") is not None:
        for _order, boot in _orders(document):
            yield Fault(boot, "/@order", boot.get("order"))


def _controller(document: Document) -> Iterator[Fault]:
    numbered = (
        ((kind, number(each.get("index"))), each)
        for each in document.of("controller")
        if (kind := each.get("type")) not in _COUNTED_ELSEWHERE and each.get("index") is not None
    )
    for controller, first in twins(numbered):
        index = controller.get("index", "")
        says = f"{controller.get('type')} controller {index} is {document.path(first)} too"
        yield Fault(controller, "/@index", index, (), says)


def _writers(document: Document) -> Iterator[tuple[str, Element]]:
    """Give the disks whose file QEMU locks, in groups of one source."""
    for disk in document.disks:
        source = child(disk, "source")
        path = None if source is None else source.get("file") or source.get("dev")
        if path and disk.get("type", "file") in _LOCKED and disk.get("device", "disk") != "lun":
            yield path, disk


def _source(document: Document) -> Iterator[Fault]:
    users: dict[str, list[Element]] = {}
    for path, disk in _writers(document):
        users.setdefault(path, []).append(disk)
    for path, disks in users.items():
        if len(disks) < 2 or all(map(_is_read_only, disks)) or all(map(_is_shared, disks)):  # noqa: PLR2004
            continue
        first = document.path(disks[0])
        for disk in disks[1:]:
            yield Fault(
                disk, "/source", path, (), f"the source {path} is that of {first} too, and is written to"
            )


def _is_read_only(disk: Element) -> bool:
    return disk.get("device") == "cdrom" or child(disk, "readonly") is not None


def _is_shared(disk: Element) -> bool:
    return child(disk, "shareable") is not None or disk.find("transient[@shareBacking='yes']") is not None


def _host_devices(document: Document) -> Iterator[tuple[Hashable, Element]]:
    """Give the PCI, USB and mediated devices of the host, and how each is found."""
    for hostdev in document.of("hostdev"):
        kind, source = hostdev.get("type"), child(hostdev, "source")
        if source is None or hostdev.get("mode", "subsystem") != "subsystem":
            continue
        address = child(source, "address")
        if kind == "mdev" and address is not None:
            yield (kind, address.get("uuid", "").lower()), hostdev
        elif kind == "pci" and address is not None:
            names = ("domain", "bus", "slot", "function")
            yield (kind, *(number(address.get(name, "0")) for name in names)), hostdev
        elif kind == "usb" and address is not None:
            yield (kind, *(number(address.get(name)) for name in ("bus", "device"))), hostdev
        elif kind == "usb":
            ids = (source.find(name) for name in ("vendor", "product"))
            yield (kind, "ids", *(None if each is None else number(each.get("id")) for each in ids)), hostdev


def _hostdev(document: Document) -> Iterator[Fault]:
    for hostdev, first in twins(_host_devices(document)):
        yield Fault(hostdev, "/source", None, (), f"the device is that of {document.path(first)} too")


RULES: tuple[Rule, ...] = (
    Rule(
        id="disk-target-unique",
        says="every disk has a name of its own",
        why="libvirt finds a disk by its target, whatever the bus: sda on SCSI and sda on SATA are one name.",
        source="libvirt 9.0.0, src/conf/domain_validate.c, virDomainDefDuplicateDiskInfoValidate",
        hint="give the disk the next free letter",
        libvirt="refused",
        check=_target,
    ),
    Rule(
        id="disk-target-name",
        says="the name of a disk is hd, sd, vd or xvd and letters, that of a floppy fd and a letter",
        why="libvirt counts the letters; a partition, or a name like sr0, is no disk to it.",
        source="libvirt 9.0.0, src/conf/domain_validate.c, virDomainDiskDefValidate",
        hint="write a name like vda, sda or hda, without a number",
        libvirt="refused",
        check=_target_name,
    ),
    Rule(
        id="alias-unique",
        says="every device has an alias of its own",
        why="An alias that begins with ua- becomes the id of the device in QEMU.",
        source="libvirt 9.0.0, src/conf/domain_validate.c, virDomainDeviceDefValidateAliasesIterator",
        hint="give the device another alias",
        about=("alias",),
        libvirt="refused",
        check=_alias,
    ),
    Rule(
        id="alias-kept",
        says="an alias that is to be kept begins with ua- and has letters, digits, _ and - after it",
        why="libvirt drops any other in silence, and makes one of its own when the domain starts.",
        source="libvirt 9.0.0, src/conf/domain_conf.c, virDomainDeviceInfoParseXML",
        hint="write ua- before it, without a dot, or leave it out",
        about=("alias",),
        libvirt="accepted",
        check=_alias_kept,
        severity="warning",
    ),
    Rule(
        id="boot-order-unique",
        says="every place in the boot order is that of one device",
        why="01 and 1 are one number.",
        source="libvirt 9.0.0, src/conf/domain_postparse.c, virDomainDefCollectBootOrder",
        hint="give the device the next free number",
        about=("@order",),
        libvirt="refused",
        check=_order,
    ),
    Rule(
        id="boot-order-os",
        says="the boot order is told at the devices or in <os>, not both",
        why="libvirt writes <boot dev='hd'/> into <os> where nothing is said, so that a device with an order "
        "cannot be attached later either.",
        source="libvirt 9.0.0, src/conf/domain_postparse.c, virDomainDefBootOrderPostParse",
        hint="leave out <boot> in <os>, or the order of the device",
        about=("@order",),
        libvirt="refused",
        check=_order_and_os,
    ),
    Rule(
        id="controller-index-unique",
        says="every controller of a type has an index of its own",
        why="An address finds its controller by the index.",
        source="libvirt 9.0.0, src/conf/domain_postparse.c, virDomainDefRejectDuplicateControllers",
        hint="give the second one the next free index",
        libvirt="refused",
        check=_controller,
    ),
    Rule(
        id="disk-source-unique",
        says="a file or device that is written to is the source of one disk",
        why="QEMU locks it, where the file system can: the second disk does not get the lock, even to read.",
        source="QEMU 7.2, block/file-posix.c, raw_check_lock_bytes",
        hint="give each disk a source of its own, or all of them <shareable/> where the guest can share",
        libvirt="not started",
        check=_source,
        severity="warning",
    ),
    Rule(
        id="hostdev-unique",
        says="a device of the host is given to the guest once",
        why="Numbers are compared, not words: 0x05 and 5 are one bus.",
        source="libvirt 9.0.0, src/conf/domain_validate.c, virDomainDefHostdevValidate",
        hint="leave the second one out",
        about=("hostdev",),
        libvirt="refused",
        check=_hostdev,
    ),
)
