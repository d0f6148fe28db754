"""Interfaces: addresses, models, and what the way that one is connected does not allow."""

from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

from virtxlate.rules.identity import twins
from virtxlate.rules.rule import Document, Fault, Rule, child

Element = etree._Element
VIRTIO = ("virtio", "virtio-transitional", "virtio-non-transitional")
_INTEL = ("i82550", "i82551", "i82557a", "i82557b", "i82557c", "i82558a", "i82558b", "i82559a", "i82559b")
_MODELS = (
    *VIRTIO,
    *("e1000", "e1000e", "rtl8139", "ne2k_pci", "pcnet", "vmxnet3", "tulip"),
    *("e1000-82540em", "e1000-82544gc", "e1000-82545em"),
    *(*_INTEL, "i82559c", "i82559er", "i82562", "i82801"),
)
"""Of QEMU 7.2's PC, but igb, which is of QEMU 8.0."""
_COMMON = ("virtio", "e1000e", "e1000", "rtl8139")
_LATER = ("igb",)
TAPS = ("network", "bridge", "ethernet")
_WITH_MTU = (*TAPS, "vhostuser")
_WITH_VLAN = ("network", "bridge", "hostdev")
_WITH_COALESCE = TAPS
_LONGEST_NAME = 15
_MADE_NAMES = ("vnet", "macvtap", "macvlan")
_NO_MAC = "00:00:00:00:00:00"


def kind_of(interface: Element) -> str:
    """Give the type of an interface."""
    return interface.get("type", "")


def _macs(document: Document) -> Iterator[tuple[str, Element]]:
    for interface in document.of("interface"):
        mac = child(interface, "mac")
        if mac is not None and mac.get("address"):
            yield mac.get("address", "").lower(), mac


def _mac(document: Document) -> Iterator[Fault]:
    paired = {
        child(interface, "mac")
        for interface in document.of("interface")
        if child(interface, "teaming") is not None  # the two of a team have one address
    }
    for mac, first in twins((address, mac) for address, mac in _macs(document) if mac not in paired):
        address = mac.get("address", "")
        says = f"the address {address} is that of {document.path(first)} too"
        yield Fault(mac, "/@address", address, (), says)


def _mac_zero(document: Document) -> Iterator[Fault]:
    for address, mac in _macs(document):
        if address == _NO_MAC:
            yield Fault(mac, "/@address", address)


def model_of(interface: Element) -> str | None:
    """Give the model of an interface in lower case, None where there is none."""
    model = child(interface, "model")
    return None if model is None else (model.get("type") or "").lower()  # libvirt takes ViRtIo, too


def _model(document: Document) -> Iterator[Fault]:
    for interface in document.of("interface"):
        model = model_of(interface)
        if document.is_pc and model and kind_of(interface) != "hostdev" and model not in (*_MODELS, *_LATER):
            yield Fault(interface, "/model/@type", model, _COMMON)


def _mtu(document: Document) -> Iterator[Fault]:
    for interface in document.of("interface"):
        mtu = child(interface, "mtu")
        passt = interface.find("backend[@type='passt']") is not None
        if mtu is not None and kind_of(interface) not in _WITH_MTU and not passt:
            yield Fault(mtu, "/@size", mtu.get("size"), (), unfit(interface, "an mtu", _WITH_MTU))


def unfit(interface: Element, what: str, kinds: tuple[str, ...]) -> str:
    """Give the sentence about something that only interfaces of other types have."""
    return f"{what} is for interfaces of type {', '.join(kinds)}; this one is of type {kind_of(interface)}"


def _vlan(document: Document) -> Iterator[Fault]:
    for interface in document.of("interface"):
        vlan, kind = child(interface, "vlan"), kind_of(interface)
        passed = kind == "direct" and interface.find("source[@mode='passthrough']") is not None
        if vlan is not None and kind not in _WITH_VLAN and not passed:
            says = unfit(interface, "a VLAN", (*_WITH_VLAN, "direct in mode passthrough"))
            yield Fault(vlan, "", None, (), says)


def _script(document: Document) -> Iterator[Fault]:
    for interface in document.of("interface"):
        script = child(interface, "script")
        if script is not None and kind_of(interface) != "ethernet":
            yield Fault(script, "", script.get("path"), (), unfit(interface, "a script", ("ethernet",)))


def _managed(document: Document) -> Iterator[Fault]:
    for interface in document.of("interface"):
        target = interface.find("target[@managed='no']")
        if target is not None and kind_of(interface) != "ethernet":
            says = unfit(interface, "a tap made beforehand", ("ethernet",))
            yield Fault(target, "/@managed", "no", (), says)


def _taps(document: Document) -> Iterator[tuple[str, Element]]:
    for interface in document.of("interface"):
        target = child(interface, "target")
        name = None if target is None else target.get("dev")
        if target is not None and name and not name.startswith(_MADE_NAMES):
            yield name, target


def _tap(document: Document) -> Iterator[Fault]:
    for target, first in twins(_taps(document)):
        name = target.get("dev", "")
        yield Fault(target, "/@dev", name, (), f"the name {name} is that of {document.path(first)} too")


def _tap_name(document: Document) -> Iterator[Fault]:
    for name, target in _taps(document):
        if len(name) > _LONGEST_NAME and "%" not in name:
            yield Fault(target, "/@dev", name)


def _vhostuser(document: Document) -> Iterator[Fault]:
    for interface in document.of("interface"):
        if kind_of(interface) == "vhostuser" and model_of(interface) not in VIRTIO:
            yield Fault(interface, "/model/@type", model_of(interface), VIRTIO)


def _isolated(document: Document) -> Iterator[Fault]:
    for interface in document.of("interface"):
        port = interface.find("port[@isolated='yes']")
        if port is None:
            continue
        if kind_of(interface) not in {"network", "bridge"}:
            says = unfit(interface, "an isolated port", ("network", "bridge"))
            yield Fault(port, "/@isolated", "yes", (), says)
        elif child(interface, "virtualport") is not None:
            says = "an isolated port is one of a Linux bridge, and not of a <virtualport>"
            yield Fault(port, "/@isolated", "yes", (), says)


def _coalesce(document: Document) -> Iterator[Fault]:
    for interface in document.of("interface"):
        coalesce = child(interface, "coalesce")
        if coalesce is not None and kind_of(interface) not in _WITH_COALESCE:
            yield Fault(coalesce, "", None, (), unfit(interface, "coalescing", _WITH_COALESCE))


def _guest_address(document: Document) -> Iterator[Fault]:
    for interface in document.of("interface"):
        addresses, routes = interface.findall("ip"), interface.findall("route")
        if kind_of(interface) != "user":
            for each in (*addresses, *routes):
                what = "an address for the guest" if each.tag == "ip" else "a route for the guest"
                yield Fault(each, "/@address", each.get("address"), (), unfit(interface, what, ("user",)))
            continue
        families = ((_family(each), each) for each in addresses)
        for each, first in twins(families):
            says = f"an interface has one address of a family; that of {document.path(first)} is another"
            yield Fault(each, "/@address", each.get("address"), (), says)


def _family(ip: Element) -> str:
    return ip.get("family") or ("ipv6" if ":" in ip.get("address", "") else "ipv4")


def _team(document: Document) -> Iterator[Fault]:
    for interface in document.of("interface"):
        team, model = interface.find("teaming[@type='persistent']"), model_of(interface)
        if team is not None and model not in VIRTIO:
            yield Fault(interface, "/model/@type", model, VIRTIO)


RULES: tuple[Rule, ...] = (
    Rule(
        id="interface-mac-unique",
        says="every interface has a MAC address of its own",
        why="libvirt takes two, even at one bridge, which then sends the frames of both to one; and it "
        "cannot detach either by its address.",
        source="libvirt 9.0.0, src/conf/domain_conf.c, virDomainNetFindIdx",
        hint="give the interface another address, or leave <mac> out: libvirt makes one",
        about=("mac",),
        libvirt="accepted",
        check=_mac,
        severity="warning",
    ),
    Rule(
        id="interface-mac-zero",
        says="the MAC address of an interface is not all zeroes",
        why="It is no address of a card; a Linux guest chooses one of its own at each boot.",
        source="Linux 6.1, include/linux/etherdevice.h, is_valid_ether_addr",
        hint="write an address such as 52:54:00:12:34:56, or leave <mac> out",
        about=("mac",),
        libvirt="accepted",
        check=_mac_zero,
        severity="warning",
    ),
    Rule(
        id="interface-model",
        says="the model of an interface is a PCI card that QEMU has",
        why="libvirt passes any word on: it defines the domain, and QEMU does not start. igb needs QEMU 8.0.",
        source="QEMU 7.2, softmmu/qdev-monitor.c, qdev_get_device_class",
        hint="use one of the models that are allowed",
        libvirt="not started",
        check=_model,
        severity="warning",
    ),
    Rule(
        id="interface-mtu",
        says="an mtu is for interfaces whose other end libvirt makes",
        why="It is set at the tap, and told to the guest.",
        source="libvirt 9.0.0, src/qemu/qemu_validate.c, qemuValidateDomainDeviceDefNetwork",
        hint="leave <mtu> out, and set it at the device or network that the interface is connected to",
        about=("mtu",),
        libvirt="refused",
        check=_mtu,
    ),
    Rule(
        id="interface-vlan",
        says="a VLAN is for interfaces with a switch that libvirt can tell",
        why="libvirt looks when the domain starts: it defines it first.",
        source="libvirt 9.0.0, src/conf/domain_validate.c, virDomainActualNetDefValidate",
        hint="connect the interface to a bridge that is in the VLAN, and leave <vlan> out",
        about=("vlan",),
        libvirt="not started",
        check=_vlan,
    ),
    Rule(
        id="interface-script",
        says="a script is for interfaces of type ethernet",
        why="Elsewhere libvirt connects the tap itself; it looks when the domain starts.",
        source="libvirt 9.0.0, src/qemu/qemu_command.c, qemuBuildHostNetProps",
        hint="leave <script> out, or use type='ethernet'",
        about=("script",),
        libvirt="not started",
        check=_script,
    ),
    Rule(
        id="interface-managed",
        says="a tap that was made beforehand is for interfaces of type ethernet",
        why="Of the other types libvirt makes the tap itself.",
        source="libvirt 9.0.0, src/conf/domain_validate.c, virDomainNetDefValidate",
        hint="leave managed out, or use type='ethernet'",
        about=("@managed",),
        libvirt="refused",
        check=_managed,
    ),
    Rule(
        id="interface-target-unique",
        says="every tap has a name of its own",
        why="libvirt does not compare them; the host has the first when the second is made. A name like "
        "vnet0 is made anew at each start.",
        source="Linux 6.1, drivers/net/tun.c, tun_set_iff",
        hint="give the tap another name, or leave <target> out",
        libvirt="not started",
        check=_tap,
    ),
    Rule(
        id="interface-target-length",
        says="the name of a tap has 15 characters at most",
        why="Linux has room for no more.",
        source="Linux 6.1, include/uapi/linux/if.h, IFNAMSIZ",
        hint="use a shorter name, or leave <target> out",
        libvirt="not started",
        check=_tap_name,
    ),
    Rule(
        id="interface-vhostuser-model",
        says="an interface of type vhostuser is a virtio one",
        why="The process at the socket speaks virtio with the guest.",
        source="libvirt 9.0.0, src/conf/domain_validate.c, virDomainNetDefValidate",
        hint="write <model type='virtio'/>",
        libvirt="refused",
        check=_vhostuser,
    ),
    Rule(
        id="interface-isolated",
        says="an isolated port is one of a Linux bridge",
        why="It is a flag of the bridge's ports.",
        source="libvirt 9.0.0, src/conf/domain_validate.c, virDomainNetDefValidatePortOptions",
        hint="leave <port> out, or connect the interface to a bridge",
        about=("@isolated",),
        libvirt="refused",
        check=_isolated,
    ),
    Rule(
        id="interface-coalesce",
        says="coalescing is for interfaces on a tap",
        why="It is an ethtool option of the tap.",
        source="libvirt 9.0.0, src/qemu/qemu_validate.c, qemuValidateDomainDeviceDefNetwork",
        hint="leave <coalesce> out",
        about=("coalesce",),
        libvirt="refused",
        check=_coalesce,
    ),
    Rule(
        id="interface-guest-address",
        says="an address for the guest is for QEMU's user network, one of a family",
        why="That network has a DHCP server of its own; elsewhere nobody would tell the guest.",
        source="libvirt 9.0.0, src/qemu/qemu_validate.c, qemuValidateDomainDeviceDefNetwork",
        hint="leave <ip> and <route> out, and set the address in the guest",
        about=("ip", "route"),
        libvirt="refused",
        check=_guest_address,
    ),
    Rule(
        id="interface-team",
        says="the persistent interface of a team is a virtio one",
        why="The guest's virtio driver is what knows the team.",
        source="libvirt 9.0.0, src/qemu/qemu_validate.c, qemuValidateDomainDeviceDefNetwork",
        hint="write <model type='virtio'/>",
        about=("teaming",),
        libvirt="refused",
        check=_team,
    ),
)
