"""The new tap is where the old one is, and can do what it can; what nobody tells is not safe."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from tests.handover.fake_host import NIC, checked, text_of, told
from virtxlate.handover.differences import FEATURES, Meaning
from virtxlate.hardware.facts import Tap
from virtxlate.translate.running.facts import Running

TAP = Tap(name="tap0", vnet_hdr=True, bridge="br0")
SWITCH = '<source bridge="br0"/><virtualport type="openvswitch"/>'
BRIDGE = '<source bridge="br0"/>'
AT = "nic aa:00:00:00:00:00"


def with_tap(found: Running, tap: Tap | None) -> Running:
    made: Running = msgspec.structs.replace(found, taps={} if tap is None else {NIC: tap})
    return made


@pytest.mark.parametrize(
    ("source", "bridge", "meaning", "reason"),
    [
        (BRIDGE, "br0", None, ""),
        (BRIDGE, "br1", Meaning.FATAL, "the running guest is on br1: its connections would be cut"),
        (BRIDGE, "ovs-system", Meaning.FATAL, "the running guest is on ovs-system"),
        (BRIDGE, None, Meaning.FATAL, "nobody told"),
        (BRIDGE, "", Meaning.HARMLESS, "the running guest's tap is in no bridge"),
        (SWITCH, "ovs-system", None, ""),
        (SWITCH, "br0", Meaning.FATAL, "the running guest is on br0"),
    ],
)
def test_the_new_tap_is_where_the_old_one_is(
    source: str, bridge: str | None, meaning: Meaning | None, reason: str, found: Running, root: Path
) -> None:
    text = text_of(found).replace(BRIDGE, source)
    report = checked(with_tap(found, msgspec.structs.replace(TAP, bridge=bridge)), root, text=text)
    told_of = [each for each in report.findings if each.about == AT]
    assert [each.meaning for each in told_of] == ([] if meaning is None else [meaning])
    assert all(reason in each.reason for each in told_of)


def without_features(found: Running) -> Running:
    """The same QEMU before 7.2, which tells no features."""
    devices = tuple(
        msgspec.structs.replace(
            each, properties={name: value for name, value in each.properties.items() if name != FEATURES}
        )
        for each in found.facts.machine.devices
    )
    machine = msgspec.structs.replace(found.facts.machine, devices=devices)
    return msgspec.structs.replace(found, facts=msgspec.structs.replace(found.facts, machine=machine))


def test_a_tap_of_which_nobody_tells_the_header_needs_the_features(found: Running, root: Path) -> None:
    """QEMU loads the state of a NIC without the header into one with it, and says nothing."""
    text = text_of(found)
    unknown = with_tap(found, msgspec.structs.replace(TAP, vnet_hdr=None))
    assert (AT, "tap") in told(checked(unknown, root, text=text), Meaning.HARMLESS)
    assert (AT, "tap") not in told(checked(unknown, root, text=text))
    assert (AT, "tap") in told(checked(without_features(unknown), root, text=text))
    assert told(checked(without_features(found), root, text=text)) == []


@pytest.mark.parametrize("by_map", [True, False])
def test_a_script_that_cannot_be_run_connects_nothing(by_map: bool, found: Running, root: Path) -> None:
    script = root / "ifup"
    text = text_of(found).replace('<interface type="bridge">', '<interface type="ethernet">')
    put = f'<script path="{script}"/>' if by_map else ""
    text = text.replace(BRIDGE, put)
    ifup = None if by_map else str(script)
    assert told(checked(found, root, text=text, ifup=ifup)) == [(AT, str(script))]
    script.write_text("#!/bin/sh\n")
    assert told(checked(found, root, text=text, ifup=ifup)) == [(AT, str(script))]
    script.chmod(0o755)
    assert told(checked(found, root, text=text, ifup=ifup)) == []
