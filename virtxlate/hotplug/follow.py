"""What Ganeti has of a domain after a change: the metadata's instance, at the live XML's places."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

import msgspec
from lxml import etree

from virtxlate.domain.live import LiveDomain
from virtxlate.domain.words import USER_ALIAS_PREFIX
from virtxlate.errors import GanetiDataError
from virtxlate.ganeti.hvinfo import HvInfo, kvm_id
from virtxlate.ganeti.model import Disk, Instance, Nic, template_of
from virtxlate.scsi import Asked, ScsiDevice, agreed, host_number
from virtxlate.translate import metadata
from virtxlate.translate.context import Context
from virtxlate.translate.dialect import ganeti_scsi_bus
from virtxlate.translate.hvinfo import DeviceInfo, derive
from virtxlate.translate.runtime import ganeti_hvinfo

D = TypeVar("D", Disk, Nic)
Change = Callable[[Instance, LiveDomain], Instance]
"""Gives Ganeti's instance after a change; the document is that after it."""


def followed(live: LiveDomain, change: Change, context: Context) -> str | None:
    """Give the new text of a document's metadata; None where it has none, or none of ours.

    Raises GanetiDataError for a change that the instance cannot take.
    """
    if live.metadata is None:
        return None
    try:
        payload = metadata.from_text(live.metadata)
    except GanetiDataError:
        return None
    stable_names = payload.stable_names is True or context.stable_names
    known = msgspec.structs.replace(
        context,
        disk_paths=payload.disk_paths,
        stable_names=stable_names,
        untainted=payload.untainted is True,
    )
    asked = context.scsi.known if isinstance(context.scsi, Asked) else ()
    devices = agreed(_opened(live, (*(payload.scsi or ()), *asked)))
    return metadata.to_text(change(payload.instance, live), known, devices)


def _opened(live: LiveDomain, devices: Iterable[ScsiDevice]) -> Iterator[ScsiDevice]:
    """Give the devices that a document opens: what was known of others may be true no more."""
    sources = [device.part("source") for device in live.devices]
    names = {source.get("dev") for source in sources} | set(map(_passed, sources))
    for each in devices:
        if names.intersection((*each.paths, str(each.address))):
            yield each


def _passed(source: etree._Element) -> str | None:
    """Give the address of the device that a SCSI host device passes through."""
    adapter, address = source.find("adapter"), source.find("address")
    if adapter is None or address is None:
        return None
    host = host_number(adapter.get("name", ""))
    return ":".join((str(host), *(address.get(name, "") for name in ("bus", "target", "unit"))))


def with_device(kind: str, device: Any, *, at: int | None = None) -> Change:
    """Give the change that puts a disk or NIC into the instance, or in the place of the one of its uuid."""
    word = _WORDS[kind]

    def change(instance: Instance, live: LiveDomain) -> Instance:
        known = getattr(instance, word)
        placed = msgspec.structs.replace(device, hvinfo=place_of(live, device.hvinfo, kind, device.uuid))
        for index, other in enumerate(known):
            if other.uuid and other.uuid == device.uuid:
                return _with(instance, word, (*known[:index], placed, *known[index + 1 :]))
        index = len(known) if at is None else at
        return _with(instance, word, (*known[:index], placed, *known[index:]))

    return change


def without_device(kind: str, uuid: str | None) -> Change:
    """Give the change that takes the disk or NIC of that uuid out of the instance."""
    word = _WORDS[kind]

    def change(instance: Instance, _live: LiveDomain) -> Instance:
        known = getattr(instance, word)
        return _with(instance, word, tuple(each for each in known if not uuid or each.uuid != uuid))

    return change


def becoming(instance: Instance) -> Change:
    """Give the change that makes Ganeti's devices those of ``instance``, at their places in the document."""

    def change(kept: Instance, live: LiveDomain) -> Instance:
        placed = at_their_places(instance, live)
        return msgspec.structs.replace(
            kept, disks=placed.disks, nics=placed.nics, disk_template=placed.disk_template
        )

    return change


def at_their_places(instance: Instance, live: LiveDomain) -> Instance:
    """Give an instance whose devices are where a document has them; those that it has not, as they are."""

    def placed(kind: str, each: Any) -> Any:
        return msgspec.structs.replace(each, hvinfo=place_of(live, each.hvinfo, kind, each.uuid))

    return msgspec.structs.replace(
        instance,
        disks=tuple(placed("disk", each) for each in instance.disks),
        nics=tuple(placed("nic", each) for each in instance.nics),
    )


_WORDS = {"disk": "disks", "nic": "nics"}


def _with(instance: Instance, word: str, devices: tuple[Any, ...]) -> Instance:
    changed = msgspec.structs.replace(instance, **{word: devices})
    if word == "disks":
        changed = msgspec.structs.replace(changed, disk_template=template_of(changed.disks))
    return changed


def place_of(live: LiveDomain, before: HvInfo | None, kind: str, uuid: str) -> HvInfo | None:
    """Give where the document has Ganeti's device, in Ganeti's dialect; ``before`` where it does not tell."""
    info = info_of(live, kind, uuid)
    found = None if info is None else ganeti_hvinfo(info, ganeti_scsi_bus(live))
    return before if found is None else found


def info_of(live: LiveDomain, kind: str, uuid: str) -> DeviceInfo | None:
    """Give the device that carries the id of a uuid."""
    alias = user_alias_of(kind, uuid)
    return next((info for info in derive(live) if alias is not None and info.alias == alias), None)


def user_alias_of(kind: str, uuid: str) -> str | None:
    """Give the alias that Ganeti's device has under libvirt; None for one without uuid."""
    return f"{USER_ALIAS_PREFIX}{kvm_id(kind, uuid)}" if uuid else None
