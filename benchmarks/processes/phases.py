"""The steps of ``virtxlate translate`` one by one: ``python -m benchmarks.processes.phases CONFIG DIR``.

The same calls as cli/translate.py makes, with a clock between them.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from benchmarks.processes.usage import pin, say
from virtxlate.cli.files import write_whole
from virtxlate.domain.document import format_domain, parse_document
from virtxlate.domain.schema import is_valid
from virtxlate.ganeti.source import open_source
from virtxlate.report import Report
from virtxlate.translate.context import Context
from virtxlate.translate.instance import to_domain


class _Clock:
    """Seconds by phase."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, phase: str) -> None:
        """Count the time since the last lap to ``phase``."""
        now = time.perf_counter()
        self.seconds[phase] = self.seconds.get(phase, 0.0) + now - self._last
        self._last = now


def run(path: str, directory: str) -> None:
    """Translate every instance of a file, and say what each step took."""
    Path(directory).mkdir(exist_ok=True)
    clock, context = _Clock(), Context()
    source = open_source(Path(path).read_bytes())
    clock.lap("read the file")
    for name in source.names():
        report = Report()
        instance = source.instance(name, report)
        clock.lap("decode the instance")
        domain = to_domain(instance, context, report)
        clock.lap("to_domain")
        text = format_domain(domain)
        clock.lap("text")
        root = parse_document(text)
        clock.lap("parse the text")
        if not is_valid(root):
            raise RuntimeError(f"{name}: the schema refuses it")
        clock.lap("validate")
        write_whole(f"{directory}/{instance.name}.xml", text.encode(), sync=False)
        clock.lap("write")
    say(phases=clock.seconds)


if __name__ == "__main__":
    pin()
    run(*sys.argv[1:])
