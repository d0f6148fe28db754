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


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and give its exit code; see the table in ``virtxlate --help``."""
    parser = build_parser()
    if "_ARGCOMPLETE" in os.environ:
        import argcomplete  # noqa: PLC0415 - the shell asks for completions, and only then

        argcomplete.autocomplete(parser)
    args = parser.parse_args(argv)
    try:
        code: int = import_module(f"virtxlate.cli.{args.module}").run(args)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader has gone, as `head` does; keep the interpreter from complaining when it flushes.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return _INTERRUPTED
    except OSError as exc:
        return _failed(InputError(exc.strerror or str(exc), at=str(exc.filename or "")), args.traceback)
    except VirtxlateError as exc:
        return _failed(exc, args.traceback)
    except Exception as exc:  # noqa: BLE001 - a user never sees a traceback unasked
        return _failed(exc, args.traceback)
    return code


def _failed(error: Exception, traceback: bool) -> int:
    """Print one line for an error and give its exit code."""
    if traceback:
        import traceback as module  # noqa: PLC0415 - only on request

        module.print_exception(error)
    bug = "" if isinstance(error, VirtxlateError) else f"this is a bug of virtxlate: {type(error).__name__}: "
    complain(f"error: {bug}{error}")
    return error.exit_code if isinstance(error, VirtxlateError) else _BUG


def complain(text: str) -> None:
    """Print one line to stderr."""
    line = " ".join(text.split("\n")).encode("utf-8", "backslashreplace").decode()
    print(f"virtxlate: {line}", file=sys.stderr)
