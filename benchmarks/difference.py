"""What one domain document says and another does not: elements and attributes, spelling aside."""

from __future__ import annotations

from collections import Counter

from lxml import etree

_SKIPPED = {"metadata"}


def missing(document: str, other: str) -> list[str]:
    """Give the paths in ``document``, with counts, that ``other`` lacks or gives another value.

    Shape: ``["currentMemory", "devices/interface/alias/@name x2"]``. A missing element stands for all in it.
    """
    lost = Counter(_facts(document))
    lost.subtract(Counter(_facts(other)))
    paths = Counter[str]()
    for (path, _value), count in lost.items():
        if count > 0:
            paths[path] += count
    tops = [path for path in paths if not _has_parent(path, paths)]
    return [path + (f" x{paths[path]}" if paths[path] > 1 else "") for path in tops]


def count_elements(document: str) -> int:
    """Give how many elements a document has."""
    return sum(1 for _element in etree.fromstring(document).iter(etree.Element))


def _has_parent(path: str, paths: Counter[str]) -> bool:
    parent, _, _last = path.rpartition("/")
    return parent in paths and paths[parent] >= paths[path]


def _facts(document: str) -> list[tuple[str, str]]:
    facts: list[tuple[str, str]] = []
    _collect(etree.fromstring(document), "", facts)
    return facts


def _collect(element: etree._Element, path: str, facts: list[tuple[str, str]]) -> None:
    facts.append((path or ".", (element.text or "").strip()))
    prefix = f"{path}/" if path else ""
    facts.extend((f"{prefix}@{name}", _plain(str(value))) for name, value in element.attrib.items())
    for child in element.iterchildren(etree.Element):
        if child.tag not in _SKIPPED:
            _collect(child, f"{prefix}{child.tag!s}", facts)


def _plain(value: str) -> str:
    """Give a number in one spelling: 0x0c and 12 are the same to libvirt."""
    try:
        return str(int(value, 0))
    except ValueError:
        return value
