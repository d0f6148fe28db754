"""Whatever becomes of a live document: devices or a DomainXmlError, never another exception."""

from __future__ import annotations

import contextlib
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from tests.hvinfo.cases import NAMES, xml
from virtxlate.domain.live import parse_live, read_number
from virtxlate.errors import DomainXmlError, VirtxlateError
from virtxlate.ganeti.model import Disk, Instance, Nic
from virtxlate.translate.dialect import ganeti_scsi_bus, to_ganeti_dialect
from virtxlate.translate.hvinfo import DeviceInfo, derive, derive_hvinfo
from virtxlate.translate.matching import match
from virtxlate.translate.occupancy import occupancy

DOCUMENTS = {name: xml(name) for name in NAMES}
NUMBERS = (
    "0x",
    "-1",
    "0x100000000",
    "4294967296",
    "9" * 5000,
    "0x" + "f" * 5000,
    "1_0",
    " 1",
    "\u0663",
    "1e9",
    "010",
    "0b1",
    "nan",
    "",
    "00",
    "4294967295",
)
WORDS = ("pci", "drive", "usb", "ccw", "virtio", "scsi", "sata", "ide", "fdc", "cdrom", "lun", "hostdev", "x")
INSTANCE = Instance(
    name="a",
    uuid="b",
    disks=(
        Disk(template="file", logical_id=("loop", "/a")),
        Disk(template="plain", uuid="9e7c85f6-b6e5-4243"),
    ),
    nics=(Nic(mac="aa:00:00:00:00:01"),),
)

names = st.sampled_from(NAMES)
values = st.one_of(
    st.sampled_from(NUMBERS),
    st.sampled_from(WORDS),
    st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs"), exclude_characters="\ufffe\uffff")),
)


def everything_of(data: bytes) -> tuple[DeviceInfo, ...]:
    """Do all that virtxlate hvinfo does; give the devices."""
    live = parse_live(data)
    devices = derive(live)
    for device in devices:
        assert (device.hvinfo is None) == (device.note is not None)
        to_ganeti_dialect(device, ganeti_scsi_bus(live)).to_dict()
    occupancy(live)
    with contextlib.suppress(VirtxlateError):
        match(INSTANCE, live, devices)
    return derive_hvinfo(data)


@settings(max_examples=300, deadline=None)
@given(st.data(), names)
def test_changed_bytes(data: st.DataObject, name: str) -> None:
    text = bytearray(DOCUMENTS[name])
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(0, len(text) - 1))
        text[at : at + data.draw(st.integers(0, 20))] = data.draw(st.binary(max_size=8))
    with contextlib.suppress(DomainXmlError):
        everything_of(bytes(text))


def elements(root: etree._Element) -> list[etree._Element]:
    return [each for each in root.iter() if isinstance(each.tag, str)]


def change(data: st.DataObject, root: etree._Element) -> None:
    """Change an attribute, or take an element away, put it twice or elsewhere, or call it something else."""
    found = elements(root)
    one = data.draw(st.sampled_from(found))
    kind = data.draw(st.sampled_from(("set", "set", "set", "drop", "remove", "double", "move", "rename")))
    if kind == "set" and one.attrib:
        one.set(str(data.draw(st.sampled_from(sorted(map(str, one.attrib))))), data.draw(values))
    elif kind == "drop" and one.attrib:
        del one.attrib[data.draw(st.sampled_from(sorted(map(str, one.attrib))))]
    elif kind == "rename" and one is not root:
        one.tag = data.draw(
            st.sampled_from(("disk", "address", "alias", "controller", "source", "new", "hostdev"))
        )
    parent = one.getparent()
    if parent is None:
        return
    if kind == "remove":
        parent.remove(one)
    elif kind == "double":
        parent.append(etree.fromstring(etree.tostring(one)))
    elif kind == "move":
        outside = [each for each in found if one not in (each, *each.iterancestors())]
        data.draw(st.sampled_from(outside)).append(one)


@settings(max_examples=500, deadline=None)
@given(st.data(), names)
def test_changed_elements(data: st.DataObject, name: str) -> None:
    root = etree.fromstring(DOCUMENTS[name])
    for _ in range(data.draw(st.integers(1, 6))):
        change(data, root)
    everything_of(etree.tostring(root))


@settings(max_examples=200, deadline=None)
@given(st.data(), names)
def test_a_change_of_one_device_changes_no_other_of_its_bus(data: st.DataObject, name: str) -> None:
    """Only the device itself, and where it stands: places are not of one's neighbours."""
    root = etree.fromstring(DOCUMENTS[name])
    before = derive_hvinfo(DOCUMENTS[name])
    device = data.draw(st.sampled_from(before))
    (element,) = root.xpath(device.path)
    assert isinstance(element, etree._Element)
    one = data.draw(st.sampled_from(elements(element)))
    if one.attrib:
        one.set(str(data.draw(st.sampled_from(sorted(map(str, one.attrib))))), data.draw(values))
    after = derive_hvinfo(etree.tostring(root))
    assert [a for a, b in zip(before, after, strict=True) if a != b and a.path != device.path] == []


@given(values)
def test_a_number_is_read_whole_or_refused(text: str) -> None:
    try:
        number: Any = read_number(text)
    except ValueError:
        return
    assert number == int(text or "0", 16 if "x" in text.lower() else 10)
    assert 0 <= number < 2**32
    assert text.isascii()
