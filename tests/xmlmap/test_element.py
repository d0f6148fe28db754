"""One declaration, read both ways: every kind of entry, order, nesting, and what must not be declared."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from lxml import etree

from virtxlate.errors import DomainXmlError, TableError
from virtxlate.xmlmap import (
    INTEGER,
    ON_OFF,
    YES_NO,
    Child,
    Children,
    Choice,
    Element,
    Field,
    Flag,
    Leftover,
    hexadecimal,
    one_of,
)
from virtxlate.xmlmap.writing import compile_writer

NS = "urn:example:pets"


class Tag(msgspec.Struct, frozen=True, kw_only=True):
    id: int
    colour: str | None = None


class Collar(msgspec.Struct, frozen=True, kw_only=True):
    bell: bool | None = None
    text: str | None = None


class Pet(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    kind: str | None = None
    born: str | None = None
    town: str | None = None
    street: str | None = None
    note: str | None = None
    secret: str | None = None
    tame: bool = False
    tags: tuple[Tag, ...] = ()
    collar: Collar | None = None


TAG = Element("tag", Tag, Field("id", "@id", INTEGER, required=True), Field("colour", "@colour"))
COLLAR = Element("collar", Collar, Field("bell", "@bell", YES_NO), Field("text", "."))
PET = Element(
    "pet",
    Pet,
    Field("name", "@name", required=True),
    Field("kind", "@kind", one_of("kind of pet", ("cat", "dog"))),
    Field("born", "born/@age"),
    Field("town", "home/town"),
    Field("street", "home/town/@street"),
    Field("note", "note"),
    Field("secret", f"extra/{{{NS}}}secret"),
    Flag("tame", "habits/tame"),
    Children("tags", TAG),
    Child("collar", COLLAR),
    const={"type": "pet"},
)

BOTH_WAYS = [
    (Pet(name="Ada"), '<pet type="pet" name="Ada"/>'),
    (Pet(name=""), '<pet type="pet" name=""/>'),
    (Pet(name="Ada", kind="cat"), '<pet type="pet" name="Ada" kind="cat"/>'),
    (Pet(name="Ada", born="3"), '<pet type="pet" name="Ada"><born age="3"/></pet>'),
    (Pet(name="Ada", town="Ulm"), '<pet type="pet" name="Ada"><home><town>Ulm</town></home></pet>'),
    (
        Pet(name="Ada", street="Am Bach"),
        '<pet type="pet" name="Ada"><home><town street="Am Bach"/></home></pet>',
    ),
    (
        Pet(name="Ada", town="Ulm", street="Am Bach"),
        '<pet type="pet" name="Ada"><home><town street="Am Bach">Ulm</town></home></pet>',
    ),
    (Pet(name="Ada", note=""), '<pet type="pet" name="Ada"><note></note></pet>'),
    (Pet(name="Ada", note=" <&> "), '<pet type="pet" name="Ada"><note> &lt;&amp;&gt; </note></pet>'),
    (
        Pet(name="Ada", secret="x"),
        f'<pet type="pet" name="Ada"><extra><ns0:secret xmlns:ns0="{NS}">x</ns0:secret></extra></pet>',
    ),
    (Pet(name="Ada", tame=True), '<pet type="pet" name="Ada"><habits><tame/></habits></pet>'),
    (
        Pet(name="Ada", tags=(Tag(id=2), Tag(id=1, colour="red"))),
        '<pet type="pet" name="Ada"><tag id="2"/><tag id="1" colour="red"/></pet>',
    ),
    (Pet(name="Ada", collar=Collar()), '<pet type="pet" name="Ada"><collar/></pet>'),
    (
        Pet(name="Ada", collar=Collar(bell=True, text="A")),
        '<pet type="pet" name="Ada"><collar bell="yes">A</collar></pet>',
    ),
    (Pet(name="Ada", collar=Collar(bell=False)), '<pet type="pet" name="Ada"><collar bell="no"/></pet>'),
]


@pytest.mark.parametrize(("record", "xml"), BOTH_WAYS)
def test_a_record_is_written(record: Pet, xml: str) -> None:
    assert PET.write(record, "", "") == xml


@pytest.mark.parametrize(("record", "xml"), BOTH_WAYS)
def test_what_was_written_is_read(record: Pet, xml: str) -> None:
    assert PET.parse(etree.fromstring(xml)) == record


class Card(msgspec.Struct, frozen=True, kw_only=True):
    model: str
    zip: str
    town: str | None = None


CARD = Element(
    "card",
    Card,
    Field("model", "model/@type", required=True),
    Field("zip", "home/@zip", required=True),
    Field("town", "home/town"),
)
NESTED_REQUIRED = [
    (Card(model="vga", zip="1"), '<card><model type="vga"/><home zip="1"/></card>'),
    (
        Card(model="", zip="", town="Ulm"),
        '<card><model type=""/><home zip=""><town>Ulm</town></home></card>',
    ),
]


@pytest.mark.parametrize(("record", "xml"), NESTED_REQUIRED)
def test_an_element_with_a_required_value_is_always_there(record: Card, xml: str) -> None:
    assert CARD.write(record, "", "") == xml
    assert CARD.parse(etree.fromstring(xml)) == record


def test_a_required_value_inside_a_nested_element_is_missed() -> None:
    with pytest.raises(DomainXmlError) as caught:
        CARD.parse(etree.fromstring('<card><model/><home zip="1"/></card>'))
    assert str(caught.value) == "/card (line 1): expected model/@type, found none"


class Owner(msgspec.Struct, frozen=True, kw_only=True):
    name: str = ""
    pet: Tag
    tags: tuple[Tag, ...]
    tame: bool


OWNER = Element(
    "owner",
    Owner,
    Field("name", "@name"),
    Child("pet", Element("pet", Tag, *TAG.entries)),
    Children("tags", TAG),
    Flag("tame", "habits/tame"),
)
MISSING = [
    ("", "pet"),
    ('<pet id="1"/>', "tag"),
    ('<pet id="1"/><tag id="1"/>', "habits/tame"),
]


@pytest.mark.parametrize(("inner", "missing"), MISSING)
def test_what_the_record_cannot_be_made_without_is_required(inner: str, missing: str) -> None:
    with pytest.raises(DomainXmlError) as caught:
        OWNER.parse(etree.fromstring(f"<owner>{inner}</owner>"))
    assert str(caught.value) == f"/owner (line 1): expected {missing}, found none"


def test_a_record_is_written_below_a_parent() -> None:
    parent = etree.Element("house")
    child = PET.append(Pet(name="Ada"), parent)
    assert child.getparent() is parent


def test_order_is_that_of_the_declaration_and_first_mention() -> None:
    record = Pet(name="A", kind="dog", born="1", town="U", note="n", tame=True, tags=(Tag(id=1),), secret="s")
    element = PET.format(record)
    assert list(element.attrib) == ["type", "name", "kind"]
    assert [child.tag for child in element] == ["born", "home", "note", "extra", "habits", "tag"]


def test_reading_does_not_depend_on_order_comments_or_instructions() -> None:
    xml = '<pet name="Ada"><!-- x --><tag id="1"/><?x y?><born age="3"/><tag id="2"/></pet>'
    assert PET.parse(etree.fromstring(xml)) == Pet(name="Ada", born="3", tags=(Tag(id=1), Tag(id=2)))


def test_every_path_is_named_in_order() -> None:
    assert list(PET.paths()) == [
        "@type",
        "@name",
        "@kind",
        "born/@age",
        "home/town",
        "home/town/@street",
        "note",
        f"extra/{{{NS}}}secret",
        "habits/tame",
        "tag/@id",
        "tag/@colour",
        "collar/@bell",
        "collar/.",
    ]


REFUSED = [
    ('<pet kind="cat"/>', "/pet (line 1): expected @name, found none"),
    (
        '<pet name="A"\nkind="cow"/>',
        "/pet/@kind (line 2): expected kind of pet, one of 'cat', 'dog', found 'cow'",
    ),
    (
        '<pet name="A">\n<tag id="1"/>\n<tag id="x"/></pet>',
        "/pet/tag[2]/@id (line 3): expected a whole number, found 'x'",
    ),
    ('<pet name="A">\n<tag/></pet>', "/pet/tag (line 2): expected @id, found none"),
    (
        '<pet name="A"><born age="1"/>\n<born age="2"/></pet>',
        "/pet/born[2] (line 2): expected one <born>, found another",
    ),
    (
        '<pet name="A"><collar/>\n<collar/></pet>',
        "/pet/collar[2] (line 2): expected one <collar>, found another",
    ),
    (
        '<pet name="A"><home><town/>\n<town/></home></pet>',
        "/pet/home/town[2] (line 2): expected one <town>, found another",
    ),
    (
        '<pet name="A"><collar bell="on"/></pet>',
        "/pet/collar/@bell (line 1): expected 'yes' or 'no', found 'on'",
    ),
]


@pytest.mark.parametrize(("xml", "message"), REFUSED)
def test_what_cannot_be_read_is_refused_with_path_and_line(xml: str, message: str) -> None:
    with pytest.raises(DomainXmlError) as caught:
        PET.parse(etree.fromstring(xml))
    assert str(caught.value) == message


def test_unknown_names_are_passed_over_in_silence_by_a_strict_reading() -> None:
    xml = '<pet name="A" x="1"><y/><born z="2" age="3"/></pet>'
    assert PET.parse(etree.fromstring(xml)) == Pet(name="A", born="3")


def test_unknown_names_are_noted_by_a_lenient_reading() -> None:
    xml = '<pet type="pet" name="A" x="1">\n<y a="b"/>\n<born z="2" age="3"/></pet>'
    leftovers: list[Leftover] = []
    assert PET.parse(etree.fromstring(xml), leftovers) == Pet(name="A", born="3")
    assert leftovers == [
        Leftover(path="/pet/@x", line=1, reason="unknown attribute"),
        Leftover(path="/pet/y", line=2, reason="unknown element"),
        Leftover(path="/pet/born/@z", line=3, reason="unknown attribute"),
    ]


def test_an_optional_value_that_is_not_understood_is_noted_by_a_lenient_reading() -> None:
    leftovers: list[Leftover] = []
    assert PET.parse(etree.fromstring('<pet name="A" kind="cow"/>'), leftovers) == Pet(name="A")
    reason = "expected kind of pet, one of 'cat', 'dog', found 'cow'"
    assert leftovers == [Leftover(path="/pet/@kind", line=1, reason=reason)]


LENIENT_REFUSED = [
    ("<pet/>", "/pet (line 1): expected @name, found none"),
    ('<pet name="A"><tag id="x"/></pet>', "/pet/tag/@id (line 1): expected a whole number, found 'x'"),
    (
        '<pet name="A"><born/><born/></pet>',
        "/pet/born[2] (line 1): expected one <born>, found another",
    ),
]


@pytest.mark.parametrize(("xml", "message"), LENIENT_REFUSED)
def test_what_is_required_is_required_by_a_lenient_reading_too(xml: str, message: str) -> None:
    with pytest.raises(DomainXmlError) as caught:
        PET.parse(etree.fromstring(xml), [])
    assert str(caught.value) == message


NOT_XML = [
    (Pet(name="a\x00b"), "name"),
    (Pet(name="A", note="\x1b[0m"), "note"),
    (Pet(name="A", secret="\ud800"), "secret"),
    (Pet(name="A", town="\ufffe"), "town"),
    (Pet(name="A", tags=(Tag(id=1), Tag(id=2, colour="\x07"))), "tags[1].colour"),
    (Pet(name="A", collar=Collar(text="\uffff")), "collar.text"),
]


@pytest.mark.parametrize(("record", "at"), NOT_XML)
def test_text_that_xml_cannot_hold_is_refused_with_the_path_in_the_record(record: Pet, at: str) -> None:
    with pytest.raises(DomainXmlError) as caught:
        PET.format(record)
    assert caught.value.at == at
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["\t", "\n", "\r", "\x85", "\u2028", "\x7f", "\U0010ffff", "]]>", "'\""])
def test_text_that_xml_can_hold_comes_back(text: str) -> None:
    record = Pet(name=f"a{text}b", note=f"{text}", collar=Collar(text=text))
    assert PET.parse(etree.fromstring(etree.tostring(PET.format(record)))) == record


def test_a_number_too_long_to_write_is_refused() -> None:
    with pytest.raises(DomainXmlError, match=r"^<tag>: "):
        TAG.format(Tag(id=10**5000))


class Slot(msgspec.Struct, frozen=True, kw_only=True):
    slot: int = 0
    multi: bool | None = None


class Drive(msgspec.Struct, frozen=True, kw_only=True):
    unit: int = 0


class Host(msgspec.Struct, frozen=True, kw_only=True):
    address: Slot | Drive | None = None


class Hosts(msgspec.Struct, frozen=True, kw_only=True):
    addresses: tuple[Slot | Drive, ...] = ()


SLOT = Element(
    "address",
    Slot,
    Field("slot", "@slot", hexadecimal(2)),
    Field("multi", "@multi", ON_OFF),
    const={"type": "pci"},
)
DRIVE = Element("address", Drive, Field("unit", "@unit", INTEGER), const={"type": "drive"})
ADDRESS = Choice("type", SLOT, DRIVE)
HOST = Element("host", Host, Child("address", ADDRESS))
HOSTS = Element("hosts", Hosts, Children("addresses", ADDRESS))

CHOICES = [
    (Host(), "<host/>"),
    (Host(address=Slot(slot=12)), '<host><address type="pci" slot="0x0c"/></host>'),
    (Host(address=Slot(multi=True)), '<host><address type="pci" slot="0x00" multi="on"/></host>'),
    (Host(address=Drive(unit=3)), '<host><address type="drive" unit="3"/></host>'),
]


@pytest.mark.parametrize(("record", "xml"), CHOICES)
def test_a_choice_is_written_by_the_class_of_the_record(record: Host, xml: str) -> None:
    assert HOST.write(record, "", "") == xml


@pytest.mark.parametrize(("record", "xml"), CHOICES)
def test_a_choice_is_read_by_its_word(record: Host, xml: str) -> None:
    assert HOST.parse(etree.fromstring(xml)) == record


def test_a_choice_names_the_paths_of_all_once() -> None:
    assert list(HOST.paths()) == ["address/@type", "address/@slot", "address/@multi", "address/@unit"]


@pytest.mark.parametrize(("xml", "found"), [('<address type="ccw"/>', "'ccw'"), ("<address/>", "None")])
def test_an_unknown_word_of_a_choice_names_the_known_ones(xml: str, found: str) -> None:
    with pytest.raises(DomainXmlError) as caught:
        HOST.parse(etree.fromstring(f"<host>\n{xml}</host>"))
    assert str(caught.value) == f"/host/address/@type (line 2): expected one of 'pci', 'drive', found {found}"


def test_an_unknown_word_of_a_choice_is_noted_by_a_lenient_reading() -> None:
    leftovers: list[Leftover] = []
    assert HOST.parse(etree.fromstring('<host><address type="ccw"/></host>'), leftovers) == Host()
    assert leftovers == [Leftover(path="/host/address/@type", line=1, reason="unknown word 'ccw'")]


def test_an_unknown_word_among_many_is_left_out_by_a_lenient_reading() -> None:
    leftovers: list[Leftover] = []
    xml = '<hosts><address type="ccw"/><address type="drive" unit="1"/></hosts>'
    assert HOSTS.parse(etree.fromstring(xml), leftovers) == Hosts(addresses=(Drive(unit=1),))
    assert [left.path for left in leftovers] == ["/hosts/address[1]/@type"]


class One(msgspec.Struct, frozen=True, kw_only=True):
    a: str | None = None


class Two(msgspec.Struct, frozen=True, kw_only=True):
    a: str | None = None
    b: Any = None


CONTRADICTIONS = [
    (lambda: Element("x", One), "<x>: entries and fields of One differ in ['a']"),
    (
        lambda: Element("x", One, Field("a", "@a"), Field("b", "@b")),
        "<x>: entries and fields of One differ in ['b']",
    ),
    (
        lambda: Element("x", One, Field("a", "@a"), Field("a", "@b")),
        "<x>: entries and fields of One differ in ['a']",
    ),
    (
        lambda: Choice("type", DRIVE, Element("address", One, Field("a", "@a"), const={"type": "drive"})),
        "<address>: two choices share a word or a record",
    ),
    (
        lambda: Choice("type", DRIVE, Element("address", Drive, Field("unit", "@u"), const={"type": "ccw"})),
        "<address>: two choices share a word or a record",
    ),
    (
        lambda: Element("x", Two, Child("b", DRIVE), Field("a", "address/@a")),
        "address/@a: a field inside an element that is a record of its own",
    ),
]


@pytest.mark.parametrize(("declare", "message"), CONTRADICTIONS)
def test_a_declaration_that_contradicts_itself_is_refused(declare: Any, message: str) -> None:
    with pytest.raises(TableError) as caught:
        declare()
    assert str(caught.value) == message


SAME_PLACE = [
    ((Field("a", "@x"), Field("b", "@x")), "@x: two entries for one place"),
    ((Field("a", "y"), Field("b", "y")), "y: two entries for one place"),
    ((Flag("a", "y"), Field("b", "y")), "y: two entries for one place"),
    ((Flag("a", "y"), Flag("b", "y")), "y: two entries for one place"),
    ((Flag("a", "y"), Field("b", "y/@z")), "x/y: a flag, but other entries stand in it"),
    ((Field("a", "y/@z"), Flag("b", "y")), "x/y: a flag, but other entries stand in it"),
    ((Flag("a", "y"), Flag("b", "y/z")), "x/y: a flag, but other entries stand in it"),
    ((Field("a", "y"), Field("b", "y/z")), "x/y: text, but other elements stand beside it"),
    ((Field("a", "."), Field("b", "z/@y")), "x: text, but other elements stand beside it"),
    ((Field("a", "address/@a"), Child("b", DRIVE)), "address: two entries for one element"),
    ((Child("a", DRIVE), Children("b", ADDRESS)), "address: two entries for one element"),
]


@pytest.mark.parametrize(("entries", "message"), SAME_PLACE)
def test_two_entries_for_one_place_are_refused(entries: Any, message: str) -> None:
    with pytest.raises(TableError) as caught:
        Element("x", Two, *entries)
    assert str(caught.value) == message


def test_a_writer_holds_text_or_elements() -> None:
    with pytest.raises(TableError) as caught:
        compile_writer("x", {}, (Field("a", "."), Child("b", DRIVE)), {})
    assert str(caught.value) == "<x>: text and elements in one element"


def test_text_is_indented_by_two_blanks_a_level() -> None:
    record = Pet(
        name='"A"', town="<Ulm>", street="x&y", tame=True, tags=(Tag(id=1),), collar=Collar(text=" ")
    )
    assert (
        PET.format_text(record)
        == """\
<pet type="pet" name="&quot;A&quot;">
  <home>
    <town street="x&amp;y">&lt;Ulm&gt;</town>
  </home>
  <habits>
    <tame/>
  </habits>
  <tag id="1"/>
  <collar> </collar>
</pet>
"""
    )


@pytest.mark.parametrize(("record", "_xml"), BOTH_WAYS)
def test_indented_text_is_the_same_record(record: Pet, _xml: str) -> None:
    assert PET.parse(etree.fromstring(PET.format_text(record))) == record
