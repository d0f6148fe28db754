"""A host with Fibre Channel, of node devices as XML: what libvirt's nodedev driver would tell of it."""

from __future__ import annotations

from collections.abc import Iterable

from virtxlate.domain.nodedev import (
    FcHost,
    NodeDevice,
    ScsiHost,
    ScsiUnit,
    Storage,
    VportOps,
    format_node_device,
    parse_node_device,
)

FABRIC = "2000000043214321"


def adapter(name: str, parent: str, wwn: str, *, room: tuple[int, int] | None = None) -> NodeDevice:
    """Give an adapter whose names end with ``wwn``; with ``room``, most and present virtual adapters."""
    port = FcHost(wwnn=f"2000{wwn:0>12}", wwpn=f"1000{wwn:0>12}", fabric_wwn=FABRIC)
    ops = () if room is None else (VportOps(max_vports=room[0], vports=room[1]),)
    number = int(name.removeprefix("scsi_host"))
    capability = ScsiHost(host=number, unique_id=0, capabilities=(port, *ops))
    return NodeDevice(name=name, parent=parent, capability=capability)


HBA = adapter("scsi_host5", "pci_0000_10_00_0", "5", room=(2, 1))
FULL = adapter("scsi_host6", "pci_0000_10_00_1", "6", room=(1, 1))
UNCOUNTED = adapter("scsi_host7", "pci_0000_10_00_2", "7", room=(0, 0))
OLD = adapter("scsi_host8", "pci_0000_20_00_0", "8")
VIRTUAL = adapter("scsi_host12", "scsi_host5", "12")
ON_FULL = adapter("scsi_host13", "scsi_host6", "13")
UNIT = NodeDevice(
    name="scsi_12_0_0_1",
    parent="scsi_target12_0_0",
    capability=ScsiUnit(host=12, bus=0, target=0, lun=1, type="disk"),
)
BLOCK = NodeDevice(
    name="block_sdc_3600144f0",
    parent="scsi_12_0_0_1",
    capability=Storage(
        block="/dev/sdc",
        bus="scsi",
        drive_type="disk",
        model="LUN",
        vendor="ACME",
        serial="3600144f0",
        size=1 << 30,
    ),
)
ARRAY = NodeDevice(
    name="scsi_12_0_0_0",
    parent="scsi_target12_0_0",
    capability=ScsiUnit(host=12, bus=0, target=0, lun=0, type="enclosure"),
)
ELSEWHERE = NodeDevice(
    name="scsi_0_0_0_0",
    parent="scsi_target0_0_0",
    capability=ScsiUnit(host=0, bus=0, target=0, lun=0, type="disk"),
)
DEVICES = (VIRTUAL, HBA, FULL, UNCOUNTED, OLD, ON_FULL, UNIT, BLOCK, ARRAY, ELSEWHERE)


class FakeNode:
    """A NodeDevicePort; ``calls`` is what was changed, ``makes`` what it makes instead of what is asked."""

    def __init__(self, devices: Iterable[NodeDevice] = DEVICES) -> None:
        self.devices = list(devices)
        self.calls: list[tuple[str, str]] = []
        self.makes: tuple[NodeDevice, ...] | None = None
        self.keeps = False

    def host_devices(self) -> FakeNode:
        """Give itself: a connection, too, as far as its devices go."""
        return self

    def node_devices(self, capability: str) -> tuple[str, ...]:
        kinds: dict[str, type] = {"fc_host": ScsiHost, "scsi": ScsiUnit, "storage": Storage}
        found = (each for each in self.devices if isinstance(each.capability, kinds[capability]))
        return tuple(format_node_device(each) for each in found)

    def create_node_device(self, xml: str) -> str:
        self.calls.append(("create", xml))
        asked = parse_node_device(xml)
        made = NodeDevice(name="scsi_host20", parent=asked.parent, capability=asked.capability)
        self.devices.extend((made,) if self.makes is None else self.makes)
        return "scsi_host20"

    def destroy_node_device(self, name: str) -> None:
        self.calls.append(("destroy", name))
        if not self.keeps:
            self.devices = [each for each in self.devices if each.name != name]
