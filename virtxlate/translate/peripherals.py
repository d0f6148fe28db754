"""Sound, USB devices and the channels of guest agents, there and back.

Source: Ganeti 3.2 alpha (c35736d8a), lib/hypervisor/hv_kvm/__init__.py:1394-1400, 1533-1610; QEMU 7.2
hw/usb/bus.c: the PIIX3 has two ports, and QEMU puts a hub of eight on the second where more is needed.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import msgspec

from virtxlate.domain import model as domain
from virtxlate.errors import PlacementError
from virtxlate.ganeti.model import Instance
from virtxlate.report import Report, Severity
from virtxlate.tables.display import CHANNELS, SOUND_BY_GANETI, SOUND_BY_LIBVIRT, USB_INPUTS
from virtxlate.tables.q35 import USB_MODEL, USB_PORTS
from virtxlate.translate.board import Places, is_q35

_MOST_USB = 8
"""One at the PIIX3, seven at the hub: the last port of a hub is another hub's."""
_HUB = domain.Hub(type="usb", address=domain.UsbAddress(port="2"))
_USB_OPTION = "-usbdevice"


def sounds(instance: Instance, places: Places, report: Report) -> tuple[domain.Sound, ...]:
    """Give the sound cards, those on PCI at the lowest free slots."""
    found = []
    for word in filter(None, instance.hvparams.soundhw.split(",")):
        row = SOUND_BY_GANETI.get(word)
        if row is None:
            reason = "libvirt has no sound card of this name: the guest has none"
            report.lose("hvparams.soundhw", word, reason, Severity.GUEST_VISIBLE)
            continue
        address = places.place("hvparams.soundhw") if row.pci else None
        found.append(domain.Sound(model=row.libvirt, address=address))
    return tuple(found)


def channels(
    instance: Instance, places: Places
) -> tuple[tuple[domain.Controller, ...], tuple[domain.Channel, ...]]:
    """Give the virtio-serial controllers and their channels: SPICE's agent, then the guest agent."""
    hvparams = instance.hvparams
    agents = {
        "spice_use_vdagent": bool(hvparams.spice_bind) and hvparams.spice_use_vdagent,
        "use_guest_agent": hvparams.use_guest_agent,
    }
    controllers: list[domain.Controller] = []
    found: list[domain.Channel] = []
    for name in (name for name, _words in CHANNELS.rows if agents[name]):
        index = len(controllers)
        address = places.place(f"hvparams.{name}")
        controllers.append(domain.Controller(type="virtio-serial", index=index, address=address))
        kind, channel = CHANNELS.right(name)
        port = domain.VirtioSerialAddress(controller=index, port=1)
        found.append(domain.Channel(type=kind, target_type="virtio", target_name=channel, address=port))
    return tuple(controllers), tuple(found)


class Usb(msgspec.Struct, frozen=True, kw_only=True):
    """USB devices, what they hang on, and words for QEMU where libvirt has none."""

    controllers: tuple[domain.Controller, ...] = ()
    inputs: tuple[domain.Input, ...] = ()
    hubs: tuple[domain.Hub, ...] = ()
    words: tuple[str, ...] = ()


def usb(instance: Instance, places: Places, report: Report) -> Usb:
    """Give the USB devices; a pc has its controller on the board, a q35 one only where a device is.

    Raises PlacementError for more devices than ports.
    """
    known, unknown = _usb_types(instance, report)
    if is_q35(instance):
        return _usb_of_q35(known, unknown, places)
    if len(known) > _MOST_USB:
        raise PlacementError(f"room for {_MOST_USB} devices", bus="usb.0", at="hvparams.usb_devices")
    ports = ["1", *(f"2.{number}" for number in range(1, len(known)))]
    return Usb(inputs=_inputs(known, ports), hubs=(_HUB,) if len(known) > 1 else (), words=tuple(unknown))


def _usb_of_q35(known: list[str], unknown: list[str], places: Places) -> Usb:
    if not known and not unknown:
        return Usb(controllers=(domain.Controller(type="usb", index=0, model="none"),))
    if len(known) > USB_PORTS:
        raise PlacementError(f"room for {USB_PORTS} devices", bus="usb.0", at="hvparams.usb_devices")
    address = places.place("hvparams.usb_devices")
    controller = domain.Controller(type="usb", index=0, model=USB_MODEL, ports=USB_PORTS, address=address)
    ports = [str(number) for number in range(1, len(known) + 1)]
    return Usb(controllers=(controller,), inputs=_inputs(known, ports), words=tuple(unknown))


def _inputs(types: list[str], ports: list[str]) -> tuple[domain.Input, ...]:
    pairs = zip(types, ports, strict=False)
    return tuple(
        domain.Input(type=word, bus="usb", address=domain.UsbAddress(port=port)) for word, port in pairs
    )


def _usb_types(instance: Instance, report: Report) -> tuple[list[str], list[str]]:
    """Give libvirt's input types, and words for QEMU."""
    known, unknown = [], []
    for path, word in _usb_words(instance):
        if USB_INPUTS.knows_left(word):
            known.append(USB_INPUTS.right(word))
            continue
        reason = "libvirt has no such USB device: QEMU is told by its own option, which taints the domain"
        report.lose(path, word, reason, Severity.GUEST_VISIBLE)
        unknown += [_USB_OPTION, word]
    return known, unknown


def _usb_words(instance: Instance) -> Iterator[tuple[str, str]]:
    """Give path and word of each USB device; VNC without a usb_mouse has a tablet."""
    hvparams = instance.hvparams
    if hvparams.usb_mouse:
        yield "hvparams.usb_mouse", hvparams.usb_mouse
    elif hvparams.vnc_bind_address:
        yield "hvparams.vnc_bind_address", "tablet"
    for word in filter(None, hvparams.usb_devices.split(",")):
        yield "hvparams.usb_devices", word


def to_ganeti(found: domain.Domain, report: Report) -> dict[str, Any]:
    """Give the hvparams that sound cards, USB inputs and channels of a domain tell."""
    return {
        **_sound_to_ganeti(found, report),
        **_usb_to_ganeti(found, report),
        **_channels_to_ganeti(found, report),
    }


def _sound_to_ganeti(found: domain.Domain, report: Report) -> dict[str, str]:
    words = []
    for sound in found.devices.sounds:
        row = SOUND_BY_LIBVIRT.get(sound.model)
        if row is None:
            report.lose(
                "hvparams.soundhw", sound.model, "Ganeti has no such sound card", Severity.GUEST_VISIBLE
            )
        else:
            words.append(row.ganeti)
    report.lose("hvparams.soundhw", None, "a sound card that libvirt does not have left no trace")
    return {"soundhw": ",".join(words)}


def _usb_to_ganeti(found: domain.Domain, report: Report) -> dict[str, str]:
    types = [each.type for each in found.devices.inputs if each.bus == "usb"]
    words = [USB_INPUTS.left(word) for word in types if USB_INPUTS.knows_right(word)]
    told = [each.value for each in found.qemu_command_line.arguments] if found.qemu_command_line else []
    raw = [word for option, word in pairwise(told) if option == _USB_OPTION]
    for name in ("usb_mouse", "usb_devices"):
        report.lose(f"hvparams.{name}", None, "a USB device does not tell which parameter asked for it")
    mouse = ""
    if words and words[0] != "keyboard":
        mouse = words.pop(0)
        if mouse == "tablet" and any(each.type == "vnc" for each in found.devices.graphics):
            mouse = ""
    return {"usb_mouse": mouse, "usb_devices": ",".join((*words, *raw))}


def _channels_to_ganeti(found: domain.Domain, report: Report) -> dict[str, bool]:
    values = {name: False for name, _words in CHANNELS.rows}
    for words in ((each.type, each.target_name or "") for each in found.devices.channels):
        if CHANNELS.knows_right(words):
            values[CHANNELS.left(words)] = True
        else:
            report.lose("channels", " ".join(words), "Ganeti has no such channel", Severity.GUEST_VISIBLE)
    report.lose("hvparams.spice_use_vdagent", None, "without SPICE it has no effect")
    return values
