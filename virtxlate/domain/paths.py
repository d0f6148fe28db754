"""Where each element of a document is: XPaths as libxml2 writes them, for all elements in one go."""

from __future__ import annotations

from collections import Counter

from lxml import etree


def paths_of(root: etree._Element) -> dict[etree._Element, str]:
    """Give the path of every element from ``root`` down.

    The same as lxml's getpath, which counts the siblings of an element anew for each, and so takes time with
    the square of their number. Source: xmlGetNodePath in libxml2's tree.c.
    """
    paths = {root: f"/{_step(root)}"}
    for parent in root.iter(etree.Element):
        children = list(parent.iterchildren(etree.Element))
        steps = [_step(child) for child in children]
        total, seen = Counter(steps), Counter[str]()
        above = paths[parent]
        for place, (child, step) in enumerate(zip(children, steps, strict=True), 1):
            seen[step] += 1
            number = place if step == "*" else seen[step]
            is_alone = len(children) == 1 if step == "*" else total[step] == 1
            paths[child] = f"{above}/{step}" if is_alone else f"{above}/{step}[{number}]"
    return paths


def _step(element: etree._Element) -> str:
    """Give an element's name with its prefix; "*" in a namespace without one: XPath has no name for it."""
    name = str(element.tag)
    if not name.startswith("{"):
        return name
    return f"{element.prefix}:{name.rpartition('}')[2]}" if element.prefix else "*"
