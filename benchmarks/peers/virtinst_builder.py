"""The domain of instance.py as virtinst builds it: objects with properties, then get_xml."""

from __future__ import annotations

from benchmarks.peers.serving import serve
from benchmarks.peers.virtinst_module import VERSIONS, Device, virtinst

UUID = "7c3a1ef0-5b1a-4b69-8f7f-3a8f0f6f9d10"


def _pci(device: Device, slot: int, function: int = 0) -> None:
    address = device.address
    address.type, address.domain, address.bus = "pci", 0, 0
    address.slot, address.function = slot, function


def _disk(path: str, target: str, alias: str, slot: int) -> Device:
    disk = virtinst.DeviceDisk(None)
    disk._xmltype, disk._device = "block", "disk"  # noqa: SLF001 - the public way looks the path up in storage
    disk.driver_name, disk.driver_type = "qemu", "raw"
    disk.driver_cache, disk.driver_io, disk.driver_discard = "writeback", "threads", "ignore"
    disk.source.dev = path
    disk.target, disk.bus = target, "virtio"
    disk.alias.name = alias
    _pci(disk, slot)
    return disk


def _empty_drive(device: str, target: str, bus: str) -> Device:
    disk = virtinst.DeviceDisk(None)
    disk._xmltype, disk._device = "file", device  # noqa: SLF001 - as above
    disk.target, disk.bus = target, bus
    return disk


def _drives() -> list[Device]:
    first = _disk("/dev/xenvg/9e7c85f6.disk0", "vda", "ua-disk-9e7c85f6-b6e5-4243", 0x0C)
    first.boot.order = 1
    second = _disk("/dev/xenvg/9e7c85f6.disk1", "vdb", "ua-disk-5b1c95f6-b6e5-4243", 0x0D)
    cdrom = _empty_drive("cdrom", "hdc", "ide")
    cdrom.read_only = True
    address = cdrom.address
    address.type, address.controller, address.bus, address.target, address.unit = "drive", 0, 1, 0, 0
    return [first, second, _empty_drive("floppy", "fda", "fdc"), cdrom]


def _usb() -> Device:
    controller = virtinst.DeviceController(None)
    controller.type, controller.index, controller.model = "usb", 0, "piix3-uhci"
    _pci(controller, 1, 2)
    return controller


def _interface(mac: str, bridge: str, alias: str, slot: int) -> Device:
    interface = virtinst.DeviceInterface(None)
    interface.type, interface.macaddr, interface.bridge = "bridge", mac, bridge
    interface.model, interface.driver_name = "virtio", "vhost"
    interface.alias.name = alias
    _pci(interface, slot)
    return interface


def _characters() -> list[Device]:
    serial = virtinst.DeviceSerial(None)
    serial.type, serial.target_type, serial.target_port = "pty", "isa-serial", 0
    serial.target_model_name = "isa-serial"
    parallel = virtinst.DeviceParallel(None)
    parallel.type, parallel.target_port = "null", 0
    console = virtinst.DeviceConsole(None)
    console.type, console.target_type, console.target_port = "pty", "serial", 0
    return [serial, parallel, console]


def _video() -> Device:
    video = virtinst.DeviceVideo(None)
    video.model, video.vram, video.heads = "vga", 16384, 1
    _pci(video, 2)
    return video


def _memballoon() -> Device:
    memballoon = virtinst.DeviceMemballoon(None)
    memballoon.model = "virtio"
    _pci(memballoon, 3)
    return memballoon


def _guest() -> virtinst.Guest:
    guest = virtinst.Guest(None)
    guest.type, guest.name, guest.uuid = "kvm", "web1.example.com", UUID
    guest.memory = guest.currentMemory = 4194304
    guest.vcpus = 4
    guest.os.os_type, guest.os.arch, guest.os.machine = "hvm", "x86_64", "pc"
    guest.features.acpi = True
    guest.cpu.mode, guest.cpu.match, guest.cpu.check = "custom", "exact", "none"
    guest.cpu.model, guest.cpu.model_fallback = "qemu64", "forbid"
    topology = guest.cpu.topology
    topology.sockets, topology.dies, topology.cores, topology.threads = 1, 1, 4, 1
    guest.clock.offset = "utc"
    guest.on_poweroff, guest.on_reboot, guest.on_crash = "destroy", "restart", "destroy"
    return guest


def build() -> str:
    """Give the XML text."""
    guest = _guest()
    devices = [
        *_drives(),
        _usb(),
        _interface("aa:00:00:12:34:56", "br0", "ua-nic-1e7c85f6-b6e5-4243", 0x0E),
        _interface("aa:00:00:12:34:57", "br1", "ua-nic-2e7c85f6-b6e5-4243", 0x0F),
        *_characters(),
        _video(),
        _memballoon(),
    ]
    for device in devices:
        guest.add_device(device)
    return str(guest.get_xml())


if __name__ == "__main__":
    serve({"virtinst": build}, VERSIONS)
