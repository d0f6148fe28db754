"""``virtxlate schema``, and ``validate --schema host``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.running import FIXTURES, Cli

GRAMMAR = Path(__file__).parents[1] / "schema" / "rng"
GOOD = "<store><name>a</name></store>"
BAD = "<store><name>a</name><disk type='block'><source file='/a'/><target dev='sda'/></disk></store>"
MESSAGE = "in <disk type='block'>, <source> needs the attribute dev and may not have the attribute file"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "virtxlate" / "schema"


def test_build_says_where_and_whether_there_was_something_to_do(cli: Cli, cache: Path) -> None:
    first = cli("schema", "build", "--from", GRAMMAR)
    second = cli("schema", "build", "--from", GRAMMAR)
    (folder,) = [path for path in cache.iterdir() if path.is_dir()]
    assert first == (0, f"{folder}: built, of {GRAMMAR}\n", "")
    assert second == (0, f"{folder}: up to date, of {GRAMMAR}\n", "")


def test_documents_are_validated_by_what_was_built(cli: Cli, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.xml", tmp_path / "bad.xml"
    good.write_text(GOOD)
    bad.write_text(BAD)
    cli("schema", "build", "--from", GRAMMAR)
    result = cli("validate", "--schema", "host", good, bad)
    assert (result.code, result.err) == (1, "")
    assert result.out.splitlines() == [
        f"{good} validates",
        f"{bad}:1: /store/disk/source/@dev: {MESSAGE} [co-occurrence]",
        f"{bad} fails to validate",
    ]
    (verdict,) = json.loads(cli("validate", "--schema", "host", bad, "--format", "json").out)
    assert (verdict["valid"], verdict["violations"][0]["rule"]) == (False, "co-occurrence")


def test_without_a_schema_of_the_host_one_is_told_how_to_get_it(cli: Cli) -> None:
    result = cli("validate", "--schema", "host", FIXTURES / "domain" / "cluster.web1.xml")
    assert result.code == 3
    assert (
        result.error == "error: no schema of this host's libvirt was built yet; run: virtxlate schema build"
    )


def test_show_lists_the_document_types(cli: Cli, cache: Path) -> None:
    cli("schema", "build", "--from", GRAMMAR)
    (folder,) = [path for path in cache.iterdir() if path.is_dir()]
    assert cli("schema", "show").out.splitlines() == [
        f"{folder}, of {GRAMMAR}",
        "store: <store>, 22 types of elements, 9 with rules",
    ]


def test_show_tells_the_rules_of_an_element(cli: Cli) -> None:
    cli("schema", "build", "--from", GRAMMAR)
    assert cli("schema", "show", "--document", "store", "address").out == (
        "address in disk\n"
        "    ((@type='pci' & @slot=string(0x[0-9a-f]{1,2})|unsignedInt([0-9]+, maxInclusive 300)) | "
        "(@type='drive' & @unit=unsignedInt?))\n"
    )


def test_show_says_which_elements_have_rules(cli: Cli) -> None:
    cli("schema", "build", "--from", GRAMMAR)
    result = cli("schema", "show", "--document", "store", "power")
    assert result.code == 3
    assert result.error.startswith("error: store: <power> has no rules beside the XSD (these have: address, ")
    assert cli("schema", "show", "disk").error == "error: there is no document type 'domain' (known: store)"


def test_path_names_the_file_for_other_programs(cli: Cli, cache: Path) -> None:
    cli("schema", "build", "--from", GRAMMAR)
    (folder,) = [path for path in cache.iterdir() if path.is_dir()]
    assert cli("schema", "path", "store").out == f"{folder}/store.xsd\n"
    assert cli("schema", "path").out == f"{folder}\n"
