"""``virtxlate define`` and ``start`` against a real libvirt, and a real guest."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lab.console import GuestConsole, console_path
from tests.cli.running import CLUSTER, MAIL, NAMES, ROOT, WEB, WEB_UUID
from virtxlate.cli import main
from virtxlate.live import connection
from virtxlate.live.connection import LibvirtHost

if TYPE_CHECKING:
    from lab.embedded import EmbeddedLibvirt
    from lab.guest import GuestFiles

pytestmark = pytest.mark.live

EMULATED = ("--domain-type", "qemu")
NAME, UUID = "tiny1.example.com", "0f6d9a54-3f1c-4a7e-9d53-1d1a5a0e7c11"


@pytest.fixture
def host(libvirt_host: EmbeddedLibvirt, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The embedded driver behind the command line's door: only this process can reach it."""

    @contextmanager
    def connect(_uri: str | None, **_options: Any) -> Iterator[LibvirtHost]:
        yield LibvirtHost(libvirt_host.connection)

    monkeypatch.setattr(connection, "connect", connect)
    yield libvirt_host.connection
    libvirt_host.destroy_all()


@pytest.fixture
def source(guest_files: GuestFiles, bridge_name: str, tmp_path: Path) -> Callable[..., Path]:
    """Give a config of one instance with the tiny guest's kernel; its disk is there unless told otherwise."""

    def write(**hvparams: Any) -> Path:
        disk = tmp_path / "disk0"
        with disk.open("wb") as image:
            image.truncate(16 << 20)
        kernel = {"kernel_path": str(guest_files.kernel), "initrd_path": str(guest_files.initrd)}
        instance = {
            "name": NAME,
            "uuid": UUID,
            "hypervisor": "kvm",
            "hvparams": {**kernel, "vhost_net": False, **hvparams},
            "beparams": {"maxmem": 256, "minmem": 256},
            "nics": [
                {
                    "mac": "aa:00:00:00:00:01",
                    "uuid": "00000001-0000-4000-8000-000000000000",
                    "nicparams": {"link": bridge_name},
                }
            ],
            "disks": [
                {
                    "dev_type": "file",
                    "uuid": "0000000a-d15c-4000-8000-000000000000",
                    "size": 16,
                    "logical_id": ["loop", str(disk)],
                }
            ],
        }
        path = tmp_path / "config.data"
        path.write_text(json.dumps({"version": 3010000, "cluster": {}, "instances": {UUID: instance}}))
        return path

    return write


def run(capsys: pytest.CaptureFixture[str], *argv: object) -> tuple[int, str, str]:
    capsys.readouterr()
    code = main([str(each) for each in argv])
    return (code, *capsys.readouterr())


# The embedded QEMU driver


def test_defining_twice_is_defining_once(
    host: Any, source: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    for _time in range(2):
        assert run(capsys, "define", source(), NAME, *EMULATED) == (0, f"domain '{NAME}' defined\n", "")
    (domain,) = host.listAllDomains()
    assert (domain.name(), domain.UUIDString(), domain.isActive()) == (NAME, UUID, 0)
    before = domain.XMLDesc(2)
    code, out, err = run(capsys, "define", source(), NAME, *EMULATED, "--print-diff")
    assert (code, out, err) == (0, "", f"virtxlate: domain '{NAME}' is defined like this already\n")
    assert domain.XMLDesc(2) == before


@pytest.mark.parametrize("name", NAMES)
def test_a_defined_instance_shows_no_difference(
    host: Any, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    argv = (CLUSTER, name, *EMULATED)
    code, out, err = run(capsys, "define", *argv)
    if "pc-1.1" in err:  # older than this QEMU, which says so
        assert (code, out) == (5, "")
        assert "does not support machine type" in err.splitlines()[-1]
        return
    assert (code, out) == (0, f"domain '{name}' defined\n")
    code, out, _err = run(capsys, "define", *argv, "--print-diff")
    assert (code, out) == (0, "")
    assert len(host.listAllDomains()) == 1


def test_a_change_is_shown_alone_and_made(
    host: Any, source: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    run(capsys, "define", source(), NAME, *EMULATED)
    changed = source(disk_cache="none")
    _code, out, _err = run(capsys, "define", changed, NAME, *EMULATED, "--print-diff")
    lines = [line for line in out.splitlines() if line[0] in "+-"][2:]
    driver = '<driver name="qemu" type="raw" cache="{}" io="threads" discard="ignore"/>'
    assert [line[0] + line[1:].strip() for line in lines] == [
        '+"disk_cache": "none",',
        '+"disk_cache",',  # in the list of what the instance itself sets
        "-" + driver.format("writeback"),
        "+" + driver.format("none"),
    ]
    assert run(capsys, "define", changed, NAME, *EMULATED)[0] == 0
    assert "cache='none'" in host.lookupByName(NAME).XMLDesc(2)


def test_a_guest_is_started_and_libvirts_live_xml_agrees(
    host: Any, source: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(capsys, "start", source(), NAME, *EMULATED) == (0, f"domain '{NAME}' started\n", "")
    domain = host.lookupByName(NAME)
    assert domain.isActive()
    with GuestConsole(console_path(domain.XMLDesc(0))) as console:
        console.wait_ready()
        assert [disk.size_bytes for disk in console.disks() if str(disk.pci_slot).endswith("0c.0")] == [
            16 << 20
        ]
    code, out, err = run(capsys, "start", source(), NAME, *EMULATED)
    assert (code, out, err) == (5, "", f"virtxlate: error: start: domain '{NAME}' is running already\n")
    code, out, err = run(capsys, "define", source(), NAME, *EMULATED)
    assert (code, out, err) == (0, f"domain '{NAME}' defined; its guest runs on as it was\n", "")
    assert domain.isActive()


def test_a_guest_can_be_left_paused(
    host: Any, source: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(capsys, "start", source(), NAME, *EMULATED, "--paused")[0] == 0
    assert host.lookupByName(NAME).state()[0] == 3  # VIR_DOMAIN_PAUSED


def test_a_missing_disk_is_one_line_and_the_domain_stays_defined(
    host: Any, source: Callable[..., Path], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    config = source()
    (tmp_path / "disk0").unlink()
    code, out, err = run(capsys, "start", config, NAME, *EMULATED)
    assert (code, out) == (5, "")
    assert err.startswith("virtxlate: error: create: Cannot access storage file ")
    assert err.endswith(f"; domain '{NAME}' is defined, and does not run\n")
    assert len(err.splitlines()) == 1
    assert not host.lookupByName(NAME).isActive()


def test_a_name_that_is_another_domains_is_left_alone(
    host: Any, source: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    run(capsys, "define", source(), NAME, *EMULATED)
    before = host.lookupByName(NAME).XMLDesc(2)
    config = source()
    config.write_text(config.read_text().replace(UUID, WEB_UUID))
    code, out, err = run(capsys, "define", config, NAME, *EMULATED)
    assert (code, out) == (5, "")
    assert err == f"virtxlate: error: define: domain '{NAME}' exists with UUID {UUID}\n"
    assert host.lookupByName(NAME).XMLDesc(2) == before


def test_data_without_uuid_never_takes_a_domain_over(
    host: Any, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "x.runtime"
    text = (ROOT / "fixtures" / "ganeti" / "runtime-scsi.json").read_text()
    path.write_text(text.replace('"-uuid"', '"-other"'))
    name = json.loads(run(capsys, "translate", path, "--format", "json")[1])["instance"]
    assert run(capsys, "define", path, name, *EMULATED)[0] == 0
    code, out, err = run(capsys, "define", path, name, *EMULATED)
    assert (code, out) == (5, "")
    assert f"domain '{name}' already exists with uuid" in err.splitlines()[-1]
    assert len(host.listAllDomains()) == 1


# A process of its own, and libvirt's test driver


def process(*argv: object, **environment: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-m", "virtxlate", *map(str, argv)],
        capture_output=True,
        check=False,
        cwd=ROOT,
        env={**os.environ, **environment},
        text=True,
        timeout=60,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("name", NAMES)
def test_the_test_driver_takes_every_instance(name: str) -> None:
    code, out, err = process("define", CLUSTER, name, "-c", "test:///default")
    *losses, last = err.splitlines() or [""]
    if name == MAIL:  # its disk has an override, and this driver knows no QEMU
        assert (code, out) == (6, "")
        assert "domain.qemu_override: expected " in last
    else:
        assert (code, out) == (0, f"domain '{name}' defined\n")
        losses.append(last)
    assert all(line.startswith("virtxlate: loss: ") for line in losses if line)


def test_the_test_driver_starts_one() -> None:
    assert process("start", CLUSTER, WEB, "-c", "test:///default") == (0, f"domain '{WEB}' started\n", "")


@pytest.mark.parametrize("option", ["--dry-run", "--print-diff"])
def test_looking_needs_a_connection_that_can_only_look(option: str) -> None:
    code, out, err = process("define", CLUSTER, WEB, "-c", "test:///default", option)
    assert (code, err) == (0, "")
    assert out.startswith("domain 'web1" if option == "--dry-run" else "--- Original XML\n+++ Altered XML\n")


def test_the_environment_names_the_connection_unless_an_option_does() -> None:
    assert process("define", CLUSTER, WEB, LIBVIRT_DEFAULT_URI="test:///default")[0] == 0
    code, _out, err = process("define", CLUSTER, WEB, LIBVIRT_DEFAULT_URI="foo:///bar")
    assert (code, len(err.splitlines())) == (5, 1)
    argv = ("define", CLUSTER, WEB, "-c", "test:///default")
    assert process(*argv, LIBVIRT_DEFAULT_URI="foo:///bar")[0] == 0


def test_a_daemon_that_is_not_there_is_one_line() -> None:
    uri = "qemu+unix:///system?socket=/nonexistent/libvirt-sock"
    code, out, err = process("define", CLUSTER, WEB, "-c", uri)
    assert (code, out) == (5, "")
    assert err.startswith("virtxlate: error: open: Failed to connect socket to '/nonexistent/libvirt-sock'")
    assert len(err.splitlines()) == 1
