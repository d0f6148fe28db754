"""What is tried is the same machine without anything of the guest's: every edit of a document, whole."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.hardware.recorded import replayed
from virtxlate.handover.facts import running
from virtxlate.handover.rehearsal import images_of, prepare
from virtxlate.hardware.inspect import inspect

UUID = "00000000-0000-4000-8000-000000000001"
FOUND = running(inspect(replayed("plugged-3.2")))
PLACE = '<address type="pci" domain="0x0000" bus="0x00" slot="{}" function="0x0"/>'


def domain(devices: str, rest: str = "") -> str:
    return (
        '<domain type="qemu" xmlns:qemu="http://libvirt.org/schemas/domain/qemu/1.0"><name>inst1</name>'
        "<uuid>11111111-2222-4333-8444-555555555555</uuid><memory>1</memory>"
        f"<os><type>hvm</type></os>{rest}<devices>{devices}</devices></domain>"
    )


def tried(devices: str, rest: str = "") -> str:
    """The devices of the rehearsal."""
    text = prepare(domain(devices, rest), FOUND, uuid=UUID, scratch=Path("/scratch")).xml
    return text.partition("<devices>")[2].partition("</devices>")[0]


EDITS: dict[str, tuple[str, str]] = {
    "a disk": (
        """<disk type="block" device="disk">
        <driver name="qemu" type="raw" cache="none" io="native" packed="on"/>
        <source dev="/dev/xenvg/disk0"><reservations managed="yes"/></source><auth username="u"/>
        <target dev="vda" bus="virtio"/><serial>X</serial></disk>""",
        """<disk type="file" device="disk"><driver name="qemu" type="raw" cache="writeback" packed="on"/>
        <target dev="vda" bus="virtio"/><serial>X</serial><source file="/scratch/0.img"/></disk>""",
    ),
    "an empty drive": (
        """<disk type="file" device="cdrom"><target dev="hdc" bus="ide"/></disk>""",
        """<disk type="file" device="cdrom"><target dev="hdc" bus="ide"/></disk>""",
    ),
    "a NIC": (
        """<interface type="bridge" managed="no"><mac address="aa:00:00:00:00:00"/><source bridge="br0"/>
        <vlan><tag id="1"/></vlan><virtualport type="openvswitch"/><target dev="tap0"/><mtu size="1400"/>
        <model type="virtio"/><driver name="qemu"/></interface>""",
        """<interface type="ethernet"><mac address="aa:00:00:00:00:00"/><mtu size="1400"/>
        <model type="virtio"/><driver name="qemu"/></interface>""",
    ),
    "a display": (
        """<graphics type="spice" port="5901" tlsPort="5902" passwd="s3cret" keymap="de" defaultMode="secure">
        <listen type="address" address="::"/><channel name="main" mode="secure"/><mouse mode="server"/>
        </graphics>""",
        """<graphics type="spice" autoport="yes" listen="127.0.0.1" keymap="de"><mouse mode="server"/>
        </graphics>""",
    ),
    "ports": (
        """<serial type="unix"><source mode="bind" path="/run/x"/><target port="0"/></serial>
        <parallel type="file"><source path="/tmp/lp"/><target port="0"/></parallel>
        <channel type="unix"><source mode="bind" path="/run/y"/><target type="virtio" name="n"/></channel>""",
        """<serial type="pty"><target port="0"/></serial><parallel type="null"><target port="0"/></parallel>
        <channel type="unix"><target type="virtio" name="n"/></channel>""",
    ),
}


def plain(text: str) -> str:
    return re.sub(r"\s*\n\s*", "", re.sub(r">\s+<", "><", text))


@pytest.mark.parametrize("name", EDITS)
def test_what_is_of_the_host_goes_and_what_is_of_the_guest_stays(name: str) -> None:
    before, after = EDITS[name]
    assert plain(tried(before)) == plain(after)


def test_a_name_and_a_uuid_of_its_own() -> None:
    rest = "<metadata><x/></metadata><seclabel type='none'/><memoryBacking><hugepages/></memoryBacking>"
    text = prepare(domain("", rest), FOUND, uuid=UUID, scratch=Path("/scratch")).xml
    assert text == (
        '<domain xmlns:qemu="http://libvirt.org/schemas/domain/qemu/1.0" type="qemu">'
        f"<name>inst1-rehearsal</name><uuid>{UUID}</uuid><memory>1</memory>"
        "<os><type>hvm</type></os><devices/></domain>"
    )


def test_images_have_the_size_of_the_guests_disks(tmp_path: Path) -> None:
    made = prepare(
        domain(
            '<disk type="file" device="disk"><source file="/a"/><target dev="vda" bus="virtio"/>'
            + PLACE.format("0x1e")
            + '</disk><disk type="file" device="disk"><source file="/b"/><target dev="vdb" bus="virtio"/>'
            + PLACE.format("0x1f")
            + "</disk>"
        ),
        FOUND,
        uuid=UUID,
        scratch=tmp_path,
    )
    assert made.images == {"0.img": 32 << 20, "1.img": 1 << 20}
    with images_of(made, tmp_path):
        assert {path.name: path.stat().st_size for path in tmp_path.iterdir()} == made.images
    assert list(tmp_path.iterdir()) == []


def test_what_only_one_qemu_may_have_is_left_out_and_told() -> None:
    devices = (
        '<disk type="block" device="lun"><source dev="/dev/sdb"/><target dev="sda" bus="scsi"/></disk>'
        '<hostdev mode="subsystem" type="scsi"><source><adapter name="scsi_host0"/>'
        '<address bus="0" target="0" unit="0"/></source></hostdev>'
    )
    made = prepare(domain(devices), FOUND, uuid=UUID, scratch=Path("/scratch"))
    assert (made.left_out, made.opens) == (("hostdev scsi", "disk sda"), ())
    assert "<devices/>" in made.xml


OPENING: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "a drive": (("-drive", "file=/x"), ("qemu:arg -drive",)),
    "a socket that the running QEMU listens on": (
        ("-monitor", "unix:/run/x,server,nowait"),
        ("qemu:arg -monitor",),
    ),
    "a log": (("-serial", "file:/var/log/x"), ("qemu:arg -serial",)),
    "a card of the host": (("-device", "vfio-pci,host=01:00.0"), ("qemu:arg -device",)),
    "a USB device of the host": (("-usbdevice", "host:1234:5678"), ("qemu:arg -usbdevice",)),
    "one in JSON": (("-device", '{"driver":"usb-host","hostbus":1}'), ("qemu:arg -device",)),
    "memory in a file": (
        ("-object", "memory-backend-file,id=m,mem-path=/dev/shm/x"),
        ("qemu:arg -object",),
    ),
    "a port": (("-spice", "port=5901"), ("qemu:arg -spice",)),
    "a card": (("-device", "virtio-rng-pci,rng=r", "-object", "rng-random,id=r"), ()),
    "what only QEMU reads": (("-global", "a.b=c", "-fw_cfg", "name=opt/x,string=y", "-cpu", "host"), ()),
    "the ciphers of SPICE": (("-spice", "tls-ciphers=HIGH"), ()),
    "a tablet in JSON": (("-device", '{"driver":"usb-tablet","port":"1"}'), ()),
}


@pytest.mark.parametrize("name", OPENING)
def test_words_that_open_something_of_the_host_are_told(name: str) -> None:
    words, opens = OPENING[name]
    arguments = "".join(f'<qemu:arg value="{word.replace(chr(34), "&quot;")}"/>' for word in words)
    rest = f"<qemu:commandline>{arguments}</qemu:commandline>"
    made = prepare(domain("", rest), FOUND, uuid=UUID, scratch=Path("/scratch"))
    assert (made.opens, made.left_out) == (opens, ())
