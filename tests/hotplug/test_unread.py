"""A device in the words of a newer libvirt hinders no other: its place and names stay its own."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from lxml import etree

from tests.hotplug.domains import DISK_IDS, DISKS, domain_of, ganeti, hotplug, places
from tests.hotplug.fake_domain import FakeDomain
from virtxlate.errors import VirtxlateError
from virtxlate.hotplug.session import Hotplug

AT_0E = '<address type="pci" domain="0x0000" bus="0x00" slot="0x0e" function="0x0"/>'
DEVICES = {
    "controller type": f'<controller type="newbus" index="0">{AT_0E}</controller>',
    "disk type": f'<disk type="newtype" device="disk"><target dev="vdb" bus="virtio"/>{AT_0E}</disk>',
    "disk device": f'<disk type="file" device="new"><target dev="vdb" bus="virtio"/>{AT_0E}</disk>',
    "disk without a target": f'<disk type="file" device="disk"><source file="/x"/>{AT_0E}</disk>',
    "interface type": f'<interface type="newnet"><mac address="52:54:00:00:00:77"/>{AT_0E}</interface>',
    "host device type": f'<hostdev mode="subsystem" type="newtype">{AT_0E}</hostdev>',
    "video model": f'<video><model type="newvideo"/>{AT_0E}</video>',
    "element": f'<newdevice model="x">{AT_0E}</newdevice>',
}


def with_device(xml: str) -> FakeDomain:
    found = domain_of(ganeti(1, 1))
    for document in (found.live, found.config):
        if document is not None:
            text = etree.tostring(document.root, encoding="unicode")
            document.root = etree.fromstring(text.replace("</devices>", f"{xml}</devices>"))
    return found


@pytest.mark.parametrize("name", DEVICES)
def test_another_is_added_beside_it_and_removed(name: str) -> None:
    found = with_device(DEVICES[name])
    before = found.live_xml()
    done = hotplug(found).add_disk(DISKS[1])
    assert done.hvinfo is not None
    assert (done.hvinfo.addr, places(found)[DISK_IDS[1]]) == ("0xf", "0:0x0f")
    assert done.device is not None
    assert done.device.target == ("vdc" if name in {"disk type", "disk device"} else "vdb")
    hotplug(found).remove("disk", "1")
    assert DISK_IDS[1] not in found.live_xml()
    assert before.count("<disk") == found.live_xml().count("<disk")


CHANGES: dict[str, Callable[[Hotplug], object]] = {
    "disk type": lambda session: session.modify_disk("1", mode="ro"),
    "interface type": lambda session: session.modify_nic("1", link="br1"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_it_is_not_changed_but_told(name: str) -> None:
    found = with_device(DEVICES[name])
    with pytest.raises(VirtxlateError) as caught:
        CHANGES[name](Hotplug(found))
    path = {"disk type": "disk[4]", "interface type": "interface[2]"}[name]
    assert str(caught.value).endswith(
        f"/domain/devices/{path} has words that are not known: it can be removed, but not changed"
    )
    assert found.calls == []
