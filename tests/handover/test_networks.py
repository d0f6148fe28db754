"""Taps that libvirt leaves alone are connected by a script, and told of where that fails."""

from __future__ import annotations

from pathlib import Path

from virtxlate.domain.document import parse_domain
from virtxlate.ganeti.model import Instance, Nic
from virtxlate.handover.networks import connect_taps, connections

MACS = ("aa:00:00:00:00:01", "aa:00:00:00:00:02", "aa:00:00:00:00:03")
INSTANCE = Instance(
    name="inst1.example.com",
    uuid="11111111-2222-4333-8444-555555555555",
    nics=(
        Nic(mac=MACS[0], mode="routed", link="100", ip="192.0.2.9"),
        Nic(mac=MACS[1], mode="bridged", link="br0"),
        Nic(mac=MACS[2], mode="routed", link="100"),
    ),
)
LIVE = f"""\
<domain type='qemu'><name>inst1.example.com</name><memory>1</memory><vcpu>1</vcpu>
<os><type>hvm</type></os><devices>
<interface type='ethernet'><mac address='{MACS[0]}'/><target dev='vnet7'/></interface>
<interface type='bridge'><mac address='{MACS[1]}'/><source bridge='br0'/><target dev='vnet8'/></interface>
<interface type='ethernet'><mac address='{MACS[2]}'/><script path='/own'/><target dev='vnet9'/></interface>
</devices></domain>"""


def script(folder: Path, body: str) -> str:
    path = folder / "ifup"
    path.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
    path.chmod(0o755)
    return str(path)


def test_only_a_tap_that_nobody_else_connects_is_the_scripts(tmp_path: Path) -> None:
    told = tmp_path / "told"
    path = script(tmp_path, f'echo "$1 $INTERFACE $MODE $LINK $IP $INTERFACE_INDEX" >>{told}')
    wanted = connections(INSTANCE, parse_domain(LIVE, []), path)
    assert [each.mac for each in wanted] == [MACS[0]]
    assert connect_taps(wanted, LIVE) == ()
    assert told.read_text(encoding="utf-8") == "vnet7 vnet7 routed 100 192.0.2.9 0\n"


def test_a_script_that_fails_is_told_of(tmp_path: Path) -> None:
    path = script(tmp_path, "echo no route >&2; exit 3")
    wanted = connections(INSTANCE, parse_domain(LIVE, []), path)
    assert connect_taps(wanted, LIVE) == (f"nic {MACS[0]}: vnet7 is not connected: {path}: exit 3: no route",)


def test_a_script_that_is_not_there_is_told_of() -> None:
    wanted = connections(INSTANCE, parse_domain(LIVE, []), "/nowhere/ifup")
    (line,) = connect_taps(wanted, LIVE)
    assert line.startswith(f"nic {MACS[0]}: vnet7 is not connected: [Errno 2]")


def test_a_tap_that_is_not_there_is_told_of() -> None:
    wanted = connections(INSTANCE, parse_domain(LIVE, []), "/nowhere/ifup")
    gone = LIVE.replace("<target dev='vnet7'/>", "")
    assert connect_taps(wanted, gone) == (f"nic {MACS[0]}: libvirt names no tap for it: it is not connected",)
