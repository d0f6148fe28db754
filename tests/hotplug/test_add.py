"""Devices come: where they are put, what is called for, and what is true afterwards."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from tests.hotplug.domains import (
    DISK_IDS,
    DISKS,
    NIC_IDS,
    NICS,
    aliases,
    domain_of,
    ganeti,
    hotplug,
    kept,
    places,
    q35,
)
from tests.translate.building import disk, nic
from virtxlate.domain import model as domain
from virtxlate.errors import (
    DeviceNotFoundError,
    GanetiDataError,
    OperationRefusedError,
    PlacementError,
    UnsupportedError,
    VirtxlateError,
)
from virtxlate.ganeti.hvinfo import HvInfo
from virtxlate.ganeti.model import Disk, Nic
from virtxlate.hotplug.engine import Done
from virtxlate.hotplug.steps import AddController, Attach, line
from virtxlate.tables.controller import SCSI_CONTROLLERS
from virtxlate.translate.device_info import DeviceInfo, QemuInfo


def test_a_disk_is_added_at_ganetis_next_slot() -> None:
    found = domain_of(ganeti(1, 1))
    done = hotplug(found).add_disk(DISKS[1])
    xml = (
        '<disk type="block" device="disk">\n'
        '  <driver name="qemu" type="raw" cache="writeback" io="threads" discard="ignore"/>\n'
        '  <source dev="/dev/xenvg/a.disk1"/>\n'
        '  <target dev="vdb" bus="virtio"/>\n'
        f'  <alias name="{DISK_IDS[1]}"/>\n'
        '  <address type="pci" domain="0x0000" bus="0x00" slot="0x0e" function="0x0"/>\n'
        "</disk>\n"
    )
    device = domain.Disk(
        type="block",
        driver_name="qemu",
        driver_type="raw",
        cache="writeback",
        io="threads",
        discard="ignore",
        source=domain.DiskSource(dev="/dev/xenvg/a.disk1"),
        target="vdb",
        bus="virtio",
        alias=DISK_IDS[1],
        address=domain.PciAddress(slot=0xE),
    )
    hvinfo = HvInfo(driver="virtio-blk-pci", id=DISK_IDS[1].removeprefix("ua-"), bus="pci.0", addr="0xe")
    step = Attach(
        at="disks[1]", kind="disk", device=device, alias=DISK_IDS[1], place="PCI bus 0 slot 0xe", xml=xml
    )
    assert done == Done(
        steps=(step,),
        device=DeviceInfo(
            "disk",
            DISK_IDS[1],
            DISKS[1].uuid,
            "vdb",
            hvinfo=QemuInfo("virtio-blk-pci", DISK_IDS[1], "pci.0", "0xe", drive="libvirt-2-format"),
            path="/domain/devices/disk[4]",
        ),
        hvinfo=hvinfo,
    )
    assert found.calls == [f"attach {DISK_IDS[1]} live", "metadata live"]
    assert found.sent == [xml]
    assert places(found) == {DISK_IDS[0]: "0:0x0c", NIC_IDS[0]: "0:0x0d", DISK_IDS[1]: "0:0x0e"}
    assert aliases(found, live=False) == [DISK_IDS[0], NIC_IDS[0]]
    assert kept(found).disks[1] == msgspec.structs.replace(DISKS[1], hvinfo=hvinfo)
    assert kept(found, live=False).disks == kept(found).disks[:1]
    assert line(step) == f"attach disk {DISK_IDS[1]} (vdb) at PCI bus 0 slot 0xe"


def test_a_nic_is_added_at_ganetis_next_slot() -> None:
    found = domain_of(ganeti(1, 1))
    done = hotplug(found).add_nic(NICS[1])
    hvinfo = HvInfo(driver="virtio-net-pci", id=NIC_IDS[1].removeprefix("ua-"), bus="pci.0", addr="0xe")
    device = domain.Interface(
        type="bridge",
        mac="aa:00:00:00:00:01",
        bridge="br0",
        model="virtio",
        driver="vhost",
        alias=NIC_IDS[1],
        address=domain.PciAddress(slot=0xE),
    )
    xml = (
        '<interface type="bridge">\n'
        '  <mac address="aa:00:00:00:00:01"/>\n'
        '  <source bridge="br0"/>\n'
        '  <model type="virtio"/>\n'
        '  <driver name="vhost"/>\n'
        f'  <alias name="{NIC_IDS[1]}"/>\n'
        '  <address type="pci" domain="0x0000" bus="0x00" slot="0x0e" function="0x0"/>\n'
        "</interface>\n"
    )
    step = Attach(
        at="nics[1]", kind="nic", device=device, alias=NIC_IDS[1], place="PCI bus 0 slot 0xe", xml=xml
    )
    assert done == Done(
        steps=(step,),
        device=DeviceInfo(
            "nic",
            NIC_IDS[1],
            NICS[1].uuid,
            None,
            "aa:00:00:00:00:01",
            QemuInfo("virtio-net-pci", NIC_IDS[1], "pci.0", "0xe", netdev=f"host{NIC_IDS[1]}"),
            "/domain/devices/interface[2]",
        ),
        hvinfo=hvinfo,
    )
    assert found.calls == [f"attach {NIC_IDS[1]} live", "metadata live"]
    assert kept(found).nics[1] == msgspec.structs.replace(NICS[1], hvinfo=hvinfo)


def test_guest_and_definition_are_changed_by_one_call() -> None:
    found = domain_of(ganeti(1, 1))
    hotplug(found, live=True, config=True).add_disk(DISKS[1])
    assert found.calls == [f"attach {DISK_IDS[1]} live+config", "metadata live", "metadata config"]
    assert places(found) == places(found, live=False)
    assert kept(found) == kept(found, live=False)


AFFECTS: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    ({}, {}, "live"),
    ({}, {"live": True}, "live"),
    ({}, {"config": True}, "config"),
    ({}, {"live": True, "config": True}, "live+config"),
    ({}, {"live": False}, "config"),
    ({"running": False}, {}, "config"),
    ({"running": False}, {"config": True}, "config"),
    ({"persistent": False}, {}, "live"),
    ({"persistent": False}, {"live": True}, "live"),
]


@pytest.mark.parametrize(("state", "options", "flags"), AFFECTS)
def test_what_is_changed_is_named_and_by_default_what_virsh_would(
    state: dict[str, Any], options: dict[str, Any], flags: str
) -> None:
    found = domain_of(ganeti(1, 1), **state)
    done = hotplug(found, **options).add_nic(NICS[1])
    assert found.calls[0] == f"attach {NIC_IDS[1]} {flags}"
    assert (NIC_IDS[1] in aliases(found)) == ("live" in flags) if found.live else True
    assert (NIC_IDS[1] in aliases(found, live=False)) == ("config" in flags) if found.config else True
    assert done.hvinfo is not None
    assert done.hvinfo.addr == "0xe"


NOT_SO: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    ({"running": False}, {"live": True}, "state: domain 'web1.example.com' does not run"),
    (
        {"persistent": False},
        {"config": True},
        "state: domain 'web1.example.com' is transient: it has no definition that could be changed",
    ),
    (
        {"persistent": False},
        {"live": True, "config": True},
        "state: domain 'web1.example.com' is transient: it has no definition that could be changed",
    ),
]


@pytest.mark.parametrize(("state", "options", "message"), NOT_SO)
def test_what_cannot_be_changed_is_refused_before_any_call(
    state: dict[str, Any], options: dict[str, Any], message: str
) -> None:
    found = domain_of(ganeti(1, 1), **state)
    with pytest.raises(OperationRefusedError) as caught:
        hotplug(found, **options).add_disk(DISKS[1])
    assert str(caught.value) == message
    assert found.calls == []


def test_a_place_must_be_free_in_the_definition_too() -> None:
    found = domain_of(ganeti(1, 1))
    other = hotplug(found, config=True)
    other.add_disk(DISKS[5])
    assert places(found, live=False)[DISK_IDS[5]] == "0:0x0e"
    done = hotplug(found, live=True, config=True).add_disk(DISKS[1])
    assert done.hvinfo is not None
    assert done.hvinfo.addr == "0xf"
    (step,) = done.steps
    assert isinstance(step, Attach)
    assert isinstance(step.device, domain.Disk)
    assert step.device.target == "vdc"


def test_without_the_definition_its_places_do_not_count() -> None:
    found = domain_of(ganeti(1, 1))
    hotplug(found, config=True).add_disk(DISKS[5])
    done = hotplug(found).add_disk(DISKS[1])
    assert done.hvinfo is not None
    assert done.hvinfo.addr == "0xe"


def test_a_hole_among_the_slots_is_used_and_one_among_the_targets_is_not() -> None:
    found = domain_of(ganeti(4, 0))
    operations = hotplug(found)
    operations.remove("disk", "1")
    done = operations.add_disk(DISKS[4])
    (step,) = done.steps
    assert line(step) == f"attach disk {DISK_IDS[4]} (vde) at PCI bus 0 slot 0xd"


def test_a_domain_without_metadata_takes_devices_too() -> None:
    found = domain_of(ganeti(1, 1), with_metadata=False)
    done = hotplug(found).add_disk(DISKS[1])
    assert done.hvinfo is not None
    assert done.hvinfo.addr == "0xe"
    assert found.calls == [f"attach {DISK_IDS[1]} live"]


@pytest.mark.parametrize("spelt", [str.lower, str.upper])
def test_without_metadata_ganetis_uuid_names_the_device_that_has_its_id(spelt: Callable[[str], str]) -> None:
    found = domain_of(ganeti(2, 2), with_metadata=False)
    operations = hotplug(found)
    operations.remove("disk", spelt(DISKS[1].uuid))
    operations.remove("nic", spelt(NICS[0].uuid))
    assert aliases(found) == [DISK_IDS[0], NIC_IDS[1]]
    with pytest.raises(DeviceNotFoundError, match="has no nic"):
        operations.remove("nic", DISKS[0].uuid)


@pytest.mark.parametrize("with_metadata", [True, False])
def test_ganetis_parameters_may_be_overruled(with_metadata: bool) -> None:
    found = domain_of(ganeti(1, 1), with_metadata=with_metadata)
    operations = hotplug(found, hvparams={"kvm_pci_reservations": 6, "nic_type": "e1000"})
    done = operations.add_nic(NICS[1])
    (step,) = done.steps
    assert isinstance(step, Attach)
    assert isinstance(step.device, domain.Interface)
    assert (step.device.model, step.place) == ("e1000", "PCI bus 0 slot 0x6")


def test_a_device_may_be_put_anywhere_into_ganetis_list() -> None:
    found = domain_of(ganeti(2, 2))
    operations = hotplug(found)
    operations.add_disk(DISKS[2], index=0)
    operations.add_nic(NICS[2], index=1)
    assert [each.uuid for each in kept(found).disks] == [DISKS[n].uuid for n in (2, 0, 1)]
    assert [each.uuid for each in kept(found).nics] == [NICS[n].uuid for n in (0, 2, 1)]


def test_who_follows_gets_the_live_xml_last_of_all() -> None:
    found = domain_of(ganeti(1, 1))
    seen: list[tuple[str, list[str]]] = []
    hotplug(found, follower=lambda xml: seen.append((xml, list(found.calls)))).add_disk(DISKS[1])
    assert found.live is not None
    assert seen == [(found.live.text(), found.calls)]


def test_a_planned_device_is_only_planned() -> None:
    found = domain_of(ganeti(1, 1))
    assert hotplug(found).plan_disk(DISKS[1]) == hotplug(domain_of(ganeti(1, 1))).add_disk(DISKS[1]).steps
    assert hotplug(found).plan_nic(NICS[1]) == hotplug(domain_of(ganeti(1, 1))).add_nic(NICS[1]).steps
    assert found.calls == []


# SCSI


def test_a_scsi_disk_gets_the_lowest_free_target_of_a_controller() -> None:
    found = domain_of(ganeti(3, 1, disk_type="scsi-hd", scsi_controller_type="virtio-scsi-pci"))
    operations = hotplug(found)
    operations.remove("disk", "1")
    done = operations.add_disk(DISKS[3])
    assert [line(step) for step in done.steps] == [
        f"attach disk {DISK_IDS[3]} (sdd) at controller 0 bus 0 target 1 unit 0"
    ]
    hvinfo = HvInfo(driver="scsi-hd", id=DISK_IDS[3][3:], bus="scsi.0", channel=0, scsi_id=1, lun=0)
    assert done.hvinfo == hvinfo


@pytest.mark.parametrize("row", SCSI_CONTROLLERS, ids=lambda row: row.ganeti)
def test_a_missing_scsi_controller_is_added_first_at_a_slot_of_its_own(row: Any) -> None:
    found = domain_of(ganeti(0, 1, disk_type="scsi-hd", scsi_controller_type=row.ganeti))
    before = found.live
    assert before is not None
    for controller in before.root.findall("devices/controller[@type='scsi']"):
        before.take_out(controller)
    done = hotplug(found).add_disk(DISKS[0])
    first, second = done.steps
    assert isinstance(first, AddController)
    assert isinstance(second, Attach)
    assert line(first) == f"add scsi controller 0 ({row.libvirt}) at PCI bus 0 slot 0x3"
    assert line(second) == (f"attach disk {DISK_IDS[0]} (sda) at controller 0 bus 0 target 0 unit 0")
    assert found.calls == [
        "attach scsi-controller-0 live",
        f"attach {DISK_IDS[0]} live",
        "metadata live",
    ]
    assert done.hvinfo == HvInfo(
        driver="scsi-hd", id=DISK_IDS[0][3:], bus="scsi.0", channel=0, scsi_id=0, lun=0
    )
    again = hotplug(found).add_disk(DISKS[1])
    unit = row.scsi_id_in == "unit"
    assert [line(step) for step in again.steps] == [
        (
            f"attach disk {DISK_IDS[1]} (sdb) at controller 0 bus 0 "
            f"target {0 if unit else 1} unit {1 if unit else 0}"
        )
    ]


def test_a_full_scsi_controller_is_followed_by_a_second_one() -> None:
    disks = [
        disk(
            number % 10, uuid=f"{number:08x}-1111-4222-8333-444444444444", logical_id=("xenvg", f"v{number}")
        )
        for number in range(8)
    ]
    found = domain_of(ganeti(disks[:7], 1, disk_type="scsi-hd", scsi_controller_type="lsi"))
    done = hotplug(found).add_disk(disks[7])
    assert [line(step) for step in done.steps] == [
        "add scsi controller 1 (lsilogic) at PCI bus 0 slot 0x5",
        "attach disk ua-disk-00000007-1111-4222 (sdh) at controller 1 bus 0 target 0 unit 0",
    ]
    assert done.hvinfo is None
    assert done.device is not None
    assert done.device.hvinfo is not None
    assert done.device.hvinfo.bus == "scsi1.0"


def test_a_controller_of_another_model_is_not_ganetis() -> None:
    found = domain_of(ganeti(1, 0, disk_type="scsi-hd", scsi_controller_type="virtio-scsi-pci"))
    done = hotplug(found, hvparams={"scsi_controller_type": "megasas"}).add_disk(DISKS[1])
    assert [line(step) for step in done.steps] == [
        "add scsi controller 1 (lsisas1078) at PCI bus 0 slot 0x5",
        f"attach disk {DISK_IDS[1]} (sdb) at controller 1 bus 0 target 0 unit 0",
    ]


# q35


def test_on_q35_a_device_gets_a_root_port_of_its_own() -> None:
    found = q35(3)
    operations = hotplug(found)
    assert [line(step) for step in operations.add_disk(DISKS[1]).steps] == [
        f"attach disk {DISK_IDS[1]} (vda) at PCI bus 1 slot 0x0"
    ]
    assert [line(step) for step in operations.add_nic(NICS[1]).steps] == [
        f"attach nic {NIC_IDS[1]} (aa:00:00:00:00:01) at PCI bus 2 slot 0x0"
    ]
    scsi = hotplug(found, hvparams={"disk_type": "scsi-hd", "scsi_controller_type": "virtio-scsi-pci"})
    assert [line(step) for step in scsi.add_disk(DISKS[2]).steps] == [
        "add scsi controller 0 (virtio-scsi) at PCI bus 3 slot 0x0",
        f"attach disk {DISK_IDS[2]} (sda) at controller 0 bus 0 target 0 unit 0",
    ]


Q35 = [
    (
        lambda: q35(0),
        {},
        (
            "disks[0]: no free PCIe root port: the domain has 0, all in use; add "
            "<controller type='pci' model='pcie-root-port'/> to its definition, and start it anew"
        ),
    ),
    (
        lambda: q35(2, hotplug="off"),
        {},
        (
            "disks[0]: no free PCIe root port: the domain has 0, all in use; add "
            "<controller type='pci' model='pcie-root-port'/> to its definition, and start it anew"
        ),
    ),
    (
        lambda: q35(4),
        {"disk_type": "scsi-hd", "scsi_controller_type": "lsi"},
        (
            "disks[0]: a conventional PCI device needs a free slot on a pcie-to-pci-bridge, and there is none"
            "; add <controller type='pci' model='pcie-to-pci-bridge'/> to its definition and start it anew"
        ),
    ),
]


@pytest.mark.parametrize(("make", "hvparams", "message"), Q35)
def test_a_q35_guest_without_room_says_what_it_has_and_how_to_get_more(
    make: Any, hvparams: dict[str, Any], message: str
) -> None:
    found = make()
    with pytest.raises(PlacementError) as caught:
        hotplug(found, hvparams=hvparams).add_disk(DISKS[0])
    assert (str(caught.value), caught.value.exit_code, found.calls) == (message, 4, [])


def test_a_q35_guest_whose_ports_are_used_says_how_many_it_has() -> None:
    found = q35(2)
    operations = hotplug(found)
    operations.add_disk(DISKS[1])
    operations.add_disk(DISKS[2])
    with pytest.raises(PlacementError) as caught:
        operations.add_nic(NICS[1])
    assert str(caught.value) == (
        "nics[0]: no free PCIe root port: the domain has 2, all in use; add "
        "<controller type='pci' model='pcie-root-port'/> to its definition, and start it anew"
    )


def test_a_conventional_device_of_q35_goes_behind_a_bridge() -> None:
    found = q35(2, bridge=True)
    done = hotplug(found, hvparams={"nic_type": "e1000"}).add_nic(NICS[1])
    assert [line(step) for step in done.steps] == [
        f"attach nic {NIC_IDS[1]} (aa:00:00:00:00:01) at PCI bus 3 slot 0x1"
    ]
    assert done.hvinfo is None
    assert done.device is not None
    assert done.device.hvinfo is not None
    assert (done.device.hvinfo.bus, done.device.hvinfo.addr) == ("pci.3", "0x1")


# No room, no hot-plug, there already


def test_a_full_bus_names_who_holds_it() -> None:
    found = domain_of(ganeti(10, 6))
    operations = hotplug(found)
    more = [
        disk(0, uuid=f"{n:08x}-9999-4222-8333-444444444444", logical_id=("xenvg", f"v{n}")) for n in range(5)
    ]
    for each in more[:4]:
        operations.add_disk(each)
    with pytest.raises(PlacementError) as caught:
        operations.add_nic(nic(9))
    assert caught.value.bus == "pci.0"
    assert str(caught.value) == (
        "nics[6]: no room on pci.0: slots from 0xc are held by "
        + ", ".join(
            f"{slot:#x} {owner}"
            for slot, owner in enumerate(
                [f"disk[{n}]" for n in range(1, 11)]
                + [f"interface[{n}]" for n in range(1, 7)]
                + [f"disk[{n}]" for n in range(13, 17)],
                start=12,
            )
        )
        + ", and Ganeti reserves the free 4, 5, 6, 7, 8, 9, 10, 11"
    )
    assert len(aliases(found)) == 20


NO_HOTPLUG: list[tuple[dict[str, Any], str]] = [
    (
        {"disk_type": "ide"},
        "disks[1]: an IDE bus has no hot-plug; stop the guest first, or change its definition (--config)",
    ),
    (
        {"acpi": False},
        (
            "disks[1]: a pc guest without <features><acpi/></features> has no PCI hot-plug: it can be had "
            "after a cold start with ACPI only"
        ),
    ),
]


@pytest.mark.parametrize(("hvparams", "message"), NO_HOTPLUG)
def test_a_guest_that_takes_no_device_while_it_runs_is_told_so_before_any_call(
    hvparams: dict[str, Any], message: str
) -> None:
    found = domain_of(ganeti(1, 1, **hvparams))
    with pytest.raises(UnsupportedError) as caught:
        hotplug(found).add_disk(DISKS[1])
    assert (str(caught.value), caught.value.exit_code, found.calls) == (message, 4, [])
    done = hotplug(found, config=True).add_disk(DISKS[1])
    assert [line(step) for step in done.steps]
    assert DISK_IDS[1] in aliases(found, live=False)


Device = Disk | Nic
THERE: list[tuple[Device, type[VirtxlateError], str]] = [
    (
        DISKS[0],
        OperationRefusedError,
        f"attach: disks[1]: the domain has {DISK_IDS[0]} already (/domain/devices/disk[1])",
    ),
    (
        NICS[0],
        OperationRefusedError,
        f"attach: nics[1]: the domain has {NIC_IDS[0]} already (/domain/devices/interface[1])",
    ),
    (
        msgspec.structs.replace(DISKS[1], logical_id=DISKS[0].logical_id),
        OperationRefusedError,
        "attach: disks[1]: /dev/xenvg/a.disk0 is open already as disks[0]",
    ),
    (
        nic(1, mac="AA:00:00:00:00:00"),
        OperationRefusedError,
        "attach: nics[1]: MAC AA:00:00:00:00:00 is that of nics[0] already",
    ),
    (disk(1, uuid="7"), GanetiDataError, "uuid: expected a UUID, found '7'"),
    (disk(1, mode="x"), GanetiDataError, "disks[1].mode: expected 'rw' or 'ro', found 'x'"),
    (
        nic(1, mode="x"),
        UnsupportedError,
        "nics[1].mode: 'x' has no equal (these have: 'bridged', 'openvswitch', 'routed', 'ext')",
    ),
]


@pytest.mark.parametrize(("device", "kind", "message"), THERE)
def test_a_device_that_must_not_be_added_is_refused_before_any_call(
    device: Device, kind: type[VirtxlateError], message: str
) -> None:
    found = domain_of(ganeti(1, 1))
    operations = hotplug(found)
    with pytest.raises(kind) as caught:
        operations.add_disk(device) if isinstance(device, Disk) else operations.add_nic(device)
    assert (type(caught.value), str(caught.value), found.calls) == (kind, message, [])


def test_a_device_that_the_definition_alone_has_is_refused_where_that_counts() -> None:
    found = domain_of(ganeti(1, 1))
    hotplug(found, config=True).add_disk(DISKS[1])
    with pytest.raises(OperationRefusedError) as caught:
        hotplug(found, live=True, config=True).add_disk(DISKS[1])
    assert str(caught.value) == (
        f"attach: disks[1]: the domain defines {DISK_IDS[1]} already (/domain/devices/disk[4]): "
        "give the running guest alone what its definition has (--live without --config)"
    )


def test_two_who_only_read_may_open_one_disk() -> None:
    readers = [disk(number, mode="ro", logical_id=("xenvg", "shared")) for number in (0, 1)]
    found = domain_of(ganeti(readers[:1], 0))
    assert hotplug(found).add_disk(readers[1]).hvinfo is not None


@pytest.mark.parametrize(("kind", "most"), [("disk", 16), ("nic", 8)])
def test_ganeti_has_room_for_so_many(kind: str, most: int) -> None:
    found = domain_of(ganeti(0, 0, kvm_pci_reservations=5))
    operations = hotplug(found)
    for number in range(most):
        if kind == "disk":
            operations.add_disk(
                disk(0, uuid=f"{number:08x}-1111-4222-8333-444444444444", logical_id=("xenvg", f"v{number}"))
            )
        else:
            operations.add_nic(
                nic(0, uuid=f"{number:08x}-1111-4222-8333-444444444444", mac=f"aa:00:00:00:01:{number:02x}")
            )
    with pytest.raises(GanetiDataError) as caught:
        operations.add_disk(DISKS[9]) if kind == "disk" else operations.add_nic(NICS[9])
    assert str(caught.value) == f"{kind}s: Ganeti allows {most}, and there are {most}"


THREADS: dict[str, Any] = {"disk_aio": "io_uring", "virtio_disk_iothreads": 2}


def test_a_disk_takes_the_next_of_the_threads_that_wait_for_it() -> None:
    found = domain_of(ganeti(1, 1, be={"vcpus": 2}, **THREADS))
    hotplug(found).add_disk(DISKS[1])
    assert found.live is not None
    drivers = [
        each.get("iothread") for each in found.live.root.iterfind("devices/disk[@device='disk']/driver")
    ]
    assert drivers == ["1", "2"]
    assert found.live.root.findtext("iothreads") == "2"


def test_the_thread_of_a_disk_stays_whatever_its_index_becomes() -> None:
    found = domain_of(ganeti(3, 0, be={"vcpus": 2}, **THREADS))
    left = kept(found)
    hotplug(found).remove("disk", "1")
    wanted = msgspec.structs.replace(left, disks=(left.disks[0], left.disks[2]))
    assert hotplug(found).plan(wanted).steps == ()
