"""The map file: tables, prefixes of paths, entries that nothing used, names that are not one to one."""

from __future__ import annotations

from typing import Any

import pytest

from virtxlate import MapError, Renames, parse_renames

BAD = [
    ("x = 1", "x: expected a table"),
    (
        "[hosts]",
        (
            "hosts: expected one of bridges, switches, networks, paths, pools, disks, scripts, secrets, "
            "initiators, addresses, users, diskparams"
        ),
    ),
    ("[bridges]\nbr0 = 1", "bridges.br0: expected a text, found 1"),
    ('[bridges]\nbr0 = ""', "bridges.br0: expected a text, found ''"),
    ("[diskparams]\nrbd = 1", "diskparams.rbd: expected a table, found 1"),
    ("[bridges", "not TOML: Expected ']' at the end of a table declaration (at end of document)"),
]


@pytest.mark.parametrize(("text", "message"), BAD)
def test_what_is_no_map_is_refused(text: str, message: str) -> None:
    with pytest.raises(MapError) as caught:
        parse_renames(text)
    assert str(caught.value) == message


def test_an_empty_map_renames_nothing() -> None:
    for renames in (Renames(), Renames({}), parse_renames("")):
        assert renames.rename("bridges", "br0") == "br0"
        assert renames.find("bridges", "br0") is None
        assert renames.path("/dev/x") == "/dev/x"
        assert renames.back("bridges", "br0") == "br0"
        assert renames.back_path("/dev/x") == "/dev/x"
        renames.check_used()


def test_a_name_goes_there_and_back() -> None:
    renames = parse_renames('[bridges]\nbr0 = "lan"\n[diskparams.rbd]\naccess = "userspace"')
    assert renames.rename("bridges", "br0") == "lan"
    assert renames.rename("bridges", "br1") == "br1"
    assert renames.rename("switches", "br0") == "br0"
    assert renames.back("bridges", "lan") == "br0"
    assert renames.diskparams == {"rbd": {"access": "userspace"}}


PREFIXES = [
    ("/dev/xenvg", "/dev/vg0", "/dev/xenvg/a", "/dev/vg0/a"),
    ("/dev/xenvg/", "/dev/vg0/", "/dev/xenvg/a", "/dev/vg0/a"),
    ("/dev/xenvg", "/dev/vg0", "/dev/xenvg", "/dev/vg0"),
    ("/dev/xenvg", "/dev/vg0", "/dev/xenvg2/a", "/dev/xenvg2/a"),
    ("/srv/a.img", "/mnt/b.img", "/srv/a.img", "/mnt/b.img"),
    ("/", "/mnt", "/srv/a", "/mnt/srv/a"),
]


@pytest.mark.parametrize(("old", "new", "path", "renamed"), PREFIXES)
def test_a_path_is_renamed_by_whole_names(old: str, new: str, path: str, renamed: str) -> None:
    assert Renames({"paths": {old: new}}).path(path) == renamed


@pytest.mark.parametrize(("old", "new", "path", "renamed"), PREFIXES)
def test_a_path_comes_back(old: str, new: str, path: str, renamed: str) -> None:
    assert Renames({"paths": {old: new}}).back_path(renamed) == path


def test_two_entries_for_one_path_are_refused() -> None:
    renames = Renames({"paths": {"/dev": "/a", "/dev/xenvg": "/b"}})
    with pytest.raises(MapError) as caught:
        renames.path("/dev/xenvg/x")
    assert str(caught.value) == "paths: ambiguous for /dev/xenvg/x: '/dev' and '/dev/xenvg' apply"


def test_two_entries_for_one_path_are_refused_on_the_way_back() -> None:
    renames = Renames({"paths": {"/dev/a": "/x", "/dev/b": "/x"}})
    with pytest.raises(MapError) as caught:
        renames.back_path("/x/y")
    assert str(caught.value) == "paths: ambiguous for /x/y: 2 entries apply"


def test_two_old_names_of_one_are_refused() -> None:
    with pytest.raises(MapError) as caught:
        Renames({"pools": {"b": "x", "a": "x"}}).back("pools", "x")
    assert str(caught.value) == "pools: ambiguous: 'a' and 'b' became 'x'"


def test_entries_that_nothing_used_are_named() -> None:
    renames = Renames({"bridges": {"br0": "lan", "br1": "dmz"}, "paths": {"/a": "/b", "/c": "/d"}})
    renames.rename("bridges", "br0")
    renames.path("/a/x")
    with pytest.raises(MapError) as caught:
        renames.check_used()
    assert str(caught.value) == "map: unused: bridges.br1, paths./c"


def test_entries_that_were_all_used_are_fine() -> None:
    renames = Renames({"secrets": {"admin": "x"}, "paths": {"/a": "/b"}})
    renames.find("secrets", "admin")
    renames.path("/a")
    renames.check_used()


def test_a_document_that_exists_needs_no_secret() -> None:
    renames: Any = Renames({"secrets": {"admin": "x"}, "pools": {"p": "q"}, "diskparams": {"rbd": {"a": 1}}})
    known = renames.with_any_secret()
    assert (known.find("secrets", "admin"), known.find("secrets", "other")) == ("x", "other")
    assert (known.find("pools", "p"), known.find("pools", "other")) == ("q", None)
    assert known.diskparams == renames.diskparams
    assert renames.find("secrets", "other") is None
