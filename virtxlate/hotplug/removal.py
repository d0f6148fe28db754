"""A device leaves a running guest: heard of by event, believed when the live XML no longer has it."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable

from virtxlate.domain.live import LiveDomain
from virtxlate.errors import (
    ConnectionFailedError,
    DeviceNotFoundError,
    DomainNotFoundError,
    DomainStoppedError,
    LiveError,
    OperationRefusedError,
    RemovalPendingError,
    RemovalRefusedError,
)
from virtxlate.hotplug.look import is_there
from virtxlate.hotplug.steps import Detach, name_of
from virtxlate.live.port import DomainState, HotplugPort, Outcome, RemovalWaiter

Clock = Callable[[], float]
_UNPLUGGING = "in the process of unplug"
"""QEMU's words for a device whose removal was asked for before. Source: QEMU 7.2, hw/core/qdev-monitor.c."""
_FIRST_LOOK, _LONGEST_LOOK = 0.25, 2.0
"""Seconds after which the XML is read although no event came: one may have been lost."""


class Removal:
    """One device on its way out."""

    def __init__(
        self,
        domain: HotplugPort,
        step: Detach,
        domain_id: str | None,
        *,
        timeout: float,
        asks: int,
        uri: str | None = None,
        clock: Clock = time.monotonic,
        read: Callable[[bool], LiveDomain],
    ) -> None:
        """``read`` gives the running guest as it is; it is told whether the device is said to be gone."""
        self._domain, self._step, self._id = domain, step, domain_id
        self._read = read
        self._timeout, self._asks, self._clock = timeout, max(1, asks), clock
        self._name, self._uri = name_of(step.info), uri

    def run(self) -> None:
        """Ask, wait, look; return when the live XML no longer has the device.

        Raises RemovalPendingError when the guest has not answered in time, RemovalRefusedError when it said
        no, DomainStoppedError, ConnectionFailedError when libvirt did not come back in time, LiveError.
        """
        alias = self._step.info.alias
        if alias is None:
            self._without_alias()
            return
        end = self._clock() + self._timeout
        with self._domain.removal(alias) as waiter:
            for ask in range(self._asks):
                gone = self._ask(lambda: self._domain.detach_alias(alias))
                until = end - (self._timeout / self._asks) * (self._asks - 1 - ask)
                if gone or self._wait(waiter, until, end):
                    return
        raise self._pending(f"after {self._timeout:g} s")

    def _without_alias(self) -> None:
        """Remove what has no name: libvirt itself waits some seconds, and no event can be told apart."""
        if self._ask(lambda: self._domain.detach(self._step.xml, live=True, config=False)):
            return
        if self._is_there():
            raise self._pending("while libvirt waited for it")

    def _ask(self, call: Callable[[], None]) -> bool:
        """Ask once; tell whether the device turned out to be gone."""
        try:
            call()
        except ConnectionFailedError:
            return False  # whether libvirt heard it is found out by looking
        except DeviceNotFoundError:
            return not self._is_there()
        except DomainNotFoundError as exc:
            raise self._stopped() from exc
        except LiveError as exc:
            if _UNPLUGGING in exc.message:
                return False
            if not self._is_there():
                return True
            if "rejected by the guest" in exc.message:
                raise self._refused() from exc
            raise
        return False

    def _wait(self, waiter: RemovalWaiter, until: float, end: float) -> bool:
        """Wait for news until it is time to ask again; tell whether the device is gone."""
        look, lost = _FIRST_LOOK, None
        while (left := until - self._clock()) > 0:
            outcome = waiter.wait(min(look, left))
            if outcome is Outcome.STOPPED:
                raise self._stopped()
            try:
                there = self._is_there(is_gone=outcome is Outcome.REMOVED)
            except ConnectionFailedError as exc:
                look, lost = _FIRST_LOOK, exc
                continue
            if not there:
                return True
            if outcome is Outcome.REFUSED:
                raise self._refused()
            look, lost = min(look * 2, _LONGEST_LOOK), None
        if lost is not None and until >= end:
            raise self._unknown(lost) from lost
        return False

    def _is_there(self, *, is_gone: bool = False) -> bool:
        """Tell whether the running guest still has the device. Raises DomainStoppedError, LiveError."""
        try:
            live = self._read(is_gone)
        except DomainNotFoundError as exc:
            raise self._stopped() from exc
        if live.root.get("id") != self._id:
            raise self._stopped()
        return is_there(live, self._step.info)

    def _pending(self, waited: str) -> RemovalPendingError:
        connection = () if self._uri is None else ("-c", self._uri)
        look = shlex.join(("virtxlate", "hvinfo", *connection, self._domain.name))
        return RemovalPendingError(
            f"the guest has not released it {waited}; the request stands, and the device is "
            f"still in use: see {look}, and remove it again to finish",
            alias=self._name,
        )

    def _refused(self) -> RemovalRefusedError:
        return RemovalRefusedError("the guest refused to release it", alias=self._name)

    def _stopped(self) -> DomainStoppedError:
        return DomainStoppedError(
            f"domain {self._domain.name!r} stopped while {self._name} was leaving it", call="detach"
        )

    def _unknown(self, cause: ConnectionFailedError) -> ConnectionFailedError:
        return ConnectionFailedError(
            f"the connection was lost while {self._name} was leaving domain {self._domain.name!r}, and it is "
            f"not known whether it did: {cause.message}",
            call=cause.call,
            code=cause.code,
        )


def check_removable(domain: HotplugPort, state: DomainState, step: Detach, *, force: bool) -> None:
    """Raise OperationRefusedError where a removal would harm the guest, or could not end, unless forced."""
    if force:
        return
    name, reason = name_of(step.info), None
    if step.is_boot:
        reason = "the guest boots from it"
    elif (job := domain.job()) is not None:
        reason = f"libvirt is busy with the domain ({job})"
    elif state.paused:
        reason = "the guest is paused, and cannot answer"
    if reason is not None:
        raise OperationRefusedError(f"{name} stays: {reason} (to be forced with --force)", call="detach")
