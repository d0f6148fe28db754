"""``--map`` and ``--runtime``: what a user knows beside the source."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.running import CLUSTER, DB, FIXTURES, MAIL, WEB, Cli, cluster, instance_in, listing

FILES1, CEPH = "files1.example.com", "ceph1.example.com"


@pytest.fixture
def map_file(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str) -> Path:
        path = tmp_path / "map.toml"
        path.write_text(text)
        return path

    return write


MapFile = Callable[[str], Path]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        (WEB, '[bridges]\nbr0 = "lan"', '<source bridge="lan"/>'),
        (DB, '[switches]\nswitch1 = "ovs0"', '<source bridge="ovs0"/>'),
        (WEB, '[networks]\nbr0 = "default"', '<source network="default"/>'),
        (DB, '[networks]\n"switch1.100" = "web"', '<source network="web"/>'),
        (
            WEB,
            '[paths]\n"/srv/ganeti/file-storage/" = "/data/"',
            f'<source file="/data/{WEB}/197b3169-92a4-48bd-841d-416930d61220.file.disk0"/>',
        ),
        (DB, '[paths]\n"/dev/drbd2" = "/dev/vg0/db1"', '<source dev="/dev/vg0/db1"/>'),
        (CEPH, '[pools]\nvms = "guests"', 'name="guests/6fd3846b-684e-4fd9-8542-a8ef1b20dbc7.rbd.disk0"'),
        (MAIL, '[scripts]\nrouted = "/etc/ganeti/route-up"', '<script path="/etc/ganeti/route-up"/>'),
        (WEB, '[disks]\n4deca4b6-8bce-485c-9017-c1d460fc729b = "/a.raw"', '<source file="/a.raw"/>'),
        (CEPH, '[diskparams.rbd]\npool = "other"', 'name="other/6fd3846b'),
    ],
)
def test_an_entry_gives_another_name(cli: Cli, map_file: MapFile, name: str, text: str, said: str) -> None:
    result = cli("translate", CLUSTER, name, "--map", map_file(text))
    assert result.code == 0
    assert said in result.out


def test_an_entry_that_nothing_asks_for_is_an_error(cli: Cli, map_file: MapFile, tmp_path: Path) -> None:
    mistyped = map_file('[bridges]\nbr0 = "lan"\nbrO = "lan"\n[paths]\n"/srv/nowhere" = "/data"')
    for argv in (["-o", tmp_path / "web1.xml"], ["--output-dir", tmp_path / "d"]):
        result = cli("translate", CLUSTER, WEB, "--map", mistyped, *argv)
        assert result.code == 3
        assert result.errors[-1] == "virtxlate: error: map: unused: bridges.brO, paths./srv/nowhere"
    assert not (tmp_path / "web1.xml").exists()


@pytest.mark.parametrize("verb", ["translate", "explain"])
def test_one_map_serves_a_whole_cluster_also_when_one_instance_is_asked_for(
    cli: Cli, map_file: MapFile, verb: str
) -> None:
    result = cli(verb, CLUSTER, WEB, "--map", map_file('[switches]\nswitch1 = "ovs0"'))
    assert (result.code, result.err) == (0, "")


def test_an_instance_that_cannot_be_translated_may_be_the_one_that_needs_an_entry(
    cli: Cli, map_file: MapFile, stdin: Callable[[bytes], None]
) -> None:
    stdin(cluster(lambda data: instance_in(data, DB).update(nics="none")))
    result = cli("translate", "-", WEB, "--map", map_file('[switches]\nswitch2 = "ovs0"'))
    assert result.code == 0
    assert result.error == (
        "map: unused: switches.switch2, as far as the instances that can be translated tell"
    )


def test_an_ambiguous_entry_is_an_error(cli: Cli, map_file: MapFile) -> None:
    text = f'[paths]\n"/srv/ganeti" = "/a"\n"/srv/ganeti/file-storage/{WEB}" = "/b"'
    result = cli("translate", CLUSTER, WEB, "--map", map_file(text))
    assert result.code == 3
    assert result.error.startswith("error: paths: ambiguous for /srv/ganeti/file-storage/")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[bridges", "not TOML: "),
        ('[bridge]\nbr0 = "lan"', "bridge: expected one of bridges, "),
        ("bridges = 1", "bridges: expected a table"),
        ("[bridges]\nbr0 = 1", "bridges.br0: expected a text, found 1"),
        ('[bridges]\nbr0 = ""', "bridges.br0: expected a text, found ''"),
        ('[bridges]\nbr0 = "a"\nbr0 = "b"', "not TOML: "),
        ('[diskparams]\nrbd = "pool"', "diskparams.rbd: expected a table"),
    ],
)
def test_a_bad_map_is_an_error_that_says_where(cli: Cli, map_file: MapFile, text: str, said: str) -> None:
    path = map_file(text)
    result = cli("translate", CLUSTER, WEB, "--map", path)
    assert (result.code, result.out) == (3, "")
    assert result.error.startswith(f"error: {path}: {said}")


def test_a_map_that_is_no_text_is_an_error(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "map.toml"
    path.write_bytes(b"\xff\xfe\x00")
    result = cli("translate", CLUSTER, WEB, "--map", path)
    assert result.code == 3
    assert result.error == f"error: {path}: expected UTF-8 text: invalid start byte at byte 0"


# Runtime files


def runtime_of(name: str, uuid: str, slot: int) -> bytes:
    """Give a runtime file of an instance whose first disk moved to another slot."""
    command = ["kvm", "-name", name, "-uuid", uuid, "-m", "512", "-smp", "1", "-machine", "pc-i440fx-7.2"]
    disk = {
        "dev_type": "file",
        "uuid": "4deca4b6-8bce-485c-9017-c1d460fc729b",
        "size": 10240,
        "logical_id": ["loop", "/x"],
        "hvinfo": {
            "driver": "virtio-blk-pci",
            "id": "hotdisk-4deca4b6-pci-21",
            "bus": "pci.0",
            "addr": hex(slot),
        },
    }
    hvparams = {"disk_type": "paravirtual", "nic_type": "paravirtual", "kernel_path": "", "vhost_net": False}
    return json.dumps([command, [], hvparams, [[disk, "/link", None]]]).encode()


WEB_UUID = "316b6d79-7e78-4945-8192-512b4a769128"


@pytest.fixture
def runtime(tmp_path: Path) -> Path:
    folder = tmp_path / "conf"
    folder.mkdir()
    path = folder / f"{WEB}.runtime"
    path.write_bytes(runtime_of(WEB, WEB_UUID, 21))
    return path


def test_addresses_of_a_runtime_file_win(cli: Cli, runtime: Path) -> None:
    for path in (runtime, runtime.parent):
        out = cli("translate", CLUSTER, WEB, "--runtime", path).out
        assert 'slot="0x15"' in out
        assert "ua-hotdisk-4deca4b6-pci-21" in out
        assert 'machine="pc-i440fx-7.2"' in out


def test_an_instance_without_a_file_in_the_directory_does_not_run(
    cli: Cli, runtime: Path, tmp_path: Path
) -> None:
    result = cli("translate", CLUSTER, "--runtime", runtime.parent, "--output-dir", tmp_path / "d")
    assert result.code == 0
    assert 'slot="0x15"' in (tmp_path / "d" / f"{WEB}.xml").read_text()
    assert 'slot="0x0c"' in (tmp_path / "d" / f"{DB}.xml").read_text()


def test_a_runtime_file_of_another_instance_is_an_error(cli: Cli, runtime: Path) -> None:
    result = cli("translate", CLUSTER, DB, "--runtime", runtime)
    assert result.code == 3
    assert result.error.startswith(f"error: {runtime}: [0] -uuid: expected the runtime file of ")


@pytest.mark.parametrize("content", [b"", b"{}", b"[1, 2]", b"\x00\x01", b"[[], [], {}, [], []]"])
def test_a_bad_runtime_file_is_an_error_with_its_path(cli: Cli, runtime: Path, content: bytes) -> None:
    runtime.write_bytes(content)
    result = cli("translate", CLUSTER, WEB, "--runtime", runtime.parent)
    assert (result.code, result.out) == (3, "")
    assert result.error.startswith(f"error: {runtime}: ")


def test_a_bad_runtime_file_is_its_own_instances_failure(cli: Cli, runtime: Path, tmp_path: Path) -> None:
    runtime.unlink()
    runtime.mkdir()
    result = cli("translate", CLUSTER, "--runtime", runtime.parent, "--output-dir", tmp_path / "d")
    assert result.code == 3
    assert f"virtxlate: failed: {WEB}: {runtime}: Is a directory" in result.errors
    assert len(listing(tmp_path / "d")) == 5


def test_a_missing_runtime_file_is_an_error(cli: Cli, tmp_path: Path) -> None:
    result = cli("translate", CLUSTER, WEB, "--runtime", tmp_path / "none")
    assert (result.code, result.error) == (3, f"error: {tmp_path / 'none'}: No such file or directory")


def test_a_runtime_file_is_a_source_too(cli: Cli) -> None:
    path = FIXTURES / "ganeti" / "runtime-hvinfo.json"
    out: Any = cli("translate", path).out
    assert out == (FIXTURES / "domain" / "runtime-hvinfo.xml").read_text()
