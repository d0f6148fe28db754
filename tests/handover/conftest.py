"""The QEMU that was recorded, and a host on which it would run."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from tests.handover.fake_host import NIC
from tests.hardware.recorded import replayed
from virtxlate.handover.facts import running
from virtxlate.hardware.facts import Medium, Tap
from virtxlate.hardware.inspect import inspect
from virtxlate.translate.running.facts import Running


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A host with one bridge, a tap in it, and memory."""
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc" / "meminfo").write_text("MemTotal: 8000000 kB\nMemAvailable:    4000000 kB\n")
    for name in ("br0", "br1"):
        (tmp_path / "sys" / "class" / "net" / name / "bridge").mkdir(parents=True)
    return tmp_path


@pytest.fixture
def found(tmp_path: Path) -> Running:
    """The recorded QEMU, as it would run on a host with its disks."""
    facts = inspect(replayed("plugged-3.2"))
    drives = {name: _with_file(tmp_path / name, medium) for name, medium in facts.drives.items()}
    own = msgspec.structs.replace(facts, status="running", drives=drives)
    return running(own, taps={NIC: Tap(name="tap0", vnet_hdr=True, bridge="br0")}, command=("qemu",))


def _with_file(path: Path, medium: Medium | None) -> Medium | None:
    if medium is None:
        return None
    path.write_bytes(b"")
    found: Medium = msgspec.structs.replace(medium, filename=str(path))
    return found
