"""Libvirt's domain as frozen records: what virtxlate writes, in libvirt's own words and units.

None means that the attribute or element is absent; what libvirt then does is libvirt's business.
Source: libvirt 9.0.0, docs/formatdomain.rst.
"""

from __future__ import annotations

import msgspec

from virtxlate.domain.settings import (
    CpuFeature,
    CpuTune,
    Graphics,
    QemuCommandLine,
    QemuOverride,
    SecurityLabel,
    Sysinfo,
)


class PciAddress(msgspec.Struct, frozen=True, kw_only=True):
    """``<address type='pci' domain='0x0000' bus='0x00' slot='0x0c' function='0x0'/>``."""

    domain: int = 0
    bus: int = 0
    slot: int = 0
    function: int = 0
    multifunction: bool | None = None


class DriveAddress(msgspec.Struct, frozen=True, kw_only=True):
    """``<address type='drive' controller='0' bus='0' target='0' unit='3'/>``."""

    controller: int = 0
    bus: int = 0
    target: int = 0
    unit: int = 0


class UsbAddress(msgspec.Struct, frozen=True, kw_only=True):
    """``<address type='usb' bus='0' port='1'/>``."""

    bus: int = 0
    port: str | None = None


class VirtioSerialAddress(msgspec.Struct, frozen=True, kw_only=True):
    """``<address type='virtio-serial' controller='0' bus='0' port='1'/>``."""

    controller: int = 0
    bus: int = 0
    port: int = 0


Address = PciAddress | DriveAddress | UsbAddress | VirtioSerialAddress


class SourceHost(msgspec.Struct, frozen=True, kw_only=True):
    """``<host name='ceph-mon1' port='6789'/>`` of a network source."""

    name: str | None = None
    port: int | None = None
    transport: str | None = None
    socket: str | None = None


class SourceAuth(msgspec.Struct, frozen=True, kw_only=True):
    """``<auth username='admin'><secret type='ceph' uuid='...'/></auth>``; names a secret, never holds one."""

    username: str
    secret_type: str | None = None
    secret_usage: str | None = None
    secret_uuid: str | None = None


class Reservations(msgspec.Struct, frozen=True, kw_only=True):
    """``<reservations managed='yes'/>``: who serves a lun's persistent reservations, libvirt or a socket."""

    managed: bool
    socket: str | None = None
    socket_type: str | None = None
    socket_mode: str | None = None


class DiskSource(msgspec.Struct, frozen=True, kw_only=True):
    """``<source file=...>``, ``<source dev=...>`` or ``<source protocol=... name=...>``."""

    file: str | None = None
    dev: str | None = None
    protocol: str | None = None
    name: str | None = None
    pool: str | None = None
    volume: str | None = None
    query: str | None = None
    """What follows the question mark of a URL."""
    hosts: tuple[SourceHost, ...] = ()
    initiator: str | None = None
    """iSCSI name under which QEMU logs in."""
    auth: SourceAuth | None = None
    reservations: Reservations | None = None


class Disk(msgspec.Struct, frozen=True, kw_only=True):
    """``<disk type='block' device='disk'>...</disk>``."""

    type: str
    device: str = "disk"
    rawio: bool | None = None
    sgio: str | None = None
    driver_name: str | None = None
    driver_type: str | None = None
    cache: str | None = None
    io: str | None = None
    discard: str | None = None
    detect_zeroes: str | None = None
    iothread: int | None = None
    source: DiskSource | None = None
    target: str
    bus: str | None = None
    readonly: bool = False
    shareable: bool = False
    boot_order: int | None = None
    alias: str | None = None
    address: Address | None = None


class HostdevSource(msgspec.Struct, frozen=True, kw_only=True):
    """``<source><adapter name='scsi_host2'/><address bus='0' target='1' unit='0'/></source>``, or iSCSI.

    The parts of the address are texts: what they mean depends on the type of the host device.
    """

    adapter: str | None = None
    bus: str | None = None
    target: str | None = None
    unit: str | None = None
    protocol: str | None = None
    name: str | None = None
    wwpn: str | None = None
    hosts: tuple[SourceHost, ...] = ()
    initiator: str | None = None
    auth: SourceAuth | None = None


class Hostdev(msgspec.Struct, frozen=True, kw_only=True):
    """``<hostdev mode='subsystem' type='scsi'>...</hostdev>``: a device of the host as it is."""

    mode: str = "subsystem"
    type: str
    model: str | None = None
    managed: bool | None = None
    rawio: bool | None = None
    sgio: str | None = None
    source: HostdevSource | None = None
    readonly: bool = False
    shareable: bool = False
    boot_order: int | None = None
    alias: str | None = None
    address: Address | None = None


class Controller(msgspec.Struct, frozen=True, kw_only=True):
    """``<controller type='scsi' index='0' model='lsilogic'/>``."""

    type: str
    index: int | None = None
    model: str | None = None
    queues: int | None = None
    iothread: int | None = None
    ports: int | None = None
    startport: int | None = None
    """Of a USB companion: the first of its ports on the controller of the same index."""
    chassis: int | None = None
    port: int | None = None
    """Of a root port, as the guest reads it."""
    alias: str | None = None
    address: Address | None = None


class VlanTag(msgspec.Struct, frozen=True, kw_only=True):
    """``<tag id='42' nativeMode='untagged'/>``."""

    id: int
    native_mode: str | None = None


class Vlan(msgspec.Struct, frozen=True, kw_only=True):
    """``<vlan trunk='yes'><tag id='42'/></vlan>``."""

    trunk: bool | None = None
    tags: tuple[VlanTag, ...] = ()


class VirtualPort(msgspec.Struct, frozen=True, kw_only=True):
    """``<virtualport type='openvswitch'><parameters interfaceid='...'/></virtualport>``."""

    type: str | None = None
    interface_id: str | None = None


class Interface(msgspec.Struct, frozen=True, kw_only=True):
    """``<interface type='bridge'>...</interface>``."""

    type: str
    mac: str | None = None
    bridge: str | None = None
    network: str | None = None
    virtualport: VirtualPort | None = None
    vlan: Vlan | None = None
    script: str | None = None
    model: str | None = None
    driver: str | None = None
    queues: int | None = None
    host_csum: bool | None = None
    host_tso4: bool | None = None
    host_tso6: bool | None = None
    host_ecn: bool | None = None
    host_ufo: bool | None = None
    guest_csum: bool | None = None
    guest_tso4: bool | None = None
    guest_tso6: bool | None = None
    guest_ecn: bool | None = None
    guest_ufo: bool | None = None
    boot_order: int | None = None
    alias: str | None = None
    acpi_index: int | None = None
    """Number by which a guest names it ``eno1``."""
    address: Address | None = None


class Character(msgspec.Struct, frozen=True, kw_only=True):
    """A serial port, parallel port or console: ``<serial type='pty'><target port='0'/></serial>``."""

    type: str
    source_path: str | None = None
    target_type: str | None = None
    target_port: int | None = None
    target_model: str | None = None


class Channel(msgspec.Struct, frozen=True, kw_only=True):
    """``<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>``."""

    type: str
    target_type: str | None = None
    target_name: str | None = None
    address: Address | None = None


class Input(msgspec.Struct, frozen=True, kw_only=True):
    """``<input type='tablet' bus='usb'/>``."""

    type: str
    bus: str | None = None
    address: Address | None = None


class Hub(msgspec.Struct, frozen=True, kw_only=True):
    """``<hub type='usb'/>``."""

    type: str
    address: Address | None = None


class Sound(msgspec.Struct, frozen=True, kw_only=True):
    """``<sound model='ac97'/>``."""

    model: str
    address: Address | None = None


class Video(msgspec.Struct, frozen=True, kw_only=True):
    """``<video><model type='vga' vram='16384' heads='1'/></video>``; vram in KiB."""

    type: str
    vram_kib: int | None = None
    heads: int | None = None
    address: Address | None = None


class MemBalloon(msgspec.Struct, frozen=True, kw_only=True):
    """``<memballoon model='virtio'/>``."""

    model: str
    address: Address | None = None


class Rng(msgspec.Struct, frozen=True, kw_only=True):
    """``<rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>``; the period in ms."""

    model: str
    rate_bytes: int | None = None
    rate_period: int | None = None
    backend: str | None = None
    backend_path: str | None = None
    address: Address | None = None


class Watchdog(msgspec.Struct, frozen=True, kw_only=True):
    """``<watchdog model='i6300esb' action='reset'/>``."""

    model: str
    action: str | None = None
    address: Address | None = None


class Devices(msgspec.Struct, frozen=True, kw_only=True):
    """``<devices>``: the order of the fields is the order of the document."""

    emulator: str | None = None
    disks: tuple[Disk, ...] = ()
    controllers: tuple[Controller, ...] = ()
    interfaces: tuple[Interface, ...] = ()
    hostdevs: tuple[Hostdev, ...] = ()
    serials: tuple[Character, ...] = ()
    parallels: tuple[Character, ...] = ()
    consoles: tuple[Character, ...] = ()
    channels: tuple[Channel, ...] = ()
    inputs: tuple[Input, ...] = ()
    graphics: tuple[Graphics, ...] = ()
    sounds: tuple[Sound, ...] = ()
    videos: tuple[Video, ...] = ()
    hubs: tuple[Hub, ...] = ()
    memballoon: MemBalloon | None = None
    rngs: tuple[Rng, ...] = ()
    watchdogs: tuple[Watchdog, ...] = ()


class BootDevice(msgspec.Struct, frozen=True, kw_only=True):
    """``<boot dev='hd'/>`` under ``<os>``."""

    dev: str


class Os(msgspec.Struct, frozen=True, kw_only=True):
    """``<os>``: the machine, and what it boots."""

    type: str = "hvm"
    arch: str | None = None
    machine: str | None = None
    kernel: str | None = None
    initrd: str | None = None
    cmdline: str | None = None
    boots: tuple[BootDevice, ...] = ()
    boot_menu: bool | None = None
    smbios_mode: str | None = None


class Cpu(msgspec.Struct, frozen=True, kw_only=True):
    """``<cpu mode='custom' match='exact' check='none'>...</cpu>``."""

    mode: str | None = None
    match: str | None = None
    check: str | None = None
    model: str | None = None
    fallback: str | None = None
    sockets: int | None = None
    dies: int | None = None
    cores: int | None = None
    threads: int | None = None
    features: tuple[CpuFeature, ...] = ()


class Memory(msgspec.Struct, frozen=True, kw_only=True):
    """``<memory unit='KiB'>1048576</memory>``; absent unit: KiB."""

    value: int
    unit: str | None = None


class Domain(msgspec.Struct, frozen=True, kw_only=True):
    """``<domain type='kvm'>``: one guest."""

    type: str
    name: str
    uuid: str | None = None
    metadata: str | None = None
    """Text of virtxlate's own metadata element; what it means is not this layer's business."""
    memory: Memory
    current_memory: Memory | None = None
    huge_pages: bool = False
    vcpus: int = 1
    iothreads: int | None = None
    vcpu_cpuset: str | None = None
    """Host CPUs for the whole guest: ``0-3,5``."""
    cputune: CpuTune | None = None
    sysinfo: Sysinfo | None = None
    os: Os
    acpi: bool = False
    cpu: Cpu | None = None
    clock_offset: str | None = None
    on_poweroff: str | None = None
    on_reboot: str | None = None
    on_crash: str | None = None
    devices: Devices = Devices()
    seclabels: tuple[SecurityLabel, ...] = ()
    qemu_command_line: QemuCommandLine | None = None
    qemu_override: QemuOverride | None = None
