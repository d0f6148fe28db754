"""The journal of a handover: one file, always whole, that tells after a crash how far it was."""

from __future__ import annotations

import errno
import os
import re
import shutil
import stat
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from virtxlate.errors import InputError, LiveError, OperationRefusedError
from virtxlate.handover.networks import Connection
from virtxlate.handover.source import Process
from virtxlate.handover.states import Decision
from virtxlate.handover.steps import Name
from virtxlate.handover.transfer import FIFO, IMAGE, Manner

STATE = Path("/var/lib/virtxlate/handover")
_FILE, _NEW = "journal.json", "journal.new"
_VERSION = 1
_SPARE = "spare"
_LEFT = (_NEW, FIFO, IMAGE)
"""What a transfer, or a write that was cut short, has left."""
_SPARE_BYTES = 64 << 10
"""Besides the length of the first record: the display's addresses and a definition may come to it."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*", re.ASCII)


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """What must be known to end a handover, either way."""

    version: int = _VERSION
    instance: str
    uuid: str
    xml: str
    """The domain."""
    qmp: str
    """The old QEMU's socket."""
    uri: str = ""
    """Of the libvirt that takes over."""
    process: Process | None = None
    decision: Decision = Decision.OPEN
    begun: tuple[Name, ...] = ()
    """What may have been done and has an undo."""
    before: str | None = None
    """The definition that there was, without what is secret in it."""
    secret: bool = False
    """Whether something was."""
    displays: tuple[dict[str, Any], ...] = ()
    """Where the old QEMU's VNC listened."""
    manner: Manner | None = None
    """How the old QEMU sent before."""
    connections: tuple[Connection, ...] = ()
    """Of taps that libvirt does not connect."""
    files: tuple[str, ...] = ()
    """Of Ganeti's, to be removed at the end."""


def _room(size: int) -> int:
    """Give the bytes that are kept for the records after a first one of that size."""
    return 2 * size + _SPARE_BYTES


class _Version(msgspec.Struct):
    version: int


class Journal:
    """The journal of one instance, in a directory of its own that nobody else may enter."""

    def __init__(self, state: Path, instance: str) -> None:
        if not _NAME.fullmatch(instance):
            raise InputError("expected the name of an instance", at=instance)
        self.folder = state / instance
        self._file = self.folder / _FILE
        self.kept = state / f"{instance}.released"
        """Where Ganeti's files of the instance are put away."""

    def begin(self, record: Record) -> None:
        """Make the directory, and write the first record.

        Raises OperationRefusedError where there is one, or where the directory is anybody else's; LiveError
        where there is no room for it.
        """
        self.expect_none()
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._expect_own()
            self.folder.chmod(0o700)
            self.clear()
            self._keep_room(len(msgspec.json.encode(record)))
            self.write(record)
        except OSError as exc:
            with suppress(OSError):
                self.end()
            raise LiveError(f"{exc.strerror or exc}: {self.folder}", call="journal") from None
        except KeyboardInterrupt:
            with suppress(OSError):
                self.end()
            raise

    def expect_none(self) -> None:
        """Raise OperationRefusedError where there is one."""
        if self._file.exists():
            raise OperationRefusedError(
                f"a handover of {self.folder.name} is under way, or was cut short: "
                "end it with --resume or --abort",
                call="journal",
            )

    def trouble(self, size: int) -> str:
        """Give why a record of so many bytes would be refused, as a look tells; empty: for nothing."""
        try:
            self.expect_none()
            place = next(
                each for each in (self.folder, *self.folder.absolute().parents) if os.path.lexists(each)
            )
            if place == self.folder:
                self._expect_own()
            if not place.is_dir():
                return f"expected a directory: {place}"
            if not os.access(place, os.W_OK | os.X_OK):
                return f"no file can be made in {place}"
            room, free = _room(size), shutil.disk_usage(place).free
        except OperationRefusedError as exc:
            return exc.message
        except OSError as exc:
            return f"{exc.strerror or exc}: {self.folder}"
        return "" if free >= room else f"{free} bytes are free in {place}, and {room} are needed"

    def _expect_own(self) -> None:
        """Raise OperationRefusedError for a directory of somebody else's, or with other files in it."""
        found = self.folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
            message = f"expected a directory of this user's own, found another's or a link: {self.folder}"
            raise OperationRefusedError(message, call="journal")
        others = sorted({each.name for each in self.folder.iterdir()} - {*_LEFT, _SPARE})
        if others:
            message = (
                f"expected an empty directory, found {others[0]} in {self.folder}: give another --state-dir"
            )
            raise OperationRefusedError(message, call="journal")

    def _keep_room(self, size: int) -> None:
        """Have what the last records need, so that a disk which becomes full stops no way back."""
        with (self.folder / _SPARE).open("wb") as file, suppress(NotImplementedError):
            os.posix_fallocate(file.fileno(), 0, _room(size))

    def write(self, record: Record) -> None:
        """Write it whole, and return when it is on the disk; a full disk costs the room that was kept."""
        data = msgspec.json.encode(record)
        try:
            self._write(data)
        except OSError as exc:
            if exc.errno not in {errno.ENOSPC, errno.EDQUOT}:
                raise
            (self.folder / _SPARE).unlink(missing_ok=True)
            self._write(data)

    def _write(self, data: bytes) -> None:
        new = self.folder / _NEW
        new.unlink(missing_ok=True)
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        new.rename(self._file)
        self._sync()

    def read(self) -> Record:
        """Give what was written last. Raises OperationRefusedError where nothing was, InputError."""
        data, at = self._read(), str(self._file)
        try:
            version = msgspec.json.decode(data, type=_Version).version
            if version != _VERSION:
                raise InputError(f"expected a journal of version {_VERSION}, found {version}", at=at)
            record = msgspec.json.decode(data, type=Record)
        except (msgspec.DecodeError, UnicodeDecodeError) as exc:
            raise InputError(f"not a journal of this program: {exc}", at=at) from None
        if record.instance != self.folder.name:
            raise InputError(
                f"expected the journal of {self.folder.name}, found that of {record.instance}", at=at
            )
        return record

    def _read(self) -> bytes:
        """Give the file's bytes; what it says is obeyed, so it must be this user's own."""
        try:
            descriptor = os.open(self._file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError:
            raise OperationRefusedError(
                f"no handover of {self.folder.name} was cut short: there is nothing to end", call="journal"
            ) from None
        with os.fdopen(descriptor, "rb") as file:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid():
                raise InputError("expected a file of this user's own, found another's", at=str(self._file))
            return file.read()

    def clear(self) -> None:
        """Remove what a transfer has left."""
        for name in _LEFT:
            (self.folder / name).unlink(missing_ok=True)

    def end(self) -> None:
        """Remove it all, but for what is somebody else's."""
        self.clear()
        (self.folder / _SPARE).unlink(missing_ok=True)
        self._file.unlink(missing_ok=True)
        with suppress(OSError):
            self.folder.rmdir()

    def _sync(self) -> None:
        folder = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
