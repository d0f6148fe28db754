"""What a running QEMU of Ganeti says becomes a domain with the same machine, and a wrong domain is found."""

from __future__ import annotations

import uuid
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from lab.ganeti_judge import prepare
from lab.ganeti_qemu import ganeti_qemu
from lab.hardware_cases import CDROM1, CDROM2, FLOPPY
from lab.newer import newer_start
from lab.recording import change_media, plug_disk
from lab.twins import KERNEL, Twins, instance_of
from tests.live.wrong_domains import WRONG, Wrong
from virtxlate import Context, Renames, Report, format_domain
from virtxlate.handover.check import Checked, check
from virtxlate.handover.differences import Meaning
from virtxlate.handover.facts import running
from virtxlate.handover.look_host import Look
from virtxlate.handover.room import with_room
from virtxlate.hardware.facts import Tap
from virtxlate.hardware.inspect import inspect
from virtxlate.live.connection import LibvirtHost
from virtxlate.translate.running.whole import to_domain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.embedded import EmbeddedLibvirt
    from lab.ganeti_judge import Verdict
    from lab.guest import GuestFiles
    from virtxlate.domain.model import Domain
    from virtxlate.hardware.facts import Facts
    from virtxlate.translate.running.facts import Running

pytestmark = [pytest.mark.live, pytest.mark.timeout(300)]

SCSI = {"disk_type": "scsi-hd"}
OLD: dict[str, tuple[dict[str, Any], dict[str, int]]] = {
    "usual": ({}, {}),
    "many": ({"vga": "cirrus", "kvm_pci_reservations": 9}, {"disks": 4, "nics": 3, "vcpus": 4}),
    "lsi, floppy": ({**SCSI, "floppy_image_path": FLOPPY}, {"disks": 2}),
    "megasas, no serial port": ({**SCSI, "scsi_controller_type": "megasas", "serial_console": False}, {}),
    "virtio-scsi, CD-ROMs as SCSI disks": (
        {"disk_type": "scsi-cd", "scsi_controller_type": "virtio-scsi-pci"},
        {"disks": 2},
    ),
    "dc390": ({**SCSI, "scsi_controller_type": "dc390", "nic_type": "i82551"}, {}),
    "ide": ({"disk_type": "ide", "nic_type": "rtl8139"}, {"disks": 3}),
    "ide, CD-ROMs": (
        {"disk_type": "ide", "cdrom_image_path": CDROM1, "cdrom2_image_path": CDROM2},
        {"disks": 2},
    ),
    "e1000, old machine, booting from the network": (
        {"nic_type": "e1000", "machine_version": "pc-i440fx-2.1", "boot_order": "network"},
        {},
    ),
    "paravirtual CD-ROMs": (
        {"cdrom_image_path": CDROM1, "cdrom2_image_path": CDROM2, "boot_order": "cdrom"},
        {},
    ),
    "VNC, CPU flags": ({"vnc_bind_address": "127.0.0.1", "cpu_type": "Nehalem,+pcid,-sse4.2"}, {}),
    "SPICE, HDA, guest agent": (
        {"spice_bind": "127.0.0.1", "soundhw": "hda", "use_guest_agent": True},
        {"vcpus": 2},
    ),
    "qxl, keyboards": ({"vga": "qxl", "usb_mouse": "mouse", "usb_devices": "keyboard,tablet"}, {}),
    "no ACPI, no display, AC97": ({"acpi": False, "vga": "none", "soundhw": "ac97"}, {}),
    "watchdog, randomness": (
        {"kvm_extra": "-device i6300esb,addr=0x8 -device virtio-rng-pci,addr=0x7", "soundhw": "es1370"},
        {},
    ),
    "a kernel, threads": (
        {"kernel_path": KERNEL, "cpu_cores": 2, "cpu_threads": 2, "cpu_type": "Haswell"},
        {"vcpus": 4},
    ),
    "no header of the tap": ({"vnet_hdr": False, "disk_cache": "writethrough"}, {}),
    "nothing": ({"vga": "virtio", "soundhw": "sb16"}, {"disks": 0, "nics": 0}),
}
NEW: dict[str, tuple[dict[str, Any], dict[str, int]]] = {
    "no cache": ({"disk_cache": "none"}, {}),
    "many": ({"vga": "vmware"}, {"disks": 4, "nics": 3, "vcpus": 3}),
    "lsi, SMBIOS": ({**SCSI, "kvm_extra": "-smbios type=1,manufacturer=Acme"}, {"disks": 2}),
    "virtio-scsi": ({**SCSI, "scsi_controller_type": "virtio-scsi-pci"}, {"disks": 2}),
    "ide, on the second channel": ({"disk_type": "ide"}, {"disks": 2}),
    "CD-ROM, floppy": (
        {"cdrom_image_path": CDROM1, "cdrom_disk_type": "ide", "floppy_image_path": FLOPPY},
        {},
    ),
    "VNC, CPU flags": ({"vnc_bind_address": "127.0.0.1", "cpu_type": "Nehalem,+pcid,-sse4.2"}, {}),
    "SPICE, write through": ({"spice_bind": "127.0.0.1", "disk_cache": "writethrough"}, {}),
}
LISTED = {
    "usb",
    "dump-guest-core",
    "strict",
    "order",
    "bootindex",
    "csum",
    *(f"{side}_{name}" for side in ("host", "guest") for name in ("csum", "tso4", "tso6", "ecn", "ufo")),
}
"""What may differ, none of it seen by a guest that goes on; `csum` and the rest only without the header."""


@pytest.fixture(scope="module")
def twins(libvirt_host: EmbeddedLibvirt, bridge_name: str, guest_files: GuestFiles) -> Iterator[Twins]:
    # a short path: it is part of those of sockets
    with TemporaryDirectory(prefix="vxt-", dir="/tmp") as folder:
        yield Twins(host=libvirt_host, bridge=bridge_name, folder=Path(folder), kernel=guest_files.kernel)


def taps_for(twins: Twins, facts: Facts, *, vnet_hdr: bool = True) -> dict[str, Tap]:
    return {name: Tap(name=name, vnet_hdr=vnet_hdr, bridge=twins.bridge) for name in facts.nets}


def reproduced(twins: Twins, found: Running) -> str:
    return format_domain(with_room(domain_of(twins, found), Report()))


def domain_of(twins: Twins, found: Running) -> Domain:
    context = Context(renames=Renames({"bridges": {"br0": twins.bridge}}), metadata=False)
    return to_domain(found, context, Report())


def checked(twins: Twins, found: Running, text: str) -> Checked:
    with TemporaryDirectory(prefix="vxs-", dir=twins.folder) as scratch:
        Path(scratch).chmod(0o711)
        return check(
            found,
            text,
            LibvirtHost(twins.host.connection),
            scratch=Path(scratch),
            uuid=str(uuid.uuid4()),
            surroundings=Look(),
        )


def differing(report: Checked) -> set[str]:
    return {each.difference.what for each in report.differences}


def told(report: Checked) -> list[str]:
    return [str(each) for each in report.findings if each.meaning is Meaning.FATAL]


@pytest.fixture(scope="module")
def verdicts(twins: Twins) -> dict[str, Verdict]:
    """Ganeti's own word on each case."""
    asked = [twins.request(instance_of(hvparams, **counts)) for hvparams, counts in OLD.values()]
    return dict(zip(OLD, prepare().run(asked), strict=True))


@pytest.mark.parametrize("name", OLD)
def test_a_qemu_of_ganeti_3_0_is_read_and_reproduced(
    name: str, twins: Twins, verdicts: dict[str, Verdict]
) -> None:
    hvparams, counts = OLD[name]
    instance, verdict = instance_of(hvparams, **counts), verdicts[name]
    twins.request(instance)
    with ganeti_qemu(verdict.cmd, twins.folder, vnet_hdr=instance.hvparams.vnet_hdr) as ask:
        facts = inspect(ask)
    runtime = str(verdict.runtime).encode()
    taps = taps_for(twins, facts, vnet_hdr=instance.hvparams.vnet_hdr)
    found = running(facts, taps=taps, runtime=runtime, command=verdict.cmd)
    report = checked(twins, as_if_running(found), reproduced(twins, found))
    assert (told(report), differing(report) - LISTED) == ([], set())
    assert report.is_safe
    alone = running(facts, taps=taps)
    assert devices_of(twins, alone) == devices_of(twins, found)


@pytest.mark.parametrize("name", NEW)
def test_a_qemu_of_the_shape_of_ganeti_3_2_is_read_without_a_file(name: str, twins: Twins) -> None:
    hvparams, counts = NEW[name]
    instance = instance_of(hvparams, version=3_020_000, **counts)
    twins.request(instance)
    start = newer_start(twins.here(instance))
    with ganeti_qemu(start.cmd, twins.folder) as ask:
        facts = inspect(ask)
    found = running(facts, taps=taps_for(twins, facts), command=start.cmd)
    report = checked(twins, as_if_running(found), reproduced(twins, found))
    assert (told(report), differing(report) - LISTED) == ([], set())


def test_what_changed_while_it_ran_is_reproduced(twins: Twins) -> None:
    """Another disc, no floppy, and a disk that was plugged in after the start."""
    images = {"cdrom_image_path": CDROM1, "cdrom_disk_type": "ide", "floppy_image_path": FLOPPY}
    (verdict,) = prepare().run([twins.request(instance_of(images))])
    plugged = "disk-0000000f-d15c-4000"
    with ganeti_qemu(verdict.cmd, twins.folder) as ask:
        change_media(ask, twins.folder)
        plug_disk(ask, twins.folder, plugged)
        facts = inspect(ask)
    runtime = str(verdict.runtime).encode()
    found = running(facts, taps=taps_for(twins, facts), runtime=runtime, command=verdict.cmd)
    report = checked(twins, as_if_running(found), reproduced(twins, found))
    assert (told(report), differing(report) - LISTED) == ([], set())
    disks = {each.target: each for each in domain_of(twins, found).devices.disks}
    sources = {name: disk.source and Path(str(disk.source.file)).name for name, disk in disks.items()}
    assert sources == {"vda": "disk0", "vdb": "plugged", "hda": "cdrom2.iso", "fda": None, "hdc": None}
    assert disks["vdb"].alias == f"ua-{plugged}"


def as_if_running(found: Running) -> Running:
    """The guest of a lab does not run; a check wants one that does."""
    return msgspec.structs.replace(found, facts=msgspec.structs.replace(found.facts, status="running"))


def devices_of(twins: Twins, found: Running) -> list[tuple[Any, ...]]:
    """Kind and place of each device, whoever told it."""
    made = domain_of(twins, found).devices
    return [
        (name, getattr(each, "address", None))
        for name in ("controllers", "disks", "interfaces", "inputs", "sounds", "videos", "rngs", "watchdogs")
        for each in sorted(getattr(made, name), key=lambda each: str(each.address))
    ]


SPOILT: dict[str, tuple[dict[str, Any], dict[str, int]]] = {
    "rich": ({"use_guest_agent": True, "kernel_path": KERNEL, "vga": "std"}, {"vcpus": 2, "disks": 2}),
    "drives": ({"disk_type": "ide", "cdrom_image_path": CDROM1}, {}),
}


@pytest.fixture(scope="module")
def right(twins: Twins) -> dict[str, tuple[Running, str]]:
    """Two running instances, and the right domain of each."""
    asked = [twins.request(instance_of(hvparams, **counts)) for hvparams, counts in SPOILT.values()]
    found = {}
    for name, verdict in zip(SPOILT, prepare().run(asked), strict=True):
        with ganeti_qemu(verdict.cmd, twins.folder) as ask:
            facts = inspect(ask)
        runtime = str(verdict.runtime).encode()
        told_all = running(facts, taps=taps_for(twins, facts), runtime=runtime, command=verdict.cmd)
        found[name] = as_if_running(told_all), reproduced(twins, told_all)
    return found


@pytest.mark.parametrize("name", SPOILT)
def test_the_right_domain_is_safe(name: str, twins: Twins, right: dict[str, tuple[Running, str]]) -> None:
    found, text = right[name]
    report = checked(twins, found, text)
    assert (told(report), report.is_safe) == ([], True)


CPUS = {
    "KVM hidden": Wrong(find="<acpi/>", put='<acpi/><kvm><hidden state="on"/></kvm>', told="cpu kvm"),
    "Hyper-V": Wrong(
        find="<acpi/>", put='<acpi/><hyperv><relaxed state="on"/></hyperv>', told="cpu hv-relaxed"
    ),
    "no cache of the third level": Wrong(
        find="(<topology [^>]*/>)", put=r'\1<cache mode="disable"/>', told="cpu l3-cache"
    ),
}
"""What no feature word tells."""


@pytest.mark.parametrize("name", [*WRONG, *CPUS])
def test_a_wrong_domain_is_found_before_anything_moves(
    name: str, twins: Twins, right: dict[str, tuple[Running, str]]
) -> None:
    wrong: Wrong = {**WRONG, **CPUS}[name]
    found, text = right["drives" if wrong.drives else "rich"]
    spoilt = wrong.spoil(text)
    assert spoilt != text
    report = checked(twins, found, spoilt)
    assert not report.is_safe
    assert any(wrong.told in each for each in told(report)), told(report)
