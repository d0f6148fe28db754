"""A table that contradicts itself must not import: each check is seen to fire on a copy that does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import virtxlate
from virtxlate.errors import TableError

PACKAGE = Path(virtxlate.__file__).parent

CASES = [
    ("units.py", '"k": 2**10,', '"k": 2**10, "kib": 2**10,', "units: two units differ only in case"),
    (
        "tables/disk.py",
        'DiskType(ganeti="ide"',
        'DiskType(ganeti="paravirtual"',
        "DISK_TYPES: a disk_type or a pair of bus and device appears in two rows",
    ),
    (
        "tables/disk.py",
        'bus="scsi", device="cdrom"',
        'bus="scsi", device="disk"',
        "DISK_TYPES: a disk_type or a pair of bus and device appears in two rows",
    ),
    (
        "tables/disk.py",
        "UNSUPPORTED_DISK_TYPES = {",
        'UNSUPPORTED_DISK_TYPES = {"scsi": "x",',
        "DISK_TYPES: a disk_type is both supported and unsupported",
    ),
    (
        "tables/controller.py",
        'libvirt="virtio-scsi"',
        'libvirt="lsilogic"',
        "SCSI_CONTROLLERS: a name appears in two rows",
    ),
    (
        "tables/migration.py",
        'ganeti="multifd"',
        'ganeti="xbzrle"',
        "MIGRATION_CAPABILITIES: a capability appears in two rows",
    ),
    (
        "tables/nic.py",
        "UNSUPPORTED_NIC_TYPES = {",
        'UNSUPPORTED_NIC_TYPES = {"e1000": "x",',
        "NIC_TYPES: a nic_type is both supported and unsupported",
    ),
    (
        "tables/params.py",
        '    Untranslated(\n        "kvm_flag"',
        '    Untranslated(\n        "acpi"',
        "params: an hvparam is both translated and untranslated",
    ),
    (
        "tables/params.py",
        'with certificates",\n        "vnc_bind_address"',
        'with certificates",\n        "colour"',
        "params: a row needs an hvparam that no list has",
    ),
]


def run_changed(path: Path, old: str, new: str) -> dict[str, Any]:
    """Run a module whose text was changed; the module that is imported stays as it is."""
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1
    names: dict[str, Any] = {"__name__": "changed"}
    exec(compile(text.replace(old, new), path, "exec"), names)
    return names


@pytest.mark.parametrize(("file", "old", "new", "message"), CASES)
def test_a_table_that_contradicts_itself_does_not_import(file: str, old: str, new: str, message: str) -> None:
    with pytest.raises(TableError) as caught:
        run_changed(PACKAGE / file, old, new)
    assert str(caught.value) == message


@pytest.mark.parametrize("file", sorted({case[0] for case in CASES}))
def test_the_unchanged_table_does(file: str) -> None:
    assert run_changed(PACKAGE / file, '"""\n\nfrom __future__', '"""\n\nfrom __future__')
