"""From arguments to a source, a context and instances."""

from __future__ import annotations

import argparse
import os
import re
import sys
from contextlib import suppress
from difflib import get_close_matches
from pathlib import Path

from virtxlate.errors import GanetiDataError, InputError, MapError, UsageError
from virtxlate.ganeti.model import Instance
from virtxlate.ganeti.params import HVPARAM_NAMES
from virtxlate.ganeti.runtime import read_runtime, with_runtime
from virtxlate.ganeti.source import Source, open_source
from virtxlate.live.port import HostPort, HotplugHost
from virtxlate.report import Report
from virtxlate.scsi import ScsiResolver, parse_scsi_map
from virtxlate.translate.context import Context, Renames, parse_renames

STDIO = "-"
_OLDEST_LIBVIRT = "9.0"
_SHOWN_NAMES = 3
_RUNTIME_FILE = "runtime file"
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_VERSION = re.compile(r"([0-9]{1,2})\.([0-9]{1,2})(?:\.([0-9]{1,3}))?", re.ASCII)


def read_bytes(path: str) -> bytes:
    """Give the bytes of a file; ``-`` is stdin. Raises OSError."""
    if path == STDIO:
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
        return open_source(read_bytes(args.source), args.form, parse_ganeti_version(args.ganeti_version))
    except GanetiDataError as exc:
        raise named(exc, args.source) from None


def named(error: InputError, path: str) -> GanetiDataError:
    """Give the error with the file that it is in."""
    return GanetiDataError(str(error), at="stdin" if path == STDIO else path)


def parse_libvirt_version(text: str | None) -> int:
    """Give the number of a version such as 9.0 as libvirt counts; None is the oldest supported one.

    Raises UsageError.
    """
    match = _VERSION.fullmatch(text or _OLDEST_LIBVIRT)
    if match is None:
        raise UsageError(f"--libvirt-version: expected a number such as 9.0, found {text!r}")
    major, minor, release = (int(part or 0) for part in match.groups())
    return major * 1_000_000 + minor * 1_000 + release


def parse_ganeti_version(text: str | None) -> int | None:
    """Give the number of a version such as 3.0 as a config counts; None where none is given.

    Raises UsageError.
    """
    if text is None:
        return None
    match = _VERSION.fullmatch(text)
    if match is None:
        raise UsageError(f"--ganeti-version: expected a number such as 3.0, found {text!r}")
    return int(match[1]) * 1_000_000 + int(match[2]) * 10_000


def read_context(args: argparse.Namespace) -> Context:
    """Give the destination that the arguments describe. Raises UsageError, MapError."""
    return Context(
        domain_type=args.domain_type,
        disk_paths=args.disk_paths,
        renames=read_renames(args.map) if args.map else Renames(),
        libvirt_version=parse_libvirt_version(args.libvirt_version),
        qemu_version=getattr(args, "qemu_version", None),
        metadata=not args.no_metadata,
        untainted=args.untainted,
        stable_names=args.stable_names,
        scsi=read_scsi(args.scsi_map) if args.scsi_map else None,
    )


def take_own_scsi(args: argparse.Namespace, host: HotplugHost | HostPort) -> None:
    """Take this machine's SCSI devices where libvirt runs on it and no other map was given."""
    if args.scsi_map is None and host.is_local():
        args.scsi_map = "/"


def read_scsi(path: str) -> ScsiResolver:
    """Give the resolver of a lookup file, or of the host whose file system is at a directory."""
    if os.path.isdir(path):  # noqa: PTH112 - one stat, no object
        from virtxlate.live.sysfs import SysfsScsi  # noqa: PLC0415 - seldom used

        return SysfsScsi(Path(path))
    try:
        return parse_scsi_map(read_text(path))
    except MapError as exc:
        raise MapError(exc.message, at=f"{path}: {exc.at}" if exc.at else path) from None


def read_renames(path: str) -> Renames:
    """Give the map in a file. Raises OSError, InputError whose path starts with the file."""
    try:
        return parse_renames(read_text(path))
    except MapError as exc:
        raise MapError(exc.message, at=f"{path}: {exc.at}" if exc.at else path) from None


def read_instance(source: Source, name: str, args: argparse.Namespace, report: Report) -> Instance:
    """Give one instance by name or uuid, with what its runtime file knows better.

    Raises InputError for one that is not there, or that is not KVM's; GanetiDataError.
    """
    try:
        instance = _find(source, name, report)
    except InputError as exc:
        raise named(exc, args.source) from None
    path = runtime_path(args.runtime, instance.name)
    if path is None:
        return instance
    try:
        return with_runtime(instance, read_runtime(path.read_bytes(), report, instance.version))
    except GanetiDataError as exc:
        raise named(exc, str(path)) from None


def _find(source: Source, given: str, report: Report) -> Instance:
    if given in source.skipped:
        raise InputError(source.skipped[given], at=given)
    try:
        instance = source.instance(given, report)
    except GanetiDataError:
        if given in source.names():
            raise
        if not _UUID.fullmatch(given):
            raise InputError(f"no KVM instance {given!r} here; there {_there_are(source, given)}") from None
        name = _name_of(source, given)
        if name is None:
            raise
        instance = source.instance(name, report)
    if instance.name in source.skipped:
        raise InputError(source.skipped[instance.name], at=given)
    return instance


def _name_of(source: Source, uuid: str) -> str | None:
    """Give the name of the instance of that uuid; only a config is ordered by uuid itself."""
    for name in source.names():
        with suppress(GanetiDataError):
            if source.instance(name, Report()).uuid.lower() == uuid.lower():
                return name
    return None


def _there_are(source: Source, given: str) -> str:
    """Give the end of a sentence: which names there are, those like ``given`` first where there are many."""
    names = list(source.names())
    if not names:
        return "is none"
    alike = [name for name in names if name.startswith(f"{given}.")] or get_close_matches(given, names)
    some = alike or names
    more = ", ..." if len(some) > _SHOWN_NAMES else ""
    if len(names) == 1:
        return f"is only {names[0]}"
    return f"are {len(names)}, such as {', '.join(some[:_SHOWN_NAMES])}{more}"


def read_origins(source: Source, instance: Instance, args: argparse.Namespace) -> dict[str, str]:
    """Give where each field of an instance comes from: the layers of its source, and its runtime file."""
    origins = source.origins(instance.name)
    if runtime_path(args.runtime, instance.name) is not None:
        origins |= {f"hvparams.{name}": _RUNTIME_FILE for name in HVPARAM_NAMES}
    placed = {f"disks[{index}].hvinfo": disk.hvinfo for index, disk in enumerate(instance.disks)}
    placed |= {f"nics[{index}].hvinfo": nic.hvinfo for index, nic in enumerate(instance.nics)}
    return origins | {field: _RUNTIME_FILE for field, hvinfo in placed.items() if hvinfo is not None}


def runtime_path(given: str | None, name: str) -> Path | None:
    """Give the runtime file of an instance; in a directory, an instance that does not run has none."""
    if given is None:
        return None
    if not os.path.isdir(given):  # noqa: PTH112 - one stat, no object
        return Path(given)
    path = Path(given) / f"{name}.runtime"
    return path if path.exists() else None
