"""``valid/*.xml`` and the fixtures pass; ``invalid/NAME.xml`` gives just what is in ``invalid/NAME.json``."""

from __future__ import annotations

import threading
from itertools import permutations
from pathlib import Path
from time import perf_counter

import msgspec
import pytest
import xmlschema
from lxml import etree

from virtxlate.domain import schema
from virtxlate.domain.grammar import grammar, schema_path
from virtxlate.domain.schema import Violation
from virtxlate.errors import SchemaError

HERE = Path(__file__).parent
FIXTURES = HERE.parent.parent / "fixtures" / "domain"
VALID = sorted([*HERE.glob("valid/*.xml"), *FIXTURES.glob("**/*.xml")])
INVALID = sorted(HERE.glob("invalid/*.xml"))
NOT_PARSED = {"not-xml", "doctype"}
RELAX_NG = Path("/usr/share/libvirt/schemas/domain.rng")
QEMU = "http://libvirt.org/schemas/domain/qemu/1.0"
RUNNING = HERE / "valid" / "running.xml"

each_valid = pytest.mark.parametrize("path", VALID, ids=lambda path: path.stem)
each_invalid = pytest.mark.parametrize("path", INVALID, ids=lambda path: path.stem)


@pytest.fixture(scope="module")
def second_opinion() -> xmlschema.XMLSchema10:
    return xmlschema.XMLSchema10(str(schema_path()))


@pytest.fixture(scope="module")
def relax_ng() -> etree.RelaxNG:
    return etree.RelaxNG(etree.parse(str(RELAX_NG)))


def in_domain(devices: str = "", head: str = "") -> str:
    named = "<name>a</name><os><type>hvm</type></os>"
    return f"<domain type='kvm'>{named}{head}<devices>{devices}</devices></domain>"


@each_valid
def test_a_valid_document_has_no_violations(path: Path) -> None:
    text = path.read_bytes()
    assert schema.validate(text) == ()
    assert schema.validate(text.decode()) == ()
    assert schema.is_valid(etree.fromstring(text))
    schema.check(text)


@each_invalid
def test_an_invalid_document_has_exactly_these_violations(path: Path) -> None:
    expected = msgspec.json.decode(path.with_suffix(".json").read_bytes(), type=tuple[Violation, ...])
    assert schema.validate(path.read_bytes()) == expected


def test_every_sample_of_a_wrong_document_has_its_expectation() -> None:
    assert [p.stem for p in INVALID] == sorted(p.stem for p in HERE.glob("invalid/*.json"))


@pytest.mark.parametrize(
    "path", [p for p in VALID + INVALID if p.stem not in NOT_PARSED], ids=lambda path: path.stem
)
def test_lxml_and_xmlschema_agree(path: Path, second_opinion: xmlschema.XMLSchema10) -> None:
    assert second_opinion.is_valid(str(path)) is schema.is_valid(etree.parse(str(path)))


@pytest.mark.oracle
@each_valid
def test_libvirts_own_grammar_agrees(path: Path, relax_ng: etree.RelaxNG) -> None:
    document = etree.parse(str(path), etree.XMLParser(remove_comments=True, remove_pis=True))
    assert relax_ng.validate(document), relax_ng.error_log


@pytest.mark.oracle
@pytest.mark.parametrize("name", ["enumeration", "missing-attribute", "missing-element", "repeated", "value"])
def test_libvirts_own_grammar_refuses_what_is_refused(name: str, relax_ng: etree.RelaxNG) -> None:
    assert not relax_ng.validate(etree.parse(str(HERE / "invalid" / f"{name}.xml")))


def test_check_raises_with_every_violation() -> None:
    text = (HERE / "invalid" / "enumeration.xml").read_bytes()
    with pytest.raises(
        SchemaError, match=r"^/domain/on_crash: expected one of .* \(and 3 more violations\)$"
    ) as e:
        schema.check(text)
    assert e.value.violations == schema.validate(text)


def test_one_violation_is_not_said_to_be_more() -> None:
    with pytest.raises(SchemaError, match=r"^/domain/devices/bus: <bus> is not known in <devices>$"):
        schema.check(in_domain("<bus/>"))


def test_an_element_and_a_tree_are_judged_as_text_is() -> None:
    path = HERE / "invalid" / "duplicate.xml"
    tree = etree.parse(str(path))
    expected = schema.validate(path.read_bytes())
    assert schema.validate(tree) == expected
    assert schema.validate(tree.getroot()) == expected


def test_a_judged_tree_is_not_changed() -> None:
    root = etree.fromstring((HERE / "invalid" / "repeated.xml").read_bytes())
    before = etree.tostring(root)
    assert len(schema.validate(root)) == 6
    assert etree.tostring(root) == before


def test_a_domain_inside_another_document_is_judged_alone() -> None:
    wrapped = etree.fromstring(f"<save>\n{in_domain('<bus/>')}</save>")
    (violation,) = schema.validate(wrapped[0])
    assert (violation.path, violation.line) == ("/domain/devices/bus", 2)


def test_a_tree_that_was_never_text_has_line_zero() -> None:
    (violation,) = schema.validate(etree.Element("domain", type="kvm", id="x"))[:1]
    assert (violation.path, violation.line, violation.found) == ("/domain/@id", 0, "x")


@pytest.mark.parametrize("text", ["", " ", "<", "<domain>", "&#0;", b"\xff\xfe\x00", "<a>\ud800</a>", "\x00"])
def test_what_is_not_xml_is_one_violation(text: str | bytes) -> None:
    (violation,) = schema.validate(text)
    assert (violation.rule, violation.path, violation.allowed) == ("malformed", "/", ())
    assert violation.message.startswith("not well-formed XML: ")


def test_a_parsed_document_with_a_doctype_is_refused_too() -> None:
    tree = etree.ElementTree(etree.fromstring(f"<!DOCTYPE domain>{in_domain()}"))
    assert not schema.is_valid(tree)
    assert [v.rule for v in schema.validate(tree)] == ["malformed"]


def test_an_unknown_element_does_not_hide_what_follows_it() -> None:
    text = in_domain("<a/><disk><b/><target dev='vda' bus='c'/></disk><d/><disk><target/></disk>", "<e/>")
    assert [v.path for v in schema.validate(text)] == [
        "/domain/e",
        "/domain/devices/a",
        "/domain/devices/disk[1]/b",
        "/domain/devices/disk[1]/target/@bus",
        "/domain/devices/d",
        "/domain/devices/disk[2]/target/@dev",
    ]


def test_metadata_may_hold_anything() -> None:
    anything = "<n:x xmlns:n='urn:example:n'><disk/>text</n:x><x once='1'><y/></x>" * 2
    assert schema.validate(in_domain(head=f"<metadata>{anything}</metadata>")) == ()


def test_only_the_namespaces_of_libvirts_drivers_stand_beside_the_devices() -> None:
    foreign = "<n:x xmlns:n='{}'><disk/></n:x>"
    for driver in ("lxc", "xen", "bhyve", "vmware"):
        text = foreign.format(f"http://libvirt.org/schemas/domain/{driver}/1.0")
        assert schema.validate(in_domain(head=text)) == ()
    for namespace in ("urn:example:n", f"{QEMU}x"):
        found = schema.validate(in_domain(foreign.format(namespace), foreign.format(namespace)))
        assert [v.path for v in found] == ["/domain/n:x", "/domain/devices/n:x"]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (
            "commandlin",
            "/domain/q:commandlin: <commandlin> is not known in <domain>; did you mean commandline?",
        ),
        (
            "deprecation",
            "/domain/q:deprecation/@behavior: <deprecation> needs the attribute behavior: one of",
        ),
        ("commandline", ""),
    ],
)
def test_the_namespace_of_qemu_is_known_word_for_word(wrong: str, told: str) -> None:
    found = schema.validate(in_domain(head=f"<q:{wrong} xmlns:q='{QEMU}'/>"))
    assert [f"{v.path}: {v.message}".startswith(told) for v in found] == [True] * bool(told)


def test_a_thousand_faults_are_all_found_in_reasonable_time() -> None:
    text = in_domain("<x/><disk><y/><y/></disk>" * 500)
    started = perf_counter()
    assert len(schema.validate(text)) == 500 * 4
    assert perf_counter() - started < 30


def test_threads_do_not_mix_up_their_reasons() -> None:
    texts = [path.read_bytes() for path in INVALID]
    expected = [schema.validate(text) for text in texts]
    found: list[list[tuple[Violation, ...]]] = []
    work = [threading.Thread(target=lambda: found.append([*map(schema.validate, texts)])) for _ in range(4)]
    for thread in work:
        thread.start()
    for thread in work:
        thread.join()
    assert found == [expected] * 4


def test_an_attribute_beside_a_text_is_explained_as_any_other() -> None:
    (violation,) = schema.validate(in_domain(head="<memory units='MiB'>512</memory>"))
    assert str(violation) == (
        "/domain/memory/@units (line 1): the attribute units is not known in <memory>; did you mean unit?"
    )
    assert violation.allowed == ("unit", "dumpCore")


def test_a_type_without_a_name_has_attributes_too() -> None:
    (violation,) = schema.validate(
        in_domain("<memballoon model='virtio'><stats period='1' p='2'/></memballoon>")
    )
    assert (violation.path, violation.allowed) == ("/domain/devices/memballoon/stats/@p", ("period",))


def test_repetition_inside_the_one_os_is_seen() -> None:
    text = in_domain().replace("</os>", "<type>hvm</type></os>")
    assert [(v.rule, v.path) for v in schema.validate(text)] == [("repeated-element", "/domain/os/type[2]")]


def test_what_has_no_rule_of_its_own_is_told_in_libxml2s_words() -> None:
    xsi = "http://www.w3.org/2001/XMLSchema-instance"
    (violation,) = schema.validate(in_domain(head=f"<vcpu xmlns:xsi='{xsi}' xsi:nil='true'>1</vcpu>"))
    assert (violation.rule, violation.path) == ("content", "/domain/vcpu")
    assert violation.message == "The element is not 'nillable'."


HEAD_ONCE = {
    "uuid": "<uuid>b0aa7743-a22f-4e9f-95b0-b64afeb1d5db</uuid>",
    "genid": "<genid/>",
    "title": "<title>t</title>",
    "description": "<description/>",
    "metadata": "<metadata/>",
    "memory": "<memory>1</memory>",
    "maxMemory": "<maxMemory slots='1'>1</maxMemory>",
    "currentMemory": "<currentMemory>1</currentMemory>",
    "vcpu": "<vcpu>1</vcpu>",
    "iothreads": "<iothreads>1</iothreads>",
    "features": "<features/>",
    "cpu": "<cpu/>",
    "clock": "<clock offset='utc'/>",
    "on_poweroff": "<on_poweroff>destroy</on_poweroff>",
    "on_reboot": "<on_reboot>destroy</on_reboot>",
    "on_crash": "<on_crash>destroy</on_crash>",
    "on_lockfailure": "<on_lockfailure>pause</on_lockfailure>",
    "pm": "<pm/>",
}
INTERFACE_ONCE = {
    "mac": "<mac address='52:54:00:00:00:01'/>",
    "source": "<source bridge='br0'/>",
    "model": "<model type='virtio'/>",
    "driver": "<driver/>",
    "target": "<target dev='a'/>",
    "guest": "<guest/>",
    "backend": "<backend/>",
    "virtualport": "<virtualport/>",
    "vlan": "<vlan><tag id='1'/></vlan>",
    "script": "<script path='/a'/>",
    "downscript": "<downscript path='/a'/>",
    "boot": "<boot order='1'/>",
    "link": "<link state='up'/>",
    "mtu": "<mtu size='1500'/>",
    "filterref": "<filterref filter='a'/>",
    "teaming": "<teaming type='persistent'/>",
    "port": "<port/>",
    "alias": "<alias name='a'/>",
    "address": "<address type='pci'/>",
}
EMULATOR, BALLOON = "<emulator>/bin/true</emulator>", "<memballoon model='none'/>"


def the_repetition(text: str) -> str:
    """Give the path of what may stand once; a value that stands twice is another fault of the same places."""
    found = schema.validate(text)
    assert {v.rule for v in found} <= {"repeated-element", "duplicate"}
    (violation,) = (v for v in found if v.rule == "repeated-element")
    return violation.path


@pytest.mark.parametrize("name", HEAD_ONCE)
def test_an_element_of_the_head_stands_once(name: str) -> None:
    others = "".join(HEAD_ONCE.values())
    assert schema.validate(in_domain(head=others)) == ()
    assert the_repetition(in_domain(head=others + HEAD_ONCE[name])) == f"/domain/{name}[2]"


@pytest.mark.parametrize("name", INTERFACE_ONCE)
def test_an_element_of_an_interface_stands_once(name: str) -> None:
    others = "".join(INTERFACE_ONCE.values())
    card = f"<interface type='bridge'>{others}</interface>"
    assert schema.validate(in_domain(card)) == ()
    twice = card.replace("</interface>", f"{INTERFACE_ONCE[name]}</interface>")
    assert the_repetition(in_domain(twice)) == f"/domain/devices/interface/{name}[2]"


@pytest.mark.parametrize("order", [*permutations([EMULATOR, BALLOON, "<rng/>", "<input/>"])])
def test_emulator_and_balloon_stand_once_each_at_any_place(order: tuple[str, ...]) -> None:
    devices = "".join(order).replace("<rng/>", "<rng model='virtio'><backend model='random'/></rng>")
    devices = devices.replace("<input/>", "<input type='mouse'/>" * 2)
    assert schema.validate(in_domain(devices)) == ()
    assert schema.validate(in_domain(devices.replace(EMULATOR, ""))) == ()
    assert schema.validate(in_domain(devices.replace(BALLOON, ""))) == ()
    assert the_repetition(in_domain(devices + EMULATOR)) == "/domain/devices/emulator[2]"
    assert the_repetition(in_domain(devices + BALLOON)) == "/domain/devices/memballoon[2]"


def test_the_name_stands_once_at_any_place() -> None:
    at_the_end = in_domain().replace("<name>a</name>", "").replace("</domain>", "<name>a</name></domain>")
    assert schema.validate(at_the_end) == ()
    assert the_repetition(in_domain(head="<name>b</name>")) == "/domain/name[2]"


def test_every_fault_beside_a_repeated_element_is_found_too() -> None:
    text = in_domain(
        "<disk/>" + EMULATOR * 2, "<memory>1</memory><memory>1</memory><name>b</name><name>c</name>"
    )
    assert [(v.path, v.rule) for v in schema.validate(text)] == [
        ("/domain/memory[2]", "repeated-element"),
        ("/domain/name[2]", "repeated-element"),
        ("/domain/name[3]", "repeated-element"),
        ("/domain/devices/disk/target", "missing-element"),
        ("/domain/devices/emulator[2]", "repeated-element"),
    ]


@pytest.mark.parametrize("device", ["/", "/a b", "C:\\", "C:\\a b", "C:", "sda", "\\a/b"])
def test_a_path_or_a_name_is_a_block_device(device: str) -> None:
    assert schema.validate(in_domain(f"<disk><source dev='{device}'/><target dev='vda'/></disk>")) == ()


@pytest.mark.parametrize("device", ["", "a b", "C:a b", "C b", "\\a b"])
def test_a_name_of_a_block_device_has_no_blanks(device: str) -> None:
    text = in_domain(f"<disk><source dev='{device}'/><target dev='vda'/></disk>")
    assert [v.path for v in schema.validate(text)] == ["/domain/devices/disk/source/@dev"]


def test_no_hint_is_given_where_nothing_is_near() -> None:
    (violation,) = schema.validate(in_domain("<rng model='zzz'><backend model='builtin'/></rng>"))
    assert violation.message == (
        "expected one of virtio, virtio-transitional, virtio-non-transitional, found 'zzz'"
    )


def test_the_attribute_that_the_schema_counts_by_is_never_offered() -> None:
    (violation,) = schema.validate(in_domain().replace("<devices", "<devices order='1'"))
    assert (violation.rule, violation.allowed) == ("unknown-attribute", ())


@pytest.mark.parametrize("name", HEAD_ONCE)
def test_it_is_not_offered_beside_a_text_either(name: str) -> None:
    (violation,) = schema.validate(
        in_domain(head=HEAD_ONCE[name].replace(f"<{name}", f"<{name} onse='1'", 1))
    )
    assert violation.rule == "unknown-attribute"
    assert not [word for word in violation.allowed if word.startswith("once")]
    assert "once" not in violation.message


def test_every_type_of_the_vocabulary_says_what_it_is() -> None:
    words = etree.parse(str(schema_path().with_name("words.xsd"))).getroot()
    names = [part.get("name", "") for part in words.iterchildren("{*}simpleType")]
    assert len(names) > 100
    assert [name for name in names if grammar().meaning(name).startswith("a value of type")] == []
