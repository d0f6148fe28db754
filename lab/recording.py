"""What a QEMU answers, written down, so that tests can ask it again where no QEMU runs.

``python -m lab.recording`` writes fixtures/qmp anew: real QEMUs, paused, with Ganeti's command lines.
"""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from lab.ganeti_judge import prepare
from lab.ganeti_qemu import ganeti_qemu
from lab.hardware_cases import CDROM1, CDROM2, FLOPPY
from lab.newer import newer_start
from lab.twins import Twins, instance_of
from virtxlate.errors import LiveError
from virtxlate.hardware.inspect import inspect

if TYPE_CHECKING:
    from virtxlate.hardware.describe import Ask

FIXTURES = Path(__file__).parents[1] / "fixtures" / "qmp"
_HERE = "/srv/ganeti/file-storage"
"""Stands for the directory of the recording."""
_OLD: dict[str, Any] = {
    "disk_type": "scsi-hd",
    "scsi_controller_type": "megasas",
    "cdrom_image_path": CDROM1,
    "cdrom_disk_type": "ide",
    "floppy_image_path": FLOPPY,
    "vnc_bind_address": "127.0.0.1",
    "use_guest_agent": True,
    "soundhw": "hda",
    "cpu_type": "Nehalem,+pcid,-sse4.2",
    "usb_devices": "keyboard",
    "kvm_extra": "-device virtio-rng-pci",
    "use_localtime": True,
    "reboot_behavior": "exit",
}
_NEW: dict[str, Any] = {"spice_bind": "127.0.0.1", "disk_cache": "none"}
_PLUGGED = "disk-0000000f-d15c-4000"


def recorded(ask: Ask, rows: list[list[Any]]) -> Ask:
    """Give a way to the same QEMU that notes each question and its answer in ``rows``."""

    def noting(command: str, /, **arguments: Any) -> Any:
        try:
            answer = ask(command, **arguments)
        except LiveError as exc:
            rows.append([command, arguments, None, exc.message])
            raise
        rows.append([command, arguments, answer])
        return answer

    return noting


def change_media(ask: Ask, folder: Path) -> None:
    """Put another disc in, take the floppy out, and plug a disk in, as it happens while a guest runs."""
    ask("blockdev-change-medium", device="ide0-cd0", filename=str(folder / "cdrom2.iso"), format="raw")
    ask("eject", device="floppy0", force=True)


def plug_disk(ask: Ask, folder: Path, name: str) -> None:
    """Plug a disk in as Ganeti does it."""
    with (folder / "plugged").open("wb") as image:
        image.truncate(32 << 20)
    ask(
        "blockdev-add",
        **{"driver": "raw", "node-name": name, "file": {"driver": "file", "filename": str(image.name)}},
    )
    ask("device_add", driver="virtio-blk-pci", id=name, bus="pci.0", addr="0x1e", drive=name)


def _write(name: str, rows: list[list[Any]], folder: Path) -> None:
    lines = (json.dumps(row, sort_keys=True).replace(str(folder), _HERE) for row in rows)
    (FIXTURES / f"{name}.jsonl").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def main() -> None:
    """Record a QEMU of Ganeti 3.0 whose media were changed, and one of the shape of 3.2 with a new disk."""
    FIXTURES.mkdir(exist_ok=True)
    with TemporaryDirectory(prefix="vxt-", dir="/tmp") as path:
        folder = Path(path)
        twins = Twins(host=None, bridge="br0", folder=folder, kernel=Path("/dev/null"))  # type: ignore[arg-type]
        old = instance_of({**_OLD, "cdrom2_image_path": CDROM2}, disks=2, nics=2, vcpus=2)
        (verdict,) = prepare().run([twins.request(old)])
        with ganeti_qemu(verdict.cmd, folder) as ask:
            change_media(ask, folder)
            rows: list[list[Any]] = []
            inspect(recorded(ask, rows))
        _write("scsi-3.0", rows, folder)
        runtime = str(verdict.runtime).replace(path, _HERE)
        (FIXTURES / "scsi-3.0.runtime").write_text(runtime, encoding="utf-8")
        new = instance_of(_NEW, version=3_020_000)
        twins.request(new)
        with ganeti_qemu(newer_start(twins.here(new)).cmd, folder) as ask:
            plug_disk(ask, folder, _PLUGGED)
            rows = []
            inspect(recorded(ask, rows))
        _write("plugged-3.2", rows, folder)


if __name__ == "__main__":
    main()
