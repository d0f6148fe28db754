"""Machine types of a PC, and the QEMU that each is of; Ubuntu names its own by the release.

Where machine_version is empty, Ganeti takes the default of the node's QEMU, and its runtime file names that:
on Ubuntu ``pc-i440fx-jammy``. Such a type is upstream's of the same QEMU under another name.
Source: QEMU 7.2, ``-machine help``; Ubuntu's QEMU packages, ``-machine help`` and their changelogs (``-hpb``
is a type whose CPU has the host's physical address bits, ``-v2`` one that was mended later).
"""

from __future__ import annotations

import re

UBUNTU_RELEASES = {
    "trusty": (2, 0),
    "utopic": (2, 1),
    "vivid": (2, 2),
    "wily": (2, 3),
    "xenial": (2, 5),
    "yakkety": (2, 6),
    "zesty": (2, 8),
    "artful": (2, 10),
    "bionic": (2, 11),
    "cosmic": (2, 12),
    "disco": (3, 1),
    "eoan": (4, 0),
    "focal": (4, 2),
    "groovy": (5, 0),
    "hirsute": (5, 2),
    "impish": (6, 0),
    "jammy": (6, 2),
    "kinetic": (7, 0),
    "lunar": (7, 2),
    "mantic": (8, 0),
    "noble": (8, 2),
    "oracular": (9, 0),
    "plucky": (9, 2),
    "questing": (10, 0),
    "resolute": (10, 2),
}
"""Release to the QEMU whose machine its own is."""

ALIASES = ("pc", "q35")
"""Names for the newest type of a QEMU."""

_NUMBERED = re.compile(r"pc-(?:i440fx|q35)-([0-9]{1,3})\.([0-9]{1,3})(?:[.-].*)?", re.ASCII)
_OF_UBUNTU = re.compile(r"pc-(?:i440fx|q35)-([a-z]+)(?:-hpb|-v[0-9]+)?", re.ASCII)
_OLDEST = re.compile(r"pc-[01]\.[0-9]+", re.ASCII)


def qemu_of(word: str) -> tuple[int, int] | None:
    """Give the version of QEMU that a machine type is of: (7, 2); None for one that names none."""
    if numbered := _NUMBERED.fullmatch(word):
        return int(numbered[1]), int(numbered[2])
    release = _OF_UBUNTU.fullmatch(word)
    return UBUNTU_RELEASES.get(release[1]) if release else None


def is_pc(word: str) -> bool:
    """Tell whether a machine type is a PC of which is known what it has unasked."""
    return word in ALIASES or qemu_of(word) is not None or _OLDEST.fullmatch(word) is not None
