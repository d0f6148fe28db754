"""A whole cluster: config.data in, one validated XML file an instance out, through the real command."""

from __future__ import annotations

import os
import shutil
import statistics
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.cluster import config_data
from benchmarks.processes.running import run_module
from benchmarks.results import Row, Section

_RATE_TARGET, _MEMORY_TARGET = 2500.0, 10.0
_MIB = 1024 * 1024
_ROOM_NEEDED = 1024 * _MIB


def measure(instances: int, rounds: int) -> Section:
    """Give rate, memory and phases for a cluster of that many instances; medians of ``rounds``."""
    with tempfile.TemporaryDirectory(prefix="virtxlate-bench-", dir=_memory_file_system()) as room:
        config = Path(room, "config.data")
        config.write_bytes(config_data(instances))
        runs, phases = [], []
        for index in range(rounds):
            runs.append(_run("translate", config, room, index))
            phases.append(_run("phases", config, room, index)["phases"])
        size, bare = config.stat().st_size, run_module("usage")["peak_bytes"]
        where = f"{Path(room).parent}, {_filesystem(Path(room))}"
    memory = statistics.median(run["peak_bytes"] for run in runs) - bare
    return Section(
        title=f"A cluster of {instances:,} instances: read, translate, validate and write all",
        rows=(
            Row(what="size of config.data", median=size / _MIB, unit="MiB"),
            *_rates(instances, runs),
            *_memory(memory, bare, size),
            *_phases(instances, phases),
        ),
        notes=(
            f"{rounds} rounds of a fresh process on one core, files written to {where}",
            "phases: the same steps with a clock between them, in a process of their own",
            "the rate counts from main(): start-up is a benchmark of its own",
        ),
    )


def _run(module: str, config: Path, room: str, index: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(dir=room, prefix=f"{module}-{index}-") as output:
        return run_module(module, str(config), output)


def _rates(instances: int, runs: list[dict[str, Any]]) -> list[Row]:
    by_wall = instances / statistics.median(run["wall_s"] for run in runs)
    by_cpu = instances / statistics.median(run["work_s"] for run in runs)
    target = f">= {_RATE_TARGET:,.0f}/s"
    return [
        Row(
            what="instances a second, by the clock on the wall",
            median=by_wall,
            unit="/s",
            ratio=by_wall / _RATE_TARGET,
            target=target,
            met=by_wall >= _RATE_TARGET,
        ),
        Row(what="instances a second of processor time", median=by_cpu, unit="/s"),
    ]


def _memory(memory: float, bare: int, size: int) -> list[Row]:
    return [
        Row(
            what="peak memory beyond a bare interpreter, by file size",
            median=memory / _MIB,
            unit="MiB",
            ratio=memory / size,
            target=f"< {_MEMORY_TARGET:.0f} x file",
            met=memory < _MEMORY_TARGET * size,
        ),
        Row(what="a bare interpreter", median=bare / _MIB, unit="MiB"),
    ]


def _phases(instances: int, phases: list[dict[str, float]]) -> list[Row]:
    return [
        Row(
            what=f"phase: {phase}",
            median=statistics.median(run[phase] for run in phases) / instances * 1e6,
            unit="us an instance",
        )
        for phase in phases[0]
    ]


def _memory_file_system() -> str | None:
    """Give a place in memory, where no other user's disk writes are measured; None where there is none."""
    place = Path("/dev/shm")  # noqa: S108 - only a directory of our own is made there
    if not place.is_dir() or not os.access(place, os.W_OK):
        return None
    return str(place) if shutil.disk_usage(place).free >= _ROOM_NEEDED else None


def _filesystem(path: Path) -> str:
    """Give the type of the file system that ``path`` is on."""
    best = ("", "unknown file system")
    for line in Path("/proc/mounts").read_text(encoding="utf-8").splitlines():
        _device, mount, kind, *_rest = line.split()
        if path.is_relative_to(mount) and len(mount) >= len(best[0]):
            best = (mount, kind)
    return best[1]
