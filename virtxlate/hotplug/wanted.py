"""A Ganeti disk or NIC as the libvirt device that it would be, and back."""

from __future__ import annotations

from typing import Any

import msgspec

from virtxlate.domain import model as domain
from virtxlate.errors import UnsupportedError
from virtxlate.ganeti.hvinfo import HvInfo, kvm_id
from virtxlate.ganeti.model import Disk, Instance, Nic
from virtxlate.ganeti.words import DISK_DRIVERS, LINK_DIRECTORY, NIC_DRIVERS, PCI_BUS, SCSI_BUS
from virtxlate.hotplug.snapshot import Entry
from virtxlate.report import Report
from virtxlate.tables.disk import by_disk_type
from virtxlate.translate import disk as disks_of
from virtxlate.translate import hostdev as hostdevs_of
from virtxlate.translate import nic as nics_of
from virtxlate.translate.context import Context
from virtxlate.translate.placing import disk_type

_SOME_SLOT = 12


def wanted_disk(
    instance: Instance, disk: Disk, index: int, context: Context, report: Report
) -> domain.Disk | domain.Hostdev:
    """Give the libvirt disk, or SCSI host device, of a Ganeti disk; its place is not to be taken from it."""
    disks_of.check_type(instance)
    word = disk_type(instance)
    some: dict[str, Any] = {"bus": PCI_BUS, "addr": hex(_SOME_SLOT)}
    passed = hostdevs_of.is_hostdev(instance)
    if passed or by_disk_type(word).bus == "scsi":
        some = {"bus": SCSI_BUS, "channel": 0, "scsi_id": 0, "lun": 0}
    hvinfo = HvInfo(driver=DISK_DRIVERS[word], id=kvm_id("disk", disk.uuid), **some)
    link = disk.link or f"{LINK_DIRECTORY}/{instance.name}:{index}"
    placed = msgspec.structs.replace(disk, hvinfo=hvinfo, link=link)
    others = msgspec.structs.replace(instance, disks=(placed,) * (index + 1))
    if passed:
        return hostdevs_of.to_domain(others, index, context, report)
    return disks_of.to_domain(others, index, context, report)


def wanted_nic(
    instance: Instance, nic: Nic, index: int, context: Context, report: Report
) -> domain.Interface:
    """Give the libvirt interface of a Ganeti NIC; its place is not to be taken from it."""
    nics_of.check_type(instance)
    driver = NIC_DRIVERS[instance.hvparams.nic_type]
    hvinfo = HvInfo(driver=driver, id=kvm_id("nic", nic.uuid), bus=PCI_BUS, addr=hex(_SOME_SLOT))
    placed = msgspec.structs.replace(nic, hvinfo=hvinfo)
    others = (placed,) * (index + 1)
    return nics_of.to_domain(msgspec.structs.replace(instance, nics=others), index, context, report)


def ganeti_nic(entry: Entry, context: Context) -> Nic:
    """Give the Ganeti NIC of an entry. Raises UnsupportedError, GanetiDataError."""
    if isinstance(entry.kept, Nic):
        return entry.kept
    if not isinstance(entry.device, domain.Interface):
        raise UnsupportedError(_unread(entry) or "it is no interface", at=entry.at)
    return nics_of.to_ganeti(entry.device, entry.at, context, Report())


def _unread(entry: Entry) -> str:
    """Give what is to be said of a device in words of a libvirt that is not known yet."""
    if entry.device is not None:
        return ""
    return f"{entry.info.path} has words that are not known: it can be removed, but not changed"


def ganeti_disk(entry: Entry, context: Context) -> Disk:
    """Give the Ganeti disk of an entry. Raises UnsupportedError, GanetiDataError."""
    if isinstance(entry.kept, Disk):
        return entry.kept
    if isinstance(entry.device, domain.Hostdev) and hostdevs_of.is_disk(entry.device):
        return hostdevs_of.to_ganeti(entry.device, entry.at, {}, context, Report())
    if not isinstance(entry.device, domain.Disk):
        raise UnsupportedError(_unread(entry) or "it is no disk that Ganeti has a word for", at=entry.at)
    unplaced = msgspec.structs.replace(entry.device, alias=None)  # where it is does not matter here
    return disks_of.to_ganeti(unplaced, entry.at, {}, context, Report())
