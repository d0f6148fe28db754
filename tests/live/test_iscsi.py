"""The iSCSI target of the lab: two at once, and none after the process that started it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from lab.commands import run
from lab.embedded import ROOT_PREFIX, ROOTS
from lab.iscsi import Lun, iscsi_target
from lab.leftovers import sweep

pytestmark = pytest.mark.live


def first_word(uri: str) -> str:
    """Give the first line that QEMU's own tool prints of what it read there."""
    return run("qemu-io", "-r", "-f", "raw", "-c", "read -v 0 16", uri).splitlines()[0]


def test_each_lun_is_read_through_its_uri_even_beside_another_target() -> None:
    one, other = Lun(serial="ONE"), Lun(serial="OTHER")
    with iscsi_target(one) as first, iscsi_target(one, other) as second:
        first.image_of(one).write_bytes(b"firsttarget00000".ljust(one.size_bytes, b"\0"))
        second.image_of(other).write_bytes(b"secondtarget0000".ljust(other.size_bytes, b"\0"))
        read = {
            first_word(first.uri_of(one)).split("  ")[-1],
            first_word(second.uri_of(other)).split("  ")[-1],
        }
    assert read == {"firsttarget00000", "secondtarget0000"}


def test_a_target_refuses_who_is_not_admitted() -> None:
    lun = Lun(serial="MINE")
    with (
        iscsi_target(lun, initiator="iqn.2026-11.lab.virtxlate:me") as target,
        pytest.raises(RuntimeError, match="Failed to connect to LUN"),
    ):
        first_word(target.uri_of(lun))


KILLED_LAB = """
import os
from lab.iscsi import Lun, iscsi_target
with iscsi_target(Lun(serial="LEFT")) as target:
    print(target.control, target.port, flush=True)
    os.kill(os.getpid(), 9)
"""


def test_a_target_ends_with_the_process_that_started_it() -> None:
    killed = subprocess.run(
        [sys.executable, "-c", KILLED_LAB], stdout=subprocess.PIPE, text=True, check=False
    )
    folder, port = killed.stdout.split()
    with pytest.raises(RuntimeError, match="Failed to connect to LUN"):
        first_word(f"iscsi://127.0.0.1:{port}/iqn.2026-11.lab.virtxlate:luns/1")
    sweep(ROOTS, ROOT_PREFIX)
    assert not Path(folder).exists()
