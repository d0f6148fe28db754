"""The order of the benchmarks, and where their results go."""

from __future__ import annotations

import argparse
import os
import platform
from collections.abc import Callable
from pathlib import Path

import msgspec

from benchmarks import handover, hotplug, hvinfo, single, startup, throughput, validation
from benchmarks.results import Section, format_table

_JSON_INDENT = 2
_NAMES = ("single", "hvinfo", "validation", "cluster", "startup", "hotplug", "handover")


def main() -> None:
    """Run the benchmarks. A missed target is a line of the table, not an error."""
    args = _parser().parse_args()
    runs: dict[str, Callable[[], Section]] = {
        "single": lambda: single.measure(args.rounds),
        "hvinfo": lambda: hvinfo.measure(args.rounds),
        "validation": lambda: validation.measure(args.rounds),
        "cluster": lambda: throughput.measure(args.instances, args.cluster_rounds),
        "startup": lambda: startup.measure(args.rounds),
        "hotplug": lambda: hotplug.measure(args.hotplug_rounds),
        "handover": lambda: handover.measure(args.handover_rounds),
    }
    machine = f"Python {platform.python_version()} on {_processor()}"
    print(machine, end="\n\n", flush=True)
    sections = []
    for name in args.only or runs:
        sections.append(runs[name]())
        print(format_table(sections[-1:]), flush=True)
    if args.json:
        found = msgspec.json.encode({"machine": machine, "sections": sections})
        args.json.write_bytes(msgspec.json.format(found, indent=_JSON_INDENT) + b"\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="virtxlate beside its peers")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write the results as JSON too")
    parser.add_argument("--only", action="append", choices=_NAMES)
    parser.add_argument("--rounds", metavar="N", type=int, default=25, help="of each builder and command")
    parser.add_argument("--instances", metavar="N", type=int, default=10_000, help="in the cluster")
    parser.add_argument("--cluster-rounds", metavar="N", type=int, default=3)
    parser.add_argument("--hotplug-rounds", metavar="N", type=int, default=15)
    parser.add_argument("--handover-rounds", metavar="N", type=int, default=3)
    return parser


def _processor() -> str:
    """Give the processor's name and how many of its cores there are for us."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{names[0] if names else platform.machine()}, {len(os.sched_getaffinity(0))} cores"
