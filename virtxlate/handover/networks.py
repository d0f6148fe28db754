"""Taps that libvirt makes but does not connect: Ganeti's own script does, told what Ganeti tells it.

Source: Ganeti 3.0.2, lib/hypervisor/hv_base.py (ConfigureNIC), tools/net-common; the oracle test compares.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Mapping

import msgspec

from virtxlate.domain.live import parse_live
from virtxlate.domain.model import Domain
from virtxlate.ganeti.model import Instance, Network

_TIMEOUT_S = 60.0
_BRIDGES = frozenset({"bridged"})


class Connection(msgspec.Struct, frozen=True, kw_only=True):
    """What connects one tap."""

    mac: str
    script: str
    environment: Mapping[str, str]
    """All but the name of the tap, which libvirt chooses."""


def connections(instance: Instance, asked: Domain, script: str) -> tuple[Connection, ...]:
    """Give what connects each tap of a domain that libvirt leaves alone: those without bridge and script."""
    alone = {
        (each.mac or "").lower()
        for each in asked.devices.interfaces
        if each.type == "ethernet" and each.script is None
    }
    return tuple(
        Connection(mac=nic.mac.lower(), script=script, environment=environment(instance, index))
        for index, nic in enumerate(instance.nics)
        if nic.mac.lower() in alone
    )


def environment(instance: Instance, index: int) -> dict[str, str]:
    """Give what Ganeti's script is told about a NIC, less the name of its tap."""
    nic = instance.nics[index]
    told = {
        "INSTANCE": instance.name,
        "MAC": nic.mac,
        "MODE": nic.mode,
        "INTERFACE_INDEX": str(index),
        "INTERFACE_UUID": nic.uuid,
        "TAGS": " ".join(instance.tags),
        "IP": nic.ip,
        "INTERFACE_NAME": nic.name,
        "LINK": nic.link,
        "VLAN": nic.vlan,
        "BRIDGE": nic.link if nic.mode in _BRIDGES else None,
        **_network(nic.netinfo),
    }
    return {name: value for name, value in told.items() if value is not None}


def _network(network: Network | None) -> dict[str, str | None]:
    if network is None:
        return {}
    return {
        "NETWORK_NAME": network.name,
        "NETWORK_UUID": network.uuid,
        "NETWORK_TAGS": " ".join(network.tags),
        "NETWORK_SUBNET": network.network,
        "NETWORK_GATEWAY": network.gateway,
        "NETWORK_SUBNET6": network.network6,
        "NETWORK_GATEWAY6": network.gateway6,
        "NETWORK_MAC_PREFIX": network.mac_prefix,
    }


def connect_taps(wanted: Iterable[Connection], live_xml: str) -> tuple[str, ...]:
    """Run the script for each tap of the running domain; give a line for each that it did not connect."""
    root = parse_live(live_xml).root
    taps = {
        str(each.xpath("string(mac/@address)")).lower(): str(each.xpath("string(target/@dev)"))
        for each in root.iterfind("devices/interface")
    }
    return tuple(line for each in wanted if (line := _connect(each, taps.get(each.mac, ""))) is not None)


def _connect(wanted: Connection, tap: str) -> str | None:
    at = f"nic {wanted.mac}"
    if not tap:
        return f"{at}: libvirt names no tap for it: it is not connected"
    told = {**wanted.environment, "INTERFACE": tap, "PATH": os.environ.get("PATH", os.defpath)}
    try:
        done = subprocess.run(  # noqa: S603 - the script that the caller has named, and no shell
            [wanted.script, tap], check=False, env=told, capture_output=True, text=True, timeout=_TIMEOUT_S
        )
    except (OSError, subprocess.SubprocessError) as exc:
        return f"{at}: {tap} is not connected: {exc}"
    if done.returncode == 0:
        return None
    said = " ".join((done.stderr or done.stdout).split()[-20:])
    return f"{at}: {tap} is not connected: {wanted.script}: exit {done.returncode}: {said}"
