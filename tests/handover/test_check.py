"""A check finds what would go wrong, and changes nothing: host, libvirt and QEMU each have their say."""

from __future__ import annotations

import shutil
import socket
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.hardware.recorded import replayed
from virtxlate import Context, Report, format_domain
from virtxlate.domain.document import parse_domain
from virtxlate.errors import LiveError
from virtxlate.handover.check import Checked, check
from virtxlate.handover.differences import Meaning
from virtxlate.handover.facts import running
from virtxlate.handover.look_host import Look
from virtxlate.handover.room import with_room
from virtxlate.hardware.facts import Busy, Display, Medium, Net, Tap
from virtxlate.hardware.inspect import inspect
from virtxlate.translate.running.facts import Running
from virtxlate.translate.running.whole import to_domain

UUID = "00000000-0000-4000-8000-000000000001"
NIC = "nic-00000000-0000-4000"


class FakeDomain:
    """A domain whose QEMU says what one that was recorded said."""

    def __init__(self, name: str, uuid: str, *, active: bool = False) -> None:
        self.name, self.uuid, self.active, self.destroyed = name, uuid, active, False
        self.ask = replayed("plugged-3.2")

    def is_active(self) -> bool:
        return self.active

    def inactive_xml(self) -> str:
        raise NotImplementedError

    live_xml = inactive_xml

    def start(self, *, paused: bool = False) -> None:
        raise NotImplementedError

    def destroy(self) -> None:
        self.destroyed = True


class FakeHost:
    """A libvirt that starts whatever it is given, unless told not to."""

    def __init__(self) -> None:
        self.known: FakeDomain | None = None
        self.version = 7_002_022
        self.refuses: str | None = None
        self.started: list[tuple[str, FakeDomain]] = []

    def find(self, uuid: str, name: str) -> FakeDomain | None:
        del uuid, name
        return self.known

    def emulator_version(self) -> int:
        return self.version

    def start_paused(self, xml: str) -> FakeDomain:
        if self.refuses is not None:
            raise LiveError(self.refuses, call="createXML")
        found = FakeDomain("x", UUID, active=True)
        self.started.append((xml, found))
        return found


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A host with one bridge, a tap in it, and memory."""
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc" / "meminfo").write_text("MemTotal: 8000000 kB\nMemAvailable:    4000000 kB\n")
    for name in ("br0", "br1"):
        (tmp_path / "sys" / "class" / "net" / name / "bridge").mkdir(parents=True)
    return tmp_path


@pytest.fixture
def found(tmp_path: Path) -> Running:
    """The recorded QEMU, as it would run on a host with its disks."""
    facts = inspect(replayed("plugged-3.2"))
    drives = {name: _with_file(tmp_path / name, medium) for name, medium in facts.drives.items()}
    own = msgspec.structs.replace(facts, status="running", drives=drives)
    return running(own, taps={NIC: Tap(name="tap0", vnet_hdr=True, bridge="br0")}, command=("qemu",))


def _with_file(path: Path, medium: Medium | None) -> Medium | None:
    if medium is None:
        return None
    path.write_bytes(b"")
    found: Medium = msgspec.structs.replace(medium, filename=str(path))
    return found


def text_of(found: Running) -> str:
    return format_domain(with_room(to_domain(found, Context(metadata=False), Report()), Report()))


def checked(
    found: Running,
    root: Path,
    host: FakeHost | None = None,
    text: str | None = None,
    *,
    live: bool = False,
    image: Path | None = None,
) -> Checked:
    scratch = root / "scratch"
    scratch.mkdir(exist_ok=True)
    return check(
        found,
        text_of(found) if text is None else text,
        host or FakeHost(),
        scratch=scratch,
        uuid=UUID,
        surroundings=Look(root=root, live=live, image=image),
    )


def told(report: Checked, meaning: Meaning = Meaning.FATAL) -> list[tuple[str, str]]:
    return [(each.about, each.at) for each in report.findings if each.meaning is meaning]


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
    "a block job": ({"busy": Busy(jobs=("mirror",))}, ("block job", "mirror")),
    "plugged memory": ({"plugged_memory": 5}, ("memory", "5 bytes")),
    "a NIC that is on no tap": ({"nets": {NIC: Net(type="user")}}, (f"nic {NIC}", "user")),
    "a newer QEMU": ({"version": (8, 0, 0)}, ("qemu", "7002022")),
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
    "an older QEMU": ({"version": (7, 0, 0)}, ("qemu", "7002022")),
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


def test_spice_on_its_old_port_is_fatal(found: Running, root: Path) -> None:
    display = '<graphics type="spice" port="11000" autoport="no" listen="127.0.0.1"/>'
    text = with_display(text_of(found), display)
    assert told(checked(found, root, text=text)) == [("display", "spice port 11000")]


def test_a_host_that_does_not_tell_its_memory_is_told(found: Running, root: Path) -> None:
    (root / "proc" / "meminfo").unlink()
    assert ("memory", f"{(128 + 64) << 20} bytes") in told(checked(found, root), Meaning.HARMLESS)


@pytest.mark.parametrize(("free", "expected"), [(191 << 20, 1), (192 << 20, 0)])
def test_a_guest_does_not_stand_still_for_an_image_that_has_no_room(
    free: int, expected: int, found: Running, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(root)._replace(free=free)
    monkeypatch.setattr("shutil.disk_usage", lambda _path: usage)
    assert told(checked(found, root)) == []
    place = root / "not" / "there"
    assert told(checked(found, root, image=place)) == [("image", str(place))] * expected


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
