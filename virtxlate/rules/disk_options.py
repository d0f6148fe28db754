"""Options of a disk that go together, or with some buses and devices only."""

from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

from virtxlate.rules.rule import Document, Fault, Rule, bus_of, child, has_thread, number

Element = etree._Element
_DIRECT = ("none", "directsync")
_SCSI_ATA = ("scsi", "ide", "sata")
_VIRTIO_OPTIONS = ("queues", "queue_size", "event_idx", "ioeventfd", "iommu", "ats", "packed", "page_per_vq")
_OF_LUNS = ("queues", "iothread")
"""These have rules of their own where the disk is passed through."""
_SMALLEST_BLOCK, _LARGEST_BLOCK, _ATA_BLOCK = 512, 2 << 20, 512
_MOST_QUEUES = 1024
_WITHOUT_GEOMETRY = ("usb", "sd")
_NOT_SHARED = ("qcow2", "qcow", "qed", "vmdk", "vdi", "vpc", "vhdx", "dmg", "bochs", "cloop", "parallels")
_NO_FORMAT = ("iso",)
_VIRTIO_MODELS = ("virtio", "virtio-transitional", "virtio-non-transitional")


def _device(disk: Element) -> str:
    return disk.get("device", "disk")


def _drivers(document: Document) -> Iterator[tuple[Element, Element]]:
    for disk in document.disks:
        driver = child(disk, "driver")
        if driver is not None:
            yield disk, driver


def _native(document: Document) -> Iterator[Fault]:
    for _disk, driver in _drivers(document):
        if driver.get("io") == "native" and driver.get("cache") not in _DIRECT:
            yield Fault(
                driver, "/@io", "native", (), f"io='native' needs cache none or directsync; {_cache(driver)}"
            )


def _cache(driver: Element) -> str:
    cache = driver.get("cache")
    return "there is no cache" if cache is None else f"found cache='{cache}'"


def _shared_format(document: Document) -> Iterator[Fault]:
    for disk, driver in _drivers(document):
        shared = child(disk, "shareable") is not None and child(disk, "readonly") is None
        if shared and _device(disk) != "cdrom" and driver.get("type") in _NOT_SHARED:
            yield Fault(driver, "/@type", driver.get("type"), ("raw",))


def _serial(document: Document) -> Iterator[Fault]:
    for disk in document.disks:
        serial = child(disk, "serial")
        if serial is not None and bus_of(disk) == "fdc":
            yield Fault(serial, found=serial.text)


def _bus_words(disk: Element, names: tuple[str, ...], buses: tuple[str, ...]) -> Iterator[Fault]:
    for name in names:
        for element in disk.iterchildren(name):
            if bus_of(disk) not in buses:
                says = f"only disks on {' and '.join(buses)} have a {name}; this one is on {bus_of(disk)}"
                yield Fault(element, "", element.text, (), says)


def _identity(document: Document) -> Iterator[Fault]:
    for disk in document.disks:
        yield from _bus_words(disk, ("wwn",), ("ide", "scsi"))
        yield from _bus_words(disk, ("vendor", "product"), ("scsi",))


def _target_options(document: Document) -> Iterator[Fault]:
    for disk in document.disks:
        target, bus = child(disk, "target"), bus_of(disk)
        if target is None:
            continue
        rate, removable, tray = (target.get(name) for name in ("rotation_rate", "removable", "tray"))
        if rate is not None and bus not in _SCSI_ATA:
            yield Fault(target, "/@rotation_rate", rate, (), f"a disk on {bus} has no rotation_rate")
        elif rate is not None and _device(disk) != "disk":
            yield Fault(target, "/@rotation_rate", rate, (), f"a {_device(disk)} has no rotation_rate")
        if removable is not None and bus not in {"usb", "scsi"}:
            yield Fault(target, "/@removable", removable, (), f"a disk on {bus} cannot be removable")
        if tray is not None and _device(disk) not in {"cdrom", "floppy"}:
            yield Fault(target, "/@tray", tray, (), f"a {_device(disk)} has no tray")


def _virtio(document: Document) -> Iterator[Fault]:
    for disk, driver in _drivers(document):
        for name in _VIRTIO_OPTIONS if bus_of(disk) != "virtio" else ():
            if name in driver.attrib and not (_device(disk) == "lun" and name in _OF_LUNS):
                yield Fault(
                    driver, f"/@{name}", driver.get(name), (), f"a disk on {bus_of(disk)} has no {name}"
                )
        if bus_of(disk) != "virtio" and disk.get("model") in _VIRTIO_MODELS:
            yield Fault(
                disk, "/@model", disk.get("model"), (), f"a disk on {bus_of(disk)} has no virtio model"
            )


def _iothread(document: Document) -> Iterator[Fault]:
    for disk, driver in _drivers(document):
        thread = number(driver.get("iothread"))
        if thread is None:
            continue
        if bus_of(disk) != "virtio" and _device(disk) != "lun":
            says = f"a disk on {bus_of(disk)} has no I/O thread of its own"
            yield Fault(driver, "/@iothread", str(thread), (), says)
        elif document.is_domain and not has_thread(document.root, thread):
            yield Fault(driver, "/@iothread", str(thread), (), f"the domain has no I/O thread {thread}")


def _queues(document: Document) -> Iterator[Fault]:
    for _disk, driver in _drivers(document):
        queues, size = number(driver.get("queues")), number(driver.get("queue_size"))
        if queues is not None and queues > _MOST_QUEUES:
            says = f"a virtio disk has {_MOST_QUEUES} queues at most; found {queues}"
            yield Fault(driver, "/@queues", str(queues), (), says)
        if size and (size & (size - 1) or size > _MOST_QUEUES):
            says = f"queue_size is a power of two up to {_MOST_QUEUES}; found {size}"
            yield Fault(driver, "/@queue_size", str(size), (), says)


def _copy_on_read(document: Document) -> Iterator[Fault]:
    for disk, driver in _drivers(document):
        still = child(disk, "readonly") is not None or _device(disk) in {"cdrom", "floppy"}
        if driver.get("copy_on_read") == "on" and still:
            yield Fault(driver, "/@copy_on_read", "on")


def _transient(document: Document) -> Iterator[Fault]:
    for disk in document.disks:
        transient = child(disk, "transient")
        if transient is None or _device(disk) == "lun":
            continue
        if disk.get("type", "file") != "file":
            yield Fault(transient, "", None, (), f"a disk of type {disk.get('type')} cannot be transient")
        elif _device(disk) != "disk":
            yield Fault(transient, "", None, (), f"a {_device(disk)} cannot be transient")
        elif child(disk, "readonly") is not None:
            yield Fault(transient, "", None, (), "a read-only disk cannot be transient")


def _startup(document: Document) -> Iterator[Fault]:
    for disk in document.disks:
        source = disk.find("source[@startupPolicy='requisite']")
        if source is not None and _device(disk) not in {"cdrom", "floppy"}:
            yield Fault(source, "/@startupPolicy", "requisite", ("mandatory", "optional"))


def _geometry(document: Document) -> Iterator[Fault]:
    for disk in document.disks:
        geometry, bus = child(disk, "geometry"), bus_of(disk)
        if geometry is not None and bus in _WITHOUT_GEOMETRY:
            yield Fault(geometry, "", None, (), f"a disk on {bus} has no geometry")
        elif geometry is not None and geometry.get("trans") is not None and bus != "ide":
            says = f"a disk on {bus} has no translation of its geometry"
            yield Fault(geometry, "/@trans", geometry.get("trans"), (), says)


def _block_sizes(document: Document) -> Iterator[Fault]:
    for disk in document.disks:
        blockio = child(disk, "blockio")
        if blockio is None or _device(disk) == "lun":
            continue
        names = ("logical_block_size", "physical_block_size")
        sizes = {
            name: found for name in names if (found := number(blockio.get(name))) is not None and found >= 0
        }
        odd = [name for name, size in sizes.items() if not _is_block(size)]
        for name in odd:
            says = f"{name} is a power of two from {_SMALLEST_BLOCK} to {_LARGEST_BLOCK}; found {sizes[name]}"
            yield Fault(blockio, f"/@{name}", str(sizes[name]), (), says)
        logical = sizes.get(names[0], _SMALLEST_BLOCK)
        if not odd and bus_of(disk) in {"ide", "sata"} and logical != _ATA_BLOCK:
            says = f"the logical block of a disk on {bus_of(disk)} is {_ATA_BLOCK}; found {logical}"
            yield Fault(blockio, f"/@{names[0]}", str(logical), (), says)
        elif not odd and names[1] in sizes and logical > sizes[names[1]]:
            says = f"the logical block, {logical}, is larger than the physical one, {sizes[names[1]]}"
            yield Fault(blockio, f"/@{names[0]}", str(logical), (), says)


def _is_block(size: int) -> bool:
    return _SMALLEST_BLOCK <= size <= _LARGEST_BLOCK and not size & (size - 1)


def _driver(document: Document) -> Iterator[Fault]:
    for _disk, driver in _drivers(document):
        if driver.get("name", "qemu") != "qemu":
            yield Fault(driver, "/@name", driver.get("name"), ("qemu",))
        if driver.get("type") in _NO_FORMAT:
            says = "an ISO image is raw to QEMU"
            yield Fault(driver, "/@type", driver.get("type"), ("raw",), says)


RULES: tuple[Rule, ...] = (
    Rule(
        id="disk-io-native",
        says="io='native' goes with cache none or directsync",
        why="Linux does asynchronous I/O past its cache only.",
        source="libvirt 9.0.0, src/qemu/qemu_validate.c, qemuValidateDomainDeviceDefDiskFrontend",
        hint="write cache='none', or leave io out",
        about=("@io",),
        libvirt="refused",
        check=_native,
    ),
    Rule(
        id="disk-shareable-format",
        says="a disk that guests share is raw",
        why="QEMU keeps what it knows of an image format in memory; two that write to one image destroy it.",
        source="libvirt 9.0.0, src/qemu/qemu_validate.c, qemuValidateDomainDeviceDefDisk",
        hint="use a raw image, or leave <shareable/> out",
        about=("shareable",),
        libvirt="refused",
        check=_shared_format,
    ),
    Rule(
        id="disk-serial-floppy",
        says="a floppy has no serial",
        why="QEMU's floppy has no such property; libvirt passes it.",
        source="QEMU 7.2, hw/block/fdc.c, floppy_drive_properties",
        hint="leave <serial> out",
        about=("serial",),
        libvirt="not started",
        check=_serial,
    ),
    Rule(
        id="disk-identity-bus",
        says="a wwn is for disks on SCSI and IDE, vendor and product for disks on SCSI",
        why="They are what those disks answer when they are asked who they are.",
        source="libvirt 9.0.0, src/qemu/qemu_validate.c, qemuValidateDomainDeviceDefDiskFrontend",
        hint="leave it out, or use the bus that has it",
        about=("wwn", "vendor", "product"),
        libvirt="refused",
        check=_identity,
    ),
    Rule(
        id="disk-target-options",
        says="rotation_rate is for SCSI and ATA disks, removable for USB and SCSI, tray for removable media",
        why="They are properties of those devices only. removable on SCSI needs libvirt 9.6.",
        source="libvirt 9.0.0, src/qemu/qemu_validate.c, qemuValidateDomainDeviceDefDiskFrontend; "
        "src/conf/domain_validate.c, virDomainDiskDefValidate",
        hint="leave the attribute out",
        about=("@rotation_rate", "@removable", "@tray"),
        libvirt="refused",
        check=_target_options,
    ),
    Rule(
        id="disk-virtio-options",
        says="queues, ioeventfd, packed and the like are options of virtio disks",
        why="They are properties of virtio-blk; no other disk has them.",
        source="libvirt 9.0.0, src/conf/domain_validate.c, virDomainDiskDefValidate",
        hint="leave the option out, or use bus='virtio'; on virtio-scsi the controller has queues",
        about=(
            "@queues",
            "@queue_size",
            "@event_idx",
            "@ioeventfd",
            "@iommu",
            "@ats",
            "@packed",
            "@page_per_vq",
            "@model",
        ),
        libvirt="refused",
        check=_virtio,
    ),
    Rule(
        id="disk-iothread",
        says="the I/O thread of a disk is one that the domain has, and the disk is on virtio",
        why="Threads are numbered from 1 by <iothreads>, or named in <iothreadids>. A disk on virtio-scsi "
        "has that of its controller.",
        source="libvirt 9.0.0, src/qemu/qemu_validate.c, qemuValidateDomainDeviceDefDiskIOThreads",
        hint="write <iothreads> with at least that number, or give the thread to the controller",
        about=("@iothread",),
        libvirt="refused",
        check=_iothread,
    ),
    Rule(
        id="disk-queues",
        says="a virtio disk has 1024 queues at most, each a power of two up to 1024 long",
        why="libvirt does not look; QEMU does not start.",
        source="QEMU 7.2, hw/block/virtio-blk.c, virtio_blk_device_realize",
        hint="use a smaller number; as many queues as vCPUs are enough",
        about=("@queues", "@queue_size"),
        libvirt="not started",
        check=_queues,
    ),
    Rule(
        id="disk-copy-on-read",
        says="copy_on_read is for disks that are written to",
        why="What was read is written into the overlay.",
        source="libvirt 9.0.0, src/qemu/qemu_validate.c, qemuValidateDomainDeviceDefDiskFrontend",
        hint="leave copy_on_read out",
        about=("@copy_on_read",),
        libvirt="refused",
        check=_copy_on_read,
    ),
    Rule(
        id="disk-transient",
        says="a transient disk is a disk in a file that is written to",
        why="libvirt puts an overlay beside the file, which is removed when the domain stops.",
        source="libvirt 9.0.0, src/qemu/qemu_validate.c, qemuValidateDomainDeviceDefDiskTransient",
        hint="leave <transient/> out, or use a file",
        about=("transient",),
        libvirt="refused",
        check=_transient,
    ),
    Rule(
        id="disk-startup-policy",
        says="only a CD-ROM or floppy can be requisite",
        why="requisite drops media that is gone after a migration, and a disk cannot be without.",
        source="libvirt 9.0.0, src/conf/domain_validate.c, virDomainDiskDefValidateStartupPolicy",
        hint="write startupPolicy='optional', or leave it out",
        about=("@startupPolicy",),
        libvirt="refused",
        check=_startup,
    ),
    Rule(
        id="disk-geometry",
        says="a geometry is for disks whose firmware asks for one, its translation for IDE",
        why="USB disks have no cylinders, and only IDE's BIOS translated them.",
        source="libvirt 9.0.0, src/qemu/qemu_validate.c, qemuValidateDomainDeviceDefDiskFrontend",
        hint="leave <geometry>, or trans, out",
        about=("geometry",),
        libvirt="refused",
        check=_geometry,
    ),
    Rule(
        id="disk-block-size",
        says="block sizes are powers of two, and the logical one is not larger than the physical one",
        why="libvirt passes any number; QEMU does not start. A logical block of an ATA disk is always 512.",
        source="QEMU 7.2, hw/block/block.c, blkconf_blocksizes; hw/ide/qdev.c, ide_dev_initfn",
        hint="write 512 or 4096, both where the disk is of 4096",
        about=("blockio",),
        libvirt="not started",
        check=_block_sizes,
    ),
    Rule(
        id="disk-driver",
        says="the driver of a disk is qemu, of a format that QEMU reads",
        why="phy, tap and file are Xen's drivers; iso is a format of storage volumes.",
        source="libvirt 9.0.0, src/qemu/qemu_validate.c, qemuValidateDomainDeviceDefDisk; "
        "src/qemu/qemu_domain.c, qemuDomainValidateStorageSource",
        hint="write name='qemu' and the format of the image; raw for an ISO image",
        libvirt="refused",
        check=_driver,
    ),
)
