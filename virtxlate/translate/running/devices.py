"""Controllers, video, sound, USB, channels, balloon and other cards of a running QEMU, each in its place."""

from __future__ import annotations

import re
from collections.abc import Mapping

from virtxlate.domain import model as domain
from virtxlate.domain import settings
from virtxlate.hardware.facts import Display, Facts
from virtxlate.hardware.model import Device
from virtxlate.report import Report, Severity
from virtxlate.tables.display import CHANNELS, VRAM_KIB
from virtxlate.tables.running import BY_DRIVER
from virtxlate.translate.machine import CONSOLE, SERIAL
from virtxlate.translate.running.disks import scsi_controllers
from virtxlate.translate.running.facts import Running, of_kind, owner, pci_address
from virtxlate.units import KIB_PER_MIB

_USB_PORT = re.compile(r".*/(?:usb-bus port|port) ([0-9.]+)", re.ASCII)
_CHANNEL_TYPES = {name: kind for _word, (kind, name) in CHANNELS.rows}
_ANY_HOST = {"0.0.0.0", "::", "*"}  # noqa: S104 - only read


def controllers(running: Running) -> tuple[domain.Controller, ...]:
    """Give the controllers of USB, SCSI and virtio-serial."""
    facts = running.facts
    usb = (
        domain.Controller(type="usb", index=at, model=row.model, address=pci_address(device))
        for at, (device, row) in enumerate(of_kind(facts, "usb"))
    )
    scsi = (
        domain.Controller(
            type="scsi", index=at, model=BY_DRIVER[device.driver].model, address=pci_address(device)
        )
        for at, device in enumerate(scsi_controllers(running))
    )
    serial = (
        domain.Controller(type="virtio-serial", index=at, address=pci_address(device))
        for at, device in enumerate(_serial_controllers(facts))
    )
    return (*usb, *scsi, *serial)


def _serial_controllers(facts: Facts) -> list[Device]:
    return [device for device, _row in of_kind(facts, "virtio-serial")]


def channels(running: Running, report: Report) -> tuple[domain.Channel, ...]:
    """Give the ports of virtio-serial controllers that an agent in the guest speaks through."""
    facts, found = running.facts, []
    paths = [each.path for each in _serial_controllers(facts)]
    for device, _row in of_kind(facts, "channel"):
        name = device.properties.get("name", "")
        above = owner(facts, device)
        while above is not None and above.path not in paths:
            above = owner(facts, above)
        kind = _CHANNEL_TYPES.get(name)
        if kind is None or above is None:
            reason = "a port of virtio-serial that Ganeti does not make has no channel here"
            report.lose(f"devices[{device.path}]", name, reason, Severity.GUEST_VISIBLE)
            continue
        port = domain.VirtioSerialAddress(
            controller=paths.index(above.path), port=int(device.properties["nr"])
        )
        found.append(domain.Channel(type=kind, target_type="virtio", target_name=name, address=port))
    return tuple(sorted(found, key=lambda each: str(each.address)))


def inputs(running: Running) -> tuple[domain.Input, ...]:
    """Give the USB pointers and keyboards at their ports."""
    return tuple(
        domain.Input(type=row.model, bus="usb", address=_usb_address(device))
        for device, row in of_kind(running.facts, "input")
    )


def hubs(running: Running) -> tuple[domain.Hub, ...]:
    """Give the USB hubs, which QEMU adds where devices are more than ports."""
    return tuple(
        domain.Hub(type="usb", address=_usb_address(device)) for device, _ in of_kind(running.facts, "hub")
    )


def _usb_address(device: Device) -> domain.UsbAddress:
    match = _USB_PORT.fullmatch(device.path)
    return domain.UsbAddress(port=match[1] if match else None)


def videos(running: Running) -> tuple[domain.Video, ...]:
    """Give the cards; libvirt adds one of its own where none is written."""
    found = tuple(
        domain.Video(type=row.model, vram_kib=_vram(device, row.model), heads=1, address=pci_address(device))
        for device, row in of_kind(running.facts, "video")
    )
    return found or (domain.Video(type="none"),)


def _vram(device: Device, model: str) -> int | None:
    told = device.properties.get("vgamem_mb", "")
    if model in {"vga", "cirrus", "vmvga"} and told.isdecimal():
        return int(told) * KIB_PER_MIB
    return VRAM_KIB[model]


def sounds(running: Running) -> tuple[domain.Sound, ...]:
    """Give the sound cards."""
    return tuple(
        domain.Sound(model=row.model, address=pci_address(device))
        for device, row in of_kind(running.facts, "sound")
    )


def memballoon(running: Running) -> domain.MemBalloon:
    """Give the balloon; libvirt adds one where none is written."""
    for device, row in of_kind(running.facts, "memballoon"):
        return domain.MemBalloon(model=row.model, address=pci_address(device))
    return domain.MemBalloon(model="none")


def rngs(running: Running, base: tuple[domain.Rng, ...], report: Report) -> tuple[domain.Rng, ...]:
    """Give the sources of randomness; what feeds them QMP does not tell."""
    found = []
    for at, (device, row) in enumerate(of_kind(running.facts, "rng")):
        told = base[at] if at < len(base) else domain.Rng(model=row.model, backend="builtin")
        if at >= len(base):
            report.lose(f"devices[{device.path}].rng", None, "QMP does not tell what feeds it: QEMU itself")
        found.append(
            domain.Rng(
                model=row.model,
                rate_bytes=told.rate_bytes,
                rate_period=told.rate_period,
                backend=told.backend,
                backend_path=told.backend_path,
                address=pci_address(device),
            )
        )
    return tuple(found)


def watchdogs(
    running: Running, base: tuple[domain.Watchdog, ...], report: Report
) -> tuple[domain.Watchdog, ...]:
    """Give the watchdogs; what they do QMP does not tell."""
    found = []
    for at, (device, row) in enumerate(of_kind(running.facts, "watchdog")):
        if at >= len(base):
            report.lose(f"devices[{device.path}].action", None, "QMP does not tell what it does: reset")
        action = base[at].action if at < len(base) else "reset"
        found.append(domain.Watchdog(model=row.model, action=action, address=pci_address(device)))
    return tuple(found)


def serials(running: Running, report: Report) -> tuple[domain.Character, ...]:
    """Give the serial port; Ganeti makes no second one."""
    ports = [device for device, _row in of_kind(running.facts, "serial")]
    for each in ports[1:]:
        reason = "Ganeti gives a guest one serial port"
        report.lose(f"devices[{each.path}]", each.driver, reason, Severity.GUEST_VISIBLE)
    return (SERIAL,) if ports else ()


def consoles(running: Running) -> tuple[domain.Character, ...]:
    """Give the console that ``virsh console`` opens: the same serial port."""
    return (CONSOLE,) if any(of_kind(running.facts, "serial")) else ()


def parallels(running: Running) -> tuple[domain.Character, ...]:
    """Give the parallel ports, which lead nowhere."""
    return tuple(
        domain.Character(type="null", target_port=int(device.properties.get("index", "0")))
        for device, _row in of_kind(running.facts, "parallel")
    )


def graphics(
    running: Running, base: tuple[settings.Graphics, ...], report: Report
) -> tuple[settings.Graphics, ...]:
    """Give the displays: those of Ganeti's data where QEMU has them too, else what QEMU tells of its own."""
    told = {each.type: each for each in base}
    return tuple(
        told[each.type] if each.type in told else _display(each, report) for each in running.facts.displays
    )


def _display(display: Display, report: Report) -> settings.Graphics:
    if display.socket:
        listen = settings.Listen(type="socket", socket=display.socket)
    else:
        address = "0.0.0.0" if display.host in _ANY_HOST else display.host  # noqa: S104 - only told on
        listen = settings.Listen(type="address", address=address)
    if display.auth != "none":
        reason = "no password is written: nobody can connect until one is set"
        report.lose(f"displays[{display.type}].auth", display.auth, reason)
    return settings.Graphics(
        type=display.type,
        port=display.port,
        tls_port=display.tls_port,
        autoport=None if display.socket else False,
        password=None if display.auth == "none" else "",
        listens=(listen,),
    )


def report_unknown(running: Running, words: Mapping[str, str], report: Report) -> None:
    """Report every device that no element stands for, nor a word for QEMU that Ganeti's data gives."""
    for each in running.facts.machine.devices:
        if each.driver not in BY_DRIVER and each.driver not in words and not _is_inner(each):
            reason = "libvirt has no element for this device of the running QEMU"
            report.lose(f"devices[{each.path}]", each.driver, reason, Severity.GUEST_VISIBLE)


def _is_inner(device: Device) -> bool:
    """Tell whether a device is one that QEMU makes with the machine: off every bus that takes a card."""
    return device.bus in {"System", "ICC"}
