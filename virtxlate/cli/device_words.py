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
from virtxlate.ganeti.uri import conceal, is_secret_key

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
        return _where(self.option, self.text)

    def found(self, value: str) -> str:
        """Give what an error ends with; a part of a text with a secret may be a part of the secret."""
        return _found(value, self.text)

    def check(self, known: Sequence[str]) -> None:
        """Raise UsageError for a key that is not among ``known``."""
        for key in self.settings:
            if key not in known:
                alike = get_close_matches(key, known, n=1)
                hint = f"; did you mean {alike[0]}?" if alike else ""
                found = f", found {key!r}" if is_secret_key(key) else self.found(key)
                raise UsageError(f"{self.where}: expected a key of {', '.join(known)}{found}{hint}")


def _where(option: str, text: str) -> str:
    return f"{option} {conceal(text)!r}"


def _found(value: str, text: str) -> str:
    return f", found {value!r}" if conceal(text) == text else ""


def take_apart(option: str, text: str, verb: str) -> Words:
    """Give the words of one option of ``verb``: add, remove or modify. Raises UsageError."""
    where = _where(option, text)
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
            raise UsageError(f"{where}: expected {', '.join(ACTIONS)} or KEY=VALUE{_found(head, text)}")
    if action is None:
        action = "add" if verb == "add" else "modify"
    words = Words(option, text, action, which, _settings(rest, where))
    _check(words, verb)
    return words


def _check(words: Words, verb: str) -> None:
    if verb == "add" and words.action != "add":
        raise UsageError(f"{words.where}: expected add, found {words.action}, which is hotplug modify's")
    if words.action == "add" and words.which is not None and not re.fullmatch(r"-1|[0-9]+", words.which):
        raise UsageError(f"{words.where}: expected a place such as 0 or -1 for add{words.found(words.which)}")
    if words.action == "remove" and words.settings:
        raise UsageError(
            f"{words.where}: expected nothing after remove{words.found(next(iter(words.settings)))}"
        )
    if words.action == "modify" and not words.settings:
        raise UsageError(f"{words.where}: expected KEY=VALUE, remove or add, found nothing to do")
    if words.action == "modify" and words.which is None:
        raise UsageError(
            f"{words.where}: expected the device before it, as in 0:{conceal(words.text)}, found none"
        )


def _removed(text: str, where: str) -> str:
    which = text.removesuffix(":remove")
    if which == "remove":
        return LAST
    if not which or "=" in which or conceal(text) != text:
        raise UsageError(f"{where}: expected an index, uuid, name, alias or target{_found(which, text)}")
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
            raise UsageError(f"{where}: expected KEY=VALUE{_found(part, text)}")
        if key in settings:
            named = key if conceal(text) == text or is_secret_key(key) else "a key"
            raise UsageError(f"{where}: {named} stands there twice")
        settings[key] = re.sub(r"\\(.)", r"\1", value, flags=re.DOTALL)
    return settings


def parse_pairs(texts: Sequence[str], option: str) -> dict[str, str]:
    """Give the pairs of an option such as ``-H disk_type=scsi-hd,acpi=true``. Raises UsageError."""
    found: dict[str, str] = {}
    for text in texts:
        found |= _settings(text.removeprefix("kvm:"), _where(option, text))
    return found
