"""Whatever devices Ganeti gave an instance: it goes on in libvirt's QEMU with the same ones."""

from __future__ import annotations

import shutil
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest
from msgspec import structs

from lab.bootable import DISK_MIB, STORAGE, context_for
from lab.commands import run
from lab.counting import STEADY, Counting, bootable_whole, counting, let_run, successor
from lab.ganeti_judge import prepare
from lab.ganeti_qemu import ganeti_guest
from lab.guest import build_guest
from lab.handover_cases import COUNTED, IDLE, NEWER, Case
from lab.newer import newer_start
from lab.twins import NAME, Twins
from virtxlate.ganeti.model import Disk
from virtxlate.handover.differences import Meaning, fatal, judge
from virtxlate.handover.engine import Done, Engine, Tools
from virtxlate.handover.journal import Journal, Record
from virtxlate.handover.source import Old
from virtxlate.hardware.describe import describe
from virtxlate.hotplug.session import Hotplug
from virtxlate.live.connection import LibvirtHost
from virtxlate.live.qmp import open_qmp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lab.console import GuestConsole
    from lab.embedded import EmbeddedLibvirt
    from lab.ganeti_judge import Verdict
    from lab.guest import GuestFiles
    from virtxlate.ganeti.model import Instance
    from virtxlate.handover.transfer import Method

pytestmark = [pytest.mark.live, pytest.mark.timeout(120)]

HERE, THERE = "192.0.2.1", "192.0.2.2"
BEFORE, AFTER = "written under Ganeti", "written under libvirt"
FEWEST = 25
UUID = "11111111-2222-4333-8444-555555555555"
NEW = Disk(
    uuid="000000ee-d15c-4000-8000-000000000000",
    template="file",
    size_mib=DISK_MIB,
    logical_id=("loop", f"{STORAGE}/{NAME}/disk0-new"),
)
HARDWARE = r"""
for each in /sys/bus/pci/devices/*; do
    echo "${each##*/} $(od -An -v -tx1 -N4 "$each/config") $(od -An -v -tx1 -j8 -N56 "$each/config")"
done
cat /sys/bus/usb/devices/*/product /sys/class/input/*/name /sys/class/virtio-ports/*/name 2>/dev/null
grep -E 'processor|model name|flags|cores|siblings' /proc/cpuinfo
"""
"""The first word of each line of the PCI part is read from the hardware anew, by whoever asks."""


@pytest.fixture(scope="module")
def twins(libvirt_host: EmbeddedLibvirt, guest_files: GuestFiles, bridge_name: str) -> Iterator[Twins]:
    run("ip", "address", "replace", f"{HERE}/24", "dev", bridge_name)
    # a short path: it is part of those of sockets
    with TemporaryDirectory(prefix="vxt-", dir="/tmp") as folder:
        yield Twins(host=libvirt_host, bridge=bridge_name, folder=Path(folder), kernel=guest_files.kernel)


def whole(case: Case) -> Instance:
    """The instance as it is started."""
    return case.instance if case.flavour is None else bootable_whole(case.instance, build_guest(case.flavour))


@pytest.fixture(scope="module")
def starts(twins: Twins) -> dict[str, Any]:
    """What is started for each case, by Ganeti's own word where it has that shape."""
    every = {**COUNTED, **IDLE}
    old = {name: whole(case) for name, case in every.items() if case.version != NEWER}
    verdicts: dict[str, Verdict] = dict(
        zip(old, prepare().run([twins.request(each) for each in old.values()]), strict=True)
    )
    assert {name: verdict.error for name, verdict in verdicts.items() if verdict.error} == {}
    return verdicts


def start(twins: Twins, starts: dict[str, Any], name: str, instance: Instance) -> Any:
    """Fresh images, and what is started with them."""
    shutil.rmtree(twins.folder / NAME, ignore_errors=True)
    (twins.folder / "plugged").unlink(missing_ok=True)
    twins.request(instance)
    return starts.get(name) or newer_start(twins.here(instance))


@pytest.fixture(scope="module")
def host(twins: Twins) -> LibvirtHost:
    """One for all: a connection is listened to once."""
    return LibvirtHost(twins.host.connection)


def hand_over(host: LibvirtHost, folder: Path, qmp: Path, xml: str, method: Method = "live") -> Done:
    record = Record(instance=NAME, uuid=UUID, xml=xml, qmp=str(qmp))
    tools = Tools(judge=fatal, limits=structs.replace(STEADY, method=method))
    with Old(qmp, open_qmp) as old:
        return Engine(host, old, Journal(folder / "state", NAME), record, tools).hand_over()


def test_there_are_enough_combinations_and_each_adds_something() -> None:
    every = [*COUNTED.values(), *IDLE.values()]
    assert len(every) >= FEWEST
    assert len({case.adds for case in every}) == len(every)


@pytest.mark.parametrize("name", COUNTED)
def test_a_guest_counts_on_with_the_same_hardware(
    name: str, twins: Twins, host: LibvirtHost, starts: dict[str, Any]
) -> None:
    case = COUNTED[name]
    with ExitStack() as stack:
        guest = stack.enter_context(
            counting(
                twins,
                build_guest(case.flavour or "cloud"),
                case.instance,
                start=lambda _twins, instance: start(twins, starts, name, instance),
                change=case.change,
            )
        )
        stack.callback(twins.host.destroy_all)
        disks = written(guest)
        before = hardware(guest.line)
        guest.count()
        guest.listen(10)
        done = hand_over(host, twins.folder, guest.qemu.qmp, guest.xml, case.method)
        line = guest.connected()
        heard = guest.listen(20)
        assert heard == list(range(1, len(heard) + 1))
        assert (done.runs, done.differences) == ("libvirt", ())
        guest.be_silent()
        assert hardware(line) == before
        run("busybox", "ping", "-c", "1", "-W", "2", THERE)
        assert [read(line, disk, 7) for disk in disks] == [f"{BEFORE} {disk}" for disk in disks]
        for disk in disks:
            write(line, disk, 9, f"{AFTER} {disk}")
        assert images_with(twins, AFTER) == len(disks)
        (twins.folder / NAME / "disk0-new").write_bytes(bytes(DISK_MIB << 20))
        devices_come_and_go(host, twins, line, case)


def devices_come_and_go(host: LibvirtHost, twins: Twins, line: GuestConsole, case: Case) -> None:
    """What Ganeti had attached is unplugged, and a disk is plugged in; the guest shows it."""
    domain = host.domain(NAME)
    assert domain is not None
    plug = Hotplug(domain, context=context_for(twins.folder, {"br0": twins.bridge}))
    for kind, which in case.leaves:
        seen: Any = line.disks if kind == "disk" else line.nics
        before = len(seen())
        plug.remove(kind, which)
        await_number(line, seen, before - 1)
    if case.leaves:
        before = len(line.disks())
        plug.add_disk(NEW)
        await_number(line, line.disks, before + 1)


def await_number(line: GuestConsole, seen: Callable[[], tuple[Any, ...]], number: int) -> None:
    line.wait_for(seen, lambda now: len(now) == number)


def hardware(line: GuestConsole) -> tuple[Any, ...]:
    """All that the guest can say of it."""
    return line.pci_devices(), line.nics(), line.disks(), line.run(HARDWARE)


def written(guest: Counting) -> list[str]:
    """Give the disks, something written on each; the first NIC has an address."""
    guest.line.run(f"ip link set eth0 up; ip address add {THERE}/24 dev eth0")
    disks = [each.name for each in guest.line.disks() if not each.read_only and not each.removable]
    assert disks
    for disk in disks:
        write(guest.line, disk, 7, f"{BEFORE} {disk}")
    return disks


def write(line: GuestConsole, disk: str, sector: int, text: str) -> None:
    line.run(f"printf '{text}' | dd of=/dev/{disk} bs=512 seek={sector} conv=fsync 2>/dev/null")


def read(line: GuestConsole, disk: str, sector: int) -> str:
    """What the disk itself has, not what the guest remembers of it."""
    return line.run(
        "echo 3 >/proc/sys/vm/drop_caches; "
        f"dd if=/dev/{disk} bs=512 skip={sector} count=1 2>/dev/null | tr -d '\\000'"
    )


def images_with(twins: Twins, text: str) -> int:
    """How many files of this host hold what the guest wrote."""
    files = [*(twins.folder / NAME).iterdir(), twins.folder / "plugged"]
    return sum(text.encode() in file.read_bytes() for file in files if file.exists())


@pytest.mark.parametrize("name", IDLE)
def test_a_machine_is_the_same_in_libvirts_qemu(
    name: str, twins: Twins, host: LibvirtHost, starts: dict[str, Any]
) -> None:
    instance = IDLE[name].instance
    verdict = start(twins, starts, name, instance)
    with ExitStack() as stack:
        qemu = stack.enter_context(ganeti_guest(verdict, twins.folder, vnet_hdr=instance.hvparams.vnet_hdr))
        stack.callback(twins.host.destroy_all)
        let_run(twins, qemu)
        xml = successor(twins, qemu, verdict.runtime)
        with open_qmp(qemu.qmp) as ask:
            before = describe(ask)
        done = hand_over(host, twins.folder, qemu.qmp, xml)
        assert (done.runs, done.differences) == ("libvirt", ())
        domain = host.domain(NAME)
        assert domain is not None
        after = describe(domain.ask)
        assert [str(each) for each in judge(before, after) if each.meaning is Meaning.FATAL] == []
        assert before.cpu == after.cpu
        assert qemu.process.wait(10) == 0
