"""``virtxlate scsi-map``: what it writes is read as the same devices."""

from __future__ import annotations

from pathlib import Path

from tests.cli.running import Cli
from tests.live_door.fake_sysfs import FakeHost
from virtxlate.live.sysfs import SysfsScsi
from virtxlate.scsi import parse_scsi_map

WRITTEN = """\
[[device]]
address = "2:0:1:0"
block = "/dev/sdb"
generic = "/dev/sg1"
links = [
    "/dev/disk/by-id/wwn-0x5000c500a1b2c3d4",
]

[[device]]
address = "2:0:2:0"
generic = "/dev/sg2"
"""


def host(root: Path) -> FakeHost:
    fake = FakeHost(root)
    links = {"disk/by-id/wwn-0x5000c500a1b2c3d4": "sdb"}
    fake.scsi("2:0:1:0", {"block": ["sdb"], "scsi_generic": ["sg1"]}, links)
    fake.scsi("2:0:2:0", {"scsi_generic": ["sg2"]})
    return fake


def test_the_devices_of_a_host_are_written(cli: Cli, tmp_path: Path) -> None:
    assert cli("scsi-map", "--root", host(tmp_path).root) == (0, WRITTEN, "")


def test_what_is_written_reads_as_the_same_devices(cli: Cli, tmp_path: Path) -> None:
    root, written = host(tmp_path / "root").root, tmp_path / "map.toml"
    assert cli("scsi-map", "--root", root, "-o", written) == (0, "", "")
    assert parse_scsi_map(written.read_text()).devices == SysfsScsi(root).devices()


def test_a_host_without_sysfs_is_an_error(cli: Cli, tmp_path: Path) -> None:
    result = cli("scsi-map", "--root", tmp_path)
    assert (result.code, result.out, result.error) == (
        5,
        "",
        f"error: {tmp_path}/sys: sysfs is not mounted here",
    )
