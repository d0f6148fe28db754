"""``virtxlate translate``: where the documents go, and what is said about them."""

from __future__ import annotations

import json
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.running import (
    CLUSTER,
    DB,
    FIXTURES,
    MAIL,
    NAMES,
    WEB,
    WEB_UUID,
    XEN,
    XEN_UUID,
    Cli,
    cluster,
    instance_in,
    listing,
)
from tests.golden.cases import GANETI
from virtxlate import to_domain, validate

GOLDEN = (FIXTURES / "domain" / "cluster.web1.xml").read_text()
RAPI = FIXTURES / "ganeti" / "rapi-bulk.json"
RAPI_NAME, RAPI_UUID = "inst1.example.com", "5a813b83-8ebd-43b6-8f67-74a1a858d868"


def breaking(name: str) -> Callable[[dict[str, Any]], None]:
    def change(data: dict[str, Any]) -> None:
        instance_in(data, name)["nics"] = "none"

    return change


# One instance


def test_one_instance_goes_to_stdout(cli: Cli) -> None:
    assert cli("translate", CLUSTER, WEB) == (0, GOLDEN, "")


@pytest.mark.parametrize("given", [WEB_UUID, WEB_UUID.upper()])
def test_an_instance_is_found_by_its_uuid(cli: Cli, given: str) -> None:
    assert cli("translate", CLUSTER, given).out == GOLDEN


def test_an_instance_of_a_rapi_answer_is_found_by_its_uuid_too(cli: Cli) -> None:
    assert cli("translate", RAPI, RAPI_UUID).out == cli("translate", RAPI, RAPI_NAME).out != ""


def test_minus_is_stdin(cli: Cli, stdin: Callable[[bytes], None]) -> None:
    stdin(CLUSTER.read_bytes())
    assert cli("translate", "-", WEB).out == GOLDEN


def test_a_source_with_one_instance_needs_no_name(cli: Cli) -> None:
    assert "<name>" in cli("translate", FIXTURES / "ganeti" / "runtime-hvinfo.json").out


def test_skipped_instances_are_told_where_all_were_meant(cli: Cli) -> None:
    result = cli("translate", RAPI)
    assert f"virtxlate: skipped: {XEN}: its hypervisor is not kvm: no KVM hypervisor parameter is set" in (
        result.errors
    )
    assert not any("skipped" in line for line in cli("translate", RAPI, RAPI_NAME).errors)


def test_output_goes_to_a_file_by_rename(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "web1.xml"
    path.write_text("old")
    before = path.stat().st_ino
    assert cli("translate", CLUSTER, WEB, "-o", path) == (0, "", "")
    assert path.read_text() == GOLDEN
    assert path.stat().st_ino != before
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert listing(tmp_path) == ["web1.xml"]


def test_each_loss_is_a_line_on_stderr(cli: Cli) -> None:
    result = cli("translate", CLUSTER, MAIL)
    assert result.code == 0
    assert [line.split(" = ")[0] for line in result.errors] == [
        f"virtxlate: loss: {MAIL}: nics[1].mode",
        f"virtxlate: loss: {MAIL}: nics[1].link",
    ]


def test_strict_makes_every_loss_part_of_one_error_and_writes_nothing(cli: Cli, tmp_path: Path) -> None:
    result = cli("translate", CLUSTER, DB, "--strict", "-o", tmp_path / "db1.xml")
    assert result.code == 4
    assert result.error.startswith("error: 3 losses: disks[0].logical_id[5] = ")
    assert "disks[1].logical_id[5] = " in result.error
    assert "beparams.minmem = 2048: " in result.error
    assert listing(tmp_path) == []


def test_strict_lets_through_what_loses_nothing(cli: Cli) -> None:
    assert cli("translate", CLUSTER, WEB, "--strict").code == 0


def test_json_holds_the_document_and_the_losses(cli: Cli) -> None:
    found = json.loads(cli("translate", CLUSTER, MAIL, "--format", "json").out)
    assert set(found) == {"instance", "xml", "losses"}
    assert found["instance"] == MAIL
    assert validate(found["xml"]) == ()
    assert found["losses"][0] == {
        "path": "nics[1].mode",
        "value": "routed",
        "reason": "no script for mode routed in the map: the host does not connect the tap by itself",
        "severity": "guest-visible",
    }


# Which instance


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("web1", "no KVM instance 'web1' here; there are 6, such as web1.example.com"),
        (
            "web9.example.com",
            "no KVM instance 'web9.example.com' here; there are 6, such as web1.example.com",
        ),
        ("nope", f"no KVM instance 'nope' here; there are 6, such as {', '.join(NAMES[:3])}, ..."),
        ("../../etc/passwd", "no KVM instance '../../etc/passwd' here; there are 6, such as "),
        ("00000000-0000-4000-8000-000000000000", "found '00000000-0000-4000-8000-000000000000'"),
        (XEN, f"{XEN}: its hypervisor is xen-pvm, not kvm"),
        (XEN_UUID, "its hypervisor is xen-pvm, not kvm"),
    ],
)
def test_an_unknown_instance_is_an_error_that_says_what_there_is(cli: Cli, given: str, said: str) -> None:
    result = cli("translate", CLUSTER, given)
    assert (result.code, result.out) == (3, "")
    assert result.error.startswith(f"error: {CLUSTER}: ")
    assert said in result.error


def test_several_instances_need_a_directory(cli: Cli) -> None:
    result = cli("translate", CLUSTER)
    assert (result.code, result.out) == (2, "")
    assert result.errors[-1] == (
        "virtxlate: error: 6 instances (web1.example.com, db1.example.com, mail1.example.com, ...): "
        "name one, or give --output-dir"
    )
    assert cli("translate", CLUSTER, WEB, DB).code == 2


def test_an_instance_named_twice_is_one(cli: Cli, tmp_path: Path) -> None:
    assert cli("translate", CLUSTER, WEB, WEB).out == GOLDEN
    result = cli("translate", CLUSTER, WEB, WEB_UUID, "--output-dir", tmp_path)
    assert result.errors == [f"virtxlate: 1 written to {tmp_path}, 0 failed, 0 skipped, 0 losses"]


def test_a_source_without_kvm_instances_says_so(cli: Cli, stdin: Callable[[bytes], None]) -> None:
    def only_xen(data: dict[str, Any]) -> None:
        data["instances"] = {XEN_UUID: data["instances"][XEN_UUID]}

    stdin(cluster(only_xen))
    result = cli("translate", "-")
    assert result.code == 3
    assert result.errors == [
        f"virtxlate: skipped: {XEN}: its hypervisor is xen-pvm, not kvm",
        "virtxlate: error: stdin: no KVM instance here",
    ]


# A directory


def test_every_instance_gets_a_file(cli: Cli, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "domains"
    result = cli("translate", CLUSTER, "--output-dir", folder)
    assert (result.code, result.out) == (0, "")
    assert listing(folder) == sorted(f"{name}.xml" for name in NAMES)
    assert (folder / f"{WEB}.xml").read_text() == GOLDEN
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o644}
    assert result.errors[0] == f"virtxlate: skipped: {XEN}: its hypervisor is xen-pvm, not kvm"
    assert "virtxlate: loss: 2 x disks[N].logical_id[N]: the DRBD secret stays with Ganeti (host-only)" in (
        result.errors
    )
    assert result.errors[-1] == f"virtxlate: 6 written to {folder}, 0 failed, 1 skipped, 5 losses"


def test_named_instances_alone_are_written_and_skipped_ones_not_told(cli: Cli, tmp_path: Path) -> None:
    result = cli("translate", CLUSTER, WEB, DB, "--output-dir", tmp_path)
    assert listing(tmp_path) == [f"{DB}.xml", f"{WEB}.xml"]
    assert not any("skipped:" in line for line in result.errors)


def test_files_that_are_there_are_replaced(cli: Cli, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("keep")
    folder = tmp_path / "domains"
    folder.mkdir()
    (folder / f"{WEB}.xml").symlink_to(elsewhere)
    (folder / f"{DB}.xml").write_text("old")
    assert cli("translate", CLUSTER, WEB, DB, "--output-dir", folder).code == 0
    assert (folder / f"{WEB}.xml").read_text() == GOLDEN
    assert elsewhere.read_text() == "keep"
    assert (folder / f"{DB}.xml").read_text().startswith("<domain")


@pytest.mark.parametrize(("unsupported", "code"), [(False, 3), (True, 4)])
def test_a_bad_instance_does_not_stop_the_others(
    cli: Cli, stdin: Callable[[bytes], None], tmp_path: Path, unsupported: bool, code: int
) -> None:
    def change(data: dict[str, Any]) -> None:
        breaking(WEB)(data)
        if unsupported:
            instance_in(data, DB)["hvparams"]["machine_version"] = "microvm"

    stdin(cluster(change))
    result = cli("translate", "-", "--output-dir", tmp_path / "d", "--report", tmp_path / "report.json")
    assert result.code == code
    failed = [line for line in result.errors if line.startswith("virtxlate: failed: ")]
    assert failed[0].startswith(f"virtxlate: failed: {WEB}: stdin: instances[")
    assert "nics: expected" in failed[0]
    assert len(failed) == (2 if unsupported else 1)
    written = set(NAMES) - {WEB} - ({DB} if unsupported else set())
    assert set(listing(tmp_path / "d")) == {f"{name}.xml" for name in written}
    assert set(json.loads((tmp_path / "report.json").read_text())["failed"]) == set(NAMES) - written
    assert result.errors[-1].startswith(f"virtxlate: {len(written)} written to ")


def test_even_a_bug_does_not_stop_the_others(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(instance: Any, *rest: Any) -> Any:
        if instance.name == DB:
            raise KeyError("vda")
        return to_domain(instance, *rest)

    monkeypatch.setattr("virtxlate.cli.translate.to_domain", failing)
    result = cli("translate", CLUSTER, "--output-dir", tmp_path)
    assert result.code == 70
    assert f"virtxlate: failed: {DB}: this is a bug of virtxlate: KeyError: 'vda'" in result.errors
    assert len(listing(tmp_path)) == 5


def test_strict_fails_the_instances_that_lose_something(cli: Cli, tmp_path: Path) -> None:
    result = cli("translate", CLUSTER, "--strict", "--output-dir", tmp_path)
    assert result.code == 4
    assert [line.split(": ")[2] for line in result.errors if "failed:" in line] == [DB, MAIL]
    assert len(listing(tmp_path)) == 4


def test_a_name_never_leads_out_of_the_directory(
    cli: Cli, stdin: Callable[[bytes], None], tmp_path: Path
) -> None:
    bad = ("../../evil", "/etc/evil", "..", ".hidden", "a/b", "", "evil\n", "a\x00b", "x" * 300)

    def change(data: dict[str, Any]) -> None:
        for key, name in zip(data["instances"], bad, strict=False):
            data["instances"][key].update(name=name, hypervisor="kvm")

    stdin(cluster(change))
    folder = tmp_path / "a" / "b" / "domains"
    result = cli("translate", "-", "--output-dir", folder)
    assert result.code == 3
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    assert result.errors[-1].startswith("virtxlate: 0 written")
    assert all(line.startswith("virtxlate: ") for line in result.errors)


def test_json_files_have_another_ending(cli: Cli, tmp_path: Path) -> None:
    cli("translate", CLUSTER, WEB, "--output-dir", tmp_path, "--format", "json")
    assert json.loads((tmp_path / f"{WEB}.json").read_text())["instance"] == WEB


def test_the_report_holds_losses_skipped_and_failed(cli: Cli, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    result = cli("translate", CLUSTER, "--output-dir", tmp_path / "d", "--report", report)
    found = json.loads(report.read_text())
    assert set(found) == {"losses", "skipped", "failed"}
    assert set(found["losses"]) == {DB, MAIL}
    assert found["skipped"] == {XEN: "its hypervisor is xen-pvm, not kvm"}
    assert found["failed"] == {}
    assert result.errors[-1].endswith(f"5 losses (in {report})")


def test_the_report_of_one_instance_has_the_same_shape(cli: Cli, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    cli("translate", CLUSTER, MAIL, "--report", report, "-o", "/dev/null")
    found = json.loads(report.read_text())
    assert [loss["path"] for loss in found["losses"][MAIL]] == ["nics[1].mode", "nics[1].link"]
    assert (found["skipped"], found["failed"]) == ({}, {})


def test_a_report_can_go_to_stdout(cli: Cli, tmp_path: Path) -> None:
    result = cli("translate", CLUSTER, WEB, "--output-dir", tmp_path, "--report", "-")
    assert json.loads(result.out) == {"losses": {}, "skipped": {}, "failed": {}}


# The forms of a source


@pytest.mark.parametrize(
    ("case", "form", "wrong"),
    [
        ("cluster", "config", ("rapi", "runtime")),
        ("rapi-entry", "rapi", ("config", "runtime")),
        ("runtime-hvinfo", "runtime", ("config", "rapi")),
    ],
)
def test_a_form_can_be_forced(cli: Cli, case: str, form: str, wrong: tuple[str, str]) -> None:
    path = FIXTURES / "ganeti" / f"{case}.json"
    names = [WEB] if case == "cluster" else []
    assert cli("translate", path, *names, "--from", form).code == 0
    for other in wrong:
        result = cli("translate", path, *names, "--from", other)
        assert (result.code, result.out) == (3, "")
        assert result.error.startswith(f"error: {path}: ")


# The destination


def test_options_of_the_destination_reach_the_document(cli: Cli) -> None:
    out = cli("translate", CLUSTER, WEB, "--domain-type", "qemu", "--disk-paths", "link", "--no-metadata").out
    assert out.startswith('<domain type="qemu">')
    assert f'file="/var/run/ganeti/instance-disks/{WEB}:0"' in out
    assert "metadata" not in out


def test_the_libvirt_version_decides_what_can_be_written(cli: Cli, stdin: Callable[[bytes], None]) -> None:
    def tag(data: dict[str, Any]) -> None:
        instance_in(data, WEB)["nics"][0]["nicparams"] = {"mode": "bridged", "link": "br0", "vlan": ".100"}

    stdin(cluster(tag))
    refused = cli("translate", "-", WEB)
    assert refused.code == 4
    assert refused.error.startswith("error: nics[0].vlan: libvirt tags VLANs on a plain bridge since 11.0")
    stdin(cluster(tag))
    assert '<tag id="100"/>' in cli("translate", "-", WEB, "--libvirt-version", "11.0.0").out


@pytest.mark.parametrize("version", ["eleven", "11", "11.0.0.0", "-1.0", "9.1000", "\u0669.0"])
def test_a_libvirt_version_is_a_number(cli: Cli, version: str) -> None:
    result = cli("translate", CLUSTER, WEB, f"--libvirt-version={version}")
    assert (result.code, result.out) == (2, "")
    assert result.error == f"error: --libvirt-version: expected a number such as 9.0, found {version!r}"


def test_a_progress_bar_is_drawn_for_long_work_only(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    assert "translating" not in cli("translate", CLUSTER, "--output-dir", tmp_path).err
    monkeypatch.setattr("virtxlate.cli.translate._BAR_FROM", 2)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    result = cli("translate", CLUSTER, "--output-dir", tmp_path)
    assert (result.code, len(listing(tmp_path))) == (0, 6)


def test_without_rich_there_is_no_progress_bar(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("virtxlate.cli.translate._BAR_FROM", 2)
    monkeypatch.setitem(sys.modules, "rich.console", None)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    assert cli("translate", CLUSTER, "--output-dir", tmp_path).code == 0
    assert len(listing(tmp_path)) == 6


def test_the_version_of_ganeti_can_be_given(cli: Cli) -> None:
    data = str(GANETI / "boot-network-two-nics-3.1.json")
    assert cli("translate", data).out.count("<boot order=") == 2
    assert cli("translate", data, "--ganeti-version", "3.2").out.count("<boot order=") == 1
    wrong = cli("translate", data, "--ganeti-version", "new")
    assert (wrong.code, wrong.error) == (
        2,
        "error: --ganeti-version: expected a number such as 3.0, found 'new'",
    )
