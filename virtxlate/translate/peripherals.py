"""Sound and the channels of guest agents, there and back.

Source: Ganeti 3.2 alpha (c35736d8a), lib/hypervisor/hv_kvm/__init__.py:1533-1610.
"""

from __future__ import annotations

from typing import Any

from virtxlate.domain import model as domain
from virtxlate.ganeti.model import Instance
from virtxlate.report import Report, Severity
from virtxlate.tables.display import CHANNELS, SOUND_BY_GANETI, SOUND_BY_LIBVIRT
from virtxlate.translate.board import Places


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


def to_ganeti(found: domain.Domain, report: Report) -> dict[str, Any]:
    """Give the hvparams that sound cards and channels of a domain tell."""
    return {
        **_sound_to_ganeti(found, report),
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


def _channels_to_ganeti(found: domain.Domain, report: Report) -> dict[str, bool]:
    values = {name: False for name, _words in CHANNELS.rows}
    for words in ((each.type, each.target_name or "") for each in found.devices.channels):
        if CHANNELS.knows_right(words):
            values[CHANNELS.left(words)] = True
        else:
            report.lose("channels", " ".join(words), "Ganeti has no such channel", Severity.GUEST_VISIBLE)
    report.lose("hvparams.spice_use_vdagent", None, "without SPICE it has no effect")
    return values
