"""Goes a way of the table, action by action; an error leaves the guest where it may be, and says where."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from typing import Any

import msgspec

from virtxlate.domain.document import parse_domain
from virtxlate.errors import (
    ConnectionFailedError,
    DomainNotFoundError,
    LiveError,
    OperationRefusedError,
    VerificationError,
    VirtxlateError,
)
from virtxlate.handover.book import Book
from virtxlate.handover.display import displays_of, move_displays, put_back
from virtxlate.handover.ended import FAILED, kept, left, raise_with_more
from virtxlate.handover.journal import Journal, Record
from virtxlate.handover.look import Judge, judged
from virtxlate.handover.networks import connect_taps
from virtxlate.handover.release import remove_files
from virtxlate.handover.settle import settle
from virtxlate.handover.source import Old
from virtxlate.handover.states import Decision, Seen, Source, Target, Wish
from virtxlate.handover.steps import ACTIONS, UNDONE, WAYS, Name, Way
from virtxlate.handover.target import New
from virtxlate.handover.transfer import (
    FIFO,
    IMAGE,
    Heard,
    Limits,
    Sending,
    expect_whole,
    give_back,
    manner_of,
    put_manner_back,
    send,
    set_manner,
)
from virtxlate.handover.verdicts import Verdict, verdict
from virtxlate.hardware.describe import glance
from virtxlate.hardware.inspect import jobs_of
from virtxlate.hardware.model import Machine
from virtxlate.hotplug.lock import domain_lock
from virtxlate.live.port import HandoverHost
from virtxlate.translate.compare import differences

Moment = Callable[[str], None]
Lock = Callable[[str], AbstractContextManager[None]]
_TURN_S = 0.005
_END_S = 30.0


class Tools(msgspec.Struct, frozen=True, kw_only=True):
    """What the engine works with besides the two QEMUs; a test brings its own."""

    limits: Limits = Limits()
    heard: Heard = lambda _progress: None
    judge: Judge = judged
    verify: Callable[[str], tuple[str, ...]] = lambda _xml: ()
    """Gives a line for all that the live XML says otherwise than Ganeti's data; nothing is stopped by it."""
    lock: Lock = domain_lock
    """By the UUID of the domain: one caller at a time, and none who changes its devices meanwhile."""
    moment: Moment = lambda _name: None
    """Is told before and after each action, and where the journal was written."""


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a handover."""

    instance: str
    runs: str
    """``libvirt``, ``ganeti`` or ``nowhere``."""
    pause_ms: float | None = None
    """From the last moment in the old QEMU to the answer that it runs in the new one."""
    seconds: float
    differences: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


class Engine:
    """One instance on its way."""

    def __init__(self, host: HandoverHost, old: Old, journal: Journal, record: Record, tools: Tools) -> None:
        self._host, self._old, self._journal, self._tools = host, old, journal, tools
        self._book = Book(journal, record)
        self._new = New(host, record.uuid, record.instance)
        self._before: Machine | None = None
        self._secure: str | None = None
        """The definition that there was, with what is secret in it: for nobody but this process."""
        self._began = time.monotonic()
        self._pause: float | None = None
        self._differences: tuple[str, ...] = ()
        self._removed: tuple[str, ...] = ()
        self._work: dict[Name, Callable[[], None]] = {
            Name.DISPLAY: self._display,
            Name.DEFINE: self._define,
            Name.TRANSFER: self._transfer,
            Name.SETTLE: self._settle,
            Name.COMPARE: self._compare,
            Name.RUN: self._run,
            Name.VERIFY: self._verify,
            Name.QUIT: self._quit,
            Name.CONNECT: self._connect,
            Name.START: self._start,
            Name.RELEASE: self._release,
            Name.END_TARGET: self._end_target,
            Name.WAKE: self._wake,
            Name.UNDO: self._undo,
            Name.TIDY: self._book.end,
        }

    def hand_over(self) -> Done:
        """Move the guest. Raises VirtxlateError; it says where the guest is then."""
        with self._tools.lock(self._record.uuid):
            found = self._old.state()
            if found is not Source.RUNS:
                why = f" ({self._old.trouble})" if found is Source.UNKNOWN else ""
                message = f"expected a guest that runs, found one that is {found}{why}"
                raise OperationRefusedError(message, call="handover")
            self._expect_room()
            if jobs := ", ".join(jobs_of(self._old)):
                message = f"a job would be lost: let it end, or end it: {jobs}"
                raise OperationRefusedError(message, call="handover")
            self._book.begin(process=self._old.process, uri=self._host.uri())
            return self._go(Way.HANDOVER)

    def _expect_room(self) -> None:
        """Raise OperationRefusedError where libvirt has another domain, or this one already runs."""
        self._new.expect_its_own(self._record.xml)
        self._new.expect_no_other()
        state = self._new.state()
        if state is not Target.ABSENT:
            message = f"expected no domain {self._record.instance} that is active, found one that is {state}"
            raise OperationRefusedError(message, call="handover")

    def finish(self, wish: Wish) -> Done:
        """End what was cut short. Raises OperationRefusedError with what is to be done."""
        with self._tools.lock(self._record.uuid):
            before, self._book.record = self._record, self._journal.read()
            if (before.qmp, before.process) != (self._record.qmp, self._record.process):
                raise OperationRefusedError(
                    "another handover has begun meanwhile: call again", call="journal"
                )
            self._expect_same_libvirt()
            while True:
                told = verdict(self._record.decision, wish, self._seen())
                if told.way is None:
                    raise OperationRefusedError(told.reason, call=f"--{wish}")
                done = self._go(told.way)
                if told.way is not Way.WAIT:
                    return done

    def _expect_same_libvirt(self) -> None:
        """Raise OperationRefusedError for a libvirt that knows nothing of what was begun."""
        uri = self._host.uri()
        if self._record.uri not in {"", uri}:
            message = f"expected the libvirt that it went to, {self._record.uri}, found {uri}: give --connect"
            raise OperationRefusedError(message, call="journal")
        with suppress(ConnectionFailedError):  # the verdict says what to do then
            self._new.expect_no_other()

    @property
    def _record(self) -> Record:
        return self._book.record

    def _seen(self) -> Seen:
        return Seen(self._old.state(), self._new.state())

    def _go(self, way: Way) -> Done:
        try:
            for name in WAYS[way]:
                self._do(name)
        except BaseException as exc:
            self._fail(way, exc)
            raise
        return self._done()

    def _done(self) -> Done:
        seen = self._seen()
        runs = {Source.RUNS: "ganeti", Source.REPLACED: "ganeti"}.get(seen.source)
        if seen.target is Target.UNKNOWN and self._record.decision is Decision.RAN:
            self._differences += ("libvirt: it was seen to run there, and libvirt does not answer any more",)
            runs = runs or "libvirt"
        return Done(
            instance=self._record.instance,
            runs=runs or ("libvirt" if seen.target is Target.RUNS else "nowhere"),
            pause_ms=None if self._pause is None else round(self._pause * 1000, 1),
            seconds=round(time.monotonic() - self._began, 3),
            differences=self._differences,
            removed=self._removed,
        )

    def _do(self, name: Name) -> None:
        row = ACTIONS[name]
        if row.decides is not None and row.decides is self._record.decision:
            return
        self._tools.moment(f"before {name}")
        seen = self._seen()
        if seen.source not in row.source or seen.target not in row.target:
            raise LiveError(
                f"{row.does}: not now: the old QEMU is {seen.source}, that of libvirt {seen.target}",
                call=name,
            )
        if row.decides is not None:
            self._book.decide(row.decides)
        else:
            self._work[name]()
        self._tools.moment(f"after {name}")

    def _begin(self, name: Name, **fields: Any) -> None:
        """Write down that an action may have been done from now on."""
        self._book.write(begun=tuple(dict.fromkeys((*self._record.begun, name))), **fields)
        self._tools.moment(f"begun {name}")

    def _fail(self, way: Way, error: BaseException) -> None:
        """Go back if that is still possible; raise an error that says more where it is not."""
        if way in {Way.BACK, Way.WAIT} or self._record.decision is not Decision.OPEN:
            raise_with_more(error, kept(self._record.decision))
            return
        self._tools.moment(FAILED)
        try:
            told = self._way_back()
            if told.way is Way.BACK:
                for name in WAYS[Way.BACK]:
                    self._do(name)
            else:
                self._stay()
        except (VirtxlateError, OSError) as exc:
            raise_with_more(error, f"going back failed too ({exc}); the journal is kept: end it with --abort")
            return
        if told.way is not Way.BACK:
            raise_with_more(error, f"the journal is kept: {told.reason}")
            return
        goes_on = self._old.state() is Source.RUNS
        more = "the guest goes on under Ganeti" if goes_on else "the old QEMU has ended"
        raise_with_more(error, f"{more}{left(self._book.unwritable)}")

    def _way_back(self) -> Verdict:
        """Give what an abort would do, as soon as what is on its way has arrived or is lost."""
        while True:
            told = verdict(self._record.decision, Wish.ABORT, self._seen())
            if told.way is not Way.WAIT:
                return told
            self._settle()

    def _stay(self) -> None:
        """Let a guest that was not sent wholly run on where it is, while nobody answers for libvirt."""
        with suppress(LiveError):
            if self._old.is_moving():
                self._old("migrate_cancel")

    # What each action does.

    def _display(self) -> None:
        before = displays_of(self._old)
        if before:
            self._begin(Name.DISPLAY, displays=before)
            move_displays(self._old)

    def _define(self) -> None:
        found = self._host.find(self._record.uuid, self._record.instance)
        before = None if found is None else found.inactive_xml()
        self._secure = None if found is None else found.secure_xml()
        self._begin(Name.DEFINE, before=before, secret=self._secure != before)
        self._host.define(self._record.xml)

    def _transfer(self) -> None:
        before = manner_of(self._old)
        self._begin(Name.TRANSFER, manner=before)
        set_manner(self._old, self._tools.limits, before)
        self._before = glance(self._old)
        send(
            Sending(
                source=self._old,
                restore=self._host.restore,
                xml=self._record.xml,
                folder=self._journal.folder,
                limits=self._tools.limits,
                heard=self._tools.heard,
                moment=self._tools.moment,
            )
        )

    def _settle(self) -> None:
        settle(self._old, self._new, self._journal.folder / FIFO)

    def _compare(self) -> None:
        """Compare; where there is nothing to go back to, what differs is only told."""
        if self._before is None:
            if self._old.is_gone():
                return
            self._before = glance(self._old)
        if self._record.decision is Decision.OPEN and not self._old.is_gone():
            expect_whole(self._old)
        found = self._tools.judge(self._before, glance(self._new.domain().ask))
        if found and self._record.decision is Decision.OPEN and not self._old.is_gone():
            raise VerificationError(
                "the devices in libvirt's QEMU are not those of the guest", differences=found
            )
        self._differences = found

    def _run(self) -> None:
        try:
            self._new.domain().resume()
        except ConnectionFailedError:
            raise
        except LiveError:
            if self._book.wrote_forward and self._new.state() is Target.PAUSED:
                self._book.write(decision=Decision.OPEN)  # it answered no, and nobody else has asked
            raise
        if self._old.stopped_at is not None:
            self._pause = time.time() - self._old.stopped_at

    def _verify(self) -> None:
        try:
            live = self._new.domain().live_xml()
            asked, found = parse_domain(self._record.xml), parse_domain(live, [])
            self._differences += (*differences(asked, found), *self._tools.verify(live))
        except (VirtxlateError, OSError) as exc:  # the guest runs: what cannot be read stops nothing
            self._differences += (str(exc),)

    def _quit(self) -> None:
        if self._old.is_gone():
            return
        with suppress(LiveError):  # it may hang up before it has answered
            self._old("quit")
        until = time.monotonic() + _END_S
        turn = threading.Event()
        while not self._old.is_gone():
            if time.monotonic() > until:
                raise LiveError("the old QEMU does not end; its guest stands still", call="quit")
            turn.wait(_TURN_S)

    def _connect(self) -> None:
        if not self._record.connections:
            return
        try:
            live = self._new.domain().live_xml()
            self._differences += connect_taps(self._record.connections, live)
        except VirtxlateError as exc:  # the guest has ended meanwhile, for one
            self._differences += (f"no tap was connected: {exc}",)

    def _start(self) -> None:
        self._host.define(self._record.xml).start()

    def _release(self) -> None:
        self._removed = remove_files(self._record.files, self._journal.kept)

    def _end_target(self) -> None:
        if self._old.state() is Source.MOVING:
            with suppress(LiveError):
                self._old("migrate_cancel")
        give_back(self._old)
        self._new.end((self._journal.folder / FIFO, self._journal.folder / IMAGE))
        self._book.clear()
        self._settle()

    def _wake(self) -> None:
        if self._old.state() is not Source.STOPPED:
            return
        self._old("cont")
        if self._old.state() is not Source.RUNS:
            raise LiveError("the old QEMU does not let its guest go on", call="cont")

    def _undo(self) -> None:
        undo: dict[Name, Callable[[], None]] = {
            Name.TRANSFER: self._put_manner_back,
            Name.DEFINE: self._undefine,
            Name.DISPLAY: self._put_back,
        }
        for name in UNDONE:
            if name in self._record.begun:
                undo[name]()
                self._book.write(begun=tuple(each for each in self._record.begun if each is not name))

    def _undefine(self) -> None:
        if self._record.before is not None:
            self._host.define(self._secure or self._record.before)
            if self._record.secret and self._secure is None:
                self._differences += ("definition: the password of its display is lost: set it again",)
            return
        with suppress(DomainNotFoundError):
            self._new.domain().undefine()

    def _put_manner_back(self) -> None:
        if self._record.manner is not None and not self._old.is_gone():
            put_manner_back(self._old, self._record.manner)

    def _put_back(self) -> None:
        if not self._old.is_gone():
            put_back(self._old, self._record.displays)
