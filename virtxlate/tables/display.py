"""Displays, sound, USB devices and channels: Ganeti's words beside libvirt's."""

from __future__ import annotations

import msgspec

from virtxlate.bijection import Bijection
from virtxlate.errors import TableError

VGAS = Bijection(
    "vga",
    [
        ("", "vga"),
        ("cirrus", "cirrus"),
        ("vmware", "vmvga"),
        ("qxl", "qxl"),
        ("virtio", "virtio"),
        ("none", "none"),
    ],
    aliases=[("std", "vga")],
)
"""The empty word is QEMU's default, the standard VGA. Source: QEMU 7.2 -vga; libvirt formatdomain.rst."""

VRAM_KIB = {"vga": 16384, "cirrus": 16384, "vmvga": 16384, "qxl": 65536, "virtio": None, "none": None}
"""Video memory that QEMU gives each model when told nothing, KiB; None where libvirt passes none."""


class SpiceOption(msgspec.Struct, frozen=True, kw_only=True):
    """An hvparam of SPICE, and the field of libvirt's graphics that says it in the same words."""

    ganeti: str
    libvirt: str
    words: tuple[str, ...]


_WAN = ("auto", "never", "always")

SPICE_OPTIONS = (
    SpiceOption(
        ganeti="spice_image_compression",
        libvirt="image_compression",
        words=("auto_glz", "auto_lz", "quic", "glz", "lz", "off"),
    ),
    SpiceOption(ganeti="spice_jpeg_wan_compression", libvirt="jpeg_compression", words=_WAN),
    SpiceOption(ganeti="spice_zlib_glz_wan_compression", libvirt="zlib_compression", words=_WAN),
    SpiceOption(ganeti="spice_streaming_video", libvirt="streaming_mode", words=("filter", "all", "off")),
)
"""An empty hvparam is an absent element. Source: Ganeti Constants.hs:2929; libvirt formatdomain.rst."""

STD_VGA_SINCE = (2, 2)
"""Version of the pc machine from which QEMU's default is the standard VGA; before, it was OLDER_VGA."""

OLDER_VGA = "cirrus"

SPICE_VGA = "qxl"
"""What Ganeti asks for where vga is empty and there is SPICE."""

SPICE_CIPHERS = "tls-ciphers="
"""A word of ``-spice`` that libvirt lacks; QEMU adds one ``-spice`` to another. Measured on QEMU 7.2."""

PASSWORD_BYTES = {"vnc": 8, "spice": 60}
"""Longest password of a display. Source: RFC 6143, 7.2.2 (libvirt refuses more); SPICE_MAX_PASSWORD_LENGTH.
"""

VNC_BASE_PORT = 5900
"""A network_port up to this one is no VNC display to Ganeti: ``-vnc none``."""


class SoundCard(msgspec.Struct, frozen=True, kw_only=True):
    """One soundhw; a card that is not on PCI takes no slot."""

    ganeti: str
    libvirt: str
    pci: bool


SOUND_CARDS = (
    SoundCard(ganeti="hda", libvirt="ich6", pci=True),
    SoundCard(ganeti="ac97", libvirt="ac97", pci=True),
    SoundCard(ganeti="es1370", libvirt="es1370", pci=True),
    SoundCard(ganeti="sb16", libvirt="sb16", pci=False),
)
"""Source: QEMU 7.2 ``-audio model=help``; libvirt 9.0.0 domain_conf.c (virDomainSoundModel). libvirt asks for
pcspk by ``-soundhw``, which QEMU does not have since 7.1.
"""

CHANNELS = Bijection(
    "channel",
    [
        ("spice_use_vdagent", ("spicevmc", "com.redhat.spice.0")),
        ("use_guest_agent", ("unix", "org.qemu.guest_agent.0")),
    ],
)
"""hvparam to (type, name) of a channel, each on a virtio-serial controller of its own, in this order."""

SOUND_BY_GANETI = {row.ganeti: row for row in SOUND_CARDS}
SOUND_BY_LIBVIRT = {row.libvirt: row for row in SOUND_CARDS}
if not len(SOUND_CARDS) == len(SOUND_BY_GANETI) == len(SOUND_BY_LIBVIRT):
    raise TableError("SOUND_CARDS: a name appears in two rows")
