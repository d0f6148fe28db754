"""From options and objects to Ganeti's disks and NICs; what is not given is made."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from virtxlate.cli.changes import RANDOM, Change, Makers, read_changes
from virtxlate.errors import GanetiDataError, UsageError
from virtxlate.ganeti.model import Disk, Nic
from virtxlate.ganeti.words import MAC_PATTERN, UUID_PATTERN
from virtxlate.report import Report
from virtxlate.translate.context import Context, Renames
from virtxlate.translate.switch import Kind

UUID = "932df160-7a22-4067-a566-7e0ca8386133"
MADE = "00000000-0000-4000-8000-00000000000{}"
MAC = "aa:00:00:11:22:33"


def makers() -> Makers:
    """Give makers that count."""
    uuids, macs = count(1), count(1)
    return Makers(lambda: MADE.format(next(uuids)), lambda: f"aa:00:00:00:00:{next(macs):02x}")


def read(*given: tuple[str, str], verb: str = "add", context: Context | None = None) -> tuple[Change, ...]:
    return read_changes(given, verb, context or Context(), Report(), makers())


DISKS: list[tuple[str, dict[str, Any]]] = [
    ("path=/dev/xenvg/u1.disk1", {"template": "plain", "logical_id": ("xenvg", "u1.disk1")}),
    ("path=/dev/drbd7", {"template": "drbd", "minor": 7}),
    ("path=/dev/sdb", {"template": "blockdev", "logical_id": ("manual", "/dev/sdb")}),
    (
        "path=/dev/rbd/pool/image",
        {
            "template": "rbd",
            "logical_id": ("rbd", "image"),
            "params": {"access": "kernelspace", "pool": "pool"},
        },
    ),
    ("path=/srv/a.img", {"template": "file", "logical_id": ("loop", "/srv/a.img")}),
    (
        "path=/var/run/ganeti/instance-disks/web1:1",
        {"template": "blockdev", "logical_id": ("manual", "/var/run/ganeti/instance-disks/web1:1")},
    ),
    (
        "path=/srv/a.img,template=sharedfile",
        {"template": "sharedfile", "logical_id": ("loop", "/srv/a.img")},
    ),
    (
        "path=/dev/xenvg/lv,template=blockdev",
        {"template": "blockdev", "logical_id": ("manual", "/dev/xenvg/lv")},
    ),
    (
        "path=/srv/a.img,mode=ro,name=data,size=20G",
        {
            "template": "file",
            "logical_id": ("loop", "/srv/a.img"),
            "mode": "ro",
            "name": "data",
            "size_mib": 20480,
        },
    ),
    (
        "path=/srv/a.img,size=1B,name=none",
        {"template": "file", "logical_id": ("loop", "/srv/a.img"), "size_mib": 1},
    ),
]
NICS: list[tuple[str, dict[str, Any]]] = [
    ("link=br0", {"link": "br0", "mac": "aa:00:00:00:00:01"}),
    ("link=br0,mac=generate", {"link": "br0", "mac": "aa:00:00:00:00:01"}),
    ("mode=routed,link=100,ip=10.0.0.7,mac=auto", {"mode": "routed", "link": "100", "ip": "10.0.0.7"}),
    ("mode=openvswitch,link=sw1,vlan=100", {"mode": "openvswitch", "link": "sw1", "vlan": ".100"}),
    (f"link=br0,vlan=.5:10:20,network={UUID}", {"link": "br0", "vlan": ".5:10:20", "network": UUID}),
    ("link=br0,name=lan,ip=none,network=none", {"link": "br0", "name": "lan"}),
]


@pytest.mark.parametrize(("text", "fields"), DISKS)
def test_a_path_tells_the_template(text: str, fields: dict[str, Any]) -> None:
    made = {"uuid": MADE.format(1)}
    disk = Disk(uuid=MADE.format(1), **fields)
    assert read(("--disk", f"add:{text}")) == (Change(action="add", kind="disk", device=disk, made=made),)


@pytest.mark.parametrize(("text", "fields"), NICS)
def test_a_nic_is_what_is_said_of_it(text: str, fields: dict[str, Any]) -> None:
    made = {"uuid": MADE.format(1), "mac": "aa:00:00:00:00:01"}
    nic = Nic(**{"uuid": MADE.format(1), "mac": "aa:00:00:00:00:01", **fields})
    assert read(("--net", f"add:{text}")) == (Change(action="add", kind="nic", device=nic, made=made),)


def test_what_is_given_is_not_made() -> None:
    disk = Disk(uuid=UUID, template="file", logical_id=("loop", "/srv/a"))
    nic = Nic(uuid=UUID, mac=MAC, link="br0")
    assert read(
        ("--disk", f"0:add:path=/srv/a,uuid={UUID.upper()}"), ("--net", f"link=br0,mac={MAC},uuid={UUID}")
    ) == (
        Change(action="add", kind="disk", device=disk, index=0),
        Change(action="add", kind="nic", device=nic),
    )


def test_what_is_made_is_made_as_ganeti_makes_it() -> None:
    assert Disk(uuid=RANDOM.uuid(), template="file").uuid != RANDOM.uuid()
    for text, pattern in ((RANDOM.uuid(), UUID_PATTERN), (RANDOM.mac(), MAC_PATTERN)):
        assert re.match(pattern, text)
    assert RANDOM.mac().startswith("aa:00:00:")


def test_a_path_is_one_of_the_domains_host() -> None:
    context = Context(renames=Renames({"paths": {"/dev/xenvg": "/dev/vg0"}}))
    (change,) = read(("--disk", "path=/dev/vg0/lv"), context=context)
    assert change.device == Disk(uuid=MADE.format(1), template="plain", logical_id=("xenvg", "lv"))


CHANGES: list[tuple[str, str, str, dict[str, Any], dict[str, str]]] = [
    ("--disk", "0:name=none,mode=ro", "0", {"name": None, "mode": "ro"}, {}),
    ("--disk", "data:size=2T", "data", {"size_mib": 2 << 20}, {}),
    (
        "--disk",
        "1:path=/dev/vg/lv",
        "1",
        {"template": "plain", "logical_id": ("vg", "lv"), "params": {}, "minor": None},
        {},
    ),
    ("--net", "1:mac=generate,link=br1", "1", {"mac": "aa:00:00:00:00:01", "link": "br1"}, {"mac": "..."}),
    ("--net", f"{MAC}:state=down", MAC, {"state": "down"}, {}),
    ("--net", "0:vlan=,ip=none,network=none", "0", {"vlan": "", "ip": None, "network": None}, {}),
]


@pytest.mark.parametrize(("option", "text", "which", "values", "made"), CHANGES)
def test_a_change_has_what_is_said_and_no_more(
    option: str, text: str, which: str, values: dict[str, Any], made: dict[str, str]
) -> None:
    kind = "disk" if option == "--disk" else "nic"
    made = {name: values[name] for name in made}
    assert read((option, text), verb="modify") == (
        Change(action="modify", kind=kind, which=which, values=values, made=made),
    )


@pytest.mark.parametrize("to", ["lun", "disk"])
def test_a_disk_is_switched_by_one_word(to: Kind) -> None:
    assert read(("--disk", f"data:device={to}"), verb="modify") == (
        Change(action="modify", kind="disk", which="data", to=to),
    )


def test_the_order_is_that_of_the_options() -> None:
    found = read(("--net", "1:remove"), ("--disk", "remove"), ("--net", "0:link=br1"), verb="modify")
    assert [(each.action, each.kind, each.which) for each in found] == [
        ("remove", "nic", "1"),
        ("remove", "disk", "-1"),
        ("modify", "nic", "0"),
    ]


DISK_KEYS = "path, uuid, name, mode, size, template"
TEMPLATES = "plain, file, sharedfile, blockdev"
MODES = "bridged, routed, openvswitch, ext"
WRONG = [
    ("--disk", "add:pth=/x", f"expected a key of {DISK_KEYS}, found 'pth'; did you mean path?"),
    ("--disk", "add:zzz=/x", f"expected a key of {DISK_KEYS}, found 'zzz'"),
    ("--disk", "add:name=x", "expected path=PATH, found none; --object has all other disks"),
    ("--disk", "add:template=file", "template says what the path is of: give path= too"),
    ("--disk", "add:path=a.img", "path: expected an absolute path, found 'a.img'"),
    ("--disk", "add:path=/a,mode=r", "mode: expected one of rw, ro, found 'r'"),
    ("--disk", "add:path=/a,uuid=x", "uuid: expected a UUID, found 'x'"),
    ("--disk", "add:path=/a,template=ext", f"template: expected one of {TEMPLATES}, found 'ext'"),
    ("--disk", "add:path=/a,template=plain", "path: expected /dev/VG/LV for template plain, found '/a'"),
    ("--disk", "1:device=cdrom", "device: expected one of lun, disk, found 'cdrom'"),
    (
        "--disk",
        "1:device=lun,name=a,mode=ro",
        "device stands alone: give name, mode in a --disk before it",
    ),
    ("--disk", "add:path=/a,device=lun", f"expected a key of {DISK_KEYS}, found 'device'"),
    ("--net", "add:link=br0,mac=12", "mac: expected a MAC, or generate, found '12'"),
    ("--net", "add:link=br0,mode=nat", f"mode: expected one of {MODES}, found 'nat'"),
    ("--net", "add:link=br0,vlan=x", "vlan: expected '.100', ':10:20' or '.5:10:20', found 'x'"),
    ("--net", "add:link=br0,network=lan", "network: expected the UUID of a Ganeti network, found 'lan'"),
    ("--net", "add:link=br0,ip=pool", "ip: expected an address, or none, found 'pool'"),
    ("--net", "0:state=off", "state: expected one of up, down, found 'off'"),
    ("--net", "0:uuid=x", "expected a key of link, mode, vlan, mac, ip, network, name, state, found 'uuid'"),
]


@pytest.mark.parametrize(("option", "text", "message"), WRONG)
def test_a_wrong_word_is_told_with_those_that_are_allowed(option: str, text: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        read((option, text), verb="modify")
    assert str(caught.value) == f"{option} {text!r}: {message}"


def test_a_wrong_size_is_told_with_its_option() -> None:
    with pytest.raises(UsageError, match=r"^--disk 'add:path=/a,size=big': size: expected a size such as"):
        read(("--disk", "add:path=/a,size=big"))


@pytest.mark.parametrize("verb", ["add", "remove", "modify"])
def test_nothing_asked_is_told(verb: str) -> None:
    with pytest.raises(UsageError, match=f"^nothing to {verb}: give --disk, --net or --object$"):
        read(verb=verb)


# Objects

PLAIN = {"dev_type": "plain", "uuid": UUID, "size": 1024, "logical_id": ["xenvg", "d1"], "mode": "rw"}
BRIDGED = {"mac": MAC, "uuid": UUID, "nicparams": {"mode": "bridged", "link": "br0"}}
DISK = Disk(uuid=UUID, template="plain", size_mib=1024, logical_id=("xenvg", "d1"))
NIC = Nic(uuid=UUID, mac=MAC, link="br0")


@pytest.mark.parametrize(("verb", "which"), [("add", "-1"), ("remove", UUID), ("modify", UUID)])
def test_an_object_is_one_of_ganetis_rpc(tmp_path: Path, verb: str, which: str) -> None:
    path = tmp_path / "objects.json"
    path.write_text(json.dumps([PLAIN, BRIDGED]))
    assert read(("--object", str(path)), verb=verb) == (
        Change(action=verb, kind="disk", device=DISK, which=which),
        Change(action=verb, kind="nic", device=NIC, which=which),
    )


def test_an_object_without_uuid_is_given_one(stdin: Callable[[bytes], Any]) -> None:
    stdin(json.dumps({**BRIDGED, "uuid": None}).encode())
    (change,) = read(("--object", "-"))
    assert change.made == {"uuid": MADE.format(1)}
    assert change.device == Nic(uuid=MADE.format(1), mac=MAC, link="br0")


WRONG_OBJECTS = [
    ("{", "add", "not JSON: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
    ("[" * 100_000, "add", "not JSON: "),
    ("[1]", "add", "[0]: expected an object with dev_type (a disk) or mac (a NIC)"),
    ("{}", "add", "expected an object with dev_type (a disk) or mac (a NIC)"),
    ('{"mac": "x"}', "add", "mac: expected a MAC address"),
    ('[{"dev_type": "plain", "size": -1}]', "add", "[0].size: expected int >= 0"),
    ('{"mac": "aa:00:00:00:00:01"}', "remove", "uuid: expected the uuid of the device to remove, found none"),
]


@pytest.mark.parametrize(("text", "verb", "message"), WRONG_OBJECTS, ids=range(len(WRONG_OBJECTS)))
def test_an_object_that_is_none_is_told_with_file_and_place(
    tmp_path: Path, text: str, verb: str, message: str
) -> None:
    path = tmp_path / "object.json"
    path.write_text(text)
    with pytest.raises(GanetiDataError) as caught:
        read(("--object", str(path)), verb=verb)
    assert str(caught.value).startswith(f"{path}: {message}")
