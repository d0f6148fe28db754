"""Documents of running domains break no rule, but where a fixture was made to show something else."""

from __future__ import annotations

from pathlib import Path

import pytest
from lxml import etree

from virtxlate.rules import faults

FIXTURES = Path(__file__).parents[2] / "fixtures"
LIVE = sorted((FIXTURES / "live").glob("*.xml"))
CUT = {
    "arm-mmio": {"disk-target-unique"},  # the card's name is that of a disk
    "host-devices": {"usb-port", "lun-bus"},  # without its hub; of a libvirt that took a lun on virtio
    "interfaces-and-sources": {"memory-shared"},  # every kind of source, in one domain
    # Words that are not there yet:
    "newer-libvirt": {
        *("pci-address-unique", "disk-target-options", "controller-model", "scsi-model", "scsi-iothread"),
    },
}
"""Fixtures that libvirt would refuse, and what for."""


@pytest.mark.parametrize("path", LIVE, ids=lambda path: path.stem)
def test_a_running_domain_breaks_no_rule(path: Path) -> None:
    found = {rule.id for rule, _fault in faults(etree.parse(path).getroot()) if rule.severity == "error"}
    assert found == CUT.get(path.stem, set())
