"""QEMU's ``info qtree``: every device, where it stands, and what it was told.

The text is the monitor's for people; its form has been the same since QEMU 1.2. What a line of another form
says is left out, so that a newer QEMU's additions do no harm; a text with no device in it is an error.
Source: QEMU 7.2, softmmu/qdev-monitor.c (qtree_printf), hw/pci/pci.c, hw/usb/bus.c.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

import msgspec

from virtxlate.errors import InputError
from virtxlate.hardware.model import Device

MOST_BYTES = 8 << 20
"""Of a text that is read; that of a machine with 200 devices is 300 KiB."""
MOST_DEPTH = 32
"""Buses in devices in buses."""
_STEP = 2
"""Blanks by which a thing is deeper than what it belongs to."""
_WORD = 1 << 64

_BUS = re.compile(r"bus: (.*)")
_TYPE = re.compile(r"type (\S+)")
_DEVICE = re.compile(r'dev: (\S+), id "(.*)"')
_PROPERTY = re.compile(r"(\S+) = (.*)")
_NUMBER = re.compile(r"(-?[0-9]+) \(.*\)", re.ASCII)
_PCI = re.compile(r"class .*, addr \S+, pci id (\S+) \(sub (\S+)\)")
_BAR = re.compile(r"(bar [0-9]): (\S+) at 0x([0-9a-f]{1,16}) \[0x([0-9a-f]{1,16})\]", re.ASCII)
_USB_PORT = re.compile(r"addr \S+, port (\S+), .*")


class _Bus:
    """A bus while its lines are read."""

    def __init__(self, name: str, owner: _Found | None) -> None:
        self.name = name
        self.type = ""
        self.owner = owner
        self.seen: dict[str, int] = {}


class _Found:
    """A device while its lines are read."""

    def __init__(self, driver: str, device_id: str, bus: _Bus) -> None:
        self.driver = driver
        self.id = device_id
        self.bus = bus
        self.buses = 0
        self.pci = ""
        self.port = ""
        self.bars: dict[str, str] = {}
        self.properties: dict[str, str] = {}


def parse_qtree(text: str) -> tuple[Device, ...]:
    """Give the devices of a text of ``info qtree``, in its order: the newest of a bus first.

    Raises InputError for a text that is too long or too deep, or that has no device.
    """
    if len(text) > MOST_BYTES:
        raise InputError(f"expected at most {MOST_BYTES} characters, found {len(text)}", at="info qtree")
    found = _read(text.splitlines())
    if not found:
        raise InputError("expected a line 'dev: DRIVER, id \"ID\"', found none", at="info qtree")
    paths: dict[int, str] = {}
    for each in found:
        paths[id(each)] = _path(each, paths)
    return tuple(_device(each, paths[id(each)]) for each in found)


def _read(lines: Iterable[str]) -> list[_Found]:
    found: list[_Found] = []
    open_at: dict[int, _Bus | _Found] = {}
    for line in lines:
        text = line.strip()
        depth = (len(line) - len(line.lstrip())) // _STEP
        if depth > MOST_DEPTH:
            raise InputError(f"expected at most {MOST_DEPTH} levels, found {depth}", at="info qtree")
        above = open_at.get(depth - 1)
        if (match := _BUS.fullmatch(text)) and not isinstance(above, _Bus):
            open_at[depth] = _Bus(match[1], above)
            if above is not None:
                above.buses += 1
        elif isinstance(above, _Bus):
            _read_in_bus(text, above, depth, open_at, found)
        elif above is not None:
            _read_in_device(text, above)
    return found


def _read_in_bus(
    text: str, bus: _Bus, depth: int, open_at: dict[int, _Bus | _Found], found: list[_Found]
) -> None:
    if match := _DEVICE.fullmatch(text):
        device = _Found(match[1], match[2], bus)
        open_at[depth] = device
        found.append(device)
    elif match := _TYPE.fullmatch(text):
        bus.type = match[1]


def _read_in_device(text: str, device: _Found) -> None:
    if match := _PROPERTY.fullmatch(text):
        device.properties[match[1]] = _value(match[2])
    elif match := _PCI.fullmatch(text):
        device.pci = f"{match[1]} {match[2]}"
    elif match := _BAR.fullmatch(text):
        # the end of a region without an address lies past the last one
        size = (int(match[4], 16) - int(match[3], 16) + 1) % _WORD
        device.bars[match[1]] = f"{match[2]} {size}"
    elif match := _USB_PORT.fullmatch(text):
        device.port = match[1]


def _value(text: str) -> str:
    """Give a value without its quotes, or without the second spelling of a number."""
    number = _NUMBER.fullmatch(text)
    return number[1] if number else text.removeprefix('"').removesuffix('"')


def _scsi(device: _Found) -> str:
    return ":".join(device.properties.get(name, "?") for name in ("channel", "scsi-id", "lun"))


def _in_port(device: _Found) -> str:
    base = device.properties.get("iobase", "")
    return f"{device.driver}@{int(base):#x}" if base.isdecimal() else device.driver


def _driver(device: _Found) -> str:
    return device.driver


_PLACES: Mapping[str, Callable[[_Found], str]] = {
    "PCI": lambda device: device.properties.get("addr", "?"),
    "PCIE": lambda device: device.properties.get("addr", "?"),
    "ISA": _in_port,
    "IDE": lambda device: "unit " + device.properties.get("unit", "?"),
    "floppy-bus": lambda device: "unit " + device.properties.get("unit", "?"),
    "SCSI": _scsi,
    "usb-bus": lambda device: "port " + device.port,
    "virtio-serial-bus": lambda device: "port " + device.properties.get("nr", "?"),
    "HDA": lambda device: "cad " + device.properties.get("cad", "?"),
    "i2c-bus": lambda device: device.properties.get("address", "?"),
}
"""Type of a bus to what tells its devices apart; the driver's name where a bus has no row."""


def _path(device: _Found, paths: Mapping[int, str]) -> str:
    """Give the path; a second device of the same place gets a number behind it."""
    bus = device.bus
    place = _PLACES.get(bus.type, _driver)(device)
    number = bus.seen.get(place, 0)
    bus.seen[place] = number + 1
    own = f"{place} #{number + 1}" if number else place
    if bus.owner is None or bus.owner.bus.owner is None:
        # the host bridge differs between boards, the bus behind it is the root all the same
        return f"{bus.type} {own}"
    if bus.owner.buses > 1:
        return f"{paths[id(bus.owner)]}/{bus.type} {bus.name.rpartition('.')[2]}/{own}"
    return f"{paths[id(bus.owner)]}/{bus.type} {own}"


def _device(found: _Found, path: str) -> Device:
    return Device(
        path=path,
        bus=found.bus.type,
        driver=found.driver,
        id=found.id,
        pci=found.pci,
        bars=found.bars,
        properties=found.properties,
    )


def with_properties(devices: Iterable[Device], more: Mapping[str, Mapping[str, str]]) -> tuple[Device, ...]:
    """Give the devices with ``more`` properties, by id, or by path where one has none."""
    return tuple(
        msgspec.structs.replace(each, properties={**each.properties, **more[each.id or each.path]})
        if (each.id or each.path) in more
        else each
        for each in devices
    )
