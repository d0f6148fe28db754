"""Sizes: Ganeti counts MiB, libvirt KiB by default and any unit on request, QEMU bytes."""

from __future__ import annotations

from virtxlate.errors import TableError

KIB_PER_MIB = 1024

BYTES_PER_UNIT = {
    "b": 1,
    "byte": 1,
    "bytes": 1,
    "KB": 10**3,
    "k": 2**10,
    "KiB": 2**10,
    "MB": 10**6,
    "M": 2**20,
    "MiB": 2**20,
    "GB": 10**9,
    "G": 2**30,
    "GiB": 2**30,
    "TB": 10**12,
    "T": 2**40,
    "TiB": 2**40,
    "PB": 10**15,
    "P": 2**50,
    "PiB": 2**50,
    "EB": 10**18,
    "E": 2**60,
    "EiB": 2**60,
}
"""Units of libvirt's memory elements, which it reads in capitals or not.

Source: libvirt 9.0.0, formatdomain.rst, "Memory Allocation"; virScaleInteger in src/util/virutil.c.
"""


def mib_to_kib(size_mib: int) -> int:
    """Give KiB for MiB."""
    return size_mib * KIB_PER_MIB


def to_kib(value: int, unit: str = "KiB") -> int:
    """Give KiB, rounded up as libvirt rounds, for a value in one of libvirt's units.

    Raises ValueError naming the known units.
    """
    size = _IN_SMALL_LETTERS.get(unit.lower()) if unit.isascii() else None
    if size is None:
        raise ValueError(f"expected a unit of {', '.join(BYTES_PER_UNIT)}, found {unit!r}")
    return -(-value * size // 2**10)


_IN_SMALL_LETTERS = {unit.lower(): size for unit, size in BYTES_PER_UNIT.items()}
if len(_IN_SMALL_LETTERS) != len(BYTES_PER_UNIT):
    raise TableError("units: two units differ only in case")
