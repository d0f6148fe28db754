"""Guest, definition and Ganeti's data disagree: what was asked for is so in all, or refused."""

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
from tests.hotplug.fake_document import attribute
from tests.hotplug.fake_domain import FakeDomain
from virtxlate.domain import model as domain
from virtxlate.errors import UnsupportedError
from virtxlate.hotplug.steps import line

BOTH: dict[str, Any] = {"live": True, "config": True}
NIC, DISK, NEW_MAC = NIC_IDS[0], DISK_IDS[1], "aa:00:00:00:00:99"


def two_of_each() -> FakeDomain:
    return domain_of(ganeti(2, 2))


def seen(found: FakeDomain, alias: str, path: str) -> tuple[str | None, ...]:
    """Give an attribute of a device in the guest, and in the definition."""
    said = []
    for document in (found.live, found.config):
        assert document is not None
        element = document.by_alias(alias)
        said.append(None if element is None else attribute(element, path))
    return tuple(said)


# One document was changed before, and then both are to be

IN_PLACE: list[tuple[dict[str, Any], str, str]] = [
    ({"link": "br9"}, "source/@bridge", "br9"),
    ({"state": "down"}, "link/@state", "down"),
]


@pytest.mark.parametrize("first", ["live", "config"])
@pytest.mark.parametrize(("values", "path", "shown"), IN_PLACE)
def test_the_document_that_lags_behind_follows(
    values: dict[str, Any], path: str, shown: str, first: str
) -> None:
    found = two_of_each()
    hotplug(found, **{first: True}).modify_nic("0", **values)
    (before,) = found.calls[:1]
    assert before == f"update {NIC} {first}"
    done = hotplug(found, **BOTH).modify_nic("0", **values)
    assert len(done.steps) == 1
    assert seen(found, NIC, path) == (shown, shown)
    assert hotplug(found, **BOTH).modify_nic("0", **values).steps == ()


@pytest.mark.parametrize("first", ["live", "config"])
def test_a_medium_goes_where_it_is_not_yet(first: str) -> None:
    found = two_of_each()
    medium = domain.Disk(
        type="file", driver_type="raw", source=domain.DiskSource(file="/b.iso"), target="hdc"
    )
    hotplug(found, **{first: True}).change_medium("hdc", medium)
    (step,) = hotplug(found, **BOTH).change_medium("hdc", medium).steps
    assert line(step).endswith(": medium")
    for document in (found.live, found.config):
        assert document is not None
        assert document.devices.find("disk/source[@file='/b.iso']") is not None
    assert hotplug(found, **BOTH).change_medium("hdc", medium).steps == ()


LAGGING: list[tuple[str, dict[str, Any], str]] = [
    ("nic", {"mac": NEW_MAC}, "nics[1]: mac"),
    ("disk", {"mode": "ro"}, "disks[1]: readonly"),
    ("disk", {"logical_id": ("xenvg", "b")}, "disks[1]: source"),
]


@pytest.mark.parametrize(("kind", "values", "what"), LAGGING)
def test_a_guest_loses_no_device_for_a_fault_of_its_definition(
    kind: str, values: dict[str, Any], what: str
) -> None:
    found = two_of_each()

    def modify(**options: Any) -> Any:
        operations = hotplug(found, **options)
        return (operations.modify_nic if kind == "nic" else operations.modify_disk)("1", **values)

    modify(live=True)
    calls = list(found.calls)
    with pytest.raises(UnsupportedError) as caught:
        modify(**BOTH)
    assert str(caught.value) == (
        f"{what}: the running guest has it so already, its definition has not: change that alone "
        "(--config without --live)"
    )
    assert found.calls == calls
    modify(config=True)
    assert modify(**BOTH).steps == ()


@pytest.mark.parametrize(("kind", "values", "_what"), LAGGING)
def test_a_definition_that_was_changed_first_is_no_hindrance(
    kind: str, values: dict[str, Any], _what: str
) -> None:
    found = two_of_each()
    for options in ({"config": True}, BOTH):
        operations = hotplug(found, **options)
        (operations.modify_nic if kind == "nic" else operations.modify_disk)("1", **values)
    alias, path = {"nic": (NIC_IDS[1], "mac/@address"), "disk": (DISK, "source/@dev")}[kind]
    first, second = seen(found, alias, path)
    assert first == second is not None
    assert aliases(found) == aliases(found, live=False)


def test_a_change_that_is_ganetis_alone_asks_no_document() -> None:
    found = two_of_each()
    hotplug(found, live=True).modify_nic("0", mac=NEW_MAC)
    done = hotplug(found, **BOTH).modify_nic("0", name="lan")
    assert done.steps == ()
    assert seen(found, NIC, "mac/@address") == (NEW_MAC, NICS[0].mac)


@pytest.mark.parametrize("values", [{"link": "br9"}, {"state": "down"}])
def test_what_the_definition_does_not_have_is_not_changed_there(values: dict[str, Any]) -> None:
    found = domain_of(ganeti(1, 1))
    hotplug(found, live=True).add_nic(NICS[1])
    calls = list(found.calls)
    with pytest.raises(UnsupportedError) as caught:
        hotplug(found, **BOTH).modify_nic("1", **values)
    assert str(caught.value) == (
        "nics[1]: the definition does not have it: change the running guest alone (--live without --config)"
    )
    assert found.calls == calls
    assert len(hotplug(found, live=True).modify_nic("1", **values).steps) == 1


# Somebody else changed the guest, and the metadata does not know it


def changed(found: FakeDomain, alias: str, child: str, **attributes: str) -> None:
    """Change a device of the guest as virsh does: nobody tells the metadata."""
    assert found.live is not None
    element = found.live.by_alias(alias)
    assert element is not None
    part = element.find(child)
    assert part is not None
    for name, value in attributes.items():
        part.set(name, value)


def test_a_nic_comes_back_to_the_bridge_that_ganeti_thinks_it_is_on() -> None:
    found = two_of_each()
    changed(found, NIC, "source", bridge="other")
    done = hotplug(found).modify_nic("0", link="br0")
    assert [line(step) for step in done.steps] == [f"update nic {NIC}: bridge"]
    assert seen(found, NIC, "source/@bridge") == ("br0", "br0")


def test_a_nic_gets_back_the_mac_that_ganeti_thinks_it_has() -> None:
    found = two_of_each()
    changed(found, NIC, "mac", address=NEW_MAC)
    done = hotplug(found).modify_nic("0", mac=NICS[0].mac)
    assert len(done.steps) == 2
    assert seen(found, NIC, "mac/@address") == (NICS[0].mac, NICS[0].mac)


def test_what_was_not_asked_for_stays_as_somebody_made_it() -> None:
    found = two_of_each()
    changed(found, NIC, "source", bridge="other")
    hotplug(found).modify_nic("0", name="lan")
    assert seen(found, NIC, "source/@bridge") == ("other", "br0")


def test_a_disk_becomes_writable_again() -> None:
    found = two_of_each()
    assert found.live is not None
    found.live.by_alias(DISK).append(found.live.parsed("<readonly/>"))  # type: ignore[union-attr]
    assert len(hotplug(found).modify_disk("1", mode="rw").steps) == 2
    assert found.live.by_alias(DISK).find("readonly") is None  # type: ignore[union-attr]
    assert DISKS[1].mode == "rw"


# A whole plan of both


def test_what_only_the_definition_lacks_comes_where_the_guest_has_it() -> None:
    found, wanted = two_of_each(), ganeti(3, 3)
    live = hotplug(found, live=True)
    live.add_nic(NICS[2])
    live.add_disk(DISKS[2])
    operations = hotplug(found, **BOTH)
    planned = operations.plan(wanted)
    assert [line(step) for step in planned.steps] == [
        f"attach disk {DISK_IDS[2]} (vdc) at PCI bus 0 slot 0x11",
        f"attach nic {NIC_IDS[2]} ({NICS[2].mac}) at PCI bus 0 slot 0x10",
    ]
    calls = len(found.calls)
    done = operations.apply(wanted)
    assert done.steps == planned.steps
    assert done.notes == ("disks[2]: in the definition alone", "nics[2]: in the definition alone")
    assert {call.rpartition(" ")[2] for call in found.calls[calls:]} == {"config"}
    assert places(found) == places(found, live=False)
    assert kept(found).disks == kept(found, live=False).disks
    assert operations.plan(wanted).steps == ()


def test_what_only_the_definition_has_otherwise_or_too_much_goes() -> None:
    found = two_of_each()
    live = hotplug(found, live=True)
    live.remove("disk", "1")
    live.modify_nic("0", link="br9")
    live.modify_nic("1", mac=NEW_MAC)
    wanted = kept(found)
    operations = hotplug(found, **BOTH)
    calls = len(found.calls)
    assert [line(step) for step in operations.apply(wanted).steps] == [
        f"detach disk {DISK}",
        f"update nic {NIC}: bridge",
        f"detach nic {NIC_IDS[1]}",
        f"attach nic {NIC_IDS[1]} ({NEW_MAC}) at PCI bus 0 slot 0xf",
    ]
    assert {call.rpartition(" ")[2] for call in found.calls[calls:]} == {"config"}
    assert aliases(found) == aliases(found, live=False)
    assert seen(found, NIC, "source/@bridge") == ("br9", "br9")
    assert seen(found, NIC_IDS[1], "mac/@address") == (NEW_MAC, NEW_MAC)
    assert operations.plan(wanted).steps == ()


def test_a_device_that_leaves_both_is_planned_once() -> None:
    found = two_of_each()
    stranger = (
        "<interface type='bridge'><mac address='52:54:00:00:00:77'/><source bridge='br3'/>"
        "<model type='virtio'/></interface>"
    )
    found.attach(stranger, live=True, config=True)
    operations = hotplug(found, **BOTH)
    planned = operations.plan(ganeti(2, 2), prune=True)
    assert [line(step) for step in planned.steps] == ["detach nic net0"]
    operations.apply(ganeti(2, 2), prune=True)
    assert operations.plan(ganeti(2, 2), prune=True).steps == ()
