"""The Ganeti objects that ride in a domain's metadata, so that the way back loses nothing.

Shape: ``{"format": 1, "disk_paths": "device", "instance": {"name": "web1.example.com", ...}}``; fields at
their default are left out.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Literal

import msgspec

from virtxlate.domain.words import USER_ALIAS_PREFIX
from virtxlate.errors import GanetiDataError
from virtxlate.ganeti.decode import decode
from virtxlate.ganeti.model import Instance
from virtxlate.ganeti.params import HvParams
from virtxlate.scsi import ScsiDevice
from virtxlate.translate.context import Context

FORMAT = 1


class Payload(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept: the placed instance, and in which ways the document was written."""

    format: int = FORMAT
    disk_paths: Literal["device", "link"] = "device"
    stable_names: bool | msgspec.UnsetType = msgspec.UNSET
    scsi: tuple[ScsiDevice, ...] | msgspec.UnsetType = msgspec.UNSET
    """The devices of the host that the document was written for, as far as they were asked for."""
    untainted: bool | msgspec.UnsetType = msgspec.UNSET
    """Whether the document says nothing to QEMU past libvirt."""
    instance: Instance


_DECODER = msgspec.json.Decoder(Payload)
_ENCODER = msgspec.json.Encoder()


def to_text(instance: Instance, context: Context, devices: Sequence[ScsiDevice] = ()) -> str:
    """Give the text of the metadata element; ``devices`` are those of the host that were asked for."""
    payload = Payload(
        disk_paths=context.disk_paths,
        stable_names=context.stable_names or msgspec.UNSET,
        scsi=tuple(devices) or msgspec.UNSET,
        untainted=context.untainted or msgspec.UNSET,
        instance=_canonical(instance),
    )
    return _ENCODER.encode(payload).decode()


def _canonical(instance: Instance) -> Instance:
    """Give an equal instance that is written the same whatever it was made of.

    msgspec leaves out a value that is the very object of its default; a text that is only equal is written.
    """
    return msgspec.structs.replace(
        instance,
        hvparams=_canonical_hvparams(instance.hvparams),
        admin_state=sys.intern(instance.admin_state),
        disk_template=sys.intern(instance.disk_template),
        version=_VERSION if instance.version == _VERSION else instance.version,
        disks=tuple(msgspec.structs.replace(disk, mode=sys.intern(disk.mode)) for disk in instance.disks),
        nics=tuple(msgspec.structs.replace(nic, mode=sys.intern(nic.mode)) for nic in instance.nics),
    )


@lru_cache(maxsize=256)
def _canonical_hvparams(hvparams: HvParams) -> HvParams:
    values = {name: getattr(hvparams, name) for name in hvparams.__struct_fields__}
    return HvParams(**{name: value for name, value in values.items() if value != getattr(_HVPARAMS, name)})


_HVPARAMS = HvParams()
_VERSION = Instance(name="", uuid="").version


def from_text(text: str) -> Payload:
    """Give what a metadata element holds. Raises GanetiDataError for a foreign or newer text."""
    payload = decode(_DECODER, text.encode("utf-8", "surrogatepass"), "metadata")
    _check_format(payload.format)
    _check_places(payload.instance)
    return payload


class _Id(msgspec.Struct, frozen=True, gc=False):
    id: str


class _IdOfDevice(msgspec.Struct, frozen=True, gc=False):
    uuid: str = ""
    hvinfo: _Id | None = None


class _IdsOfInstance(msgspec.Struct, frozen=True):
    disks: tuple[_IdOfDevice, ...] = ()
    nics: tuple[_IdOfDevice, ...] = ()


class _Ids(msgspec.Struct, frozen=True):
    instance: _IdsOfInstance
    format: int = FORMAT


_IDS = msgspec.json.Decoder(_Ids)


def uuids_of_aliases(text: str) -> dict[str, str] | None:
    """Give the uuid of every disk and NIC by its user alias, None when one has no id or uuid.

    Reads nothing else.

    Raises GanetiDataError for a foreign or newer text.
    """
    kept: _Ids = decode(_IDS, text, "metadata")
    _check_format(kept.format)
    devices = kept.instance.disks + kept.instance.nics
    found = {
        f"{USER_ALIAS_PREFIX}{each.hvinfo.id}": each.uuid for each in devices if each.hvinfo and each.uuid
    }
    return found if len(found) == len(devices) else None


def _check_format(found: int) -> None:
    if found != FORMAT:
        raise GanetiDataError(f"expected format {FORMAT}, found {found}", at="metadata.format")


def _check_places(instance: Instance) -> None:
    """Raise GanetiDataError for an hvinfo that no reader of Ganeti's data would have let in."""
    for name in ("disks", "nics"):
        for index, device in enumerate(getattr(instance, name)):
            try:
                if device.hvinfo is not None:
                    device.hvinfo.check()
            except GanetiDataError as exc:
                raise exc.under(f"metadata.instance.{name}[{index}]") from None


def merge(kept: Any, told: Any, expected: Any) -> Any:
    """Give ``kept`` with what the document changed.

    ``told`` is what the document tells, ``expected`` what it told when it was written from ``kept``: where
    the two agree nobody changed anything, and the kept value, which is richer, stays.
    """
    if told == expected:
        return kept
    if isinstance(kept, msgspec.Struct) and type(kept) is type(told) is type(expected):
        names = kept.__struct_fields__
        return type(kept)(
            **{
                name: merge(getattr(kept, name), getattr(told, name), getattr(expected, name))
                for name in names
            }
        )
    return told


def match_devices(
    told: Sequence[Any], expected: Sequence[Any], key: Callable[[Any], Any]
) -> tuple[int | None, ...]:
    """Give, for each device of the document, the index of the kept one that it is; None for a new one.

    By Ganeti's device id, else by ``key``, else, among devices without id and where none came or went, by
    position.
    """
    free = dict(enumerate(expected))
    found: dict[int, int] = {}
    for of in (_device_id, key):
        by = {of(device): index for index, device in reversed(free.items())}
        for index, device in enumerate(told):
            if (
                index not in found
                and of(device) is not None
                and (before := by.pop(of(device), None)) is not None
            ):
                found[index] = before
                del free[before]
    if len(told) == len(expected):
        for index, device in free.items():
            if index not in found and _device_id(device) is None:
                found[index] = index
    return tuple(found.get(index) for index in range(len(told)))


def _device_id(device: Any) -> str | None:
    return None if device.hvinfo is None else str(device.hvinfo.id)
