"""Machine types: which are PCs that are known, and the QEMU that each is of."""

from __future__ import annotations

import pytest

from virtxlate.ganeti.machines import UBUNTU_RELEASES, is_pc, qemu_of

KNOWN: list[tuple[str, tuple[int, int] | None]] = [
    ("pc", None),
    ("q35", None),
    ("pc-0.15", None),
    ("pc-1.3", None),
    ("pc-i440fx-2.12", (2, 12)),
    ("pc-i440fx-1.5-qemu-kvm", (1, 5)),
    ("pc-q35-4.0.1", (4, 0)),
    ("pc-i440fx-jammy", (6, 2)),
    ("pc-q35-focal-hpb", (4, 2)),
    ("pc-i440fx-noble-v2", (8, 2)),
]


@pytest.mark.parametrize(("word", "version"), KNOWN)
def test_a_pc_is_known_with_the_qemu_that_it_names(word: str, version: tuple[int, int] | None) -> None:
    assert (is_pc(word), qemu_of(word)) == (True, version)


@pytest.mark.parametrize(
    "word",
    [
        "",
        "PC",
        "pc ",
        "pc-2.0",
        "pc-i440fx-",
        "pc-i440fx-rhel7.6.0",
        "pc-i440fx-buster",
        "pc-q35-jammy-x",
        "ubuntu",
    ],
)
def test_another_machine_is_not(word: str) -> None:
    assert (is_pc(word), qemu_of(word)) == (False, None)


def test_a_later_release_has_a_later_qemu() -> None:
    versions = list(UBUNTU_RELEASES.values())
    assert versions == sorted(set(versions))
