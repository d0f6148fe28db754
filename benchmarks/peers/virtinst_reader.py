"""The live XML as virtinst reads it: Guest(parsexml=...), without and with its disks' and NICs' addresses.

virtinst looks a property up in the document when it is asked for, so parsing alone tells no place yet.
"""

from __future__ import annotations

from benchmarks.live import TEXT
from benchmarks.peers.serving import serve
from benchmarks.peers.virtinst_module import VERSIONS, Device, virtinst

_PROPERTIES = {
    "pci": ("domain", "bus", "slot", "function"),
    "drive": ("controller", "bus", "target", "unit"),
}

Place = tuple[str, ...]


def parse() -> virtinst.Guest:
    """Give virtinst's object of the domain."""
    return virtinst.Guest(None, parsexml=TEXT)


def read() -> list[Place]:
    """Give alias and address of every disk and NIC."""
    devices = parse().devices
    return [_place(each) for each in (*devices.disk, *devices.interface)]


def _place(device: Device) -> Place:
    address = device.address
    kind = address.type
    return (device.alias.name, kind, *(getattr(address, name) for name in _PROPERTIES.get(kind, ())))


def show() -> str:
    """Give the alias of each disk and NIC whose address was read."""
    return " ".join(place[0] for place in read() if place[1])


if __name__ == "__main__":
    serve({"virtinst": parse, "virtinst-read": read}, VERSIONS, {"virtinst": show, "virtinst-read": show})
