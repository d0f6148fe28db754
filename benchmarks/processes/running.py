"""Run a module of this package in a fresh process and read what it says."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).resolve().parents[2]


def run_module(name: str, *arguments: str) -> dict[str, Any]:
    """Give what ``benchmarks.processes.NAME`` said. Raises RuntimeError with its complaint when it fails."""
    command = [sys.executable, "-m", f"benchmarks.processes.{name}", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=_ROOT)
    if done.returncode:
        raise RuntimeError(f"{name}: {done.stderr.strip()[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found
