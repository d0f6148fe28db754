"""Ganeti's own KVM code as judge: what it would start, remember and fill in.

``prepare()`` gives the judge; each question to it is one worker process. It needs apt, dpkg and pip once
(see ganeti_setup), and a QEMU on this machine, whose help texts Ganeti reads to choose options. Nothing is
started: the worker plays the node around Ganeti's code, on which every file and user exists, the only
interface is ``lo``, and a tap is a number.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from shutil import which
from typing import Any

from lab.ganeti_setup import Environment, JudgeUnavailableError, cache_root, prepare_environment

__all__ = [
    "FilledDisk",
    "FilledInstance",
    "Judge",
    "JudgeFailedError",
    "JudgeUnavailableError",
    "Loaded",
    "Verdict",
    "prepare",
]

HvInfo = Mapping[str, str | int]
Params = Mapping[str, Any]

_WORKER = "lab.ganeti_judge_worker"
_PROJECT = Path(__file__).parent.parent
_BINARIES = ("kvm", "qemu-system-x86_64")
_PROBES = ("--help", "-machine ?", "-device ?")
"""The calls by which Ganeti learns what a QEMU can do; the worker gets the texts under these names."""


class JudgeFailedError(RuntimeError):
    """The worker itself broke (not: Ganeti refused an instance); the message is its stderr."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What Ganeti makes of one instance.

    ``cmd`` is the complete QEMU argv (empty where ``error`` says why not), ``stored`` the part kept in the
    runtime file (the word after ``-m`` is an int there), ``runtime`` that file's text. ``disks`` and ``nics``
    are the hvinfo dicts in order. ``syntax`` is what the master would object to when these hvparams are set,
    ``error`` what stops the start on the node; both begin with the class of Ganeti's exception. ``actions``
    are the commands after the start in order (``qmp NAME ARGS``, ``monitor TEXT``, else a program),
    ``pinning`` pairs of (``process`` or ``vcpu N``, host CPUs), ``nic_setup`` the environments of the network
    script, one a NIC.
    """

    name: str
    cmd: tuple[str, ...]
    stored: tuple[str | int, ...]
    disks: tuple[HvInfo, ...]
    nics: tuple[HvInfo, ...]
    runtime: str | None
    syntax: str | None
    error: str | None
    actions: tuple[str, ...]
    pinning: tuple[tuple[str, tuple[int, ...]], ...]
    nic_setup: tuple[Mapping[str, str], ...]

    @property
    def options(self) -> tuple[str, ...]:
        """The argv without the program, one text an option with its value: ``-m 128``, ``-S``."""
        groups: list[list[str]] = []
        for word in self.cmd[1:]:
            if word.startswith("-") or not groups:
                groups.append([])
            groups[-1].append(word)
        return tuple(" ".join(group) for group in groups)


@dataclass(frozen=True, slots=True)
class Loaded:
    """A runtime file as Ganeti reads it, its old forms upgraded; all empty where ``error`` says why not.

    ``nics`` are NIC dicts; ``disks`` hold ``disk`` (the Disk dict), ``link`` and ``uri``.
    """

    cmd: tuple[str | int, ...]
    nics: tuple[Params, ...]
    hvparams: Params
    disks: tuple[Params, ...]
    error: str | None


@dataclass(frozen=True, slots=True)
class FilledDisk:
    """One disk's parameters as sent to a node, in their device-level names, and its children's in order."""

    uuid: str
    dev_type: str
    params: Params
    children: tuple[Params, ...]


@dataclass(frozen=True, slots=True)
class FilledInstance:
    """One KVM instance's parameters, completed by Ganeti; ``nics`` are the nicparams in NIC order.

    ``request`` is the same instance as ``Judge.run`` takes it, all from the configuration (userspace URIs are
    not made).
    """

    name: str
    uuid: str
    hvparams: Params
    beparams: Params
    osparams: Params
    nics: tuple[Params, ...]
    disks: tuple[FilledDisk, ...]
    request: Params


@dataclass(frozen=True, slots=True)
class Judge:
    """Ganeti of one version with one QEMU; ``qemu`` is the program's path, None where none is installed."""

    environment: Environment
    qemu: Path | None

    @property
    def version(self) -> str:
        """The Debian version of Ganeti, such as ``3.0.2-3``."""
        return self.environment.version

    def run(self, instances: Sequence[Mapping[str, Any]]) -> list[Verdict]:
        """Return a verdict for each instance, from one worker (about 0.2 s, and 2 ms an instance).

        An instance is a dict of ``name``, ``uuid`` and, as wanted: ``hvparams`` and ``beparams`` (completed
        with Ganeti's built-in defaults, whose kernel_path is not empty), ``nics`` (NIC dicts with nicparams),
        ``disks`` (dicts of ``disk``, a Ganeti Disk dict, with ``link`` and ``uri``; the link defaults to
        Ganeti's), ``network_port`` (11000), ``os``, ``tags``, ``paused``. ``runtime`` (text) starts from that
        file instead, ``incoming`` (an address) accepts a migration with it. About the node: ``absent`` (paths
        and URLs), ``interfaces`` (name to addresses), ``memory_free`` (MiB).

        Raises JudgeUnavailableError without a QEMU, JudgeFailedError where the worker breaks.
        """
        if self.qemu is None:
            raise JudgeUnavailableError(f"Ganeti asks QEMU what it can do: install one of {_BINARIES}")
        answers = self._ask("run", instances=list(instances), qemu=_qemu_texts(self.qemu))
        return [_verdict(answer) for answer in answers]

    def load(self, runtimes: Sequence[str]) -> list[Loaded]:
        """Return each runtime file's text as Ganeti loads it. Raises JudgeFailedError where it breaks."""
        return [Loaded(**_frozen(answer)) for answer in self._ask("load", runtimes=list(runtimes))]

    def fill(self, config: Path) -> tuple[FilledInstance, ...]:
        """Return the complete parameters of each KVM instance in a ``config.data`` file.

        A 2.x configuration passes through Ganeti's own cfgupgrade first. Instances of other hypervisors are
        left out.

        Raises JudgeFailedError where Ganeti cannot load it; OSError, ValueError where it is no JSON file.
        """
        answers = self._ask("fill", config=json.loads(config.read_text()))
        return tuple(_filled(answer) for answer in answers)

    def hvparam_defaults(self) -> dict[str, Any]:
        """Return Ganeti's built-in KVM hvparams (the paths of kernel and kvm are those that Debian chose)."""
        return dict(self._ask("constants")["defaults"])

    def hvparam_types(self) -> dict[str, str]:
        """Return the type word of each KVM hvparam: bool, int, string or maybe-string."""
        return dict(self._ask("constants")["types"])

    def beparam_defaults(self) -> dict[str, Any]:
        """Return Ganeti's built-in beparams."""
        return dict(self._ask("constants")["beparams"])

    def nicparam_defaults(self) -> dict[str, Any]:
        """Return Ganeti's built-in nicparams (the bridge is the one that Debian chose)."""
        return dict(self._ask("constants")["nicparams"])

    def _ask(self, verb: str, **request: Any) -> Any:
        place = self.environment
        # -P: the caller's directory must not come before Ganeti's modules
        command = [str(place.python), "-P", "-W", "ignore", "-m", _WORKER]
        surroundings = {
            "PYTHONPATH": f"{place.modules}:{_PROJECT}",
            "PATH": os.environ.get("PATH", os.defpath),
            "LC_ALL": "C.UTF-8",
        }
        text = json.dumps({"verb": verb, **request})
        done = subprocess.run(
            command, input=text, env=surroundings, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise JudgeFailedError(done.stderr)
        return json.loads(done.stdout)


def prepare() -> Judge:
    """Return the judge, building its environment if this machine has none yet (seconds, else milliseconds).

    Raises JudgeUnavailableError where it cannot be built.
    """
    return Judge(prepare_environment(), next((Path(path) for path in map(which, _BINARIES) if path), None))


def _qemu_texts(binary: Path) -> dict[str, str]:
    """Return the texts of ``_PROBES``, read once for each binary (by path, size, time) and kept on disk."""
    real = binary.resolve()
    facts = real.stat()
    key = hashlib.sha256(f"{real} {facts.st_size} {facts.st_mtime_ns}".encode()).hexdigest()[:12]
    kept = cache_root() / f"qemu-texts-{key}.json"
    if not kept.exists():
        fresh = kept.with_suffix(f".{os.getpid()}")
        fresh.write_text(json.dumps({probe: _qemu_text(binary, probe) for probe in _PROBES}))
        fresh.replace(kept)
    return dict(json.loads(kept.read_text()))


def _qemu_text(binary: Path, probe: str) -> str:
    command = [str(binary), *probe.split()]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=True)
    return done.stdout


def _verdict(answer: Mapping[str, Any]) -> Verdict:
    pinning = tuple((who, tuple(cpus)) for who, cpus in answer["pinning"])
    return Verdict(**_frozen({**answer, "pinning": pinning}))


def _filled(answer: Mapping[str, Any]) -> FilledInstance:
    disks = tuple(FilledDisk(**_frozen(disk)) for disk in answer["disks"])
    return FilledInstance(**_frozen({**answer, "disks": disks}))


def _frozen(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in fields.items()}
