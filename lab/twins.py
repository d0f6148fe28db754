"""One instance twice: in the QEMU that Ganeti itself starts, and in libvirt's, started from our XML.

Neither runs a guest: both stay paused, and each is asked for its machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from lab.bootable import DISK_MIB, STORAGE, context_for, make_images
from lab.ganeti_qemu import ganeti_qemu
from lab.machines import ask_through_libvirt, paused_domain
from lab.newer_ganeti import command_of
from lab.saved_state import loaded, saved_state
from virtxlate import Report, format_domain, to_domain
from virtxlate.ganeti.model import Disk, Instance, Nic
from virtxlate.ganeti.params import BeParams, HvParams, builtin_hvparams

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lab.embedded import EmbeddedLibvirt
    from virtxlate.hardware.describe import Ask

NAME = "inst1.example.com"
VERSION = 3_000_000
"""Of Ganeti: what the judge is."""
IMAGES = {"cdrom1.iso": 1 << 20, "cdrom2.iso": 1 << 20, "floppy.img": 1_474_560}
"""Empty images besides those of the disks, and their sizes; hvparams name them below STORAGE."""
KERNEL = f"{STORAGE}/vmlinuz"
Seen = TypeVar("Seen")
_BRIDGE = "br0"
_USUAL: Mapping[str, Any] = {
    "kernel_path": "",
    "machine_version": "pc-i440fx-7.2",
    "kvm_path": "/usr/bin/qemu-system-x86_64",
}


def instance_of(
    hvparams: Mapping[str, Any], *, disks: int = 1, nics: int = 1, version: int = VERSION, **beparams: int
) -> Instance:
    """Give an instance as a Ganeti fills it: small, with disks in files, and ``hvparams`` on top."""
    memory = {"maxmem": 128, "minmem": 128, "vcpus": 1}
    return Instance(
        name=NAME,
        uuid="11111111-2222-4333-8444-555555555555",
        version=version,
        network_port=11000,
        disk_template="file" if disks else "diskless",
        disks=tuple(
            Disk(
                uuid=f"0000000{at}-d15c-4000-8000-000000000000",
                template="file",
                size_mib=DISK_MIB,
                logical_id=("loop", f"{STORAGE}/{NAME}/disk{at}"),
            )
            for at in range(disks)
        ),
        nics=tuple(
            Nic(
                uuid=f"0000000{at}-0000-4000-8000-000000000000",
                mac=f"aa:00:00:00:00:0{at}",
                mode="bridged",
                link=_BRIDGE,
            )
            for at in range(nics)
        ),
        hvparams=msgspec.convert({**builtin_hvparams(version), **_USUAL, **hvparams}, HvParams),
        beparams=msgspec.convert({**memory, **beparams}, BeParams),
    )


@dataclass(frozen=True, kw_only=True)
class Twins:
    """Where both QEMUs run: a libvirt host, a bridge of it, a directory with a short path, and a kernel."""

    host: EmbeddedLibvirt
    bridge: str
    folder: Path
    kernel: Path
    """What an instance with a kernel_path boots; KERNEL names it below STORAGE."""

    def request(self, instance: Instance) -> dict[str, Any]:
        """Give the instance as the judge takes it; its images are made."""
        self._make_images(instance)
        hvparams = {
            name: self._here(value)
            for name, value in msgspec.structs.asdict(instance.hvparams).items()
            if name in builtin_hvparams(VERSION)
        }
        return {
            "name": instance.name,
            "uuid": instance.uuid,
            "network_port": instance.network_port,
            "hvparams": hvparams,
            "beparams": msgspec.structs.asdict(instance.beparams),
            "disks": [self._disk(disk, at) for at, disk in enumerate(instance.disks)],
            "nics": [
                {
                    "mac": nic.mac,
                    "uuid": nic.uuid,
                    "nicparams": {"mode": nic.mode, "link": nic.link, "vlan": ""},
                }
                for nic in instance.nics
            ],
        }

    def newer_command(self, instance: Instance) -> tuple[str, ...]:
        """Give the command of Ganeti 3.2 for the instance; its images are made."""
        self._make_images(instance)
        return tuple(self._here(word) for word in command_of(instance))

    def _make_images(self, instance: Instance) -> None:
        make_images(instance, self.folder)
        for name, size in IMAGES.items():
            with (self.folder / name).open("wb") as image:
                image.truncate(size)
        link = Path(self._here(KERNEL))
        link.unlink(missing_ok=True)
        link.symlink_to(self.kernel)

    def _here(self, value: Any) -> Any:
        return value.replace(STORAGE, str(self.folder)) if isinstance(value, str) else value

    def _disk(self, disk: Disk, index: int) -> dict[str, Any]:
        own = {
            "dev_type": disk.template,
            "logical_id": list(disk.logical_id),
            "iv_name": f"disk/{index}",
            "size": disk.size_mib,
            "uuid": disk.uuid,
        }
        return {"disk": own, "link": self._here(disk.logical_id[1])}

    def of_ganeti(self, instance: Instance, command: tuple[str, ...], look: Callable[[Ask], Seen]) -> Seen:
        """Give what ``look`` sees in the QEMU of Ganeti's command. Raises QemuRefusedError."""
        with ganeti_qemu(command, self.folder, vnet_hdr=instance.hvparams.vnet_hdr) as ask:
            return look(ask)

    def state_of_ganeti(self, instance: Instance, command: tuple[str, ...]) -> bytes:
        """Give the state of Ganeti's QEMU, for another one to load. Raises QemuRefusedError."""
        return self.of_ganeti(instance, command, lambda ask: saved_state(ask, self.folder))

    def xml(self, instance: Instance, report: Report) -> str:
        """Give the domain of an instance, with images and bridge of here."""
        context = context_for(self.folder, {_BRIDGE: self.bridge})
        return format_domain(to_domain(self._with_own_images(instance), context, report))

    def here(self, instance: Instance) -> Instance:
        """Give the instance with images and disks of here."""
        disks = tuple(
            msgspec.structs.replace(disk, logical_id=tuple(map(self._here, disk.logical_id)))
            for disk in instance.disks
        )
        return msgspec.structs.replace(self._with_own_images(instance), disks=disks)

    def _with_own_images(self, instance: Instance) -> Instance:
        own = {
            name: self._here(value)
            for name, value in msgspec.structs.asdict(instance.hvparams).items()
            if isinstance(value, str)
        }
        hvparams = msgspec.structs.replace(instance.hvparams, **own)
        return msgspec.structs.replace(instance, hvparams=hvparams)

    def of_libvirt(self, xml: str, look: Callable[[Ask], Seen], state: bytes | None = None) -> Seen:
        """Give what ``look`` sees in libvirt's QEMU, which has loaded a state, if given.

        Raises libvirt.libvirtError.
        """
        started = (
            paused_domain(self.host, xml) if state is None else loaded(self.host, xml, state, self.folder)
        )
        with started as domain:
            return look(ask_through_libvirt(domain))
