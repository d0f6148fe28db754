"""The lab's own connection as virtxlate has it: libvirt's embedded driver takes one listener on each."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from virtxlate.live.connection import LibvirtHost

if TYPE_CHECKING:
    from lab.embedded import EmbeddedLibvirt


@functools.cache
def shared_host(host: EmbeddedLibvirt) -> LibvirtHost:
    """Give the one; libvirt takes some twenty embedded connections in the life of a process, too."""
    return LibvirtHost(host.connection)
