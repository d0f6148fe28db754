"""The words that the records take and the words of the XSD: no record holds a word that the XSD refuses."""

from __future__ import annotations

import pytest

from virtxlate.domain import words
from virtxlate.domain.grammar import grammar

QEMU_PROPERTY = f"{{{words.QEMU_NAMESPACE}}}PropertyType"
TYPES = {
    "BOOT_DEVICES": "BootDevice",
    "CACHE_MODES": "DiskCache",
    "CHARACTER_TYPES": "CharacterType",
    "CLOCK_OFFSETS": "ClockOffset",
    "CONTROLLER_TYPES": "ControllerType",
    "CPU_CHECKS": "CpuCheck",
    "CPU_FALLBACKS": "CpuFallback",
    "CPU_MATCHES": "CpuMatch",
    "CPU_MODES": "CpuMode",
    "DETECT_ZEROES": "DetectZeroes",
    "DISCARD_MODES": "DiskDiscard",
    "DISK_BUSES": "DiskBus",
    "DISK_DEVICES": "DiskDevice",
    "DISK_TYPES": "DiskType",
    "DOMAIN_TYPES": "DomainType",
    "FEATURE_POLICIES": "CpuFeaturePolicy",
    "GRAPHICS_TYPES": "GraphicsType",
    "HOSTDEV_MODES": "HostdevMode",
    "HOSTDEV_TYPES": "HostdevType",
    "HOST_TRANSPORTS": "HostTransport",
    "IMAGE_COMPRESSIONS": "ImageCompression",
    "INPUT_BUSES": "InputBus",
    "INPUT_TYPES": "InputType",
    "INTERFACE_DRIVERS": "InterfaceDriver",
    "INTERFACE_TYPES": "InterfaceType",
    "IO_MODES": "DiskIo",
    "LABEL_TYPES": "LabelType",
    "LIFECYCLE_ACTIONS": "CrashAction",
    "LISTEN_TYPES": "ListenType",
    "MEMBALLOON_MODELS": "BalloonModel",
    "MOUSE_MODES": "PointerMode",
    "NATIVE_MODES": "NativeVlanMode",
    "OVERRIDE_TYPES": QEMU_PROPERTY,
    "PROTOCOLS": "DiskProtocol",
    "RNG_BACKENDS": "RngBackend",
    "SGIO_MODES": "SgioMode",
    "SOUND_MODELS": "SoundModel",
    "SPICE_MODES": "SpiceMode",
    "STREAMING_MODES": "StreamingMode",
    "VIDEO_MODELS": "VideoModel",
    "VIRTUALPORT_TYPES": "VirtualPortType",
    "WAN_COMPRESSIONS": "WanCompression",
}
NOT_IN_THE_GRAMMAR = {
    "INPUT_BUSES": {"parallels", "none"},
    "VIDEO_MODELS": {"default", "parallels"},
}
"""Words of libvirt's code that its grammar has not, and that no document shows."""


def test_every_list_of_words_is_compared() -> None:
    lists = {name for name, value in vars(words).items() if name.isupper() and isinstance(value, tuple)}
    assert lists - {"OFFLOADS"} == set(TYPES)


@pytest.mark.parametrize("name", TYPES)
def test_the_xsd_knows_every_word_of_the_records(name: str) -> None:
    known = set(grammar().words(TYPES[name]))
    assert set(getattr(words, name)) - known == NOT_IN_THE_GRAMMAR.get(name, set())
