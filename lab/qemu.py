"""What a QEMU that libvirt started was told, from its own command line."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any


def process_id(root: Path, name: str) -> int:
    """Give the number of the QEMU process of domain ``name``; ``root`` is the directory of its libvirt."""
    (pid_file,) = root.glob(f"run/**/{name}.pid")
    return int(pid_file.read_text(encoding="ascii"))


def command_line(root: Path, name: str) -> list[str]:
    """Give the words of the QEMU of domain ``name``; ``root`` is the directory of its libvirt."""
    return Path(f"/proc/{process_id(root, name)}/cmdline").read_bytes().decode().split("\0")


def device_options(words: list[str]) -> list[dict[str, Any]]:
    """Give the -device options, in order; libvirt writes each as JSON; what it only passes on is left out.

    ``[{"driver": "virtio-blk-pci", "id": "virtio-disk0", "bus": "pci.0", "addr": "0xc"}, ...]``
    """
    told = (value for option, value in itertools.pairwise(words) if option == "-device")
    return [json.loads(value) for value in told if value.startswith("{")]
