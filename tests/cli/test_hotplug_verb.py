"""``virtxlate hotplug`` on a domain that behaves like libvirt's: what is printed, and what is done."""

from __future__ import annotations

import json
import shlex
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.hotplug_host import FakeHotplugHost
from tests.cli.running import Cli
from tests.hotplug.domains import DISK_IDS, DISKS, NIC_IDS, NICS, aliases, domain_of, ganeti, kept, places
from tests.hotplug.fake_domain import NEVER, REFUSES, FakeDomain, Fault
from tests.translate.building import disk
from virtxlate.cli.changes import Makers
from virtxlate.cli.hotplug import run
from virtxlate.cli.parser import build_parser
from virtxlate.errors import LiveError
from virtxlate.ganeti.runtime import read_runtime
from virtxlate.report import Report

pytestmark = pytest.mark.usefixtures("host")

NAME = "web1.example.com"
UUID = "932df160-7a22-4067-a566-7e0ca8386133"
ALIAS = "ua-disk-932df160-7a22-4067"
ADD = f"add:path=/srv/a.img,uuid={UUID},size=2G"
NIC_UUID, NIC_ALIAS, MAC = (
    "932df160-0000-4067-a566-7e0ca8386133",
    "ua-nic-932df160-0000-4067",
    "aa:00:00:00:00:77",
)
ADD_NIC = f"add:link=br0,mac={MAC},uuid={NIC_UUID}"
ATTACHED = f"""\
attach disk {ALIAS} (vdc) at PCI bus 0 slot 0x10
  hvinfo  driver=virtio-blk-pci,id={ALIAS[3:]},bus=pci.0,addr=0x10
"""
ATTACHED_NIC = f"""\
attach nic {NIC_ALIAS} ({MAC}) at PCI bus 0 slot 0x11
  hvinfo  driver=virtio-net-pci,id={NIC_ALIAS[3:]},bus=pci.0,addr=0x11
"""
Asked = list[tuple[str | None, bool]]


def domain(host: FakeHotplugHost) -> FakeDomain:
    return host.domains[0]


def xml_of(host: FakeHotplugHost) -> tuple[str, str]:
    return domain(host).live_xml(), domain(host).inactive_xml()


# What is done, and what is said of it


def test_a_disk_and_a_nic_come(cli: Cli, host: FakeHotplugHost, asked: Asked) -> None:
    result = cli("hotplug", "add", NAME, "--disk", ADD, "--net", ADD_NIC, "-c", "test:///x")
    assert result == (0, ATTACHED + ATTACHED_NIC, "")
    assert asked == [("test:///x", False)]
    assert {ALIAS, NIC_ALIAS} <= set(aliases(domain(host)))
    assert not {ALIAS, NIC_ALIAS} & set(aliases(domain(host), live=False))
    assert [each.uuid for each in kept(domain(host)).disks] == [DISKS[0].uuid, DISKS[1].uuid, UUID]


def test_what_is_not_given_is_made_and_printed(
    host: FakeHotplugHost, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["hotplug", "add", NAME, "--net", "add:link=br0", "--net", "link=br0,mac=generate"]
    uuids, macs = iter((NIC_UUID, UUID)), iter((MAC, "aa:00:00:00:00:78"))
    makers = Makers(lambda: next(uuids), lambda: next(macs))
    assert run(build_parser().parse_args(words), makers) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"attach nic {NIC_ALIAS} ({MAC}) at PCI bus 0 slot 0x10",
        f"  uuid    {NIC_UUID}",
        f"  mac     {MAC}",
        f"  hvinfo  driver=virtio-net-pci,id={NIC_ALIAS[3:]},bus=pci.0,addr=0x10",
        "attach nic ua-nic-932df160-7a22-4067 (aa:00:00:00:00:78) at PCI bus 0 slot 0x11",
        f"  uuid    {UUID}",
        "  mac     aa:00:00:00:00:78",
        "  hvinfo  driver=virtio-net-pci,id=nic-932df160-7a22-4067,bus=pci.0,addr=0x11",
    ]
    assert len(kept(domain(host)).nics) == 4


@pytest.mark.parametrize("which", [NAME, "1", "fb68b7cc-d64e-4b8e-b1a3-1a3e5a4e2b1c"])
def test_a_domain_goes_by_name_uuid_and_id(cli: Cli, host: FakeHotplugHost, which: str) -> None:
    assert cli("hotplug", "remove", which, "--net", "-1").code == 0
    assert NIC_IDS[1] not in aliases(domain(host))


@pytest.mark.parametrize(
    "which", ["1", "-1", "-1:remove", DISKS[1].uuid, DISK_IDS[1], "vdb", "/dev/xenvg/a.disk1"]
)
def test_a_disk_goes_and_its_storage_is_free(cli: Cli, host: FakeHotplugHost, which: str) -> None:
    result = cli("hotplug", "remove", NAME, f"--disk={which}")
    assert result == (0, f"detach disk {DISK_IDS[1]}\n  free    /dev/xenvg/a.disk1\n", "")
    assert aliases(domain(host)) == sorted((DISK_IDS[0], *NIC_IDS[:2]))


@pytest.mark.parametrize("which", ["1", "-1", NIC_IDS[1], "AA:00:00:00:00:01"])
def test_a_nic_goes_and_its_tap_is_free(cli: Cli, which: str) -> None:
    result = cli("hotplug", "remove", NAME, "--net", which)
    assert result == (0, f"detach nic {NIC_IDS[1]}\n  free    vnet1\n", "")


def test_everything_is_done_in_the_order_given(cli: Cli, host: FakeHotplugHost) -> None:
    result = cli(
        *("hotplug", "modify", NAME, "--net", "1:link=br1", "--net", "0:state=down"),
        *("--net", "-1:remove", "--disk", "0:name=root", "--disk", "-1:remove", "--disk", ADD),
    )
    assert (result.code, result.err) == (0, "")
    assert [line for line in result.out.splitlines() if not line.startswith(" ")] == [
        f"update nic {NIC_IDS[1]}: bridge",
        f"update nic {NIC_IDS[0]}: link down",
        f"detach nic {NIC_IDS[1]}",
        f"disk {DISK_IDS[0]}: nothing changes in the guest",
        f"detach disk {DISK_IDS[1]}",
        f"attach disk {ALIAS} (vdb) at PCI bus 0 slot 0xd",
    ]
    now = kept(domain(host))
    assert [(each.uuid, each.name) for each in now.disks] == [(DISKS[0].uuid, "root"), (UUID, None)]


def test_a_mac_that_changes_costs_the_guest_its_nic_for_a_moment(cli: Cli, host: FakeHotplugHost) -> None:
    before = places(domain(host))
    result = cli("hotplug", "modify", NAME, "--net", f"1:mac={MAC}")
    assert result.out.splitlines() == [
        f"detach nic {NIC_IDS[1]}",
        f"attach nic {NIC_IDS[1]} ({MAC}) at PCI bus 0 slot 0xf",
        f"  hvinfo  driver=virtio-net-pci,id={NIC_IDS[1][3:]},bus=pci.0,addr=0xf",
    ]
    assert places(domain(host)) == before


def test_an_object_comes_changes_and_goes(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "disk.json"
    path.write_text(json.dumps({"dev_type": "plain", "uuid": UUID, "size": 1, "logical_id": ["xenvg", "d"]}))
    assert cli("hotplug", "add", NAME, "--object", path).out == ATTACHED
    path.write_text(json.dumps({"dev_type": "plain", "uuid": UUID, "size": 1, "logical_id": ["xenvg", "e"]}))
    assert cli("hotplug", "modify", NAME, "--object", path).out == f"detach disk {ALIAS}\n{ATTACHED}"
    assert cli("hotplug", "remove", NAME, "--object", path).out.endswith("  free    /dev/xenvg/e\n")


def test_a_nic_becomes_an_object(cli: Cli, host: FakeHotplugHost, stdin: Callable[[bytes], Any]) -> None:
    stdin(json.dumps({"mac": NICS[1].mac, "uuid": NICS[1].uuid, "nicparams": {"link": "br9"}}).encode())
    assert cli("hotplug", "modify", NAME, "--object", "-").out.startswith(
        f"update nic {NIC_IDS[1]}: bridge\n"
    )
    assert kept(domain(host)).nics[1].link == "br9"


def test_a_disk_is_put_at_its_place_in_ganetis_list(cli: Cli, host: FakeHotplugHost) -> None:
    assert cli("hotplug", "add", NAME, "--disk", f"1:{ADD}").code == 0
    assert [each.uuid for each in kept(domain(host)).disks] == [DISKS[0].uuid, UUID, DISKS[1].uuid]


@pytest.mark.parametrize("kind", ["disk", "net"])
def test_a_place_behind_the_end_is_refused(cli: Cli, kind: str) -> None:
    result = cli("hotplug", "add", NAME, f"--{kind}", f"3:{ADD if kind == 'disk' else ADD_NIC}")
    word = "disks" if kind == "disk" else "nics"
    assert (result.code, result.error) == (3, f"error: {word}: expected a place from 0 to 2, found 3")


# Which document


DOCUMENTS: list[tuple[tuple[str, ...], bool, bool]] = [
    ((), True, False),
    (("--current",), True, False),
    (("--live",), True, False),
    (("--config",), False, True),
    (("--live", "--config"), True, True),
]


@pytest.mark.parametrize(("options", "live", "config"), DOCUMENTS)
def test_options_say_which_document_changes(
    cli: Cli, host: FakeHotplugHost, options: tuple[str, ...], live: bool, config: bool
) -> None:
    assert cli("hotplug", "add", NAME, "--disk", ADD, *options) == (0, ATTACHED, "")
    found = domain(host)
    assert (ALIAS in aliases(found), ALIAS in aliases(found, live=False)) == (live, config)


def test_what_a_running_guest_uses_is_not_free(cli: Cli, host: FakeHotplugHost) -> None:
    assert cli("hotplug", "remove", NAME, "--disk", "1", "--config") == (
        0,
        f"detach disk {DISK_IDS[1]}\n",
        "",
    )
    host.domains[0].stop()
    assert cli("hotplug", "remove", NAME, "--disk", "0").out.endswith("  free    /dev/xenvg/a.disk0\n")


# Sizes and media


@pytest.mark.parametrize("size", ["3G", "+2G"])
def test_a_disk_grows(cli: Cli, host: FakeHotplugHost, size: str) -> None:
    result = cli("hotplug", "resize", NAME, "1", size)
    assert result.out.splitlines()[0] == f"resize disk {DISK_IDS[1]} to {3 << 30} bytes"
    assert domain(host).sizes == {"vdb": 3 << 30}
    assert kept(domain(host)).disks[1].size_mib == 3072


def test_a_disk_does_not_shrink_by_mistake(cli: Cli, host: FakeHotplugHost) -> None:
    result = cli("hotplug", "resize", NAME, "vdb", "512M")
    assert (result.code, result.out) == (5, "")
    assert "the rest would be lost (to be forced with --force)" in result.error
    assert domain(host).calls == []
    assert cli("hotplug", "resize", NAME, "vdb", "512M", "--force").code == 0
    assert domain(host).sizes == {"vdb": 512 << 20}


def test_a_medium_goes_in_and_out(cli: Cli, host: FakeHotplugHost) -> None:
    found = cli("hotplug", "media", NAME, "hdc", "/srv/a.iso")
    assert (found.code, found.out[:14], found.out[-8:]) == (0, "update cdrom i", " medium\n")
    assert "/srv/a.iso" in domain(host).live_xml()
    assert cli("hotplug", "media", NAME, "hdc", "/dev/sr0").code == 0
    assert 'dev="/dev/sr0"' in domain(host).live_xml()
    assert cli("hotplug", "media", NAME, "hdc", "--eject").out.endswith(": eject\n")
    assert "/dev/sr0" not in domain(host).live_xml()
    assert cli("hotplug", "media", NAME, "hdc", "--eject").out == "disk hdc: nothing changes in the guest\n"


def test_what_has_no_target_has_no_size(cli: Cli, host: FakeHotplugHost) -> None:
    hostdev = "<hostdev mode='subsystem' type='usb'><source/><alias name='ua-stick'/></hostdev>"
    domain(host).somebody_else_attaches(hostdev)
    for size in ("+1G", "1G"):
        result = cli("hotplug", "resize", NAME, "ua-stick", size)
        assert (result.code, result.out) == (4, "")
        assert result.error.endswith(": only a disk with a target can be resized")


# What is only shown


SHOWN = ("--dry-run", "--print-xml", "--print-diff")
EVERYTHING = (
    *(
        "modify",
        NAME,
        "--disk",
        ADD,
        "--net",
        ADD_NIC,
        "--net",
        "0:state=down",
        "--net",
        f"1:mac={MAC[:-1]}6",
    ),
    *("--disk", "0:remove", "--force", "--live", "--config"),
)


@pytest.mark.parametrize("option", SHOWN)
def test_what_is_only_shown_changes_nothing(
    cli: Cli, host: FakeHotplugHost, asked: Asked, option: str, tmp_path: Path
) -> None:
    before = xml_of(host)
    result = cli("hotplug", *EVERYTHING, option, "--runtime", tmp_path / "none.runtime")
    assert (result.code, result.err) == (0, "")
    assert result.out
    assert (domain(host).calls, xml_of(host), asked) == ([], before, [(None, True)])
    assert list(tmp_path.iterdir()) == []


def test_a_dry_run_shows_what_would_be_printed(cli: Cli) -> None:
    shown = cli("hotplug", *EVERYTHING, "--dry-run")
    done = cli("hotplug", *EVERYTHING)
    assert shown == (0, f"{done.out}nothing was changed\n", "")


def test_the_xml_is_what_libvirt_is_sent(cli: Cli, host: FakeHotplugHost) -> None:
    shown = cli("hotplug", "add", NAME, "--disk", ADD, "--net", ADD_NIC, "--print-xml")
    cli("hotplug", "add", NAME, "--disk", ADD, "--net", ADD_NIC)
    assert shown == (0, "".join(domain(host).sent), "")


def test_the_difference_is_that_of_each_document(cli: Cli) -> None:
    words = ("hotplug", "modify", NAME, "--net", "1:remove", "--live", "--config", "--print-diff")
    lines = cli(*words).out.splitlines()
    assert [line for line in lines if line.startswith(("---", "+++"))] == [
        "--- Original live XML",
        "+++ Altered live XML",
        "--- Original definition",
        "+++ Altered definition",
    ]
    assert lines.count('-    <mac address="aa:00:00:00:00:01"/>') == 2
    assert [line for line in lines if line.startswith("+ ")] == []
    assert cli("hotplug", "modify", NAME, "--net", "0:state=up", "--print-diff") == (0, "", "")


@pytest.mark.parametrize("option", SHOWN[1:])
@pytest.mark.parametrize("words", [("hotplug", "add", NAME, "--disk", ADD), ("apply", "-", NAME)])
def test_what_is_printed_is_of_one_form(cli: Cli, words: tuple[str, ...], option: str) -> None:
    result = cli(*words, option, "--json")
    assert (result.code, result.out) == (2, "")
    assert f"argument --json: not allowed with argument {option}" in result.err


def test_a_dry_run_has_the_same_objects(cli: Cli, host: FakeHotplugHost) -> None:
    words = ("modify", NAME, "--disk", ADD, "--net", "add:mode=routed,link=1", "--net", "0:remove", "--json")
    shown, done = (cli("hotplug", *words, *more) for more in (("--dry-run",), ()))
    for found in (json.loads(shown.out), json.loads(done.out)):
        assert [(each["action"], each["kind"], len(each["losses"])) for each in found] == [
            ("add", "disk", 0),
            ("add", "nic", 2),
            ("remove", "nic", 0),
        ]
    assert (len(shown.errors), len(done.errors)) == (2, 2)
    assert len(kept(domain(host)).nics) == 2


def test_each_result_is_an_object(cli: Cli) -> None:
    result = cli("hotplug", "modify", NAME, "--disk", ADD, "--net", "1:remove", "--json")
    added, removed = json.loads(result.out)
    line = added.pop("steps")[0]["line"]
    hvinfo = {"driver": "virtio-blk-pci", "id": ALIAS[3:], "bus": "pci.0", "addr": "0x10"}
    expected: dict[str, Any] = {
        "action": "add",
        "kind": "disk",
        "alias": ALIAS,
        "uuid": UUID,
        "target": "vdc",
        "mac": None,
        "hvinfo": hvinfo,
        "qemu": {**hvinfo, "id": ALIAS, "drive": "libvirt-3-format"},
        "made": {},
        "freed": [],
        "notes": [],
        "losses": [],
    }
    assert (line, added) == (ATTACHED.splitlines()[0], expected)
    keys = ("action", "kind", "alias", "mac", "hvinfo", "qemu", "freed")
    values = ("remove", "nic", NIC_IDS[1], "aa:00:00:00:00:01", None, None, ["vnet1"])
    assert tuple(removed[key] for key in keys) == values
    assert added.keys() | {"steps"} == removed.keys()


# The runtime file


def test_the_runtime_file_follows_and_keeps_its_mode(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "web1.runtime"
    assert cli("hotplug", "add", NAME, "--disk", ADD, "--runtime", path).code == 0
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o640)
    cli("hotplug", "modify", NAME, "--net", ADD_NIC, "--disk", "0:remove", "--force", "--runtime", path)
    runtime = read_runtime(path.read_bytes(), Report())
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert [each.uuid for each in runtime.disks] == [DISKS[1].uuid, UUID]
    assert [each.hvinfo and each.hvinfo.addr for each in runtime.nics] == ["0xe", "0xf", "0x11"]


@pytest.mark.parametrize(("text", "code"), [("no runtime file", 3), ('[["kvm"], [], {}, []]', 3)])
def test_a_file_that_cannot_follow_is_told_before_anything_is_done(
    cli: Cli, host: FakeHotplugHost, tmp_path: Path, text: str, code: int
) -> None:
    path = tmp_path / "other"
    path.write_text(text)
    result = cli("hotplug", "add", NAME, "--disk", ADD, "--runtime", path)
    assert (result.code, result.out, domain(host).calls, path.read_text()) == (code, "", [], text)
    assert result.error.startswith(f"error: {path}: ")


def test_a_runtime_file_of_another_instance_is_not_touched(
    cli: Cli, host: FakeHotplugHost, tmp_path: Path
) -> None:
    path = tmp_path / "web1.runtime"
    cli("hotplug", "modify", NAME, "--net", "0:state=down", "--runtime", path)
    text = path.read_text().replace(domain(host).uuid, UUID)
    path.write_text(text)
    result = cli("hotplug", "modify", NAME, "--net", "0:state=up", "--runtime", path)
    assert (result.code, path.read_text()) == (3, text)
    assert result.error.startswith(f"error: {path}: ")
    assert UUID in result.error
    assert 'link state="down"' in domain(host).live_xml()


# What goes wrong


def test_a_guest_that_keeps_the_device_has_an_exit_code_of_its_own(cli: Cli, host: FakeHotplugHost) -> None:
    domain(host).answer = NEVER
    result = cli("hotplug", "remove", NAME, "--disk", "1", "--timeout", "0.01")
    assert (result.code, result.out) == (7, "")
    assert result.error == (
        f"error: {DISK_IDS[1]}: the guest has not released it after 0.01 s; the request stands, and the "
        f"device is still in use: see virtxlate hvinfo {NAME}, and remove it again to finish"
    )
    domain(host).release(DISK_IDS[1])
    result = cli("hotplug", "remove", NAME, "--disk", DISKS[1].uuid)
    assert (result.code, result.err) == (0, "")
    assert result.out.endswith("  free    /dev/xenvg/a.disk1\n  note    it had left the guest already\n")
    assert [each.uuid for each in kept(domain(host)).disks] == [DISKS[0].uuid]


@pytest.mark.parametrize(
    ("uri", "shown"),
    [("test:///x", "test:///x"), ("qemu+tcp://h/system?mode=a&b", "'qemu+tcp://h/system?mode=a&b'")],
)
@pytest.mark.parametrize(
    "words",
    [("remove", NAME, "--disk", "1"), ("modify", NAME, "--disk", "1:mode=ro")],
    ids=["remove", "modify"],
)
def test_who_named_a_connection_is_told_to_look_there(
    cli: Cli, host: FakeHotplugHost, words: tuple[str, ...], uri: str, shown: str
) -> None:
    domain(host).answer = NEVER
    result = cli("hotplug", *words, "--timeout", "0.01", "-c", uri)
    assert result.code == 7
    assert result.error.endswith(f": see virtxlate hvinfo -c {shown} {NAME}, and remove it again to finish")


def test_a_guest_that_refuses_is_believed(cli: Cli, host: FakeHotplugHost) -> None:
    domain(host).answer = REFUSES
    result = cli("hotplug", "remove", NAME, "--net", "1")
    assert (result.code, result.out) == (7, "")
    assert result.error == f"error: {NIC_IDS[1]}: the guest refused to release it"


def test_what_was_done_before_an_error_is_printed(cli: Cli, host: FakeHotplugHost) -> None:
    def refuse(_domain: FakeDomain) -> None:
        raise LiveError("no such bridge (libvirt error 38)", call="attachDeviceFlags", code=38)

    words = ("hotplug", "add", NAME, "--disk", ADD, "--net", ADD_NIC)
    domain(host).faults["attach"].extend((Fault(), Fault(before=refuse)))
    result = cli(*words)
    assert (result.code, result.out) == (5, ATTACHED)
    assert result.error == "error: attachDeviceFlags: no such bridge (libvirt error 38)"
    cli("hotplug", "remove", NAME, "--disk", UUID)
    domain(host).faults["attach"].extend((Fault(), Fault(before=refuse)))
    result = cli(*words, "--json")
    assert (result.code, [each["uuid"] for each in json.loads(result.out)]) == (5, [UUID])


LATER = [
    (("--disk", ADD, "--disk", "7:remove"), 5, f"domain '{NAME}' has no disk '7' (it has "),
    (("--disk", ADD, "--disk", ADD), 5, f"attach: disks[3]: the domain has {ALIAS} already"),
    (
        ("--disk", ADD, "--net", "add:mode=bridged"),
        3,
        "nics[2].link: expected the name of a bridge, found none",
    ),
    (
        ("--disk", "1:path=/dev/xenvg/a.disk0"),
        5,
        "attach: disks[1]: /dev/xenvg/a.disk0 is open already as disks[0]",
    ),
    (("--net", ADD_NIC, "--disk", "0:remove"), 5, f"detach: {DISK_IDS[0]} stays: the guest boots from it"),
]


@pytest.mark.parametrize(("words", "code", "message"), LATER, ids=range(len(LATER)))
def test_what_cannot_be_done_is_told_before_anything_is(
    cli: Cli, host: FakeHotplugHost, words: tuple[str, ...], code: int, message: str
) -> None:
    result = cli("hotplug", "modify", NAME, *words)
    assert (result.code, result.out, domain(host).calls) == (code, "", [])
    assert result.error.startswith(f"error: {message}")


WRONG = [
    (("add", NAME), "nothing to add: give --disk, --net or --object"),
    (("add", NAME, "--disk", "pth=/a"), "--disk 'pth=/a': expected a key of path, uuid, name, mode, size, "),
    (
        ("add", NAME, "--disk", ADD, "--current", "--live"),
        "--current: it is --live or --config, as the domain",
    ),
    (
        ("add", NAME, "--disk", ADD, "--runtime", "-"),
        "--runtime: expected a file that can be rewritten, found -",
    ),
    (("add", NAME, "--disk", ADD, "-H", "disk_typ=ide"), "-H: no hypervisor parameter is called 'disk_typ'"),
    (("add", NAME, "--disk", ADD, "-H", "acpi=perhaps"), "-H: acpi: expected bool, found 'perhaps'"),
    (("add", NAME, "--disk", ADD, "-H", "acpi"), "-H 'acpi': expected KEY=VALUE, found 'acpi'"),
    (
        ("resize", NAME, "0", "20"),
        "SIZE: expected a unit, found '20': 20M as Ganeti counts, 20K as virsh does",
    ),
    (("media", NAME, "hdc"), "expected either FILE or --eject"),
    (("media", NAME, "hdc", "/a", "--eject"), "expected either FILE or --eject"),
    (("media", NAME, "hdc", "a.iso"), "FILE: expected an absolute path on the domain's host, found 'a.iso'"),
]


@pytest.mark.parametrize(("words", "message"), WRONG, ids=range(len(WRONG)))
def test_a_wrong_call_is_told_before_libvirt_is_asked(
    cli: Cli, asked: Asked, words: tuple[str, ...], message: str
) -> None:
    result = cli("hotplug", *words)
    assert (result.code, result.out, asked) == (2, "", [])
    assert result.error.startswith(f"error: {message}")


@pytest.mark.parametrize("seconds", ["0", "-1", "nan", "inf", "soon"])
def test_a_timeout_is_seconds(cli: Cli, seconds: str) -> None:
    result = cli("hotplug", "remove", NAME, "--disk", "1", f"--timeout={seconds}")
    assert result.code == 2
    assert result.errors[-1].endswith(f"argument --timeout: expected seconds above 0, found '{seconds}'")


def test_hvparams_overrule_what_the_domain_tells(cli: Cli) -> None:
    words = ("-H", "disk_type=scsi-hd,scsi_controller_type=virtio-scsi-pci", "-H", "kvm:acpi=true")
    result = cli("hotplug", "add", NAME, "--disk", ADD, *words)
    assert result.out.splitlines() == [
        "add scsi controller 0 (virtio-scsi) at PCI bus 0 slot 0x4",
        f"attach disk {ALIAS} (sda) at controller 0 bus 0 target 0 unit 0",
        f"  hvinfo  driver=scsi-hd,id={ALIAS[3:]},bus=scsi.0,channel=0,scsi-id=0,lun=0",
    ]


def test_a_loss_is_told(cli: Cli) -> None:
    result = cli("hotplug", "add", NAME, "--net", f"add:mode=routed,link=100,mac={MAC},uuid={NIC_UUID}")
    assert result.code == 0
    assert [line.split(": ", 3)[1:3] for line in result.errors] == [
        ["loss", NAME],
        ["loss", NAME],
    ]
    assert [line.split(": ", 4)[3] for line in result.errors] == [
        "nics[2].mode = 'routed'",
        "nics[2].link = '100'",
    ]


def test_a_map_says_how_the_host_calls_it(cli: Cli, host: FakeHotplugHost, tmp_path: Path) -> None:
    path = tmp_path / "map.toml"
    path.write_text('[bridges]\nbr0 = "lan"\n')
    assert cli("hotplug", "add", NAME, "--net", ADD_NIC, "--map", path).code == 0
    assert 'bridge="lan"' in domain(host).sent[0]
    assert kept(domain(host)).nics[2].link == "br0"


def test_no_such_domain_and_no_connection_are_told(cli: Cli) -> None:
    result = cli("hotplug", "add", "db9", "--disk", ADD)
    assert (result.code, result.error) == (5, "error: lookup: no domain 'db9' on this connection")
    assert cli("hotplug", "add", NAME, "--disk", ADD, "-c", "down:///").code == 5


def test_without_libvirt_python_one_line_says_what_to_install(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "virtxlate.live.connection", raising=False)
    monkeypatch.delitem(sys.modules, "virtxlate.live.events", raising=False)
    monkeypatch.setitem(sys.modules, "libvirt", None)
    result = cli("hotplug", "remove", NAME, "--disk", "0")
    assert (result.code, result.out) == (5, "")
    assert result.error.startswith("error: libvirt-python is missing (")


def test_a_domain_that_does_not_run_has_its_definition_changed(cli: Cli, host: FakeHotplugHost) -> None:
    host.domains[:] = [domain_of(ganeti(2, 2, disk_type="ide"), running=False)]
    result = cli("hotplug", "remove", NAME, "--disk", "1", "--dry-run")
    assert (result.code, result.err) == (0, "")
    assert cli("hotplug", "remove", NAME, "--disk", "1").code == 0
    assert aliases(domain(host), live=False) == sorted((DISK_IDS[0], *NIC_IDS[:2]))


# Help


@pytest.mark.parametrize("verb", ["add", "remove", "modify", "resize", "media"])
def test_each_verb_explains_itself_with_an_example_that_parses(cli: Cli, verb: str) -> None:
    text = cli("hotplug", verb, "--help").out
    (example,) = text.partition("\nexample:\n")[2].strip().splitlines()
    args = build_parser().parse_args(shlex.split(example)[1:])
    assert (args.verb, args.hotplug_verb) == ("hotplug", verb)


# SCSI host devices

GENERIC = f"""\
attach hostdev {ALIAS} (scsi_host2 0:1:4) at controller 0 bus 0 target 0 unit 0
  hvinfo  driver=scsi-generic,id={ALIAS[3:]},bus=scsi.0,channel=0,scsi-id=0,lun=0
"""


def test_a_host_device_comes_by_the_scsi_map(cli: Cli, host: FakeHotplugHost, tmp_path: Path) -> None:
    hvparams = {"disk_type": "scsi-generic", "scsi_controller_type": "virtio-scsi-pci"}
    host.domains[:] = [domain_of(ganeti(0, 1, **hvparams))]
    devices = tmp_path / "node1.toml"
    devices.write_text('[[device]]\naddress = "2:0:1:4"\nblock = "/dev/sdb"\n')
    add = ("hotplug", "add", NAME, "--disk", f"add:path=/dev/sdb,uuid={UUID}")
    refused = cli(*add)
    assert (refused.code, refused.out) == (4, "")
    assert "give it with --scsi-map" in refused.err
    assert cli(*add, "--scsi-map", devices, "--dry-run").out == f"{GENERIC}nothing was changed\n"
    assert aliases(domain(host)) == [NIC_IDS[0]]
    result = cli(*add, "--scsi-map", devices)
    assert (result.code, result.out) == (0, GENERIC)
    assert aliases(domain(host)) == sorted((ALIAS, NIC_IDS[0]))
    gone = cli("hotplug", "remove", NAME, "--disk", ALIAS)
    assert (gone.code, gone.out.splitlines()[0]) == (0, f"detach hostdev {ALIAS}")
    assert aliases(domain(host)) == [NIC_IDS[0]]


def test_a_libvirt_of_this_machine_needs_no_scsi_map(cli: Cli, host: FakeHotplugHost) -> None:
    hvparams = {"disk_type": "scsi-generic", "scsi_controller_type": "virtio-scsi-pci"}
    host.domains[:] = [domain_of(ganeti(0, 1, **hvparams))]
    add = ("hotplug", "add", NAME, "--disk", f"add:path=/dev/sg999999,uuid={UUID}")
    assert "give it with --scsi-map" in cli(*add).error
    host.local = True
    assert "the SCSI map has no device /dev/sg999999" in cli(*add).error


# Emulated and passed through

SWITCHED = f"""\
detach disk {DISK_IDS[1]}
attach disk {DISK_IDS[1]} (sdb) at controller 0 bus 0 target 1 unit 0
  hvinfo  driver=scsi-block,id={DISK_IDS[1][3:]},bus=scsi.0,channel=0,scsi-id=1,lun=0
"""


@pytest.fixture
def scsi(host: FakeHotplugHost) -> FakeHotplugHost:
    """A host of one domain with two emulated SCSI disks that take SCSI commands."""
    disks = [disk(n, template="blockdev", logical_id=("manual", f"/dev/sd{n}")) for n in range(2)]
    hvparams = {"disk_type": "scsi-hd", "scsi_controller_type": "virtio-scsi-pci"}
    host.domains[:] = [domain_of(ganeti(disks, 1, **hvparams))]
    return host


def test_a_disk_is_passed_through_and_emulated_again(cli: Cli, scsi: FakeHotplugHost, tmp_path: Path) -> None:
    path, before = tmp_path / "web1.runtime", xml_of(scsi)
    modify = ("hotplug", "modify", NAME, "--live", "--config")
    shown = cli(*modify, "--disk", "1:device=lun", "--dry-run")
    printed = cli(*modify, "--disk", "1:device=lun", "--print-xml")
    assert (domain(scsi).calls, xml_of(scsi)) == ([], before)
    done = cli(*modify, "--disk", "1:device=lun", "--runtime", path)
    assert (done.code, done.out[: len(SWITCHED)]) == (0, SWITCHED)
    assert "  note    every SCSI command reaches the device: reservations," in done.out
    assert shown == (0, f"{done.out}nothing was changed\n", "")
    old, new = printed.out.splitlines(keepends=True)
    assert (printed.code, new) == (0, domain(scsi).sent[-1])
    assert ('device="disk"' in old, 'device="lun"' in new) == (True, True)
    drivers = [each.hvinfo and each.hvinfo.driver for each in read_runtime(path.read_bytes(), Report()).disks]
    assert drivers == ["scsi-hd", "scsi-block"]
    (back,) = json.loads(cli(*modify, "--disk", "1:device=disk", "--json").out)
    assert (back["action"], back["hvinfo"]["driver"], len(back["notes"])) == ("modify", "scsi-hd", 3)
    assert [each.count('device="lun"') for each in xml_of(scsi)] == [0, 0]


def test_what_cannot_be_passed_through_is_told_before_anything_is_done(
    cli: Cli, host: FakeHotplugHost
) -> None:
    result = cli("hotplug", "modify", NAME, "--net", "0:state=down", "--disk", "1:device=lun")
    assert (result.code, result.out, domain(host).calls) == (4, "", [])
    assert "disks[1]: expected a disk on bus 'scsi', found bus 'virtio'" in result.error
