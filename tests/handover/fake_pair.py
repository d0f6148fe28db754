"""Two QEMUs and a libvirt on paper: they do what they are told, or break as they are told, and remember it.

Each caller has lines of his own to them. A caller that was killed is heard no more, whatever he still says.
"""

from __future__ import annotations

import os
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from virtxlate.errors import DomainNotFoundError, LiveError
from virtxlate.handover.engine import Engine, Tools
from virtxlate.handover.image import image_header
from virtxlate.handover.journal import Journal, Record
from virtxlate.handover.source import MOVING, Old, Process
from virtxlate.handover.transfer import Limits
from virtxlate.live.port import DomainState

NAME = "inst1.example.com"
UUID = str(uuid.uuid4())
"""Another in each process: the lock of a domain is one of this machine."""
XML = (
    f"<domain type='qemu'><name>{NAME}</name><uuid>{UUID}</uuid><memory unit='KiB'>131072</memory>"
    "<vcpu>1</vcpu><os><type arch='x86_64'>hvm</type></os></domain>"
)
SECRET = " passwd='hush'"
"""In a definition, where libvirt shows it only when asked for."""
STATE = b"QEVM the whole guest"
QTREE = """\
bus: main-system-bus
  type System
  dev: i440FX-pcihost, id ""
    bus: pci.0
      type PCI
      dev: {card}, id "nic0"
        addr = 0d.0
        class Ethernet controller, addr 00:0d.0, pci id 1af4:1000 (sub 1af4:0001)
"""
PARAMETERS = {"downtime-limit": 300, "max-bandwidth": 134217728}
CPUS = [{"props": {"socket-id": 0}, "qom-path": "/machine/cpu"}]
QOM: dict[str, Any] = {"feature-words": [], "smp": {"cpus": 1}}
VNC = [{"id": "default", "auth": "none", "family": "ipv4", "server": []}]


class Killed(BaseException):
    """What SIGKILL is to the caller: nobody catches it."""


@dataclass
class Pair:
    """Both QEMUs, and what was done to them."""

    status: str = "running"
    """Of the old one; ``gone`` when it has ended."""
    migration: str = "none"
    parameters: dict[str, int] = field(default_factory=lambda: dict(PARAMETERS))
    capabilities: dict[str, bool] = field(default_factory=lambda: {"multifd": True, "events": True})
    switched: list[dict[str, bool]] = field(default_factory=list)
    vnc: list[dict[str, Any]] = field(
        default_factory=lambda: [{"host": "0.0.0.0", "service": "5901", "family": "ipv4"}]
    )
    target: str = "absent"
    """absent, paused or running."""
    defined: str | None = None
    cards: dict[str, str] = field(default_factory=lambda: {"old": "virtio-net-pci", "new": "virtio-net-pci"})
    faults: dict[str, Callable[[], None]] = field(default_factory=dict)
    """By the name of a call: what happens in its stead, once."""
    jobs: list[dict[str, str]] = field(default_factory=list)
    other_jobs: list[dict[str, str]] = field(default_factory=list)
    """Of the old one, that are not on a disk."""
    ran_under_libvirt: bool = False
    both_ran: bool = False
    lent: dict[str, int] = field(default_factory=dict)
    sending: list[int] = field(default_factory=list)
    """Files into which the old one sends without end."""
    endless: bool = False
    """Whether the guest changes its memory as fast as it is sent."""
    version: tuple[int, int, int] = (7, 2, 22)
    """Of the old one."""
    uri: str = "qemu:///system"
    uuid: str = UUID
    """Of the domain that libvirt has."""
    kvm: bool = False
    asked: int = 3
    """How often the old one has asked what was written."""

    def changed(self) -> None:
        """Remember what must never be."""
        self.ran_under_libvirt |= self.target == "running"
        self.both_ran |= self.status == "running" and self.ran_under_libvirt

    def fault(self, call: str) -> None:
        """Do what was planned for a call."""
        if call in self.faults:
            self.faults.pop(call)()

    def where(self) -> str:
        """Give where the guest runs."""
        return "ganeti" if self.status == "running" else "libvirt" if self.target == "running" else "nowhere"


class Caller:
    """One process that works on the pair, until it is killed."""

    def __init__(
        self,
        pair: Pair,
        folder: Path,
        *,
        kill_at: str | None = None,
        interrupt_at: str | None = None,
        limits: Limits | None = None,
    ) -> None:
        self.pair, self.folder, self.kill_at, self.is_dead = pair, folder, kill_at, False
        self._interrupt_at = interrupt_at
        self.moments: list[str] = []
        self._tools = Tools(limits=limits or Limits(), moment=self._moment)

    def _moment(self, name: str) -> None:
        self.moments.append(name)
        if name == self.kill_at:
            self.is_dead = True
        self.check()
        if name == self._interrupt_at:
            self._interrupt_at = None
            raise KeyboardInterrupt

    def check(self) -> None:
        """A dead caller is heard no more."""
        if self.is_dead:
            raise Killed

    @contextmanager
    def engine(self, record: Record | None = None) -> Iterator[Engine]:
        """Give an engine with lines to the pair; without a record, the one in the journal."""
        journal = Journal(self.folder / "state", NAME)
        record = record or journal.read()
        with Old(self.folder / "qmp", self.opened, record.process, look=self.look) as old:
            yield Engine(FakeHost(self), old, journal, record, self._tools)

    def look(self, pid: int) -> Process | None:
        return None if self.pair.status == "gone" else Process(pid, 1)

    @contextmanager
    def opened(self, _path: Path) -> Iterator[FakeQmp]:
        self.check()
        if self.pair.status == "gone":
            raise LiveError("Connection refused", call="connect")
        yield FakeQmp(self)


def record(folder: Path, **fields: Any) -> Record:
    """Give what a first call writes."""
    return Record(instance=NAME, uuid=UUID, xml=XML, qmp=str(folder / "qmp"), **fields)


class FakeQmp:
    """A line to the old QEMU."""

    def __init__(self, caller: Caller) -> None:
        self._caller, self._pair = caller, caller.pair
        self.heard: Callable[[dict[str, Any]], None] | None = None
        self.pid: int | None = 1

    def __call__(self, command: str, /, **arguments: Any) -> Any:
        self._caller.check()
        if self._pair.status == "gone":
            raise LiveError("QEMU has hung up", call=command)
        self._pair.fault(command)
        method = getattr(self, "_" + command.replace("-", "_"))
        try:
            return method(**{name.replace("-", "_"): value for name, value in arguments.items()})
        finally:
            self._pair.changed()

    def lend(self, name: str, descriptor: int) -> None:
        self._caller.check()
        self._pair.fault("getfd")
        self._pair.lent[name] = os.dup(descriptor)

    def _query_status(self) -> dict[str, Any]:
        return {"running": self._pair.status == "running", "status": self._pair.status}

    def _query_migrate(self) -> dict[str, Any]:
        return {"status": self._pair.migration, "ram": {"dirty-sync-count": self._pair.asked}}

    def _query_kvm(self) -> dict[str, bool]:
        return {"present": True, "enabled": self._pair.kvm}

    def _query_migrate_parameters(self) -> dict[str, int]:
        return dict(self._pair.parameters)

    def _migrate_set_parameters(self, **parameters: int) -> None:
        self._pair.parameters |= {name.replace("_", "-"): value for name, value in parameters.items()}

    def _query_migrate_capabilities(self) -> list[dict[str, Any]]:
        return [{"capability": name, "state": on} for name, on in self._pair.capabilities.items()]

    def _migrate_set_capabilities(self, capabilities: list[dict[str, Any]]) -> None:
        if self._pair.migration in MOVING:
            raise LiveError("There's a migration process in progress", call="migrate-set-capabilities")
        self._pair.capabilities |= {row["capability"]: row["state"] for row in capabilities}
        self._pair.switched.append(dict(self._pair.capabilities))

    def _query_version(self) -> dict[str, Any]:
        return {"qemu": dict(zip(("major", "minor", "micro"), self._pair.version, strict=True))}

    def _query_vnc_servers(self) -> list[dict[str, Any]]:
        return [{"id": "default", "server": self._pair.vnc}] if self._pair.vnc else []

    def _display_update(self, type: str, addresses: list[dict[str, Any]]) -> None:  # noqa: A002
        assert type == "vnc"
        self._pair.vnc = [{"host": a["host"], "service": a["port"], "family": "ipv4"} for a in addresses]

    def _human_monitor_command(self, command_line: str) -> str:
        assert command_line == "info qtree"
        return QTREE.format(card=self._pair.cards["old"])

    def _query_block(self) -> list[Any]:
        return []

    def _query_block_jobs(self) -> list[dict[str, str]]:
        return self._pair.jobs

    def _query_jobs(self) -> list[dict[str, str]]:
        return self._pair.other_jobs

    def _query_uuid(self) -> dict[str, str]:
        return {"UUID": UUID}

    def _query_hotpluggable_cpus(self) -> list[dict[str, Any]]:
        return CPUS

    def _qom_get(self, path: str, property: str) -> Any:  # noqa: A002, ARG002
        return QOM.get(property, "")

    def _stop(self) -> None:
        self._pair.status = "paused"

    def _cont(self) -> None:
        self._pair.status = "running"

    def _migrate_cancel(self) -> None:
        self._pair.migration = "cancelled"
        while self._pair.sending:
            os.close(self._pair.sending.pop())

    def _closefd(self, fdname: str) -> None:
        if fdname not in self._pair.lent:
            raise LiveError("File descriptor named so not found", call="closefd")
        os.close(self._pair.lent.pop(fdname))

    def _quit(self) -> None:
        self._pair.status = "gone"

    def _migrate(self, uri: str) -> None:
        pair, descriptor = self._pair, self._pair.lent.pop(uri.removeprefix("fd:"))
        was = pair.status
        pair.migration = "active"
        if pair.endless:
            pair.sending.append(descriptor)
            return
        try:
            pair.fault("sending")
            os.write(descriptor, STATE)
        except (OSError, LiveError):
            pair.migration, pair.status = "failed", was if pair.status != "gone" else "gone"
        else:
            pair.migration, pair.status = "completed", "postmigrate"
            if self.heard is not None:
                self.heard({"event": "STOP", "timestamp": {"seconds": 1, "microseconds": 0}})
        finally:
            os.close(descriptor)


class FakeHost:
    """A line to libvirt."""

    def __init__(self, caller: Caller) -> None:
        self._caller, self._pair = caller, caller.pair

    def find(self, uuid: str, name: str) -> FakeDomain | None:
        self._caller.check()
        self._pair.fault("find")
        assert (uuid, name) == (UUID, NAME)
        there = self._pair.defined is not None or self._pair.target != "absent"
        return FakeDomain(self._caller) if there else None

    def uri(self) -> str:
        self._caller.check()
        return self._pair.uri

    def define(self, xml: str) -> FakeDomain:
        self._caller.check()
        self._pair.fault("define")
        self._pair.defined = xml
        return FakeDomain(self._caller)

    def restore(self, path: str) -> None:
        self._pair.fault("restore")
        with Path(path).open("rb") as file:
            found = file.read()
        if self._caller.is_dead and not found.endswith(STATE):
            return
        self._pair.fault("loading")
        if found != image_header(XML) + STATE:
            raise LiveError("unexpected end of state", call="restoreFlags")
        self._pair.target = "paused"
        self._pair.changed()
        self._pair.fault("loaded")


class FakeDomain:
    """A line to libvirt's domain."""

    name = NAME

    def __init__(self, caller: Caller) -> None:
        self._caller, self._pair = caller, caller.pair
        self.uuid = caller.pair.uuid

    def _active(self) -> None:
        self._caller.check()
        if self._pair.target == "absent":
            raise DomainNotFoundError("domain is not running", call="lookup")

    def is_active(self) -> bool:
        self._caller.check()
        return self._pair.target != "absent"

    def state(self) -> DomainState:
        self._caller.check()
        self._pair.fault("state")
        return DomainState(active=self._pair.target != "absent", paused=self._pair.target == "paused")

    def job(self) -> str | None:
        self._caller.check()
        return None

    def ask(self, command: str, /, **arguments: Any) -> Any:
        self._active()
        self._pair.fault(f"new {command}")
        if command == "query-status":
            return {"running": self._pair.target == "running", "status": self._pair.target}
        if command == "human-monitor-command":
            return QTREE.format(card=self._pair.cards["new"])
        if command == "qom-get":
            return QOM.get(arguments["property"], "")
        return {"query-block": [], "query-uuid": {"UUID": UUID}, "query-hotpluggable-cpus": CPUS}[command]

    def inactive_xml(self) -> str:
        assert self._pair.defined is not None
        return self._pair.defined.replace(SECRET, "")

    def secure_xml(self) -> str:
        self._caller.check()
        assert self._pair.defined is not None
        return self._pair.defined

    def live_xml(self) -> str:
        self._active()
        return XML

    def start(self, *, paused: bool = False) -> None:
        self._caller.check()
        assert not paused
        self._pair.fault("start")
        self._pair.target = "running"
        self._pair.changed()

    def resume(self) -> None:
        self._active()
        self._pair.fault("resume")
        self._pair.target = "running"
        self._pair.changed()
        self._pair.fault("resumed")

    def destroy(self) -> None:
        self._active()
        self._pair.fault("destroy")
        self._pair.target = "absent"

    def undefine(self) -> None:
        self._caller.check()
        self._pair.fault("undefine")
        self._pair.defined = None
        self._pair.changed()


def threads_left() -> list[str]:
    """Give the threads of a transfer that have not ended."""
    return [each.name for each in threading.enumerate() if each.name.startswith("handover")]
