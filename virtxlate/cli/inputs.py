"""From arguments to a source, a context and instances."""

from __future__ import annotations

import argparse
import os
import re
import sys
from pathlib import Path

from virtxlate.errors import GanetiDataError, InputError, UsageError
from virtxlate.ganeti.model import Instance
from virtxlate.ganeti.runtime import read_runtime, with_runtime
from virtxlate.ganeti.source import Source, open_source
from virtxlate.report import Report
from virtxlate.translate.context import Context, Renames, parse_renames

STDIN = "-"
_OLDEST_LIBVIRT = "9.0"
_VERSION = re.compile(r"([0-9]{1,3})\.([0-9]{1,3})(?:\.([0-9]{1,3}))?", re.ASCII)


def read_bytes(path: str) -> bytes:
    """Give the bytes of a file; ``-`` is stdin. Raises OSError."""
    if path == STDIN:
        return sys.stdin.buffer.read()
    return Path(path).read_bytes()


def read_text(path: str) -> str:
    """Give the text of a UTF-8 file. Raises InputError."""
    try:
        return read_bytes(path).decode("utf-8")
    except UnicodeDecodeError as exc:
        raise InputError(f"expected UTF-8 text: {exc.reason} at byte {exc.start}", at=path) from None


def read_source(args: argparse.Namespace) -> Source:
    """Give the source that the arguments name. Raises GanetiDataError whose path starts with the file."""
    try:
        return open_source(read_bytes(args.source), args.form)
    except GanetiDataError as exc:
        raise named(exc, args.source) from None


def named(error: GanetiDataError, path: str) -> GanetiDataError:
    """Give the error with the file that it is in."""
    return GanetiDataError(str(error), at="stdin" if path == STDIN else path)


def parse_libvirt_version(text: str | None) -> int:
    """Give the number of a version such as 9.0 as libvirt counts; None is the oldest supported one.

    Raises UsageError.
    """
    match = _VERSION.fullmatch(text or _OLDEST_LIBVIRT)
    if match is None:
        raise UsageError(f"--libvirt-version: expected a number such as 9.0, found {text!r}")
    major, minor, release = (int(part or 0) for part in match.groups())
    return major * 1_000_000 + minor * 1_000 + release


def read_context(args: argparse.Namespace) -> Context:
    """Give the destination that the arguments describe. Raises UsageError, MapError."""
    return Context(
        domain_type=args.domain_type,
        disk_paths=args.disk_paths,
        renames=parse_renames(read_text(args.map)) if args.map else Renames(),
        libvirt_version=parse_libvirt_version(args.libvirt_version),
        metadata=not args.no_metadata,
    )


def read_instance(source: Source, name: str, args: argparse.Namespace, report: Report) -> Instance:
    """Give one instance, with what its runtime file knows better. Raises GanetiDataError."""
    try:
        instance = source.instance(name, report)
    except GanetiDataError as exc:
        raise named(exc, args.source) from None
    path = _runtime_path(args.runtime, instance.name)
    if path is None:
        return instance
    try:
        return with_runtime(instance, read_runtime(path.read_bytes(), report))
    except GanetiDataError as exc:
        raise named(exc, str(path)) from None


def _runtime_path(given: str | None, name: str) -> Path | None:
    """Give the runtime file of an instance; in a directory, an instance that does not run has none."""
    if given is None:
        return None
    if not os.path.isdir(given):  # noqa: PTH112 - one stat, no object
        return Path(given)
    path = Path(given) / f"{name}.runtime"
    return path if path.exists() else None
