"""What a running QEMU says about itself, asked through QMP. It asks and changes nothing.

Source: QEMU 7.2, qapi/block-core.json, qapi/ui.json, qapi/migration.json, net/net.c (info network);
measured on QEMU 7.2.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, TypeVar

import msgspec

from virtxlate.errors import InputError, LiveError
from virtxlate.hardware.describe import Ask, describe, first_cpu
from virtxlate.hardware.facts import Busy, Display, Facts, Medium, Net
from virtxlate.hardware.model import Machine

T = TypeVar("T")

_PORT = re.compile(r"[0-9]{1,5}", re.ASCII)
_PEER = re.compile(r" \\ (\S+?): index=[0-9]+,type=([a-z-]+),(.*)", re.ASCII)
_FDS = re.compile(r"(?:^|,)fd=([0-9]+)", re.ASCII)
_IFNAME = re.compile(r"(?:^|,)ifname=([^,]+)", re.ASCII)
_PASSWORD = re.compile(r"(?<=//)([^/@:]*):[^/@]*@|:(key|password)=[^:]*")
_CPU_TYPE = "-x86_64-cpu"
_NO_FEATURES = frozenset({"realized", "hotplugged", "hotpluggable", "start-powered-off", "legacy-memory"})
"""Switches of any QEMU device, or of its migration."""
_HOST_MODELS = frozenset({"host", "max"})
_LIMITS = ("bps", "bps_rd", "bps_wr", "iops", "iops_rd", "iops_wr")
_OVER = frozenset({"concluded", "null"})
"""What a job is of which only the result is left."""
_BUSY = frozenset({"setup", "active", "device", "pre-switchover", "postcopy-active", "wait-unplug"})


class _Cache(msgspec.Struct, rename="kebab"):
    writeback: bool
    direct: bool
    no_flush: bool


class _Image(msgspec.Struct, rename="kebab"):
    virtual_size: int = 0


class _Node(msgspec.Struct, rename="kebab"):
    """A row of query-named-block-nodes, or what is inserted into one of query-block."""

    drv: str
    file: str
    ro: bool
    cache: _Cache
    image: _Image
    node_name: str = ""
    detect_zeroes: str = "off"
    bps: int = 0
    bps_rd: int = msgspec.field(default=0, name="bps_rd")
    bps_wr: int = msgspec.field(default=0, name="bps_wr")
    iops: int = 0
    iops_rd: int = msgspec.field(default=0, name="iops_rd")
    iops_wr: int = msgspec.field(default=0, name="iops_wr")

    @property
    def limits(self) -> str:
        """Those that are set."""
        told = {name: getattr(self, name) for name in _LIMITS}
        return " ".join(f"{name}={value}" for name, value in told.items() if value)


class _Block(msgspec.Struct):
    device: str
    inserted: _Node | None = None


class _Vnc(msgspec.Struct):
    enabled: bool
    host: str = ""
    service: str = ""
    family: str = ""
    auth: str = "none"
    clients: list[Any] = []


class _Spice(msgspec.Struct, rename="kebab"):
    enabled: bool
    host: str = ""
    port: int | None = None
    tls_port: int | None = None
    auth: str = "none"
    channels: list[Any] = []


class _Chardev(msgspec.Struct):
    label: str
    filename: str


class _Migration(msgspec.Struct, rename="kebab"):
    status: str = ""
    blocked_reasons: list[str] = []


class _Job(msgspec.Struct):
    """A row of query-block-jobs, which says device, or of query-jobs, which says id."""

    device: str = ""
    id: str = ""
    type: str = "job"
    status: str = ""


class _Balloon(msgspec.Struct):
    actual: int


class _Memory(msgspec.Struct, rename="kebab"):
    plugged_memory: int = 0


class _Version(msgspec.Struct):
    major: int
    minor: int
    micro: int


class _VersionAnswer(msgspec.Struct):
    qemu: _Version


class _Kvm(msgspec.Struct):
    enabled: bool


class _Status(msgspec.Struct):
    status: str


class _Name(msgspec.Struct):
    name: str = ""


class _Property(msgspec.Struct):
    name: str
    type: str


def inspect(ask: Ask) -> Facts:
    """Give the facts of the QEMU that ``ask`` reaches; some five hundred questions, most of them for the CPU.

    Raises InputError for an answer of another shape than QEMU's, and what ``ask`` raises.
    """
    machine = describe(ask)
    model, features = _cpu(ask, machine)
    return Facts(
        name=_read(ask, _Name, "query-name").name,
        machine=machine,
        status=_read(ask, _Status, "query-status").status,
        version=version_of(ask),
        kvm=_read(ask, _Kvm, "query-kvm").enabled,
        drives=_drives(ask),
        nets=_nets(ask),
        displays=(*_vnc(ask), *_spice(ask)),
        chardevs={row.label: row.filename for row in _read(ask, list[_Chardev], "query-chardev")},
        balloon=_balloon(ask),
        plugged_memory=_read(ask, _Memory, "query-memory-size-summary").plugged_memory,
        cpu_model=model,
        cpu_features=features,
        busy=_busy(ask),
    )


def version_of(ask: Ask) -> tuple[int, int, int]:
    """Give the version of QEMU. Raises InputError, and what ``ask`` raises."""
    version = _read(ask, _VersionAnswer, "query-version").qemu
    return version.major, version.minor, version.micro


def without_secret(filename: str) -> str:
    """Give the name of an image without the password or key in it."""
    return _PASSWORD.sub(lambda match: f"{match[1]}@" if match[1] is not None else "", filename)


def _drives(ask: Ask) -> dict[str, Medium | None]:
    """Give what each drive holds, by each name that a device may tell it by."""
    nodes = _read(ask, list[_Node], "query-named-block-nodes")
    found: dict[str, Medium | None] = {}
    for block in _read(ask, list[_Block], "query-block"):
        medium = None if block.inserted is None else _medium(block.inserted, nodes)
        names = (block.device, "" if block.inserted is None else block.inserted.node_name)
        found |= {name: medium for name in names if name}
    return found


def _medium(top: _Node, nodes: list[_Node]) -> Medium:
    protocols = (each.drv for each in nodes if each.file == top.file and each.drv != top.drv)
    return Medium(
        driver=next(protocols, top.drv),
        filename=without_secret(top.file),
        format=top.drv,
        size=top.image.virtual_size,
        read_only=top.ro,
        direct=top.cache.direct,
        no_flush=top.cache.no_flush,
        writeback=top.cache.writeback,
        detect_zeroes=top.detect_zeroes,
        limits=top.limits,
    )


def _nets(ask: Ask) -> dict[str, Net]:
    """Give what is behind each NIC; each queue is a line of its own."""
    found: dict[str, Net] = {}
    for line in _monitor(ask, "info network").splitlines():
        match = _PEER.fullmatch(line.rstrip())
        if match is None:
            continue
        known = found.get(match[1], Net(type=match[2]))
        name = _IFNAME.search(match[3])
        found[match[1]] = Net(
            type=match[2],
            fds=(*known.fds, *(int(fd) for fd in _FDS.findall(match[3]))),
            ifname=name[1] if name else known.ifname,
        )
    return found


def _vnc(ask: Ask) -> Iterator[Display]:
    told = _optional(ask, _Vnc, "query-vnc")
    if told is None or not told.enabled or not told.service:
        return
    if told.family == "unix":
        yield Display(type="vnc", socket=told.service, auth=told.auth, clients=len(told.clients))
        return
    port = int(told.service) if _PORT.fullmatch(told.service) else None
    yield Display(type="vnc", host=told.host, port=port, auth=told.auth, clients=len(told.clients))


def _spice(ask: Ask) -> Iterator[Display]:
    told = _optional(ask, _Spice, "query-spice")
    if told is not None and told.enabled:
        clients = len(told.channels)
        yield Display(
            type="spice",
            host=told.host,
            port=told.port,
            tls_port=told.tls_port,
            auth=told.auth,
            clients=clients,
        )


def _balloon(ask: Ask) -> int | None:
    told = _optional(ask, _Balloon, "query-balloon")
    return None if told is None else told.actual


def _busy(ask: Ask) -> Busy:
    migration = _read(ask, _Migration, "query-migrate")
    return Busy(
        migration=migration.status, blockers=tuple(migration.blocked_reasons), jobs=tuple(jobs_of(ask))
    )


def jobs_of(ask: Ask) -> Iterator[str]:
    """Give a line for each job that goes on, on a disk or not. Raises InputError, and what ``ask`` raises."""
    seen = set()
    for job in _read(ask, list[_Job], "query-block-jobs"):
        seen.add(job.device)
        yield f"{job.type} of {job.device}: {job.status}"
    for job in _optional(ask, list[_Job], "query-jobs") or ():
        if job.id not in seen and job.status not in _OVER:
            yield f"{job.type} {job.id}: {job.status}"


def is_migrating(facts: Facts) -> bool:
    """Tell whether a migration is going on."""
    return facts.busy.migration in _BUSY


def _cpu(ask: Ask, machine: Machine) -> tuple[str, dict[str, bool]]:
    """Give the CPU's model, and the state of each switch that it has.

    What a model has by itself QEMU does not tell where -cpu has flags: they hold for its examples, too.
    """
    model = machine.cpu.type.removesuffix(_CPU_TYPE)
    if model in _HOST_MODELS:
        return model, {}
    path = first_cpu(ask)
    rows = _read(ask, list[_Property], "qom-list", path=path)
    names = sorted(row.name for row in rows if row.type == "bool" and row.name not in _NO_FEATURES)
    return model, {name: _read_property(ask, path, name) for name in names}


def _read_property(ask: Ask, path: str, name: str) -> bool:
    return _read(ask, bool, "qom-get", path=path, property=name)


def _read(ask: Ask, kind: type[T], command: str, /, **arguments: Any) -> T:
    answer = ask(command, **arguments)
    try:
        return msgspec.convert(answer, kind, strict=False)
    except msgspec.ValidationError as exc:
        raise InputError(str(exc), at=command) from None


def _optional(ask: Ask, kind: type[T], command: str) -> T | None:
    """Give None where this QEMU has no such part, or was built without it."""
    try:
        return _read(ask, kind, command)
    except LiveError:
        return None


def _monitor(ask: Ask, line: str) -> str:
    return _read(ask, str, "human-monitor-command", **{"command-line": line})
