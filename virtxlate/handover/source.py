"""The QEMU that Ganeti started: a process, and a conversation with it."""

from __future__ import annotations

from typing import Any, Protocol

import msgspec


class Asked(Protocol):
    """A conversation with one QEMU through a unix socket; live.qmp.Qmp is one."""

    def __call__(self, command: str, /, **arguments: Any) -> Any:
        """Give what the command returns. Raises LiveError."""

    def lend(self, name: str, descriptor: int) -> None:
        """Give QEMU a copy of an open file under a name. Raises LiveError."""


class Running(msgspec.Struct, frozen=True, kw_only=True):
    """The old QEMU."""

    ask: Asked
