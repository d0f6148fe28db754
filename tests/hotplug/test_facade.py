"""The calls that Ganeti's hypervisor interface names: its arguments, its answers, one exception."""

from __future__ import annotations

import re
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
from tests.hotplug.fake_domain import NEVER, FakeDomain
from tests.translate.building import disk, nic
from virtxlate.errors import (
    DeviceNotFoundError,
    GanetiDataError,
    HotplugError,
    LiveError,
    OperationRefusedError,
    PlacementError,
    RemovalPendingError,
    UnsupportedError,
)
from virtxlate.ganeti.hvinfo import HvInfo
from virtxlate.hotplug.facade import hotplug_device, hotplug_supported, verify_hotplug_support
from virtxlate.translate.context import Context, Renames

WIRE_DISK = {
    "dev_type": "plain",
    "uuid": DISKS[1].uuid,
    "logical_id": ["xenvg", "a.disk1"],
    "size": 1024,
    "mode": "rw",
    "params": {},
}
WIRE_NIC = {
    "uuid": NICS[1].uuid,
    "mac": NICS[1].mac,
    "nicparams": {"mode": "bridged", "link": "br0", "vlan": ""},
}


def at(device_id: str, driver: str, addr: str) -> HvInfo:
    return HvInfo(driver=driver, id=device_id.removeprefix("ua-"), bus="pci.0", addr=addr)


@pytest.mark.parametrize("device", [DISKS[1], WIRE_DISK], ids=["record", "object of the RPC"])
def test_a_disk_comes_and_goes_as_ganeti_asks_for_it(device: Any) -> None:
    found = domain_of(ganeti(1, 1))
    place = at(DISK_IDS[1], "virtio-blk-pci", "0xe")
    assert hotplug_device(hotplug(found), "hotadd", "disk", device, None, 1) == place
    assert aliases(found) == [DISK_IDS[0], DISK_IDS[1], NIC_IDS[0]]
    assert hotplug_device(hotplug(found), "hotremove", "disk", device, None, 1) == place
    assert aliases(found) == [DISK_IDS[0], NIC_IDS[0]]


@pytest.mark.parametrize("device", [NICS[1], WIRE_NIC], ids=["record", "object of the RPC"])
def test_a_nic_comes_changes_and_goes_as_ganeti_asks_for_it(device: Any) -> None:
    found = domain_of(ganeti(1, 1))
    place = at(NIC_IDS[1], "virtio-net-pci", "0xe")
    assert hotplug_device(hotplug(found), "hotadd", "nic", device, None, 1) == place
    other = msgspec.structs.replace(NICS[1], link="br9", mac="aa:00:00:00:00:99")
    assert hotplug_device(hotplug(found), "hotmod", "nic", other, None, 1) == place
    assert (kept(found).nics[1].link, kept(found).nics[1].mac) == ("br9", "aa:00:00:00:00:99")
    assert hotplug_device(hotplug(found), "hotremove", "nic", other, None, 1) == place
    assert aliases(found) == [DISK_IDS[0], NIC_IDS[0]]


def test_a_disk_that_changes_keeps_its_place() -> None:
    found = domain_of(ganeti(2, 0))
    changed = disk(1, size_mib=1024, mode="ro")
    assert hotplug_device(hotplug(found), "hotmod", "disk", changed) == at(
        DISK_IDS[1], "virtio-blk-pci", "0xd"
    )


def test_the_place_that_ganeti_chose_is_taken_where_it_is_free() -> None:
    found = domain_of(ganeti(1, 1))
    chosen = msgspec.structs.replace(DISKS[1], hvinfo=at(DISK_IDS[1], "virtio-blk-pci", "0x12"))
    assert hotplug_device(hotplug(found), "hotadd", "disk", chosen) == chosen.hvinfo
    taken = msgspec.structs.replace(NICS[1], hvinfo=at(NIC_IDS[1], "virtio-net-pci", "0x12"))
    assert hotplug_device(hotplug(found), "hotadd", "nic", taken) == at(NIC_IDS[1], "virtio-net-pci", "0xe")
    assert places(found)[NIC_IDS[1]] == "0:0x0e"


@pytest.mark.parametrize(("target", "given"), [(9, 9), (0, 1)])
def test_the_scsi_id_that_ganeti_chose_is_taken_where_it_is_free(target: int, given: int) -> None:
    found = domain_of(ganeti(1, 0, disk_type="scsi-hd", scsi_controller_type="virtio-scsi-pci"))
    place = HvInfo(driver="scsi-hd", id=DISK_IDS[1][3:], bus="scsi.0", channel=0, scsi_id=target, lun=0)
    chosen = msgspec.structs.replace(DISKS[1], hvinfo=place)
    done = hotplug_device(hotplug(found), "hotadd", "disk", chosen)
    assert done == msgspec.structs.replace(place, scsi_id=given)


@pytest.mark.parametrize("seq", [0, 1, 2, None])
def test_seq_is_the_place_in_ganetis_list(seq: int | None) -> None:
    found = domain_of(ganeti(2, 2))
    hotplug_device(hotplug(found), "hotadd", "disk", DISKS[5], None, seq)
    hotplug_device(hotplug(found), "hotadd", "nic", NICS[5], None, seq)
    index = 2 if seq is None else seq
    assert kept(found).disks[index].uuid == DISKS[5].uuid
    assert kept(found).nics[index].uuid == NICS[5].uuid


EXTRAS = [
    (
        ("/var/run/ganeti/instance-disks/web1.example.com:1", None),
        "/var/run/ganeti/instance-disks/web1.example.com:1",
        None,
    ),
    ((None, None), None, None),
    (["/a/link", "rbd:rbd/x"], "/a/link", "rbd:rbd/x"),
]


@pytest.mark.parametrize(("extra", "link", "uri"), EXTRAS)
def test_extra_is_the_link_and_the_uri_that_the_node_made(
    extra: Any, link: str | None, uri: str | None
) -> None:
    found = domain_of(ganeti(1, 0))
    hotplug_device(hotplug(found), "hotadd", "disk", DISKS[1], extra, 1)
    assert (kept(found).disks[1].link, kept(found).disks[1].uri) == (link, uri)


WRONG: list[tuple[tuple[Any, ...], type[Exception], str]] = [
    (
        ("plug", "disk", DISKS[1]),
        GanetiDataError,
        "action: expected one of hotadd, hotremove, hotmod, found 'plug'",
    ),
    (("hotadd", "cdrom", DISKS[1]), GanetiDataError, "dev_type: expected one of disk, nic, found 'cdrom'"),
    (("hotadd", "disk", NICS[1]), GanetiDataError, "device: expected a disk, found a Nic"),
    (("hotadd", "nic", DISKS[1]), GanetiDataError, "device: expected a nic, found a Disk"),
    (("hotadd", "nic", nic(1, mac="x")), GanetiDataError, "mac: expected a MAC address, found 'x'"),
    (
        ("hotadd", "disk", DISKS[0]),
        OperationRefusedError,
        f"attach: disks[1]: the domain has {DISK_IDS[0]} already (/domain/devices/disk[1])",
    ),
    (
        ("hotremove", "disk", DISKS[7]),
        DeviceNotFoundError,
        f"domain 'web1.example.com' has no disk '{DISKS[7].uuid}' (it has disks[0] {DISK_IDS[0]}, ",
    ),
    (
        ("hotmod", "nic", NICS[7]),
        DeviceNotFoundError,
        f"domain 'web1.example.com' has no nic '{NICS[7].uuid}' (it has nics[0] {NIC_IDS[0]})",
    ),
]


@pytest.mark.parametrize(("arguments", "cause", "message"), WRONG)
def test_whatever_goes_wrong_is_one_exception_with_the_exact_one_as_its_cause(
    arguments: tuple[Any, ...], cause: type[Exception], message: str
) -> None:
    found = domain_of(ganeti(1, 1))
    with pytest.raises(HotplugError) as caught:
        hotplug_device(hotplug(found), *arguments)
    assert str(caught.value).startswith(f"Cannot {arguments[0]} {arguments[1]}: {message}")
    assert (type(caught.value.__cause__), caught.value.exit_code, found.calls) == (cause, 5, [])
    assert isinstance(caught.value, LiveError)


LUN = "192.0.2.9:3260/iqn.2026-11.example:luns/1"
EXT = msgspec.structs.replace(
    DISKS[1], template="ext", logical_id=("provider", "lun1"), params={"access": "userspace"}
)
SECRET = "8f0ee9cf-7b2a-4e7a-8d5c-0a2f6c1d3e4b"


@pytest.mark.parametrize("userinfo", ["vm1%geheim", "vm1:geheim", "vm1%ge/heim@geheim"])
@pytest.mark.parametrize("given", ["extra", "record"])
def test_a_password_in_a_uri_goes_no_further(userinfo: str, given: str) -> None:
    found = domain_of(ganeti(1, 0))
    uri = f"iscsi://{userinfo}@{LUN}"
    device, extra = (EXT, (None, uri)) if given == "extra" else (msgspec.structs.replace(EXT, uri=uri), None)
    with pytest.raises(HotplugError, match="libvirt wants a secret for iscsi user 'vm1'"):
        hotplug_device(hotplug(found), "hotadd", "disk", device, extra)
    context = Context(renames=Renames({"secrets": {"vm1": SECRET}}))
    hotplug_device(hotplug(found, context=context), "hotadd", "disk", device, extra)
    assert kept(found).disks[1].uri == f"iscsi://vm1@{LUN}"
    assert "heim" not in found.live_xml() + found.inactive_xml() + str(found.calls)


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        (f"nbd://u:geheim@{LUN}", f"nbd://u@{LUN}"),
        ("rbd:p/i:conf=/x:key=geheim==", "rbd:p/i:conf=/x"),
        ("iscsi://u%geheim@h/iqn", "iscsi://u@h/iqn"),
    ],
)
def test_a_uri_that_is_refused_is_shown_without_its_secret(uri: str, shown: str) -> None:
    with pytest.raises(HotplugError, match=re.escape(f"found {shown!r}") + "$"):
        hotplug_device(hotplug(domain_of(ganeti(1, 0))), "hotadd", "disk", EXT, (None, uri))


def test_an_extra_of_another_shape_is_refused() -> None:
    found = domain_of(ganeti(1, 1))
    with pytest.raises(HotplugError, match=r"^Cannot hotadd disk: extra: "):
        hotplug_device(hotplug(found), "hotadd", "disk", DISKS[1], ["/a"])
    assert found.calls == []


def test_a_guest_that_keeps_a_disk_may_be_asked_until_it_let_go() -> None:
    found = domain_of(ganeti(2, 0))
    found.answer = NEVER
    with pytest.raises(HotplugError) as caught:
        hotplug_device(hotplug(found), "hotremove", "disk", DISKS[1])
    assert isinstance(caught.value.__cause__, RemovalPendingError)
    found.release(DISK_IDS[1])
    assert hotplug_device(hotplug(found), "hotremove", "disk", DISKS[1]) is None
    assert len(kept(found).disks) == 1


@pytest.mark.parametrize("with_metadata", [True, False])
def test_a_port_is_enough(with_metadata: bool) -> None:
    found = domain_of(ganeti(1, 1), with_metadata=with_metadata)
    assert hotplug_device(found, "hotadd", "nic", NICS[1]) == at(NIC_IDS[1], "virtio-net-pci", "0xe")
    assert hotplug_device(found, "hotremove", "nic", NICS[1]) == at(NIC_IDS[1], "virtio-net-pci", "0xe")


# Whether it can be done at all


def stopped() -> FakeDomain:
    return domain_of(ganeti(1, 1), running=False)


SUPPORT = [
    (lambda: domain_of(ganeti(1, 1)), "disk", None),
    (lambda: domain_of(ganeti(1, 1)), "nic", None),
    (lambda: q35(2), "disk", None),
    (stopped, "disk", "Hotplug is not supported: Instance is probably down"),
    (
        lambda: domain_of(ganeti(1, 1, acpi=False)),
        "nic",
        "Hotplug is not supported: the domain has no ACPI, so no PCI hot-plug",
    ),
    (
        lambda: domain_of(ganeti(1, 1, disk_type="ide")),
        "disk",
        (
            "Hotplug is not supported: hvparams.disk_type: an IDE bus has no hot-plug; "
            "stop the guest first, or change its definition (--config)"
        ),
    ),
    (lambda: domain_of(ganeti(1, 1, disk_type="ide")), "nic", None),
    (
        lambda: domain_of(ganeti(1, 1)),
        "cdrom",
        "Hotplug is not supported: dev_type: expected one of disk, nic, found 'cdrom'",
    ),
]


@pytest.mark.parametrize(("make", "dev_type", "message"), SUPPORT)
def test_what_can_come_and_go_is_told_beforehand(make: Any, dev_type: str, message: str | None) -> None:
    found = make()
    if message is None:
        hotplug_supported(found)
        verify_hotplug_support(found, "hotadd", dev_type)
    else:
        with pytest.raises(HotplugError) as caught:
            verify_hotplug_support(found, "hotadd", dev_type)
        assert str(caught.value) == message
    assert found.calls == []


def test_a_domain_that_is_gone_supports_nothing() -> None:
    found = domain_of(ganeti(1, 1))
    operations = hotplug(found)
    found.disappear()
    with pytest.raises(HotplugError, match=r"^Hotplug is not supported: state: Domain not found"):
        hotplug_supported(operations)


def test_what_a_bus_has_no_room_for_is_found_when_it_is_added() -> None:
    found = q35(0)
    verify_hotplug_support(found, "hotadd", "nic")
    with pytest.raises(HotplugError, match="no free PCIe root port") as caught:
        hotplug_device(hotplug(found), "hotadd", "nic", NICS[1])
    assert isinstance(caught.value.__cause__, PlacementError)
    assert not isinstance(caught.value.__cause__, UnsupportedError)
