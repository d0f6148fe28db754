r"""What stands after ``--disk`` and ``--net``: which device, what to do, and ``key=value`` after commas.

The shape is that of gnt-instance: ``add:link=br0``, ``1:mac=generate,link=br1``, ``1:remove``, ``-1:remove``.
A comma inside a value is written ``\,``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import get_close_matches
from typing import NamedTuple

from virtxlate.errors import UsageError

ACTIONS = ("add", "modify", "remove")
LAST = "-1"
_MAC = re.compile(r"[0-9a-fA-F]{2}(?::[0-9a-fA-F]{2}){5}(?=\Z|[:,])")
_WORD = re.compile(r"[^:,=\\]*(?=\Z|[:,])")
_PART = re.compile(r"(?:[^,\\]|\\.)*", re.DOTALL)


class Words(NamedTuple):
    """One option, taken apart."""

    option: str
    """--disk or --net."""
    text: str
    action: str
    which: str | None
    """The device, or for add its place; None where that is not said."""
    settings: dict[str, str]

    @property
    def where(self) -> str:
        """What an error starts with."""
        return f"{self.option} {self.text!r}"

    def check(self, known: Sequence[str]) -> None:
        """Raise UsageError for a key that is not among ``known``."""
        for key in self.settings:
            if key not in known:
                alike = get_close_matches(key, known, n=1)
                hint = f"; did you mean {alike[0]}?" if alike else ""
                raise UsageError(f"{self.where}: expected a key of {', '.join(known)}, found {key!r}{hint}")


def take_apart(option: str, text: str, verb: str) -> Words:
    """Give the words of one option of ``verb``: add, remove or modify. Raises UsageError."""
    where = f"{option} {text!r}"
    if not text.isprintable():
        raise UsageError(f"{where}: expected printable text")
    if verb == "remove":
        return Words(option, text, "remove", _removed(text, where), {})
    heads, rest = _heads(text)
    which = action = None
    for head in heads:
        if head in ACTIONS and action is None:
            action = head
        elif which is None and action is None:
            which = head
        else:
            raise UsageError(f"{where}: expected {', '.join(ACTIONS)} or KEY=VALUE, found {head!r}")
    if action is None:
        action = "add" if verb == "add" else "modify"
    words = Words(option, text, action, which, _settings(rest, where))
    _check(words, verb)
    return words


def _check(words: Words, verb: str) -> None:
    if verb == "add" and words.action != "add":
        raise UsageError(f"{words.where}: expected add, found {words.action}, which is hotplug modify's")
    if words.action == "add" and words.which is not None and not re.fullmatch(r"-1|[0-9]+", words.which):
        raise UsageError(f"{words.where}: expected a place such as 0 or -1 for add, found {words.which!r}")
    if words.action == "remove" and words.settings:
        raise UsageError(
            f"{words.where}: expected nothing after remove, found {next(iter(words.settings))!r}"
        )
    if words.action == "modify" and not words.settings:
        raise UsageError(f"{words.where}: expected KEY=VALUE, remove or add, found nothing to do")
    if words.action == "modify" and words.which is None:
        raise UsageError(f"{words.where}: expected the device before it, as in 0:{words.text}, found none")


def _removed(text: str, where: str) -> str:
    which = text.removesuffix(":remove")
    if which == "remove":
        return LAST
    if not which or "=" in which:
        raise UsageError(f"{where}: expected an index, uuid, name, alias or target, found {which!r}")
    return which


def _heads(text: str) -> tuple[list[str], str]:
    """Give the words before the settings, at most two, and the settings."""
    heads: list[str] = []
    rest = text
    while rest and (match := (_MAC.match(rest) if not heads else None) or _WORD.match(rest)):
        heads.append(match[0])
        rest = rest[match.end() + 1 :]
    return heads, rest


def _settings(text: str, where: str) -> dict[str, str]:
    settings: dict[str, str] = {}
    position = 0
    while position < len(text):
        match = _PART.match(text, position)
        part = match[0] if match else ""
        position += len(part) + 1
        key, equals, value = part.partition("=")
        if not equals or not key:
            raise UsageError(f"{where}: expected KEY=VALUE, found {part!r}")
        if key in settings:
            raise UsageError(f"{where}: {key} stands there twice")
        settings[key] = re.sub(r"\\(.)", r"\1", value, flags=re.DOTALL)
    return settings


def parse_pairs(texts: Sequence[str], option: str) -> dict[str, str]:
    """Give the pairs of an option such as ``-H disk_type=scsi-hd,acpi=true``. Raises UsageError."""
    found: dict[str, str] = {}
    for text in texts:
        found |= _settings(text.removeprefix("kvm:"), f"{option} {text!r}")
    return found
