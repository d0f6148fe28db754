"""``virtxlate schema``: the schema of the libvirt on this host, made of the RELAX NG that it installed."""

from __future__ import annotations

import argparse
from pathlib import Path

from virtxlate.cli import show
from virtxlate.errors import SchemaSourceError
from virtxlate.schema.host import HostSchema, host_schema
from virtxlate.schema.rules import read_rules
from virtxlate.schema.store import INSTALLED, Stored, build_schema
from virtxlate.schema.telling import told


def run(args: argparse.Namespace) -> int:
    """Build, show or find a schema, and give 0."""
    if args.schema_verb == "build":
        stored = build_schema(Path(args.source) if args.source else INSTALLED)
        show(f"{stored.path}: {'built' if stored.is_new else 'up to date'}, of {stored.source}")
    elif args.schema_verb == "path":
        show(str(_path(host_schema(), args.document)))
    elif args.element is None and args.document is None:
        _show_all(host_schema().stored)
    else:
        _show_rules(host_schema().stored, args.document or "domain", args.element or "")
    return 0


def _path(schema: HostSchema, document: str | None) -> Path:
    return schema.path(document) if document else schema.stored.path


def _show_all(stored: Stored) -> None:
    show(f"{stored.path}, of {stored.source}")
    for each in stored.contents.documents:
        roots = ", ".join(f"<{root}>" for root in each.roots)
        show(f"{each.name}: {roots}, {each.types} types of elements, {each.ruled} with rules")


def _show_rules(stored: Stored, document: str, element: str) -> None:
    table = read_rules((stored.path / stored.contents.named(document).rules).read_bytes())
    lines = list(told(table, element))
    if not lines:
        known = ", ".join(sorted({rules.name for rules in table.types if rules.candidates}))
        raise SchemaSourceError(f"<{element}> has no rules beside the XSD (these have: {known})", at=document)
    for line in lines:
        show(line)
