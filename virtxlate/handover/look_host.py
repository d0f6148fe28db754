"""What this host has against a handover: files of disks, networks, ports of displays, free memory."""

from __future__ import annotations

import errno
import os
import re
import shutil
import socket
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import msgspec

from virtxlate.domain import model as domain
from virtxlate.domain import settings
from virtxlate.handover import watcher
from virtxlate.handover.differences import FEATURES
from virtxlate.handover.finding import Finding, fatal, harmless
from virtxlate.handover.room import VNC_MOVES_SINCE
from virtxlate.hardware.facts import Medium
from virtxlate.live.process import (
    forward_delay,
    has_interface,
    huge_pages_available,
    is_bridge,
    memory_available,
)
from virtxlate.translate.running.disks import media
from virtxlate.translate.running.facts import Running, of_kind, part
from virtxlate.translate.running.words import smbios, smbios_of, unsaid
from virtxlate.units import to_kib

_KIB = 1024
_SPARE = 64 << 20
"""What a QEMU needs besides its guest's memory, at the least."""
_OPEN_VSWITCH = "ovs-system"
_VIRTIO = "virtio"


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """Where to look."""

    root: Path = Path("/")
    """The file system of the host, for /proc and /sys."""
    pid: int | None = None
    """The running QEMU; None where nobody knows its process."""
    ifup: str | None = None
    """Ganeti's script, if it is to connect the taps that libvirt does not."""
    live: bool = False
    """Whether the guest is to run while its memory is sent."""
    image: Path | None = None
    """Where the guest's memory is written to while it stands still; None: nowhere."""
    journal: str = ""
    """Why no journal can be written; empty: it can be."""
    free_port: bool = True
    """Whether a port may be tried by listening on it for a moment."""


def findings(running: Running, asked: domain.Domain, look: Look) -> Iterator[Finding]:
    """Give what this host has against it."""
    yield from _disks(running, asked, _open_files(look))
    yield from _networks(running, asked, look)
    yield from _displays(running, asked, look)
    yield from _memory(asked, look)
    yield from _image(asked, look)
    if look.journal:
        yield fatal("journal", asked.name, f"{look.journal}: a handover writes down first what it does")
    yield from _words(running, asked)
    yield from watcher.findings(look.root)


def _open_files(look: Look) -> frozenset[tuple[int, int]] | None:
    """Give what the running QEMU has open, None where its process may not be looked at.

    A name tells what is there now, a descriptor what was there when it was opened.
    """
    if look.pid is None:
        return None
    found = set()
    try:
        for link in (look.root / "proc" / str(look.pid) / "fd").iterdir():
            with suppress(FileNotFoundError):  # closed meanwhile
                found.add(_identity(link.stat()))
    except OSError:
        return None
    return frozenset(found)


def _disks(
    running: Running, asked: domain.Domain, opened: frozenset[tuple[int, int]] | None
) -> Iterator[Finding]:
    """Give disks that would open something else than the running QEMU has open, or nothing."""
    held = media(running)
    for disk in asked.devices.disks:
        key, at = (disk.bus or "", disk.address), f"disk {disk.target}"
        if key not in held:
            yield fatal(at, str(disk.address), "the running QEMU has no drive there")
            continue
        medium, path = held[key], _path(disk)
        if medium is None:
            if disk.source is not None and disk.source != domain.DiskSource():
                yield fatal(at, path or disk.type, "the drive of the running QEMU is empty")
        elif disk.source is None or disk.source == domain.DiskSource():
            yield fatal(at, medium.filename, "the running QEMU has this medium, the domain none")
        elif path is not None:
            yield from _file(at, path, medium, opened, readonly=disk.readonly)
        elif not _names(medium.filename, disk.source.name or "?"):
            yield fatal(at, disk.source.name or disk.type, f"the running QEMU has {medium.filename} open")
        if medium is not None and disk.device != "cdrom" and medium.read_only != disk.readonly:
            yield fatal(at, medium.filename, "read-only on one side only")


def _names(filename: str, name: str) -> bool:
    """Tell whether an image's name has each part of another: QEMU has several ways to write one."""
    parts = (re.escape(part) for part in name.split("/"))
    return all(re.search(rf"(?<![\w.-]){part}(?![\w.-])", filename) for part in parts)


def _path(disk: domain.Disk) -> str | None:
    return None if disk.source is None else disk.source.file or disk.source.dev


def _file(
    at: str, path: str, medium: Medium, opened: frozenset[tuple[int, int]] | None, *, readonly: bool
) -> Iterator[Finding]:
    try:
        new = os.stat(path)  # noqa: PTH116 - one call, no object
    except OSError as exc:
        yield fatal(at, path, f"cannot be opened: {exc.strerror or exc}")
        return
    if not (stat.S_ISREG(new.st_mode) or stat.S_ISBLK(new.st_mode)):
        yield fatal(at, path, "neither a file nor a block device")
    if not os.access(path, os.R_OK if readonly else os.R_OK | os.W_OK):
        yield fatal(at, path, "this process may not open it, nor may a QEMU with its rights")
    if not _is_the_same(new, medium, opened):
        yield fatal(at, path, f"not what the running QEMU has open: {medium.filename}")


def _is_the_same(new: os.stat_result, medium: Medium, opened: frozenset[tuple[int, int]] | None) -> bool:
    """Tell whether a file is the one that was opened under another name, which may be gone or another's."""
    if opened is not None and _identity(new) not in opened:
        return False
    try:
        return _identity(os.stat(medium.filename)) == _identity(new)  # noqa: PTH116
    except OSError:
        return opened is not None


def _identity(found: os.stat_result) -> tuple[int, int]:
    """Give what two names of one thing share."""
    return (0, found.st_rdev) if stat.S_ISBLK(found.st_mode) else (found.st_dev, found.st_ino)


def _networks(running: Running, asked: domain.Domain, look: Look) -> Iterator[Finding]:
    facts = running.facts
    devices = [device for device, _row in of_kind(facts, "interface")]
    told = [part(facts, device, "virtio-net-device").properties for device in devices]
    cards = {each.get("mac", "").lower(): device for each, device in zip(told, devices, strict=True)}
    netdevs = {each.get("mac", "").lower(): each.get("netdev", "") for each in told}
    for name in (each.get("netdev", "") for each in told):
        net = facts.nets.get(name)
        if net is None or net.type != "tap":
            yield fatal(f"nic {name}", net.type if net else "nothing", "expected a NIC that is on a tap")
    for interface in asked.devices.interfaces:
        at, mac = f"nic {interface.mac}", (interface.mac or "").lower()
        device, tap = cards.get(mac), running.taps.get(netdevs.get(mac, ""))
        if interface.type == "ethernet":
            yield from _script(at, interface.script or look.ifup)
        if interface.type == "bridge":
            yield from _bridge(at, interface, None if tap is None else tap.bridge, look)
        if interface.model == _VIRTIO and (tap is None or tap.vnet_hdr is None):
            if device is not None and FEATURES in device.properties:
                reason = "whether it has vnet_hdr nobody told; the rehearsal compares features"
                yield harmless(at, "tap", reason)
            else:
                yield fatal(
                    at, "tap", "neither the host tells whether it has vnet_hdr, nor QEMU the features"
                )


def _script(at: str, script: str | None) -> Iterator[Finding]:
    if script is None:
        yield fatal(at, "ethernet", "nothing connects the new tap: give --ifup, or a script in the map")
    elif shutil.which(script) is None:
        yield fatal(at, script, "the script that connects the new tap cannot be run")


def _bridge(at: str, interface: domain.Interface, before: str | None, look: Look) -> Iterator[Finding]:
    name = interface.bridge or ""
    if interface.virtualport is not None and not has_interface(name, look.root):
        yield fatal(at, name, "no such switch on this host")
    elif interface.virtualport is None and not is_bridge(name, look.root):
        yield fatal(at, name, "no such bridge on this host")
    elif before is None:
        yield fatal(at, name, "what the running guest is connected to nobody told")
    elif not before:
        yield harmless(at, name, "the running guest's tap is in no bridge: the new one will be in this one")
    elif before != (name if interface.virtualport is None else _OPEN_VSWITCH):
        yield fatal(at, name, f"the running guest is on {before}: its connections would be cut")
    elif delay := forward_delay(name, look.root):
        reason = f"a new port of it learns for {2 * delay:g} s first (STP): the guest hears nothing meanwhile"
        yield harmless(at, name, reason)


def _displays(running: Running, asked: domain.Domain, look: Look) -> Iterator[Finding]:
    for each in running.facts.displays:
        if each.clients:
            yield harmless("display", each.type, "its viewers are cut off, and must connect again")
        if each.auth != "none":
            yield harmless("display", each.type, "its password must be set again: nobody can tell it")
    for graphics in asked.devices.graphics:
        yield from _place_of(graphics, running, look)


def _place_of(graphics: settings.Graphics, running: Running, look: Look) -> Iterator[Finding]:
    port, old = graphics.tls_port or graphics.port, running.facts.displays
    path = next((each.socket for each in graphics.listens if each.socket), None)
    taken = (graphics.type, port) in {(each.type, each.port or each.tls_port) for each in old}
    moves = graphics.type == "vnc" and running.facts.version >= VNC_MOVES_SINCE
    if path is not None:
        if path in {each.socket for each in old}:
            yield _moving(moves, f"{graphics.type} socket {path}")
    elif port is None or graphics.autoport:
        yield harmless("display", graphics.type, "libvirt chooses another port")
    elif taken:
        yield _moving(moves, f"{graphics.type} port {port}")
    elif look.free_port and (reason := _taken(port, graphics)):
        yield fatal("display", f"{graphics.type} port {port}", reason)


def _moving(moves: bool, at: str) -> Finding:
    if moves:
        return harmless("display", at, "the old server moves out of the way before")
    return fatal("display", at, "the old server cannot move away: give the domain another place")


def _taken(port: int, graphics: settings.Graphics) -> str:
    """Give why nobody can listen on a port, by listening there for a moment; empty: one can."""
    address = next((each.address for each in graphics.listens if each.address), "127.0.0.1")
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family) as line:
            line.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            line.bind((address, port))
            line.listen(1)
    except OSError as exc:
        if exc.errno == errno.EADDRINUSE:
            return "something listens there already"
        return f"nobody can listen there, at {address}: {exc.strerror or exc}"
    return ""


def _memory(asked: domain.Domain, look: Look) -> Iterator[Finding]:
    """Give whether there is room for a second QEMU: both have the guest's memory for a while."""
    need = to_kib(asked.memory.value, asked.memory.unit or "KiB") * _KIB
    if asked.huge_pages:
        kind, free = "huge pages", huge_pages_available(look.root)
    else:
        kind, free, need = "memory", memory_available(look.root), need + _SPARE
    if free is None:
        yield fatal(
            kind, f"{need} bytes", "both QEMUs hold the guest for a while: how much is free nobody told"
        )
    elif free < need:
        yield fatal(kind, f"{free} bytes", f"both QEMUs hold the guest for a while: {need} are needed")


def _image(asked: domain.Domain, look: Look) -> Iterator[Finding]:
    """Give whether a guest that goes through a file has room: it stands still while that is written."""
    if look.image is None:
        return
    place = next(each for each in (look.image.absolute(), *look.image.absolute().parents) if each.is_dir())
    need = to_kib(asked.memory.value, asked.memory.unit or "KiB") * _KIB + _SPARE
    free = shutil.disk_usage(place).free
    if free < need:
        reason = f"{free} bytes are free, and {need} may be needed: give another --state-dir"
        yield fatal("image", str(look.image), reason)


def _words(running: Running, asked: domain.Domain) -> Iterator[Finding]:
    """Give what QEMU was told by words alone: no device shows it, so no comparison finds it."""
    if not running.command:
        yield fatal(
            "command line", running.facts.name, "neither the process nor a runtime file tells its words"
        )
        return
    for each in unsaid(running.command, asked):
        yield fatal("command line", each, "QMP does not tell what it does, and the domain does not have it")
    before, after = smbios(running.command), smbios_of(asked)
    if before != after:
        whose = (
            "both have"
            if before and after
            else "only the running QEMU has"
            if before
            else "only the domain has"
        )
        reason = "the guest's next boot shows another vendor, product or serial number"
        yield fatal("sysinfo", "SMBIOS", f"{whose} words for it, and not the same: {reason}")
