"""Ganeti's JSON as it is written, over all versions: decoded here, made into model records by the readers.

Unknown keys are ignored, missing ones have a default, as Ganeti itself reads (lib/objects.py).
"""

from __future__ import annotations

import re
from typing import Annotated, Any

import msgspec

from virtxlate.errors import GanetiDataError
from virtxlate.ganeti.hvinfo import HvInfo, legacy_kvm_id
from virtxlate.ganeti.model import Disk, Network, Nic
from virtxlate.ganeti.params import DEFAULT_NICPARAMS, Scalar
from virtxlate.ganeti.words import (
    DISK_TEMPLATES,
    LEGACY_TEMPLATES,
    MAC_PATTERN,
    NIC_MODES,
    PCI_BUS,
    PCI_SLOTS,
    UUID_PATTERN,
)
from virtxlate.report import Report

Uuid = Annotated[str, msgspec.Meta(pattern=UUID_PATTERN)]
Mac = Annotated[str, msgspec.Meta(pattern=MAC_PATTERN)]
Slot = Annotated[int, msgspec.Meta(ge=0, lt=PCI_SLOTS)]

_UUID, _MAC = re.compile(UUID_PATTERN), re.compile(MAC_PATTERN)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,252}", re.ASCII)
_DRBD_LENGTH, _USUAL_LENGTH = 6, 2


class WireHvInfo(msgspec.Struct, frozen=True, kw_only=True, rename={"scsi_id": "scsi-id"}):
    """hvinfo as a runtime file holds it: PCI or SCSI keys, or none; ``drive`` and ``netdev`` are ignored."""

    driver: str | None = None
    id: str | None = None
    bus: str | None = None
    addr: str | None = None
    channel: int | None = None
    scsi_id: int | None = None
    lun: int | None = None


class WireNic(msgspec.Struct, frozen=True, kw_only=True):
    """A NIC in a config or a runtime file."""

    mac: Mac
    uuid: Uuid | None = None
    name: str | None = None
    ip: str | None = None
    network: str | None = None
    nicparams: dict[str, Scalar] = {}
    netinfo: Network | None = None
    hvinfo: WireHvInfo | None = None
    pci: Slot | None = None


class WireDisk(msgspec.Struct, frozen=True, kw_only=True):
    """A disk in a config or a runtime file, or in the result of an info job."""

    dev_type: str
    uuid: Uuid | None = None
    name: str | None = None
    logical_id: tuple[Scalar, ...] | None = None
    children: tuple[WireDisk, ...] | None = None
    nodes: tuple[str, ...] | None = None
    iv_name: str | None = None
    size: Annotated[int, msgspec.Meta(ge=0)] = 0
    mode: str = "rw"
    params: dict[str, Scalar] | None = None
    spindles: int | None = None
    hvinfo: WireHvInfo | None = None
    pci: Slot | None = None


def check_name(name: str, at: str = "name") -> str:
    """Give ``name`` back when it can name an instance, a domain and a file. Raises GanetiDataError."""
    if not _NAME.fullmatch(name):
        raise GanetiDataError(
            f"expected a host name of letters, digits, '.', '_' and '-', found {name!r}", at=at
        )
    return name


def check_uuid(uuid: str, at: str = "uuid") -> str:
    """Give ``uuid`` back when it is one. Raises GanetiDataError."""
    if not _UUID.match(uuid):
        raise GanetiDataError(f"expected a UUID, found {uuid!r}", at=at)
    return uuid


def check_mac(mac: str, at: str = "mac") -> str:
    """Give ``mac`` back when it is one. Raises GanetiDataError."""
    if not _MAC.match(mac):
        raise GanetiDataError(f"expected a MAC address, found {mac!r}", at=at)
    return mac


def template_of_word(dev_type: str, at: str) -> str:
    """Give the disk template for a dev_type, old words included. Raises GanetiDataError."""
    word = LEGACY_TEMPLATES.get(dev_type, dev_type)
    if word not in DISK_TEMPLATES:
        known = ", ".join((*DISK_TEMPLATES, *LEGACY_TEMPLATES))
        raise GanetiDataError(f"expected a disk template of {known}, found {dev_type!r}", at=at)
    return word


def resolve_hvinfo(wire: WireNic | WireDisk, kind: str, driver: str) -> HvInfo | None:
    """Give the hvinfo of a device in any historic form: hvinfo, ``{}``, or the int ``pci`` of 2.10 to 2.15.

    Raises GanetiDataError. Source: lib/hypervisor/hv_kvm/kvm_runtime.py:109-239.
    """
    given = wire.hvinfo
    if given is not None and given != WireHvInfo():
        if given.driver is None or given.id is None or given.bus is None:
            raise GanetiDataError("expected driver, id and bus together", at="hvinfo")
        hvinfo = HvInfo(**msgspec.structs.asdict(given))
        hvinfo.check()
        return hvinfo
    if wire.pci is None:
        return None
    return HvInfo(
        driver=driver, id=legacy_kvm_id(kind, wire.uuid or "", wire.pci), bus=PCI_BUS, addr=hex(wire.pci)
    )


def make_nic(wire: WireNic, nicparams: dict[str, Any], netinfo: Network | None, hvinfo: HvInfo | None) -> Nic:
    """Give the model's NIC; ``nicparams`` are the filled ones. Raises GanetiDataError."""
    params = {**DEFAULT_NICPARAMS, **nicparams}
    mode, link, vlan = params["mode"], params["link"], params["vlan"]
    if mode not in NIC_MODES:
        raise GanetiDataError(f"expected one of {', '.join(NIC_MODES)}, found {mode!r}", at="nicparams.mode")
    return Nic(
        uuid=wire.uuid or "",
        name=wire.name,
        mac=wire.mac.lower(),
        ip=wire.ip,
        network=wire.network,
        netinfo=netinfo,
        mode=str(mode),
        link=_text(link, "nicparams.link"),
        vlan=_text(vlan, "nicparams.vlan"),
        hvinfo=hvinfo,
    )


def _text(value: Scalar, at: str) -> str:
    """Give a text; None and numbers are what old configs and hand edits leave behind."""
    if isinstance(value, bool):
        raise GanetiDataError(f"expected a text, found {value!r}", at=at)
    return "" if value is None else str(value)


def make_disk(
    wire: WireDisk,
    at: str,
    report: Report,
    *,
    params: dict[str, Scalar],
    primary_node: str = "",
    extra: dict[str, Any] | None = None,
) -> Disk:
    """Give the model's disk; ``params`` are the filled ones, ``extra`` what only some sources know.

    A DRBD secret is dropped and reported. Raises GanetiDataError.
    """
    template = template_of_word(wire.dev_type, f"{at}.dev_type")
    logical_id = _logical_id(wire, template, at, report)
    minor = None
    if template == "drbd" and logical_id:
        minor = _local_minor(logical_id, primary_node, at)
    fields: dict[str, Any] = {
        "uuid": wire.uuid or "",
        "name": wire.name,
        "template": template,
        "size_mib": wire.size,
        "mode": wire.mode,
        "logical_id": logical_id,
        "params": params,
        "children": tuple(
            make_disk(child, f"{at}.children[{index}]", report, params=child.params or {})
            for index, child in enumerate(wire.children or ())
        ),
        "nodes": wire.nodes or (),
        "iv_name": wire.iv_name or "",
        "spindles": wire.spindles,
        "minor": minor,
    }
    return Disk(**{**fields, **(extra or {})})


def _logical_id(wire: WireDisk, template: str, at: str, report: Report) -> tuple[Scalar, ...]:
    if wire.logical_id is None:
        return ()
    wanted = _DRBD_LENGTH if template == "drbd" else _USUAL_LENGTH
    if len(wire.logical_id) != wanted:
        raise GanetiDataError(f"expected {wanted} items, found {len(wire.logical_id)}", at=f"{at}.logical_id")
    if template != "drbd":
        return wire.logical_id
    if wire.logical_id[5] is not None:
        report.lose(f"{at}.logical_id[5]", "(secret)", "the DRBD secret stays with Ganeti")
    return (*wire.logical_id[:5], None)


def _local_minor(logical_id: tuple[Scalar, ...], primary_node: str, at: str) -> int | None:
    """Give the minor on the primary node; logical_id holds two nodes, the port, and their two minors."""
    minor_a, minor_b = logical_id[3:5]
    if not isinstance(minor_a, int) or not isinstance(minor_b, int):
        raise GanetiDataError("expected two minor numbers", at=f"{at}.logical_id[3]")
    if not primary_node:
        return None
    if primary_node == logical_id[0]:
        return minor_a
    if primary_node == logical_id[1]:
        return minor_b
    raise GanetiDataError(
        f"expected the primary node {primary_node!r} as one of the two nodes, "
        f"found {logical_id[0]!r} and {logical_id[1]!r}",
        at=f"{at}.logical_id",
    )
