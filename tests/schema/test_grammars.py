"""RELAX NG of every form: what is built of it says what libxml2 says; what is not understood is named."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from virtxlate.errors import SchemaSourceError
from virtxlate.schema.build import build
from virtxlate.schema.host import HostSchema
from virtxlate.schema.rules import read_rules
from virtxlate.schema.store import build_schema
from virtxlate.schema.telling import told

HEAD = (
    "<grammar xmlns='http://relaxng.org/ns/structure/1.0' "
    "datatypeLibrary='http://www.w3.org/2001/XMLSchema-datatypes'>"
)


def grammar(content: str, more: str = "") -> str:
    return f"{HEAD}<start><element name='r'>{content}</element></start>{more}</grammar>"


def element(name: str, content: str = "<empty/>") -> str:
    return f"<element name='{name}'>{content}</element>"


A, B, C = (element(name) for name in "abc")
X, Y = (
    "<attribute name='x'><value>1</value></attribute>",
    "<attribute name='y'><value>1</value></attribute>",
)
MANY, MORE = f"<zeroOrMore>{A}</zeroOrMore>", f"<oneOrMore>{A}</oneOrMore>"

CONTENTS = {
    "one or more of a, then b": f"<oneOrMore>{A}</oneOrMore>{B}",
    "a or b, with x if a": f"<choice><group>{A}{X}</group>{B}</choice>",
    "a twice": f"{A}{A}",
    "a and b alternate": f"<zeroOrMore><group>{A}{B}</group></zeroOrMore>",
    "x and y together or not at all": f"<optional>{X}{Y}</optional>",
    "one single among repeated": f"<interleave>{MANY}<optional>{B}</optional></interleave>",
    "one or more among others": f"<interleave>{MORE}<optional>{B}</optional>{C}</interleave>",
    "two single among repeated": f"<interleave>{MANY}{B}<optional>{C}</optional></interleave>",
    "text or a": f"<choice><value>1</value>{A}</choice>",
    "mixed": f"<mixed><optional>{A}</optional></mixed>",
    "text, with x": f"<choice><group>{X}<value>1</value></group><empty/></choice>",
    "a of two kinds": (
        f"<choice><group>{X}{element('a', X)}</group><group>{Y}{element('a', Y)}</group>"
        f"<zeroOrMore>{element('a')}</zeroOrMore></choice>"
    ),
    "two kinds of a, one after the other": f"{element('a', X)}{element('a', Y)}",
    "not allowed": f"<choice><notAllowed/>{A}</choice><optional>{element('b', '<notAllowed/>')}</optional>",
    "empty text": "<choice><value/><value>1</value></choice>",
    "group in interleave": f"<interleave><group>{A}{B}</group><optional>{C}</optional></interleave>",
    "value of either kind": "<choice><data type='int'/><value>x</value></choice>",
}


def documents() -> list[etree._Element]:
    """Give every root with up to two attributes, and up to three children or a text."""
    heads = ["", "x='1'", "y='1'", "x='1' y='1'", "x='2'"]
    children = ["<a/>", "<b/>", "<c/>", "<a x='1'/>", "<a y='1'/>"]
    bodies = ["", " ", "1", "x", *("".join(body) for n in (1, 2, 3) for body in product(children, repeat=n))]
    return [etree.fromstring(f"<r {head}>{body}</r>") for head in heads for body in [*bodies, "1<a/>"]]


DOCUMENTS = documents()


def built(text: str, folder: Path) -> HostSchema:
    folder.mkdir(exist_ok=True)
    (folder / "r.rng").write_text(text, encoding="utf-8")
    return HostSchema(build_schema(folder))


def differing(text: str, folder: Path) -> list[bytes]:
    judge, schema = etree.RelaxNG(etree.fromstring(text)), built(text, folder)
    return [etree.tostring(d) for d in DOCUMENTS if judge.validate(d) != schema.is_valid(d)]


@pytest.mark.parametrize("content", CONTENTS.values(), ids=CONTENTS)
def test_a_schema_says_what_libxml2_says(content: str, tmp_path: Path) -> None:
    assert differing(grammar(content), tmp_path / "rng") == []


@pytest.mark.parametrize("content", CONTENTS.values(), ids=CONTENTS)
def test_every_refused_document_is_explained(content: str, tmp_path: Path) -> None:
    schema = built(grammar(content), tmp_path / "rng")
    for document in DOCUMENTS:
        violations = schema.validate(document)
        assert (violations == ()) == schema.is_valid(document)
        assert "malformed" not in {each.rule for each in violations}


@st.composite
def contents(draw: st.DrawFn, names: str = "xaybc", depth: int = 3) -> str:
    """Give a pattern over some names; what is joined shares none: libxml2 judges nothing else reliably."""
    kind = draw(st.sampled_from(["one", "group", "choice", "optional"])) if depth else "one"
    if kind == "one" or len(names) == 1:
        name = draw(st.sampled_from(names))
        return {"x": X, "y": Y}.get(name, element(name))
    if kind == "optional":
        return f"<optional>{draw(contents(names, depth - 1))}</optional>"
    middle = draw(st.integers(1, len(names) - 1))
    sides = (names[:middle], names[middle:]) if kind == "group" else (names[1:], names[:-1])
    inner = [f"<group>{draw(contents(side, depth - 1))}</group>" for side in sides]
    return f"<{kind}>{''.join(inner)}</{kind}>"


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(content=contents())
def test_a_schema_of_any_grammar_says_what_libxml2_says(content: str, tmp_path: Path) -> None:
    assert differing(grammar(content), tmp_path / "rng") == []


BROKEN = {
    "no XML": ("<grammar", "cannot be read: "),
    "no grammar": ("<element xmlns='http://relaxng.org/ns/structure/1.0' name='r'/>", "expected a grammar"),
    "unknown element": (
        grammar("<list><text/></list>"),
        "r.rng:1: <list> of RELAX NG is not understood here",
    ),
    "no definition": (grammar("<ref name='gone'/>"), "r.rng:1: there is no definition of 'gone'"),
    "definition in itself": (
        grammar("<ref name='d'/>", "<define name='d'><optional><ref name='d'/></optional></define>"),
        "r.rng:1: the definition 'd' holds itself",
    ),
    "attribute of any name": (
        grammar("<zeroOrMore><attribute><anyName/></attribute></zeroOrMore>"),
        "r.rng:1: expected an attribute with a name, found anyName",
    ),
    "element of any name beside others": (
        grammar(f"<interleave>{A}<element><anyName/></element></interleave>"),
        "r: anyName beside other elements is not understood",
    ),
    "file outside": (
        f"{HEAD}<include href='../other.rng'/></grammar>",
        "../other.rng: expected the name of a file beside it",
    ),
    "file that is not there": (f"{HEAD}<include href='other.rng'/></grammar>", "other.rng: cannot be read: "),
    "nothing to start with": (
        f"{HEAD}<define name='a'>{A}</define></grammar>",
        "expected a grammar with a start",
    ),
    "number that is a name": (
        grammar("<value type='int'>1</value>"),
        "r.rng:1: expected a token or a string, found 'int'",
    ),
}


@pytest.mark.parametrize(("text", "told"), BROKEN.values(), ids=BROKEN)
def test_what_is_not_understood_is_named_with_its_place(text: str, told: str, tmp_path: Path) -> None:
    (tmp_path / "r.rng").write_text(text, encoding="utf-8")
    with pytest.raises(SchemaSourceError) as caught:
        build(tmp_path)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


def test_entities_and_files_that_a_grammar_points_to_are_not_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("word", encoding="utf-8")
    text = f"<!DOCTYPE grammar [<!ENTITY e SYSTEM '{secret}'>]>{grammar('<value>&e;</value>')}"
    folder = tmp_path / "rng"
    schema = built(text, folder)
    assert not schema.is_valid(etree.fromstring("<r>word</r>"))


def test_a_definition_is_combined_and_replaced(tmp_path: Path) -> None:
    folder = tmp_path / "rng"
    folder.mkdir()
    base = f"{HEAD}<define name='c'>{A}</define><define name='i' combine='interleave'>{X}</define></grammar>"
    (folder / "base.rng").write_text(base, encoding="utf-8")
    text = f"""{HEAD}
      <start><element name='r'><ref name='c'/><ref name='i'/><ref name='d'/></element></start>
      <include href='base.rng'><define name='c'>{B}</define></include>
      <define name='i' combine='interleave'>{Y}</define>
      <define name='d' combine='choice'><notAllowed/></define>
      <div><define name='d' combine='choice'>{C}</define></div>
    </grammar>"""
    schema = built(text, folder)
    valid = [etree.tostring(document) for document in DOCUMENTS if schema.is_valid(document)]
    assert valid == [b'<r x="1" y="1"><b/><c/></r>']


TOLD = {
    "one or more of a, then b": ["r", "    (a+, b)"],
    "a twice": ["r", "    (a, a)"],
    "x and y together or not at all": ["r", "    (@x='1' & @y='1')?"],
    "one or more among others": ["r", "    a: 1 or more"],
    "text, with x": ["r", "    (@x='1' & text='1')?"],
}


@pytest.mark.parametrize(("name", "lines"), TOLD.items(), ids=TOLD)
def test_rules_are_told_in_compact_notation(name: str, lines: list[str], tmp_path: Path) -> None:
    schema = built(grammar(CONTENTS[name]), tmp_path / "rng")
    assert list(told(read_rules((schema.stored.path / "r.rules.json").read_bytes()))) == lines


def test_what_was_derived_is_forgotten_and_the_verdicts_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("virtxlate.schema.patterns._MOST_NODES", 0)
    text = grammar(CONTENTS["a of two kinds"])
    assert differing(text, tmp_path / "rng") == []
