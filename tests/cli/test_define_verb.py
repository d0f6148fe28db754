"""``virtxlate define`` and ``start`` against a libvirt that can misbehave."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.hosts import FakeHost, door
from tests.cli.running import CLUSTER, DB, FIXTURES, MAIL, WEB, WEB_UUID, Cli, cluster, instance_in

GOLDEN = (FIXTURES / "domain" / "cluster.web1.xml").read_text()
Asked = list[tuple[str | None, bool]]


@pytest.fixture
def asked() -> Asked:
    """The connections that were asked for: URI, and whether only to read."""
    return []


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch, asked: Asked) -> FakeHost:
    host = FakeHost()
    monkeypatch.setitem(sys.modules, "virtxlate.live.connection", door(host, asked))
    return host


def by_libvirt(xml: str) -> str:
    """Give a document as libvirt would store it: with its own additions."""
    return (
        xml.replace("<vcpu>", "<vcpu placement='static'>")
        .replace('machine="pc"', 'machine="pc-i440fx-7.2"')
        .replace("<devices>", "<devices><emulator>/usr/bin/qemu-system-x86_64</emulator>")
        .replace("</devices>", "<controller type='pci' index='0' model='pci-root'/></devices>")
        .replace("</devices>", "<input type='mouse' bus='ps2'/><audio id='1' type='none'/></devices>")
    )


# What is printed, and nothing else done


@pytest.mark.parametrize("verb", ["define", "start"])
def test_the_xml_can_be_had_without_libvirt(cli: Cli, monkeypatch: pytest.MonkeyPatch, verb: str) -> None:
    monkeypatch.setitem(sys.modules, "virtxlate.live.connection", None)
    assert cli(verb, CLUSTER, WEB, "--print-xml") == (0, GOLDEN, "")


@pytest.mark.parametrize("verb", ["define", "start"])
def test_without_libvirt_python_one_line_says_what_to_install(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    monkeypatch.delitem(sys.modules, "virtxlate.live.connection", raising=False)
    monkeypatch.delitem(sys.modules, "virtxlate.live.events", raising=False)
    monkeypatch.setitem(sys.modules, "libvirt", None)
    result = cli(verb, CLUSTER, WEB)
    assert (result.code, result.out) == (5, "")
    assert result.error.startswith("error: libvirt-python is missing (")
    assert result.error.endswith("): install python3-libvirt, or virtxlate[libvirt]")


@pytest.mark.parametrize("verb", ["define", "start"])
def test_a_dry_run_changes_nothing(cli: Cli, host: FakeHost, asked: Asked, verb: str) -> None:
    result = cli(verb, CLUSTER, WEB, "--dry-run", "-c", "test:///default")
    done = "defined" if verb == "define" else "started"
    assert result == (0, f"domain '{WEB}' would be {done}; nothing was changed\n", "")
    assert (host.calls, host.domains) == ([], [])
    assert asked == [("test:///default", True)]


def test_a_diff_to_nothing_is_the_whole_document(cli: Cli, host: FakeHost, asked: Asked) -> None:
    result = cli("define", CLUSTER, WEB, "--print-diff")
    lines = result.out.splitlines()
    assert (result.code, lines[:2]) == (0, ["--- Original XML", "+++ Altered XML"])
    assert '+<domain type="kvm">' in lines
    assert {line[0] for line in lines} == {"-", "+", "@"}
    assert [line for line in lines if line.startswith("-")] == ["--- Original XML"]
    assert (host.calls, asked) == ([], [(None, True)])


def test_a_second_definition_shows_no_difference(cli: Cli, host: FakeHost) -> None:
    host.stored = by_libvirt
    cli("define", CLUSTER, WEB)
    result = cli("define", CLUSTER, WEB, "--print-diff")
    assert (result.code, result.out) == (0, "")
    assert result.error == f"domain '{WEB}' is defined like this already"


def test_a_diff_shows_what_would_change_and_nothing_else(
    cli: Cli, host: FakeHost, stdin: Callable[[bytes], None]
) -> None:
    host.stored = by_libvirt
    cli("define", CLUSTER, WEB)

    def change(data: dict[str, Any]) -> None:
        instance_in(data, WEB)["hvparams"]["disk_cache"] = "none"
        instance_in(data, WEB)["nics"] = []

    stdin(cluster(change))
    lines = cli("define", "-", WEB, "--no-metadata", "--print-diff").out.splitlines()
    stdin(cluster(change))
    with_metadata = cli("define", "-", WEB, "--print-diff").out.splitlines()
    changed = [line for line in lines if line[0] in "+-" and "{" not in line]
    assert any('+      <driver name="qemu" type="raw" cache="none"' in line for line in changed)
    assert any('-      <mac address="aa:00:00:94:f5:16"/>' in line for line in changed)
    assert not any("emulator" in line or "pci-root" in line for line in lines)
    assert '+   "disk_cache": "none",' in with_metadata
    assert len(with_metadata) < 90


def test_what_somebody_added_shows_as_going(cli: Cli, host: FakeHost) -> None:
    cli("define", CLUSTER, WEB)
    extra = (
        '<disk type="file" device="disk"><source file="/x"/><target dev="vdz" bus="virtio"/></disk>'
        '<smartcard mode="host"/><redirdev bus="usb" type="spicevmc"/>'
    )
    host.stored = lambda xml: by_libvirt(xml).replace("</devices>", f"{extra}</devices>")
    result = cli("define", CLUSTER, WEB, "--print-diff")
    assert '-      <target dev="vdz" bus="virtio"/>' in result.out.splitlines()
    said = "drops what virtxlate has no word for: /domain/devices/smartcard, /domain/devices/redirdev"
    assert result.error == said


def test_a_definition_says_what_it_drops(cli: Cli, host: FakeHost) -> None:
    cli("define", CLUSTER, WEB)
    host.domains[0].xml = GOLDEN.replace("</vcpu>", "</vcpu><cputune><shares>9</shares></cputune>")
    result = cli("define", CLUSTER, WEB)
    assert result.out == f"domain '{WEB}' defined\n"
    assert result.error == "drops what virtxlate has no word for: /domain/cputune/shares"
    assert cli("define", CLUSTER, WEB).err == ""


# Defining


def test_define_defines(cli: Cli, host: FakeHost, asked: Asked) -> None:
    host.stored = by_libvirt
    assert cli("define", CLUSTER, WEB, "--connect", "qemu:///system") == (0, f"domain '{WEB}' defined\n", "")
    assert cli("define", CLUSTER, WEB_UUID).out == f"domain '{WEB}' defined\n"
    assert host.calls == ["define", "define"]
    assert [domain.xml for domain in host.domains] == [GOLDEN]
    assert asked == [("qemu:///system", False), (None, False)]


def test_the_uuid_may_be_spelt_in_capitals(cli: Cli, host: FakeHost, stdin: Callable[[bytes], None]) -> None:
    host.stored = lambda xml: xml.replace(f"<uuid>{WEB_UUID.upper()}", f"<uuid>{WEB_UUID}")
    for _time in range(2):
        stdin(cluster(lambda data: instance_in(data, WEB).update(uuid=WEB_UUID.upper())))
        assert cli("define", "-", WEB).code == 0


def test_libvirt_that_says_yes_and_does_otherwise_is_believed_by_its_xml(cli: Cli, host: FakeHost) -> None:
    host.stored = lambda xml: xml.replace('slot="0x0c"', 'slot="0x0f"').replace('bridge="br0"', 'bridge="x"')
    result = cli("define", CLUSTER, WEB)
    assert (result.code, result.out) == (6, "")
    assert result.error == (
        "error: libvirt defined the domain, but its inactive XML differs: "
        "domain.devices.disks[0].address.slot: expected 12, found 15; "
        "domain.devices.interfaces[0].bridge: expected 'br0', found 'x'"
    )


def test_a_device_that_libvirt_forgot_is_a_difference(cli: Cli, host: FakeHost) -> None:
    host.stored = lambda xml: xml[: xml.index("<interface")] + xml[xml.index("</interface>") + 12 :]
    result = cli("define", CLUSTER, WEB)
    assert result.code == 6
    assert result.error.endswith("domain.devices.interfaces[0]: expected ('aa:00:00:94:f5:16',), found none")


@pytest.mark.parametrize("argv", [(), ("--dry-run",), ("--print-diff",)])
def test_a_name_or_uuid_that_is_another_guests_is_not_touched(
    cli: Cli, host: FakeHost, argv: tuple[str, ...]
) -> None:
    other = GOLDEN.replace(WEB_UUID, "00000000-0000-4000-8000-000000000000")
    host.define(other)
    result = cli("define", CLUSTER, WEB, *argv)
    assert (result.code, result.out) == (5, "")
    assert result.error == (
        f"error: define: domain '{WEB}' exists with UUID 00000000-0000-4000-8000-000000000000"
    )
    host.domains.clear()
    host.define(GOLDEN.replace(f"<name>{WEB}", "<name>other"))
    result = cli("start", CLUSTER, WEB, *argv)
    assert (result.code, result.out) == (5, "")
    assert result.error == f"error: define: UUID {WEB_UUID} is that of domain 'other'"
    assert host.calls == ["define", "define"]


def test_losses_are_told_and_strict_stops_before_libvirt(cli: Cli, host: FakeHost) -> None:
    result = cli("define", CLUSTER, MAIL, "--strict")
    assert (result.code, host.calls) == (4, [])
    result = cli("define", CLUSTER, MAIL)
    assert result.out == f"domain '{MAIL}' defined\n"
    assert [line.partition(" = ")[0] for line in result.errors] == [
        f"virtxlate: loss: {MAIL}: nics[1].mode",
        f"virtxlate: loss: {MAIL}: nics[1].link",
    ]


def test_the_version_is_the_hosts_unless_told(
    cli: Cli, host: FakeHost, stdin: Callable[[bytes], None]
) -> None:
    def tag(data: dict[str, Any]) -> None:
        instance_in(data, WEB)["nics"][0]["nicparams"] = {"mode": "bridged", "link": "br0", "vlan": ".100"}

    stdin(cluster(tag))
    assert cli("define", "-", WEB).code == 4
    host.libvirt_version = "11.0.0"
    stdin(cluster(tag))
    assert cli("define", "-", WEB).code == 0
    stdin(cluster(tag))
    assert cli("define", "-", WEB, "--libvirt-version", "10.9").code == 4


def test_no_connection_is_one_line(cli: Cli, host: FakeHost) -> None:
    result = cli("define", CLUSTER, WEB, "-c", "down:///")
    assert (result.code, result.out, result.error) == (5, "", "error: open: nobody there")
    assert host.calls == []


def test_bad_data_is_told_before_libvirt_is_asked(cli: Cli, host: FakeHost, asked: Asked) -> None:
    assert cli("define", CLUSTER, "nope").code == 3
    assert cli("define", CLUSTER).code == 2
    assert cli("define", CLUSTER, WEB, DB).code == 2
    assert (asked, host.calls) == ([], [])


# Starting


def test_start_defines_and_starts(cli: Cli, host: FakeHost) -> None:
    assert cli("start", CLUSTER, WEB) == (0, f"domain '{WEB}' started\n", "")
    assert host.calls == ["define", "start"]


def test_a_guest_can_be_left_paused(cli: Cli, host: FakeHost) -> None:
    assert cli("start", CLUSTER, WEB, "--paused").code == 0
    assert host.calls == ["define", "start paused"]
    assert cli("define", CLUSTER, WEB, "--paused").code == 2


def test_a_guest_that_runs_is_left_alone(cli: Cli, host: FakeHost) -> None:
    cli("start", CLUSTER, WEB)
    for argv in ([], ["--dry-run"]):
        result = cli("start", CLUSTER, WEB, *argv)
        assert (result.code, result.out) == (5, "")
        assert result.error == f"error: start: domain '{WEB}' is running already"
    assert host.calls == ["define", "start"]
    assert cli("start", CLUSTER, WEB, "--print-diff").code == 0
    result = cli("define", CLUSTER, WEB)
    assert result.out == f"domain '{WEB}' defined; its guest runs on as it was\n"


def test_a_start_that_fails_leaves_the_domain_defined_and_says_so(cli: Cli, host: FakeHost) -> None:
    host.refuses_start = True
    result = cli("start", CLUSTER, WEB)
    assert (result.code, result.out) == (5, "")
    assert result.error == f"error: create: no such disk; domain '{WEB}' is defined, and does not run"
    assert [domain.name for domain in host.domains] == [WEB]


def test_a_guest_that_runs_otherwise_is_a_difference(cli: Cli, host: FakeHost) -> None:
    host.live = lambda xml: xml.replace('slot="0x0d"', 'slot="0x1d"')
    result = cli("start", CLUSTER, WEB)
    assert result.code == 6
    assert result.error == (
        "error: libvirt started the domain, but its live XML differs: "
        "domain.devices.interfaces[0].address.slot: expected 13, found 29"
    )


def test_a_guest_that_has_all_its_memory_yet_is_no_difference(cli: Cli, host: FakeHost) -> None:
    source = FIXTURES / "ganeti" / "rapi-ballooned.json"
    small, whole = (f'<currentMemory unit="KiB">{mib * 1024}</' for mib in (384, 512))
    host.live = lambda xml: xml.replace(small, whole)
    assert cli("start", source, "inst1.example.com").code == 0
    assert small in host.domains[0].xml
    host.stored = host.live
    assert cli("define", source, "inst1.example.com").code == 6


def test_a_domain_that_goes_away_meanwhile_is_one_line(cli: Cli, host: FakeHost) -> None:
    host.forgets = True
    result = cli("start", CLUSTER, WEB)
    assert (result.code, result.error) == (5, f"error: start: domain '{WEB}' is gone")


def test_a_runtime_file_without_uuid_is_found_by_its_name(cli: Cli, host: FakeHost, tmp_path: Path) -> None:
    text = (FIXTURES / "ganeti" / "runtime-scsi.json").read_text()
    path = tmp_path / "x.runtime"
    path.write_text(text.replace('"-uuid"', '"-other"'))
    name = json.loads(cli("translate", path, "--format", "json").out)["instance"]
    assert cli("define", path, name).code == 0
    assert [domain.uuid for domain in host.domains] == [""]
    assert cli("define", path, name, "--print-diff").out == ""


def test_metadata_that_is_not_ours_is_shown_as_it_is(cli: Cli, host: FakeHost) -> None:
    cli("define", CLUSTER, WEB)
    start, end = GOLDEN.index(">{") + 1, GOLDEN.index("}</") + 1
    host.domains[0].xml = f"{GOLDEN[:start]}not JSON{GOLDEN[end:]}"
    lines = cli("define", CLUSTER, WEB, "--print-diff").out.splitlines()
    assert any(line.startswith("-    <virtxlate:instance") and "not JSON" in line for line in lines)


def test_the_memory_of_a_display_is_libvirts(cli: Cli, host: FakeHost) -> None:
    host.stored = lambda xml: xml.replace(
        'vram="16384"', 'vram="16384" ram="65536" vgamem="16384" primary="yes"'
    )
    cli("define", CLUSTER, WEB)
    assert cli("define", CLUSTER, WEB).err == ""
