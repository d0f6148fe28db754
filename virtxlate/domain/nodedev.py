"""Node devices around SCSI, as libvirt writes them: host adapters, virtual ones (NPIV) among them, and LUNs.

Also the pool of type scsi that stands on such an adapter.
Source: libvirt 9.0.0, docs/formatnode.rst, docs/formatstorage.rst; schemas/nodedev.rng.
"""

from __future__ import annotations

import re

import msgspec

from virtxlate.domain.document import parse_document
from virtxlate.errors import DomainXmlError
from virtxlate.xmlmap import (
    INTEGER,
    YES_NO,
    Child,
    Children,
    Choice,
    Element,
    Field,
    Kind,
    Leftover,
    one_of,
)

_WWN = re.compile(r"(?:0x)?([0-9a-fA-F]{16})", re.ASCII)


def parse_wwn(text: str) -> str:
    """Give a world wide name in libvirt's spelling: 16 hexadecimal digits, lower case. Raises ValueError."""
    match = _WWN.fullmatch(text)
    if match is None:
        raise ValueError(f"expected a world wide name, 16 hexadecimal digits, found {text!r}")
    return match[1].lower()


class FcHost(msgspec.Struct, frozen=True, kw_only=True):
    """``<capability type='fc_host'>``: the names of a Fibre Channel port."""

    wwnn: str | None = None
    wwpn: str | None = None
    fabric_wwn: str | None = None


class VportOps(msgspec.Struct, frozen=True, kw_only=True):
    """``<capability type='vport_ops'>``: the adapter can have virtual ones."""

    max_vports: int | None = None
    vports: int | None = None


class ScsiHost(msgspec.Struct, frozen=True, kw_only=True):
    """``<capability type='scsi_host'>``: an adapter of the host."""

    host: int | None = None
    """libvirt's test driver tells another number here than in the adapter's name."""
    unique_id: int | None = None
    capabilities: tuple[FcHost | VportOps, ...] = ()


class ScsiUnit(msgspec.Struct, frozen=True, kw_only=True):
    """``<capability type='scsi'>``: what answers at host, bus, target and lun."""

    host: int
    bus: int
    target: int
    lun: int
    type: str | None = None


class Storage(msgspec.Struct, frozen=True, kw_only=True):
    """``<capability type='storage'>``: the block device of a unit; ``size`` in bytes."""

    block: str | None = None
    bus: str | None = None
    drive_type: str | None = None
    model: str | None = None
    vendor: str | None = None
    serial: str | None = None
    """udev's ID_SERIAL."""
    size: int | None = None


class NodeDevice(msgspec.Struct, frozen=True, kw_only=True):
    """``<device>``; the parent of one that is to be made has a name, a pair of names, or a fabric."""

    name: str | None = None
    path: str | None = None
    parent: str | None = None
    parent_wwnn: str | None = None
    parent_wwpn: str | None = None
    parent_fabric_wwn: str | None = None
    capability: ScsiHost | ScsiUnit | Storage | None = None


class ScsiPool(msgspec.Struct, frozen=True, kw_only=True):
    """``<pool type='scsi'>``: the LUNs behind one adapter, a volume each.

    An adapter of type fc_host is a virtual one, by its names and its parent, which libvirt makes with the
    pool; one of type scsi_host is there, and has a name.
    """

    name: str
    uuid: str | None = None
    adapter_type: str
    adapter_name: str | None = None
    parent: str | None = None
    parent_wwnn: str | None = None
    parent_wwpn: str | None = None
    parent_fabric_wwn: str | None = None
    managed: bool | None = None
    """True: it goes with the pool even where it was there before."""
    wwnn: str | None = None
    wwpn: str | None = None
    path: str
    """Directory whose links name the volumes: those of by-path survive a reboot."""


ADAPTER_TYPES = ("scsi_host", "fc_host")
WWN = Kind("world wide name", parse_wwn, parse_wwn, plain=True)
_FC_HOST = Element(
    "capability",
    FcHost,
    Field("wwnn", "wwnn", WWN),
    Field("wwpn", "wwpn", WWN),
    Field("fabric_wwn", "fabric_wwn", WWN),
    const={"type": "fc_host"},
)
_VPORT_OPS = Element(
    "capability",
    VportOps,
    Field("max_vports", "max_vports", INTEGER),
    Field("vports", "vports", INTEGER),
    const={"type": "vport_ops"},
)
_SCSI_HOST = Element(
    "capability",
    ScsiHost,
    Field("host", "host", INTEGER),
    Field("unique_id", "unique_id", INTEGER),
    Children("capabilities", Choice("type", _FC_HOST, _VPORT_OPS)),
    const={"type": "scsi_host"},
)
_SCSI_UNIT = Element(
    "capability",
    ScsiUnit,
    Field("host", "host", INTEGER),
    Field("bus", "bus", INTEGER),
    Field("target", "target", INTEGER),
    Field("lun", "lun", INTEGER),
    Field("type", "type"),
    const={"type": "scsi"},
)
_STORAGE = Element(
    "capability",
    Storage,
    Field("block", "block"),
    Field("bus", "bus"),
    Field("drive_type", "drive_type"),
    Field("model", "model"),
    Field("vendor", "vendor"),
    Field("serial", "serial"),
    Field("size", "size", INTEGER),
    const={"type": "storage"},
)
DEVICE = Element(
    "device",
    NodeDevice,
    Field("name", "name"),
    Field("path", "path"),
    Field("parent", "parent"),
    Field("parent_wwnn", "parent/@wwnn", WWN),
    Field("parent_wwpn", "parent/@wwpn", WWN),
    Field("parent_fabric_wwn", "parent/@fabric_wwn", WWN),
    Child("capability", Choice("type", _SCSI_HOST, _SCSI_UNIT, _STORAGE)),
)
POOL = Element(
    "pool",
    ScsiPool,
    Field("name", "name", required=True),
    Field("uuid", "uuid"),
    Field("adapter_type", "source/adapter/@type", one_of("adapter type", ADAPTER_TYPES), required=True),
    Field("adapter_name", "source/adapter/@name"),
    Field("parent", "source/adapter/@parent"),
    Field("parent_wwnn", "source/adapter/@parent_wwnn", WWN),
    Field("parent_wwpn", "source/adapter/@parent_wwpn", WWN),
    Field("parent_fabric_wwn", "source/adapter/@parent_fabric_wwn", WWN),
    Field("managed", "source/adapter/@managed", YES_NO),
    Field("wwnn", "source/adapter/@wwnn", WWN),
    Field("wwpn", "source/adapter/@wwpn", WWN),
    Field("path", "target/path", required=True),
    const={"type": "scsi"},
)


def parse_node_device(text: bytes | str, leftovers: list[Leftover] | None = None) -> NodeDevice:
    """Give the node device that stands in ``text``.

    With ``leftovers`` the reading is lenient: a capability of another kind, such as a PCI device's, is noted
    there. Raises DomainXmlError.
    """
    root = parse_document(text)
    if root.tag != DEVICE.tag:
        raise DomainXmlError(f"expected <device>, found <{root.tag!s}>", at=f"/{root.tag!s}")
    return DEVICE.parse(root, leftovers)


def format_node_device(device: NodeDevice) -> str:
    """Give the text of a node device. Raises DomainXmlError for text that XML cannot hold."""
    return DEVICE.format_text(device)


def parse_scsi_pool(text: bytes | str, leftovers: list[Leftover] | None = None) -> ScsiPool:
    """Give the pool that stands in ``text``. Raises DomainXmlError, for a pool of another type too."""
    root = parse_document(text)
    if (root.tag, root.get("type")) != (POOL.tag, "scsi"):
        raise DomainXmlError(
            f"expected <pool type='scsi'>, found <{root.tag!s} type={root.get('type')!r}>",
            at=f"/{root.tag!s}",
        )
    return POOL.parse(root, leftovers)


def format_scsi_pool(pool: ScsiPool) -> str:
    """Give the text of a pool. Raises DomainXmlError for text that XML cannot hold."""
    return POOL.format_text(pool)
