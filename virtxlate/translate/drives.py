"""What the ``drive=`` of a disk names under libvirt: the top node of its image."""

from __future__ import annotations

import re
from functools import lru_cache

from virtxlate.domain.live import LiveDevice, Parts, absent
from virtxlate.tables.qemu import COPY_ON_READ_PREFIX, DRIVE_NODES, NODE_PREFIX, NOT_TOLD, DriveNode
from virtxlate.translate.buses import Buses

_MACHINE_VERSION = re.compile(r"-([0-9]{1,3})\.([0-9]{1,3})$", re.ASCII)
_REMOVABLE = frozenset({"cdrom", "floppy"})
_NO_PLACE = frozenset({"index", "startupPolicy"})


class Drives:
    """The names of one domain's drives, for the libvirt that wrote its XML; None where nobody told which."""

    __slots__ = ("_buses", "_raw", "_row", "version")

    def __init__(self, version: int | None, buses: Buses) -> None:
        self.version = NOT_TOLD if version is None else version
        self._row = _row(self.version)
        self._raw: str | None = None
        self._buses = buses

    def name(self, device: LiveDevice, parts: Parts, kind: str) -> str | None:
        """Give the node; an empty drive has none, and for some versions it is not known."""
        source = parts.get("source", absent)
        index = source("index")
        if index is None or (kind in _REMOVABLE and source("file") is None and _is_empty(device)):
            return None
        driver, row = parts.get("driver", absent), self._row
        if driver("copy_on_read") == "on":
            return f"{COPY_ON_READ_PREFIX}{parts.get('target', absent)('dev')}"
        for name in row.unless:
            if name in parts:
                return None
        end = self._raw_end(device) if driver("type", "raw") == "raw" else row.other
        return f"{NODE_PREFIX}{index}{end}" if end else None

    def _raw_end(self, device: LiveDevice) -> str:
        end = self._raw
        if end is None:
            end = self._raw = _raw_end(self._row, self._buses.machine)
        if self._row.raw_unless and _source_has(device, self._row.raw_unless):
            return ""
        return end


@lru_cache(maxsize=64)
def _row(version: int) -> DriveNode:
    (row,) = [row for row in DRIVE_NODES if row.since <= version <= row.until]
    return row


@lru_cache(maxsize=64)
def _raw_end(row: DriveNode, machine: str) -> str:
    """Give the end of a raw image's node, where the machine type proves or does not disprove the QEMU."""
    match = _MACHINE_VERSION.search(machine)
    version = (int(match[1]), int(match[2])) if match else (0, 0)
    lowest, beyond = row.raw_needs_machine, row.raw_below_machine
    is_right = (lowest is None or version >= lowest) and (beyond is None or version < beyond)
    return row.raw if is_right else ""


def _source_has(device: LiveDevice, names: tuple[str, ...]) -> bool:
    return any(device.element.find(f"source/{name}") is not None for name in names)


def _is_empty(device: LiveDevice) -> bool:
    """Tell whether a drive's source names no place: it may have an index all the same."""
    source = device.element.find("source")
    return source is None or not (set(source.keys()) - _NO_PLACE or len(source))
