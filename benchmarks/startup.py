"""Start-up: fresh processes from their start to their end."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.cluster import config_data
from benchmarks.results import Row, Section, at_most, median_ratio

_LIMIT = 3.0
_MILLI = 1000.0


def measure(rounds: int) -> Section:
    """Give the medians of ``rounds`` fresh processes of each command, in turn."""
    with tempfile.TemporaryDirectory(prefix="virtxlate-bench-") as room:
        config = Path(room, "config.data")
        config.write_bytes(config_data(1))
        commands = _commands(config)
        environment = _environment(Path(room, "pycache"))
        for command in commands.values():
            _time(command, environment, room)
        seconds: dict[str, list[float]] = {name: [] for name in commands}
        for _round in range(rounds):
            for name, command in commands.items():
                seconds[name].append(_time(command, environment, room))
    return Section(
        title="Start-up, fresh processes",
        rows=tuple(_row(name, seconds) for name in commands),
        notes=(f"{rounds} rounds, all commands in turn in each; bytecode caches were filled before",),
    )


_ARGPARSE, _LIBRARIES = 'python -c "import argparse"', 'python -c "import lxml.etree, msgspec"'
_VERSION, _SCRIPT = "python -m virtxlate --version", "virtxlate --version"
_TRANSLATE = "virtxlate translate FILE, one instance"
_AGAINST = {_VERSION: _ARGPARSE, _SCRIPT: _ARGPARSE, _TRANSLATE: _LIBRARIES}


def _commands(config: Path) -> dict[str, list[str]]:
    script = str(Path(sys.executable).with_name("virtxlate"))
    commands = {
        'python -c "pass"': [sys.executable, "-c", "pass"],
        _ARGPARSE: [sys.executable, "-c", "import argparse"],
        _VERSION: [sys.executable, "-m", "virtxlate", "--version"],
        _SCRIPT: [script, "--version"],
        _LIBRARIES: [sys.executable, "-c", "import lxml.etree, msgspec"],
        _TRANSLATE: [script, "translate", str(config)],
    }
    if not Path(script).exists():
        del commands[_SCRIPT]
        commands[_TRANSLATE][:1] = [sys.executable, "-m", "virtxlate"]
    return commands


def _environment(cache: Path) -> dict[str, str]:
    """Give an environment in which every command finds its bytecode, whatever ours forbids."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    return {**environment, "PYTHONPYCACHEPREFIX": str(cache)}


def _time(command: list[str], environment: dict[str, str], room: str) -> float:
    started = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, env=environment, cwd=room)
    return time.perf_counter() - started


def _row(name: str, seconds: dict[str, list[float]]) -> Row:
    fields: dict[str, Any] = {}
    if name in _AGAINST:
        other = _AGAINST[name]
        fields = at_most(_LIMIT, median_ratio(seconds[name], seconds[other]), f"<= {_LIMIT:.0f} x {other}")
    return Row(what=name, median=statistics.median(seconds[name]) * _MILLI, unit="ms", **fields)
