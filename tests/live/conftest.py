"""A libvirt host and guests for the live tests; both are real, and both end with the session."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lab.embedded import EmbeddedLibvirt, embedded_libvirt
from lab.guest import GuestFiles, build_guest
from lab.network import bridge

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def libvirt_host() -> Iterator[EmbeddedLibvirt]:
    """libvirt's QEMU driver in this process."""
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
