"""The cache: built once, the same bytes each time, and never used when it is stale."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.schema.conftest import GRAMMAR
from virtxlate.errors import SchemaSourceError
from virtxlate.schema.build import CONTENTS, FORMAT, build
from virtxlate.schema.host import host_schema
from virtxlate.schema.rules import read_rules, write_rules
from virtxlate.schema.store import build_schema, cache_folder, stored_schema

STALE = "changed since the schema was built; run: virtxlate schema build --from {source}"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return Path(shutil.copytree(GRAMMAR, tmp_path / "rng"))


def test_a_schema_is_built_once(source: Path, cache: Path) -> None:
    first = build_schema(source)
    second = build_schema(source)
    assert (first.is_new, second.is_new) == (True, False)
    assert first.path == second.path == stored_schema().path
    assert first.contents == second.contents == stored_schema().contents
    assert sorted(path.name for path in cache.iterdir()) == sorted([first.path.name, "current.json"])
    assert sorted(path.name for path in first.path.iterdir()) == [
        CONTENTS,
        "store.extra.xsd",
        "store.rules.json",
        "store.xsd",
    ]


def test_the_same_grammar_gives_the_same_bytes_whatever_the_seed_of_hashes() -> None:
    code = (
        "import hashlib, sys; from pathlib import Path; from virtxlate.schema.build import build\n"
        "print(hashlib.sha256(repr(build(Path(sys.argv[1]))).encode()).hexdigest())"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", code, str(GRAMMAR)],
            check=True,
            capture_output=True,
            text=True,
            env=os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": str(GRAMMAR.parents[2])},
        ).stdout
        for seed in ("0", "1", "2")
    }
    assert len(digests) == 1


def test_rules_that_were_written_are_read_again() -> None:
    text = build(GRAMMAR)["store.rules.json"]
    assert write_rules(read_rules(text)) == text


def test_nothing_is_used_that_was_not_built() -> None:
    with pytest.raises(SchemaSourceError, match="was built yet; run: virtxlate schema build"):
        host_schema()


def test_a_schema_is_stale_once_its_grammar_has_changed(source: Path) -> None:
    build_schema(source)
    words = source / "words.rng"
    words.write_text(words.read_text().replace("plain", "fancy"))
    with pytest.raises(SchemaSourceError) as caught:
        stored_schema()
    assert str(caught.value) == f"{source}: {STALE.format(source=source)}"
    assert build_schema(source).is_new
    assert host_schema().validate("<store><name>a</name><inner><label>fancy</label></inner></store>") == ()


def test_a_schema_outlives_the_folder_that_it_was_built_of(source: Path) -> None:
    built = build_schema(source)
    shutil.rmtree(source)
    assert stored_schema().contents == built.contents


def test_what_another_version_built_is_built_anew(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = build_schema(source)
    for name in ("virtxlate.schema.build.FORMAT", "virtxlate.schema.store.FORMAT"):
        monkeypatch.setattr(name, FORMAT + 1)
    with pytest.raises(SchemaSourceError, match="is gone or of another version"):
        stored_schema()
    new = build_schema(source)
    assert new.is_new
    assert new.path != old.path


@pytest.mark.parametrize("name", [CONTENTS, "store.xsd", "store.rules.json"])
def test_a_cache_with_holes_is_built_anew(name: str, source: Path) -> None:
    first = build_schema(source)
    (first.path / name).unlink()
    with pytest.raises(SchemaSourceError, match="is gone or of another version"):
        stored_schema()
    assert build_schema(source).is_new


def test_a_pointer_that_cannot_be_read_is_an_error_with_advice(source: Path, cache: Path) -> None:
    build_schema(source)
    (cache / "current.json").write_text("{")
    with pytest.raises(SchemaSourceError, match="run: virtxlate schema build"):
        stored_schema()


def test_the_last_one_built_is_used(source: Path, tmp_path: Path) -> None:
    build_schema(source)
    other = Path(shutil.copytree(GRAMMAR, tmp_path / "other"))
    (other / "more.rng").write_text((other / "store.rng").read_text().replace('"store"', '"shop"'))
    build_schema(other)
    assert [each.name for each in stored_schema().contents.documents] == ["more", "store"]
    assert stored_schema().source == other
    build_schema(source)
    assert [each.name for each in stored_schema().contents.documents] == ["store"]


@pytest.mark.parametrize("make", ["nothing", "an empty folder", "a file"])
def test_a_folder_without_grammars_is_refused(make: str, tmp_path: Path) -> None:
    folder = tmp_path / "there"
    if make == "an empty folder":
        folder.mkdir()
    elif make == "a file":
        folder.write_text("")
    with pytest.raises(SchemaSourceError) as caught:
        build_schema(folder)
    assert caught.value.at == str(folder)
    assert not cache_folder().exists()


@pytest.mark.parametrize("home", ["", "relative"])
def test_without_a_cache_home_the_users_own_is_taken(home: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", home)
    monkeypatch.setenv("HOME", "/home/somebody")
    assert cache_folder() == Path("/home/somebody/.cache/virtxlate/schema")
