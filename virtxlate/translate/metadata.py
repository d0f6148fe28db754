"""The Ganeti objects that ride in a domain's metadata, so that the way back loses nothing.

Shape: ``{"format": 1, "disk_paths": "device", "instance": {"name": "web1.example.com", ...}}``; fields at
their default are left out.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from virtxlate.errors import GanetiDataError
from virtxlate.ganeti.decode import decode
from virtxlate.ganeti.model import Instance
from virtxlate.translate.context import Context

FORMAT = 1


class Payload(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept: the placed instance, and how its disks were named in the document."""

    format: int = FORMAT
    disk_paths: Literal["device", "link"] = "device"
    instance: Instance


_DECODER = msgspec.json.Decoder(Payload)
_ENCODER = msgspec.json.Encoder()


def to_text(instance: Instance, context: Context) -> str:
    """Give the text of the metadata element."""
    return _ENCODER.encode(Payload(disk_paths=context.disk_paths, instance=instance)).decode()


def from_text(text: str) -> Payload:
    """Give what a metadata element holds. Raises GanetiDataError for a foreign or newer text."""
    payload = decode(_DECODER, text.encode("utf-8", "surrogatepass"), "metadata")
    if payload.format != FORMAT:
        raise GanetiDataError(f"expected format {FORMAT}, found {payload.format}", at="metadata.format")
    return payload


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


def merge_devices(kept: tuple[Any, ...], told: tuple[Any, ...], expected: tuple[Any, ...]) -> tuple[Any, ...]:
    """Give the devices of the document, each merged with the kept one of the same id.

    A device that is new in the document is as the document tells it; one that is gone is gone.
    """
    known = {
        after.hvinfo.id: (before, after)
        for before, after in zip(kept, expected, strict=True)
        if after.hvinfo is not None
    }
    merged = []
    for index, device in enumerate(told):
        device_id = device.hvinfo.id if device.hvinfo is not None else None
        if device_id in known:
            before, after = known[device_id]
            merged.append(merge(before, device, after))
        elif device_id is None and len(told) == len(kept):
            merged.append(merge(kept[index], device, expected[index]))
        else:
            merged.append(device)
    return tuple(merged)
