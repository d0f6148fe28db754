"""``virtxlate rules``, and what a broken rule looks like in ``validate`` and ``translate``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.running import FIXTURES, Cli
from tests.rules.cases import LSI, VIRTIO_SCSI, at, disk, document, lun
from virtxlate.rules import RULES, by_id

GENERIC = FIXTURES / "ganeti" / "disk-type-scsi-generic.json"
STABLE = FIXTURES / "ganeti" / "disk-stable-names.json"
MAP = """
[[device]]
address = "2:0:1:4"
block = "/dev/sdb"
links = ["/dev/disk/by-id/wwn-0x6005076307ffd7c50000000000001004"]
[[device]]
address = "2:0:1:5"
block = "/dev/sdc"
[[device]]
address = "3:0:0:0"
generic = "/dev/sg4"
"""


@pytest.fixture
def scsi_map(tmp_path: Path) -> Path:
    path = tmp_path / "node1.toml"
    path.write_text(MAP)
    return path


def test_every_rule_has_a_line(cli: Cli) -> None:
    result = cli("rules")
    assert (result.code, result.err) == (0, "")
    assert [line.split()[0] for line in result.out.splitlines()] == [rule.id for rule in RULES]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rule_is_explained(cli: Cli, rule: object) -> None:
    row = by_id(str(getattr(rule, "id", "")))
    assert cli("rules", row.id) == (
        0,
        (
            f"rule    {row.id} ({row.severity})\nsays    {row.says}\nwhy     {row.why}\n"
            f"source  {row.source}\nfix     {row.hint}\nlibvirt {row.libvirt}\n"
        ),
        "",
    )


def test_the_rules_are_a_list_in_json(cli: Cli) -> None:
    (shown,) = json.loads(cli("rules", "scsi-initiator", "--format", "json").out)
    assert shown.keys() == {"id", "says", "why", "source", "hint", "severity", "libvirt"}
    assert (shown["id"], shown["severity"]) == ("scsi-initiator", "warning")


@pytest.mark.parametrize(
    ("word", "near"),
    [
        ("pci-adress-unique", "did you mean pci-address-unique or "),
        ("colour", "`virtxlate rules` lists them"),
    ],
)
def test_an_unknown_rule_is_refused_with_those_that_are_near(cli: Cli, word: str, near: str) -> None:
    result = cli("rules", word)
    assert (result.code, result.out) == (3, "")
    assert result.error.startswith(f"error: ID: no rule {word!r}; {near}")
    assert result.error.endswith("`virtxlate rules` lists them")


def test_a_broken_rule_stands_among_the_violations_in_document_order(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "web1.xml"
    broken = lun("<serial>A</serial>").replace("device='lun'", "device='lun' colour='red'")
    path.write_text(document(VIRTIO_SCSI + broken + disk(at(1), name="sdb").replace("raw", "raw' x='")))
    result = cli("validate", path)
    assert result.code == 1
    assert [line.rpartition("[")[2] for line in result.out.splitlines()[:-1]] == [
        "unknown-attribute]",
        "lun-serial]",
        "unknown-attribute]",
    ]


def test_a_warning_leaves_a_document_valid(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "web1.xml"
    path.write_text(document(LSI + disk(at(unit=7))))
    result = cli("validate", path)
    rule = by_id("scsi-initiator")
    assert result == (
        0,
        (
            f"{path}:1: /domain/devices/disk/address/@unit: warning: scsi-id 7 is that of the lsilogic "
            f"controller itself; {rule.hint} [scsi-initiator]\n{path} validates\n"
        ),
        "",
    )
    shown = json.loads(cli("validate", path, "--format", "json").out)
    assert (shown[0]["valid"], shown[0]["violations"][0]["severity"]) == (True, "warning")


def test_a_host_device_needs_the_scsi_map(cli: Cli, scsi_map: Path) -> None:
    refused = cli("translate", GENERIC, "-o", "-")
    assert refused.code == 4
    assert "`virtxlate scsi-map` on its host writes a file of them; give it with --scsi-map" in refused.err
    found = cli("translate", GENERIC, "--scsi-map", scsi_map)
    assert found.code == 0
    assert '<adapter name="scsi_host2"/>' in found.out


def test_a_scsi_map_that_is_none_is_refused_by_its_name(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    path.write_text("[[device]]\naddress = '2:0'\n")
    result = cli("translate", GENERIC, "--scsi-map", path)
    assert result.code == 3
    assert result.error.startswith(
        f"error: {path}: device[0].address: expected host:bus:target:unit, four numbers"
    )


def test_stable_names_are_those_of_the_scsi_map(cli: Cli, scsi_map: Path) -> None:
    plain = cli("translate", STABLE, "--scsi-map", scsi_map)
    stable = cli("translate", STABLE, "--scsi-map", scsi_map, "--stable-names")
    assert plain.out.count('<source dev="/dev/sdb"/>') == 1
    assert '<source dev="/dev/disk/by-id/wwn-0x6005076307ffd7c50000000000001004"/>' in stable.out
    assert '<source dev="/dev/sdc"/>' in stable.out
    assert "disks[1].device = '/dev/sdc': no name of the device is known that survives a boot" in stable.err


def test_the_host_itself_can_be_the_map(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "sys").mkdir()
    (tmp_path / "dev").mkdir()
    result = cli("translate", GENERIC, "--scsi-map", tmp_path)
    assert result.code == 4
    assert "the SCSI map has no device /dev/disk/by-id/wwn-0x6005076307ffd7c50000000000001004" in result.err
