"""Sizes: libvirt's units as libvirt reads them."""

from __future__ import annotations

import pytest

from virtxlate.units import BYTES_PER_UNIT, mib_to_kib, to_kib

CASES = [
    (0, "KiB", 0),
    (1, "KiB", 1),
    (1, "k", 1),
    (1, "b", 1),
    (1024, "bytes", 1),
    (1025, "bytes", 2),
    (1, "KB", 1),
    (1000, "KB", 977),
    (128, "MiB", 131072),
    (128, "M", 131072),
    (1, "MB", 977),
    (2, "GiB", 2097152),
    (2, "G", 2097152),
    (1, "GB", 976563),
    (1, "TiB", 1 << 30),
    (1, "PiB", 1 << 40),
    (1, "EiB", 1 << 50),
    (1025, "byte", 2),
    (1, "TB", 976562500),
    (1, "T", 1 << 30),
    (1, "PB", 976562500000),
    (1, "P", 1 << 40),
    (1, "EB", 976562500000000),
    (1, "E", 1 << 50),
    (7, "kib", 7),
    (7, "KIB", 7),
    (1, "mB", 977),
    (1, "Kb", 1),
    (2, "g", 2097152),
    (1025, "BYTES", 2),
]


@pytest.mark.parametrize(("value", "unit", "kib"), CASES)
def test_a_size_in_any_unit_is_rounded_up_to_kib(value: int, unit: str, kib: int) -> None:
    assert to_kib(value, unit) == kib


def test_every_unit_has_a_case() -> None:
    assert {unit for _value, unit, _kib in CASES} >= set(BYTES_PER_UNIT)


def test_the_unit_of_a_bare_number_is_kib() -> None:
    assert to_kib(7) == 7


def test_mib_become_kib() -> None:
    assert mib_to_kib(128) == 131072


@pytest.mark.parametrize("unit", ["", "bit", "YiB", "KiBs", "kk", "\u212a"])
def test_an_unknown_unit_names_the_known_ones(unit: str) -> None:
    with pytest.raises(ValueError, match="expected a unit of b, byte, bytes, KB, k") as caught:
        to_kib(1, unit)
    assert str(caught.value) == f"expected a unit of {', '.join(BYTES_PER_UNIT)}, found {unit!r}"
