"""Interfaces: addresses, models, and what the way that one is connected does not allow.

Source: libvirt 9.0.0, src/conf/domain_validate.c:2040-2240, src/qemu/qemu_validate.c:1745-1880,
src/qemu/qemu_command.c:3711-3840; models tried on QEMU 7.2.
"""

from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

from virtxlate.rules.identity import twins
from virtxlate.rules.rule import Document, Fault, Rule, child, number

Element = etree._Element
_VIRTIO = ("virtio", "virtio-transitional", "virtio-non-transitional")
_INTEL = ("i82550", "i82551", "i82557a", "i82557b", "i82557c", "i82558a", "i82558b", "i82559a", "i82559b")
_MODELS = (
    *_VIRTIO,
    *("e1000", "e1000e", "rtl8139", "ne2k_pci", "pcnet", "vmxnet3", "tulip"),
    *("e1000-82540em", "e1000-82544gc", "e1000-82545em"),
    *(*_INTEL, "i82559c", "i82559er", "i82562", "i82801"),
)
"""Of QEMU 7.2's PC, but igb, which is of QEMU 8.0."""
_COMMON = ("virtio", "e1000e", "e1000", "rtl8139")
_LATER = ("igb",)
_VIRTIO_OPTIONS = ("iommu", "ats", "packed", "page_per_vq")
_TAPS = ("network", "bridge", "ethernet")
_WITH_MTU = (*_TAPS, "vhostuser")
_WITH_QUEUES = (*_TAPS, "direct", "vhostuser", "vdpa", "hostdev")
_WITH_VLAN = ("network", "bridge", "hostdev")
_WITH_COALESCE = _TAPS
_LONGEST_NAME = 15
_MADE_NAMES = ("vnet", "macvtap", "macvlan")
_SHORTEST_QUEUE, _LONGEST_QUEUE = 256, 1024
_NO_MAC = "00:00:00:00:00:00"


def _kind(interface: Element) -> str:
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


def _model_of(interface: Element) -> str | None:
    model = child(interface, "model")
    return None if model is None else (model.get("type") or "").lower()  # libvirt takes ViRtIo, too


def _model(document: Document) -> Iterator[Fault]:
    for interface in document.of("interface"):
        model = _model_of(interface)
        if document.is_pc and model and _kind(interface) != "hostdev" and model not in (*_MODELS, *_LATER):
            yield Fault(interface, "/model/@type", model, _COMMON)


def _mtu(document: Document) -> Iterator[Fault]:
    for interface in document.of("interface"):
        mtu = child(interface, "mtu")
        passt = interface.find("backend[@type='passt']") is not None
        if mtu is not None and _kind(interface) not in _WITH_MTU and not passt:
            yield Fault(mtu, "/@size", mtu.get("size"), (), _unfit(interface, "an mtu", _WITH_MTU))


def _unfit(interface: Element, what: str, kinds: tuple[str, ...]) -> str:
    return f"{what} is for interfaces of type {', '.join(kinds)}; this one is of type {_kind(interface)}"


def _vlan(document: Document) -> Iterator[Fault]:
    for interface in document.of("interface"):
        vlan, kind = child(interface, "vlan"), _kind(interface)
        passed = kind == "direct" and interface.find("source[@mode='passthrough']") is not None
        if vlan is not None and kind not in _WITH_VLAN and not passed:
            says = _unfit(interface, "a VLAN", (*_WITH_VLAN, "direct in mode passthrough"))
            yield Fault(vlan, "", None, (), says)


def _script(document: Document) -> Iterator[Fault]:
    for interface in document.of("interface"):
        script = child(interface, "script")
        if script is not None and _kind(interface) != "ethernet":
            yield Fault(script, "", script.get("path"), (), _unfit(interface, "a script", ("ethernet",)))


def _managed(document: Document) -> Iterator[Fault]:
    for interface in document.of("interface"):
        target = interface.find("target[@managed='no']")
        if target is not None and _kind(interface) != "ethernet":
            says = _unfit(interface, "a tap made beforehand", ("ethernet",))
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


def _drivers(document: Document) -> Iterator[tuple[Element, Element, bool]]:
    for interface in document.of("interface"):
        driver = child(interface, "driver")
        if driver is not None:
            yield interface, driver, _model_of(interface) in _VIRTIO


def _queues(document: Document) -> Iterator[Fault]:
    for interface, driver, is_virtio in _drivers(document):
        queues = number(driver.get("queues"))
        if is_virtio and queues is not None and queues > 1 and _kind(interface) not in _WITH_QUEUES:
            says = _unfit(interface, "more than one queue", _WITH_QUEUES)
            yield Fault(driver, "/@queues", str(queues), (), says)


def _lengths(document: Document) -> Iterator[tuple[Element, str, int]]:
    for _interface, driver, is_virtio in _drivers(document):
        for name in ("rx_queue_size", "tx_queue_size") if is_virtio else ():
            length = number(driver.get(name))
            if length:
                yield driver, name, length


def _length(document: Document) -> Iterator[Fault]:
    for driver, name, length in _lengths(document):
        if length & (length - 1):
            yield Fault(driver, f"/@{name}", str(length), ("256", "512", "1024"))


def _length_range(document: Document) -> Iterator[Fault]:
    for driver, name, length in _lengths(document):
        if not length & (length - 1) and not _SHORTEST_QUEUE <= length <= _LONGEST_QUEUE:
            yield Fault(driver, f"/@{name}", str(length), ("256", "512", "1024"))


def _virtio_options(document: Document) -> Iterator[Fault]:
    for interface, driver, is_virtio in _drivers(document):
        for name in _VIRTIO_OPTIONS:
            if name in driver.attrib and not is_virtio:
                says = f"{_model_of(interface) or 'an interface without a model'} has no {name}"
                yield Fault(driver, f"/@{name}", driver.get(name), (), f"{says}; only virtio has")


def _vhostuser(document: Document) -> Iterator[Fault]:
    for interface in document.of("interface"):
        if _kind(interface) == "vhostuser" and _model_of(interface) not in _VIRTIO:
            yield Fault(interface, "/model/@type", _model_of(interface), _VIRTIO)


def _isolated(document: Document) -> Iterator[Fault]:
    for interface in document.of("interface"):
        port = interface.find("port[@isolated='yes']")
        if port is None:
            continue
        if _kind(interface) not in {"network", "bridge"}:
            says = _unfit(interface, "an isolated port", ("network", "bridge"))
            yield Fault(port, "/@isolated", "yes", (), says)
        elif child(interface, "virtualport") is not None:
            says = "an isolated port is one of a Linux bridge, and not of a <virtualport>"
            yield Fault(port, "/@isolated", "yes", (), says)


def _coalesce(document: Document) -> Iterator[Fault]:
    for interface in document.of("interface"):
        coalesce = child(interface, "coalesce")
        if coalesce is not None and _kind(interface) not in _WITH_COALESCE:
            yield Fault(coalesce, "", None, (), _unfit(interface, "coalescing", _WITH_COALESCE))


def _guest_address(document: Document) -> Iterator[Fault]:
    for interface in document.of("interface"):
        addresses, routes = interface.findall("ip"), interface.findall("route")
        if _kind(interface) != "user":
            for each in (*addresses, *routes):
                what = "an address for the guest" if each.tag == "ip" else "a route for the guest"
                yield Fault(each, "/@address", each.get("address"), (), _unfit(interface, what, ("user",)))
            continue
        families = ((_family(each), each) for each in addresses)
        for each, first in twins(families):
            says = f"an interface has one address of a family; that of {document.path(first)} is another"
            yield Fault(each, "/@address", each.get("address"), (), says)


def _family(ip: Element) -> str:
    return ip.get("family") or ("ipv6" if ":" in ip.get("address", "") else "ipv4")


def _team(document: Document) -> Iterator[Fault]:
    for interface in document.of("interface"):
        team, model = interface.find("teaming[@type='persistent']"), _model_of(interface)
        if team is not None and model not in _VIRTIO:
            yield Fault(interface, "/model/@type", model, _VIRTIO)


RULES: tuple[Rule, ...] = (
    Rule(
        id="interface-mac-unique",
        says="every interface has a MAC address of its own",
        why="libvirt takes two, even at one bridge, which then sends the frames of both to one; and it "
        "cannot detach either by its address.",
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
        hint="use one of the models that are allowed",
        libvirt="not started",
        check=_model,
        severity="warning",
    ),
    Rule(
        id="interface-mtu",
        says="an mtu is for interfaces whose other end libvirt makes",
        why="It is set at the tap, and told to the guest.",
        hint="leave <mtu> out, and set it at the device or network that the interface is connected to",
        about=("mtu",),
        libvirt="refused",
        check=_mtu,
    ),
    Rule(
        id="interface-vlan",
        says="a VLAN is for interfaces with a switch that libvirt can tell",
        why="libvirt looks when the domain starts: it defines it first.",
        hint="connect the interface to a bridge that is in the VLAN, and leave <vlan> out",
        about=("vlan",),
        libvirt="not started",
        check=_vlan,
    ),
    Rule(
        id="interface-script",
        says="a script is for interfaces of type ethernet",
        why="Elsewhere libvirt connects the tap itself; it looks when the domain starts.",
        hint="leave <script> out, or use type='ethernet'",
        about=("script",),
        libvirt="not started",
        check=_script,
    ),
    Rule(
        id="interface-managed",
        says="a tap that was made beforehand is for interfaces of type ethernet",
        why="Of the other types libvirt makes the tap itself.",
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
        hint="give the tap another name, or leave <target> out",
        libvirt="not started",
        check=_tap,
    ),
    Rule(
        id="interface-target-length",
        says="the name of a tap has 15 characters at most",
        why="Linux has room for no more.",
        hint="use a shorter name, or leave <target> out",
        libvirt="not started",
        check=_tap_name,
    ),
    Rule(
        id="interface-queues",
        says="more than one queue is for interfaces on a tap or a device of the host",
        why="QEMU's own user network has one queue; libvirt looks when the domain starts.",
        hint="leave queues out",
        about=("@queues",),
        libvirt="not started",
        check=_queues,
    ),
    Rule(
        id="interface-queue-size",
        says="the length of a virtio queue is a power of two",
        why="It is a ring whose end is found by its bits.",
        hint="use one of the lengths that are allowed",
        about=("@rx_queue_size", "@tx_queue_size"),
        libvirt="refused",
        check=_length,
    ),
    Rule(
        id="interface-queue-range",
        says="a virtio queue is 256 to 1024 long",
        why="libvirt does not compare it with that; QEMU does not start.",
        hint="use one of the lengths that are allowed",
        about=("@rx_queue_size", "@tx_queue_size"),
        libvirt="not started",
        check=_length_range,
    ),
    Rule(
        id="interface-virtio-options",
        says="iommu, ats, packed and page_per_vq are options of virtio",
        why="They are properties of virtio-net; no other card has them.",
        hint="leave the option out, or use model='virtio'",
        about=("@iommu", "@ats", "@packed", "@page_per_vq"),
        libvirt="refused",
        check=_virtio_options,
    ),
    Rule(
        id="interface-vhostuser-model",
        says="an interface of type vhostuser is a virtio one",
        why="The process at the socket speaks virtio with the guest.",
        hint="write <model type='virtio'/>",
        libvirt="refused",
        check=_vhostuser,
    ),
    Rule(
        id="interface-isolated",
        says="an isolated port is one of a Linux bridge",
        why="It is a flag of the bridge's ports.",
        hint="leave <port> out, or connect the interface to a bridge",
        about=("@isolated",),
        libvirt="refused",
        check=_isolated,
    ),
    Rule(
        id="interface-coalesce",
        says="coalescing is for interfaces on a tap",
        why="It is an ethtool option of the tap.",
        hint="leave <coalesce> out",
        about=("coalesce",),
        libvirt="refused",
        check=_coalesce,
    ),
    Rule(
        id="interface-guest-address",
        says="an address for the guest is for QEMU's user network, one of a family",
        why="That network has a DHCP server of its own; elsewhere nobody would tell the guest.",
        hint="leave <ip> and <route> out, and set the address in the guest",
        about=("ip", "route"),
        libvirt="refused",
        check=_guest_address,
    ),
    Rule(
        id="interface-team",
        says="the persistent interface of a team is a virtio one",
        why="The guest's virtio driver is what knows the team.",
        hint="write <model type='virtio'/>",
        about=("teaming",),
        libvirt="refused",
        check=_team,
    ),
)
