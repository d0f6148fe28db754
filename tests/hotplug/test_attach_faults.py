"""An attachment that goes wrong: nothing half done stays, or it is named."""

from __future__ import annotations

from typing import Any

import pytest

from tests.hotplug.domains import (
    DISK_IDS,
    DISKS,
    NIC_IDS,
    NICS,
    aliases,
    domain_of,
    ganeti,
    hotplug,
    kept,
    places,
)
from tests.hotplug.fake_document import INTERNAL, SYSTEM, refusal
from tests.hotplug.fake_domain import NEVER, FakeDomain, Fault
from tests.hotplug.happenings import (
    Happening,
    all_of,
    at_call,
    failing,
    having,
    losing,
    somebody_attaches,
)
from virtxlate.errors import (
    ConnectionFailedError,
    DomainNotFoundError,
    DomainStoppedError,
    LiveError,
    VerificationError,
    VirtxlateError,
)
from virtxlate.hotplug.steps import line

NEW = DISK_IDS[1]
BOTH = {"live": True, "config": True}
SCSI = {"disk_type": "scsi-hd", "scsi_controller_type": "virtio-scsi-pci"}


def theirs(slot: int, target: str = "vdx", alias: str = "") -> str:
    return (
        f"<disk type='file' device='disk'><source file='/{target}.img'/><target dev='{target}' bus='virtio'/>"
        f"{alias}<address type='pci' domain='0x0000' bus='0x00' slot='{slot:#04x}' function='0x0'/></disk>"
    )


def scsi_disk(target: int, name: str) -> str:
    return (
        f"<disk type='file' device='disk'><source file='/{name}.img'/><target dev='{name}' bus='scsi'/>"
        f"<address type='drive' controller='0' bus='0' target='{target}' unit='0'/></disk>"
    )


CONTROLLER = (
    "<controller type='scsi' index='0' model='virtio-scsi'>"
    "<address type='pci' domain='0x0000' bus='0x00' slot='0x06' function='0x0'/></controller>"
)


# A place that somebody else took between plan and call

LOST: dict[str, tuple[dict[str, Any], dict[str, Any], Happening, list[str]]] = {
    "the slot": ({}, {}, somebody_attaches(theirs(0xE)), ["PCI bus 0 slot 0xf"]),
    "the target's name": ({}, {}, somebody_attaches(theirs(0x11, "vdb")), ["PCI bus 0 slot 0xe"]),
    "the slot in the definition": (
        {},
        BOTH,
        somebody_attaches(theirs(0xE), config=True),
        ["PCI bus 0 slot 0xf"],
    ),
    "the SCSI target": (
        SCSI,
        {},
        somebody_attaches(scsi_disk(1, "sdq")),
        ["controller 0 bus 0 target 2 unit 0"],
    ),
}


@pytest.mark.parametrize(("hvparams", "options", "happening", "at"), LOST.values(), ids=LOST)
def test_another_place_is_found_from_a_fresh_reading(
    hvparams: dict[str, Any], options: dict[str, Any], happening: Happening, at: list[str]
) -> None:
    found = domain_of(ganeti(1, 1, **hvparams))
    found.let("attach", Fault(before=happening))
    done = hotplug(found, **options).add_disk(DISKS[1])
    assert [line(step).partition(" at ")[2] for step in done.steps] == at
    flags = "live+config" if options else "live"
    assert [call for call in found.calls if "metadata" not in call] == [f"attach {NEW} {flags}"] * 2
    assert NEW in aliases(found)
    assert kept(found).disks[1].hvinfo == done.hvinfo


def test_somebody_elses_new_controller_is_used() -> None:
    found = domain_of(ganeti(0, 1, **SCSI))
    assert found.live is not None
    found.live.take_out(found.live.devices.find("controller[@type='scsi']"))  # type: ignore[arg-type]
    found.let("attach", Fault(before=somebody_attaches(CONTROLLER)))
    done = hotplug(found).add_disk(DISKS[0])
    assert [line(step) for step in done.steps] == [
        f"attach disk {DISK_IDS[0]} (sda) at controller 0 bus 0 target 0 unit 0"
    ]
    assert found.calls == ["attach scsi-controller-0 live", f"attach {DISK_IDS[0]} live", "metadata live"]


@pytest.mark.parametrize("attempts", [1, 3])
def test_a_place_is_looked_for_as_often_as_was_said(attempts: int) -> None:
    found = domain_of(ganeti(1, 1))
    for number in range(attempts):
        slot, target = 0xE + number, f"sd{'rstuv'[number]}"
        found.let("attach", Fault(before=somebody_attaches(theirs(slot, target))))
    with pytest.raises(LiveError) as caught:
        hotplug(found, attempts=attempts).add_disk(DISKS[1])
    assert str(caught.value) == (
        f"attach: somebody else took the place {attempts} times: XML error: "
        f"Attempted double use of PCI Address 0000:00:{0xD + attempts:02x}.0 (libvirt error 27)"
    )
    assert (caught.value.exit_code, NEW in aliases(found), len(kept(found).disks)) == (5, False, 1)


# What else may happen: the class, exit code and message of the error. Nothing of the disk stays.

NO_IMAGE = refusal(SYSTEM, "attachDeviceFlags", "Cannot access storage file '/dev/xenvg/a.disk1'")
NO_SPACE = refusal(SYSTEM, "attachDeviceFlags", "cannot save the definition: No space left on device")
ELSEWHERE = (
    "disks[1]: libvirt attached it, but not as asked: live XML: device.address.slot: expected 14, found 18; "
)
PENDING = "it is still in the live XML: the guest has not released it yet"


def moved(domain: FakeDomain) -> None:
    """Let libvirt have attached it elsewhere."""
    assert domain.live is not None
    element = domain.live.by_alias(NEW)
    assert element is not None
    address = element.find("address")
    assert address is not None
    address.set("slot", "0x12")


CLEAN: dict[str, tuple[dict[str, Any], Fault, type[VirtxlateError], int, str]] = {
    "libvirt refuses": (
        {},
        Fault(before=failing(NO_IMAGE)),
        LiveError,
        5,
        "attachDeviceFlags: Cannot access storage file '/dev/xenvg/a.disk1' (libvirt error 38)",
    ),
    "the definition cannot be saved": (
        BOTH,
        Fault(between=failing(NO_SPACE)),
        LiveError,
        5,
        "attachDeviceFlags: cannot save the definition: No space left on device (libvirt error 38)",
    ),
    "libvirt says yes and does nothing": (
        {},
        Fault(skips=True),
        VerificationError,
        6,
        "disks[1]: libvirt attached it, but not as asked: live XML: it is not there",
    ),
    "libvirt says yes and does nothing to either": (
        BOTH,
        Fault(skips=True),
        VerificationError,
        6,
        (
            "disks[1]: libvirt attached it, but not as asked: live XML: it is not there; "
            "definition: it is not there"
        ),
    ),
    "libvirt puts it elsewhere": (
        {},
        Fault(after=moved),
        VerificationError,
        6,
        f"{ELSEWHERE}it was taken back",
    ),
    "libvirt puts it elsewhere, in the guest only": (
        BOTH,
        Fault(after=moved),
        VerificationError,
        6,
        f"{ELSEWHERE}it was taken back",
    ),
    "the connection breaks before libvirt hears it": (
        {},
        Fault(before=losing(0, "attachDeviceFlags")),
        ConnectionFailedError,
        5,
        "attachDeviceFlags: End of file while reading data (libvirt error 38)",
    ),
    "the connection breaks before the definition is saved": (
        BOTH,
        Fault(between=losing(0, "attachDeviceFlags")),
        VerificationError,
        6,
        (
            "disks[1]: the connection broke while it was attached, and it was in the live XML only: "
            "it was taken back"
        ),
    ),
    "the domain stops first": (
        {},
        Fault(before=FakeDomain.stop),
        DomainStoppedError,
        5,
        "attach: domain 'web1.example.com' stopped in the middle",
    ),
    "the domain stops then": (
        {},
        Fault(after=FakeDomain.stop),
        DomainStoppedError,
        5,
        "attach: domain 'web1.example.com' stopped in the middle",
    ),
    "the domain is started again": (
        {},
        Fault(after=FakeDomain.restart),
        DomainStoppedError,
        5,
        "attach: domain 'web1.example.com' stopped in the middle",
    ),
    "the domain disappears": (
        {},
        Fault(before=FakeDomain.disappear),
        DomainNotFoundError,
        5,
        (
            "XMLDesc: Domain not found: no domain with matching uuid 'fb68b7cc-d64e-4b8e-b1a3-1a3e5a4e2b1c' "
            "(libvirt error 42)"
        ),
    ),
}


@pytest.mark.parametrize(("options", "fault", "kind", "code", "message"), CLEAN.values(), ids=CLEAN)
def test_nothing_half_done_stays(
    options: dict[str, Any], fault: Fault, kind: type[VirtxlateError], code: int, message: str
) -> None:
    found = domain_of(ganeti(1, 1))
    before = kept(found)
    found.let("attach", fault)
    with pytest.raises(VirtxlateError) as caught:
        hotplug(found, **options).add_disk(DISKS[1])
    error = caught.value
    assert (type(error), error.exit_code, str(error)) == (kind, code, message)
    for document in (found.live, found.config):
        if document is not None:
            assert document.by_alias(NEW) is None
    if found.live is not None:
        assert kept(found) == before
    assert not [call for call in found.calls if "metadata" in call]


# What cannot be taken back is named

NAMED: dict[str, tuple[Happening, dict[str, Any], Fault, str]] = {
    "put elsewhere, and the guest keeps it": (
        having(answer=NEVER),
        {},
        Fault(after=moved),
        f"{ELSEWHERE}{PENDING}",
    ),
    "put elsewhere, and libvirt does not take it back": (
        at_call("detach", Fault(before=failing(refusal(INTERNAL, "detachDeviceFlags", "no")))),
        {},
        Fault(after=moved),
        f"{ELSEWHERE}it is still in the live XML: detachDeviceFlags: no (libvirt error 1)",
    ),
    "not saved, and the guest keeps it": (
        having(answer=NEVER),
        BOTH,
        Fault(between=failing(NO_SPACE)),
        (
            "attachDeviceFlags: cannot save the definition: No space left on device (libvirt error 38): "
            f"{PENDING}"
        ),
    ),
    "the connection broke in the middle, and the guest keeps it": (
        having(answer=NEVER),
        BOTH,
        Fault(between=losing(0)),
        f"disks[1]: the connection broke while it was attached, and it was in the live XML only: {PENDING}",
    ),
}


@pytest.mark.parametrize(("happening", "options", "fault", "message"), NAMED.values(), ids=NAMED)
def test_what_is_half_done_is_named(
    happening: Happening, options: dict[str, Any], fault: Fault, message: str
) -> None:
    found = domain_of(ganeti(1, 1))
    happening(found)
    found.let("attach", fault)
    with pytest.raises(VerificationError) as caught:
        hotplug(found, **options).add_disk(DISKS[1])
    assert (str(caught.value), caught.value.exit_code) == (message, 6)
    assert (NEW in aliases(found), NEW in aliases(found, live=False)) == (True, False)


@pytest.mark.parametrize("options", [{}, BOTH])
def test_a_call_whose_answer_was_lost_is_believed_when_the_xml_shows_it(options: dict[str, Any]) -> None:
    found = domain_of(ganeti(1, 1))
    found.let("attach", Fault(after=losing(0)))
    done = hotplug(found, **options).add_disk(DISKS[1])
    assert done.hvinfo is not None
    assert done.hvinfo.addr == "0xe"
    assert kept(found).disks[1].hvinfo == done.hvinfo


def test_a_libvirt_that_does_not_come_back_leaves_it_open_and_says_so() -> None:
    found = domain_of(ganeti(1, 1))
    found.let("attach", Fault(after=losing()))
    with pytest.raises(ConnectionFailedError) as caught:
        hotplug(found).add_disk(DISKS[1])
    assert str(caught.value) == (
        "attach: disks[1]: the connection was lost while it was attached, and it is not known whether it is: "
        "Failed to connect socket (libvirt error 38)"
    )


def test_somebody_elses_device_of_that_name_is_neither_believed_nor_taken_back() -> None:
    found = domain_of(ganeti(1, 1))
    alias = "<alias name='ua-disk-somebody'/>"
    found.let("attach", Fault(before=all_of(somebody_attaches(theirs(0xE, "vdb", alias)), losing(0))))
    with pytest.raises(ConnectionFailedError):
        hotplug(found).add_disk(DISKS[1])
    assert found.calls == [f"attach {NEW} live"]
    assert "ua-disk-somebody" in aliases(found)


# A controller that was added for nothing


def without_controller() -> FakeDomain:
    found = domain_of(ganeti(0, 1, **SCSI))
    assert found.live is not None
    found.live.take_out(found.live.devices.find("controller[@type='scsi']"))  # type: ignore[arg-type]
    return found


def has_controller(found: FakeDomain) -> bool:
    assert found.live is not None
    return found.live.devices.find("controller[@type='scsi']") is not None


def test_a_controller_whose_disk_did_not_come_is_taken_away() -> None:
    found = without_controller()
    found.let("attach", Fault())
    found.let("attach", Fault(before=failing(NO_IMAGE)))
    with pytest.raises(LiveError) as caught:
        hotplug(found).add_disk(DISKS[0])
    assert str(caught.value) == str(NO_IMAGE)
    assert found.calls == [
        "attach scsi-controller-0 live",
        f"attach {DISK_IDS[0]} live",
        "detach scsi-controller-0 live",
    ]
    assert not has_controller(found)


def test_a_controller_that_the_guest_keeps_is_named() -> None:
    found = without_controller()
    found.answer = NEVER
    found.let("attach", Fault())
    found.let("attach", Fault(before=failing(NO_IMAGE)))
    with pytest.raises(VerificationError) as caught:
        hotplug(found).add_disk(DISKS[0])
    assert str(caught.value) == (
        f"{NO_IMAGE}: SCSI controller 0, added for it, is still in the live XML: "
        "the guest has not released it yet"
    )
    assert has_controller(found)
    done = hotplug(found).add_disk(DISKS[0])
    assert [line(step) for step in done.steps] == [
        f"attach disk {DISK_IDS[0]} (sda) at controller 0 bus 0 target 0 unit 0"
    ]


def test_a_controller_that_libvirt_keeps_is_named() -> None:
    found = without_controller()
    found.let("attach", Fault())
    found.let("attach", Fault(before=failing(NO_IMAGE)))
    found.let("detach", Fault(before=failing(refusal(9, "detachDeviceFlags", "device is busy"))))
    with pytest.raises(VerificationError) as caught:
        hotplug(found).add_disk(DISKS[0])
    assert str(caught.value) == (
        f"{NO_IMAGE}: SCSI controller 0, added for it, is still there: "
        "detachDeviceFlags: device is busy (libvirt error 9)"
    )


def test_a_controller_stays_while_its_disk_looks_for_another_place() -> None:
    found = without_controller()
    found.let("attach", Fault())
    found.let("attach", Fault(before=somebody_attaches(scsi_disk(0, "sdq"))))
    done = hotplug(found).add_disk(DISKS[0])
    assert found.calls == [
        "attach scsi-controller-0 live",
        f"attach {DISK_IDS[0]} live",
        f"attach {DISK_IDS[0]} live",
        "metadata live",
    ]
    assert [line(step).partition(" at ")[2] for step in done.steps] == ["controller 0 bus 0 target 1 unit 0"]


@pytest.mark.parametrize(
    "fault", [Fault(after=losing(0)), Fault(before=all_of(somebody_attaches(CONTROLLER), losing(0)))]
)
def test_a_controller_whose_answer_was_lost_is_used(fault: Fault) -> None:
    found = without_controller()
    found.let("attach", fault)
    hotplug(found).add_disk(DISKS[0])
    assert found.calls == ["attach scsi-controller-0 live", f"attach {DISK_IDS[0]} live", "metadata live"]
    assert DISK_IDS[0] in places(found)


def test_a_disk_without_its_controller_never_gets_one_of_libvirts_choice() -> None:
    found = without_controller()
    found.let("attach", Fault(skips=True))
    with pytest.raises(VerificationError) as caught:
        hotplug(found).add_disk(DISKS[0])
    assert str(caught.value) == "disks[0]: libvirt attached it, but not as asked: live XML: it is not there"
    assert found.calls == ["attach scsi-controller-0 live"]


# NICs by their alias, too


def test_a_nic_that_is_put_elsewhere_is_taken_back() -> None:
    found = domain_of(ganeti(1, 1))

    def renamed(domain: FakeDomain) -> None:
        assert domain.live is not None
        domain.live.by_alias(NIC_IDS[1]).find("model").set("type", "rtl8139")  # type: ignore[union-attr]

    found.let("attach", Fault(after=renamed))
    with pytest.raises(VerificationError) as caught:
        hotplug(found).add_nic(NICS[1])
    assert str(caught.value) == (
        "nics[1]: libvirt attached it, but not as asked: "
        "live XML: device.model: expected 'virtio', found 'rtl8139'; it was taken back"
    )
    assert NIC_IDS[1] not in aliases(found)
