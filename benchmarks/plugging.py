"""One device comes and goes: by virtxlate, by the bare libvirt calls, by virsh; on a guest that answers."""

from __future__ import annotations

import subprocess
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Literal

import libvirt
import msgspec

from benchmarks.rooms import MissingError
from lab.bootable import STORAGE, bootable, context_for, make_images
from lab.console import GuestConsole
from lab.daemon import PrivateLibvirtd, private_libvirtd
from lab.guest import GuestFiles, build_guest
from lab.network import bridge
from lab.running import running_guest
from virtxlate import Context, Report, format_domain, place, to_domain
from virtxlate.ganeti.model import Disk, Instance, Nic
from virtxlate.ganeti.params import HvParams
from virtxlate.hotplug.session import Hotplug
from virtxlate.live.connection import connect

NAME = "bench1.example.com"
Way = Literal["ours", "bare", "virsh"]
WAYS: tuple[Way, ...] = ("ours", "bare", "virsh")


def _disk(number: int, size_mib: int) -> Disk:
    return Disk(
        uuid=f"0000000{number}-d15c-4000-8000-000000000000",
        template="file",
        size_mib=size_mib,
        logical_id=("loop", f"{STORAGE}/{NAME}/disk{number}"),
    )


def _nic(number: int) -> Nic:
    mac = f"aa:00:00:00:00:0{number}"
    return Nic(uuid=f"0000000{number}-0000-4000-8000-000000000000", mac=mac, mode="bridged", link="br0")


ON_SCSI = {"disk_type": "scsi-hd", "scsi_controller_type": "virtio-scsi-pci"}
INSTANCE = Instance(
    name=NAME,
    uuid="33333333-2222-4333-8444-555555555555",
    disks=(_disk(0, 16),),
    nics=(_nic(0),),
    disk_template="file",
    hvparams=HvParams(machine_version="pc-i440fx-7.2"),
)
DEVICES: dict[str, tuple[Disk | Nic, dict[str, str]]] = {
    "scsi-hd on virtio-scsi": (_disk(1, 1), ON_SCSI),
    "virtio-blk": (_disk(2, 1), {"disk_type": "paravirtual"}),
    "virtio-net": (_nic(3), {}),
}
"""What is plugged in, and Ganeti's parameters that make it that."""


class Took(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds of one call, and of the calls to libvirt below it: by name, the wait for an event too."""

    whole: float
    below: dict[str, float]
    calls: dict[str, int]


class TimedPort:
    """A domain's port that keeps the time of what is called on it; see live.port.HotplugPort."""

    def __init__(self, port: Any) -> None:
        self._port = port
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self.calls: Counter[str] = Counter()

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._port, name)
        return self._timed(name, found) if callable(found) else found

    def _timed(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*args: Any, **options: Any) -> Any:
            begun = time.perf_counter()
            try:
                return call(*args, **options)
            finally:
                self.seconds[name] += time.perf_counter() - begun
                self.calls[name] += 1

        return timed

    @contextmanager
    def removal(self, alias: str) -> Iterator[Any]:
        """Give a waiter whose waits are timed."""
        with self._port.removal(alias) as waiter:
            yield _TimedWaiter(self._timed("wait", waiter.wait))


class _TimedWaiter:
    def __init__(self, wait: Callable[..., Any]) -> None:
        self.wait = wait


class Guest:
    """A running guest, and the three ways to give it a device and to take it away."""

    def __init__(self, daemon: PrivateLibvirtd, domain: Any, port: Any, console: GuestConsole) -> None:
        self._uri, self._domain, self.console = daemon.uri, domain, console
        self.port = TimedPort(port)
        self._gone = threading.Event()
        domain.connect().domainEventRegisterAny(
            domain, libvirt.VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED, self._removed, None
        )

    def _removed(self, _connection: Any, _domain: Any, _alias: str, _opaque: Any) -> None:
        self._gone.set()

    def cycle(self, way: Way, session: Hotplug, device: Disk | Nic) -> tuple[Took, Took]:
        """Add and remove a device; give what each took. The guest has settled before each.

        The others attach the very text that virtxlate would.
        """
        steps = session.plan_disk(device) if isinstance(device, Disk) else session.plan_nic(device)
        xml = steps[-1].xml
        alias = f"ua-{'disk' if isinstance(device, Disk) else 'nic'}-{device.uuid[:18]}"
        before = self._sees()
        with tempfile.NamedTemporaryFile("w", suffix=".xml") as file:
            file.write(xml)
            file.flush()
            add = self._took(lambda: self._add(way, session, device, xml, file.name))
            self.console.wait_for(self._sees, lambda now: now > before)
            remove = self._took(lambda: self._remove(way, session, device, alias, file.name))
            self.console.wait_for(self._sees, before.__eq__)
        return add, remove

    def _sees(self) -> frozenset[str]:
        disks = {each.path for each in self.console.disks()}
        return frozenset(disks | {each.path for each in self.console.nics()})

    def _took(self, call: Callable[[], object]) -> Took:
        self.port.seconds.clear()
        self.port.calls.clear()
        begun = time.perf_counter()
        call()
        whole = time.perf_counter() - begun
        return Took(whole=whole, below=dict(self.port.seconds), calls=dict(self.port.calls))

    def _add(self, way: Way, session: Hotplug, device: Disk | Nic, xml: str, file: str) -> None:
        if way == "bare":
            self._domain.attachDeviceFlags(xml, libvirt.VIR_DOMAIN_AFFECT_LIVE)
        elif way == "virsh":
            self._virsh("attach-device", file)
        elif isinstance(device, Disk):
            session.add_disk(device)
        else:
            session.add_nic(device)

    def _remove(self, way: Way, session: Hotplug, device: Disk | Nic, alias: str, file: str) -> None:
        if way == "bare":
            self._gone.clear()
            self._domain.detachDeviceAlias(alias, libvirt.VIR_DOMAIN_AFFECT_LIVE)
            if not self._gone.wait(30):
                raise RuntimeError(f"the guest does not release {alias}")
        elif way == "virsh":
            self._virsh("detach-device", file)
        else:
            session.remove("disk" if isinstance(device, Disk) else "nic", device.uuid)

    def _virsh(self, verb: str, file: str) -> None:
        subprocess.run(
            ["virsh", "-c", self._uri, verb, self._domain.name(), file, "--live"],
            check=True,
            capture_output=True,
        )


@contextmanager
def two_guests() -> Iterator[tuple[Guest, Guest, Context]]:
    """Give a guest whose domain has virtxlate's metadata, one whose domain has none, and what both know.

    Raises MissingError where there is no libvirtd, QEMU or guest, or where we are not root.
    """
    with ExitStack() as stack:
        try:
            guests = _start(stack)
        except (OSError, RuntimeError, libvirt.libvirtError) as exc:
            raise MissingError(str(exc)) from exc
        yield guests


def _start(stack: ExitStack) -> tuple[Guest, Guest, Context]:
    files = build_guest("cloud")
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="vx-bench-")))
    context = context_for(folder, {"br0": stack.enter_context(bridge())})
    daemon = stack.enter_context(private_libvirtd())
    host = stack.enter_context(connect(daemon.uri, event_loop=False))
    for device, _hvparams in DEVICES.values():
        if isinstance(device, Disk):
            make_images(msgspec.structs.replace(INSTANCE, disks=(device,)), folder, device.size_mib)

    def guest(name: str, *, metadata: bool) -> Guest:
        known = msgspec.structs.replace(context, metadata=metadata)
        running = stack.enter_context(running_guest(daemon, _document(name, folder, files, known)))
        return Guest(daemon, running.domain, host.find("", name), running.console)

    return guest(NAME, metadata=True), guest("bare1.example.com", metadata=False), context


def _document(name: str, folder: Path, files: GuestFiles, context: Context) -> str:
    own = msgspec.structs.replace(
        INSTANCE,
        name=name,
        uuid=f"{len(name):08d}{INSTANCE.uuid[8:]}",
        disks=(msgspec.structs.replace(INSTANCE.disks[0], logical_id=("loop", f"{STORAGE}/{name}/disk0")),),
    )
    instance = place(bootable(own, files, **ON_SCSI))
    make_images(instance, folder)
    return format_domain(to_domain(instance, context, Report()))
