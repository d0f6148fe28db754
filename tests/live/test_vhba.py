"""A virtual adapter's life before libvirt's own test driver, and the pool on it.

The driver makes every virtual adapter as scsi_host12 under scsi_host1, whatever parent was asked for; it
takes names that are no names, and would remove the machine itself.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from virtxlate import npiv
from virtxlate.cli import main
from virtxlate.domain.nodedev import format_scsi_pool, parse_scsi_pool
from virtxlate.domain.vhba import Vhba, pool_of, vhba_xml
from virtxlate.errors import NodeDeviceNotFoundError, OperationRefusedError, VerificationError
from virtxlate.scsi import ScsiAddress

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from virtxlate.live.connection import LibvirtHost
    from virtxlate.live.port import NodeDevicePort

pytestmark = pytest.mark.live

NEW = {"wwnn": "20000000c9831b4b", "wwpn": "10000000c9831b4b"}
FABRIC = "2000000043214321"
PARENTS = (
    {"parent": "scsi_host1"},
    {"parent_wwnn": "2000000012341234", "parent_wwpn": "1000000012341234"},
    {"parent_fabric_wwn": FABRIC},
)
MADE = npiv.Adapter(
    name="scsi_host12",
    parent="scsi_host1",
    wwnn=NEW["wwnn"],
    wwpn=NEW["wwpn"],
    fabric_wwn=FABRIC,
    virtual=True,
)


@pytest.fixture
def connection() -> Iterator[LibvirtHost]:
    """The test driver, whose default host is one for the whole process."""
    from virtxlate.live.connection import connect  # noqa: PLC0415 - collected where the binding is absent too

    with connect("test:///default") as found:
        yield found
        for adapter in npiv.adapters(found.host_devices()):
            if adapter.name == MADE.name:
                npiv.destroy(found.host_devices(), adapter.name)


@pytest.fixture
def host(connection: LibvirtHost) -> NodeDevicePort:
    """Its devices."""
    return connection.host_devices()


def names(host: NodeDevicePort) -> list[str]:
    return [each.name for each in npiv.adapters(host)]


@pytest.mark.parametrize("parent", PARENTS, ids=lambda parent: next(iter(parent)))
def test_an_adapter_is_made_once_and_removed(host: NodeDevicePort, parent: dict[str, str]) -> None:
    vhba = Vhba(**parent, **NEW)
    assert npiv.create(host, vhba) == MADE
    assert npiv.create(host, vhba) == MADE
    assert names(host) == ["scsi_host1", "scsi_host2", "scsi_host11", "scsi_host12"]
    npiv.destroy(host, MADE.name)
    assert names(host) == ["scsi_host1", "scsi_host2", "scsi_host11"]
    with pytest.raises(NodeDeviceNotFoundError):
        npiv.destroy(host, MADE.name)


def test_an_adapter_on_another_parent_than_asked_for_is_told(host: NodeDevicePort) -> None:
    with pytest.raises(VerificationError) as caught:
        npiv.create(host, Vhba(parent="scsi_host2", **NEW))
    assert caught.value.differences == ("parent: asked for scsi_host2, found scsi_host1",)
    npiv.destroy(host, MADE.name)


ON_HOST1 = "<parent>scsi_host1</parent>"
WWNS = f"<wwnn>{NEW['wwnn']}</wwnn><wwpn>{NEW['wwpn']}</wwpn>"
LET_PASS = {
    "a name that is none": (ON_HOST1, "<wwnn>2</wwnn><wwpn>1</wwpn>"),
    "no parent": ("", WWNS),
    "an unknown element": (ON_HOST1, f"{WWNS}<x/>"),
    "a name that is taken": (ON_HOST1, WWNS.replace(NEW["wwpn"], "1000000034563456")),
}


@pytest.mark.parametrize("case", LET_PASS)
def test_what_libvirt_lets_pass_is_refused(host: NodeDevicePort, case: str, tmp_path: Path) -> None:
    parent, wwns = LET_PASS[case]
    port = f"<capability type='fc_host'>{wwns}</capability>"
    text = f"<device>{parent}<capability type='scsi_host'>{port}</capability></device>"
    file = tmp_path / "vhba.xml"
    file.write_text(text)
    before = names(host)
    assert main(["vhba", "create", str(file), "-c", "test:///default"]) in {3, 5}
    assert names(host) == before
    host.destroy_node_device(host.create_node_device(text))


def test_what_libvirt_would_remove_is_refused(host: NodeDevicePort) -> None:
    with pytest.raises(OperationRefusedError, match="scsi_host1 is no virtual adapter"):
        npiv.destroy(host, "scsi_host1")


def test_the_command_line_makes_and_removes_one(
    host: NodeDevicePort, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "vhba.xml"
    file.write_text(vhba_xml(Vhba(parent="scsi_host1", **NEW)))
    on_host = ("-c", "test:///default")
    assert main(["vhba", "create", str(file), *on_host]) == 0
    assert main(["vhba", "create", str(file), *on_host]) == 0
    assert main(["vhba", "destroy", "scsi_host12", *on_host]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "scsi_host12 made, on scsi_host1, wwnn 20000000c9831b4b, wwpn 10000000c9831b4b",
        "scsi_host12 is there already, on scsi_host1",
        "scsi_host12 removed",
    ]
    assert main(["vhba", "list", "--format", "json", *on_host]) == 0
    assert [each["name"] for each in json.loads(capsys.readouterr().out)] == names(host)


def test_libvirt_takes_the_pool_as_it_is(connection: LibvirtHost, host: NodeDevicePort) -> None:
    """Of a pool that is defined first, the driver does not make the adapter; of a transient one it does."""
    libvirt: Any = connection._connection
    pool = pool_of(Vhba(parent="scsi_host1", **NEW), "luns")
    made = libvirt.storagePoolCreateXML(format_scsi_pool(pool))
    assert parse_scsi_pool(made.XMLDesc(), []) == msgspec.structs.replace(pool, uuid=made.UUIDString())
    assert MADE.name in names(host)
    made.destroy()
    assert MADE.name not in names(host)


HOST_WITH_LUNS = """\
<node>
  <device>
    <name>computer</name>
    <capability type='system'>
      <hardware><uuid>4b1e0c1e-0000-4000-8000-000000000000</uuid></hardware><firmware/>
    </capability>
  </device>
  <device>
    <name>scsi_host1</name><parent>computer</parent>
    <capability type='scsi_host'>
      <host>1</host>
      <capability type='fc_host'><wwnn>2000000012341234</wwnn><wwpn>1000000012341234</wwpn></capability>
      <capability type='vport_ops'><max_vports>2</max_vports><vports>0</vports></capability>
    </capability>
  </device>
  <device>
    <name>scsi_host11</name><parent>scsi_host1</parent>
    <capability type='scsi_host'>
      <host>11</host>
      <capability type='fc_host'><wwnn>2000000034563456</wwnn><wwpn>1000000034563456</wwpn></capability>
    </capability>
  </device>
  <device>
    <name>scsi_12_0_0_1</name><parent>scsi_host12</parent>
    <capability type='scsi'>
      <host>12</host><bus>0</bus><target>0</target><lun>1</lun><type>disk</type>
    </capability>
  </device>
  <device>
    <name>block_sdc_3600144f0</name><parent>scsi_12_0_0_1</parent>
    <capability type='storage'>
      <block>/dev/sdc</block><bus>scsi</bus><drive_type>disk</drive_type>
      <model>LUN</model><vendor>ACME</vendor><serial>3600144f0</serial><size>1073741824</size>
    </capability>
  </device>
</node>
"""


def test_the_luns_behind_an_adapter_come_with_it(tmp_path: Path) -> None:
    from virtxlate.live.connection import connect  # noqa: PLC0415

    node = tmp_path / "node.xml"
    node.write_text(HOST_WITH_LUNS)
    with connect(f"test://{node}") as connection:
        host = connection.host_devices()
        with pytest.raises(NodeDeviceNotFoundError):
            npiv.luns(host, "scsi_host12")
        npiv.create(host, Vhba(parent="scsi_host1", **NEW))
        assert npiv.luns(host, "scsi_host12") == (
            npiv.Lun(
                address=ScsiAddress(12, 0, 0, 1),
                type="disk",
                block="/dev/sdc",
                stable="/dev/disk/by-id/scsi-3600144f0",
                vendor="ACME",
                model="LUN",
                serial="3600144f0",
                size=1 << 30,
            ),
        )
