"""The whole command, as a user calls it: ``python -m benchmarks.processes.translate CONFIG DIR``."""

from __future__ import annotations

import contextlib
import io
import sys
import time

from benchmarks.processes.usage import pin, say
from virtxlate.cli import main

_COMPLAINTS_SHOWN = 2000


def run(source: str, directory: str) -> None:
    """Translate every instance of a file. Raises RuntimeError when that fails."""
    complaints = io.StringIO()
    started, cpu = time.perf_counter(), time.process_time()
    with contextlib.redirect_stderr(complaints):
        code = main(["translate", source, "--output-dir", directory])
    if code:
        raise RuntimeError(f"exit code {code}: {complaints.getvalue()[-_COMPLAINTS_SHOWN:]}")
    say(wall_s=time.perf_counter() - started, work_s=time.process_time() - cpu)


if __name__ == "__main__":
    pin()
    run(*sys.argv[1:])
