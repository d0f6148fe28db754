"""What the type of an address, of a controller or of a display decides."""

from __future__ import annotations

from collections.abc import Iterator

from virtxlate.rules.choice import Choice, Element, Row, of_devices
from virtxlate.rules.rule import Document, Fault, Rule


def _addresses(document: Document) -> Iterator[tuple[str, Element]]:
    for _device, address in document.addresses:
        yield address.get("type", ""), address


ADDRESS = Choice(
    _addresses,
    {
        "pci": Row(
            ("@domain", "@bus", "@slot", "@function", "@multifunction", "zpci"),
            "a PCI address is domain, bus, slot and function",
        ),
        "drive": Row(
            ("@controller", "@bus", "@target", "@unit"),
            "the address of a drive is controller, bus, target and unit",
        ),
        "virtio-serial": Row(
            ("@controller", "@bus", "@port"),
            "an address on a virtio serial controller is controller, bus and port",
            ("@controller",),
        ),
        "ccid": Row(
            ("@controller", "@slot"), "the address of a smart card is controller and slot", ("@controller",)
        ),
        "usb": Row(("@bus", "@port"), "a USB address is bus and port", ("@bus",)),
        "isa": Row(("@iobase", "@irq"), "an ISA address is iobase and irq"),
        "spapr-vio": Row(("@reg",), "an address on sPAPR VIO is reg"),
        "ccw": Row(("@cssid", "@ssid", "@devno"), "a CCW address is cssid, ssid and devno"),
        "dimm": Row(("@slot", "@base"), "the address of a DIMM is slot and base"),
        "virtio-mmio": Row((), "an address of type 'virtio-mmio' has no numbers"),
        "unassigned": Row((), "an address of type 'unassigned' has no numbers"),
    },
    "an address of type",
)

CONTROLLER = Choice(
    of_devices("controller", "type"),
    {
        "scsi": Row((), "a SCSI controller is told by model, and options in <driver>"),
        "ide": Row((), "an IDE controller is told by model alone"),
        "sata": Row((), "a SATA controller has no options"),
        "fdc": Row((), "a floppy controller has no options"),
        "ccid": Row((), "a smart card controller has no options"),
        "isa": Row((), "an ISA controller has no options"),
        "nvme": Row(("serial",), "an NVMe controller has a serial number"),
        "usb": Row(("@ports", "master"), "a USB controller has ports, and a companion a <master>"),
        "virtio-serial": Row(("@ports", "@vectors"), "a virtio serial controller has ports and vectors"),
        "xenbus": Row(
            ("@maxGrantFrames", "@maxEventChannels"), "a Xen bus has maxGrantFrames and maxEventChannels"
        ),
        "pci": Row(
            ("model", "target", "pcihole64"),
            "a PCI controller is told by its model, with <model>, <target> and <pcihole64>",
            ("@model",),
        ),
    },
    "a controller of type",
)

_VIRTIO = ("virtio", "virtio-transitional", "virtio-non-transitional")
CONTROLLER_MODELS = {
    "ide": ("piix3", "piix4", "ich6"),
    "usb": (
        *("qemu-xhci", "nec-xhci", "ich9-ehci1", "ich9-uhci1", "ich9-uhci2", "ich9-uhci3", "piix3-uhci"),
        *("piix4-uhci", "ehci", "vt82c686b-uhci", "pci-ohci", "qusb1", "qusb2", "none"),
    ),
    "pci": (
        *("pci-root", "pcie-root", "pci-bridge", "pcie-root-port", "dmi-to-pci-bridge", "pcie-to-pci-bridge"),
        *(
            "pcie-switch-upstream-port",
            "pcie-switch-downstream-port",
            "pci-expander-bus",
            "pcie-expander-bus",
        ),
    ),
    "virtio-serial": _VIRTIO,
    "sata": (),
    "fdc": (),
    "ccid": (),
    "isa": (),
    "nvme": (),
    "xenbus": (),
}
"""The models of each type; those of SCSI have a rule of their own."""
_ROOTS = ("pci-root", "pcie-root")


def _models(document: Document) -> Iterator[Fault]:
    for kind, controller in CONTROLLER.places(document):
        known, model = CONTROLLER_MODELS.get(kind), controller.get("model")
        if known is None or model is None or model in known:
            continue
        others = [f"'{each}'" for each, models in CONTROLLER_MODELS.items() if model in models]
        told = f"a controller of type '{kind}' has the models {', '.join(known)}"
        if not known:
            told = f"a controller of type '{kind}' has no model"
        owner = f"; '{model}' is a model of type {' or '.join(others)}" if others else f"; found '{model}'"
        yield Fault(controller, "/@model", model, known, told + owner)


def _hole(document: Document) -> Iterator[Fault]:
    for kind, controller in CONTROLLER.places(document):
        hole = controller.find("pcihole64") if kind == "pci" else None
        if hole is not None and controller.get("model") not in (*_ROOTS, None):
            yield Fault(hole, "", controller.get("model"), _ROOTS)


_NET = ("@port", "@autoport", "@listen", "listen")
_PASSWORD = ("@passwd", "@passwdValidTo", "@keymap", "@connected")
_SPICE = ("channel", "image", "jpeg", "zlib", "playback", "streaming", "clipboard", "mouse", "filetransfer")

GRAPHICS = Choice(
    of_devices("graphics", "type"),
    {
        "vnc": Row(
            (*_NET, *_PASSWORD, "@websocket", "@sharePolicy", "@powerControl", "@socket", "@wait", "audio"),
            "VNC has port, autoport and websocket, or a socket",
        ),
        "spice": Row(
            (*_NET, *_PASSWORD, "@tlsPort", "@defaultMode", "gl", *_SPICE),
            "SPICE has port, tlsPort and autoport, and its own children",
        ),
        "rdp": Row(
            (*_NET, "@replaceUser", "@multiUser", "@passwd", "@username"),
            "RDP has port, replaceUser and multiUser",
        ),
        "sdl": Row(("@display", "@xauth", "@fullscreen", "gl"), "SDL has display, xauth and fullscreen"),
        "desktop": Row(("@display", "@fullscreen"), "a desktop has display and fullscreen"),
        "egl-headless": Row(("gl",), "egl-headless has only <gl>"),
        "dbus": Row(("@address", "@p2p", "gl", "audio"), "D-Bus has address or p2p"),
    },
    "graphics of type",
)
_TCP = ("port", "autoport", "websocket", "listen", "sharePolicy", "powerControl")
_CONNECTED = {"vnc": ("keep",), "spice": ("fail", "disconnect", "keep")}


def _socket(document: Document) -> Iterator[Fault]:
    for kind, graphics in GRAPHICS.places(document):
        found = [name for name in _TCP if name in graphics.attrib]
        if kind == "vnc" and "socket" in graphics.attrib and found:
            says = f"VNC is served at a socket or by TCP; {' and '.join(found)} and socket exclude each other"
            yield Fault(graphics, f"/@{found[0]}", graphics.get(found[0]), (), says)


def _connected(document: Document) -> Iterator[Fault]:
    for kind, graphics in GRAPHICS.places(document):
        known, found = _CONNECTED.get(kind), graphics.get("connected")
        if known is not None and found is not None and found not in known:
            yield Fault(graphics, "/@connected", found, known)


LISTEN = Choice(
    lambda document: (
        (listen.get("type", ""), listen)
        for _kind, graphics in GRAPHICS.places(document)
        for listen in graphics.iterchildren("listen")
    ),
    {
        "address": Row(("@address",), "a listen of type 'address' has an address"),
        "network": Row(("@network", "@address"), "a listen of type 'network' names a network", ("@network",)),
        "socket": Row(("@socket",), "a listen of type 'socket' has a socket"),
        "none": Row((), "a listen of type 'none' has nothing else"),
    },
    "a listen of type",
)

RULES: tuple[Rule, ...] = (
    Rule(
        id="address-fields",
        says="an address has the numbers of its type",
        why="Each type of address is of another bus; libvirt reads only the numbers of that one.",
        source="libvirt 9.0.0, src/conf/schemas/domaincommon.rng, define address",
        hint="leave the other numbers out, or give the address the type of its device's bus",
        libvirt="refused",
        check=ADDRESS.check(),
    ),
    Rule(
        id="controller-options",
        says="a controller has the options of its type",
        why="ports, vectors and the like are properties of one kind of device each.",
        source="libvirt 9.0.0, src/conf/schemas/domaincommon.rng, define controller",
        hint="leave the option out, or correct the type of the controller",
        libvirt="refused",
        check=CONTROLLER.check(),
    ),
    Rule(
        id="controller-model",
        says="the model of a controller is one of its type",
        why="A model is a device of QEMU's, and it is a controller of one type.",
        source="libvirt 9.0.0, src/conf/schemas/domaincommon.rng, define controller",
        hint="use a model of that type, or correct the type of the controller",
        libvirt="refused",
        check=_models,
    ),
    Rule(
        id="controller-pcihole64",
        says="only a root bus has a PCI hole",
        why="It is a property of the host bridge.",
        source="libvirt 9.0.0, src/conf/schemas/domaincommon.rng, define controller",
        hint="move <pcihole64> to the controller of model pci-root or pcie-root",
        libvirt="refused",
        check=_hole,
    ),
    Rule(
        id="graphics-options",
        says="graphics have the options of their type",
        why="Each type is another server or window, and knows its own options only.",
        source="libvirt 9.0.0, src/conf/schemas/domaincommon.rng, define graphic",
        hint="leave the option out, or correct the type of the graphics",
        libvirt="refused",
        check=GRAPHICS.check(),
    ),
    Rule(
        id="graphics-socket",
        says="VNC at a socket has no port and no address",
        why="It is served at the socket or by TCP, not both.",
        source="libvirt 9.0.0, src/conf/schemas/domaincommon.rng, define graphic",
        hint="leave out socket, or the attributes of TCP",
        libvirt="refused",
        check=_socket,
    ),
    Rule(
        id="graphics-connected",
        says="what happens to a client whose password changes is a word that its server knows",
        why="QEMU's VNC server keeps its clients; only SPICE can drop them or fail.",
        source="libvirt 9.0.0, src/conf/domain_conf.c, virDomainGraphicsAuthDefParseXML",
        hint="use one of the words that are allowed",
        libvirt="refused",
        check=_connected,
    ),
    Rule(
        id="graphics-listen",
        says="a listen has what its type needs",
        why="The type decides which attribute libvirt reads.",
        source="libvirt 9.0.0, src/conf/schemas/domaincommon.rng, define listenElements",
        hint="leave the other attribute out, or correct the type",
        libvirt="refused",
        check=LISTEN.check(),
    ),
)
