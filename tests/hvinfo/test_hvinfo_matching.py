"""Which Ganeti disk or NIC a device is: by metadata and alias, MAC, source, order; else the candidates."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from tests.hvinfo.cases import xml
from virtxlate import Context, GanetiDataError, parse_renames
from virtxlate.domain.live import parse_live
from virtxlate.ganeti.hvinfo import HvInfo
from virtxlate.ganeti.model import Disk, Instance, Nic
from virtxlate.ganeti.params import HvParams
from virtxlate.translate import metadata
from virtxlate.translate.hvinfo import derive, derive_hvinfo
from virtxlate.translate.matching import match, with_uuids

UUIDS = ("9e7c85f6-b6e5-4243-8f5c-1f2a3b4c5d6e", "1b2c3d4e-aaaa-4bbb-8ccc-0123456789ab")
ROOT, DATA = "disk-9e7c85f6-b6e5-4243", "disk-1b2c3d4e-aaaa-4bbb"
PLAIN = Context()
SLOT = "<address type='pci' slot='0x{0:02x}'/>"


def disk(number: int, source: str = "", *, alias: str = "", target: str = "", device: str = "disk") -> str:
    name = target or f"vd{'abcdefgh'[number]}"
    shown = f"<alias name='{alias}'/>" if alias else ""
    address = SLOT.format(number + 4)
    bus = "virtio" if name.startswith("vd") else "scsi"
    if bus == "scsi":
        address = f"<address type='drive' controller='0' target='{number}'/>"
    return (
        f"<disk type='x' device='{device}'>{source}<target dev='{name}' bus='{bus}'/>{shown}{address}</disk>"
    )


def nic(number: int, mac: str, alias: str = "") -> str:
    shown = f"<alias name='{alias}'/>" if alias else ""
    return f"<interface type='user'><mac address='{mac}'/>{shown}{SLOT.format(number + 16)}</interface>"


def document(*devices: str, payload: str = "") -> str:
    kept = f"<metadata><v:instance xmlns:v='urn:x-virtxlate:instance:1'>{payload}</v:instance></metadata>"
    scsi = "<controller type='scsi' index='0' model='virtio-scsi'/>"
    return f"<domain>{kept if payload else ''}<devices>{scsi}{''.join(devices)}</devices></domain>"


def instance(*devices: Disk | Nic, **fields: Any) -> Instance:
    return Instance(
        name="web1",
        uuid="u",
        disks=tuple(each for each in devices if isinstance(each, Disk)),
        nics=tuple(each for each in devices if isinstance(each, Nic)),
        **fields,
    )


def matched(one: Instance, text: str, context: Context = PLAIN) -> dict[str, str]:
    live = parse_live(text)
    return {at: each.path.rpartition("/")[2] for at, each in match(one, live, derive(live), context).items()}


def file(path: str, **fields: Any) -> Disk:
    return Disk(template="file", logical_id=("loop", path), **fields)


def source(path: str) -> str:
    return f"<source file='{path}'/>"


# By alias


def test_the_alias_is_the_id_of_the_uuid() -> None:
    text = document(disk(0, alias=f"ua-{DATA}"), disk(1, alias=f"ua-{ROOT}"))
    one = instance(file("/a", uuid=UUIDS[0]), file("/b", uuid=UUIDS[1]))
    assert matched(one, text) == {"disks[0]": "disk[2]", "disks[1]": "disk[1]"}


def test_the_alias_is_the_id_in_hvinfo_which_may_be_an_old_one() -> None:
    old = HvInfo(driver="virtio-blk-pci", id="hotdisk-9e7c85f6-pci-4", bus="pci.0", addr="0x4")
    text = document(disk(0), disk(1, alias="ua-hotdisk-9e7c85f6-pci-4"))
    assert matched(instance(file("/a", hvinfo=old)), text) == {"disks[0]": "disk[2]"}


def test_the_alias_goes_before_the_source_and_the_mac() -> None:
    text = document(
        disk(0, source("/a"), alias=f"ua-{DATA}"),
        disk(1, source("/b"), alias=f"ua-{ROOT}"),
        nic(0, "aa:00:00:00:00:02", "ua-nic-9e7c85f6-b6e5-4243"),
        nic(1, "aa:00:00:00:00:01", "ua-nic-1b2c3d4e-aaaa-4bbb"),
    )
    one = instance(
        file("/a", uuid=UUIDS[0]),
        file("/b", uuid=UUIDS[1]),
        Nic(uuid=UUIDS[0], mac="aa:00:00:00:00:01"),
        Nic(uuid=UUIDS[1], mac="aa:00:00:00:00:02"),
    )
    assert matched(one, text) == {
        "nics[0]": "interface[1]",
        "nics[1]": "interface[2]",
        "disks[0]": "disk[2]",
        "disks[1]": "disk[1]",
    }


def test_a_scsi_host_device_is_a_disk_and_another_host_device_is_none() -> None:
    address = "<address type='drive' controller='0' target='1'/>"
    text = document(
        f"<hostdev type='pci'><alias name='ua-{DATA}'/>{SLOT.format(9)}</hostdev>",
        f"<hostdev type='scsi'><alias name='ua-{ROOT}'/>{address}</hostdev>",
    )
    one = instance(file("/a", uuid=UUIDS[0]), file("/b", uuid=UUIDS[1]))
    assert matched(one, text) == {"disks[0]": "hostdev[2]"}


def test_one_alias_twice_is_ambiguous() -> None:
    text = document(disk(0, alias=f"ua-{ROOT}"), disk(1, alias=f"ua-{ROOT}"))
    with pytest.raises(GanetiDataError) as caught:
        matched(instance(file("/a", uuid=UUIDS[0])), text)
    assert str(caught.value) == (
        f"disks[0]: more than one device could be it: /domain/devices/disk[1] (ua-{ROOT}), "
        f"/domain/devices/disk[2] (ua-{ROOT})"
    )


def test_two_disks_of_one_id_are_ambiguous() -> None:
    text = document(disk(0, alias=f"ua-{ROOT}"))
    twin = UUIDS[0][:24] + "000000000000"
    with pytest.raises(GanetiDataError) as caught:
        matched(instance(file("/a", uuid=UUIDS[0]), file("/b", uuid=twin)), text)
    assert str(caught.value) == f"disks[1]: /domain/devices/disk[1] (ua-{ROOT}) could be disks[0] too"


# By MAC


def test_a_nic_is_known_by_its_mac() -> None:
    text = document(nic(0, "AA:00:00:00:00:02"), nic(1, "aa:00:00:00:00:01"))
    one = instance(Nic(mac="aa:00:00:00:00:01"), Nic(mac="aa:00:00:00:00:02"), Nic(mac="aa:00:00:00:00:03"))
    assert matched(one, text) == {"nics[0]": "interface[2]", "nics[1]": "interface[1]"}


def test_one_mac_twice_is_ambiguous() -> None:
    text = document(nic(0, "aa:00:00:00:00:01", "net0"), nic(1, "aa:00:00:00:00:01"))
    with pytest.raises(GanetiDataError) as caught:
        matched(instance(Nic(mac="aa:00:00:00:00:01")), text)
    assert str(caught.value) == (
        "nics[0]: more than one device could be it: /domain/devices/interface[1] (net0), "
        "/domain/devices/interface[2] (aa:00:00:00:00:01)"
    )
    with pytest.raises(GanetiDataError, match=r"^nics\[1\]: .* could be nics\[0\] too$"):
        matched(
            instance(Nic(mac="aa:00:00:00:00:01"), Nic(mac="aa:00:00:00:00:01")),
            document(nic(0, "aa:00:00:00:00:01")),
        )


def test_nics_have_no_order() -> None:
    assert matched(instance(Nic(mac="aa:00:00:00:00:01")), document(nic(0, "aa:00:00:00:00:02"))) == {}


# By source

SOURCES = [
    (Disk(template="plain", logical_id=("xenvg", "root")), "<source dev='/dev/xenvg/root'/>"),
    (Disk(template="drbd", minor=7), "<source dev='/dev/drbd7'/>"),
    (file("/srv/a.img"), "<source file='/srv/a.img'/>"),
    (Disk(template="ext", device="/dev/ext1"), "<source dev='/dev/ext1'/>"),
    (
        Disk(template="blockdev", logical_id=("manual", "/dev/disk/by-id/x")),
        "<source dev='/dev/disk/by-id/x'/>",
    ),
    (
        Disk(template="rbd", logical_id=("rbd", "image1"), params={"pool": "rbd", "access": "kernelspace"}),
        "<source dev='/dev/rbd/rbd/image1'/>",
    ),
    (
        Disk(template="rbd", logical_id=("rbd", "image1"), params={"pool": "rbd", "access": "userspace"}),
        "<source protocol='rbd' name='rbd/image1'/>",
    ),
    (
        Disk(
            template="gluster",
            logical_id=("loop", "ganeti/a.0"),
            params={"access": "userspace", "host": "192.0.2.5", "port": 24007, "volume": "gv0"},
        ),
        "<source protocol='gluster' name='gv0/ganeti/a.0'><host name='192.0.2.5' port='24007'/></source>",
    ),
    (file("/x"), "<source file='/var/run/ganeti/instance-disks/web1:1'/>"),
    (file("/x", link="/elsewhere/web1:1"), "<source dev='/elsewhere/web1:1'/>"),
]


@pytest.mark.parametrize(
    ("one", "opened"), SOURCES, ids=lambda value: value if isinstance(value, str) else ""
)
def test_a_disk_is_known_by_what_it_opens(one: Disk, opened: str) -> None:
    text = document(disk(0, opened), disk(1, source("/other")), disk(2, "<source protocol='nbd' name='x'/>"))
    assert matched(instance(file("/other"), one), text) == {"disks[0]": "disk[2]", "disks[1]": "disk[1]"}


def test_a_disk_of_which_nothing_tells_the_source_is_known_by_its_link() -> None:
    ext = Disk(template="ext", params={"access": "userspace"}, link="/run/link")
    text = document(disk(0), disk(1, "<source dev='/run/link'/>"))
    assert matched(instance(ext), text) == {"disks[0]": "disk[2]"}


def test_what_the_map_renames_is_known_by_its_new_name() -> None:
    context = Context(renames=parse_renames('[paths]\n"/srv/old" = "/srv/new"'))
    text = document(disk(0, source("/srv/new/b")), disk(1, source("/srv/new/a")))
    assert matched(instance(file("/srv/old/a"), file("/srv/old/b")), text, context) == {
        "disks[0]": "disk[2]",
        "disks[1]": "disk[1]",
    }


def test_one_source_twice_is_ambiguous() -> None:
    text = document(disk(0, source("/a")), disk(1, source("/a")))
    with pytest.raises(
        GanetiDataError, match=r"^disks\[0\]: more than one device could be it: .*disk\[1\] \(vda\), "
    ):
        matched(instance(file("/a")), text)
    with pytest.raises(GanetiDataError, match=r"^disks\[1\]: .*disk\[1\] \(vda\) could be disks\[0\] too$"):
        matched(instance(file("/a"), file("/a")), document(disk(0, source("/a"))))


def test_a_long_list_of_candidates_is_cut() -> None:
    text = document(*(disk(0, source(f"/{number}")) for number in range(40)))
    with pytest.raises(GanetiDataError) as caught:
        matched(instance(file("/a"), file("/b")), text)
    assert str(caught.value).startswith(
        "disks[0]: 40 devices could be one of 2 disks: /domain/devices/disk[1] (vda), "
    )
    assert str(caught.value).endswith(" and 24 more")


# By order


def test_what_nothing_identifies_is_known_by_the_order_of_targets() -> None:
    text = document(
        disk(0, target="vdaa"),
        disk(1, target="vdb"),
        disk(2, source("/c"), target="vda"),
        disk(3, target="vdz"),
    )
    one = instance(file("/x"), file("/c"), file("/y"), file("/z"))
    assert matched(one, text) == {
        "disks[0]": "disk[2]",
        "disks[1]": "disk[3]",
        "disks[2]": "disk[4]",
        "disks[3]": "disk[1]",
    }


def test_more_devices_than_disks_are_ambiguous() -> None:
    with pytest.raises(GanetiDataError) as caught:
        matched(instance(file("/x")), document(disk(0, alias="virtio-disk0"), disk(1)))
    assert str(caught.value) == (
        "disks[0]: 2 devices could be one of 1 disks: /domain/devices/disk[1] (virtio-disk0), "
        "/domain/devices/disk[2] (vdb)"
    )


def test_targets_of_two_buses_have_no_order() -> None:
    with pytest.raises(GanetiDataError, match="2 devices could be one of 2 disks"):
        matched(instance(file("/x"), file("/y")), document(disk(0), disk(1, target="sda")))


def test_the_disk_of_another_uuid_is_nobody_by_order() -> None:
    assert matched(instance(file("/x")), document(disk(0, alias=f"ua-{DATA}"))) == {}
    assert matched(instance(file("/x")), document(disk(0, alias="ua-mine"))) == {"disks[0]": "disk[1]"}


def test_drives_are_disks_by_order_only_where_disks_are_cdroms() -> None:
    cdrom = disk(1, source("/cd.iso"), target="sdb", device="cdrom")
    floppy = "<disk device='floppy'><target dev='fda' bus='fdc'/></disk>"
    text = document(disk(0, target="sda"), cdrom, floppy)
    assert matched(instance(file("/x")), text) == {"disks[0]": "disk[1]"}
    one = instance(file("/x"), hvparams=HvParams(disk_type="scsi-cd"))
    assert matched(one, text) == {"disks[0]": "disk[2]"}


def test_nothing_is_known_where_there_is_nothing() -> None:
    assert matched(instance(), document(disk(0))) == {}
    assert matched(instance(file("/x")), document()) == {}


# By metadata


def payload(one: Instance) -> str:
    return metadata.to_text(one, Context())


def test_the_metadata_tells_uuids_of_what_alias_mac_and_source_identify() -> None:
    kept = instance(
        file("/a", uuid=UUIDS[0]),
        file("/b", uuid=UUIDS[1]),
        Nic(uuid=UUIDS[0], mac="aa:00:00:00:00:01"),
    )
    text = document(
        disk(0, source("/new"), alias=f"ua-{ROOT}"),
        disk(1, source("/b")),
        disk(2, source("/c")),
        nic(0, "aa:00:00:00:00:01"),
        nic(1, "aa:00:00:00:00:02"),
        payload=payload(kept),
    )
    found = {each.path.rpartition("/")[2]: each.uuid for each in derive_hvinfo(text)}
    assert found == {
        "disk[1]": UUIDS[0],
        "disk[2]": UUIDS[1],
        "disk[3]": None,
        "interface[1]": UUIDS[0],
        "interface[2]": None,
    }


def test_what_is_ambiguous_has_no_uuid() -> None:
    kept = instance(file("/a", uuid=UUIDS[0]), Nic(uuid=UUIDS[0], mac="aa:00:00:00:00:01"))
    text = document(
        disk(0, source("/a")),
        disk(1, source("/a")),
        nic(0, "aa:00:00:00:00:01"),
        nic(1, "aa:00:00:00:00:01"),
        payload=payload(kept),
    )
    assert {each.uuid for each in derive_hvinfo(text)} == {None}
    twins = instance(*(file("/a", uuid=f"{n}e7c85f6-b6e5-4243-8f5c-1f2a3b4c5d6e") for n in range(3)))
    text = document(disk(0, source("/a")), payload=payload(twins))
    assert {each.uuid for each in derive_hvinfo(text)} == {None}


def test_order_alone_tells_no_uuid() -> None:
    kept = instance(file("/a", uuid=UUIDS[0]))
    assert [each.uuid for each in derive_hvinfo(document(disk(0), payload=payload(kept)))] == [None]


def test_devices_are_matched_by_the_uuid_of_the_metadata() -> None:
    kept = instance(file("/a", uuid=UUIDS[0]), file("/b", uuid=UUIDS[1]))
    text = document(disk(0, source("/b")), disk(1, source("/a")), payload=payload(kept))
    live = parse_live(text)
    moved = instance(file("/elsewhere/a", uuid=UUIDS[0]), file("/elsewhere/b", uuid=UUIDS[1]))
    found = match(moved, live, with_uuids(live, derive(live)))
    assert {at: each.path for at, each in found.items()} == {
        "disks[0]": "/domain/devices/disk[2]",
        "disks[1]": "/domain/devices/disk[1]",
    }


def known(number: int, uuid: str, name: str) -> Disk:
    return file(
        f"/{number}", uuid=uuid, hvinfo=HvInfo(driver="virtio-blk-pci", id=name, bus="pci.0", addr="0x4")
    )


TWO = instance(known(0, UUIDS[0], ROOT), known(1, UUIDS[1], DATA))
UUIDS_OF = {
    "each by its alias": (TWO, (f"ua-{ROOT}", f"ua-{DATA}"), UUIDS),
    "one by its alias, one by what it opens": (TWO, (f"ua-{ROOT}", "virtio-disk1"), UUIDS),
    "one alias twice, so each by what it opens": (
        instance(known(0, UUIDS[0], ROOT), known(1, UUIDS[1], DATA), known(7, UUIDS[1], "disk-gone")),
        (f"ua-{ROOT}", f"ua-{ROOT}"),
        UUIDS,
    ),
    "an id without a uuid": (
        instance(known(0, UUIDS[0], ROOT), known(1, "", DATA)),
        (f"ua-{ROOT}", f"ua-{DATA}"),
        (UUIDS[0], None),
    ),
    "a disk that is not there": (TWO, (f"ua-{DATA}",), UUIDS[1:]),
}


@pytest.mark.parametrize(("kept", "aliases", "uuids"), UUIDS_OF.values(), ids=UUIDS_OF)
def test_uuids_are_the_same_in_one_go_and_step_by_step(
    kept: Instance, aliases: tuple[str, ...], uuids: tuple[str | None, ...]
) -> None:
    disks = [disk(n, source(f"/{n}"), alias=alias) for n, alias in enumerate(aliases)]
    text = document(*disks, payload=payload(kept))
    live = parse_live(text)
    found = derive_hvinfo(text)
    assert tuple(each.uuid for each in found) == uuids
    assert found == with_uuids(live, derive(live))


FOREIGN = ["not JSON", '{"format": 99, "instance": {"name": "a", "uuid": "b"}}', "[" * 10_000, ""]


@pytest.mark.parametrize("text", FOREIGN, ids=["words", "newer", "deep", "empty"])
def test_foreign_metadata_tells_nothing_and_stops_nobody(text: str) -> None:
    found = derive_hvinfo(document(disk(0, alias=f"ua-{ROOT}"), payload=text or " "))
    assert [(each.uuid, each.note) for each in found] == [(None, None)]
    live = parse_live(document(disk(0), payload=text or " "))
    with pytest.raises(GanetiDataError):
        with_uuids(live, derive(live))


def test_a_domain_of_ours_matches_its_own_metadata_whole() -> None:
    live = parse_live(xml("of-ganeti"))
    assert live.metadata is not None
    one = metadata.from_text(live.metadata).instance
    found = match(one, live, derive(live))
    assert set(found) == {"disks[0]", "nics[0]"}
    bare = msgspec.structs.replace(
        one,
        disks=tuple(msgspec.structs.replace(each, uuid="", hvinfo=None) for each in one.disks),
        nics=tuple(msgspec.structs.replace(each, uuid="", hvinfo=None) for each in one.nics),
    )
    assert match(bare, live, derive(live)) == found
    assert json.loads(live.metadata)["format"] == metadata.FORMAT
