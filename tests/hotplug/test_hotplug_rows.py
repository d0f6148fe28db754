"""Every row of virtxlate.tables.hotplug is looked at, by what becomes of a domain."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from lxml import etree

from tests.hotplug.domains import DISKS, NICS, domain_of, ganeti, hotplug, q35
from tests.hotplug.fake_domain import FakeDomain
from tests.translate.building import nic
from virtxlate.domain import model as domain
from virtxlate.domain.elements import INTERFACE
from virtxlate.errors import PlacementError, UnsupportedError
from virtxlate.ganeti.words import NIC_DRIVERS
from virtxlate.hotplug.changes import change
from virtxlate.hotplug.differing import differing
from virtxlate.hotplug.snapshot import Snapshot, find
from virtxlate.hotplug.steps import Attach, Detach, Update
from virtxlate.tables import hotplug as tables
from virtxlate.tables.controller import SCSI_CONTROLLERS, ScsiController
from virtxlate.tables.nic import NIC_TYPES, UNSUPPORTED_NIC_TYPES
from virtxlate.translate.runtime import read_view

# How fields change

OFFLOADS = ("csum", "tso4", "tso6", "ecn", "ufo")
OTHERS: dict[str, dict[str, Any]] = {
    "interface": {
        "type": "network",
        "mac": "aa:00:00:00:00:99",
        "bridge": "br9",
        "network": "lan",
        "virtualport": domain.VirtualPort(type="openvswitch"),
        "vlan": domain.Vlan(tags=(domain.VlanTag(id=7),)),
        "script": "/bin/true",
        "model": "e1000",
        "driver": "qemu",
        "queues": 4,
        **{f"{side}_{name}": False for side in ("host", "guest") for name in OFFLOADS},
        "boot_order": 3,
        "acpi_index": 7,
        "alias": "ua-other",
        "address": domain.PciAddress(slot=30),
    },
    "disk": {
        "type": "file",
        "device": "lun",
        "rawio": True,
        "sgio": "filtered",
        "driver_name": "other",
        "driver_type": "qcow2",
        "cache": "none",
        "io": "native",
        "discard": "unmap",
        "detect_zeroes": "unmap",
        "iothread": 1,
        "source": domain.DiskSource(dev="/dev/other"),
        "target": "vdz",
        "bus": "usb",
        "readonly": True,
        "shareable": True,
        "boot_order": 3,
        "alias": "ua-other",
        "address": domain.PciAddress(slot=30),
    },
}
WHERE = {"bridge": "source/@bridge", "network": "source/@network", "vlan": "vlan/"}
FIELDS = [("interface", name) for name in tables.INTERFACE_CHANGES] + [
    ("disk", name) for name in tables.DISK_CHANGES
]


def read() -> Snapshot:
    return hotplug(domain_of(ganeti(2, 2))).read()


@pytest.mark.parametrize(("kind", "name"), FIELDS, ids=[f"{kind}-{name}" for kind, name in FIELDS])
def test_a_field_changes_as_its_row_says(kind: str, name: str) -> None:
    snapshot = read()
    table = tables.INTERFACE_CHANGES if kind == "interface" else tables.DISK_CHANGES
    entry = find(snapshot, "nic" if kind == "interface" else "disk", "1")
    assert entry.device is not None
    value = OTHERS[kind][name]
    assert getattr(entry.device, name) != value
    after = msgspec.structs.replace(entry.device, **{name: value})
    steps = change(snapshot, entry, after, (name,), table)
    if table[name] is tables.How.UPDATE:
        (update,) = steps
        assert isinstance(update, Update)
        sent = INTERFACE.parse(etree.fromstring(update.xml))
        assert getattr(sent, name) == value
        assert any(path.startswith(WHERE[name]) for path in update.expect)
    else:
        assert [type(step) for step in steps] == [Detach, Attach]
        back = steps[1]
        assert isinstance(back, Attach)
        assert getattr(back.device, name) == value
    assert set(table.values()) <= set(tables.How)


def test_every_field_has_a_row_and_a_value_to_change_to() -> None:
    assert (
        set(tables.INTERFACE_CHANGES) == set(domain.Interface.__struct_fields__) == set(OTHERS["interface"])
    )
    assert set(tables.DISK_CHANGES) == set(domain.Disk.__struct_fields__) == set(OTHERS["disk"])


# Buses


def with_disk_on(bus: str) -> FakeDomain:
    device = "floppy" if bus == "fdc" else "disk"
    address = (
        "<address type='drive' controller='0' bus='0' target='0' unit='0'/>"
        if bus in {"sata", "ide", "fdc", "scsi"}
        else ""
    )
    controller = "<controller type='scsi' index='0' model='virtio-scsi'/>" if bus == "scsi" else ""
    return q35(
        2,
        f"{controller}<disk type='file' device='{device}'><source file='/a.img'/>"
        f"<target dev='xda' bus='{bus}'/><alias name='ua-that'/>{address}</disk>",
    )


@pytest.mark.parametrize("bus", sorted(tables.HOTPLUG_BUSES))
def test_a_disk_on_such_a_bus_leaves_a_running_guest(bus: str) -> None:
    found = with_disk_on(bus)
    assert hotplug(found).remove("disk", "ua-that").freed == ("/a.img",)


@pytest.mark.parametrize("bus", tables.NO_HOTPLUG)
def test_a_disk_on_such_a_bus_stays_in_a_running_guest_and_says_why(bus: str) -> None:
    found = with_disk_on(bus)
    with pytest.raises(UnsupportedError) as caught:
        hotplug(found).remove("disk", "ua-that")
    assert tables.NO_HOTPLUG[bus] in str(caught.value)
    assert found.calls == []
    hotplug(found, config=True).remove("disk", "ua-that")
    assert found.calls == ["detach ua-that config"]


def test_a_bus_of_a_newer_libvirt_is_not_guessed_at() -> None:
    found = with_disk_on("virtio")
    assert found.live is not None
    element = found.live.by_alias("ua-that")
    assert element is not None
    element.find("target").set("bus", "xen")  # type: ignore[union-attr]
    with pytest.raises(UnsupportedError, match="bus 'xen' has no hot-plug that is known"):
        hotplug(found).remove("disk", "ua-that")


# Express ports and conventional bridges of q35


@pytest.mark.parametrize("nic_type", sorted(NIC_DRIVERS.keys() - UNSUPPORTED_NIC_TYPES.keys()))
def test_a_nic_stands_in_a_port_or_behind_a_bridge_as_its_model_says(nic_type: str) -> None:
    found = q35(1, bridge=True)
    done = hotplug(found, hvparams={"nic_type": nic_type}).add_nic(NICS[0])
    express = NIC_TYPES.right(nic_type) in tables.PCIE_INTERFACES
    (step,) = done.steps
    assert isinstance(step, Attach)
    assert step.place == ("PCI bus 1 slot 0x0" if express else "PCI bus 2 slot 0x1")


@pytest.mark.parametrize("row", SCSI_CONTROLLERS, ids=lambda row: row.ganeti)
def test_a_scsi_controller_stands_in_a_port_or_behind_a_bridge_as_its_model_says(row: Any) -> None:
    found = q35(1, bridge=True)
    hvparams = {"disk_type": "scsi-hd", "scsi_controller_type": row.ganeti}
    hotplug(found, hvparams=hvparams).add_disk(DISKS[0])
    assert found.live is not None
    address = found.live.devices.find("controller[@type='scsi']/address")
    assert address is not None
    express = row.libvirt in tables.PCIE_SCSI
    assert (address.get("bus"), address.get("slot")) == (("0x01", "0x00") if express else ("0x02", "0x01"))


def test_the_models_in_ports_are_such_as_ganeti_has() -> None:
    assert {
        NIC_TYPES.right(word) for word in NIC_DRIVERS.keys() - UNSUPPORTED_NIC_TYPES.keys()
    } >= tables.PCIE_INTERFACES
    assert {row.libvirt for row in SCSI_CONTROLLERS} >= tables.PCIE_SCSI


@pytest.mark.parametrize("model", ["dmi-to-pci-bridge", *sorted(tables.CONVENTIONAL_BRIDGES)])
def test_such_a_bridge_takes_conventional_devices_from_slot_one(model: str) -> None:
    bridge = (
        f"<controller type='pci' index='2' model='{model}'>"
        "<address type='pci' bus='0x00' slot='0x08'/></controller>"
    )
    found = q35(1, bridge)
    operations = hotplug(found, hvparams={"nic_type": "e1000"})
    if model in tables.CONVENTIONAL_BRIDGES:
        for number in (0, 1):
            (step,) = operations.add_nic(NICS[number]).steps
            assert isinstance(step, Attach)
            assert step.place == f"PCI bus 2 slot {number + 1:#x}"
    else:
        with pytest.raises(PlacementError, match="a conventional PCI device needs a free slot"):
            operations.add_nic(NICS[0])


# What Ganeti's fields decide

NIC_VALUES: dict[str, Any] = {
    "mac": "aa:00:00:00:00:99",
    "mode": "routed",
    "link": "br9",
    "vlan": ".7",
    "ip": "192.0.2.7",
    "name": "lan",
    "network": "932df160-7a22-4067-a566-7e0ca8386133",
}
DISK_VALUES: dict[str, Any] = {
    "mode": "ro",
    "name": "data",
    "size_mib": 4096,
    "template": "file",
    "logical_id": ("xenvg", "other"),
    "params": {"access": "kernelspace"},
    "minor": 3,
    "link": "/link",
    "uri": "uri",
    "device": "/dev/other",
}


@pytest.mark.parametrize("field", tables.NIC_FIELDS)
def test_a_field_of_a_nic_decides_what_its_row_says(field: str) -> None:
    one = nic(0, mode="openvswitch", link="ovs0") if field in {"vlan", "mode"} else NICS[0]
    found = domain_of(ganeti(1, [one]))
    before = found.live_xml()
    hotplug(found).modify_nic("0", **{field: NIC_VALUES[field]})
    changed = set(differing(interface_of(found.live_xml()), interface_of(before)))
    left_behind = {"bridge"} if field == "mode" else set()  # of another type it has no bridge
    assert changed - left_behind <= set(tables.NIC_FIELDS[field])
    assert bool(changed) == bool(tables.NIC_FIELDS[field])


@pytest.mark.parametrize("field", tables.DISK_FIELDS)
def test_a_field_of_a_disk_decides_what_its_row_says(field: str) -> None:
    found = domain_of(ganeti(2, 1))
    before = found.live_xml()
    values = {field: DISK_VALUES[field]}
    if field == "template":
        values["logical_id"] = ("loop", "/srv/a.img")
    hotplug(found).modify_disk("1", **values)
    changed = set(differing(disk_of(found.live_xml()), disk_of(before)))
    assert changed <= set(tables.DISK_FIELDS[field])
    if field in {"mode", "template", "logical_id"}:
        assert changed


def interface_of(xml: str) -> domain.Interface:
    (found,) = read_view(xml).domain.devices.interfaces
    return found


def disk_of(xml: str) -> domain.Disk:
    return next(each for each in read_view(xml).domain.devices.disks if each.target == "vdb")


# Drives and cables


@pytest.mark.parametrize("kind", sorted(tables.MEDIA_DEVICES))
def test_such_a_drive_takes_a_medium_in_place(kind: str) -> None:
    found = domain_of(ganeti(1, 0))
    target = {"cdrom": "hdc", "floppy": "fda"}[kind]
    medium = domain.Disk(
        type="file", device=kind, driver_type="raw", source=domain.DiskSource(file="/m.img"), target=target
    )
    (step,) = hotplug(found).change_medium(target, medium).steps
    assert isinstance(step, Update)
    assert found.live is not None
    assert found.live.devices.find("disk/source[@file='/m.img']") is not None


@pytest.mark.parametrize("state", tables.LINK_STATES)
def test_a_cable_is_in_each_state(state: str) -> None:
    found = domain_of(ganeti(1, 1))
    operations = hotplug(found)
    operations.modify_nic("0", state="down")
    operations.modify_nic("0", state=state)
    assert found.live is not None
    link = found.live.devices.find("interface/link")
    assert link is not None
    assert link.get("state") == state


@pytest.mark.parametrize("row", SCSI_CONTROLLERS, ids=lambda row: row.ganeti)
def test_what_a_controller_does_not_tell_the_guest_is_noted(row: ScsiController) -> None:
    found = domain_of(ganeti(1, 1, disk_type="scsi-hd", scsi_controller_type=row.ganeti))
    operations, alias = hotplug(found), f"ua-disk-{DISKS[1].uuid[:18]}"
    done = [
        operations.add_disk(DISKS[1]),
        operations.resize(DISKS[1].uuid, 1 << 40),
        operations.remove("disk", DISKS[1].uuid),
    ]
    said = (
        "finds it by echo '- - -' > /sys/class/scsi_host/hostN/scan",
        "looks again by echo 1 > /sys/block/NAME/device/rescan",
        "forgets it by echo 1 > /sys/block/NAME/device/delete, best before it leaves",
    )
    notes = [
        (f"{alias}: a controller of model {row.libvirt} does not tell the guest; a Linux guest {each}",)
        for each in said
    ]
    is_told = row.libvirt in tables.TELLING_SCSI
    assert [each.notes for each in done] == ([()] * 3 if is_told else notes)


def test_a_controller_that_comes_with_its_disk_is_silent_too() -> None:
    found = domain_of(ganeti(1, 1))
    operations = hotplug(found, hvparams={"disk_type": "scsi-hd", "scsi_controller_type": "lsi"})
    (note,) = operations.add_disk(DISKS[1]).notes
    assert "a controller of model lsilogic does not tell the guest" in note


def test_a_definition_has_no_guest_to_tell() -> None:
    found = domain_of(ganeti(1, 1, disk_type="scsi-hd", scsi_controller_type="lsi"))
    assert hotplug(found, config=True).add_disk(DISKS[1]).notes == ()


def test_no_table_is_left_out() -> None:
    text = Path(__file__).read_text(encoding="utf-8")
    names = {name for name in vars(tables) if name.isupper() and not name.startswith("_")}
    assert {name for name in names if f"tables.{name}" not in text} == set()
