"""A libvirt host and guests for the live tests; both are real, and both end with the session.

Where libvirt's Python binding is absent nothing here is collected, so that all other tests run without it.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest

from lab.guest import GuestFiles, build_guest
from lab.network import bridge

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.embedded import EmbeddedLibvirt
    from lab.twins import Twins

collect_ignore_glob = [] if find_spec("libvirt") else ["test_*.py"]


@pytest.fixture(scope="session")
def libvirt_host() -> Iterator[EmbeddedLibvirt]:
    """libvirt's QEMU driver in this process."""
    from lab.embedded import embedded_libvirt  # noqa: PLC0415 - this file is read where libvirt is absent too

    with embedded_libvirt() as host:
        yield host


@pytest.fixture(scope="session")
def guest_files() -> GuestFiles:
    """The guest that boots fastest; virtio and IDE."""
    return build_guest("cloud")


@pytest.fixture(scope="session")
def generic_guest_files() -> GuestFiles:
    """The guest with drivers for everything that QEMU emulates."""
    return build_guest("generic")


@pytest.fixture(scope="session")
def bridge_name() -> Iterator[str]:
    """A bridge that leads nowhere."""
    with bridge() as name:
        yield name


@pytest.fixture(scope="session")
def twins(libvirt_host: EmbeddedLibvirt, bridge_name: str, guest_files: GuestFiles) -> Iterator[Twins]:
    """Where one instance starts under Ganeti and under libvirt."""
    from lab.twins import Twins  # noqa: PLC0415 - this file is read where libvirt is absent too

    # a short path: it is part of those of sockets
    with TemporaryDirectory(prefix="vxt-", dir="/tmp") as folder:
        yield Twins(host=libvirt_host, bridge=bridge_name, folder=Path(folder), kernel=guest_files.kernel)
