"""A VNC client that only knocks: which authentication a display wants, and whether a password opens it.

Source: RFC 6143, 7.1 and 7.2. DES comes from libnettle, which QEMU itself uses; Python has none.
"""

from __future__ import annotations

import ctypes
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

NO_AUTHENTICATION: Final = 1
VNC_AUTHENTICATION: Final = 2
_VERSION = b"RFB 003.008\n"
_CHALLENGE_BYTES = 16
_KEY_BYTES = 8
_DES_CONTEXT_BYTES = 1024
_TIMEOUT_S = 10.0


def security_types(port: int) -> tuple[int, ...]:
    """Give the authentications that the display on a port of this host offers. Raises OSError."""
    with _knock(port) as (_connection, offered):
        return offered


def opens(port: int, password: str) -> bool:
    """Tell whether the display on a port lets in who knows this password. Raises OSError, ValueError."""
    with _knock(port) as (connection, offered):
        if VNC_AUTHENTICATION not in offered:
            raise ValueError(f"expected VNC authentication, found {offered}")
        connection.sendall(bytes([VNC_AUTHENTICATION]))
        connection.sendall(_answer(_receive(connection, _CHALLENGE_BYTES), password))
        return _receive(connection, 4) == bytes(4)


@contextmanager
def _knock(port: int) -> Iterator[tuple[socket.socket, tuple[int, ...]]]:
    with socket.create_connection(("127.0.0.1", port), _TIMEOUT_S) as connection:
        if _receive(connection, len(_VERSION)) != _VERSION:
            raise ValueError("expected RFB 3.8")
        connection.sendall(_VERSION)
        (count,) = _receive(connection, 1)
        yield connection, tuple(_receive(connection, count))


def _receive(connection: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        more = connection.recv(count - len(data))
        if not more:
            raise ConnectionError("the display closed the connection")
        data += more
    return data


def _answer(challenge: bytes, password: str) -> bytes:
    """Give the challenge encrypted with the password, each byte of which VNC reads from its lowest bit."""
    key = bytes(
        int(f"{byte:08b}"[::-1], 2) for byte in password.encode().ljust(_KEY_BYTES, b"\0")[:_KEY_BYTES]
    )
    nettle = ctypes.CDLL("libnettle.so.8")
    context = ctypes.create_string_buffer(_DES_CONTEXT_BYTES)
    nettle.nettle_des_set_key(context, key)
    answer = ctypes.create_string_buffer(len(challenge))
    nettle.nettle_des_encrypt(context, ctypes.c_size_t(len(challenge)), answer, challenge)
    return answer.raw
