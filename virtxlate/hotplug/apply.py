"""One step of a plan becomes one call to libvirt, and is believed when the XML shows it."""

from __future__ import annotations

import time
from collections.abc import Callable

import msgspec

from virtxlate.domain.live import LiveDomain, parse_live
from virtxlate.errors import (
    ConnectionFailedError,
    DomainStoppedError,
    LiveError,
    OperationRefusedError,
    VerificationError,
    VirtxlateError,
)
from virtxlate.hotplug.lock import Hold
from virtxlate.hotplug.look import Device, is_taken, same, twin, value_at
from virtxlate.hotplug.removal import Removal, check_removable
from virtxlate.hotplug.steps import AddController, Attach, Detach, Resize, Step, Update, name_of
from virtxlate.live.port import DomainState, HotplugPort
from virtxlate.translate.compare import device_differences
from virtxlate.translate.disk import ganeti_id

_LIVE = "live XML"


def _is_known(device: Device) -> bool:
    """Tell whether a device in a document is ours for sure, and not one that somebody else attached."""
    return ganeti_id(device.alias) is not None


class PlaceLostError(Exception):
    """Somebody else took the place between the plan and the call; a new plan finds another."""


class Affect(msgspec.Struct, frozen=True, kw_only=True):
    """What is changed: the running guest, its definition, or both."""

    live: bool
    config: bool
    state: DomainState = DomainState()
    """What the domain was doing when the operation began."""


class Applier:
    """Runs steps on one domain. ``domain_id`` is libvirt's number of the running guest, None for none."""

    def __init__(
        self,
        port: HotplugPort,
        affect: Affect,
        domain_id: str | None,
        *,
        timeout: float,
        asks: int,
        force: bool,
        uri: str | None = None,
        clock: Callable[[], float] = time.monotonic,
        hold: Hold | None = None,
    ) -> None:
        self._port, self._affect, self._id, self._hold = port, affect, domain_id, hold
        self.held: LiveDomain | None = None
        """The last reading of the running guest, if it was made under the lock, and that is still held."""
        self._timeout, self._asks, self._force, self._clock = timeout, asks, force, clock
        self._uri = uri

    def check(self, steps: tuple[Step, ...]) -> None:
        """Raise OperationRefusedError before the first step, where one must not be done."""
        for step in steps:
            if isinstance(step, Detach) and self._affect.live:
                check_removable(self._port, self._affect.state, step, force=self._force)
            if isinstance(step, Resize) and not self._force:
                self._check_size(step)

    def _check_size(self, step: Resize) -> None:
        """Raise OperationRefusedError for a smaller size: libvirt would shrink the disk without asking."""
        now = self._port.disk_size(step.target)
        if step.size < now:
            raise OperationRefusedError(
                f"{step.at}: it has {now} bytes, and {step.size} are less: the rest would be lost (to be "
                "forced with --force)",
                call="resize",
            )

    def run(self, step: Step) -> None:
        """Do a step, and look whether it was done.

        Raises PlaceLostError, VerificationError, RemovalError, LiveError.
        """
        self._let_go()
        match step:
            case AddController():
                self._attach(step, step.controller)
            case Attach():
                self._attach(step, step.device)
            case Detach():
                self._detach(step)
            case Update():
                self._update(step)
            case Resize():
                self._resize(step)

    def _let_go(self) -> None:
        """Let others write while a step takes its time."""
        self.held = None
        if self._hold is not None:
            self._hold.release()

    def _read_live(self, is_done: bool = True) -> LiveDomain:
        """Read the running guest; after a call that is done, under the lock if nobody else has it."""
        if not is_done:
            self._let_go()
        is_held = is_done and self._hold is not None and self._hold.try_now()
        live = parse_live(self._port.live_xml())
        self.held = live if is_held else None
        return live

    def views(self) -> list[tuple[str, LiveDomain]]:
        """Read every document that a step changes."""
        found = []
        if self._affect.live:
            live = self._read_live()
            if live.root.get("id") != self._id:
                raise DomainStoppedError(f"domain {self._port.name!r} stopped in the middle", call="attach")
            found.append((_LIVE, live))
        if self._affect.config:
            found.append(("definition", parse_live(self._port.inactive_xml())))
        return found

    def _attach(self, step: AddController | Attach, device: Device) -> None:
        try:
            self._port.attach(step.xml, live=self._affect.live, config=self._affect.config)
        except ConnectionFailedError as exc:
            self._after_break(step, device, exc)
        except LiveError as exc:
            views = self.views()
            if _is_known(device) and any(same(live, device) is not None for _where, live in views):
                if left := self._undo(step, device):
                    raise VerificationError(str(exc), differences=left) from exc
            elif any(is_taken(live, device) for _where, live in views):
                raise PlaceLostError(exc.message) from exc
            raise
        self._verify_attached(step, device)

    def _after_break(self, step: AddController | Attach, device: Device, exc: ConnectionFailedError) -> None:
        """Look what libvirt did of a call whose answer was lost: all of it, or raise."""
        try:
            views = self.views()
        except ConnectionFailedError as lost:
            raise ConnectionFailedError(
                f"{step.at}: the connection was lost while it was attached, and it is not known whether it "
                f"is: {lost.message}",
                call="attach",
                code=lost.code,
            ) from exc
        found = [(where, same(live, device)) for where, live in views]
        has_it = {where: each is not None for where, each in found}
        if all(has_it.values()):
            if not _is_known(device) and any(device_differences(device, each) for _, each in found if each):
                raise PlaceLostError(exc.message) from exc
            return
        if not any(has_it.values()):
            raise exc
        where = " and ".join(where for where, is_in in has_it.items() if is_in)
        left = (self._undo(step, device) or ("it was taken back",)) if _is_known(device) else ()
        raise VerificationError(
            f"{step.at}: the connection broke while it was attached, and it was in the {where} only",
            differences=left,
        ) from exc

    def _verify_attached(self, step: AddController | Attach, device: Device) -> None:
        wrong: list[str] = []
        found = [(where, same(live, device)) for where, live in self.views()]
        for where, each in found:
            if each is None:
                wrong.append(f"{where}: it is not there")
            else:
                wrong += [f"{where}: {line}" for line in device_differences(device, each)]
        if wrong:
            left = self._undo(step, device)
            if not left and any(each is not None for _where, each in found):
                left = ("it was taken back",)
            raise VerificationError(
                f"{step.at}: libvirt attached it, but not as asked", differences=(*wrong, *left)
            )

    def _undo(self, step: AddController | Attach, device: Device) -> tuple[str, ...]:
        """Take back what went wrong, from where it is; give a line for each document that still has it."""
        views, lines = self.views(), []
        self._let_go()
        for where, live in reversed(views):
            if same(live, device) is None:
                continue
            is_live = where == _LIVE
            try:
                self._port.detach(step.xml, live=is_live, config=not is_live)
                if same(dict(self.views())[where], device) is not None:
                    lines.append(f"it is still in the {where}: the guest has not released it yet")
            except VirtxlateError as exc:
                lines.append(f"it is still in the {where}: {exc}")
        return tuple(lines)

    def withdraw(self, step: AddController) -> str | None:
        """Take away a controller that was added for a disk that did not come; give what could not be done."""
        self._let_go()
        try:
            self._port.detach(step.xml, live=self._affect.live, config=self._affect.config)
            views = self.views()
        except VirtxlateError as exc:
            return f"SCSI controller {step.controller.index}, added for it, is still there: {exc}"
        left = [where for where, live in views if same(live, step.controller) is not None]
        if not left:
            return None
        return (
            f"SCSI controller {step.controller.index}, added for it, is still in the {' and '.join(left)}: "
            "the guest has not released it yet"
        )

    def put_back(self, step: Detach) -> str:
        """Attach again what a step has removed; give a line that says what is so now."""
        try:
            self._port.attach(step.xml, live=self._affect.live, config=False)
            if self._affect.config and step.config_xml is not None:
                self._port.attach(step.config_xml, live=False, config=True)
            missing = [where for where, live in self.views() if twin(live, step.info) is None]
        except VirtxlateError as exc:
            return f"and it could not be put back: {exc}"
        return f"it did not come back into the {' and '.join(missing)}" if missing else "it is back in place"

    def _detach(self, step: Detach) -> None:
        if self._affect.live:
            Removal(
                self._port,
                step,
                self._id,
                timeout=self._timeout,
                asks=self._asks,
                uri=self._uri,
                clock=self._clock,
                read=self._read_live,
            ).run()
        if self._affect.config:
            self._detach_config(step)

    def _detach_config(self, step: Detach) -> None:
        text = step.config_xml if self._affect.live else (step.config_xml or step.xml)
        if text is None:
            return
        try:
            self._port.detach(text, live=False, config=True)
        except LiveError as exc:
            if not self._may_define(step):
                return
            done = "the guest has released it, but " if self._affect.live else ""
            raise type(exc)(
                f"{name_of(step.info)}: {done}the definition still has it: {exc.message}",
                call=exc.call,
                code=exc.code,
            ) from exc
        if self._may_define(step):
            raise VerificationError(f"{name_of(step.info)}: libvirt removed it, but its definition has it")

    def _may_define(self, step: Detach) -> bool:
        """Tell whether the definition has the device, or cannot be read."""
        try:
            return twin(parse_live(self._port.inactive_xml()), step.info) is not None
        except LiveError:
            return True

    def _update(self, step: Update) -> None:
        if self._affect.live:
            self._update_one(step, step.xml, live=True)
        text = step.config_xml if self._affect.live else (step.config_xml or step.xml)
        if not self._affect.config or text is None:
            return
        try:
            self._update_one(step, text, live=False)
        except LiveError as exc:
            if not self._affect.live:
                raise
            raise type(exc)(
                f"{name_of(step.info)}: it is changed in the running guest, but not in the definition: "
                f"{exc.message}",
                call=exc.call,
                code=exc.code,
            ) from exc

    def _update_one(self, step: Update, xml: str, *, live: bool) -> None:
        lost = None
        try:
            self._port.update(xml, live=live, config=not live)
        except ConnectionFailedError as exc:
            lost = exc  # whether libvirt heard it is found out by looking
        read, where = (self._port.live_xml, _LIVE) if live else (self._port.inactive_xml, "definition")
        try:
            self._check_update(step, parse_live(read()), where)
        except VerificationError:
            if lost is not None:
                raise lost from None
            raise

    def _check_update(self, step: Update, live: LiveDomain, where: str) -> None:
        device = twin(live, step.info)
        if device is None:
            raise VerificationError(f"{step.at}: it is gone from the {where}")
        wrong = []
        for path, wanted in step.expect.items():
            found = value_at(device, path)
            if found != wanted:
                wrong.append(f"{where}: {path}: expected {wanted!r}, found {found!r}")
        if wrong:
            raise VerificationError(f"{step.at}: libvirt changed it, but not as asked", differences=wrong)

    def _resize(self, step: Resize) -> None:
        lost = None
        try:
            self._port.resize(step.target, step.size)
        except ConnectionFailedError as exc:
            lost = exc  # whether libvirt heard it is found out by looking
        found = self._port.disk_size(step.target)
        if found != step.size and lost is not None:
            raise lost
        if found != step.size:
            raise VerificationError(
                f"{step.at}: libvirt resized it, but not as asked",
                differences=(f"size: expected {step.size}, found {found}",),
            )
