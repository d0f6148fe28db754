"""What the host tells of a QEMU: from plain files, all of which may be missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from virtxlate.errors import GanetiDataError, InputError
from virtxlate.hardware.facts import Net, Tap
from virtxlate.live.process import (
    command_of,
    files_of,
    has_interface,
    is_bridge,
    memory_available,
    name_of,
    qmp_socket_of,
    tap_of,
    taps_of,
)

NETS = {"nic-0": Net(type="tap", fds=(5, 6)), "nic-1": Net(type="tap", fds=(7,)), "x": Net(type="user")}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A host with a QEMU of two taps, the first in a bridge and with a header."""
    fdinfo = tmp_path / "proc" / "42" / "fdinfo"
    fdinfo.mkdir(parents=True)
    (fdinfo / "5").write_text("pos:\t0\nflags:\t02\niff:\ttap0\n")
    (fdinfo / "7").write_text("pos:\t0\niff:\ttap1\n")
    words = ("qemu", "-name", "web1,debug-threads=on", "-qmp", "unix:/run/web1.qmp,server,nowait")
    (tmp_path / "proc" / "42" / "cmdline").write_bytes(b"".join(word.encode() + b"\0" for word in words))
    (tmp_path / "proc" / "43").mkdir()
    (tmp_path / "proc" / "43" / "cmdline").write_bytes(b"")
    net = tmp_path / "sys" / "class" / "net"
    (net / "br0" / "bridge").mkdir(parents=True)
    for name, flags in (("tap0", "0x5102"), ("tap1", "0x1002")):
        (net / name).mkdir()
        (net / name / "tun_flags").write_text(f"{flags}\n")
    (net / "tap0" / "master").symlink_to(net / "br0")
    return tmp_path


def test_a_process_tells_its_taps(root: Path) -> None:
    assert taps_of(42, NETS, root=root) == {
        "nic-0": Tap(name="tap0", vnet_hdr=True, bridge="br0", multi_queue=True),
        "nic-1": Tap(name="tap1", vnet_hdr=False, bridge=""),
    }


def test_nic_files_tell_them_where_the_process_does_not(root: Path) -> None:
    files = files_of("web1", root / "run")
    files.nics.mkdir(parents=True)
    for number, name in ((10, "tap1"), (9, "tap0")):
        (files.nics / str(number)).write_text(f"{name}\n")
    (files.nics / "web1").write_text("not a NIC")
    assert list(taps_of(None, NETS, files, root)) == ["nic-0", "nic-1"]
    assert taps_of(None, NETS, files, root)["nic-0"].name == "tap0"
    (files.nics / "10").unlink()
    assert taps_of(None, NETS, files, root) == {}


def test_a_tap_that_qemu_opened_by_name_is_that(root: Path) -> None:
    nets = {"nic-0": Net(type="tap", ifname="tap1")}
    assert taps_of(None, nets, root=root) == {"nic-0": Tap(name="tap1", vnet_hdr=False, bridge="")}


def test_a_tap_that_the_host_does_not_know_has_only_a_name(root: Path) -> None:
    assert tap_of("tap9", root) == Tap(name="tap9")


def test_a_command_line_tells_socket_and_name(root: Path) -> None:
    words = command_of(42, root)
    assert words == ("qemu", "-name", "web1,debug-threads=on", "-qmp", "unix:/run/web1.qmp,server,nowait")
    assert (qmp_socket_of(words, "42"), name_of(words)) == (Path("/run/web1.qmp"), "web1")
    assert name_of(("qemu",)) is None


@pytest.mark.parametrize(
    ("pid", "message"),
    [
        (41, r"^41: no process that can be looked at: No such file or directory$"),
        (43, r"^43: expected a QEMU, found a process without a command line$"),
    ],
)
def test_a_process_that_is_none_is_told(pid: int, message: str, root: Path) -> None:
    with pytest.raises(InputError, match=message):
        command_of(pid, root)


def test_a_process_without_qmp_is_told() -> None:
    with pytest.raises(InputError, match=r"^42: its command line names no QMP socket: give --qmp SOCKET$"):
        qmp_socket_of(("qemu", "-qmp", "tcp:127.0.0.1:4444"), "42")


def test_files_of_an_instance(tmp_path: Path) -> None:
    files = files_of("web1.example.com", tmp_path)
    assert (files.qmp, files.runtime, files.all()) == (
        tmp_path / "ctrl" / "web1.example.com.qmp",
        tmp_path / "conf" / "web1.example.com.runtime",
        (),
    )
    for path in (files.pid, files.runtime, files.nics / "0"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    assert files.all() == (files.pid, files.runtime, files.nics / "0")


def test_a_name_cannot_leave_the_directory(tmp_path: Path) -> None:
    with pytest.raises(GanetiDataError):
        files_of("../web1", tmp_path)


def test_bridges_interfaces_and_memory(root: Path) -> None:
    (root / "proc" / "meminfo").write_text("MemFree: 1 kB\nMemAvailable:  2048 kB\n")
    assert (is_bridge("br0", root), is_bridge("tap0", root)) == (True, False)
    assert (has_interface("tap0", root), has_interface("tap9", root)) == (True, False)
    assert memory_available(root) == 2 << 20
    (root / "proc" / "meminfo").write_text("MemFree: 1 kB\n")
    assert memory_available(root) is None
