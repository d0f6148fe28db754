"""Virtual adapters: what is refused, what is made, and that a second time changes nothing."""

from __future__ import annotations

import pytest

from tests.npiv import host
from tests.npiv.host import FABRIC, FakeNode
from virtxlate import validate
from virtxlate.domain.elements import DISK
from virtxlate.domain.model import Disk, DiskSource
from virtxlate.domain.nodedev import ScsiPool, format_scsi_pool, parse_scsi_pool
from virtxlate.domain.vhba import BY_PATH, Vhba, pool_of, read_vhba, vhba_xml
from virtxlate.errors import (
    InputError,
    NodeDeviceNotFoundError,
    OperationRefusedError,
    PlacementError,
    VerificationError,
    VirtxlateError,
)
from virtxlate.npiv import Adapter, Lun, adapters, create, destroy, lun_disk, luns, plan
from virtxlate.scsi import ScsiAddress

NEW = {"wwnn": "20000000c9831b4b", "wwpn": "10000000c9831b4b"}
BY_NAME = Vhba(parent="scsi_host5", **NEW)
ASKED = """\
<device>
  <parent>scsi_host5</parent>
  <capability type="scsi_host">
    <capability type="fc_host">
      <wwnn>20000000c9831b4b</wwnn>
      <wwpn>10000000c9831b4b</wwpn>
    </capability>
  </capability>
</device>
"""
HBA = Adapter(
    name="scsi_host5",
    parent="pci_0000_10_00_0",
    wwnn="2000000000000005",
    wwpn="1000000000000005",
    fabric_wwn=FABRIC,
    takes_vports=True,
    max_vports=2,
    vports=1,
)
VIRTUAL = Adapter(
    name="scsi_host12",
    parent="scsi_host5",
    wwnn="2000000000000012",
    wwpn="1000000000000012",
    fabric_wwn=FABRIC,
    virtual=True,
)

PARENTS = (
    {"parent": "scsi_host5"},
    {"parent_wwnn": "2000000000000005", "parent_wwpn": "1000000000000005"},
    {"parent_fabric_wwn": FABRIC},
)


def found() -> tuple[Adapter, ...]:
    return adapters(FakeNode())


def test_adapters_are_told_physical_from_virtual_in_the_order_of_their_numbers() -> None:
    assert [(each.name, each.virtual, each.takes_vports, each.max_vports) for each in found()] == [
        ("scsi_host5", False, True, 2),
        ("scsi_host6", False, True, 1),
        ("scsi_host7", False, True, None),
        ("scsi_host8", False, False, None),
        ("scsi_host12", True, False, None),
        ("scsi_host13", True, False, None),
    ]
    assert (found()[0], found()[4]) == (HBA, VIRTUAL)


def test_an_adapter_is_asked_for_as_virsh_would() -> None:
    assert vhba_xml(BY_NAME) == ASKED


@pytest.mark.parametrize("parent", PARENTS, ids=lambda parent: next(iter(parent)))
@pytest.mark.parametrize("names", [NEW, {}], ids=["named", "unnamed"])
def test_what_is_asked_for_is_read_as_it_was_written(parent: dict[str, str], names: dict[str, str]) -> None:
    vhba = Vhba(**parent, **names)
    assert read_vhba(vhba_xml(vhba)) == vhba


def document(parent: str, names: str = "") -> str:
    port = f"<capability type='fc_host'>{names}</capability>"
    return f"<device>{parent}<capability type='scsi_host'>{port}</capability></device>"


PARENT = "<parent>scsi_host5</parent>"
NAMES = "/device/capability/capability"
WWN = "expected a world wide name, 16 hexadecimal digits, found"
REFUSED_XML = {
    document(""): "/device/parent: expected one of a name",
    document(
        "<parent wwnn='2000000000000005'/>"
    ): "/device/parent: expected both wwnn and wwpn of the parent",
    document("<parent wwnn='2' wwpn='1000000000000005'/>"): f"/device/parent/@wwnn (line 1): {WWN} '2'",
    document(f"<parent fabric_wwn='{FABRIC}'>scsi_host5</parent>"): (
        "/device/parent: expected one of a name, wwnn and wwpn, or fabric_wwn, found 2"
    ),
    document(PARENT, "<wwnn>20000000c9831b4b</wwnn>"): f"{NAMES}: expected both wwnn and wwpn, or none",
    document(PARENT, "<wwnn>x</wwnn><wwpn>x</wwpn>"): f"{NAMES}/wwnn (line 1): {WWN} 'x'",
    f"<device>{PARENT}</device>": "/device/capability: expected <capability type='scsi_host'>",
    f"<device>{PARENT}<capability type='scsi_host'/></device>": f"{NAMES}: expected <capability type='fc_",
    f"<device>{PARENT}<capability type='pci'/></device>": "/device/capability/@type (line 1): unknown word",
    document(PARENT, "<wwpm>20000000c9831b4b</wwpm>"): f"{NAMES}/wwpm (line 1): unknown element",
    document("<parent wwpm='20000000c9831b4b'/>"): "/device/parent/@wwpm (line 1): unknown attribute",
    "<domain/>": "/domain: expected <device>, found <domain>",
    "<device": "line 1: not well-formed XML",
}


@pytest.mark.parametrize("text", REFUSED_XML)
def test_what_libvirt_would_pass_over_is_refused(text: str) -> None:
    with pytest.raises(InputError) as caught:
        read_vhba(text)
    assert str(caught.value).startswith(REFUSED_XML[text])


PLANS: dict[str, tuple[Vhba, type[VirtxlateError], str]] = {
    "a parent that is full": (
        Vhba(parent="scsi_host6", **NEW),
        PlacementError,
        "scsi_host6 has its 1 virtual adapters",
    ),
    "a parent that cannot": (
        Vhba(parent="scsi_host8", **NEW),
        OperationRefusedError,
        "scsi_host8 takes no virtual adapters; on this host can: scsi_host5, scsi_host6, scsi_host7",
    ),
    "a parent that is virtual": (
        Vhba(parent="scsi_host12", **NEW),
        OperationRefusedError,
        "scsi_host12 takes no virtual adapters; on this host can: scsi_host5, scsi_host6, scsi_host7",
    ),
    "a parent that is not there": (
        Vhba(parent="scsi_host9", **NEW),
        OperationRefusedError,
        "no adapter is the parent asked for; on this host can: scsi_host5, scsi_host6, scsi_host7",
    ),
    "a name that another has": (
        Vhba(parent="scsi_host5", wwnn="2000000000000006", wwpn="1000000000000006"),
        OperationRefusedError,
        (
            "wwpn 1000000000000006 is that of scsi_host6, wwnn 2000000000000006, on pci_0000_10_00_1; "
            "give another"
        ),
    ),
    "a name that a virtual one on another parent has": (
        Vhba(parent="scsi_host6", wwnn="2000000000000012", wwpn="1000000000000012"),
        OperationRefusedError,
        "wwpn 1000000000000012 is that of scsi_host12, wwnn 2000000000000012, on scsi_host5; give another",
    ),
    "a parent that is no adapter": (
        Vhba(parent="pci_0000_10_00_0", **NEW),
        InputError,
        "/device/parent: expected an adapter such as scsi_host5, found 'pci_0000_10_00_0'",
    ),
    "no parent": (
        Vhba(**NEW),
        InputError,
        (
            "/device/parent: expected one of a name, wwnn and wwpn, or fabric_wwn, found none; told of none, "
            "libvirt takes any adapter"
        ),
    ),
}


@pytest.mark.parametrize("case", PLANS)
def test_what_cannot_be_is_refused_before_libvirt_is_asked(case: str) -> None:
    vhba, kind, message = PLANS[case]
    node = FakeNode()
    with pytest.raises(VirtxlateError) as caught:
        create(node, vhba)
    assert (type(caught.value), str(caught.value), node.calls) == (kind, message, [])


def test_a_host_without_such_adapters_says_so() -> None:
    with pytest.raises(OperationRefusedError, match="on this host can: none"):
        plan(BY_NAME, ())


@pytest.mark.parametrize("parent", PARENTS, ids=lambda parent: next(iter(parent)))
def test_a_made_adapter_is_there_the_second_time(parent: dict[str, str]) -> None:
    node, vhba = FakeNode(), Vhba(**parent, **NEW)
    node.makes = (host.adapter("scsi_host20", "scsi_host5", "c9831b4b"),)
    made = create(node, vhba)
    assert (made.name, made.parent, made.virtual, made.wwpn) == (
        "scsi_host20",
        "scsi_host5",
        True,
        NEW["wwpn"],
    )
    assert create(node, vhba) == made
    assert node.calls == [("create", vhba_xml(vhba))]


def test_an_adapter_without_names_is_another_each_time() -> None:
    node = FakeNode()
    assert create(node, Vhba(parent="scsi_host7")).parent == "scsi_host7"
    assert plan(Vhba(parent="scsi_host7"), adapters(node)) is None


def test_room_that_libvirt_does_not_count_is_left_to_it() -> None:
    assert plan(Vhba(parent="scsi_host7", **NEW), found()) is None


MADE_OTHERWISE = "libvirt made scsi_host20, but not as asked; it is there"
WRONG = {
    "another parent": (
        host.adapter("scsi_host20", "scsi_host6", "c9831b4b"),
        f"{MADE_OTHERWISE}: parent: asked for scsi_host5, found scsi_host6",
    ),
    "another name": (
        host.adapter("scsi_host20", "scsi_host5", "999"),
        (
            f"{MADE_OTHERWISE}: wwnn: asked for 20000000c9831b4b, found 2000000000000999; "
            "wwpn: asked for 10000000c9831b4b, found 1000000000000999"
        ),
    ),
    "nothing": (None, "libvirt made scsi_host20, but does not list it"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_libvirt_made_otherwise_is_told(case: str) -> None:
    made, message = WRONG[case]
    node = FakeNode()
    node.makes = () if made is None else (made,)
    with pytest.raises(VerificationError) as caught:
        create(node, BY_NAME)
    assert str(caught.value) == message


def test_a_virtual_adapter_is_removed() -> None:
    node = FakeNode()
    destroy(node, "scsi_host12")
    assert node.calls == [("destroy", "scsi_host12")]
    with pytest.raises(
        NodeDeviceNotFoundError, match="no Fibre Channel adapter 'scsi_host12'; there are: scsi_host5"
    ):
        destroy(node, "scsi_host12")


def test_a_physical_adapter_is_never_removed() -> None:
    node = FakeNode()
    with pytest.raises(OperationRefusedError, match="scsi_host5 is no virtual adapter"):
        destroy(node, "scsi_host5")
    assert node.calls == []


def test_an_adapter_that_stays_is_told() -> None:
    node = FakeNode()
    node.keeps = True
    with pytest.raises(VerificationError, match="libvirt removed scsi_host12, but still lists it"):
        destroy(node, "scsi_host12")


LUN = Lun(
    address=ScsiAddress(12, 0, 0, 1),
    type="disk",
    block="/dev/sdc",
    stable="/dev/disk/by-id/scsi-3600144f0",
    vendor="ACME",
    model="LUN",
    serial="3600144f0",
    size=1 << 30,
)
ENCLOSURE = Lun(address=ScsiAddress(12, 0, 0, 0), type="enclosure")


def test_the_luns_behind_an_adapter_are_found() -> None:
    assert luns(FakeNode(), "scsi_host12") == (ENCLOSURE, LUN)
    assert luns(FakeNode(), "scsi_host13") == ()
    with pytest.raises(NodeDeviceNotFoundError, match="no Fibre Channel adapter 'scsi_host99'"):
        luns(FakeNode(), "scsi_host99")


PASSED_ON = {
    None: ("block", DiskSource(dev="/dev/disk/by-id/scsi-3600144f0")),
    "luns": ("volume", DiskSource(pool="luns", volume="unit:0:0:1")),
}


@pytest.mark.parametrize("pool", PASSED_ON)
def test_a_lun_is_passed_on_by_its_stable_name_or_as_a_volume(pool: str | None) -> None:
    kind, source = PASSED_ON[pool]
    assert lun_disk(LUN, "sda", pool) == Disk(
        type=kind,
        device="lun",
        driver_name="qemu",
        driver_type="raw",
        source=source,
        target="sda",
        bus="scsi",
    )


@pytest.mark.parametrize("pool", PASSED_ON)
def test_a_lun_that_is_passed_on_breaks_no_rule(pool: str | None) -> None:
    disk = DISK.format_text(lun_disk(LUN, "sda", pool))
    assert (
        validate(
            "<domain type='kvm'><name>a</name><memory>524288</memory>"
            "<os><type arch='x86_64' machine='pc'>hvm</type></os>"
            f"<devices><controller type='scsi' index='0' model='virtio-scsi'/>{disk}</devices></domain>"
        )
        == ()
    )


def test_a_lun_without_a_serial_is_passed_on_by_the_kernels_name() -> None:
    bare = Lun(address=LUN.address, block="/dev/sdc")
    assert lun_disk(bare, "sda").source == DiskSource(dev="/dev/sdc")


def test_what_is_no_block_device_is_no_disk() -> None:
    with pytest.raises(
        OperationRefusedError, match="12:0:0:0: no block device; a <hostdev type='scsi'> passes"
    ):
        lun_disk(ENCLOSURE, "sda")


def test_a_pool_stands_on_the_adapter() -> None:
    pool = pool_of(BY_NAME, "luns")
    assert pool == ScsiPool(
        name="luns",
        adapter_type="fc_host",
        parent="scsi_host5",
        wwnn=NEW["wwnn"],
        wwpn=NEW["wwpn"],
        path=BY_PATH,
    )
    assert parse_scsi_pool(format_scsi_pool(pool)) == pool


def test_a_pool_needs_the_names_of_its_adapter() -> None:
    with pytest.raises(InputError, match="/pool/source/adapter: a pool needs wwnn and wwpn of its adapter"):
        pool_of(Vhba(parent="scsi_host5"), "luns")


@pytest.mark.parametrize("name", ["", "a/b"])
def test_a_pool_has_a_name_that_libvirt_takes(name: str) -> None:
    with pytest.raises(InputError, match=f"^/pool/name: expected a name, without '/', found '{name}'$"):
        pool_of(BY_NAME, name)


@pytest.mark.parametrize("text", ["<pool type='dir'/>", "<pool/>", "<volume type='scsi'/>"])
def test_another_pool_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="expected <pool type='scsi'>, found <"):
        parse_scsi_pool(text)
