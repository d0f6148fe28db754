"""The exceptions of virtxlate, split by who must act.

VirtxlateError                      never raised itself; ``exit_code`` is on the class
├── UsageError                   2  the command was called wrongly
├── InputError(ValueError)       3  fix what you gave; ``at`` is a dotted or an XML path
│   ├── GanetiDataError             disks[1].logical_id
│   ├── DomainXmlError              /domain/devices/disk[2]/address/@type, with its line
│   ├── MapError                    an entry of the map file
│   ├── SchemaSourceError           a RELAX NG file, or what was built of it
│   └── SchemaError                 ``violations``: all of them
├── UnsupportedError             4  valid, but without an equal on the other side; ``report``
├── PlacementError               4  a bus is full or an address is taken; ``bus``, ``wanted``
├── LiveError                    5  libvirt refused; ``call`` and ``code``, cause kept
│   ├── ConnectionFailedError
│   ├── LibvirtMissingError         libvirt-python is not installed
│   ├── DomainNotFoundError(LookupError)
│   ├── NodeDeviceNotFoundError(LookupError)
│   ├── DeviceNotFoundError(LookupError)
│   ├── DomainStoppedError          the domain stopped, or went away, in the middle
│   ├── OperationRefusedError       the domain's state, or the driver, does not allow it
│   └── HotplugError                what Ganeti's own calls raise, for every cause
├── VerificationError            6  libvirt said yes, but its own XML says no; ``differences``
├── RemovalError                 7  the guest still has the device; ``alias``
│   ├── RemovalPendingError         it has not answered yet, and may still do
│   └── RemovalRefusedError         it said no
└── InternalError               70  a bug of ours
    └── TableError                  a table that contradicts itself; raised at import

UnknownTermError(LookupError) is what a table raises; translate turns it into a Loss or an UnsupportedError.

Exit code 1 is no exception: it says that differences or violations were found.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self

if TYPE_CHECKING:
    from collections.abc import Iterable


class _Portable:
    """An exception that ``pickle`` and ``copy`` carry whole, out of a worker process too.

    Python would call the class again with the finished message alone, which is not what these take; in a
    process pool that breaks the pool instead of raising.
    """

    args: tuple[Any, ...]

    def __reduce__(self) -> tuple[Any, ...]:
        return _again, (type(self), self.args), self.__dict__ or None


def _again(kind: type[Exception], args: tuple[object, ...]) -> Exception:
    return kind.__new__(kind, *args)


class VirtxlateError(_Portable, Exception):
    """Base of all; the message is one line."""

    exit_code: ClassVar[int] = 70


class UsageError(VirtxlateError):
    """The command line asks for something contradictory."""

    exit_code = 2


class InputError(VirtxlateError, ValueError):
    """What the caller gave cannot be used; ``at`` says where in it."""

    exit_code = 3

    def __init__(self, message: str, *, at: str = "") -> None:
        super().__init__(f"{at}: {message}" if at else message)
        self.message = message
        self.at = at

    def under(self, parent: str) -> Self:
        """Give the same error with ``parent`` put before its path."""
        joint = "." if self.at and parent and not self.at.startswith(("[", "/")) else ""
        return type(self)(self.message, at=f"{parent}{joint}{self.at}")


class GanetiDataError(InputError):
    """Ganeti's JSON, or a Ganeti record, holds what it may not hold."""


class MapError(InputError):
    """An entry of the map file is unknown, unused or ambiguous."""


class SchemaSourceError(InputError):
    """A RELAX NG file cannot be made a schema of, or there is no such schema; ``at`` is the file."""


class DomainXmlError(InputError):
    """An XML document is not one that can be read; ``line`` is 0 where it is not known."""

    def __init__(self, message: str, *, at: str = "", line: int = 0) -> None:
        place = f"{at} (line {line})" if at else f"line {line}"
        super().__init__(message, at=place if line else at)
        self.line = line

    def under(self, parent: str) -> Self:
        """Give the same error; an XML path is absolute, so ``parent`` (a file) becomes a prefix."""
        error = type(self)(self.message, at=f"{parent}: {self.at}" if self.at else parent)
        error.line = self.line
        return error


class SchemaError(InputError):
    """A document does not validate; ``violations`` holds every fault that was found."""

    def __init__(self, message: str, *, at: str = "", violations: Iterable[object] = ()) -> None:
        super().__init__(message, at=at)
        self.violations = tuple(violations)


class UnsupportedError(VirtxlateError):
    """The input is valid, but the other side has no equal for it; ``at`` says where, ``report`` what else."""

    exit_code = 4

    def __init__(self, message: str, *, at: str = "", report: object = None) -> None:
        super().__init__(f"{at}: {message}" if at else message)
        self.message = message
        self.at = at
        self.report = report


class PlacementError(VirtxlateError):
    """A bus has no room, or the wanted address is taken."""

    exit_code = 4

    def __init__(self, message: str, *, bus: str, wanted: str = "", at: str = "") -> None:
        super().__init__(f"{at}: {message}" if at else message)
        self.message = message
        self.bus = bus
        self.wanted = wanted
        self.at = at


class LiveError(VirtxlateError):
    """Libvirt refused a call; ``call`` names it, ``code`` is libvirt's error number (0: not from libvirt)."""

    exit_code = 5

    def __init__(self, message: str, *, call: str = "", code: int = 0) -> None:
        super().__init__(f"{call}: {message}" if call else message)
        self.message = message
        self.call = call
        self.code = code


class ConnectionFailedError(LiveError):
    """The connection to libvirt could not be made, or broke."""


class LibvirtMissingError(LiveError):
    """The libvirt-python module is not installed."""


class DomainNotFoundError(LiveError, LookupError):
    """There is no such domain on this connection."""


class NodeDeviceNotFoundError(LiveError, LookupError):
    """There is no such device of the host on this connection."""


class DeviceNotFoundError(LiveError, LookupError):
    """The domain has no such device."""


class DomainStoppedError(LiveError):
    """The domain stopped or disappeared while something was being done to it."""


class OperationRefusedError(LiveError):
    """The state of the domain, or its driver, does not allow the call."""


class HotplugError(LiveError):
    """A hot-plug call of Ganeti's name failed; ``__cause__`` is the exact error."""


class VerificationError(VirtxlateError):
    """Libvirt accepted a call, but its own XML disagrees; ``differences`` has a line for each."""

    exit_code = 6

    def __init__(self, message: str, *, differences: Iterable[str] = ()) -> None:
        self.differences = tuple(differences)
        super().__init__(": ".join((message, "; ".join(self.differences))) if self.differences else message)


class RemovalError(VirtxlateError):
    """The guest still has a device that it was asked to release; ``alias`` names the device."""

    exit_code = 7

    def __init__(self, message: str, *, alias: str) -> None:
        super().__init__(f"{alias}: {message}")
        self.message = message
        self.alias = alias


class RemovalPendingError(RemovalError):
    """The guest has not answered; the request stands, and it may still release the device."""


class RemovalRefusedError(RemovalError):
    """The guest, or QEMU for it, answered that it does not release the device."""


class InternalError(VirtxlateError):
    """A bug of virtxlate."""

    exit_code = 70


class TableError(InternalError):
    """A table contradicts itself; it must not import."""


class UnknownTermError(_Portable, LookupError):
    """A table has no such term; ``term`` and ``known`` say what was asked and what there is."""

    def __init__(self, table: str, side: str, term: object, known: Iterable[object]) -> None:
        self.table = table
        self.term = term
        self.known = tuple(known)
        words = ", ".join(repr(word) for word in self.known)
        super().__init__(f"{table}: no {side} term {term!r} (known: {words})")

    def __str__(self) -> str:
        return str(self.args[0])
