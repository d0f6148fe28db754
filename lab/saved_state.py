"""The state of one QEMU, loaded into another: libvirt takes it as a save image with a domain of our choice.

Source: libvirt 9.0.0, src/qemu/qemu_saveimage.h; QEMU 7.2, docs/devel/migration.rst.
"""

from __future__ import annotations

import os
import struct
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import libvirt

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lab.embedded import EmbeddedLibvirt
    from virtxlate.hardware.describe import Ask

_MAGIC = b"LibvirtQemudSave"
_VERSION = 2
_HEADER = struct.Struct("=16s5I56x")
"""Magic, version, length of the XML, whether the guest ran, compression, cookie; 14 more words."""


def saved_state(ask: Ask, folder: Path) -> bytes:
    """Give the state of a QEMU, as it would send it to another host; QEMU is stopped for good afterwards.

    ``folder`` takes a FIFO for that long. Raises LiveError where QEMU refuses.
    """
    fifo = folder / "state"
    os.mkfifo(fifo, 0o600)
    try:
        ask("migrate", uri=f"exec:cat > {fifo}")
        return fifo.read_bytes()
    finally:
        fifo.unlink()


@contextmanager
def loaded(host: EmbeddedLibvirt, xml: str, state: bytes, folder: Path) -> Iterator[Any]:
    """Give a paused domain of that XML whose QEMU has loaded the state, for the length of a `with`.

    Raises libvirt.libvirtError where QEMU finds that the state is that of another machine.
    """
    image = folder / "image"
    text = xml.encode() + b"\0"
    image.write_bytes(_HEADER.pack(_MAGIC, _VERSION, len(text), 0, 0, 0) + text + state)
    host.connection.restoreFlags(str(image), None, libvirt.VIR_DOMAIN_SAVE_PAUSED)
    (domain,) = (each for each in host.connection.listAllDomains() if each.isActive())
    try:
        yield domain
    finally:
        domain.destroy()
