"""The examples of a Markdown page: what is typed and what comes back, programs, and files that they use.

````
<!-- file: map.toml -->      the next block is a file of that name
```console                   lines after "$ " are typed, the others come back; ... stands for any text
```python                    a program
````
"""

from __future__ import annotations

import doctest
import io
import re
import shlex
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import NamedTuple

from virtxlate.cli import main
from virtxlate.cli.parser import build_parser

_FENCE = re.compile(
    r"(?:<!-- file: (?P<file>\S+) -->\n+)?^```(?P<kind>\w+)\n(?P<body>.*?)^```$", re.DOTALL | re.MULTILINE
)
_TYPED = re.compile(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", re.MULTILINE)
_NEEDS_LIBVIRT = frozenset({"define", "start", "hotplug", "plan", "apply"})
_CHECKER = doctest.OutputChecker()


class Block(NamedTuple):
    """One fenced block of a page."""

    kind: str
    """What follows the fence: console, python, toml ..."""
    body: str
    file: str | None
    line: int


class Typed(NamedTuple):
    """One command, and what the page says that it answers."""

    command: str
    answer: str

    @property
    def words(self) -> list[str]:
        return shlex.split(self.command)

    @property
    def runs_here(self) -> bool:
        """Tell whether it needs nothing but virtxlate; a pipe or a connection is only shown."""
        words = self.words
        if words[0] != "virtxlate" or "|" in words or "sudo" in words:
            return False
        return words[1] not in _NEEDS_LIBVIRT or "--print-xml" in words


def blocks(page: Path) -> list[Block]:
    """Give the fenced blocks of a page, in order."""
    text = page.read_text(encoding="utf-8")
    return [
        Block(m["kind"], m["body"], m["file"], text.count("\n", 0, m.start("body")) + 1)
        for m in _FENCE.finditer(text)
    ]


def typed(block: Block) -> list[Typed]:
    """Give the commands of a console block, with their answers."""
    return [Typed(*m.groups()) for m in _TYPED.finditer(block.body)]


def run(command: list[str]) -> tuple[int, str]:
    """Run one virtxlate command here; give its exit code and all that it printed, stderr too."""
    raw = io.BytesIO()
    screen = io.TextIOWrapper(raw, encoding="utf-8", write_through=True)
    with redirect_stdout(screen), redirect_stderr(screen):
        code = main(command)
    return code, raw.getvalue().decode()


def parse(command: list[str]) -> None:
    """Raise SystemExit for a command line that virtxlate does not know."""
    with redirect_stderr(sys.stdout):
        build_parser().parse_args(command)


def differs(answer: str, found: str) -> str:
    """Give the difference between what a page says and what came back; "" where the page is right."""
    if _CHECKER.check_output(answer, found, doctest.ELLIPSIS):
        return ""
    return _CHECKER.output_difference(doctest.Example("", answer), found, doctest.REPORT_UDIFF)
