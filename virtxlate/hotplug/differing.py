"""In what the device of a document is not as it was asked for: pure looking."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress

from virtxlate.errors import DomainXmlError, UnsupportedError
from virtxlate.hotplug.look import read_device
from virtxlate.hotplug.plan import config_twin
from virtxlate.hotplug.snapshot import Entry, Snapshot
from virtxlate.hotplug.steps import Device
from virtxlate.tables.hotplug import How

_ABSENT_IS_NONE = frozenset({"vlan", "virtualport", "script"})
_OF_A_TYPE = frozenset({"bridge", "network"})
"""What a NIC is connected to by its type: of one type libvirt shows more, of another one none of it stays."""
_NOT_COMPARED = frozenset({"alias", "target", "address", "boot_order", "driver_name"})


def decided(table: dict[str, tuple[str, ...]], asked: Iterable[str] | None = None) -> frozenset[str]:
    """Give the fields of a device that Ganeti's ``asked`` fields decide; None asks for all."""
    return frozenset(name for field in (table if asked is None else asked) for name in table[field])


def differing(after: Device, now: Device) -> Iterator[str]:
    """Give the fields of a document's device ``now`` that are not those of ``after``."""
    absent_is_none = _ABSENT_IS_NONE
    if getattr(after, "type", None) != getattr(now, "type", None):
        absent_is_none |= _OF_A_TYPE
    for name in after.__struct_fields__:
        wanted, found = getattr(after, name), getattr(now, name, None)
        if name in _NOT_COMPARED or wanted == found or (wanted is None and name not in absent_is_none):
            continue
        if name == "mac" and str(wanted).lower() == str(found).lower():
            continue
        yield name


def defined(snapshot: Snapshot, entry: Entry) -> Device | None:
    """Give the device as the definition has it, where that is to be changed too; None for words not known."""
    device = config_twin(snapshot, entry)
    if device is not None:
        with suppress(DomainXmlError):
            found = read_device(device)
            return found if isinstance(found, Device) else None
    return None


def with_wrong(
    fields: tuple[str, ...],
    in_guest: Iterable[str],
    in_definition: Iterable[str],
    table: dict[str, How],
    at: str,
) -> tuple[str, ...]:
    """Add to the fields that change those that were asked for, and that a document does not have so.

    Ganeti's data may say what the guest was told otherwise by somebody else; the definition may lag behind
    the guest. In place, one call for both does no harm to the one that is right; and a device that leaves
    and comes back does so in both.

    Raises UnsupportedError where the guest would lose the device for a fault of its definition.
    """
    known = tuple(dict.fromkeys((*fields, *in_guest)))
    lagging = tuple(name for name in in_definition if name not in known)
    if not lagging or any(table[name] is How.REPLACE for name in known):
        return known
    if all(table[name] is How.UPDATE for name in lagging):
        return (*known, *lagging)
    raise UnsupportedError(
        f"{', '.join(lagging)}: the running guest has it so already, its definition has not: change that "
        "alone (--config without --live)",
        at=at,
    )
