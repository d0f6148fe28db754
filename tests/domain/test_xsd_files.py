"""The shipped XSD files: XSD 1.0 that two engines read, with a sentence for an editor on every type."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import xmlschema
from lxml import etree

from virtxlate.domain.grammar import DOCUMENTS, schema_path

XS = "{http://www.w3.org/2001/XMLSchema}"
FILES = sorted(schema_path().parent.glob("*.xsd"))
ROOTS = sorted(DOCUMENTS.values())
SHORT = 130
"""Signs that an editor shows without a fold."""

each_file = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
each_root = pytest.mark.parametrize("name", ROOTS)


def sentence(part: etree._Element) -> str:
    """Give the documentation of a part, on one line."""
    return " ".join((part.findtext(f"{XS}annotation/{XS}documentation") or "").split())


def sentences(path: Path) -> Iterator[tuple[str, str]]:
    """Give every type of a file and what it says; an element may speak for the type that it holds."""
    for part in etree.parse(str(path)).getroot().iter(f"{XS}complexType", f"{XS}simpleType"):
        holder = part.getparent()
        assert holder is not None
        name = part.get("name") or holder.get("name") or ""
        yield name, sentence(part) or (sentence(holder) if part.get("name") is None else "")


@each_file
def test_every_type_says_in_one_short_sentence_what_it_is(path: Path) -> None:
    found = dict(sentences(path))
    assert [name for name, text in found.items() if not text.endswith(".")] == []
    assert [name for name, text in found.items() if len(text) > SHORT] == []


@each_file
def test_no_element_and_no_attribute_is_of_a_type_without_a_sentence(path: Path) -> None:
    parts = etree.parse(str(path)).getroot().iter(f"{XS}element", f"{XS}attribute")
    bare = [part for part in parts if part.get("type", "").startswith("xs:") and not sentence(part)]
    assert [part.get("name") for part in bare] == []


@each_root
def test_lxml_and_xmlschema_load_it_as_xsd_1_0(name: str) -> None:
    path = schema_path(name)
    assert not etree.XMLSchema(etree.parse(str(path))).validate(etree.Element("no-such-document"))
    assert xmlschema.XMLSchema10(str(path)).elements


def test_every_file_belongs_to_a_document() -> None:
    seen: set[Path] = set()

    def visit(path: Path) -> None:
        if path not in seen:
            seen.add(path)
            for part in etree.parse(str(path)).getroot().iterchildren(f"{XS}include", f"{XS}import"):
                visit(path.parent / part.get("schemaLocation", ""))

    for name in ROOTS:
        visit(schema_path(name))
    assert seen == set(FILES)


@pytest.mark.parametrize("inside", ["<x/>", "text", "<!--c-->text", "<?pi?>text", "\n text \n"])
def test_an_empty_element_holds_nothing_for_either_engine(inside: str, tmp_path: Path) -> None:
    path = tmp_path / "empty.xsd"
    path.write_text(f"""<xs:schema xmlns:xs="{XS[1:-1]}">
      <xs:include schemaLocation="{schema_path("common").as_uri()}"/>
      <xs:element name="readonly" type="Empty"/>
    </xs:schema>""")
    first, second = etree.XMLSchema(etree.parse(str(path))), xmlschema.XMLSchema10(str(path))
    for content, valid in ((inside, False), ("", True), (" \n ", True), ("<!--c--><?pi?>", True)):
        document = f"<readonly>{content}</readonly>"
        assert first.validate(etree.fromstring(document)) is valid
        assert second.is_valid(document) is valid
