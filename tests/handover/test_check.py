"""A check finds what would go wrong, and changes nothing: host, libvirt and QEMU each have their say."""

from __future__ import annotations

import shutil
import socket
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.handover.fake_host import NIC, UUID, FakeDomain, FakeHost, checked, text_of, told
from virtxlate import Report
from virtxlate.domain.document import parse_domain
from virtxlate.domain.words import QEMU_NAMESPACE
from virtxlate.handover.differences import Meaning
from virtxlate.handover.room import with_room
from virtxlate.hardware.facts import Busy, Display, Net
from virtxlate.translate.running.facts import Running


def test_the_same_machine_is_safe(found: Running, root: Path) -> None:
    host = FakeHost()
    report = checked(found, root, host)
    assert (told(report), report.is_safe, report.differences) == ([], True, ())
    assert told(report, Meaning.HARMLESS) == [("display", "spice")]
    ((xml, domain),) = host.started
    assert parse_domain(xml, []).name == "inst1.example.com-rehearsal"
    assert domain.destroyed
    assert list((root / "scratch").iterdir()) == []
    assert report.steps


@pytest.mark.parametrize(
    ("cpus", "kvm", "live", "is_told"),
    [(2, False, True, True), (2, False, False, False), (2, True, True, False), (1, False, True, False)],
)
def test_several_cpus_are_not_sent_while_they_run_without_kvm(
    cpus: int, kvm: bool, live: bool, is_told: bool, found: Running, root: Path
) -> None:
    machine = msgspec.structs.replace(found.facts.machine, cpus=found.facts.machine.cpus * cpus)
    facts = msgspec.structs.replace(found.facts, machine=machine, kvm=kvm)
    report = checked(msgspec.structs.replace(found, facts=facts), root, text=text_of(found), live=live)
    assert (("method", f"{cpus} CPUs") in told(report)) is is_told
    assert (("method", "1 CPU") in told(report, Meaning.HARMLESS)) is (cpus == 1)


def test_what_libvirt_refuses_is_fatal_and_never_safe(found: Running, root: Path) -> None:
    host = FakeHost()
    host.refuses = "unsupported configuration: no such machine"
    report = checked(found, root, host)
    assert (told(report), report.rehearsed) == ([("rehearsal", "inst1.example.com")], False)
    assert not report.is_safe


def test_what_would_open_something_of_the_host_is_never_started(found: Running, root: Path) -> None:
    """A QEMU that listens on a socket takes it from the one that has it already."""
    words = '<qemu:arg value="-monitor"/><qemu:arg value="unix:/run/x,server,nowait"/>'
    own = f'<qemu:commandline xmlns:qemu="{QEMU_NAMESPACE}">{words}</qemu:commandline>'
    text = text_of(found).replace("</domain>", f"{own}</domain>")
    host = FakeHost()
    report = checked(found, root, host, text)
    assert (told(report), report.is_safe) == ([("rehearsal", "qemu:arg -monitor")], False)
    assert host.started == []


def test_a_difference_of_the_machine_is_a_finding(found: Running, root: Path) -> None:
    machine = msgspec.structs.replace(found.facts.machine, memory=1 << 20)
    facts = msgspec.structs.replace(found.facts, machine=machine)
    report = checked(msgspec.structs.replace(found, facts=facts), root, text=text_of(found))
    assert ("difference", f"memory bytes: '{1 << 20}' becomes '{128 << 20}'") in told(report)


FACTS: dict[str, tuple[dict[str, Any], tuple[str, str]]] = {
    "a guest that has gone": ({"status": "postmigrate"}, ("status", "postmigrate")),
    "a guest that stands still": ({"status": "paused"}, ("status", "paused")),
    "a migration": ({"busy": Busy(migration="active")}, ("migration", "active")),
    "a blocker": ({"busy": Busy(blockers=("VFIO",))}, ("migration blocker", "VFIO")),
    "a job": ({"busy": Busy(jobs=("mirror",))}, ("job", "mirror")),
    "plugged memory": ({"plugged_memory": 5}, ("memory", "5 bytes")),
    "a NIC that is on no tap": ({"nets": {NIC: Net(type="user")}}, (f"nic {NIC}", "user")),
    "a newer QEMU": ({"version": (8, 0, 0)}, ("qemu", "7.2.22")),
}


@pytest.mark.parametrize("name", FACTS)
def test_a_qemu_that_cannot_go_is_told(name: str, found: Running, root: Path) -> None:
    fields, expected = FACTS[name]
    facts = msgspec.structs.replace(found.facts, **fields)
    report = checked(msgspec.structs.replace(found, facts=facts), root)
    assert (told(report), report.is_safe) == ([expected], False)


HARMLESS: dict[str, tuple[dict[str, Any], tuple[str, str]]] = {
    "a balloon": ({"balloon": 64 << 20}, ("balloon", f"{64 << 20} of {128 << 20} bytes")),
    "KVM": ({"kvm": True}, ("kvm", "inst1.example.com")),
    "an older QEMU": ({"version": (7, 0, 0)}, ("qemu", "7.2.22")),
    "a viewer": (
        {"displays": (Display(type="spice", host="127.0.0.1", port=5930, clients=1),)},
        ("display", "spice"),
    ),
}


@pytest.mark.parametrize("name", HARMLESS)
def test_what_does_no_harm_is_told_and_safe(name: str, found: Running, root: Path) -> None:
    fields, expected = HARMLESS[name]
    facts = msgspec.structs.replace(found.facts, **fields)
    report = checked(msgspec.structs.replace(found, facts=facts), root)
    assert expected in told(report, Meaning.HARMLESS)
    assert report.is_safe


SPOILT: dict[str, tuple[str, str, str]] = {
    "another name": ("<name>inst1", "<name>inst2", "name"),
    "another uuid": ("11111111-2222", "11111111-9999", "uuid"),
    "a bridge that is not there": ('bridge="br0"', 'bridge="br9"', "no such bridge"),
    "another bridge": ('bridge="br0"', 'bridge="br1"', "its connections would be cut"),
    "a script that is missing": (
        '<interface type="bridge">',
        '<interface type="ethernet">',
        "nothing connects the new tap",
    ),
    "another file": ("/disk-0000000f-d15c-4000", "/disk-00000000-d15c-4000", "not what the running QEMU has"),
    "no file": ("/disk-0000000f-d15c-4000", "/gone", "cannot be opened"),
    "a directory": ("/disk-0000000f-d15c-4000", "", "neither a file nor a block device"),
    "a read-only disk": (
        '<target dev="vda" bus="virtio"/>',
        '<target dev="vda" bus="virtio"/><readonly/>',
        "read-only on one side only",
    ),
    "a medium in an empty drive": (
        '<target dev="hdc" bus="ide"/>',
        '<source file="/x.iso"/><target dev="hdc" bus="ide"/>',
        "the drive of the running QEMU is empty",
    ),
    "too much memory": (">131072<", ">5242880<", "both QEMUs hold the guest"),
    "SMBIOS": (
        "<os>",
        '<sysinfo type="smbios"><system><entry name="serial">1</entry></system></sysinfo><os>',
        "only the domain has words for it",
    ),
}


@pytest.mark.parametrize("name", SPOILT)
def test_a_document_that_does_not_fit_the_host_is_told(name: str, found: Running, root: Path) -> None:
    find, put, expected = SPOILT[name]
    right = text_of(found)
    text = right.replace(find, put, 1)
    assert text != right
    report = checked(found, root, text=text)
    assert not report.is_safe
    assert any(expected in str(each) for each in report.findings if each.meaning is Meaning.FATAL)


ENTRY = '<sysinfo type="smbios"><system><entry name="serial">{}</entry></system></sysinfo><os>'
WORDS: dict[str, tuple[tuple[str, ...], str, list[tuple[str, str]]]] = {
    "none are known": ((), "<os>", [("command line", "inst1.example.com")]),
    "one that no device shows": (
        ("kvm", "-fw_cfg", "name=opt/x,string=s3cret"),
        "<os>",
        [("command line", "-fw_cfg name=opt/x")],
    ),
    "SMBIOS on one side": (("kvm", "-smbios", "type=1,serial=1"), "<os>", [("sysinfo", "SMBIOS")]),
    "SMBIOS of another": (("kvm", "-smbios", "type=1,serial=1"), ENTRY.format(2), [("sysinfo", "SMBIOS")]),
    "the same SMBIOS": (("kvm", "-smbios", "type=1,serial=1"), ENTRY.format(1), []),
}


@pytest.mark.parametrize("name", WORDS)
def test_words_that_only_one_side_has_are_told(name: str, found: Running, root: Path) -> None:
    words, put, expected = WORDS[name]
    text = text_of(found).replace("<os>", put, 1)
    report = checked(msgspec.structs.replace(found, command=words), root, text=text)
    assert (told(report), report.is_safe) == (expected, not expected)
    assert "s3cret" not in str(report)


def test_words_for_smbios_may_stay_words(found: Running, root: Path) -> None:
    words = ("-smbios", "type=0,vendor=Acme")
    arguments = "".join(f'<qemu:arg value="{word}"/>' for word in words)
    own = f'<qemu:commandline xmlns:qemu="{QEMU_NAMESPACE}">{arguments}</qemu:commandline>'
    text = text_of(found).replace("</domain>", f"{own}</domain>")
    report = checked(msgspec.structs.replace(found, command=("kvm", *words)), root, text=text)
    assert told(report) == []


def test_a_disk_without_its_medium_is_told(found: Running, root: Path) -> None:
    text = text_of(found)
    start = text.index("<source file=")
    report = checked(found, root, text=text[:start] + text[text.index("/>", start) + 2 :])
    assert any("the domain none" in str(each) for each in report.findings)


def test_a_domain_that_is_there_already_is_told(found: Running, root: Path) -> None:
    host = FakeHost()
    uuid = found.facts.machine.uuid
    host.known = FakeDomain("inst1.example.com", uuid, active=True)
    assert told(checked(found, root, host)) == [("domain", "inst1.example.com")]
    host.known = FakeDomain("inst1.example.com", UUID)
    assert told(checked(found, root, host)) == [("domain", "inst1.example.com")]
    host.known = FakeDomain("inst1.example.com", uuid)
    report = checked(found, root, host)
    assert report.is_safe
    assert ("domain", "inst1.example.com") in told(report, Meaning.HARMLESS)


def with_display(text: str, display: str) -> str:
    start, end = text.index("<graphics"), text.index("</graphics>") + len("</graphics>")
    return text[:start] + display + text[end:]


def test_a_port_that_is_taken_is_told(found: Running, root: Path) -> None:
    with socket.socket() as line:
        line.bind(("127.0.0.1", 0))
        line.listen(1)
        port = line.getsockname()[1]
        display = f'<graphics type="vnc" port="{port}" autoport="no" listen="127.0.0.1"/>'
        text = with_display(text_of(found), display)
        assert told(checked(found, root, text=text)) == [("display", f"vnc port {port}")]
        facts = msgspec.structs.replace(
            found.facts, displays=(Display(type="vnc", host="127.0.0.1", port=port),)
        )
        report = checked(msgspec.structs.replace(found, facts=facts), root, text=text)
        assert (told(report), told(report, Meaning.HARMLESS)) == ([], [("display", f"vnc port {port}")])
    assert told(checked(found, root, text=text)) == []


def test_an_address_that_is_not_of_this_host_is_told(found: Running, root: Path) -> None:
    address = "198.51.100.7"
    listen = f'<listen type="address" address="{address}"/>'
    display = f'<graphics type="vnc" port="5900" autoport="no">{listen}</graphics>'
    report = checked(found, root, text=with_display(text_of(found), display))
    (finding,) = (each for each in report.findings if each.meaning is Meaning.FATAL)
    assert (finding.at, finding.reason) == (
        "vnc port 5900",
        f"nobody can listen there, at {address}: Cannot assign requested address",
    )


def test_a_display_at_a_socket_has_no_port(found: Running, root: Path) -> None:
    facts = msgspec.structs.replace(found.facts, displays=(Display(type="vnc", socket="/run/x.vnc"),))
    there = msgspec.structs.replace(found, facts=facts)
    report = checked(there, root)
    at = ("display", "vnc socket /run/x.vnc")
    assert (told(report), told(report, Meaning.HARMLESS)) == ([], [at])
    assert told(checked(found, root, text=text_of(there)), Meaning.HARMLESS) == []


def test_spice_on_its_old_port_is_fatal(found: Running, root: Path) -> None:
    display = '<graphics type="spice" port="11000" autoport="no" listen="127.0.0.1"/>'
    text = with_display(text_of(found), display)
    assert told(checked(found, root, text=text)) == [("display", "spice port 11000")]


def test_a_host_that_does_not_tell_its_memory_is_told(found: Running, root: Path) -> None:
    (root / "proc" / "meminfo").unlink()
    assert told(checked(found, root)) == [("memory", f"{(128 + 64) << 20} bytes")]


HUGE = "HugePages_Free: {free}\nHugePages_Rsvd: 2\nHugepagesize: 2048 kB\nMemAvailable: 4000000 kB\n"


@pytest.mark.parametrize(
    ("meminfo", "expected"),
    [
        (HUGE.format(free=66), []),
        (HUGE.format(free=65), [("huge pages", f"{63 << 21} bytes")]),
        ("MemAvailable: 4000000 kB\n", [("huge pages", f"{128 << 20} bytes")]),
    ],
)
def test_huge_pages_are_counted_for_both(
    meminfo: str, expected: list[tuple[str, str]], found: Running, root: Path
) -> None:
    """Those that are free, less those that somebody has been promised."""
    (root / "proc" / "meminfo").write_text(meminfo)
    pages = "<memoryBacking><hugepages/></memoryBacking><os>"
    assert told(checked(found, root, text=text_of(found).replace("<os>", pages))) == expected


@pytest.mark.parametrize(("free", "expected"), [(191 << 20, 1), (192 << 20, 0)])
def test_a_guest_does_not_stand_still_for_an_image_that_has_no_room(
    free: int, expected: int, found: Running, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(root)._replace(free=free)
    monkeypatch.setattr("shutil.disk_usage", lambda _path: usage)
    assert told(checked(found, root)) == []
    place = root / "not" / "there"
    assert told(checked(found, root, image=place)) == [("image", str(place))] * expected


def test_a_journal_that_cannot_be_written_is_told(found: Running, root: Path) -> None:
    report = checked(found, root, journal="no file can be made in /srv")
    (finding,) = (each for each in report.findings if each.meaning is Meaning.FATAL)
    reason = "no file can be made in /srv: a handover writes down first what it does"
    assert (finding.about, finding.reason) == ("journal", reason)
    assert not report.is_safe


@pytest.mark.parametrize(("stp", "expected"), [("1", 1), ("0", 0)])
def test_a_bridge_that_lets_a_new_port_wait_is_told(
    stp: str, expected: int, found: Running, root: Path
) -> None:
    place = root / "sys" / "class" / "net" / "br0" / "bridge"
    (place / "stp_state").write_text(f"{stp}\n")
    (place / "forward_delay").write_text("1500\n")
    lines = [str(each) for each in checked(found, root).findings]
    assert len([each for each in lines if "learns for 30 s first" in each]) == expected


def test_a_vnc_that_cannot_move_away_makes_no_room(found: Running, root: Path) -> None:
    """Before QEMU 7.1 nothing moves it: libvirt chooses another port for the new one."""
    display = Display(type="vnc", host="127.0.0.1", port=5907)
    facts = msgspec.structs.replace(found.facts, version=(5, 2, 0), displays=(display,))
    old = msgspec.structs.replace(found, facts=facts)
    text = with_display(text_of(old), '<graphics type="vnc" port="5907" autoport="no" listen="127.0.0.1"/>')
    assert told(checked(old, root, text=text)) == [("display", "vnc port 5907")]
    report = Report()
    (shown,) = with_room(parse_domain(text), report, (5, 2, 0)).devices.graphics
    assert (shown.port, shown.autoport) == (None, True)
    assert [each.path for each in report.losses] == ["graphics[0].port"]
    assert with_room(parse_domain(text), Report(), (7, 1, 0)) == parse_domain(text)
