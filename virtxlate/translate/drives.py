"""What the ``drive=`` of a disk names under libvirt: the top node of its image."""

from __future__ import annotations

import re
from functools import lru_cache

from lxml import etree

from virtxlate.domain.live import ABSENT, Parts
from virtxlate.tables.qemu import COPY_ON_READ_PREFIX, DRIVE_NODES, NODE_PREFIX, NOT_TOLD, DriveNode

_MACHINE_VERSION = re.compile(r"-([0-9]{1,3})\.([0-9]{1,3})$", re.ASCII)
_REMOVABLE = frozenset({"cdrom", "floppy"})
_NO_PLACE = frozenset({"index", "startupPolicy"})


class Drives:
    """The names of one domain's drives, for the libvirt that wrote its XML; None where nobody told which."""

    __slots__ = ("_raw_end", "_row", "version")

    def __init__(self, version: int | None, machine: str) -> None:
        self.version = NOT_TOLD if version is None else version
        self._row = _row(self.version)
        self._raw_end = _raw_end(self._row, machine)

    def name(self, parts: Parts, kind: str) -> str | None:
        """Give the node; an empty drive has none, and for some versions it is not known."""
        source = parts.get("source", ABSENT)
        index = source.get("index")
        if index is None or (kind in _REMOVABLE and source.get("file") is None and _is_empty(source)):
            return None
        driver, row = parts.get("driver", ABSENT), self._row
        if driver.get("copy_on_read") == "on":
            return f"{COPY_ON_READ_PREFIX}{parts.get('target', ABSENT).get('dev')}"
        for name in row.unless:
            if name in parts:
                return None
        end = row.other
        if driver.get("type", "raw") == "raw":
            end = self._raw_end
            for name in row.raw_unless:
                if source.find(name) is not None:
                    return None
        return f"{NODE_PREFIX}{index}{end}" if end else None


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


def _is_empty(source: etree._Element) -> bool:
    """Tell whether a drive's source names no place: it may have an index all the same."""
    return not (set(source.keys()) - _NO_PLACE or len(source))
