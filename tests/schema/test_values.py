"""Values: a text is one exactly when libxml2 says so, by RELAX NG and by the XSD type that is made of it."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from lxml import etree

from virtxlate.schema.ranges import range_pattern
from virtxlate.schema.simple import XS, SimpleTypes
from virtxlate.schema.values import ANY_TEXT, BLANK, XSD_TYPES, Data, Value, Word, is_a, one_of

RNG = "{http://relaxng.org/ns/structure/1.0}"
NUMBER = ("pattern", "[0-9]+")

VALUES = [
    Value((Word("on"), Word("two words"))),
    Value((Word("exact", exact=True),)),
    Value((Data("string", (("pattern", "[a-z][a-z0-9]*"),), (Word("none"),)),)),
    Value((Data("string", (("pattern", r"[a-zA-Z0-9_\.\-\\:/ ]*"),)),)),
    Value((Data("string", (("pattern", r"[^,]{0,12}"),)),)),
    Value((Data("string", (("pattern", r"[0-9a-zA-F -_,.:;=]{0,255}"),)),)),
    Value((Data("string", (("pattern", r"$[ ]*[a-z]+(\[[ ]*[@]?[0-9]+[ ]*\])?"),)),)),
    Value((Data("string", (("pattern", r"[!#$%&'*+\-.0-9A-Z\^_`a-z|~]+"),)),)),
    Value((Data("string", (("pattern", r"\[[^\]]+\] .+"),)),)),
    Value((Data("string", (("pattern", "[0-9]{1,2}.[0-9]{1,2}"), ("maxLength", "4"))),)),
    Value((Data("unsignedInt"),)),
    Value((Data("unsignedInt", (NUMBER,)),)),
    Value((Data("unsignedInt", (NUMBER, ("minInclusive", "100"), ("maxInclusive", "1000"))),)),
    Value((Data("int", (("minInclusive", "-1"), ("maxInclusive", "65535"))),)),
    Value(
        (Data("long", (("pattern", "-?[0-9]+"), ("minInclusive", "-1"), ("maxInclusive", "17592186044415"))),)
    ),
    Value((Data("positiveInteger", (NUMBER,)),)),
    Value((Word("auto"), Data("unsignedShort"), Data("string", (("pattern", "0x[0-9a-f]+"),)))),
    Value((Data("double", (("minInclusive", "0"),)),)),
    Value((Data("dateTime"),)),
    Value((Data("NCName"),)),
]
TEXTS = st.one_of(
    st.text(alphabet="abz019 +-.$[]@^,x\n\t\u0665\\", max_size=6),
    st.integers(-70_000, 20_000_000_000_000).map(str),
    st.sampled_from(
        ["on", " on ", "two  words", "exact", "none", "auto", "0x1f", "2026-01-01T00:00:00Z", "1e3"]
    ),
)


def relax_ng(value: Value) -> etree.RelaxNG:
    element = etree.Element(f"{RNG}element", name="value", datatypeLibrary=XSD_TYPES)
    choice = etree.SubElement(element, f"{RNG}choice")
    for each in value.alternatives:
        if isinstance(each, Word):
            library = XSD_TYPES if each.exact else ""
            kind = "string" if each.exact else "token"
            word = etree.SubElement(choice, f"{RNG}value", type=kind, datatypeLibrary=library)
            word.text = each.text
            continue
        data = etree.SubElement(choice, f"{RNG}data", type=each.type)
        for name, text in each.facets:
            etree.SubElement(data, f"{RNG}param", name=name).text = text
        for never in each.never:
            inner = etree.SubElement(etree.SubElement(data, f"{RNG}except"), f"{RNG}value")
            inner.text = never.text
    return etree.RelaxNG(element)


def xsd(value: Value) -> etree.XMLSchema:
    root = etree.Element(f"{XS}schema", nsmap={"xs": XS[1:-1]})
    simple = SimpleTypes(root, "")
    etree.SubElement(root, f"{XS}element", name="value", type=simple.name(value, "value"))
    simple.write()
    return etree.XMLSchema(root)


JUDGES = [(value, relax_ng(value), xsd(value)) for value in VALUES]


@given(text=TEXTS)
@example(text="")
@example(text=" 5")
@example(text="00000000000000000000000000000000000300")
def test_a_text_is_a_value_where_libxml2_says_so(text: str) -> None:
    element = etree.Element("value")
    element.text = text
    for value, judge, _ in JUDGES:
        assert is_a(text, value) == judge.validate(element), value


@given(text=TEXTS)
@example(text=" 5")
def test_the_xsd_type_takes_the_same_texts_but_for_exceptions(text: str) -> None:
    element = etree.Element("value")
    element.text = text
    for value, _, schema in JUDGES:
        excepted = any(isinstance(each, Data) and each.never for each in value.alternatives)
        if not excepted or text != "none":
            assert schema.validate(element) == is_a(text, value), value


ENDS = st.one_of(st.none(), st.integers(-1200, 1200), st.integers(-(2**63), 2**64))


@given(low=ENDS, high=ENDS, numbers=st.lists(st.one_of(st.integers(-2000, 2000), st.integers()), max_size=20))
def test_a_range_is_a_pattern_of_just_its_numbers(
    low: int | None, high: int | None, numbers: list[int]
) -> None:
    if low is not None and high is not None and low > high:
        low, high = high, low
    judge = xsd(Value((Data("string", (("pattern", range_pattern(low, high)),)),)))
    near = [end + step for end in (low, high) if end is not None for step in (-1, 0, 1)]
    for number in [*numbers, *near]:
        element = etree.Element("value")
        inside = (low is None or low <= number) and (high is None or number <= high)
        sign, digits = ("-" if number < 0 else ""), str(abs(number))
        for text in (f"{sign}{digits}", f"{sign}00{digits}"):
            element.text = text
            assert judge.validate(element) == inside, (low, high, text)


@pytest.mark.parametrize(
    ("values", "joined"),
    [
        ([Value((Word("b"),)), Value((Word("a"), Word("b")))], Value((Word("a"), Word("b")))),
        ([ANY_TEXT, BLANK], ANY_TEXT),
        ([Value((Data("int"),)), BLANK], Value((Word(""), Data("int")))),
        ([], Value(())),
    ],
)
def test_values_are_joined_in_one_order(values: list[Value], joined: Value) -> None:
    assert one_of(values) == joined
