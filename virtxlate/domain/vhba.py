"""A virtual Fibre Channel adapter (NPIV) as one asks libvirt for it: as a node device, or with a pool.

Source: libvirt 9.0.0, docs/formatnode.rst, docs/formatstorage.rst, src/conf/node_device_util.c.
"""

from __future__ import annotations

import msgspec

from virtxlate.domain.nodedev import (
    FcHost,
    NodeDevice,
    ScsiHost,
    ScsiPool,
    format_node_device,
    parse_node_device,
)
from virtxlate.errors import DomainXmlError, InputError
from virtxlate.scsi import ADAPTER_PREFIX, host_number
from virtxlate.xmlmap import Leftover

BY_PATH = "/dev/disk/by-path"


class Vhba(msgspec.Struct, frozen=True, kw_only=True):
    """A virtual adapter that is wanted. One way to tell the parent, and no other, is set.

    Without ``wwnn`` and ``wwpn`` libvirt makes names up.
    """

    parent: str | None = None
    """scsi_host5: a number that another boot may give to another adapter."""
    parent_wwnn: str | None = None
    parent_wwpn: str | None = None
    parent_fabric_wwn: str | None = None
    wwnn: str | None = None
    wwpn: str | None = None


def read_vhba(text: bytes | str) -> Vhba:
    """Give the adapter that a node device's XML asks for.

    Raises DomainXmlError for what libvirt would pass over, InputError for what it could not make.
    """
    leftovers: list[Leftover] = []
    device = parse_node_device(text, leftovers)
    for each in leftovers:
        raise DomainXmlError(each.reason, at=each.path, line=each.line)
    capability = device.capability
    if not isinstance(capability, ScsiHost):
        raise InputError("expected <capability type='scsi_host'>", at="/device/capability")
    fc = next((each for each in capability.capabilities if isinstance(each, FcHost)), None)
    if fc is None:
        raise InputError("expected <capability type='fc_host'>", at="/device/capability/capability")
    vhba = Vhba(
        parent=device.parent,
        parent_wwnn=device.parent_wwnn,
        parent_wwpn=device.parent_wwpn,
        parent_fabric_wwn=device.parent_fabric_wwn,
        wwnn=fc.wwnn,
        wwpn=fc.wwpn,
    )
    check(vhba)
    return vhba


def check(vhba: Vhba) -> None:
    """Give nothing for an adapter that can be asked for. Raises InputError."""
    pair = (vhba.parent_wwnn, vhba.parent_wwpn)
    if (pair[0] is None) != (pair[1] is None):
        raise InputError("expected both wwnn and wwpn of the parent, found one", at="/device/parent")
    ways = [vhba.parent, pair[0], vhba.parent_fabric_wwn]
    told = sum(way is not None for way in ways)
    if told != 1:
        raise InputError(
            f"expected one of a name, wwnn and wwpn, or fabric_wwn, found {told or 'none'}; told of none, "
            "libvirt takes any adapter",
            at="/device/parent",
        )
    if vhba.parent is not None and host_number(vhba.parent) is None:
        raise InputError(
            f"expected an adapter such as {ADAPTER_PREFIX}5, found {vhba.parent!r}", at="/device/parent"
        )
    if (vhba.wwnn is None) != (vhba.wwpn is None):
        raise InputError(
            "expected both wwnn and wwpn, or none, found one", at="/device/capability/capability"
        )


def vhba_xml(vhba: Vhba) -> str:
    """Give the node device's XML for ``virsh nodedev-create``. Raises InputError."""
    check(vhba)
    return format_node_device(
        NodeDevice(
            parent=vhba.parent,
            parent_wwnn=vhba.parent_wwnn,
            parent_wwpn=vhba.parent_wwpn,
            parent_fabric_wwn=vhba.parent_fabric_wwn,
            capability=ScsiHost(capabilities=(FcHost(wwnn=vhba.wwnn, wwpn=vhba.wwpn),)),
        )
    )


def pool_of(vhba: Vhba, name: str, path: str = BY_PATH) -> ScsiPool:
    """Give the pool whose volumes are the adapter's LUNs; libvirt makes the adapter when the pool starts.

    Raises InputError, for a name that libvirt does not take, and for an adapter without names: a pool finds
    its adapter again by them.
    """
    check(vhba)
    if not name or "/" in name:
        raise InputError(f"expected a name, without '/', found {name!r}", at="/pool/name")
    if vhba.wwnn is None or vhba.wwpn is None:
        raise InputError("a pool needs wwnn and wwpn of its adapter", at="/pool/source/adapter")
    return ScsiPool(
        name=name,
        adapter_type="fc_host",
        parent=vhba.parent,
        parent_wwnn=vhba.parent_wwnn,
        parent_wwpn=vhba.parent_wwpn,
        parent_fabric_wwn=vhba.parent_fabric_wwn,
        wwnn=vhba.wwnn,
        wwpn=vhba.wwpn,
        path=path,
    )
