"""``virtxlate params``: what becomes of each Ganeti parameter, from the tables of the translation."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from difflib import get_close_matches

import msgspec

from virtxlate.cli import show
from virtxlate.errors import InputError
from virtxlate.ganeti.params import DEFAULT_NICPARAMS, BeParams, HvParams, Scalar
from virtxlate.report import Severity
from virtxlate.tables.causes import CAUSES, WHOLE_DEVICES
from virtxlate.tables.effects import BEPARAM_EFFECTS, HVPARAM_EFFECTS, NICPARAM_EFFECTS
from virtxlate.tables.migration import MIGRATION_CAPABILITIES
from virtxlate.tables.params import HOST_NEEDS, METADATA_ONLY, UNTRANSLATED

_DOMAIN = "/domain/"


class Row(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One parameter; the shape of the JSON.

    ``how`` is ``translated``, ``another means`` or ``metadata``; ``xml`` are the places that it causes.
    """

    name: str
    kind: str
    default: Scalar
    how: str
    qemu: str
    xml: tuple[str, ...] = ()
    reason: str = ""
    severity: Severity | None = None
    only_with: str = ""
    remedy: str = ""
    """What has the same effect, with words in capitals to be filled in."""
    words: dict[str, str] = {}
    """What each word of the value becomes."""


_WORDS = {
    "migration_caps": {
        row.ganeti: f"{row.option} --comp-methods {row.method}"
        if row.method
        else row.option or "nothing: libvirt sets it by itself"
        for row in MIGRATION_CAPABILITIES
    }
}
_PLACEHOLDERS = {"name": "NAME", "value": "VALUE", "migration": "OPTIONS"}


def run(args: argparse.Namespace) -> int:
    """Print the rows that were asked for. Raises InputError for a name that no Ganeti has."""
    known = {row.name: row for row in rows()}
    for name in args.names:
        if name not in known:
            near = get_close_matches(name, known)
            hint = f"; near: {', '.join(near)}" if near else ""
            raise InputError(f"no parameter of a KVM instance{hint}", at=name)
    chosen = [known[name] for name in dict.fromkeys(args.names)] or list(known.values())
    if args.format == "json":
        sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(chosen), indent=2) + b"\n")
    elif args.names:
        for row in chosen:
            for line in _lines(row):
                show(line)
    else:
        width = max(len(row.name) for row in chosen)
        for row in chosen:
            show(f"{row.name:{width}}  {row.how:13}  {' '.join(row.xml) or row.reason}")
    return 0


def _lines(row: Row) -> Iterator[str]:
    yield f"{row.name} ({row.kind}, default {row.default!r}): {row.how}"
    yield f"  QEMU: {row.qemu}"
    for path in row.xml:
        yield f"  XML:  {path}"
    if row.reason:
        severity = f" ({row.severity})" if row.severity else ""
        yield f"  {row.reason}{severity}"
    if row.remedy:
        yield f"  do:   {row.remedy}"
    for word, option in row.words.items():
        yield f"  {word}: {option}"
    if row.only_with:
        yield f"  only with {row.only_with}"


def rows() -> Iterator[Row]:
    """Give a row for every hvparam, beparam and nicparam."""
    untranslated = {row.name: row for row in UNTRANSLATED}
    for name, default in msgspec.structs.asdict(HvParams()).items():
        effect = HVPARAM_EFFECTS[name]
        if name in untranslated:
            why = untranslated[name]
            yield Row(
                name=name,
                kind="hvparam",
                default=default,
                how="another means",
                qemu=effect,
                reason=why.reason,
                severity=why.severity,
                only_with=why.needs,
                remedy=why.remedy.format_map(_PLACEHOLDERS),
                words=_WORDS.get(name, {}),
            )
        else:
            yield _row(name, "hvparam", default, effect, f"hvparams.{name}")
    for name, default in msgspec.structs.asdict(BeParams()).items():
        yield _row(name, "beparam", default, BEPARAM_EFFECTS[name], f"beparams.{name}")
    for name, default in DEFAULT_NICPARAMS.items():
        yield _row(name, "nicparam", default, NICPARAM_EFFECTS[name], f"nics[].{name}")


def _row(name: str, kind: str, default: Scalar, effect: str, field: str) -> Row:
    xml = _places(field)
    reason = METADATA_ONLY.get(field) or (HOST_NEEDS.get(name, "") if kind == "hvparam" else "")
    how = "translated" if xml else "metadata"
    return Row(name=name, kind=kind, default=default, how=how, qemu=effect, xml=xml, reason=reason)


def _places(field: str) -> tuple[str, ...]:
    """Give the places of the document that a field causes."""
    causes = (*CAUSES, *WHOLE_DEVICES.values())
    paths = (
        row.path for row in causes if field in {each.rstrip("?") for each in (*row.fields, *row.placing)}
    )
    return tuple(dict.fromkeys(_DOMAIN + path for path in paths))
