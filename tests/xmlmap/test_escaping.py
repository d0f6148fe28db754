"""Text is spelled as lxml spells it, byte for byte."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from virtxlate.xmlmap.escaping import escape_attribute, escape_text, is_plain

XML_CHARACTERS = st.characters(
    codec="utf-8", exclude_categories=["Cs"], exclude_characters="\ufffe\uffff"
).filter(lambda char: char >= " " or char in "\t\n\r")
MARKUP = st.sampled_from("&<>\"'\t\n\r]")
TEXTS = st.text(XML_CHARACTERS | MARKUP, min_size=1)


@given(TEXTS)
def test_text_is_spelled_as_lxml_spells_it(text: str) -> None:
    element = etree.Element("a")
    element.text = text
    assert f"<a>{escape_text(text)}</a>" == etree.tostring(element, encoding="unicode")


@given(TEXTS)
def test_an_attribute_is_spelled_as_lxml_spells_it(text: str) -> None:
    element = etree.Element("a", {"b": text})
    assert f'<a b="{escape_attribute(text)}"/>' == etree.tostring(element, encoding="unicode")
    assert is_plain(text) == (escape_attribute(text) == text)


@pytest.mark.parametrize("char", ["\x00", "\x08", "\x0b", "\x0c", "\x1f", "\ud800", "\ufffe", "\uffff"])
def test_what_xml_cannot_hold_is_refused(char: str) -> None:
    for escape in (escape_text, escape_attribute):
        with pytest.raises(ValueError, match=r"^XML cannot hold the character"):
            escape(f"a{char}")
