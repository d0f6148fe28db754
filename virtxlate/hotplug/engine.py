"""Plan, do, look, and let Ganeti's data follow: what every operation on a domain's devices has in common."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import msgspec

from virtxlate.domain import model as domain
from virtxlate.domain.live import LiveDomain, parse_live
from virtxlate.errors import (
    ConnectionFailedError,
    DeviceNotFoundError,
    LiveError,
    OperationRefusedError,
    VerificationError,
    VirtxlateError,
)
from virtxlate.ganeti.hvinfo import HvInfo
from virtxlate.hotplug import follow
from virtxlate.hotplug.apply import Affect, Applier, PlaceLostError
from virtxlate.hotplug.lock import Hold, Lock
from virtxlate.hotplug.snapshot import Entry, Snapshot, read_snapshot
from virtxlate.hotplug.steps import AddController, Attach, Detach, Step, name_of
from virtxlate.hotplug.untold import untold
from virtxlate.live.port import HotplugPort
from virtxlate.report import Loss, Report
from virtxlate.scsi import Asked
from virtxlate.translate.context import Context
from virtxlate.translate.dialect import ganeti_scsi_bus
from virtxlate.translate.hvinfo import DeviceInfo
from virtxlate.translate.runtime import ganeti_hvinfo

Plan = Callable[[Snapshot, Report], tuple[Step, ...]]
Follower = Callable[[str], None]


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """How operations are done."""

    live: bool | None = None
    """Change the running guest; None: if it runs and nothing else is said, as virsh does."""
    config: bool = False
    """Change what the next start uses."""
    timeout: float = 30.0
    """Seconds that a guest has to release a device."""
    asks: int = 3
    """How often it is asked in that time."""
    attempts: int = 10
    """How often a place is looked for when somebody else takes it first."""
    force: bool = False
    """Remove a boot device, or from a guest that cannot answer; shrink a disk."""
    uri: str | None = None
    """The connection that a message tells a person to look at; None: libvirt's default."""


class Done(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an operation did."""

    steps: tuple[Step, ...] = ()
    device: DeviceInfo | None = None
    """Where QEMU has the device now, in its own words; None when it is gone."""
    hvinfo: HvInfo | None = None
    """The same in Ganeti's words; None for a place that Ganeti has no word for, too."""
    freed: tuple[str, ...] = ()
    """What nobody uses any more: storage, tap."""
    losses: tuple[Loss, ...] = ()
    notes: tuple[str, ...] = ()


class Engine:
    """One domain, and how its devices are changed."""

    def __init__(
        self,
        port: HotplugPort,
        context: Context | None,
        options: Options,
        hvparams: Mapping[str, Any] | None,
        lock: Lock,
        follower: Follower | None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.port, self.options = port, options
        self._lock, self._follower, self._clock, self._hvparams = lock, follower, clock, hvparams
        self._version = port.libvirt_version()
        known = Context(libvirt_version=self._version) if context is None else context
        heard = known.scsi if known.scsi is None else Asked(known.scsi)
        self.context = msgspec.structs.replace(known, scsi=heard)

    def affect(self) -> Affect:
        """Give what is to be changed, as the state of the domain allows. Raises OperationRefusedError."""
        return _affect(self.port, self.options)

    def read(self, affect: Affect) -> Snapshot:
        """Read the documents that are to be changed. Raises LiveError, DomainXmlError."""
        config = self.port.inactive_xml() if affect.config else None
        xml = self.port.live_xml() if affect.live or config is None else config
        return read_snapshot(
            xml,
            self.context,
            config_xml=config if affect.live else None,
            libvirt_version=self._version,
            hvparams=self._hvparams,
        )

    def do(
        self,
        affect: Affect,
        make: Plan,
        change: follow.Change | None,
        *,
        first: Snapshot | None = None,
        device: tuple[str, str] | None = None,
    ) -> Done:
        """Plan and do, anew when somebody else took a place; then let metadata and runtime file follow.

        ``first`` is a reading just made; ``device``, its kind and uuid, is said where it is afterwards.

        Raises what Applier.run raises; LiveError when no place could be had.
        """
        added: list[AddController] = []
        attempt = 0
        with Hold(self._lock, self.port.uuid) as hold:
            while True:
                attempt += 1
                snapshot, report = first or self.read(affect), Report()
                first = None
                steps = make(snapshot, report)
                applier = self._applier(affect, snapshot, None if change is None else hold)
                applier.check(steps)
                try:
                    _run(applier, steps, added)
                    break
                except PlaceLostError as exc:
                    if attempt >= self.options.attempts:
                        message = f"somebody else took the place {attempt} times: {exc}"
                        if left := _left(applier, added):
                            raise VerificationError(message, differences=left) from exc
                        raise LiveError(message, call="attach") from exc
            seen = self._settle(affect, change, hold, applier.held) if steps or change is not None else None
        notes = untold(steps, snapshot.view.live) if affect.live else ()
        done = Done(steps=steps, losses=report.losses, notes=notes)
        return done if device is None else self._located(seen or self._seen(affect), done, *device)

    def check(self, affect: Affect, steps: tuple[Step, ...]) -> None:
        """Raise OperationRefusedError where one of the steps must not be done."""
        self._applier(affect, self.read(affect)).check(steps)

    def _applier(self, affect: Affect, snapshot: Snapshot, hold: Hold | None = None) -> Applier:
        options = self.options
        return Applier(
            self.port,
            affect,
            snapshot.view.live.root.get("id"),
            timeout=options.timeout,
            asks=options.asks,
            force=options.force,
            uri=options.uri,
            clock=self._clock,
            hold=hold,
        )

    def settle(self, affect: Affect, change: follow.Change | None) -> None:
        """Let metadata and runtime file follow the XML, one writer at a time.

        Raises VerificationError where the metadata does not stay what was written, LiveError.
        """
        with Hold(self._lock, self.port.uuid) as hold:
            self._settle(affect, change, hold, None)

    def _settle(
        self, affect: Affect, change: follow.Change | None, hold: Hold, held: LiveDomain | None
    ) -> LiveDomain | None:
        """Give the reading in which the metadata was right; ``held`` is the live one made under the lock."""
        seen = None
        try:
            hold.wait()
            if change is not None and affect.live:
                seen = self._write_metadata(change, self.port.live_xml, held, live=True)
            if change is not None and affect.config:
                written = self._write_metadata(change, self.port.inactive_xml, None, live=False)
                seen = seen or written
            if self._follower is not None and affect.live:
                self._follower(self.port.live_xml())
        except LiveError as exc:
            message = f"the devices are as asked, but the metadata does not tell it yet: {exc.message}"
            raise type(exc)(message, call=exc.call, code=exc.code) from exc
        return seen

    def _write_metadata(
        self, change: follow.Change, read: Callable[[], str], held: LiveDomain | None, *, live: bool
    ) -> LiveDomain:
        for _attempt in range(self.options.attempts):
            live_domain, held = held or parse_live(read()), None
            text = follow.followed(live_domain, change, self.context)
            if text is None or text == live_domain.metadata:
                return live_domain
            with suppress(ConnectionFailedError):  # whether libvirt heard it is found out by reading
                self.port.set_metadata(text, live=live, config=not live)
        raise VerificationError("the devices are as asked, but somebody else keeps changing the metadata")

    def located(self, affect: Affect, done: Done, kind: str, uuid: str) -> Done:
        """Add where the device of that uuid is now."""
        return self._located(self._seen(affect), done, kind, uuid)

    def _seen(self, affect: Affect) -> LiveDomain:
        return parse_live(self.port.live_xml() if affect.live else self.port.inactive_xml())

    def _located(self, live: LiveDomain, done: Done, kind: str, uuid: str) -> Done:
        info = follow.info_of(live, kind, uuid)
        if info is None:
            return done
        hvinfo = ganeti_hvinfo(info, ganeti_scsi_bus(live))
        return msgspec.structs.replace(done, device=msgspec.structs.replace(info, uuid=uuid), hvinfo=hvinfo)


def _affect(port: HotplugPort, options: Options) -> Affect:
    state = port.state()
    live = options.live if options.live is not None else state.active and not options.config
    config = options.config or not live
    if live and not state.active:
        raise OperationRefusedError(f"domain {port.name!r} does not run", call="state")
    if config and not port.is_persistent():
        raise OperationRefusedError(
            f"domain {port.name!r} is transient: it has no definition that could be changed", call="state"
        )
    return Affect(live=live, config=config, state=state)


def _run(applier: Applier, steps: tuple[Step, ...], added: list[AddController]) -> None:
    """Do the steps; an error says what was done before it and could not be undone."""
    gone: Detach | None = None
    for step in steps:
        try:
            applier.run(step)
        except (VirtxlateError, PlaceLostError) as exc:
            if gone is not None and isinstance(step, Attach):
                raise VerificationError(
                    f"{name_of(gone.info)} was taken out, and its successor could not be put in",
                    differences=(str(exc), applier.put_back(gone)),
                ) from exc
            if isinstance(exc, PlaceLostError):
                raise
            left = _left(applier, added)
            if left:
                raise VerificationError(str(exc), differences=left) from exc
            raise
        gone = step if isinstance(step, Detach) else None
        if isinstance(step, AddController):
            added.append(step)
        elif isinstance(step, Attach) and isinstance(step.device.address, domain.DriveAddress):
            used = step.device.address.controller
            added[:] = [each for each in added if each.controller.index != used]


def _left(applier: Applier, added: list[AddController]) -> list[str]:
    """Take back the controllers that were added for nothing; give a line for each that stays."""
    left = [line for each in added if (line := applier.withdraw(each)) is not None]
    added.clear()
    return left


def again(snapshot: Snapshot, entry: Entry) -> Entry:
    """Give the same device in a newer reading. Raises DeviceNotFoundError."""
    for each in (*snapshot.disks, *snapshot.nics, *snapshot.others):
        if each.element.tag == entry.element.tag and _identity(each) == _identity(entry):
            return each
    raise DeviceNotFoundError(f"{entry.at} {name_of(entry.info)} is gone")


def _identity(entry: Entry) -> str | None:
    return entry.info.alias or entry.info.mac or entry.info.target
