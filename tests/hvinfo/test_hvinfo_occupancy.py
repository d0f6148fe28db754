"""What is in use and free on each bus, and what of it Ganeti would hand out."""

from __future__ import annotations

import pytest

from tests.hvinfo.cases import NAMES, xml
from virtxlate.domain.live import parse_live
from virtxlate.tables.qemu import BOARD_SLOTS, PCI_PORTS
from virtxlate.translate.occupancy import BusUse, occupancy


def uses(name: str) -> dict[str, BusUse]:
    return {use.bus: use for use in occupancy(parse_live(xml(name)))}


def of(devices: str, machine: str = "pc-i440fx-7.2") -> dict[str, BusUse]:
    text = f"<domain><os><type machine='{machine}'/></os><devices>{devices}</devices></domain>"
    return {use.bus: use for use in occupancy(parse_live(text))}


PC, Q35 = "<controller type='pci' model='pci-root'/>", "<controller type='pci' index='0' model='pcie-root'/>"


def test_slots_of_every_kind_of_device_are_in_use() -> None:
    found = uses("pc-every-bus")
    assert list(found) == ["pci.0", "scsi0.0", "ua-scsi.0"]
    assert found["pci.0"] == BusUse(
        bus="pci.0",
        model="pci-root",
        used=tuple(range(11)),
        free=tuple(range(11, 32)),
        ganeti=tuple(range(12, 32)),
    )
    assert found["scsi0.0"] == BusUse(
        bus="scsi0.0",
        model="lsilogic",
        used=(5,),
        free=(0, 1, 2, 3, 4, 6),
        ganeti=(0, 1, 2, 3, 4, 6),
        is_scsi=True,
    )
    assert (found["ua-scsi.0"].used, found["ua-scsi.0"].ganeti) == ((3, 4), ())


def test_bridges_hold_their_own_slot_and_functions_share_one() -> None:
    found = uses("pc-bridges-and-functions")
    assert {bus: use.used for bus, use in found.items()} == {
        "pci.0": (0, 1, 2, 3, 4, 5, 8),
        "pci.1": (0, 31),
        "ua-far": (0, 3),
    }


def test_a_port_has_one_slot_and_q35_nothing_for_ganeti() -> None:
    found = uses("q35-root-ports")
    assert {use.ganeti for use in found.values()} == {()}
    ports = [use for use in found.values() if use.model in PCI_PORTS]
    assert [(use.used, use.free) for use in ports] == [((0,), ())] * len(ports)
    assert of(f"{Q35}<controller type='pci' index='1' model='pcie-root-port'/>", "q35")["pci.1"].free == (0,)


@pytest.mark.parametrize(
    ("machine", "root", "bus", "held"),
    [
        ("pc", PC, "pci.0", BOARD_SLOTS["pc"]),
        ("pc-i440fx-9.0", PC, "pci.0", BOARD_SLOTS["pc"]),
        ("q35", Q35, "pcie.0", BOARD_SLOTS["q35"]),
        ("pc-q35-8.2", Q35, "pcie.0", BOARD_SLOTS["q35"]),
        ("virt-7.2", Q35, "pcie.0", {0}),
        ("s390-ccw-virtio-7.2", PC, "pci.0", {0}),
    ],
)
def test_the_board_holds_what_no_document_tells(machine: str, root: str, bus: str, held: set[int]) -> None:
    assert set(of(root, machine)[bus].used) == held


def test_a_scsi_host_device_holds_a_target() -> None:
    found = uses("host-devices")
    assert found["scsi0.0"].used == (1, 2)
    assert found["scsi1.0"].used == (6,)


def test_each_model_says_which_number_is_the_id_and_how_many_there_are() -> None:
    found = [use for use in uses("pc-scsi-models").values() if use.is_scsi]
    assert {use.used for use in found} == {(2, 6)}
    assert {use.free for use in found if use.model == "am53c974"} == {(0, 1, 3, 4, 5)}
    assert {use.model: use.free[-1] for use in found} == {
        "lsilogic": 5,
        "lsisas1068": 8,
        "lsisas1078": 15,
        "virtio-scsi": 15,
        "vmpvscsi": 15,
        "am53c974": 5,
        "virtio-transitional": 15,
        "virtio-non-transitional": 15,
    }


def test_a_controller_that_is_no_ganeti_model_has_nothing_for_ganeti() -> None:
    assert of("<controller type='scsi' index='0' model='vmpvscsi'/>")["scsi0.0"].ganeti == ()
    assert of("<controller type='scsi' index='0' model='lsisas1078'/>")["scsi0.0"].ganeti == tuple(range(16))


def test_what_is_not_known_is_left_out() -> None:
    assert list(uses("newer-libvirt")) == ["pcie.0", "pci.1", "scsi1.0"]
    assert list(uses("unplaced")) == []


def test_numbers_that_are_none_are_passed_over() -> None:
    found = of(
        f"{PC}<controller type='scsi' index='0' model='virtio-scsi'/>"
        "<disk><target bus='scsi'/><address type='drive' target='many'/></disk>"
        "<disk><target bus='scsi'/><address type='drive' controller='8' target='1'/></disk>"
        "<video><address type='pci' slot='0x09' bus='-1'/></video>"
        "<sound><address type='pci' slot='0x0a'/></sound>"
    )
    assert (found["pci.0"].used, found["scsi0.0"].used) == ((0, 1, 10), ())


@pytest.mark.parametrize("name", NAMES)
def test_used_and_free_never_meet(name: str) -> None:
    for use in uses(name).values():
        assert not set(use.used) & set(use.free)
        assert set(use.ganeti) <= set(use.free)
        assert sorted(use.used) == list(use.used)
