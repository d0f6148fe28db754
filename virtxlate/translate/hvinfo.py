"""Where QEMU has every disk, CD-ROM, floppy, LUN, SCSI host device and NIC, from the live XML alone.

The values are QEMU's own under libvirt (bus ``scsi0.0``, id the alias); Ganeti's dialect is one option away.
Source: see tables/qemu.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Protocol

from lxml import etree

from virtxlate.domain.live import ABSENT, LiveDevice, LiveDomain, Parts, parse_live, read_number
from virtxlate.errors import GanetiDataError
from virtxlate.tables.qemu import (
    ADDRESS_SUFFIXES,
    DEFAULT_INTERFACE_MODEL,
    DISKS_BY_WORDS,
    HOSTDEVS_BY_WORDS,
    IDE_BUS,
    NETDEV_PREFIX,
    NETWORK_DRIVER,
    RAMFB_SUFFIX,
    VHOST_USER_DISK,
    VIRTIO_MODELS,
)
from virtxlate.translate.buses import Buses, NotPlacedError
from virtxlate.translate.device_info import DeviceInfo, QemuInfo
from virtxlate.translate.drives import Drives
from virtxlate.translate.matching import are_all_found, with_uuids
from virtxlate.translate.metadata import uuids_of_aliases

__all__ = ["DeviceInfo", "OpenDomain", "QemuInfo", "derive", "derive_hvinfo"]

_MAX_NOTE = 200
_SLOTS, _FUNCTIONS = 32, 8
_TEXTS = (bytes, str)


class OpenDomain(Protocol):
    """What is asked of an open domain; one of live.connection will do."""

    def live_xml(self) -> str:
        """Give the XML of the running guest."""


def derive_hvinfo(
    source: bytes | str | OpenDomain, *, libvirt_version: int | None = None
) -> tuple[DeviceInfo, ...]:
    """Give every disk, host device and NIC of a live domain, in the order of its XML.

    ``libvirt_version`` (major * 1000000 + minor * 1000 + release) tells what ``drive`` is called; without it,
    9.0 is assumed, unless the document shows something newer. A device that cannot be placed has a ``note``;
    ``uuid`` is Ganeti's, of metadata that can be read.

    Raises DomainXmlError for what is no domain document, LiveError of an open domain.
    """
    live = parse_live(source if isinstance(source, _TEXTS) else source.live_xml())
    found = _with_uuids_of_aliases(live, libvirt_version)
    if found is not None:
        return found
    devices = derive(live, libvirt_version=libvirt_version)
    try:
        return with_uuids(live, devices)
    except GanetiDataError:
        return devices


_NO_UUIDS: Mapping[str, str] = MappingProxyType({})


def _with_uuids_of_aliases(live: LiveDomain, libvirt_version: int | None) -> tuple[DeviceInfo, ...] | None:
    """Give what derive, then with_uuids would, in one go; None where more than aliases must be looked at."""
    uuids: Mapping[str, str] | None = _NO_UUIDS
    if live.metadata is not None:
        try:
            uuids = uuids_of_aliases(live.metadata)
        except GanetiDataError:
            return None
    if uuids is None:
        return None
    devices = derive(live, libvirt_version=libvirt_version, uuids=uuids)
    return devices if are_all_found(uuids, devices) else None


def derive(
    live: LiveDomain, *, libvirt_version: int | None = None, uuids: Mapping[str, str] = _NO_UUIDS
) -> tuple[DeviceInfo, ...]:
    """Give every disk, host device and NIC of a live domain that was read already.

    ``uuids``: Ganeti's, by alias.
    """
    buses = Buses(live)
    drives = Drives(libvirt_version, live.machine)
    return tuple([_info(device, buses, drives, uuids) for device in live.devices])


def _info(device: LiveDevice, buses: Buses, drives: Drives, uuids: Mapping[str, str]) -> DeviceInfo:
    tag, element, parts = device.tag, device.element, device.parts()
    alias, target, mac = parts.get("alias", ABSENT).get("name"), None, None
    make: Callable[[etree._Element, Parts, str, str | None, Buses, Drives], QemuInfo]
    if tag == "disk":
        kind, target, make = element.get("device") or "disk", parts.get("target", ABSENT).get("dev"), _disk
    elif tag == "interface":
        kind, mac, make = "nic", parts.get("mac", ABSENT).get("address"), _interface
    else:
        kind, make = "hostdev", _hostdev
    hvinfo = note = None
    try:
        hvinfo = make(element, parts, kind, alias, buses, drives)
    except (NotPlacedError, ValueError) as exc:
        note = str(exc)[:_MAX_NOTE]
    return DeviceInfo(kind, alias, uuids.get(alias or ""), target, mac, hvinfo, device.path, note)


def _by_address(
    driver: str, alias: str | None, kind: str | None, address: etree._Element, buses: Buses, backend: _Backend
) -> QemuInfo:
    """Give a device that its address alone places. Raises NotPlacedError."""
    drive, netdev = backend
    if kind == "pci":
        bus, addr = (
            buses.pci(read_number(address.get("bus"))),
            _addr(address.get("slot"), address.get("function")),
        )
        return QemuInfo(driver, alias, bus, addr, drive=drive, netdev=netdev)
    if kind == "ccw":
        cssid, ssid, devno = (read_number(address.get(name)) for name in ("cssid", "ssid", "devno"))
        return QemuInfo(driver, alias, devno=f"{cssid:x}.{ssid:x}.{devno:04x}", drive=drive, netdev=netdev)
    if kind == "virtio-mmio":
        return QemuInfo(driver, alias, drive=drive, netdev=netdev)
    if kind == "usb":
        return QemuInfo(
            driver,
            alias,
            buses.usb(read_number(address.get("bus"))),
            port=address.get("port"),
            drive=drive,
            netdev=netdev,
        )
    raise NotPlacedError(_off_bus(kind))


_Backend = tuple[str | None, str | None]
"""Drive and netdev."""
_NO_BACKEND: _Backend = (None, None)
_NO_ADDRESS = "no address: the XML does not tell its place"


@lru_cache(maxsize=1024)
def _addr(slot: str | None, function: str | None) -> str:
    """Give QEMU's addr; libvirt leaves function 0 out, of a multifunction slot too."""
    where, part = read_number(slot), read_number(function)
    if where >= _SLOTS or part >= _FUNCTIONS:
        raise NotPlacedError(f"a PCI bus has no slot {slot or 0} with a function {function or 0}")
    return f"{where:#x}.{part:#x}" if part else f"{where:#x}"


@lru_cache(maxsize=64)
def _virtio(base: str, kind: str | None, model: str | None) -> str:
    """Give the driver: its end comes from the type of the address, and from the model."""
    if kind is None or not ADDRESS_SUFFIXES.knows_left(kind):
        raise NotPlacedError(_off_bus(kind))
    if model and not VIRTIO_MODELS.knows_left(model):
        raise NotPlacedError(f"virtio model {model!r} is not known")
    return base + ADDRESS_SUFFIXES.right(kind) + VIRTIO_MODELS.right(model or "virtio")


def _off_bus(kind: str | None) -> str:
    return f"an address of type {kind!r} does not place it" if kind else _NO_ADDRESS


def _scsi(
    driver: str, alias: str | None, address: etree._Element, buses: Buses, drive: str | None
) -> QemuInfo:
    """Give a device on a SCSI controller: which attribute is which depends on the controller's model."""
    name, scsi_id_in = buses.scsi(read_number(address.get("controller")))
    bus, unit = read_number(address.get("bus")), read_number(address.get("unit"))
    if scsi_id_in == "unit":
        return QemuInfo(driver, alias, f"{name}.{bus}", scsi_id=unit, drive=drive)
    target = read_number(address.get("target"))
    return QemuInfo(driver, alias, f"{name}.0", channel=bus, scsi_id=target, lun=unit, drive=drive)


def _ide(
    driver: str, alias: str | None, address: etree._Element, _buses: Buses, drive: str | None
) -> QemuInfo:
    """Give a device on the board's IDE; an alias of that controller changes nothing."""
    bus = f"{IDE_BUS}.{read_number(address.get('bus'))}"
    return QemuInfo(driver, alias, bus, unit=read_number(address.get("unit")), drive=drive)


def _sata(
    driver: str, alias: str | None, address: etree._Element, buses: Buses, drive: str | None
) -> QemuInfo:
    bus = f"{buses.sata(read_number(address.get('controller')))}.{read_number(address.get('unit'))}"
    return QemuInfo(driver, alias, bus, drive=drive)


def _usb(
    driver: str, alias: str | None, address: etree._Element, buses: Buses, drive: str | None
) -> QemuInfo:
    return QemuInfo(
        driver, alias, buses.usb(read_number(address.get("bus"))), port=address.get("port"), drive=drive
    )


def _fdc(
    driver: str, alias: str | None, address: etree._Element, _buses: Buses, drive: str | None
) -> QemuInfo:
    return QemuInfo(driver, alias, unit=read_number(address.get("unit")), drive=drive)


_ON_CONTROLLER = {
    "scsi": (_scsi, "drive"),
    "ide": (_ide, "drive"),
    "sata": (_sata, "drive"),
    "usb": (_usb, "usb"),
    "fdc": (_fdc, "drive"),
}
"""How a place is read, and the type of address that says it."""


def _on_controller(
    place: str, driver: str, alias: str | None, address: etree._Element, buses: Buses, drive: str | None
) -> QemuInfo:
    read, wanted = _ON_CONTROLLER[place]
    if address.get("type") != wanted:
        raise NotPlacedError(f"no address of type {wanted!r}: the XML does not tell its place")
    return read(driver, alias, address, buses, drive)


def _disk(
    device: etree._Element, parts: Parts, kind: str, alias: str | None, buses: Buses, drives: Drives
) -> QemuInfo:
    bus = parts.get("target", ABSENT).get("bus") or ""
    row = DISKS_BY_WORDS.get((bus, kind))
    if row is None or drives.version > row.until:
        raise NotPlacedError(f"a disk of bus {bus!r} and device {kind!r} is not known")
    if row.place == "none":
        raise NotPlacedError("QEMU has it without a -device of its own")
    drive, address = drives.name(parts, kind), parts.get("address", ABSENT)
    model = device.get("model")
    if row.place != "virtio":
        if (model or row.model) != row.model:
            raise NotPlacedError(f"a disk of bus {bus!r} and model {model!r} is not known")
        return _on_controller(row.place, row.driver, alias, address, buses, drive)
    if device.get("type") == "vhostuser":
        row, drive = VHOST_USER_DISK, None
    where = address.get("type")
    return _by_address(_virtio(row.driver, where, model), alias, where, address, buses, (drive, None))


def _interface(
    device: etree._Element, parts: Parts, _kind: str, alias: str | None, buses: Buses, _drives: Drives
) -> QemuInfo:
    address = parts.get("address", ABSENT)
    where = address.get("type")
    if device.get("type") == "hostdev":
        return _by_address(HOSTDEVS_BY_WORDS["pci", ""].driver, alias, where, address, buses, _NO_BACKEND)
    driver = _network_driver(parts.get("model", ABSENT).get("type"), where)
    return _by_address(
        driver, alias, where, address, buses, (None, f"{NETDEV_PREFIX}{alias}" if alias else None)
    )


@lru_cache(maxsize=64)
def _network_driver(model: str | None, kind: str | None) -> str:
    """Give the driver; a model that is not virtio's is QEMU's own word."""
    driver = model or DEFAULT_INTERFACE_MODEL
    return _virtio(NETWORK_DRIVER, kind, driver) if VIRTIO_MODELS.knows_left(driver) else driver


def _hostdev(
    device: etree._Element, parts: Parts, _kind: str, alias: str | None, buses: Buses, _drives: Drives
) -> QemuInfo:
    kind, model = device.get("type") or "", device.get("model") or ""
    row = HOSTDEVS_BY_WORDS.get((kind, model if kind == "mdev" else ""))
    if row is None:
        raise NotPlacedError(f"a host device of type {kind!r} and model {model!r} is not known")
    if row.place == "none":
        raise NotPlacedError("QEMU has it on no bus")
    address, driver = parts.get("address", ABSENT), row.driver
    if row.place not in {"virtio", "address"}:
        return _on_controller(row.place, driver, alias, address, buses, None)
    where = address.get("type")
    if row.place == "virtio":
        driver = _virtio(driver, where, model)
    elif device.get("ramfb") == "on":
        driver += RAMFB_SUFFIX
    return _by_address(driver, alias, where, address, buses, _NO_BACKEND)
