"""SCSI disks that answer for themselves: an iSCSI target in user space, for the length of a `with`.

The kernel of this machine may have no SCSI at all: what logs in is QEMU's own iSCSI client (Debian's
qemu-block-extra), so a LUN is reached as `iscsi://HOST:PORT/NAME/LUN` and by no device of the host.
Source: tgtadm(8), tgtd(8) of tgt 1.0.85.
"""

from __future__ import annotations

import os
import socket
import subprocess
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from lab.commands import run
from lab.embedded import process_root

if TYPE_CHECKING:
    from collections.abc import Iterator

LOOPBACK = "127.0.0.1"
NAME = "iqn.2026-11.lab.virtxlate:luns"
START_S = 10.0
ATTEMPTS = 3
READY = b"READY=1"
TARGET = ("--lld", "iscsi", "--tid", "1")


@dataclass(frozen=True, kw_only=True)
class Lun:
    """A logical unit, and what it says of itself: the strings of its INQUIRY, and VPD page 80h."""

    serial: str
    """At most 36 characters."""
    vendor: str = "VXLAB"
    """At most 8 characters."""
    product: str = "LUN OF THE LAB"
    """At most 16 characters."""
    revision: str = "0001"
    """At most 4 characters."""
    size_bytes: int = 8 << 20
    device_type: Literal["disk", "cd"] = "disk"


@dataclass(frozen=True, kw_only=True)
class IscsiTarget:
    """A target that listens; its LUNs are numbered from 1, for 0 is the controller."""

    name: str
    host: str
    port: int
    luns: tuple[Lun, ...]
    images: tuple[Path, ...]
    """What stands behind each LUN."""
    control: Path
    """Directory of the socket by which `tgtadm` talks to this target alone."""

    def path_of(self, lun: Lun) -> str:
        """Give target and LUN as domain XML names them: `iqn.../1`."""
        return f"{self.name}/{self.luns.index(lun) + 1}"

    def uri_of(self, lun: Lun) -> str:
        """Give the URI by which QEMU opens the LUN."""
        return f"iscsi://{self.host}:{self.port}/{self.path_of(lun)}"

    def image_of(self, lun: Lun) -> Path:
        """Give the file that has the bytes of the LUN."""
        return self.images[self.luns.index(lun)]

    def initiators(self) -> tuple[str, ...]:
        """Give the names of the initiators that are logged in, as they called themselves."""
        shown = _tgtadm(self.control, *TARGET[:2], "--op", "show", "--mode", "target")
        key = "Initiator: "
        lines = (line.strip() for line in shown.splitlines())
        return tuple(line.removeprefix(key).partition(" alias:")[0] for line in lines if line.startswith(key))


@contextmanager
def iscsi_target(
    *luns: Lun, initiator: str | None = None, account: tuple[str, str] | None = None
) -> Iterator[IscsiTarget]:
    """Give a target with these LUNs; only for the initiator, or the CHAP account, where one is named.

    `tgtd` runs as an ordinary child on a port and a control socket of its own, and ends with the `with`; the
    kernel ends it with this process. Raises RuntimeError with the words of tgtd or tgtadm.
    """
    with tempfile.TemporaryDirectory(prefix="iscsi-", dir=process_root()) as home:
        folder = Path(home)
        with _server(folder) as port:
            images = tuple(_image(folder / f"lun{n}", lun) for n, lun in enumerate(luns, 1))
            _furnish(folder, luns, images)
            _admit(folder, initiator, account)
            yield IscsiTarget(name=NAME, host=LOOPBACK, port=port, luns=luns, images=images, control=folder)


def _image(path: Path, lun: Lun) -> Path:
    with path.open("wb") as file:
        file.truncate(lun.size_bytes)
    return path


def _furnish(control: Path, luns: tuple[Lun, ...], images: tuple[Path, ...]) -> None:
    _tgtadm(control, *TARGET, "--op", "new", "--mode", "target", "--targetname", NAME)
    for number, (lun, image) in enumerate(zip(luns, images, strict=True), 1):
        unit = (*TARGET, "--mode", "logicalunit", "--lun", str(number))
        store = ("--backing-store", str(image), "--device-type", lun.device_type)
        _tgtadm(control, *unit, "--op", "new", *store)
        words = {
            "vendor_id": lun.vendor,
            "product_id": lun.product,
            "product_rev": lun.revision,
            "scsi_sn": lun.serial,
        }
        _tgtadm(control, *unit, "--op", "update", "--params", ",".join(f"{k}={v}" for k, v in words.items()))


def _admit(control: Path, initiator: str | None, account: tuple[str, str] | None) -> None:
    whom = ("--initiator-address", "ALL") if initiator is None else ("--initiator-name", initiator)
    _tgtadm(control, *TARGET, "--op", "bind", "--mode", "target", *whom)
    if account is not None:
        user, password = account
        named = ("--lld", "iscsi", "--mode", "account", "--user", user)
        _tgtadm(control, *named, "--op", "new", "--password", password)
        _tgtadm(control, *named, "--op", "bind", "--tid", "1")


def _tgtadm(control: Path, *words: str) -> str:
    return run("env", f"TGT_IPC_SOCKET={control / 'control'}", "tgtadm", *words)


@contextmanager
def _server(folder: Path) -> Iterator[int]:
    """Run tgtd on a free port; another program may take the port between the look and the start."""
    log = folder / "tgtd.log"
    for _attempt in range(ATTEMPTS):
        port = _free_port()
        with log.open("wb") as said:
            server = _start(folder, port, said.fileno())
        if server is None:
            continue
        try:
            yield port
        finally:
            server.kill()  # it has nothing to save, and to SIGTERM it answers late
            server.wait()
        return
    raise RuntimeError(f"tgtd: not ready: {log.read_text(errors='replace').strip()[-600:]}")


def _start(folder: Path, port: int, log: int) -> subprocess.Popen[bytes] | None:
    """Give tgtd once it tells its service manager, which is this, that it serves; None when it does not."""
    command = ("tgtd", "--foreground", "--iscsi", f"portal={LOOPBACK}:{port}")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        path = folder / "notify"
        path.unlink(missing_ok=True)
        manager.bind(str(path))
        manager.settimeout(START_S)
        server = subprocess.Popen(
            ("setpriv", "--pdeathsig", "KILL", *command),
            env={**os.environ, "TGT_IPC_SOCKET": str(folder / "control"), "NOTIFY_SOCKET": str(path)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
        try:
            ready = READY in manager.recv(4096) and _listens(port)
        except TimeoutError:
            ready = False
        if ready:
            return server
        server.kill()
        server.wait()
        return None


def _listens(port: int) -> bool:
    """Tell whether the port is served; tgtd goes on without one that was taken."""
    try:
        socket.create_connection((LOOPBACK, port), timeout=START_S).close()
    except OSError:
        return False
    return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])
