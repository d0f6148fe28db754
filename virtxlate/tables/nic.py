"""NICs: Ganeti's nic_type beside libvirt's model, Ganeti's modes beside what libvirt makes of them."""

from __future__ import annotations

from virtxlate.bijection import Bijection
from virtxlate.errors import TableError

NIC_TYPES = Bijection(
    "nic_type",
    [
        ("paravirtual", "virtio"),
        ("e1000", "e1000"),
        ("i82551", "i82551"),
        ("i82557b", "i82557b"),
        ("i82559er", "i82559er"),
        ("ne2k_pci", "ne2k_pci"),
        ("pcnet", "pcnet"),
        ("rtl8139", "rtl8139"),
    ],
)
"""Source: Ganeti Constants.hs:2732; libvirt 9.0.0 qemu_command.c:3711 passes any other model through."""

UNSUPPORTED_NIC_TYPES = {
    "ne2k_isa": "an ISA card cannot stand in a PCI slot: QEMU refuses it, under Ganeti as under libvirt"
}
"""nic_type to the reason why no domain can have it."""

NIC_MODES = Bijection(
    "mode",
    [
        ("bridged", ("bridge", None)),
        ("openvswitch", ("bridge", "openvswitch")),
        ("routed", ("ethernet", None)),
    ],
    aliases=[("ext", ("ethernet", None))],
)
"""Ganeti's mode to libvirt's (interface type, virtualport type)."""

OFFLOADS_WITHOUT_HEADER = tuple(
    f"{side}_{name}" for side in ("host", "guest") for name in ("csum", "tso4", "tso6", "ecn", "ufo")
)
"""Offloads of libvirt's interface that are off where vnet_hdr is: libvirt's taps always have the header.

Source: QEMU 7.2, hw/net/virtio-net.c (virtio_net_get_features).
"""

VHOST_DRIVERS = Bijection("vhost_net", [(True, "vhost"), (False, "qemu")])

PLAIN_BRIDGE_VLAN_SINCE = 11_000_000
"""libvirt (major * 1000000 + minor * 1000 + release) that tags VLANs on a bridge that is not Open vSwitch.

Source: libvirt 11.0.0 release notes; 9.0.0 refuses at start (domain_validate.c:2058).
"""

if any(NIC_TYPES.knows_left(word) for word in UNSUPPORTED_NIC_TYPES):
    raise TableError("NIC_TYPES: a nic_type is both supported and unsupported")
