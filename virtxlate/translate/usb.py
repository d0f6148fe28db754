"""USB devices there and back: what libvirt has no word for QEMU is told by -device, at a port of its own.

Source: Ganeti 3.2 alpha (c35736d8a), lib/hypervisor/hv_kvm/__init__.py:1394-1400, 1588; for q35 f4cb0f63f.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any

import msgspec

from virtxlate.domain import model as domain
from virtxlate.errors import PlacementError, UnsupportedError
from virtxlate.ganeti.model import Instance
from virtxlate.report import Report, Severity
from virtxlate.tables.q35 import USB_MODEL, USB_PORTS
from virtxlate.tables.usb import (
    HUB_PORTS,
    PC_BUS,
    Q35_BUS,
    Q35_BUS_FUNCTIONS,
    Q35_BUS_SLOT,
    USB_CHARDEVS,
    USB_DRIVERS,
    USB_INPUTS,
    USB_POINTERS,
    UsbBus,
)
from virtxlate.translate.board import Places, is_q35
from virtxlate.translate.context import Context

_AT = "hvparams.usb_devices"
_TABLET = "tablet"
_DEVICE, _CHARDEV = "-device", "-chardev"
_OF_A_PORT = re.compile(r"[a-z]+,id=(usb-[a-z-]+)-[0-9.]+", re.ASCII)


class _OnAPort(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What ``-device`` says of a device here, as JSON: QEMU makes such a device after libvirt's own.

    Source: QEMU 7.2, softmmu/vl.c (qemu_create_cli_devices): JSON since 6.2.
    """

    driver: str
    bus: str
    port: str
    chardev: str | None = None


_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(_OnAPort)


class Usb(msgspec.Struct, frozen=True, kw_only=True):
    """USB devices, what they hang on, and words for QEMU where libvirt has none."""

    controllers: tuple[domain.Controller, ...] = ()
    inputs: tuple[domain.Input, ...] = ()
    hubs: tuple[domain.Hub, ...] = ()
    words: tuple[str, ...] = ()


def to_domain(instance: Instance, places: Places, context: Context, report: Report) -> Usb:
    """Give the USB devices; a pc has its controller on the board, a q35 one only where a device is.

    Raises PlacementError for more devices than ports, UnsupportedError for a usb_mouse that is none.
    """
    pointer, devices = _pointer(instance), _devices(instance, report)
    if not is_q35(instance):
        return _on_bus(PC_BUS, (*pointer, *devices), context, report)
    if not pointer and not instance.hvparams.usb_devices:
        return Usb(controllers=(domain.Controller(type="usb", index=0, model="none"),))
    own = domain.Controller(type="usb", index=0, model=USB_MODEL, ports=USB_PORTS, address=places.place(_AT))
    inputs = tuple(_input(word, 0, "1") for word in pointer)
    if not instance.hvparams.usb_devices:
        return Usb(controllers=(own,), inputs=inputs)
    behind = _on_bus(Q35_BUS, devices, context, report)
    return Usb(
        controllers=(own, *_controllers_of_usbdevice()),
        inputs=(*inputs, *behind.inputs),
        hubs=behind.hubs,
        words=behind.words,
    )


def held_slots(instance: Instance) -> dict[int, str]:
    """Give the slots that USB controllers take without being asked."""
    return {Q35_BUS_SLOT: _AT} if is_q35(instance) and instance.hvparams.usb_devices else {}


def _pointer(instance: Instance) -> tuple[str, ...]:
    """Give the pointing device; VNC without a usb_mouse has a tablet. Raises UnsupportedError."""
    hvparams = instance.hvparams
    word = hvparams.usb_mouse or (_TABLET if hvparams.vnc_bind_address else "")
    if not word:
        return ()
    if word not in USB_POINTERS:
        known = ", ".join(USB_POINTERS)
        raise UnsupportedError(f"expected one of {known}, found {word!r}", at="hvparams.usb_mouse")
    return (word,)


def _devices(instance: Instance, report: Report) -> tuple[str, ...]:
    """Give the words of usb_devices that QEMU knows."""
    known = []
    for word in filter(None, instance.hvparams.usb_devices.split(",")):
        if USB_INPUTS.knows_left(word) or USB_DRIVERS.knows_left(word):
            known.append(word)
        else:
            reason = "QEMU has no such USB device, and does not start under Ganeti: the guest has none"
            report.lose(_AT, word, reason, Severity.GUEST_VISIBLE)
    return tuple(known)


def _controllers_of_usbdevice() -> Iterator[domain.Controller]:
    for row in Q35_BUS_FUNCTIONS:
        address = domain.PciAddress(slot=Q35_BUS_SLOT, function=row.function, multifunction=True)
        yield domain.Controller(
            type="usb", index=Q35_BUS.index, model=row.model, startport=row.startport, address=address
        )


def _on_bus(bus: UsbBus, names: tuple[str, ...], context: Context, report: Report) -> Usb:
    """Give devices at the ports that QEMU gives them in this order."""
    room = bus.ports - 1 + HUB_PORTS - 1
    if len(names) > room:
        raise PlacementError(f"room for {room} devices", bus=bus.name, at=_AT)
    placed = list(zip(names, _ports(bus, len(names)), strict=True))
    has_hub = len(names) >= bus.ports
    hub = domain.Hub(type="usb", address=domain.UsbAddress(bus=bus.index, port=str(bus.ports)))
    others = [(USB_DRIVERS.right(word), port) for word, port in placed if USB_DRIVERS.knows_left(word)]
    for driver, _port in others:
        _report(driver, context, report)
    written = () if context.untainted else tuple(_words_for(bus, others))
    return Usb(
        inputs=tuple(_input(word, bus.index, port) for word, port in placed if USB_INPUTS.knows_left(word)),
        hubs=(hub,) if has_hub else (),
        words=written,
    )


def _ports(bus: UsbBus, count: int) -> Iterator[str]:
    for number in range(1, count + 1):
        beyond = number - (bus.ports - 1)
        yield str(number) if beyond <= 0 else f"{bus.ports}.{beyond}"


def _input(word: str, bus: int, port: str) -> domain.Input:
    address = domain.UsbAddress(bus=bus, port=port)
    return domain.Input(type=USB_INPUTS.right(word), bus="usb", address=address)


def _report(driver: str, context: Context, report: Report) -> None:
    word = USB_DRIVERS.left(driver)
    if context.untainted:
        reason = "libvirt has no such USB device, and QEMU is not told by its own option: the guest has none"
        report.lose(_AT, word, reason, Severity.GUEST_VISIBLE)
    else:
        reason = "libvirt has no such USB device: QEMU is told by its own option, which taints the domain"
        report.lose(_AT, word, reason)


def _words_for(bus: UsbBus, devices: Iterable[tuple[str, str]]) -> Iterator[str]:
    for driver, port in devices:
        chardev = f"{driver}-{port}" if driver in USB_CHARDEVS else None
        if chardev is not None:
            yield from (_CHARDEV, f"{USB_CHARDEVS[driver]},id={chardev}")
        told = _OnAPort(driver=driver, bus=bus.name, port=port, chardev=chardev)
        yield from (_DEVICE, _ENCODER.encode(told).decode())


def is_own(words: tuple[str, ...]) -> bool:
    """Tell whether an option of a domain's command line is one that usb_devices made."""
    if len(words) != 2:  # noqa: PLR2004 - option and value
        return False
    if words[0] == _CHARDEV:
        found = _OF_A_PORT.fullmatch(words[1])
        return found is not None and USB_DRIVERS.knows_right(found[1])
    return words[0] == _DEVICE and _told(words[1]) is not None


def _told(value: str) -> _OnAPort | None:
    """Give what the value of a -device says of one of these devices; None for any other."""
    try:
        found = _DECODER.decode(value)
    except msgspec.DecodeError:
        return None
    return found if USB_DRIVERS.knows_right(found.driver) and found.bus in _INDICES else None


_INDICES = {bus.name: bus.index for bus in (PC_BUS, Q35_BUS)}


def to_ganeti(found: domain.Domain, report: Report) -> dict[str, Any]:
    """Give usb_mouse and usb_devices, in the order of the ports."""
    for name in ("usb_mouse", "usb_devices"):
        report.lose(f"hvparams.{name}", None, "a USB device does not tell which parameter asked for it")
    placed = sorted((*_inputs_of(found), *_others_of(found)))
    words = [word for _bus, _port, word in placed]
    mouse = ""
    first_bus = placed[0][0] if placed else 0
    if words and words[0] in USB_POINTERS and first_bus == 0:
        mouse = words.pop(0)
        if mouse == _TABLET and any(each.type == "vnc" for each in found.devices.graphics):
            mouse = ""
    return {"usb_mouse": mouse, "usb_devices": ",".join(words)}


_Placed = tuple[int, tuple[int, ...], str]
"""Bus, port with those of hubs before it, and Ganeti's word."""


def _numbers(port: str | None) -> tuple[int, ...]:
    return tuple(int(each) for each in (port or "").split(".") if each.isdecimal())


def _inputs_of(found: domain.Domain) -> Iterator[_Placed]:
    for each in found.devices.inputs:
        if each.bus == "usb" and USB_INPUTS.knows_right(each.type):
            place = each.address if isinstance(each.address, domain.UsbAddress) else domain.UsbAddress()
            yield place.bus, _numbers(place.port), USB_INPUTS.left(each.type)


def _others_of(found: domain.Domain) -> Iterator[_Placed]:
    told = [each.value for each in found.qemu_command_line.arguments] if found.qemu_command_line else []
    for option, value in pairwise(told):
        each = _told(value) if option == _DEVICE else None
        if each is not None:
            yield _INDICES[each.bus], _numbers(each.port), USB_DRIVERS.left(each.driver)
