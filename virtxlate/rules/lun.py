"""A disk with device='lun': the guest talks SCSI to the device itself, through QEMU's scsi-block.

Of a disk's properties scsi-block has drive, bootindex, share-rw, rotation_rate, rerror and werror alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from lxml import etree

from virtxlate.domain.together import has_children
from virtxlate.rules.rule import LUN, Document, Fault, Rule, Verdict, about, bus_of, child
from virtxlate.scsi import may_be_scsi

_LUN = "device='lun'"
_TYPES = ("block", "network", "volume")
_PROTOCOLS = ("iscsi",)
_BUSES = ("scsi",)
_CACHES = ("none", "default")
_OF_VIRTIO = frozenset({"serial", "blockio", "geometry", "driver/@iothread", "driver/@queues"})
_OLD_MACHINE = re.compile(r"pc-(?:i440fx-|q35-)?(?:[01]\.[0-9]+|2\.[0-6])", re.ASCII)
"""Machine types whose virtio devices are of the old kind only, which could pass SCSI commands on."""


def _source(document: Document) -> Iterator[Fault]:
    for lun in document.luns:
        kind, source = lun.get("type", "file"), child(lun, "source")
        if kind not in _TYPES:
            yield Fault(lun, "/@type", kind, _TYPES)
        elif source is None:
            yield Fault(lun, "/source", says="a lun without a source has no device to talk to")
        elif kind == "network" and source.get("protocol") not in _PROTOCOLS:
            yield Fault(source, "/@protocol", source.get("protocol"), _PROTOCOLS)


def _device(document: Document) -> Iterator[Fault]:
    for lun in document.luns:
        source = child(lun, "source")
        path = None if source is None else source.get("dev")
        if source is not None and path is not None and not may_be_scsi(path):
            yield Fault(source, "/@dev", path)


def _driver(name: str, allowed: tuple[str, ...]) -> Callable[[Document], Iterator[Fault]]:
    """Give the check of an attribute of ``<driver>`` that a lun may only have with certain words."""

    def check(document: Document) -> Iterator[Fault]:
        for lun in document.luns:
            driver = child(lun, "driver")
            found = None if driver is None else driver.get(name)
            if driver is not None and found is not None and found not in allowed:
                yield Fault(driver, f"/@{name}", found, allowed)

    return check


def _bus(document: Document) -> Iterator[Fault]:
    for lun in document.luns:
        bus = bus_of(lun)
        if bus not in _BUSES and not (bus == "virtio" and _OLD_MACHINE.fullmatch(document.machine)):
            target = child(lun, "target")
            yield Fault(lun if target is None else target, "/@bus", bus, _BUSES)


def _old_virtio(document: Document) -> Iterator[Fault]:
    for lun in document.luns:
        if bus_of(lun) == "virtio" and _OLD_MACHINE.fullmatch(document.machine):
            yield Fault(lun, "/target/@bus", "virtio", _BUSES)


def _without(path: str) -> Callable[[Document], Iterator[Fault]]:
    """Give the check that a lun has no such element, or attribute of an element below it.

    What virtio-blk has a property for may stand at a lun on virtio.
    """
    step, at, name = path.partition("/@")
    of_virtio = path in _OF_VIRTIO

    def check(document: Document) -> Iterator[Fault]:
        for lun in document.luns:
            if of_virtio and bus_of(lun) == "virtio":
                continue
            for element in lun.iterfind(step):
                if not at:
                    yield Fault(element, found=(element.text or "").strip() or None)
                elif name in element.attrib:
                    yield Fault(element, f"/@{name}", element.get(name))

    return check


def _backing_store(document: Document) -> Iterator[Fault]:
    for lun in document.luns:
        store = child(lun, "backingStore")
        if store is not None and has_children(store):
            yield Fault(store)


def _only_lun(name: str) -> Callable[[Document], Iterator[Fault]]:
    def check(document: Document) -> Iterator[Fault]:
        for disk in document.disks:
            if disk.get("device", "disk") != "lun" and name in disk.attrib:
                yield Fault(disk, f"/@{name}", disk.get(name))

    return check


def _only_lun_reserves(document: Document) -> Iterator[Fault]:
    for disk in document.disks:
        reservations = disk.find("source/reservations")
        if reservations is not None and disk.get("device", "disk") != "lun":
            yield Fault(reservations)


def _block_reserves(document: Document) -> Iterator[Fault]:
    for lun in document.luns:
        reservations = lun.find("source/reservations")
        if reservations is not None and lun.get("type") == "network":
            yield Fault(reservations)


def _unfiltered(document: Document) -> Iterator[Fault]:
    for device in (*document.disks, *document.hostdevs("scsi")):
        if device.get("sgio") == "unfiltered":
            yield Fault(device, "/@sgio", "unfiltered", ("filtered",))


def _reservations(document: Document) -> Iterator[Fault]:
    for lun in document.luns:
        reservations = lun.find("source/reservations")
        if reservations is None:
            continue
        managed, helper = reservations.get("managed"), child(reservations, "source")
        if managed is None:
            says = "managed says whether libvirt starts the helper of persistent reservations"
            yield Fault(reservations, "/@managed", None, ("yes", "no"), says)
        elif (managed == "no" or (helper is not None and helper.attrib)) and not _is_socket(helper):
            yield Fault(reservations, "/source")


def _is_socket(helper: etree._Element | None) -> bool:
    words = None if helper is None else (helper.get("type"), helper.get("mode"), bool(helper.get("path")))
    return words == ("unix", "client", True)


def _part(path: str, word: str, why: str, source: str, libvirt: Verdict, hint: str = "") -> Rule:
    """Give the row of a part of a disk that no lun has."""
    return Rule(
        id=f"lun-{word}",
        says=f"a lun has no {path.rpartition('/')[2].removeprefix('@')}",
        why=why,
        source=source,
        hint=hint or f"leave it out, or make the disk device='disk', which has a {word} of its own",
        libvirt=libvirt,
        check=_without(path),
    )


_FRONTEND = "libvirt 9.0.0, src/qemu/qemu_validate.c, qemuValidateDomainDeviceDefDiskFrontend"
_OF_LUNS = "libvirt 9.0.0, src/conf/domain_validate.c, virDomainDiskDefSourceLUNValidate"
_PROPERTIES = "QEMU 7.2, hw/scsi/scsi-disk.c, scsi_block_properties"
_OWN = "The guest reads it from the device itself; scsi-block has no property for it."

RULES: tuple[Rule, ...] = about(
    (LUN,),
    Rule(
        id="lun-source",
        says="a lun needs a SCSI device: type block, network with protocol iscsi, or a volume of such a pool",
        why="QEMU asks the host's SCSI driver (SG_IO) or its iSCSI client; other sources have neither.",
        source=_OF_LUNS,
        hint="name a SCSI disk of the host as type='block', or make the disk device='disk'",
        libvirt="refused",
        check=_source,
    ),
    Rule(
        id="lun-device",
        says="the device of a lun is a whole SCSI device",
        why="A partition, an NVMe disk and what the kernel makes (LVM, RAID, loop, RBD, DRBD) answer no "
        "SG_IO: QEMU does not get its version, and does not start. With rawio the commands of a partition "
        "reach the whole disk.",
        source="QEMU 7.2, hw/scsi/scsi-disk.c, scsi_block_realize; Linux 6.1, drivers/scsi/sd.c, sd_ioctl",
        hint="name the whole SCSI disk, or make the disk device='disk'",
        libvirt="not started",
        check=_device,
    ),
    Rule(
        id="lun-format",
        says="a lun is raw: there is no format between the guest and the device",
        why="SCSI commands reach the device past any format layer.",
        source=_OF_LUNS,
        hint="write <driver type='raw'/>; for an image with a format make the disk device='disk'",
        libvirt="refused",
        check=_driver("type", ("raw",)),
    ),
    Rule(
        id="lun-bus",
        says="a lun stands on a SCSI bus",
        why="QEMU 7.2 does not start virtio-blk with scsi=on ('Please set scsi=off for virtio-blk devices in "
        "order to use virtio 1.0'); libvirt 9.0 lets it pass, newer ones do not.",
        source="QEMU 7.2, hw/block/virtio-blk.c, virtio_blk_get_features",
        hint="write bus='scsi' in <target>, with a drive address on a SCSI controller",
        libvirt="not started",
        check=_bus,
    ),
    Rule(
        id="lun-virtio-old-machine",
        says="only machine types up to 2.6 pass SCSI commands through virtio-blk, and QEMU 10 dropped it",
        why="Their virtio devices are of the old kind, for which QEMU still has scsi=on; it is deprecated "
        "since QEMU 5.0.",
        source="QEMU 7.2, hw/block/virtio-blk.c, virtio_blk_get_features; docs/about/deprecated.rst",
        hint="write bus='scsi' in <target>; the guest then needs the driver of the SCSI controller",
        libvirt="accepted",
        check=_old_virtio,
        severity="warning",
    ),
    _part("serial", "serial", _OWN, _FRONTEND, "refused"),
    _part("wwn", "wwn", _OWN, _FRONTEND, "refused"),
    _part("vendor", "vendor", _OWN, _FRONTEND, "refused"),
    _part("product", "product", _OWN, _FRONTEND, "refused"),
    _part(
        "blockio",
        "blockio",
        "Block sizes are the device's own; libvirt passes them on, and scsi-block has no such property.",
        _PROPERTIES,
        "not started",
    ),
    _part(
        "geometry",
        "geometry",
        "The geometry is the device's own; libvirt passes it on, and scsi-block has no such property.",
        _PROPERTIES,
        "not started",
        "leave it out; the guest reads it from the device",
    ),
    _part(
        "iotune",
        "iotune",
        "QEMU throttles its own reads and writes; what the guest does with other SCSI commands goes past it.",
        "QEMU 7.2, hw/scsi/scsi-disk.c, scsi_block_do_sgio; block/block-backend.c, blk_aio_ioctl",
        "accepted",
        "leave it out and limit the device on the host (cgroups), or make the disk device='disk'",
    ),
    _part(
        "encryption",
        "encryption",
        "There is no layer that could decrypt.",
        _OF_LUNS,
        "refused",
        "leave it out; the guest can encrypt by itself",
    ),
    _part(
        "source/encryption",
        "source-encryption",
        "There is no layer that could decrypt.",
        _OF_LUNS,
        "refused",
        "leave it out; the guest can encrypt by itself",
    ),
    _part(
        "source/slices",
        "slices",
        "SCSI commands reach the whole device.",
        _OF_LUNS,
        "refused",
        "leave it out and pass a device of the right size",
    ),
    _part(
        "driver/@copy_on_read",
        "copy-on-read",
        "There is no image to copy to.",
        _FRONTEND,
        "refused",
        "leave it out; only an image with a backing file has a use for it",
    ),
    _part(
        "driver/@iothread",
        "iothread",
        "Only virtio-blk has a thread of its own.",
        "libvirt 9.0.0, src/qemu/qemu_validate.c, qemuValidateDomainDeviceDefDiskIOThreads",
        "refused",
        "write it in <driver> of the virtio-scsi controller",
    ),
    _part(
        "driver/@queues",
        "queues",
        "Only virtio-blk has queues of its own.",
        "libvirt 9.0.0, src/conf/domain_validate.c, virDomainDiskDefValidate",
        "refused",
        "write it in <driver> of the virtio-scsi controller",
    ),
    _part(
        "transient",
        "transient",
        "There is no overlay that could be thrown away.",
        "libvirt 9.0.0, src/qemu/qemu_validate.c, qemuValidateDomainDeviceDefDiskTransient",
        "refused",
        "leave it out, or make the disk device='disk'",
    ),
    _part(
        "throttlefilters",
        "throttlefilters",
        "What the guest does by SCSI commands goes past a filter; libvirt knows filters since 11.2.",
        "libvirt 11.2.0, docs/formatdomain.rst, section Hard drives, floppy disks, CDROMs",
        "refused",
        "leave it out and limit the device on the host (cgroups)",
    ),
    _part(
        "readonly",
        "readonly",
        "The guest sees the device's own write protect bit and not this; its writes would fail in the host.",
        "QEMU 7.2, hw/scsi/scsi-disk.c, scsi_block_realize",
        "accepted",
        "leave it out and protect the device itself, or make the disk device='disk'",
    ),
    Rule(
        id="lun-backing-store",
        says="a lun has no backing file",
        why="SCSI commands reach the device past any layer.",
        source="QEMU 7.2, hw/scsi/scsi-disk.c, scsi_block_realize",
        hint="leave it out, or make the disk device='disk'",
        libvirt="not started",
        check=_backing_store,
    ),
    Rule(
        id="lun-cache",
        says="a lun is not cached by the host",
        why="Its reads and writes are SCSI commands, which pass by the host's cache; scsi-block has no "
        "write-cache property (Ganeti sets it, and its start fails), so writethrough and directsync would "
        "not be what they say.",
        source=_PROPERTIES,
        hint="write cache='none', or leave it out; the write cache is set in the device, by the guest",
        libvirt="accepted",
        check=_driver("cache", _CACHES),
    ),
    Rule(
        id="lun-reservations",
        says="persistent reservations that libvirt does not manage need the socket of a running helper",
        why="The helper does what only root may (PERSISTENT RESERVE IN and OUT) for QEMU.",
        source="libvirt 9.0.0, src/conf/storage_source_conf.c, virStoragePRDefParseXML",
        hint="write <reservations managed='yes'/>, for which libvirt starts a helper, or a source "
        "<source type='unix' path='/run/qemu-pr-helper.sock' mode='client'/>",
        libvirt="refused",
        check=_reservations,
    ),
    Rule(
        id="rawio-lun",
        about=("@rawio",),
        says="rawio is for a lun",
        why="It gives QEMU CAP_SYS_RAWIO, which only a disk that passes SCSI commands has a use for.",
        source="libvirt 9.0.0, src/conf/domain_validate.c, virDomainDiskDefValidate",
        hint=f"leave rawio out, or make the disk {_LUN}",
        libvirt="refused",
        check=_only_lun("rawio"),
    ),
    Rule(
        id="sgio-lun",
        about=("@sgio",),
        says="sgio is for a lun",
        why="It filters SCSI commands, and an emulated disk passes none.",
        source="libvirt 9.0.0, src/conf/domain_validate.c, virDomainDiskDefValidate",
        hint=f"leave sgio out, or make the disk {_LUN}",
        libvirt="refused",
        check=_only_lun("sgio"),
    ),
    Rule(
        id="sgio-unfiltered",
        about=("@sgio",),
        says="sgio='unfiltered' is no more",
        why="Linux removed unpriv_sgio; libvirt 9.0 says 'no longer supported'.",
        source="libvirt 9.0.0, src/conf/domain_validate.c, virDomainDiskDefValidate",
        hint="write rawio='yes': with CAP_SYS_RAWIO nothing is filtered",
        libvirt="refused",
        check=_unfiltered,
    ),
    Rule(
        id="reservations-lun",
        about=("reservations",),
        says="persistent reservations are for a lun",
        why="An emulated disk does not pass the commands on.",
        source="libvirt 9.0.0, src/conf/domain_validate.c, virDomainDiskDefValidate",
        hint=f"leave <reservations> out, or make the disk {_LUN}",
        libvirt="refused",
        check=_only_lun_reserves,
    ),
    Rule(
        id="reservations-block",
        says="a helper for persistent reservations is for a device of the host",
        why="QEMU's iSCSI client sends them to the target by itself.",
        source="libvirt 9.0.0, src/qemu/qemu_domain.c, qemuDomainValidateStorageSource",
        hint="leave <reservations> out: an iSCSI lun has persistent reservations without it",
        libvirt="refused",
        check=_block_reserves,
    ),
)
"""Later rows of a kind stand beside these."""
