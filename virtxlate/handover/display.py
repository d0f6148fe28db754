"""The old QEMU's VNC makes room for the new one's, and comes back.

Source: QEMU 7.2, qapi/ui.json: display-update.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from virtxlate.handover.room import VNC_MOVES_SINCE
from virtxlate.hardware.describe import Ask


def displays_of(ask: Ask) -> tuple[dict[str, Any], ...]:
    """Give the addresses at which VNC listens, as display-update takes them; () where nothing moves it."""
    version = ask("query-version")["qemu"]
    if (version["major"], version["minor"], version["micro"]) < VNC_MOVES_SINCE:
        return ()
    return tuple(
        _address(each)
        for server in ask("query-vnc-servers")
        for each in server["server"]
        if not each.get("websocket")
    )


def _address(told: dict[str, Any]) -> dict[str, Any]:
    if told["family"] == "unix":
        return {"type": "unix", "path": told["service"]}
    return {"type": "inet", "host": told["host"], "port": told["service"]}


def move_displays(ask: Ask) -> None:
    """Let VNC listen nowhere: any other address would be open to more, or others. Raises LiveError."""
    ask("display-update", type="vnc", addresses=[])


def put_back(ask: Ask, addresses: Iterable[dict[str, Any]]) -> None:
    """Let VNC listen where it did. Raises LiveError."""
    ask("display-update", type="vnc", addresses=list(addresses))
