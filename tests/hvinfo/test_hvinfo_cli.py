"""virtxlate hvinfo: three formats and two dialects, where the XML comes from, and what is said of faults."""

from __future__ import annotations

import io
import json
import re
import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import pytest

from tests.cli.running import run_process
from tests.hvinfo.cases import LIVE, NAMES, xml
from virtxlate.cli import main
from virtxlate.cli.parser import build_parser
from virtxlate.errors import ConnectionFailedError
from virtxlate.translate.hvinfo import derive_hvinfo

UUID = "316b6d79-7e78-4945-8192-512b4a769128"


class Result(NamedTuple):
    code: int
    out: str
    err: str


Cli = Callable[..., Result]


@pytest.fixture
def cli(capsysbinary: pytest.CaptureFixture[bytes]) -> Cli:
    def call(*argv: object) -> Result:
        code = main(["hvinfo", *map(str, argv)])
        out, err = capsysbinary.readouterr()
        return Result(code, out.decode(), err.decode())

    return call


def file(name: str) -> Path:
    return LIVE / f"{name}.xml"


TABLE = """\
KIND    NAME               DRIVER          ID                          BUS        PLACE                      BACKEND
disk    vda                virtio-blk-pci  ua-disk-9e7c85f6-b6e5-4243  pci.0      addr=0x8                   libvirt-10-format
disk    vdb                virtio-blk-pci  virtio-disk1                pci.0      addr=0x9                   libvirt-9-format
disk    hda                ide-hd          ide0-0-0                    ide.0      unit=0                     libvirt-8-format
cdrom   hdc                ide-cd          ide0-1-0                    ide.1      unit=0                     -
disk    sda                ide-hd          sata0-0-0                   sata0.0    -                          libvirt-6-format
disk    sdb                usb-storage     usb-disk1                   usb.0      port=1                     libvirt-5-format
floppy  fda                floppy          fdc0-0-0                    -          unit=0                     libvirt-4-format
disk    sdc                scsi-hd         scsi0-0-5                   scsi0.0    scsi-id=5                  libvirt-3-format
disk    sdd                scsi-hd         scsi1-0-3-2                 ua-scsi.0  channel=0,scsi-id=3,lun=2  libvirt-CoR-sdd
cdrom   sde                scsi-cd         scsi1-0-4-0                 ua-scsi.0  channel=0,scsi-id=4,lun=0  libvirt-1-format
nic     aa:00:00:00:00:01  virtio-net-pci  net0                        pci.0      addr=0x2                   hostnet0
nic     aa:00:00:00:00:02  e1000           ua-nic-6c83ef05-8a40-4a3f   pci.0      addr=0x3                   hostua-nic-6c83ef05-8a40-4a3f

BUS        MODEL        IN USE   FREE      FREE FOR GANETI
pci.0      pci-root     0x0-0xa  0xb-0x1f  0xc-0x1f
scsi0.0    lsilogic     5        0-4,6     0-4,6
ua-scsi.0  virtio-scsi  3-4      0-2,5-15  -
"""  # noqa: E501 - as it is printed
Q35 = """\
BUS     MODEL               IN USE                                       FREE      FREE FOR GANETI
pcie.0  pcie-root           0x0-0x1,0x1f                                 0x2-0x1e  -
pci.6   pcie-to-pci-bridge  0x0-0x2                                      0x3-0x1f  -
ports   one slot each       pci.1,ua-port,pci.3,pci.4,pci.5,pci.7,pci.8  -         -
"""


def test_the_table_is_what_a_person_reads(cli: Cli) -> None:
    assert cli(file("pc-every-bus")) == Result(0, TABLE, "")
    assert cli(file("q35-root-ports")).out.partition("\n\n")[2] == Q35


def test_a_device_that_is_not_placed_is_in_the_table_and_named_below(cli: Cli) -> None:
    result = cli(file("arm-mmio"))
    assert result.code == 0
    assert (
        "disk  sda                -                  -             -        not known: see below"
        in result.out
    )
    assert result.err.splitlines() == [
        "virtxlate: /domain/devices/disk[3]: QEMU has it without a -device of its own",
        "virtxlate: /domain/devices/interface[2]: no address: the XML does not tell its place",
    ]


def test_a_domain_without_devices_is_an_empty_table(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "x").write_text("<domain/>")
    assert cli(tmp_path / "x") == Result(0, "KIND  NAME  DRIVER  ID  BUS  PLACE  BACKEND\n", "")
    assert cli(tmp_path / "x", "--format", "json").out == "[]\n"
    assert json.loads(cli(tmp_path / "x", "--format", "runtime").out) == {"nics": [], "disks": []}


def test_every_encoding_of_a_terminal_will_do(tmp_path: Path) -> None:
    disk = "<disk><target dev='vdä' bus='virtio'/><address type='virtio-mmio'/></disk>"
    (tmp_path / "x").write_text(f"<domain><devices>{disk}</devices></domain>")
    result = run_process("hvinfo", tmp_path / "x", PYTHONIOENCODING="ascii:strict")
    assert result.code == 0
    assert "disk  vd\\xe4" in result.out


def test_a_cell_holds_no_control_characters_and_no_megabytes(cli: Cli, tmp_path: Path) -> None:
    alias = "a&#10;b&#x9b;[31m&#x202e;" + "x" * 5000
    text = f"<domain><devices><disk><target dev='vda' bus='virtio'/><alias name='{alias}'/>"
    (tmp_path / "x").write_text(text + "<address type='virtio-mmio'/></disk></devices></domain>")
    out = cli(tmp_path / "x").out
    assert "a?b?[31m?xxx" in out
    assert max(map(len, out.splitlines())) < 300


@pytest.mark.parametrize("name", NAMES)
def test_json_is_the_object_of_the_library(cli: Cli, name: str) -> None:
    found = json.loads(cli(file(name), "--format", "json").out)
    assert found == [device.to_dict() for device in derive_hvinfo(xml(name))]


def test_json_has_one_key_a_line(cli: Cli) -> None:
    out = cli(file("two-disks-two-nics"), "--format", "json").out
    assert out.startswith('[\n  {\n    "kind": "disk",\n    "alias": "virtio-disk0",\n    "target": "vda",\n')
    assert out.endswith("]\n")


def test_the_runtime_format_is_ganetis_words(cli: Cli) -> None:
    found = json.loads(cli(file("of-ganeti"), "--format", "runtime").out)
    assert found["nics"] == [
        {
            "kind": "nic",
            "alias": "ua-nic-791d3be1-06f4-491e",
            "uuid": "791d3be1-06f4-491e-a104-3ec9eed07809",
            "mac": "aa:00:00:94:f5:16",
            "hvinfo": {
                "driver": "virtio-net-pci",
                "id": "nic-791d3be1-06f4-491e",
                "bus": "pci.0",
                "addr": "0xd",
            },
        }
    ]
    assert [each["kind"] for each in found["disks"]] == ["disk", "floppy", "cdrom"]
    assert found["disks"][0]["hvinfo"]["id"] == "disk-4deca4b6-8bce-485c"


def test_the_dialect_of_ganeti_names_its_one_controller(cli: Cli) -> None:
    found = json.loads(cli(file("pc-every-bus"), "--format", "json", "--dialect", "ganeti").out)
    places = {each["target"]: each["hvinfo"]["bus"] for each in found if "scsi-id" in each["hvinfo"]}
    assert places == {"sdc": "scsi.0", "sdd": "ua-scsi.0", "sde": "ua-scsi.0"}
    table = cli(file("pc-every-bus"), "--dialect", "ganeti").out
    assert re.search(
        r"^disk +sdc +scsi-hd +scsi0-0-5 +scsi\.0 +channel=0,scsi-id=5,lun=0 +-$", table, re.MULTILINE
    )


def test_the_version_names_the_drive(cli: Cli) -> None:
    def drives(*options: str) -> set[str]:
        found = json.loads(cli(file("newer-libvirt"), "--format", "json", *options).out)
        return {each.get("hvinfo", {}).get("drive", "") for each in found} - {""}

    assert drives() == set()
    assert drives("--libvirt-version", "9.0") == {"libvirt-2-format", "libvirt-8-format"}
    assert drives("--libvirt-version", "11.3") == {"libvirt-2-storage", "libvirt-8-storage"}


def test_stdin_is_read(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(xml("pc-every-bus"))))
    assert cli("-").out == TABLE


def test_foreign_metadata_is_said_and_stops_nobody(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(xml("of-ganeti").replace(b'"format":1', b'"format":9'))
    result = cli(tmp_path / "x", "--format", "json")
    assert result.code == 0
    assert result.err == "virtxlate: no uuids: metadata.format: expected format 1, found 9\n"
    assert [each.get("uuid") for each in json.loads(result.out)] == [None] * 4


# What is no XML


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "not well-formed XML: "),
        (b"not XML", "not well-formed XML: "),
        (b"<network/>", "/network: expected <domain>, found <network>"),
        (b"<!DOCTYPE domain><domain/>", "/: expected no document type declaration, found one"),
        (
            b"<domain>" + b" " * 5_000_000 + b"</domain>",
            "expected at most 4194304 bytes of live XML, found 5000017",
        ),
    ],
)
def test_what_is_no_domain_is_one_line(cli: Cli, tmp_path: Path, data: bytes, said: str) -> None:
    path = tmp_path / "x.xml"
    path.write_bytes(data)
    result = cli(path)
    assert (result.code, result.out) == (3, "")
    (line,) = result.err.splitlines()
    assert line.startswith(f"virtxlate: error: {path}: ")
    assert said in line


def test_stdin_that_is_no_domain_is_called_stdin(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"no")))
    assert cli("-").err.startswith("virtxlate: error: stdin: ")


def test_a_directory_is_no_file(cli: Cli, tmp_path: Path) -> None:
    assert cli(tmp_path) == Result(3, "", f"virtxlate: error: {tmp_path}: Is a directory\n")


def test_a_version_that_is_none_is_a_usage_error(cli: Cli) -> None:
    assert cli(file("of-ganeti"), "--libvirt-version", "new").code == 2


# Domains


class FakeDomain:
    def live_xml(self) -> str:
        return xml("newer-libvirt").decode()


class FakeHost:
    """One domain, web1; what it is asked for is noted."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self.libvirt_version = "9.0.0"

    def find(self, uuid: str, name: str) -> FakeDomain | None:
        self.asked.append((uuid, name))
        return FakeDomain() if uuid == UUID or name == "web1" else None

    def version(self) -> str:
        return self.libvirt_version


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> tuple[FakeHost, list[str | None]]:
    """A libvirt made of nothing behind the door; and the connections that were asked for."""
    fake, uris = FakeHost(), []

    @contextmanager
    def connect(uri: str | None, **_options: Any) -> Iterator[FakeHost]:
        uris.append(uri)
        if uri == "down:///":
            raise ConnectionFailedError("nobody there", call="open", code=38)
        yield fake

    module = ModuleType("virtxlate.live.connection")
    vars(module)["connect"] = connect
    monkeypatch.setitem(sys.modules, "virtxlate.live.connection", module)
    monkeypatch.chdir(tmp_path)
    return fake, uris


Host = tuple[FakeHost, list[str | None]]


@pytest.mark.parametrize("name", ["web1", UUID])
def test_a_domain_is_found_by_name_and_uuid(cli: Cli, host: Host, name: str) -> None:
    result = cli(name, "-c", "qemu:///system", "--format", "json")
    assert result.code == 0
    assert json.loads(result.out)[0]["hvinfo"]["drive"] == "libvirt-2-format"
    assert host[1] == ["qemu:///system"]


def test_the_host_tells_its_version_and_an_option_knows_better(cli: Cli, host: Host) -> None:
    host[0].libvirt_version = "11.3.0"
    assert "libvirt-2-storage" in cli("web1").out
    assert "libvirt-2-format" in cli("web1", "--libvirt-version", "9.0").out


def test_a_file_goes_before_a_domain_unless_there_is_a_connection(
    cli: Cli, host: Host, tmp_path: Path
) -> None:
    (tmp_path / "web1").write_text("<domain/>")
    assert cli("web1", "--format", "json").out == "[]\n"
    assert host[1] == []
    assert cli("web1", "-c", "qemu:///system", "--format", "json").out != "[]\n"


def test_a_domain_that_is_not_there_is_said(cli: Cli, host: Host) -> None:
    result = cli("nobody")
    assert (result.code, result.out) == (5, "")
    assert result.err == "virtxlate: error: lookup: no domain 'nobody', and no such file\n"
    assert host[1] == [None]


def test_a_connection_that_fails_is_said(cli: Cli, host: Host) -> None:
    assert cli("web1", "-c", "down:///") == Result(5, "", "virtxlate: error: open: nobody there\n")
    assert host[0].asked == []


def test_without_libvirt_a_file_is_enough(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "libvirt", None)
    monkeypatch.delitem(sys.modules, "virtxlate.live.connection", raising=False)
    assert cli(file("pc-every-bus")).code == 0
    result = cli("nobody", "-c", "test:///default")
    assert result.code == 5
    assert result.err.startswith("virtxlate: error: libvirt-python is missing (")
    mistyped = cli("web1.xlm")
    assert mistyped.code == 5
    assert mistyped.err.startswith(
        "virtxlate: error: web1.xlm: no such file, and no libvirt that knows such a domain: "
        "libvirt-python is missing ("
    )


# Help


def test_the_example_of_the_help_parses(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["hvinfo", "--help"])
    assert caught.value.code == 0
    text = capsys.readouterr().out
    example = text.partition("\nexample:\n")[2].rpartition("|")[2]
    args = build_parser().parse_args(shlex.split(example)[1:])
    assert (args.verb, args.domain) == ("hvinfo", "-")
    for word in (
        "--format {table,json,runtime}",
        "--dialect {libvirt,ganeti}",
        "-c URI",
        "--libvirt-version",
    ):
        assert word in text
