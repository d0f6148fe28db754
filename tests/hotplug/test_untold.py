"""What a person has to do inside the guest, where the hardware does not tell it: foreign controllers too."""

from __future__ import annotations

import pytest

from tests.hotplug.domains import DISK_IDS, DISKS, domain_of, ganeti, hotplug
from tests.hotplug.fake_domain import GIB
from tests.hotplug.test_places import on_controller, scsi_controller
from virtxlate.tables import hotplug as tables
from virtxlate.tables.qemu import SCSI_MODELS


@pytest.mark.parametrize("model", [row.libvirt for row in SCSI_MODELS])
def test_a_disk_of_somebody_elses_controller_leaves_with_a_word_for_the_guest(model: str) -> None:
    found = domain_of(ganeti(1, 0))
    found.somebody_else_attaches(scsi_controller(0, model, 0x10))
    found.somebody_else_attaches(on_controller(0, 0, "sdx"))
    (alias,) = (entry.info.alias for entry in hotplug(found).read().disks if entry.info.target == "sdx")
    notes = hotplug(found).remove("disk", "sdx").notes
    if model in tables.TELLING_SCSI:
        assert notes == ()
    else:
        assert notes == (
            (
                f"{alias}: a controller of model {model} does not tell the guest; a Linux guest forgets it "
                "by echo 1 > /sys/block/NAME/device/delete, best before it leaves"
            ),
        )


def test_every_variant_of_one_controller_tells() -> None:
    telling = {row.driver for row in SCSI_MODELS if row.libvirt in tables.TELLING_SCSI}
    assert {row.libvirt for row in SCSI_MODELS if row.driver in telling} == tables.TELLING_SCSI


def test_pci_tells() -> None:
    found = domain_of(ganeti(1, 1))
    operations = hotplug(found)
    assert operations.add_disk(DISKS[1]).notes == ()
    assert operations.resize(DISK_IDS[1], 2 * GIB).notes == ()
    assert operations.remove("disk", DISK_IDS[1]).notes == ()
    assert operations.remove("nic", "0").notes == ()
