"""A libvirt that starts whatever it is given, and what a check says there of a QEMU that was recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.hardware.recorded import replayed
from virtxlate import Context, Report, format_domain
from virtxlate.errors import LiveError
from virtxlate.handover.check import Checked, check
from virtxlate.handover.differences import Meaning
from virtxlate.handover.look_host import Look
from virtxlate.handover.room import with_room
from virtxlate.translate.running.whole import to_domain

if TYPE_CHECKING:
    from pathlib import Path

    from virtxlate.translate.running.facts import Running

UUID = "00000000-0000-4000-8000-000000000001"
NIC = "nic-00000000-0000-4000"


class FakeDomain:
    """A domain whose QEMU says what one that was recorded said."""

    def __init__(self, name: str, uuid: str, *, active: bool = False) -> None:
        self.name, self.uuid, self.active, self.destroyed = name, uuid, active, False
        self.ask = replayed("plugged-3.2")

    def is_active(self) -> bool:
        return self.active

    def inactive_xml(self) -> str:
        raise NotImplementedError

    live_xml = inactive_xml

    def start(self, *, paused: bool = False) -> None:
        raise NotImplementedError

    def destroy(self) -> None:
        self.destroyed = True


class FakeHost:
    """A libvirt that starts whatever it is given, unless told not to."""

    def __init__(self) -> None:
        self.known: FakeDomain | None = None
        self.refuses: str | None = None
        self.started: list[tuple[str, FakeDomain]] = []

    def find(self, uuid: str, name: str) -> FakeDomain | None:
        del uuid, name
        return self.known

    def start_paused(self, xml: str) -> FakeDomain:
        if self.refuses is not None:
            raise LiveError(self.refuses, call="createXML")
        found = FakeDomain("x", UUID, active=True)
        self.started.append((xml, found))
        return found


def text_of(found: Running) -> str:
    return format_domain(with_room(to_domain(found, Context(metadata=False), Report()), Report()))


def checked(
    found: Running,
    root: Path,
    host: FakeHost | None = None,
    text: str | None = None,
    *,
    live: bool = False,
    pid: int | None = None,
    image: Path | None = None,
    ifup: str | None = None,
    journal: str = "",
) -> Checked:
    scratch = root / "scratch"
    scratch.mkdir(exist_ok=True)
    return check(
        found,
        text_of(found) if text is None else text,
        host or FakeHost(),
        scratch=scratch,
        uuid=UUID,
        surroundings=Look(root=root, live=live, pid=pid, image=image, ifup=ifup, journal=journal),
    )


def told(report: Checked, meaning: Meaning = Meaning.FATAL) -> list[tuple[str, str]]:
    return [(each.about, each.at) for each in report.findings if each.meaning is meaning]
