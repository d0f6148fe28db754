"""A copy of a Ganeti instance that the lab can boot: its devices, the tiny guest's kernel, empty disks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from lab.guest import GuestFiles
from virtxlate import Context, Renames
from virtxlate.ganeti.model import Instance
from virtxlate.ganeti.params import BeParams

MEMORY_MIB = 256
DISK_MIB = 16
STORAGE = "/srv/ganeti/file-storage"


def bootable(instance: Instance, guest: GuestFiles, **hvparams: Any) -> Instance:
    """Give the instance as it would be with Ganeti's direct kernel boot; ``hvparams`` are changed on top."""
    boot = {
        "kernel_path": str(guest.kernel),
        "initrd_path": str(guest.initrd),
        "root_path": "/dev/vda1",
        "vhost_net": False,
        **hvparams,
    }
    return msgspec.structs.replace(
        instance,
        hvparams=msgspec.structs.replace(instance.hvparams, **boot),
        beparams=BeParams(maxmem=MEMORY_MIB, minmem=MEMORY_MIB, vcpus=1),
    )


def context_for(folder: Path, bridges: dict[str, str]) -> Context:
    """Give a destination without KVM whose file storage is ``folder``, and whose bridges have other names."""
    return Context(domain_type="qemu", renames=Renames({"paths": {STORAGE: str(folder)}, "bridges": bridges}))


def make_images(instance: Instance, folder: Path, size_mib: int = DISK_MIB) -> None:
    """Make an empty image below ``folder`` for every file disk of the instance."""
    for disk in instance.disks:
        path = folder / str(disk.logical_id[1]).removeprefix(f"{STORAGE}/")
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as image:
            image.truncate(size_mib << 20)
