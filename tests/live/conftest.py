"""A libvirt host and guests for the live tests; both are real, and both end with the session.

Where libvirt's Python binding is absent nothing here is collected, so that all other tests run without it.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest

from lab.guest import GuestFiles, build_guest
from lab.network import bridge

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.embedded import EmbeddedLibvirt

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
