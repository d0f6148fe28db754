"""Where the fields of the records in settings.py stand in XML."""

from __future__ import annotations

from virtxlate.domain import words
from virtxlate.domain.settings import (
    CpuFeature,
    CpuTune,
    DeviceOverride,
    Graphics,
    Listen,
    QemuArgument,
    QemuCommandLine,
    QemuOverride,
    SecurityLabel,
    SmbiosEntry,
    SmbiosSystem,
    Sysinfo,
    VcpuPin,
)
from virtxlate.xmlmap import INTEGER, ON_OFF, YES_NO, Child, Children, Element, Field, one_of

QEMU = f"{{{words.QEMU_NAMESPACE}}}"
PREFIXES = {
    words.METADATA_NAMESPACE: words.METADATA_PREFIX,
    words.QEMU_NAMESPACE: words.QEMU_PREFIX,
}
LISTEN = Element(
    "listen",
    Listen,
    Field("type", "@type", one_of("listen type", words.LISTEN_TYPES), required=True),
    Field("address", "@address"),
    Field("network", "@network"),
    Field("socket", "@socket"),
)
WAN = one_of("compression", words.WAN_COMPRESSIONS)
GRAPHICS = Element(
    "graphics",
    Graphics,
    Field("type", "@type", one_of("graphics type", words.GRAPHICS_TYPES), required=True),
    Field("port", "@port", INTEGER),
    Field("tls_port", "@tlsPort", INTEGER),
    Field("autoport", "@autoport", YES_NO),
    Field("keymap", "@keymap"),
    Field("password", "@passwd"),
    Field("default_mode", "@defaultMode", one_of("channel mode", words.SPICE_MODES)),
    Children("listens", LISTEN),
    Field("image_compression", "image/@compression", one_of("compression", words.IMAGE_COMPRESSIONS)),
    Field("jpeg_compression", "jpeg/@compression", WAN),
    Field("zlib_compression", "zlib/@compression", WAN),
    Field("playback_compression", "playback/@compression", ON_OFF),
    Field("streaming_mode", "streaming/@mode", one_of("streaming mode", words.STREAMING_MODES)),
    Field("mouse_mode", "mouse/@mode", one_of("mouse mode", words.MOUSE_MODES)),
)
CPU_FEATURE = Element(
    "feature",
    CpuFeature,
    Field("policy", "@policy", one_of("feature policy", words.FEATURE_POLICIES)),
    Field("name", "@name", required=True),
)
VCPU_PIN = Element(
    "vcpupin",
    VcpuPin,
    Field("vcpu", "@vcpu", INTEGER, required=True),
    Field("cpuset", "@cpuset", required=True),
)
CPUTUNE = Element("cputune", CpuTune, Children("pins", VCPU_PIN))
SECLABEL = Element(
    "seclabel",
    SecurityLabel,
    Field("type", "@type", one_of("label type", words.LABEL_TYPES), required=True),
    Field("model", "@model"),
    Field("relabel", "@relabel", YES_NO),
    Field("label", "label"),
)
SMBIOS_ENTRY = Element("entry", SmbiosEntry, Field("name", "@name", required=True), Field("value", "."))
SYSINFO = Element(
    "sysinfo",
    Sysinfo,
    Field("type", "@type", required=True),
    Child("system", Element("system", SmbiosSystem, Children("entries", SMBIOS_ENTRY))),
)
QEMU_ARGUMENT = Element(
    f"{QEMU}arg",
    QemuArgument,
    Field("value", "@value", required=True),
    prefixes=PREFIXES,
    declared=(words.QEMU_NAMESPACE,),
)
QEMU_COMMAND_LINE = Element(
    f"{QEMU}commandline", QemuCommandLine, Children("arguments", QEMU_ARGUMENT), prefixes=PREFIXES
)

_PROPERTY = f"{QEMU}frontend/{QEMU}property"
_DEVICE_OVERRIDE = Element(
    f"{QEMU}device",
    DeviceOverride,
    Field("alias", "@alias", required=True),
    Field("name", f"{_PROPERTY}/@name", required=True),
    Field("type", f"{_PROPERTY}/@type", one_of("override type", words.OVERRIDE_TYPES), required=True),
    Field("value", f"{_PROPERTY}/@value"),
    prefixes=PREFIXES,
    declared=(words.QEMU_NAMESPACE,),
)
QEMU_OVERRIDE = Element(
    f"{QEMU}override", QemuOverride, Children("devices", _DEVICE_OVERRIDE), prefixes=PREFIXES
)
