"""``virtxlate plan`` and ``apply``: Ganeti's data beside a domain that behaves like libvirt's."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.hotplug_host import FakeHotplugHost
from tests.cli.running import Cli
from tests.hotplug.domains import DISK_IDS, DISKS, NIC_IDS, NICS, UUID, aliases, domain_of, ganeti, kept
from tests.hotplug.fake_domain import NEVER, FakeDomain
from virtxlate.ganeti.runtime import read_runtime
from virtxlate.report import Report

pytestmark = pytest.mark.usefixtures("host")

NAME = "web1.example.com"
Write = Callable[..., Path]
FOREIGN = (
    "<interface type='bridge'><mac address='52:54:00:00:00:01'/><source bridge='br0'/><model type='virtio'/>"
    "</interface>"
)


@pytest.fixture
def source(tmp_path: Path) -> Write:
    """Write a config whose one instance has these disks and NICs, by number."""

    def write(disks: tuple[int, ...], nics: tuple[int, ...] = (0, 1), **changed: Any) -> Path:
        instance = {
            "name": NAME,
            "uuid": UUID,
            "hypervisor": "kvm",
            "hvparams": {"kernel_path": "", **changed.get("hvparams", {})},
            "beparams": {},
            "nics": [
                {
                    "mac": NICS[number].mac,
                    "uuid": NICS[number].uuid,
                    "nicparams": {"mode": changed.get("mode", "bridged"), "link": changed.get("link", "br0")},
                }
                for number in nics
            ],
            "disks": [
                {
                    "dev_type": "plain",
                    "uuid": DISKS[number].uuid,
                    "size": 1024,
                    "logical_id": DISKS[number].logical_id,
                }
                for number in disks
            ],
        }
        path = tmp_path / "config.data"
        path.write_text(json.dumps({"version": 3010000, "cluster": {}, "instances": {UUID: instance}}))
        return path

    return write


def domain(host: FakeHotplugHost) -> FakeDomain:
    return host.domains[0]


PLANNED = [
    f"detach disk {DISK_IDS[1]}",
    f"update nic {NIC_IDS[0]}: bridge",
    f"update nic {NIC_IDS[1]}: bridge",
    f"attach disk {DISK_IDS[2]} (vdb) at PCI bus 0 slot 0xd",
    f"attach nic {NIC_IDS[2]} (aa:00:00:00:00:02) at PCI bus 0 slot 0x10",
]


def test_where_both_agree_there_is_nothing_to_do(cli: Cli, host: FakeHotplugHost, source: Write) -> None:
    assert cli("plan", source((0, 1)), NAME) == (0, f"{NAME}: nothing to do\n", "")
    assert cli("apply", source((0, 1)), UUID) == (0, f"{NAME}: nothing to do\n", "")
    assert set(domain(host).calls) <= {"metadata live"}


def test_a_plan_is_what_apply_does_and_then_there_is_none(
    cli: Cli, host: FakeHotplugHost, source: Write
) -> None:
    path = source((0, 2), (0, 1, 2), link="br1")
    planned = cli("plan", path, NAME, "-c", "test:///x")
    lines = [f"{number}. {line}" for number, line in enumerate(PLANNED, start=1)]
    assert planned == (1, "\n".join([*lines, f"{NAME}: 5 steps", ""]), "")
    assert domain(host).calls == []
    done = cli("apply", path, NAME)
    assert (done.code, done.err) == (0, "")
    assert [line for line in done.out.splitlines() if not line.startswith(" ")] == PLANNED
    assert "  free    /dev/xenvg/a.disk1\n" in done.out
    assert aliases(domain(host)) == sorted((DISK_IDS[0], DISK_IDS[2], *NIC_IDS[:3]))
    assert [each.uuid for each in kept(domain(host)).disks] == [DISKS[0].uuid, DISKS[2].uuid]
    assert cli("plan", path, NAME) == (0, f"{NAME}: nothing to do\n", "")


def test_a_plan_only_reads(cli: Cli, source: Write, asked: list[Any]) -> None:
    path = source((0,))
    for words in (("plan", path, NAME), ("apply", path, NAME, "--dry-run"), ("apply", path, NAME)):
        cli(*words)
    assert asked == [(None, True), (None, True), (None, False)]


@pytest.mark.parametrize("option", ["--dry-run", "--print-xml", "--print-diff"])
def test_what_is_only_shown_changes_nothing(
    cli: Cli, host: FakeHotplugHost, source: Write, option: str
) -> None:
    before = domain(host).live_xml()
    result = cli("apply", source((0, 2)), NAME, option)
    assert (result.code, result.err, domain(host).calls, domain(host).live_xml()) == (0, "", [], before)
    assert DISK_IDS[2] in result.out


def test_a_plan_of_the_definition_is_its_own(cli: Cli, source: Write) -> None:
    path = source((0,))
    assert cli("apply", path, NAME).code == 0
    assert cli("plan", path, NAME).code == 0
    result = cli("plan", path, NAME, "--config")
    assert result == (1, f"1. detach disk {DISK_IDS[1]}\n{NAME}: 1 step\n", "")
    assert cli("apply", path, NAME, "--config").code == 0
    assert cli("plan", path, NAME, "--config").code == 0


def test_a_plan_of_both_has_what_only_the_definition_needs(
    cli: Cli, host: FakeHotplugHost, source: Write
) -> None:
    path, both = source((0,)), ("--live", "--config")
    assert cli("apply", path, NAME).code == 0
    step, note = f"detach disk {DISK_IDS[1]}", f"{DISK_IDS[1]}: in the definition alone"
    assert cli("plan", path, NAME, *both) == (1, f"1. {step}\nnote: {note}\n{NAME}: 1 step\n", "")
    calls = len(domain(host).calls)
    assert cli("apply", path, NAME, *both) == (0, f"{step}\n  note    {note}\n", "")
    assert {call.rpartition(" ")[2] for call in domain(host).calls[calls:]} == {"config"}
    assert cli("plan", path, NAME, *both) == (0, f"{NAME}: nothing to do\n", "")


def test_what_is_not_ganetis_stays_unless_pruned(cli: Cli, host: FakeHotplugHost, source: Write) -> None:
    domain(host).somebody_else_attaches(FOREIGN)
    path = source((0, 1))
    assert cli("plan", path, NAME) == (
        0,
        f"note: net0 is not Ganeti's, and is left alone\n{NAME}: nothing to do\n",
        "",
    )
    assert cli("apply", path, NAME).out == (
        f"note: net0 is not Ganeti's, and is left alone\n{NAME}: nothing to do\n"
    )
    assert cli("plan", path, NAME, "--prune") == (1, f"1. detach nic net0\n{NAME}: 1 step\n", "")
    assert cli("apply", path, NAME, "--prune").out == "detach nic net0\n  free    vnet2\n"
    assert cli("plan", path, NAME, "--prune").code == 0


def test_a_plan_as_json(cli: Cli, source: Write) -> None:
    result = cli("plan", source((0,)), NAME, "--json")
    found = json.loads(result.out)
    assert (result.code, found.keys()) == (1, {"domain", "steps", "notes", "losses"})
    assert [(each["action"], each["line"]) for each in found["steps"]] == [
        ("detach", f"detach disk {DISK_IDS[1]}")
    ]
    assert (found["domain"], found["notes"], found["losses"]) == (NAME, [], [])


def test_what_was_applied_as_json(cli: Cli, source: Write) -> None:
    found = json.loads(cli("apply", source((0, 2), (0,)), NAME, "--json").out)
    assert [(each["action"], each["kind"], each["alias"], each["freed"]) for each in found] == [
        ("remove", "disk", DISK_IDS[1], ["/dev/xenvg/a.disk1"]),
        ("remove", "nic", NIC_IDS[1], ["vnet1"]),
        ("add", "disk", DISK_IDS[2], []),
    ]
    assert found[2]["hvinfo"]["addr"] == "0xd"


def test_a_device_that_does_not_go_stops_the_rest(cli: Cli, host: FakeHotplugHost, source: Write) -> None:
    domain(host).answers[DISK_IDS[1]].extend([NEVER] * 3)
    result = cli("apply", source((0, 2)), NAME, "--timeout", "0.01")
    assert (result.code, result.out) == (7, "")
    assert result.error.startswith(f"error: {DISK_IDS[1]}: the guest has not released it after 0.01 s")
    assert DISK_IDS[2] not in aliases(domain(host))


def test_a_boot_disk_is_planned_and_not_removed_by_mistake(
    cli: Cli, host: FakeHotplugHost, source: Write
) -> None:
    path = source((1,))
    assert cli("plan", path, NAME).code == 1
    result = cli("apply", path, NAME)
    assert (result.code, domain(host).calls) == (5, [])
    assert "the guest boots from it (to be forced with --force)" in result.error
    assert cli("apply", path, NAME, "--force").code == 0


def test_the_runtime_file_is_read_first_and_written_last(cli: Cli, source: Write, tmp_path: Path) -> None:
    path = tmp_path / f"{NAME}.runtime"
    cli("hotplug", "modify", NAME, "--net", "0:state=up", "--net", "1:link=br1", "--runtime", path)
    assert cli("apply", source((0, 2)), NAME, "--runtime", tmp_path).code == 0
    runtime = read_runtime(path.read_bytes(), Report())
    assert [each.uuid for each in runtime.disks] == [DISKS[0].uuid, DISKS[2].uuid]


def test_a_loss_is_told_or_an_error(cli: Cli, host: FakeHotplugHost, source: Write) -> None:
    path = source((0, 1), (0, 1, 2), mode="routed")
    result = cli("plan", path, NAME)
    assert result.code == 1
    assert all(line.startswith(f"virtxlate: loss: {NAME}: nics[") for line in result.errors)
    for verb in ("plan", "apply"):
        assert cli(verb, path, NAME, "--strict").code == 4
    assert domain(host).calls == []


def test_hvparams_of_the_call_win(cli: Cli, source: Write) -> None:
    result = cli("plan", source((0, 1, 2)), NAME, "-H", "kvm_pci_reservations=20")
    assert result.out.startswith(f"1. attach disk {DISK_IDS[2]} (vdc) at PCI bus 0 slot 0x14\n")


def test_another_domain_of_the_name_is_refused(cli: Cli, source: Write) -> None:
    text = source((0,)).read_text().replace(UUID, "11111111-1111-4111-8111-111111111111")
    path = source((0,))
    path.write_text(text)
    result = cli("plan", path, NAME)
    assert (result.code, result.out) == (3, "")
    assert result.error == (
        f"error: uuid: expected the data of {UUID}, found that of 11111111-1111-4111-8111-111111111111"
    )


def test_a_domain_that_is_not_there_is_told(cli: Cli, host: FakeHotplugHost, source: Write) -> None:
    host.domains[:] = [domain_of(ganeti(1, 1))]
    host.domains[0].name, host.domains[0].uuid = "other", "x"
    result = cli("plan", source((0,)), NAME)
    assert (result.code, result.error) == (5, f"error: lookup: no domain '{NAME}' on this connection")


def test_an_instance_that_is_not_there_is_told_before_libvirt_is_asked(
    cli: Cli, source: Write, asked: list[Any]
) -> None:
    result = cli("plan", source((0,)), "db9")
    assert (result.code, asked) == (3, [])
    assert "no KVM instance 'db9' here" in result.error


def test_a_map_entry_that_nothing_uses_is_an_error(cli: Cli, source: Write, tmp_path: Path) -> None:
    path = tmp_path / "map.toml"
    path.write_text('[bridges]\nbr0 = "lan"\nbr7 = "dmz"\n')
    for verb in ("plan", "apply"):
        result = cli(verb, source((0, 1)), NAME, "--map", path)
        assert (result.code, result.out, result.error) == (3, "", "error: map: unused: bridges.br7")
    path.write_text('[bridges]\nbr0 = "lan"\n')
    assert cli("plan", source((0, 1)), NAME, "--map", path).out == (
        f"1. update nic {NIC_IDS[0]}: bridge\n2. update nic {NIC_IDS[1]}: bridge\n{NAME}: 2 steps\n"
    )
