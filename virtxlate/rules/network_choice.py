"""What the type of an interface, or of a host device, decides."""

from __future__ import annotations

from collections.abc import Iterator

from virtxlate.rules.choice import Choice, Element, Row, of_devices, of_sources
from virtxlate.rules.rule import Document, Rule, child

_ON_NETWORK = ("@network", "@portgroup", "@portid")
_SOCKET = ("@address", "@port")
_USB = ("vendor", "product", "address")

INTERFACE_SOURCE = Choice(
    of_sources("interface"),
    {
        "bridge": Row(
            ("@bridge", *_ON_NETWORK, "@macTableManager"),
            "an interface of type 'bridge' names a bridge of the host",
            ("@bridge",),
        ),
        "network": Row(
            (*_ON_NETWORK, "@bridge", "@macTableManager"),
            "an interface of type 'network' names a network of libvirt's",
            ("@network",),
        ),
        "direct": Row(
            ("@dev", "@mode", *_ON_NETWORK),
            "an interface of type 'direct' names a network device of the host by dev",
            ("@dev",),
        ),
        "ethernet": Row(
            ("ip", "route"),
            "an interface of type 'ethernet' has no source but <ip> and <route>; its tap is <target dev=>",
        ),
        "vhostuser": Row(
            ("@type", "@mode", "@path", "@dev", "reconnect"),
            "an interface of type 'vhostuser' is served at a socket: type='unix', path and mode",
            ("@type", "@mode", "@path"),
        ),
        "user": Row(("@dev",), "an interface of type 'user' has no source, or a dev for passt"),
        "internal": Row(
            ("@name",), "an interface of type 'internal' names a network of the hypervisor", ("@name",)
        ),
        "client": Row(_SOCKET, "an interface of type 'client' has address and port", _SOCKET),
        "server": Row(
            _SOCKET, "an interface of type 'server' has a port, and perhaps an address", ("@port",)
        ),
        "mcast": Row(_SOCKET, "an interface of type 'mcast' has address and port", _SOCKET),
        "udp": Row(
            (*_SOCKET, "local"),
            "an interface of type 'udp' has address, port and <local>",
            (*_SOCKET, "local"),
        ),
        "hostdev": Row(
            (*_USB, "@missing"),
            "an interface of type 'hostdev' is found by the <address> of a device of the host",
        ),
        "vdpa": Row(("@dev",), "an interface of type 'vdpa' names a device of the host by dev", ("@dev",)),
        "vds": Row(
            ("@switchid", "@portid", "@portgroupid", "@connectionid"),
            "an interface of type 'vds' names switchid, portid, portgroupid and connectionid",
            ("@switchid", "@portid", "@portgroupid", "@connectionid"),
        ),
    },
    "an interface of type",
)

_NEEDS_SOURCE = ("vhostuser", "network", "direct", "internal", "client", "mcast", "udp", "server", "hostdev")
INTERFACE = Choice(
    of_devices("interface", "type"),
    {
        word: Row((), INTERFACE_SOURCE.rows[word].says, ("source",))
        for word in (*_NEEDS_SOURCE, "vdpa", "vds")
    },
    "an interface of type",
)


_hostdevs = of_sources("hostdev")


HOSTDEV_SOURCE = Choice(
    _hostdevs,
    {
        "usb": Row(
            (*_USB, "@startupPolicy", "@guestReset", "@missing"),
            "a USB device of the host is found by <vendor> and <product>, or by <address>",
        ),
        "pci": Row(
            ("address", "@writeFiltering", "@startupPolicy", "@missing"),
            "a PCI device of the host is found by its <address>",
            ("address",),
        ),
        "scsi": Row(
            ("@protocol", "@name", "@wwpn", "adapter", "address", "host", "auth", "initiator", "@missing"),
            "a SCSI device of the host is found by <adapter> and <address>, or by iSCSI",
        ),
        "scsi_host": Row(
            ("@protocol", "@wwpn", "@missing"), "a vhost-scsi adapter is found by protocol and wwpn"
        ),
        "mdev": Row(
            ("address", "@missing"), "a mediated device is found by the uuid in its <address>", ("address",)
        ),
        "storage": Row(("block", "@missing"), "storage of the host is a <block> device", ("block",)),
        "misc": Row(("char", "@missing"), "a character device of the host is a <char>", ("char",)),
        "net": Row(
            ("interface", "@missing"), "a network device of the host is an <interface>", ("interface",)
        ),
    },
    "a host device of type",
)


def _host_addresses(document: Document) -> Iterator[tuple[str, Element]]:
    for kind, source in _hostdevs(document):
        address = child(source, "address")
        if address is not None:
            yield kind, address


HOST_ADDRESS = Choice(
    _host_addresses,
    {
        "usb": Row(("@bus", "@device"), "the address of a USB device is bus and device", ("@bus", "@device")),
        "pci": Row(
            ("@domain", "@bus", "@slot", "@function", "@multifunction"),
            "the address of a PCI device is domain, bus, slot and function",
        ),
        "scsi": Row(("@bus", "@target", "@unit"), "the address of a SCSI device is bus, target and unit"),
        "mdev": Row(("@uuid",), "the address of a mediated device is its uuid", ("@uuid",)),
    },
    "a host device of type",
)

_SUBSYSTEM = ("@managed",)
HOSTDEV = Choice(
    of_devices("hostdev", "type"),
    {
        "usb": Row(_SUBSYSTEM, "a USB device has no such option", ("source",)),
        "pci": Row(
            (*_SUBSYSTEM, "driver", "teaming"), "a PCI device has <driver> and <teaming>", ("source",)
        ),
        "scsi": Row((*_SUBSYSTEM, "@rawio", "@sgio"), "a SCSI device has rawio and sgio"),
        "scsi_host": Row((*_SUBSYSTEM, "@model"), "a vhost-scsi adapter has a model"),
        "mdev": Row(
            (*_SUBSYSTEM, "@model", "@ramfb", "@display"),
            "a mediated device has a model, and perhaps display and ramfb",
            ("@model", "source"),
        ),
        "storage": Row((), "storage of the host has no such option", ("source",)),
        "misc": Row((), "a character device of the host has no such option", ("source",)),
        "net": Row(("ip", "route"), "a network device of the host has <ip> and <route>", ("source",)),
    },
    "a host device of type",
)

RULES: tuple[Rule, ...] = (
    Rule(
        id="interface-source",
        says="the source of an interface is told as the type of the interface wants it",
        why="The type decides which attribute libvirt reads.",
        source="libvirt 9.0.0, src/conf/schemas/domaincommon.rng, define interface",
        hint="name the source as its type wants it, or give the interface the type of that source",
        libvirt="refused",
        check=INTERFACE_SOURCE.check(),
    ),
    Rule(
        id="interface-source-missing",
        says="an interface that is connected to something says to what",
        why="Only bridge, ethernet and user may be without a source.",
        source="libvirt 9.0.0, src/conf/domain_conf.c, virDomainNetDefParseXMLRequireSource",
        hint="write <source> with what its type needs",
        libvirt="refused",
        check=INTERFACE.check(),
    ),
    Rule(
        id="hostdev-source",
        says="the source of a host device is told as its type wants it",
        why="Each type of device has its own way to be found.",
        source="libvirt 9.0.0, src/conf/schemas/domaincommon.rng, define hostdev",
        hint="name the device as its type wants it, or correct the type",
        libvirt="refused",
        check=HOSTDEV_SOURCE.check(),
    ),
    Rule(
        id="hostdev-address",
        says="the address in the source of a host device is one of its type",
        why="PCI, USB and SCSI count in different ways, and a mediated device has a uuid.",
        source="libvirt 9.0.0, src/conf/schemas/domaincommon.rng, define hostdev",
        hint="write the numbers of that bus, or correct the type of the host device",
        libvirt="refused",
        check=HOST_ADDRESS.check(),
    ),
    Rule(
        id="hostdev-options",
        says="a host device has the options of its type",
        why="model, rawio, display and the like are of one kind of device each.",
        source="libvirt 9.0.0, src/conf/schemas/domaincommon.rng, define hostdev",
        hint="leave the option out, or correct the type of the host device",
        libvirt="refused",
        check=HOSTDEV.check(),
    ),
)
