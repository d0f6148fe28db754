"""Limits of a disk's throughput: which go together."""

from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

from virtxlate.rules.rule import Document, Fault, Rule, child, number

Element = etree._Element
_UNITS = ("bytes_sec", "iops_sec")
_DIRECTIONS = ("total", "read", "write")
_LIMITS = tuple(f"{direction}_{unit}" for unit in _UNITS for direction in _DIRECTIONS)
_MOST = 10**15


def _tunes(document: Document) -> Iterator[tuple[Element, dict[str, int]]]:
    for disk in document.disks:
        iotune = child(disk, "iotune")
        if iotune is not None and disk.get("device") != "lun":
            yield (
                iotune,
                {str(each.tag): number((each.text or "").strip()) or 0 for each in iotune.iterchildren("*")},
            )


def _at(iotune: Element, name: str, says: str) -> Fault:
    found = iotune.find(name)
    return Fault(iotune if found is None else found, "", None if found is None else found.text, (), says)


def _total(document: Document) -> Iterator[Fault]:
    for iotune, values in _tunes(document):
        for unit in _UNITS:
            for end in ("", "_max"):
                parts = [
                    f"{each}_{unit}{end}" for each in _DIRECTIONS[1:] if values.get(f"{each}_{unit}{end}")
                ]
                total = f"total_{unit}{end}"
                if values.get(total) and parts:
                    yield _at(
                        iotune,
                        total,
                        f"{total} is the sum of read and write; {' and '.join(parts)} is set, too",
                    )


def _burst(document: Document) -> Iterator[Fault]:
    for iotune, values in _tunes(document):
        for name in _LIMITS:
            limit, most = values.get(name, 0), values.get(f"{name}_max", 0)
            length = values.get(f"{name}_max_length", 0)
            if most and not limit:
                yield _at(iotune, f"{name}_max", f"{name}_max is above {name}, which is not set")
            elif most and most < limit:
                yield _at(iotune, f"{name}_max", f"{name}_max is not below {name}, {limit}; found {most}")
            if length and not most:
                yield _at(
                    iotune, f"{name}_max_length", f"{name}_max_length is that of {name}_max, which is not set"
                )


def _group(document: Document) -> Iterator[Fault]:
    groups: dict[str, tuple[Element, dict[str, int]]] = {}
    for iotune, values in _tunes(document):
        name = iotune.findtext("group_name")
        limits = {key: value for key, value in values.items() if value}
        if name is None or not limits:
            continue
        first, expected = groups.setdefault(name, (iotune, limits))
        if limits != expected:
            yield _at(iotune, "group_name", f"group {name} has other limits at {document.path(first)}")


def _lone_group(document: Document) -> Iterator[Fault]:
    tunes = list(_tunes(document))
    limited = {iotune.findtext("group_name") for iotune, values in tunes if any(values.values())}
    for iotune, _values in tunes:
        name = iotune.findtext("group_name")
        if name is not None and name not in limited:
            yield _at(iotune, "group_name", f"group {name} has no limits")


def _most(document: Document) -> Iterator[Fault]:
    for iotune, values in _tunes(document):
        for name, value in values.items():
            if value > _MOST:
                yield _at(iotune, name, f"{name} is {_MOST} at most; found {value}")


RULES: tuple[Rule, ...] = (
    Rule(
        id="iotune-total",
        says="a limit of the total excludes limits of reading and writing",
        why="QEMU counts either the sum or the parts.",
        source="libvirt 9.0.0, src/conf/domain_validate.c, virDomainDiskDefValidate",
        hint="leave out total, or read and write",
        about=("iotune",),
        libvirt="refused",
        check=_total,
    ),
    Rule(
        id="iotune-burst",
        says="a burst is above a limit, and the length of a burst is that of one",
        why="libvirt does not compare them; QEMU refuses them when the domain starts.",
        source="QEMU 7.2, util/throttle.c, throttle_is_valid",
        hint="set the limit, too, below the burst",
        about=("iotune",),
        libvirt="not started",
        check=_burst,
    ),
    Rule(
        id="iotune-group",
        says="all disks of a throttle group have the same limits",
        why="They share one.",
        source="libvirt 9.0.0, src/qemu/qemu_validate.c, qemuValidateDomainDeviceDefDiskBlkdeviotune",
        hint="write the same limits at each, or group_name alone at all but one",
        about=("iotune",),
        libvirt="refused",
        check=_group,
    ),
    Rule(
        id="iotune-group-limits",
        says="a throttle group has limits",
        why="A name alone limits nothing, and QEMU ignores it.",
        source="libvirt 9.0.0, src/qemu/qemu_validate.c, qemuValidateDomainDeviceDefDiskBlkdeviotune",
        hint="set a limit at one of its disks, or leave group_name out",
        about=("iotune",),
        libvirt="refused",
        check=_lone_group,
    ),
    Rule(
        id="iotune-most",
        says="a limit is 1000000000000000 at most",
        why="QEMU counts no further.",
        source="libvirt 9.0.0, src/qemu/qemu_validate.c, qemuValidateDomainDeviceDefDiskBlkdeviotune",
        hint="leave the limit out",
        about=("iotune",),
        libvirt="refused",
        check=_most,
    ),
)
