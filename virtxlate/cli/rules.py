"""``virtxlate rules``: what holds for a domain beyond its grammar, and one rule explained."""

from __future__ import annotations

import argparse
import sys
from difflib import get_close_matches

import msgspec

from virtxlate.cli import show
from virtxlate.errors import InputError, UnknownTermError
from virtxlate.rules import RULES, Rule, by_id


class Shown(msgspec.Struct, frozen=True):
    """A rule without its check; the shape of the JSON."""

    id: str
    says: str
    why: str
    source: str
    hint: str
    severity: str
    libvirt: str


def run(args: argparse.Namespace) -> int:
    """List the rules, or explain one. Raises InputError for an id that there is not."""
    rules = RULES if args.id is None else (_rule(args.id),)
    if args.format == "json":
        shown = [_shown(rule) for rule in rules]
        sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(shown), indent=2) + b"\n")
    elif args.id is None:
        width = max(len(rule.id) for rule in rules)
        for rule in rules:
            show(f"{rule.id:{width}}  {rule.says}")
    else:
        _explain(rules[0])
    return 0


def _rule(word: str) -> Rule:
    try:
        return by_id(word)
    except UnknownTermError:
        near = " or ".join(get_close_matches(word, [rule.id for rule in RULES], n=3))
        meant = f"did you mean {near}? " if near else ""
        raise InputError(f"no rule {word!r}; {meant}`virtxlate rules` lists them", at="ID") from None


def _shown(rule: Rule) -> Shown:
    return Shown(rule.id, rule.says, rule.why, rule.source, rule.hint, rule.severity, rule.libvirt)


def _explain(rule: Rule) -> None:
    rows = (
        ("rule", f"{rule.id} ({rule.severity})"),
        ("says", rule.says),
        ("why", rule.why),
        ("source", rule.source),
        ("fix", rule.hint),
        ("libvirt", rule.libvirt),
    )
    for name, text in rows:
        show(f"{name:8}{text}")
