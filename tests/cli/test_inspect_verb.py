"""``virtxlate inspect`` and ``translate --from qmp``: a recorded QEMU behind a real socket."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.cli.running import Cli
from tests.hardware.recorded import FIXTURES, replayed
from virtxlate.errors import LiveError

NAME = "inst1.example.com"


@contextmanager
def listening(path: Path, name: str) -> Iterator[None]:
    """Let a recorded QEMU answer at a unix socket for the time of a ``with``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen(1)
        thread = threading.Thread(target=_serve, args=(server, name), daemon=True)
        thread.start()
        yield
        with suppress(OSError):
            server.shutdown(socket.SHUT_RDWR)
        thread.join(10)


def _serve(server: socket.socket, name: str) -> None:
    ask = replayed(name)
    with suppress(OSError):
        while True:
            line, _address = server.accept()
            with line, line.makefile("rwb") as stream:
                stream.write(b'{"QMP": {}}\n')
                stream.flush()
                for text in stream:
                    question = json.loads(text)
                    try:
                        known = question["execute"] == "qmp_capabilities"
                        arguments = question.get("arguments", {})
                        answer = {"return": {} if known else ask(question["execute"], **arguments)}
                    except LiveError as exc:
                        answer = {"error": {"desc": exc.message}}
                    stream.write(json.dumps(answer).encode() + b"\n")
                    stream.flush()


@pytest.fixture
def ctrl(tmp_path: Path) -> Iterator[Path]:
    """Ganeti's directory of a running instance."""
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / f"{NAME}.runtime").write_bytes((FIXTURES / "scsi-3.0.runtime").read_bytes())
    (tmp_path / "nic" / NAME).mkdir(parents=True)
    for number in (0, 1):
        (tmp_path / "nic" / NAME / str(number)).write_text(f"no-such-tap{number}\n")
    with listening(tmp_path / "ctrl" / f"{NAME}.qmp", "scsi-3.0"):
        yield tmp_path


SHOWN = """\
name      inst1.example.com
uuid      11111111-2222-4333-8444-555555555555
qemu      7.2.22, emulated, prelaunch
machine   pc-i440fx-7.2
memory    128 MiB, balloon at 128 MiB
"""


def test_an_instance_is_shown(cli: Cli, ctrl: Path) -> None:
    result = cli("inspect", NAME, "--ctrl-dir", ctrl)
    assert (result.code, result.err) == (0, "")
    assert result.out.startswith(SHOWN)
    rows = [line.split("  ") for line in result.out.partition("\n\n")[2].splitlines()]
    table = [[cell.strip() for cell in row if cell.strip()] for row in rows]
    storage = "/srv/ganeti/file-storage"
    assert table[0] == ["DRIVER", "ID", "BUS", "PLACE", "BACKEND"]
    for row in (
        ["floppy", "-", "PCI 01.0/ISA isa-fdc@0x3f0", "floppy-bus unit 0", "no medium", "default"],
        ["ide-cd", "-", "PCI 01.1/IDE 0", "unit 0", f"{storage}/cdrom2.iso (read-only)"],
        ["VGA", "-", "-", "PCI 02.0", "-", "default"],
        ["megasas", "scsi", "-", "PCI 04.0", "-"],
        ["scsi-hd", "disk-00000001-d15c-4000", "PCI 04.0", "SCSI 0:1:0", f"{storage}/{NAME}/disk1"],
        ["virtio-net-pci", "nic-00000001-0000-4000", "-", "PCI 0d.0", "no-such-tap1, aa:00:00:00:00:01"],
        ["virtio-balloon-pci", "-", "-", "PCI 05.0", "-", "default"],
    ):
        assert row in table


def test_everything_is_one_object(cli: Cli, ctrl: Path) -> None:
    result = cli("inspect", "--qmp", ctrl / "ctrl" / f"{NAME}.qmp", "--json")
    whole = json.loads(result.out)
    assert (result.code, sorted(whole)) == (0, ["defaults", "facts", "instance", "taps"])
    assert whole["facts"]["nets"]["nic-00000001-0000-4000"] == {"type": "tap", "fds": [7], "ifname": ""}
    assert "PCI 01.0/ISA isa-fdc@0x3f0/floppy-bus unit 0" in whole["defaults"]


def test_a_socket_becomes_a_domain(cli: Cli, ctrl: Path) -> None:
    runtime = ctrl / "conf" / f"{NAME}.runtime"
    words = ("translate", "--from", "qmp", ctrl / "ctrl" / f"{NAME}.qmp", "--no-metadata")
    result = cli(*words, "--runtime", runtime)
    assert result.code == 0
    assert '<alias name="ua-disk-00000001-d15c-4000"/>' in result.out
    assert '<source bridge="br0"/>' in result.out
    strict = cli(*words, "--strict")
    assert (strict.code, strict.out) == (4, "")
    assert "nothing tells its network" in strict.err


def test_the_clusters_data_names_its_own_faults(cli: Cli, ctrl: Path, tmp_path: Path) -> None:
    other = tmp_path / "config.data"
    other.write_text("[]")
    result = cli("inspect", NAME, "--ctrl-dir", ctrl, "--source", other)
    assert (result.code, result.out) == (3, "")
    assert f"{other}: no KVM instance '{NAME}' in this data" in result.err


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("inspect",), 2, "expected a process, an instance, or --qmp SOCKET"),
        (("inspect", "nobody.example.com"), 5, "connect"),
        (("inspect", "../x"), 3, "../x"),
        (("inspect", "4194305"), 3, "4194305: no process that can be looked at"),
        (("translate", "--from", "qmp", "/no/socket"), 5, "connect /no/socket: No such file or directory"),
        (("translate", "--from", "qmp", "/no/socket", "web1"), 2, "a socket is that of one instance"),
    ],
)
def test_what_cannot_be_read_is_told(cli: Cli, words: tuple[str, ...], code: int, message: str) -> None:
    result = cli(*words)
    assert (result.code, result.out) == (code, "")
    assert message in result.err


@pytest.mark.parametrize("verb", [("inspect", "--qmp"), ("translate", "--from", "qmp")])
def test_a_qemu_that_ends_meanwhile_is_an_error(verb: tuple[str, ...], cli: Cli, tmp_path: Path) -> None:
    """A question that cannot be sent is not a reader of stdout that has gone."""
    path = tmp_path / "qmp"

    def serve() -> None:
        peer, _ = server.accept()
        with peer:
            peer.sendall(b'{"QMP": {}}\n')

    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen(1)
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        result = cli(*verb, path)
        thread.join(10)
    assert (result.code, result.out) == (5, "")
    assert result.error.startswith(f"error: connect {path}: qmp_capabilities: ")
