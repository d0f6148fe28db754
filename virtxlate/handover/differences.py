"""What a difference between the old QEMU and the new one means for a guest that goes on: a table.

What no row knows is fatal: QEMU loads a state into a machine with other IDE channels, drives, CPU flags or
surplus devices without a word, so only a comparison finds them. Source: measured on QEMU 7.2 and libvirt
9.0.0 (wrong XML of every kind, loaded); QEMU 7.2, migration/savevm.c, hw/virtio/virtio.c.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import StrEnum
from fnmatch import fnmatchcase

import msgspec

from virtxlate.errors import TableError
from virtxlate.hardware.compare import Difference, compare
from virtxlate.hardware.model import Machine
from virtxlate.tables.hardware import OFFLOADS

FEATURES = "virtio features"
"""What a virtio device offers, as `describe` calls it."""


class Meaning(StrEnum):
    """What a difference means for the guest."""

    INVISIBLE = "invisible"
    """No guest can see it."""
    HARMLESS = "harmless"
    """Seen at the next boot only, or a matter of the host."""
    FATAL = "fatal"
    """QEMU refuses the state, or loads it and the guest has another machine than it knows."""


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of difference: patterns of its kind, path, driver and property, and what it means.

    ``before`` and ``after`` are patterns too, ``-`` stands for: is not there. ``silent``: QEMU itself does
    not refuse it. ``needs_features``: it holds only where both devices offer the same features.
    """

    what: str
    kind: str = "*"
    path: str = "*"
    driver: str = "*"
    before: str = "*"
    after: str = "*"
    meaning: Meaning
    silent: bool = False
    needs_features: bool = False
    reason: str


_NEXT_BOOT = "the firmware reads it at the next boot"
_SURPLUS = (
    "QEMU loads a state into a machine with more devices; the guest finds a new one that it never plugged"
)

ROWS: tuple[Row, ...] = (
    Row(
        kind="machine",
        what="usb",
        meaning=Meaning.INVISIBLE,
        reason="the USB controller itself is there, in its slot",
    ),
    Row(
        kind="machine",
        what="dump-guest-core",
        meaning=Meaning.INVISIBLE,
        reason="it decides what a core dump of QEMU holds",
    ),
    Row(kind="boot", what="strict", meaning=Meaning.HARMLESS, reason=_NEXT_BOOT),
    Row(kind="boot", what="order", meaning=Meaning.HARMLESS, reason=_NEXT_BOOT),
    Row(kind="boot", what="menu", meaning=Meaning.HARMLESS, reason=_NEXT_BOOT),
    Row(what="bootindex", meaning=Meaning.HARMLESS, reason=_NEXT_BOOT),
    Row(
        kind="ISA",
        what="order",
        meaning=Meaning.INVISIBLE,
        reason="the same devices at the same ports; the order is that of ACPI's table",
    ),
    Row(
        what="write-cache",
        before="auto",
        meaning=Meaning.INVISIBLE,
        reason="what auto came to was compared where both machines were asked in full",
    ),
    Row(
        what="write-cache",
        after="auto",
        meaning=Meaning.INVISIBLE,
        reason="what auto came to was compared where both machines were asked in full",
    ),
    *(
        Row(
            kind="virtio-pci-bus",
            what=name,
            meaning=Meaning.INVISIBLE,
            needs_features=True,
            reason="the device offers the guest the same features: the old tap could not do this either",
        )
        for name in OFFLOADS
    ),
    Row(
        kind="machine",
        what="uuid",
        meaning=Meaning.FATAL,
        silent=True,
        reason="the guest knows its machine by it, and so does Ganeti",
    ),
    Row(
        kind="machine",
        what="kernel",
        meaning=Meaning.FATAL,
        silent=True,
        reason="at a reset the guest would boot another kernel",
    ),
    Row(
        kind="machine",
        what="initrd",
        meaning=Meaning.FATAL,
        silent=True,
        reason="at a reset the guest would boot with another initrd",
    ),
    Row(
        kind="machine",
        what="append",
        meaning=Meaning.FATAL,
        silent=True,
        reason="at a reset the guest would boot with other arguments",
    ),
    Row(
        kind="IDE",
        what="device",
        meaning=Meaning.FATAL,
        silent=True,
        reason="a drive on another channel, or gone: the state loads, and the guest hangs on it",
    ),
    Row(
        kind="floppy-bus",
        what="device",
        meaning=Meaning.FATAL,
        silent=True,
        reason="the state loads, and the drive is gone or another",
    ),
    Row(kind="*", what="device", before="-", meaning=Meaning.FATAL, silent=True, reason=_SURPLUS),
    Row(kind="topology", what="*", meaning=Meaning.FATAL, silent=True, reason="CPUID says another topology"),
    Row(
        kind="cpu",
        what="*",
        meaning=Meaning.FATAL,
        silent=True,
        reason="the guest uses what the old CPU had: it would fail at the first instruction that is gone",
    ),
    Row(
        what="mac",
        meaning=Meaning.FATAL,
        silent=True,
        reason="the guest keeps the old address until its next boot, and then has another",
    ),
    Row(
        what="serial",
        meaning=Meaning.FATAL,
        silent=True,
        reason="udev names the disk by it at the next boot",
    ),
    Row(
        what="device_id",
        meaning=Meaning.FATAL,
        silent=True,
        reason="udev names the disk by it (VPD page 0x83)",
    ),
    Row(
        what="write-cache",
        meaning=Meaning.FATAL,
        silent=True,
        reason="the guest flushes, or does not, as the old disk asked for",
    ),
    Row(
        what=FEATURES,
        before="-",
        meaning=Meaning.HARMLESS,
        reason="the running QEMU is too old to tell; the new one refuses a state with features that it lacks",
    ),
    Row(
        what=FEATURES,
        meaning=Meaning.FATAL,
        reason="the device offers other features than those which the guest's driver agreed on",
    ),
    Row(
        what="packed",
        meaning=Meaning.FATAL,
        silent=True,
        reason="the guest and its old device agreed on another layout of their queues",
    ),
    Row(
        what="free-page-reporting",
        meaning=Meaning.FATAL,
        silent=True,
        reason="the guest never agreed to it",
    ),
    Row(
        what="disable_s[34]",
        meaning=Meaning.FATAL,
        silent=True,
        reason="the guest read from ACPI's tables that it may sleep so",
    ),
)
"""The first that fits holds."""

UNKNOWN = Row(
    what="*",
    meaning=Meaning.FATAL,
    reason="QEMU refuses the state, or the guest sees it: nobody has shown that it does no harm",
)


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """A difference, what it means, and why."""

    difference: Difference
    meaning: Meaning
    silent: bool
    reason: str

    def __str__(self) -> str:
        return f"{self.meaning}: {self.difference} ({self.reason})"


def judge(before: Machine, after: Machine) -> tuple[Judged, ...]:
    """Give what each difference means, the fatal ones first."""
    found = compare(before, after)
    same_features = _same_features(before, after)
    judged = (_judged(each, same_features) for each in found)
    return tuple(sorted(judged, key=lambda each: _ORDER.index(each.meaning)))


def fatal(before: Machine, after: Machine) -> tuple[str, ...]:
    """Give a line for each difference with which the guest must not go on."""
    return tuple(
        f"{each.difference}: {each.reason}" for each in judge(before, after) if each.meaning is Meaning.FATAL
    )


def fatal_besides(known: Iterable[Judged]) -> Callable[[Machine, Machine], tuple[str, ...]]:
    """Give a judge that takes what a full comparison has found to do no harm: a quick one knows less."""
    harmless = {_key(each.difference) for each in known if each.meaning is not Meaning.FATAL}

    def judged(before: Machine, after: Machine) -> tuple[str, ...]:
        return tuple(
            f"{each.difference}: {each.reason}"
            for each in judge(before, after)
            if each.meaning is Meaning.FATAL and _key(each.difference) not in harmless
        )

    return judged


def _key(difference: Difference) -> tuple[str | None, ...]:
    return difference.path, difference.what, difference.before, difference.after


_ORDER = (Meaning.FATAL, Meaning.HARMLESS, Meaning.INVISIBLE)


def _same_features(before: Machine, after: Machine) -> frozenset[str]:
    """Give the virtio devices of which both machines tell the features, and the same ones."""
    old, new = ({each.path: each for each in side.devices} for side in (before, after))
    return frozenset(
        path
        for path, device in old.items()
        if FEATURES in device.properties
        and path in new
        and new[path].properties.get(FEATURES) == device.properties[FEATURES]
    )


def _judged(difference: Difference, same_features: frozenset[str]) -> Judged:
    row = next((row for row in ROWS if _fits(row, difference, same_features)), UNKNOWN)
    return Judged(difference=difference, meaning=row.meaning, silent=row.silent, reason=row.reason)


def _fits(row: Row, difference: Difference, same_features: frozenset[str]) -> bool:
    pairs = (
        (difference.kind, row.kind),
        (difference.path, row.path),
        (difference.driver, row.driver),
        (difference.what, row.what),
        ("-" if difference.before is None else difference.before, row.before),
        ("-" if difference.after is None else difference.after, row.after),
    )
    if not all(fnmatchcase(value, pattern) for value, pattern in pairs):
        return False
    return not row.needs_features or difference.path.partition("/")[0] in same_features


if any(row.meaning is not Meaning.FATAL and row.silent for row in ROWS):
    raise TableError("handover: a difference that does no harm needs no word about QEMU's silence")
