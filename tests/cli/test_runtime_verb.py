"""``virtxlate runtime``: what it prints, writes, refuses, and the code it ends with."""

from __future__ import annotations

import io
import json
import os
import re
import shlex
import sys
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from tests.cli.hosts import door
from tests.golden.cases import DOMAIN, FIXTURES, GANETI
from virtxlate.cli import main
from virtxlate.cli.parser import build_parser

HVINFO = str(GANETI / "runtime-hvinfo.json")
SCSI = str(GANETI / "runtime-scsi.json")
SLOTS = str(GANETI / "runtime-pci-2.10.json")
OLDEST = str(GANETI / "runtime-3-elements-2.9.json")
XML = str(DOMAIN / "runtime-hvinfo.xml")
VERBS = ("show", "upgrade", "downgrade", "write", "check")

Output = pytest.CaptureFixture[str]


def run(*words: str) -> int:
    return main(["runtime", *words])


def feed(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    class Stdin:
        buffer = io.BytesIO(data)

    monkeypatch.setattr(sys, "stdin", Stdin())


def mode_of(path: Path) -> int:
    return path.stat().st_mode & 0o7777


@pytest.mark.parametrize("verb", ["", *VERBS])
def test_help_has_an_example_that_parses(verb: str, capsys: Output) -> None:
    with pytest.raises(SystemExit) as ended:
        run(*([verb] if verb else []), "--help")
    assert ended.value.code == 0
    example = re.search(r"^example:\n  (.*)$", capsys.readouterr().out, re.MULTILINE)
    assert example is not None
    words = shlex.split(example[1].rpartition("| ")[2])
    assert build_parser().parse_args(words[1:]).module == "runtime"


def test_show_prints_a_line_for_each_device(capsys: Output) -> None:
    assert run("show", SCSI) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:6] == [
        "form     2.16 and newer: hvinfo",
        "name     inst1.example.com",
        "uuid     3e456e5c-399a-408e-b756-a30adb5a7eac",
        "machine  pc-i440fx-7.2",
        "memory   1024 MiB",
        "vcpus    1",
    ]
    assert lines[9].split()[:5] == ["disk", "disk-12c43cf7-0561-41a2", "scsi-hd", "scsi.0", "0:0:0"]


def test_show_as_json(capsys: Output) -> None:
    assert run("show", OLDEST, "--format", "json") == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["form"] == "up to 2.9: disks only in the command"
    assert shown["nics"] == [{"mac": "aa:00:00:65:9a:72"}]
    assert (shown["memory"], shown["vcpus"], shown["uuid"], shown["disks"]) == (1024, 1, None, [])
    assert len(shown["drives"]) == 1


def test_show_reads_stdin(monkeypatch: pytest.MonkeyPatch, capsys: Output) -> None:
    feed(monkeypatch, Path(SLOTS).read_bytes())
    assert run("show", "-") == 0
    assert "hotnic-a7d1eb5d-pci-6" in capsys.readouterr().out


def test_upgrade_tells_what_it_changed(tmp_path: Path, capsys: Output) -> None:
    target = tmp_path / "new.runtime"
    assert run("upgrade", SLOTS, "-o", str(target)) == 0
    assert "changed: [1][0].pci: slot 6 became hvinfo" in capsys.readouterr().err
    assert mode_of(target) == 0o600
    assert json.loads(target.read_text())[1][0]["hvinfo"]["addr"] == "0x6"


def test_upgrade_in_place_keeps_the_mode_and_a_link(tmp_path: Path) -> None:
    real, link = tmp_path / "real", tmp_path / "link"
    real.write_bytes(Path(SLOTS).read_bytes())
    real.chmod(0o640)
    link.symlink_to(real)
    assert run("upgrade", str(link), "--in-place") == 0
    assert link.is_symlink()
    assert mode_of(real) == 0o640
    assert "hotdisk" in real.read_text()


def test_upgrade_in_place_leaves_a_file_of_today_alone(tmp_path: Path) -> None:
    file = tmp_path / "x.runtime"
    file.write_bytes(Path(HVINFO).read_bytes())
    before = file.stat()
    assert run("upgrade", str(file), "--in-place") == 0
    assert (file.stat().st_ino, file.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_upgrade_in_place_keeps_the_owner(tmp_path: Path) -> None:
    file = tmp_path / "x.runtime"
    file.write_bytes(Path(SLOTS).read_bytes())
    os.chown(file, 12345, 23456)
    assert run("upgrade", str(file), "--in-place") == 0
    assert (file.stat().st_uid, file.stat().st_gid) == (12345, 23456)


def test_stdin_has_no_place(capsys: Output) -> None:
    assert run("upgrade", "-", "--in-place") == 2
    assert capsys.readouterr().err == "virtxlate: error: --in-place: stdin has no place\n"


def test_downgrade_tells_its_losses_and_strict_makes_them_errors(tmp_path: Path, capsys: Output) -> None:
    target = tmp_path / "old.runtime"
    assert run("downgrade", SCSI, "--to", "2.15", "-o", str(target)) == 0
    assert "loss: [2].disk_type = 'scsi-hd'" in capsys.readouterr().err
    before = target.read_bytes()
    assert run("downgrade", SCSI, "--to", "2.15", "-o", str(target), "--strict") == 4
    assert target.read_bytes() == before
    assert run("downgrade", SCSI, "--to", "3.0", "--strict") == 0


FOREIGN = [b"", b"{}", b"precious", Path(HVINFO).read_bytes()[:900], b"[[], [], {}, []]", b"\0" * 9]


@pytest.mark.parametrize("data", FOREIGN)
@pytest.mark.parametrize(
    "words",
    [("upgrade", SLOTS), ("downgrade", SCSI, "--to", "3.0"), ("write", XML)],
    ids=["upgrade", "downgrade", "write"],
)
def test_a_foreign_or_truncated_file_is_never_replaced(
    words: tuple[str, ...], data: bytes, tmp_path: Path, capsys: Output
) -> None:
    target = tmp_path / "target"
    target.write_bytes(data)
    assert run(*words, "-o", str(target)) == 3
    assert target.read_bytes() == data
    assert list(tmp_path.iterdir()) == [target]
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith(f"virtxlate: error: {target}: it is no runtime file, and is not replaced: ")


def test_a_directory_and_a_pipe_are_never_replaced(tmp_path: Path, capsys: Output) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for target in (tmp_path, pipe):
        assert run("upgrade", SLOTS, "-o", str(target)) == 3
        assert "found no regular file" in capsys.readouterr().err


def test_parents_are_not_made(tmp_path: Path, capsys: Output) -> None:
    assert run("upgrade", SLOTS, "-o", str(tmp_path / "no" / "x")) == 3
    assert not (tmp_path / "no").exists()
    assert "No such file" in capsys.readouterr().err


@pytest.mark.parametrize("data", FOREIGN)
def test_a_foreign_file_is_refused_with_its_name(data: bytes, tmp_path: Path, capsys: Output) -> None:
    source = tmp_path / "source"
    source.write_bytes(data)
    for words in (("show",), ("upgrade", "--in-place"), ("downgrade", "--to", "3.0")):
        assert run(words[0], str(source), *words[1:]) == 3
        error = capsys.readouterr().err
        assert error.startswith(f"virtxlate: error: {source}: ")
        assert error.count(str(source)) == 1
    assert run("check", str(source), XML) == 3
    assert source.read_bytes() == data


def test_a_path_in_the_file_is_told(tmp_path: Path, capsys: Output) -> None:
    source = tmp_path / "x"
    data = json.loads(Path(HVINFO).read_text())
    data[3][0][0]["hvinfo"]["addr"] = "12z"
    source.write_text(json.dumps(data))
    assert run("show", str(source)) == 3
    expected = (
        f"virtxlate: error: {source}: [3][0][0].hvinfo.addr: expected a slot such as '0xc', found '12z'\n"
    )
    assert capsys.readouterr().err == expected


def test_write_makes_the_file_that_check_finds_right(tmp_path: Path, capsys: Output) -> None:
    target = tmp_path / "web1.runtime"
    assert run("write", XML, "-o", str(target)) == 0
    assert mode_of(target) == 0o600
    capsys.readouterr()
    assert run("check", str(target), XML) == 0
    assert capsys.readouterr().out == f"{target}: 0 differences\n"
    assert run("write", XML, "-o", str(target)) == 0


def test_write_reads_stdin_and_writes_stdout(monkeypatch: pytest.MonkeyPatch, capfdbinary: Any) -> None:
    feed(monkeypatch, Path(XML).read_bytes())
    assert run("write", "-") == 0
    command, nics, _hvparams, disks = json.loads(capfdbinary.readouterr().out)
    assert (command[:3], len(nics), len(disks)) == (["/usr/bin/kvm", "-name", "inst1.example.com"], 2, 2)


def without_metadata(tmp_path: Path) -> str:
    tree = etree.parse(XML)
    for element in tree.getroot().findall("metadata"):
        tree.getroot().remove(element)
    path = tmp_path / "bare.xml"
    tree.write(path)
    return str(path)


def test_a_base_gives_the_command_and_all_that_the_domain_does_not_tell(tmp_path: Path) -> None:
    target = tmp_path / "x.runtime"
    assert run("write", without_metadata(tmp_path), "--base", HVINFO, "-o", str(target)) == 0
    assert json.loads(target.read_text()) == _with_defaults(json.loads(Path(HVINFO).read_text()), target)


def _with_defaults(base: list[Any], written: Path) -> list[Any]:
    """Give the base with the hvparams that are newer than it, at their defaults."""
    hvparams = json.loads(written.read_text())[2]
    return [base[0], base[1], {**hvparams, **base[2]}, base[3]]


def test_a_source_gives_what_the_domain_does_not_tell(tmp_path: Path) -> None:
    target = tmp_path / "x.runtime"
    words = ("write", without_metadata(tmp_path), "--source", HVINFO, "inst1.example.com", "-o", str(target))
    assert run(*words) == 0
    _command, nics, _hvparams, disks = json.loads(target.read_text())
    known = json.loads(Path(HVINFO).read_text())
    for disk in (each for entry in known[3] for each in (entry[0], *entry[0].get("children", ()))):
        # book-keeping of Ganeti's config, which the model does not keep
        for key in ("serial_no", "ctime", "mtime"):
            disk.pop(key, None)
    assert (nics, disks) == (known[1], known[3])


def test_another_instances_base_is_refused(capsys: Output) -> None:
    assert run("write", XML, "--base", SCSI) == 3
    assert "found that of 3e456e5c-399a-408e-b756-a30adb5a7eac" in capsys.readouterr().err


def test_write_without_metadata_reports_and_strict_refuses(tmp_path: Path, capsys: Output) -> None:
    bare = without_metadata(tmp_path)
    assert run("write", bare) == 0
    assert "loss: network_port = None" in capsys.readouterr().err
    assert run("write", bare, "--strict") == 4
    assert capsys.readouterr().out == ""


def test_check_tells_every_difference(tmp_path: Path, capsys: Output) -> None:
    data = json.loads(Path(HVINFO).read_text())
    data[1][0]["hvinfo"]["addr"] = "0x1d"
    data[1][1]["mac"] = "aa:00:00:00:00:99"
    data[3][0][1] = "/elsewhere"
    data[3][0][0]["logical_id"] = ["othervg", "x"]
    del data[3][1]
    file = tmp_path / "x.runtime"
    file.write_text(json.dumps(data))
    assert run("check", str(file), XML, "--format", "json") == 1
    found = {
        (each["device"], each["field"]): (each["file"], each["live"])
        for each in json.loads(capsys.readouterr().out)
    }
    assert found[("nic-760fc5f5-8a70-4ae7", "addr")] == ("0x1d", "0xd")
    assert found[("nic-cc2f8741-35d3-4ada", "mac")] == ("aa:00:00:00:00:99", "aa:00:00:5d:70:75")
    assert found[("disk-a9f5ab99-1221-41ba", "path")][0] == "/elsewhere"
    assert found[("disk-9125c2fd-2b4a-42c9", "device")][0] is None
    assert len(found) == 4


def test_check_matches_devices_without_ids(tmp_path: Path, capsys: Output) -> None:
    """A domain that nobody of ours made: NICs by MAC, disks by what they open."""
    tree = etree.parse(XML)
    for alias in tree.getroot().findall("devices/*/alias"):
        alias.set("name", f"x{id(alias)}")
    path = tmp_path / "auto.xml"
    tree.write(path)
    assert run("check", HVINFO, str(path)) == 0
    assert "0 differences" in capsys.readouterr().out


@pytest.mark.parametrize("verb", ["check", "write"])
def test_a_map_that_is_none_is_refused_with_its_name(verb: str, tmp_path: Path, capsys: Output) -> None:
    path = tmp_path / "map.toml"
    path.write_text("[bridges\n")
    assert run(verb, *([HVINFO] if verb == "check" else []), XML, "--map", str(path)) == 3
    assert capsys.readouterr().err.startswith(f"virtxlate: error: {path}: not TOML: ")


def test_two_devices_that_could_be_one_are_an_error(tmp_path: Path, capsys: Output) -> None:
    tree = etree.parse(XML)
    devices = tree.getroot().find("devices")
    assert devices is not None
    for mac in devices.findall("interface/mac"):
        mac.set("address", "aa:00:00:bc:6f:95")
    for alias in devices.findall("interface/alias"):
        alias.set("name", "x")
    path = tmp_path / "twins.xml"
    tree.write(path)
    assert run("check", HVINFO, str(path)) == 3
    assert "more than one device could be it: /domain/devices/interface[1]" in capsys.readouterr().err


def test_check_takes_one_stdin_only() -> None:
    assert run("check", "-", "-") == 2


class Host:
    """A libvirt with one domain, web1."""

    def __init__(self, xml: str) -> None:
        self.xml = xml

    def find(self, _uuid: str, name: str) -> Host | None:
        return self if name == "web1" else None

    def live_xml(self) -> str:
        return self.xml

    def version(self) -> str:
        return "9.0.0"


@pytest.mark.parametrize("words", [("write", "web1", "-o", "out"), ("check", HVINFO, "web1")])
def test_a_domain_that_does_not_run_has_no_runtime_file(
    words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: Output
) -> None:
    monkeypatch.chdir(tmp_path)
    xml = Path(XML).read_text()
    monkeypatch.setitem(sys.modules, "virtxlate.live.connection", door(Host(xml), []))
    assert run(*words, "-c", "test:///x") == 5
    assert capsys.readouterr() == (
        "",
        "virtxlate: error: state: domain 'web1' does not run, and a runtime file is of a running guest\n",
    )
    assert list(tmp_path.iterdir()) == []
    running = xml.replace("<domain ", '<domain id="7" ', 1)
    monkeypatch.setitem(sys.modules, "virtxlate.live.connection", door(Host(running), []))
    assert run(*words, "-c", "test:///x") == 0


def test_words_of_a_newer_libvirt_do_not_stop_it(tmp_path: Path) -> None:
    text = Path(XML).read_text().replace("<devices>", "<future a='b'/><devices><nova-device/>", 1)
    path = tmp_path / "newer.xml"
    path.write_text(text)
    assert run("check", HVINFO, str(path)) == 0
    assert run("write", str(path), "-o", str(tmp_path / "x.runtime")) == 0


BOMB = b'<!DOCTYPE d [<!ENTITY a "aaaa">]><domain>&a;</domain>'


@pytest.mark.parametrize("data", [b"", b"<domain", b"<other/>", BOMB, b"<domain/>"])
def test_xml_that_is_no_domain_is_refused(data: bytes, tmp_path: Path, capsys: Output) -> None:
    path = tmp_path / "x.xml"
    path.write_bytes(data)
    for words in (("write", str(path)), ("check", HVINFO, str(path))):
        assert run(*words) == 3
        assert str(path) in capsys.readouterr().err


def test_the_fixtures_of_old_forms_are_shown_and_upgraded(capsys: Output) -> None:
    for path in sorted((FIXTURES / "runtime").glob("*.json")):
        assert run("show", str(path)) == 0
        assert run("upgrade", str(path)) == 0
    capsys.readouterr()
