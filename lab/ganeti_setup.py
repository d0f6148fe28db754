"""Ganeti's own Python code, unpacked from Debian's package beside a Python that can run it.

Nothing of Ganeti is kept in this project: the package is fetched with ``apt-get download``, unpacked with
``dpkg -x`` (it is not installed), and the libraries it imports go into a virtual environment of its own. Both
stay in one cache directory.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree, which

PACKAGE = "ganeti-3.0"
REQUIREMENTS = ("bitarray<3", "simplejson<5", "pyparsing<4", "pyOpenSSL<27", "pycurl<8")
"""What the KVM, configuration and upgrade modules of Ganeti 3.0 import. bitarray 3 changed search()."""

_COMPLETE = "complete"


class JudgeUnavailableError(RuntimeError):
    """The judge cannot be built or run here; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class Environment:
    """One unpacked Ganeti: its Debian version, the directory for PYTHONPATH, the Python to run it with."""

    version: str
    modules: Path
    python: Path


def cache_root() -> Path:
    """Return the directory of what is costly to make: ``virtxlate/lab`` in ``$XDG_CACHE_HOME``."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "virtxlate" / "lab"


def prepare_environment() -> Environment:
    """Return Ganeti ready to import; built at the first call (seconds, network), found at later ones.

    The directory's name holds the package's version and a hash of this recipe and of the Python version. To
    follow a newer package, delete the directory. Safe against a second process that builds at the same time.

    Raises JudgeUnavailableError where apt, dpkg, pip or the package is missing.
    """
    return _found() or _built()


def _found() -> Environment | None:
    for place in sorted(cache_root().glob(f"ganeti-*-{_recipe()}")):
        if (place / _COMPLETE).exists() and _python(place).exists():
            return _environment(place)
    return None


def _built() -> Environment:
    root = cache_root()
    root.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix="ganeti-build-", dir=root))
    try:
        version = _unpack(scratch)
        _install(scratch)
        (scratch / _COMPLETE).touch()
        return _environment(_settle(scratch, root / f"ganeti-{version}-{_recipe()}"))
    finally:
        rmtree(scratch, ignore_errors=True)


def _settle(scratch: Path, place: Path) -> Path:
    """Return ``place``, now holding a finished build: ours, or that of a process that was faster."""
    if not _python(place).exists():
        rmtree(place, ignore_errors=True)
    try:
        scratch.rename(place)
    except OSError:
        if not (place / _COMPLETE).exists():
            raise
    return place


def _unpack(scratch: Path) -> str:
    _run(["apt-get", "download", PACKAGE], scratch, "no package lists? try: apt-get update")
    (package,) = scratch.glob(f"{PACKAGE}_*.deb")
    _run(["dpkg", "-x", package.name, "root"], scratch)
    package.unlink()
    return package.name.split("_")[1].replace("%3a", "-")


def _install(scratch: Path) -> None:
    _run([sys.executable, "-m", "venv", "venv"], scratch, "(Debian: python3-venv)")
    _run(
        [str(_python(scratch)), "-m", "pip", "install", "--quiet", "--prefer-binary", *REQUIREMENTS], scratch
    )


def _environment(place: Path) -> Environment:
    marker = next(place.glob("root/usr/share/ganeti/*/ganeti/hypervisor"), None)
    if marker is None:
        raise JudgeUnavailableError(f"{place} holds no ganeti/hypervisor: the package is laid out anew")
    version = re.sub(rf"^ganeti-(.+)-{_recipe()}$", r"\1", place.name)
    return Environment(version, marker.parent.parent, _python(place))


def _python(place: Path) -> Path:
    return place / "venv" / "bin" / "python"


def _recipe() -> str:
    text = repr((PACKAGE, REQUIREMENTS, sys.version_info[:2]))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _run(command: list[str], directory: Path, hint: str = "") -> None:
    if not which(command[0]):
        raise JudgeUnavailableError(f"{command[0]} is not installed")
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)
    if done.returncode:
        raise JudgeUnavailableError(f"{' '.join(command)}: {done.stderr.strip()} {hint}".rstrip())
