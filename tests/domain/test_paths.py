"""Paths of all elements at once are those that lxml gives one by one."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from virtxlate.domain.paths import paths_of

FIXTURES = sorted((Path(__file__).parents[2] / "fixtures" / "domain").glob("*.xml"))[::10]
NAMES = st.sampled_from(["a", "b", "p:a", "q:a", "p:b", "a xmlns='urn:d'", "a xmlns:p='urn:p2'", "!--"])


def written(children: list[tuple[str, str]]) -> str:
    texts = [
        "<!-- a -->" if name == "!--" else f"<{name}>{body}</{name.partition(' ')[0]}>"
        for name, body in children
    ]
    return "".join(texts)


def one_by_one(root: etree._Element) -> list[str]:
    tree = root.getroottree()
    return [str(tree.getpath(element)) for element in root.iter(etree.Element)]


TREES = st.recursive(st.just(""), lambda inner: st.lists(st.tuples(NAMES, inner), max_size=5).map(written))


@given(body=TREES)
def test_paths_are_those_of_libxml2(body: str) -> None:
    root = etree.fromstring(f"<r xmlns:p='urn:p' xmlns:q='urn:q'>{body}</r>")
    paths = paths_of(root)
    assert [paths[element] for element in root.iter(etree.Element)] == one_by_one(root)


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_paths_of_real_documents_are_those_of_libxml2(path: Path) -> None:
    root = etree.parse(path).getroot()
    paths = paths_of(root)
    assert [paths[element] for element in root.iter(etree.Element)] == one_by_one(root)
