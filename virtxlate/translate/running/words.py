"""What the words of a QEMU's command line say of a backend: QMP does not tell all of it."""

from __future__ import annotations

from itertools import pairwise

from virtxlate.tables.disk import DISK_AIOS, DISK_DISCARDS


def of_backend(command: tuple[str, ...], option: str, key: str, name: str) -> dict[str, str] | None:
    """Give the settings behind an option whose ``key`` is ``name``; None where there is no such word.

    ``{"type": "tap", "id": "nic-0", "fd": "20", "vhost": "on"}``; of an escaped comma only the rest is lost.
    """
    for word, text in pairwise(command):
        if word == option:
            parts = (part.partition("=") for part in text.split(","))
            settings = {name: value for name, equals, value in parts if equals}
            if settings.get(key) == name:
                return settings
    return None


def vhost(command: tuple[str, ...], netdev: str) -> bool | None:
    """Tell whether the host's kernel moves a NIC's packets; None where nobody told."""
    told = of_backend(command, "-netdev", "id", netdev)
    return None if told is None else told.get("vhost") == "on"


def io_and_discard(command: tuple[str, ...], drive: str) -> tuple[str | None, str | None] | None:
    """Give libvirt's words for how a drive is read, and what becomes of discards; None where nobody told."""
    told = of_backend(command, "-blockdev", "node-name", drive)
    if told is None:
        told = of_backend(command, "-drive", "id", drive)
    if told is None:
        return None
    io, discard = told.get("file.aio", told.get("aio", "")), told.get("discard", "")
    return (
        DISK_AIOS.right(io) if DISK_AIOS.knows_left(io) else None,
        DISK_DISCARDS.right(discard) if DISK_DISCARDS.knows_left(discard) else None,
    )
