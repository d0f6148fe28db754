"""A Ganeti instance under a real libvirt whose devices come and go, and what the guest says of them."""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from lab.bootable import STORAGE, bootable, context_for, make_images
from lab.console import GuestConsole
from lab.daemon import PrivateLibvirtd
from lab.embedded import EmbeddedLibvirt
from lab.guest import GuestFiles
from lab.running import RunningGuest, running_guest
from virtxlate import Context, Report, format_domain, parse_domain, place, to_domain
from virtxlate.domain import model as domain
from virtxlate.ganeti.model import Disk, Instance, Nic
from virtxlate.ganeti.params import HvParams
from virtxlate.hotplug.session import Done, Hotplug, Options
from virtxlate.hotplug.steps import line
from virtxlate.hotplug.whole import WholePlan
from virtxlate.live.connection import LibvirtHost, connect
from virtxlate.live.domain import LibvirtDomain

NAME = "hot1.example.com"
UUID = "22222222-2222-4333-8444-555555555555"


def disk(number: int, size_mib: int = 1) -> Disk:
    """Ganeti's disk of that number; its image is one that `write_image` makes."""
    return Disk(
        uuid=f"{number:08x}-d15c-4000-8000-000000000000",
        name=f"data{number}",
        template="file",
        size_mib=size_mib,
        logical_id=("loop", f"{STORAGE}/{NAME}/disk{number}"),
    )


def write_images(folder: Path, *disks: Disk) -> None:
    for each in disks:
        make_images(msgspec.structs.replace(INSTANCE, disks=(each,)), folder, each.size_mib)


def nic(number: int, link: str = "br0") -> Nic:
    return Nic(
        uuid=f"{number:08x}-0000-4000-8000-000000000000",
        mac=f"aa:00:00:00:{number >> 8:02x}:{number & 255:02x}",
        mode="bridged",
        link=link,
    )


INSTANCE = Instance(
    name=NAME,
    uuid=UUID,
    disks=(disk(0, 16),),
    nics=(nic(0),),
    disk_template="file",
    hvparams=HvParams(machine_version="pc-i440fx-7.2", kernel_path="", vhost_net=False),
)


class SeenDisk(NamedTuple):
    """A disk as the guest sees it: PCI slot, then channel, target and LUN where there is a SCSI bus."""

    slot: str
    scsi: str | None
    mib: int
    read_only: bool = False


class SeenNic(NamedTuple):
    slot: str
    mac: str
    driver: str


class Seen(NamedTuple):
    disks: frozenset[SeenDisk]
    nics: frozenset[SeenNic]

    def and_disks(self, *more: SeenDisk) -> Seen:
        return self._replace(disks=self.disks | set(more))

    def and_nics(self, *more: SeenNic) -> Seen:
        return self._replace(nics=self.nics | set(more))


def seen(console: GuestConsole) -> Seen:
    """What the guest says; without drives of removable media."""
    return Seen(
        disks=frozenset(
            SeenDisk(
                str(each.pci_slot)[-4:],
                each.scsi_address.partition(":")[2] if each.scsi_address else None,
                each.size_bytes >> 20,
                each.read_only,
            )
            for each in console.disks()
            if not each.removable
        ),
        nics=frozenset(SeenNic(str(each.pci_slot)[-4:], each.mac, each.driver) for each in console.nics()),
    )


class Told(NamedTuple):
    """The disks and interfaces of a document, those with an alias of Ganeti's, by it."""

    disks: dict[str, domain.Disk]
    nics: dict[str, domain.Interface]


def told(xml: str) -> Told:
    devices = parse_domain(xml, []).devices
    return Told(
        {each.alias: each for each in devices.disks if each.alias and each.alias.startswith("ua-")},
        {each.alias: each for each in devices.interfaces if each.alias and each.alias.startswith("ua-")},
    )


@dataclass(frozen=True, kw_only=True)
class Plugged:
    """A running instance, and the two ways to look at it: libvirt's and its own."""

    guest: RunningGuest
    port: LibvirtDomain
    instance: Instance
    context: Context
    folder: Path

    def hotplug(self, **options: Any) -> Hotplug:
        """Give a session; its options are those of `Options`."""
        return Hotplug(self.port, context=self.context, options=Options(**options))

    def see(self, wanted: Seen) -> None:
        """Return when the guest sees exactly that; GuestSilentError tells what it sees instead."""
        self.guest.console.wait_for(functools.partial(seen, self.guest.console), wanted.__eq__)

    def live(self) -> Told:
        return told(self.guest.domain.XMLDesc(0))

    def config(self) -> Told:
        return told(self.guest.domain.XMLDesc(2))  # VIR_DOMAIN_XML_INACTIVE

    def kept(self) -> Instance:
        """Ganeti's data in the metadata."""
        snapshot = self.hotplug().read()
        assert snapshot.has_metadata
        return snapshot.instance

    def write_images(self, *disks: Disk) -> None:
        write_images(self.folder, *disks)

    def path_of(self, each: Disk) -> str:
        return f"{self.folder}/{str(each.logical_id[1]).removeprefix(f'{STORAGE}/')}"


class Asked:
    """A domain's port that tells when QEMU has been asked to release a device: see `as_port`."""

    def __init__(self, port: LibvirtDomain) -> None:
        self._port, self._asked = port, threading.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._port, name)

    def detach_alias(self, alias: str) -> None:
        self._port.detach_alias(alias)
        self._asked.set()

    def as_port(self) -> Any:
        """Give itself; what it hands on has no types."""
        return self

    def wait(self) -> None:
        assert self._asked.wait(30), "nobody has asked"


@contextmanager
def opened(host: EmbeddedLibvirt | PrivateLibvirtd, name: str = NAME) -> Iterator[LibvirtDomain]:
    """Give a domain; of a daemon on a connection as a program opens it. The lab runs the event loop."""
    if isinstance(host, EmbeddedLibvirt):
        found = LibvirtHost(host.connection).find("", name)
        assert found is not None
        yield found
        return
    with connect(host.uri, event_loop=False) as mine:
        found = mine.find("", name)
        assert found is not None
        yield found


@contextmanager
def plugged(
    host: EmbeddedLibvirt | PrivateLibvirtd,
    guest: GuestFiles,
    folder: Path,
    bridges: dict[str, str],
    *,
    persistent: bool = False,
    hvparams: Mapping[str, Any] | None = None,
) -> Iterator[Plugged]:
    """Boot an instance; `hvparams` are Ganeti's."""
    placed = place(bootable(INSTANCE, guest, **(hvparams or {})))
    write_images(folder, *placed.disks)
    context = context_for(folder, bridges)
    xml = format_domain(to_domain(placed, context, Report()))
    with running_guest(host, xml, persistent=persistent) as running, opened(host, placed.name) as port:
        yield Plugged(guest=running, port=port, instance=placed, context=context, folder=folder)


def lines(done: Done | WholePlan) -> list[str]:
    return [line(step) for step in done.steps]
