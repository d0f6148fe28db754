"""Hot-plug: virtxlate's add and remove beside the bare libvirt calls and beside virsh, on a real guest."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from typing import Any

from benchmarks.results import Row, Section, median_ratio
from benchmarks.rooms import MissingError

_MILLI = 1000.0
_LEAST_S, _SHARE = 0.005, 0.1
_TARGET = "<= 5 ms or 10 % of bare"
_CALLS = {
    "add": ("attachDeviceFlags", "virsh attach-device", frozenset({"attach"})),
    "remove": (
        "detachDeviceAlias and its event",
        "virsh detach-device",
        frozenset({"detach_alias", "wait"}),
    ),
}
"""What libvirt and virsh call the two, and which calls below virtxlate's are the bare ones."""
_KEPT = "ours, metadata"


def measure(rounds: int) -> Section:
    """Give medians of ``rounds`` rounds for each kind of device."""
    title = "Hot-plug of one device, on a guest that answers"
    try:
        found = _race(rounds)
    except (ImportError, MissingError) as exc:
        return Section(title=title, rows=(Row(what="hot-plug", note=f"not available: {exc}"),))
    rows = [row for kind, ways in found.items() for row in _rows(kind, ways)]
    notes = (
        f"{rounds} rounds, all in turn in each; each call on a guest that has settled, through a libvirtd",
        "own share: what virtxlate's call takes beyond the bare calls in it; libvirt's other calls are in it",
        "virsh: a process a call; its detach-device waits for the guest, as libvirt does, for 5 s at most",
        *(line for kind, ways in found.items() for line in _where(kind, ways)),
    )
    return Section(title=title, rows=tuple(rows), notes=notes)


Ways = dict[str, dict[str, list[Any]]]
"""By way and operation, what each round took."""


def _race(rounds: int) -> dict[str, Ways]:
    from benchmarks.plugging import DEVICES, WAYS, two_guests  # noqa: PLC0415 - needs libvirt's binding
    from virtxlate.hotplug.session import Hotplug  # noqa: PLC0415

    found: dict[str, Ways] = {
        kind: {way: {"add": [], "remove": []} for way in (*WAYS, _KEPT)} for kind in DEVICES
    }
    with two_guests() as (kept, plain, context):
        for round_number in range(rounds + 1):
            for kind, (device, hvparams) in DEVICES.items():
                runs = [*((way, plain, way) for way in WAYS), (WAYS[0], kept, _KEPT)]
                for way, guest, name in runs:
                    session = Hotplug(guest.port, context=context, hvparams=hvparams)
                    took = guest.cycle(way, session, device)
                    if round_number:  # the first one fills caches, and the guest loads its drivers
                        found[kind][name]["add"].append(took[0])
                        found[kind][name]["remove"].append(took[1])
    return found


def _rows(kind: str, ways: Ways) -> Iterator[Row]:
    for operation, (bare_name, virsh_name, bare_calls) in _CALLS.items():
        bare = [each.whole for each in ways["bare"][operation]]
        virsh = [each.whole for each in ways["virsh"][operation]]
        ours = [each.whole for each in ways["ours"][operation]]
        limit = max(_LEAST_S, _SHARE * statistics.median(bare))
        yield _row(f"{kind}: {bare_name}", bare)
        yield _row(f"{kind}: virtxlate, {operation}; ratio to bare", ours, ratio=median_ratio(ours, bare))
        own = [_own(each, bare_calls) for each in ways["ours"][operation]]
        yield _row(f"{kind}: own share of {operation}", own, limit=limit)
        yield _row(f"{kind}: {virsh_name}; virtxlate to it", virsh, ratio=median_ratio(ours, virsh))
        kept = ways[_KEPT][operation]
        own = [_own(each, bare_calls | {"set_metadata"}) for each in kept]
        yield _row(f"{kind}: own share of {operation}, metadata, without setMetadata", own, limit=limit)
        yield _row(
            f"{kind}: setMetadata of {operation}", [each.below.get("set_metadata", 0.0) for each in kept]
        )


def _own(took: Any, bare_calls: frozenset[str]) -> float:
    return float(took.whole - sum(took.below.get(name, 0.0) for name in bare_calls))


def _row(
    what: str, seconds: Sequence[float], *, ratio: float | None = None, limit: float | None = None
) -> Row:
    median = statistics.median(seconds)
    if limit is None:
        return Row(what=what, median=median * _MILLI, unit="ms", ratio=ratio)
    return Row(
        what=what,
        median=median * _MILLI,
        unit="ms",
        ratio=median / limit,
        target=_TARGET,
        met=median <= limit,
    )


def _where(kind: str, ways: Ways) -> Iterator[str]:
    """Give where the time of our calls goes, by the calls below them."""
    for operation in _CALLS:
        took = ways[_KEPT][operation]
        names = sorted({name for each in took for name in each.below})
        parts = []
        for name in names:
            seconds = statistics.median(each.below.get(name, 0.0) for each in took)
            calls = statistics.median(each.calls.get(name, 0) for each in took)
            parts.append(f"{name} {calls:.0f} x, {seconds * _MILLI:.2f} ms")
        rest = statistics.median(each.whole - sum(each.below.values()) for each in took)
        yield f"{kind}, {operation}, metadata: {'; '.join(parts)}; virtxlate itself {rest * _MILLI:.2f} ms"
