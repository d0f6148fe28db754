"""The live XML as nova's libvirt config classes read it: parse_str."""

from __future__ import annotations

from typing import Any

from benchmarks.live import TEXT
from benchmarks.peers.nova_module import VERSIONS, config
from benchmarks.peers.serving import serve


def parse() -> Any:
    """Give nova's object of the domain."""
    guest = config.LibvirtConfigGuest()
    guest.parse_str(TEXT)
    return guest


def show() -> str:
    """Give the alias of each disk and NIC whose address was read."""
    kinds = (config.LibvirtConfigGuestDisk, config.LibvirtConfigGuestInterface)
    found = [each for each in parse().devices if isinstance(each, kinds)]
    return " ".join(each.alias for each in found if each.device_addr is not None)


if __name__ == "__main__":
    serve({"nova": parse}, VERSIONS, {"nova": show})
