"""``virtxlate vhba``: descriptions without a host, and what happens on one."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.cli.running import Cli, Result
from tests.npiv.host import FakeNode
from virtxlate.domain.vhba import Vhba, vhba_xml

NEW = ("--wwnn", "20000000c9831b4b", "--wwpn", "0x10000000C9831B4B")
NAMED = Vhba(parent="scsi_host5", wwnn="20000000c9831b4b", wwpn="10000000c9831b4b")
POOL = """\
<pool type="scsi">
  <name>luns</name>
  <source>
    <adapter type="fc_host" parent="scsi_host5" wwnn="20000000c9831b4b" wwpn="10000000c9831b4b"/>
  </source>
  <target>
    <path>/dev/disk/by-path</path>
  </target>
</pool>
"""
LISTED = """\
NAME         KIND      PARENT            WWNN              WWPN              FABRIC            VPORTS
scsi_host5   physical  pci_0000_10_00_0  2000000000000005  1000000000000005  2000000043214321  1 of 2
scsi_host6   physical  pci_0000_10_00_1  2000000000000006  1000000000000006  2000000043214321  1 of 1
scsi_host7   physical  pci_0000_10_00_2  2000000000000007  1000000000000007  2000000043214321  not known
scsi_host8   physical  pci_0000_20_00_0  2000000000000008  1000000000000008  2000000043214321  -
scsi_host12  virtual   scsi_host5        2000000000000012  1000000000000012  2000000043214321  -
scsi_host13  virtual   scsi_host6        2000000000000013  1000000000000013  2000000043214321  -
"""
LUNS = """\
ADDRESS   TYPE       BLOCK     VENDOR  MODEL  BYTES       STABLE NAME
12:0:0:0  enclosure  -         -       -      -           -
12:0:0:1  disk       /dev/sdc  ACME    LUN    1073741824  /dev/disk/by-id/scsi-3600144f0
"""
DISK = """\
<disk type="block" device="lun">
  <driver name="qemu" type="raw"/>
  <source dev="/dev/disk/by-id/scsi-3600144f0"/>
  <target dev="sda" bus="scsi"/>
</disk>
"""


@pytest.fixture
def node(monkeypatch: pytest.MonkeyPatch) -> FakeNode:
    """The host behind every connection, which must not be changed by who only looks."""
    fake = FakeNode()

    @contextmanager
    def connect(_uri: str | None, *, read_only: bool = False) -> Iterator[FakeNode]:
        before = list(fake.calls)
        yield fake
        assert not read_only or fake.calls == before

    module = ModuleType("virtxlate.live.connection")
    vars(module)["connect"] = connect
    monkeypatch.setitem(sys.modules, "virtxlate.live.connection", module)
    return fake


def test_an_adapter_is_described(cli: Cli) -> None:
    assert cli("vhba", "xml", "--parent", "scsi_host5", *NEW) == (0, vhba_xml(NAMED), "")


def test_a_pool_is_described(cli: Cli) -> None:
    assert cli("vhba", "pool", "luns", "--parent", "scsi_host5", *NEW) == (0, POOL, "")


WRONG = {
    (): (3, "error: /device/parent: expected one of a name, wwnn and wwpn, or fabric_wwn, found none"),
    ("--parent", "scsi_host5", "--parent-wwnn", "20000000c9831b4b"): (
        3,
        "error: /device/parent: expected both",
    ),
    ("--parent", "scsi_host5", "--wwpn", "1"): (
        2,
        "error: --wwpn: expected a world wide name, 16 hexadecimal",
    ),
}


@pytest.mark.parametrize("options", WRONG)
def test_what_cannot_be_described_is_an_error(cli: Cli, options: tuple[str, ...]) -> None:
    code, message = WRONG[options]
    result = cli("vhba", "xml", *options)
    assert (result.code, result.out, result.error.startswith(message)) == (code, "", True)


@pytest.mark.usefixtures("node")
def test_the_adapters_of_a_host_are_listed(cli: Cli) -> None:
    assert cli("vhba", "list") == (0, LISTED, "")
    first = json.loads(cli("vhba", "list", "--format", "json").out)[0]
    assert (first["name"], first["takes_vports"], first["max_vports"], first["vports"]) == (
        "scsi_host5",
        True,
        2,
        1,
    )


def test_an_adapter_is_made_once(cli: Cli, node: FakeNode, stdin: Callable[[bytes], Any]) -> None:
    vhba = Vhba(parent="scsi_host7", wwnn=NAMED.wwnn, wwpn=NAMED.wwpn)
    made = "scsi_host20 made, on scsi_host7, wwnn 20000000c9831b4b, wwpn 10000000c9831b4b\n"
    lines = ("would be made\n", made, "scsi_host20 is there already, on scsi_host7\n")
    for options, line in zip((["--dry-run"], [], []), lines, strict=True):
        stdin(vhba_xml(vhba).encode())
        assert cli("vhba", "create", "-", *options) == (0, line, "")
    assert node.calls == [("create", vhba_xml(vhba))]


@pytest.mark.usefixtures("node")
def test_a_file_that_asks_for_nothing_is_named(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "v.xml"
    path.write_text("<device><capability type='scsi_host'><capability type='fc_host'/></capability></device>")
    result = cli("vhba", "create", path)
    assert result.code == 3
    assert result.error.startswith(f"error: {path}: /device/parent: expected one of a name")


def test_an_adapter_is_removed_and_nothing_else(cli: Cli, node: FakeNode) -> None:
    assert cli("vhba", "destroy", "scsi_host12", "--dry-run") == (0, "scsi_host12 would be removed\n", "")
    assert node.calls == []
    assert cli("vhba", "destroy", "scsi_host12") == (0, "scsi_host12 removed\n", "")
    assert node.calls == [("destroy", "scsi_host12")]
    refused = "error: scsi_host5 is no virtual adapter, and removing it would take its disks away"
    for options in ([], ["--dry-run"]):
        result = cli("vhba", "destroy", "scsi_host5", *options)
        assert (result.code, result.error) == (5, refused)


@pytest.mark.usefixtures("node")
def test_the_luns_behind_an_adapter_are_shown(cli: Cli) -> None:
    assert cli("vhba", "luns", "scsi_host12") == (0, LUNS, "")
    listed = json.loads(cli("vhba", "luns", "scsi_host12", "--format", "json").out)
    assert (listed[0], listed[1]["stable"]) == (
        {"address": "12:0:0:0", "type": "enclosure"},
        "/dev/disk/by-id/scsi-3600144f0",
    )


@pytest.mark.usefixtures("node")
def test_the_luns_are_given_as_disks_but_those_that_are_none(cli: Cli) -> None:
    """An enclosure is no disk; it is named, and the rest is given."""
    skipped = "virtxlate: 12:0:0:0: no block device; a <hostdev type='scsi'> passes it through\n"
    assert cli("vhba", "luns", "scsi_host12", "--format", "xml") == Result(0, DISK, skipped)
