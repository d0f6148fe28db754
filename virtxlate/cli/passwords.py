"""From arguments and an instance to the password of its display; it goes to libvirt, and nowhere else."""

from __future__ import annotations

import argparse
import stat
from pathlib import Path

from virtxlate.errors import InputError
from virtxlate.ganeti.model import Instance
from virtxlate.translate.password import PasswordFile, parse_password, password_file

_OPTION = "--password-file"
_ANOTHER = f"{_OPTION} names another file, --lock-display sets no password"
_MOST_BYTES = 4096
"""Of a file: nobody's password is longer."""


def wanted_file(args: argparse.Namespace, instance: Instance) -> PasswordFile | None:
    """Give the file whose password the display gets, None where none is to be set.

    Raises InputError where a file was given for an instance whose display has no password.
    """
    asked = password_file(instance)
    if args.password_file is not None and asked is None:
        raise InputError("no display of this instance has a password", at=_OPTION)
    return None if args.lock_display else asked


def read_password(args: argparse.Namespace, wanted: PasswordFile) -> str:
    """Give the password in a file. Raises InputError, which names the file and never what is in it."""
    path = args.password_file or wanted.path
    at = f"{_OPTION}: {path}" if args.password_file else f"{wanted.field}: {path}"
    try:
        return parse_password(_read(Path(path), at), wanted.display, at)
    except OSError as exc:
        raise InputError(f"{exc.strerror or exc}; {_ANOTHER}", at=at) from None


def _read(path: Path, at: str) -> bytes:
    if not stat.S_ISREG(path.stat().st_mode):
        raise InputError(f"expected a file; {_ANOTHER}", at=at)
    with path.open("rb") as file:
        data = file.read(_MOST_BYTES + 1)
    if len(data) > _MOST_BYTES:
        raise InputError(f"expected a password, found more than {_MOST_BYTES} bytes", at=at)
    return data
