"""How two machines differ for the guest in them: device by device, property by property.

What only says how the host feeds a device (which file, which tap) is no difference.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from virtxlate.hardware.model import Cpu, Device, Machine

UNSEEN = frozenset(
    {"drive", "netdev", "chardev", "audiodev", "memdev", "iothread", "pcap", "masterbus", "smb_io_base"}
)
"""Properties that name a backend or a bus; and an address that the guest's firmware gives."""
UNSEEN_ON = {"usb-bus": frozenset({"port"})}
"""By bus: the USB port that was asked for; the path has the one that the device got."""


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is not the same; None stands for: is not there.

    Shape: ``{"kind": "PCI", "path": "PCI 03.0", "what": "driver", "before": "lsi53c895a", "after": null}``.
    """

    kind: str
    """machine, memory, boot, cpu, topology, firmware memory, or the type of the bus that a device is on."""
    path: str
    what: str
    """``device`` for one that is missing or new, else the property."""
    driver: str = ""
    before: str | None
    after: str | None

    def __str__(self) -> str:
        before, after = (("nothing" if value is None else repr(value)) for value in (self.before, self.after))
        return f"{self.path} {self.what}: {before} becomes {after}"


def compare(before: Machine, after: Machine) -> tuple[Difference, ...]:
    """Give the differences between what a guest had and what it would get; () for the same machine."""
    return tuple(
        difference
        for part in (
            _fields("machine", "machine", "", {"type": before.type}, {"type": after.type}),
            _fields("machine", "machine", "", {"uuid": before.uuid}, {"uuid": after.uuid}),
            _fields("machine", "machine", "", before.properties, after.properties),
            _fields("memory", "memory", "", {"bytes": str(before.memory)}, {"bytes": str(after.memory)}),
            _fields("boot", "boot", "", before.boot, after.boot),
            _fields("topology", "topology", "", _texts(before.topology), _texts(after.topology)),
            _fields("topology", "topology", "", _numbered(before.cpus), _numbered(after.cpus)),
            _cpus(before.cpu, after.cpu),
            _devices(_by_path(before), _by_path(after)),
            _isa_order(before.isa_order, after.isa_order),
            _memories(before.memories, after.memories),
        )
        for difference in part
    )


def _texts(values: Mapping[str, int]) -> dict[str, str]:
    return {name: str(value) for name, value in values.items()}


def _numbered(cpus: tuple[str, ...]) -> dict[str, str]:
    return {f"cpu {index}": place for index, place in enumerate(cpus)}


def _by_path(machine: Machine) -> dict[str, Device]:
    return {device.path: device for device in machine.devices}


def _fields(
    kind: str, path: str, driver: str, before: Mapping[str, str], after: Mapping[str, str]
) -> Iterator[Difference]:
    for name in dict.fromkeys((*before, *after)):
        if before.get(name) != after.get(name):
            yield Difference(
                kind=kind, path=path, what=name, driver=driver, before=before.get(name), after=after.get(name)
            )


def _cpus(before: Cpu, after: Cpu) -> Iterator[Difference]:
    yield from _fields("cpu", "cpu", "", {"type": before.type}, {"type": after.type})
    yield from _fields("cpu", "cpu", "", before.properties, after.properties)
    words = ({name: f"{word:#x}" for name, word in cpu.words.items()} for cpu in (before, after))
    yield from _fields("cpu", "cpuid", "", *words)


def _devices(before: Mapping[str, Device], after: Mapping[str, Device]) -> Iterator[Difference]:
    for path in sorted({*before, *after}):
        old, new = before.get(path), after.get(path)
        if old is not None and new is not None and old.driver == new.driver:
            yield from _fields(old.bus, path, old.driver, _shown(old), _shown(new))
            continue
        some = old or new
        if some is None or _hidden_with_its_owner(path, before, after):
            continue
        yield Difference(
            kind=some.bus,
            path=path,
            what="device",
            driver=some.driver,
            before=None if old is None else old.driver,
            after=None if new is None else new.driver,
        )


def _hidden_with_its_owner(path: str, before: Mapping[str, Device], after: Mapping[str, Device]) -> bool:
    """Tell whether a device that this one is part of differs itself, which says it all."""
    parts = path.split("/")
    for end in range(1, len(parts)):
        owner = "/".join(parts[:end])
        old, new = before.get(owner), after.get(owner)
        if (old or new) and (old is None or new is None or old.driver != new.driver):
            return True
    return False


def _shown(device: Device) -> dict[str, str]:
    """Give what a guest can see of a device besides its driver."""
    unseen = UNSEEN | UNSEEN_ON.get(device.bus, frozenset())
    properties = {name: value for name, value in device.properties.items() if name not in unseen}
    return {"pci id": device.pci, **device.bars, **properties}


def _isa_order(before: tuple[str, ...], after: tuple[str, ...]) -> Iterator[Difference]:
    """Give a difference for the same devices in another order."""
    if before != after and sorted(before) == sorted(after):
        orders = (" ".join(path.rpartition("/ISA ")[2] for path in side) for side in (before, after))
        yield from _fields("ISA", "ISA", "", {"order": next(orders)}, {"order": next(orders)})


def _memories(before: Mapping[str, int], after: Mapping[str, int]) -> Iterator[Difference]:
    for name in sorted({*before, *after}):
        sizes = (str(side[name]) if name in side else None for side in (before, after))
        old, new = sizes
        if old != new:
            yield Difference(kind="firmware memory", path=name, what="bytes", before=old, after=new)
