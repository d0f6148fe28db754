"""What a run of the command line gave, and the data that the runs are about."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[2]
FIXTURES = ROOT / "fixtures"
CLUSTER = FIXTURES / "ganeti" / "cluster.json"
"""Six KVM instances and a Xen one."""
NAMES = tuple(f"{name}.example.com" for name in ("web1", "db1", "mail1", "ceph1", "files1", "old1"))
WEB, DB, MAIL = NAMES[:3]
WEB_UUID = "316b6d79-7e78-4945-8192-512b4a769128"
XEN, XEN_UUID = "xen1.example.com", "baee8854-5506-4a5b-9c9b-bd9fa26e940d"


class Result(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def errors(self) -> list[str]:
        return self.err.splitlines()

    @property
    def error(self) -> str:
        """The one line on stderr, without the program's name."""
        (line,) = self.errors
        assert line.startswith("virtxlate: ")
        return line.removeprefix("virtxlate: ")


Cli = Callable[..., Result]


def run_process(*argv: object, stdin: bytes = b"", **environment: str) -> Result:
    """Run ``python -m virtxlate`` in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "virtxlate", *map(str, argv)],
        input=stdin,
        capture_output=True,
        check=False,
        cwd=ROOT,
        env={**os.environ, **environment},
        timeout=60,
    )
    return Result(done.returncode, *(text.decode(errors="replace") for text in (done.stdout, done.stderr)))


def cluster(change: Callable[[dict[str, Any]], object] = lambda _data: None) -> bytes:
    """Give the cluster's data, changed."""
    data = copy.deepcopy(json.loads(CLUSTER.read_bytes()))
    change(data)
    return json.dumps(data).encode()


def instance_in(data: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(each for each in data["instances"].values() if each["name"] == name)
    return found


def listing(folder: Path) -> list[str]:
    """Give the names in a folder, sorted."""
    return sorted(path.name for path in folder.iterdir())
