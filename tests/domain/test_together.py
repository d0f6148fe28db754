"""Each form of an element, both ways, with the verdict of libvirt's own grammar beside ours."""

from __future__ import annotations

from pathlib import Path

import pytest
from lxml import etree

from tests.domain.forms import FORMS, NEVER_BROKEN, NEWER, document
from virtxlate.domain import schema
from virtxlate.domain.misfits import TABLES
from virtxlate.rules import validate

RELAX_NG = Path("/usr/share/libvirt/schemas/domain.rng")
SAYS = {form.says for table in TABLES for form in table.forms.values()}
each_form = pytest.mark.parametrize("says", FORMS)


@pytest.fixture(scope="module")
def relax_ng() -> etree.RelaxNG:
    return etree.RelaxNG(etree.parse(str(RELAX_NG)))


def test_every_form_is_shown_both_ways() -> None:
    assert set(FORMS) | NEVER_BROKEN == SAYS
    assert not set(FORMS) & NEVER_BROKEN


@each_form
def test_what_goes_together_is_left_alone(says: str) -> None:
    assert schema.validate(document(FORMS[says][0])) == ()


@each_form
def test_what_does_not_is_told_in_the_words_of_the_form(says: str) -> None:
    text = document(FORMS[says][1])
    assert schema.is_valid(etree.fromstring(text))
    (violation,) = schema.validate(text)
    assert violation.message.startswith(f"{says}; ")
    assert (violation.rule, violation.severity, violation.line) == ("co-occurrence", "error", 1)


@pytest.mark.oracle
@each_form
def test_libvirts_grammar_is_of_the_same_mind(says: str, relax_ng: etree.RelaxNG) -> None:
    right, broken = (etree.fromstring(document(text)) for text in FORMS[says])
    assert relax_ng.validate(right) or says in NEWER, relax_ng.error_log
    assert not relax_ng.validate(broken) or says in NEWER


def test_what_does_not_go_together_stands_in_document_order_beside_other_faults() -> None:
    text = document(
        "<rng model='virtio'><backend model='egd'/></rng><x/><console><log file='/a'/></console>"
        "<video><model type='?' ram='1'/></video>"
    )
    assert [(v.path, v.rule, v.found) for v in schema.validate(text)] == [
        ("/domain/devices/rng/backend/@type", "co-occurrence", None),
        ("/domain/devices/x", "unknown-element", "x"),
        ("/domain/devices/console/@type", "co-occurrence", None),
        ("/domain/devices/video/model/@type", "enumeration", "?"),
    ]


def test_a_text_and_a_child_are_named_as_such() -> None:
    backend = "<rng model='virtio'><backend model='builtin'>/a<source/></backend></rng>"
    text, child = schema.validate(document(backend))
    assert (child.path, child.found) == ("/domain/devices/rng/backend/source", "source")
    assert (text.path, text.found) == ("/domain/devices/rng/backend", "/a")
    assert text.message == "QEMU's own numbers have no source; a text does not go with it"


def test_a_choice_of_which_none_stands_names_both() -> None:
    (violation,) = schema.validate(document(FORMS["a secret is named by its uuid or by its usage"][1]))
    assert violation.path.endswith("/auth/secret")
    assert violation.message.endswith("; the attribute uuid or the attribute usage is missing")


@pytest.mark.oracle
@pytest.mark.parametrize(
    "console",
    [
        "<console/>",
        "<console tty='/dev/pts/3'/>",
        "<console tty='/dev/pts/3'><!-- the old form --></console>",
    ],
)
def test_a_console_of_the_old_form_has_no_type(console: str, relax_ng: etree.RelaxNG) -> None:
    text = document(console)
    assert relax_ng.validate(etree.fromstring(text, etree.XMLParser(remove_comments=True)))
    assert schema.validate(text) == ()


COMMENTED = (
    "<disk type='file'><source file='/a'/><backingStore>{}</backingStore><target dev='vda'/></disk>",
    "<disk type='block' device='lun'><source dev='/a'/><backingStore>{}</backingStore></disk>",
    "<console tty='/dev/pts/3'>{}</console>",
    "<hostdev mode='subsystem' type='usb'><source>{}</source></hostdev>",
    "<disk><source file='/a'><encryption format='luks'>{}</encryption></source><target dev='vda'/></disk>",
)


@pytest.mark.parametrize("devices", COMMENTED)
@pytest.mark.parametrize("nothing", ["<!-- nothing -->", "<?nothing?>"])
def test_a_comment_is_no_child(devices: str, nothing: str) -> None:
    bare, commented = (document(devices.format(inside)) for inside in ("", nothing))
    assert validate(commented) == validate(bare)


@pytest.mark.oracle
def test_an_attribute_without_a_text_is_not_absent(relax_ng: etree.RelaxNG) -> None:
    text = document("<interface type='network'><source network='default' portid=''/></interface>")
    assert not relax_ng.validate(etree.fromstring(text))
    assert [(each.rule, each.path) for each in schema.validate(text)] == [
        ("co-occurrence", "/domain/devices/interface/source/@portid")
    ]


@pytest.mark.oracle
def test_blanks_around_a_path_are_a_part_of_it(relax_ng: etree.RelaxNG) -> None:
    text = document("<rng model='virtio'><backend model='random'>/dev/urandom\n</backend></rng>")
    assert not relax_ng.validate(etree.fromstring(text))
    (violation,) = schema.validate(text)
    assert (violation.rule, violation.path) == ("co-occurrence", "/domain/devices/rng/backend")
