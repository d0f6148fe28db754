"""Runtime files beside Ganeti's own code: how it reads old ones, and what it writes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

from lab.ganeti_judge import Judge, Loaded, Verdict, prepare
from tests.golden.cases import FIXTURES
from virtxlate import Context, Report, format_domain, open_source, to_domain
from virtxlate.domain.document import parse_domain
from virtxlate.ganeti.command import V3_0, build_command
from virtxlate.ganeti.export import export_runtime
from virtxlate.ganeti.model import Instance
from virtxlate.ganeti.runtime_downgrade import downgrade
from virtxlate.ganeti.runtime_tree import RuntimeTree, format_tree, parse_tree
from virtxlate.ganeti.runtime_upgrade import upgrade
from virtxlate.translate.placing import place
from virtxlate.translate.runtime import live_runtime

pytestmark = pytest.mark.oracle

Given = dict[str, Any]

UPGRADE = {
    "uuid of a NIC": "Ganeti's is random, and so is ours",
    "disk_discard": "beside -vnc, 3.1 turns 'default' into 'ignore'; the judge is 3.0",
    "-chroot": "beside -vnc, 3.1 takes it out of the command; the judge is 3.0",
}
"""Where an upgraded file differs from Ganeti's, with the reason."""

WRITTEN = {
    "hvparams.root_path": "null is a text, 'None', on Ganeti's command line; ours is empty, as in the domain",
    "hvparams.vnc_bind_address": "an interface: its address is the node's to tell, which is reported",
    "hvparams.spice_bind": "an interface: its address is the node's to tell, which is reported",
}
"""Parameters of which a command differs from Ganeti's, or lacks a part, with the reason."""

BASE: Given = {
    "name": "inst1.example.com",
    "uuid": "11111111-2222-4333-8444-555555555555",
    "network_port": 11000,
    "hvparams": {"kernel_path": "", "machine_version": "pc-i440fx-7.2"},
    "beparams": {"maxmem": 512, "minmem": 512, "vcpus": 2},
}


def uuid_of(kind: int, index: int) -> str:
    return f"{index:04x}{kind:04x}-2222-4111-8111-111111111111"


def with_devices(given: Given, disks: int, nics: int) -> Given:
    return {
        **given,
        "disks": [
            {
                "disk": {
                    "dev_type": "plain",
                    "logical_id": ["vg", f"d{i}"],
                    "iv_name": f"disk/{i}",
                    "size": 1024,
                    "params": {"stripes": 1},
                    "uuid": uuid_of(0xD, i),
                }
            }
            for i in range(disks)
        ],
        "nics": [
            {
                "mac": f"aa:00:00:00:00:{i:02x}",
                "uuid": uuid_of(0xA, i),
                "nicparams": {"mode": "bridged", "link": "br0", "vlan": ""},
            }
            for i in range(nics)
        ],
    }


VALUES: dict[str, list[Any]] = {
    "acpi": [False],
    "boot_order": ["network"],
    "cpu_type": ["host", "Haswell,+pcid"],
    "disk_type": ["scsi-hd", "scsi-cd", "ide", "scsi-block", "scsi-generic"],
    "kvm_extra": ["-device virtio-rng-pci", "-smbios  type=1"],
    "kvm_flag": ["enabled", "disabled"],
    "kvm_path": ["/usr/bin/qemu-system-x86_64"],
    "mem_path": ["/dev/hugepages"],
    "nic_type": ["e1000", "rtl8139"],
    "reboot_behavior": ["exit"],
    "serial_console": [False],
    "soundhw": ["hda"],
    "usb_devices": ["keyboard", "keyboard,wacom-tablet"],
    "usb_mouse": ["tablet", "mouse"],
    "use_chroot": [True],
    "use_guest_agent": [True],
    "use_localtime": [True],
    "vga": ["cirrus", "std"],
    "vnc_bind_address": ["0.0.0.0", "127.0.0.1", "::1"],
    "spice_bind": ["127.0.0.1", "::1"],
    "cdrom_image_path": ["/iso/a.iso", "http://h/x.iso", "ftps://h/x.iso"],
    "floppy_image_path": ["/iso/f.img"],
}
"""One parameter a case; each is accepted by Ganeti 3.0."""

COMBINED: list[Given] = [
    {"cpu_cores": 2, "cpu_threads": 1, "cpu_sockets": 1},
    {"kernel_path": "/boot/k", "initrd_path": "/boot/i", "kernel_args": "ro quiet", "serial_speed": 9600},
    {"kernel_path": "/boot/k", "serial_console": False, "boot_order": "network"},
    {"kernel_path": "/boot/k", "cdrom_image_path": "/a.iso", "boot_order": "cdrom"},
    {"boot_order": "cdrom", "cdrom_image_path": "/a.iso", "cdrom2_image_path": "/b.iso"},
    {"boot_order": "cdrom", "cdrom_image_path": "/a.iso", "cdrom_disk_type": "scsi-cd"},
    {"cdrom_image_path": "/a.iso", "cdrom_disk_type": "ide", "disk_type": "scsi-hd"},
    {"cdrom2_image_path": "https://h/b.iso", "cdrom_disk_type": "ide"},
    {"boot_order": "floppy", "floppy_image_path": "/f.img"},
    {"scsi_controller_type": "megasas", "disk_type": "scsi-hd"},
    {"vnc_bind_address": "127.0.0.1", "vnc_tls": True},
    {"vnc_bind_address": "127.0.0.1", "vnc_tls": True, "vnc_x509_path": "/etc/pki"},
    {"vnc_bind_address": "::1", "vnc_tls": True, "vnc_x509_path": "/etc/pki", "vnc_x509_verify": True},
    {"vnc_bind_address": "0.0.0.0", "vnc_password_file": "/etc/vnc", "usb_mouse": "mouse"},
    {"spice_bind": "127.0.0.1", "spice_password_file": "/etc/spice", "spice_use_vdagent": False},
    {"spice_bind": "127.0.0.1", "spice_use_tls": True, "spice_tls_ciphers": ""},
    {
        "spice_bind": "127.0.0.1",
        "spice_use_tls": True,
        "spice_image_compression": "glz",
        "spice_jpeg_wan_compression": "never",
        "spice_zlib_glz_wan_compression": "always",
        "spice_streaming_video": "off",
        "spice_playback_compression": False,
        "vga": "std",
    },
    {"acpi": False, "reboot_behavior": "exit", "kvm_flag": "enabled", "soundhw": "ac97", "use_chroot": True},
]


def matrix() -> Iterator[Given]:
    for disks, nics in ((0, 0), (1, 0), (0, 1), (2, 3), (8, 8)):
        yield with_devices(BASE, disks, nics)
    for hvparams in [*({n: v} for n, values in VALUES.items() for v in values), *COMBINED]:
        yield with_devices({**BASE, "hvparams": BASE["hvparams"] | hvparams}, 2, 2)
    for port in (5000, 5900, 5901):
        yield {**BASE, "network_port": port, "hvparams": BASE["hvparams"] | {"vnc_bind_address": "127.0.0.1"}}


def instance_of(given: Given, judge_runtime: list[Any]) -> Instance:
    """Give the instance as virtxlate reads it from Ganeti's own file, without places, with its port."""
    text = json.dumps(judge_runtime).encode()
    found = open_source(text).instance(given["name"], Report())
    bare = {
        name: tuple(msgspec.structs.replace(device, hvinfo=None) for device in getattr(found, name))
        for name in ("disks", "nics")
    }
    return msgspec.structs.replace(found, network_port=given["network_port"], version=V3_0, **bare)


class Case(NamedTuple):
    given: Given
    verdict: Verdict
    instance: Instance

    @property
    def theirs(self) -> list[Any]:
        assert self.verdict.runtime is not None
        parts: list[Any] = json.loads(self.verdict.runtime)
        return parts


@pytest.fixture(scope="module")
def judge() -> Judge:
    return prepare()


@pytest.fixture(scope="module")
def cases(judge: Judge) -> list[Case]:
    given = list(matrix())
    verdicts = judge.run(given)
    assert [verdict.error for verdict in verdicts] == [None] * len(given)
    return [
        Case(each, verdict, instance_of(each, json.loads(verdict.runtime or "")))
        for each, verdict in zip(given, verdicts, strict=True)
    ]


def test_the_command_is_ganetis_word_for_word(cases: list[Case]) -> None:
    assert len(cases) > 60
    for case in cases:
        report = Report()
        assert tuple(build_command(case.instance, report)) == case.verdict.stored, case.given["hvparams"]
        assert not report


def test_an_interface_to_bind_to_is_reported_and_never_guessed(judge: Judge) -> None:
    for name in ("vnc_bind_address", "spice_bind"):
        assert f"hvparams.{name}" in WRITTEN
        given = {**BASE, "hvparams": BASE["hvparams"] | {name: "lo"}}
        verdict, report = judge.run([given])[0], Report()
        ours = build_command(instance_of(given, json.loads(verdict.runtime or "")), report)
        assert [loss.value for loss in report.losses] == ["lo"]
        assert set(map(str, ours)) < set(map(str, verdict.stored))


def test_a_root_path_that_is_null_is_listed(judge: Judge) -> None:
    assert "hvparams.root_path" in WRITTEN
    given = {**BASE, "hvparams": BASE["hvparams"] | {"kernel_path": "/boot/k", "root_path": "/dev/x"}}
    verdict = judge.run([given])[0]
    parts = json.loads(verdict.runtime or "")
    parts[2]["root_path"] = None
    assert "root= ro console=ttyS0,38400" in build_command(instance_of(given, parts), Report())


def test_the_whole_file_is_ganetis(cases: list[Case]) -> None:
    for case in cases:
        ours = export_runtime(place(case.instance), Report())
        assert json.loads(format_tree(ours)) == case.theirs, case.given["hvparams"]


def test_the_spelling_is_ganetis(cases: list[Case]) -> None:
    """The order of keys may differ; blanks, escapes and the end of the file may not."""
    for case in cases:
        assert format_tree(parse_tree((case.verdict.runtime or "").encode())).decode() == case.verdict.runtime


NOT_A_DOMAIN = frozenset({"scsi-block", "scsi-generic"})
"""disk_type that is refused: the disks of these cases are no SCSI devices."""


def test_the_file_of_a_running_domain_is_the_one_that_ganeti_wrote(cases: list[Case]) -> None:
    """Through the domain's XML: what it does not tell is in its metadata."""
    with_domain = [c for c in cases if c.given["hvparams"].get("disk_type") not in NOT_A_DOMAIN]
    assert len(with_domain) > 55
    for case in with_domain:
        xml = format_domain(to_domain(case.instance, Context(), Report()))
        assert json.loads(format_tree(live_runtime(xml, Context(), Report()))) == case.theirs


def test_with_a_base_the_command_stays_and_nothing_else_is_needed(cases: list[Case]) -> None:
    for case in cases[:5]:
        base = parse_tree((case.verdict.runtime or "").encode())
        xml = format_domain(to_domain(case.instance, Context(metadata=False), Report()))
        assert "metadata" not in xml
        assert live_runtime(xml, Context(), Report(), base=base) == base


def test_a_source_tells_what_a_domain_without_metadata_does_not(cases: list[Case]) -> None:
    for case in cases[:5]:
        xml = format_domain(to_domain(case.instance, Context(metadata=False), Report()))
        ours = live_runtime(xml, Context(), Report(), source=case.instance)
        assert json.loads(format_tree(ours)) == case.theirs


def test_without_all_that_the_devices_are_right_and_the_rest_is_reported(cases: list[Case]) -> None:
    for case in cases[:5]:
        xml = format_domain(to_domain(case.instance, Context(metadata=False), Report()))
        assert parse_domain(xml).metadata is None
        report = Report()
        ours = json.loads(format_tree(live_runtime(xml, Context(), report)))
        for mine, theirs in zip(ours[1], case.theirs[1], strict=True):
            assert {**mine, "uuid": theirs["uuid"]} == theirs
        for mine, theirs in zip(ours[3], case.theirs[3], strict=True):
            assert mine[0]["hvinfo"] == theirs[0]["hvinfo"]
            assert mine[0]["logical_id"] == theirs[0]["logical_id"]
        told = {loss.path for loss in report.losses}
        assert {f"[3][{i}][0].uuid" for i in range(len(ours[3]))} <= told
        assert "network_port" in told


# Old forms


def old_forms(theirs: list[Any]) -> Iterator[list[Any]]:
    """Give a file of today in the forms of the past, and some that mix them."""

    def copy() -> list[Any]:
        parts: list[Any] = json.loads(json.dumps(theirs))
        return parts

    def devices(parts: list[Any]) -> list[Given]:
        return [*parts[1], *(entry[0] for entry in parts[3])]

    yield copy()
    slots = copy()
    for device in devices(slots):
        hvinfo = device.pop("hvinfo")
        if "addr" in hvinfo:
            device["pci"] = int(hvinfo["addr"], 16)
    yield slots
    bare = copy()
    for device in devices(bare):
        del device["hvinfo"]
    yield bare
    empty = copy()
    for device in devices(empty):
        device["hvinfo"] = {}
    yield empty
    three = copy()[:3]
    for nic in three[1]:
        del nic["hvinfo"]
    yield three
    at = theirs[0].index("-daemonize")
    for words in (
        ["-balloon", "virtio"],
        ["-balloon", "virtio,id=b0,addr=0x3"],
        ["-localtime"],
        ["-localtime", "-balloon", "virtio", "-localtime", "-balloon", "virtio"],
    ):
        changed = copy()
        changed[0][at:at] = words
        yield changed
    for value in (":1,tls", ":1,tls,x509=/a", ":1,x509verify=/b,tls,password", "[::1]:2,x509=/c", "none", ""):
        changed = copy()
        changed[0][at:at] = ["-vnc", value]
        yield changed


def expected(loaded: Loaded) -> list[Any]:
    disks = [[entry["disk"], entry["link"], entry["uri"]] for entry in loaded.disks]
    parts: list[Any] = json.loads(json.dumps([loaded.cmd, loaded.nics, loaded.hvparams, disks]))
    return parts


def without_listed(tree: RuntimeTree, theirs: list[Any]) -> list[Any]:
    """Give our tree as Ganeti 3.0 would have it, in what UPGRADE lists."""
    ours = json.loads(format_tree(tree))
    if "-vnc" in theirs[0] and theirs[2].get("disk_discard") == "default":
        assert ours[2]["disk_discard"] == "ignore"
        ours[2]["disk_discard"] = "default"
    if "-vnc" in theirs[0] and "-chroot" in theirs[0]:
        assert "-chroot" not in ours[0]
        at = theirs[0].index("-chroot")
        ours[0][at:at] = theirs[0][at : at + 2]
    parts: list[Any] = ours
    return parts


def same_upgrade(judge: Judge, files: list[list[Any]]) -> int:
    loaded = judge.load([json.dumps(each) for each in files])
    assert [each.error for each in loaded] == [None] * len(files)
    for file, each in zip(files, loaded, strict=True):
        tree, _changes = upgrade(parse_tree(json.dumps(file).encode()), lambda: "made")
        assert without_listed(tree, expected(each)) == expected(each), file
    return len(files)


def test_an_upgrade_is_ganetis(judge: Judge, cases: list[Case]) -> None:
    files = [form for case in cases for form in old_forms(case.theirs)]
    assert same_upgrade(judge, files) > 900


LEGACY = sorted((FIXTURES / "runtime").glob("*.json"))


@pytest.mark.parametrize("path", LEGACY, ids=lambda path: path.stem)
def test_an_upgraded_fixture_is_ganetis(path: Path, judge: Judge) -> None:
    loaded = judge.load([path.read_text()])[0]
    assert loaded.error is None
    theirs = expected(loaded)
    made = iter([nic["uuid"] for nic in theirs[1]])
    nics = json.loads(path.read_text())[1]
    uuids = iter([uuid for uuid, nic in zip(made, nics, strict=True) if "uuid" not in nic])
    tree, _changes = upgrade(parse_tree(path.read_bytes()), lambda: next(uuids))
    assert without_listed(tree, theirs) == theirs


def test_the_fixtures_are_there() -> None:
    assert len(LEGACY) >= 5


@pytest.mark.parametrize("to", ["2.15", "3.0", "3.1"])
def test_ganeti_reads_what_a_downgrade_wrote(to: str, judge: Judge, cases: list[Case]) -> None:
    """And what it then has is what we say that an upgrade gives."""
    trees = [downgrade(parse_tree((c.verdict.runtime or "").encode()), to, Report()) for c in cases]
    same_upgrade(judge, [json.loads(format_tree(tree)) for tree in trees])


def test_ganeti_3_0_starts_a_downgraded_file(judge: Judge, cases: list[Case]) -> None:
    """A file made for 3.1 or newer, taken back to 3.0: its own code executes it without an error."""
    given = []
    for case in cases[:40]:
        newer = export_runtime(place(case.instance), Report(), version=3020000)
        text = format_tree(downgrade(newer, "3.0", Report())).decode()
        given.append({**case.given, "runtime": text})
    verdicts = judge.run(given)
    assert [verdict.error for verdict in verdicts] == [None] * len(given)
    for case, verdict in zip(cases, verdicts, strict=False):
        assert verdict.disks == case.verdict.disks
