"""Where QEMU has every disk, CD-ROM, floppy, LUN, SCSI host device and NIC, from the live XML alone.

The values are QEMU's own under libvirt (bus ``scsi0.0``, id the alias); Ganeti's dialect is one option away.
Source: see tables/qemu.py.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from virtxlate.domain.live import LiveDevice, LiveDomain, parse_live
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
    QemuDisk,
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

    ``libvirt_version`` (major * 1000000 + minor * 1000 + release) decides on the name of ``drive``; the oldest
    supported one is assumed. Raises DomainXmlError for what is no domain document.
    """
    return derive(parse_live(xml), libvirt_version=libvirt_version)


def derive(live: LiveDomain, *, libvirt_version: int | None = None) -> tuple[DeviceInfo, ...]:
    """Give every placed device of a live domain that was read already."""
    buses = _Buses(live)
    version = DEFAULT_LIBVIRT if libvirt_version is None else libvirt_version
    return tuple(_info(device, buses, version) for device in live.devices)


def _info(device: LiveDevice, buses: _Buses, version: int) -> DeviceInfo:
    kind = _kind(device)
    hvinfo, note = None, None
    try:
        hvinfo = _MAKERS[device.tag](device, buses, version)
    except (_NotPlacedError, UnknownTermError) as exc:
        note = str(exc)
    except ValueError as exc:
        note = f"an address that is no number: {exc}"
    return DeviceInfo(
        kind=kind,
        alias=device.alias,
        target=device.target if device.tag == "disk" else None,
        mac=device.mac,
        hvinfo=hvinfo,
        path=device.path,
        note=note,
    )


def _kind(device: LiveDevice) -> str:
    if device.tag == "disk":
        return device.device or "disk"
    return "nic" if device.tag == "interface" else "hostdev"


class _Buses:
    """QEMU's names of the buses of one domain, by controller."""

    __slots__ = ("_by_key", "_is_q35", "_root")

    def __init__(self, live: LiveDomain) -> None:
        self._by_key = {
            (c.type, int(c.index or 0)): c for c in live.controllers if (c.index or "0").isdecimal()
        }
        root = self._by_key.get(("pci", 0))
        model = root.model if root is not None else None
        self._is_q35 = model == "pcie-root" or (model is None and "q35" in live.machine)
        self._root = PCI_ROOTS["pcie-root" if self._is_q35 else "pci-root"]

    def controller(self, kind: str, index: int) -> LiveDevice | None:
        """Give the controller, or None where the XML does not have it."""
        return self._by_key.get((kind, index))

    def alias(self, kind: str, index: int, default: str) -> str:
        """Give the alias of a controller; inactive XML has none, then libvirt's own."""
        found = self._by_key.get((kind, index))
        return found.alias if found is not None and found.alias else default

    def pci(self, index: int) -> str:
        """Give QEMU's name of a PCI bus."""
        return self._root if index == 0 else self.alias("pci", index, f"pci.{index}")

    def sata(self, index: int) -> str:
        """Give the name before the port: the first AHCI of q35 is on the board and called ide."""
        return self.alias("sata", index, "ide" if self._is_q35 and index == 0 else f"sata{index}")


def _number(address: Mapping[str, str], name: str) -> int:
    return int(address.get(name, "0"), 0)


def _place(device: LiveDevice, buses: _Buses) -> dict[str, str]:
    """Give the properties of a device that its address alone places."""
    address = device.address
    kind = address.get("type")
    if kind == "pci":
        slot, function = _number(address, "slot"), _number(address, "function")
        addr = (
            f"{slot:#x}.{function:#x}" if function or address.get("multifunction") == "on" else f"{slot:#x}"
        )
        return {"bus": buses.pci(_number(address, "bus")), "addr": addr}
    if kind == "ccw":
        cssid, ssid, devno = (_number(address, name) for name in ("cssid", "ssid", "devno"))
        return {"devno": f"{cssid:x}.{ssid:x}.{devno:04x}"}
    if kind == "virtio-mmio":
        return {}
    raise _NotPlacedError(f"no address that places it, but {kind!r}" if kind else "no address")


def _virtio(device: LiveDevice, base: str, model: str | None) -> str:
    """Give the driver: its end comes from the type of the address, and from the model."""
    suffix = ADDRESS_SUFFIXES.right(device.address.get("type", ""))
    return base + suffix + VIRTIO_MODELS.right(model or "virtio")


def _scsi(device: LiveDevice, buses: _Buses) -> dict[str, object]:
    """Give bus, channel, scsi-id and lun: which attribute is which depends on the controller's model."""
    address = device.address
    if address.get("type") != "drive":
        raise _NotPlacedError("no drive address")
    index = _number(address, "controller")
    controller = buses.controller("scsi", index)
    if controller is None:
        raise _NotPlacedError(f"there is no SCSI controller {index}")
    row = SCSI_BY_MODEL.get(controller.model or "")
    if row is None:
        raise _NotPlacedError(f"SCSI controller model {controller.model!r} is not known")
    alias = buses.alias("scsi", index, f"scsi{index}")
    bus, target, unit = (_number(address, name) for name in ("bus", "target", "unit"))
    if row.scsi_id_in == "unit":
        return {"bus": f"{alias}.{bus}", "scsi_id": unit}
    return {"bus": f"{alias}.0", "channel": bus, "scsi_id": target, "lun": unit}


def _ide(device: LiveDevice, _buses: _Buses) -> dict[str, object]:
    return {"bus": f"ide.{_number(device.address, 'bus')}", "unit": _number(device.address, "unit")}


def _sata(device: LiveDevice, buses: _Buses) -> dict[str, object]:
    alias = buses.sata(_number(device.address, "controller"))
    return {"bus": f"{alias}.{_number(device.address, 'unit')}"}


def _usb(device: LiveDevice, buses: _Buses) -> dict[str, object]:
    index = _number(device.address, "bus")
    alias = buses.alias("usb", index, f"usb{index}" if index else "usb")
    return {"bus": f"{alias}.0", "port": device.address.get("port")}


def _fdc(device: LiveDevice, _buses: _Buses) -> dict[str, object]:
    return {"unit": _number(device.address, "unit")}


_PLACES = {"scsi": _scsi, "ide": _ide, "sata": _sata, "usb": _usb, "fdc": _fdc}


def _disk(device: LiveDevice, buses: _Buses, version: int) -> QemuInfo:
    words = (device.bus or "", device.device or "disk")
    if words not in DISKS_BY_WORDS:
        raise _NotPlacedError(f"a disk of bus {device.bus!r} and device {words[1]!r} is not known")
    row = VHOST_USER_DISK if device.type == "vhostuser" else DISKS_BY_WORDS[words]
    if row.place == "none":
        raise _NotPlacedError("QEMU has it without a -device of its own")
    drive = None if device.type == "vhostuser" else _drive(device, version)
    if row.place == "suffix":
        driver = _virtio(device, row.driver, device.model)
        return QemuInfo(driver=driver, id=device.alias, drive=drive, **_place(device, buses))
    return _on_controller(row, device, buses, drive)


def _on_controller(row: QemuDisk, device: LiveDevice, buses: _Buses, drive: str | None) -> QemuInfo:
    if not device.address:
        raise _NotPlacedError("no address")
    place = _PLACES[row.place](device, buses)
    return QemuInfo(driver=row.driver, id=device.alias, drive=drive, **place)  # type: ignore[arg-type]


def _drive(device: LiveDevice, version: int) -> str | None:
    """Give the node that QEMU's drive= names; an empty drive has none, nor has a version that is not known."""
    if (
        not device.source
        or device.source_index is None
        or not set(device.source) - {"index", "startupPolicy"}
    ):
        return None
    if device.copy_on_read == "on":
        return COPY_ON_READ_NODE.format(target=device.target)
    row = next((row for row in DRIVE_NODES if row.since <= version <= row.until), None)
    if row is None:
        return None
    pattern = row.raw if device.format in {None, "raw"} else row.other
    return pattern.format(index=device.source_index)


def _interface(device: LiveDevice, buses: _Buses, _version: int) -> QemuInfo:
    if device.type == "hostdev":
        return QemuInfo(driver=HOSTDEV_INTERFACE_DRIVER, id=device.alias, **_place(device, buses))
    model = device.model or DEFAULT_INTERFACE_MODEL
    if model in UNPLACED_INTERFACE_MODELS:
        raise _NotPlacedError(UNPLACED_INTERFACE_MODELS[model])
    driver = _virtio(device, "virtio-net", model) if VIRTIO_MODELS.knows_left(model) else model
    netdev = f"host{device.alias}" if device.alias else None
    return QemuInfo(driver=driver, id=device.alias, netdev=netdev, **_place(device, buses))


def _hostdev(device: LiveDevice, buses: _Buses, _version: int) -> QemuInfo:
    if device.type == "scsi":
        place = _scsi(device, buses)
        return QemuInfo(driver=HOSTDEV_SCSI_DRIVER, id=device.alias, **place)  # type: ignore[arg-type]
    if device.type == "scsi_host":
        driver = _virtio(device, HOSTDEV_VHOST_DRIVER, device.model)
        return QemuInfo(driver=driver, id=device.alias, **_place(device, buses))
    if device.type == "pci":
        return QemuInfo(driver=HOSTDEV_INTERFACE_DRIVER, id=device.alias, **_place(device, buses))
    raise _NotPlacedError(f"a host device of type {device.type!r} is not on a PCI or SCSI bus")


_MAKERS = {"disk": _disk, "interface": _interface, "hostdev": _hostdev}
