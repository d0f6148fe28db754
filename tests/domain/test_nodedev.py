"""Node devices: read as they are written, with libvirt's own schema as judge of the shipped one."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from lxml import etree

from tests.npiv.host import DEVICES
from virtxlate.domain.grammar import schema_path
from virtxlate.domain.nodedev import NodeDevice, ScsiHost, format_node_device, parse_node_device, parse_wwn
from virtxlate.domain.vhba import Vhba, vhba_xml
from virtxlate.xmlmap import Leftover

XSD = etree.XMLSchema(etree.parse(str(schema_path().with_name("nodedev.xsd"))))
RNG = Path("/usr/share/libvirt/schemas/nodedev.rng")
PARENTS = (
    {"parent": "scsi_host5"},
    {"parent_wwnn": "2000000000000005", "parent_wwpn": "1000000000000005"},
    {"parent_fabric_wwn": "2000000043214321"},
)
NAMES = {"wwnn": "20000000c9831b4b", "wwpn": "10000000c9831b4b"}
ASKED = tuple(parse_node_device(vhba_xml(Vhba(**parent, **NAMES))) for parent in PARENTS)


@pytest.mark.parametrize("device", [*DEVICES, *ASKED], ids=lambda device: str(device.name))
def test_a_node_device_is_read_as_it_was_written(device: NodeDevice) -> None:
    assert parse_node_device(format_node_device(device)) == device


@pytest.mark.parametrize("device", [*DEVICES, *ASKED], ids=lambda device: str(device.name))
def test_the_schema_takes_what_is_written(device: NodeDevice) -> None:
    assert XSD.validate(etree.fromstring(format_node_device(device))), XSD.error_log


@pytest.mark.oracle
@pytest.mark.parametrize("device", [*DEVICES, *ASKED], ids=lambda device: str(device.name))
def test_libvirts_schema_takes_what_is_written(device: NodeDevice) -> None:
    """It wants a host number and a device's name even of what libvirt is to make."""
    capability = device.capability
    if isinstance(capability, ScsiHost):
        capability = msgspec.structs.replace(capability, host=5)
    full = msgspec.structs.replace(device, name=device.name or "new", capability=capability)
    judge = etree.RelaxNG(etree.parse(str(RNG)))
    assert judge.validate(etree.fromstring(format_node_device(full))), judge.error_log


BAD = (
    "<device/>",
    "<device><capability/></device>",
    "<device><capability type='scsi_hots'/></device>",
    "<device><parent wwnn='20000000c9831b4'/><capability type='scsi_host'/></device>",
    "<device><parent wwnm='20000000c9831b4b'/><capability type='scsi_host'/></device>",
    "<device><parent>two words</parent><capability type='scsi_host'/></device>",
    "<device><capability type='scsi_host'><host>x</host></capability></device>",
    "<device><capability type='scsi_host'><capability type='x'/></capability></device>",
    "<device><capability type='scsi'><capability><wwpn>1</wwpn></capability></capability></device>",
    "<device><capability type='scsi_host'/><capability type='scsi_host'/></device>",
)


@pytest.mark.parametrize("text", BAD)
def test_the_schema_refuses_what_is_none(text: str) -> None:
    assert not XSD.validate(etree.fromstring(text))


WWNS = {
    "20000000c9831b4b": "20000000c9831b4b",
    "20000000C9831B4B": "20000000c9831b4b",
    "0x20000000c9831b4b": "20000000c9831b4b",
}


@pytest.mark.parametrize("text", WWNS)
def test_a_world_wide_name_has_one_spelling(text: str) -> None:
    assert parse_wwn(text) == WWNS[text]


@pytest.mark.parametrize(
    "text", ["", "0x", "2000000", "20000000c9831b4g", "20000000c9831b4b0", "20000000c9831b4b\n"]
)
def test_other_texts_are_no_world_wide_name(text: str) -> None:
    with pytest.raises(ValueError, match="expected a world wide name, 16 hexadecimal digits, found "):
        parse_wwn(text)


def test_a_device_of_another_kind_is_read_as_far_as_it_is_known() -> None:
    leftovers: list[Leftover] = []
    text = "<device><name>pci_0</name><capability type='pci'><bus>0</bus></capability></device>"
    assert parse_node_device(text, leftovers) == NodeDevice(name="pci_0")
    assert leftovers == [Leftover(path="/device/capability/@type", line=1, reason="unknown word 'pci'")]
