"""What QEMU has for the firmware: the files of fw_cfg, read as the firmware reads them, through its ports.

Only for a QEMU whose guest has not run yet: the guest's own firmware uses the same ports.
Source: QEMU 7.2, docs/specs/fw_cfg.rst.
"""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from virtxlate.hardware.describe import Ask

_SELECTOR, _DATA = 0x510, 0x511
_DIRECTORY = 0x19
_COUNT = struct.Struct(">I")
_ENTRY = struct.Struct(">IHH56s")
"""Size, selector, reserved, name."""
_ANSWER = re.compile(r"portb\[0x[0-9a-f]+\] = 0x([0-9a-f]+)", re.ASCII)


def firmware_files(ask: Ask, most_bytes: int) -> dict[str, tuple[int, bytes]]:
    """Give size and the first bytes of every file of fw_cfg, by name."""
    found = {}
    for size, selector, name in _directory(ask):
        found[name] = size, _read(ask, selector, min(size, most_bytes))
    return found


def _directory(ask: Ask) -> list[tuple[int, int, str]]:
    (count,) = _COUNT.unpack(_read(ask, _DIRECTORY, _COUNT.size))
    text = _read(ask, _DIRECTORY, _COUNT.size + count * _ENTRY.size)[_COUNT.size :]
    return [
        (size, selector, name.rstrip(b"\0").decode())
        for size, selector, _reserved, name in _ENTRY.iter_unpack(text)
    ]


def _read(ask: Ask, selector: int, count: int) -> bytes:
    _monitor(ask, f"o/h {_SELECTOR:#x} {selector:#x}")
    return bytes(_byte(_monitor(ask, f"i/b {_DATA:#x}")) for _ in range(count))


def _byte(answer: str) -> int:
    match = _ANSWER.search(answer)
    if match is None:
        raise ValueError(f"expected the value of a port, found {answer!r}")
    return int(match[1], 16)


def _monitor(ask: Ask, line: str) -> str:
    return str(ask("human-monitor-command", **{"command-line": line}))
