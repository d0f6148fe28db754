"""What one running QEMU says about itself besides its machine: media, networks, displays, what it does.

In QEMU's words. No password is in here: QMP does not tell any, and those of URIs are left behind.
"""

from __future__ import annotations

import msgspec

from virtxlate.hardware.model import Machine


class Medium(msgspec.Struct, frozen=True, kw_only=True):
    """What a drive holds: ``{"driver": "host_device", "filename": "/dev/xenvg/disk0", ...}``."""

    driver: str
    """Of the protocol below the format: file, host_device, rbd, gluster, iscsi, https ..."""
    filename: str
    format: str = "raw"
    size: int = 0
    """Bytes that the guest sees."""
    read_only: bool = False
    direct: bool = False
    no_flush: bool = False
    writeback: bool = True
    """Whether the guest may write ahead."""
    detect_zeroes: str = "off"
    limits: str = ""
    """Of its I/O, as QEMU calls them: ``bps=1048576 iops=100``; empty for none."""


class Net(msgspec.Struct, frozen=True, kw_only=True):
    """What a NIC is plugged into: ``{"type": "tap", "fds": [5]}``, a descriptor for each queue."""

    type: str
    fds: tuple[int, ...] = ()
    ifname: str = ""
    """Only for a tap that QEMU opened by itself."""


class Tap(msgspec.Struct, frozen=True, kw_only=True):
    """A tap of the host; None stands for: nobody could tell."""

    name: str
    vnet_hdr: bool | None = None
    bridge: str | None = None
    """Empty where it is in none."""
    multi_queue: bool = False


class Display(msgspec.Struct, frozen=True, kw_only=True):
    """Where a VNC or SPICE server listens: ``{"type": "vnc", "host": "127.0.0.1", "port": 5901}``."""

    type: str
    host: str = ""
    port: int | None = None
    tls_port: int | None = None
    socket: str = ""
    auth: str = "none"
    """``none``, or what a client must do: vnc, spice, vencrypt+..."""
    clients: int = 0


class Busy(msgspec.Struct, frozen=True, kw_only=True):
    """What QEMU is doing, or what keeps it from being moved."""

    migration: str = ""
    """Status of the last or a running migration; empty where there was none."""
    blockers: tuple[str, ...] = ()
    """Why QEMU would refuse to migrate."""
    jobs: tuple[str, ...] = ()
    """Jobs on its disks: ``mirror of disk-0: running``."""


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """All that is read of one QEMU through QMP."""

    name: str
    machine: Machine
    status: str
    """running, paused, prelaunch, postmigrate ..."""
    version: tuple[int, int, int]
    kvm: bool
    drives: dict[str, Medium | None]
    """By the word that a device has as its ``drive``; None for one without a medium."""
    nets: dict[str, Net]
    """By the word that a NIC has as its ``netdev``."""
    displays: tuple[Display, ...] = ()
    chardevs: dict[str, str] = {}
    """Label to what is behind it: ``disconnected:unix:/run/x.serial,server=on``."""
    balloon: int | None = None
    """Bytes that the guest has at the moment; None without a balloon."""
    plugged_memory: int = 0
    """Bytes of memory devices that were plugged in."""
    cpu_model: str = "qemu64"
    cpu_features: dict[str, bool] = {}
    """Every switch of the first CPU, as it is in force: ``{"pcid": true, "hle": false}``; not of ``host``."""
    busy: Busy = Busy()
