"""A domain that behaves like libvirt's, and misbehaves in every way that libvirt, QEMU and guests do.

Its documents are real; events go through real waiters; time passes only when somebody waits.
"""

from __future__ import annotations

import threading
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn

import msgspec
from lxml import etree

from tests.hotplug.fake_clock import Action, FakeClock
from tests.hotplug.fake_document import (
    INTERNAL,
    INVALID,
    INVALID_ARG,
    NO_DOMAIN,
    QEMU,
    Document,
    attribute,
    refusal,
)
from virtxlate.errors import ConnectionFailedError
from virtxlate.live.port import DomainState, Outcome
from virtxlate.live.waiters import Waiter, Waiters

GIB = 1 << 30
LIBVIRT_WAITS = 5.0
"""Seconds that libvirt waits for a guest in detachDeviceFlags; then it says yes, whatever became of it."""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a guest does when it is asked to release a device."""

    after: float | None = 0.1
    """Seconds; None: it never answers; 0: before the call returns."""
    refuses: bool = False
    silently: bool = False
    """The event is lost."""


PROMPT = Answer()
AT_ONCE = Answer(after=0)
NEVER = Answer(after=None)
REFUSES = Answer(refuses=True)
EVENT_LOST = Answer(silently=True)


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """What happens around one call."""

    before: Callable[[FakeDomain], object] = lambda _domain: None
    between: Callable[[FakeDomain], object] = lambda _domain: None
    """After the running guest was changed, before its definition was."""
    after: Callable[[FakeDomain], object] = lambda _domain: None
    skips: bool = False
    """Libvirt says yes, and does nothing."""


class FakeDomain:
    """See live.port.HotplugPort. ``calls`` are those that change something, ``sent`` their XML."""

    def __init__(
        self,
        xml: str,
        *,
        waiters: Waiters | None = None,
        running: bool = True,
        persistent: bool = True,
        deliver: Callable[[Action], None] = lambda tell: tell(),
    ) -> None:
        self.config: Document | None = Document(xml, live=False)
        self.config.settle()
        self.name = self.config.root.findtext("name") or ""
        self.uuid = (self.config.root.findtext("uuid") or "").lower()
        self.live: Document | None = None
        self.waiters = Waiters() if waiters is None else waiters
        self.clock, self._deliver = FakeClock(), deliver
        self.calls: list[str] = []
        self.sent: list[str] = []
        self.sizes: dict[str, int] = {}
        self.answer = PROMPT
        self.answers: defaultdict[str, deque[Answer]] = defaultdict(deque)
        """By alias; each ask takes one, then ``answer`` counts."""
        self.faults: defaultdict[str, deque[Fault]] = defaultdict(deque)
        """By the name of the call; each call takes one."""
        self.says_unplugging = False
        self.asked: set[str] = set()
        self.paused, self.gone = False, False
        self.busy: str | None = None
        self.version = 9_000_000
        self._down_until, self._id = -1.0, 0
        self._one_call = threading.RLock()
        if running:
            self.start()
        if not persistent:
            self.config = None

    # What happens to it

    def start(self, *, paused: bool = False) -> None:
        assert self.config is not None
        self.live, self.paused = Document(self.config.text(), live=True), paused
        self._id += 1
        self.live.root.set("id", str(self._id))
        self.live.settle()

    def stop(self) -> None:
        self.live = None
        self.asked.clear()
        self.tell(lambda: self.waiters.domain(self.uuid, Outcome.STOPPED))

    def restart(self) -> None:
        self.stop()
        self.start()

    def disappear(self) -> None:
        """Stop a transient domain, or undefine a stopped one."""
        self.stop()
        self.config, self.gone = None, True

    def lose_connection(self, seconds: float = float("inf"), call: str = "call") -> NoReturn:
        """Break the connection for that long, in the middle of a call."""
        self.break_connection(seconds)
        raise ConnectionFailedError("End of file while reading data (libvirt error 38)", call=call, code=38)

    def break_connection(self, seconds: float = float("inf")) -> None:
        """Break the connection for that long, while nobody calls."""
        self._down_until = self.clock() + seconds
        self.tell(lambda: self.waiters.everybody(Outcome.DISCONNECTED))

    def tell(self, action: Action) -> None:
        self._deliver(action)

    def somebody_else_attaches(self, xml: str, *, config: bool = False) -> None:
        for document in self._documents(live=self.live is not None, config=config):
            document.attach(xml)

    def let(self, call: str, fault: Fault, times: int = 1) -> None:
        """Let a fault happen around the next calls of that name."""
        self.faults[call].extend([fault] * times)

    # The port

    @contextmanager
    def _call(self, name: str, what: str, *, live: bool = False, config: bool = False) -> Iterator[Fault]:
        """Do what every call has in common; one call at a time."""
        with self._one_call:
            yield from self._called(name, what, live=live, config=config)

    def _called(self, name: str, what: str, *, live: bool, config: bool) -> Iterator[Fault]:
        self._check_connection(name)
        if name not in _ASKING:
            flags = "+".join(word for word, is_on in (("live", live), ("config", config)) if is_on)
            self.calls.append(f"{name} {what} {flags}".replace("  ", " ").rstrip())
        fault = self.faults[name].popleft() if self.faults[name] else Fault()
        fault.before(self)
        if self.gone:
            raise refusal(NO_DOMAIN, name, f"Domain not found: no domain with matching uuid '{self.uuid}'")
        if live and self.live is None:
            raise refusal(INVALID, name, "Requested operation is not valid: domain is not running")
        if config and self.config is None:
            message = "Requested operation is not valid: cannot modify device on transient domain"
            raise refusal(INVALID, name, message)
        yield fault
        fault.after(self)

    def _check_connection(self, name: str) -> None:
        if self.clock() < self._down_until:
            raise ConnectionFailedError("Failed to connect socket (libvirt error 38)", call=name, code=38)

    def _documents(self, *, live: bool, config: bool) -> list[Document]:
        chosen = ((self.live, live), (self.config, config))
        return [document for document, is_on in chosen if is_on and document is not None]

    def is_active(self) -> bool:
        with self._call("isActive", ""):
            return self.live is not None

    def inactive_xml(self) -> str:
        with self._call("inactiveXML", ""):
            document = self.config if self.config is not None else self.live
            assert document is not None
            return document.text()

    def live_xml(self) -> str:
        with self._call("XMLDesc", ""):
            document = self.live if self.live is not None else self.config
            assert document is not None
            return document.text()

    def state(self) -> DomainState:
        with self._call("state", ""):
            active = self.live is not None
            return DomainState(active=active, paused=active and self.paused)

    def is_persistent(self) -> bool:
        with self._call("isPersistent", ""):
            return self.config is not None

    def job(self) -> str | None:
        with self._call("jobStats", ""):
            return self.busy if self.live is not None else None

    def libvirt_version(self) -> int:
        return self.version

    def attach(self, xml: str, *, live: bool, config: bool) -> None:
        with self._call("attach", _label(xml), live=live, config=config) as fault:
            self.sent.append(xml)
            if fault.skips:
                return
            self._both(lambda document: document.attach(xml), fault, live=live, config=config)

    def _both(self, change: Callable[[Document], object], fault: Fault, *, live: bool, config: bool) -> None:
        """Change the definition in mind, then the guest, then save the definition, as libvirt does."""
        prepared = None
        if config:
            assert self.config is not None
            prepared = Document(self.config.text(), live=False)
            change(prepared)
        if live:
            assert self.live is not None
            change(self.live)
        fault.between(self)
        if prepared is not None:
            self.config = prepared

    def detach(self, xml: str, *, live: bool, config: bool) -> None:
        with self._call("detach", _label(xml), live=live, config=config) as fault:
            self.sent.append(xml)
            if fault.skips:
                return
            found = [(each, each.detach(xml)) for each in self._documents(live=live, config=config)]
            fault.between(self)
            for document, element in reversed(found):
                if document is not self.live:
                    document.take_out(element)
                    continue
                self._ask(element)
                if element.getparent() is not None:
                    self.clock.advance(LIBVIRT_WAITS)

    def detach_alias(self, alias: str) -> None:
        with self._call("detachAlias", alias, live=True) as fault:
            assert self.live is not None
            if fault.skips:
                return
            element = self.live.by_alias(alias)
            if element is None:
                message = f"internal error: no device found with alias {alias}"
                raise refusal(INTERNAL, "detachDeviceAlias", message)
            self.live.detach(Document.text_of(element))
            if alias in self.asked and self.says_unplugging:
                message = f"Device {alias} is already in the process of unplug"
                raise refusal(INTERNAL, "detachDeviceAlias", f"{QEMU} 'device_del': {message}")
            self._ask(element)

    def _ask(self, element: etree._Element) -> None:
        """Ask the guest."""
        alias = attribute(element, "alias/@name") or ""
        answers = self.answers[alias]
        answer = answers.popleft() if answers else self.answer
        self.asked.add(alias)
        if answer.after == 0:
            self._answer(element, answer)
        elif answer.after is not None:
            self.clock.later(answer.after, lambda: self._answer(element, answer))

    def _answer(self, element: etree._Element, answer: Answer) -> None:
        if self.live is None or element.getparent() is not self.live.devices:
            return
        alias = attribute(element, "alias/@name") or ""
        self.asked.discard(alias)
        if not answer.refuses:
            self.live.take_out(element)
        outcome = Outcome.REFUSED if answer.refuses else Outcome.REMOVED
        if not answer.silently and self.clock() >= self._down_until:
            self.tell(lambda: self.waiters.device(self.uuid, alias, outcome))

    def release(self, alias: str) -> None:
        """Let the guest release a device now, of itself or late."""
        assert self.live is not None
        element = self.live.by_alias(alias)
        assert element is not None
        self._answer(element, AT_ONCE)

    def update(self, xml: str, *, live: bool, config: bool) -> None:
        with self._call("update", _label(xml), live=live, config=config) as fault:
            self.sent.append(xml)
            if not fault.skips:
                self._both(lambda document: document.update(xml), fault, live=live, config=config)

    def resize(self, target: str, size: int) -> None:
        with self._call("resize", f"{target} {size}", live=True) as fault:
            assert self.live is not None
            if not self.live.has_disk(target):
                message = f"invalid argument: invalid path: {target}"
                raise refusal(INVALID_ARG, "blockResize", message)
            if not fault.skips:
                self.sizes[target] = size

    def disk_size(self, target: str) -> int:
        with self._call("blockInfo", target, live=True):
            assert self.live is not None
            if not self.live.has_disk(target):
                raise refusal(INVALID_ARG, "blockInfo", f"invalid argument: invalid path {target}")
            return self.sizes.get(target, GIB)

    def set_metadata(self, text: str | None, *, live: bool, config: bool) -> None:
        with self._call("metadata", "", live=live, config=config) as fault:
            if not fault.skips:
                self._both(lambda document: document.set_metadata(text), fault, live=live, config=config)

    @contextmanager
    def removal(self, alias: str) -> Iterator[FakeWaiter]:
        with self.waiters.waiting(self.uuid, alias) as waiter:
            yield FakeWaiter(self.clock, waiter)


_ASKING = frozenset({"isActive", "inactiveXML", "XMLDesc", "state", "isPersistent", "jobStats", "blockInfo"})


class FakeWaiter:
    """A real waiter in fake time."""

    def __init__(self, clock: FakeClock, waiter: Waiter) -> None:
        self._clock, self._waiter = clock, waiter

    def wait(self, timeout: float) -> Outcome | None:
        return self._clock.wait(self._waiter, timeout)


def _label(xml: str) -> str:
    """Give what a call is about: alias, or target, MAC, controller."""
    element = Document.parsed(xml)
    if element.tag == "controller":
        return f"{element.get('type')}-controller-{element.get('index')}"
    names = ("alias/@name", "target/@dev", "mac/@address")
    return next((found for name in names if (found := attribute(element, name))), str(element.tag))
