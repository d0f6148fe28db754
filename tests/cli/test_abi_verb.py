"""``virtxlate abi``: what a guest will see otherwise; the exit code says whether there is something."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.running import CLUSTER, DB, MAIL, WEB, XEN, Cli
from tests.golden.cases import GANETI

VISIBLE = "guest-visible: nics[1].mode = 'routed': no script for mode routed in the map: "
UNSEEN = [
    "usb switch of the machine",
    "guest memory in core dumps of QEMU",
    "strict boot",
    "order of ISA devices",
    "boot from disk",
]


@pytest.mark.parametrize("name", [WEB, DB])
def test_no_difference_is_one_line_and_exit_code_0(cli: Cli, name: str) -> None:
    result = cli("abi", CLUSTER, name)
    assert (result.code, result.err, result.out) == (0, "", f"{name}: the guest sees the same machine\n")


def test_a_difference_is_one_line_and_exit_code_1(cli: Cli) -> None:
    result = cli("abi", CLUSTER, MAIL)
    assert (result.code, result.err) == (1, "")
    (line,) = result.out.splitlines()
    assert line.startswith(VISIBLE)


def test_all_shows_what_no_guest_sees_behind_the_rest(cli: Cli) -> None:
    result = cli("abi", "--all", CLUSTER, MAIL)
    first, *rest = result.out.splitlines()
    assert (result.code, first.startswith(VISIBLE)) == (1, True)
    assert [line.split(": ")[:2] for line in rest] == [["host-only", name] for name in UNSEEN]


def test_json_is_one_object(cli: Cli) -> None:
    found = json.loads(cli("abi", CLUSTER, MAIL, "--format", "json").out)
    assert found["instance"] == MAIL
    assert [(each["at"], each["severity"]) for each in found["differences"]] == [
        ("nics[1].mode", "guest-visible")
    ]
    assert all(each["effect"] for each in found["differences"])
    assert json.loads(cli("abi", CLUSTER, WEB, "--format", "json").out) == {
        "instance": WEB,
        "differences": [],
    }


def test_the_map_of_the_destination_counts(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "map.toml"
    path.write_text('[scripts]\nrouted = "/etc/qemu-ifup"\n')
    assert cli("abi", CLUSTER, MAIL, "--map", str(path)).code == 0


def test_what_the_data_does_not_tell_counts(cli: Cli) -> None:
    """A runtime file of 2.9 has no disks: the guest would miss them."""
    result = cli("abi", GANETI / "runtime-3-elements-2.9.json", "inst1.example.com")
    assert result.code == 1
    assert [line.split(": ")[:2] for line in result.out.splitlines()] == [
        ["guest-visible", path] for path in ("[3]", "uuid", "nics[0].hvinfo")
    ]


def test_strict_makes_a_loss_that_no_guest_sees_an_error(cli: Cli) -> None:
    words = ("abi", GANETI / "spice-tls.json", "inst1.example.com")
    assert [cli(*words).code, cli(*words, "--strict").code] == [0, 4]
    assert cli("abi", CLUSTER, WEB, "--strict").code == 0


def test_untainted_is_told_before_anything_is_started(cli: Cli) -> None:
    words = ("abi", GANETI / "disk-type-scsi-hd-dc390.json", "inst1.example.com")
    assert cli(*words).code == 0
    result = cli(*words, "--untainted")
    assert result.code == 1
    assert [line.split(": ")[1] for line in result.out.splitlines()] == [
        "disks[0].uuid",
        "disks[1].uuid",
        "hvparams.scsi_controller_type",
    ]


def test_an_instance_of_another_hypervisor_is_refused(cli: Cli) -> None:
    result = cli("abi", CLUSTER, XEN)
    assert (result.code, result.out) == (3, "")
