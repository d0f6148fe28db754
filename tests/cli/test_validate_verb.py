"""``virtxlate validate``: every problem of every file."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.running import FIXTURES, Cli

VALID = FIXTURES / "domain" / "cluster.web1.xml"
BROKEN = """\
<domain type="kvm">
  <name>web1</name>
  <os><type>hvm</type></os>
  <devices>
    <disk type="file" device="disk">
      <target dev="vda" bus="vitrio"/>
      <boot order="first"/>
    </disk>
  </devices>
</domain>
"""


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    path = tmp_path / "broken.xml"
    path.write_text(BROKEN)
    return path


def test_a_valid_document_is_told_to_be_one(cli: Cli) -> None:
    assert cli("validate", VALID) == (0, f"{VALID} validates\n", "")


def test_every_problem_is_told_with_its_line(cli: Cli, broken: Path) -> None:
    result = cli("validate", broken)
    assert (result.code, result.err) == (1, "")
    lines = result.out.splitlines()
    assert lines[0].startswith(f"{broken}:6: /domain/devices/disk/target/@bus: expected one of ")
    assert lines[0].endswith("found 'vitrio'; did you mean virtio? [enumeration]")
    assert lines[1].startswith(f"{broken}:7: /domain/devices/disk/boot/@order: ")
    assert lines[2] == f"{broken} fails to validate"


def test_files_are_judged_one_by_one(cli: Cli, broken: Path) -> None:
    result = cli("validate", VALID, broken, VALID)
    assert result.code == 1
    verdicts = [line for line in result.out.splitlines() if "validate" in line]
    assert verdicts == [f"{VALID} validates", f"{broken} fails to validate"]


def test_json_has_an_entry_for_each_file(cli: Cli, broken: Path) -> None:
    result = cli("validate", VALID, broken, "--format", "json")
    first, second = json.loads(result.out)
    assert result.code == 1
    assert first == {
        "file": str(VALID),
        "valid": True,
        "violations": [],
        "more": 0,
        "unchecked": [],
        "libvirt": None,
    }
    assert second["valid"] is False
    assert [(each["line"], each["rule"]) for each in second["violations"]] == [
        (6, "enumeration"),
        (7, "type"),
    ]
    assert second["violations"][0]["found"] == "vitrio"
    assert "virtio" in second["violations"][0]["allowed"]


def test_minus_is_stdin_and_is_read_once(cli: Cli, stdin: Callable[[bytes], None]) -> None:
    stdin(VALID.read_bytes())
    assert cli("validate", "-", "-") == (0, "stdin validates\n", "")


@pytest.mark.parametrize("content", [b"", b"\x00\xff\xfe", b"<domain>", b"<a/>", b"[]"])
def test_what_is_no_domain_is_a_violation(cli: Cli, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.xml"
    path.write_bytes(content)
    result = cli("validate", path)
    assert result.code == 1
    assert result.out.splitlines()[-1] == f"{path} fails to validate"


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_file_that_cannot_be_read_does_not_stop_the_others(
    cli: Cli, broken: Path, tmp_path: Path, form: str
) -> None:
    result = cli("validate", tmp_path / "none", broken, tmp_path, VALID, "--format", form)
    assert result.code == 3
    assert result.errors == [
        f"virtxlate: error: {tmp_path / 'none'}: No such file or directory",
        f"virtxlate: error: {tmp_path}: Is a directory",
    ]
    assert str(broken) in result.out
    assert str(VALID) in result.out


def test_a_document_cannot_speak_to_the_terminal(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "x.xml"
    path.write_text(BROKEN.replace("vitrio", "\u009b2J\u202e"))
    assert cli("validate", path).out.isascii()


def test_a_file_is_needed(cli: Cli) -> None:
    assert cli("validate").code == 2


def test_xmlschema_tells_the_same_places_in_its_own_words(cli: Cli, broken: Path) -> None:
    code, out, error = cli("validate", "--explain", "xmlschema", broken)
    told = out.splitlines()
    assert (code, error, told[-1]) == (1, "", f"{broken} fails to validate")
    assert [line.split(": ")[1] for line in told[:2]] == [
        "/domain/devices/disk/target",
        "/domain/devices/disk/boot",
    ]
    assert "'vitrio'" in told[0]
    assert cli("validate", "--explain", "xmlschema", VALID) == cli("validate", VALID)
