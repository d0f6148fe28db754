"""The cases: one file of Ganeti data each, with what a destination knows, and the domains it becomes.

A case is ``fixtures/ganeti/NAME.json``; ``NAME.context.toml`` beside it sets fields of Context, and the map
under ``[map.*]``, the SCSI devices under ``[[scsi.device]]``. Its domains are ``fixtures/domain/NAME.xml``,
or ``NAME.LABEL.xml`` (first label of the host name) where the data has several KVM instances; losses stand
in ``.losses.json`` beside the XML.
"""

from __future__ import annotations

import json
import tomllib
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from virtxlate import (
    Context,
    Loss,
    Renames,
    Report,
    format_domain,
    open_source,
    parse_scsi_map,
    place,
    to_domain,
)
from virtxlate.domain.model import Domain
from virtxlate.ganeti.model import Instance
from virtxlate.ganeti.source import Source

FIXTURES = Path(__file__).parents[2] / "fixtures"
GANETI = FIXTURES / "ganeti"
DOMAIN = FIXTURES / "domain"
NAMES = tuple(sorted(path.stem for path in GANETI.glob("*.json")))


class Translation(NamedTuple):
    """One KVM instance of a case, as the domain that it becomes."""

    stem: str
    """Name of its files in fixtures/domain, without suffix."""
    instance: Instance
    """As read, not placed."""
    context: Context
    domain: Domain
    losses: tuple[Loss, ...]

    @property
    def placed(self) -> Instance:
        return place(self.instance)

    @property
    def files(self) -> dict[str, str]:
        """The golden files, text by name."""
        files = {f"{self.stem}.xml": format_domain(self.domain)}
        if self.losses:
            rows = [json.dumps(msgspec.to_builtins(loss), ensure_ascii=False) for loss in self.losses]
            files[f"{self.stem}.losses.json"] = "[\n  " + ",\n  ".join(rows) + "\n]\n"
        return files


def source(name: str) -> Source:
    return open_source((GANETI / f"{name}.json").read_bytes())


def context(name: str) -> Context:
    path = GANETI / f"{name}.context.toml"
    told: dict[str, Any] = tomllib.loads(path.read_text()) if path.exists() else {}
    renames = Renames(told.pop("map", {}))
    scsi = parse_scsi_map(json.dumps(told.pop("scsi"))) if "scsi" in told else None
    return Context(renames=renames, scsi=scsi, **told)


@cache
def translations(name: str) -> tuple[Translation, ...]:
    """Give the translation of every KVM instance of a case; every entry of its map must have been used."""
    found, names = source(name), list(source(name).names())
    known = context(name)
    done = []
    for each in names:
        report = Report()
        instance = found.instance(each, report)
        domain = to_domain(instance, known, report)
        stem = name if len(names) == 1 else f"{name}.{each.partition('.')[0]}"
        done.append(Translation(stem, instance, known, domain, report.losses))
    known.renames.check_used()
    return tuple(done)


def every_translation() -> tuple[Translation, ...]:
    return tuple(each for name in NAMES for each in translations(name))
