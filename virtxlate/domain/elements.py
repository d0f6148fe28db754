"""Where each field of the domain records stands in XML, declared once for writing and reading.

A disk, an interface or a controller can be read and written alone, as hot-plugging needs it.
"""

from __future__ import annotations

from virtxlate.domain import words
from virtxlate.domain.model import (
    BootDevice,
    Channel,
    Character,
    Controller,
    Cpu,
    Devices,
    Disk,
    DiskSource,
    Domain,
    DriveAddress,
    Hostdev,
    HostdevSource,
    Hub,
    Input,
    Interface,
    MemBalloon,
    Memory,
    Os,
    PciAddress,
    Reservations,
    Rng,
    Sound,
    SourceAuth,
    SourceHost,
    UsbAddress,
    Video,
    VirtioSerialAddress,
    VirtualPort,
    Vlan,
    VlanTag,
    Watchdog,
)
from virtxlate.domain.setting_elements import (
    CPU_FEATURE,
    CPUTUNE,
    GRAPHICS,
    PREFIXES,
    QEMU_COMMAND_LINE,
    QEMU_OVERRIDE,
    SECLABEL,
    SYSINFO,
)
from virtxlate.xmlmap import (
    INTEGER,
    ON_OFF,
    YES_NO,
    Child,
    Children,
    Choice,
    Element,
    Field,
    Flag,
    hexadecimal,
    one_of,
)

ADDRESS = Choice(
    "type",
    Element(
        "address",
        PciAddress,
        Field("domain", "@domain", hexadecimal(4)),
        Field("bus", "@bus", hexadecimal(2)),
        Field("slot", "@slot", hexadecimal(2)),
        Field("function", "@function", hexadecimal(1)),
        Field("multifunction", "@multifunction", ON_OFF),
        const={"type": "pci"},
    ),
    Element(
        "address",
        DriveAddress,
        Field("controller", "@controller", INTEGER),
        Field("bus", "@bus", INTEGER),
        Field("target", "@target", INTEGER),
        Field("unit", "@unit", INTEGER),
        const={"type": "drive"},
    ),
    Element(
        "address",
        UsbAddress,
        Field("bus", "@bus", INTEGER),
        Field("port", "@port"),
        const={"type": "usb"},
    ),
    Element(
        "address",
        VirtioSerialAddress,
        Field("controller", "@controller", INTEGER),
        Field("bus", "@bus", INTEGER),
        Field("port", "@port", INTEGER),
        const={"type": "virtio-serial"},
    ),
)

_SOURCE_HOST = Element(
    "host",
    SourceHost,
    Field("name", "@name"),
    Field("port", "@port", INTEGER),
    Field("transport", "@transport", one_of("host transport", words.HOST_TRANSPORTS)),
    Field("socket", "@socket"),
)
_SOURCE_AUTH = Element(
    "auth",
    SourceAuth,
    Field("username", "@username", required=True),
    Field("secret_type", "secret/@type"),
    Field("secret_usage", "secret/@usage"),
    Field("secret_uuid", "secret/@uuid"),
)
_RESERVATIONS = Element(
    "reservations",
    Reservations,
    Field("managed", "@managed", YES_NO, required=True),
    Field("socket_type", "source/@type"),
    Field("socket", "source/@path"),
    Field("socket_mode", "source/@mode"),
)
_DISK_SOURCE = Element(
    "source",
    DiskSource,
    Field("file", "@file"),
    Field("dev", "@dev"),
    Field("protocol", "@protocol", one_of("protocol", words.PROTOCOLS)),
    Field("name", "@name"),
    Field("pool", "@pool"),
    Field("volume", "@volume"),
    Field("query", "@query"),
    Children("hosts", _SOURCE_HOST),
    Field("initiator", "initiator/iqn/@name"),
    Child("auth", _SOURCE_AUTH),
    Child("reservations", _RESERVATIONS),
)
DISK = Element(
    "disk",
    Disk,
    Field("type", "@type", one_of("disk type", words.DISK_TYPES), required=True),
    Field("device", "@device", one_of("disk device", words.DISK_DEVICES)),
    Field("rawio", "@rawio", YES_NO),
    Field("sgio", "@sgio", one_of("sgio mode", words.SGIO_MODES)),
    Field("driver_name", "driver/@name"),
    Field("driver_type", "driver/@type"),
    Field("cache", "driver/@cache", one_of("cache mode", words.CACHE_MODES)),
    Field("io", "driver/@io", one_of("io mode", words.IO_MODES)),
    Field("discard", "driver/@discard", one_of("discard mode", words.DISCARD_MODES)),
    Field("detect_zeroes", "driver/@detect_zeroes", one_of("detect_zeroes", words.DETECT_ZEROES)),
    Field("iothread", "driver/@iothread", INTEGER),
    Child("source", _DISK_SOURCE),
    Field("target", "target/@dev", required=True),
    Field("bus", "target/@bus", one_of("disk bus", words.DISK_BUSES)),
    Flag("readonly", "readonly"),
    Flag("shareable", "shareable"),
    Field("boot_order", "boot/@order", INTEGER),
    Field("alias", "alias/@name"),
    Child("address", ADDRESS),
)
CONTROLLER = Element(
    "controller",
    Controller,
    Field("type", "@type", one_of("controller type", words.CONTROLLER_TYPES), required=True),
    Field("index", "@index", INTEGER),
    Field("model", "@model"),
    Field("ports", "@ports", INTEGER),
    Field("startport", "master/@startport", INTEGER),
    Field("chassis", "target/@chassis", INTEGER),
    Field("port", "target/@port", hexadecimal(1)),
    Field("queues", "driver/@queues", INTEGER),
    Field("iothread", "driver/@iothread", INTEGER),
    Field("alias", "alias/@name"),
    Child("address", ADDRESS),
)
_HOSTDEV_SOURCE = Element(
    "source",
    HostdevSource,
    Field("protocol", "@protocol"),
    Field("name", "@name"),
    Field("wwpn", "@wwpn"),
    Field("adapter", "adapter/@name"),
    Field("bus", "address/@bus"),
    Field("target", "address/@target"),
    Field("unit", "address/@unit"),
    Children("hosts", _SOURCE_HOST),
    Field("initiator", "initiator/iqn/@name"),
    Child("auth", _SOURCE_AUTH),
)
HOSTDEV = Element(
    "hostdev",
    Hostdev,
    Field("mode", "@mode", one_of("hostdev mode", words.HOSTDEV_MODES)),
    Field("type", "@type", one_of("hostdev type", words.HOSTDEV_TYPES), required=True),
    Field("model", "@model"),
    Field("managed", "@managed", YES_NO),
    Field("rawio", "@rawio", YES_NO),
    Field("sgio", "@sgio", one_of("sgio mode", words.SGIO_MODES)),
    Child("source", _HOSTDEV_SOURCE),
    Flag("readonly", "readonly"),
    Flag("shareable", "shareable"),
    Field("boot_order", "boot/@order", INTEGER),
    Field("alias", "alias/@name"),
    Child("address", ADDRESS),
)
_VLAN_TAG = Element(
    "tag",
    VlanTag,
    Field("id", "@id", INTEGER, required=True),
    Field("native_mode", "@nativeMode", one_of("native mode", words.NATIVE_MODES)),
)
_VLAN = Element("vlan", Vlan, Field("trunk", "@trunk", YES_NO), Children("tags", _VLAN_TAG))
_VIRTUALPORT = Element(
    "virtualport",
    VirtualPort,
    Field("type", "@type", one_of("virtualport type", words.VIRTUALPORT_TYPES)),
    Field("interface_id", "parameters/@interfaceid"),
)
INTERFACE = Element(
    "interface",
    Interface,
    Field("type", "@type", one_of("interface type", words.INTERFACE_TYPES), required=True),
    Field("mac", "mac/@address"),
    Field("bridge", "source/@bridge"),
    Field("network", "source/@network"),
    Child("virtualport", _VIRTUALPORT),
    Child("vlan", _VLAN),
    Field("script", "script/@path"),
    Field("model", "model/@type"),
    Field("driver", "driver/@name", one_of("interface driver", words.INTERFACE_DRIVERS)),
    Field("queues", "driver/@queues", INTEGER),
    *(Field(f"{side}_{name}", f"driver/{side}/@{name}", ON_OFF) for side, name in words.OFFLOADS),
    Field("boot_order", "boot/@order", INTEGER),
    Field("alias", "alias/@name"),
    Field("acpi_index", "acpi/@index", INTEGER),
    Child("address", ADDRESS),
)


def _character(tag: str) -> Element[Character]:
    return Element(
        tag,
        Character,
        Field("type", "@type", one_of("character device type", words.CHARACTER_TYPES), required=True),
        Field("source_path", "source/@path"),
        Field("target_type", "target/@type"),
        Field("target_port", "target/@port", INTEGER),
        Field("target_model", "target/model/@name"),
    )


SERIAL = _character("serial")
PARALLEL = _character("parallel")
CONSOLE = _character("console")
CHANNEL = Element(
    "channel",
    Channel,
    Field("type", "@type", one_of("character device type", words.CHARACTER_TYPES), required=True),
    Field("target_type", "target/@type"),
    Field("target_name", "target/@name"),
    Child("address", ADDRESS),
)
INPUT = Element(
    "input",
    Input,
    Field("type", "@type", one_of("input type", words.INPUT_TYPES), required=True),
    Field("bus", "@bus", one_of("input bus", words.INPUT_BUSES)),
    Child("address", ADDRESS),
)
HUB = Element("hub", Hub, Field("type", "@type", required=True), Child("address", ADDRESS))
SOUND = Element(
    "sound",
    Sound,
    Field("model", "@model", one_of("sound model", words.SOUND_MODELS), required=True),
    Child("address", ADDRESS),
)
VIDEO = Element(
    "video",
    Video,
    Field("type", "model/@type", one_of("video model", words.VIDEO_MODELS), required=True),
    Field("vram_kib", "model/@vram", INTEGER),
    Field("heads", "model/@heads", INTEGER),
    Child("address", ADDRESS),
)
MEMBALLOON = Element(
    "memballoon",
    MemBalloon,
    Field("model", "@model", one_of("memballoon model", words.MEMBALLOON_MODELS), required=True),
    Child("address", ADDRESS),
)
RNG = Element(
    "rng",
    Rng,
    Field("model", "@model", required=True),
    Field("rate_bytes", "rate/@bytes", INTEGER),
    Field("rate_period", "rate/@period", INTEGER),
    Field("backend", "backend/@model", one_of("rng backend", words.RNG_BACKENDS)),
    Field("backend_path", "backend"),
    Child("address", ADDRESS),
)
WATCHDOG = Element(
    "watchdog",
    Watchdog,
    Field("model", "@model", required=True),
    Field("action", "@action"),
    Child("address", ADDRESS),
)
DEVICES = Element(
    "devices",
    Devices,
    Field("emulator", "emulator"),
    Children("disks", DISK),
    Children("controllers", CONTROLLER),
    Children("interfaces", INTERFACE),
    Children("hostdevs", HOSTDEV),
    Children("serials", SERIAL),
    Children("parallels", PARALLEL),
    Children("consoles", CONSOLE),
    Children("channels", CHANNEL),
    Children("inputs", INPUT),
    Children("graphics", GRAPHICS),
    Children("sounds", SOUND),
    Children("videos", VIDEO),
    Children("hubs", HUB),
    Child("memballoon", MEMBALLOON),
    Children("rngs", RNG),
    Children("watchdogs", WATCHDOG),
)
_BOOT = Element(
    "boot", BootDevice, Field("dev", "@dev", one_of("boot device", words.BOOT_DEVICES), required=True)
)
_OS = Element(
    "os",
    Os,
    Field("arch", "type/@arch"),
    Field("machine", "type/@machine"),
    Field("type", "type", required=True),
    Field("kernel", "kernel"),
    Field("initrd", "initrd"),
    Field("cmdline", "cmdline"),
    Children("boots", _BOOT),
    Field("boot_menu", "bootmenu/@enable", YES_NO),
    Field("smbios_mode", "smbios/@mode"),
)
_CPU = Element(
    "cpu",
    Cpu,
    Field("mode", "@mode", one_of("cpu mode", words.CPU_MODES)),
    Field("match", "@match", one_of("cpu match", words.CPU_MATCHES)),
    Field("check", "@check", one_of("cpu check", words.CPU_CHECKS)),
    Field("fallback", "model/@fallback", one_of("cpu fallback", words.CPU_FALLBACKS)),
    Field("model", "model"),
    Field("sockets", "topology/@sockets", INTEGER),
    Field("dies", "topology/@dies", INTEGER),
    Field("cores", "topology/@cores", INTEGER),
    Field("threads", "topology/@threads", INTEGER),
    Children("features", CPU_FEATURE),
)


def _memory(tag: str) -> Element[Memory]:
    return Element(tag, Memory, Field("unit", "@unit"), Field("value", ".", INTEGER, required=True))


_LIFECYCLE = one_of("lifecycle action", words.LIFECYCLE_ACTIONS)
DOMAIN = Element(
    "domain",
    Domain,
    Field("type", "@type", required=True),
    Field("name", "name", required=True),
    Field("uuid", "uuid"),
    Field("metadata", f"metadata/{{{words.METADATA_NAMESPACE}}}{words.METADATA_TAG}"),
    Child("memory", _memory("memory")),
    Child("current_memory", _memory("currentMemory")),
    Flag("huge_pages", "memoryBacking/hugepages"),
    Field("vcpu_cpuset", "vcpu/@cpuset"),
    Field("vcpus", "vcpu", INTEGER),
    Field("iothreads", "iothreads", INTEGER),
    Child("cputune", CPUTUNE),
    Child("sysinfo", SYSINFO),
    Child("os", _OS),
    Flag("acpi", "features/acpi"),
    Child("cpu", _CPU),
    Field("clock_offset", "clock/@offset", one_of("clock offset", words.CLOCK_OFFSETS)),
    Field("on_poweroff", "on_poweroff", _LIFECYCLE),
    Field("on_reboot", "on_reboot", _LIFECYCLE),
    Field("on_crash", "on_crash", _LIFECYCLE),
    Child("devices", DEVICES),
    Children("seclabels", SECLABEL),
    Child("qemu_command_line", QEMU_COMMAND_LINE),
    Child("qemu_override", QEMU_OVERRIDE),
    prefixes=PREFIXES,
)
