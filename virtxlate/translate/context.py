"""What a translation may know besides its input: the destination host, and its names for things."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from virtxlate.errors import MapError
from virtxlate.scsi import ScsiResolver

TABLES = (
    "bridges",
    "switches",
    "networks",
    "paths",
    "pools",
    "disks",
    "scripts",
    "secrets",
    "initiators",
    "addresses",
    "users",
)
"""Tables of the map file, each of text to text."""
_NAMED_IN_A_DOCUMENT = frozenset({"secrets", "initiators"})
"""Tables that add what Ganeti does not have; a document that exists has it already."""


class Renames:
    """The map file: what bears another name on the destination host.

    Shape (TOML): ``[bridges]`` ``br0 = "lan"``; ``[paths]`` ``"/dev/xenvg" = "/dev/vg0"``.
    Remembers which entries were used, so that a mistyped one is found.

    Raises MapError for an unknown table or an entry that is not a text.
    """

    __slots__ = ("_any_secret", "_tables", "_used", "diskparams")

    def __init__(self, data: Mapping[str, Any] | None = None) -> None:
        self._tables: dict[str, dict[str, str]] = {}
        self.diskparams: dict[str, dict[str, Any]] = {}
        self._used: set[tuple[str, str]] = set()
        self._any_secret = False
        for table, entries in (data or {}).items():
            if not isinstance(entries, dict):
                raise MapError("expected a table", at=table)
            if table == "diskparams":
                self.diskparams = {key: _table(f"diskparams.{key}", value) for key, value in entries.items()}
            elif table in TABLES:
                self._tables[table] = {key: _text(f"{table}.{key}", value) for key, value in entries.items()}
            else:
                raise MapError(f"expected one of {', '.join((*TABLES, 'diskparams'))}", at=table)

    def find(self, table: str, key: str) -> str | None:
        """Give the entry for ``key``, or None."""
        found = self._tables[table].get(key) if table in self._tables else None
        if found is not None:
            self._used.add((table, key))
        elif table in _NAMED_IN_A_DOCUMENT and self._any_secret:
            return key
        return found

    def params(self, template: str) -> dict[str, Any]:
        """Give the diskparams that the map adds to those of every disk of a template."""
        if template not in self.diskparams:
            return {}
        self._used.add(("diskparams", template))
        return self.diskparams[template]

    def with_any_secret(self) -> Renames:
        """Give the same map, where a user without a secret is its own: for a document that exists already."""
        same = Renames()
        same._tables, same._used, same.diskparams = self._tables, self._used, self.diskparams
        same._any_secret = True
        return same

    def rename(self, table: str, name: str) -> str:
        """Give the new name, or ``name`` itself where the table has none."""
        found = self.find(table, name)
        return name if found is None else found

    def path(self, path: str) -> str:
        """Give the new path; an entry names a file or a directory. Raises MapError when two entries apply."""
        entries = self._tables.get("paths", {})
        hits = [key for key in entries if path == key or path.startswith(key.rstrip("/") + "/")]
        if len(hits) > 1:
            raise MapError(f"ambiguous for {path}: {' and '.join(map(repr, sorted(hits)))} apply", at="paths")
        if not hits:
            return path
        self._used.add(("paths", hits[0]))
        return entries[hits[0]].rstrip("/") + path[len(hits[0].rstrip("/")) :]

    def back(self, table: str, name: str) -> str:
        """Give the old name of ``name``. Raises MapError when two old names became it."""
        old = [key for key, value in self._tables.get(table, {}).items() if value == name]
        if len(old) > 1:
            raise MapError(f"ambiguous: {' and '.join(map(repr, sorted(old)))} became {name!r}", at=table)
        return old[0] if old else name

    def back_path(self, path: str) -> str:
        """Give the old path. Raises MapError when two entries apply."""
        entries = self._tables.get("paths", {})
        hits = [
            (old, new)
            for old, new in entries.items()
            if path == new or path.startswith(new.rstrip("/") + "/")
        ]
        if len(hits) > 1:
            raise MapError(f"ambiguous for {path}: {len(hits)} entries apply", at="paths")
        return hits[0][0].rstrip("/") + path[len(hits[0][1].rstrip("/")) :] if hits else path

    def check_used(self) -> None:
        """Raise MapError naming the entries that nothing asked for."""
        tables: dict[str, Mapping[str, Any]] = {**self._tables, "diskparams": self.diskparams}
        unused = [
            f"{table}.{key}"
            for table, rows in tables.items()
            for key in rows
            if (table, key) not in self._used
        ]
        if unused:
            raise MapError(f"unused: {', '.join(unused)}", at="map")


def _text(at: str, value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise MapError(f"expected a text, found {value!r}", at=at)
    return value


def _table(at: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise MapError(f"expected a table, found {value!r}", at=at)
    return value


def parse_renames(text: str) -> Renames:
    """Give the map that a TOML text holds. Raises MapError."""
    try:
        return Renames(tomllib.loads(text))
    except tomllib.TOMLDecodeError as exc:
        raise MapError(f"not TOML: {exc}") from None


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """The destination of a translation."""

    domain_type: Literal["kvm", "qemu"] = "kvm"
    """kvm is what Ganeti runs; qemu emulates."""
    disk_paths: Literal["device", "link"] = "device"
    """The real device, or Ganeti's link in /var/run/ganeti/instance-disks."""
    stable_names: bool = False
    """Whether a block device is named by what it is (wwn, by-id) or where (by-path), where that is known."""
    scsi: ScsiResolver | None = None
    """Who knows the SCSI devices of the destination host."""
    renames: Renames = msgspec.field(default_factory=Renames)
    libvirt_version: int = 9_000_000
    """Of the destination: major * 1000000 + minor * 1000 + release, as libvirt itself counts."""
    qemu_version: int | None = None
    """Of the destination, counted alike; None where nobody told it."""
    metadata: bool = True
    """Whether the Ganeti objects ride in the domain's metadata."""
    untainted: bool = False
    """Whether nothing is said to QEMU past libvirt, which would mark the domain as tainted."""
    password_follows: bool = False
    """Whether somebody sets the password of the display that the document leaves locked."""
