"""Every golden domain before libvirt and QEMU: accepted as it is, started with each device in its place."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from lab.iscsi import IscsiTarget, Lun, iscsi_target
from lab.qemu import command_line, device_options
from tests.golden.cases import Translation, every_translation
from virtxlate import format_domain, parse_domain
from virtxlate.domain import model as domain
from virtxlate.domain import settings
from virtxlate.ganeti.q35 import NIC_PORTS, port_of
from virtxlate.tables.controller import by_ganeti
from virtxlate.tables.disk import ide_targets
from virtxlate.translate.compare import differences

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lab.embedded import EmbeddedLibvirt
    from virtxlate.ganeti.hvinfo import HvInfo

pytestmark = pytest.mark.live

TRANSLATIONS = {each.stem: each for each in every_translation()}
NO_SPICE_TLS = "spice TLS port set in XML configuration, but TLS is disabled in qemu.conf"
NO_SUCH_MACHINE = "does not support machine type 'pc-1.1'"
WANTS_OF_THE_HOST = {
    "spice-tls": NO_SPICE_TLS,
    "untranslated-spice": NO_SPICE_TLS,
    "machine-kvm-path": "Cannot check QEMU binary",
    "runtime-3-elements-2.9": NO_SUCH_MACHINE,
    "runtime-pci-2.10": NO_SUCH_MACHINE,
    "version-2.8": NO_SUCH_MACHINE,
    "nic-without-header-new-machine": "does not support machine type 'pc-i440fx-8.2'",
}
"""Cases that name a QEMU or a machine that this host does not have, and where libvirt says so."""
MOST_DISKS = 16
MOST_LUNS = 3


@pytest.fixture(scope="module")
def loop_devices(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, ...]]:
    """Block devices for the templates that are some; each is a megabyte."""
    folder, devices = tmp_path_factory.mktemp("loop"), []
    try:
        for number in range(MOST_DISKS):
            image = folder / f"{number}.img"
            with image.open("wb") as file:
                file.truncate(1 << 20)
            command = ["losetup", "--find", "--show", str(image)]
            devices.append(subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip())
        yield tuple(devices)
    finally:
        for device in devices:
            subprocess.run(["losetup", "--detach", device], check=True)


@pytest.fixture(scope="module")
def target() -> Iterator[IscsiTarget]:
    with iscsi_target(*(Lun(serial=f"GOLDEN-{number}") for number in range(MOST_LUNS))) as target:
        yield target


@pytest.mark.parametrize("stem", TRANSLATIONS)
def test_libvirt_accepts_the_domain_as_it_is(stem: str, libvirt_host: EmbeddedLibvirt) -> None:
    import libvirt  # noqa: PLC0415 - collected where the binding is absent too

    asked = msgspec.structs.replace(TRANSLATIONS[stem].domain, type="qemu")
    if asked.cpu is not None and asked.cpu.mode == "host-passthrough":
        asked = msgspec.structs.replace(asked, cpu=on_this_cpu(asked.cpu))
    xml = format_domain(asked)
    if stem in WANTS_OF_THE_HOST:
        with pytest.raises(libvirt.libvirtError, match=re.escape(WANTS_OF_THE_HOST[stem])):
            libvirt_host.connection.defineXMLFlags(xml, libvirt.VIR_DOMAIN_DEFINE_VALIDATE)
        return
    defined = libvirt_host.connection.defineXMLFlags(xml, libvirt.VIR_DOMAIN_DEFINE_VALIDATE)
    try:
        inactive = defined.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE)
    finally:
        defined.undefine()
    assert differences(parse_domain(xml), parse_domain(inactive, [])) == ()


@pytest.mark.parametrize("stem", sorted(TRANSLATIONS.keys() - WANTS_OF_THE_HOST.keys()))
def test_qemu_starts_with_each_device_where_ganeti_had_it(
    stem: str,
    libvirt_host: EmbeddedLibvirt,
    bridge_name: str,
    loop_devices: tuple[str, ...],
    target: IscsiTarget,
    tmp_path: Path,
) -> None:
    import libvirt  # noqa: PLC0415

    each = TRANSLATIONS[stem]
    asked = passed_through(on_this_host(each.domain, bridge_name, loop_devices, tmp_path), target)
    started = libvirt_host.connection.createXML(format_domain(asked), libvirt.VIR_DOMAIN_START_PAUSED)
    try:
        live = parse_domain(started.XMLDesc(0), [])
        options = device_options(command_line(libvirt_host.root, asked.name))
    finally:
        started.destroy()
    assert differences(asked, live) == ()
    devices = {option["id"]: option for option in options if "id" in option}
    disks = ((disk.uuid, disk.hvinfo) for disk in each.placed.disks)
    nics = ((nic.uuid, nic.hvinfo) for nic in each.placed.nics)
    for uuid, hvinfo in (*disks, *nics):
        if uuid:
            assert hvinfo is not None
            wanted = in_argv(hvinfo, each)
            found = devices[f"ua-{hvinfo.id}"]
            assert {key: found[key] for key in wanted} == wanted


def on_this_host(
    found: domain.Domain, bridge_name: str, loop_devices: tuple[str, ...], folder: Path
) -> domain.Domain:
    """The domain with this host's storage and bridge; no device is added, moved or left out.

    Network sources become files, Open vSwitch and libvirt's networks the bridge, vhost-net plain virtio.
    """
    loops = iter(loop_devices)
    disks = tuple(on_this_disk(disk, loops, folder) for disk in found.devices.disks)
    interfaces = tuple(
        msgspec.structs.replace(
            nic,
            type="bridge",
            bridge=bridge_name,
            network=None,
            virtualport=None,
            vlan=None,
            script=None,
            driver="qemu" if nic.driver == "vhost" else nic.driver,
        )
        for nic in found.devices.interfaces
    )
    kernel = folder / "kernel"
    kernel.write_bytes(b"never run: the guest stays paused")
    return msgspec.structs.replace(
        found,
        type="qemu",
        memory=domain.Memory(value=64 << 10, unit="KiB"),
        current_memory=None,
        os=msgspec.structs.replace(found.os, kernel=None, initrd=None, cmdline=None),
        huge_pages=False,
        vcpu_cpuset=None,
        cputune=None,
        cpu=on_this_cpu(found.cpu),
        seclabels=(),
        devices=msgspec.structs.replace(
            found.devices,
            disks=disks,
            interfaces=interfaces,
            graphics=tuple(on_this_display(each) for each in found.devices.graphics),
        ),
        qemu_command_line=None,
    )


def on_this_cpu(cpu: domain.Cpu | None) -> domain.Cpu | None:
    """The CPU of an emulator instead of the host's, or of one that the emulator cannot be in full."""
    if cpu is None or (cpu.mode == "custom" and not cpu.features):
        return cpu
    return msgspec.structs.replace(cpu, mode="maximum", match=None, model=None, fallback=None, features=())


def on_this_display(display: settings.Graphics) -> settings.Graphics:
    """The display on loopback, at a port of libvirt's choice, without the host's certificates."""
    listens = (settings.Listen(type="address", address="127.0.0.1"),)
    without_tls: dict[str, Any] = {"tls_port": None, "default_mode": None}
    return msgspec.structs.replace(display, port=None, autoport=True, listens=listens, **without_tls)


def on_this_disk(disk: domain.Disk, loops: Iterator[str], folder: Path) -> domain.Disk:
    """The disk on a loop device where it is a block device, else on a file; an empty drive stays empty."""
    if disk.source is None or disk.device == "lun":
        return disk
    if disk.type == "block":
        return msgspec.structs.replace(disk, source=domain.DiskSource(dev=next(loops)))
    image = folder / f"{disk.target}.img"
    with image.open("wb") as file:
        file.truncate(1 << 20)
    return msgspec.structs.replace(disk, type="file", source=domain.DiskSource(file=str(image)))


def passed_through(found: domain.Domain, target: IscsiTarget) -> domain.Domain:
    """The domain with a LUN of the target for each device that takes SCSI commands; none has two."""
    luns = iter(target.luns)
    devices = found.devices
    disks = tuple(
        msgspec.structs.replace(
            disk, type="network", source=domain.DiskSource(**on_target(target, next(luns)))
        )
        if disk.device == "lun"
        else disk
        for disk in devices.disks
    )
    hostdevs = tuple(
        msgspec.structs.replace(each, source=domain.HostdevSource(**on_target(target, next(luns))))
        for each in devices.hostdevs
    )
    return msgspec.structs.replace(
        found, devices=msgspec.structs.replace(devices, disks=disks, hostdevs=hostdevs)
    )


def on_target(target: IscsiTarget, lun: Lun) -> dict[str, Any]:
    host = domain.SourceHost(name=target.host, port=target.port)
    return {"protocol": "iscsi", "name": target.path_of(lun), "hosts": (host,)}


def in_argv(hvinfo: HvInfo, each: Translation) -> dict[str, Any]:
    """Ganeti's hvinfo in the words of libvirt's argv: its own bus names, and what the controller takes."""
    if hvinfo.driver == "ide":
        index = [one.hvinfo for one in each.placed.disks].index(hvinfo)
        return {"driver": "ide-hd", "bus": f"ide.{ide_targets(each.instance.version)[index].bus}"}
    if (port := port_of(hvinfo.bus)) is not None:
        return {"driver": hvinfo.driver, "bus": f"pci.{port - NIC_PORTS.start + 1}", "addr": hvinfo.addr}
    if hvinfo.scsi_id is None:
        return {"driver": hvinfo.driver, "bus": hvinfo.bus, "addr": hvinfo.addr}
    bus = "scsi0.0" if hvinfo.bus == "scsi.0" else hvinfo.bus
    told = {"driver": hvinfo.driver, "bus": bus, "scsi-id": hvinfo.scsi_id}
    if by_ganeti(each.placed.hvparams.scsi_controller_type).scsi_id_in == "target":
        told |= {"channel": hvinfo.channel, "lun": hvinfo.lun}
    return told


def test_no_exception_is_listed_for_a_case_that_is_gone() -> None:
    assert set(WANTS_OF_THE_HOST) <= set(TRANSLATIONS)
