"""A node that exists only in memory, for Ganeti's KVM code to live on inside the judge's worker.

It plays what lies around that code: files, processes, taps, users, addresses, monitors. It decides nothing.
"""

from __future__ import annotations

import importlib
import shlex
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from unittest import mock

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_PID = 4242
_FIRST_THREAD = 5000
_FIRST_POOL_UID = 4000
_INTERFACES = {"lo": ["127.0.0.1", "::1"]}


@dataclass(slots=True)
class Result:
    """What a finished command gave, in the shape of Ganeti's RunResult."""

    output: str = ""
    failed: bool = False
    fail_reason: str = ""

    @property
    def stdout(self) -> str:
        """All of the output."""
        return self.output


@dataclass
class FakeNode:
    """A node without hardware: every file, user and URL exists unless named absent; nothing is started."""

    qemu: Mapping[str, str]
    absent: Sequence[str] = ()
    interfaces: Mapping[str, Sequence[str]] = field(default_factory=lambda: _INTERFACES)
    memory_free: int = 1 << 20
    started: list[str] = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)
    taps: list[str] = field(default_factory=list)
    nic_setup: list[dict[str, str]] = field(default_factory=list)
    actions: list[str] = field(default_factory=list)
    pinning: list[tuple[str, list[int]]] = field(default_factory=list)
    next_fd: int = 20

    def enter(self, given: dict[str, Any]) -> None:
        """Become a fresh node with the facts ``given`` (absent, interfaces, memory_free in MiB)."""
        facts = {key: given[key] for key in ("absent", "interfaces", "memory_free") if key in given}
        self.__dict__.update(FakeNode(self.qemu, **facts).__dict__)

    # files

    def is_there(self, path: str) -> bool:
        """Return whether ``path`` is a file (or a directory: the node does not tell them apart)."""
        return path not in self.absent

    def exists(self, path: str) -> bool:
        """Return whether ``path`` exists: an interface that the node has, a file that was written."""
        if path.startswith("/sys/class/net/"):
            return path.rsplit("/", 1)[1] in self.interfaces
        return path in self.files

    def read(self, path: str, **_: Any) -> str:
        """Return the text of a file; what nobody wrote holds the word secret (password files)."""
        if path == "/proc/meminfo":
            return f"MemTotal: {self.memory_free * 1024} kB\nMemFree: {self.memory_free * 1024} kB\n"
        if path == f"/proc/{_PID}/cmdline":
            return "\0".join(self.started)
        if path in self.absent:
            raise FileNotFoundError(path)
        return self.files.get(path, "secret")

    def write(self, path: str, data: str | bytes = "", **_: Any) -> None:
        """Keep the text of a file."""
        self.files[path] = data if isinstance(data, str) else data.decode()

    def remove(self, path: str) -> None:
        """Forget a file."""
        self.files.pop(path, None)

    # processes

    def run(self, cmd: Sequence[Any] | str, env: dict[str, str] | None = None, **_: Any) -> Result:
        """Return what a command would have said: QEMU's text, ``ip``'s list, a monitor's answer, nothing."""
        if isinstance(cmd, str):
            return self._monitor(shlex.split(cmd)[1])
        words = [str(word) for word in cmd]
        probe = self.qemu.get(" ".join(words[1:]))
        if probe is not None:
            return Result(probe)
        if words[0].rsplit("/", 1)[-1] == "ip":
            return Result("\n".join(self._ip(words)))
        if "-pidfile" in words:
            self.started = words
        elif env is not None:
            self.nic_setup.append({key: text for key, text in env.items() if key != "PATH"})
        else:
            self.actions.append(shlex.join(words))
        return Result()

    def _ip(self, words: list[str]) -> Iterator[str]:
        if "link" in words:
            for index, tap in enumerate(self.taps):
                yield from (f"{index}: {tap}: <UP>", "    link/ether")
            return
        for address in self.interfaces[words[-1]]:
            family = "inet6" if ":" in address else "inet"
            yield f"1: {words[-1]}    {family} {address}/{128 if ':' in address else 8} scope host"

    def _monitor(self, command: str) -> Result:
        if command != "info cpus":
            self.actions.append(f"monitor {command}")
            return Result()
        count = int(self.started[self.started.index("-smp") + 1].split(",")[0])
        return Result("\n".join(f"CPU #{n}: thread_id={_FIRST_THREAD + n}" for n in range(count)))

    def pid(self, _pidfile: str) -> int:
        """Return the process id of the instance, 0 before it was started."""
        return _PID if self.started else 0

    def process(self, pid: int) -> SimpleNamespace:
        """Return a process whose affinity can be set."""
        who = "process" if pid == _PID else f"vcpu {pid - _FIRST_THREAD}"
        return SimpleNamespace(cpu_affinity=lambda cpus: self.pinning.append((who, list(cpus))))

    # devices and addresses

    def open_tap(
        self, name: str = "", features: dict[str, Any] | None = None
    ) -> tuple[str, list[int], list[int]]:
        """Return a tap's name, its descriptors and its vhost descriptors, in the order of opening."""
        features = features or {}
        queues = features.get("mq", (False, 1))[1]
        vhost = bool(features.get("vhost"))
        step = 2 if vhost else 1
        fds = range(self.next_fd, self.next_fd + queues * step, step)
        self.next_fd += queues * step
        self.taps.append(name or f"tap{len(self.taps)}")
        return self.taps[-1], list(fds), [fd + 1 for fd in fds] if vhost else []

    def open_url(self, request: Any) -> None:
        """Refuse a URL that was named absent."""
        if request.full_url in self.absent:
            raise urllib.error.URLError("absent")


@dataclass(slots=True)
class FakeMonitor:
    """A QMP connection that notes every command it is asked for, whatever its name, and answers none."""

    node: FakeNode

    def __getattr__(self, name: str) -> Any:
        """Return a command that is only noted."""
        return lambda *words: self.node.actions.append(" ".join([f"qmp {name}", *map(str, words)]))


def play(node: FakeNode) -> Any:
    """Return Ganeti's hv_kvm module, imported and from now on living on ``node``."""
    # hv_base keeps os.path.isfile and isdir in tables at import: they must be the node's before
    mock.patch.multiple("os.path", isfile=node.is_there, isdir=node.is_there).start()
    kvm = importlib.import_module("ganeti.hypervisor.hv_kvm")
    mock.patch("os.path.exists", node.exists).start()
    mock.patch("urllib.request.urlopen", node.open_url).start()
    mock.patch("pwd.getpwnam", lambda name: SimpleNamespace(pw_name=name)).start()
    mock.patch("pwd.getpwuid", lambda uid: SimpleNamespace(pw_name=f"pool{uid}")).start()
    mock.patch.multiple(
        "ganeti.utils",
        RunCmd=node.run,
        EnsureDirs=lambda _dirs: None,
        WriteFile=node.write,
        RemoveFile=node.remove,
        ReadFile=node.read,
        ReadOneLineFile=node.read,
        ReadPidFile=node.pid,
        IsProcessAlive=bool,
        IsDaemonAlive=lambda _name: False,
    ).start()
    mock.patch.multiple(
        kvm,
        OpenTap=node.open_tap,
        psutil=SimpleNamespace(Process=node.process, cpu_count=lambda: 8),
        ssconf=SimpleNamespace(SimpleStore=_store),
        utils_wrapper=SimpleNamespace(CloseFdNoError=lambda _fd: None),
    ).start()
    mock.patch.object(kvm.uidpool, "RequestUnusedUid", _pool_uid).start()
    return kvm


def _store() -> SimpleNamespace:
    pool = f"{_FIRST_POOL_UID}-{_FIRST_POOL_UID + 19}"
    return SimpleNamespace(GetUidPool=lambda: pool, GetPrimaryIPFamily=lambda: 2)


def _pool_uid(uids: set[int]) -> SimpleNamespace:
    uid = min(uids)
    return SimpleNamespace(GetUid=lambda: uid, AsStr=lambda: str(uid), Unlock=lambda: None)
