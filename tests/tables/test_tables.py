"""Every table both ways, and what belongs together."""

from __future__ import annotations

from typing import Any

import pytest

from virtxlate.bijection import Bijection
from virtxlate.domain import words as libvirt
from virtxlate.errors import UnknownTermError
from virtxlate.ganeti import words as ganeti
from virtxlate.ganeti.params import HVPARAM_NAMES
from virtxlate.tables import controller, disk, display, hardware, machine, nic, override, removable, usb
from virtxlate.tables.params import TRANSLATED, UNTRANSLATED

BIJECTIONS: dict[str, Bijection[Any, Any]] = {
    table.name: table
    for module in (disk, removable, nic, display, machine, usb)
    for table in vars(module).values()
    if isinstance(table, Bijection)
}
ROWS = [(name, left, right) for name, table in BIJECTIONS.items() for left, right in table.rows]


def test_all_tables_were_found_and_no_two_share_a_name() -> None:
    tables = [
        t
        for m in (disk, removable, nic, display, machine, usb)
        for t in vars(m).values()
        if isinstance(t, Bijection)
    ]
    assert len(tables) == len(BIJECTIONS) == 16


@pytest.mark.parametrize(("name", "left", "right"), ROWS)
def test_every_row_reads_both_ways(name: str, left: Any, right: Any) -> None:
    table = BIJECTIONS[name]
    assert table.right(left) == right
    assert table.left(right) == left


ONE_WAY = [
    ("disk_cache", "writeback", "writeback", "default"),
    ("disk_discard", "default", "ignore", "ignore"),
    ("vga", "std", "vga", ""),
    ("mode", "ext", ("ethernet", None), "routed"),
]


@pytest.mark.parametrize(("name", "left", "right", "back"), ONE_WAY)
def test_an_alias_comes_back_as_its_row(name: str, left: str, right: Any, back: str) -> None:
    assert BIJECTIONS[name].right(left) == right
    assert BIJECTIONS[name].left(right) == back


def test_libvirt_s_default_cache_is_ganeti_s() -> None:
    assert disk.DISK_CACHES.left("default") == "default"


RIGHT_WORDS = [
    ("disk_cache", libvirt.CACHE_MODES),
    ("disk_aio", libvirt.IO_MODES),
    ("disk_discard", libvirt.DISCARD_MODES),
    ("vga", libvirt.VIDEO_MODELS),
    ("reboot_behavior", libvirt.LIFECYCLE_ACTIONS),
    ("use_localtime", libvirt.CLOCK_OFFSETS),
    ("vhost_net", libvirt.INTERFACE_DRIVERS),
]


@pytest.mark.parametrize(("name", "words"), RIGHT_WORDS)
def test_the_right_side_speaks_libvirt_s_words(name: str, words: tuple[str, ...]) -> None:
    assert {right for _left, right in BIJECTIONS[name].rows} <= set(words)


def test_modes_are_ganeti_s_and_lead_to_libvirt_s_types() -> None:
    assert all(nic.NIC_MODES.knows_left(mode) for mode in ganeti.NIC_MODES)
    for _mode, (kind, port) in nic.NIC_MODES.rows:
        assert kind in libvirt.INTERFACE_TYPES
        assert port in {None, *libvirt.VIRTUALPORT_TYPES}


def test_every_video_model_has_its_memory() -> None:
    assert {right for _left, right in display.VGAS.rows} == set(display.VRAM_KIB)


def test_every_nic_type_of_ganeti_is_a_row_or_refused_with_a_reason() -> None:
    rows = {left for left, _right in nic.NIC_TYPES.rows}
    assert rows | set(nic.UNSUPPORTED_NIC_TYPES) == set(ganeti.NIC_DRIVERS)


def test_every_disk_type_of_ganeti_is_a_row_an_alias_or_refused_with_a_reason() -> None:
    rows = {row.ganeti for row in disk.DISK_TYPES}
    rows |= {word for word, _type in disk.HOSTDEV_DISK_TYPES.rows}
    assert rows | set(disk.DISK_TYPE_ALIASES) | set(disk.UNSUPPORTED_DISK_TYPES) == set(ganeti.DISK_DRIVERS)


@pytest.mark.parametrize("row", disk.DISK_TYPES, ids=lambda row: row.ganeti)
def test_a_disk_type_reads_both_ways(row: disk.DiskType) -> None:
    assert disk.by_disk_type(row.ganeti) is row
    assert disk.by_bus(row.bus, row.device) is row
    assert row.bus in libvirt.DISK_BUSES
    assert row.device in libvirt.DISK_DEVICES


def test_the_old_scsi_is_today_s_scsi_hd() -> None:
    assert disk.by_disk_type("scsi").ganeti == "scsi-hd"


UNKNOWN = [
    (
        lambda: disk.by_disk_type("nvme"),
        (
            "disk_type: no Ganeti term 'nvme' (known: 'paravirtual', 'ide', 'scsi-hd', 'scsi-cd', "
            "'scsi-block', 'scsi-generic')"
        ),
    ),
    (
        lambda: disk.by_bus("sata", "disk"),
        (
            "disk_type: no libvirt term 'sata disk' "
            "(known: 'virtio disk', 'ide disk', 'scsi disk', 'scsi cdrom', 'scsi lun')"
        ),
    ),
    (
        lambda: disk.by_bus(None, "disk"),
        (
            "disk_type: no libvirt term 'None disk' "
            "(known: 'virtio disk', 'ide disk', 'scsi disk', 'scsi cdrom', 'scsi lun')"
        ),
    ),
    (
        lambda: controller.by_ganeti("pvscsi"),
        "scsi_controller_type: no Ganeti term 'pvscsi' (known: 'lsi', 'dc390', 'megasas', 'virtio-scsi-pci')",
    ),
    (
        lambda: controller.by_libvirt("buslogic"),
        (
            "scsi_controller_type: no libvirt term 'buslogic' "
            "(known: 'lsilogic', 'am53c974', 'lsisas1078', 'virtio-scsi')"
        ),
    ),
    (
        lambda: controller.by_libvirt(None),
        (
            "scsi_controller_type: no libvirt term None "
            "(known: 'lsilogic', 'am53c974', 'lsisas1078', 'virtio-scsi')"
        ),
    ),
]


@pytest.mark.parametrize(("lookup", "message"), UNKNOWN)
def test_an_unknown_word_names_the_known_ones(lookup: Any, message: str) -> None:
    with pytest.raises(UnknownTermError) as caught:
        lookup()
    assert str(caught.value) == message


@pytest.mark.parametrize("row", controller.SCSI_CONTROLLERS, ids=lambda row: row.ganeti)
def test_a_controller_reads_both_ways(row: controller.ScsiController) -> None:
    assert controller.by_ganeti(row.ganeti) is row
    assert controller.by_libvirt(row.libvirt) is row


def test_where_the_scsi_id_stands_is_a_column() -> None:
    found = {row.ganeti: (row.scsi_id_in, row.max_scsi_id) for row in controller.SCSI_CONTROLLERS}
    assert found == {
        "lsi": ("unit", 7),
        "dc390": ("unit", 7),
        "megasas": ("target", 64),
        "virtio-scsi-pci": ("target", 255),
    }


def test_every_hvparam_is_translated_or_reported_never_both() -> None:
    untranslated = [row.name for row in UNTRANSLATED]
    assert len(untranslated) == len(set(untranslated))
    assert not TRANSLATED & set(untranslated)
    assert TRANSLATED | set(untranslated) == HVPARAM_NAMES


def test_every_reason_is_one_line_without_a_full_stop() -> None:
    reasons = [
        *(row.reason for row in UNTRANSLATED),
        *disk.UNSUPPORTED_DISK_TYPES.values(),
        *nic.UNSUPPORTED_NIC_TYPES.values(),
        *(row.reason for row in override.OVERRIDES),
        *(row.reason for row in hardware.KNOWN_DIFFERENCES),
        *(row.effect for row in hardware.KNOWN_DIFFERENCES),
    ]
    assert [reason for reason in reasons if not reason or "\n" in reason or reason.endswith(".")] == []
