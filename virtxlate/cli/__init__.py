# PYTHON_ARGCOMPLETE_OK
"""The command line: one module a verb, imported when it is called.

Rule: nothing here or in parser.py imports lxml, msgspec or libvirt, so that ``--help`` and ``--version``
start in the time that Python itself needs.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module

from virtxlate.cli.parser import build_parser
from virtxlate.errors import InputError, VirtxlateError

_BUG = 70
_INTERRUPTED = 130
_STREAMS = (("stdin", "r", os.O_RDONLY), ("stdout", "w", os.O_RDONLY), ("stderr", "w", os.O_WRONLY))


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and give its exit code; see the table in ``virtxlate --help``."""
    parser = build_parser()
    if "_ARGCOMPLETE" in os.environ:
        import argcomplete  # noqa: PLC0415 - the shell asks for completions, and only then

        argcomplete.autocomplete(parser)
    args = parser.parse_args(argv)
    _stand_in()
    try:
        code: int = import_module(f"virtxlate.cli.{args.module}").run(args)
        sys.stdout.flush()
    except BrokenPipeError:
        _give_up_stdout()
        return 0
    except KeyboardInterrupt:
        return _INTERRUPTED
    except Exception as exc:  # noqa: BLE001 - a user never sees a traceback unasked
        reason, code = describe(exc, traceback=args.traceback)
        complain(f"error: {reason}")
        try:
            sys.stdout.flush()
        except OSError:
            _give_up_stdout()
    return code


def _stand_in() -> None:
    """Put something where the caller closed a standard stream: a file opened later would get its number.

    stdin is empty then, what is written to stdout is an error, and stderr is lost.
    """
    for name, mode, flags in _STREAMS:
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, flags), mode))


def _give_up_stdout() -> None:
    """Drop what stdout holds: its reader has gone or its disk is full, and Python would complain at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def describe(error: Exception, *, traceback: bool = False) -> tuple[str, int]:
    """Give the one line for an error, and its exit code; ``traceback`` prints where it came from too."""
    if traceback:
        import traceback as module  # noqa: PLC0415 - only on request

        module.print_exception(error)
    if isinstance(error, OSError):
        error = InputError(error.strerror or str(error), at=str(error.filename or ""))
    code = error.exit_code if isinstance(error, VirtxlateError) else _BUG
    kind = "" if isinstance(error, VirtxlateError) else f"{type(error).__name__}: "
    bug = "this is a bug of virtxlate: " if code == _BUG else ""
    return f"{bug}{kind}{error}", code


def complain(text: str) -> None:
    """Print one line to stderr."""
    print(f"virtxlate: {_printable(text)}", file=sys.stderr)


def show(text: str) -> None:
    """Print one line to stdout, whatever the encoding of the terminal."""
    encoding = sys.stdout.encoding or "utf-8"
    print(_printable(text).encode(encoding, "backslashreplace").decode(encoding))


def _printable(text: str) -> str:
    """Give a text in one line, without anything that a terminal would obey: much of it is other people's."""
    line = " ".join(text.splitlines())
    if line.isprintable():
        return line
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in line)
