"""Where QEMU has every disk, CD-ROM, floppy, LUN, SCSI host device and NIC, from the live XML alone.

The values are QEMU's own under libvirt (bus ``scsi0.0``, id the alias); Ganeti's dialect is one option away.
Source: see tables/qemu.py.
"""

from __future__ import annotations

from typing import Any

import msgspec

from virtxlate.domain.live import Attributes, LiveDevice, LiveDomain, parse_live
from virtxlate.errors import UnknownTermError
from virtxlate.tables.qemu import (
    ADDRESS_SUFFIXES,
    COPY_ON_READ_NODE,
    DEFAULT_INTERFACE_MODEL,
    DISKS_BY_WORDS,
    DRIVE_NODES,
    HOSTDEV_INTERFACE_DRIVER,
    HOSTDEV_SCSI_DRIVER,
    HOSTDEV_VHOST_DRIVER,
    PCI_ROOTS,
    SCSI_BY_MODEL,
    UNPLACED_INTERFACE_MODELS,
    VHOST_USER_DISK,
    VIRTIO_MODELS,
)

DEFAULT_LIBVIRT = 9_000_000


class QemuInfo(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename={"scsi_id": "scsi-id"}):
    """One device in QEMU's words; what its bus does not have is left out.

    ``{"driver": "scsi-hd", "id": "scsi0-0-3-0", "bus": "scsi0.0", "channel": 0, "scsi-id": 3, "lun": 0,
    "drive": "libvirt-1-format"}``
    """

    driver: str
    id: str | None = None
    bus: str | None = None
    addr: str | None = None
    devno: str | None = None
    channel: int | None = None
    scsi_id: int | None = None
    lun: int | None = None
    unit: int | None = None
    port: str | None = None
    drive: str | None = None
    netdev: str | None = None


class DeviceInfo(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One device of a domain, and where QEMU has it; ``note`` says why a part is missing."""

    kind: str
    alias: str | None = None
    uuid: str | None = None
    target: str | None = None
    mac: str | None = None
    hvinfo: QemuInfo | None = None
    path: str = ""
    note: str | None = None

    def to_dict(self) -> dict[str, object]:
        """Give the JSON object: ``{"kind": "nic", "alias": "net0", "mac": "...", "hvinfo": {...}}``."""
        found: dict[str, object] = msgspec.to_builtins(self)
        found.pop("path", None)
        return found


class _NotPlacedError(Exception):
    """A device that the tables do not place; the message says why."""


def derive_hvinfo(xml: bytes | str, *, libvirt_version: int | None = None) -> tuple[DeviceInfo, ...]:
    """Give every placed device of a live domain, in the order of its XML.

    ``libvirt_version`` (major * 1000000 + minor * 1000 + release) names ``drive``; the oldest supported
    one is assumed. Raises DomainXmlError for what is no domain document.
    """
    return derive(parse_live(xml), libvirt_version=libvirt_version)


def derive(live: LiveDomain, *, libvirt_version: int | None = None) -> tuple[DeviceInfo, ...]:
    """Give every placed device of a live domain that was read already."""
    buses = _Buses(live)
    version = DEFAULT_LIBVIRT if libvirt_version is None else libvirt_version
    return tuple(_info(device, buses, version) for device in live.devices)


def _info(device: LiveDevice, buses: _Buses, version: int) -> DeviceInfo:
    tag, hvinfo, note = device.tag, None, None
    try:
        hvinfo = _MAKERS[tag](device, buses, version)
    except (_NotPlacedError, UnknownTermError) as exc:
        note = str(exc)
    except ValueError as exc:
        note = f"an address that is no number: {exc}"
    return DeviceInfo(
        kind=_KINDS[tag] or device.get("device") or "disk",
        alias=device.part("alias")("name"),
        target=device.part("target")("dev") if tag == "disk" else None,
        mac=device.part("mac")("address"),
        hvinfo=hvinfo,
        path=device.path,
        note=note,
    )


_KINDS = {"disk": "", "interface": "nic", "hostdev": "hostdev"}
"""Kind by element; a disk's is its device."""


class _Buses:
    """QEMU's names of the buses of one domain, by controller."""

    __slots__ = ("_by_key", "_is_q35", "_root")

    def __init__(self, live: LiveDomain) -> None:
        self._by_key = {(each.get("type"), each.get("index", "0")): each for each in live.controllers}
        root = self._by_key.get(("pci", "0"))
        model = root.get("model") if root is not None else None
        self._is_q35 = model == "pcie-root" or (model is None and "q35" in live.machine)
        self._root = PCI_ROOTS["pcie-root" if self._is_q35 else "pci-root"]

    def controller(self, kind: str, index: int) -> LiveDevice | None:
        """Give the controller, or None where the XML does not have it."""
        return self._by_key.get((kind, str(index)))

    def alias(self, kind: str, index: int, default: str) -> str:
        """Give the alias of a controller; inactive XML has none, then libvirt's own."""
        found = self._by_key.get((kind, str(index)))
        return (found.part("alias")("name") if found is not None else None) or default

    def pci(self, index: int) -> str:
        """Give QEMU's name of a PCI bus."""
        return self._root if index == 0 else self.alias("pci", index, f"pci.{index}")

    def sata(self, index: int) -> str:
        """Give the name before the port: the first AHCI of q35 is on the board and called ide."""
        return self.alias("sata", index, "ide" if self._is_q35 and index == 0 else f"sata{index}")


def _number(address: Attributes, name: str) -> int:
    return int(address(name, "0") or "0", 0)


def _place(address: Attributes, buses: _Buses) -> tuple[str | None, str | None, str | None]:
    """Give bus, addr and devno of a device that its address alone places."""
    kind = address("type")
    if kind == "pci":
        addr, function = hex(_number(address, "slot")), _number(address, "function")
        if function or address("multifunction") == "on":
            addr = f"{addr}.{function:#x}"
        return buses.pci(_number(address, "bus")), addr, None
    if kind == "ccw":
        cssid, ssid, devno = (_number(address, name) for name in ("cssid", "ssid", "devno"))
        return None, None, f"{cssid:x}.{ssid:x}.{devno:04x}"
    if kind == "virtio-mmio":
        return None, None, None
    raise _NotPlacedError(f"an address of type {kind!r} does not place it" if kind else "no address")


def _virtio(address: Attributes, base: str, model: str | None) -> str:
    """Give the driver: its end comes from the type of the address, and from the model."""
    return base + ADDRESS_SUFFIXES.right(address("type", "") or "") + VIRTIO_MODELS.right(model or "virtio")


def _scsi(device: LiveDevice, buses: _Buses) -> dict[str, Any]:
    """Give bus, channel, scsi-id and lun: which attribute is which depends on the controller's model."""
    address = device.part("address")
    if address("type") != "drive":
        raise _NotPlacedError("no drive address")
    index = _number(address, "controller")
    controller = buses.controller("scsi", index)
    if controller is None:
        raise _NotPlacedError(f"there is no SCSI controller {index}")
    row = SCSI_BY_MODEL.get(controller.get("model", "") or "")
    if row is None:
        raise _NotPlacedError(f"SCSI controller model {controller.get('model')!r} is not known")
    alias = buses.alias("scsi", index, f"scsi{index}")
    bus, unit = _number(address, "bus"), _number(address, "unit")
    if row.scsi_id_in == "unit":
        return {"bus": f"{alias}.{bus}", "scsi_id": unit}
    return {"bus": f"{alias}.0", "channel": bus, "scsi_id": _number(address, "target"), "lun": unit}


def _ide(device: LiveDevice, _buses: _Buses) -> dict[str, Any]:
    address = device.part("address")
    return {"bus": f"ide.{_number(address, 'bus')}", "unit": _number(address, "unit")}


def _sata(device: LiveDevice, buses: _Buses) -> dict[str, Any]:
    address = device.part("address")
    return {"bus": f"{buses.sata(_number(address, 'controller'))}.{_number(address, 'unit')}"}


def _usb(device: LiveDevice, buses: _Buses) -> dict[str, Any]:
    address = device.part("address")
    index = _number(address, "bus")
    alias = buses.alias("usb", index, f"usb{index}" if index else "usb")
    return {"bus": f"{alias}.0", "port": address("port")}


def _fdc(device: LiveDevice, _buses: _Buses) -> dict[str, Any]:
    return {"unit": _number(device.part("address"), "unit")}


_PLACES = {"scsi": _scsi, "ide": _ide, "sata": _sata, "usb": _usb, "fdc": _fdc}


def _disk(device: LiveDevice, buses: _Buses, version: int) -> QemuInfo:
    bus, kind = device.part("target")("bus", ""), device.get("device", "disk")
    row = DISKS_BY_WORDS.get((bus or "", kind or ""))
    if row is None:
        raise _NotPlacedError(f"a disk of bus {bus!r} and device {kind!r} is not known")
    if row.place == "none":
        raise _NotPlacedError("QEMU has it without a -device of its own")
    drive = _drive(device, version)
    alias = device.part("alias")("name")
    if row.place != "suffix":
        if not device.has("address"):
            raise _NotPlacedError("no address")
        return QemuInfo(driver=row.driver, id=alias, drive=drive, **_PLACES[row.place](device, buses))
    if device.get("type") == "vhostuser":
        row, drive = VHOST_USER_DISK, None
    address = device.part("address")
    where, addr, devno = _place(address, buses)
    driver = _virtio(address, row.driver, device.get("model"))
    return QemuInfo(driver=driver, id=alias, bus=where, addr=addr, devno=devno, drive=drive)


def _drive(device: LiveDevice, version: int) -> str | None:
    """Give the node that drive= names; an empty drive has none, and none is known for some versions."""
    source = device.part("source")
    index = source("index")
    if index is None or (device.get("device") in _REMOVABLE and _is_empty(device)):
        return None
    driver = device.part("driver")
    if driver("copy_on_read") == "on":
        return COPY_ON_READ_NODE.format(target=device.part("target")("dev"))
    for row in DRIVE_NODES:
        if row.since <= version <= row.until:
            pattern = row.raw if driver("type", "raw") == "raw" else row.other
            return pattern.format(index=index)
    return None


_REMOVABLE = frozenset({"cdrom", "floppy"})
_NO_PLACE = frozenset({"index", "startupPolicy"})


def _is_empty(device: LiveDevice) -> bool:
    """Tell whether a drive's source names no place: it may have an index all the same."""
    source = device.element.find("source")
    return source is None or not (set(source.keys()) - _NO_PLACE or len(source))


def _interface(device: LiveDevice, buses: _Buses, _version: int) -> QemuInfo:
    alias, address = device.part("alias")("name"), device.part("address")
    if device.get("type") == "hostdev":
        driver, netdev = HOSTDEV_INTERFACE_DRIVER, None
    else:
        model = device.part("model")("type") or DEFAULT_INTERFACE_MODEL
        if model in UNPLACED_INTERFACE_MODELS:
            raise _NotPlacedError(UNPLACED_INTERFACE_MODELS[model])
        driver = _virtio(address, "virtio-net", model) if VIRTIO_MODELS.knows_left(model) else model
        netdev = f"host{alias}" if alias else None
    bus, addr, devno = _place(address, buses)
    return QemuInfo(driver=driver, id=alias, bus=bus, addr=addr, devno=devno, netdev=netdev)


def _hostdev(device: LiveDevice, buses: _Buses, _version: int) -> QemuInfo:
    alias, kind = device.part("alias")("name"), device.get("type")
    if kind == "scsi":
        return QemuInfo(driver=HOSTDEV_SCSI_DRIVER, id=alias, **_scsi(device, buses))
    if kind not in {"scsi_host", "pci"}:
        raise _NotPlacedError(f"a host device of type {kind!r} is not on a PCI or SCSI bus")
    address = device.part("address")
    bus, addr, devno = _place(address, buses)
    driver = HOSTDEV_INTERFACE_DRIVER
    if kind == "scsi_host":
        driver = _virtio(address, HOSTDEV_VHOST_DRIVER, device.get("model"))
    return QemuInfo(driver=driver, id=alias, bus=bus, addr=addr, devno=devno)


_MAKERS = {"disk": _disk, "interface": _interface, "hostdev": _hostdev}
