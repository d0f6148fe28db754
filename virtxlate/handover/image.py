"""The head of a save image: what libvirt reads before the state of a guest.

Source: libvirt 9.0.0, src/qemu/qemu_saveimage.h.
"""

from __future__ import annotations

import struct

_MAGIC = b"LibvirtQemudSave"
_VERSION = 2
_NOT_COMPRESSED = 0
_NO_COOKIE = 0
_HEADER = struct.Struct("=16s5I56x")
"""Magic, version, length of the XML with its zero byte, whether the guest ran, compression, cookie."""

HEAD_BYTES = _HEADER.size
"""Before the XML."""
LENGTH_AT = 20
"""Byte at which the length of what stands between head and state is."""


def image_header(xml: str, *, running: bool = True) -> bytes:
    """Give what stands before the state: the header, and the domain's XML; in the byte order of this host."""
    text = xml.encode() + b"\0"
    return _HEADER.pack(_MAGIC, _VERSION, len(text), int(running), _NOT_COMPRESSED, _NO_COOKIE) + text
