"""One fault is told once: by the rule that a person wrote where there is one, else by the schema."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from virtxlate.domain.violations import Violation

Violations = tuple[Violation, ...]
_DEVICE = re.compile(r"(?:/domain(?:snapshot|checkpoint)(?=/))?(?:/[^/]*){0,3}")
"""Of /domain/devices/disk/source the first three names, or one more where a domain is in a snapshot."""
_TOGETHER = "co-occurrence"
_SAYS_MORE = {"address-fields": ("scsi-address-type", "disk-address-type")}
"""What is told of an address of the wrong type is its type."""
_OF_WORDS = frozenset({"scsi-model"})
"""Where the word is none at all, the schema says so, and which one may be meant."""
_DEVICE_ADDRESS = re.compile(r"(?:(?:/\w+)?/(?:d|inactiveD)omain)?/devices(?:\[\d+\])?/[^/]+/address(?:/.*)?")


def merged(
    of_schema: Violations, of_rules: Violations, grammatical: Collection[str]
) -> tuple[Violations, Violations]:
    """Give what remains of both.

    ``grammatical`` are rules that say what the grammar of a host's libvirt says: where it is of another mind,
    it is right. Our own schema is no whole grammar, and none of them is named for it.
    """
    no_words = {each.path for each in of_schema if each.rule == "enumeration"}
    of_rules = tuple(each for each in of_rules if each.rule not in _OF_WORDS or each.path not in no_words)
    together = _by_device(each for each in of_schema if each.rule == _TOGETHER)
    told: set[int] = set()
    kept = []
    for rule in _once(of_rules):
        near = together.get(_device(rule.path), ()) if rule.severity == "error" else ()
        same = [each for each in near if _is_same(rule, each, loosely=rule.rule in grammatical)]
        told.update(map(id, same))
        if same or rule.severity != "error" or rule.rule not in grammatical:
            kept.append(rule)
    return tuple(each for each in of_schema if id(each) not in told), tuple(kept)


def _by_device(found: Iterable[Violation]) -> dict[str, list[Violation]]:
    devices: dict[str, list[Violation]] = {}
    for each in found:
        devices.setdefault(_device(each.path), []).append(each)
    return devices


def _device(path: str) -> str:
    """Give the part of a path that names a device, or an element of the head."""
    found = _DEVICE.match(_element(path))
    return found[0] if found else ""


def _once(of_rules: Violations) -> Violations:
    """Leave out a rule where another one has said more of the same element."""
    said = {(each.rule, _element(each.path)) for each in of_rules}
    return tuple(
        each
        for each in of_rules
        if not any((more, _element(each.path)) in said for more in _SAYS_MORE.get(each.rule, ()))
    )


def _is_same(rule: Violation, schema: Violation, *, loosely: bool) -> bool:
    """Say whether a rule and a schema speak of one fault.

    What an attribute of a device decides about something inside it, the schema may tell of the device; the
    address of a device decides about itself.
    """
    ours, theirs = _element(rule.path), _element(schema.path)
    if ours == theirs:
        return True
    if not loosely:
        return False
    inside = f"{theirs}/".startswith(f"{ours}/")
    return inside or (not _DEVICE_ADDRESS.fullmatch(ours) and f"{ours}/".startswith(f"{theirs}/"))


def _element(path: str) -> str:
    return path.partition("/@")[0]
