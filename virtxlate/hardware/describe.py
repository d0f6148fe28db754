"""What one QEMU says about its machine, asked through QMP: a record for comparing.

It asks and changes nothing, so a running guest does not notice.
Source: QEMU 7.2, qapi/machine.json, qapi/qom.json; measured on QEMU 7.2.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol

import msgspec

from virtxlate.errors import InputError
from virtxlate.hardware.cpu_properties import CPU_PROPERTIES, is_switch
from virtxlate.hardware.model import Cpu, Device, Machine
from virtxlate.hardware.qtree import parse_qtree, with_properties

_MACHINE = "/machine"
_DEVICES, _WITHOUT_ID = "/machine/peripheral", "/machine/peripheral-anon"
MOST_DEVICES = 4096
"""That are asked for their boot index."""

_BOOTS = ("kernel", "initrd", "append")
_NOT_ITS_OWN = frozenset({"type", "boot", "memory", "smp", "rtc-time"})
"""Properties of the machine with a field of their own, and the clock, which goes on between two questions."""
_OF_ANY_DEVICE = frozenset({"type", "realized", "hotplugged", "hotpluggable"})
NO_BUS = "none"
"""Stands for the bus of a device that is on none."""
_WITH_ID = re.compile(rf"{_DEVICES}/([^/]+)")
_ROOT_BUSES = {"pci.0": "PCI", "pcie.0": "PCIE"}
"""Names of the bus at the root, and its type."""
_RAM_BLOCK = re.compile(r"\s*(\S+)\s+\S+ \S+\s+0x[0-9a-f]+\s+0x[0-9a-f]+\s+0x([0-9a-f]+)(?:\s.*)?", re.ASCII)


class Ask(Protocol):
    """A way to one QEMU: gives what a QMP command returns, raises where QEMU refuses."""

    def __call__(self, command: str, /, **arguments: Any) -> Any:
        """Give the answer's ``return``."""


class _Property(msgspec.Struct):
    """A row of qom-list."""

    name: str
    type: str


class _BaseMemory(msgspec.Struct, rename="kebab"):
    base_memory: int


class _Uuid(msgspec.Struct):
    UUID: str


class _Slot(msgspec.Struct, rename="kebab"):
    """A row of query-hotpluggable-cpus; only a CPU that is there has a path."""

    props: dict[str, int]
    qom_path: str = ""


class _Word(msgspec.Struct, rename="kebab"):
    """A row of a CPU's feature-words."""

    cpuid_register: str
    cpuid_input_eax: int
    features: int
    cpuid_input_ecx: int | None = None


class _Cache(msgspec.Struct):
    writeback: bool


class _Inserted(msgspec.Struct, rename="kebab"):
    node_name: str
    cache: _Cache


class _Block(msgspec.Struct):
    """A row of query-block; an empty drive has nothing inserted."""

    device: str
    inserted: _Inserted | None = None


class _Named(msgspec.Struct):
    name: str


class _Virtio(msgspec.Struct):
    """A row of x-query-virtio."""

    path: str


class _Features(msgspec.Struct, rename="kebab"):
    dev_features: list[str]
    transports: list[str]
    unknown_dev_features: int = 0


class _VirtioStatus(msgspec.Struct, rename="kebab"):
    """Of x-query-virtio-status: what the device offers, whatever the guest took of it."""

    host_features: _Features


def describe(ask: Ask) -> Machine:
    """Give the machine of the QEMU that ``ask`` reaches.

    Raises InputError for an answer of another shape than QEMU's, and what ``ask`` raises.
    """
    own = _all_properties(ask, _MACHINE)
    slots = _slots(ask)
    devices = parse_qtree(_monitor(ask, "info qtree"))
    return Machine(
        type=str(own.get("type", "")),
        uuid=_read(ask, _Uuid, "query-uuid").UUID.lower(),
        memory=_read(ask, _BaseMemory, "query-memory-size-summary").base_memory,
        topology=_topology(own.get("smp")),
        boot=_texts(_mapping(own.get("boot"))),
        properties=_texts({name: value for name, value in own.items() if name not in _NOT_ITS_OWN}),
        cpu=_cpu(ask, min(slots, key=_order).qom_path, switches=True),
        cpus=_places(slots),
        devices=tuple(
            sorted((*_completed(ask, devices), *_off_bus(ask, devices)), key=lambda device: device.path)
        ),
        isa_order=tuple(device.path for device in devices if device.bus == "ISA"),
        memories=_memories(_monitor(ask, "info ramblock")),
    )


def first_cpu(ask: Ask) -> str:
    """Give the path of the first CPU among QEMU's objects. Raises InputError."""
    return min(_slots(ask), key=_order).qom_path


def _slots(ask: Ask) -> list[_Slot]:
    slots = [slot for slot in _read(ask, list[_Slot], "query-hotpluggable-cpus") if slot.qom_path]
    if not slots:
        raise InputError("expected a CPU with a path, found none", at="query-hotpluggable-cpus")
    return slots


def glance(ask: Ask) -> Machine:
    """Give the machine from few questions: quick, for a guest that stands still meanwhile.

    It has what QEMU takes silently when it loads a state: devices (without boot indices and virtio features),
    CPU, topology, UUID and what boots. Memory and version QEMU compares itself.
    Raises what `describe` raises.
    """
    slots = _slots(ask)
    devices = _with_write_cache(parse_qtree(_monitor(ask, "info qtree")), _write_caches(ask))
    boots = {name: str(_property(ask, _MACHINE, name)) for name in _BOOTS}
    return Machine(
        type="",
        uuid=_read(ask, _Uuid, "query-uuid").UUID.lower(),
        memory=0,
        topology=_topology(_property(ask, _MACHINE, "smp")),
        boot={},
        properties=boots,
        cpu=_cpu(ask, min(slots, key=_order).qom_path),
        cpus=_places(slots),
        devices=tuple(sorted(devices, key=lambda device: device.path)),
        isa_order=(),
        memories={},
    )


def _topology(smp: Any) -> dict[str, int]:
    return {name: value for name, value in _mapping(smp).items() if isinstance(value, int)}


def _places(slots: Iterable[_Slot]) -> tuple[str, ...]:
    return tuple(sorted(" ".join(f"{k}={v}" for k, v in sorted(slot.props.items())) for slot in slots))


def _completed(ask: Ask, devices: Iterable[Device]) -> tuple[Device, ...]:
    """Give the devices with what ``info qtree`` does not show."""
    told = tuple(_with_write_cache(devices, _write_caches(ask)))
    return with_properties(with_properties(told, _boot_indices(ask, told)), _virtio_features(ask))


def _order(slot: _Slot) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(slot.props.items()))


def _cpu(ask: Ask, path: str, *, switches: bool = False) -> Cpu:
    more = [row.name for row in _list(ask, path) if is_switch(row.name)] if switches else []
    properties = {name: _property(ask, path, name) for name in ("type", *CPU_PROPERTIES, *sorted(more))}
    words = _convert(_property(ask, path, "feature-words"), list[_Word], "feature-words")
    return Cpu(type=str(properties.pop("type")), properties=_texts(properties), words=_words(words))


def _words(words: Iterable[_Word]) -> dict[str, int]:
    named = {}
    for word in words:
        leaf = f"{word.cpuid_input_eax:x}"
        if word.cpuid_input_ecx is not None:
            leaf += f".{word.cpuid_input_ecx:x}"
        named[f"{leaf}/{word.cpuid_register}"] = word.features
    return dict(sorted(named.items()))


def _boot_indices(ask: Ask, devices: tuple[Device, ...]) -> dict[str, dict[str, str]]:
    """Give the boot index of each device that was asked for and has one, by id, or by path where it has none.

    ``info qtree`` does not show it.
    """
    indices = {}
    for path in _asked_for(ask):
        if any(row.name == "bootindex" for row in _list(ask, path)):
            index = _property(ask, path, "bootindex")
            name = _name_of(ask, path, devices)
            if isinstance(index, int) and index >= 0 and name:
                indices[name] = {"bootindex": str(index)}
    return indices


def _asked_for(ask: Ask) -> list[str]:
    """Give the path of each device that is not the board's own: those with an id, and those without."""
    paths = [f"{place}/{row.name}" for place in (_DEVICES, _WITHOUT_ID) for row in _children(ask, place)]
    if len(paths) > MOST_DEVICES:
        raise InputError(f"expected at most {MOST_DEVICES} devices, found {len(paths)}", at=_DEVICES)
    return paths


def _off_bus(ask: Ask, devices: Iterable[Device]) -> Iterator[Device]:
    """Give the devices that are on no bus, so that ``info qtree`` does not show them: vmgenid, pc-dimm."""
    shown, seen = {each.driver for each in devices}, dict[str, int]()
    for place in (_DEVICES, _WITHOUT_ID):
        for row in _children(ask, place):
            driver = row.type.removeprefix("child<").removesuffix(">")
            if driver in shown or driver.endswith("-cpu"):
                continue
            number = seen[driver] = seen.get(driver, 0) + 1
            told = _all_properties(ask, f"{place}/{row.name}")
            yield Device(
                path=f"{NO_BUS} {driver}" + (f" #{number}" if number > 1 else ""),
                bus=NO_BUS,
                driver=driver,
                id=row.name if place == _DEVICES else "",
                properties=_texts({name: told[name] for name in told if name not in _OF_ANY_DEVICE}),
            )


def _name_of(ask: Ask, path: str, devices: tuple[Device, ...]) -> str:
    """Give the id of a device, or the path that it has in ``devices``; empty where that is not known."""
    named = _WITH_ID.fullmatch(path)
    if named:
        return named[1]
    bus = str(_property(ask, path, "parent_bus"))
    holder, _slash, bus_name = bus.rpartition("/")
    if bus_name in _ROOT_BUSES:
        return _owner(ask, path)
    number = bus_name.rpartition(".")[2]
    if bus_name.startswith("ide."):
        ending = f"/IDE {number}/unit {_property(ask, path, 'unit')}"
        return next((each.path for each in devices if each.path.endswith(ending)), "")
    controller = _WITH_ID.fullmatch(holder)
    if controller is None or not bus_name.startswith("scsi."):
        return ""
    place = ":".join(str(_property(ask, path, name)) for name in ("channel", "scsi-id", "lun"))
    return next((f"{each.path}/SCSI {place}" for each in devices if each.id == controller[1]), "")


def _write_caches(ask: Ask) -> dict[str, str]:
    """Give whether a guest may write ahead, by each name that a device's drive may be told by."""
    caches: dict[str, str] = {}
    for block in _read(ask, list[_Block], "query-block"):
        if block.inserted is not None:
            word = "on" if block.inserted.cache.writeback else "off"
            caches |= {name: word for name in (block.device, block.inserted.node_name) if name}
    return caches


def _with_write_cache(devices: Iterable[Device], caches: Mapping[str, str]) -> Iterator[Device]:
    """Give the devices with what ``write-cache=auto`` has come to: the guest sees only that."""
    for each in devices:
        word = caches.get(each.properties.get("drive", ""))
        if word is None or each.properties.get("write-cache") != "auto":
            yield each
        else:
            yield msgspec.structs.replace(each, properties={**each.properties, "write-cache": word})


def _virtio_features(ask: Ask) -> dict[str, dict[str, str]]:
    """Give what each virtio device offers; QEMU tells it since 7.2, and not for good.

    Its properties do not tell: what a tap cannot do is not offered.
    """
    commands = {command.name for command in _read(ask, list[_Named], "query-commands")}
    if not {"x-query-virtio", "x-query-virtio-status"} <= commands:
        return {}
    found = {}
    for row in _read(ask, list[_Virtio], "x-query-virtio"):
        owner = _owner(ask, row.path)
        if owner:
            features = _read(ask, _VirtioStatus, "x-query-virtio-status", path=row.path).host_features
            names = sorted(each.partition(":")[0] for each in (*features.dev_features, *features.transports))
            found[owner] = {"virtio features": " ".join((*names, hex(features.unknown_dev_features)))}
    return found


def _owner(ask: Ask, backend: str) -> str:
    """Give the id of the PCI device that is, or is around, a virtio device; its path where it has none."""
    device = backend.removesuffix("/virtio-backend")
    named = _WITH_ID.fullmatch(device)
    if named:
        return named[1]
    bus = _property(ask, device, "parent_bus")
    number = _property(ask, device, "addr")
    if not (isinstance(bus, str) and bus.rpartition("/")[2] in _ROOT_BUSES and isinstance(number, int)):
        return ""
    kind = _ROOT_BUSES[bus.rpartition("/")[2]]
    return f"{kind} {number >> 3:02x}.{number & 7}"


def _children(ask: Ask, path: str) -> list[_Property]:
    return [row for row in _list(ask, path) if row.type.startswith("child<")]


def _all_properties(ask: Ask, path: str) -> dict[str, Any]:
    rows = [row for row in _list(ask, path) if not row.type.startswith(("child<", "link<"))]
    return {row.name: _property(ask, path, row.name) for row in rows}


def _list(ask: Ask, path: str) -> list[_Property]:
    rows: list[_Property] = _read(ask, list[_Property], "qom-list", path=path)
    return rows


def _property(ask: Ask, path: str, name: str) -> Any:
    return ask("qom-get", path=path, property=name)


def _monitor(ask: Ask, line: str) -> str:
    text: str = _read(ask, str, "human-monitor-command", **{"command-line": line})
    return text


def _read(ask: Ask, shape: type[Any], command: str, /, **arguments: Any) -> Any:
    return _convert(ask(command, **arguments), shape, command)


def _convert(answer: Any, shape: Any, command: str) -> Any:
    try:
        return msgspec.convert(answer, shape)
    except msgspec.ValidationError as exc:
        raise InputError(f"QEMU answered in another shape: {exc}", at=command) from None


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _texts(values: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(value) for name, value in values.items()}


def _memories(text: str) -> dict[str, int]:
    """Give sizes by name from the monitor's table: name, page size, offset, used, total."""
    matches = (_RAM_BLOCK.fullmatch(line) for line in text.splitlines())
    return {match[1]: int(match[2], 16) for match in matches if match}
