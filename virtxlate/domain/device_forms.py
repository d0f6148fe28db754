"""The forms of elements: devices of all kinds, without the sources of disks.

Source: libvirt 9.0.0, src/conf/schemas/domaincommon.rng, of each element the define that holds it.
"""

from __future__ import annotations

from virtxlate.domain.together import Element, Form, Together, always, attribute, has_children, of_parent

_SOME_UUID = "[a-fA-F0-9]{32}|[a-fA-F0-9]{8}-([a-fA-F0-9]{4}-){3}[a-fA-F0-9]{12}"
_PATH = r"(/|[a-zA-Z]:\\).+"
_DIGITS = "[0-9]{1,2}"


def _found_by(element: Element) -> str:
    """Give how the source of a USB device, or of an interface that is one, finds it."""
    device = element.getparent()
    kind = ("", "") if device is None else (str(device.tag), device.get("type"))
    if kind not in {("hostdev", "usb"), ("interface", "hostdev")}:
        return ""
    if element.find("vendor") is not None or element.find("product") is not None:
        return "identity"
    return "" if has_children(element) else "nothing"


def _kind_of_console(element: Element) -> str:
    return "whole" if has_children(element) else ""


def _mode(element: Element) -> str:
    return "capabilities" if element.get("type") in {"storage", "misc", "net"} else "subsystem"


def _numbered(element: Element) -> str:
    """Give the type of an address; the numbers of SCSI have rules of their own."""
    device = element.getparent()
    target = None if device is None else device.find("target")
    name, bus = ("", "scsi") if target is None else (target.get("dev", ""), target.get("bus"))
    is_scsi = bus == "scsi" or (bus is None and name.startswith("sd"))
    kind = element.get("type", "")
    return "scsi" if kind == "drive" and is_scsi else kind


DEVICES = (
    Together(
        ("devices/console",),
        _kind_of_console,
        {"whole": Form("a console has a type, as a serial port has", needs="@type")},
    ),
    Together(
        ("channel/target",),
        attribute("type"),
        {
            "guestfwd": Form("a forwarded address has address and port", needs="@address @port"),
            "virtio": Form("a channel of type 'virtio' has a name", "@name @state"),
            "xen": Form("a channel of type 'xen' has a name", "@name"),
        },
    ),
    Together(
        ("devices/input",),
        attribute("type"),
        {
            **{kind: Form(f"a {kind} is emulated", "@bus") for kind in ("keyboard", "mouse", "tablet")},
            "passthrough": Form(
                "an input that is passed through is of bus='virtio' and has a <source>",
                needs="@bus source",
                values={"@bus": "virtio"},
            ),
            "evdev": Form("an evdev input has a <source>", needs="source"),
        },
    ),
    Together(
        ("input/source",),
        of_parent("type"),
        {
            "passthrough": Form("an input that is passed through is named by evdev", needs="@evdev"),
            "evdev": Form("an evdev input is named by dev", "@grab @grabToggle @repeat", "@dev"),
        },
    ),
    Together(
        ("devices/audio",),
        attribute("type"),
        {
            "oss": Form("OSS has tryMMap, exclusive and dspPolicy", "@tryMMap @exclusive @dspPolicy"),
            "pulseaudio": Form("PulseAudio has a server", "@serverName @runtimeDir"),
            "pipewire": Form("PipeWire has the directory of its socket", "@runtimeDir"),
            "sdl": Form("SDL has a driver", "@driver"),
            "file": Form("sound in a file has its path", "@path"),
            "": Form("this audio has no options of its own"),
        },
    ),
    Together(
        ("video/model",),
        attribute("type"),
        {
            "qxl": Form("QXL has ram, vgamem and vram64", "@ram @vgamem @vram64"),
            "": Form("only QXL has ram, vgamem and vram64"),
        },
    ),
    Together(
        ("rng/backend",),
        attribute("model"),
        {
            "builtin": Form("QEMU's own numbers have no source"),
            "random": Form("random numbers of the host have the path of a device", "#", values={"#": _PATH}),
            "egd": Form(
                "a daemon is reached by a character device",
                "source protocol log",
                "@type",
                once="protocol log",
            ),
        },
    ),
    Together(
        tuple(f"{device}/source" for device in ("serial", "parallel", "console", "channel", "backend")),
        always,
        {"": Form("one end of a character device is told once", once="reconnect clipboard mouse")},
    ),
    Together(
        ("devices/channel", "devices/serial", "devices/parallel", "devices/console"),
        lambda element: str(element.tag),
        {
            "channel": Form("a channel has no ACPI index"),
            "": Form("a port or a console may have an ACPI index", "acpi"),
        },
    ),
    Together(
        ("tpm/backend",),
        attribute("type"),
        {
            "passthrough": Form("a TPM of the host has a <device>", "device"),
            "emulator": Form(
                "an emulated TPM has encryption and PCR banks",
                "encryption active_pcr_banks @persistent_state @debug source profile",
            ),
            "external": Form("a swtpm that runs already has a <source>", "source"),
        },
    ),
    Together(
        ("virtualport/parameters",),
        of_parent("type"),
        {
            "802.1Qbg": Form(
                "a port of 802.1Qbg has managerid, typeid, typeidversion and instanceid",
                "@managerid @typeid @typeidversion @instanceid",
            ),
            "802.1Qbh": Form("a port of 802.1Qbh has a profileid", "@profileid"),
            "openvswitch": Form(
                "a port of Open vSwitch has interfaceid and profileid", "@interfaceid @profileid"
            ),
            "midonet": Form("a port of MidoNet has an interfaceid", needs="@interfaceid"),
        },
    ),
    Together(
        ("interface/virtualport",),
        attribute("type"),
        {"midonet": Form("a port of MidoNet has <parameters>", needs="parameters")},
    ),
    Together(
        ("devices/interface",),
        attribute("type"),
        {
            **dict.fromkeys(
                ("bridge", "network", "direct", "hostdev"),
                Form("an interface at a switch may have a <virtualport>", "virtualport"),
            ),
            "": Form("only interfaces of type bridge, network, direct and hostdev are at a switch"),
        },
    ),
    Together(
        ("teaming",),
        attribute("type"),
        {
            "persistent": Form("the interface that stays names no other"),
            "transient": Form("the interface that may go names the one that stays", needs="@persistent"),
        },
    ),
    Together(
        ("interface/driver",),
        attribute("name", "qemu"),
        {
            name: Form(f"an interface of a host device, driver {name}, has no queues")
            for name in ("kvm", "vfio", "xen")
        }
        | {
            name: Form(
                "an emulated interface has queues and offloads",
                "@queues @rx_queue_size @tx_queue_size @txmode @ioeventfd @event_idx",
            )
            for name in ("qemu", "vhost")
        },
    ),
    Together(
        ("interface/route", "source/route", "hostdev/route"),
        always,
        {"": Form("a route has a prefix or a netmask", one_of="(@prefix|@netmask)")},
    ),
    Together(
        ("hostdev/source", "interface/source"),
        _found_by,
        {
            "identity": Form("a USB device is known by vendor and product", "address", "vendor product"),
            "nothing": Form("a device of the host is found by its <address>", needs="address"),
        },
    ),
    Together(
        ("devices/hostdev",),
        _mode,
        {
            "capabilities": Form(
                "storage, misc and net are of mode='capabilities'",
                needs="@mode",
                values={"@mode": "capabilities"},
            ),
            "subsystem": Form(
                "this host device is of mode='subsystem'", "@mode", values={"@mode": "subsystem"}
            ),
        },
    ),
    Together(
        ("devices/hostdev",),
        attribute("type"),
        {
            "mdev": Form(
                "a mediated device is of model vfio-pci, vfio-ccw or vfio-ap",
                values={"@model": "vfio-(pci|ccw|ap)"},
            )
        },
    ),
    Together(
        ("devices/hostdev",),
        attribute("type"),
        {
            kind: Form(f"a host device of type '{kind}' has a <source>", needs="source")
            for kind in ("scsi", "scsi_host")
        },
    ),
    Together(
        ("interface/source",),
        of_parent("type"),
        {
            "vds": Form(
                "a port of VMware's switch has numbers, and the UUID of the switch",
                values={"@switchid": _SOME_UUID, "@portid": "[-+]?[0-9]+", "@connectionid": "[-+]?[0-9]+"},
            ),
            "": Form("portid is a UUID", values={"@portid": _SOME_UUID}),
        },
    ),
    Together(
        ("devices/interface",),
        attribute("type"),
        {
            "null": Form("an interface of type 'null' is connected to nothing"),
            "": Form("an interface is connected by its <source>", "source"),
        },
    ),
    Together(
        ("source/adapter",),
        attribute("type", "scsi_host"),
        {
            "scsi_host": Form("an adapter is named, or found by its parent", one_of="@name|parentaddr"),
            "fc_host": Form(
                "a Fibre Channel adapter has wwnn and wwpn",
                "@managed @parent @parent_wwnn @parent_wwpn @parent_fabric_wwn",
                "@wwnn @wwpn",
            ),
        },
    ),
    Together(
        (
            "hostdev/source/address",
            *(f"{each}/source/address" for each in ("disk", "backingStore", "mirror", "nvram")),
        ),
        always,
        {"": Form("the address of a host device is of the type of the device", values={"@type": "(?!)"})},
    ),
    Together(
        ("graphics/gl",),
        of_parent("type"),
        {
            "sdl": Form("SDL renders with OpenGL or not", needs="@enable"),
            "egl-headless": Form("egl-headless always renders", "@rendernode"),
            "spice": Form("SPICE renders with OpenGL or not", "@rendernode", "@enable"),
            "dbus": Form("D-Bus renders with OpenGL or not", "@rendernode", "@enable"),
        },
    ),
    Together(
        ("boot",), always, {"": Form("a place in the boot order is digits", values={"@order": "[0-9]+"})}
    ),
    Together(
        ("address",),
        _numbered,
        {
            "drive": Form(
                "controller, bus, target and unit are decimal numbers",
                values={
                    **dict.fromkeys(("@controller", "@bus", "@target"), _DIGITS),
                    "@unit": "[0-9]{1,5}",
                },
            ),
            "scsi": Form(
                "controller, bus, target and unit are decimal numbers",
                values=dict.fromkeys(("@controller", "@bus", "@target", "@unit"), "[0-9]+"),
            ),
            "virtio-serial": Form(
                "controller, bus and port are decimal numbers",
                values=dict.fromkeys(("@controller", "@bus", "@port"), _DIGITS),
            ),
            "ccid": Form(
                "controller and slot are decimal numbers",
                values=dict.fromkeys(("@controller", "@slot"), _DIGITS),
            ),
            "pci": Form(
                "a PCI bus is 0 to 0xff, a slot 0 to 0x1f",
                values={
                    "@bus": "0x[0-9a-fA-F]{1,2}|0*(1?[0-9]{1,2}|2[0-4][0-9]|25[0-5])",
                    "@slot": "0x[01]?[0-9a-fA-F]|0*([12]?[0-9]|3[01])",
                },
            ),
        },
    ),
    Together(
        ("address",),
        lambda element: "ccw" if {"cssid", "ssid", "devno"} & set(element.keys()) else "",
        {
            "ccw": Form(
                "a CCW address has cssid below 0xff, ssid to 3 and devno to 0xffff, or none of them",
                needs="@cssid @ssid @devno",
                values={
                    "@cssid": "0x([0-9a-eA-E][0-9a-fA-F]?|[fF][0-9a-eA-E]?)"
                    "|0*([0-9]{1,2}|1[0-9]{2}|2[0-4][0-9]|25[0-4])",
                    "@ssid": "(0x)?[0-3]",
                    "@devno": "0x[0-9a-fA-F]{1,4}|0*([0-9]{1,4}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}"
                    "|655[0-2][0-9]|6553[0-5])",
                },
            )
        },
    ),
)
