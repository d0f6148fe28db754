"""Samples of displays, peripherals and settings: (declaration, record, XML)."""

from __future__ import annotations

from typing import Any

from virtxlate.domain import elements as e
from virtxlate.domain import model as m
from virtxlate.domain import settings as s
from virtxlate.domain.setting_elements import GRAPHICS
from virtxlate.domain.words import OFFLOADS

DECLARED: list[Any] = [e.CHANNEL, e.INPUT, e.HUB, GRAPHICS, e.SOUND, e.RNG, e.WATCHDOG]

_OFFLOADS: dict[str, Any] = {f"{side}_{name}": side == "host" for side, name in OFFLOADS}

MORE: list[tuple[Any, Any, str]] = [
    (
        e.CONTROLLER,
        m.Controller(type="pci", index=1, model="pcie-root-port", ports=4, chassis=3, port=3),
        (
            "<controller type='pci' index='1' model='pcie-root-port' ports='4'>"
            "<target chassis='3' port='0x3'/></controller>"
        ),
    ),
    (
        e.CONTROLLER,
        m.Controller(type="usb", index=1, model="ich9-uhci2", startport=2),
        "<controller type='usb' index='1' model='ich9-uhci2'><master startport='2'/></controller>",
    ),
    (
        e.INTERFACE,
        m.Interface(
            type="bridge",
            acpi_index=1,
            **_OFFLOADS,
        ),
        (
            "<interface type='bridge'><driver>"
            "<host csum='on' tso4='on' tso6='on' ecn='on' ufo='on'/>"
            "<guest csum='off' tso4='off' tso6='off' ecn='off' ufo='off'/></driver>"
            "<acpi index='1'/></interface>"
        ),
    ),
    (
        e.DISK,
        m.Disk(
            type="network",
            device="cdrom",
            detect_zeroes="unmap",
            source=m.DiskSource(protocol="https", name="a.iso", query="b=c"),
            target="hdc",
        ),
        (
            "<disk type='network' device='cdrom'><driver detect_zeroes='unmap'/>"
            "<source protocol='https' name='a.iso' query='b=c'/>"
            "<target dev='hdc'/></disk>"
        ),
    ),
    (
        e.CHANNEL,
        m.Channel(
            type="unix",
            target_type="virtio",
            target_name="org.qemu.guest_agent.0",
            address=m.VirtioSerialAddress(port=1),
        ),
        (
            "<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/>"
            "<address type='virtio-serial' controller='0' bus='0' port='1'/></channel>"
        ),
    ),
    (
        e.INPUT,
        m.Input(type="tablet", bus="usb", address=m.UsbAddress(port="2.1")),
        "<input type='tablet' bus='usb'><address type='usb' bus='0' port='2.1'/></input>",
    ),
    (e.HUB, m.Hub(type="usb"), "<hub type='usb'/>"),
    (
        GRAPHICS,
        s.Graphics(
            type="spice",
            port=5900,
            tls_port=5901,
            autoport=False,
            keymap="de",
            password="",
            default_mode="secure",
            listens=(
                s.Listen(type="address", address="::1"),
                s.Listen(type="network", network="lan"),
                s.Listen(type="socket", socket="/run/a"),
            ),
            image_compression="auto_glz",
            jpeg_compression="never",
            zlib_compression="always",
            playback_compression=False,
            streaming_mode="filter",
            mouse_mode="server",
        ),
        (
            "<graphics type='spice' port='5900' tlsPort='5901' autoport='no' keymap='de' passwd='' "
            "defaultMode='secure'><listen type='address' address='::1'/>"
            "<listen type='network' network='lan'/>"
            "<listen type='socket' socket='/run/a'/><image compression='auto_glz'/>"
            "<jpeg compression='never'/><zlib compression='always'/><playback compression='off'/>"
            "<streaming mode='filter'/><mouse mode='server'/></graphics>"
        ),
    ),
    (e.SOUND, m.Sound(model="ac97"), "<sound model='ac97'/>"),
    (
        e.RNG,
        m.Rng(model="virtio", rate_bytes=9, rate_period=1, backend="random", backend_path="/dev/urandom"),
        (
            "<rng model='virtio'><rate bytes='9' period='1'/>"
            "<backend model='random'>/dev/urandom</backend></rng>"
        ),
    ),
    (
        e.WATCHDOG,
        m.Watchdog(model="i6300esb", action="pause"),
        "<watchdog model='i6300esb' action='pause'/>",
    ),
    (
        e.DOMAIN,
        m.Domain(
            type="kvm",
            name="a",
            memory=m.Memory(value=1),
            huge_pages=True,
            vcpus=2,
            vcpu_cpuset="0-3",
            cputune=s.CpuTune(pins=(s.VcpuPin(vcpu=0, cpuset="1"),)),
            sysinfo=s.Sysinfo(
                type="smbios",
                system=s.SmbiosSystem(entries=(s.SmbiosEntry(name="serial", value="7"),)),
            ),
            os=m.Os(boot_menu=True, smbios_mode="sysinfo"),
            cpu=m.Cpu(mode="maximum", features=(s.CpuFeature(policy="disable", name="hle"),)),
            seclabels=(s.SecurityLabel(type="static", model="dac", relabel=True, label="a:b"),),
            qemu_command_line=s.QemuCommandLine(arguments=(s.QemuArgument(value="-no-hpet"),)),
        ),
        (
            "<domain type='kvm'><name>a</name><memory>1</memory><memoryBacking><hugepages/></memoryBacking>"
            "<vcpu cpuset='0-3'>2</vcpu><cputune><vcpupin vcpu='0' cpuset='1'/></cputune>"
            "<sysinfo type='smbios'><system><entry name='serial'>7</entry></system></sysinfo>"
            "<os><type>hvm</type><bootmenu enable='yes'/><smbios mode='sysinfo'/></os>"
            "<cpu mode='maximum'><feature policy='disable' name='hle'/></cpu><devices/>"
            "<seclabel type='static' model='dac' relabel='yes'><label>a:b</label></seclabel>"
            "<qemu:commandline xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>"
            "<qemu:arg value='-no-hpet'/></qemu:commandline></domain>"
        ),
    ),
]
