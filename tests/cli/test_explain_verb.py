"""``virtxlate explain``: text that can be read, JSON that is complete."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.running import CLUSTER, DB, FIXTURES, MAIL, WEB, XEN, Cli
from tests.cli.test_map_and_runtime import WEB_UUID, runtime_of


def test_what_one_element_says_for_one_reason_is_one_entry(cli: Cli) -> None:
    lines = cli("explain", CLUSTER, DB).out.splitlines()
    at = lines.index(
        "/domain/devices/disk[1]/address @type=pci @domain=0x0000 @bus=0x00 @slot=0x0c @function=0x0"
    )
    assert lines[at + 1 : at + 3] == [
        "    hvparams.kvm_pci_reservations = 12 (built-in default)",
        "    disks before NICs, lowest free slot",
    ]
    at = lines.index("/domain/memory = 4194304 @unit=KiB")
    assert lines[at + 1] == "    beparams.maxmem = 4096 (instance.beparams)"


def test_neighbours_with_one_reason_share_it(cli: Cli) -> None:
    lines = cli("explain", CLUSTER, WEB).out.splitlines()
    at = lines.index("/domain/devices/serial @type=pty")
    assert lines[at + 1 : at + 4] == [
        "/domain/devices/serial/target @type=isa-serial @port=0",
        "/domain/devices/serial/target/model @name=isa-serial",
        "    hvparams.serial_console = True (cluster.hvparams.kvm)",
    ]


def test_the_text_fits_a_few_screens(cli: Cli) -> None:
    lines = cli("explain", CLUSTER, DB).out.splitlines()
    assert len(lines) < 200
    assert max(len(line) for line in lines) < 200
    assert all(line.startswith(("/domain", "    ", "not carried: ")) for line in lines)


def test_losses_stand_at_the_end(cli: Cli) -> None:
    result = cli("explain", CLUSTER, MAIL)
    assert (result.code, result.err) == (0, "")
    assert result.out.splitlines()[-1].startswith("not carried: nics[1].link = '100': ")
    assert cli("explain", CLUSTER, MAIL, "--strict").code == 4


def test_json_has_everything(cli: Cli) -> None:
    found = json.loads(cli("explain", CLUSTER, MAIL, "--format", "json").out)
    assert set(found) == {"instance", "explanations", "losses"}
    assert found["instance"] == MAIL
    assert [loss["path"] for loss in found["losses"]] == ["nics[1].mode", "nics[1].link"]
    by_path = {each["path"]: each for each in found["explanations"]}
    assert by_path["/domain/devices/interface[1]/address/@slot"]["value"].startswith("0x")
    assert by_path["/domain/metadata/virtxlate:instance"]["value"].startswith('{"format":1')
    assert by_path["/domain/name"]["caused_by"] == [{"field": "name", "value": MAIL, "origin": "instance"}]


def test_what_a_runtime_file_said_is_told_to_come_from_it(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / f"{WEB}.runtime"
    path.write_bytes(runtime_of(WEB, WEB_UUID, 21))
    lines = cli("explain", CLUSTER, WEB, "--runtime", tmp_path).out.splitlines()
    assert "    hvparams.machine_version = 'pc-i440fx-7.2' (runtime file)" in lines
    at = next(index for index, line in enumerate(lines) if "@slot=0x15" in line)
    assert lines[at + 1].startswith("    disks[0].hvinfo = {")
    assert lines[at + 1].endswith("} (runtime file)")
    at = next(index for index, line in enumerate(lines) if "/interface/address" in line)
    assert lines[at + 1] == "    hvparams.kvm_pci_reservations = 12 (runtime file)"


def test_every_source_can_be_explained(cli: Cli) -> None:
    for case in ("rapi-entry", "rapi-info-active", "runtime-scsi", "version-2.7"):
        path = FIXTURES / "ganeti" / f"{case}.json"
        name = json.loads(cli("translate", path, "--format", "json").out)["instance"]
        result = cli("explain", path, name)
        assert (result.code, result.err) == (0, "")
        assert f"/domain/name = {name}" in result.out


def test_what_cannot_be_translated_cannot_be_explained(cli: Cli) -> None:
    assert cli("explain", CLUSTER, XEN).code == 3
    assert cli("explain", CLUSTER).code == 2
