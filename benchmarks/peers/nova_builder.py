"""The domain of instance.py as nova's libvirt config classes build it, then to_xml."""

from __future__ import annotations

from typing import Any

from benchmarks.peers.nova_module import VERSIONS, config
from benchmarks.peers.serving import serve


def _pci(slot: str) -> Any:
    address = config.LibvirtConfigGuestDeviceAddressPCI()
    address.domain, address.bus, address.slot, address.function = "0x0000", "0x00", slot, "0x0"
    return address


def _disk(path: str, target: str, alias: str, slot: str) -> Any:
    disk = config.LibvirtConfigGuestDisk()
    disk.source_type, disk.source_device, disk.source_path = "block", "disk", path
    disk.driver_name, disk.driver_format, disk.driver_cache = "qemu", "raw", "writeback"
    disk.driver_io, disk.driver_discard = "threads", "ignore"
    disk.target_dev, disk.target_bus = target, "virtio"
    disk.alias = alias
    disk.device_addr = _pci(slot)
    return disk


def _empty_drive(device: str, target: str, bus: str) -> Any:
    """Give a drive without medium: nova leaves <source> out only for type 'network' without a protocol."""
    disk = config.LibvirtConfigGuestDisk()
    disk.source_type, disk.source_device = "network", device
    disk.target_dev, disk.target_bus = target, bus
    return disk


def _drives() -> list[Any]:
    first = _disk("/dev/xenvg/9e7c85f6.disk0", "vda", "ua-disk-9e7c85f6-b6e5-4243", "0x0c")
    first.boot_order = "1"
    second = _disk("/dev/xenvg/9e7c85f6.disk1", "vdb", "ua-disk-5b1c95f6-b6e5-4243", "0x0d")
    cdrom = _empty_drive("cdrom", "hdc", "ide")
    cdrom.readonly = True
    cdrom.device_addr = address = config.LibvirtConfigGuestDeviceAddressDrive()
    address.controller, address.bus, address.target, address.unit = 0, 1, 0, 0
    return [first, second, _empty_drive("floppy", "fda", "fdc"), cdrom]


def _usb() -> Any:
    controller = config.LibvirtConfigGuestUSBHostController()
    controller.index, controller.model = 0, "piix3-uhci"
    return controller


def _interface(mac: str, bridge: str, alias: str, slot: str) -> Any:
    interface = config.LibvirtConfigGuestInterface()
    interface.net_type, interface.mac_addr, interface.source_dev = "bridge", mac, bridge
    interface.model, interface.driver_name = "virtio", "vhost"
    interface.alias, interface.device_addr = alias, _pci(slot)
    return interface


def _characters() -> list[Any]:
    serial = config.LibvirtConfigGuestSerial()
    serial.target_port, serial.target_type = 0, "isa-serial"
    console = config.LibvirtConfigGuestConsole()
    console.target_port, console.target_type = 0, "serial"
    return [serial, console]


def _video() -> Any:
    video = config.LibvirtConfigGuestVideo()
    video.type, video.vram, video.heads = "vga", 16384, 1
    return video


def _memballoon() -> Any:
    memballoon = config.LibvirtConfigMemoryBalloon()
    memballoon.model = "virtio"
    return memballoon


def _cpu() -> Any:
    cpu = config.LibvirtConfigGuestCPU()
    cpu.mode, cpu.match, cpu.model = "custom", "exact", "qemu64"
    cpu.sockets, cpu.cores, cpu.threads = 1, 4, 1
    return cpu


def build() -> str:
    """Give the XML text."""
    guest = config.LibvirtConfigGuest()
    guest.virt_type, guest.name = "kvm", "web1.example.com"
    guest.uuid = "7c3a1ef0-5b1a-4b69-8f7f-3a8f0f6f9d10"
    guest.memory, guest.vcpus = 4194304, 4
    guest.os_type, guest.os_arch, guest.os_mach_type = "hvm", "x86_64", "pc"
    guest.features.append(config.LibvirtConfigGuestFeatureACPI())
    guest.cpu, guest.clock = _cpu(), config.LibvirtConfigGuestClock()
    guest.devices = [
        *_drives(),
        _usb(),
        _interface("aa:00:00:12:34:56", "br0", "ua-nic-1e7c85f6-b6e5-4243", "0x0e"),
        _interface("aa:00:00:12:34:57", "br1", "ua-nic-2e7c85f6-b6e5-4243", "0x0f"),
        *_characters(),
        _video(),
        _memballoon(),
    ]
    return str(guest.to_xml())


if __name__ == "__main__":
    serve({"nova": build}, VERSIONS)
