"""Throw-away rooms for peers: their files in a cache directory, on no path but that of their own process."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

from lab.cache import publish
from lab.commands import run
from lab.packages import unpack

NOVA = "nova==34.0.0"
VIRTINST_PACKAGES = ("virtinst", "python3-libxml2", "python3-libvirt")
DEBIAN_PYTHON = "/usr/bin/python3"
"""Debian builds the bindings that virtinst needs for this interpreter alone."""


class MissingError(Exception):
    """A peer that cannot be had here; the text is the reason."""


def nova_path() -> list[Path]:
    """Give what goes on the module path of a process that uses nova. Raises MissingError."""
    return [_room(NOVA.replace("==", "-"), _fill_nova)]


def virtinst_path() -> list[Path]:
    """Give what goes on the module path of a Debian Python that uses virtinst. Raises MissingError."""
    if not Path(DEBIAN_PYTHON).exists():
        raise MissingError(f"{DEBIAN_PYTHON} is not there")
    room = _room("virtinst", _fill_virtinst)
    return [room / "usr/share/virt-manager", room / "usr/lib/python3/dist-packages"]


def _fill_nova(room: Path) -> None:
    """Unpack nova without what it depends on: lxml is shared with virtxlate, the rest is not needed."""
    pip = (sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    run(*pip, "--no-deps", "--only-binary", ":all:", "--target", str(room), NOVA)


def _fill_virtinst(room: Path) -> None:
    for package in VIRTINST_PACKAGES:
        unpack(package, room)


def _room(name: str, fill: Callable[[Path], None]) -> Path:
    """Give the directory that ``fill`` has filled, now or in an earlier run. Raises MissingError."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    target = Path(base) / "virtxlate" / "bench" / name
    if target.exists():
        return target
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        return publish(target, fill)
    except (RuntimeError, OSError) as exc:
        said = str(exc).strip().splitlines()
        raise MissingError(said[-1] if said else type(exc).__name__) from None
