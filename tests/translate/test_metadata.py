"""The Ganeti objects in the metadata: their text, and what of them stays when the document was edited."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tests.translate.building import back, disk, instance, nic, there
from virtxlate import Context, GanetiDataError, Report, place
from virtxlate.domain import model as domain
from virtxlate.ganeti.hvinfo import HvInfo
from virtxlate.ganeti.model import Disk, Instance, Nic
from virtxlate.translate import metadata
from virtxlate.translate.metadata import Payload, match_devices, merge

replace = msgspec.structs.replace
KEPT = Context()
ONE = instance((disk(0), disk(1)), (nic(0, ip="192.0.2.7"), nic(1)))


def test_the_text_is_what_its_description_shows() -> None:
    text = metadata.to_text(Instance(name="a", uuid="b"), Context(disk_paths="link"))
    assert text == '{"format":1,"disk_paths":"link","instance":{"name":"a","uuid":"b","hvparams":{}}}'
    assert metadata.from_text(text) == Payload(disk_paths="link", instance=Instance(name="a", uuid="b"))


BAD = [
    ("", "metadata: not JSON: Input data was truncated"),
    ("{}", "metadata: object missing required field instance"),
    ('{"instance": {"name": "a"}}', "metadata.instance: object missing required field uuid"),
    ('{"format": 2, "instance": {"name": "a", "uuid": "b"}}', "metadata.format: expected format 1, found 2"),
    (
        '{"disk_paths": "x", "instance": {"name": "a", "uuid": "b"}}',
        "metadata.disk_paths: invalid enum value 'x'",
    ),
    (
        (
            '{"instance": {"name": "a", "uuid": "b", "nics": [{"mac": "c", "hvinfo":'
            ' {"driver": "d", "id": "e", "bus": "pci.0", "addr": "x"}}]}}'
        ),
        "metadata.instance.nics[0].hvinfo.addr: expected a slot such as '0xc', found 'x'",
    ),
    (
        (
            '{"instance": {"name": "a", "uuid": "b", "disks": [{"template": "plain"}, {"template": "plain",'
            ' "hvinfo": {"driver": "d", "id": "e", "bus": "scsi.0", "lun": 0}}]}}'
        ),
        "metadata.instance.disks[1].hvinfo: expected channel, scsi-id and lun together",
    ),
]


@pytest.mark.parametrize(("text", "message"), BAD)
def test_metadata_of_somebody_else_is_refused(text: str, message: str) -> None:
    with pytest.raises(GanetiDataError) as caught:
        back(replace(there(ONE, KEPT), metadata=text))
    assert str(caught.value) == message


@pytest.mark.parametrize("disk_paths", ["device", "link"])
def test_an_untouched_document_gives_back_the_placed_instance(disk_paths: Any) -> None:
    report = Report()
    assert back(there(ONE, Context(disk_paths=disk_paths)), report=report) == place(ONE)
    assert report.losses == ()


MERGES: list[tuple[Any, Any, Any, Any]] = [
    (1, 2, 2, 1),
    (1, 3, 2, 3),
    ("a", None, None, "a"),
    (nic(name="x"), nic(), nic(), nic(name="x")),
    (nic(name="x"), nic(link="br1"), nic(), nic(name="x", link="br1")),
    (nic(ip="x"), nic(ip=None), nic(ip="y"), nic(ip=None)),
    (nic(), disk(), nic(), disk()),
    (None, nic(), None, nic()),
]


@pytest.mark.parametrize(("kept", "told", "expected", "merged"), MERGES)
def test_only_what_the_document_changed_is_changed(kept: Any, told: Any, expected: Any, merged: Any) -> None:
    assert merge(kept, told, expected) == merged


def known(device_id: str, mac: str) -> Nic:
    return Nic(mac=mac, hvinfo=HvInfo(driver="x", id=device_id, bus="pci.0", addr="0x5"))


A, B, C = known("a", "1"), known("b", "2"), known("c", "3")
NAMELESS = (Nic(mac="1"), Nic(mac="2"))
MATCHES = [
    ((), (), ()),
    ((A, B), (A, B), (0, 1)),
    ((B, A), (A, B), (1, 0)),
    ((B,), (A, B), (1,)),
    ((A, C, B), (A, B), (0, None, 1)),
    ((known("a", "9"), B), (A, B), (0, 1)),
    ((Nic(mac="1"), B), (A, B), (0, 1)),
    ((Nic(mac="9"), B), (A, B), (None, 1)),
    (NAMELESS, NAMELESS, (0, 1)),
    (NAMELESS[::-1], NAMELESS, (1, 0)),
    (NAMELESS[1:], NAMELESS, (1,)),
    ((Nic(mac="9"), Nic(mac="2")), NAMELESS, (0, 1)),
    ((Nic(mac="9"),), NAMELESS, (None,)),
    ((Nic(mac="1"), Nic(mac="1")), (Nic(mac="1"), Nic(mac="1")), (0, 1)),
    ((known("b", "1"), known("a", "2")), (A, B), (1, 0)),
]


@pytest.mark.parametrize(("told", "expected", "matches"), MATCHES)
def test_devices_are_known_by_id_then_by_key_then_by_position(
    told: tuple[Nic, ...], expected: tuple[Nic, ...], matches: tuple[int | None, ...]
) -> None:
    assert match_devices(told, expected, lambda one: one.mac) == matches


def with_devices(found: domain.Domain, **devices: Any) -> domain.Domain:
    return replace(found, devices=replace(found.devices, **devices))


def test_a_new_disk_is_as_the_document_tells_it_and_what_it_does_not_tell_is_reported() -> None:
    found, report = there(ONE, KEPT), Report()
    new = domain.Disk(
        type="block",
        target="vdx",
        bus="virtio",
        source=domain.DiskSource(dev="/dev/vg/new"),
        cache="writeback",
        io="threads",
        discard="ignore",
    )
    again = back(with_devices(found, disks=(*found.devices.disks[:2], new)), report=report)
    assert again == replace(
        place(ONE), disks=(*place(ONE).disks, Disk(template="plain", logical_id=("vg", "new")))
    )
    assert {loss.path.partition(".")[0] for loss in report.losses} == {"disks[2]"}


def test_what_an_edit_lost_is_reported() -> None:
    found, report = there(ONE, KEPT), Report()
    odd = replace(found, memory=domain.Memory(value=131073, unit="KiB"))
    assert back(odd, report=report).beparams.maxmem == 129
    assert [loss.path for loss in report.losses] == ["beparams.maxmem"]


def test_parameters_stay_when_the_devices_that_told_them_are_gone() -> None:
    one = instance(
        (disk(),),
        (nic(),),
        disk_type="scsi-hd",
        scsi_controller_type="megasas",
        nic_type="e1000",
        disk_cache="none",
        boot_order="network",
    )
    found = there(one, KEPT)
    bare = with_devices(found, disks=(), interfaces=(), controllers=())
    assert back(bare) == replace(one, disks=(), nics=(), disk_template="diskless")


def test_a_template_that_no_disk_has_stays_as_long_as_no_disk_changes() -> None:
    one = replace(instance(), disk_template="plain")
    assert back(there(one, KEPT)).disk_template == "plain"


def test_ide_disks_have_no_id_and_are_known_by_what_they_open() -> None:
    one = instance((disk(0, size_mib=1), disk(1, size_mib=2)), disk_type="ide")
    found = there(one, KEPT)
    second = with_devices(found, disks=found.devices.disks[1:])
    assert back(second).disks == place(one).disks[1:]


@pytest.mark.parametrize("version", [-1, 100_000_000])
def test_a_version_that_no_table_counts_is_refused(version: int) -> None:
    text = f'{{"format":1,"instance":{{"name":"a","uuid":"b","version":{version}}}}}'
    with pytest.raises(GanetiDataError, match="version"):
        metadata.from_text(text)
