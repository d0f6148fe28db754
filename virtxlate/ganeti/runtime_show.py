"""What a runtime file of any historic form says, for a reader: one record a device."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import msgspec

from virtxlate.ganeti.runtime import read_runtime
from virtxlate.ganeti.runtime_tree import RuntimeTree, form_of, format_tree
from virtxlate.ganeti.uri import conceal
from virtxlate.report import Report


class ShownDevice(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One NIC or disk; a file that places nothing leaves id, driver and bus out."""

    uuid: str = ""
    name: str | None = None
    id: str | None = None
    driver: str | None = None
    bus: str | None = None
    addr: str | None = None
    channel: int | None = None
    scsi_id: int | None = msgspec.field(default=None, name="scsi-id")
    lun: int | None = None
    mac: str | None = None
    template: str | None = None
    size_mib: int | None = None
    link: str | None = None
    uri: str | None = None

    @property
    def place(self) -> str | None:
        """``0xc`` on PCI, ``0:3:0`` (channel, scsi-id, lun) on SCSI."""
        return self.addr if self.scsi_id is None else f"{self.channel}:{self.scsi_id}:{self.lun}"


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """A runtime file; ``memory`` is in MiB, ``drives`` are the disks of a file up to 2.9."""

    form: str
    name: str
    uuid: str | None
    machine: str | None
    memory: int | None
    vcpus: int | None
    nics: tuple[ShownDevice, ...]
    disks: tuple[ShownDevice, ...]
    drives: tuple[str, ...]


def show(tree: RuntimeTree) -> Shown:
    """Give what a file says. Raises GanetiDataError for a device that cannot be read."""
    runtime = read_runtime(format_tree(tree), Report())
    machine = runtime.option("-machine") or runtime.option("-M")
    return Shown(
        form=form_of(tree),
        name=str(runtime.option("-name")).partition(",")[0],
        uuid=runtime.option("-uuid"),
        machine=None if machine is None else machine.partition(",")[0],
        memory=_number(runtime.option("-m")),
        vcpus=_number(runtime.option("-smp")),
        nics=tuple(_shown(nic, mac=nic.mac) for nic in runtime.nics),
        disks=tuple(
            _shown(disk, template=disk.template, size_mib=disk.size_mib, link=disk.link, uri=disk.uri)
            for disk in runtime.disks
        ),
        drives=_drives(tree),
    )


def _number(text: str | None) -> int | None:
    """Give the leading number of an option's value, None where there is none."""
    first = (text or "").partition(",")[0]
    return int(first) if first.isdecimal() and first.isascii() else None


def _shown(device: Any, **more: Any) -> ShownDevice:
    place = {} if device.hvinfo is None else msgspec.structs.asdict(device.hvinfo)
    return ShownDevice(uuid=device.uuid, name=device.name, **place, **more)


def _drives(tree: RuntimeTree) -> tuple[str, ...]:
    if tree.disks is not None:
        return ()
    words = [str(word) for word in tree.command]
    pairs = pairwise(words)
    return tuple(conceal(value) for word, value in pairs if word == "-drive" and "media=cdrom" not in value)
