"""What a new definition would change in a domain that is defined: without what libvirt added by itself."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator

import msgspec
from lxml import etree

from virtxlate.domain.document import format_domain, parse_document
from virtxlate.domain.elements import DOMAIN
from virtxlate.domain.model import Domain
from virtxlate.translate.compare import as_asked
from virtxlate.xmlmap import Leftover

_ADDED = {
    "vcpu": {"placement": "static"},
    "input": {"bus": "ps2"},
    "audio": {"type": "none"},
    "model": {"primary": "yes"},
}
"""Elements that virtxlate does not read, and that libvirt 9.0 adds to a PC by itself: tag and attributes."""
_VIDEO_MEMORY = frozenset({"@ram", "@vgamem"})


def diff_lines(asked: Domain, existing: str | None) -> Iterator[str]:
    """Give the lines of a unified diff from the existing document, None where there is none, to ``asked``.

    Both are written by virtxlate, so that only meaning differs; what libvirt settled by itself is left out.
    """
    before = "" if existing is None else _text(as_asked(asked, _read(existing)[0]))
    lines = [document.splitlines(keepends=True) for document in (before, _text(asked))]
    return difflib.unified_diff(lines[0], lines[1], "Original XML", "Altered XML")


def dropped(existing: str) -> tuple[str, ...]:
    """Give the paths of what stands in an existing document, and virtxlate knows no word for."""
    _domain, root, leftovers = _read(existing)
    tree = root.getroottree()
    by_path = {tree.getpath(element): element for element in root.iter(etree.Element)}
    return tuple(each.path for each in leftovers if not _is_added(each.path, by_path))


def _read(xml: str) -> tuple[Domain, etree._Element, list[Leftover]]:
    root, leftovers = parse_document(xml), list[Leftover]()
    return DOMAIN.parse(root, leftovers), root, leftovers


def _is_added(path: str, by_path: dict[str, etree._Element]) -> bool:
    """Tell whether libvirt added what stands at a path."""
    at, _, name = path.rpartition("/")
    if name in _VIDEO_MEMORY:
        return True
    element = by_path[at if name.startswith("@") else path]
    usual = _ADDED.get(str(element.tag), {})
    return bool(usual) and all(element.get(key) == value for key, value in usual.items())


def _text(domain: Domain) -> str:
    """Give the document, its metadata in lines: a line a parameter, so that a diff shows the parameter."""
    if domain.metadata is None:
        return format_domain(domain)
    try:
        metadata = json.dumps(json.loads(domain.metadata), indent=1, ensure_ascii=False)
    except ValueError:
        metadata = domain.metadata
    return format_domain(msgspec.structs.replace(domain, metadata=metadata))
