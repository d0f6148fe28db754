"""Validators of the same parsed documents: our own schema, that of libvirt, RELAX NG, xmlschema."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import xmlschema
from lxml import etree

from benchmarks.live import TEXT
from benchmarks.peers.serving import serve
from virtxlate import __version__, build_schema, validate
from virtxlate.domain import schema
from virtxlate.domain.document import parse_document
from virtxlate.domain.grammar import schema_path
from virtxlate.schema.host import HostSchema
from virtxlate.schema.store import INSTALLED

_FIXTURES = Path(__file__).parents[2] / "fixtures" / "domain"
_REFUSED = TEXT.replace("bus='virtio'", "bus='virtoi'").replace('bus="virtio"', 'bus="virtoi"')


def documents() -> list[etree._Element]:
    """Give the parsed domains that all validators judge."""
    texts = [path.read_text(encoding="utf-8") for path in sorted(_FIXTURES.glob("*.xml"))]
    return [parse_document(text) for text in (*texts, TEXT)]


def _host() -> HostSchema:
    with tempfile.TemporaryDirectory() as cache:
        os.environ["XDG_CACHE_HOME"] = cache
        host = HostSchema(build_schema())
        host.is_valid(parse_document(TEXT))  # it is read now, before the files go
        return host


def _count(judge: Callable[[etree._Element], object], roots: list[etree._Element]) -> str:
    """Give how many documents are accepted."""
    return str(sum(bool(judge(root)) for root in roots))


def main() -> None:
    """Serve the validators."""
    roots, host = documents(), _host()
    relax_ng = etree.RelaxNG(etree.parse(str(INSTALLED / "domain.rng")))
    slow: Any = xmlschema.XMLSchema10(str(schema_path()))
    refused = parse_document(_REFUSED)
    judges: dict[str, Callable[[etree._Element], object]] = {
        "own": schema.is_valid,
        "own-rules": lambda root: not validate(root),
        "host": host.is_valid,
        "host-rules": lambda root: not validate(root, host.validate),
        "relaxng": relax_ng.validate,
    }
    calls: dict[str, Callable[[], str]] = {
        **{name: partial(_count, judge, roots) for name, judge in judges.items()},
        "explained": lambda: str(len(validate(refused))),
        "xmlschema": lambda: str(len(list(slow.iter_errors(refused)))),
        "documents": lambda: str(len(roots)),
    }
    lxml = ".".join(map(str, etree.LXML_VERSION[:3]))
    libxml2 = ".".join(map(str, etree.LIBXML_VERSION))
    versions = {
        "virtxlate": __version__,
        "lxml": lxml,
        "libxml2": libxml2,
        "xmlschema": xmlschema.__version__,
    }
    serve(calls, versions)


if __name__ == "__main__":
    main()
