"""hvinfo from the XML equals what libvirt gives QEMU and what QEMU itself says, field by field.

Domains are drawn at random; the seed is printed. VIRTXLATE_SEED repeats a run, VIRTXLATE_DOMAINS starts more.
"""

from __future__ import annotations

import os
import random
import shlex
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from lab.qemu import command_line, device_options
from tests.hvinfo.drawn import SCSI_MODELS, Draw
from virtxlate.translate.hvinfo import derive_hvinfo

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lab.embedded import EmbeddedLibvirt

pytestmark = pytest.mark.live

STARTED = int(os.environ.get("VIRTXLATE_DOMAINS", "36"))
TRANSLATED = 400
SEED = int(os.environ.get("VIRTXLATE_SEED", "0")) or random.SystemRandom().randrange(1, 2**31)
NAMES = ("driver", "id", "bus", "addr", "channel", "scsi-id", "lun", "unit", "port", "drive", "netdev")
PLACE = NAMES[:1] + NAMES[2:9]
Options = dict[str, Any]


def drawn(folder: Path, count: int, *, only_argv: bool = False) -> Iterator[Draw]:
    print(f"VIRTXLATE_SEED={SEED}")
    rng = random.Random(SEED)
    for number in range(count):
        own = folder / str(number)
        own.mkdir()
        yield Draw(rng, own, number, only_argv=only_argv)


def hvinfos(xml: str, but: str = "") -> list[Options]:
    """Give the hvinfo of every device but those of one kind; each has one."""
    found = []
    for device in derive_hvinfo(xml):
        if device.kind == but:
            continue
        info = device.to_dict().get("hvinfo")
        assert isinstance(info, dict), f"VIRTXLATE_SEED={SEED}: {device}"
        found.append(info)
    return found


@contextmanager
def started(host: EmbeddedLibvirt, xml: str) -> Iterator[Any]:
    import libvirt  # noqa: PLC0415 - collected where the binding is absent too

    domain = host.connection.createXML(xml, libvirt.VIR_DOMAIN_START_PAUSED)
    try:
        yield domain
    finally:
        domain.destroy()


def qtree(domain: Any) -> dict[str, Options]:
    """What QEMU says of each device with an id: driver, bus, properties, those of its inner device too."""
    import libvirt_qemu  # noqa: PLC0415

    hmp = libvirt_qemu.VIR_DOMAIN_QEMU_MONITOR_COMMAND_HMP
    found: dict[str, Options] = {}
    buses: list[tuple[int, str]] = []
    devices: list[tuple[int, Options]] = []
    for line in libvirt_qemu.qemuMonitorCommand(domain, "info qtree", hmp).splitlines():
        depth, text = len(line) - len(line.lstrip()), line.strip()
        if text.startswith(("bus: ", "dev: ")):
            devices = [each for each in devices if each[0] < depth]
        if text.startswith("bus: "):
            buses = [each for each in buses if each[0] < depth]
            buses.append((depth, text.removeprefix("bus: ")))
        elif text.startswith("dev: "):
            buses = [each for each in buses if each[0] < depth]
            driver, _, name = text.removeprefix("dev: ").partition(", id ")
            options: Options = {"driver": driver, "bus": buses[-1][1] if buses else None}
            if name.strip('"'):
                found[name.strip('"')] = options
                devices.append((depth, options))
            elif devices:  # the device inside a virtio proxy or a USB bridge has no id of its own
                devices.append((depth, devices[-1][1]))
        elif devices and " = " in text:
            key, _, value = text.partition(" = ")
            options = devices[-1][1]
            options[key] = options.get(key) or value.partition(" (")[0].strip('"')
    return found


def said_by_qtree(info: Options) -> Options:
    """Give hvinfo as ``info qtree`` spells it; the floppy's bus is one that libvirt does not name."""
    shown = {key: str(value) for key, value in info.items() if key not in {"id", "addr"}}
    if "addr" in info:
        slot, _, function = info["addr"].partition(".")
        shown["addr"] = f"{int(slot, 0):02x}.{int(function or '0', 0):x}"
    return shown


def compare_with_qtree(xml: str, domain: Any, counts: Counter[str]) -> None:
    tree = qtree(domain)
    for info in hvinfos(xml):
        known, shown = tree[info["id"]], said_by_qtree(info)
        assert {key: known.get(key) for key in shown} == shown, f"VIRTXLATE_SEED={SEED}"
        counts[info["driver"]] += 1


def test_what_is_started_is_where_qemu_has_it(libvirt_host: EmbeddedLibvirt, tmp_path: Path) -> None:
    import libvirt  # noqa: PLC0415

    counts: Counter[str] = Counter()
    refused = []
    for draw in drawn(tmp_path, STARTED):
        try:
            with started(libvirt_host, draw.xml()) as domain:
                live = domain.XMLDesc(0)
                told = device_options(command_line(libvirt_host.root, domain.name()))
                options = {each["id"]: each for each in told if "id" in each}
                for info in hvinfos(live):
                    own = options[info["id"]]
                    assert info == {key: own[key] for key in NAMES if key in own}, f"VIRTXLATE_SEED={SEED}"
                compare_with_qtree(live, domain, counts)
        except libvirt.libvirtError as exc:
            refused.append(str(exc))
    print(f"{STARTED - len(refused)} started, {counts.total()} devices: {dict(counts)}; refused: {refused}")
    assert len(refused) <= STARTED // 4


def test_what_libvirt_would_start_is_where_libvirt_puts_it(
    libvirt_host: EmbeddedLibvirt, tmp_path: Path
) -> None:
    """Nothing is started, so there are hundreds; stored XML has no aliases, so devices are known by place.

    domainXMLToNative makes another interface of each, without its address and alias: NICs are left out here.
    """
    import libvirt  # noqa: PLC0415

    counts: Counter[str] = Counter()
    refused: Counter[str] = Counter()
    for draw in drawn(tmp_path, TRANSLATED, only_argv=True):
        try:
            domain = libvirt_host.connection.defineXML(draw.xml())
        except libvirt.libvirtError as exc:
            refused[str(exc)[:80]] += 1
            continue
        try:
            xml = domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE)
            words = shlex.split(libvirt_host.connection.domainXMLToNative("qemu-argv", xml))
        except libvirt.libvirtError as exc:
            refused[str(exc)[:80]] += 1
            continue
        finally:
            domain.undefine()
        places = Counter(place(each) for each in device_options(words))
        for info in hvinfos(xml, but="nic"):
            assert places[place(info)] > 0, f"VIRTXLATE_SEED={SEED}: {info}\n{xml}"
            places[place(info)] -= 1
            counts[info["driver"]] += 1
    print(f"{TRANSLATED - refused.total()} domains, {counts.total()} devices: {dict(counts)}")
    print(f"refused: {dict(refused)}")
    assert refused.total() < TRANSLATED // 4
    assert counts.keys() >= {
        "scsi-block",
        "scsi-generic",
        "virtio-blk-pci",
        "ide-cd",
        "usb-storage",
    }


def place(options: Options) -> tuple[Any, ...]:
    """Give what tells a place, and the id where it is the user's."""
    own = str(options.get("id") or "")
    return (own if own.startswith("ua-") else "", *(options.get(key) for key in PLACE))


def image(folder: Path, name: str) -> str:
    path = folder / name
    with path.open("wb") as file:
        file.truncate(1 << 20)
    return f"<source file='{path}'/>"


def test_what_is_plugged_in_later_is_where_qemu_has_it(libvirt_host: EmbeddedLibvirt, tmp_path: Path) -> None:
    """No argument tells of a device that came later, so QEMU is asked, through libvirt."""
    import libvirt  # noqa: PLC0415

    counts: Counter[str] = Counter()
    for machine in ("pc", "q35"):
        with started(libvirt_host, roomy(machine)) as domain:
            before = len(derive_hvinfo(domain.XMLDesc(0)))
            plugged = later(tmp_path, machine)
            for each in plugged:
                domain.attachDeviceFlags(each, libvirt.VIR_DOMAIN_AFFECT_LIVE)
            live = domain.XMLDesc(0)
            assert len(derive_hvinfo(live)) == before + len(plugged)
            compare_with_qtree(live, domain, counts)
            gone = "<disk type='file' device='disk'><target dev='sda' bus='scsi'/></disk>"
            domain.detachDeviceFlags(gone, libvirt.VIR_DOMAIN_AFFECT_LIVE)
            domain.attachDeviceFlags(
                disk(tmp_path, machine, "sdz", "scsi", "<alias name='ua-late'/>"),
                libvirt.VIR_DOMAIN_AFFECT_LIVE,
            )
            compare_with_qtree(domain.XMLDesc(0), domain, counts)
    print(f"plugged in: {counts.total()} devices: {dict(counts)}")
    assert counts.keys() >= {"virtio-blk-pci", "scsi-hd", "virtio-net-pci", "e1000", "usb-storage"}


def roomy(machine: str) -> str:
    """Give a domain with every SCSI controller, and room for more on bridges and ports."""
    scsi = "".join(
        f"<controller type='scsi' index='{index}' model='{model}'/>"
        for index, model in enumerate(SCSI_MODELS)
    )
    bridges = "<controller type='pci' index='1' model='pci-bridge'><alias name='ua-bridge'/></controller>"
    if machine == "q35":
        numbers = range(1, 15)
        bridges = "".join(f"<controller type='pci' index='{n}' model='pcie-root-port'/>" for n in numbers)
        bridges += "<controller type='pci' index='15' model='pcie-to-pci-bridge'/>"
    return (
        f"<domain type='qemu'><name>hot{machine}</name><memory unit='MiB'>32</memory>"
        f"<os><type arch='x86_64' machine='{machine}'>hvm</type></os><features><acpi/></features><devices>"
        f"<controller type='usb' index='0' model='qemu-xhci'/>{scsi}{bridges}"
        "<memballoon model='none'/></devices></domain>"
    )


def disk(folder: Path, machine: str, target: str, bus: str, rest: str = "", model: str = "") -> str:
    return (
        f"<disk type='file' device='disk'{model}><driver name='qemu' type='raw'/>"
        f"{image(folder, machine + target)}<target dev='{target}' bus='{bus}'/>{rest}</disk>"
    )


def later(folder: Path, machine: str) -> list[str]:
    """Disks and NICs to plug in: with and without aliases and addresses, on every SCSI model and a bridge."""
    on_bridge = f"<address type='pci' bus='{'0x01' if machine == 'pc' else '0x0f'}' slot='0x07'/>"
    e1000 = "<interface type='user'><mac address='aa:00:00:00:00:02'/><model type='e1000'/>"
    alias = "<alias name='ua-nic-6c83ef05-8a40-4a3f'/>"
    devices = [
        disk(folder, machine, "vda", "virtio"),
        disk(folder, machine, "vdb", "virtio", "<alias name='ua-disk-9e7c85f6-b6e5-4243'/>"),
        disk(folder, machine, "vdc", "virtio", on_bridge),
        disk(folder, machine, "vdd", "virtio", model=" model='virtio-non-transitional'"),
        disk(folder, machine, "sdy", "usb"),
        "<interface type='user'><mac address='aa:00:00:00:00:01'/><model type='virtio'/></interface>",
        f"{e1000}{alias}{on_bridge.replace('0x07', '0x08')}</interface>",
    ]
    for index, model in enumerate(SCSI_MODELS):
        by_unit = model in {"lsilogic", "am53c974"}
        where = "target='0' unit='3'" if by_unit else f"target='{index % 4 + 1}' unit='0'"
        address = f"<address type='drive' controller='{index}' bus='0' {where}/>"
        devices.append(disk(folder, machine, f"sd{'abcdefgh'[index]}", "scsi", address))
    return devices
