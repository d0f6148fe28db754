"""Mistakes that people make, each a small document, and what ``validate`` says: exactly these lines.

``NAME.own.txt`` is said with ``--schema own``; ``NAME.host.txt`` with ``--schema host``, where that differs.
``pytest --regenerate`` writes them anew; read the difference.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import cli
from tests.cli.running import Cli
from virtxlate.schema.store import INSTALLED, build_schema

__all__ = ["cli"]

HERE = Path(__file__).parent
MISTAKES = sorted(path.stem for path in HERE.glob("*.xml"))
AT_LEAST = 40


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        build_schema(INSTALLED)
        yield


def said(cli: Cli, name: str, schema: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(HERE)
    result = cli("validate", f"{name}.xml", "--schema", schema)
    assert result.err == ""
    assert result.code == (1 if "fails to validate" in result.out else 0)
    return result.out


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_told(
    cli: Cli, name: str, monkeypatch: pytest.MonkeyPatch, pytestconfig: pytest.Config
) -> None:
    golden = HERE / f"{name}.own.txt"
    found = said(cli, name, "own", monkeypatch)
    if pytestconfig.getoption("--regenerate"):
        golden.write_text(found)
    assert golden.read_text() == found


@pytest.mark.oracle
@pytest.mark.usefixtures("built")
@pytest.mark.parametrize("name", MISTAKES)
def test_the_hosts_schema_tells_it_as_well(
    cli: Cli, name: str, monkeypatch: pytest.MonkeyPatch, pytestconfig: pytest.Config
) -> None:
    own, golden = HERE / f"{name}.own.txt", HERE / f"{name}.host.txt"
    found = said(cli, name, "host", monkeypatch)
    if pytestconfig.getoption("--regenerate"):
        golden.write_text(found)
        if found == own.read_text():
            golden.unlink()
    assert (golden if golden.exists() else own).read_text() == found


def test_there_are_enough_and_each_golden_has_its_mistake() -> None:
    assert len(MISTAKES) >= AT_LEAST
    goldens = {path.name.partition(".")[0] for path in HERE.glob("*.txt")}
    assert goldens == set(MISTAKES)


def test_no_mistake_is_passed_over() -> None:
    passed = [name for name in MISTAKES if "[" not in (HERE / f"{name}.own.txt").read_text()]
    assert passed == []
