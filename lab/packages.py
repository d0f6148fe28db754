"""Debian packages as plain files: downloaded and unpacked into a directory, never installed."""

from __future__ import annotations

import tempfile
from pathlib import Path

from lab.commands import run

METAPACKAGE_DEPENDS = "  Depends: "
"""How `apt-cache depends` starts the line of a dependency."""


def newest_behind(metapackage: str) -> str:
    """Give the versioned package that a metapackage such as `linux-image-amd64` depends on first."""
    for line in run("apt-cache", "depends", "--important", metapackage).splitlines():
        if line.startswith(METAPACKAGE_DEPENDS):
            return line.removeprefix(METAPACKAGE_DEPENDS)
    raise RuntimeError(f"{metapackage}: apt knows no package behind it; run apt-get update")


def unpack(package: str, into: Path) -> None:
    """Download one Debian package and unpack its files under `into`; nothing is installed."""
    with tempfile.TemporaryDirectory(prefix="vx-deb-") as room:
        folder = Path(room)
        folder.chmod(0o755)  # apt downloads as its own user, who must be able to reach the file
        run("apt-get", "-q", "-o", "APT::Sandbox::User=root", "download", package, cwd=folder)
        (deb,) = folder.glob("*.deb")
        run("dpkg", "-x", str(deb), str(into))
