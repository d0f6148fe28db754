"""Rules take time with the size of a document, whatever stands in it."""

from __future__ import annotations

import time

import pytest
from lxml import etree

from tests.rules.cases import document
from tests.rules.cases_disks import disk
from tests.rules.cases_interfaces import nic
from tests.rules.cases_machine import graphics, video
from tests.rules.cases_pci import at, bus, rng
from tests.rules.cases_ports import channel, port
from virtxlate.rules import faults

MANY = 10_000
HOSTILE = {
    "one PCI address": rng(at(10)),
    "one disk": disk("sda", "sata", "<alias name='ua-a'/><boot order='1'/>"),
    "one interface": nic("<target dev='tap'/>"),
    "one video device": video("vga"),
    "one display": graphics(options="port='5999'"),
    "one channel": channel(inside=port()),
    "one bus": bus("pcie-root-port", 1, "<target chassis='1'/>", at(3, bus=2)),
}


@pytest.mark.parametrize("device", HOSTILE.values(), ids=HOSTILE)
def test_the_same_device_again_and_again_is_told_in_time(device: str) -> None:
    root = etree.fromstring(document(device * MANY, machine="q35"))
    start = time.process_time()
    assert sum(1 for _fault in faults(root)) >= MANY - 1
    assert time.process_time() - start < 60


def test_cells_of_all_processors_are_told_in_time() -> None:
    cell = f"<cell id='0' cpus='{','.join(['0-4095'] * 100)}' memory='1'/>"
    root = etree.fromstring(document("", f"<vcpu>4096</vcpu><cpu><numa>{cell * 1_000}</numa></cpu>"))
    start = time.process_time()
    assert sum(1 for _fault in faults(root)) > 0
    assert time.process_time() - start < 60
