"""What a translation lost: a typed report that the API returns and the command line prints.

This module knows neither side's words; a path is whatever the caller's side uses to point into its data.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from virtxlate.errors import UnsupportedError


class Severity(StrEnum):
    """Who can notice a loss."""

    GUEST_VISIBLE = "guest-visible"
    """The guest can see it: a device, a name, an address, a speed."""
    HOST_ONLY = "host-only"
    """Only the host or its administrator can see it."""


class Loss(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that has no equal on the other side.

    Shape: ``{"path": "hvparams.vga", "value": "qxl", "reason": "...", "severity": "guest-visible"}``, and
    ``"remedy": "virsh ..."`` where there is one.
    """

    path: str
    value: str | int | float | bool | None
    reason: str
    severity: Severity
    remedy: str = ""
    """What has the same effect by other means: a command, or a line of a file, with this very value in it."""

    def __str__(self) -> str:
        told = f"{self.path} = {self.value!r}: {self.reason} ({self.severity})"
        return f"{told}: {self.remedy}" if self.remedy else told


class Report:
    """Collects losses while a translation runs; grows only, in the order of discovery."""

    __slots__ = ("_losses",)

    def __init__(self) -> None:
        self._losses: list[Loss] = []

    @property
    def losses(self) -> tuple[Loss, ...]:
        """All losses so far."""
        return tuple(self._losses)

    def __bool__(self) -> bool:
        return bool(self._losses)

    def __len__(self) -> int:
        return len(self._losses)

    def lose(
        self,
        path: str,
        value: object,
        reason: str,
        severity: Severity = Severity.HOST_ONLY,
        *,
        remedy: str = "",
    ) -> None:
        """Record that what stands at ``path`` could not be carried over."""
        shown = value if isinstance(value, str | int | float | bool | None) else str(value)
        loss = Loss(path=path, value=shown, reason=reason, severity=severity, remedy=remedy)
        self._losses.append(loss)

    def extend(self, losses: tuple[Loss, ...]) -> None:
        """Take over losses that somebody else found, such as a reader."""
        self._losses.extend(losses)

    def raise_if(self, strict: bool) -> None:
        """Raise UnsupportedError naming every loss, not only the first, when ``strict`` is set."""
        if strict and self._losses:
            lines = "; ".join(str(loss) for loss in self._losses)
            raise UnsupportedError(f"{len(self._losses)} losses: {lines}", report=self)
