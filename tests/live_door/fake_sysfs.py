"""A host's /sys and /dev in a folder, with links as Linux and udev make them."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

SYS_DEVICES = "sys/devices/pci0000:00/0000:00:1f.2"


class FakeHost:
    """The folder that stands for /; nothing in it is a device, for only names and links are read."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for folder in ("sys/class/block", "sys/class/scsi_generic", "sys/bus/scsi/devices", "dev"):
            (root / folder).mkdir(parents=True)

    def scsi(
        self, address: str, nodes: dict[str, Iterable[str]], links: dict[str, str] | None = None
    ) -> None:
        """Add a device with the nodes of each class, and links of udev below /dev to some of them."""
        host, bus, target, _unit = address.split(":")
        home = self.root / SYS_DEVICES / f"host{host}" / f"target{host}:{bus}:{target}" / address
        home.mkdir(parents=True)
        self.link(f"sys/bus/scsi/devices/{address}", home)
        self.link(f"sys/bus/scsi/devices/target{host}:{bus}:{target}", home.parent)
        for kind, names in nodes.items():
            for name in names:
                (home / kind / name).mkdir(parents=True)
                # Not ../.. alone: the kernel goes up one more and names the device.
                (home / kind / name / "device").symlink_to(f"../../../{address}")
                self.link(f"sys/class/{kind}/{name}", home / kind / name)
        self.udev(links or {})

    def block(self, name: str, *, uuid: str = "", links: dict[str, str] | None = None) -> None:
        """Add a block device that is not SCSI; with a uuid, the device mapper's."""
        home = self.root / "sys/devices/virtual/block" / name
        home.mkdir(parents=True)
        if uuid:
            (home / "dm").mkdir()
            (home / "dm" / "uuid").write_text(f"{uuid}\n")
        self.link(f"sys/class/block/{name}", home)
        self.udev(links or {})

    def udev(self, links: dict[str, str]) -> None:
        """Add links below /dev to nodes there, relative as udev's are."""
        for link, node in links.items():
            self.link(f"dev/{link}", self.root / "dev" / node)

    def link(self, path: str, target: Path) -> None:
        """Add a relative link."""
        at = self.root / path
        at.parent.mkdir(parents=True, exist_ok=True)
        at.symlink_to(os.path.relpath(target, at.parent))
