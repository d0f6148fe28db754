"""Validators of the same parsed documents: our own schema, that of libvirt, and its RELAX NG."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from lxml import etree

from benchmarks.live import TEXT
from benchmarks.peers.serving import serve
from virtxlate import __version__, build_schema, validate
from virtxlate.domain import schema
from virtxlate.domain.document import parse_document
from virtxlate.schema.host import HostSchema
from virtxlate.schema.store import INSTALLED

_FIXTURES = Path(__file__).parents[2] / "fixtures" / "domain"


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
    judges: dict[str, Callable[[etree._Element], object]] = {
        "own": schema.is_valid,
        "own-rules": lambda root: not validate(root),
        "host": host.is_valid,
        "host-rules": lambda root: not validate(root, host.validate),
        "relaxng": relax_ng.validate,
    }
    calls: dict[str, Callable[[], str]] = {
        **{name: partial(_count, judge, roots) for name, judge in judges.items()},
        "documents": lambda: str(len(roots)),
    }
    lxml = ".".join(map(str, etree.LXML_VERSION[:3]))
    libxml2 = ".".join(map(str, etree.LIBXML_VERSION))
    versions = {
        "virtxlate": __version__,
        "lxml": lxml,
        "libxml2": libxml2,
    }
    serve(calls, versions)


if __name__ == "__main__":
    main()
