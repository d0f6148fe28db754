"""What the words of a QEMU's command line say of a backend: QMP does not tell all of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from virtxlate.domain import model as domain
from virtxlate.domain import settings
from virtxlate.ganeti.uri import conceal
from virtxlate.tables.disk import DISK_AIOS, DISK_DISCARDS
from virtxlate.tables.running import TOLD_OPTIONS
from virtxlate.translate import extra

SMBIOS = "-smbios"
_SYSTEM = "type=1"


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


def unsaid(command: tuple[str, ...], asked: domain.Domain) -> tuple[str, ...]:
    """Give the options of a running QEMU that QMP does not tell and a domain does not have; () for none.

    ``-fw_cfg name=opt/x``: what stands behind the first comma may be a secret, and is left out, as is
    a password before it.
    """
    told = asked.qemu_command_line
    words = () if told is None else tuple(each.value for each in told.arguments)
    has = set(_options(words))
    return tuple(
        f"{option} {conceal(value).partition(',')[0]}".strip()
        for option, value in _options(command[1:])
        if option != SMBIOS and (option, value) not in has and not _is_told(option, value)
    )


def _is_told(option: str, value: str) -> bool:
    form = TOLD_OPTIONS.get(option)
    return form is not None and re.fullmatch(form, value, re.DOTALL) is not None


def _options(words: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Give each option with its value; one that nobody knows takes what does not look like an option."""
    rest = list(reversed(words))
    while rest:
        word = rest.pop()
        option = word[1:] if word.startswith("--") else word
        takes = TOLD_OPTIONS.get(option, None if option.startswith("-") else "")
        is_value = bool(rest) and (takes or (takes is None and not rest[-1].startswith("-")))
        yield option, rest.pop() if is_value else ""


def smbios(command: tuple[str, ...]) -> frozenset[frozenset[str]]:
    """Give the parts of each ``-smbios`` of a QEMU: ``{{"type=1", "manufacturer=Acme"}}``."""
    told = (value for option, value in _options(command) if option == SMBIOS)
    return frozenset(frozenset(extra.split(value)) for value in told)


def sysinfo(command: tuple[str, ...]) -> settings.Sysinfo | None:
    """Give libvirt's element for the one ``-smbios`` of a QEMU; None where it has no words for it."""
    found = [extra.Option(each) for each in _options(command) if each[0] == SMBIOS]
    system = extra.smbios_system(found[0]) if len(found) == 1 else None
    return None if system is None else settings.Sysinfo(type="smbios", system=system)


def smbios_of(asked: domain.Domain) -> frozenset[frozenset[str]]:
    """Give the same of a domain, whose uuid is told by its own option."""
    told = asked.qemu_command_line
    found = smbios(() if told is None else tuple(each.value for each in told.arguments))
    if asked.sysinfo is None:
        return found
    entries = () if asked.sysinfo.system is None else asked.sysinfo.system.entries
    own = {f"{each.name}={each.value}" for each in entries if each.name != "uuid"}
    return found | {frozenset({_SYSTEM, *own})}
