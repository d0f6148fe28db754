"""The command line of Ganeti 3.2, in which QEMU is asked for other things than by 3.0.

No package has that Ganeti yet, so this is a reading of its code and not that code: the part that a runtime
file keeps is made by `virtxlate.ganeti.command`, and the disks and NICs behind it here, with places that
are chosen here. The machine is a pc as 3.2 alpha starts it, or a q35 as the code after it does.
Source: Ganeti (c35736d8a and f4cb0f63f), lib/hypervisor/hv_kvm/__init__.py, bus_manager.py, kvm_utils.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from virtxlate import Report
from virtxlate.ganeti.command import build_command

if TYPE_CHECKING:
    from collections.abc import Iterator

    from virtxlate.ganeti.model import Disk, Instance

VERSION = 3_020_000
_SCSI = frozenset({"scsi-hd", "scsi-cd", "scsi-block", "scsi-generic"})
_LAST_SLOT = 31
_Q35_DISKS, _Q35_NICS = (11, 26), (3, 10)
"""First and last root port, by the slot in its name."""
_CACHES = {
    "none": ("on", "on"),
    "default": ("on", "off"),
    "writeback": ("on", "off"),
    "writethrough": ("off", "off"),
}
"""write-cache of the device, and cache.direct of its node."""
_SHARED = frozenset({"blockdev", "ext", "sharedfile", "gluster"})
"""Templates that are never cached."""
_KNOWN_HERE = frozenset({"[0] -no-acpi"})
"""What only the version of QEMU tells, and is right for the one of the lab."""


def command_of(instance: Instance) -> tuple[str, ...]:
    """Give the words with which Ganeti 3.2 starts QEMU for an instance with disks in files.

    A NIC's tap is descriptor 9, which is for whoever starts it to replace. Raises ValueError where a part
    of the command is not known.
    """
    report = Report()
    fixed = build_command(instance, report, VERSION)
    unknown = [str(loss) for loss in report.losses if loss.path not in _KNOWN_HERE]
    if unknown:
        raise ValueError(f"not known: {'; '.join(unknown)}")
    return (*map(str, fixed), *_nics(instance), *_disks(instance), "-S")


def _is_q35(instance: Instance) -> bool:
    return "q35" in instance.hvparams.machine_version


def _boots(instance: Instance, word: str, index: int) -> str:
    hvparams = instance.hvparams
    first = not index and not hvparams.kernel_path and hvparams.boot_order == word
    return ",bootindex=1" if first else ""


def _kvm_id(kind: str, uuid: str) -> str:
    return f"{kind}-{uuid.rsplit('-', 2)[0]}"


def _nics(instance: Instance) -> Iterator[str]:
    if not instance.nics:
        yield from ("-net", "none")
    word = instance.hvparams.nic_type
    driver = "virtio-net-pci" if word == "paravirtual" else word
    before = 0 if instance.hvparams.disk_type in _SCSI else len(instance.disks)
    for index, nic in enumerate(instance.nics):
        name = _kvm_id("nic", nic.uuid)
        if _is_q35(instance):
            place = f"bus=rp{_Q35_NICS[0] + index},addr=0x0,acpi-index={index + 1}"
        else:
            place = f"bus=pci.0,addr={instance.hvparams.kvm_pci_reservations + before + index:#x}"
        yield from ("-netdev", f"type=tap,id={name},fd=9")
        boots = _boots(instance, "network", index)
        yield from ("-device", f"{driver},id={name},{place},netdev={name},mac={nic.mac}{boots}")


def _disks(instance: Instance) -> Iterator[str]:
    hvparams = instance.hvparams
    for index, disk in enumerate(instance.disks):
        name = _kvm_id("disk", disk.uuid)
        write_cache, direct = _CACHES["none" if disk.template in _SHARED else hvparams.disk_cache]
        feeds = f"drive={name},write-cache={write_cache}{_boots(instance, 'disk', index)}"
        yield from ("-device", f"{_disk_device(instance, name, index)},{feeds}")
        yield from ("-blockdev", _node(disk, name, hvparams.disk_discard, direct, hvparams.disk_aio))


def _disk_device(instance: Instance, name: str, index: int) -> str:
    """Give driver, name and place; an IDE disk has no name, and QEMU finds it a place."""
    word = instance.hvparams.disk_type
    if word == "ide":
        return "ide-hd"
    if word in _SCSI:
        return f"{word},id={name},bus=scsi.0,channel=0,scsi-id={index},lun=0"
    if _is_q35(instance):
        return f"virtio-blk-pci,id={name},bus=rp{_Q35_DISKS[0] + index},addr=0x0"
    slot = instance.hvparams.kvm_pci_reservations + index
    return f"virtio-blk-pci,id={name},bus=pci.0,addr={slot:#x}"


def _node(disk: Disk, name: str, discard: str, direct: str, aio: str) -> str:
    own = f"driver=raw,node-name={name},discard={discard},cache.direct={direct},cache.no-flush=off"
    return f"{own},file.driver=file,file.filename={disk.logical_id[1]},file.aio={aio},auto-read-only=off"
