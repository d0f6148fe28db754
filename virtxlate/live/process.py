"""What this host tells of a running QEMU: its process, its taps, and the files that Ganeti keeps of it.

Only plain files are read. Source: Linux, Documentation/filesystems/proc.rst, drivers/net/tun.c (fdinfo,
tun_flags); Ganeti 3.2 alpha (c35736d8a), lib/hypervisor/hv_kvm/__init__.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path

import msgspec

from virtxlate.errors import InputError
from virtxlate.ganeti.wire import check_name
from virtxlate.hardware.facts import Net, Tap

CTRL_DIR = Path("/var/run/ganeti/kvm-hypervisor")
"""Where Ganeti keeps what belongs to running instances."""
MOST_BYTES = 1 << 20
_ROOT = Path("/")
_IFF = re.compile(r"iff:\s*(\S+)", re.ASCII)
_QMP = re.compile(r"unix:([^,]+)(?:,.*)?")
_MEMORY = re.compile(r"(\w+):\s*([0-9]+)(?: kB)?", re.ASCII)
_VNET_HDR, _MULTI_QUEUE = 0x4000, 0x0100
_KIB = 1024
_TICKS = 100
"""A second, in what the kernel tells (USER_HZ)."""


class GanetiFiles(msgspec.Struct, frozen=True, kw_only=True):
    """What Ganeti keeps of one running instance on its node."""

    name: str
    root: Path = CTRL_DIR

    @property
    def qmp(self) -> Path:
        """The QMP socket."""
        return self.root / "ctrl" / f"{self.name}.qmp"

    @property
    def runtime(self) -> Path:
        """The runtime file."""
        return self.root / "conf" / f"{self.name}.runtime"

    @property
    def pid(self) -> Path:
        """The file with the number of the process."""
        return self.root / "pid" / self.name

    @property
    def nics(self) -> Path:
        """The directory with a file for each NIC, which holds the name of its tap."""
        return self.root / "nic" / self.name

    def all(self) -> tuple[Path, ...]:
        """Give those that are there."""
        nics = sorted(self.nics.iterdir()) if self.nics.is_dir() else []
        return tuple(each for each in (self.pid, self.runtime, *nics) if each.exists())


def files_of(name: str, root: Path = CTRL_DIR) -> GanetiFiles:
    """Give the files of an instance. Raises GanetiDataError for a name that is none."""
    return GanetiFiles(name=check_name(name), root=root)


def command_of(pid: int, root: Path = _ROOT) -> tuple[str, ...]:
    """Give the words of a process. Raises InputError where there is none, or it may not be read."""
    path = root / "proc" / str(pid) / "cmdline"
    try:
        data = path.read_bytes()[:MOST_BYTES]
    except OSError as exc:
        raise InputError(f"no process that can be looked at: {exc.strerror or exc}", at=str(pid)) from None
    words = tuple(word.decode("utf-8", "replace") for word in data.split(b"\0"))[:-1]
    if not words:
        raise InputError("expected a QEMU, found a process without a command line", at=str(pid))
    return words


def qmp_socket_of(command: tuple[str, ...], at: str) -> Path:
    """Give the first QMP socket of a QEMU. Raises InputError where its words name none."""
    for option, word in pairwise(command):
        if option == "-qmp" and (match := _QMP.fullmatch(word)):
            return Path(match[1])
    raise InputError("its command line names no QMP socket: give --qmp SOCKET", at=at)


def name_of(command: tuple[str, ...]) -> str | None:
    """Give the instance's name in a QEMU's words, None where there is none."""
    for option, word in pairwise(command):
        if option == "-name":
            return word.partition(",")[0].removeprefix("guest=")
    return None


def taps_of(
    pid: int | None, nets: Mapping[str, Net], files: GanetiFiles | None = None, root: Path = _ROOT
) -> dict[str, Tap]:
    """Give the tap of each network of a QEMU, by the network's name; one that nobody tells is left out.

    A process tells the interface behind each of its descriptors; where it may not be looked at, and QEMU
    has as many taps as Ganeti's NIC files name, those tell in their order.
    """
    named = {name: _name(pid, net, root) for name, net in nets.items() if net.type == "tap"}
    if files is not None and not any(named.values()):
        kept = list(_kept(files))
        if len(kept) == len(named):
            named = dict(zip(named, kept, strict=True))
    return {name: tap_of(interface, root) for name, interface in named.items() if interface}


def _name(pid: int | None, net: Net, root: Path) -> str:
    if net.ifname:
        return net.ifname
    for fd in net.fds if pid is not None else ():
        try:
            text = (root / "proc" / str(pid) / "fdinfo" / str(fd)).read_text(encoding="ascii")
        except (OSError, UnicodeDecodeError):
            continue
        if match := _IFF.search(text):
            return match[1]
    return ""


def _kept(files: GanetiFiles) -> Iterator[str]:
    if not files.nics.is_dir():
        return
    for path in sorted(files.nics.iterdir(), key=lambda each: (len(each.name), each.name)):
        if path.name.isdecimal():
            yield path.read_text(encoding="utf-8").strip()


def tap_of(name: str, root: Path = _ROOT) -> Tap:
    """Give what the host says of a tap."""
    place = root / "sys" / "class" / "net" / name
    flags = None
    try:
        flags = int((place / "tun_flags").read_text(encoding="ascii"), 16)
    except (OSError, ValueError):
        return Tap(name=name)
    master = place / "master"
    bridge = master.resolve().name if master.is_symlink() else ""
    return Tap(
        name=name, vnet_hdr=bool(flags & _VNET_HDR), bridge=bridge, multi_queue=bool(flags & _MULTI_QUEUE)
    )


def is_bridge(name: str, root: Path = _ROOT) -> bool:
    """Tell whether the host has a Linux bridge of that name."""
    return (root / "sys" / "class" / "net" / name / "bridge").is_dir()


def forward_delay(name: str, root: Path = _ROOT) -> float:
    """Give the seconds for which a new port of a bridge listens, and then learns; 0 without spanning tree."""
    place = root / "sys" / "class" / "net" / name / "bridge"
    try:
        told = [int((place / each).read_text(encoding="ascii")) for each in ("stp_state", "forward_delay")]
    except (OSError, ValueError):
        return 0.0
    return told[1] / _TICKS if told[0] else 0.0


def has_interface(name: str, root: Path = _ROOT) -> bool:
    """Tell whether the host has a network interface of that name."""
    return (root / "sys" / "class" / "net" / name).exists()


def memory_available(root: Path = _ROOT) -> int | None:
    """Give the bytes that new processes can have without swapping, None where the host does not tell."""
    found = _meminfo(root).get("MemAvailable")
    return None if found is None else found * _KIB


def huge_pages_available(root: Path = _ROOT) -> int | None:
    """Give the bytes in huge pages of the usual size that nobody has, None where the host does not tell."""
    told = _meminfo(root)
    if not {"HugePages_Free", "HugePages_Rsvd", "Hugepagesize"} <= told.keys():
        return None
    return (told["HugePages_Free"] - told["HugePages_Rsvd"]) * told["Hugepagesize"] * _KIB


def _meminfo(root: Path) -> dict[str, int]:
    try:
        text = (root / "proc" / "meminfo").read_text(encoding="ascii")
    except OSError:
        return {}
    found = (_MEMORY.fullmatch(line) for line in text.splitlines())
    return {match[1]: int(match[2]) for match in found if match}
