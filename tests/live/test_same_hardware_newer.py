"""The machine that libvirt's QEMU shows a guest is the one that Ganeti 3.2 asks for, on a pc and on a q35.

No package has that Ganeti: its command is our reading of its code (see `lab.newer_ganeti`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from lab.hardware_cases import CDROM1, CDROM2
from lab.newer_cases import newer_cases
from lab.newer_ganeti import VERSION
from lab.twins import instance_of
from tests.live.compared import Compared, compare_twins, unlisted
from virtxlate import Report
from virtxlate.hardware.compare import compare
from virtxlate.hardware.describe import describe
from virtxlate.tables.hardware import KNOWN_DIFFERENCES
from virtxlate.tables.nic import OFFLOADS_WITHOUT_HEADER
from virtxlate.translate.abi import known

if TYPE_CHECKING:
    from lab.twins import Twins

pytestmark = [pytest.mark.live, pytest.mark.timeout(300)]

FEWEST = 25
Q35 = {"machine_version": "pc-q35-7.2"}


@pytest.fixture(scope="module")
def compared(twins: Twins) -> list[Compared]:
    """Every case, each with both of its machines."""
    return [compare_twins(twins, case, twins.newer_command(case.instance)) for case in newer_cases()]


def test_every_difference_is_a_known_one(compared: list[Compared]) -> None:
    assert len(compared) >= FEWEST
    found = [line for each in compared for line in each.unlisted()]
    if found:
        pytest.fail("\n".join(found), pytrace=False)


def test_what_is_foreseen_is_what_is_seen(compared: list[Compared]) -> None:
    foreseen = {each.name: {row.name for row in known(each.instance)} for each in compared}
    assert {each.name: each.rows() for each in compared} == foreseen


def test_the_list_is_no_longer_than_needed_for_this_ganeti(compared: list[Compared]) -> None:
    shown = set[str]().union(*(each.rows() for each in compared))
    assert {row.name for row in KNOWN_DIFFERENCES if row.until >= VERSION} - shown == set()


def offered(twins: Twins, *, vnet_hdr: bool) -> set[str]:
    """Give the features that a NIC of Ganeti offers its guest."""
    instance = instance_of({"vnet_hdr": vnet_hdr, "vhost_net": False}, version=VERSION)
    machine = twins.of_ganeti(instance, twins.newer_command(instance), describe)
    (nic,) = (each for each in machine.devices if each.driver == "virtio-net-pci")
    return set(nic.properties["virtio features"].split())


def test_a_tap_without_header_takes_away_what_the_table_has(twins: Twins) -> None:
    """So the comparison above sees what a NIC offers, and the table is the whole list."""
    missing = offered(twins, vnet_hdr=True) - offered(twins, vnet_hdr=False)
    named = {f"VIRTIO_NET_F_{name.upper()}" for name in OFFLOADS_WITHOUT_HEADER} - {"VIRTIO_NET_F_HOST_CSUM"}
    assert missing == {*named, "VIRTIO_NET_F_CSUM"}


STATES: dict[str, tuple[dict[str, Any], dict[str, int]]] = {
    "q35": (Q35, {"disks": 2, "nics": 2}),
    "q35 with everything": (
        Q35
        | {"disk_type": "scsi-hd", "spice_bind": "127.0.0.1", "soundhw": "hda", "use_guest_agent": True}
        | {"usb_mouse": "tablet", "usb_devices": "keyboard,mouse", "cdrom_image_path": CDROM1},
        {"disks": 2, "vcpus": 2},
    ),
    "pc with SCSI disks": ({"disk_type": "scsi-hd", "soundhw": "ac97"}, {"disks": 2}),
    "pc that boots from CD-ROM": (
        {
            "cdrom_image_path": CDROM1,
            "cdrom2_image_path": CDROM2,
            "cdrom_disk_type": "ide",
            "boot_order": "cdrom",
        },
        {},
    ),
}


@pytest.mark.parametrize("name", STATES)
def test_state_of_ganetis_qemu_loads_in_that_of_libvirt(name: str, twins: Twins) -> None:
    hvparams, counts = STATES[name]
    instance = instance_of({**hvparams, "vhost_net": False}, version=VERSION, **counts)
    command = twins.newer_command(instance)
    before = twins.of_ganeti(instance, command, describe)
    state = twins.state_of_ganeti(instance, command)
    after = twins.of_libvirt(twins.xml(instance, Report()), describe, state)
    assert unlisted(instance, compare(before, after)) == []
