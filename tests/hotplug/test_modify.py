"""Devices change: in place where libvirt can, else out and in again, into the same place."""

from __future__ import annotations

from typing import Any

import msgspec
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
from tests.hotplug.fake_document import INTERNAL, attribute, refusal
from tests.hotplug.fake_domain import GIB, NEVER, REFUSES, FakeDomain, Fault
from tests.hotplug.happenings import failing, losing, somebody_attaches
from tests.hotplug.test_attach_faults import theirs
from tests.translate.building import disk, nic
from virtxlate.domain import model as domain
from virtxlate.errors import (
    ConnectionFailedError,
    DeviceNotFoundError,
    GanetiDataError,
    LiveError,
    OperationRefusedError,
    RemovalPendingError,
    RemovalRefusedError,
    UnsupportedError,
    VerificationError,
    VirtxlateError,
)
from virtxlate.hotplug.steps import Attach, Detach, Resize, Update, line

NIC, DISK = NIC_IDS[0], DISK_IDS[1]
BOTH = {"live": True, "config": True}


def two_disks(**fields: Any) -> FakeDomain:
    return domain_of(ganeti(2, 2), **fields)


def at(found: FakeDomain, alias: str, path: str, *, live: bool = True) -> str | None:
    """Give an attribute of the device with an alias."""
    document = found.live if live else found.config
    assert document is not None
    element = document.by_alias(alias)
    assert element is not None
    return attribute(element, path)


# In place: the values, the step, where the XML shows it and what it shows

IN_PLACE: list[tuple[dict[str, Any], str, str, str | None]] = [
    ({"link": "br9"}, f"update nic {NIC}: bridge", "source/@bridge", "br9"),
    ({"state": "down"}, f"update nic {NIC}: link down", "link/@state", "down"),
]


@pytest.mark.parametrize(("values", "text", "path", "shown"), IN_PLACE)
def test_what_libvirt_changes_in_place_is_one_call_for_guest_and_definition_each(
    values: dict[str, Any], text: str, path: str, shown: str | None
) -> None:
    found = two_disks()
    done = hotplug(found, **BOTH).modify_nic("0", **values)
    (step,) = done.steps
    assert isinstance(step, Update)
    assert (line(step), step.expect) == (text, {path: shown})
    assert found.calls[:2] == [f"update {NIC} live", f"update {NIC} config"]
    assert (at(found, NIC, path), at(found, NIC, path, live=False)) == (shown, shown)
    assert places(found)[NIC] == "0:0x0e"
    assert done.hvinfo is not None
    assert done.hvinfo.addr == "0xe"


def test_a_change_in_place_leaves_all_else_as_libvirt_has_it() -> None:
    found = two_disks()
    assert found.live is not None
    before = found.live.by_alias(NIC)
    assert before is not None
    wanted = found.live.text_of(before).replace('bridge="br0"', 'bridge="br9"')
    hotplug(found).modify_nic("0", link="br9")
    after = found.live.by_alias(NIC)
    assert after is not None
    assert sorted(found.live.text_of(each) for each in after) == sorted(
        found.live.text_of(each) for each in found.live.parsed(wanted)
    )
    assert [attribute(found.live.parsed(each), "alias/@name") for each in found.sent] == [NIC]


def test_a_cable_is_plugged_out_and_in() -> None:
    found = two_disks()
    operations = hotplug(found)
    before = kept(found)
    operations.modify_nic("nic-00000000-5555-4222", state="down")
    assert at(found, NIC, "link/@state") == "down"
    assert operations.modify_nic(NIC, state="down").steps == ()
    operations.modify_nic(NICS[0].mac, state="up")
    assert at(found, NIC, "link/@state") == "up"
    assert operations.modify_nic("0", state="up").steps == ()
    assert found.calls == [f"update {NIC} live"] * 2
    assert kept(found) == before


def test_bridge_and_cable_change_together() -> None:
    found = two_disks()
    done = hotplug(found).modify_nic("0", link="br9", state="down")
    assert [line(step) for step in done.steps] == [f"update nic {NIC}: bridge, link down"]
    assert (at(found, NIC, "source/@bridge"), at(found, NIC, "link/@state")) == ("br9", "down")


def test_a_cable_of_a_nic_that_leaves_and_comes_back_changes_too() -> None:
    found = two_disks()
    done = hotplug(found, **BOTH).modify_nic("0", mac="aa:00:00:00:00:99", state="down")
    assert [type(step) for step in done.steps] == [Detach, Attach]
    for live in (True, False):
        assert at(found, NIC, "link/@state", live=live) == "down"
        assert at(found, NIC, "mac/@address", live=live) == "aa:00:00:00:00:99"


@pytest.mark.parametrize(
    ("before", "after"), [(".5", ".5:10:20"), (":5:6", ":5"), (":5:6", ".5:6"), (".5", ""), ("", ":7:8")]
)
def test_a_vlan_that_libvirt_says_it_changed_must_be_there_tag_by_tag(before: str, after: str) -> None:
    found = domain_of(ganeti(1, [nic(0, mode="openvswitch", link="ovs0", vlan=before)]))
    found.let("update", Fault(skips=True))
    with pytest.raises(VerificationError):
        hotplug(found).modify_nic("0", vlan=after)
    assert kept(found).nics[0].vlan == before
    hotplug(found).modify_nic("0", vlan=after)
    assert kept(found).nics[0].vlan == after


def test_a_vlan_of_an_open_vswitch_changes_in_place() -> None:
    found = domain_of(ganeti(1, [nic(0, mode="openvswitch", link="ovs0", vlan=".5")]))
    done = hotplug(found).modify_nic("0", vlan=".7")
    assert [line(step) for step in done.steps] == [f"update nic {NIC}: vlan"]
    assert at(found, NIC, "vlan/tag/@id") == "7"
    hotplug(found).modify_nic("0", vlan="")
    assert at(found, NIC, "vlan/tag/@id") is None
    assert kept(found).nics[0].vlan == ""


def test_what_only_ganeti_knows_changes_the_metadata_alone() -> None:
    found = two_disks()
    hotplug(found, **BOTH).modify_nic("1", name="lan", ip="192.0.2.7")
    assert found.calls == ["metadata live", "metadata config"]
    for live in (True, False):
        changed = kept(found, live=live).nics[1]
        assert (changed.name, changed.ip, changed.mac) == ("lan", "192.0.2.7", NICS[1].mac)


# Out and in again

REPLACED: list[tuple[str, dict[str, Any], str, str]] = [
    ("nic", {"mac": "aa:00:00:00:00:99"}, "mac/@address", "aa:00:00:00:00:99"),
    ("disk", {"mode": "ro"}, "readonly/@none", ""),
    ("disk", {"logical_id": ("xenvg", "b")}, "source/@dev", "/dev/xenvg/b"),
]


@pytest.mark.parametrize(("kind", "values", "path", "shown"), REPLACED)
def test_what_libvirt_cannot_change_leaves_and_comes_back_into_its_place(
    kind: str, values: dict[str, Any], path: str, shown: str
) -> None:
    found = two_disks()
    alias = NIC_IDS[1] if kind == "nic" else DISK
    before = places(found)
    operations = hotplug(found)
    done = (operations.modify_nic if kind == "nic" else operations.modify_disk)("1", **values)
    first, second = done.steps
    assert isinstance(first, Detach)
    assert isinstance(second, Attach)
    assert found.calls == [f"detachAlias {alias} live", f"attach {alias} live", "metadata live"]
    assert places(found) == before
    assert (at(found, alias, path) or "") == shown
    assert done.hvinfo is not None
    assert done.device is not None
    assert done.device.alias == alias
    (name, value), *_ = values.items()
    assert getattr((kept(found).nics if kind == "nic" else kept(found).disks)[1], name) == value


def test_a_nic_keeps_its_mac_when_it_leaves_and_comes_back() -> None:
    found = two_disks()
    done = hotplug(found).modify_nic("1", mode="openvswitch", link="ovs0")
    assert [type(step) for step in done.steps] == [Detach, Attach]
    assert at(found, NIC_IDS[1], "mac/@address") == NICS[1].mac
    assert at(found, NIC_IDS[1], "virtualport/@type") == "openvswitch"


def test_target_and_boot_order_stay_too() -> None:
    found = two_disks()
    hotplug(found, force=True).modify_disk("0", mode="ro")
    assert at(found, DISK_IDS[0], "target/@dev") == "vda"
    assert at(found, DISK_IDS[0], "boot/@order") == "1"


def test_guest_and_definition_both_get_the_successor() -> None:
    found = two_disks()
    hotplug(found, **BOTH).modify_nic("1", mac="aa:00:00:00:00:99")
    assert found.calls == [
        f"detachAlias {NIC_IDS[1]} live",
        f"detach {NIC_IDS[1]} config",
        f"attach {NIC_IDS[1]} live+config",
        "metadata live",
        "metadata config",
    ]
    assert places(found) == places(found, live=False)
    assert at(found, NIC_IDS[1], "mac/@address", live=False) == "aa:00:00:00:00:99"


def test_what_libvirt_only_tells_of_a_running_device_is_not_asked_for_again() -> None:
    found = two_disks()
    assert found.live is not None
    source = found.live.by_alias(NIC_IDS[1]).find("source")  # type: ignore[union-attr]
    assert source is not None
    source.set("portid", "11111111-2222-4333-8444-555555555555")
    one = found.live.by_alias(DISK)
    assert one is not None
    one.append(found.live.parsed("<backingStore/>"))
    operations = hotplug(found)
    operations.modify_disk("1", mode="ro")
    operations.modify_nic("1", mac="aa:00:00:00:00:99")
    for sent in found.sent:
        assert not [word for word in ("backingStore", "index=", "portid=") if word in sent]
    assert len(found.sent) == 2


def test_a_device_of_libvirts_keeps_its_words_and_its_place() -> None:
    found = two_disks()
    found.somebody_else_attaches(
        "<disk type='block' device='disk'><driver name='qemu' type='raw' cache='none' error_policy='stop'/>"
        "<source dev='/dev/sdx'/><target dev='vdx' bus='virtio'/><serial>S1</serial>"
        "<address type='pci' domain='0x0000' bus='0x00' slot='0x11' function='0x0'/></disk>"
    )
    hotplug(found).modify_disk("vdx", mode="ro")
    assert found.live is not None
    element = found.live.by_alias("virtio-disk23")
    assert element is not None
    assert element.find("readonly") is not None
    assert (element.findtext("serial"), attribute(element, "driver/@error_policy")) == ("S1", "stop")
    assert attribute(element, "address/@slot") == "0x11"


WITHOUT_METADATA: list[dict[str, Any]] = [
    {},
    {"disk_type": "scsi-hd", "scsi_controller_type": "lsi"},
    {"disk_type": "scsi-hd", "scsi_controller_type": "virtio-scsi-pci"},
]


@pytest.mark.parametrize("hvparams", WITHOUT_METADATA)
def test_a_domain_without_metadata_tells_what_its_devices_are(hvparams: dict[str, Any]) -> None:
    found = domain_of(ganeti(2, 2, **hvparams), with_metadata=False)
    before = places(found)
    operations = hotplug(found)
    operations.modify_nic("1", mac="aa:00:00:00:00:99")
    operations.modify_nic(NIC_IDS[0], link="br9")
    operations.modify_disk(DISK, mode="ro")
    assert places(found) == before
    assert at(found, NIC_IDS[1], "mac/@address") == "aa:00:00:00:00:99"
    assert at(found, NIC_IDS[0], "source/@bridge") == "br9"
    assert found.live is not None
    assert found.live.by_alias(DISK).find("readonly") is not None  # type: ignore[union-attr]
    assert found.calls == [
        f"detachAlias {NIC_IDS[1]} live",
        f"attach {NIC_IDS[1]} live",
        f"update {NIC_IDS[0]} live",
        f"detachAlias {DISK} live",
        f"attach {DISK} live",
    ]


def test_a_nic_of_libvirts_leaves_and_comes_back_under_an_alias_of_libvirts() -> None:
    found = two_disks()
    found.somebody_else_attaches(
        "<interface type='bridge'><mac address='52:54:00:00:00:77'/><source bridge='br3'/>"
        "<model type='virtio'/><driver name='vhost'/></interface>"
    )
    hotplug(found).modify_nic("52:54:00:00:00:77", mac="52:54:00:00:00:78")
    assert found.calls == ["detachAlias net0 live", "attach net0 live"]
    assert at(found, "net0", "mac/@address") == "52:54:00:00:00:78"


@pytest.mark.parametrize("running", [True, False])
def test_an_ide_disk_changes_in_a_definition(running: bool) -> None:
    found = domain_of(ganeti(2, 0, disk_type="ide"), running=running)
    hotplug(found, config=True).modify_disk("1", logical_id=("xenvg", "b"))
    assert found.calls == [f"detach {DISK} config", f"attach {DISK} config", "metadata config"]
    assert at(found, DISK, "source/@dev", live=False) == "/dev/xenvg/b"
    assert places(found, live=False)[DISK] == "0:1:0:1"
    wanted = ganeti([DISKS[0], msgspec.structs.replace(DISKS[1], logical_id=("xenvg", "c"))], 0)
    wanted = msgspec.structs.replace(wanted, hvparams=ganeti(disk_type="ide").hvparams)
    hotplug(found, config=True).apply(wanted)
    assert at(found, DISK, "source/@dev", live=False) == "/dev/xenvg/c"


def test_an_ide_disk_of_a_running_guest_does_not_change() -> None:
    found = domain_of(ganeti(2, 0, disk_type="ide"))
    with pytest.raises(UnsupportedError) as caught:
        hotplug(found).modify_disk("1", logical_id=("xenvg", "b"))
    assert str(caught.value) == (
        "disks[1]: an IDE bus has no hot-plug; stop the guest first, or change its definition (--config)"
    )
    assert found.calls == []


def test_a_host_device_has_nothing_that_ganeti_could_change() -> None:
    found = two_disks()
    found.somebody_else_attaches(
        "<hostdev mode='subsystem' type='pci'><source>"
        "<address domain='0x0000' bus='0x06' slot='0x02' function='0x0'/></source></hostdev>"
    )
    with pytest.raises(UnsupportedError) as caught:
        hotplug(found).modify_disk("hostdev0", mode="ro")
    assert str(caught.value).endswith(": it is no disk that Ganeti has a word for")
    assert found.calls == []


# What is refused, before any call

REFUSED: list[tuple[str, str, dict[str, Any], type[VirtxlateError], str]] = [
    ("nic", "0", {"state": "on"}, GanetiDataError, "nics[0].state: expected up or down, found 'on'"),
    (
        "nic",
        "0",
        {"model": "x"},
        GanetiDataError,
        "nics[0]: expected mac, mode, link, vlan, ip, name, network, found model",
    ),
    ("nic", "0", {"mac": "x"}, GanetiDataError, "nics[0].mac: expected a MAC address, found 'x'"),
    (
        "nic",
        "0",
        {"mac": NICS[1].mac.upper()},
        OperationRefusedError,
        f"update: nics[0]: MAC {NICS[1].mac.upper()} is that of nics[1] already",
    ),
    (
        "disk",
        "0",
        {"uuid": "x"},
        GanetiDataError,
        (
            "disks[0]: expected mode, name, size_mib, template, logical_id, params, minor, link, uri, device"
            ", found uuid"
        ),
    ),
    ("disk", "1", {"size_mib": "big"}, GanetiDataError, "disks[1].size_mib: expected int, got str"),
    ("nic", "1", {"link": ""}, GanetiDataError, "nics[1].link: expected the name of a bridge, found none"),
    (
        "disk",
        "0",
        {"mode": "ro"},
        OperationRefusedError,
        f"detach: {DISK_IDS[0]} stays: the guest boots from it (to be forced with --force)",
    ),
]


@pytest.mark.parametrize(("kind", "which", "values", "error", "message"), REFUSED)
def test_what_must_not_or_cannot_be_changed_is_refused_before_any_call(
    kind: str, which: str, values: dict[str, Any], error: type[VirtxlateError], message: str
) -> None:
    found = two_disks()
    operations = hotplug(found)
    with pytest.raises(VirtxlateError) as caught:
        (operations.modify_nic if kind == "nic" else operations.modify_disk)(which, **values)
    assert (type(caught.value), str(caught.value), found.calls) == (error, message, [])


def test_a_disk_that_only_its_link_names_gets_the_link_of_its_own_index() -> None:
    found = two_disks()
    done = hotplug(found).modify_disk("1", template="rbd", logical_id=("rbd", "b"))
    assert at(found, DISK, "source/@dev") == "/var/run/ganeti/instance-disks/web1.example.com:1"
    assert [loss.path for loss in done.losses] == ["disks[1].device"]


# What goes wrong on the way

IGNORED = "libvirt changed it, but not as asked: "
UPDATES: dict[str, tuple[dict[str, Any], Fault, type[VirtxlateError], str]] = {
    "libvirt says yes and does nothing": (
        {},
        Fault(skips=True),
        VerificationError,
        f"nics[0]: {IGNORED}live XML: source/@bridge: expected 'br9', found 'br0'",
    ),
    "libvirt refuses": (
        {},
        Fault(before=failing(refusal(INTERNAL, "updateDeviceFlags", "no"))),
        LiveError,
        "updateDeviceFlags: no (libvirt error 1)",
    ),
    "the connection breaks before libvirt hears it": (
        {},
        Fault(before=losing(0, "updateDeviceFlags")),
        ConnectionFailedError,
        "updateDeviceFlags: End of file while reading data (libvirt error 38)",
    ),
    "the device goes meanwhile": (
        {},
        Fault(after=lambda found: found.release(NIC)),
        VerificationError,
        "nics[0]: it is gone from the live XML",
    ),
}


@pytest.mark.parametrize(("options", "fault", "kind", "message"), UPDATES.values(), ids=UPDATES)
def test_a_change_in_place_is_believed_when_the_xml_shows_it(
    options: dict[str, Any], fault: Fault, kind: type[VirtxlateError], message: str
) -> None:
    found = two_disks()
    found.let("update", fault)
    with pytest.raises(VirtxlateError) as caught:
        hotplug(found, **options).modify_nic("0", link="br9")
    assert (type(caught.value), str(caught.value)) == (kind, message)
    assert kept(found).nics[0].link == "br0"


def test_a_changed_guest_whose_definition_did_not_change_is_named() -> None:
    found = two_disks()
    found.let("update", Fault())
    found.let("update", Fault(before=failing(refusal(INTERNAL, "updateDeviceFlags", "no"))))
    with pytest.raises(LiveError) as caught:
        hotplug(found, **BOTH).modify_nic("0", link="br9")
    assert str(caught.value) == (
        f"updateDeviceFlags: {NIC}: it is changed in the running guest, but not in the definition: "
        "no (libvirt error 1)"
    )
    hotplug(found, **BOTH).modify_nic("0", link="br9")
    assert at(found, NIC, "source/@bridge", live=False) == "br9"


def test_a_definition_alone_that_did_not_change_says_what_libvirt_said() -> None:
    found = two_disks()
    found.let("update", Fault(before=failing(refusal(INTERNAL, "updateDeviceFlags", "no"))))
    with pytest.raises(LiveError) as caught:
        hotplug(found, config=True).modify_nic("0", link="br9")
    assert str(caught.value) == "updateDeviceFlags: no (libvirt error 1)"


def test_an_update_whose_answer_was_lost_is_believed_when_the_xml_shows_it() -> None:
    found = two_disks()
    found.let("update", Fault(after=losing(0)))
    hotplug(found).modify_nic("0", link="br9")
    assert (at(found, NIC, "source/@bridge"), kept(found).nics[0].link) == ("br9", "br9")


OUT = f"{NIC_IDS[1]} was taken out, and its successor could not be put in: "
BUSY = refusal(INTERNAL, "attachDeviceFlags", "no such network")
SUCCESSORS: dict[str, tuple[list[Fault], str, bool]] = {
    "it comes back": ([Fault(before=failing(BUSY))], f"{OUT}{BUSY}; it is back in place", True),
    "nothing comes back": (
        [Fault(before=failing(BUSY))] * 2,
        f"{OUT}{BUSY}; and it could not be put back: {BUSY}",
        False,
    ),
    "somebody took its slot": (
        [Fault(before=somebody_attaches(theirs(0xF)))],
        (
            f"{OUT}XML error: Attempted double use of PCI Address 0000:00:0f.0 (libvirt error 27); "
            "and it could not be put back: attachDeviceFlags: XML error: Attempted double use of PCI Address "
            "0000:00:0f.0 (libvirt error 27)"
        ),
        False,
    ),
    "libvirt says yes and does nothing, twice": (
        [Fault(skips=True)] * 2,
        (
            f"{OUT}nics[1]: libvirt attached it, but not as asked: live XML: it is not there; "
            "it did not come back into the live XML"
        ),
        False,
    ),
}


@pytest.mark.parametrize(("faults", "message", "is_back"), SUCCESSORS.values(), ids=SUCCESSORS)
def test_a_device_whose_successor_does_not_come_is_put_back_or_named(
    faults: list[Fault], message: str, is_back: bool
) -> None:
    found = two_disks()
    before, was = kept(found), places(found)
    found.faults["attach"].extend(faults)
    with pytest.raises(VerificationError) as caught:
        hotplug(found).modify_nic("1", mac="aa:00:00:00:00:99")
    assert str(caught.value) == message
    assert (NIC_IDS[1] in aliases(found)) == is_back
    if is_back:
        assert places(found) == was
        assert at(found, NIC_IDS[1], "mac/@address") == NICS[1].mac
    assert kept(found) == before


def test_both_documents_get_back_a_device_whose_successor_does_not_come() -> None:
    found = two_disks()
    found.let("attach", Fault(before=failing(BUSY)))
    before = places(found), places(found, live=False)
    with pytest.raises(VerificationError, match=r"it is back in place$"):
        hotplug(found, **BOTH).modify_nic("1", mac="aa:00:00:00:00:99")
    assert (places(found), places(found, live=False)) == before
    assert found.calls[-2:] == [f"attach {NIC_IDS[1]} live", f"attach {NIC_IDS[1]} config"]


@pytest.mark.parametrize(("answer", "kind"), [(NEVER, RemovalPendingError), (REFUSES, RemovalRefusedError)])
def test_a_guest_that_keeps_the_old_device_gets_no_new_one(answer: Any, kind: type[VirtxlateError]) -> None:
    found = two_disks()
    found.answer = answer
    before = kept(found)
    with pytest.raises(kind):
        hotplug(found).modify_nic("1", mac="aa:00:00:00:00:99")
    assert not [call for call in found.calls if call.startswith("attach")]
    assert kept(found) == before


# Size


def test_a_size_that_grew_is_told_to_the_guest() -> None:
    found = two_disks()
    done = hotplug(found).resize("1", 3 * GIB)
    (step,) = done.steps
    assert isinstance(step, Resize)
    assert line(step) == f"resize disk {DISK} to 3221225472 bytes"
    assert found.calls == ["resize vdb 3221225472 live", "metadata live"]
    assert (found.sizes, kept(found).disks[1].size_mib) == ({"vdb": 3 * GIB}, 3072)


def test_a_size_of_ganetis_is_told_in_bytes() -> None:
    found = two_disks()
    done = hotplug(found).modify_disk("1", size_mib=2048)
    assert [line(step) for step in done.steps] == [f"resize disk {DISK} to 2147483648 bytes"]
    assert (found.sizes, kept(found).disks[1].size_mib) == ({"vdb": 2 * GIB}, 2048)


def test_a_size_rounds_up_to_ganetis_unit() -> None:
    found = two_disks()
    hotplug(found).resize("1", 2 * GIB + 1)
    assert kept(found).disks[1].size_mib == 2049


SHRINK = (
    "disks[1]: it has 1073741824 bytes, and 1073741823 are less: the rest would be lost "
    "(to be forced with --force)"
)


def test_a_disk_shrinks_only_when_forced() -> None:
    found = two_disks()
    with pytest.raises(OperationRefusedError) as caught:
        hotplug(found).resize("1", GIB - 1)
    assert (str(caught.value), found.calls) == (f"resize: {SHRINK}", [])
    hotplug(found, force=True).resize("1", GIB - 1)
    assert found.sizes == {"vdb": GIB - 1}


def test_a_smaller_size_of_ganetis_is_refused_too() -> None:
    found = two_disks()
    with pytest.raises(OperationRefusedError, match="the rest would be lost"):
        hotplug(found).modify_disk("1", size_mib=1)
    assert (found.calls, found.sizes) == ([], {})


def test_a_size_in_the_definition_alone_is_told_to_no_guest() -> None:
    found = two_disks()
    done = hotplug(found, config=True).modify_disk("1", size_mib=2048)
    assert (done.steps, found.calls, found.sizes) == ((), ["metadata config"], {})
    assert kept(found, live=False).disks[1].size_mib == 2048


def test_a_size_that_libvirt_did_not_take_is_not_believed() -> None:
    found = two_disks()
    found.let("resize", Fault(skips=True))
    with pytest.raises(VerificationError) as caught:
        hotplug(found).resize("1", 3 * GIB)
    assert str(caught.value) == (
        "disks[1]: libvirt resized it, but not as asked: size: expected 3221225472, found 1073741824"
    )
    assert kept(found).disks[1].size_mib == 1024


def test_a_resize_whose_answer_was_lost_is_believed_when_the_size_shows_it() -> None:
    found = two_disks()
    found.let("resize", Fault(after=losing(0)))
    hotplug(found).resize("1", 3 * GIB)
    assert kept(found).disks[1].size_mib == 3072


def test_a_resize_that_libvirt_did_not_hear_is_a_lost_connection() -> None:
    found = two_disks()
    found.let("resize", Fault(before=losing(0, "blockResize")))
    with pytest.raises(ConnectionFailedError, match=r"^blockResize: End of file"):
        hotplug(found).resize("1", 3 * GIB)
    assert (found.sizes, kept(found).disks[1].size_mib) == ({}, 1024)


def test_nobody_is_told_the_size_in_a_definition() -> None:
    for running, why in ((False, "the domain does not run"), (True, "a definition holds no size")):
        found = two_disks(running=running)
        with pytest.raises(OperationRefusedError) as caught:
            hotplug(found, config=True).resize("1", 3 * GIB)
        assert (str(caught.value), found.calls) == (f"resize: {why}: there is nobody to tell", [])


# Media


def drive(**fields: Any) -> FakeDomain:
    return domain_of(ganeti(1, 0, cdrom_image_path="/a.iso", cdrom_disk_type="ide"), **fields)


def medium(path: str, kind: str = "file") -> domain.Disk:
    source = domain.DiskSource(file=path) if kind == "file" else domain.DiskSource(dev=path)
    return domain.Disk(
        type=kind, device="cdrom", driver_name="qemu", driver_type="raw", source=source, target="x"
    )


def test_a_medium_is_changed_and_ejected() -> None:
    found = two_disks()
    cdrom = next(e for e in found.live.devices if e.get("device") == "cdrom")  # type: ignore[union-attr]
    alias = str(attribute(cdrom, "alias/@name"))
    operations = hotplug(found)
    done = operations.change_medium("hdc", medium("/b.iso"))
    assert [line(step) for step in done.steps] == [f"update cdrom {alias}: medium"]
    assert (at(found, alias, "source/@file"), at(found, alias, "target/@dev")) == ("/b.iso", "hdc")
    assert operations.change_medium("hdc", medium("/b.iso")).steps == ()
    operations.change_medium(alias, medium("/dev/sr0", "block"))
    assert (at(found, alias, "source/@dev"), at(found, alias, "source/@file")) == ("/dev/sr0", None)
    assert at(found, alias, "@type") == "block"
    done = operations.change_medium("hdc", None)
    assert [line(step) for step in done.steps] == [f"update cdrom {alias}: eject"]
    assert at(found, alias, "source/@dev") is None
    assert operations.change_medium("hdc", None).steps == ()
    assert found.calls == [f"update {alias} live"] * 3


def test_a_medium_goes_into_guest_and_definition() -> None:
    found = two_disks()
    hotplug(found, **BOTH).change_medium("hdc", medium("/b.iso"))
    assert [call.rpartition(" ")[2] for call in found.calls] == ["live", "config"]
    for document in (found.live, found.config):
        assert document is not None
        assert document.devices.find("disk/source[@file='/b.iso']") is not None


def test_a_medium_that_did_not_go_in_is_not_believed() -> None:
    found = two_disks()
    found.let("update", Fault(skips=True))
    with pytest.raises(VerificationError) as caught:
        hotplug(found).change_medium("hdc", medium("/b.iso"))
    assert str(caught.value).endswith(f"{IGNORED}live XML: source/@file: expected '/b.iso', found None")


def test_only_a_drive_takes_a_medium() -> None:
    found = two_disks()
    with pytest.raises(UnsupportedError) as caught:
        hotplug(found).change_medium("0", medium("/b.iso"))
    assert str(caught.value) == (
        "disks[0]: expected a CD-ROM or floppy drive, found a disk; that is removed and added"
    )
    with pytest.raises(DeviceNotFoundError):
        hotplug(found).change_medium("sr9", None)
    assert found.calls == []


# As Ganeti's own call has it: the whole object


def test_a_whole_object_says_what_the_device_is_to_be() -> None:
    found = two_disks()
    operations = hotplug(found)
    assert operations.become_nic(NICS[0]).steps == ()
    assert operations.become_disk(DISKS[1]).steps == ()
    assert found.calls == []
    operations.become_nic(msgspec.structs.replace(NICS[0], link="br9"))
    operations.become_disk(disk(1, size_mib=2048))
    assert found.calls == [
        f"update {NIC} live",
        "metadata live",
        "resize vdb 2147483648 live",
        "metadata live",
    ]
    with pytest.raises(DeviceNotFoundError):
        operations.become_nic(NICS[5])
