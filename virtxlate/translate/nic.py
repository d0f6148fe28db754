"""One Ganeti NIC as one libvirt interface, and back.

Source: Ganeti 3.2 alpha (c35736d8a), lib/hypervisor/hv_kvm/__init__.py:1753-1772, 1863-1908;
lib/cmdlib/instance_create.py:150-171 for the forms of a VLAN.
"""

from __future__ import annotations

import re
from typing import Any

from virtxlate.domain import model as domain
from virtxlate.errors import GanetiDataError, UnsupportedError
from virtxlate.ganeti.hvinfo import HvInfo
from virtxlate.ganeti.model import Instance, Nic
from virtxlate.ganeti.words import NIC_DRIVERS
from virtxlate.report import Report, Severity
from virtxlate.tables.nic import (
    NIC_MODES,
    NIC_TYPES,
    OFFLOADS_WITHOUT_HEADER,
    PLAIN_BRIDGE_VLAN_SINCE,
    UNSUPPORTED_NIC_TYPES,
    VHOST_DRIVERS,
)
from virtxlate.translate.board import acpi_index, pci_address, pci_place
from virtxlate.translate.boot import boot_orders
from virtxlate.translate.context import Context
from virtxlate.translate.disk import ganeti_id, user_alias
from virtxlate.translate.terms import carry, refuse

_VLAN = re.compile(r"(?:\.?(?P<native>[0-9]{1,4}))?(?P<tagged>(?::[0-9]{1,4})*)", re.ASCII)
_MAX_VLAN = 4094
_MAX_AUTO_QUEUES = 8


def check_type(instance: Instance) -> None:
    """Raise UnsupportedError when no domain can have NICs of the instance's nic_type."""
    refuse(UNSUPPORTED_NIC_TYPES, instance.hvparams.nic_type, "hvparams.nic_type")
    carry(NIC_TYPES.right, instance.hvparams.nic_type, "hvparams.nic_type")


def to_domain(instance: Instance, index: int, context: Context, report: Report) -> domain.Interface:
    """Give the libvirt interface for a placed instance's NIC of that index.

    Raises GanetiDataError, UnsupportedError.
    """
    nic, hvparams = instance.nics[index], instance.hvparams
    at = f"nics[{index}]"
    driver, queues = _virtio(instance, report if index == 0 else Report())
    hvinfo = nic.hvinfo
    if hvinfo is None or hvinfo.slot is None:
        raise GanetiDataError("expected a placed NIC", at=f"{at}.hvinfo")
    return domain.Interface(
        mac=nic.mac,
        model=carry(NIC_TYPES.right, hvparams.nic_type, "hvparams.nic_type"),
        driver=driver,
        queues=queues,
        **_offloads(instance),
        boot_order=boot_orders(instance).get(at),
        alias=user_alias(nic.uuid, hvinfo),
        acpi_index=acpi_index(hvinfo),
        address=pci_address(hvinfo),
        **_attachment(nic, at, context, report),
    )


def _offloads(instance: Instance) -> dict[str, Any]:
    """Give the offloads, all off where the tap has no header for them: QEMU then offers none to the guest."""
    hvparams = instance.hvparams
    if hvparams.nic_type != "paravirtual" or hvparams.vnet_hdr:
        return {}
    return dict.fromkeys(OFFLOADS_WITHOUT_HEADER, False)


def _virtio(instance: Instance, report: Report) -> tuple[str | None, int | None]:
    """Give driver name and queues, which only virtio has; Ganeti ignores queues without vhost."""
    hvparams = instance.hvparams
    if hvparams.nic_type != "paravirtual":
        return None, None
    queues = hvparams.virtio_net_queues
    if queues == "auto":
        queues = min(instance.beparams.vcpus, _MAX_AUTO_QUEUES)
    if not isinstance(queues, int):
        raise GanetiDataError(
            f"expected a number or 'auto', found {queues!r}", at="hvparams.virtio_net_queues"
        )
    if not hvparams.vhost_net and queues > 1:
        report.lose("hvparams.virtio_net_queues", queues, "Ganeti ignores it without vhost_net")
    multiple = hvparams.vhost_net and queues > 1
    return VHOST_DRIVERS.right(hvparams.vhost_net), queues if multiple else None


def _attachment(nic: Nic, at: str, context: Context, report: Report) -> dict[str, Any]:
    """Give the fields that say what the interface is attached to."""
    kind, port = carry(NIC_MODES.right, nic.mode, f"{at}.mode")
    if kind == "ethernet":
        return _ethernet(nic, at, context, report)
    vlan = parse_vlan(nic.vlan, f"{at}.vlan")
    if nic.vlan != format_vlan(vlan):
        report.lose(f"{at}.vlan", nic.vlan, f"comes back as {format_vlan(vlan)!r}, which means the same")
    whole = context.renames.find("networks", nic.link + nic.vlan) if nic.vlan else None
    if whole is not None:
        return {"type": "network", "network": whole}
    network = context.renames.find("networks", nic.link)
    if network is not None:
        return {"type": "network", "network": network, "vlan": vlan}
    if not nic.link:
        raise GanetiDataError("expected the name of a bridge, found none", at=f"{at}.link")
    if port is not None:
        port_id = nic.uuid or None
        virtualport = domain.VirtualPort(type=port, interface_id=port_id)
        bridge = context.renames.rename("switches", nic.link)
        return {"type": kind, "bridge": bridge, "virtualport": virtualport, "vlan": vlan}
    if vlan is not None and context.libvirt_version < PLAIN_BRIDGE_VLAN_SINCE:
        raise UnsupportedError(
            "libvirt tags VLANs on a plain bridge since 11.0 only; name a libvirt network for it in the map, "
            f'[networks] "{nic.link}{nic.vlan}" = "..."',
            at=f"{at}.vlan",
        )
    return {"type": kind, "bridge": context.renames.rename("bridges", nic.link), "vlan": vlan}


def _ethernet(nic: Nic, at: str, context: Context, report: Report) -> dict[str, Any]:
    """Give a bare tap: its set-up on the host is a script's work, under libvirt as under Ganeti."""
    script = context.renames.find("scripts", nic.mode)
    if script is None:
        reason = f"no script for mode {nic.mode} in the map: the host does not connect the tap by itself"
        report.lose(f"{at}.mode", nic.mode, reason, Severity.GUEST_VISIBLE)
    if nic.link:
        report.lose(f"{at}.link", nic.link, f"libvirt does not tell a tap of mode {nic.mode} its link")
    if nic.vlan:
        report.lose(f"{at}.vlan", nic.vlan, f"libvirt does not tag the tap of mode {nic.mode}")
    return {"type": "ethernet", "script": script}


def parse_vlan(text: str, at: str) -> domain.Vlan | None:
    """Give libvirt's VLAN for ``.100`` (access), ``:10:20`` (trunk) or ``.5:10:20`` (native and tagged).

    Raises GanetiDataError.
    """
    if not text:
        return None
    match = _VLAN.fullmatch(text)
    if match is None:
        raise GanetiDataError(f"expected '.100', ':10:20' or '.5:10:20', found {text!r}", at=at)
    tagged = [int(tag) for tag in match["tagged"].split(":") if tag]
    numbers = ([int(match["native"])] if match["native"] else []) + tagged
    if any(not 0 < number <= _MAX_VLAN for number in numbers):
        raise GanetiDataError(f"expected VLANs from 1 to {_MAX_VLAN}, found {text!r}", at=at)
    if not tagged:
        return domain.Vlan(tags=(domain.VlanTag(id=numbers[0]),))
    native = (domain.VlanTag(id=numbers[0], native_mode="untagged"),) if match["native"] else ()
    return domain.Vlan(trunk=True, tags=(*native, *(domain.VlanTag(id=tag) for tag in tagged)))


def format_vlan(vlan: domain.Vlan | None) -> str:
    """Give Ganeti's text for libvirt's VLAN."""
    if vlan is None or not vlan.tags:
        return ""
    if not vlan.trunk and len(vlan.tags) == 1 and vlan.tags[0].native_mode is None:
        return f".{vlan.tags[0].id}"
    native = "".join(f".{tag.id}" for tag in vlan.tags if tag.native_mode == "untagged")
    return native + "".join(f":{tag.id}" for tag in vlan.tags if tag.native_mode != "untagged")


def to_ganeti(interface: domain.Interface, at: str, context: Context, report: Report) -> Nic:
    """Give the Ganeti NIC for a libvirt interface. Raises UnsupportedError, GanetiDataError."""
    if interface.mac is None:
        raise UnsupportedError("Ganeti knows no NIC without a MAC", at=f"{at}.mac")
    for name in ("uuid", "name", "ip", "network", "netinfo"):
        report.lose(f"{at}.{name}", None, "a libvirt interface does not tell it")
    device_id = ganeti_id(interface.alias)
    hvinfo = None
    place = pci_place(interface.address) if isinstance(interface.address, domain.PciAddress) else None
    if device_id is not None and place is not None:
        nic_type = carry(NIC_TYPES.left, interface.model, f"{at}.model")
        hvinfo = HvInfo(driver=NIC_DRIVERS[nic_type], id=device_id, **place)
    else:
        reason = "an alias that is not Ganeti's gives no device id, nor an address that is not on pci.0"
        report.lose(f"{at}.hvinfo", interface.alias, reason)
    mode, link = _mode(interface, at, context, report)
    return Nic(mac=interface.mac, mode=mode, link=link, vlan=format_vlan(interface.vlan), hvinfo=hvinfo)


def _mode(interface: domain.Interface, at: str, context: Context, report: Report) -> tuple[str, str]:
    if interface.type == "network":
        report.lose(f"{at}.mode", interface.network, "a libvirt network does not tell what stands behind it")
        report.lose(f"{at}.link", interface.network, "a libvirt network does not tell what stands behind it")
        report.lose(f"{at}.vlan", interface.network, "a libvirt network does not tell what stands behind it")
        return "bridged", context.renames.back("networks", interface.network or "")
    port = interface.virtualport.type if interface.virtualport is not None else None
    mode = carry(NIC_MODES.left, (interface.type, port), f"{at}.mode")
    if interface.type == "ethernet":
        report.lose(f"{at}.mode", mode, "routed and ext are the same to libvirt")
        report.lose(f"{at}.link", None, "a bare tap does not tell its link")
        report.lose(f"{at}.vlan", None, "a bare tap does not tell its VLAN")
        return mode, ""
    table = "bridges" if port is None else "switches"
    return mode, context.renames.back(table, interface.bridge or "")


def hvparams_to_ganeti(interfaces: tuple[domain.Interface, ...], report: Report) -> dict[str, Any]:
    """Give the hvparams that interfaces tell; the first speaks for all, others are reported."""
    if not interfaces:
        for name in ("nic_type", "vhost_net", "virtio_net_queues", "vnet_hdr"):
            report.lose(f"hvparams.{name}", None, "there is no interface to tell it by")
        return {}
    types = [carry(NIC_TYPES.left, nic.model, "hvparams.nic_type") for nic in interfaces]
    if len(set(types)) > 1:
        reason = "Ganeti has one nic_type for all NICs"
        report.lose("hvparams.nic_type", ", ".join(types), reason, Severity.GUEST_VISIBLE)
    first = interfaces[0]
    values: dict[str, Any] = {"nic_type": types[0]}
    if types[0] != "paravirtual" or first.driver is None:
        report.lose("hvparams.vhost_net", None, "the interface does not tell its driver")
        report.lose("hvparams.vnet_hdr", None, "the interface does not tell its driver")
        report.lose("hvparams.virtio_net_queues", None, "the interface does not tell its driver")
        return values
    values["vnet_hdr"] = any(getattr(first, name) is not False for name in OFFLOADS_WITHOUT_HEADER)
    values["vhost_net"] = VHOST_DRIVERS.left(first.driver)
    values["virtio_net_queues"] = first.queues or 1
    if first.driver == "vhost":
        report.lose(
            "hvparams.virtio_net_queues", first.queues, "a number does not tell whether it was 'auto'"
        )
    else:
        report.lose("hvparams.virtio_net_queues", None, "without vhost, queues are not used")
    return values
