"""The near end of peers/serving.py: one program of peers/ as a child process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

_HERE = Path(__file__).resolve().parent.parent


class Child:
    """A running program of peers/.

    Raises RuntimeError, which ends with the last line that the child complained with, when it ends early.
    """

    def __init__(self, module: str, python: str = sys.executable, path: Sequence[Path] = ()) -> None:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (_HERE, *path)))}
        self._process = subprocess.Popen(
            [python, "-m", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        )
        self._module = module
        hello = self._answer()
        self.versions: Mapping[str, str] = hello["versions"]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate()

    def show(self, name: str) -> str:
        """Give the text that a call builds, or what is shown of one that gives no text."""
        return str(self._ask({"show": name})["text"])

    def time(self, name: str) -> float:
        """Give seconds a call, the mean of one batch."""
        return float(self._ask({"time": name})["seconds"])

    def _ask(self, order: dict[str, str]) -> dict[str, Any]:
        if self._process.stdin is not None:
            self._process.stdin.write(json.dumps(order) + "\n")
            self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        line = self._process.stdout.readline() if self._process.stdout is not None else ""
        if line:
            answer: dict[str, Any] = json.loads(line)
            return answer
        _output, complaint = self._process.communicate()
        reason = (complaint.strip().splitlines() or ["no reason given"])[-1]
        raise RuntimeError(f"{self._module} ended: {reason}")
